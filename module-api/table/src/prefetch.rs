//! Asking for a cache line before it is needed.
//!
//! A batch of commands calls [`Table::prefetch_bucket`] for all its keys, then
//! [`Table::prefetch_entries`] for all, then [`Table::prefetch_overflow`] for those that need it,
//! then executes: the cache misses of a batch overlap, and a miss is most of what a lookup in a
//! large table costs.

use crate::bucket;
use crate::slot::{self, Slot};
use crate::table::Table;

/// Starts loading the cache line at an address, which may be any address. Does nothing on
/// processors other than x86-64.
#[inline]
pub fn prefetch(address: u64) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let address = std::ptr::without_provenance::<i8>(address as usize);
        // SAFETY: a prefetch is a hint that faults on no address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Bytes of an element that are loaded, at least.
const ELEMENT_BYTES: u64 = 48;

/// Starts loading what the element in a word points to. Elements are small, and lie across two cache lines as
/// often as not; where they do not, the second request costs next to nothing.
#[inline]
pub(crate) fn prefetch_word(word: u64) {
    let address = slot::address(slot::bits_of(word));
    prefetch(address);
    prefetch(address + ELEMENT_BYTES);
}

impl<T: Slot> Table<T> {
    /// First stage: starts loading the bucket of `hash`. O(1), touches only the directory.
    #[inline]
    pub fn prefetch_bucket(&self, hash: u64) {
        prefetch(self.head(hash).as_ptr().addr() as u64);
    }

    /// Second stage: looks at the bucket of `hash`, and starts loading what the elements that
    /// may be the one sought point to (their first cache line, and the second). O(1).
    ///
    /// If there is none in the bucket, but an overflow block (one lookup in three that finds
    /// something), starts loading that and returns true: a third stage,
    /// [`prefetch_overflow`](Table::prefetch_overflow), may look there.
    ///
    /// Of use for elements whose bits are an address by four; low bits used as flags do no harm.
    #[inline]
    pub fn prefetch_entries(&self, hash: u64) -> bool {
        let head = self.chain(self.home(hash).0).head();
        let candidates = head.matching(bucket::tag(hash));
        if !candidates.is_empty() {
            candidates.for_each(|slot| prefetch_word(head.word(slot)));
            return false;
        }
        let Some(overflow) = head.overflow() else { return false };
        overflow.ends().into_iter().for_each(prefetch);
        true
    }

    /// Third stage, where the second returned true: as the second, in the overflow blocks.
    /// O(1).
    #[inline]
    pub fn prefetch_overflow(&self, hash: u64) {
        let mut next = self.chain(self.home(hash).0).head().overflow();
        while let Some(block) = next {
            block.matching(bucket::tag(hash)).for_each(|slot| prefetch_word(block.word(slot)));
            next = block.overflow();
        }
    }

    /// The stages by number, for a caller that is asked for one after another: whether there is a
    /// further one. Stage 0 writes the element's hash to `memo`, where the others expect it.
    #[inline]
    pub fn look_ahead(&self, stage: u32, hash: impl FnOnce() -> u64, memo: &mut u64) -> bool {
        match stage {
            0 => {
                *memo = hash();
                self.prefetch_bucket(*memo);
                true
            }
            1 => self.prefetch_entries(*memo),
            _ => {
                self.prefetch_overflow(*memo);
                false
            }
        }
    }

    /// The elements in the bucket of `hash` (not its overflow blocks) that may be the one sought,
    /// for a caller that knows better what to prefetch of them. O(1).
    #[inline]
    pub fn candidates(&self, hash: u64, mut visit: impl FnMut(T)) {
        let (chain, sought) = self.seek(hash);
        sought.candidates(chain.head()).for_each(|(_, element)| visit(element));
    }
}
