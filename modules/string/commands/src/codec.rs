//! The codec: strings in files and payloads.
//!
//! A string is saved as value type 0 of the RDB format, with one RDB string: the form in which it
//! is kept is not part of the file, and is chosen anew when it is read. So a string that APPEND made
//! comes back as what SET would have made, as in Redis; and any storage reads what any other wrote.
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html#string-encoding>.

use crate::storage::{Digits, Value, whole};
use plinth_module::prelude::*;
use std::ffi::CStr;

/// Name of the type.
pub const NAME: &CStr = c"string";
/// The value types of the RDB format that strings have.
pub const RDB_TAGS: &[u8] = &[RDB_STRING];

const RDB_STRING: u8 = 0;

/// Writes a string.
pub fn save(value: Value<'_>, out: &mut Saver<'_>) {
    out.tag(RDB_STRING);
    out.bytes(value.text(&mut Digits::new()));
}

/// Reads a string. Fails with `BadData`.
pub fn load<'l>(from: &'l mut Loader<'_>) -> Result<Value<'l>> {
    from.bytes().map(whole)
}

/// Gives the command that makes a string.
pub fn rewrite(value: Value<'_>, out: &mut Rewriter<'_>) -> Result {
    out.emit(&[b"SET", out.key(), value.text(&mut Digits::new())])
}

/// Shows what a string is: its bytes.
pub fn digest(value: Value<'_>, out: &mut Digester<'_>) -> Result {
    out.add(value.text(&mut Digits::new()));
    Ok(())
}
