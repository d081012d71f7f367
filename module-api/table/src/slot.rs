//! What a slot may hold, and how a slot's spare bits are used.
//!
//! A slot has 56 bits, of which the element owns the low 46: enough for every user-space address
//! that Linux, macOS and Windows hand out unasked on x86-64 and AArch64, of 48 bits of which the
//! lowest two are zero. The high ten remember some bits of the element's hash, the *window*:
//!
//! ```text
//! hash   63 ..... 57 | 56 ...................................... 0
//!        tag         |         | window |
//!                      bucket index: as many bits from the right as the bucket has levels
//!
//! slot   55 ........ 46 | 45 ........................ 0
//!        window         | the element's own bits
//! ```
//!
//! The bucket index grows from the right, by one bit when a bucket is split. A bucket whose index
//! has `level` bits has a window from [`base`] on, which holds bit `level`, the one that its split
//! asks for:
//!
//! ```text
//! level   0 .. 3    4 .. 13    14 .. 23    24 .. 33
//! base    0         4          14          24
//!                   150        160,000     160 million elements at the least
//! ```
//!
//! So a split reads no element, which would be a cache miss each, but where the window moves on: then
//! the caller's `rehash` is asked, once for each element on the way from one row's end to the next. A
//! merge never asks: bits below a bucket's level are the bucket's number.
//!
//! Comparing the window on the way also makes a candidate that is not the one wanted rarer than the
//! tag alone does, and costs nothing: one xor both checks and removes it. Bits below the level are
//! the same for all elements of a bucket, so three to ten of the ten tell elements apart in a
//! table of one million, and fewest at a row's end.

use std::ptr::NonNull;

/// How many low bits of a slot belong to the element.
pub const SLOT_BITS: u32 = 46;

/// Low bits of an address that are always zero.
const ADDRESS_SHIFT: u32 = 2;

/// How many bits of the hash the window holds.
const WINDOW_BITS: u32 = 10;
/// The first level whose window does not begin at bit 0.
const WINDOW_START: u32 = 4;

/// An element: a plain value of at most [`SLOT_BITS`] bits, in practice a pointer to something that
/// is aligned to four bytes at least.
///
/// # Safety
///
/// `from_bits(x.into_bits())` must be as good as `x` for every `x`, on any thread that owns the
/// table. Bits above [`SLOT_BITS`] must be zero; the table checks this and panics on an insert
/// that breaks it.
pub unsafe trait Slot: Copy {
    /// The bits that the table keeps: for a pointer, the address divided by four, which is what
    /// the table [prefetches](crate::prefetch).
    fn into_bits(self) -> u64;

    /// The value that these bits came from.
    ///
    /// # Safety
    ///
    /// `bits` is the result of [`into_bits`](Slot::into_bits) on a value of this type.
    unsafe fn from_bits(bits: u64) -> Self;
}

// SAFETY: the address is exposed on the way in, so the pointer made from it on the way out may
// be used as the original could. The low bits of an address that is no multiple of four come to lie
// above `SLOT_BITS`, and are refused at insert.
unsafe impl<U> Slot for NonNull<U> {
    #[inline]
    fn into_bits(self) -> u64 {
        (self.as_ptr().expose_provenance() as u64).rotate_right(ADDRESS_SHIFT)
    }

    #[inline]
    unsafe fn from_bits(bits: u64) -> Self {
        let pointer = std::ptr::with_exposed_provenance_mut(address(bits) as usize);
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

/// The address that an element's bits are, if it is a pointer.
#[inline]
pub(crate) fn address(bits: u64) -> u64 {
    bits << ADDRESS_SHIFT
}

/// The first hash bit in the windows of a bucket whose index has `level` bits.
#[inline]
pub(crate) const fn base(level: u32) -> u32 {
    if level < WINDOW_START { 0 } else { WINDOW_START + (level - WINDOW_START) / WINDOW_BITS * WINDOW_BITS }
}

/// The window of a hash, in its place in the word.
#[inline]
pub(crate) fn window(hash: u64, base: u32) -> u64 {
    (hash >> base & ((1 << WINDOW_BITS) - 1)) << SLOT_BITS
}

/// The word that holds `value`, with a window.
///
/// # Panics
///
/// If the value has bits above [`SLOT_BITS`].
#[inline]
pub(crate) fn encode<T: Slot>(value: T, window: u64) -> u64 {
    let bits = value.into_bits();
    assert!(bits >> SLOT_BITS == 0, "a slot holds {SLOT_BITS} bits, not {bits:#x}");
    bits | window
}

/// The window of a word, in its place.
#[inline]
pub(crate) fn window_of(word: u64) -> u64 {
    word >> SLOT_BITS << SLOT_BITS
}

/// The element's own bits.
#[inline]
pub(crate) fn bits_of(word: u64) -> u64 {
    word & ((1 << SLOT_BITS) - 1)
}

/// The value in a word.
///
/// # Safety
///
/// `word` was made by [`encode`] from a value of type `T`.
#[inline]
pub(crate) unsafe fn decode<T: Slot>(word: u64) -> T {
    // SAFETY: without the window these are the bits that `into_bits` gave.
    unsafe { T::from_bits(bits_of(word)) }
}

/// The value in a word, if the word's window is this one.
///
/// # Safety
///
/// As [`decode`].
#[inline]
pub(crate) unsafe fn decode_if<T: Slot>(word: u64, window: u64) -> Option<T> {
    let bits = word ^ window;
    // SAFETY: with its window gone a word holds the bits of the value it was made from.
    (bits >> SLOT_BITS == 0).then(|| unsafe { T::from_bits(bits) })
}

/// Bit `level` of the hash of the element in `word`, which is in a bucket of this level.
#[inline]
pub(crate) fn split_bit(word: u64, level: u32) -> bool {
    word >> (SLOT_BITS + level - base(level)) & 1 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_gives_back_its_value_and_the_bit_that_the_split_of_its_bucket_asks_for() {
        let hash = 0x1234_5678_9abc_def0;
        for level in 0..57 {
            let word = encode(0x3fff_ffff_ffff_u64, window(hash, base(level)));
            assert!(word >> 56 == 0);
            // SAFETY: the word was just encoded from a `u64`.
            assert_eq!(unsafe { decode::<u64>(word) }, 0x3fff_ffff_ffff);
            assert_eq!(split_bit(word, level), hash >> level & 1 != 0, "level {level}");
        }
    }

    #[test]
    #[should_panic(expected = "a slot holds 46 bits")]
    fn a_value_of_more_than_46_bits_is_refused() {
        encode(1_u64 << 46, 0);
    }

    #[test]
    #[should_panic(expected = "a slot holds 46 bits")]
    fn an_address_that_is_no_multiple_of_four_is_refused() {
        encode(NonNull::<u8>::without_provenance(std::num::NonZero::new(4097).unwrap()), 0);
    }
}
