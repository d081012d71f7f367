//! The store: a long list as a deque of packs.
//!
//! ```text
//!   front edge        interior (a counted tree)            back edge
//!   [ ..c b a ]   [ node ][ node ][ node ] ... [ node ]    [ x y z.. ]
//!    grows <-      exactly their bytes, may be compressed    -> grows
//! ```
//!
//! An element costs its bytes in the pack and next to nothing more: a node of about 4 KB carries
//! 40 bytes of overhead. Elements are added to and taken from the *edges* without a search or an
//! allocation; an edge that is full becomes a *node* of the interior, and an edge that has run
//! empty is made of the nearest node. The interior is a *tree* that counts, so that an element in
//! the middle of millions is a few steps away.
//!
//! An element longer than a node may be gets a node to itself.
//!
//! Reading order: [`node`], [`edge`], [`tree`], and the joints here.
//!
//! Invariants:
//! - The list is the front edge, the interior and the back edge, in this order. Either edge may be
//!   empty while the others are not.
//! - With compression the interior's nodes are compressed but for those near its ends; edges never
//!   are.
//! - No operation takes longer for a longer list but for what it visits or removes, and a step for
//!   each level of the tree.

mod edge;
mod node;
mod tree;

#[cfg(test)]
mod tests;

use self::edge::Edge;
use self::node::Node;
use self::tree::{Removal, Side, Tree};
use plinth_module::pack::Value;
use plinth_module::pack::element::{self, Encoded};
use std::ops::ControlFlow;

/// How a list is laid out, fixed when it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Most bytes of a node, but for one of a single element.
    pub node_bytes: u32,
    /// How many nodes at either end stay uncompressed; 0 compresses none.
    pub raw_depth: u32,
}

/// A long list. See the [module](self).
#[derive(Clone)]
pub struct Deque {
    front: Edge,
    interior: Tree,
    back: Edge,
    layout: Layout,
}

