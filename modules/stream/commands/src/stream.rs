//! The value: a log, its counters, and the groups that read it.
//!
//! All changes pass through here or through [`GroupMut`], so that one place notes them for a conversion
//! that is going on ([`convert`](crate::convert)).
//!
//! What is taken off in bulk, such as a million trimmed entries or a destroyed group with what was
//! pending in it, stays behind as *waste*. A command that has made some lets a new value take this one's
//! place ([`Stream::renew`]), and the host frees the old one, which holds nothing but the waste, on
//! another thread. While the value is being converted it has to stay, and keeps its waste; one that is
//! being made by a conversion frees some of its waste with each element.

use crate::convert::{Element, Position, note};
use crate::group::{Group, GroupMut};
use crate::id::Id;
use crate::layout;
use crate::storage::{Keep, Storage};
use crate::waste::Waste;
use plinth_module::convert::Journal;
use std::cell::Cell;
use std::collections::BTreeMap;

/// A stream. See the [module](self).
pub struct Stream<S> {
    log: S,
    last: Id,
    added: u64,
    max_deleted: Id,
    /// By name, and by a number that the stream gives each group once.
    names: BTreeMap<Box<[u8]>, u64>,
    groups: BTreeMap<u64, Box<Group>>,
    groups_bytes: usize,
    next_group: u64,
    journal: Journal,
    position: Cell<Position>,
    waste: Waste<S>,
}

impl<S: Storage> Default for Stream<S> {
    fn default() -> Stream<S> {
        Stream {
            log: S::new(),
            last: Id::MIN,
            added: 0,
            max_deleted: Id::MIN,
            names: BTreeMap::new(),
            groups: BTreeMap::new(),
            groups_bytes: 0,
            next_group: 0,
            journal: Journal::NEW,
            position: Cell::new(Position::Entries(None)),
            waste: Waste::NONE,
        }
    }
}

// ---- The log ----

impl<S: Storage> Stream<S> {
    /// The entries.
    #[inline]
    pub fn log(&self) -> &S {
        &self.log
    }

    pub(crate) fn log_mut(&mut self) -> &mut S {
        &mut self.log
    }

    /// Number of entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The greatest id that was ever given, or the one that was set.
    #[inline]
    pub fn last_id(&self) -> Id {
        self.last
    }

    /// How many entries were ever added.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// The greatest id among those that were removed by name.
    pub fn max_deleted(&self) -> Id {
        self.max_deleted
    }

    /// Adds an entry of an id greater than [`last_id`](Stream::last_id): names and values in turn.
    pub fn append<'t>(&mut self, id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        debug_assert!(id > self.last);
        self.log.append(layout::now(), id, fields);
        self.last = id;
        self.added = self.added.saturating_add(1);
        if self.journal.is_on() {
            self.note_append(id);
        }
    }

    #[cold]
    fn note_append(&mut self, id: Id) {
        // An id of which the export was past already: the last id was set back, and none of what was
        // handed out from there on is the stream's any more.
        let is_back = self.position.get().entries_until().is_some_and(|until| id <= until);
        note(&mut self.journal, if is_back { Element::Reset } else { Element::Tail });
        note(&mut self.journal, Element::Meta);
    }

    /// Takes an entry away; returns whether it was there.
    pub fn remove(&mut self, id: Id) -> bool {
        let was_there = self.log.remove(id);
        if was_there {
            self.max_deleted = self.max_deleted.max(id);
            note(&mut self.journal, Element::Entry(id));
            note(&mut self.journal, Element::Meta);
        }
        was_there
    }

    /// Takes entries off at the front, as [`Storage::cut`] says; returns how many.
    pub fn cut(&mut self, keep: Keep, whole: bool, limit: usize) -> usize {
        let gone = self.log.cut(keep, whole, limit);
        let count = gone.len();
        if count > 0 {
            note(&mut self.journal, Element::Front);
            self.discard(gone);
        }
        count
    }

    /// Sets the counters, as XSETID and a file do.
    pub fn set_counters(&mut self, last: Id, added: u64, max_deleted: Id) {
        (self.last, self.added, self.max_deleted) = (last, added, max_deleted);
        note(&mut self.journal, Element::Meta);
    }
}

// ---- The groups ----

impl<S: Storage> Stream<S> {
    /// Number of groups.
    pub fn groups_len(&self) -> usize {
        self.names.len()
    }

    /// The groups, in the order of their names.
    pub fn groups(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.names.iter().filter_map(|(name, number)| Some((&**name, self.group_of(*number)?)))
    }

