//! A command that is run from inside may remove the key.
use plinth_module::prelude::*;

static WORD: TypeHandle = TypeHandle::new();

fn risky(call: &mut Call<'_>) -> Result {
    let entry = call.keys.get(&WORD, b"a")?.ok_or(Error::None)?;
    call.run.command(&mut call.keys, &[b"del", b"a"], 0, |_| ())?;
    call.reply.bulk(entry.bytes());
    Ok(())
}

fn main() {
    let _: HandlerFn = risky;
}
