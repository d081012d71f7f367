//! Eviction: which keys make room when memory is short.
//!
//! ```text
//!   some keys of each database ──> the pool: the 16 best of all that were seen ──> the best of these goes
//! ```
//!
//! No order of all keys is kept. A few are looked at for each one that goes, and the best of them are
//! remembered for the next time, so that what goes is nearly what a full order would name:
//! <https://redis.io/docs/latest/develop/reference/eviction/>.
//!
//! Invariant: an address in the pool is followed only when its table has just been found to hold it. What lies
//! there by then may be another key, so it is judged anew.

use crate::store::Store;
use crate::store::access_clock::{AccessClock, Noted};
use crate::store::entry::EntryPtr;
use plinth_abi::keys::EVENT_EVICTED;

/// Candidates that are remembered.
const POOL_MAX: usize = 16;
/// Databases that are looked at for one key.
const DATABASES_MAX: usize = 16;
/// Buckets that are looked at for a key that expires, where few do, before anything else is done.
const BUCKETS_MAX: usize = 64;
/// Keys among which chance decides, where only those that expire may go.
const RANDOM_WIDTH: usize = 16;

/// Which keys go first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    /// Those that were not accessed, or not written, for longest, or those that are accessed least.
    Clock(Noted),
    /// Those that would go soonest.
    Expiry,
    /// Any.
    Chance,
}

/// Which keys may go, and which of them go first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Which go first.
    pub rank: Rank,
    /// Whether only those may that expire.
    pub volatile: bool,
}

impl Policy {
    /// The policy of a name, `None` for one under which no key goes.
    pub fn named(name: &str) -> Option<Policy> {
        let (which, rank) = name.split_once('-')?;
        let rank = match rank {
            "lru" => Rank::Clock(Noted::Last),
            "lrm" => Rank::Clock(Noted::LastWrite),
            "lfu" => Rank::Clock(Noted::Count),
            "ttl" => Rank::Expiry,
            _ => Rank::Chance,
        };
        Some(Policy { rank, volatile: which == "volatile" })
    }
}

/// A key that may go.
#[derive(Clone, Copy)]
struct Candidate {
    /// The higher, the sooner it goes.
    score: u64,
    db: u32,
    hash: u64,
    entry: EntryPtr,
}

/// What is known of keys that may go.
#[derive(Default)]
pub struct Eviction {
    /// The policy, if any key may go.
    pub policy: Option<Policy>,
    /// Keys that are looked at in each database for one that goes.
    pub samples: usize,
    /// Most bytes that wait for the thread to free them; what goes beyond is freed at once, so that memory does not
    /// grow faster than the thread frees it.
    pub lazy_bytes_max: usize,
    /// The best that were seen, the best last.
    pool: Vec<Candidate>,
    next_db: usize,
    seen: Vec<EntryPtr>,
}

impl Eviction {
    /// Follow another policy, or look at another number of keys.
    pub fn set(&mut self, policy: Option<Policy>, samples: usize) {
        if self.policy != policy {
            self.pool.clear();
        }
        (self.policy, self.samples) = (policy, samples);
    }

    fn offer(&mut self, candidate: Candidate) {
        let known = |other: &Candidate| other.entry == candidate.entry && other.db == candidate.db;
        self.pool.retain(|other| !known(other));
        if self.pool.len() == POOL_MAX {
            if self.pool[0].score >= candidate.score {
                return;
            }
            self.pool.remove(0);
        }
        let at = self.pool.partition_point(|other| other.score <= candidate.score);
        self.pool.insert(at, candidate);
    }
}

/// How an entry is judged; the higher, the sooner it goes.
fn score(rank: Rank, access: &AccessClock, entry: EntryPtr) -> u64 {
    match rank {
        Rank::Clock(Noted::Count) => u64::from(u8::MAX) - u64::from(access.frequency(entry.clock()).min(255)),
        Rank::Clock(_) => u64::from(access.idle_s(entry.clock())),
        Rank::Expiry => u64::MAX - entry.expire_at_ms().unsigned_abs(),
        Rank::Chance => 0,
    }
}

/// What has come of the search for a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evicted {
    /// One has gone, which took so many bytes.
    Bytes(usize),
    /// None was found yet, and there are some.
    NotYet,
    /// There are none.
    Nothing,
}

impl Store {
    /// Remove the key that the policy names.
    pub fn evict(&mut self) -> Evicted {
        let Some(policy) = self.evicting.policy else { return Evicted::Nothing };
        let chosen = if policy.rank == Rank::Chance { self.by_chance(policy) } else { self.by_rank(policy) };
        match chosen {
            Ok(Some(chosen)) => Evicted::Bytes(self.evict_entry(chosen)),
            Ok(None) => Evicted::NotYet,
            Err(()) => Evicted::Nothing,
        }
    }

