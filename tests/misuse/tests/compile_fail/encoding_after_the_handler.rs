//! An encoding's name is in the memory of a module that may leave.
use plinth_module::prelude::*;

fn keep(call: &mut Call<'_>) -> Result {
    let name: &'static str = call.keys.get_any(b"a", 0)?.ok_or(Error::None)?.stat().encoding;
    call.reply.bulk(name);
    Ok(())
}

fn main() {
    let _: HandlerFn = keep;
}
