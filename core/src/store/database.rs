//! One database: a table of entries, in which the mark of a slot says that the key
//! expires.

use crate::store::entry::EntryPtr;
use plinth_table::Table;
use siphasher::sip::SipHasher13;

/// A database. It owns the entries in its table.
#[derive(Default)]
pub struct Database {
    /// Entries, marked when they have an expiry.
    pub table: Table<EntryPtr>,
    /// Where the expiry cycle goes on.
    pub expire_cursor: u64,
    /// Where the search for few keys that expire goes on, when memory is short.
    pub evict_cursor: u64,
    /// Sum of the remaining life of the keys that the last cycle saw, and their
    /// number, for INFO's `avg_ttl`.
    pub ttl_sample: (i64, i64),
}

impl Database {
    /// The entry of a key.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<EntryPtr> {
        // SAFETY: entries in the table are alive, and the key is only compared.
        self.table.find(hash, |entry| unsafe { entry.key() } == key)
    }

    /// Take in an entry whose key is not there.
    #[inline]
    pub fn insert(&mut self, hash: u64, entry: EntryPtr, rehash: impl FnMut(EntryPtr) -> u64) {
        self.table.insert_new(hash, entry, entry.has_expiry(), rehash);
    }

    /// An entry has moved or has got or lost its expiry.
    #[inline]
    pub fn replaced(&mut self, hash: u64, old: EntryPtr, new: EntryPtr, had_expiry: bool) {
        if old != new {
            self.table.replace(hash, old, new);
        }
        if had_expiry != new.has_expiry() {
            self.table.set_mark(hash, new, new.has_expiry());
        }
    }

    /// Let go of an entry; the caller owns it now.
    #[inline]
    pub fn remove(&mut self, hash: u64, entry: EntryPtr) {
        self.table.remove(hash, |other| other == entry);
    }

    /// Milliseconds that keys with an expiry live on the average, or 0.
    pub fn ttl_average_ms(&self) -> i64 {
        if self.ttl_sample.1 == 0 { 0 } else { self.ttl_sample.0 / self.ttl_sample.1 }
    }
}

/// Hash of an entry's key, for the table to split buckets by.
#[inline]
pub fn rehash(keys: (u64, u64)) -> impl Fn(EntryPtr) -> u64 {
    // SAFETY: the table asks for entries that it holds, which are alive.
    move |entry| SipHasher13::new_with_keys(keys.0, keys.1).hash(unsafe { entry.key() })
}
