//! Numbers as the protocol writes them: strict integers, floats, and doubles for people.
//!
//! The integer grammar is Redis's: an optional `-`, no leading zeros, nothing around it, so that
//! an integer has exactly one spelling and a value that was parsed prints as what was sent. That
//! is what allows a string to be kept as an integer.
//!
//! A double prints with the fewest digits that read back as the same double; integers up to 2^62
//! print without point or exponent; the rest follows the choice of notation that Redis 7.2
//! makes: up to six digits behind the point, or less than four before it, stay in positional
//! notation, the rest goes to `1.5e+300`.

/// Room for the text of any double.
pub const DOUBLE_TEXT_BYTES: usize = 40;

pub use plinth_pack::parse_integer;

/// The number that a cursor spells, as C's `strtoul` reads it: signs and leading zeros are taken,
/// and no digits at all when there is nothing else either.
pub fn parse_cursor(text: &[u8]) -> Option<u64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// Reads a float: decimal with optional sign, point and exponent, hexadecimal as in C (`0x1.8p3`), or
/// `inf` and `infinity` in any case. `None` for text that is none, for NaN, and for numbers too large
/// for a double or too small to differ from zero.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let Ok(value) = text.parse::<f64>() else {
        return hexadecimal(text).filter(|(_, out_of_range)| !out_of_range).map(|(value, _)| value);
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let names_number = mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let out_of_range = names_number && (value.is_infinite() || value == 0.0);
    (!value.is_nan() && !out_of_range).then_some(value)
}

/// Reads a hexadecimal float such as `-0x1f.8p3`; one that is too large is infinite.
pub fn parse_hexadecimal(text: &[u8]) -> Option<f64> {
    hexadecimal(std::str::from_utf8(text).ok()?).map(|(value, _)| value)
}

/// Reads `0x`, digits of base 16 with an optional point, and an optional power of two behind a `p`;
/// whether the value is out of a double's range, too.
#[cold]
fn hexadecimal(text: &str) -> Option<(f64, bool)> {
    let (is_negative, text) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let (digits, exponent) = match text.split_once(['p', 'P']) {
        Some((digits, exponent)) => (digits, i64::from(exponent.parse::<i32>().ok()?)),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() == 0 {
        return None;
    }
    // The first 61 bits or more, and whether any is set behind them, by which a double is rounded.
    let (mut bits, mut exponent) = (0u64, exponent - 4 * fraction.len() as i64);
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(digit.to_digit(16)?);
        if bits >> 60 == 0 {
            bits = bits << 4 | digit;
        } else {
            bits |= u64::from(digit != 0);
            exponent += 4;
        }
    }
    // In two steps, since a power of two may be out of range where the product is not.
    let exponent = exponent.clamp(-2000, 2000) as i32;
    let half = exponent / 2;
    let value = bits as f64 * 2f64.powi(half) * 2f64.powi(exponent - half);
    let out_of_range = bits != 0 && (value.is_infinite() || value == 0.0);
    Some((if is_negative { -value } else { value }, out_of_range))
}

/// Writes a double as replies show it: `3`, `0.1`, `1.5e+300`, `inf`, `-inf`, `nan`. Returns the
/// text, which lies in `room`.
pub fn format_double(value: f64, room: &mut [u8; DOUBLE_TEXT_BYTES]) -> &[u8] {
    if value.is_nan() {
        return b"nan";
    }
    if value.is_infinite() {
        return if value > 0.0 { b"inf" } else { b"-inf" };
    }
    if value == 0.0 {
        return if value.is_sign_negative() { b"-0" } else { b"0" };
    }
    let integral_max = (1i64 << 62) as f64;
    if value.abs() <= integral_max && value == (value as i64) as f64 {
        let mut digits = itoa::Buffer::new();
        let text = digits.format(value as i64).as_bytes();
        room[..text.len()].copy_from_slice(text);
        return &room[..text.len()];
    }
    let mut out = Text { room, len: 0 };
    if value < 0.0 {
        out.push(b'-');
    }
    let mut shortest = zmij::Buffer::new();
    let decimal = Decimal::of(shortest.format_finite(value.abs()));
    decimal.write(&mut out);
    &out.room[..out.len]
}

/// Bytes written one after the other into the caller's room.
struct Text<'r> {
    room: &'r mut [u8; DOUBLE_TEXT_BYTES],
    len: usize,
}

