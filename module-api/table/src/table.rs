//! The table: find, insert, replace, remove.
//!
//! An element's home is the bucket whose number is the low bits of its hash, one more of them where
//! the bucket has been split already:
//!
//! ```text
//! home(h)  = h & mask, or h & (2 * mask + 1) if h & mask is below `split`
//!
//! 6 buckets, mask 3, split 2:    0  1  2  3  4  5
//!                                3 bits: 0 1 4 5;  2 bits: 2 3
//! ```
//!
//! Invariants:
//! - every element is in the chain of its home, with the tag of its hash and the window that belongs
//!   to the home's level; `bases` are where windows begin in buckets that are not split, and that are;
//! - `len`, `marked` and `overflow` count elements, marked elements and slots of overflow blocks;
//! - there are `mask + 1 + split` buckets, where `mask + 1` is a power of two and `split` is not above
//!   `mask`; bucket 0 of a table that has allocated nothing is a static one, which is never written;
//! - closures of the caller run while the table is consistent, or before it has been changed,
//!   except `rehash` during a split: a panic there loses the elements of one bucket (they stay
//!   counted), and nothing worse.

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::bucket::{self, Block, Bucket, Cell, ELEMENT_BYTES};
use crate::chain::{Chain, ChainMut};
use crate::directory::Directory;
use crate::slot::{self, Slot};

/// A hash table of elements that know their own keys. See the crate's page.
///
/// A table is as large as eleven words, and allocates with its first element.
pub struct Table<T: Slot> {
    pub(crate) directory: Directory,
    pub(crate) mask: usize,
    pub(crate) split: usize,
    pub(crate) bases: [u8; 2],
    pub(crate) len: usize,
    pub(crate) marked: usize,
    pub(crate) overflow: usize,
    elements: PhantomData<T>,
}

// SAFETY: the table owns its buckets alone, and its elements may be sent.
unsafe impl<T: Slot + Send> Send for Table<T> {}

// SAFETY: a shared table is only read, and hands out copies of its elements.
unsafe impl<T: Slot + Send + Sync> Sync for Table<T> {}

impl<T: Slot> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Slot> Table<T> {
    /// An empty table, which has allocated nothing.
    pub const fn new() -> Self {
        Table {
            directory: Directory::new(),
            mask: 0,
            split: 0,
            bases: [0; 2],
            len: 0,
            marked: 0,
            overflow: 0,
            elements: PhantomData,
        }
    }

    /// How many elements there are. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none. O(1).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many elements are marked. O(1).
    #[inline]
    pub fn marked(&self) -> usize {
        self.marked
    }

    /// How many buckets there are; 0 before the first insert. O(1).
    pub fn buckets(&self) -> usize {
        if self.directory.is_unallocated() { 0 } else { self.bucket_count() }
    }

    /// How many of the table's bytes are of blocks that buckets overflow into. O(1).
    pub fn overflow_bytes(&self) -> usize {
        self.overflow * ELEMENT_BYTES
    }

    /// Bytes that the table has allocated, as it asked for them; not what the elements point
    /// to, nor the size of the `Table` itself. O(1).
    pub fn memory_bytes(&self) -> usize {
        self.directory.memory_bytes() + self.overflow_bytes()
    }

    /// The element of this hash that `eq` says is the one. O(1).
    ///
    /// `eq` sees an element that is not the one in one of ten to a thousand lookups, by the size of the
    /// table: the [window](crate::slot) is worth most where it has just moved.
    #[inline]
    pub fn find(&self, hash: u64, mut eq: impl FnMut(T) -> bool) -> Option<T> {
        let (chain, sought) = self.seek(hash);
        if let Some((_, value)) = sought.candidates(chain.head()).find(|(_, value)| eq(*value)) {
            return Some(value);
        }
        sought.beyond(chain.head().overflow()?, eq).map(|(_, _, value)| value)
    }