    /// The group of a name.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.group_of(*self.names.get(name)?)
    }

    /// The group of a name, to be changed.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<GroupMut<'_>> {
        self.log_and_group(name).map(|(_, group)| group)
    }

    /// The log, to be read, while a group is changed.
    pub fn log_and_group(&mut self, name: &[u8]) -> Option<(&S, GroupMut<'_>)> {
        let number = self.names.get(name)?;
        let group = self.groups.get_mut(number)?;
        Some((&self.log, GroupMut::new(group, &mut self.journal, &mut self.groups_bytes)))
    }

    /// Makes a group; returns whether there was none of that name.
    pub fn make_group(&mut self, name: &[u8], last: Id, entries_read: Option<u64>) -> bool {
        if self.names.contains_key(name) {
            return false;
        }
        let number = self.next_group;
        self.import_group(number, Some(name), |group| group.set_last(last, entries_read));
        note(&mut self.journal, Element::Group(number));
        true
    }

    /// Destroys a group; returns whether there was one.
    pub fn destroy_group(&mut self, name: &[u8]) -> bool {
        let Some(&number) = self.names.get(name) else { return false };
        self.remove_group_of(number);
        note(&mut self.journal, Element::Group(number));
        true
    }

    /// Whether an entry is still wanted by a group: pending there, or not yet handed out.
    pub fn is_referenced(&self, id: Id) -> bool {
        self.groups.values().any(|group| group.last() < id || group.pending(id).is_some())
    }

    /// Takes an entry out of what is pending in any group.
    pub fn forget(&mut self, id: Id) {
        self.each_group(|group| _ = group.acknowledge(id));
    }

    /// Changes each group in turn.
    pub(crate) fn each_group(&mut self, mut change: impl FnMut(&mut GroupMut<'_>)) {
        for group in self.groups.values_mut() {
            change(&mut GroupMut::new(group, &mut self.journal, &mut self.groups_bytes));
        }
    }

    pub(crate) fn group_of(&self, number: u64) -> Option<&Group> {
        self.groups.get(&number).map(Box::as_ref)
    }

    pub(crate) fn group_numbers_from(&self, number: u64) -> impl Iterator<Item = u64> + '_ {
        self.groups.range(number..).map(|(number, _)| *number)
    }

    /// Changes the group of a number, which is made if it is not there, and gives it its name.
    pub(crate) fn import_group(&mut self, number: u64, name: Option<&[u8]>, change: impl FnOnce(&mut Group)) {
        let group = self.groups.entry(number).or_insert_with(|| {
            let group = Group::new(number, Id::MIN, None);
            self.groups_bytes += group.memory();
            Box::new(group)
        });
        let before = group.memory();
        change(group);
        if let Some(name) = name {
            group.set_name(name);
            self.names.insert(name.into(), number);
        }
        self.groups_bytes = self.groups_bytes + group.memory() - before;
        self.next_group = self.next_group.max(number.wrapping_add(1));
    }

    pub(crate) fn if_group(&mut self, number: u64, change: impl FnOnce(&mut Group)) {
        if self.groups.contains_key(&number) {
            self.import_group(number, None, change);
        }
    }

    pub(crate) fn remove_group_of(&mut self, number: u64) {
        let Some(group) = self.groups.remove(&number) else { return };
        self.groups_bytes -= group.memory();
        if self.names.get(group.name()) == Some(&number) {
            self.names.remove(group.name());
        }
        self.waste.add_group(*group);
    }
}

// ---- The whole ----

impl<S: Storage> Stream<S> {
    pub(crate) fn journal_mut(&mut self) -> &mut Journal {
        &mut self.journal
    }

    pub(crate) fn position(&self) -> &Cell<Position> {
        &self.position
    }

    pub(crate) fn discard(&mut self, gone: S) {
        self.waste.add_log(gone);
    }

    /// Frees some of the waste, for a conversion whose new value this is.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if !self.waste.is_empty() {
            self.waste.free_some();
        }
    }

    /// Whether there is waste that may be freed elsewhere: not while the value is being converted.
    #[inline]
    pub fn has_waste(&self) -> bool {
        !self.waste.is_empty() && !self.journal.is_on()
    }

    /// All but the waste, to take this value's place and leave it to be freed; `None` without waste.
    pub fn renew(&mut self) -> Option<Stream<S>> {
        if !self.has_waste() {
            return None;
        }
        let waste = std::mem::replace(&mut self.waste, Waste::NONE);
        let live = std::mem::take(self);
        self.waste = waste;
        Some(live)
    }

    /// Takes what [`renew`](Stream::renew) has given, when nothing could be put in this value's place.
    pub fn take_back(&mut self, live: Stream<S>) {
        let empty = std::mem::replace(self, live);
        self.waste.append(empty.waste);
    }

    /// A copy, if the storage makes one.
    pub fn copy(&self) -> Option<Stream<S>> {
        let groups = self.groups.clone();
        Some(Stream {
            log: self.log.copy()?,
            last: self.last,
            added: self.added,
            max_deleted: self.max_deleted,
            names: self.names.clone(),
            groups_bytes: groups.values().map(|group| group.memory()).sum(),
            groups,
            next_group: self.next_group,
            ..Stream::default()
        })
    }

    /// Bytes that the value takes, in constant time.
    pub fn memory(&self) -> usize {
        let bytes = size_of::<Stream<S>>() - size_of::<S>() + self.log.memory() + self.groups_bytes;
        bytes + self.waste.memory() + self.journal.memory()
    }

    /// Number of allocations that dropping the value frees, about.
    pub fn free_effort(&self) -> usize {
        let logs = self.waste.logs_free_effort() + self.log.free_effort();
        let groups = self.waste.groups().chain(self.groups.values().map(Box::as_ref));
        // A look at some of many groups tells enough.
        logs + groups.take(100).map(|group| group.free_effort() + 4).sum::<usize>() + 4 * self.names.len()
    }
}
