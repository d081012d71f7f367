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

/// Reads a float: decimal with optional sign, point and exponent, or `inf` and `infinity` in
/// any case. `None` for text that is none, for NaN, and for numbers too large for a double or
/// too small to differ from zero.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let value: f64 = text.parse().ok()?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let names_number = mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let out_of_range = names_number && (value.is_infinite() || value == 0.0);
    (!value.is_nan() && !out_of_range).then_some(value)
}

/// Reads a hexadecimal float such as `-0x1f.8p3`; one that is too large is infinite.
pub fn parse_hexadecimal(text: &[u8]) -> Option<f64> {
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        _ => (1.0, text),
    };
    let [b'0', b'x' | b'X', rest @ ..] = text else { return None };
    let split = rest.iter().position(|byte| matches!(byte, b'p' | b'P'));
    let (mantissa, exponent) = rest.split_at(split.unwrap_or(rest.len()));
    let mut exponent: i32 = match exponent {
        [] => 0,
        [_, digits @ ..] => std::str::from_utf8(digits).ok()?.parse().ok()?,
    };
    let (mut value, mut digits, mut is_fraction) = (0.0, 0, false);
    for byte in mantissa {
        if *byte == b'.' && !is_fraction {
            is_fraction = true;
            continue;
        }
        value = value * 16.0 + f64::from(char::from(*byte).to_digit(16)?);
        digits += 1;
        exponent = exponent.saturating_sub(if is_fraction { 4 } else { 0 });
    }
    (digits > 0).then(|| sign * value * f64::from(exponent).exp2())
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