    /// The place of the element of this hash that `eq` says is the one, to read and change it.
    /// It borrows the table, so it ends before anything else changes. O(1).
    #[inline]
    pub fn find_slot(&mut self, hash: u64, eq: impl FnMut(T) -> bool) -> Option<SlotRef<'_, T>> {
        let (block, slot) = self.locate(hash, eq)?;
        Some(SlotRef { head: self.head(hash), block, slot, table: self })
    }

    /// Adds an element that is known to be absent. Amortised O(1); at most one bucket is split,
    /// for which `rehash` may be asked for the hashes of its elements (where the
    /// [window](crate::slot) moves on: in one of ten doublings; they are prefetched before).
    ///
    /// An element that is present already would be there twice.
    ///
    /// # Panics
    ///
    /// If the value has more than [`SLOT_BITS`](crate::SLOT_BITS) bits; nothing is changed then.
    #[inline]
    pub fn insert_new(&mut self, hash: u64, value: T, mark: bool, rehash: impl FnMut(T) -> u64) {
        let word = slot::encode(value, 0);
        if self.is_full() {
            self.grow(rehash);
        }
        let (index, base) = self.home(hash);
        let cell = Cell::new(bucket::tag(hash), mark, word | slot::window(hash, base));
        // SAFETY: the home exists and is allocated, `grow` having seen to bucket 0, and the table is
        // borrowed exclusively.
        let mut chain = unsafe { ChainMut::new(self.directory.bucket(index)) };
        self.overflow += chain.push(cell);
        self.marked += usize::from(mark);
        self.len += 1;
    }

    /// Puts `new` in the place of `old`, which has the same hash, and keeps its mark; compares
    /// bits and looks at neither element. For an entry that has moved. False if `old` is not
    /// there. O(1).
    ///
    /// # Panics
    ///
    /// As [`insert_new`](Table::insert_new).
    #[inline]
    pub fn replace(&mut self, hash: u64, old: T, new: T) -> bool {
        let word = slot::encode(new, 0);
        let Some((block, slot)) = self.locate_value(hash, old) else { return false };
        block.set_word(slot, word | slot::window_of(block.word(slot)));
        true
    }

    /// Sets or clears the mark of an element, found by its bits. False if it is not there. O(1).
    #[inline]
    pub fn set_mark(&mut self, hash: u64, value: T, mark: bool) -> bool {
        let Some((block, slot)) = self.locate_value(hash, value) else { return false };
        self.mark_slot(block, slot, mark);
        true
    }

    /// The mark of an element, found by its bits; `None` if it is not there. O(1).
    #[inline]
    pub fn mark(&self, hash: u64, value: T) -> Option<bool> {
        let (block, slot) = self.locate_value(hash, value)?;
        Some(block.mark(slot))
    }

    /// Takes out the element of this hash that `eq` says is the one. O(1); at most one bucket
    /// is merged into another, which reads no element.
    #[inline]
    pub fn remove(&mut self, hash: u64, eq: impl FnMut(T) -> bool) -> Option<T> {
        self.find_slot(hash, eq).map(SlotRef::remove)
    }

    /// Forgets all elements and frees all buckets. O(buckets) when there are overflow blocks;
    /// [`take_some`](Table::take_some) does it in steps.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// How many buckets there are, of which the first may be the static one.
    #[inline]
    pub(crate) fn bucket_count(&self) -> usize {
        self.mask + 1 + self.split
    }

    /// The number of the bucket where elements of this hash are, and where its windows begin.
    #[inline]
    pub(crate) fn home(&self, hash: u64) -> (usize, u32) {
        let index = hash as usize & self.mask;
        if index < self.split {
            (hash as usize & (self.mask * 2 + 1), u32::from(self.bases[1]))
        } else {
            (index, u32::from(self.bases[0]))
        }
    }

    /// The head bucket where elements of this hash are.
    #[inline]
    pub(crate) fn head(&self, hash: u64) -> NonNull<Bucket> {
        // SAFETY: the index is below the number of buckets, for which there is always room.
        unsafe { self.directory.bucket(self.home(hash).0) }
    }

    /// The elements of a bucket.
    #[inline]
    pub(crate) fn chain(&self, index: usize) -> Chain<'_> {
        debug_assert!(index < self.bucket_count());
        // SAFETY: callers pass numbers of buckets, for which there is always room, and the table is
        // borrowed.
        unsafe { Chain::new(self.directory.bucket(index)) }
    }

    /// Where an element is. Whoever changes something there has the table exclusively.
    #[inline]
    fn locate(&self, hash: u64, mut eq: impl FnMut(T) -> bool) -> Option<(Block, usize)> {
        let (chain, sought) = self.seek(hash);
        if let Some((slot, _)) = sought.candidates(chain.head()).find(|(_, value)| eq(*value)) {
            return Some((chain.head(), slot));
        }
        sought.beyond(chain.head().overflow()?, eq).map(|(block, slot, _)| (block, slot))
    }

    /// The chain of a hash, and what to look for in it.
    #[inline]
    pub(crate) fn seek(&self, hash: u64) -> (Chain<'_>, Sought<T>) {
        let (index, base) = self.home(hash);
        let sought = Sought { tag: bucket::tag(hash), window: slot::window(hash, base), elements: PhantomData };
        (self.chain(index), sought)
    }

    #[inline]
    fn locate_value(&self, hash: u64, value: T) -> Option<(Block, usize)> {
        let bits = value.into_bits();
        self.locate(hash, |candidate| candidate.into_bits() == bits)
    }

    #[inline]
    fn mark_slot(&mut self, block: Block, slot: usize, mark: bool) {
        self.marked -= usize::from(block.mark(slot));
        self.marked += usize::from(mark);
        block.set_mark(slot, mark);
    }
}

