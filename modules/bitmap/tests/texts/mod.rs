//! Strings that are not the first-party ones, to test the module over.

use plinth_bitmap::plinth_module_entry;
use plinth_module::abi;
use plinth_module::prelude::*;
use plinth_module::string::{Len, Opened, Scratch, StringProvider, StringService, table};
use plinth_testbed::Testbed;
use std::ffi::CStr;

static TEXT: TypeHandle = TypeHandle::new();
static TABLE: StringService = table::<Texts>();

/// Strings that are bytes and nothing else.
struct Texts;

impl InlineType for Texts {
    const NAME: &'static CStr = c"string";
    const RDB_TAGS: &'static [u8] = &[0];

    fn save(_tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
        out.tag(0);
        out.bytes(bytes);
    }

    fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l>> {
        Ok(Loaded::bytes(0, from.bytes()?))
    }
}

impl StringProvider for Texts {
    fn get<'k>(
        call: &'k mut Call<'_>,
        key: &'k [u8],
        flags: u32,
        _scratch: &'k mut Scratch,
    ) -> Result<Option<&'k [u8]>> {
        Ok(call.keys.get_with(&TEXT, key, flags)?.map(Entry::into_bytes))
    }

    fn set(call: &mut Call<'_>, key: &[u8], bytes: &[u8]) -> Result {
        call.keys.put_bytes(&TEXT, key, 0, bytes, 0)?.modified(EVENT_STRING, "set");
        Ok(())
    }

    fn open<'k>(call: &'k mut Call<'_>, key: &'k [u8], len: Len) -> Result<Opened<'k>> {
        let (mut entry, is_new) = call.keys.get_or_put(&TEXT, key, 0, || Ok(len.from(0)))?;
        let before = if is_new { 0 } else { entry.bytes().len() };
        entry.resize(0, len.from(before), false)?;
        if let Some(added) = entry.bytes_mut().get_mut(before..) {
            added.fill(0);
        }
        Ok(Opened { bytes: entry.into_bytes_mut(), len_before: (!is_new).then_some(before) })
    }
}

/// The module that has strings. `export!` makes one symbol per binary, and that is the tested
/// module's: what every Rust module has in its entry is taken from there.
static STRINGS: abi::entry::Module = abi::entry::Module {
    name: text("texts"),
    requires: list(&[]),
    provides: plinth_module::service::Provided::list(&[provided(&TABLE)]),
    types: list(&[Type::inline::<Texts>(&TEXT).description()]),
    commands: list(&[]),
    start: None,
    stop: None,
    ..plinth_module_entry
};

/// A server with these strings and the module.
pub(crate) fn host() -> Testbed {
    let mut host = Testbed::new(&STRINGS).unwrap();
    host.load(&plinth_module_entry, &[] as &[&str]).unwrap();
    host
}

/// Runs a command whose words have no space.
pub(crate) fn run(host: &mut Testbed, command: &str) -> Vec<u8> {
    host.run(&command.split(' ').collect::<Vec<_>>())
}
