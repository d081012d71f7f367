//! Finding the first bit of a kind.

use crate::range::{before_bit, bytes_of, from_bit};
use crate::vector;
use std::ops::Range;

/// Bytes that are looked at together: when none differs, the next ones are.
const STRIDE_BYTES: usize = 64;

/// Position of the first bit among `bits`, which lie in `bytes`, that is set, or not set.
pub fn first(bytes: &[u8], bits: Range<u64>, is_set: bool) -> Option<u64> {
    // Looked for is a set bit of each byte after this.
    let flip = if is_set { 0 } else { 0xff };
    let span = bytes_of(&bits);
    let (head, rest) = bytes.get(span.clone())?.split_first()?;
    let at_end = |position: u64| (position < bits.end).then_some(position);
    let head = (head ^ flip) & from_bit(bits.start);
    if head != 0 {
        return at_end(position(span.start, head));
    }
    let at = vector::differing(rest, flip)?;
    let byte = (rest[at] ^ flip) & if at + 1 == rest.len() { before_bit((bits.end + 7) % 8 + 1) } else { 0xff };
    (byte != 0).then(|| position(span.start + 1 + at, byte))
}

/// Position of the first set bit of `byte`, which is the string's at `at`.
fn position(at: usize, byte: u8) -> u64 {
    at as u64 * 8 + u64::from(byte.leading_zeros())
}

/// Index of the first byte that is not `plain`.
#[inline(always)]
pub(crate) fn differing(bytes: &[u8], plain: u8) -> Option<usize> {
    let (strides, _) = bytes.as_chunks::<STRIDE_BYTES>();
    let differs = |stride: &[u8; STRIDE_BYTES]| stride.iter().fold(0, |all, byte| all | (byte ^ plain)) != 0;
    let skipped = strides.iter().position(differs).unwrap_or(strides.len()) * STRIDE_BYTES;
    bytes[skipped..].iter().position(|byte| *byte != plain).map(|at| skipped + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::get;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_bit_is_the_first_that_a_walk_finds(
            len in 0usize..300,
            changed in proptest::collection::vec(0u64..2400, 0..3),
            (a, b) in (0u64..2400, 0u64..2400),
            is_set: bool,
        ) {
            let mut bytes = vec![if is_set { 0 } else { 0xff }; len];
            for bit in changed {
                if let Some(byte) = bytes.get_mut((bit / 8) as usize) {
                    *byte ^= 0x80 >> (bit % 8);
                }
            }
            let end = len as u64 * 8;
            let bits = a.min(b).min(end)..a.max(b).min(end);
            let model = bits.clone().find(|&bit| get(&bytes, bit) == is_set);
            prop_assert_eq!(first(&bytes, bits, is_set), model);
        }
    }
}
