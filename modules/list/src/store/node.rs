//! The node: elements of a list's interior, as one pack of exactly their bytes.
//!
//! ```text
//!   data      [ element ][ element ] ...     or the same, compressed with LZF
//!   count     elements
//!   raw_len   bytes of the pack when it is not compressed: then equal to data's length
//! ```
//!
//! Nodes do not change in place. Whoever edits one takes its pack, and puts back the node or the
//! nodes that the new pack makes: an interior is rarely edited, and a block without room to grow
//! is what keeps an element at its own bytes.
//!
//! *Invariant*: a node holds at least one element. Compression never lengthens, so a node is
//! compressed exactly if its data is shorter than `raw_len`.

use plinth_module::lzf;
use plinth_module::pack::element::{self, Encoded};
use std::borrow::Cow;

/// Packs shorter than this are not worth compressing.
const COMPRESS_MIN_BYTES: usize = 48;
/// What compression must at least save.
const SAVED_MIN_BYTES: usize = 8;

/// Elements of a list's interior. See the [module](self).
#[derive(Clone)]
pub(super) struct Node {
    data: Box<[u8]>,
    count: u32,
    raw_len: u32,
}

/// The nodes that an edited node becomes: none, when its last element went, up to three, when an
/// element of its own node's size fell into its middle.
pub(super) type Pieces = [Option<Node>; 3];

impl Node {
    /// A node of `count` elements, which take all of `pack`.
    pub(super) fn new(pack: Vec<u8>, count: usize) -> Node {
        debug_assert!(count > 0 && !pack.is_empty());
        Node { raw_len: pack.len() as u32, count: count as u32, data: pack.into_boxed_slice() }
    }

    /// A node of one element.
    pub(super) fn single(element: &Encoded<'_>) -> Node {
        let mut pack = Vec::with_capacity(element.len());
        element.push(&mut pack);
        Node::new(pack, 1)
    }

    /// Number of elements.
    pub(super) fn count(&self) -> usize {
        self.count as usize
    }

    /// Bytes of the pack.
    pub(super) fn raw_len(&self) -> usize {
        self.raw_len as usize
    }

    /// Bytes that the node owns.
    pub(super) fn heap_bytes(&self) -> usize {
        self.data.len()
    }

    /// Whether the pack is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.data.len() < self.raw_len as usize
    }

    /// The pack.
    pub(super) fn pack(&self) -> Cow<'_, [u8]> {
        if !self.is_compressed() {
            return Cow::Borrowed(&self.data);
        }
        // What `compress` made expands; an empty pack would be the answer to memory gone bad.
        Cow::Owned(lzf::decompress(&self.data, self.raw_len as usize).unwrap_or_default())
    }

    /// The pack, the node being given up.
    pub(super) fn into_pack(self) -> Vec<u8> {
        if self.is_compressed() { self.pack().into_owned() } else { self.data.into_vec() }
    }

    /// Compresses the pack, if that is worth anything.
    pub(super) fn compress(&mut self) {
        if self.is_compressed() || self.data.len() < COMPRESS_MIN_BYTES {
            return;
        }
        let mut packed = Vec::with_capacity(self.data.len() - SAVED_MIN_BYTES);
        if lzf::compress(&self.data, &mut packed, self.data.len() - SAVED_MIN_BYTES) {
            self.data = packed.into_boxed_slice();
        }
    }

    /// The node with this one's elements and those of `other` behind them.
    pub(super) fn joined(&self, other: &Node) -> Node {
        let (left, right) = (self.pack(), other.pack());
        let mut pack = Vec::with_capacity(left.len() + right.len());
        pack.extend_from_slice(&left);
        pack.extend_from_slice(&right);
        Node::new(pack, self.count() + other.count())
    }

    /// The elements before number `at`, and the others. `at` lies within the node.
    pub(super) fn cut(&self, at: usize) -> (Node, Node) {
        let pack = self.pack();
        let offset = element::offset(&pack, at).unwrap_or(pack.len());
        (Node::new(pack[..offset].to_vec(), at), Node::new(pack[offset..].to_vec(), self.count() - at))
    }

    /// What becomes of the node when the elements from `at` on, `removed` of them, give way to
    /// `with`: packs of at most `bytes_max`, unless a single element is longer. Compressed if this
    /// node is.
    pub(super) fn spliced(&self, at: usize, removed: usize, with: Option<&Encoded<'_>>, bytes_max: usize) -> Pieces {
        let pack = self.pack();
        let from = element::offset(&pack, at).unwrap_or(pack.len());
        let to = from + element::offset(&pack[from..], removed).unwrap_or(pack.len() - from);
        let (left, right) = (&pack[..from], &pack[to..]);
        let (left_count, right_count) = (at, self.count() - at - removed);
        let len = left.len() + with.map_or(0, Encoded::len) + right.len();
        let mut pieces = match with {
            Some(element) if len > bytes_max && element.len() > bytes_max / 2 => {
                [piece(left, left_count, None, &[]), Some(Node::single(element)), piece(&[], right_count, None, right)]
            }
            Some(_) if len > bytes_max && left.len() > right.len() => {
                [piece(left, left_count, None, &[]), piece(&[], right_count + 1, with, right), None]
            }
            Some(_) if len > bytes_max => {
                [piece(left, left_count + 1, with, &[]), piece(&[], right_count, None, right), None]
            }
            _ => [piece(left, left_count + right_count + usize::from(with.is_some()), with, right), None, None],
        };
        if self.is_compressed() {
            pieces.iter_mut().flatten().for_each(Node::compress);
        }
        pieces
    }

    /// What is left of the node without the elements that equal `wanted`, of which at most `max`
    /// go: the first, or the last if `from_back`; and how many went. `None` when there are none.
    pub(super) fn without(&self, wanted: &Encoded<'_>, max: usize, from_back: bool) -> Option<(Option<Node>, usize)> {
        let pack = self.pack();
        let (kept, removed) = without(&pack, wanted, max, from_back)?;
        let mut left = (removed < self.count()).then(|| Node::new(kept, self.count() - removed));
        if self.is_compressed() {
            left.iter_mut().for_each(Node::compress);
        }
        Some((left, removed))
    }
}

/// A pack without the elements that equal `wanted`, see [`Node::without`]; and how many went.
pub(super) fn without(pack: &[u8], wanted: &Encoded<'_>, max: usize, from_back: bool) -> Option<(Vec<u8>, usize)> {
    let first = element::find(pack, wanted)?;
    let mut found = vec![first];
    let mut at = first + wanted.len();
    while from_back || found.len() < max {
        let Some(next) = element::find(&pack[at..], wanted) else { break };
        found.push(at + next);
        at += next + wanted.len();
    }
    let gone = if from_back { &found[found.len().saturating_sub(max)..] } else { &found[..found.len().min(max)] };
    let mut kept = Vec::with_capacity(pack.len() - gone.len() * wanted.len());
    let mut from = 0;
    for &at in gone {
        kept.extend_from_slice(&pack[from..at]);
        from = at + wanted.len();
    }
    kept.extend_from_slice(&pack[from..]);
    Some((kept, gone.len()))
}

/// A node of these parts, `count` elements together; `None` when there are none.
fn piece(left: &[u8], count: usize, with: Option<&Encoded<'_>>, right: &[u8]) -> Option<Node> {
    if count == 0 {
        return None;
    }
    let mut pack = Vec::with_capacity(left.len() + with.map_or(0, Encoded::len) + right.len());
    pack.extend_from_slice(left);
    if let Some(element) = with {
        element.push(&mut pack);
    }
    pack.extend_from_slice(right);
    Some(Node::new(pack, count))
}
