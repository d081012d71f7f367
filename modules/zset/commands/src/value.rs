//! The value: a sorted set in either form, to be read or changed.
//!
//! [`View`] asks whichever form is there. [`Edit`] changes it, and turns a small one into a large one
//! when it passes a threshold; nothing turns it back. An element costs one look-up of the key and
//! one of the member.
//!
//! *Invariant*: no key holds an empty sorted set when a command ends. [`announce`] sees to it where
//! elements were removed.

use crate::codec::{LARGE, SMALL, Zset};
use crate::large::Large;
use crate::small::{self, Element, Small};
use crate::storage::{Cut, Storage};
use plinth_module::prelude::*;
use std::ops::Range;

/// Most elements of a small sorted set.
static ENTRIES_MAX: ConfigInteger = ConfigInteger::new();
/// Most bytes of a member of a small sorted set.
static VALUE_MAX: ConfigInteger = ConfigInteger::new();

/// The parameters, under their present and their former names.
pub static PARAMETERS: [Config; 2] = [
    Config {
        flags: CONFIG_BARE,
        alias: text("zset-max-ziplist-entries"),
        ..ENTRIES_MAX.declare("zset-max-listpack-entries", "128", 0, i64::MAX)
    },
    Config {
        flags: CONFIG_BARE,
        alias: text("zset-max-ziplist-value"),
        ..VALUE_MAX.declare_memory("zset-max-listpack-value", "64", 0, i64::MAX)
    },
];

/// Whether a sorted set may be small that has so many elements, the longest of so many bytes.
pub(crate) fn may_be_small(count: usize, member_max: usize) -> bool {
    count as u64 <= (ENTRIES_MAX.get() as u64).min(u64::from(u32::MAX)) && member_max as u64 <= VALUE_MAX.get() as u64
}

/// A sorted set that is read.
pub enum View<'v, S> {
    /// A small one.
    Small(Small<'v>),
    /// A large one.
    Large(&'v S),
}

/// Does the same with either form.
macro_rules! either {
    ($view:expr, $form:ident => $what:expr) => {
        match $view {
            View::Small($form) => $what,
            View::Large($form) => $what,
        }
    };
}

impl<'v, S: Storage> View<'v, S> {
    /// Finds a key, to be read.
    #[inline]
    pub fn find(keys: &'v mut Keys<'_>, key: &'v [u8]) -> Result<Option<View<'v, S>>> {
        let Some(entry) = keys.get(TypeHandle::of::<Zset<S>>()?, key)? else { return Ok(None) };
        View::of(entry).map(Some)
    }

    /// The value of an entry of this type.
    #[inline]
    pub(crate) fn of(entry: Entry<'v>) -> Result<View<'v, S>> {
        if entry.is_inline() {
            return Ok(View::Small(Small::new(entry.into_bytes())));
        }
        let large: &Large<S> = entry.into_boxed::<Zset<S>>().ok_or(Error::Unsupported)?;
        Ok(View::Large(large.store()))
    }

    /// Number of elements.
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        either!(self, form => form.len())
    }

    /// A member's score.
    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        either!(self, form => form.score(member))
    }

    /// A member's rank and score.
    #[inline]
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        either!(self, form => form.rank(member))
    }

    /// How many elements come before a cut.
    pub fn count_before(&self, cut: Cut<'_>) -> usize {
        either!(self, form => form.count_before(cut))
    }

    /// Visits the elements of a range of ranks, forwards or backwards.
    pub fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        if !ranks.is_empty() {
            either!(self, form => form.visit(ranks, reverse, visit));
        }
    }

    /// One step of an iteration; a small one is visited whole.
    pub fn scan(&self, cursor: u64, visit: &mut dyn FnMut(&[u8], f64)) -> u64 {
        match self {
            View::Small(small) => {
                small.visit(0..small.len(), false, visit);
                0
            }
            View::Large(store) => store.scan(cursor, visit),
        }
    }
}

/// A sorted set that is changed.
pub struct Edit<'k, S: Storage> {
    entry: Entry<'k>,
    store: std::marker::PhantomData<S>,
}

