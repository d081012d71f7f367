//! The storage of large sorted sets: a table by member, and a tree by order, over the same blobs.
//!
//! ```text
//!   table   hash of member ──> ┐
//!                              ├──> blob [ score ][ len ][ member ]
//!   tree    score, member  ──> ┘
//! ```
//!
//! An element of 15 bytes costs 24 for its blob, about 10 for its slot in the table, which never
//! pauses to grow, and about 10 for its slot in the tree ([`node`]), whose nodes are well filled.
//! ZSCORE and SCAN ask the table; ranks and ranges ask the tree.
//!
//! *Invariants*: the table and the tree hold the same blobs, each once; a blob is freed by
//! [`BlobTree`] only, after both have let go of it; its score changes only while it is not in the
//! tree.

pub(crate) mod blob;
pub(crate) mod leaf;
pub(crate) mod node;
pub(crate) mod order;
#[cfg(test)]
mod tests;
pub(crate) mod tree;

use blob::Blob;
use order::Goal;
use plinth_module::table::Table;
use plinth_zset_commands::storage::{Cut, Storage, hash};
use std::ops::Range;
use tree::Tree;

/// A counted B+tree with a table. See the [module](self).
#[derive(Default)]
pub struct BlobTree {
    table: Table<Blob>,
    tree: Tree,
    blob_bytes: usize,
}

// SAFETY: the store alone owns its blobs, and whoever has it exclusively may use and free them on
// any thread.
unsafe impl Send for BlobTree {}

impl BlobTree {
    #[inline]
    fn find(&self, member: &[u8]) -> Option<Blob> {
        self.table.find(hash(member), |blob| blob.member() == member)
    }

    /// Frees a blob that neither the table nor the tree holds any more.
    fn free(&mut self, blob: Blob) {
        self.blob_bytes -= blob.memory_bytes();
        // SAFETY: the table and the tree have let go of it, and nobody else keeps copies.
        unsafe { blob.free() };
    }
}

impl Storage for BlobTree {
    fn len(&self) -> usize {
        self.table.len()
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(Blob::score)
    }

    fn update(&mut self, member: &[u8], choose: impl FnOnce(Option<f64>) -> Option<f64>) {
        let hashed = hash(member);
        let Some(blob) = self.table.find(hashed, |blob| blob.member() == member) else {
            if let Some(score) = choose(None) {
                let blob = Blob::new(member, score);
                self.blob_bytes += blob.memory_bytes();
                self.table.insert_new(hashed, blob, false, |other| hash(other.member()));
                self.tree.insert(blob);
            }
            return;
        };
        let before = blob.score();
        if let Some(score) = choose(Some(before))
            && score != before
        {
            self.tree.remove(blob);
            blob.set_score(score);
            self.tree.insert(blob);
        }
    }

    fn look_ahead(&self, member: &[u8], stage: u32, memo: &mut u64) -> bool {
        self.table.look_ahead(stage, || hash(member), memo)
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let blob = self.table.remove(hash(member), |blob| blob.member() == member)?;
        let score = blob.score();
        self.tree.remove(blob);
        self.free(blob);
        Some(score)
    }

    fn remove_at(&mut self, rank: usize, taken: &mut dyn FnMut(&[u8], f64)) {
        let blob = self.tree.remove_at(rank);
        self.table.remove(hash(blob.member()), |other| other == blob);
        taken(blob.member(), blob.score());
        self.free(blob);
    }

    fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let blob = self.find(member)?;
        self.tree.rank(blob).map(|rank| (rank, blob.score()))
    }

    fn count_before(&self, cut: Cut<'_>) -> usize {
        self.tree.count_before(&Goal::of(cut))
    }

    fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        if ranks.len() == 1 {
            let blob = self.tree.get(ranks.start);
            return visit(blob.member(), blob.score());
        }
        self.tree.visit(ranks, reverse, visit);
    }

    fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.table.scan(cursor, |blob| visit(blob.member(), blob.score()))
    }

    fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.tree.memory_bytes() + self.blob_bytes
    }
}

impl Drop for BlobTree {
    fn drop(&mut self) {
        // SAFETY: the table holds each blob once, and neither it nor the tree is looked at again.
        self.table.release(|blob| unsafe { blob.free() });
    }
}
