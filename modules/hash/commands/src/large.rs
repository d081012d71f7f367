//! The large form: a storage in a box, with what the commands remember of it.
//!
//! All changes of a storage go through here: this is the one place where they can be noted while the
//! fields are being moved to another storage.
//!
//! *Invariant*: no deadline of a field is earlier than `due`.

use crate::small::is_past;
use crate::storage::{Before, Item, Storage};

/// A large hash. See the [module](self).
pub struct Large<S> {
    store: S,
    /// No deadline is earlier.
    due: Option<u64>,
    /// Where the search for expired fields goes on.
    sweep: u64,
    /// The earliest deadline that this search has seen and left.
    seen: Option<u64>,
}

impl<S: Storage> Default for Large<S> {
    fn default() -> Large<S> {
        Large { store: S::default(), due: None, sweep: 0, seen: None }
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
        self.store.put(digest, field, value, deadline)
    }

    /// Gives a field another deadline.
    pub fn set_deadline(&mut self, digest: S::Digest, field: &[u8], deadline: Option<u64>) -> bool {
        self.note(deadline);
        self.store.set_deadline(digest, field, deadline)
    }

    /// Removes a field.
    #[inline]
    pub fn remove(&mut self, digest: S::Digest, field: &[u8]) -> bool {
        self.store.remove(digest, field)
    }

    fn note(&mut self, deadline: Option<u64>) {
        self.due = earlier(self.due, deadline);
        self.seen = earlier(self.seen, deadline);
    }

    /// Removes fields that have expired, looking at about `steps` parts of the storage and removing
    /// about `max` of them; how many it removed. When the storage was looked at from end to end,
    /// [`due`](Large::due) is exact again.
    pub fn sweep(&mut self, now: u64, steps: usize, max: usize) -> usize {
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
        let mut removed = 0;
        for field in &expired {
            let digest = self.store.digest(field);
            removed += usize::from(self.store.remove(digest, field));
        }
        removed
    }
}
