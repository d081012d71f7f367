//! Counting set bits.

use crate::range::{before_bit, bytes_of, from_bit};
use crate::vector;
use std::ops::Range;

/// Number of set bits.
pub fn count(bytes: &[u8]) -> u64 {
    vector::count(bytes).unwrap_or_else(|| words(bytes))
}

/// Number of set bits among `bits`, which lie in `bytes`.
pub fn count_in(bytes: &[u8], bits: Range<u64>) -> u64 {
    let Some((first, rest)) = bytes.get(bytes_of(&bits)).and_then(<[u8]>::split_first) else { return 0 };
    let first = first & from_bit(bits.start);
    match rest.split_last() {
        None => u64::from((first & before_bit(end_of(&bits))).count_ones()),
        Some((last, middle)) => {
            let edges = first.count_ones() + (last & before_bit(end_of(&bits))).count_ones();
            u64::from(edges) + count(middle)
        }
    }
}

/// Where bits end in their last byte: 1 to 8.
fn end_of(bits: &Range<u64>) -> u64 {
    (bits.end + 7) % 8 + 1
}

/// The same as [`count`], a word at a time, on every processor.
#[inline]
pub(crate) fn words(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let counted: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    counted + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::get;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_long_string_of_ones_counts_all_of_them() {
        // More than the vectors' digits hold: every carry is taken.
        for len in [511, 512, 513, 8191, 8192, 100_000] {
            assert_eq!(count(&vec![0xff; len]), len as u64 * 8);
        }
        assert_eq!(count(&[]), 0);
    }

    proptest! {
        #[test]
        fn vectors_count_what_words_count(bytes in vec(any::<u8>(), 0..3000), from in 0usize..64) {
            let bytes = bytes.get(from..).unwrap_or_default();
            prop_assert_eq!(count(bytes), words(bytes));
            prop_assert_eq!(words(bytes), bytes.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>());
        }

        #[test]
        fn a_range_counts_what_its_bits_give(bytes in vec(any::<u8>(), 0..20), a in 0u64..160, b in 0u64..160) {
            let len = bytes.len() as u64 * 8;
            let bits = a.min(b).min(len)..a.max(b).min(len);
            prop_assert_eq!(count_in(&bytes, bits.clone()), bits.filter(|&bit| get(&bytes, bit)).count() as u64);
        }
    }
}
