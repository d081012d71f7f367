//! The node: packs in the order of their ids, or nodes below.
//!
//! ```text
//!                inner   [ first, sums │ node ] ...
//!                          │
//!   leaf   [ pack ] [ pack ] ...  up to 64
//! ```
//!
//! A B+tree that grows at its right edge and is cut at its left: nodes are filled one after the other, so
//! none is ever split in half, and all but those at the edges are full. A node that loses packs in
//! its middle is not joined with its neighbour: an empty one goes, and no pack is ever far below
//! others for that, as the tree gets no higher. Each child's [`Sums`] stand beside it, so that a
//! place by count, and what a part of the tree takes, are known without going below.
//!
//! *Invariants*: all leaves are equally deep; no node below the root is empty; `first` of a child is not
//! above its first id, and above all ids before it; the sums beside a child are those below it.

use super::entry::Fields;
use super::pack::{Pack, Removal};
use plinth_stream_commands::id::Id;
use std::ops::{ControlFlow, RangeInclusive};

/// Most packs in a leaf, and nodes in an inner node.
pub(crate) const FANOUT: usize = 64;

/// What is below a node, the node counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sums {
    /// Entries.
    pub(crate) entries: usize,
    /// Packs.
    pub(crate) packs: usize,
    /// Bytes that are taken.
    pub(crate) memory_bytes: usize,
}

impl Sums {
    /// Those of a pack, without the place that it has in its leaf.
    fn of(pack: &Pack) -> Sums {
        Sums { entries: pack.len(), packs: 1, memory_bytes: pack.memory_bytes() }
    }

    /// Adds what has come.
    fn add(&mut self, more: Sums) {
        self.entries += more.entries;
        self.packs += more.packs;
        self.memory_bytes += more.memory_bytes;
    }

    /// Takes off what has gone.
    fn take(&mut self, less: Sums) {
        self.entries -= less.entries;
        self.packs -= less.packs;
        self.memory_bytes -= less.memory_bytes;
    }
}

/// A child of an inner node.
pub(crate) struct Child {
    first: Id,
    sums: Sums,
    node: Node,
}

/// A node. See the [module](self).
pub(crate) enum Node {
    /// Packs.
    Leaf(Vec<Pack>),
    /// Nodes.
    Inner(Vec<Child>),
}

impl Default for Node {
    fn default() -> Node {
        Node::Leaf(Vec::new())
    }
}

/// Bytes of a list's room.
fn room_bytes<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

/// Adds to a list whose room grows by doubling, from one on.
fn push<T>(list: &mut Vec<T>, one: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len().clamp(1, FANOUT));
    }
    list.push(one);
}

/// Takes the first elements off, and gives back room that is more than is used.
fn drain_front<T>(list: &mut Vec<T>, count: usize) -> Vec<T> {
    let front = list.drain(..count).collect();
    give_back(list);
    front
}

fn give_back<T>(list: &mut Vec<T>) {
    if list.len() < list.capacity() / 4 {
        list.shrink_to(2 * list.len());
    }
}

/// Position of the child, or pack, in which an id would be.
fn place(count_not_above: usize) -> usize {
    count_not_above.saturating_sub(1)
}

impl Node {
    /// Number of packs or nodes right below.
    fn len(&self) -> usize {
        match self {
            Node::Leaf(packs) => packs.len(),
            Node::Inner(children) => children.len(),
        }
    }

    /// Bytes of the node alone.
    fn room_bytes(&self) -> usize {
        match self {
            Node::Leaf(packs) => room_bytes(packs),
            Node::Inner(children) => room_bytes(children),
        }
    }

    /// Adds a pack behind all. Returns what has no room in the node, as its neighbour to the right.
    pub(crate) fn push(&mut self, pack: Pack, sums: &mut Sums) -> Option<Child> {
        let room_bytes = self.room_bytes();
        match self {
            Node::Leaf(packs) if packs.len() < FANOUT => {
                sums.add(Sums::of(&pack));
                push(packs, pack);
            }
            Node::Leaf(_) => return Some(Child::over(pack)),
            Node::Inner(children) => {
                let last = children.last_mut()?;
                sums.take(last.sums);
                let over = last.node.push(pack, &mut last.sums);
                sums.add(last.sums);
                match over {
                    None => {}
                    Some(over) if children.len() == FANOUT => return Some(Child::above(vec![over])),
                    Some(over) => {
                        sums.add(over.sums);
                        push(children, over);
                    }
                }
            }
        }
        sums.memory_bytes += self.room_bytes() - room_bytes;
        None
    }

    /// The node above this one and its neighbour.
    pub(crate) fn raise(self, sums: Sums, over: Child) -> (Node, Sums) {
        let first = self.first().unwrap_or_default();
        let child = Child::above(vec![Child { first, sums, node: self }, over]);
        (child.node, child.sums)
    }

