//! The storage: a hash table with one small allocation for a member, none for most integers.
//!
//! ```text
//!   slot of the table, 48 bits
//!
//!   0  address of a blob               blob    [ length u8 ][ bytes ]
//!   1  integer of 47 bits                      [ 255 ][ length u64 ][ bytes ]
//!   ^ lowest bit
//! ```
//!
//! A member of 15 bytes takes a block of 16 bytes and 13.5 bytes of the table. The table is
//! hashed with SipHash-1-3 under a key that each process draws anew, since members come from
//! strangers.
//!
//! Invariants:
//! - a member is kept as a slot's integer if and only if it spells an integer that fits, so that
//!   equal members have equal slots or equal blobs;
//! - each blob is pointed to by one slot of one table, and freed when it is taken out of it or
//!   with the table.

mod blob;
#[cfg(test)]
mod tests;

use blob::Blob;
use plinth_module::prelude::Result;
use plinth_module::table::Table;
use plinth_set_commands::storage::{Digits, Storage, Value, parse_integer};
use siphasher::sip::SipHasher13;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// The process's key.
static KEY: LazyLock<(u64, u64)> = LazyLock::new(|| {
    let random = RandomState::new();
    (random.hash_one(0u8), random.hash_one(1u8))
});

/// Integers from here on (and below its negative) are kept as blobs.
const INTEGER_END: i64 = 1 << 46;
/// Lengths of texts that may spell such integers.
const LONG_INTEGER: std::ops::RangeInclusive<usize> = 14..=20;
const IS_INTEGER: u64 = 1;
const SLOT_MASK: u64 = (1 << plinth_module::table::SLOT_BITS) - 1;

/// A large set. See the [module](self).
pub struct HashSet {
    table: Table<u64>,
    /// Bytes of all blobs.
    blob_bytes: usize,
    key: (u64, u64),
}

/// A member on its way into or out of the table.
#[derive(Clone, Copy)]
enum Sought<'m> {
    Integer(u64),
    Text(&'m [u8]),
}

impl<'m> Sought<'m> {
    #[inline(always)]
    fn of(member: Value<'m>, digits: &'m mut Digits) -> Sought<'m> {
        match member {
            Value::Integer(integer) if (-INTEGER_END..INTEGER_END).contains(&integer) => {
                Sought::Integer(((integer as u64) << 1 | IS_INTEGER) & SLOT_MASK)
            }
            other => Sought::Text(other.text(digits)),
        }
    }

    #[inline(always)]
    fn hash(self, key: (u64, u64)) -> u64 {
        let hasher = SipHasher13::new_with_keys(key.0, key.1);
        match self {
            Sought::Integer(slot) => hasher.hash(&slot.to_le_bytes()),
            Sought::Text(text) => hasher.hash(text),
        }
    }

    #[inline(always)]
    fn is(self, slot: u64) -> bool {
        match self {
            Sought::Integer(wanted) => slot == wanted,
            Sought::Text(text) => slot & IS_INTEGER == 0 && Blob::of(slot).text() == text,
        }
    }
}

/// The hash of what is in a slot.
fn hash_of(slot: u64, key: (u64, u64)) -> u64 {
    if slot & IS_INTEGER != 0 { Sought::Integer(slot).hash(key) } else { Sought::Text(Blob::of(slot).text()).hash(key) }
}

/// The member in a slot of a table that lives for `'s`.
#[inline]
fn value_of<'s>(slot: u64) -> Value<'s> {
    if slot & IS_INTEGER != 0 {
        let shift = u64::BITS - plinth_module::table::SLOT_BITS;
        return Value::Integer(((slot << shift) as i64) >> (shift + 1));
    }
    let text: &'s [u8] = Blob::of(slot).text();
    if LONG_INTEGER.contains(&text.len())
        && let Some(integer) = parse_integer(text)
    {
        return Value::Integer(integer);
    }
    Value::Text(text)
}

impl HashSet {
    /// Frees what a slot that was taken out of the table owns.
    #[inline]
    fn free(&mut self, slot: u64) {
        if slot & IS_INTEGER == 0 {
            self.blob_bytes -= Blob::of(slot).free();
        }
    }
}

impl Storage for HashSet {
    fn new() -> Result<HashSet> {
        Ok(HashSet { table: Table::new(), blob_bytes: 0, key: *KEY })
    }

    #[inline]
    fn len(&self) -> usize {
        self.table.len()
    }

    #[inline]
    fn contains(&self, member: Value<'_>) -> bool {
        let mut digits = Digits::new();
        let sought = Sought::of(member, &mut digits);
        self.table.find(sought.hash(self.key), |slot| sought.is(slot)).is_some()
    }

    #[inline]
    fn insert(&mut self, member: Value<'_>) -> Result<bool> {
        let mut digits = Digits::new();
        let (sought, key) = (Sought::of(member, &mut digits), self.key);
        let hash = sought.hash(key);
        if self.table.find(hash, |slot| sought.is(slot)).is_some() {
            return Ok(false);
        }
        let slot = match sought {
            Sought::Integer(slot) => slot,
            Sought::Text(text) => {
                let blob = Blob::new(text)?;
                self.blob_bytes += blob.bytes();
                blob.slot()
            }
        };
        self.table.insert_new(hash, slot, false, |slot| hash_of(slot, key));
        Ok(true)
    }

    #[inline]
    fn remove(&mut self, member: Value<'_>) -> bool {
        let mut digits = Digits::new();
        let sought = Sought::of(member, &mut digits);
        let Some(slot) = self.table.remove(sought.hash(self.key), |slot| sought.is(slot)) else { return false };
        self.free(slot);
        true
    }

    #[inline]
    fn scan(&self, cursor: u64, mut visit: impl FnMut(Value<'_>)) -> u64 {
        self.table.scan(cursor, |slot| visit(value_of(slot)))
    }

    fn random(&self, random: impl FnMut() -> u64) -> Option<Value<'_>> {
        self.table.random(random).map(value_of)
    }

    fn take_random(&mut self, random: impl FnMut() -> u64, take: impl FnOnce(Value<'_>)) -> bool {
        let Some(slot) = self.table.random(random) else { return false };
        take(value_of(slot));
        self.table.remove(hash_of(slot, self.key), |other| other == slot);
        self.free(slot);
        true
    }

    fn memory(&self) -> usize {
        self.table.memory_bytes() + self.blob_bytes
    }
}

impl Drop for HashSet {
    fn drop(&mut self) {
        self.table.for_each(|slot, _| {
            if slot & IS_INTEGER == 0 {
                Blob::of(slot).free();
            }
        });
    }
}
