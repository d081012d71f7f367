//! Keys that clients of a writable replica have given an expiry. The primary knows nothing of them, so that the replica
//! has to see to their end itself.

use std::collections::BTreeSet;
use std::ops::Bound;

/// Most keys that are remembered; others stay, unseen, as they would without it.
const KEYS_MAX: usize = 1 << 20;
/// Most keys that are looked at in one turn.
const TURN_KEYS: usize = 256;

/// Keys by database and name.
#[derive(Default)]
pub struct OwnExpiry {
    keys: BTreeSet<(u32, Vec<u8>)>,
    /// The one that was looked at last.
    last: Option<(u32, Vec<u8>)>,
}

impl OwnExpiry {
    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Remember one.
    pub fn add(&mut self, db: u32, key: &[u8]) {
        if self.keys.len() < KEYS_MAX {
            self.keys.insert((db, key.to_vec()));
        }
    }

    /// One of them is gone, or has no expiry any more.
    pub fn forget(&mut self, of: &(u32, Vec<u8>)) {
        self.keys.remove(of);
    }

    /// Some of them, others each time.
    pub fn next_some(&mut self) -> Vec<(u32, Vec<u8>)> {
        let begin = self.last.take().map_or(Bound::Unbounded, Bound::Excluded);
        let some: Vec<(u32, Vec<u8>)> = self.keys.range((begin, Bound::Unbounded)).take(TURN_KEYS).cloned().collect();
        if some.len() == TURN_KEYS {
            self.last = some.last().cloned();
        }
        some
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}