impl<'k, S: Storage> Edit<'k, S> {
    /// Finds a key, to be changed.
    #[inline]
    pub fn find(keys: &'k mut Keys<'_>, key: &'k [u8]) -> Result<Option<Edit<'k, S>>> {
        let entry = keys.get_write(TypeHandle::of::<Zset<S>>()?, key)?;
        Ok(entry.map(|entry| Edit { entry, store: std::marker::PhantomData }))
    }

    /// Makes a key that is not there, or replaces its value, by an empty sorted set, for so many
    /// elements, the longest of so many bytes. Fails with `OutOfMemory`.
    pub fn create(keys: &'k mut Keys<'_>, key: &'k [u8], count: usize, member_max: usize) -> Result<Edit<'k, S>> {
        let entry = if may_be_small(count, member_max) {
            keys.put_bytes(TypeHandle::of::<Zset<S>>()?, key, SMALL, &[0], 0)?
        } else {
            keys.put_boxed::<Zset<S>>(key, LARGE, Large::default(), 0)?
        };
        Ok(Edit { entry, store: std::marker::PhantomData })
    }

    /// The value as it is now.
    #[inline]
    pub fn view(&self) -> View<'_, S> {
        match self.entry.stored::<Zset<S>>() {
            Some(plinth_module::datatype::Stored::Boxed { value, .. }) => View::Large(value.store()),
            _ => View::Small(Small::new(self.entry.bytes())),
        }
    }

    /// Lets `choose` say which score a member gets, as [`Storage::update`] does. Fails with
    /// `OutOfMemory`, nothing changed.
    pub fn update(&mut self, member: &[u8], choose: impl FnOnce(Option<f64>) -> Option<f64>) -> Result {
        if let Some(large) = self.entry.boxed::<Zset<S>>() {
            large.update(member, choose);
            return Ok(());
        }
        let small = Small::new(self.entry.bytes());
        let place = small.find(member);
        let before = place.map(|place| place.score);
        let Some(score) = choose(before).filter(|score| before != Some(*score)) else { return Ok(()) };
        if place.is_none() && !may_be_small(small.len() + 1, member.len()) {
            self.enlarge()?.set(member, score);
            return Ok(());
        }
        let element = Element::new(member, score);
        let to = small.place_for(member, score);
        match place {
            None => self.insert(to, &element),
            Some(place) if place.len == element.len() => {
                self.replace(place, to, &element);
                Ok(())
            }
            Some(place) => {
                self.insert(to, &element)?;
                let at = if to <= place.at { place.at + element.len() } else { place.at };
                self.take(at, place.len)
            }
        }
    }

    /// Turns a small one into a large one.
    fn enlarge(&mut self) -> Result<&mut Large<S>> {
        let mut large = Large::default();
        let small = Small::new(self.entry.bytes());
        small.visit(0..small.len(), false, &mut |member, score| large.set(member, score));
        self.entry.set_boxed::<Zset<S>>(LARGE, large)?;
        self.entry.boxed::<Zset<S>>().ok_or(Error::Unsupported)
    }

    /// Puts an element into a small one.
    fn insert(&mut self, to: usize, element: &Element<'_>) -> Result {
        let count = Small::new(self.entry.bytes()).len();
        let gap = self.entry.open_gap(SMALL, small::head_bytes(count) + to, element.len(), false)?;
        element.write(gap);
        if let Err(error) = self.set_count(count, count + 1) {
            // Without room for the count the element goes again; giving room back succeeds.
            self.entry.close_gap(SMALL, small::head_bytes(count) + to, element.len())?;
            return Err(error);
        }
        Ok(())
    }

    /// Takes the bytes of an element out of a small one.
    fn take(&mut self, at: usize, len: usize) -> Result {
        let count = Small::new(self.entry.bytes()).len();
        self.entry.close_gap(SMALL, small::head_bytes(count) + at, len)?;
        self.set_count(count, count - 1)
    }

    /// Puts an element of the same length in the place of another, and where it belongs now.
    fn replace(&mut self, place: small::Place, to: usize, element: &Element<'_>) {
        let head = small::head_bytes(Small::new(self.entry.bytes()).len());
        let pairs = &mut self.entry.bytes_mut()[head..];
        element.write(&mut pairs[place.at..place.at + place.len]);
        if to > place.at {
            pairs[place.at..to].rotate_left(place.len);
        } else {
            pairs[to..place.at + place.len].rotate_right(place.len);
        }
    }

    /// Writes the count of a small one, whose head may grow or shrink by that.
    fn set_count(&mut self, before: usize, count: usize) -> Result {
        let (old, new) = (small::head_bytes(before), small::head_bytes(count));
        if new > old {
            self.entry.open_gap(SMALL, 0, new - old, false)?;
        } else if new < old {
            self.entry.close_gap(SMALL, 0, old - new)?;
        }
        small::write_head(count, self.entry.bytes_mut());
        Ok(())
    }

    /// Removes a member; returns its score if it was there.
    pub fn remove(&mut self, member: &[u8]) -> Result<Option<f64>> {
        if let Some(large) = self.entry.boxed::<Zset<S>>() {
            return Ok(large.remove(member));
        }
        let Some(place) = Small::new(self.entry.bytes()).find(member) else { return Ok(None) };
        self.take(place.at, place.len)?;
        Ok(Some(place.score))
    }

    /// Removes the elements of a range of ranks, from its start, or if `reverse` from its end, and
    /// shows each to `taken`.
    pub fn remove_range(&mut self, ranks: Range<usize>, reverse: bool, taken: &mut dyn FnMut(&[u8], f64)) -> Result {
        if ranks.is_empty() {
            return Ok(());
        }
        if let Some(large) = self.entry.boxed::<Zset<S>>() {
            for step in 0..ranks.len() {
                large.remove_at(if reverse { ranks.end - 1 - step } else { ranks.start }, taken);
            }
            return Ok(());
        }
        let small = Small::new(self.entry.bytes());
        small.visit(ranks.clone(), reverse, taken);
        let count = small.len();
        let start = small.at(ranks.start).map_or(0, |place| place.at);
        let end = small.at(ranks.end).map_or(small.pairs_bytes(), |place| place.at);
        self.entry.close_gap(SMALL, small::head_bytes(count) + start, end - start)?;
        self.set_count(count, count - ranks.len())
    }

    /// Announces a change after which there are elements.
    #[inline]
    pub fn modified(&mut self, event: &str) {
        self.entry.modified(EVENT_ZSET, event);
    }

    /// Whether nothing is left, so that the key must go: for [`announce`].
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.view().len() == 0
    }
}

