//! The value: one view over a small and a large hash, and the change from one to the other.
//!
//! ```text
//!   View     what a command that reads sees: bytes in the entry, or a storage, or nothing
//!   Writer   what a command that writes has: the entry, with `put`, `remove`, `set_deadline`
//! ```
//!
//! A small hash becomes large with more than `hash-max-listpack-entries` fields, or a field or value
//! of more than `hash-max-listpack-value` bytes, and never becomes small again.
//!
//! A field whose deadline has passed is not there: reading passes it over, and [`Writer::open`] takes
//! such fields out of a small hash before anything else happens. In a large one they are dealt with
//! where they are met, and by the timer.

use crate::large::Large;
use crate::small::{self, EXPIRING, PLAIN, Packed, Shown, is_past};
use crate::storage::{Before, Item, Storage};
use crate::told::Gone;
use plinth_module::pack::{Digits, Value};
use plinth_module::prelude::*;
use std::marker::PhantomData;
use std::ops::ControlFlow;

/// `hash-max-listpack-entries`.
pub static ENTRIES_MAX: ConfigInteger = ConfigInteger::new();
/// `hash-max-listpack-value`.
pub static VALUE_MAX: ConfigInteger = ConfigInteger::new();

/// The type. See the [codec](crate::codec).
pub struct Hash<S>(PhantomData<S>);

/// How many fields a small hash may have.
#[inline]
pub(crate) fn entries_max() -> usize {
    ENTRIES_MAX.get() as usize
}

/// How long a field or value of a small hash may be.
#[inline]
pub(crate) fn value_max() -> usize {
    // What is longer than a part of a pack can be is never small.
    (VALUE_MAX.get() as usize).min(u32::MAX as usize - 16)
}

impl<'v> From<Item<'v>> for Shown<'v> {
    #[inline]
    fn from(item: Item<'v>) -> Shown<'v> {
        Shown { field: Value::Text(item.field), value: Value::Text(item.value), deadline: item.deadline }
    }
}

/// A hash that is read. See the [module](self).
pub enum View<'v, S> {
    /// A pack, under its tag.
    Small(u32, &'v [u8]),
    /// A storage.
    Large(&'v Large<S>),
    /// No such key.
    Absent,
}

impl<S> Clone for View<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for View<'_, S> {}

impl<'v, S: Storage> View<'v, S> {
    /// What an entry holds.
    #[inline]
    pub fn of(entry: &'v Option<Entry<'_>>) -> View<'v, S> {
        match entry.as_ref().and_then(Entry::stored::<Hash<S>>) {
            Some(stored) => View::stored(stored),
            None => View::Absent,
        }
    }

    /// What an entry holds, for as long as the keys are borrowed.
    pub fn kept(entry: Entry<'v>) -> View<'v, S> {
        let tag = entry.tag();
        if entry.is_inline() {
            return View::Small(tag, entry.into_bytes());
        }
        entry.into_boxed::<Hash<S>>().map_or(View::Absent, |large| View::Large(large))
    }

    /// A value of the type.
    #[inline]
    pub fn stored(stored: Stored<'v, Large<S>>) -> View<'v, S> {
        match stored {
            Stored::Inline { tag, bytes } => View::Small(tag, bytes),
            Stored::Boxed { value, .. } => View::Large(value),
        }
    }

    /// A field that has not expired.
    #[inline]
    pub fn get(self, field: &[u8], now: u64) -> Option<Shown<'v>> {
        let shown = match self {
            View::Small(tag, pack) => small::find(tag, pack, field)?.2,
            View::Large(large) => large.store().get(large.store().digest(field), field)?.into(),
            View::Absent => return None,
        };
        (!is_past(shown.deadline, now)).then_some(shown)
    }

    /// How many fields there are, those included that have expired and are not removed yet.
    pub fn len(self) -> usize {
        match self {
            View::Small(_, pack) => small::len(pack),
            View::Large(large) => large.store().len(),
            View::Absent => 0,
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        match self {
            View::Small(_, pack) => pack.is_empty(),
            View::Large(large) => large.store().is_empty(),
            View::Absent => true,
        }
    }

    /// Whether any field might have expired.
    pub fn may_have_expired(self, now: u64) -> bool {
        is_past(self.due(), now)
    }

    /// A moment before which no field expires.
    pub fn due(self) -> Option<u64> {
        match self {
            View::Small(tag, pack) => small::due(tag, pack),
            View::Large(large) => large.due(),
            View::Absent => None,
        }
    }

    /// The fields that have not expired.
    pub fn for_each(self, now: u64, mut visit: impl FnMut(Shown<'v>)) {
        let mut live = |shown: Shown<'v>| {
            if !is_past(shown.deadline, now) {
                visit(shown);
            }
        };
        match self {
            View::Small(tag, pack) => small::iter(tag, pack).for_each(live),
            View::Large(large) => large.store().for_each(|item| live(item.into())),
            View::Absent => {}
        }
    }

    /// The fields that have not expired, until `visit` breaks. Little more is gone through than it is shown.
    pub fn visit(self, now: u64, mut visit: impl FnMut(Shown<'v>) -> ControlFlow<()>) {
        let mut live = |shown: Shown<'v>| {
            if is_past(shown.deadline, now) { ControlFlow::Continue(()) } else { visit(shown) }
        };
        match self {
            View::Small(tag, pack) => _ = small::iter(tag, pack).try_for_each(live),
            View::Large(large) => {
                let (mut cursor, mut flow) = (0, ControlFlow::Continue(()));
                loop {
                    cursor = large.store().scan(cursor, |item| {
                        if flow.is_continue() {
                            flow = live(item.into());
                        }
                    });
                    if cursor == 0 || flow.is_break() {
                        return;
                    }
                }
            }
            View::Absent => {}
        }
    }

    /// How many fields have not expired. O(fields) when any might have, and when the hash is small.
    pub fn live(self, now: u64) -> usize {
        if !self.may_have_expired(now) {
            return self.len();
        }
        let mut count = 0;
        self.for_each(now, |_| count += 1);
        count
    }
}

/// A field's name, with its digest when the hash is large.
#[derive(Clone, Copy)]
pub struct Name<'f, D> {
    field: &'f [u8],
    digest: Option<D>,
}

/// A hash that is changed. See the [module](self).
pub struct Writer<'k, S> {
    entry: Entry<'k>,
    /// Whether fields were found expired, and removed.
    pub expired: bool,
    /// Those of them that others are to be told of; few ever, so they are kept even if nobody is told.
    gone: Vec<Vec<u8>>,
    now: u64,
    room: Vec<u8>,
    storage: PhantomData<S>,
}

