//! The log: entries as they came, each in its own boxes, in blocks, and a table of the blocks.
//!
//! ```text
//!   table    [ block ][ block ][ block ] ...                  cut from the front, added to at the end
//!               |
//!   block    [ id, fields ][ id, fields ] ...                 up to 256
//!                   |
//!   fields   [ name ][ value ][ name ][ value ]               a box each
//! ```
//!
//! An entry is found by halving twice: the table by the blocks' first ids, then the block. Nothing is
//! ever marked as removed; what goes is gone, and a block without entries goes with its last one.
//!
//! *Invariants*: ids rise from entry to entry; no block is empty; `len` and `bytes` are the sums
//! over the blocks.

use plinth_module::pack::Value;
use plinth_stream_commands::id::Id;
use plinth_stream_commands::storage::{Keep, Layout, Storage};
use std::collections::VecDeque;
use std::ops::{ControlFlow, RangeInclusive};

/// Most entries in a block, whatever the parameters say.
const BLOCK_ENTRIES: usize = 256;

/// Names and values of an entry in turn.
type Texts = Box<[Box<[u8]>]>;

/// An entry.
#[derive(Clone)]
struct Entry {
    id: Id,
    texts: Texts,
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Entry>() + self.texts.iter().map(|text| size_of::<Box<[u8]>>() + text.len()).sum::<usize>()
    }
}

/// Some entries behind each other.
#[derive(Clone, Default)]
struct Block {
    entries: Vec<Entry>,
    bytes: usize,
    boxes: usize,
}

impl Block {
    fn first(&self) -> Id {
        self.entries.first().map_or(Id::MAX, |entry| entry.id)
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.boxes += 1 + entry.texts.len();
        self.entries.push(entry);
    }

    fn is_full(&self, layout: Layout, more: usize) -> bool {
        let most = |set: usize| if set == 0 { usize::MAX } else { set };
        self.entries.len() >= most(layout.node_entries).min(BLOCK_ENTRIES)
            || self.bytes + more > most(layout.node_bytes)
    }

    fn position(&self, id: Id) -> usize {
        self.entries.partition_point(|entry| entry.id < id)
    }
}

/// A log. See the [module](self).
#[derive(Default)]
pub struct Log {
    table: VecDeque<Block>,
    len: usize,
    bytes: usize,
    boxes: usize,
}

impl Log {
    fn add(&mut self, block: Block) {
        self.len += block.entries.len();
        self.bytes += block.bytes;
        self.boxes += block.boxes;
        self.table.push_back(block);
    }

    /// Has a block changed, and goes without it if nothing is left.
    fn change<R>(&mut self, at: usize, change: impl FnOnce(&mut Block) -> R) -> Option<R> {
        let block = self.table.get_mut(at)?;
        let before = (block.entries.len(), block.bytes, block.boxes);
        let result = change(block);
        self.len = self.len + block.entries.len() - before.0;
        self.bytes = self.bytes + block.bytes - before.1;
        self.boxes = self.boxes + block.boxes - before.2;
        if block.entries.is_empty() {
            self.table.remove(at);
        }
        Some(result)
    }

    /// Position of the block in which an id is, if it is anywhere.
    fn block_of(&self, id: Id) -> usize {
        self.table.partition_point(|block| block.first() <= id).saturating_sub(1)
    }

    fn count_before(&self, id: Id) -> usize {
        let at = self.block_of(id);
        let before: usize = self.table.iter().take(at).map(|block| block.entries.len()).sum();
        before + self.table.get(at).map_or(0, |block| block.position(id))
    }
}

/// The names and values of an entry in turn.
#[derive(Clone)]
pub struct Fields<'s>(std::slice::Iter<'s, Box<[u8]>>);

impl<'s> Iterator for Fields<'s> {
    type Item = Value<'s>;

    fn next(&mut self) -> Option<Value<'s>> {
        self.0.next().map(|text| Value::Text(text))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Fields<'_> {}

impl Storage for Log {
    type Fields<'s> = Fields<'s>;

    fn new() -> Self {
        Log::default()
    }

    fn len(&self) -> usize {
        self.len
    }

    fn memory(&self) -> usize {
        self.bytes + self.table.capacity() * size_of::<Block>()
    }

    fn free_effort(&self) -> usize {
        self.boxes
    }

    fn nodes(&self) -> usize {
        self.table.len()
    }

    fn next_piece(&self, id: Id) -> Option<Id> {
        self.table.get(self.table.partition_point(|block| block.first() <= id)).map(Block::first)
    }

    fn copy(&self) -> Option<Self> {
        let mut copy = Log::default();
        self.table.iter().for_each(|block| copy.add(block.clone()));
        Some(copy)
    }

    fn append<'t>(&mut self, layout: Layout, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        let entry = Entry { id, texts: fields.map(Box::from).collect() };
        if self.table.back().is_none_or(|last| last.is_full(layout, entry.bytes())) {
            self.table.push_back(Block::default());
        }
        self.change(self.table.len() - 1, |last| last.push(entry));
    }

    fn first(&self) -> Option<Id> {
        self.table.front().map(Block::first)
    }

    fn last(&self) -> Option<Id> {
        Some(self.table.back()?.entries.last()?.id)
    }

    fn remove(&mut self, id: Id) -> bool {
        let removed = self.change(self.block_of(id), |block| {
            let at = block.position(id);
            if block.entries.get(at).is_none_or(|entry| entry.id != id) {
                return false;
            }
            let entry = block.entries.remove(at);
            block.bytes -= entry.bytes();
            block.boxes -= 1 + entry.texts.len();
            true
        });
        removed == Some(true)
    }

    fn visit<B>(
        &self,
        ids: RangeInclusive<Id>,
        mut visit: impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        for block in self.table.range(self.block_of(*ids.start()).min(self.table.len())..) {
            for entry in &block.entries[block.position(*ids.start())..] {
                if entry.id > *ids.end() {
                    return ControlFlow::Continue(());
                }
                visit(entry.id, Fields(entry.texts.iter()))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn visit_back<B>(
        &self,
        ids: RangeInclusive<Id>,
        mut visit: impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let behind = self.table.partition_point(|block| block.first() <= *ids.end());
        for block in self.table.range(..behind).rev() {
            let behind = block.entries.partition_point(|entry| entry.id <= *ids.end());
            for entry in block.entries[..behind].iter().rev() {
                if entry.id < *ids.start() {
                    return ControlFlow::Continue(());
                }
                visit(entry.id, Fields(entry.texts.iter()))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn cut(&mut self, keep: Keep, whole: bool, limit: usize) -> Self {
        let mut left = match keep {
            Keep::Count(count) => self.len.saturating_sub(count),
            Keep::From(id) => self.count_before(id),
        };
        if whole && limit > 0 {
            left = left.min(limit);
        }
        let mut front = Log::default();
        while self.table.front().is_some_and(|block| block.entries.len() <= left) {
            left -= self.table.front().map_or(0, |block| block.entries.len());
            self.table.pop_front().into_iter().for_each(|block| front.add(block));
        }
        self.len -= front.len;
        self.bytes -= front.bytes;
        self.boxes -= front.boxes;
        if left > 0 && !whole {
            let part = self.change(0, |block| {
                let mut part = Block::default();
                block.entries.drain(..left).for_each(|entry| part.push(entry));
                block.bytes -= part.bytes;
                block.boxes -= part.boxes;
                part
            });
            part.into_iter().for_each(|part| front.add(part));
        }
        front
    }
}
