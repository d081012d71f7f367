//! The large form: a storage in a box.
//!
//! All changes of a storage pass through here, by four functions, which note them in a journal: so a
//! sorted set can be converted to another module's storage a slice at a time, while commands go on
//! changing it.

use crate::storage::Storage;
use plinth_module::convert::{Convert, Journal, Visit};
use plinth_module::prelude::{Error, LookAhead, Result};

/// A sorted set in its large form.
#[derive(Default)]
pub struct Large<S> {
    store: S,
    journal: Journal,
}

impl<S: Storage> Large<S> {
    /// The storage, to be asked.
    #[inline]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// As [`Storage::update`].
    #[inline]
    pub fn update(&mut self, member: &[u8], choose: impl FnOnce(Option<f64>) -> Option<f64>) {
        self.journal.note(member);
        self.store.update(member, choose);
    }

    /// As [`Storage::remove`].
    #[inline]
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        self.journal.note(member);
        self.store.remove(member)
    }

    /// As [`Storage::remove_at`].
    #[inline]
    pub fn remove_at(&mut self, rank: usize, taken: &mut dyn FnMut(&[u8], f64)) {
        let journal = &mut self.journal;
        self.store.remove_at(rank, &mut |member, score| {
            journal.note(member);
            taken(member, score);
        });
    }

    /// Adds or moves an element.
    pub fn set(&mut self, member: &[u8], score: f64) {
        self.update(member, |_| Some(score));
    }

    /// Bytes of the box and of all behind it. O(1).
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.store.memory_bytes() + self.journal.memory()
    }
}

impl<S: Storage> LookAhead for Large<S> {
    #[inline]
    fn look_ahead(&self, member: &[u8], stage: u32, memo: &mut u64) -> bool {
        self.store.look_ahead(member, stage, memo)
    }
}

/// A member is an element, with its score as 8 bytes, little-endian.
impl<S: Storage> Convert for Large<S> {
    fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn export_some(&self, mut cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        let (mut given, mut done) = (0, Ok(()));
        // A step may give nothing.
        for _ in 0..=budget {
            cursor = self.store.scan(cursor, &mut |member, score| {
                given += 1;
                if done.is_ok() {
                    done = visit.put(member, &score.to_le_bytes());
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
        match self.store.score(element) {
            Some(score) => visit.put(element, &score.to_le_bytes()),
            None => visit.remove(element),
        }
    }

    fn import_new() -> Self {
        Large::default()
    }

    fn import_put(&mut self, element: &[u8], payload: &[u8]) -> Result {
        let score = f64::from_le_bytes(payload.try_into().map_err(|_| Error::BadData)?);
        if score.is_nan() {
            return Err(Error::BadData);
        }
        self.store.update(element, |_| Some(score));
        Ok(())
    }

    fn import_remove(&mut self, element: &[u8]) -> Result {
        self.store.remove(element);
        Ok(())
    }

    fn import_finish(&mut self) -> Result<u32> {
        Ok(crate::codec::LARGE)
    }
}
