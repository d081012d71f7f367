//! The store: databases of entries, their expiry, and their freeing.
//!
//! - [`entry`]: the one allocation per key.
//! - [`types`]: what is known of each data type.
//! - [`database`]: one database: a table of entries.
//! - [`access`]: finding, making, and removing keys.
//! - [`flush`]: rename, move, copy, flush, swap.
//! - [`saved`]: values as bytes, for DUMP and RESTORE; [`codec`]: what types save to and load from.
//! - [`rewrite`]: values as the commands that make them; [`digest`]: what tells one from another.
//! - [`ghost`]: values of types that nobody provides, kept as bytes.
//! - [`convert`]: values of one type as those of another of the same name; [`slices`]: large ones,
//!   a slice at a time.
//! - [`defrag`]: moving entries out of pages that are mostly empty.
//! - [`effects`]: what has happened, for others to be told.
//! - [`evict`]: which keys make room when memory is short.
//! - [`expire`]: the budgeted cycle that removes what has expired.
//! - [`access_clock`]: what idle times and frequencies are read from.
//! - [`background`]: freeing off the main thread.
//!
//! *Invariant*: nothing here knows a data type. Values are a type id, a tag, and
//! either bytes or an address.

pub mod access;
pub mod access_clock;
pub mod background;
pub mod codec;
pub mod convert;
pub mod database;
pub mod defrag;
pub mod digest;
pub mod effects;
pub mod entry;
pub mod evict;
pub mod expire;
pub mod flush;
pub mod ghost;
pub mod rewrite;
pub mod saved;
pub mod slices;
pub mod types;

use crate::base::random::Random;
use crate::store::access_clock::{AccessClock, Noted};
use crate::store::background::{Background, Drops};
use crate::store::database::Database;
use crate::store::defrag::Defrag;
use crate::store::effects::Effects;
use crate::store::entry::EntryPtr;
use crate::store::evict::Eviction;
use crate::store::expire::ExpireCycle;
use crate::store::ghost::Ghosts;
use crate::store::slices::Migration;
use crate::store::types::{TYPES_MAX, Types};
use siphasher::sip::SipHasher13;
use std::sync::Arc;

/// All databases and what they share.
pub struct Store {
    /// Databases by number.
    pub databases: Vec<Database>,
    /// Data types.
    pub types: Types,
    /// Ghosts.
    pub ghosts: Ghosts,
    /// The freeing thread.
    pub background: Background,
    /// The key of the hash function.
    pub hash_keys: (u64, u64),
    drops: Option<Drops>,
    /// What has happened and nobody was told of.
    pub effects: Effects,
    /// Unix time in ms, as of this turn.
    pub now_ms: i64,
    /// How accesses to keys are noted.
    pub access: AccessClock,
    random: Random,
    /// Changes since the start, which tell whether a command wrote.
    pub dirty: u64,
    /// What INFO shows of the store.
    pub counters: Counters,
    /// Nesting of hooks on keys and of scans, during which keys must stay as they are.
    pub frozen: u32,
    /// The key that was last looked for and not there, by database and hash; none since a key was made.
    missed: Option<(u32, u64)>,
    /// Whether keys that have expired stay, because writes pause.
    pub is_paused: bool,
    /// Whether keys that have expired stay, because another server's are copied, which says when they go.
    pub is_replica: bool,
    /// `DEBUG SET-ACTIVE-EXPIRE`.
    pub active_expire: bool,
    /// The search for keys that have expired.
    pub expiring: ExpireCycle,
    /// The move of entries out of pages that are mostly empty.
    pub defragging: Defrag,
    /// The search for keys that make room.
    pub evicting: Eviction,
    /// A large value that is being converted.
    pub migration: Option<Migration>,
    /// Addresses of large values that cannot be converted in slices.
    pub given_up: Vec<usize>,
    /// What the client is told whose command ends with `GHOST`.
    pub ghost_note: String,
    /// What is freed by the thread.
    pub lazy: Lazy,
    /// Whether long texts in payloads are compressed.
    pub compress: bool,
}

/// What is freed by the thread and not at once.
#[derive(Clone, Copy, Default)]
pub struct Lazy {
    /// Values of keys that have expired.
    pub expire: bool,
    /// Values that others take the place of.
    pub server_del: bool,
    /// Values of keys that make room.
    pub eviction: bool,
}

/// Counters since the start or since CONFIG RESETSTAT.
#[derive(Clone, Copy, Default)]
pub struct Counters {
    /// Keys found.
    pub hits: u64,
    /// Keys looked for and not found.
    pub misses: u64,
    /// Keys removed because they expired.
    pub expired: u64,
    /// Keys removed because memory was short.
    pub evicted: u64,
    /// Times that the expiry cycle ran out of its budget.
    pub expire_budget_reached: u64,
    /// Share of keys that are expired and still there, as the last cycles saw, in percent.
    pub expired_stale_percent: f64,
    /// Microseconds that the expiry cycle took.
    pub expire_cycle_us: u64,
}

impl Store {
    /// Empty databases under a random hash key.
    pub fn new(databases: usize, now_ms: i64) -> std::io::Result<Store> {
        let random = std::collections::hash_map::RandomState::new();
        use std::hash::BuildHasher;
        let now_s = (now_ms / 1000) as u32;
        Ok(Store {
            databases: (0..databases).map(|_| Database::default()).collect(),
            types: Types::default(),
            ghosts: Ghosts::default(),
            background: Background::start()?,
            hash_keys: (random.hash_one(1), random.hash_one(2)),
            drops: None,
            effects: Effects::default(),
            now_ms,
            access: AccessClock { now_s, noted: Noted::Last, log_factor: 10, decay_minutes: 1 },
            random: Random::new(),
            dirty: 0,
            counters: Counters::default(),
            frozen: 0,
            missed: None,
            is_paused: false,
            is_replica: false,
            active_expire: true,
            defragging: Defrag::default(),
            expiring: ExpireCycle::default(),
            evicting: Eviction::default(),
            migration: None,
            given_up: Vec::new(),
            ghost_note: String::new(),
            lazy: Lazy::default(),
            compress: true,
        })
    }

    /// A turn of the loop begins at a time.
    #[inline]
    pub fn tick(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
        self.access.now_s = (now_ms / 1000) as u32;
    }

    /// Whether keys may be removed because they expired: not while writes pause, not on a replica, and
    /// not under a hook or a scan, whose caller may still hold an entry.
    pub fn may_expire(&self) -> bool {
        self.may_remove() && !self.is_replica
    }

    /// Whether keys may be removed without anybody asking for it.
    pub fn may_remove(&self) -> bool {
        !self.is_paused && self.frozen == 0
    }

    /// Any number.
    pub fn random_number(&mut self) -> u64 {
        self.random.number()
    }

    /// An entry of a database, by chance.
    pub fn random_entry(&mut self, db: u32) -> Option<EntryPtr> {
        let random = &mut self.random;
        self.databases[db as usize].table.random(|| random.number())
    }

    /// Hash of a key: SipHash-1-3 under the server's key.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        SipHasher13::new_with_keys(self.hash_keys.0, self.hash_keys.1).hash(key)
    }

    /// Forget what was derived from the types; called when they change.
    pub fn types_changed(&mut self) {
        self.drops = None;
    }

    /// How each type frees its boxed values.
    pub fn drops(&mut self) -> Drops {
        let types = &self.types;
        self.drops
            .get_or_insert_with(|| {
                Arc::new((0..=TYPES_MAX).map(|id| types.get(id as u8).and_then(|ty| ty.table.drop)).collect())
            })
            .clone()
    }
}