impl<'k, S: Storage> Writer<'k, S> {
    /// The hash of a key, or `None` when there is no such key. Fails with `WrongType`.
    #[inline]
    pub fn open(keys: &'k mut Keys<'_>, key: &'k [u8], now_ms: i64) -> Result<Option<Writer<'k, S>>> {
        let entry = keys.get_write(TypeHandle::of::<Hash<S>>()?, key)?;
        let Some(entry) = entry else { return Ok(None) };
        Writer::of(entry, now_ms).map(Some)
    }

    /// The hash of an entry.
    #[inline]
    pub fn of(entry: Entry<'k>, now_ms: i64) -> Result<Writer<'k, S>> {
        let now = now_ms.max(0) as u64;
        let mut writer =
            Writer { entry, expired: false, gone: Vec::new(), now, room: Vec::new(), storage: PhantomData };
        if writer.entry.is_inline() && writer.entry.tag() == EXPIRING {
            writer.purge()?;
        }
        Ok(writer)
    }

    /// Makes a hash of a key that is not there, of fields of which some may be the same, and tells how
    /// many there are.
    pub fn create<'t>(
        keys: &'k mut Keys<'_>,
        key: &'k [u8],
        pairs: impl Iterator<Item = (&'t [u8], &'t [u8])> + Clone,
    ) -> Result<usize> {
        let (max, mut bytes, mut count, mut room) = (value_max(), 0, 0, Vec::new());
        let mut fits = true;
        for (field, value) in pairs.clone() {
            fits &= field.len() <= max && value.len() <= max;
            if !fits {
                break;
            }
            bytes += Packed::new(PLAIN, field, value, None, &mut room).bytes_len();
            count += 1;
        }
        if !fits || count > entries_max() {
            let mut large = Large::<S>::default();
            for (field, value) in pairs {
                let digest = large.store().digest(field);
                large.put(digest, field, value, None);
            }
            let len = large.store().len();
            keys.put_boxed::<Hash<S>>(key, 0, large, PUT_ABSENT)?;
            return Ok(len);
        }
        let mut entry = keys.put(TypeHandle::of::<Hash<S>>()?, key, PLAIN, bytes, PUT_ABSENT)?;
        let (end, count) = small::fill(pairs, entry.bytes_mut());
        if end < bytes {
            entry.resize(PLAIN, end, false)?;
        }
        Ok(count)
    }

    /// Makes a hash without fields, of a key that is not there, to be filled before the command ends.
    pub fn create_empty(keys: &'k mut Keys<'_>, key: &'k [u8], now_ms: i64) -> Result<Writer<'k, S>> {
        let entry = keys.put(TypeHandle::of::<Hash<S>>()?, key, PLAIN, 0, PUT_ABSENT)?;
        Writer::of(entry, now_ms)
    }

    /// Takes what has expired out of a small hash.
    fn purge(&mut self) -> Result {
        let (tag, now) = (self.entry.tag(), self.now);
        if !is_past(small::due(tag, self.entry.bytes()), now) {
            return Ok(());
        }
        let past = small::iter(tag, self.entry.bytes()).filter(|shown| is_past(shown.deadline, now));
        let gone: Vec<Vec<u8>> = past.map(|shown| shown.field.to_vec()).collect();
        let kept = small::repack(tag, self.entry.bytes(), tag, |shown| !is_past(shown.deadline, now));
        self.entry.resize(tag, kept.len(), false)?;
        self.entry.bytes_mut().copy_from_slice(&kept);
        (self.gone, self.expired) = (gone, true);
        Ok(())
    }

    /// The hash, to be read.
    #[inline]
    pub fn view(&self) -> View<'_, S> {
        match self.entry.stored::<Hash<S>>() {
            Some(stored) => View::stored(stored),
            None => View::Absent,
        }
    }

    /// The moment that counts as now, Unix time in ms.
    #[inline]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The storage, when the hash is large.
    #[inline]
    fn large(&mut self) -> Option<&mut Large<S>> {
        if self.entry.is_inline() { None } else { self.entry.boxed::<Hash<S>>() }
    }

    /// A field's name.
    #[inline]
    pub fn name<'f>(&self, field: &'f [u8]) -> Name<'f, S::Digest> {
        let digest = match self.view() {
            View::Large(large) => Some(large.store().digest(field)),
            _ => None,
        };
        Name { field, digest }
    }

    /// A field that has not expired.
    #[inline]
    pub fn get(&self, name: Name<'_, S::Digest>) -> Option<Shown<'_>> {
        match (self.view(), name.digest) {
            (View::Large(large), Some(digest)) => {
                let item = large.store().get(digest, name.field)?;
                (!is_past(item.deadline, self.now)).then(|| item.into())
            }
            (view, _) => view.get(name.field, self.now),
        }
    }

    /// Adds a field, or gives it another value and deadline; whether it is new. Fails with
    /// `OutOfMemory`.
    #[inline]
    pub fn put(&mut self, name: Name<'_, S::Digest>, value: &[u8], deadline: Option<u64>) -> Result<bool> {
        if self.entry.is_inline() {
            let max = value_max();
            if name.field.len() <= max && value.len() <= max {
                return self.put_small(name.field, value, deadline);
            }
            self.enlarge()?;
        }
        self.put_large(name, value, deadline)
    }

    fn put_large(&mut self, name: Name<'_, S::Digest>, value: &[u8], deadline: Option<u64>) -> Result<bool> {
        let now = self.now;
        let large = self.large().ok_or(Error::Unsupported)?;
        let digest = name.digest.unwrap_or_else(|| large.store().digest(name.field));
        Ok(match large.put(digest, name.field, value, deadline) {
            Before::Absent => true,
            Before::Present(before) if is_past(before, now) => {
                self.note_gone(name.field);
                true
            }
            Before::Present(_) => false,
        })
    }

    fn put_small(&mut self, field: &[u8], value: &[u8], deadline: Option<u64>) -> Result<bool> {
        if deadline.is_some() && self.entry.tag() == PLAIN {
            let expiring = small::repack(PLAIN, self.entry.bytes(), EXPIRING, |_| true);
            self.entry.resize(EXPIRING, expiring.len(), false)?;
            self.entry.bytes_mut().copy_from_slice(&expiring);
        }
        let tag = self.entry.tag();
        let packed = Packed::new(tag, field, value, deadline, &mut self.room);
        let (len, before) = (packed.bytes_len(), self.entry.bytes().len());
        let Some((at, old)) = packed.find(self.entry.bytes()) else {
            // A pair takes two bytes at least, but for the one of empty texts.
            let max = entries_max();
            if before / 2 >= max && small::len(self.entry.bytes()) >= max {
                self.enlarge()?;
                return self.put_large(Name { field, digest: None }, value, deadline);
            }
            self.entry.resize(tag, before + len, false)?;
            packed.write(&mut self.entry.bytes_mut()[before..]);
            return Ok(true);
        };
        if len > old {
            self.entry.open_gap(tag, at, len - old, false)?;
        }
        packed.write(&mut self.entry.bytes_mut()[at..]);
        if len < old {
            self.entry.close_gap(tag, at + len, old - len)?;
        }
        Ok(false)
    }

    /// Makes a small hash large.
    fn enlarge(&mut self) -> Result {
        let mut large = Large::<S>::default();
        let (mut field, mut value) = (Digits::new(), Digits::new());
        for shown in small::iter(self.entry.tag(), self.entry.bytes()) {
            let field = shown.field.text(&mut field);
            let digest = large.store().digest(field);
            large.put(digest, field, shown.value.text(&mut value), shown.deadline);
        }
        self.entry.set_boxed::<Hash<S>>(0, large)
    }

    /// Gives a field that is there another deadline, or none.
    pub fn set_deadline(&mut self, name: Name<'_, S::Digest>, deadline: Option<u64>) -> Result {
        if !self.entry.is_inline() {
            let large = self.large().ok_or(Error::Unsupported)?;
            let digest = name.digest.unwrap_or_else(|| large.store().digest(name.field));
            large.set_deadline(digest, name.field, deadline);
            return Ok(());
        }
        let Some((_, _, shown)) = small::find(self.entry.tag(), self.entry.bytes(), name.field) else { return Ok(()) };
        let value = shown.value.to_vec();
        self.put_small(name.field, &value, deadline).map(|_| ())
    }

    /// Removes a field; whether it was there and had not expired.
    #[inline]
    pub fn remove(&mut self, name: Name<'_, S::Digest>) -> Result<bool> {
        let now = self.now;
        if self.entry.is_inline() {
            let tag = self.entry.tag();
            let Some((at, len, _)) = small::find(tag, self.entry.bytes(), name.field) else { return Ok(false) };
            self.entry.close_gap(tag, at, len)?;
            return Ok(true);
        }
        let large = self.large().ok_or(Error::Unsupported)?;
        let digest = name.digest.unwrap_or_else(|| large.store().digest(name.field));
        let mut was_past = false;
        if large.store().expiring() > 0 {
            let Some(item) = large.store().get(digest, name.field) else { return Ok(false) };
            was_past = is_past(item.deadline, now);
        }
        let removed = large.remove(digest, name.field);
        if removed && was_past {
            self.note_gone(name.field);
        }
        Ok(removed && !was_past)
    }

    #[cold]
    fn note_gone(&mut self, field: &[u8]) {
        self.expired = true;
        self.gone.push(field.to_vec());
    }

    /// The fields that were found expired and removed, to be told; `None` if there were none.
    #[inline]
    pub(crate) fn gone(&mut self) -> Option<Gone> {
        if self.gone.is_empty() {
            return None;
        }
        Some(Gone { fields: std::mem::take(&mut self.gone), key_expires_ms: self.entry.expire_at_ms() })
    }

    /// Removes fields of a large hash that have expired, with the bounds of
    /// [`Large::sweep`].
    pub fn sweep(&mut self, steps: usize, max: usize) {
        let now = self.now;
        let removed = self.large().map(|large| large.sweep(now, steps, max)).unwrap_or_default();
        self.expired |= !removed.is_empty();
        self.gone.extend(removed);
    }

    /// Whether no field is left. Then the key has to go.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.view().is_empty()
    }
}

/// Says what a command did to a hash: publishes the events, removes a hash without fields. Nothing is
/// said where there are no events.
pub fn announce(keys: &mut Keys<'_>, key: &[u8], events: &[&str], is_empty: bool) -> Result {
    let Some((first, rest)) = events.split_first() else { return Ok(()) };
    if is_empty {
        keys.remove(key, 0)?;
    }
    keys.modified(key, EVENT_HASH, first);
    rest.iter().for_each(|event| keys.notify(key, EVENT_HASH, event));
    if is_empty {
        keys.notify(key, EVENT_GENERIC, "del");
    }
    Ok(())
}
