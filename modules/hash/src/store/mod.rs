//! The store: the fields of a large hash in a table that never pauses.
//!
//! ```text
//!   Fields ── table: 7-byte slots, some 9.5 bytes an element ──> blob: [ lengths ][ field ][ value ]
//! ```
//!
//! One allocation holds all of a field, so that a look-up costs one cache line of the table and one of
//! the blob, and a field of 14 bytes with a value of 13 takes 32 + 9.5 bytes. A slot's mark says that
//! the field has a deadline: the fields that may expire are found without looking at the others.
//!
//! Names are hashed with SipHash-1-3 under a key of this process, because clients choose them.
//!
//! Invariants:
//! - Each slot of the table holds the address of a blob that is alive and belongs to this table alone.
//! - A slot is marked if and only if its blob has a deadline.
//! - `bytes` is the sum of the blobs' lengths.

mod blob;
#[cfg(test)]
mod tests;

use blob::Blob;
use plinth_hash_commands::storage::{Before, Item, Storage};
use plinth_module::table::{Keyed, Table};

/// The fields of a large hash. See the [module](self).
#[derive(Default)]
pub struct Fields {
    table: Table<Blob>,
    hasher: Keyed,
    bytes: usize,
}

/// A blob as the commands see it.
///
/// # Safety
/// The blob is in a table that is borrowed for `'s`.
#[inline]
unsafe fn item<'s>(blob: Blob) -> Item<'s> {
    // SAFETY: blobs of a table are alive, and change only with the table borrowed exclusively.
    let (field, value, deadline) = unsafe { blob.parts() };
    Item { field, value, deadline }
}

/// Whether a blob is that of a field.
///
/// # Safety
/// The blob is in a table that nobody changes now.
#[inline]
unsafe fn is(blob: Blob, field: &[u8]) -> bool {
    // SAFETY: as in `item`.
    unsafe { blob.field() == field }
}

impl Storage for Fields {
    type Digest = u64;

    #[inline]
    fn digest(&self, field: &[u8]) -> u64 {
        self.hasher.hash(field)
    }

    #[inline]
    fn len(&self) -> usize {
        self.table.len()
    }

    #[inline]
    fn expiring(&self) -> usize {
        self.table.marked()
    }

    #[inline]
    fn get(&self, digest: u64, field: &[u8]) -> Option<Item<'_>> {
        // SAFETY: candidates are in the table, which is borrowed.
        unsafe { self.table.find(digest, |blob| is(blob, field)).map(|blob| item(blob)) }
    }

    #[inline]
    fn look_ahead(&self, field: &[u8], stage: u32, memo: &mut u64) -> bool {
        self.table.look_ahead(stage, || self.digest(field), memo)
    }

    fn put(&mut self, digest: u64, field: &[u8], value: &[u8], deadline: Option<u64>) -> Before {
        // SAFETY: candidates are in the table, which is borrowed.
        let place = self.table.find_slot(digest, |blob| unsafe { is(blob, field) });
        let Some(mut place) = place else {
            let blob = Blob::new(field, value, deadline);
            // SAFETY: the blob was just made; those that are hashed again are in the table.
            unsafe {
                self.bytes += blob.len();
                let hasher = self.hasher;
                self.table.insert_new(digest, blob, deadline.is_some(), |blob| hasher.hash(blob.field()));
            }
            return Before::Absent;
        };
        let blob = place.get();
        // SAFETY: the table is borrowed exclusively, and gets the blob's new address.
        unsafe {
            let before = item(blob).deadline;
            self.bytes -= blob.len();
            let new = blob.update(value, deadline);
            self.bytes += new.len();
            if new != blob {
                place.set(new);
            }
            if before.is_some() != deadline.is_some() {
                place.set_mark(deadline.is_some());
            }
            Before::Present(before)
        }
    }

    fn set_deadline(&mut self, digest: u64, field: &[u8], deadline: Option<u64>) -> bool {
        // SAFETY: candidates are in the table, which is borrowed.
        let place = self.table.find_slot(digest, |blob| unsafe { is(blob, field) });
        let Some(mut place) = place else { return false };
        let old = place.get();
        // SAFETY: the table is borrowed exclusively; the new blob is a copy, and the old one is freed
        // when the table has forgotten it.
        unsafe {
            let Item { field, value, .. } = item(old);
            let new = Blob::new(field, value, deadline);
            self.bytes = self.bytes - old.len() + new.len();
            place.set(new);
            place.set_mark(deadline.is_some());
            old.free();
        }
        true
    }

    fn remove(&mut self, digest: u64, field: &[u8]) -> bool {
        // SAFETY: candidates are in the table, which is borrowed.
        let Some(blob) = self.table.remove(digest, |blob| unsafe { is(blob, field) }) else { return false };
        // SAFETY: the table has forgotten the blob.
        unsafe {
            self.bytes -= blob.len();
            blob.free();
        }
        true
    }

    #[inline]
    fn scan<'s>(&'s self, cursor: u64, mut visit: impl FnMut(Item<'s>)) -> u64 {
        // SAFETY: what is visited is in the table, which is borrowed.
        self.table.scan(cursor, |blob| visit(unsafe { item(blob) }))
    }

    #[inline]
    fn scan_expiring<'s>(&'s self, cursor: u64, mut visit: impl FnMut(Item<'s>)) -> u64 {
        // SAFETY: as in `scan`.
        self.table.scan_marked(cursor, |blob| visit(unsafe { item(blob) }))
    }

    fn for_each<'s>(&'s self, mut visit: impl FnMut(Item<'s>)) {
        // SAFETY: as in `scan`.
        self.table.for_each(|blob, _| visit(unsafe { item(blob) }));
    }

    fn random(&self, random: impl FnMut() -> u64) -> Option<Item<'_>> {
        // SAFETY: what is picked is in the table, which is borrowed.
        self.table.random(random).map(|blob| unsafe { item(blob) })
    }

    fn memory_bytes(&self) -> usize {
        self.bytes + self.table.memory_bytes()
    }
}

impl Drop for Fields {
    /// Frees all fields. O(fields): the host drops large values on another thread.
    fn drop(&mut self) {
        // SAFETY: each blob is in the table once, and the table is not looked at any more.
        self.table.release(|blob| unsafe { blob.free() });
    }
}
