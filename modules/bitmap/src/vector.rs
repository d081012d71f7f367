//! Vector instructions: the only unsafe code of the module.
//!
//! Two things need them. [`count`] adds up set bits with AVX2, 512 bytes at a time: sixteen vectors
//! go through a tree of carry-save adders, so that only one vector in sixteen has its bits counted
//! (Muła, Kurz, Lemire: Faster Population Counts Using AVX2 Instructions, 2016). Memory is not asked
//! for ahead: that makes strings that lie in no cache 10% faster and those that do 20% slower.
//!
//! ```text
//!   16 vectors ─> adders ─> ones, twos, fours, eights (kept for the next 16) and sixteens
//!                                                            sixteens ─> nibbles by a table ─> sum
//! ```
//!
//! [`combine_block`] and [`differing`] are ordinary loops of [`logic`](crate::logic) and
//! [`search`](crate::search), always inlined, which are compiled here once more for AVX2. What the
//! processor has is asked once per process; the standard library keeps the answer.
//! AVX-512 is left alone: its intrinsics are newer than the oldest compiler that Plinth builds with.

use crate::logic::{self, Operation};
use crate::search;

/// Number of set bits, when the processor has what it takes.
#[inline]
pub(crate) fn count(bytes: &[u8]) -> Option<u64> {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() >= x86::BLOCK_BYTES && has_avx2() {
        // SAFETY: the processor has AVX2 and POPCNT, which `has_avx2` has just found.
        return Some(unsafe { x86::count(bytes) });
    }
    let _ = bytes;
    None
}

/// [`logic::combine_block`](crate::logic::combine_block) in the widest vectors that there are.
#[inline]
pub(crate) fn combine_block(operation: Operation, first: &[u8], others: &[&[u8]], at: usize, block: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the processor has AVX2 and POPCNT, which `has_avx2` has just found.
        return unsafe { x86::combine_block(operation, first, others, at, block) };
    }
    logic::combine_block(operation, first, others, at, block);
}

/// [`search::differing`](crate::search::differing) in the widest vectors that there are.
#[inline]
pub(crate) fn differing(bytes: &[u8], plain: u8) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the processor has AVX2 and POPCNT, which `has_avx2` has just found.
        return unsafe { x86::differing(bytes, plain) };
    }
    search::differing(bytes, plain)
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use crate::count::words;
    use crate::logic::{self, Operation};
    use crate::search;
    use std::arch::x86_64::*;

    /// Bytes that go through the adders at a time.
    pub(super) const BLOCK_BYTES: usize = 16 * VECTOR_BYTES;
    const VECTOR_BYTES: usize = size_of::<__m256i>();

    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn combine_block(operation: Operation, first: &[u8], others: &[&[u8]], at: usize, block: &mut [u8]) {
        logic::combine_block(operation, first, others, at, block);
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn differing(bytes: &[u8], plain: u8) -> Option<usize> {
        search::differing(bytes, plain)
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub(super) fn count(bytes: &[u8]) -> u64 {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        let zero = _mm256_setzero_si256();
        let (mut ones, mut twos, mut fours, mut eights) = (zero, zero, zero, zero);
        let mut sum = zero;
        for block in blocks {
            let sixteens = add_block(block, &mut ones, &mut twos, &mut fours, &mut eights);
            sum = _mm256_add_epi64(sum, count_each(sixteens));
        }
        let weighted = [(sum, 16), (count_each(eights), 8), (count_each(fours), 4), (count_each(twos), 2)];
        let counted: u64 = weighted.into_iter().map(|(vector, weight)| weight * total(vector)).sum();
        counted + total(count_each(ones)) + words(rest)
    }

    /// Adds the bits of a block to the four running digits; the carry out of them is returned.
    #[target_feature(enable = "avx2")]
    fn add_block(
        block: &[u8; BLOCK_BYTES],
        ones: &mut __m256i,
        twos: &mut __m256i,
        fours: &mut __m256i,
        eights: &mut __m256i,
    ) -> __m256i {
        let at = |vector: usize| load(block, vector);
        let mut carries = [_mm256_setzero_si256(); 2];
        for (half, carry) in carries.iter_mut().enumerate() {
            let first = 8 * half;
            let two_a = add(ones, at(first), at(first + 1));
            let two_b = add(ones, at(first + 2), at(first + 3));
            let four_a = add(twos, two_a, two_b);
            let two_a = add(ones, at(first + 4), at(first + 5));
            let two_b = add(ones, at(first + 6), at(first + 7));
            let four_b = add(twos, two_a, two_b);
            *carry = add(fours, four_a, four_b);
        }
        add(eights, carries[0], carries[1])
    }

    /// A vector of a block.
    #[target_feature(enable = "avx2")]
    fn load(block: &[u8; BLOCK_BYTES], vector: usize) -> __m256i {
        let bytes = &block[vector * VECTOR_BYTES..][..VECTOR_BYTES];
        // SAFETY: the slice has the 32 bytes that are read, from any alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    /// A full adder on 256 bits at once: leaves the sum in `digit` and returns the carry. What is
    /// new is added up first: then an adder waits for the one before it, which left `digit`, by one
    /// instruction instead of two.
    #[target_feature(enable = "avx2")]
    fn add(digit: &mut __m256i, a: __m256i, b: __m256i) -> __m256i {
        let half = _mm256_xor_si256(a, b);
        let carry = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(half, *digit));
        *digit = _mm256_xor_si256(half, *digit);
        carry
    }

    /// Set bits in each 64-bit lane.
    #[target_feature(enable = "avx2")]
    fn count_each(vector: __m256i) -> __m256i {
        let of_nibble = _mm256_setr_epi8(
            0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
        );
        let low = _mm256_set1_epi8(0x0f);
        let lower = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(vector, low));
        let upper = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(_mm256_srli_epi16::<4>(vector), low));
        _mm256_sad_epu8(_mm256_add_epi8(lower, upper), _mm256_setzero_si256())
    }

    /// The sum of the four lanes.
    #[target_feature(enable = "avx2")]
    fn total(lanes: __m256i) -> u64 {
        let lane = |value: i64| value as u64;
        lane(_mm256_extract_epi64::<0>(lanes))
            + lane(_mm256_extract_epi64::<1>(lanes))
            + lane(_mm256_extract_epi64::<2>(lanes))
            + lane(_mm256_extract_epi64::<3>(lanes))
    }
}
