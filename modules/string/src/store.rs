//! The storage: a string is bytes in its key's entry.
//!
//! ```text
//!   tag      bytes in the entry                      made by                    OBJECT ENCODING
//!   TEXT     the string                              SET and its kin            embstr, raw above 44 bytes
//!   INTEGER  i64, little-endian, always 8 bytes      the same, and counting     int
//!   RAW      the string                              APPEND, SETRANGE, others   raw
//! ```
//!
//! A string that is the one spelling of an `i64` becomes an [`INTEGER`] when it is set as a whole:
//! it takes 8 bytes whatever its length, and counting rewrites them in place. A string that was
//! changed in part is [`RAW`], whatever its length and content.
//!
//! *Invariant*: a value tagged [`INTEGER`] has 8 bytes; whoever writes anything else into an entry
//! sets another tag with the same call. The functions here hold for any bytes nevertheless: a
//! shorter one reads as 0.

use plinth_module::prelude::*;
use plinth_string_commands::codec;
use plinth_string_commands::storage::{Digits, EMBEDDED_MAX, Storage, Value};
use std::ffi::CStr;

/// Tag of a string set as a whole.
const TEXT: u32 = 0;
/// Tag of a string kept as a number.
const INTEGER: u32 = 1;
/// Tag of a string that was changed in part.
const RAW: u32 = 2;

/// The id that the host gave the type.
static STRING: TypeHandle = TypeHandle::new();

/// Strings in their keys' entries.
pub struct Embedded;

/// The string in an entry with this tag and these bytes.
#[inline(always)]
fn value_of(tag: u32, bytes: &[u8]) -> Value<'_> {
    if tag == INTEGER { Value::Integer(unpack(bytes)) } else { Value::Text(bytes) }
}

/// The number in a value tagged [`INTEGER`].
#[inline(always)]
fn unpack(bytes: &[u8]) -> i64 {
    bytes.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

impl InlineType for Embedded {
    const NAME: &'static CStr = codec::NAME;
    const RDB_TAGS: &'static [u8] = codec::RDB_TAGS;

    fn save(tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
        codec::save(value_of(tag, bytes), out);
    }

    fn load<'l>(from: &'l mut Loader<'_>, _encoding: u32) -> Result<Loaded<'l>> {
        Ok(match codec::load(from)? {
            Value::Integer(number) => Loaded::small(INTEGER, &number.to_le_bytes()),
            Value::Text(text) => Loaded::bytes(TEXT, text),
        })
    }

    fn encoding_name(tag: u32, bytes: &[u8]) -> &'static str {
        match tag {
            INTEGER => "int",
            TEXT if bytes.len() <= EMBEDDED_MAX => "embstr",
            _ => "raw",
        }
    }

    fn rewrite(tag: u32, bytes: &[u8], out: &mut Rewriter<'_>) -> Result {
        codec::rewrite(value_of(tag, bytes), out)
    }

    fn digest(tag: u32, bytes: &[u8], out: &mut Digester<'_>) -> Result {
        codec::digest(value_of(tag, bytes), out)
    }
}

impl Storage for Embedded {
    const TYPE: Type = Type::inline::<Embedded>(&STRING);

    #[inline(always)]
    fn handle() -> Result<&'static TypeHandle> {
        Ok(&STRING)
    }

    #[inline(always)]
    fn value<'e>(entry: &'e Entry<'_>) -> Value<'e> {
        value_of(entry.tag(), entry.bytes())
    }

    #[inline(always)]
    fn into_value(entry: Entry<'_>) -> Value<'_> {
        value_of(entry.tag(), entry.into_bytes())
    }

    #[inline(always)]
    fn put<'k>(keys: &'k mut Keys<'_>, key: &'k [u8], value: Value<'_>, flags: u32) -> Result<Entry<'k>> {
        match value {
            Value::Integer(number) => keys.put_bytes(&STRING, key, INTEGER, &number.to_le_bytes(), flags),
            Value::Text(text) => keys.put_bytes(&STRING, key, TEXT, text, flags),
        }
    }

    #[inline(always)]
    fn set(entry: &mut Entry<'_>, value: Value<'_>) -> Result {
        match value {
            Value::Integer(number) if entry.tag() == INTEGER => {
                entry.bytes_mut().copy_from_slice(&number.to_le_bytes());
                Ok(())
            }
            Value::Integer(number) => entry.replace(INTEGER, &number.to_le_bytes()),
            Value::Text(text) => entry.replace(TEXT, text),
        }
    }

    #[inline(always)]
    fn find_or_make<'k>(
        keys: &'k mut Keys<'_>,
        key: &'k [u8],
        len: impl FnOnce() -> Result<usize>,
    ) -> Result<(Entry<'k>, bool)> {
        keys.get_or_put(&STRING, key, RAW, len)
    }

    #[inline(always)]
    fn resize<'e>(entry: &'e mut Entry<'_>, len: usize) -> Result<&'e mut [u8]> {
        if entry.tag() == INTEGER {
            spell_out(entry, len)?;
        } else if entry.tag() != RAW || entry.bytes().len() != len {
            let grows = len > entry.bytes().len();
            entry.resize(RAW, len, grows)?;
        }
        Ok(entry.bytes_mut())
    }

    #[inline(always)]
    fn into_bytes(entry: Entry<'_>) -> &mut [u8] {
        entry.into_bytes_mut()
    }
}

/// Turns a number into its digits, in `len` bytes.
fn spell_out(entry: &mut Entry<'_>, len: usize) -> Result {
    let mut digits = Digits::new();
    let digits = digits.text_of(unpack(entry.bytes()));
    entry.resize(RAW, len, false)?;
    let kept = digits.len().min(len);
    entry.bytes_mut()[..kept].copy_from_slice(&digits[..kept]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plinth_string_commands::storage::{parse_integer, whole};
    use proptest::prelude::*;

    #[test]
    fn only_the_one_spelling_of_an_integer_is_kept_as_a_number() {
        for number in [0, 1, -1, 9, 10, -10, 12345, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1] {
            assert_eq!(parse_integer(number.to_string().as_bytes()), Some(number));
        }
        let others = ["", "-", "+1", "-0", "00", "01", "-01", " 1", "1 ", "1.0", "1e3", "0x1", "--1", "1\0", "a"];
        let large = ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "10000000000000000000"];
        for text in others.iter().chain(&large) {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_encoding_says_how_a_string_came_to_be() {
        assert_eq!(Embedded::encoding_name(TEXT, &[b'x'; 44]), "embstr");
        assert_eq!(Embedded::encoding_name(TEXT, &[b'x'; 45]), "raw");
        assert_eq!(Embedded::encoding_name(RAW, b"x"), "raw");
        assert_eq!(Embedded::encoding_name(INTEGER, &7i64.to_le_bytes()), "int");
    }

    proptest! {
        #[test]
        fn a_number_reads_back_as_its_digits(number: i64) {
            let (text, packed) = (number.to_string(), number.to_le_bytes());
            prop_assert!(matches!(whole(text.as_bytes()), Value::Integer(parsed) if parsed == number));
            prop_assert_eq!(value_of(INTEGER, &packed).to_vec(), text.as_bytes());
            prop_assert_eq!(value_of(INTEGER, &packed).len(), text.len());
        }

        #[test]
        fn a_text_that_parses_prints_as_it_was(text in "-?[0-9]{0,21}") {
            let expected = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
            prop_assert_eq!(parse_integer(text.as_bytes()), expected);
        }
    }
}
