//! Values of configuration parameters: from the word in a file or in CONFIG SET to
//! a typed value, or to the reason that the user is told.
//!
//! The words of each error are Redis's, since scripts and test suites match on them.
//!
//! Invariant: every function is total over any bytes, and refuses rather than wraps
//! or saturates. (Redis lets a memory size that does not fit wrap around.)

use crate::base::number;
use std::ops::RangeInclusive;

/// Why a value is refused; `Display` is the text for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Neither `yes` nor `no`.
    #[error("argument must be 'yes' or 'no'")]
    NotYesNo,
    /// Not a canonical decimal integer.
    #[error("argument couldn't be parsed into an integer")]
    NotInteger,
    /// Not digits with an optional unit, or more bytes than 64 bits count.
    #[error("argument must be a memory value")]
    NotMemory,
    /// Not octal digits.
    #[error("argument couldn't be parsed as an octal number")]
    NotOctal,
    /// A number outside the parameter's range.
    #[error("argument must be between {min} and {max} inclusive")]
    OutOfRange {
        /// The least value allowed.
        min: i128,
        /// The greatest value allowed.
        max: i128,
    },
    /// An octal number outside the parameter's range.
    #[error("argument must be between {min:o} and {max:o} inclusive")]
    OctalOutOfRange {
        /// The least value allowed.
        min: u32,
        /// The greatest value allowed.
        max: u32,
    },
    /// Bytes that are no text where one is kept: changed, they would name another file.
    #[error("argument must be UTF-8")]
    NotText,
    /// None of the names that the parameter takes.
    #[error("argument(s) must be one of the following: {names}")]
    NotOneOf {
        /// The names, separated by comma and blank.
        names: String,
    },
}

/// A text.
pub fn text(bytes: &[u8]) -> Result<String, ValueError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| ValueError::NotText)
}

/// `yes` or `no`, in any case.
pub fn yes_no(text: &[u8]) -> Result<bool, ValueError> {
    if text.eq_ignore_ascii_case(b"yes") {
        Ok(true)
    } else if text.eq_ignore_ascii_case(b"no") {
        Ok(false)
    } else {
        Err(ValueError::NotYesNo)
    }
}

/// A decimal integer within `range`.
pub fn integer(text: &[u8], range: RangeInclusive<i64>) -> Result<i64, ValueError> {
    let value = number::parse_i64(text).ok_or(ValueError::NotInteger)?;
    if !range.contains(&value) {
        return Err(out_of_range(*range.start(), *range.end()));
    }
    Ok(value)
}

/// Octal digits within `range`, for file modes.
pub fn octal(text: &[u8], range: RangeInclusive<u32>) -> Result<u32, ValueError> {
    let digits = std::str::from_utf8(text).map_err(|_| ValueError::NotOctal)?;
    if digits.is_empty() || !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return Err(ValueError::NotOctal);
    }
    u32::from_str_radix(digits, 8)
        .ok()
        .filter(|value| range.contains(value))
        .ok_or(ValueError::OctalOutOfRange { min: *range.start(), max: *range.end() })
}

/// A size in bytes within `range`; see [`memory_size`].
pub fn memory(text: &[u8], range: RangeInclusive<u64>) -> Result<u64, ValueError> {
    let value = memory_size(text).ok_or(ValueError::NotMemory)?;
    if !range.contains(&value) {
        return Err(out_of_range(*range.start(), *range.end()));
    }
    Ok(value)
}

