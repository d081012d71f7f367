//! The codec: the type `string`, and its values in files and payloads.
//!
//! A string is saved as value type 0 of the RDB format, with one RDB string: the form in which it
//! is kept is not part of the file, and is chosen anew when it is read. So a string that APPEND made
//! comes back as what SET would have made, as in Redis.
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html#string-encoding>.

use crate::value::{self, INTEGER, TEXT};
use plinth_module::pack::{Digits, parse_integer};
use plinth_module::prelude::*;
use std::ffi::CStr;

/// Value type of strings in the RDB format.
const RDB_STRING: u8 = 0;

/// The id that the host gave the type.
pub static STRING: TypeHandle = TypeHandle::new();

/// The type, for the module's list.
pub const TYPE: plinth_module::abi::value::Type = Type::inline::<Text>(&STRING);

/// The type.
pub struct Text;

impl InlineType for Text {
    const NAME: &'static CStr = c"string";
    const RDB_TAGS: &'static [u8] = &[RDB_STRING];

    fn save(tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
        out.tag(RDB_STRING);
        out.bytes(value::text(tag, bytes, &mut Digits::new()));
    }

    fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l>> {
        let text = from.bytes()?;
        Ok(match parse_integer(text) {
            Some(number) => Loaded::small(INTEGER, &value::pack(number)),
            None => Loaded::bytes(TEXT, text),
        })
    }

    fn encoding_name(tag: u32, bytes: &[u8]) -> &'static str {
        value::encoding_name(tag, bytes)
    }
}
