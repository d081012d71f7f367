//! The storage of logs: a counted tree of packs, and the pack that entries are added to.
//!
//! ```text
//!   tree   [ pack ][ pack ][ pack ] ... [ pack ]        tail   [ pack ]
//!          ^ cut                                               ^ append
//! ```
//!
//! A [`pack`] holds up to `stream-node-max-entries` [`entry`]s as differences to one another. Adding
//! touches the tail only; when that has as many bytes or entries as a node should, it goes into the tree
//! ([`node`]) for good. So a log of few entries is one run of bytes and nothing else.
//!
//! An entry of two short fields takes 8 bytes in its pack, and the pack 64 in its leaf.
//!
//! *Invariants*: ids in the tree are below those in the tail; `last` is the id of the last entry, if
//! there is one.

pub(crate) mod entry;
#[cfg(test)]
mod fuzz;
pub(crate) mod node;
pub(crate) mod pack;
#[cfg(test)]
mod tests;
pub(crate) mod varint;

pub use entry::Fields;
use entry::Plan;
use node::{Node, Sums};
use pack::{PACK_BYTES_MAX, Pack, Removal};
use plinth_stream_commands::id::Id;
use plinth_stream_commands::storage::{Keep, Layout, Storage};
use std::ops::{ControlFlow, RangeInclusive};

/// A log of packs. See the [module](self).
#[derive(Default)]
pub struct PackTree {
    root: Node,
    sums: Sums,
    tail: Option<Tail>,
    last: Id,
}

/// The pack that entries are added to.
struct Tail {
    pack: Pack,
    /// Bytes of it that are not entries.
    names_bytes: usize,
    /// Whether the names of the last entry are known to be the pack's.
    ends_same: bool,
    /// What a node of Redis would be to which the same was added: by this nodes are as long as there,
    /// and what is trimmed about a count is the same.
    foreign: ForeignNode,
}

/// How far a node of Redis is filled, in which what is removed stays.
#[derive(Clone, Copy, Default)]
struct ForeignNode {
    master: Id,
    bytes: usize,
    entries: usize,
}

impl Tail {
    fn new(pack: Pack, foreign: ForeignNode) -> Tail {
        Tail { names_bytes: pack.names_end(), pack, ends_same: false, foreign }
    }

    /// A tail of one entry.
    fn of_one<'t>(id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) -> Tail {
        let pack = Pack::new(id, fields.clone());
        let bytes = pack.plan(fields.clone()).foreign_node_bytes(id, fields.step_by(2));
        Tail { ends_same: true, ..Tail::new(pack, ForeignNode { master: id, bytes, entries: 1 }) }
    }

    /// Whether an entry is to begin another pack.
    #[inline]
    fn is_full(&self, layout: Layout, plan: &Plan) -> bool {
        let most = |set: usize| if set == 0 { usize::MAX } else { set };
        self.foreign.bytes.saturating_add(plan.text_bytes) >= most(layout.node_bytes)
            || self.foreign.entries >= most(layout.node_entries)
            || (self.pack.used_bytes() - self.names_bytes).saturating_add(plan.bytes_max) > PACK_BYTES_MAX
    }
}

impl PackTree {
    /// Puts a pack behind all that the tree has.
    fn push_pack(&mut self, pack: Pack) {
        if let Some(over) = self.root.push(pack, &mut self.sums) {
            let root = std::mem::take(&mut self.root);
            (self.root, self.sums) = root.raise(self.sums, over);
        }
    }

    /// Adds an entry behind all. With `is_same` its names are those of the last one.
    #[inline]
    fn add<'t>(
        &mut self,
        layout: Layout,
        id: Id,
        fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone,
        is_same: bool,
    ) {
        let last = std::mem::replace(&mut self.last, id);
        if let Some(tail) = &mut self.tail {
            let plan = match is_same && tail.ends_same {
                true => Plan::of_same_names(fields.clone()),
                false => tail.pack.plan(fields.clone()),
            };
            if !tail.is_full(layout, &plan) {
                tail.foreign.bytes += plan.foreign_bytes(tail.foreign.master, id);
                tail.foreign.entries += 1;
                tail.ends_same = !plan.own_names;
                tail.pack.append(&plan, last, id, fields);
                return;
            }
        }
        if let Some(mut full) = self.tail.take() {
            full.pack.close();
            self.push_pack(full.pack);
        }
        self.tail = Some(Tail::of_one(id, fields));
    }

    /// Number of entries in the tail.
    #[inline]
    fn tail_len(&self) -> usize {
        self.tail.as_ref().map_or(0, |tail| tail.pack.len())
    }

    /// How many entries at the front go, were it for the count alone.
    fn excess(&self, keep: Keep) -> usize {
        match keep {
            Keep::Count(count) => self.len().saturating_sub(count),
            Keep::From(id) => {
                let in_tail = self.tail.as_ref().map_or(0, |tail| tail.pack.count_before(id));
                if in_tail > 0 { self.sums.entries + in_tail } else { self.root.count_before(id) }
            }
        }
    }

    /// Takes the first `count` entries of the tail off to that of `front`; unless all, only if not `whole`.
    fn cut_tail(&mut self, count: usize, whole: bool, front: &mut PackTree) {
        let len = self.tail_len();
        if count >= len {
            front.tail = self.tail.take();
        } else if count > 0
            && !whole
            && let Some(tail) = &mut self.tail
        {
            front.tail = Some(Tail::new(tail.pack.split_front(count), ForeignNode::default()));
        }
    }

    /// Panics unless the invariants hold.
    #[cfg(test)]
    fn check(&self) {
        let (_, sums) = self.root.check();
        assert_eq!(sums, self.sums);
        let tail = self.tail.as_ref();
        if let Some(tail) = tail {
            tail.pack.check();
            assert!(self.root.last() < Some(tail.pack.first()));
        }
        let last = tail.map(|tail| tail.pack.last()).or(self.root.last());
        assert_eq!(self.last(), last);
    }
}