    /// Makes the only node below a root the root.
    pub(crate) fn lower(&mut self, sums: &mut Sums) {
        loop {
            let room_bytes = self.room_bytes();
            match self {
                Node::Inner(children) if children.len() <= 1 => {
                    *self = children.pop().map(|child| child.node).unwrap_or_default();
                }
                Node::Leaf(packs) if packs.is_empty() && room_bytes > 0 => *self = Node::default(),
                _ => return,
            }
            sums.memory_bytes -= room_bytes;
        }
    }

    /// The first pack.
    fn first_pack(&self) -> Option<&Pack> {
        match self {
            Node::Leaf(packs) => packs.first(),
            Node::Inner(children) => children.first()?.node.first_pack(),
        }
    }

    /// Id of the first entry.
    pub(crate) fn first(&self) -> Option<Id> {
        self.first_pack().map(Pack::first)
    }

    /// Id of the last entry.
    pub(crate) fn last(&self) -> Option<Id> {
        match self {
            Node::Leaf(packs) => packs.last().map(Pack::last),
            Node::Inner(children) => children.last()?.node.last(),
        }
    }

    /// First id of the pack behind the one in which an id is, or would be.
    pub(crate) fn next_pack(&self, id: Id) -> Option<Id> {
        match self {
            Node::Leaf(packs) => packs.get(packs.partition_point(|pack| pack.first() <= id)).map(Pack::first),
            Node::Inner(children) => {
                let behind = children.partition_point(|child| child.first <= id);
                let next = children.get(place(behind)).and_then(|child| child.node.next_pack(id));
                next.or_else(|| children.get(behind.max(1))?.node.first())
            }
        }
    }

    /// How many entries lie before an id.
    pub(crate) fn count_before(&self, id: Id) -> usize {
        match self {
            Node::Leaf(packs) => {
                let at = place(packs.partition_point(|pack| pack.first() <= id));
                let before: usize = packs[..at].iter().map(Pack::len).sum();
                before + packs.get(at).map_or(0, |pack| pack.count_before(id))
            }
            Node::Inner(children) => {
                let at = place(children.partition_point(|child| child.first <= id));
                let before: usize = children[..at].iter().map(|child| child.sums.entries).sum();
                before + children.get(at).map_or(0, |child| child.node.count_before(id))
            }
        }
    }

    /// Hands out the entries of a range of ids.
    pub(crate) fn visit<B>(
        &self,
        ids: &RangeInclusive<Id>,
        visit: &mut impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let (start, end) = (*ids.start(), *ids.end());
        match self {
            Node::Leaf(packs) => {
                let at = place(packs.partition_point(|pack| pack.first() <= start));
                packs[at..].iter().take_while(|pack| pack.first() <= end).try_for_each(|pack| pack.visit(ids, visit))
            }
            Node::Inner(children) => {
                let at = place(children.partition_point(|child| child.first <= start));
                let mut reached = children[at..].iter().take_while(|child| child.first <= end);
                reached.try_for_each(|child| child.node.visit(ids, visit))
            }
        }
    }

    /// Hands out the entries of a range of ids, the last one first. `found` is room for a pack's.
    pub(crate) fn visit_back<B>(
        &self,
        ids: &RangeInclusive<Id>,
        found: &mut Vec<(Id, usize)>,
        visit: &mut impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let (start, end) = (*ids.start(), *ids.end());
        match self {
            Node::Leaf(packs) => {
                let at = place(packs.partition_point(|pack| pack.first() <= start));
                let behind = packs.partition_point(|pack| pack.first() <= end).max(at);
                packs[at..behind].iter().rev().try_for_each(|pack| pack.visit_back(ids, found, visit))
            }
            Node::Inner(children) => {
                let at = place(children.partition_point(|child| child.first <= start));
                let behind = children.partition_point(|child| child.first <= end).max(at);
                children[at..behind].iter().rev().try_for_each(|child| child.node.visit_back(ids, found, visit))
            }
        }
    }

    /// Takes the entry of an id out, and the pack and nodes that it leaves empty.
    pub(crate) fn remove(&mut self, id: Id, sums: &mut Sums) -> bool {
        let room_bytes = self.room_bytes();
        let is_removed = match self {
            Node::Leaf(packs) => {
                let at = place(packs.partition_point(|pack| pack.first() <= id));
                let Some(pack) = packs.get_mut(at) else { return false };
                sums.take(Sums::of(pack));
                let removal = pack.remove(id);
                if removal == Removal::Only {
                    packs.remove(at);
                    give_back(packs);
                } else {
                    sums.add(Sums::of(pack));
                }
                removal != Removal::Absent
            }
            Node::Inner(children) => {
                let at = place(children.partition_point(|child| child.first <= id));
                let Some(child) = children.get_mut(at) else { return false };
                sums.take(child.sums);
                let is_removed = child.node.remove(id, &mut child.sums);
                if child.node.len() == 0 {
                    children.remove(at);
                    give_back(children);
                } else {
                    sums.add(child.sums);
                }
                is_removed
            }
        };
        sums.memory_bytes -= room_bytes - self.room_bytes();
        is_removed
    }

