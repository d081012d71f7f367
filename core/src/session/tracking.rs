//! Client-side caching: who has read which keys, and what those who listen to prefixes are to be told.
//!
//! ```text
//!   default     a key that was read ──> the clients that read it; forgotten when they are told
//!   broadcast   a prefix            ──> the clients that listen to it, the keys that changed since they were told
//! ```
//!
//! Keys are known by their name, whatever database they are in, because that is what clients are told. Those
//! who leave stay noted as readers until the key changes: their ids are never given again.
//!
//! Invariant: a key that is noted stands in the list at the place that is noted with it, so that any one can be
//! chosen by chance and forgotten without a search.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Most prefixes that one client listens to.
pub const PREFIXES_MAX: usize = 1 << 16;

/// Which of the keys that it reads a client is told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Choice {
    /// All.
    #[default]
    All,
    /// Those of commands that follow CLIENT CACHING YES.
    OptIn,
    /// All but those of commands that follow CLIENT CACHING NO.
    OptOut,
}

/// How a client caches.
#[derive(Clone, Default)]
pub struct Tracking {
    /// Whether it is told of all keys with its prefixes, whether it has read them or not.
    pub broadcast: bool,
    /// Which keys it is told of, unless it is told of prefixes.
    pub choice: Choice,
    /// Whether it is not told of what it changes itself.
    pub no_loop: bool,
    /// Whether the next command is an exception, by CLIENT CACHING.
    pub is_excepted: bool,
    /// Id of the client that is told in its place.
    pub redirect: Option<u64>,
    /// Whether that one was found to be gone.
    pub is_broken: bool,
    /// Its prefixes, of which none begins with another.
    pub prefixes: BTreeSet<Vec<u8>>,
}

impl Tracking {
    /// Bytes of memory that it takes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Tracking>() + self.prefixes.iter().map(|prefix| size_of::<Vec<u8>>() + prefix.len()).sum::<usize>()
    }

    /// Whether what the present command reads is to be noted.
    pub fn notes_reads(&self) -> bool {
        !self.broadcast
            && match self.choice {
                Choice::All => true,
                Choice::OptIn => self.is_excepted,
                Choice::OptOut => !self.is_excepted,
            }
    }
}

/// Who has read a key.
struct Readers {
    /// Where it stands in the list.
    at: usize,
    /// Ids in ascending order.
    ids: Vec<u64>,
}

/// Keys that changed, each with the id of the client that has changed it if no other has, else 0.
pub type Changed = BTreeMap<Vec<u8>, u64>;

/// A prefix that clients listen to.
#[derive(Default)]
pub struct Prefix {
    /// Their ids.
    pub clients: Vec<u64>,
    /// Keys that changed.
    pub changed: Changed,
}

/// What is noted for all clients.
#[derive(Default)]
pub struct Tracked {
    /// Number of clients that cache.
    pub clients: usize,
    keys: HashMap<Rc<[u8]>, Readers>,
    list: Vec<Rc<[u8]>>,
    items: usize,
    prefixes: BTreeMap<Vec<u8>, Prefix>,
    /// How many prefixes there are of each length.
    lengths: BTreeMap<usize, usize>,
    /// Whether keys with prefixes have changed of which nobody was told.
    pub is_due: bool,
}

impl Tracked {
    /// Number of keys that were read.
    pub fn keys(&self) -> usize {
        self.list.len()
    }

    /// Number of readers of all of them.
    pub fn items(&self) -> usize {
        self.items
    }

    /// Number of prefixes.
    pub fn prefixes(&self) -> usize {
        self.prefixes.len()
    }

    /// A client has read a key.
    pub fn read(&mut self, key: &[u8], client: u64) {
        if let Some(readers) = self.keys.get_mut(key) {
            if let Err(at) = readers.ids.binary_search(&client) {
                readers.ids.insert(at, client);
                self.items += 1;
            }
            return;
        }
        let key: Rc<[u8]> = key.into();
        self.keys.insert(key.clone(), Readers { at: self.list.len(), ids: vec![client] });
        self.list.push(key);
        self.items += 1;
    }

    /// Forget a key; who had read it.
    pub fn take(&mut self, key: &[u8]) -> Vec<u64> {
        let Some(Readers { at, ids }) = self.keys.remove(key) else { return Vec::new() };
        self.items -= ids.len();
        self.list.swap_remove(at);
        if let Some(readers) = self.list.get(at).and_then(|moved| self.keys.get_mut(moved)) {
            readers.at = at;
        }
        ids
    }

