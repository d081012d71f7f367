//! The table: find, insert, replace, remove.
//!
//! An element's home is the bucket whose number is the low bits of its hash:
//!
//! ```text
//! mask     = the least 2^k − 1 that is not below the last bucket's number
//! home(h)  = h & mask, or h & (mask >> 1) where that bucket does not exist yet
//!
//! 6 buckets, mask 7:    0  1  2  3  4  5  .  .
//!                       3 bits: 0 1 4 5;  2 bits: 2 3, which stand in for 6 and 7
//! ```
//!
//! Invariants:
//! - every element is in the chain of its home, with the tag and the window of its hash;
//! - `len`, `marked` and `overflow` count elements, marked elements and overflow buckets;
//! - `buckets` is at least 1; bucket 0 of a table that has allocated nothing is a static one,
//!   which is never written;
//! - closures of the caller run while the table is consistent, or before it has been changed,
//!   except `rehash` during a split: a panic there loses the elements of one bucket (they stay
//!   counted), and nothing worse.

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::bucket::{self, Bucket, Cell};
use crate::chain::{Chain, ChainMut};
use crate::directory::Directory;
use crate::slot::{self, Slot};

/// A hash table of elements that know their own keys. See the crate's page.
///
/// A table is as large as ten words, and allocates with its first element.
pub struct Table<T: Slot> {
    pub(crate) directory: Directory,
    pub(crate) mask: usize,
    pub(crate) buckets: usize,
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
            buckets: 1,
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

    /// How many buckets there are, without overflow buckets; 0 before the first insert. O(1).
    pub fn buckets(&self) -> usize {
        if self.directory.is_unallocated() { 0 } else { self.buckets }
    }

    /// How many of the buckets' overflow buckets there are. O(1).
    pub fn overflow_buckets(&self) -> usize {
        self.overflow
    }

    /// Bytes that the table has allocated, as it asked for them; not what the elements point
    /// to, nor the size of the `Table` itself. O(1).
    pub fn memory_bytes(&self) -> usize {
        self.directory.memory_bytes() + self.overflow * size_of::<Bucket>()
    }

    /// The element of this hash that `eq` says is the one. O(1).
    ///
    /// `eq` sees an element that is not the one about once in a hundred lookups in a large
    /// table.
    #[inline]
    pub fn find(&self, hash: u64, mut eq: impl FnMut(T) -> bool) -> Option<T> {
        let (tag, window) = (bucket::tag(hash), slot::window(hash));
        for bucket in self.home(hash).buckets() {
            for slot in bucket.matching(tag) {
                // SAFETY: a matching slot holds an element of this table.
                if let Some(value) = unsafe { decode_if(bucket.word(slot), window) }
                    && eq(value)
                {
                    return Some(value);
                }
            }
        }
        None
    }

