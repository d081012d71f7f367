//! A service's table is of the layout that its id says.
use plinth_module::prelude::*;
use plinth_module::service::Provided;

const fn renamed(one: Provided) -> Provided {
    Provided { id: text("plinth.string/1"), ..one }
}

fn main() {
    let _ = renamed;
}
