//! A bucket with its overflow buckets, seen as one set of elements.
//!
//! ```text
//! head (in the directory)        overflow                  overflow, the last
//! [c|t t t t t t 0][6 cells|→]   [c|t t t t t t 0][6|→]   [ |t t . . . . .][2..=7 cells]
//! ```
//!
//! Invariants: only the last bucket of a chain has vacant slots; an overflow bucket that is last
//! holds at least two elements. A removal keeps them by moving an element from the last bucket
//! into the hole, so a chain is as short as its elements allow and an insert looks for room in one
//! place. Elements move within the chain only, where no cursor and no lookup can miss them.
//!
//! Overflow buckets are single 64-byte allocations: a size that jemalloc serves from its thread's
//! cache, and a third of the buckets has one. glibc's allocator is another matter: it puts off
//! merging freed blocks of this size until the next large request, a chunk of the directory, and
//! then takes up to 2.5 ms over them (measured; none of that with jemalloc, which the server
//! uses).

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::bucket::{Bucket, Cell, LAST_SLOT};

/// A chain, by its head. Lives no longer than the borrow of the table it was made under.
#[derive(Clone, Copy)]
pub(crate) struct Chain<'a> {
    head: NonNull<Bucket>,
    table: PhantomData<&'a Bucket>,
}

impl<'a> Chain<'a> {
    /// # Safety
    ///
    /// `head` is an initialised head bucket, and nothing writes to the chain during `'a` except
    /// through this value.
    #[inline]
    pub(crate) unsafe fn new(head: NonNull<Bucket>) -> Self {
        Chain { head, table: PhantomData }
    }

    /// The chain's buckets from the head on.
    #[inline]
    pub(crate) fn buckets(self) -> Buckets<'a> {
        Buckets { next: Some(self.head), chain: PhantomData }
    }

    /// How many elements it has.
    pub(crate) fn len(self) -> usize {
        self.buckets().map(|bucket| bucket.occupied().len()).sum()
    }

    /// The last bucket, and the one before it.
    #[inline]
    fn tail(self) -> (NonNull<Bucket>, Option<NonNull<Bucket>>) {
        let (mut last, mut parent) = (self.head, None);
        // SAFETY: every bucket of the chain is initialised and nobody else writes to it now.
        while let Some(next) = unsafe { last.as_ref() }.overflow() {
            parent = Some(last);
            last = next;
        }
        (last, parent)
    }
}

/// A chain that may be changed. The methods say by how many overflow buckets it grew or shrank.
pub(crate) struct ChainMut<'a>(Chain<'a>);

impl<'a> ChainMut<'a> {
    /// # Safety
    ///
    /// As [`Chain::new`]; the head must not be shared with another live chain.
    #[inline]
    pub(crate) unsafe fn new(head: NonNull<Bucket>) -> Self {
        // SAFETY: promised by the caller.
        ChainMut(unsafe { Chain::new(head) })
    }

    /// Adds an element; true if that took a new overflow bucket. O(chain length).
    #[inline]
    pub(crate) fn push(&mut self, cell: Cell) -> bool {
        let (mut last, _) = self.0.tail();
        // SAFETY: a bucket of this chain, which this value alone may write to.
        let last = unsafe { last.as_mut() };
        if let Some(slot) = last.vacant().next() {
            last.put(slot, cell);
            return false;
        }
        extend(last, cell);
        true
    }

    /// Takes the element in a slot of one of the chain's buckets; true if that freed an overflow
    /// bucket. O(chain length).
    pub(crate) fn take(&mut self, bucket: NonNull<Bucket>, slot: usize) -> (Cell, bool) {
        let (mut last, parent) = self.0.tail();
        let mut holed = bucket;
        // SAFETY: a bucket of this chain, which this value alone may write to; the reference
        // ends before `last`, which may be the same bucket, is borrowed.
        let taken = unsafe { holed.as_ref() }.cell(slot);
        // SAFETY: as above.
        unsafe { holed.as_mut() }.vacate(slot);
        if holed != last {
            // SAFETY: as above, and the two buckets differ.
            let (holed, last) = unsafe { (holed.as_mut(), last.as_mut()) };
            if let Some(from) = last.occupied().next() {
                holed.put(slot, last.cell(from));
                last.vacate(from);
            }
        }
        (taken, parent.is_some_and(|parent| fold(parent, last)))
    }

