//! A bucket with its overflow blocks, seen as one set of elements.
//!
//! ```text
//! head (in the directory)         overflow                   overflow, the last
//! [t t t t t t t →][7 slots|→]    [t t t t t t t →][7|→]     [t ... ][2..=8 slots]
//! ```
//!
//! Invariants: a head with an overflow block is full; of the blocks only the last has fewer than
//! eight slots, and it has two elements at least. A removal keeps them by moving the last element of
//! the last block into the hole, so a chain is as short as its elements allow and an insert looks for
//! room in one place. Elements move within the chain only, where no cursor and no lookup can miss
//! them.
//!
//! Blocks are small allocations of 16, 24, 32 .. 64 bytes, sizes that jemalloc serves from its
//! thread's cache; half of the buckets have one. Each insert into a block and each removal from one
//! allocates another, which is what eight bytes an element cost.

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::bucket::{Block, Bucket, Cell, LAST_SLOT, Slots, WIDTH};

/// A chain, by its head. Lives no longer than the borrow of the table it was made under.
#[derive(Clone, Copy)]
pub(crate) struct Chain<'a> {
    head: Block,
    table: PhantomData<&'a Bucket>,
}

impl<'a> Chain<'a> {
    /// # Safety
    ///
    /// `head` is an initialised head bucket, and nothing writes to the chain during `'a` except
    /// through this value.
    #[inline]
    pub(crate) unsafe fn new(head: NonNull<Bucket>) -> Self {
        // SAFETY: promised by the caller.
        Chain { head: unsafe { Block::of_head(head) }, table: PhantomData }
    }

    /// The head, without what overflows.
    #[inline]
    pub(crate) fn head(self) -> Block {
        self.head
    }

    /// The head and the blocks behind it.
    #[inline]
    pub(crate) fn blocks(self) -> Blocks<'a> {
        Blocks { next: Some(self.head), chain: PhantomData }
    }

    /// How many elements it has.
    pub(crate) fn len(self) -> usize {
        self.blocks().map(|block| block.occupied().len()).sum()
    }
}

/// A chain that may be changed. The methods say by how many slots its overflow blocks grew or shrank.
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

    /// Adds an element; by how many slots that made the overflow longer. O(chain length).
    #[inline]
    pub(crate) fn push(&mut self, cell: Cell) -> usize {
        if let Some(slot) = self.0.head.vacant().next() {
            self.0.head.put(slot, cell);
            return 0;
        }
        overflow(self.0.head, cell)
    }

    /// Takes the element in a slot of one of the chain's blocks; by how many slots that made the
    /// overflow shorter. O(chain length).
    pub(crate) fn take(&mut self, block: Block, slot: usize) -> (Cell, usize) {
        let taken = block.cell(slot);
        let (last, parent) = tail(self.0.head);
        let Some(parent) = parent else {
            last.vacate(slot);
            return (taken, 0);
        };
        let end = last.width() - 1;
        block.put(slot, last.cell(end));
        if end > 1 {
            // SAFETY: an overflow block of more than two slots, to which nothing but its parent's
            // link leads.
            parent.link(unsafe { last.shortened() });
            return (taken, 1);
        }
        parent.put(LAST_SLOT, last.cell(0));
        // SAFETY: an overflow block, to which nothing leads now.
        unsafe { last.free() };
        (taken, 2)
    }

    /// Takes any one element; the number is as for [`take`](ChainMut::take).
    pub(crate) fn pop(&mut self) -> Option<(Cell, usize)> {
        let (last, _) = tail(self.0.head);
        let slot = last.occupied().last()?;
        Some(self.take(last, slot))
    }

    /// Changes the word of each element.
    pub(crate) fn update(&mut self, mut update: impl FnMut(u64) -> u64) {
        for block in self.0.blocks() {
            for slot in block.occupied() {
                block.set_word(slot, update(block.word(slot)));
            }
        }
    }

    /// Moves everything out and leaves the head empty.
    pub(crate) fn detach(self) -> Detached {
        let mut detached = Detached { current: Bucket::EMPTY, width: WIDTH, left: self.0.head.occupied(), freed: 0 };
        self.0.head.copy_to(&mut detached.current);
        self.0.head.clear();
        detached
    }
}

/// The last block of a chain, which may be its head, and the one before it.
#[inline]
fn tail(head: Block) -> (Block, Option<Block>) {
    let (mut last, mut parent) = (head, None);
    while let Some(next) = last.overflow() {
        parent = Some(last);
        last = next;
    }
    (last, parent)
}

/// Adds an element to a chain whose head is full, as [`ChainMut::push`].
#[inline(never)]
fn overflow(head: Block, cell: Cell) -> usize {
    match tail(head) {
        (last, Some(parent)) if last.width() < WIDTH => {
            // SAFETY: an overflow block of fewer than eight slots, to which nothing but its parent's
            // link leads.
            parent.link(unsafe { last.lengthened(cell) });
            1
        }
        (full, _) => {
            full.link(Block::of_two(full.cell(LAST_SLOT), cell));
            2
        }
    }
}

/// The contents of a chain on their way to another place: an iterator over the elements that
/// frees overflow blocks as it leaves them.
pub(crate) struct Detached {
    /// A copy of the head, or of the block that the iterator is at, which is freed already.
    current: Bucket,
    width: usize,
    left: Slots,
    /// How many slots of overflow blocks have been freed so far.
    pub(crate) freed: usize,
}

impl Detached {
    #[inline]
    fn current(&self) -> Block {
        // SAFETY: it is a copy of a head or block of this width, and who has it only reads.
        unsafe { Block::of_copy(&self.current, self.width) }
    }

    /// What is in the slots, before any was taken.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> {
        let blocks = Blocks { next: Some(self.current()), chain: PhantomData };
        blocks.flat_map(|block| block.occupied().map(move |slot| block.word(slot)))
    }
}

impl Iterator for Detached {
    type Item = Cell;

    #[inline]
    fn next(&mut self) -> Option<Cell> {
        loop {
            let current = self.current();
            if let Some(slot) = self.left.next() {
                return Some(current.cell(slot));
            }
            let overflow = current.overflow()?;
            overflow.copy_to(&mut self.current);
            (self.width, self.left) = (overflow.width(), overflow.occupied());
            self.freed += overflow.width();
            // SAFETY: an overflow block, whose only link was in what `current` was.
            unsafe { overflow.free() };
        }
    }
}

impl Drop for Detached {
    /// Frees what is left if the consumer panicked; the elements are then lost to the table.
    fn drop(&mut self) {
        self.by_ref().for_each(drop);
    }
}

/// Iterator over a chain's blocks.
pub(crate) struct Blocks<'a> {
    next: Option<Block>,
    chain: PhantomData<&'a Bucket>,
}

impl Iterator for Blocks<'_> {
    type Item = Block;

    #[inline]
    fn next(&mut self) -> Option<Block> {
        let block = self.next?;
        self.next = block.overflow();
        Some(block)
    }
}