    fn evict_entry(&mut self, chosen: Candidate) -> usize {
        let Candidate { db, hash, entry, .. } = chosen;
        let bytes = entry.allocated() + if entry.is_boxed() { entry.charge() as usize } else { 0 };
        self.counters.evicted += 1;
        self.databases[db as usize].remove(hash, entry);
        // SAFETY: the entry was in its table, and is freed when its effect is taken.
        let key = unsafe { entry.key() };
        self.changed_unasked(db, key);
        if self.effects.wants_commands {
            self.effects.propagate_removal(db, key, self.lazy.eviction);
        }
        self.notify(db, key, EVENT_EVICTED, b"evicted");
        let lazy = self.lazy.eviction && self.background.bytes() < self.evicting.lazy_bytes_max;
        self.discard(entry, lazy);
        bytes
    }

    /// How many keys of a database may go.
    fn evictable(&self, db: usize, policy: Policy) -> usize {
        let table = &self.databases[db].table;
        if policy.volatile { table.marked() } else { table.len() }
    }

    /// The databases in which keys may go, a few of them, beginning with another one each time.
    fn next_databases(&mut self, policy: Policy, most: usize) -> Vec<usize> {
        let count = self.databases.len();
        let begin = self.evicting.next_db % count;
        let found: Vec<usize> =
            (begin..count).chain(0..begin).filter(|db| self.evictable(*db, policy) > 0).take(most).collect();
        self.evicting.next_db = found.last().map_or(0, |last| last + 1);
        found
    }

    /// Any key, or none yet; an error when there is none.
    fn by_chance(&mut self, policy: Policy) -> Result<Option<Candidate>, ()> {
        let db = *self.next_databases(policy, 1).first().ok_or(())?;
        let entry = if policy.volatile {
            self.see(db, policy, RANDOM_WIDTH);
            let at = self.random.number() as usize % self.evicting.seen.len().max(1);
            self.evicting.seen.get(at).copied()
        } else {
            self.random_entry(db as u32)
        };
        // SAFETY: the entry was just seen in the table.
        Ok(entry.map(|entry| Candidate { score: 0, db: db as u32, hash: self.hash(unsafe { entry.key() }), entry }))
    }

    /// The best key of the pool, once some more were looked at; none if none of them is there any more.
    fn by_rank(&mut self, policy: Policy) -> Result<Option<Candidate>, ()> {
        let databases = self.next_databases(policy, DATABASES_MAX);
        if databases.is_empty() {
            return Err(());
        }
        for db in databases {
            self.see(db, policy, self.evicting.samples);
            for at in 0..self.evicting.seen.len() {
                let entry = self.evicting.seen[at];
                let score = score(policy.rank, &self.access, entry);
                let worst = self.evicting.pool.first().map_or(0, |worst| worst.score);
                if self.evicting.pool.len() == POOL_MAX && score <= worst {
                    continue;
                }
                // SAFETY: the entry was just seen in the table.
                let hash = self.hash(unsafe { entry.key() });
                self.evicting.offer(Candidate { score, db: db as u32, hash, entry });
            }
        }
        while let Some(best) = self.evicting.pool.pop() {
            let Some(database) = self.databases.get(best.db as usize) else { continue };
            if database.table.find(best.hash, |entry| entry == best.entry).is_none() {
                continue;
            }
            if policy.volatile && !best.entry.has_expiry() {
                continue;
            }
            // It may have been used since it was seen.
            let now = score(policy.rank, &self.access, best.entry);
            if now < best.score && self.evicting.pool.last().is_some_and(|next| next.score > now) {
                self.evicting.offer(Candidate { score: now, ..best });
                continue;
            }
            return Ok(Some(best));
        }
        Ok(None)
    }