impl<T: Slot> Drop for Table<T> {
    /// Frees the buckets, and nothing that the elements point to.
    fn drop(&mut self) {
        for index in (0..self.bucket_count()).rev() {
            if self.overflow == 0 {
                break;
            }
            // SAFETY: the bucket exists, and the table is borrowed exclusively; with overflow
            // blocks around, bucket 0 is not the static one.
            let mut chain = unsafe { ChainMut::new(self.directory.bucket(index)) }.detach();
            chain.by_ref().for_each(drop);
            self.overflow -= chain.freed;
        }
    }
}

/// What the slot of an element shows of its hash.
#[derive(Clone, Copy)]
pub(crate) struct Sought<T> {
    tag: u8,
    window: u64,
    elements: PhantomData<T>,
}

impl<T: Slot> Sought<T> {
    /// Elements of a block of the table's that may be the one sought, with their slots.
    #[inline]
    pub(crate) fn candidates(self, block: Block) -> impl Iterator<Item = (usize, T)> {
        block.matching(self.tag).filter_map(move |slot| {
            // SAFETY: a matching slot holds an element of the table.
            unsafe { slot::decode_if(block.word(slot), self.window) }.map(|value| (slot, value))
        })
    }

    /// The element that `eq` says is the one, in an overflow block or those behind it. Out of line:
    /// most are in their heads, where the search knows how many slots there are.
    #[inline(never)]
    fn beyond(self, overflow: Block, mut eq: impl FnMut(T) -> bool) -> Option<(Block, usize, T)> {
        let mut next = Some(overflow);
        while let Some(block) = next {
            if let Some((slot, value)) = self.candidates(block).find(|(_, value)| eq(*value)) {
                return Some((block, slot, value));
            }
            next = block.overflow();
        }
        None
    }
}

/// The place of an element, by [`Table::find_slot`]; it borrows the table exclusively.
pub struct SlotRef<'a, T: Slot> {
    table: &'a mut Table<T>,
    head: NonNull<Bucket>,
    block: Block,
    slot: usize,
}

impl<T: Slot> SlotRef<'_, T> {
    /// The element. O(1).
    #[inline]
    pub fn get(&self) -> T {
        // SAFETY: the slot holds an element of the table, which has not changed since, being borrowed.
        unsafe { slot::decode(self.block.word(self.slot)) }
    }

    /// Puts another element of the same hash in its place, and keeps the mark. O(1).
    ///
    /// # Panics
    ///
    /// As [`Table::insert_new`].
    #[inline]
    pub fn set(&mut self, value: T) {
        let window = slot::window_of(self.block.word(self.slot));
        self.block.set_word(self.slot, slot::encode(value, window));
    }

    /// Whether the element is marked. O(1).
    #[inline]
    pub fn mark(&self) -> bool {
        self.block.mark(self.slot)
    }

    /// Sets or clears the element's mark. O(1).
    #[inline]
    pub fn set_mark(&mut self, mark: bool) {
        self.table.mark_slot(self.block, self.slot, mark);
    }

    /// Takes the element out. O(1), as [`Table::remove`].
    #[inline]
    pub fn remove(self) -> T {
        // SAFETY: the head of the chain that the slot was found in; the table is borrowed
        // exclusively and has not changed since.
        let (cell, freed) = unsafe { ChainMut::new(self.head) }.take(self.block, self.slot);
        self.table.account_removal(cell, freed);
        if self.table.is_sparse() {
            self.table.merge();
        }
        // SAFETY: the cell was an element of the table.
        unsafe { slot::decode(cell.word) }
    }
}
