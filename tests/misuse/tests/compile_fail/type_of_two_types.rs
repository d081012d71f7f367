//! A type's functions are those of one Rust type: one's `save` does not get another's values.
use plinth_module::prelude::*;

const fn mixed(one: Type, other: Type) -> Type {
    Type { drop: other.drop, ..one }
}

fn main() {
    let _ = mixed;
}
