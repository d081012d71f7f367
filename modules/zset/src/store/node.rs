//! The node: a leaf, or an inner node with up to 38 children.
//!
//! ```text
//!   inner   [ len ][ keys × 38 ][ first elements × 38 ][ counts × 38 ][ children × 38 ]   1,528 bytes
//! ```
//!
//! Of each child the inner node keeps the key of its first element, that element, and how many
//! elements there are below: so a descent compares keys that lie side by side and reads a blob only
//! where a score is shared, and a rank is a sum of counts.
//!
//! A child is made room in *before* the descent enters it, and mended after a removal has left it,
//! so nothing needs to be passed up. A full child gives some of its own to a neighbour; if both
//! neighbours are full, two full nodes become three that are two thirds full. Elements that arrive
//! in their order leave full nodes behind. So nodes are some 0.8 full or more, where halving would
//! leave 0.69.
//!
//! *Invariants*: no node below the root is empty; `keys`, `firsts` and `counts` are those of the
//! child beside them; all leaves are equally deep.

use super::blob::Blob;
use super::leaf::{LEAF_SLOTS, Leaf};
use super::order::{Goal, key_of};
use std::ops::Range;

/// Children of an inner node.
pub(crate) const FAN: usize = 38;

/// A node.
pub(crate) enum Node {
    /// Elements.
    Leaf(Box<Leaf>),
    /// Nodes.
    Inner(Box<Inner>),
}

/// A node of nodes. See the [module](self).
pub(crate) struct Inner {
    len: usize,
    keys: [u64; FAN],
    firsts: [Option<Blob>; FAN],
    counts: [usize; FAN],
    children: [Option<Node>; FAN],
}

/// How many nodes there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Census {
    pub(crate) leaves: usize,
    pub(crate) inners: usize,
}

impl Census {
    /// Bytes that the nodes take from the allocator.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.leaves * size_of::<Leaf>() + self.inners * size_of::<Inner>().next_multiple_of(256)
    }
}

