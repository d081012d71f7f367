//! The large form: a storage in a box.
//!
//! All changes of a storage pass through here, by four functions, so that whoever needs to know of
//! them has one place to look: a conversion to another storage, which goes on for many commands,
//! must repeat what happens to the old one meanwhile.

use crate::storage::Storage;

/// A sorted set in its large form.
#[derive(Default)]
pub struct Large<S> {
    store: S,
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
        self.store.update(member, choose);
    }

    /// As [`Storage::remove`].
    #[inline]
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        self.store.remove(member)
    }

    /// As [`Storage::remove_at`].
    #[inline]
    pub fn remove_at(&mut self, rank: usize, taken: &mut dyn FnMut(&[u8], f64)) {
        self.store.remove_at(rank, taken);
    }

    /// Adds or moves an element.
    pub fn set(&mut self, member: &[u8], score: f64) {
        self.update(member, |_| Some(score));
    }
}
