//! The blob: one member with its score, in one allocation.
//!
//! ```text
//!   0                8
//!   [ score, f64     ][ len ][ member ... ]                 members of up to 254 bytes
//!   [ score, f64     ][ 255 ][ len, u32 ][ member ... ]     longer ones
//! ```
//!
//! A member of 15 bytes makes a blob of 24, which is a size class of the allocator. A [`Blob`] is
//! the address alone and may be copied: the table has one copy and the tree another.
//!
//! *Invariant*: the address stays valid until [`Blob::free`], which is `unsafe` for that reason: who
//! calls it vouches that no copy is used any more. All else is safe.

use plinth_module::table::{Slot, memory};
use std::ptr::NonNull;

/// Bits of an address in user space.
pub(crate) const ADDRESS_BITS: u32 = 48;
/// Bytes of the score at the beginning.
const SCORE_BYTES: usize = 8;
/// What stands in the place of a length that does not fit into a byte.
const LONG: u8 = 255;
/// Bytes before a short and before a long member.
const HEADS: [usize; 2] = [SCORE_BYTES + 1, SCORE_BYTES + 5];

/// A member with its score. See the [module](self).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Blob(NonNull<u8>);

/// Bytes of a blob for a member of `len` bytes, and where the member begins.
fn layout(len: usize) -> (usize, usize) {
    let head = HEADS[usize::from(len >= usize::from(LONG))];
    assert!(u32::try_from(len).is_ok(), "a member of 4 GiB");
    (head + len, head)
}

/// Bytes that the allocator sets aside for a request of so many.
fn class_bytes(bytes: usize) -> usize {
    if bytes <= 64 { bytes.next_multiple_of(8) } else { bytes.next_multiple_of(bytes.next_power_of_two() / 8) }
}

impl Blob {
    /// A member with its score.
    ///
    /// # Panics
    /// For a member of 4 GiB and more.
    pub(crate) fn new(member: &[u8], score: f64) -> Blob {
        let (bytes, head) = layout(member.len());
        let start = memory::allocate_or_abort(bytes);
        // SAFETY: the allocation has room for the head and the member behind it, and is aligned for
        // the score; `member` lies elsewhere.
        unsafe {
            start.cast::<f64>().write(score);
            if head == HEADS[0] {
                start.add(SCORE_BYTES).write(member.len() as u8);
            } else {
                start.add(SCORE_BYTES).write(LONG);
                let len = (member.len() as u32).to_ne_bytes();
                start.add(SCORE_BYTES + 1).copy_from_nonoverlapping(NonNull::from(&len).cast(), len.len());
            }
            start.add(head).copy_from_nonoverlapping(NonNull::from(member).cast(), member.len());
        }
        Blob(start)
    }

    /// The score.
    #[inline]
    pub(crate) fn score(self) -> f64 {
        // SAFETY: a blob that is not freed begins with an aligned score.
        unsafe { self.0.cast::<f64>().read() }
    }

    /// Puts another score in its place. Where it stands in an order is the caller's to mend.
    #[inline]
    pub(crate) fn set_score(self, score: f64) {
        // SAFETY: as in `score`; nobody holds a reference to it, since `score` copies.
        unsafe { self.0.cast::<f64>().write(score) }
    }

    /// The member.
    #[inline]
    pub(crate) fn member(&self) -> &[u8] {
        // SAFETY: a blob that is not freed has its length behind the score, and so many bytes
        // behind that, which nobody ever changes.
        unsafe {
            let (mut len, mut head) = (usize::from(self.0.add(SCORE_BYTES).read()), HEADS[0]);
            if len == usize::from(LONG) {
                len = self.0.add(SCORE_BYTES + 1).cast::<u32>().read_unaligned() as usize;
                head = HEADS[1];
            }
            std::slice::from_raw_parts(self.0.add(head).as_ptr(), len)
        }
    }

    /// Bytes that the blob takes from the allocator.
    pub(crate) fn memory_bytes(&self) -> usize {
        class_bytes(layout(self.member().len()).0)
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// Neither this copy of the blob nor another is used afterwards.
    pub(crate) unsafe fn free(self) {
        let (bytes, _) = layout(self.member().len());
        // SAFETY: allocated by `new` with this length, and freed once, as the caller vouches.
        unsafe { memory::free(self.0, bytes) }
    }

    /// The address, at most [`ADDRESS_BITS`] bits: more are refused by the table that it is in first.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }

    /// The blob whose address this is.
    ///
    /// # Safety
    /// The low [`ADDRESS_BITS`] bits are those of [`Blob::bits`] of a blob that is not freed.
    #[inline]
    pub(crate) unsafe fn from_bits(bits: u64) -> Blob {
        let address = bits & ((1 << ADDRESS_BITS) - 1);
        // SAFETY: as the caller vouches, so it is not null.
        Blob(unsafe { NonNull::new_unchecked(std::ptr::with_exposed_provenance_mut(address as usize)) })
    }

    /// Starts loading the blob's first cache line.
    #[inline]
    pub(crate) fn prefetch(self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch is a hint that faults on no address.
        unsafe {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(self.0.as_ptr().cast_const().cast());
        }
    }
}

// SAFETY: as for the pointer that it is.
unsafe impl Slot for Blob {
    #[inline]
    fn into_bits(self) -> u64 {
        self.0.into_bits()
    }

    #[inline]
    unsafe fn from_bits(bits: u64) -> Blob {
        // SAFETY: as the caller vouches.
        Blob(unsafe { NonNull::from_bits(bits) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_gives_back_what_it_was_made_of() {
        for len in [0, 1, 15, 254, 255, 256, 70_000] {
            let member = vec![7; len];
            let blob = Blob::new(&member, 1.5);
            assert_eq!((blob.member(), blob.score()), (&member[..], 1.5));
            blob.set_score(-2.0);
            // SAFETY: the bits are those of a blob that lives.
            let same = unsafe { Blob::from_bits(blob.bits() | 0xabcd << ADDRESS_BITS) };
            assert_eq!((same, same.score()), (blob, -2.0));
            // SAFETY: no copy is used any more.
            unsafe { blob.free() };
        }
    }

    #[test]
    fn fifteen_bytes_make_a_blob_of_twenty_four() {
        let blob = Blob::new(&[0; 15], 0.0);
        assert_eq!(blob.memory_bytes(), 24);
        // SAFETY: no copy is used any more.
        unsafe { blob.free() };
        assert_eq!([1, 64, 65, 80, 81, 129].map(class_bytes), [8, 64, 80, 80, 96, 160]);
    }
}
