//! Nodes by number, in blocks that never move: a vector that doubles would copy all of them at once,
//! and a storage may not do work that grows with the number of elements.

use std::ops::{Index, IndexMut};

/// Items in a block, which grows to that by doubling.
const BLOCK: usize = 1024;

/// Items by number. See the [module](self).
pub(crate) struct Nodes<T> {
    blocks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Nodes<T> {
    /// None.
    pub(crate) const NEW: Nodes<T> = Nodes { blocks: Vec::new(), len: 0 };

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an item under the next number.
    pub(crate) fn push(&mut self, item: T) {
        if self.len.is_multiple_of(BLOCK) {
            self.blocks.push(Vec::new());
        }
        self.blocks[self.len / BLOCK].push(item);
        self.len += 1;
    }

    /// Bytes that the blocks have allocated.
    pub(crate) fn memory_bytes(&self) -> usize {
        let last = self.blocks.last().map_or(0, Vec::capacity);
        let items = self.blocks.len().saturating_sub(1) * BLOCK + last;
        items * size_of::<T>() + self.blocks.capacity() * size_of::<Vec<T>>()
    }
}

impl<T> Index<usize> for Nodes<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.blocks[at / BLOCK][at % BLOCK]
    }
}

impl<T> IndexMut<usize> for Nodes<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.blocks[at / BLOCK][at % BLOCK]
    }
}

/// Large values are dropped on a thread that has time: it gives way after each block, lest the
/// server wait for it where both share a core.
impl<T> Drop for Nodes<T> {
    fn drop(&mut self) {
        for block in self.blocks.drain(..) {
            drop(block);
            plinth_module::give_way();
        }
    }
}
