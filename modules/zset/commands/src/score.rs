//! Scores: as text, as the bytes of the small form, and in sums.
//!
//! In the small form the number of bytes tells how they are meant, so that the scores that people
//! give take one byte or two:
//!
//! ```text
//!   bytes    score
//!   0        0
//!   1..=7    an integer, little-endian, with its sign
//!   8        any other: the bits of the double
//! ```
//!
//! Each score is written in exactly one way. Minus zero is kept as zero, as in Redis's small form.

use plinth_module::number;

/// The bytes of a score, and how many of them count.
#[derive(Clone, Copy)]
pub(crate) struct Packed {
    bytes: [u8; 8],
    len: usize,
}

impl Packed {
    /// The bytes of a score.
    #[inline]
    pub(crate) fn of(score: f64) -> Packed {
        let integer = score as i64;
        if integer as f64 == score && integer.unsigned_abs() < 1 << 53 {
            // Bits that repeat the sign are left out, but for one.
            let repeated = if integer < 0 { integer.leading_ones() } else { integer.leading_zeros() };
            let len = if integer == 0 { 0 } else { (u64::BITS - repeated) as usize / 8 + 1 };
            return Packed { bytes: integer.to_le_bytes(), len };
        }
        Packed { bytes: score.to_bits().to_le_bytes(), len: 8 }
    }

    /// The bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The score that bytes mean; 0 for more than eight, which nobody writes.
#[inline]
pub(crate) fn unpack(bytes: &[u8]) -> f64 {
    match bytes.len() {
        0 => 0.0,
        1 => f64::from(bytes[0] as i8),
        len @ 2..=7 => {
            let mut word = [0; 8];
            word[8 - len..].copy_from_slice(bytes);
            (i64::from_le_bytes(word) >> (64 - 8 * len)) as f64
        }
        _ => bytes.first_chunk().map_or(0.0, |bits| f64::from_bits(u64::from_le_bytes(*bits))),
    }
}

/// The score that a text spells: decimal, hexadecimal, `inf`. `None` for NaN and for what is no
/// number as a whole.
pub(crate) fn parse(text: &[u8]) -> Option<f64> {
    if let Some(integer) = number::parse_integer(text) {
        return Some(integer as f64);
    }
    number::parse_float(text)
}

/// The edge of a range, as `strtod` of C reads it: up to a NUL, also behind spaces, beyond the largest
/// double, and 0 where there is no text.
pub(crate) fn parse_edge(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let text = text.trim_ascii_start();
    let decimal = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    decimal.or_else(|| number::parse_hexadecimal(text)).filter(|score: &f64| !score.is_nan())
}

/// A sum that is a score: infinities of either sign add up to 0.
pub(crate) fn add(one: f64, other: f64) -> f64 {
    let sum = one + other;
    if sum.is_nan() { 0.0 } else { sum }
}

/// A product that is a score: 0 times infinity is 0.
pub(crate) fn scale(score: f64, weight: f64) -> f64 {
    let product = score * weight;
    if product.is_nan() { 0.0 } else { product }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_integers_take_few_bytes() {
        for (score, len) in [
            (0.0, 0),
            (1.0, 1),
            (-1.0, 1),
            (127.0, 1),
            (128.0, 2),
            (-128.0, 1),
            (-129.0, 2),
            (32_767.0, 2),
            (1e6, 3),
            (4_294_967_296.0, 5),
            (1_700_000_000_000.0, 6),
            (9_007_199_254_740_991.0, 7),
            (9_007_199_254_740_992.0, 8),
            (0.5, 8),
            (f64::INFINITY, 8),
            (f64::NEG_INFINITY, 8),
        ] {
            let packed = Packed::of(score);
            assert_eq!(packed.bytes().len(), len, "{score}");
            assert_eq!(unpack(packed.bytes()).to_bits(), score.to_bits());
        }
    }

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, score, edge) in [
            ("1.5", Some(1.5), Some(1.5)),
            ("-0x1F", Some(-31.0), Some(-31.0)),
            ("0x.8p1", Some(1.0), Some(1.0)),
            ("+Inf", Some(f64::INFINITY), Some(f64::INFINITY)),
            ("", None, Some(0.0)),
            ("  7", None, Some(7.0)),
            ("1e999", None, Some(f64::INFINITY)),
            ("7 ", None, None),
            (" ", None, None),
            ("nan", None, None),
            ("0x", None, None),
            ("0xg", None, None),
            ("5x", None, None),
        ] {
            assert_eq!((parse(text.as_bytes()), parse_edge(text.as_bytes())), (score, edge), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_score_reads_back(score in prop_oneof![
            any::<f64>(), any::<i64>().prop_map(|i| i as f64), any::<i32>().prop_map(f64::from)
        ]) {
            // A sum with zero makes a zero of minus zero.
            prop_assert_eq!(unpack(Packed::of(score).bytes()).to_bits(), (score + 0.0).to_bits());
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            unpack(&bytes);
        }
    }
}
