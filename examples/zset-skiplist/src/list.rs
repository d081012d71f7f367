//! A skip list with spans (Pugh, CACM 1990): elements in order, each reachable in O(log n) by its
//! score and member or by its rank.
//!
//! ```text
//!   level 2   head ───────────────5──────────────> e
//!   level 1   head ───2───> b ────3──────────────> e
//!   level 0   head ─1─> a ─1─> b ─1─> c ─1─> d ─1─> e
//! ```
//!
//! The number on a link is its *span*: how many elements it passes. Nodes have numbers, by which
//! they name each other; the head is node 0. There is no `unsafe`.

use crate::nodes::Nodes;
use plinth_zset_commands::storage::Cut;
use std::cmp::Ordering;

/// Highest number of levels.
const LEVELS: usize = 32;
/// The end of a level.
const END: u32 = u32::MAX;

/// A link of one level.
#[derive(Clone, Copy)]
struct Link {
    next: u32,
    span: u32,
}

struct Node {
    member: Box<[u8]>,
    score: f64,
    before: u32,
    links: Vec<Link>,
}

/// Elements in order. See the [module](self).
pub(crate) struct SkipList {
    nodes: Nodes<Node>,
    free: Vec<u32>,
    last: u32,
    len: usize,
    dice: u64,
    bytes: usize,
}

fn order(node: &Node, score: f64, member: &[u8]) -> Ordering {
    node.score.partial_cmp(&score).unwrap_or(Ordering::Equal).then_with(|| (*node.member).cmp(member))
}

impl Default for SkipList {
    fn default() -> SkipList {
        let head =
            Node { member: Box::default(), score: 0.0, before: 0, links: vec![Link { next: END, span: 0 }; LEVELS] };
        let mut nodes = Nodes::NEW;
        nodes.push(head);
        SkipList { nodes, free: Vec::new(), last: 0, len: 0, dice: 0x9e37_79b9_7f4a_7c15, bytes: 0 }
    }
}

impl SkipList {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that the list has allocated.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.nodes.memory_bytes() + self.free.capacity() * size_of::<u32>() + self.bytes
    }

    fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    /// Member and score of an element.
    pub(crate) fn element(&self, at: u32) -> (&[u8], f64) {
        (&self.node(at).member, self.node(at).score)
    }

    /// For each level the last node that `is_before` holds for, and its rank; the head's is 0.
    fn path(&self, is_before: impl Fn(&Node, usize) -> bool) -> [(u32, usize); LEVELS] {
        let mut path = [(0, 0); LEVELS];
        let (mut at, mut rank) = (0, 0);
        for level in (0..LEVELS).rev() {
            loop {
                let Link { next, span } = self.node(at).links[level];
                if next == END || !is_before(self.node(next), rank + span as usize) {
                    break;
                }
                (at, rank) = (next, rank + span as usize);
            }
            path[level] = (at, rank);
        }
        path
    }

    /// One level more with a chance of a quarter.
    fn levels(&mut self) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        1 + (self.dice.trailing_zeros() as usize / 2).min(LEVELS - 1)
    }

    /// Adds an element that is not there; returns where it is.
    pub(crate) fn insert(&mut self, member: Box<[u8]>, score: f64) -> u32 {
        let path = self.path(|node, _| order(node, score, &member) == Ordering::Less);
        let (levels, (before, rank)) = (self.levels(), path[0]);
        let mut node = Node { member, score, before, links: Vec::with_capacity(levels) };
        self.bytes += node.member.len() + levels * size_of::<Link>();
        let at = self.free.pop().unwrap_or(self.nodes.len() as u32);
        for (level, (left, left_rank)) in path.into_iter().enumerate() {
            let link = &mut self.nodes[left as usize].links[level];
            if level >= levels {
                link.span += u32::from(link.next != END);
                continue;
            }
            let passed = (rank - left_rank) as u32;
            let span = if link.next == END { 0 } else { link.span - passed };
            node.links.push(Link { next: link.next, span });
            *link = Link { next: at, span: passed + 1 };
        }
        match node.links[0].next {
            END => self.last = at,
            next => self.nodes[next as usize].before = at,
        }
        if at as usize == self.nodes.len() {
            self.nodes.push(node);
        } else {
            self.nodes[at as usize] = node;
        }
        self.len += 1;
        at
    }

    /// Takes an element out that is there.
    pub(crate) fn remove(&mut self, at: u32) -> (Box<[u8]>, f64) {
        let (member, score) = self.element(at);
        let path = self.path(|node, _| order(node, score, member) == Ordering::Less);
        let node = &mut self.nodes[at as usize];
        let (member, links, before) = (std::mem::take(&mut node.member), std::mem::take(&mut node.links), node.before);
        self.bytes -= member.len() + links.len() * size_of::<Link>();
        for (level, (left, _)) in path.into_iter().enumerate() {
            let link = &mut self.nodes[left as usize].links[level];
            match links.get(level) {
                Some(Link { next: END, .. }) => *link = Link { next: END, span: 0 },
                Some(own) => *link = Link { next: own.next, span: link.span + own.span - 1 },
                None => link.span -= u32::from(link.next != END),
            }
        }
        match links[0].next {
            END => self.last = before,
            next => self.nodes[next as usize].before = before,
        }
        self.free.push(at);
        self.len -= 1;
        (member, score)
    }

    /// The element of a rank that is there.
    pub(crate) fn at_rank(&self, rank: usize) -> u32 {
        let (before, _) = self.path(|_, number| number <= rank)[0];
        self.node(before).links[0].next
    }

    /// The rank of an element that is there.
    pub(crate) fn rank(&self, at: u32) -> usize {
        let (member, score) = self.element(at);
        self.path(|node, _| order(node, score, member) == Ordering::Less)[0].1
    }

    /// How many elements come before a cut.
    pub(crate) fn count_before(&self, cut: Cut<'_>) -> usize {
        self.path(|node, _| cut.is_behind(&node.member, node.score))[0].1
    }

    /// The element behind another, which has one; backwards the one before.
    pub(crate) fn step(&self, at: u32, reverse: bool) -> u32 {
        if reverse { self.node(at).before } else { self.node(at).links[0].next }
    }
}
