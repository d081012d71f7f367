//! Resizing moves the bytes.
use plinth_module::prelude::*;

static WORD: TypeHandle = TypeHandle::new();

fn twice(call: &mut Call<'_>) -> Result {
    let mut entry = call.keys.get_write(&WORD, b"a")?.ok_or(Error::None)?;
    let before = entry.bytes();
    entry.resize(0, before.len() * 2, false)?;
    call.reply.bulk(before);
    Ok(())
}

fn main() {
    let _: HandlerFn = twice;
}
