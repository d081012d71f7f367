//! A text of a command's constants is as long as it says.
use plinth_module::abi::bytes::Bytes;
use plinth_module::prelude::*;

fn nothing(_call: &mut Call<'_>) -> Result {
    Ok(())
}

export!(Module {
    name: "wild",
    commands: &[Command { name: Bytes { len: 5000, ..text("wild") }, run: run(nothing), ..Command::NEW }],
    ..Module::NEW
});

fn main() {}
