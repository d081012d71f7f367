//! The large form: a storage in a box, with what the commands remember of it.
//!
//! All changes of a storage go through here, which notes them in a journal: so a hash can be converted
//! to another module's storage a slice at a time, while commands go on changing it.
//!
//! *Invariant*: no deadline of a field is earlier than `due`.

use crate::small::is_past;
use crate::storage::{Before, Item, Storage};
use plinth_module::convert::{Convert, Journal, Visit};
use plinth_module::prelude::{Error, LookAhead, Result};

/// A large hash. See the [module](self).
pub struct Large<S> {
    store: S,
    /// No deadline is earlier.
    due: Option<u64>,
    /// Where the search for expired fields goes on.
    sweep: u64,
    /// The earliest deadline that this search has seen and left.
    seen: Option<u64>,
    journal: Journal,
}

impl<S: Storage> Default for Large<S> {
    fn default() -> Large<S> {
        Large { store: S::default(), due: None, sweep: 0, seen: None, journal: Journal::NEW }
    }
}

/// The earlier of two, where there are any.
fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl<S: Storage> Large<S> {
    /// The fields, to be read.
    #[inline]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// A moment before which no field expires.
    pub fn due(&self) -> Option<u64> {
        if self.store.expiring() == 0 { None } else { self.due }
    }

    /// Adds a field, or gives it another value and deadline.
    #[inline]
    pub fn put(&mut self, digest: S::Digest, field: &[u8], value: &[u8], deadline: Option<u64>) -> Before {
        if deadline.is_some() {
            self.note(deadline);
        }
        self.journal.note(field);
        self.store.put(digest, field, value, deadline)
    }

    /// Gives a field another deadline.
    pub fn set_deadline(&mut self, digest: S::Digest, field: &[u8], deadline: Option<u64>) -> bool {
        self.note(deadline);
        self.journal.note(field);
        self.store.set_deadline(digest, field, deadline)
    }

    /// Removes a field.
    #[inline]
    pub fn remove(&mut self, digest: S::Digest, field: &[u8]) -> bool {
        self.journal.note(field);
        self.store.remove(digest, field)
    }

    fn note(&mut self, deadline: Option<u64>) {
        self.due = earlier(self.due, deadline);
        self.seen = earlier(self.seen, deadline);
    }

    /// Removes fields that have expired, looking at about `steps` parts of the storage and removing
    /// about `max` of them; those that it removed. When the storage was looked at from end to end,
    /// [`due`](Large::due) is exact again.
    pub fn sweep(&mut self, now: u64, steps: usize, max: usize) -> Vec<Vec<u8>> {
        let mut expired: Vec<Vec<u8>> = Vec::new();
        for _ in 0..steps {
            if expired.len() >= max || self.store.expiring() == expired.len() {
                break;
            }
            let mut seen = self.seen;
            self.sweep = self.store.scan_expiring(self.sweep, |item: Item<'_>| {
                if is_past(item.deadline, now) {
                    expired.push(item.field.to_vec());
                } else {
                    seen = earlier(seen, item.deadline);
                }
            });
            self.seen = seen;
            if self.sweep == 0 {
                // A field is visited twice where the storage shrank meanwhile.
                self.due = self.seen.take();
                break;
            }
        }
        expired.retain(|field| {
            let digest = self.store.digest(field);
            self.remove(digest, field)
        });
        expired
    }

    /// Bytes of the box and of all behind it. O(1).
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.store.memory_bytes() + self.journal.memory()
    }
}

impl<S: Storage> LookAhead for Large<S> {
    #[inline]
    fn look_ahead(&self, field: &[u8], stage: u32, memo: &mut u64) -> bool {
        self.store.look_ahead(field, stage, memo)
    }
}

/// Stands for no deadline.
const NEVER: i64 = -1;

/// A field is an element; its payload is the deadline in 8 bytes, little-endian, and the value.
impl<S: Storage> Convert for Large<S> {
    fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn export_some(&self, mut cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        let (mut given, mut done, mut payload) = (0, Ok(()), Vec::new());
        // A step may give nothing.
        for _ in 0..=budget {
            cursor = self.store.scan(cursor, |item| {
                given += 1;
                if done.is_ok() {
                    done = give(&item, &mut payload, visit);
                }
            });
            done?;
            if cursor == 0 || given >= budget {
                break;
            }
        }
        Ok(cursor)
    }

    fn export_one(&self, element: &[u8], visit: &mut Visit<'_>) -> Result {
        match self.store.get(self.store.digest(element), element) {
            Some(item) => give(&item, &mut Vec::new(), visit),
            None => visit.remove(element),
        }
    }

    fn import_new() -> Self {
        Large::default()
    }

    fn import_put(&mut self, element: &[u8], payload: &[u8]) -> Result {
        let (deadline, value) = payload.split_first_chunk().ok_or(Error::BadData)?;
        let deadline = match i64::from_le_bytes(*deadline) {
            NEVER => None,
            deadline => Some(u64::try_from(deadline).map_err(|_| Error::BadData)?),
        };
        if deadline.is_some() {
            self.note(deadline);
        }
        self.store.put(self.store.digest(element), element, value, deadline);
        Ok(())
    }

    fn import_remove(&mut self, element: &[u8]) -> Result {
        self.store.remove(self.store.digest(element), element);
        Ok(())
    }

    fn import_finish(&mut self) -> Result<u32> {
        if self.store.expiring() > 0 {
            crate::expiry::note_loaded();
        }
        Ok(0)
    }
}

fn give(item: &Item<'_>, payload: &mut Vec<u8>, visit: &mut Visit<'_>) -> Result {
    payload.clear();
    let deadline = item.deadline.and_then(|deadline| i64::try_from(deadline).ok()).unwrap_or(NEVER);
    payload.extend_from_slice(&deadline.to_le_bytes());
    payload.extend_from_slice(item.value);
    visit.put(item.field, payload)
}
