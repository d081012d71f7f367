//! The store: databases of entries, their expiry, and their freeing.
//!
//! - [`entry`]: the one allocation per key.
//! - [`types`]: what is known of each data type.
//! - [`database`]: one database: a table of entries.
//! - [`access`]: finding, making, and removing keys.
//! - [`flush`]: rename, move, copy, flush, swap.
//! - [`saved`]: values as bytes, for DUMP and RESTORE; [`codec`]: what types save to and load from.
//! - [`ghost`]: values of types that nobody provides, kept as bytes.
//! - [`convert`]: values of one type as those of another of the same name; [`slices`]: large ones,
//!   a slice at a time.
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
pub mod entry;
pub mod expire;
pub mod flush;
pub mod ghost;
pub mod saved;
pub mod slices;
pub mod types;

use crate::store::background::{Background, Drops};
use crate::store::database::Database;
use crate::store::ghost::Ghosts;
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
}

impl Store {
    /// Empty databases under a random hash key.
    pub fn new(databases: usize) -> std::io::Result<Store> {
        let random = std::collections::hash_map::RandomState::new();
        use std::hash::BuildHasher;
        Ok(Store {
            databases: (0..databases).map(|_| Database::default()).collect(),
            types: Types::default(),
            ghosts: Ghosts::default(),
            background: Background::start()?,
            hash_keys: (random.hash_one(1), random.hash_one(2)),
            drops: None,
        })
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