    /// Look at some keys of a database that may go.
    fn see(&mut self, db: usize, policy: Policy, count: usize) {
        let mut seen = std::mem::take(&mut self.evicting.seen);
        seen.clear();
        let random = self.random.number();
        let database = &mut self.databases[db];
        if policy.volatile {
            database.table.sample_marked(random, count, BUCKETS_MAX, |entry| seen.push(entry));
            // Where few expire, chance finds none: all are gone through, a piece each time.
            let mut buckets = BUCKETS_MAX;
            while seen.is_empty() && buckets > 0 {
                database.evict_cursor = database.table.scan_marked(database.evict_cursor, |entry| seen.push(entry));
                buckets -= 1;
            }
        } else {
            database.table.sample(random, count, |entry| seen.push(entry));
        }
        self.evicting.seen = seen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::access::NewValue;

    const NEW: NewValue = NewValue { type_id: 1, tag: 0, inline_len: Some(8), keep_expiry: false, absent: true };

    fn with(policy: &str, keys: usize, expires: impl Fn(usize) -> bool) -> Store {
        let mut store = Store::new(2, 1_000_000_000).unwrap();
        store.evicting.set(Policy::named(policy), 10);
        for number in 0..keys {
            store.tick(1_000_000_000 + number as i64 * 1000);
            let key = format!("key:{number}");
            let hash = store.hash(key.as_bytes());
            let db = (number % 2) as u32;
            let entry = store.put(db, hash, key.as_bytes(), NEW).unwrap();
            if expires(number) {
                let at_ms = 2_000_000_000 - number as i64 * 1000;
                store.reshape(db, hash, entry, Some(8), 0, at_ms, false).unwrap();
            }
        }
        store
    }

    fn free(store: &mut Store) -> Vec<u8> {
        let (entry, _) = store.effects.pop_removed().expect("a key has gone");
        // SAFETY: it belongs to the effects, from which it was just taken.
        let key = unsafe { entry.key() }.to_vec();
        store.free(entry, false);
        key
    }

    fn numbers_gone(store: &mut Store, count: usize) -> Vec<usize> {
        let mut gone = Vec::new();
        let mut tries = 0;
        while gone.len() < count {
            tries += 1;
            assert!(tries < 100_000, "keys are not found");
            match store.evict() {
                Evicted::Bytes(bytes) => {
                    assert!(bytes > 0);
                    let key = String::from_utf8(free(store)).unwrap();
                    gone.push(key["key:".len()..].parse().unwrap());
                }
                Evicted::NotYet => {}
                Evicted::Nothing => break,
            }
        }
        gone
    }

    #[test]
    fn those_go_first_that_were_not_used_for_longest() {
        let mut store = with("allkeys-lru", 2000, |_| false);
        let gone = numbers_gone(&mut store, 500);
        let old = gone.iter().filter(|number| **number < 700).count();
        assert!(old > 450, "{old} of 500 were old");
    }

    #[test]
    fn those_go_first_that_expire_soonest_and_others_never() {
        let mut store = with("volatile-ttl", 2000, |number| number % 2 == 0);
        let gone = numbers_gone(&mut store, 1001);
        assert_eq!(gone.len(), 1000);
        assert!(gone.iter().all(|number| number % 2 == 0));
        let soonest = gone[..300].iter().filter(|number| **number > 1300).count();
        assert!(soonest > 200, "{soonest} of 300 would have gone soon");
        assert_eq!(store.evict(), Evicted::Nothing);
    }

    #[test]
    fn the_only_one_that_expires_is_found_among_many() {
        for policy in ["volatile-lru", "volatile-random", "volatile-lfu"] {
            let mut store = with(policy, 20_000, |number| number == 7777);
            assert_eq!(numbers_gone(&mut store, 2), [7777], "{policy}");
        }
    }

    #[test]
    fn chance_spares_no_database() {
        let mut store = with("allkeys-random", 1000, |_| false);
        let gone = numbers_gone(&mut store, 200);
        let even = gone.iter().filter(|number| **number % 2 == 0).count();
        assert_eq!((gone.len(), even), (200, 100));
    }

    #[test]
    fn what_was_used_since_it_was_seen_stays() {
        let mut store = with("allkeys-lru", 64, |_| false);
        numbers_gone(&mut store, 1);
        let (now_s, pool) = (store.access.now_s, store.evicting.pool.clone());
        assert!(pool.len() > 8);
        pool.iter().for_each(|candidate| candidate.entry.set_clock(now_s));
        let gone = numbers_gone(&mut store, 8);
        let kept = pool
            .iter()
            .filter(|one| store.databases[one.db as usize].table.find(one.hash, |entry| entry == one.entry).is_some());
        assert!(kept.count() >= pool.len() - 2, "{gone:?}");
    }

    #[test]
    fn what_is_used_often_outlasts_many_that_are_not() {
        let mut store = with("allkeys-lfu", 0, |_| false);
        store.access.noted = Noted::Count;
        store.evicting.samples = 5;
        let put = |store: &mut Store, key: String, counter: u8| {
            let hash = store.hash(key.as_bytes());
            let entry = store.put(0, hash, key.as_bytes(), NEW).unwrap();
            entry.set_clock(store.access.from_frequency(counter));
        };
        (0..100).for_each(|number| put(&mut store, format!("hot:{number}"), 14));
        (0..250).for_each(|number| put(&mut store, format!("cold:{number}"), 5));
        for number in 250..3000 {
            put(&mut store, format!("cold:{number}"), 5);
            assert!(matches!(store.evict(), Evicted::Bytes(_)));
            let key = free(&mut store);
            let scores: Vec<u64> = store.evicting.pool.iter().map(|one| one.score).collect();
            assert!(key.starts_with(b"cold"), "{number} {scores:?}");
        }
    }
}
