//! What was refused, latest first: ACL LOG. What is refused again within a minute counts in its entry.

use std::collections::VecDeque;

/// How long an entry goes on counting, in milliseconds.
const SAME_MS: i64 = 60_000;
/// How many of the latest entries are looked at for one that is the same.
const LOOKED_AT_MAX: usize = 10;
/// Bytes that are kept of each text.
const TEXT_BYTES_MAX: usize = 256;

/// Where a command was when it was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// By itself.
    TopLevel,
    /// Between MULTI and EXEC.
    Multi,
    /// In a script.
    Script,
    /// In a module.
    Module,
}

impl Place {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Place::TopLevel => "toplevel",
            Place::Multi => "multi",
            Place::Script => "lua",
            Place::Module => "module",
        }
    }
}

/// One of those that were refused.
pub struct Refused {
    /// `auth`, or what a denial is called.
    pub reason: &'static str,
    /// Where.
    pub place: Place,
    /// The command, key or channel.
    pub object: Vec<u8>,
    /// Whose it was.
    pub user: Vec<u8>,
    /// The client, as CLIENT LIST shows it.
    pub client: String,
}

/// An entry.
pub struct Entry {
    /// Number of the entry, never used twice.
    pub id: u64,
    /// How often.
    pub count: u64,
    /// What, as of the last time.
    pub refused: Refused,
    /// Unix time in milliseconds of the first time.
    pub created_ms: i64,
    /// Of the last.
    pub updated_ms: i64,
}

/// The log, and how often what was refused.
#[derive(Default)]
pub struct Log {
    entries: VecDeque<Entry>,
    next_id: u64,
}

impl Log {
    /// Note that something was refused.
    pub fn add(&mut self, mut refused: Refused, now_ms: i64, len_max: usize) {
        refused.object.truncate(TEXT_BYTES_MAX);
        refused.user.truncate(TEXT_BYTES_MAX);
        let is_same = |entry: &Entry| {
            let known = &entry.refused;
            (known.reason, known.place) == (refused.reason, refused.place)
                && (&known.object, &known.user) == (&refused.object, &refused.user)
                && now_ms - entry.created_ms <= SAME_MS
        };
        let same = self.entries.iter().take(LOOKED_AT_MAX).position(is_same);
        let entry = match same.and_then(|at| self.entries.remove(at)) {
            Some(known) => Entry { count: known.count + 1, refused, updated_ms: now_ms, ..known },
            None => {
                self.next_id += 1;
                Entry { id: self.next_id - 1, count: 1, refused, created_ms: now_ms, updated_ms: now_ms }
            }
        };
        self.entries.push_front(entry);
        self.trim(len_max);
    }

    /// Let go of all but the latest.
    pub fn trim(&mut self, len_max: usize) {
        self.entries.truncate(len_max);
    }

    /// The latest.
    pub fn latest(&self, count: usize) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter().take(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(object: &str) -> Refused {
        let (object, user) = (object.into(), b"u".to_vec());
        Refused { reason: "key", place: Place::TopLevel, object, user, client: String::new() }
    }

    fn shown(log: &Log) -> Vec<(String, u64, u64)> {
        let text = |entry: &Entry| String::from_utf8_lossy(&entry.refused.object).into_owned();
        log.latest(9).map(|entry| (text(entry), entry.id, entry.count)).collect()
    }

    #[test]
    fn the_same_counts_in_its_entry_for_a_minute_and_comes_first_again() {
        let mut log = Log::default();
        log.add(refused("a"), 0, 3);
        log.add(refused("b"), 10, 3);
        log.add(refused("a"), SAME_MS, 3);
        assert_eq!(shown(&log), [("a".into(), 0, 2), ("b".into(), 1, 1)]);
        log.add(refused("a"), SAME_MS + 1, 3);
        assert_eq!(shown(&log), [("a".into(), 2, 1), ("a".into(), 0, 2), ("b".into(), 1, 1)]);
        log.add(refused("c"), SAME_MS + 1, 3);
        assert_eq!(shown(&log).len(), 3);
        log.trim(1);
        assert_eq!(shown(&log), [("c".into(), 3, 1)]);
        log.add(refused(&"x".repeat(TEXT_BYTES_MAX + 1)), SAME_MS, 3);
        assert_eq!(log.latest(1).next().map(|entry| entry.refused.object.len()), Some(TEXT_BYTES_MAX));
    }
}
