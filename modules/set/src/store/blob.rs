//! The blob: a text in a block of its own, with its length in front.

use plinth_module::prelude::{Error, Result};
use plinth_module::table::{Slot, memory};
use std::ptr::NonNull;

/// What stands for a length that follows in eight bytes.
const LONG: u8 = 255;
const LONG_HEAD: usize = 9;

/// A text on the heap: exists as long as its block. Whoever takes it out of its table frees it.
#[derive(Clone, Copy)]
pub(super) struct Blob(NonNull<u8>);

const fn head_of(len: usize) -> usize {
    if len < LONG as usize { 1 } else { LONG_HEAD }
}

impl Blob {
    /// A copy of a text. Fails with `OutOfMemory`.
    #[inline]
    pub(super) fn new(text: &[u8]) -> Result<Blob> {
        let (len, head) = (text.len(), head_of(text.len()));
        let start = memory::allocate(head + len).ok_or(Error::OutOfMemory)?;
        // SAFETY: so many bytes were just allocated; they do not overlap with the text given.
        unsafe {
            if head == 1 {
                start.write(len as u8);
            } else {
                start.write(LONG);
                start.add(1).cast::<u64>().write_unaligned(len as u64);
            }
            start.add(head).copy_from_nonoverlapping(NonNull::from(text).cast(), len);
            Ok(Blob(start))
        }
    }

    /// The slot that points to it: its address by four. The lowest bit is free.
    #[inline]
    pub(super) fn slot(self) -> u64 {
        self.0.into_bits()
    }

    /// The blob that a slot points to.
    ///
    /// # Safety
    /// The slot was made by [`Blob::slot`] of a blob that has not been freed.
    #[inline]
    pub(super) unsafe fn of(slot: u64) -> Blob {
        // SAFETY: `slot` makes slots from addresses.
        Blob(unsafe { NonNull::from_bits(slot) })
    }

    /// Length of the head, and of the text.
    #[inline]
    fn lengths(self) -> (usize, usize) {
        // SAFETY: a blob that a table points to is alive and begins with its length.
        unsafe {
            match self.0.read() {
                LONG => (LONG_HEAD, self.0.add(1).cast::<u64>().read_unaligned() as usize),
                len => (1, len as usize),
            }
        }
    }

    /// The text.
    ///
    /// # Safety
    /// The blob is not freed while `'s` lasts.
    #[inline]
    pub(super) unsafe fn text<'s>(self) -> &'s [u8] {
        let (head, len) = self.lengths();
        // SAFETY: so many bytes follow the head, written when it was made and never changed.
        unsafe { std::slice::from_raw_parts(self.0.add(head).as_ptr(), len) }
    }

    /// Bytes of its block.
    #[inline]
    pub(super) fn bytes(self) -> usize {
        let (head, len) = self.lengths();
        (head + len).next_multiple_of(memory::STEP_BYTES)
    }

    /// Frees it, and returns how many bytes that were.
    ///
    /// # Safety
    /// Nobody uses the blob, its text, or a slot that points to it afterwards.
    #[inline]
    pub(super) unsafe fn free(self) -> usize {
        let size = self.bytes();
        // SAFETY: the block was made by `new` with a length of as many steps.
        unsafe { memory::free(self.0, size) };
        size
    }
}
