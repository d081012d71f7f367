//! Registers by vector instructions, where the processor has AVX2: the only unsafe code of the module.
//!
//! Three bytes of a dense value are four registers, so 24 bytes fill a vector of 32. Each step puts
//! them in its two halves, three bytes into each word of four, and moves the four numbers of six bits
//! apart:
//!
//! ```text
//!   bytes    33333322 22221111 11000000          word  ........ 33333322 22221111 11000000
//!   shifted by 0, 2, 4, 6 and masked                   00333333 00222222 00111111 00000000
//! ```
//!
//! The functions answer `false`, nothing done, where there are no such instructions, or the operator
//! has switched them off; then the caller goes register by register.

#![allow(unsafe_code)]

use crate::dense::Dense;
use crate::hash::REGISTERS;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static ALLOWED: AtomicBool = AtomicBool::new(true);

/// Allows vector instructions, or does not.
pub fn allow(allowed: bool) {
    ALLOWED.store(allowed, Relaxed);
}

/// Raises each register to that of a dense value.
#[inline]
pub fn merge(registers: &mut [u8; REGISTERS], dense: &Dense) -> bool {
    #[cfg(target_arch = "x86_64")]
    if ALLOWED.load(Relaxed) && is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as the line above has asked it.
        unsafe { avx2::merge(registers, dense) };
        return true;
    }
    let _ = (registers, dense);
    false
}

/// Writes registers in the dense form.
#[inline]
pub fn pack(registers: &[u8; REGISTERS], dense: &mut Dense) -> bool {
    #[cfg(target_arch = "x86_64")]
    if ALLOWED.load(Relaxed) && is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as the line above has asked it.
        unsafe { avx2::pack(registers, dense) };
        return true;
    }
    let _ = (registers, dense);
    false
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use crate::dense::Dense;
    use crate::hash::REGISTERS;
    use std::arch::x86_64::*;

    /// Registers in a step.
    const STEP: usize = 32;
    /// Bytes of a dense value in half a step, and those that are loaded or stored for it.
    const HALF: usize = 12;
    const LOADED: usize = 16;

    /// The vectors' lanes, low end first: three bytes to each word.
    #[target_feature(enable = "avx2")]
    fn spread() -> __m256i {
        let half = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
        _mm256_broadcastsi128_si256(half)
    }

    /// The other way round.
    #[target_feature(enable = "avx2")]
    fn gather() -> __m256i {
        let half = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
        _mm256_broadcastsi128_si256(half)
    }

    /// Of each word the number at bit `8 * AT`.
    #[target_feature(enable = "avx2")]
    fn number<const AT: i32>(words: __m256i) -> __m256i {
        _mm256_and_si256(words, _mm256_set1_epi32(0x3f << (8 * AT)))
    }

    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; LOADED]) -> __m128i {
        // SAFETY: 16 bytes are read, as many as there are, at any address.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2")]
    fn store(bytes: &mut [u8; LOADED], vector: __m128i) {
        // SAFETY: 16 bytes are written, as many as there are, at any address.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), vector) }
    }

    /// Twelve bytes of a dense value and four that are not looked at. The last twelve are loaded with
    /// the four in front of them, and moved.
    #[target_feature(enable = "avx2")]
    fn load_half(dense: &Dense, at: usize) -> __m128i {
        match dense[at..].first_chunk() {
            Some(bytes) => load(bytes),
            None => match dense.last_chunk() {
                Some(bytes) => _mm_srli_si128::<4>(load(bytes)),
                None => _mm_setzero_si128(),
            },
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn merge(registers: &mut [u8; REGISTERS], dense: &Dense) {
        let spread = spread();
        for (step, registers) in registers.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            let at = step * 2 * HALF;
            let both = _mm256_set_m128i(load_half(dense, at + HALF), load_half(dense, at));
            let words = _mm256_shuffle_epi8(both, spread);
            let low = _mm256_or_si256(number::<0>(words), number::<1>(_mm256_slli_epi32::<2>(words)));
            let high =
                _mm256_or_si256(number::<2>(_mm256_slli_epi32::<4>(words)), number::<3>(_mm256_slli_epi32::<6>(words)));
            let to = registers.as_mut_ptr().cast::<__m256i>();
            // SAFETY: the chunk has 32 bytes, as many as are read and written, at any address.
            unsafe {
                let most = _mm256_max_epu8(_mm256_loadu_si256(to), _mm256_or_si256(low, high));
                _mm256_storeu_si256(to, most);
            }
        }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn pack(registers: &[u8; REGISTERS], dense: &mut Dense) {
        let gather = gather();
        for (step, registers) in registers.as_chunks::<STEP>().0.iter().enumerate() {
            // SAFETY: the chunk has 32 bytes, as many as are read, at any address.
            let words = unsafe { _mm256_loadu_si256(registers.as_ptr().cast()) };
            let low = _mm256_or_si256(number::<0>(words), _mm256_srli_epi32::<2>(number::<1>(words)));
            let high =
                _mm256_or_si256(_mm256_srli_epi32::<4>(number::<2>(words)), _mm256_srli_epi32::<6>(number::<3>(words)));
            let both = _mm256_shuffle_epi8(_mm256_or_si256(low, high), gather);
            for (half, vector) in
                [_mm256_castsi256_si128(both), _mm256_extracti128_si256::<1>(both)].into_iter().enumerate()
            {
                let at = step * 2 * HALF + half * HALF;
                // The four bytes behind the twelve are written by the next half; the last has none.
                if let Some(bytes) = dense[at..].first_chunk_mut() {
                    store(bytes, vector);
                } else {
                    let mut bytes = [0; LOADED];
                    store(&mut bytes, vector);
                    dense[at..].copy_from_slice(&bytes[..HALF]);
                }
            }
        }
    }
}
