//! Keys that clients of a writable replica have given an expiry. The primary knows nothing of them, so that the replica
//! has to see to their end itself.

use crate::store::Store;
use crate::store::entry::EntryPtr;
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

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl Store {
    /// A key has got an expiry: on a replica, and not by its primary, for which it is the beginning of time.
    #[inline]
    pub fn note_own_expiry(&mut self, db: u32, entry: EntryPtr) {
        if self.is_replica && self.now_ms > 0 && self.own_expiry.len() < KEYS_MAX {
            // SAFETY: the entry is in the table.
            let key = unsafe { entry.key() };
            self.own_expiry.keys.insert((db, key.to_vec()));
        }
    }

    /// Remove those of them that have expired, some in each turn.
    pub fn expire_own(&mut self) {
        if self.own_expiry.is_empty() {
            return;
        }
        if !self.is_replica {
            // They are keys like any other.
            self.own_expiry = OwnExpiry::default();
            return;
        }
        if !self.may_remove() {
            return;
        }
        let begin = self.own_expiry.last.take().map_or(Bound::Unbounded, Bound::Excluded);
        let some: Vec<(u32, Vec<u8>)> =
            self.own_expiry.keys.range((begin, Bound::Unbounded)).take(TURN_KEYS).cloned().collect();
        if some.len() == TURN_KEYS {
            self.own_expiry.last = some.last().cloned();
        }
        for (db, key) in some {
            let hash = self.hash(&key);
            let found = self.databases[db as usize].find(hash, &key).filter(|entry| entry.has_expiry());
            let is_over = found.is_none_or(|entry| entry.has_expired(self.now_ms));
            if is_over {
                self.find_to_write(db, hash, &key);
                self.own_expiry.keys.remove(&(db, key));
            }
        }
    }
}