impl Text<'_> {
    fn push(&mut self, byte: u8) {
        self.room[self.len] = byte;
        self.len += 1;
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.room[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn zeros(&mut self, count: usize) {
        for _ in 0..count {
            self.push(b'0');
        }
    }
}

/// A positive number as digits without leading or trailing zeros, times ten to the `exponent`.
struct Decimal {
    digits: [u8; 24],
    count: usize,
    exponent: i32,
}

impl Decimal {
    /// Reads the shortest text of a number, in whatever notation it came.
    fn of(text: &str) -> Decimal {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
            None => (text, 0),
        };
        let mut decimal = Decimal { digits: [0; 24], count: 0, exponent };
        let mut behind_point = false;
        for byte in mantissa.bytes() {
            if byte == b'.' {
                behind_point = true;
                continue;
            }
            decimal.exponent -= i32::from(behind_point);
            if (byte != b'0' || decimal.count > 0) && decimal.count < decimal.digits.len() {
                decimal.digits[decimal.count] = byte;
                decimal.count += 1;
            }
        }
        while decimal.count > 1 && decimal.digits[decimal.count - 1] == b'0' {
            decimal.count -= 1;
            decimal.exponent += 1;
        }
        decimal
    }

    fn write(&self, out: &mut Text<'_>) {
        let digits = &self.digits[..self.count];
        let count = self.count as i32;
        let magnitude = self.exponent + count - 1;
        if self.exponent >= 0 && magnitude < count + 7 {
            out.extend(digits);
            out.zeros(self.exponent as usize);
        } else if self.exponent < 0 && (self.exponent > -7 || magnitude.abs() < 4) {
            let before_point = count + self.exponent;
            if before_point <= 0 {
                out.extend(b"0.");
                out.zeros(before_point.unsigned_abs() as usize);
                out.extend(digits);
            } else {
                let (before, behind) = digits.split_at(before_point as usize);
                out.extend(before);
                out.push(b'.');
                out.extend(behind);
            }
        } else {
            out.push(digits[0]);
            if count > 1 {
                out.push(b'.');
                out.extend(&digits[1..]);
            }
            out.extend(if magnitude < 0 { b"e-" } else { b"e+" });
            out.extend(itoa::Buffer::new().format(magnitude.unsigned_abs()).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64) -> String {
        let mut room = [0; DOUBLE_TEXT_BYTES];
        String::from_utf8(format_double(value, &mut room).to_vec()).unwrap()
    }

    #[test]
    fn a_cursor_is_read_as_strtoul_reads_it() {
        for (text, cursor) in [
            ("0", Some(0)),
            ("", Some(0)),
            ("17", Some(17)),
            ("007", Some(7)),
            ("+5", Some(5)),
            ("-1", Some(u64::MAX)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            (" 1", None),
            ("1 ", None),
            ("-", None),
            ("0x1", None),
            ("a", None),
            ("3\0rest", Some(3)),
        ] {
            assert_eq!(parse_cursor(text.as_bytes()), cursor, "{text:?}");
        }
    }

    #[test]
    fn an_integer_has_one_spelling() {
        for (text, value) in [
            ("0", 0),
            ("7", 7),
            ("-7", -7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("1000000000000000000", 1_000_000_000_000_000_000),
        ] {
            assert_eq!(parse_integer(text.as_bytes()), Some(value), "{text}");
        }
        for text in [
            "",
            "-",
            "-0",
            "00",
            "01",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "0x1",
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
            "1a",
            "--1",
            "18446744073709551617",
        ] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_float_is_finite_or_says_inf() {
        for (text, value) in [
            ("3.0", 3.0),
            ("-1e3", -1000.0),
            ("+.5", 0.5),
            ("inf", f64::INFINITY),
            ("-INF", f64::NEG_INFINITY),
            ("0e9", 0.0),
        ] {
            assert_eq!(parse_float(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", "nan", "1e400", "-1e400", "1e-400", " 1", "1 ", "1x", "\u{fffd}"] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_float_may_be_hexadecimal() {
        for (text, value) in [
            ("0x10", 16.0),
            ("-0X1.8p1", -3.0),
            ("+0x.8", 0.5),
            ("0x1.", 1.0),
            ("0x0", 0.0),
            ("0x0p9999", 0.0),
            ("0x1.fffffffffffffffffffff", 2.0),
            ("0x1.00000000000008", 1.0),
            ("0x1.000000000000080000000000001", 1.000_000_000_000_000_2),
            ("0x1p-1074", 5e-324),
            ("0x1.8p-1074", 1e-323),
            ("0xfffffffffffffffffffp-76", 1.0),
        ] {
            assert_eq!(parse_float(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["0x", "0xp1", "0x1p", "0x.", "0x1.2.3", "0xg", "0x-1", "--0x1", "x1", "0x1p5000", "0x1p-1080"] {
            assert_eq!(parse_float(text.as_bytes()), None, "{text}");
        }
        assert!(parse_float(b"-0x0").is_some_and(|zero| zero == 0.0 && zero.is_sign_negative()));
    }

    #[test]
    fn a_double_prints_as_redis_prints_it() {
        for (value, text) in [
            (3.0, "3"),
            (-3.0, "-3"),
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (3.25, "3.25"),
            (0.000001, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (123.456, "123.456"),
            (1e17, "100000000000000000"),
            (1e19, "1e+19"),
            (1.5e300, "1.5e+300"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(shown(value), text);
        }
    }

    #[test]
    fn every_double_fits_and_reads_back() {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let value = f64::from_bits(state ^ (state >> 31));
            if value.is_finite() {
                assert_eq!(shown(value).parse::<f64>().unwrap(), value);
            }
        }
    }
}
