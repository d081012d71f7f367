//! Growing and shrinking, one bucket at a time.
//!
//! ```text
//! split: a table of n buckets gets bucket n, from the one that has the elements of both
//!
//!    n = 5              0  1  2  3  4          bucket 1 holds hashes ..001 and ..101
//!    n = 6              0  1  2  3  4  5       those of ..101 are now in bucket 5
//!
//! merge: the same backwards
//! ```
//!
//! *When.* A bucket is split when there are more than nine elements a bucket. Buckets hold
//! from three to eighteen then, half of them have an overflow block, and all in all an element takes 9.2
//! to 9.6 bytes in tables of 600,000 to 1.8 million; a lookup sees 1.3 heads and blocks if it finds
//! something, 1.7 if not. By the Poisson distribution, at one million: a load of 8.5 makes it 9.5 bytes,
//! 1.28 and 1.59; 9 makes it 9.4, 1.33 and 1.70; 10 makes it 9.3, 1.42 and 1.88. Slots of eight bytes
//! with the same blocks take 10.8 at 9; blocks of a whole cache line, split at 6.5, took 13.6.
//! A bucket is merged into its counterpart when there are fewer than three elements a bucket, so
//! that a table whose size swings by less than a factor of three does neither.
//!
//! *How long.* A split handles the score of elements of one bucket. It reads no element but where the
//! window (see `slot`) moves on; there the elements are prefetched together before `rehash` is asked
//! about each. A merge never needs the hash.

use crate::bucket::{Bucket, Cell};
use crate::chain::ChainMut;
use crate::prefetch::prefetch_word;
use crate::slot::{self, Slot};
use crate::table::Table;

/// Elements per bucket above which an insert splits one.
const SPLIT_LOAD: usize = 9;
/// Elements per bucket below which a removal merges one.
const MERGE_LOAD: usize = 3;

impl<T: Slot> Table<T> {
    /// Whether an insert has to [`grow`](Table::grow) the table first.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len > self.bucket_count() * SPLIT_LOAD || self.directory.is_unallocated()
    }

    /// Whether a removal should be followed by a [`merge`](Table::merge).
    #[inline]
    pub(crate) fn is_sparse(&self) -> bool {
        self.len < self.bucket_count() * MERGE_LOAD && self.bucket_count() > 1
    }

    /// Makes an empty table as large as it would be with so many elements, so that adding them splits nothing. Of
    /// one that is not empty it does nothing. O(elements), a ninth of them in buckets.
    ///
    /// The buckets stay where fewer are added, until elements are removed.
    pub fn presize(&mut self, elements: usize) {
        if !self.is_empty() || elements == 0 || self.bucket_count() > 1 {
            return;
        }
        let count = (elements - 1).div_ceil(SPLIT_LOAD).max(1);
        self.directory.reserve_all(count);
        for index in 0..count {
            // SAFETY: room for the bucket was just made, and the table is borrowed exclusively and empty.
            unsafe { self.directory.bucket(index).write(Bucket::EMPTY) };
        }
        let level = count.ilog2();
        self.set_level(level, count - (1 << level));
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
        let (index, added, level) = (self.split, self.bucket_count(), self.mask.trailing_ones());
        self.directory.reserve(added + 1);
        // SAFETY: both buckets are reserved and they differ; the new one is written before it
        // is read. The table is borrowed exclusively.
        let (low, mut high) = unsafe {
            let head = self.directory.bucket(added);
            head.write(Bucket::EMPTY);
            (self.directory.bucket(index), ChainMut::new(head))
        };
        // SAFETY: as above.
        let mut cells = unsafe { ChainMut::new(low) }.detach();
        // SAFETY: as above; the chain that was detached is used no more.
        let mut low = unsafe { ChainMut::new(low) };
        self.split += 1;
        if self.split > self.mask {
            self.set_level(level + 1, 0);
        }
        let (base, base_before) = (slot::base(level + 1), slot::base(level));
        if base != base_before {
            cells.words().for_each(prefetch_word);
        }
        for mut cell in cells.by_ref() {
            let target = if slot::split_bit(cell.word, level) { &mut high } else { &mut low };
            if base != base_before {
                // SAFETY: the cell is an element of the table.
                let hash = rehash(unsafe { slot::decode(cell.word) });
                cell.word = slot::bits_of(cell.word) | slot::window(hash, base);
            }
            self.overflow += target.push(cell);
        }
        self.overflow -= cells.freed;
    }

    /// Moves the elements of the last bucket to the one that it was split from.
    #[inline(never)]
    pub(crate) fn merge(&mut self) {
        let last = self.bucket_count() - 1;
        // SAFETY: the bucket exists, and is not the static one, there being more than one; the table
        // is borrowed exclusively.
        let mut cells = unsafe { ChainMut::new(self.directory.bucket(last)) }.detach();
        let (target, level) = self.drop_last_bucket();
        // SAFETY: this bucket exists too, and is another one.
        let mut target = unsafe { ChainMut::new(self.directory.bucket(target)) };
        for mut cell in cells.by_ref() {
            cell.word = rewindow(cell.word, last, level);
            self.overflow += target.push(cell);
        }
        self.overflow -= cells.freed;
    }

    /// Takes away the last bucket, which is empty and not the only one. The number of the bucket that
    /// it was split from, and that bucket's level now.
    pub(crate) fn drop_last_bucket(&mut self) -> (usize, u32) {
        if self.split == 0 {
            let level = self.mask.trailing_ones() - 1;
            self.set_level(level, 1 << level);
        }
        self.split -= 1;
        let (target, level) = (self.split, self.mask.trailing_ones());
        if slot::base(level) != slot::base(level + 1) {
            // SAFETY: the bucket exists, and is not the static one, there having been more than one;
            // the table is borrowed exclusively.
            let mut chain = unsafe { ChainMut::new(self.directory.bucket(target)) };
            chain.update(|word| rewindow(word, target, level));
        }
        self.directory.release(self.bucket_count());
        (target, level)
    }

    /// Sets how many bits the number of a bucket has that is not split, and how many are.
    fn set_level(&mut self, level: u32, split: usize) {
        (self.mask, self.split) = ((1 << level) - 1, split);
        self.bases = [slot::base(level) as u8, slot::base(level + 1) as u8];
    }

    /// Counts an element that was taken out of its chain.
    #[inline]
    pub(crate) fn account_removal(&mut self, cell: Cell, freed: usize) {
        self.len -= 1;
        self.marked -= usize::from(cell.mark());
        self.overflow -= freed;
    }
}

/// The word of an element of a bucket that falls back to `level`, and had one bit more before. If the
/// window moves back, it holds bits that the bucket's number, `index`, had, and the lowest of its own.
fn rewindow(word: u64, index: usize, level: u32) -> u64 {
    let (base, base_before) = (slot::base(level), slot::base(level + 1));
    if base == base_before {
        return word;
    }
    let hash = index as u64 | slot::window_of(word) >> slot::SLOT_BITS << base_before;
    slot::bits_of(word) | slot::window(hash, base)
}
