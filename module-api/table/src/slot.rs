//! What a slot may hold, and how a slot's spare bits are used.
//!
//! A slot is a `u64` of which the element owns the low 48 bits: enough for every user-space
//! address that Linux, macOS and Windows hand out unasked on x86-64 and AArch64. The high 16 bits
//! remember bits 8..24 of the element's hash, the *window*:
//!
//! ```text
//! hash   63 ...... 56 | 55 ........ 24 | 23 ........ 8 | 7 ...... 0
//!        tag (bucket) |                | window (slot) |
//!                      bucket index: as many bits from the right as there are levels
//!
//! word   63 ........ 48 | 47 ........................ 0
//!        window         | the element's own bits
//! ```
//!
//! The bucket index grows from the right, so the window holds the bit that a split asks for from
//! 256 buckets (some 1,500 elements) to 16 million (some 100 million): in that range a split or a
//! merge reads no element, which would be a cache miss each. Outside it the caller's `rehash` is
//! asked. Comparing the window on the way also makes a candidate that is not the one wanted
//! rarer than the tag alone does, and costs nothing: one xor both checks and removes it.

use std::ptr::NonNull;

/// How many low bits of a slot belong to the element.
pub const SLOT_BITS: u32 = 48;

/// The first hash bit that the window holds.
const WINDOW_START: u32 = 8;

/// An element: a plain value of at most [`SLOT_BITS`] bits, in practice a pointer.
///
/// # Safety
///
/// `from_bits(x.into_bits())` must be as good as `x` for every `x`, on any thread that owns the
/// table. Bits above [`SLOT_BITS`] must be zero; the table checks this and panics on an insert
/// that breaks it.
pub unsafe trait Slot: Copy {
    /// The bits that the table keeps.
    fn into_bits(self) -> u64;

    /// The value that these bits came from.
    ///
    /// # Safety
    ///
    /// `bits` is the result of [`into_bits`](Slot::into_bits) on a value of this type.
    unsafe fn from_bits(bits: u64) -> Self;
}

// SAFETY: the address is exposed on the way in, so the pointer made from it on the way out may
// be used as the original could.
unsafe impl<U> Slot for NonNull<U> {
    #[inline]
    fn into_bits(self) -> u64 {
        self.as_ptr().expose_provenance() as u64
    }

    #[inline]
    unsafe fn from_bits(bits: u64) -> Self {
        let pointer = std::ptr::with_exposed_provenance_mut(bits as usize);
        // SAFETY: the bits came from a `NonNull`, so the address is not null.
        unsafe { NonNull::new_unchecked(pointer) }
    }
}

// SAFETY: the identity. Integers of more than `SLOT_BITS` bits are refused at insert.
unsafe impl Slot for u64 {
    #[inline]
    fn into_bits(self) -> u64 {
        self
    }

    #[inline]
    unsafe fn from_bits(bits: u64) -> Self {
        bits
    }
}

/// The window of a hash, in its place in the word.
#[inline]
pub(crate) fn window(hash: u64) -> u64 {
    (hash >> WINDOW_START) << SLOT_BITS
}

/// The word that holds `value`, whose hash is `hash`.
///
/// # Panics
///
/// If the value has bits above [`SLOT_BITS`].
#[inline]
pub(crate) fn encode<T: Slot>(value: T, hash: u64) -> u64 {
    let bits = value.into_bits();
    assert!(bits >> SLOT_BITS == 0, "a slot holds {SLOT_BITS} bits, not {bits:#x}");
    bits | window(hash)
}

/// The value in a word.
///
/// # Safety
///
/// `word` was made by [`encode`] from a value of type `T`.
#[inline]
pub(crate) unsafe fn decode<T: Slot>(word: u64) -> T {
    // SAFETY: without the window these are the bits that `into_bits` gave.
    unsafe { T::from_bits(word & ((1 << SLOT_BITS) - 1)) }
}

/// Bit `level` of the hash that `word` was made with, if the window holds it.
#[inline]
pub(crate) fn hash_bit(word: u64, level: u32) -> Option<bool> {
    let place = level.wrapping_sub(WINDOW_START);
    (place < u64::BITS - SLOT_BITS).then(|| word >> (SLOT_BITS + place) & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_gives_back_its_value_and_the_hash_bits_of_its_window() {
        let hash = 0x1234_5678_9abc_def0;
        let word = encode(0xffff_ffff_ffff_u64, hash);
        // SAFETY: the word was just encoded from a `u64`.
        assert_eq!(unsafe { decode::<u64>(word) }, 0xffff_ffff_ffff);
        for level in 0..64 {
            let expected = (8..24).contains(&level).then_some(hash >> level & 1 != 0);
            assert_eq!(hash_bit(word, level), expected, "level {level}");
        }
    }

    #[test]
    #[should_panic(expected = "a slot holds 48 bits")]
    fn a_value_of_more_than_48_bits_is_refused() {
        encode(1_u64 << 48, 0);
    }
}
