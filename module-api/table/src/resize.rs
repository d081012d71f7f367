//! Growing and shrinking, one bucket at a time.
//!
//! ```text
//! split: a table of n buckets gets bucket n, from the bucket that stood in for it
//!
//!    n = 5, mask 7      0  1  2  3  4          bucket 1 holds hashes ..001 and ..101
//!    n = 6              0  1  2  3  4  5       those of ..101 are now in bucket 5
//!
//! merge: the same backwards
//! ```
//!
//! *When.* A bucket is split when there are more than six and a half elements a bucket. Split and
//! unsplit buckets hold from three to thirteen then, a third of the buckets have an overflow bucket,
//! and all in all an element takes 13.3 to 13.7 bytes. Measured between 100,000 and ten million
//! elements, a load of 5 makes it 14.7 to 15.4 (and 17% overflow buckets), 6 makes it 13.5 to 14.1
//! (29%), 7 makes it 13.0 to 13.4 (44%).
//! A bucket is merged into its counterpart when there are fewer than two elements a bucket, so
//! that a table whose size swings by less than a factor of three does neither.
//!
//! *How long.* A split handles the dozen elements of one bucket. If the bit that it asks for is
//! in the window (see `slot`) it reads no element; if not, the elements are prefetched together
//! before `rehash` is asked about each. A merge never needs the hash.

use crate::bucket::{Bucket, Cell};
use crate::chain::ChainMut;
use crate::prefetch::prefetch_word;
use crate::slot::{self, Slot};
use crate::table::Table;

/// Elements per two buckets above which an insert splits one.
const SPLIT_LOAD_OF_TWO: usize = 13;
/// Elements per bucket below which a removal merges one.
const MERGE_LOAD: usize = 2;

impl<T: Slot> Table<T> {
    /// Whether an insert has to [`grow`](Table::grow) the table first.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len * 2 > self.buckets * SPLIT_LOAD_OF_TWO || self.directory.is_unallocated()
    }

    /// Whether a removal should be followed by a [`merge`](Table::merge).
    #[inline]
    pub(crate) fn is_sparse(&self) -> bool {
        self.len < self.buckets * MERGE_LOAD && self.buckets > 1
    }

    /// Adds one bucket.
    #[inline(never)]
    pub(crate) fn grow(&mut self, rehash: impl FnMut(T) -> u64) {
        if self.directory.is_unallocated() {
            self.directory.reserve(1);
            // SAFETY: room for bucket 0 was just made, and nobody refers to it yet.
            unsafe { self.directory.bucket(0).write(Bucket::EMPTY) };
        } else {
            self.split(rehash);
        }
    }

    fn split(&mut self, mut rehash: impl FnMut(T) -> u64) {
        let added = self.buckets;
        self.directory.reserve(added + 1);
        if added > self.mask {
            self.mask = self.mask * 2 + 1;
        }
        self.buckets += 1;
        let level = self.mask.count_ones() - 1;
        // SAFETY: both buckets are reserved and they differ; the new one is written before it
        // is read. The table is borrowed exclusively.
        let (low, mut high) = unsafe {
            let head = self.directory.bucket(added);
            head.write(Bucket::EMPTY);
            (self.directory.bucket(added & (self.mask >> 1)), ChainMut::new(head))
        };
        // SAFETY: as above.
        let mut cells = unsafe { ChainMut::new(low) }.detach();
        // SAFETY: as above; the chain that was detached is used no more.
        let mut low = unsafe { ChainMut::new(low) };
        if slot::hash_bit(0, level).is_none() {
            cells.buckets().for_each(prefetch_elements);
        }
        for cell in cells.by_ref() {
            let is_high = slot::hash_bit(cell.word, level).unwrap_or_else(|| {
                // SAFETY: the cell is an element of the table.
                let element = unsafe { slot::decode(cell.word) };
                rehash(element) >> level & 1 != 0
            });
            let target = if is_high { &mut high } else { &mut low };
            self.overflow += usize::from(target.push(cell));
        }
        self.overflow -= cells.freed;
    }

    /// Moves the elements of the last bucket to the one that stands in for it.
    #[inline(never)]
    pub(crate) fn merge(&mut self) {
        let last = self.buckets - 1;
        // SAFETY: both buckets exist and they differ, there being more than one; the table is
        // borrowed exclusively.
        let (mut target, last) = unsafe {
            let target = self.directory.bucket(last & (self.mask >> 1));
            (ChainMut::new(target), ChainMut::new(self.directory.bucket(last)))
        };
        let mut cells = last.detach();
        for cell in cells.by_ref() {
            self.overflow += usize::from(target.push(cell));
        }
        self.overflow -= cells.freed;
        self.drop_last_bucket();
    }

    /// Takes away the last bucket, which is empty and not the only one.
    pub(crate) fn drop_last_bucket(&mut self) {
        self.buckets -= 1;
        if self.buckets <= (self.mask >> 1) + 1 {
            self.mask >>= 1;
        }
        self.directory.release(self.buckets);
    }

    /// Counts an element that was taken out of its chain.
    #[inline]
    pub(crate) fn account_removal(&mut self, cell: Cell, freed: bool) {
        self.len -= 1;
        self.marked -= usize::from(cell.mark);
        self.overflow -= usize::from(freed);
    }
}

fn prefetch_elements(bucket: &Bucket) {
    bucket.occupied().for_each(|slot| prefetch_word(bucket.word(slot)));
}
