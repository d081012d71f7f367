//! Finding a key ends every entry that was found before.
use plinth_module::prelude::*;

static WORD: TypeHandle = TypeHandle::new();

fn longer(call: &mut Call<'_>) -> Result {
    let first = call.keys.get(&WORD, b"a")?.ok_or(Error::None)?;
    let second = call.keys.get(&WORD, b"b")?.ok_or(Error::None)?;
    call.reply.boolean(first.bytes().len() > second.bytes().len());
    Ok(())
}

fn main() {
    let _: HandlerFn = longer;
}
