//! Strict decimal integers.
//!
//! A string counts as an integer only when printing that integer gives the same
//! bytes back. The rule lets a value be stored as a number and returned as the
//! text the client sent, and it is the rule of every place where Redis reads an
//! integer: lengths on the wire, the value that INCR finds, command arguments.
//!
//! Invariants:
//! - `parse_x(text) == Some(n)` exactly when `n.to_string().as_bytes() == text`.
//!   So no sign but a leading `-`, no leading zero, no `-0`, no blank, no empty text.
//! - Work is bounded by 20 bytes, whatever the length of the text.

/// The most digits that a `u64` can have.
const U64_DIGITS_MAX: usize = 20;

/// The digits that can be accumulated before a `u64` could overflow.
const U64_DIGITS_SAFE: usize = 19;

/// Reads a canonical decimal `i64`.
///
/// `None` when the text is not canonical or lies outside the type's range.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let [b'-', digits @ ..] = text else {
        return i64::try_from(parse_u64(text)?).ok();
    };
    match parse_u64(digits)? {
        0 => None,
        magnitude => 0i64.checked_sub_unsigned(magnitude),
    }
}

/// Reads a canonical decimal `u64`.
///
/// `None` when the text is not canonical (a sign is not) or is above the type's range.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    match text {
        [b'0'] => return Some(0),
        [b'1'..=b'9', ..] if text.len() <= U64_DIGITS_MAX => {}
        _ => return None,
    }
    let (safe, last) = text.split_at(text.len().min(U64_DIGITS_SAFE));
    let mut value = 0u64;
    for &byte in safe {
        value = value * 10 + u64::from(digit(byte)?);
    }
    match *last {
        [byte] => value.checked_mul(10)?.checked_add(u64::from(digit(byte)?)),
        _ => Some(value),
    }
}

/// Reads a canonical length or count that fits in memory.
pub fn parse_len(text: &[u8]) -> Option<usize> {
    usize::try_from(parse_u64(text)?).ok()
}

/// The value of one decimal digit.
#[inline]
pub fn digit(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value <= 9).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_canonical_integer_reads_back() {
        let edges = [0, 1, -1, 9, 10, -10, 99, 12345, i64::MAX, i64::MIN];
        for value in edges.into_iter().chain([i64::MAX - 1, i64::MIN + 1]) {
            assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
        }
        for value in [0, 1, 9, 10, u64::MAX, u64::MAX - 1, 10_000_000_000_000_000_000] {
            assert_eq!(parse_u64(value.to_string().as_bytes()), Some(value));
        }
    }

    #[test]
    fn a_value_one_past_the_range_is_refused() {
        assert_eq!(parse_i64(b"9223372036854775808"), None);
        assert_eq!(parse_i64(b"-9223372036854775809"), None);
        assert_eq!(parse_i64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"18446744073709551616"), None);
        assert_eq!(parse_u64(b"99999999999999999999"), None);
        assert_eq!(parse_u64(b"100000000000000000000"), None);
    }

    #[test]
    fn only_the_canonical_form_is_an_integer() {
        let refused: [&[u8]; 17] = [
            b"", b"-", b"+", b"+1", b"-0", b"00", b"01", b"-01", b" 1", b"1 ", b"1\0", b"1.0", b"1e3", b"0x1", b"--1",
            b"\xff", b"1\r",
        ];
        for text in refused {
            assert_eq!(parse_i64(text), None, "{text:?}");
            assert_eq!(parse_u64(text), None, "{text:?}");
        }
        assert_eq!(parse_u64(b"-1"), None);
    }

    #[test]
    fn the_definition_holds_for_all_short_texts() {
        let alphabet = b"0129-+ ";
        let total = alphabet.len().pow(5);
        for code in 0..total {
            let mut rest = code;
            let text: Vec<u8> = (0..code % 6)
                .map(|_| {
                    let byte = alphabet[rest % alphabet.len()];
                    rest /= alphabet.len();
                    byte
                })
                .collect();
            let printed = std::str::from_utf8(&text)
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
                .filter(|value| value.to_string().as_bytes() == text);
            assert_eq!(parse_i64(&text), printed, "{text:?}");
        }
    }
}
