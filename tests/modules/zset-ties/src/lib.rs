//! A module with a fault, planted: large sorted sets whose members of equal scores are in the
//! wrong order, `z` before `a`. `plinth-verify` has to find it.
//!
//! The storage is that of `examples/zset-skiplist`, compiled from its own sources, with the ranks
//! within each score turned round:
//!
//! ```text
//!   scores      1    2    2    2    7
//!   skip list   b    a    c    d    a2      ranks 0 1 2 3 4
//!   shown       b    d    c    a    a2      ranks 0 3 2 1 4
//! ```
//!
//! Everything else is right: scores, counts, what comes and goes, small sorted sets. So a command
//! shows the fault only where two members of one score meet in a large sorted set.
#![deny(unsafe_code)]

#[path = "../../../../examples/zset-skiplist/src/list.rs"]
mod list;
#[path = "../../../../examples/zset-skiplist/src/nodes.rs"]
mod nodes;
#[path = "../../../../examples/zset-skiplist/src/skip.rs"]
pub mod skip;

use plinth_module::prelude::*;
use plinth_zset_commands::storage::{Cut, Storage};
use skip::Skip;
use std::ops::Range;

export!(plinth_zset_commands::module::<Ties>("zset", env!("CARGO_PKG_VERSION")));

/// The skip list with the fault.
#[derive(Default)]
pub struct Ties(Skip);

impl Ties {
    /// The other rank of an element: as far from the end of its score as it is from the beginning.
    fn turned(&self, rank: usize) -> usize {
        let mut of = 0.0;
        self.0.visit(rank..rank + 1, false, &mut |_, score| of = score);
        let edge = |behind| self.0.count_before(Cut::Score { score: of, behind });
        edge(false) + edge(true) - 1 - rank
    }
}

impl Storage for Ties {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        self.0.score(member)
    }

    fn update(&mut self, member: &[u8], choose: impl FnOnce(Option<f64>) -> Option<f64>) {
        self.0.update(member, choose);
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        self.0.remove(member)
    }

    fn remove_at(&mut self, rank: usize, taken: &mut dyn FnMut(&[u8], f64)) {
        let rank = self.turned(rank);
        self.0.remove_at(rank, taken);
    }

    fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        self.0.rank(member).map(|(rank, score)| (self.turned(rank), score))
    }

    fn count_before(&self, cut: Cut<'_>) -> usize {
        self.0.count_before(cut)
    }

    fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        for step in 0..ranks.len() {
            let rank = self.turned(if reverse { ranks.end - 1 - step } else { ranks.start + step });
            self.0.visit(rank..rank + 1, false, visit);
        }
    }

    fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.0.scan(cursor, visit)
    }

    fn memory_bytes(&self) -> usize {
        self.0.memory_bytes()
    }
}
