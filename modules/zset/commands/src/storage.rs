//! The storage trait: what the commands need of a large sorted set.
//!
//! Whoever has another structure implements [`Storage`] and exports
//! [`module`](crate::module)`::<TheirStorage>()`. Small sorted sets are not its business.
//!
//! ```text
//!   rank     0         1         2         3
//!            (1, "b")  (2, "a")  (2, "c")  (7, "a2")          by score, then by bytes of the member
//!          ^         ^                   ^
//!          cut       cut: score 2        cut: score 2, behind
//! ```
//!
//! What an implementation may rely on: scores are never NaN, a member is at most 4 GiB, ranks and
//! ranges that it is given exist. Both zeros are the same score. It need not be fast at anything but
//! what its functions promise, and it says itself what it takes in memory.
//!
//! *What is deliberately absent*: iterators, which borrow; ranges by score or member, which are two
//! cuts; and any notion of keys, arguments or replies.

use plinth_module::table::Keyed;
use std::ops::Range;

pub mod conformance;
#[cfg(test)]
pub(crate) mod plain;

/// A place between two elements, found by asking them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut<'a> {
    /// Before all elements of a score, or behind them.
    Score {
        /// The score.
        score: f64,
        /// Whether those of this score come before.
        behind: bool,
    },
    /// Before a member, or behind it, in a set whose scores are all the same. Where they are not,
    /// any place is right.
    Member {
        /// The member.
        member: &'a [u8],
        /// Whether this member comes before.
        behind: bool,
    },
}

impl Cut<'_> {
    /// Whether an element comes before the place.
    #[inline]
    pub fn is_behind(&self, member: &[u8], score: f64) -> bool {
        match *self {
            Cut::Score { score: edge, behind } => score < edge || behind && score == edge,
            Cut::Member { member: edge, behind } => member < edge || behind && member == edge,
        }
    }
}

/// Members with scores, in order. See the [module](self).
pub trait Storage: Default + Send + 'static {
    /// Number of elements. O(1).
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A member's score. O(log n) or better.
    fn score(&self, member: &[u8]) -> Option<f64>;

    /// Looks a member up and lets `choose` say which score it gets: `choose` is told the present
    /// score, `None` for a member that is not there; if it returns `None` nothing changes. The one
    /// way in which elements come and scores change. O(log n).
    fn update(&mut self, member: &[u8], choose: impl FnOnce(Option<f64>) -> Option<f64>);

    /// Removes a member; returns its score if it was there. O(log n).
    fn remove(&mut self, member: &[u8]) -> Option<f64>;

    /// Removes the element of a rank, below [`len`](Storage::len), and shows it to `taken`. O(log n).
    fn remove_at(&mut self, rank: usize, taken: &mut dyn FnMut(&[u8], f64));

    /// A member's rank and score. O(log n).
    fn rank(&self, member: &[u8]) -> Option<(usize, f64)>;

    /// How many elements come before a cut. O(log n).
    fn count_before(&self, cut: Cut<'_>) -> usize;

    /// Visits the elements of a range of ranks, which ends at [`len`](Storage::len) at most: from
    /// its start to its end, or if `reverse` from its end to its start. O(log n + elements).
    fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64));

    /// Starts loading the memory that a look-up of the member is going to need, and says whether
    /// there is a further stage. The stages are 0, 1 and so on, each asked for when the one before
    /// has had time; `memo` is kept between them.
    fn look_ahead(&self, _member: &[u8], _stage: u32, _memo: &mut u64) -> bool {
        false
    }

    /// One step of an iteration that may be spread over any time; a few elements. Cursor 0 starts
    /// it, and is returned when it is complete. An element that is there from the first step to the
    /// last is visited at least once, whatever comes and goes between the steps. Any cursor is
    /// harmless.
    fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&[u8], f64)) -> u64;

    /// Bytes of all that the storage has allocated. O(1).
    fn memory_bytes(&self) -> usize;
}

/// The hash of a member, under a key that is chosen when the process starts: SipHash-1-3.
#[inline]
pub fn hash(member: &[u8]) -> u64 {
    Keyed::of_process().hash(member)
}
