//! What a call lends ends with the call.
use plinth_module::prelude::*;
use std::cell::Cell;

thread_local! {
    static KEPT: Cell<&'static [u8]> = const { Cell::new(b"") };
}

fn keep(call: &mut Call<'_>) -> Result {
    KEPT.set(call.args.bytes(1));
    call.reply.ok();
    Ok(())
}

fn main() {
    let _: HandlerFn = keep;
}
