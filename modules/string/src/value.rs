//! The value: which bytes a string is kept as, and how to read them.
//!
//! ```text
//!   tag      bytes in the entry                      OBJECT ENCODING
//!   TEXT     the string                              embstr, raw above 44 bytes
//!   INTEGER  i64, little-endian, always 8 bytes      int
//!   RAW      the string                              raw
//! ```
//!
//! A string that is the one spelling of an `i64` becomes an [`INTEGER`] when it is set as a whole:
//! it takes 8 bytes whatever its length, and counting rewrites them in place. A string that was
//! changed in part is [`RAW`], whatever its length and content, because that is what clients see
//! of Redis after APPEND and SETRANGE; setting or counting it turns it back.
//!
//! *Invariant*: a value tagged [`INTEGER`] has 8 bytes. The functions here hold for any bytes
//! nevertheless: a shorter one reads as 0.

use plinth_module::pack::{Digits, parse_integer};

/// Tag of a string set as a whole.
pub const TEXT: u32 = 0;
/// Tag of a string kept as a number.
pub const INTEGER: u32 = 1;
/// Tag of a string that was changed in part.
pub const RAW: u32 = 2;

/// Bytes of a value tagged [`INTEGER`].
pub const INTEGER_BYTES: usize = 8;
/// Longest text of an `i64`.
pub const DIGITS_MAX: usize = 20;
/// Longest string that OBJECT ENCODING calls `embstr`.
const EMBEDDED_MAX: usize = 44;

/// The bytes of a number as the entry keeps it.
#[inline(always)]
pub fn pack(number: i64) -> [u8; INTEGER_BYTES] {
    number.to_le_bytes()
}

/// The number in a value tagged [`INTEGER`].
#[inline(always)]
pub fn unpack(bytes: &[u8]) -> i64 {
    bytes.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

/// The number that a value is, or `None` when it is no integer.
#[inline]
pub fn integer(tag: u32, bytes: &[u8]) -> Option<i64> {
    if tag == INTEGER { Some(unpack(bytes)) } else { parse_integer(bytes) }
}

/// What OBJECT ENCODING answers.
pub fn encoding_name(tag: u32, bytes: &[u8]) -> &'static str {
    match tag {
        INTEGER => "int",
        TEXT if bytes.len() <= EMBEDDED_MAX => "embstr",
        _ => "raw",
    }
}

/// The string that a value stands for: its bytes, or the digits of its number.
#[inline]
pub fn text<'t>(tag: u32, bytes: &'t [u8], digits: &'t mut Digits) -> &'t [u8] {
    if tag == INTEGER { digits.text_of(unpack(bytes)) } else { bytes }
}

/// Length of the string that a value stands for.
#[inline]
pub fn len(tag: u32, bytes: &[u8]) -> usize {
    text(tag, bytes, &mut Digits::new()).len()
}

/// The part of a string of `len` bytes from `start` to `end`, both included, where negative
/// positions count from the end; empty when there is nothing between them.
pub fn range(len: usize, start: i64, end: i64) -> std::ops::Range<usize> {
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let from_end = |at: i64| if at < 0 { at.saturating_add_unsigned(len as u64).max(0) } else { at } as u64;
    let (start, end) = (from_end(start), from_end(end).min((len as u64).saturating_sub(1)));
    if len == 0 || start > end { 0..0 } else { start as usize..end as usize + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        assert_eq!(encoding_name(TEXT, &[b'x'; 44]), "embstr");
        assert_eq!(encoding_name(TEXT, &[b'x'; 45]), "raw");
        assert_eq!(encoding_name(RAW, b"x"), "raw");
        assert_eq!(encoding_name(INTEGER, &pack(7)), "int");
    }

    #[test]
    fn a_range_clamps_and_counts_from_the_end() {
        let part = |start, end| &"Hello World"[range(11, start, end)];
        for (start, end, expected) in [
            (0, 4, "Hello"),
            (-5, -1, "World"),
            (0, -1, "Hello World"),
            (0, i64::MAX, "Hello World"),
            (i64::MIN, i64::MAX, "Hello World"),
            (3, 2, ""),
            (-1, -5, ""),
            (11, 20, ""),
            (0, -100, "H"),
            (i64::MIN, i64::MIN, "H"),
        ] {
            assert_eq!(part(start, end), expected, "{start} {end}");
        }
        assert_eq!(range(0, 0, -1), 0..0);
    }

    proptest! {
        #[test]
        fn what_is_packed_reads_back(number: i64) {
            let text = number.to_string();
            prop_assert_eq!(parse_integer(text.as_bytes()), Some(number));
            prop_assert_eq!(unpack(&pack(number)), number);
            let mut digits = Digits::new();
            let packed = pack(number);
            prop_assert_eq!(super::text(INTEGER, &packed, &mut digits), text.as_bytes());
            prop_assert_eq!(len(INTEGER, &pack(number)), text.len());
        }

        #[test]
        fn a_text_that_parses_prints_as_it_was(text in "-?[0-9]{0,21}") {
            let expected = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
            prop_assert_eq!(parse_integer(text.as_bytes()), expected);
        }

        #[test]
        fn a_range_is_what_a_filter_of_positions_gives(len in 0usize..20, start in -25i64..25, end in -25i64..25) {
            let from_end = |at: i64| if at < 0 { (at + len as i64).max(0) } else { at };
            let crossed = start < 0 && end < 0 && start > end;
            let model: Vec<usize> = (0..len).filter(|&at| {
                !crossed && (from_end(start)..=from_end(end)).contains(&(at as i64))
            }).collect();
            prop_assert_eq!(range(len, start, end).collect::<Vec<_>>(), model);
        }
    }
}
