//! The hash of an element: which register it belongs to, and the rank that it has there.
//!
//! Values move between servers, and are merged with values that others made, so the hash is part of
//! the format: MurmurHash64A by Austin Appleby, little-endian, from the seed that Redis uses. Its 64
//! bits are read from the low end:
//!
//! ```text
//!   63 ............................................ 14 │ 13 ....... 0
//!   50 bits: rank = trailing zeros + 1, 51 if all are 0 │ register
//! ```

/// Number of registers.
pub const REGISTERS: usize = 1 << INDEX_BITS;
/// The greatest rank of an element.
pub const RANK_MAX: u8 = 64 - INDEX_BITS as u8 + 1;

const INDEX_BITS: u32 = 14;
const SEED: u64 = 0xadc8_3b19;
const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
const SHIFT: u32 = 47;

/// What an element comes to: it raises register `index` to at least `rank`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Observation {
    /// The register, below [`REGISTERS`].
    pub index: usize,
    /// The rank, from 1 to [`RANK_MAX`].
    pub rank: u8,
}

impl Observation {
    /// The observation of an element.
    #[inline]
    pub fn of(element: &[u8]) -> Observation {
        let hash = murmur(element);
        // The bit above the 50 gives a hash without a one among them its rank.
        let rest = hash >> INDEX_BITS | 1 << (64 - INDEX_BITS);
        Observation { index: hash as usize % REGISTERS, rank: rest.trailing_zeros() as u8 + 1 }
    }
}

#[inline]
fn murmur(bytes: &[u8]) -> u64 {
    let mut hash = SEED ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !tail.is_empty() {
        let last = tail.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte));
        hash = (hash ^ last).wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> SHIFT;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ hash >> SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As PFDEBUG DECODE of Redis 7.0 shows them after one PFADD.
    #[test]
    fn elements_go_where_redis_puts_them() {
        for (element, index, rank) in [
            ("", 5_938, 2),
            ("a", 12_711, 2),
            ("foo", 7_348, 5),
            ("1234567", 10_327, 3),
            ("12345678", 10_579, 3),
            ("123456789", 9_293, 2),
            ("the quick brown fox jumps over", 11_963, 1),
        ] {
            assert_eq!(Observation::of(element.as_bytes()), Observation { index, rank }, "{element}");
        }
    }
}