impl Node {
    /// Elements or children that the node holds.
    fn len(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Inner(inner) => inner.len,
        }
    }

    fn capacity(&self) -> usize {
        match self {
            Node::Leaf(_) => LEAF_SLOTS,
            Node::Inner(_) => FAN,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// Elements below.
    pub(crate) fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len(),
            Node::Inner(inner) => inner.counts[..inner.len].iter().sum(),
        }
    }

    /// The first element and its key.
    fn first(&self) -> Option<(u64, Blob)> {
        match self {
            Node::Leaf(leaf) if leaf.len() == 0 => None,
            Node::Leaf(leaf) => Some((key_of(leaf.get(0).score()), leaf.get(0))),
            Node::Inner(inner) => Some((inner.keys[0], inner.firsts[0]?)),
        }
    }

    /// An empty node of the same kind.
    fn sibling(&self, census: &mut Census) -> Node {
        match self {
            Node::Leaf(_) => {
                census.leaves += 1;
                Node::Leaf(Box::new(Leaf::new()))
            }
            Node::Inner(_) => {
                census.inners += 1;
                Node::Inner(Box::new(Inner::new()))
            }
        }
    }

    /// Moves what the node holds from `at` on to the beginning of `to`, its right neighbour.
    fn move_tail(&mut self, at: usize, to: &mut Node) {
        match (self, to) {
            (Node::Leaf(from), Node::Leaf(to)) => from.move_tail(at, to),
            (Node::Inner(from), Node::Inner(to)) => from.move_tail(at, to),
            _ => unreachable!("neighbours are of one kind"),
        }
    }

    /// Moves the first `count` of what the node holds to the end of `to`, its left neighbour.
    fn move_head(&mut self, count: usize, to: &mut Node) {
        match (self, to) {
            (Node::Leaf(from), Node::Leaf(to)) => from.move_head(count, to),
            (Node::Inner(from), Node::Inner(to)) => from.move_head(count, to),
            _ => unreachable!("neighbours are of one kind"),
        }
    }

    /// Puts an element in its place; the node is not full.
    pub(crate) fn insert(&mut self, goal: &Goal<'_>, key: u64, blob: Blob, census: &mut Census) {
        match self {
            Node::Leaf(leaf) => leaf.insert(leaf.count_before(goal), key, blob),
            Node::Inner(inner) => {
                let mut at = inner.child_for(goal);
                if inner.child(at).is_full() {
                    inner.make_room(at, goal, census);
                    at = inner.child_for(goal);
                }
                inner.child_mut(at).insert(goal, key, blob, census);
                inner.counts[at] += 1;
                // Only the first child is entered from before its first element.
                if at == 0 && !inner.begins_before(0, goal) {
                    (inner.keys[0], inner.firsts[0]) = (key, Some(blob));
                }
            }
        }
    }

    /// Takes an element out that is here.
    pub(crate) fn remove(&mut self, goal: &Goal<'_>, key: u64, blob: Blob, census: &mut Census) {
        match self {
            Node::Leaf(leaf) => {
                if let Some(at) = leaf.position(key, blob) {
                    leaf.remove(at);
                }
            }
            Node::Inner(inner) => {
                let at = inner.child_for(goal);
                inner.child_mut(at).remove(goal, key, blob, census);
                inner.counts[at] -= 1;
                inner.mend(at, blob, census);
            }
        }
    }

    /// Takes the element of a rank out that is here.
    pub(crate) fn remove_at(&mut self, rank: usize, census: &mut Census) -> Blob {
        match self {
            Node::Leaf(leaf) => leaf.remove(rank),
            Node::Inner(inner) => {
                let (at, before) = inner.child_at(rank);
                let blob = inner.child_mut(at).remove_at(rank - before, census);
                inner.counts[at] -= 1;
                inner.mend(at, blob, census);
                blob
            }
        }
    }

    /// The element of a rank that is here.
    pub(crate) fn get(&self, rank: usize) -> Blob {
        match self {
            Node::Leaf(leaf) => leaf.get(rank),
            Node::Inner(inner) => {
                let (at, before) = inner.child_at(rank);
                inner.child(at).get(rank - before)
            }
        }
    }

    /// How many elements lie before a place.
    pub(crate) fn count_before(&self, goal: &Goal<'_>) -> usize {
        let (mut node, mut before) = (self, 0);
        while let Node::Inner(inner) = node {
            let at = inner.child_for(goal);
            before += inner.counts[..at].iter().sum::<usize>();
            node = inner.child(at);
        }
        let Node::Leaf(leaf) = node else { return before };
        before + leaf.count_before(goal)
    }

    /// The rank of an element that is here.
    pub(crate) fn rank(&self, goal: &Goal<'_>, key: u64, blob: Blob) -> Option<usize> {
        let (mut node, mut before) = (self, 0);
        while let Node::Inner(inner) = node {
            let at = inner.child_for(goal);
            before += inner.counts[..at].iter().sum::<usize>();
            node = inner.child(at);
        }
        let Node::Leaf(leaf) = node else { return None };
        leaf.position(key, blob).map(|at| before + at)
    }

    /// Visits the elements of a range of ranks, forwards or backwards.
    pub(crate) fn visit(&self, range: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        match self {
            Node::Leaf(leaf) => leaf.visit(range, reverse, visit),
            Node::Inner(inner) if reverse => {
                let mut end = self.count();
                for at in (0..inner.len).rev() {
                    let start = end - inner.counts[at];
                    inner.visit_child(at, start..end, &range, reverse, visit);
                    if start <= range.start {
                        break;
                    }
                    end = start;
                }
            }
            Node::Inner(inner) => {
                let mut start = 0;
                for at in 0..inner.len {
                    let end = start + inner.counts[at];
                    inner.visit_child(at, start..end, &range, reverse, visit);
                    if end >= range.end {
                        break;
                    }
                    start = end;
                }
            }
        }
    }

    /// The root above this one, which is full.
    pub(crate) fn raise(self, census: &mut Census) -> Node {
        census.inners += 1;
        let mut root = Inner::new();
        root.insert(0, self);
        Node::Inner(Box::new(root))
    }

    /// The only child of an inner node.
    pub(crate) fn lower(&mut self, census: &mut Census) -> Option<Node> {
        match self {
            Node::Inner(inner) if inner.len == 1 => {
                census.inners -= 1;
                inner.children[0].take()
            }
            _ => None,
        }
    }

    /// Panics unless the invariants hold; returns depth, elements, and what nodes there are.
    #[cfg(test)]
    pub(crate) fn check(&self) -> (usize, usize, Census) {
        match self {
            Node::Leaf(leaf) => {
                leaf.check();
                (0, leaf.len(), Census { leaves: 1, inners: 0 })
            }
            Node::Inner(inner) => {
                let (mut total, mut depths, mut census) = (0, Vec::new(), Census { leaves: 0, inners: 1 });
                for at in 0..inner.len {
                    let (depth, count, below) = inner.child(at).check();
                    assert!(count > 0 && count == inner.counts[at], "count");
                    let first = inner.child(at).first().unwrap();
                    assert_eq!((inner.keys[at], inner.firsts[at]), (first.0, Some(first.1)), "first");
                    total += count;
                    depths.push(depth);
                    census.leaves += below.leaves;
                    census.inners += below.inners;
                }
                assert!(depths.windows(2).all(|pair| pair[0] == pair[1]), "depth");
                assert!(inner.children[inner.len..].iter().all(Option::is_none));
                (depths[0] + 1, total, census)
            }
        }
    }
}

