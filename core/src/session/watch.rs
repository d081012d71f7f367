//! WATCH: which clients watch which keys, and what spoils their transactions.

use std::collections::HashMap;

/// A watched key: database and name.
pub type WatchedKey = (u32, Vec<u8>);

/// A key that a client watches.
pub struct Watch {
    /// Database and name.
    pub key: WatchedKey,
    /// Whether it had expired when the watch began, and is still there.
    pub stale: bool,
}

impl Watch {
    /// Whether it is this key that is watched.
    pub fn is_on(&self, db: u32, key: &[u8]) -> bool {
        self.key.0 == db && self.key.1 == key
    }
}

/// Watched keys and who watches them.
#[derive(Default)]
pub struct Watches {
    keys: HashMap<WatchedKey, Vec<u64>>,
}

impl Watches {
    /// Whether nobody watches anything, which is the usual case.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Number of watched keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// A client watches a key; whether it did not before.
    pub fn add(&mut self, db: u32, key: &[u8], client: u64) -> bool {
        let watchers = self.keys.entry((db, key.to_vec())).or_default();
        let new = !watchers.contains(&client);
        if new {
            watchers.push(client);
        }
        new
    }

    /// A client watches a key no more.
    pub fn remove(&mut self, key: &WatchedKey, client: u64) {
        if let Some(watchers) = self.keys.get_mut(key) {
            watchers.retain(|watcher| *watcher != client);
            if watchers.is_empty() {
                self.keys.remove(key);
            }
        }
    }

    /// Who watches a key.
    pub fn watchers(&self, db: u32, key: &[u8]) -> &[u64] {
        self.keys.get(&(db, key.to_vec())).map_or(&[], Vec::as_slice)
    }

    /// All watched keys of a database, or of all, with their watchers.
    pub fn of_database(&self, db: Option<u32>) -> impl Iterator<Item = (&WatchedKey, &Vec<u64>)> {
        self.keys.iter().filter(move |((number, _), _)| db.is_none_or(|db| db == *number))
    }
}
