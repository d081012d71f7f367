//! The large set: a storage, and what it is called.
//!
//! All changes of a large set go through [`Large::insert`], [`Large::remove`] and
//! [`Large::take_random`], which note them in a journal: so a set can be converted to another
//! module's storage a slice at a time, while commands go on changing it.
//!
//! A set that users have allowed to stay small for very long (`set-max-intset-entries 1000000`)
//! is moved here all the same when it gets too big for an entry, where each change would move all
//! of it. It goes on being *called* what the limits make of it.

use crate::limits::Limits;
use crate::storage::{Digits, Storage, Value, member};
use crate::value::LARGE;
use plinth_module::convert::{Convert, Journal, Visit};
use plinth_module::prelude::{LookAhead, Result};

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
    journal: Journal,
}

impl<S: Storage> Large<S> {
    /// An empty one. Fails with `OutOfMemory`.
    pub fn new(called: Called) -> Result<Large<S>> {
        Ok(Large { store: S::new()?, called, journal: Journal::NEW })
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
        if added && (self.called != Called::Table || self.journal.is_on()) {
            self.note(member);
            self.recall(member, limits);
        }
        Ok(added)
    }

    /// Notes that a member is there or gone.
    #[cold]
    fn note(&mut self, member: Value<'_>) {
        self.journal.note(member.text(&mut Digits::new()));
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
        let removed = self.store.remove(member);
        if removed && self.journal.is_on() {
            self.note(member);
        }
        removed
    }

    /// Removes a member at random, handing it to `take`.
    #[inline]
    pub fn take_random(&mut self, random: impl FnMut() -> u64, take: impl FnOnce(Value<'_>)) -> bool {
        let journal = &mut self.journal;
        self.store.take_random(random, |member| {
            if journal.is_on() {
                journal.note(member.text(&mut Digits::new()));
            }
            take(member);
        })
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
        size_of::<Self>() + self.store.memory() + self.journal.memory()
    }

    /// A copy. O(members).
    pub fn copy(&self) -> Result<Large<S>> {
        let mut copy = Large::<S>::new(self.called)?;
        let mut done = Ok(());
        self.visit(|member| {
            done = copy.store.insert(member).map(drop);
            done.is_ok()
        });
        done.map(|()| copy)
    }
}

impl<S: Storage> LookAhead for Large<S> {
    #[inline]
    fn look_ahead(&self, element: &[u8], stage: u32, memo: &mut u64) -> bool {
        self.store.look_ahead(member(element), stage, memo)
    }
}

/// A member is an element, with an empty payload.
impl<S: Storage> Convert for Large<S> {
    fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    fn export_some(&self, mut cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        let (mut given, mut steps, mut done) = (0, 0, Ok(()));
        while given < budget && steps <= budget {
            cursor = self.store.scan(cursor, |member| {
                given += 1;
                if done.is_ok() {
                    done = visit.put(member.text(&mut Digits::new()), &[]);
                }
            });
            steps += 1;
            done?;
            if cursor == 0 {
                break;
            }
        }
        Ok(cursor)
    }

    fn export_one(&self, element: &[u8], visit: &mut Visit<'_>) -> Result {
        if self.store.contains(member(element)) { visit.put(element, &[]) } else { visit.remove(element) }
    }

    fn import_new() -> Self {
        // The SDK makes "no value" of a panic, which is what the host is to be told.
        Large::new(Called::Table).unwrap_or_else(|error| panic!("a storage cannot be made: {}", error.message()))
    }

    fn import_put(&mut self, element: &[u8], _payload: &[u8]) -> Result {
        self.store.insert(member(element)).map(drop)
    }

    fn import_remove(&mut self, element: &[u8]) -> Result {
        self.store.remove(member(element));
        Ok(())
    }

    fn import_finish(&mut self) -> Result<u32> {
        Ok(LARGE)
    }
}