    /// Takes any one element; the flag is as for [`take`](ChainMut::take).
    pub(crate) fn pop(&mut self) -> Option<(Cell, bool)> {
        let (last, _) = self.0.tail();
        // SAFETY: a bucket of this chain, which this value alone may write to.
        let slot = unsafe { last.as_ref() }.occupied().next()?;
        Some(self.take(last, slot))
    }

    /// Moves everything out and leaves the head empty.
    pub(crate) fn detach(self) -> Detached {
        // SAFETY: the head is initialised and this value alone may write to it.
        Detached { current: unsafe { self.0.head.replace(Bucket::EMPTY) }, freed: 0 }
    }
}

/// Gives a full bucket an overflow bucket that holds its last element and `cell`.
#[cold]
#[inline(never)]
fn extend(full: &mut Bucket, cell: Cell) {
    let mut overflow = Bucket::EMPTY;
    overflow.put(1, full.cell(LAST_SLOT));
    overflow.put(2, cell);
    full.vacate(LAST_SLOT);
    full.chain(allocate(overflow));
}

/// Frees the last overflow bucket if its parent has room for what is left in it.
fn fold(mut parent: NonNull<Bucket>, last: NonNull<Bucket>) -> bool {
    // SAFETY: both are buckets of one chain that the caller may write to, and they differ.
    let (parent, left) = unsafe { (parent.as_mut(), last.as_ref()) };
    let mut occupied = left.occupied();
    if occupied.len() > 1 {
        return false;
    }
    parent.unchain();
    if let Some(slot) = occupied.next() {
        parent.put(LAST_SLOT, left.cell(slot));
    }
    // SAFETY: `last` came from `allocate`, being an overflow bucket, and nothing names it now.
    unsafe { free(last) };
    true
}

/// The contents of a chain on their way to another place: an iterator over the elements that
/// frees overflow buckets as it leaves them.
pub(crate) struct Detached {
    current: Bucket,
    /// How many overflow buckets have been freed so far.
    pub(crate) freed: usize,
}

impl Detached {
    /// The buckets that are still to come.
    pub(crate) fn buckets(&self) -> Buckets<'_> {
        Buckets { next: Some(NonNull::from(&self.current)), chain: PhantomData }
    }
}

impl Iterator for Detached {
    type Item = Cell;

    #[inline]
    fn next(&mut self) -> Option<Cell> {
        loop {
            if let Some(slot) = self.current.occupied().next() {
                let cell = self.current.cell(slot);
                self.current.vacate(slot);
                return Some(cell);
            }
            let overflow = self.current.overflow()?;
            // SAFETY: an overflow bucket is initialised; its only owner was `current`.
            self.current = unsafe { overflow.read() };
            // SAFETY: it came from `allocate`, and `current` no longer names it.
            unsafe { free(overflow) };
            self.freed += 1;
        }
    }
}

impl Drop for Detached {
    /// Frees what is left if the consumer panicked; the elements are then lost to the table.
    fn drop(&mut self) {
        self.by_ref().for_each(drop);
    }
}

/// Iterator over a chain's buckets.
pub(crate) struct Buckets<'a> {
    next: Option<NonNull<Bucket>>,
    chain: PhantomData<&'a Bucket>,
}

impl<'a> Iterator for Buckets<'a> {
    type Item = &'a Bucket;

    #[inline]
    fn next(&mut self) -> Option<&'a Bucket> {
        // SAFETY: every bucket of the chain is initialised, and nobody writes to it during 'a.
        let bucket = unsafe { self.next?.as_ref() };
        self.next = bucket.overflow();
        Some(bucket)
    }
}

const LAYOUT: Layout = Layout::new::<Bucket>();

fn allocate(bucket: Bucket) -> NonNull<Bucket> {
    // SAFETY: the layout's size is not zero.
    let memory = unsafe { alloc(LAYOUT) }.cast::<Bucket>();
    let Some(memory) = NonNull::new(memory) else { handle_alloc_error(LAYOUT) };
    // SAFETY: fresh memory of a bucket's size and alignment.
    unsafe { memory.write(bucket) };
    memory
}

/// # Safety
///
/// `bucket` came from [`allocate`] and is not used again.
unsafe fn free(bucket: NonNull<Bucket>) {
    // SAFETY: promised by the caller; the layout is the one it was allocated with.
    unsafe { dealloc(bucket.as_ptr().cast(), LAYOUT) }
}