impl Storage for PackTree {
    type Fields<'s> = Fields<'s>;

    fn new() -> Self {
        Self::default()
    }

    #[inline]
    fn len(&self) -> usize {
        self.sums.entries + self.tail_len()
    }

    fn memory(&self) -> usize {
        self.sums.memory_bytes + self.tail.as_ref().map_or(0, |tail| tail.pack.memory_bytes())
    }

    fn free_effort(&self) -> usize {
        self.nodes() + self.sums.packs / node::FANOUT
    }

    fn nodes(&self) -> usize {
        self.sums.packs + usize::from(self.tail.is_some())
    }

    fn next_piece(&self, id: Id) -> Option<Id> {
        self.root.next_pack(id).or_else(|| self.tail.as_ref().map(|tail| tail.pack.first()).filter(|first| *first > id))
    }

    fn copy(&self) -> Option<Self> {
        let mut copy = PackTree::default();
        copy.last = self.last;
        self.root.for_each(&mut |pack| copy.push_pack(pack.copy()));
        copy.tail = self.tail.as_ref().map(|tail| Tail::new(tail.pack.copy(), tail.foreign));
        Some(copy)
    }

    #[inline]
    fn append<'t>(&mut self, layout: Layout, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        self.add(layout, id, fields, false);
    }

    fn append_same<'t>(&mut self, layout: Layout, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        self.add(layout, id, fields, true);
    }

    fn first(&self) -> Option<Id> {
        self.root.first().or_else(|| Some(self.tail.as_ref()?.pack.first()))
    }

    #[inline]
    fn last(&self) -> Option<Id> {
        (!self.is_empty()).then_some(self.last)
    }

    fn remove(&mut self, id: Id) -> bool {
        let is_in_tail = |tail: &&mut Tail| tail.pack.first() <= id;
        let is_removed = match self.tail.as_mut().filter(is_in_tail) {
            Some(tail) => match tail.pack.remove(id) {
                Removal::Absent => return false,
                Removal::Done => return true,
                Removal::Last(last) => {
                    (self.last, tail.ends_same) = (last, false);
                    return true;
                }
                Removal::Only => {
                    self.tail = None;
                    true
                }
            },
            None => self.root.remove(id, &mut self.sums),
        };
        if is_removed {
            self.root.lower(&mut self.sums);
            if self.tail.is_none() {
                self.last = self.root.last().unwrap_or_default();
            }
        }
        is_removed
    }

    fn visit<B>(
        &self,
        ids: RangeInclusive<Id>,
        mut visit: impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let tail = self.tail.as_ref();
        if self.sums.packs > 0 && tail.is_none_or(|tail| *ids.start() < tail.pack.first()) {
            self.root.visit(&ids, &mut visit)?;
        }
        tail.map_or(ControlFlow::Continue(()), |tail| tail.pack.visit(&ids, &mut visit))
    }

    fn visit_back<B>(
        &self,
        ids: RangeInclusive<Id>,
        mut visit: impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut found = Vec::new();
        if let Some(tail) = self.tail.as_ref().filter(|tail| tail.pack.first() <= *ids.end()) {
            tail.pack.visit_back(&ids, &mut found, &mut visit)?;
        }
        self.root.visit_back(&ids, &mut found, &mut visit)
    }

    fn cut(&mut self, keep: Keep, whole: bool, limit: usize) -> Self {
        let mut count = self.excess(keep);
        if whole && limit > 0 {
            count = count.min(limit);
        }
        let mut front = PackTree::default();
        if count == 0 {
            return front;
        }
        if count >= self.sums.entries {
            let left = count - self.sums.entries;
            front.root = std::mem::take(&mut self.root);
            front.sums = std::mem::take(&mut self.sums);
            self.cut_tail(left, whole, &mut front);
        } else {
            (front.root, front.sums) = self.root.split_front(count, &mut self.sums);
            front.root.lower(&mut front.sums);
            let left = count - front.sums.entries;
            if left > 0 && !whole {
                let pack = self.root.with_first(&mut self.sums, |pack| pack.split_front(left));
                front.tail = pack.map(|pack| Tail::new(pack, ForeignNode::default()));
            }
            self.root.lower(&mut self.sums);
        }
        front.last = front.tail.as_ref().map(|tail| tail.pack.last()).or(front.root.last()).unwrap_or_default();
        front
    }
}

impl Drop for PackTree {
    fn drop(&mut self) {
        if self.sums.packs > 0 {
            std::mem::take(&mut self.root).release();
        }
    }
}