/// Digits and an optional unit in any case: `b`; `k`, `m`, `g` by powers of 1000;
/// `kb`, `mb`, `gb` by powers of 1024.
///
/// No digits count as zero, as they do in Redis.
pub fn memory_size(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = text.split_at(digits);
    let factor = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1000 * 1000,
        b"mb" => 1 << 20,
        b"g" => 1000 * 1000 * 1000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let mut value = 0u64;
    for &digit in digits {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    value.checked_mul(factor)
}

/// The value that a name stands for, the name in any case.
///
/// `choices` lists names in the order in which the error shows them.
pub fn choice<T: Copy>(text: &[u8], choices: &[(&str, T)]) -> Result<T, ValueError> {
    let same = |name: &str| name.as_bytes().eq_ignore_ascii_case(text);
    if let Some((_, value)) = choices.iter().find(|(name, _)| same(name)) {
        return Ok(*value);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    Err(ValueError::NotOneOf { names: names.join(", ") })
}

/// The error for a number that is well formed but not allowed.
fn out_of_range(min: impl Into<i128>, max: impl Into<i128>) -> ValueError {
    ValueError::OutOfRange { min: min.into(), max: max.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_size_takes_decimal_and_binary_units_in_any_case() {
        let sizes: [(&[u8], u64); 12] = [
            (b"0", 0),
            (b"100", 100),
            (b"1b", 1),
            (b"1k", 1000),
            (b"1kb", 1024),
            (b"1K", 1000),
            (b"5m", 5_000_000),
            (b"512mb", 512 << 20),
            (b"1g", 1_000_000_000),
            (b"1gB", 1 << 30),
            (b"007kb", 7 << 10),
            (b"18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in sizes {
            assert_eq!(memory_size(text), Some(bytes), "{text:?}");
        }
        assert_eq!((memory_size(b""), memory_size(b"mb")), (Some(0), Some(0)));
    }

    #[test]
    fn a_memory_size_that_is_malformed_or_does_not_fit_is_refused() {
        let refused: [&[u8]; 10] =
            [b"-1", b"+1", b" 1", b"1 ", b"1.5gb", b"1kb1", b"0x10", b"1tb", b"1zb", b"18446744073709551616"];
        for text in refused.into_iter().chain([&b"99999999999gb"[..]]) {
            assert_eq!(memory(text, 0..=u64::MAX), Err(ValueError::NotMemory), "{text:?}");
        }
    }

    #[test]
    fn a_number_outside_its_range_names_the_range() {
        let error = integer(b"99999999", 0..=65535).unwrap_err();
        assert_eq!(error.to_string(), "argument must be between 0 and 65535 inclusive");
        let error = memory(b"1", 1 << 20..=i64::MAX as u64).unwrap_err();
        assert_eq!(error.to_string(), "argument must be between 1048576 and 9223372036854775807 inclusive");
        for text in [&b"1000"[..], b"77777777777777"] {
            let error = octal(text, 0..=0o777).unwrap_err();
            assert_eq!(error.to_string(), "argument must be between 0 and 777 inclusive");
        }
    }

    #[test]
    fn integers_are_strict_and_modes_are_octal() {
        assert_eq!(integer(b"-5", -10..=10), Ok(-5));
        for text in [&b"07"[..], b"+7", b"abc", b"", b"7x"] {
            assert_eq!(integer(text, 0..=10), Err(ValueError::NotInteger));
        }
        assert_eq!(octal(b"0755", 0..=0o777), Ok(0o755));
        assert_eq!(octal(b"+7", 0..=0o777), Err(ValueError::NotOctal));
        assert_eq!(octal(b"999", 0..=0o777), Err(ValueError::NotOctal));
    }

    #[test]
    fn yes_no_and_names_are_read_in_any_case() {
        assert_eq!((yes_no(b"YES"), yes_no(b"no")), (Ok(true), Ok(false)));
        assert_eq!(yes_no(b"1"), Err(ValueError::NotYesNo));
        let levels = [("debug", 0), ("verbose", 1), ("notice", 2), ("warning", 3)];
        assert_eq!(choice(b"NOTICE", &levels), Ok(2));
        assert_eq!(
            choice(b"x", &levels).unwrap_err().to_string(),
            "argument(s) must be one of the following: debug, verbose, notice, warning"
        );
    }
}
