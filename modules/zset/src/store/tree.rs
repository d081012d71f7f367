//! The tree: all elements in their order, with their number below each node.
//!
//! A B+tree of [`Node`]s over [`Blob`]s. What it does takes O(log n), with a rank as with an
//! element; it owns its nodes and none of the blobs.

use super::blob::Blob;
use super::leaf::Leaf;
use super::node::{Census, Node};
use super::order::{Goal, key_of};
use std::ops::Range;

/// Elements in their order. See the [module](self).
pub(crate) struct Tree {
    root: Node,
    census: Census,
}

impl Default for Tree {
    fn default() -> Tree {
        Tree { root: Node::Leaf(Box::new(Leaf::new())), census: Census { leaves: 1, inners: 0 } }
    }
}

/// The place of an element that is there, behind which descents look for it.
fn behind<'b>(key: u64, blob: &'b Blob) -> Goal<'b> {
    Goal::Element { key, member: blob.member(), behind: true }
}

impl Tree {
    /// Bytes of the nodes. O(1).
    pub(crate) fn memory_bytes(&self) -> usize {
        self.census.memory_bytes()
    }

    /// Adds an element that is not there.
    pub(crate) fn insert(&mut self, blob: Blob) {
        if self.root.is_full() {
            let root = std::mem::replace(&mut self.root, Node::Leaf(Box::new(Leaf::new())));
            self.root = root.raise(&mut self.census);
        }
        let key = key_of(blob.score());
        let goal = Goal::Element { key, member: blob.member(), behind: false };
        self.root.insert(&goal, key, blob, &mut self.census);
    }

    /// Takes out an element that is there, with the score that it was added with.
    pub(crate) fn remove(&mut self, blob: Blob) {
        let key = key_of(blob.score());
        self.root.remove(&behind(key, &blob), key, blob, &mut self.census);
        self.settle();
    }

    /// Takes out the element of a rank that is there.
    pub(crate) fn remove_at(&mut self, rank: usize) -> Blob {
        let blob = self.root.remove_at(rank, &mut self.census);
        self.settle();
        blob
    }

    /// Makes the only child of the root the root.
    fn settle(&mut self) {
        while let Some(root) = self.root.lower(&mut self.census) {
            self.root = root;
        }
    }

    /// The element of a rank that is there.
    pub(crate) fn get(&self, rank: usize) -> Blob {
        self.root.get(rank)
    }

    /// The rank of an element that is there.
    pub(crate) fn rank(&self, blob: Blob) -> Option<usize> {
        let key = key_of(blob.score());
        self.root.rank(&behind(key, &blob), key, blob)
    }

    /// How many elements lie before a place.
    pub(crate) fn count_before(&self, goal: &Goal<'_>) -> usize {
        self.root.count_before(goal)
    }

    /// Visits the elements of a range of ranks, forwards or backwards.
    pub(crate) fn visit(&self, range: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        self.root.visit(range, reverse, visit);
    }

    /// Panics unless the invariants hold; returns the number of elements and of leaves.
    #[cfg(test)]
    pub(crate) fn check(&self) -> (usize, usize) {
        let (_, count, census) = self.root.check();
        assert_eq!(census, self.census);
        (count, census.leaves)
    }
}
