//! `plinth.string/1` with a provider that is not as the first-party one: whatever the trait allows must
//! do.
#![allow(missing_docs)]

use plinth_module::prelude::*;
use plinth_module::string::{
    Len, Opened, STRING_SCRATCH_BYTES, Scratch, StringProvider, StringService, Strings, table,
};
use plinth_testbed::Testbed;

/// Has a string for each key, which is its name, at the end of the room for digits: where a number
/// that is written from its last digit on comes to lie.
struct Digits;

impl StringProvider for Digits {
    fn get<'k>(
        _call: &'k mut Call<'_>,
        key: &'k [u8],
        _flags: u32,
        scratch: &'k mut Scratch,
    ) -> Result<Option<&'k [u8]>> {
        if key == b"nothing" {
            return Ok(Some(&scratch[STRING_SCRATCH_BYTES..]));
        }
        let place = STRING_SCRATCH_BYTES.checked_sub(key.len()).ok_or(Error::TooLarge)?;
        scratch[place..].copy_from_slice(key);
        Ok(Some(&scratch[place..]))
    }

    fn set(_call: &mut Call<'_>, _key: &[u8], _bytes: &[u8]) -> Result {
        Err(Error::Unsupported)
    }

    fn open<'k>(_call: &'k mut Call<'_>, _key: &'k [u8], _len: Len) -> Result<Opened<'k>> {
        Err(Error::Unsupported)
    }
}

static TABLE: StringService = table::<Digits>();
static STRINGS: Strings = Strings::new();

/// Answers with all strings, joined.
fn join(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    let strings = STRINGS.hold(&mut call.keys, call.args.from(1))?;
    let joined: Vec<&[u8]> = strings.iter().flatten().map(|string| &**string).collect();
    call.reply.bulk(joined.join(&b'|'));
    Ok(())
}

export!(Module {
    name: "digits",
    version: "1.0.0",
    provides: &[provided(&TABLE)],
    commands: &[Command { name: text("join"), arity: -2, run: run(join), ..Command::NEW }],
    ..Module::NEW
});

#[test]
fn digits_at_the_end_of_the_scratch_are_held_beside_others() {
    let mut host = Testbed::new(&plinth_module_entry).unwrap();
    assert_eq!(host.run(&["join", "12", "nothing", "-34567", "8"]), b"$12\r\n12||-34567|8\r\n");
    let full = "123456789012345678901234";
    assert_eq!(host.run(&["join", full, "0"]), format!("$26\r\n{full}|0\r\n").as_bytes());
}