/// Announces that elements were removed, and removes a key that has none left.
pub(crate) fn announce(keys: &mut Keys<'_>, key: &[u8], is_empty: bool, event: &str) -> Result {
    if !is_empty {
        keys.modified(key, EVENT_ZSET, event);
        return Ok(());
    }
    keys.remove(key, 0)?;
    keys.modified(key, EVENT_ZSET, event);
    keys.notify(key, EVENT_GENERIC, "del");
    Ok(())
}

/// Puts a sorted set of elements that are in order and of distinct members in the place of whatever
/// a key holds. Announces nothing.
pub(crate) fn put_sorted<S: Storage>(keys: &mut Keys<'_>, key: &[u8], elements: &[(Box<[u8]>, f64)]) -> Result {
    let member_max = elements.iter().map(|(member, _)| member.len()).max().unwrap_or(0);
    let iter = elements.iter().map(|(member, score)| (&member[..], *score));
    if may_be_small(elements.len(), member_max) {
        keys.put_bytes(TypeHandle::of::<Zset<S>>()?, key, SMALL, &small::build(iter), 0)?;
    } else {
        let mut large = Large::<S>::default();
        iter.for_each(|(member, score)| large.set(member, score));
        keys.put_boxed::<Zset<S>>(key, LARGE, large, 0)?;
    }
    Ok(())
}