    /// A key, chosen by a random number.
    pub fn any(&self, random: u64) -> Option<Rc<[u8]>> {
        let count = self.list.len() as u64;
        (count > 0).then(|| self.list[(random % count) as usize].clone())
    }

    /// Forget all keys.
    pub fn forget_keys(&mut self) {
        self.keys = HashMap::new();
        self.list = Vec::new();
        self.items = 0;
    }

    /// A client listens to a prefix.
    pub fn add_prefix(&mut self, prefix: &[u8], client: u64) {
        let of = self.prefixes.entry(prefix.to_vec()).or_default();
        if of.clients.is_empty() {
            *self.lengths.entry(prefix.len()).or_default() += 1;
        }
        of.clients.push(client);
    }

    /// A client listens to a prefix no more.
    pub fn remove_prefix(&mut self, prefix: &[u8], client: u64) {
        if let Some(of) = self.prefixes.get_mut(prefix) {
            of.clients.retain(|other| *other != client);
            if of.clients.is_empty() {
                self.prefixes.remove(prefix);
                if let Entry::Occupied(mut count) = self.lengths.entry(prefix.len()) {
                    *count.get_mut() -= 1;
                    if *count.get() == 0 {
                        count.remove();
                    }
                }
            }
        }
    }

    /// A key has changed, by a client, or by none with 0; most keys that one prefix has to tell of now.
    pub fn changed(&mut self, key: &[u8], by: u64) -> usize {
        let mut most = 0;
        for len in self.lengths.range(..=key.len()).map(|(len, _)| *len) {
            if let Some(prefix) = self.prefixes.get_mut(&key[..len]) {
                let known = prefix.changed.entry(key.to_vec()).or_insert(by);
                if *known != by {
                    *known = 0;
                }
                most = most.max(prefix.changed.len());
                self.is_due = true;
            }
        }
        most
    }

    /// The prefixes with keys that have changed, which are forgotten: who is to be told of which.
    pub fn take_changed(&mut self) -> Vec<(Vec<u64>, Changed)> {
        self.is_due = false;
        let due = self.prefixes.values_mut().filter(|prefix| !prefix.changed.is_empty());
        due.map(|prefix| (prefix.clients.clone(), std::mem::take(&mut prefix.changed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_forgotten_with_their_readers_and_found_by_chance() {
        let mut tracked = Tracked::default();
        for (key, client) in [("a", 2), ("b", 1), ("a", 1), ("c", 3), ("a", 2)] {
            tracked.read(key.as_bytes(), client);
        }
        assert_eq!((tracked.keys(), tracked.items()), (3, 4));
        assert_eq!(tracked.take(b"a"), [1, 2]);
        assert_eq!(tracked.take(b"a"), [0; 0]);
        let mut left: Vec<Rc<[u8]>> = (0..2).filter_map(|random| tracked.any(random)).collect();
        left.sort();
        assert_eq!(left, [Rc::from(*b"b") as Rc<[u8]>, Rc::from(*b"c")]);
        assert_eq!((tracked.take(b"c"), tracked.take(b"b"), tracked.items()), (vec![3], vec![1], 0));
        assert!(tracked.any(7).is_none());
    }

    #[test]
    fn a_change_is_told_to_each_prefix_that_the_key_has() {
        let mut tracked = Tracked::default();
        for (prefix, client) in [("", 1), ("user:", 2), ("user:1", 3), ("zz", 4)] {
            tracked.add_prefix(prefix.as_bytes(), client);
        }
        tracked.changed(b"user:1", 9);
        tracked.changed(b"user:1", 9);
        tracked.changed(b"user:2", 9);
        tracked.changed(b"user:2", 8);
        tracked.changed(b"user:2", 9);
        assert_eq!(tracked.changed(b"u", 0), 3);
        let told = tracked.take_changed();
        let clients: Vec<u64> = told.iter().flat_map(|(clients, _)| clients.clone()).collect();
        assert_eq!(clients, [1, 2, 3]);
        assert_eq!(told[1].1, Changed::from([(b"user:1".to_vec(), 9), (b"user:2".to_vec(), 0)]));
        assert!(!tracked.is_due && tracked.take_changed().is_empty());
        tracked.add_prefix(b"yy", 3);
        for (prefix, client) in [("user:1", 3), ("zz", 4)] {
            tracked.remove_prefix(prefix.as_bytes(), client);
        }
        assert_eq!((tracked.prefixes(), &tracked.lengths), (3, &BTreeMap::from([(0, 1), (2, 1), (5, 1)])));
    }
}
