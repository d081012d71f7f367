//! A text as a weight, as C's `strtod` reads it: white space in front, hexadecimal digits, and
//! nothing at all for zero, since that is what data sorted elsewhere relies on. Source: section
//! 7.24.1.5 of the C standard.

/// The number, or `None` for a text that is none, for NaN, and for what a double cannot hold.
pub(crate) fn weight(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b'\t'..=b'\r'))?;
    let text = std::str::from_utf8(&text[start..]).ok()?;
    let (sign, digits) = match text.as_bytes() {
        [b'-', ..] => (-1.0, &text[1..]),
        [b'+', ..] => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => hexadecimal(digits).map(|value| sign * value),
        None => decimal(digits).map(|value| sign * value),
    }
}

/// A number without a sign.
fn decimal(text: &str) -> Option<f64> {
    if text.starts_with(['+', '-']) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let names_number = mantissa.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let is_held = value.is_normal() || value == 0.0 && !names_number || value.is_infinite() && !names_number;
    is_held.then_some(value)
}

/// Hexadecimal digits with a point, and a power of two behind `p`.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, power) = match text.split_once(['p', 'P']) {
        Some((digits, power)) => (digits, power.parse::<i32>().ok()?.clamp(-10_000, 10_000)),
        None => (text, 0),
    };
    let (mut bits, mut exponent) = (0u64, 0i32);
    let (mut seen_digit, mut seen_point) = (false, false);
    for byte in digits.bytes() {
        if byte == b'.' && !seen_point {
            seen_point = true;
            continue;
        }
        let digit = u64::from(char::from(byte).to_digit(16)?);
        seen_digit = true;
        if bits >> 59 == 0 {
            bits = bits << 4 | digit;
            exponent -= if seen_point { 4 } else { 0 };
        } else {
            // What does not fit is only of importance for rounding.
            bits |= u64::from(digit != 0);
            exponent += if seen_point { 0 } else { 4 };
        }
    }
    if !seen_digit {
        return None;
    }
    // In two steps, since the power itself may be beyond a double where the product is not.
    let exponent = exponent.saturating_add(power);
    let value = bits as f64 * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
    (bits == 0 || value.is_normal()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::weight;
    use proptest::prelude::*;

    #[test]
    fn texts_that_are_numbers() {
        for (text, value) in [
            ("", 0.0),
            (" 1", 1.0),
            ("\t\n7", 7.0),
            ("+5", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("-1e3", -1000.0),
            ("0e999", 0.0),
            ("0x10", 16.0),
            ("-0X1.8p1", -3.0),
            ("0x.8", 0.5),
            ("1\0x", 1.0),
        ] {
            assert_eq!(weight(text.as_bytes()), Some(value), "{text:?}");
        }
        assert_eq!(weight(b"inf"), Some(f64::INFINITY));
        assert_eq!(weight(b"-Infinity"), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn texts_that_are_none() {
        for text in
            ["1 ", "-", "+-1", " ", "1e", "0x", "0x.", "0xg", "1_0", "infin", "nan", "1e400", "1e-320", "0x1p-1080"]
        {
            assert_eq!(weight(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(weight(&text).is_none_or(|value| !value.is_nan()));
        }

        #[test]
        fn digits_are_read_back(value in any::<f64>().prop_filter("normal", |value| value.is_normal())) {
            prop_assert_eq!(weight(value.to_string().as_bytes()), Some(value));
        }
    }
}