    /// The place of the element of this hash that `eq` says is the one, to read and change it.
    /// It borrows the table, so it ends before anything else changes. O(1).
    #[inline]
    pub fn find_slot(&mut self, hash: u64, eq: impl FnMut(T) -> bool) -> Option<SlotRef<'_, T>> {
        let (bucket, slot) = self.locate(hash, eq)?;
        Some(SlotRef { head: self.head(hash), bucket, slot, table: self })
    }

    /// Adds an element that is known to be absent. Amortised O(1); at most one bucket is split,
    /// for which `rehash` may be asked for the hashes of its elements (only in tables of fewer
    /// than 256 or more than 16 million buckets; they are prefetched before).
    ///
    /// An element that is present already would be there twice.
    ///
    /// # Panics
    ///
    /// If the value has more than [`SLOT_BITS`](crate::SLOT_BITS) bits; nothing is changed then.
    #[inline]
    pub fn insert_new(&mut self, hash: u64, value: T, mark: bool, rehash: impl FnMut(T) -> u64) {
        let cell = Cell { tag: bucket::tag(hash), mark, word: slot::encode(value, hash) };
        if self.is_full() {
            self.grow(rehash);
        }
        // SAFETY: the home is allocated, `grow` having seen to bucket 0, and the table is
        // borrowed exclusively.
        let extended = unsafe { ChainMut::new(self.head(hash)) }.push(cell);
        self.overflow += usize::from(extended);
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
        let word = slot::encode(new, hash);
        let Some((mut bucket, slot)) = self.locate_value(hash, old) else { return false };
        // SAFETY: `locate` gives an initialised bucket, and the table is borrowed exclusively.
        unsafe { bucket.as_mut() }.set_word(slot, word);
        true
    }

    /// Sets or clears the mark of an element, found by its bits. False if it is not there. O(1).
    #[inline]
    pub fn set_mark(&mut self, hash: u64, value: T, mark: bool) -> bool {
        let Some((bucket, slot)) = self.locate_value(hash, value) else { return false };
        self.mark_slot(bucket, slot, mark);
        true
    }

    /// The mark of an element, found by its bits; `None` if it is not there. O(1).
    #[inline]
    pub fn mark(&self, hash: u64, value: T) -> Option<bool> {
        let (bucket, slot) = self.locate_value(hash, value)?;
        // SAFETY: `locate` gives an initialised bucket, and nobody writes to the table now.
        Some(unsafe { bucket.as_ref() }.mark(slot))
    }

    /// Takes out the element of this hash that `eq` says is the one. O(1); at most one bucket
    /// is merged into another, which reads no element.
    #[inline]
    pub fn remove(&mut self, hash: u64, eq: impl FnMut(T) -> bool) -> Option<T> {
        self.find_slot(hash, eq).map(SlotRef::remove)
    }

    /// Forgets all elements and frees all buckets. O(buckets) when there are overflow buckets;
    /// [`take_some`](Table::take_some) does it in steps.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// The number of the bucket where elements of this hash are.
    #[inline]
    pub(crate) fn home_index(&self, hash: u64) -> usize {
        let index = hash as usize & self.mask;
        if index < self.buckets { index } else { index & (self.mask >> 1) }
    }

    /// The head bucket where elements of this hash are.
    #[inline]
    pub(crate) fn head(&self, hash: u64) -> NonNull<Bucket> {
        // SAFETY: the index is below `buckets`, for which there is always room.
        unsafe { self.directory.bucket(self.home_index(hash)) }
    }

    #[inline]
    pub(crate) fn home(&self, hash: u64) -> Chain<'_> {
        // SAFETY: the head of an existing bucket, in a table that is borrowed.
        unsafe { Chain::new(self.head(hash)) }
    }

    /// The elements of a bucket.
    #[inline]
    pub(crate) fn chain(&self, index: usize) -> Chain<'_> {
        debug_assert!(index < self.buckets);
        // SAFETY: callers pass numbers below `buckets`, for which there is always room, and the
        // table is borrowed.
        unsafe { Chain::new(self.directory.bucket(index)) }
    }

    /// Words in the head bucket that may be the element sought; returns the overflow bucket.
    #[inline]
    pub(crate) fn candidates_in_head(&self, hash: u64, mut visit: impl FnMut(u64)) -> Option<NonNull<Bucket>> {
        // SAFETY: the head is initialised, and nobody writes to the table now.
        let head = unsafe { self.head(hash).as_ref() };
        for slot in head.matching(bucket::tag(hash)) {
            visit(head.word(slot));
        }
        head.overflow()
    }

    #[inline]
    fn locate(&self, hash: u64, mut eq: impl FnMut(T) -> bool) -> Option<(NonNull<Bucket>, usize)> {
        let (tag, window) = (bucket::tag(hash), slot::window(hash));
        let mut next = Some(self.head(hash));
        while let Some(place) = next {
            // SAFETY: a bucket of the table's, and nobody writes to the table now.
            let bucket = unsafe { place.as_ref() };
            for slot in bucket.matching(tag) {
                // SAFETY: a matching slot holds an element of this table.
                if let Some(value) = unsafe { decode_if(bucket.word(slot), window) }
                    && eq(value)
                {
                    return Some((place, slot));
                }
            }
            next = bucket.overflow();
        }
        None
    }

    #[inline]
    fn locate_value(&self, hash: u64, value: T) -> Option<(NonNull<Bucket>, usize)> {
        let bits = value.into_bits();
        self.locate(hash, |candidate| candidate.into_bits() == bits)
    }

    #[inline]
    fn mark_slot(&mut self, mut bucket: NonNull<Bucket>, slot: usize, mark: bool) {
        // SAFETY: callers pass what `locate` found, and the table is borrowed exclusively.
        let bucket = unsafe { bucket.as_mut() };
        self.marked -= usize::from(bucket.mark(slot));
        self.marked += usize::from(mark);
        bucket.set_mark(slot, mark);
    }
}

