//! The storage: how the strings of a module are kept.
//!
//! The commands know a string as a [`Value`], a number or bytes, and never how it lies in the keyspace:
//! in its key's entry, in a box, or in either. Whoever has another way implements the trait and exports
//! the same commands over it, see [`Strings`](crate::Strings).
//!
//! *Forms.* A string that is set as a whole may be kept in whatever form its content allows, and
//! OBJECT ENCODING answers `int` for a number, `embstr` for at most [`EMBEDDED_MAX`] bytes, and `raw`.
//! One that was changed in part is plain bytes and `raw`, whatever its length and content: that is what
//! clients see of Redis after APPEND and SETRANGE. Setting or counting it turns it back.

use plinth_module::prelude::*;

pub use plinth_module::pack::{Digits, Value, parse_integer};

/// Longest string that OBJECT ENCODING calls `embstr`.
pub const EMBEDDED_MAX: usize = 44;

/// The value of a string that is set as a whole: a number when it is the one spelling of an `i64`.
#[inline(always)]
pub fn whole(text: &[u8]) -> Value<'_> {
    match parse_integer(text) {
        Some(number) => Value::Integer(number),
        None => Value::Text(text),
    }
}

/// How strings are kept. A type of no values: all that there is lies in the entries.
///
/// The functions are given entries of [`TYPE`](Storage::TYPE) only.
pub trait Storage: Sized + 'static {
    /// The type, whose name, saving and loading are those of [`codec`](crate::codec).
    const TYPE: Type;

    /// The id that the host gave the type. Fails with `Unsupported` before the module is loaded.
    fn handle() -> Result<&'static TypeHandle>;

    /// The string. One that is a number need not be a [`Value::Integer`].
    fn value<'e>(entry: &'e Entry<'_>) -> Value<'e>;

    /// The string, for as long as the keys are borrowed. Where it is bytes, they stay where they are
    /// while nothing but look-ups with `GET_HOLD` follow.
    fn into_value(entry: Entry<'_>) -> Value<'_>;

    /// Makes a key with a string, or gives it one whatever it held; announces nothing. `flags`:
    /// `PUT_*`. Fails with `OutOfMemory`, nothing changed.
    fn put<'k>(keys: &'k mut Keys<'_>, key: &'k [u8], value: Value<'_>, flags: u32) -> Result<Entry<'k>>;

    /// Gives a key another string as a whole; its expiry stays. Fails with `OutOfMemory`, nothing
    /// changed.
    fn set(entry: &mut Entry<'_>, value: Value<'_>) -> Result;

    /// Finds a key whose string is going to be changed in part, or makes it, with as many bytes as
    /// `len` says, which are unspecified; whether it was made. One look-up. Fails with `WrongType`,
    /// with `OutOfMemory`, nothing changed, and as `len`.
    fn find_or_make<'k>(
        keys: &'k mut Keys<'_>,
        key: &'k [u8],
        len: impl FnOnce() -> Result<usize>,
    ) -> Result<(Entry<'k>, bool)>;

    /// Makes a string plain bytes, `len` of them, to be changed in place. Those up to the shorter length
    /// are the string's, or its number's digits; what is added is unspecified. One that grows keeps
    /// room to grow further. Fails with `OutOfMemory`, nothing changed.
    fn resize<'e>(entry: &'e mut Entry<'_>, len: usize) -> Result<&'e mut [u8]>;

    /// The bytes of a string that was [made](Storage::find_or_make) or [resized](Storage::resize), for as
    /// long as the keys are borrowed.
    fn into_bytes(entry: Entry<'_>) -> &mut [u8];
}
