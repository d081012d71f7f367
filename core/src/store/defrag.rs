//! Defragmentation: entries move out of pages that are mostly empty, so that these can be given back.
//!
//! ```text
//!   |a.......|.b......|cdefgh..|   ──>   |........|........|cdefghab|
//! ```
//!
//! The tables are gone through bucket by bucket, and the allocator says of each entry whether it lies in a slab
//! that is emptier than others. What lies behind the address of a boxed value stays where it is.
//!
//! Invariant: entries move only while no handler is on the stack, which could have looked at them. Who remembers
//! addresses longer (the pool of eviction) looks whether the table holds them.

use crate::store::Store;
use std::time::{Duration, Instant};

/// Buckets between two looks at the clock.
const STEPS: usize = 8;

/// How far it is, and what has come of it.
#[derive(Default)]
pub struct Defrag {
    db: usize,
    cursor: u64,
    /// Entries that have moved.
    pub moved: u64,
    /// Entries that were looked at and lie well.
    pub kept: u64,
}

impl Store {
    /// Go on for a time; whether all databases have been gone through, so that the next call begins anew.
    pub fn defrag(&mut self, begun: Instant, length: Duration) -> bool {
        let at = &mut self.defragging;
        while let Some(database) = self.databases.get_mut(at.db) {
            for _ in 0..STEPS {
                at.cursor = database.table.scan_update(at.cursor, |entry| match entry.defragmented() {
                    Some(moved) => {
                        at.moved += 1;
                        moved
                    }
                    None => {
                        at.kept += 1;
                        entry
                    }
                });
                if at.cursor == 0 {
                    at.db += 1;
                    break;
                }
            }
            if begun.elapsed() >= length {
                break;
            }
        }
        let is_over = at.db >= self.databases.len();
        if is_over {
            (at.db, at.cursor) = (0, 0);
        }
        is_over
    }
}
