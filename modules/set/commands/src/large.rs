//! The large set: a storage, and what it is called.
//!
//! All changes of a large set go through [`Large::insert`], [`Large::remove`] and
//! [`Large::take_random`], so that a set which is being converted can be kept track of here.
//!
//! A set that users have allowed to stay small for very long (`set-max-intset-entries 1000000`)
//! is moved here all the same when it gets too big for an entry, where each change would move all
//! of it. It goes on being *called* what the limits make of it.

use crate::limits::Limits;
use crate::storage::{Storage, Value};
use plinth_module::prelude::Result;

/// What OBJECT ENCODING answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Called {
    /// `intset`: integers, within the limit.
    Intset,
    /// `listpack`: short members, within the limits.
    Pack,
    /// `hashtable`.
    Table,
}

/// A set in a storage.
pub struct Large<S> {
    store: S,
    called: Called,
}

impl<S: Storage> Large<S> {
    /// An empty one. Fails with `OutOfMemory`.
    pub fn new(called: Called) -> Result<Large<S>> {
        Ok(Large { store: S::new()?, called })
    }

    /// The storage, to be read.
    #[inline(always)]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// What it is called.
    pub fn called(&self) -> Called {
        self.called
    }

    /// Calls it a table from now on.
    pub fn call_table(&mut self) {
        self.called = Called::Table;
    }

    /// Adds a member; false when it was there. Fails with `OutOfMemory`, nothing changed.
    #[inline]
    pub fn insert(&mut self, member: Value<'_>, limits: &Limits) -> Result<bool> {
        let added = self.store.insert(member)?;
        if added && self.called != Called::Table {
            self.recall(member, limits);
        }
        Ok(added)
    }

    /// What it is called with one member more.
    #[cold]
    fn recall(&mut self, added: Value<'_>, limits: &Limits) {
        let len = self.store.len();
        let fits_pack = len <= limits.pack_entries && added.len() <= limits.pack_value;
        self.called = match (self.called, added) {
            (Called::Intset, Value::Integer(_)) if len <= limits.intset_entries => Called::Intset,
            (Called::Intset, Value::Text(_)) | (Called::Pack, _) if fits_pack => Called::Pack,
            _ => Called::Table,
        };
    }

    /// Removes a member; false when it was not there.
    #[inline]
    pub fn remove(&mut self, member: Value<'_>) -> bool {
        self.store.remove(member)
    }

    /// Removes a member at random, handing it to `take`.
    #[inline]
    pub fn take_random(&mut self, random: impl FnMut() -> u64, take: impl FnOnce(Value<'_>)) -> bool {
        self.store.take_random(random, take)
    }

    /// Visits each member once, until `visit` returns false.
    pub fn visit(&self, mut visit: impl FnMut(Value<'_>) -> bool) {
        let (mut cursor, mut goes_on) = (0, true);
        loop {
            cursor = self.store.scan(cursor, |member| goes_on = goes_on && visit(member));
            if cursor == 0 || !goes_on {
                return;
            }
        }
    }

    /// Bytes that it has allocated, itself included.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.store.memory()
    }

    /// A copy. O(members).
    pub fn copy(&self) -> Result<Large<S>> {
        let mut copy = Large { store: S::new()?, called: self.called };
        let mut done = Ok(());
        self.visit(|member| {
            done = copy.store.insert(member).map(drop);
            done.is_ok()
        });
        done.map(|()| copy)
    }
}
