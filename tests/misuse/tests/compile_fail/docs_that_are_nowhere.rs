//! What the constants of a command point to is there.
use plinth_module::prelude::*;

fn nothing(_call: &mut Call<'_>) -> Result {
    Ok(())
}

export!(Module {
    name: "wild",
    commands: &[Command { name: text("wild"), docs: 8 as *const Docs, run: run(nothing), ..Command::NEW }],
    ..Module::NEW
});

fn main() {}