impl Inner {
    fn new() -> Inner {
        Inner { len: 0, keys: [0; FAN], firsts: [None; FAN], counts: [0; FAN], children: [const { None }; FAN] }
    }

    #[inline]
    fn child(&self, at: usize) -> &Node {
        match &self.children[at] {
            Some(node) => node,
            None => unreachable!("a child below len is there"),
        }
    }

    #[inline]
    fn child_mut(&mut self, at: usize) -> &mut Node {
        match &mut self.children[at] {
            Some(node) => node,
            None => unreachable!("a child below len is there"),
        }
    }

    /// The child in which a place is: the last that begins before it, or the first.
    #[inline]
    fn child_for(&self, goal: &Goal<'_>) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.begins_before(middle, goal) { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1)
    }

    /// Whether a child begins before a place.
    #[inline]
    fn begins_before(&self, at: usize, goal: &Goal<'_>) -> bool {
        goal.is_behind(self.keys[at], || self.firsts[at].as_ref().map_or(&[], Blob::member))
    }

    /// The child in which a rank is, and the elements before that child.
    #[inline]
    fn child_at(&self, rank: usize) -> (usize, usize) {
        let (mut at, mut before) = (0, 0);
        while at + 1 < self.len && before + self.counts[at] <= rank {
            before += self.counts[at];
            at += 1;
        }
        (at, before)
    }

    fn visit_child(
        &self,
        at: usize,
        span: Range<usize>,
        range: &Range<usize>,
        reverse: bool,
        visit: &mut dyn FnMut(&[u8], f64),
    ) {
        let (start, end) = (range.start.max(span.start), range.end.min(span.end));
        if start < end {
            self.child(at).visit(start - span.start..end - span.start, reverse, visit);
        }
    }

    /// Writes anew what is known of a child.
    fn refresh(&mut self, at: usize) {
        self.counts[at] = self.child(at).count();
        self.refresh_first(at);
    }

    /// Writes anew which element a child begins with.
    fn refresh_first(&mut self, at: usize) {
        if let Some((key, first)) = self.child(at).first() {
            (self.keys[at], self.firsts[at]) = (key, Some(first));
        }
    }

    /// Puts a node that is not empty at a position.
    fn insert(&mut self, at: usize, node: Node) {
        self.children[at..=self.len].rotate_right(1);
        self.keys.copy_within(at..self.len, at + 1);
        self.firsts.copy_within(at..self.len, at + 1);
        self.counts.copy_within(at..self.len, at + 1);
        self.children[at] = Some(node);
        self.len += 1;
        self.refresh(at);
    }

    /// Takes the node at a position out.
    fn remove(&mut self, at: usize) -> Option<Node> {
        let node = self.children[at].take();
        self.children[at..self.len].rotate_left(1);
        self.keys.copy_within(at + 1..self.len, at);
        self.firsts.copy_within(at + 1..self.len, at);
        self.counts.copy_within(at + 1..self.len, at);
        self.len -= 1;
        node
    }

    fn move_tail(&mut self, at: usize, to: &mut Inner) {
        let count = self.len - at;
        to.children[..to.len + count].rotate_right(count);
        to.keys.copy_within(..to.len, count);
        to.firsts.copy_within(..to.len, count);
        to.counts.copy_within(..to.len, count);
        to.copy_from(0, self, at..self.len);
        self.len = at;
        to.len += count;
    }

    fn move_head(&mut self, count: usize, to: &mut Inner) {
        to.copy_from(to.len, self, 0..count);
        self.children[..self.len].rotate_left(count);
        self.keys.copy_within(count..self.len, 0);
        self.firsts.copy_within(count..self.len, 0);
        self.counts.copy_within(count..self.len, 0);
        self.len -= count;
        to.len += count;
    }