    /// Takes the first packs off that have no more than `count` entries together, and fewer than are
    /// there: as a node of the same height, which may be empty.
    pub(crate) fn split_front(&mut self, count: usize, sums: &mut Sums) -> (Node, Sums) {
        let room_bytes = self.room_bytes();
        let mut taken = Sums::default();
        let front = match self {
            Node::Leaf(packs) => {
                let mut at = 0;
                while let Some(pack) = packs.get(at).filter(|pack| taken.entries + pack.len() <= count) {
                    taken.add(Sums::of(pack));
                    at += 1;
                }
                Node::Leaf(drain_front(packs, at))
            }
            Node::Inner(children) => {
                let mut at = 0;
                while let Some(child) = children.get(at).filter(|child| taken.entries + child.sums.entries <= count) {
                    taken.add(child.sums);
                    at += 1;
                }
                let mut front = drain_front(children, at);
                if let Some(child) = children.first_mut() {
                    let first = child.first;
                    let before = child.sums;
                    let (node, sums_of_node) = child.node.split_front(count - taken.entries, &mut child.sums);
                    // What the two halves of the child take together may differ from what it took.
                    sums.memory_bytes += child.sums.memory_bytes + sums_of_node.memory_bytes;
                    sums.memory_bytes -= before.memory_bytes;
                    if node.len() > 0 {
                        taken.add(sums_of_node);
                        push(&mut front, Child { first, sums: sums_of_node, node });
                    }
                    child.first = child.node.first().unwrap_or(first);
                }
                Node::Inner(front)
            }
        };
        sums.take(taken);
        sums.memory_bytes -= room_bytes - self.room_bytes();
        taken.memory_bytes += front.room_bytes();
        (front, taken)
    }

    /// Has `change` done to the first pack, which stays there.
    pub(crate) fn with_first<R>(&mut self, sums: &mut Sums, change: impl FnOnce(&mut Pack) -> R) -> Option<R> {
        match self {
            Node::Leaf(packs) => {
                let pack = packs.first_mut()?;
                sums.take(Sums::of(pack));
                let result = change(pack);
                sums.add(Sums::of(pack));
                Some(result)
            }
            Node::Inner(children) => {
                let child = children.first_mut()?;
                sums.take(child.sums);
                let result = child.node.with_first(&mut child.sums, change);
                sums.add(child.sums);
                result
            }
        }
    }

    /// All packs in turn.
    pub(crate) fn for_each(&self, visit: &mut impl FnMut(&Pack)) {
        match self {
            Node::Leaf(packs) => packs.iter().for_each(visit),
            Node::Inner(children) => children.iter().for_each(|child| child.node.for_each(visit)),
        }
    }

    /// Drops all, and has others go first after each leaf.
    pub(crate) fn release(self) {
        match self {
            Node::Leaf(packs) => {
                drop(packs);
                plinth_module::give_way();
            }
            Node::Inner(children) => children.into_iter().for_each(|child| child.node.release()),
        }
    }

    /// Panics unless the invariants hold; returns height and sums.
    #[cfg(test)]
    pub(crate) fn check(&self) -> (usize, Sums) {
        let mut sums = Sums { memory_bytes: self.room_bytes(), ..Sums::default() };
        assert!(self.len() <= FANOUT);
        let mut last = None;
        let mut height = 0;
        match self {
            Node::Leaf(packs) => {
                for pack in packs {
                    pack.check();
                    assert!(last.is_none_or(|last| last < pack.first()));
                    last = Some(pack.last());
                    sums.add(Sums::of(pack));
                }
            }
            Node::Inner(children) => {
                for child in children {
                    let (below, of_child) = child.node.check();
                    assert!(height == 0 || height == below + 1, "leaves are equally deep");
                    height = below + 1;
                    assert_eq!(of_child, child.sums);
                    assert!(child.node.len() > 0 && Some(child.first) <= child.node.first());
                    assert!(last.is_none_or(|last| last < child.first));
                    last = child.node.last();
                    sums.add(of_child);
                }
            }
        }
        (height, sums)
    }
}

impl Child {
    /// A leaf of one pack.
    fn over(pack: Pack) -> Child {
        let first = pack.first();
        let (mut node, mut sums) = (Node::default(), Sums::default());
        node.push(pack, &mut sums);
        Child { first, sums, node }
    }

    /// A node above others, of which there is one at least.
    fn above(children: Vec<Child>) -> Child {
        let first = children.first().map_or(Id::MIN, |child| child.first);
        let mut sums = Sums { memory_bytes: room_bytes(&children), ..Sums::default() };
        children.iter().for_each(|child| sums.add(child.sums));
        Child { first, sums, node: Node::Inner(children) }
    }
}