impl<T: Slot> Drop for Table<T> {
    /// Frees the buckets, and nothing that the elements point to.
    fn drop(&mut self) {
        for index in (0..self.buckets).rev() {
            if self.overflow == 0 {
                break;
            }
            // SAFETY: the bucket exists, and the table is borrowed exclusively; with overflow
            // buckets around, bucket 0 is not the static one.
            let mut chain = unsafe { ChainMut::new(self.directory.bucket(index)) }.detach();
            chain.by_ref().for_each(drop);
            self.overflow -= chain.freed;
        }
    }
}

/// The value in a word, if the word's window is this one.
///
/// # Safety
///
/// The word holds a value of type `T`.
#[inline]
unsafe fn decode_if<T: Slot>(word: u64, window: u64) -> Option<T> {
    let bits = word ^ window;
    // SAFETY: with its window gone a word holds the bits of the value it was made from.
    (bits >> slot::SLOT_BITS == 0).then(|| unsafe { T::from_bits(bits) })
}

/// The place of an element, by [`Table::find_slot`]; it borrows the table exclusively.
pub struct SlotRef<'a, T: Slot> {
    table: &'a mut Table<T>,
    head: NonNull<Bucket>,
    bucket: NonNull<Bucket>,
    slot: usize,
}

impl<T: Slot> SlotRef<'_, T> {
    #[inline]
    fn bucket(&self) -> &Bucket {
        // SAFETY: found in the table, which has not changed since, being borrowed.
        unsafe { self.bucket.as_ref() }
    }

    /// The element. O(1).
    #[inline]
    pub fn get(&self) -> T {
        // SAFETY: the slot holds an element of the table.
        unsafe { slot::decode(self.bucket().word(self.slot)) }
    }

    /// Puts another element of the same hash in its place, and keeps the mark. O(1).
    ///
    /// # Panics
    ///
    /// As [`Table::insert_new`].
    #[inline]
    pub fn set(&mut self, value: T) {
        let window = self.bucket().word(self.slot) >> slot::SLOT_BITS << slot::SLOT_BITS;
        let word = slot::encode(value, 0) | window;
        // SAFETY: as for `bucket`, and the table is borrowed exclusively.
        unsafe { self.bucket.as_mut() }.set_word(self.slot, word);
    }

    /// Whether the element is marked. O(1).
    #[inline]
    pub fn mark(&self) -> bool {
        self.bucket().mark(self.slot)
    }

    /// Sets or clears the element's mark. O(1).
    #[inline]
    pub fn set_mark(&mut self, mark: bool) {
        self.table.mark_slot(self.bucket, self.slot, mark);
    }

    /// Takes the element out. O(1), as [`Table::remove`].
    #[inline]
    pub fn remove(self) -> T {
        // SAFETY: the head of the chain that the slot was found in; the table is borrowed
        // exclusively and has not changed since.
        let (cell, freed) = unsafe { ChainMut::new(self.head) }.take(self.bucket, self.slot);
        self.table.account_removal(cell, freed);
        if self.table.is_sparse() {
            self.table.merge();
        }
        // SAFETY: the cell was an element of the table.
        unsafe { slot::decode(cell.word) }
    }
}
