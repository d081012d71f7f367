//! The storage: a hash table with one small allocation for a member, none for most integers.
//!
//! ```text
//!   slot of the table, 46 bits
//!
//!   0  address of a blob, by four      blob    [ length u8 ][ bytes ]
//!   1  integer of 45 bits                      [ 255 ][ length u64 ][ bytes ]
//!   ^ lowest bit
//! ```
//!
//! A member of 15 bytes takes a block of 16 bytes and 9.5 bytes of the table. The table is
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
use plinth_module::table::{Keyed, Table};
use plinth_set_commands::storage::{Digits, Storage, Value, parse_integer};

/// Integers from here on (and below its negative) are kept as blobs.
const INTEGER_END: i64 = 1 << 44;
/// Lengths of texts that may spell such integers.
const LONG_INTEGER: std::ops::RangeInclusive<usize> = 14..=20;
const IS_INTEGER: u64 = 1;
const SLOT_MASK: u64 = (1 << plinth_module::table::SLOT_BITS) - 1;

/// A large set. See the [module](self).
pub struct HashSet {
    table: Table<u64>,
    /// Bytes of all blobs.
    blob_bytes: usize,
    hasher: Keyed,
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
    fn hash(self, hasher: Keyed) -> u64 {
        match self {
            Sought::Integer(slot) => hasher.hash(&slot.to_le_bytes()),
            Sought::Text(text) => hasher.hash(text),
        }
    }

    #[inline(always)]
    fn is(self, slot: u64) -> bool {
        match self {
            Sought::Integer(wanted) => slot == wanted,
            // SAFETY: the table asks about slots that are in it, whose blobs are alive.
            Sought::Text(text) => slot & IS_INTEGER == 0 && unsafe { Blob::of(slot).text() } == text,
        }
    }
}

/// The hash of what is in a slot.
///
/// # Safety
/// The slot is one of a table's, and stays there for the call.
unsafe fn hash_of(slot: u64, hasher: Keyed) -> u64 {
    if slot & IS_INTEGER != 0 {
        return Sought::Integer(slot).hash(hasher);
    }
    // SAFETY: the blob of a slot in a table is alive.
    Sought::Text(unsafe { Blob::of(slot).text() }).hash(hasher)
}

/// The member in a slot.
///
/// # Safety
/// The slot is one of a table's, and stays there while `'s` lasts.
#[inline]
unsafe fn value_of<'s>(slot: u64) -> Value<'s> {
    if slot & IS_INTEGER != 0 {
        let shift = u64::BITS - plinth_module::table::SLOT_BITS;
        return Value::Integer(((slot << shift) as i64) >> (shift + 1));
    }
    // SAFETY: the blob of a slot in a table is alive.
    let text: &'s [u8] = unsafe { Blob::of(slot).text() };
    if LONG_INTEGER.contains(&text.len())
        && let Some(integer) = parse_integer(text)
    {
        return Value::Integer(integer);
    }
    Value::Text(text)
}

impl HashSet {
    /// Frees what a slot owns.
    ///
    /// # Safety
    /// The slot was just taken out of the table.
    #[inline]
    unsafe fn free(&mut self, slot: u64) {
        if slot & IS_INTEGER == 0 {
            // SAFETY: the table pointed to the blob alone, and does so no longer.
            self.blob_bytes -= unsafe { Blob::of(slot).free() };
        }
    }
}

impl Storage for HashSet {
    fn new() -> Result<HashSet> {
        Ok(HashSet { table: Table::new(), blob_bytes: 0, hasher: Keyed::of_process() })
    }

    #[inline]
    fn len(&self) -> usize {
        self.table.len()
    }

    #[inline]
    fn contains(&self, member: Value<'_>) -> bool {
        let mut digits = Digits::new();
        let sought = Sought::of(member, &mut digits);
        self.table.find(sought.hash(self.hasher), |slot| sought.is(slot)).is_some()
    }

    #[inline]
    fn look_ahead(&self, member: Value<'_>, stage: u32, memo: &mut u64) -> bool {
        let hash = || Sought::of(member, &mut Digits::new()).hash(self.hasher);
        self.table.look_ahead(stage, hash, memo)
    }

    #[inline]
    fn insert(&mut self, member: Value<'_>) -> Result<bool> {
        let mut digits = Digits::new();
        let (sought, hasher) = (Sought::of(member, &mut digits), self.hasher);
        let hash = sought.hash(hasher);
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
        // SAFETY: a split asks about slots that are in the table.
        self.table.insert_new(hash, slot, false, |slot| unsafe { hash_of(slot, hasher) });
        Ok(true)
    }

    #[inline]
    fn remove(&mut self, member: Value<'_>) -> bool {
        let mut digits = Digits::new();
        let sought = Sought::of(member, &mut digits);
        let Some(slot) = self.table.remove(sought.hash(self.hasher), |slot| sought.is(slot)) else { return false };
        // SAFETY: just taken out.
        unsafe { self.free(slot) };
        true
    }

    #[inline]
    fn scan(&self, cursor: u64, mut visit: impl FnMut(Value<'_>)) -> u64 {
        // SAFETY: the table is borrowed for the scan, and the member lent for the visit.
        self.table.scan(cursor, |slot| visit(unsafe { value_of(slot) }))
    }

    fn random(&self, random: impl FnMut() -> u64) -> Option<Value<'_>> {
        // SAFETY: the member is lent for as long as the set is borrowed.
        self.table.random(random).map(|slot| unsafe { value_of(slot) })
    }

    fn take_random(&mut self, random: impl FnMut() -> u64, take: impl FnOnce(Value<'_>)) -> bool {
        let Some(slot) = self.table.random(random) else { return false };
        // SAFETY: the slot is in the table until it is removed, and freed after that.
        unsafe {
            take(value_of(slot));
            self.table.remove(hash_of(slot, self.hasher), |other| other == slot);
            self.free(slot);
        }
        true
    }

    fn memory(&self) -> usize {
        self.table.memory_bytes() + self.blob_bytes
    }
}

impl Drop for HashSet {
    fn drop(&mut self) {
        self.table.release(|slot| {
            if slot & IS_INTEGER == 0 {
                // SAFETY: the table goes without looking at its slots again.
                unsafe { Blob::of(slot).free() };
            }
        });
    }
}
