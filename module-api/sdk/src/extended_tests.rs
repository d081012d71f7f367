//! What INCRBYFLOAT answers, text by text, and the arithmetic against wider integers.

use super::*;
use proptest::prelude::*;

fn number(text: &str) -> Extended {
    match parse(text.as_bytes()) {
        Some(Parsed::Finite(number)) => number,
        other => panic!("{text} reads as {other:?}"),
    }
}

fn shown(number: Extended) -> String {
    let mut text = Vec::new();
    number.write(&mut text);
    String::from_utf8(text).unwrap()
}

fn sum(a: &str, b: &str) -> String {
    shown(number(a).checked_add(number(b)).unwrap())
}

#[test]
fn sums_read_as_people_expect() {
    for (a, b, expected) in [
        ("10.5", "0.1", "10.6"),
        ("5.0e3", "200", "5200"),
        ("3", "1.1", "4.1"),
        ("0.1", "0.2", "0.3"),
        ("10.6", "-5", "5.6"),
        ("1", "-1.1", "-0.1"),
        ("0", "0x1.8p3", "12"),
        ("17179869184", "17179869184", "34359738368"),
        ("100000000000000000000", "16", "100000000000000000016"),
        ("0", "1e-18", "0"),
        ("0", "-1e-18", "0"),
        ("0", "6e-18", "0.00000000000000001"),
        ("-0", "-0", "0"),
        ("1e19", "0.5", "10000000000000000000"),
        ("9223372036854775807", "0.5", "9223372036854775807.5"),
        ("9223372036854775808", "0.5", "9223372036854775808"),
        ("9223372036854775809", "0.5", "9223372036854775810"),
    ] {
        assert_eq!(sum(a, b), expected, "{a} + {b}");
    }
}

#[test]
fn a_number_too_large_or_too_small_for_the_format_is_none() {
    assert!(parse(b"1.18973149535723176502e4932").is_some());
    assert!(parse(b"1.18973149535723176509e4932").is_none());
    assert!(parse(b"1e4933").is_none());
    assert!(parse(b"1e99999999999999999999").is_none());
    assert!(parse(b"1e-4950").is_some());
    assert!(parse(b"1.9e-4951").is_some());
    assert!(parse(b"1.8e-4951").is_none());
    assert!(parse(b"1e-99999999999999999999").is_none());
    assert!(parse(b"0x1p16383").is_some());
    assert!(parse(b"0x1p16384").is_none());
    assert!(parse(b"0x1p-16445").is_some());
    assert!(parse(b"0x1p-16446").is_none());
    assert_eq!(number("0e99999999999"), Extended::ZERO);
    let large = number("1e4932");
    assert_eq!(large.checked_add(large), None);
    assert!(large.checked_add(number("-1e4932")) == Some(Extended::ZERO));
}

#[test]
fn what_is_no_number_is_refused() {
    let refused = [
        "", "+", "-", ".", "e5", "1e", "1e+", "1.5.5", " 1", "1 ", "1a", "0x", "0x.", "0x1p", "0xg", "nan", "nan(1)",
        "infi", "--1", "+-1", "1_000", "1,5", "\u{a0}1", "1\0", "1e5.0", "0x1e+", "p1",
    ];
    for text in refused {
        assert_eq!(parse(text.as_bytes()), None, "{text:?}");
    }
    for text in ["inf", "-Infinity", "+INF"] {
        assert_eq!(parse(text.as_bytes()), Some(Parsed::Infinite));
    }
    for (text, expected) in [(".5", "0.5"), ("5.", "5"), ("+5", "5"), ("0x.8", "0.5"), ("0X10", "16"), ("007", "7")] {
        assert_eq!(shown(number(text)), expected);
    }
    assert!(parse(&[b'1'; TEXT_MAX + 1]).is_none());
    assert!(parse(&[b'0'; TEXT_MAX]).is_some());
}

#[test]
fn a_text_of_any_length_reads_to_the_nearest() {
    let long = format!("0.1{}", "0".repeat(4000));
    assert_eq!(number(&long), number("0.1"));
    // One half of the last bit, and a little more far behind.
    let half = "9223372036854775808.5";
    assert_eq!(number(half), number("9223372036854775808"));
    assert_eq!(number(&format!("{half}{}1", "0".repeat(4000))), number("9223372036854775809"));
    assert_eq!(number(&format!("{}e-4000", "1".repeat(4001))), number(&format!("1.{}", "1".repeat(60))));
}

proptest! {
    #[test]
    fn integers_are_exact(a: i64, b: i64) {
        let expected = i128::from(a) + i128::from(b);
        let found = Extended::from_integer(a).checked_add(Extended::from_integer(b)).unwrap();
        prop_assert_eq!(shown(found), expected.to_string());
        prop_assert_eq!(number(&a.to_string()), Extended::from_integer(a));
    }

    #[test]
    fn reading_by_one_division_agrees_with_reading_by_many_limbs(digits in 1u64..10_000_000_000_000_000_000, places in 0u32..=27) {
        let divisor = Natural::from(1).times_power(5, places);
        let (bits, exponent, more) = Natural::from(digits).quotient(&divisor);
        let long = Extended::round(false, bits, exponent - places as i32, more);
        prop_assert_eq!(small_quotient(false, digits, places), long);
    }

    #[test]
    fn a_text_reads_back_as_the_double_it_shows(bits: u64) {
        let double = f64::from_bits(bits);
        prop_assume!(double.is_finite() && double != 0.0);
        // A double is exact in 64 bits, and so is its exact decimal text.
        let exact = number(&format!("{double:.1100}"));
        let (mantissa, exponent) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32);
        let mantissa = if exponent == 0 { mantissa } else { mantissa | 1 << 52 };
        let expected = Extended::round(double < 0.0, u128::from(mantissa), exponent.max(1) - 1075, false);
        prop_assert_eq!(Some(exact), expected);
    }

    #[test]
    fn a_sum_of_multiples_of_a_power_of_two_rounds_as_128_bits_do(a in -1i128 << 100..1i128 << 100, b: i64, low in 0i32..60) {
        let large = Extended::round(a < 0, a.unsigned_abs(), 0, false).unwrap();
        let small = Extended::round(b < 0, u128::from(b.unsigned_abs()), low, false).unwrap();
        // What `large` was rounded to, as an integer.
        let large_value = i128::try_from(u128::from(large.mantissa) << large.exponent.max(0)).unwrap();
        prop_assume!(large.exponent >= 0);
        let large_value = if large.negative { -large_value } else { large_value };
        let total = large_value + (i128::from(b) << low);
        let expected = Extended::round(total < 0, total.unsigned_abs(), 0, false).unwrap();
        prop_assert_eq!(large.checked_add(small).unwrap(), expected);
    }
}

proptest! {
    #[test]
    fn whatever_reads_as_a_number_prints_as_one(text in "[-+]?(0[xX])?[0-9a-f]{0,30}(\\.[0-9a-f]{0,30})?([eEpP][-+]?[0-9]{0,6})?") {
        if let Some(Parsed::Finite(number)) = parse(text.as_bytes()) {
            let shown = shown(number);
            prop_assert!(matches!(parse(shown.as_bytes()), Some(Parsed::Finite(_))), "{} shows as {}", text, shown);
            prop_assert!(!shown.contains('.') || !shown.ends_with(['0', '.']));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(text: Vec<u8>) {
        let _ = parse(&text);
    }
}