impl Deque {
    /// An empty list.
    pub fn new(layout: Layout) -> Deque {
        Deque { front: Edge::default(), interior: Tree::default(), back: Edge::default(), layout }
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.front.count() + self.interior.elements() + self.back.count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the list takes.
    pub fn memory(&self) -> usize {
        size_of::<Deque>() + self.front.heap_bytes() + self.interior.heap_bytes() + self.back.heap_bytes()
    }

    /// Number of blocks that dropping the list frees.
    pub fn blocks(&self) -> usize {
        self.interior.nodes() + 2
    }

    fn bytes_max(&self) -> usize {
        self.layout.node_bytes as usize
    }

    /// Puts an element in front.
    #[inline]
    pub fn push_front(&mut self, text: &[u8]) {
        let element = Encoded::of(text);
        if self.front.raw_len() + element.len() > self.bytes_max() {
            return self.push_beyond(&element, Side::Front);
        }
        let bytes_max = self.bytes_max();
        self.front.push_front(&element, bytes_max);
    }

    /// Puts an element behind.
    #[inline]
    pub fn push_back(&mut self, text: &[u8]) {
        let element = Encoded::of(text);
        if self.back.raw_len() + element.len() > self.bytes_max() {
            return self.push_beyond(&element, Side::Back);
        }
        let bytes_max = self.bytes_max();
        self.back.push_back(&element, bytes_max);
    }

    /// Adds an element for which the edge has no room.
    #[cold]
    fn push_beyond(&mut self, element: &Encoded<'_>, side: Side) {
        self.seal(side);
        let bytes_max = self.bytes_max();
        if element.len() > bytes_max {
            return self.push_node(Node::single(element), side);
        }
        match side {
            Side::Front => self.front.push_front(element, bytes_max),
            Side::Back => self.back.push_back(element, bytes_max),
        }
    }

    /// Makes an edge a node of the interior.
    fn seal(&mut self, side: Side) {
        let edge = if side == Side::Front { &mut self.front } else { &mut self.back };
        if let Some(node) = edge.seal() {
            self.push_node(node, side);
        }
    }

    /// Adds a node to the interior, and compresses the one that is now far enough from the end.
    fn push_node(&mut self, node: Node, side: Side) {
        self.interior.push(node, side);
        // The edge itself counts as one of the nodes that stay as they are.
        let Some(raw) = (self.layout.raw_depth as usize).checked_sub(1) else { return };
        if self.interior.nodes() > raw * 2 {
            self.interior.change_node(raw, side, Node::compress);
        }
    }

    /// Takes the first element away, after `take` has seen it; `None` when there is none.
    #[inline]
    pub fn pop_front<R>(&mut self, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        if self.front.count() == 0 {
            match self.interior.pop(Side::Front) {
                Some(node) => self.front = Edge::of(node),
                None => return self.back.pop_front(take),
            }
        }
        self.front.pop_front(take)
    }

    /// Takes the last element away, after `take` has seen it; `None` when there is none.
    #[inline]
    pub fn pop_back<R>(&mut self, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        if self.back.count() == 0 {
            match self.interior.pop(Side::Back) {
                Some(node) => self.back = Edge::of(node),
                None => return self.front.pop_back(take),
            }
        }
        self.back.pop_back(take)
    }

    /// Hands element number `at` to `take`; `None` when there are fewer.
    pub fn get<R>(&self, at: usize, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        let in_pack = |pack: &[u8], at: usize| {
            let offset = element::offset(pack, at)?;
            Some(take(element::read(&pack[offset..])?.0))
        };
        if at < self.front.count() {
            return in_pack(self.front.pack(), at);
        }
        let at = at - self.front.count();
        match self.interior.find(at) {
            Some((node, at)) => in_pack(&node.pack(), at),
            None => in_pack(self.back.pack(), at - self.interior.elements()),
        }
    }

    /// Replaces element number `at`; whether there is one.
    pub fn set(&mut self, at: usize, text: &[u8]) -> bool {
        at < self.len() && self.splice(at, 1, Some(&Encoded::of(text)))
    }

    /// Puts an element before number `at`, or behind all; whether the list is long enough.
    pub fn insert(&mut self, at: usize, text: &[u8]) -> bool {
        match at {
            0 => self.push_front(text),
            at if at == self.len() => self.push_back(text),
            at => return at < self.len() && self.splice(at, 0, Some(&Encoded::of(text))),
        }
        true
    }

    /// Takes element number `at` away; whether there is one.
    pub fn remove(&mut self, at: usize) -> bool {
        at < self.len() && self.splice(at, 1, None)
    }

    /// Replaces `removed` elements from number `at` on, one or none, by `with`. There is one.
    fn splice(&mut self, at: usize, removed: usize, with: Option<&Encoded<'_>>) -> bool {
        let bytes_max = self.bytes_max();
        let with_len = with.map_or(0, Encoded::len);
        // An edge that has no room becomes a node, which knows how to split.
        if at < self.front.count() {
            if self.front.raw_len() + with_len <= bytes_max {
                self.front.splice(at, removed, with, bytes_max);
                return true;
            }
            self.seal(Side::Front);
        }
        let inside = at - self.front.count();
        if inside >= self.interior.elements() {
            if self.back.raw_len() + with_len <= bytes_max {
                self.back.splice(inside - self.interior.elements(), removed, with, bytes_max);
                return true;
            }
            self.seal(Side::Back);
        }
        self.interior.edit(inside, bytes_max, |node, at| node.spliced(at, removed, with, bytes_max));
        true
    }

    /// Removes elements that equal `text`, at most `max` of them: the first, or the last if
    /// `from_back`. Returns how many.
    pub fn remove_equal(&mut self, text: &[u8], max: usize, from_back: bool) -> usize {
        let bytes_max = self.bytes_max();
        let from = if from_back { Side::Back } else { Side::Front };
        let mut removal = Removal { wanted: Encoded::of(text), from, left: max, bytes_max };
        let edges = if from_back { [&mut self.back, &mut self.front] } else { [&mut self.front, &mut self.back] };
        let [first, last] = edges;
        removal.left -= first.remove_equal(&removal.wanted, removal.left, from_back);
        if removal.left > 0 {
            self.interior.remove_equal(&mut removal);
        }
        if removal.left > 0 {
            removal.left -= last.remove_equal(&removal.wanted, removal.left, from_back);
        }
        max - removal.left
    }

    /// The list of the elements from number `at` on, which go from this one.
    pub fn split_off(&mut self, at: usize) -> Deque {
        let mut right = Deque::new(self.layout);
        let (in_front, inside) = (self.front.count(), self.interior.elements());
        if at < in_front {
            right.front = self.front.split_off(at);
            right.interior = std::mem::take(&mut self.interior);
            right.back = std::mem::take(&mut self.back);
        } else if at < in_front + inside {
            right.interior = self.interior.split_off(at - in_front);
            right.back = std::mem::take(&mut self.back);
        } else {
            right.back = self.back.split_off(at - in_front - inside);
        }
        right
    }

    /// Hands the elements from number `start` on to `visit`, until it breaks.
    pub fn visit<B>(&self, start: usize, mut visit: impl FnMut(Value<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        self.visit_packs(Side::Front, start, |pack, skip| {
            let offset = element::offset(pack, skip).unwrap_or(pack.len());
            element::iter(&pack[offset..]).try_for_each(&mut visit)
        })
    }

    /// Hands the elements before number `end` to `visit`, the last one first, until it breaks.
    pub fn visit_back<B>(&self, end: usize, mut visit: impl FnMut(Value<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        let mut offsets = Vec::new();
        self.visit_packs(Side::Back, self.len() - end.min(self.len()), |pack, skip| {
            offsets.clear();
            let mut at = 0;
            while let Some(len) = element::len(&pack[at..]) {
                offsets.push(at);
                at += len;
            }
            let elements = offsets.iter().rev().skip(skip).filter_map(|&at| element::read(&pack[at..]));
            elements.map(|(value, _)| value).try_for_each(&mut visit)
        })
    }

    /// Hands packs from one end on to `visit`, with how many elements to pass over in each, until it
    /// breaks; `skip` elements are passed over.
    fn visit_packs<B>(
        &self,
        side: Side,
        mut skip: usize,
        mut visit: impl FnMut(&[u8], usize) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let (near, far) = match side {
            Side::Front => (&self.front, &self.back),
            Side::Back => (&self.back, &self.front),
        };
        if skip < near.count() {
            visit(near.pack(), std::mem::take(&mut skip))?;
        } else {
            skip -= near.count();
        }
        let mut broken = None;
        self.interior.visit(side, &mut skip, &mut |node, skip| match visit(&node.pack(), skip) {
            ControlFlow::Continue(()) => true,
            ControlFlow::Break(with) => {
                broken = Some(with);
                false
            }
        });
        if let Some(with) = broken {
            return ControlFlow::Break(with);
        }
        visit(far.pack(), skip)
    }
}