    /// Takes what another node has in `range` to the positions from `at` on.
    fn copy_from(&mut self, at: usize, from: &mut Inner, range: Range<usize>) {
        let end = at + range.len();
        self.keys[at..end].copy_from_slice(&from.keys[range.clone()]);
        self.firsts[at..end].copy_from_slice(&from.firsts[range.clone()]);
        self.counts[at..end].copy_from_slice(&from.counts[range.clone()]);
        self.children[at..end].swap_with_slice(&mut from.children[range]);
    }

    /// Children `at` and `at + 1`.
    fn pair(&mut self, at: usize) -> (&mut Node, &mut Node) {
        match &mut self.children[at..at + 2] {
            [Some(left), Some(right)] => (left, right),
            _ => unreachable!("children below len are there"),
        }
    }

    /// Makes children `at` and `at + 1` equally long.
    fn even_out(&mut self, at: usize) {
        let (left, right) = self.pair(at);
        let half = usize::midpoint(left.len(), right.len());
        if left.len() > half {
            left.move_tail(half, right);
        } else {
            right.move_head(half - left.len(), left);
        }
        self.refresh(at);
        self.refresh(at + 1);
    }

    /// Makes room in a full child, or beside it, for an element at `goal`. This node is not full.
    fn make_room(&mut self, at: usize, goal: &Goal<'_>, census: &mut Census) {
        let is_last = at + 1 == self.len;
        let capacity = self.child(at).capacity();
        // Worth a move only when it makes room for more than a few.
        let has_room = |node: &Node| node.len() + capacity / 8 < capacity;
        if is_last && self.is_end(at, goal) {
            return self.split(at, capacity - 1, census);
        }
        if !is_last && has_room(self.child(at + 1)) {
            return self.even_out(at);
        }
        if at > 0 && has_room(self.child(at - 1)) {
            return self.even_out(at - 1);
        }
        // Two neighbours give a third of each to a node between them.
        let left = if is_last { at.saturating_sub(1) } else { at };
        if self.len == 1 {
            return self.split(at, capacity / 2, census);
        }
        self.split(left, self.child(left).len() * 2 / 3, census);
        let (middle, right) = self.pair(left + 1);
        let third = (right.len() / 3).min(capacity - middle.len());
        right.move_head(third, middle);
        self.refresh(left + 1);
        self.refresh(left + 2);
    }

    /// Whether the place is behind all that the child at `at` holds directly.
    fn is_end(&self, at: usize, goal: &Goal<'_>) -> bool {
        match self.child(at) {
            Node::Leaf(leaf) => {
                let last = leaf.get(leaf.len() - 1);
                goal.is_behind(key_of(last.score()), || last.member())
            }
            Node::Inner(inner) => inner.begins_before(inner.len - 1, goal),
        }
    }

    /// Moves what a child holds from `keep` on to a new child behind it.
    fn split(&mut self, at: usize, keep: usize, census: &mut Census) {
        let child = self.child_mut(at);
        let mut right = child.sibling(census);
        child.move_tail(keep, &mut right);
        self.insert(at + 1, right);
        self.refresh(at);
    }

    /// Writes anew what is known of a child that an element was taken out of, and joins it with a
    /// neighbour if it has become small.
    fn mend(&mut self, at: usize, taken: Blob, census: &mut Census) {
        let child = self.child(at);
        let (len, capacity) = (child.len(), child.capacity());
        if len == 0 {
            match self.remove(at) {
                Some(Node::Leaf(_)) => census.leaves -= 1,
                _ => census.inners -= 1,
            }
            return;
        }
        if self.firsts[at] == Some(taken) {
            self.refresh_first(at);
        }
        if len * 2 >= capacity || self.len == 1 {
            return;
        }
        let left = if at + 1 < self.len { at } else { at - 1 };
        let (first, second) = self.pair(left);
        // Joined nodes keep some room, so that one insertion does not part them again.
        if first.len() + second.len() > capacity - capacity / 8 {
            // Evening out moves many; a child that is not much below half can wait.
            if len * 4 < capacity {
                self.even_out(left);
            }
            return;
        }
        second.move_head(second.len(), first);
        match self.remove(left + 1) {
            Some(Node::Leaf(_)) => census.leaves -= 1,
            _ => census.inners -= 1,
        }
        self.refresh(left);
    }
}
