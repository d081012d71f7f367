//! A group: what it has been handed out, its consumers, and what they have not acknowledged.
//!
//! ```text
//!   pending     id -> who has it, since when, how often        one map for the group
//!   consumers   name -> number -> times, and its ids           one set of ids each
//! ```
//!
//! Every pending id is in the group's map and in its consumer's set, so that acknowledging, claiming,
//! and a consumer's own history are logarithmic. Changes go through [`GroupMut`], which notes them for
//! a conversion that is going on ([`convert`](crate::convert)).
//!
//! A consumer that is deleted may leave a million ids behind. Those are taken out of the group's map
//! some at a time; meanwhile nobody sees them. Whoever opens the group for a change takes some out, and
//! each change does, so that they go whatever the stream's key is called by then. A timer does the same
//! as long as the key keeps its name ([`sweep`](crate::commands)).
//!
//! Invariants: an id that is in the group's map is in the set of its consumer, or of one that leaves;
//! numbers of consumers are never given twice while one that had it is there or leaving.

use crate::convert::{self, Element};
use crate::id::Id;
use crate::nack::{ConsumerNo, Nack, Nacks};
use crate::pending::IdMap;
use plinth_module::convert::Journal;
use std::collections::BTreeMap;

/// A consumer.
#[derive(Clone)]
pub struct Consumer {
    name: Box<[u8]>,
    seen_ms: i64,
    active_ms: Option<i64>,
    pending: IdMap<()>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// When it last asked for something, Unix time in ms.
    pub fn seen_ms(&self) -> i64 {
        self.seen_ms
    }

    /// When it last got something, Unix time in ms; `None` if it never did.
    pub fn active_ms(&self) -> Option<i64> {
        self.active_ms
    }

    /// How many entries it has not acknowledged.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The ids of those from one on.
    pub fn pending_from(&self, start: Id) -> impl Iterator<Item = Id> + '_ {
        self.pending.from(start).map(|(id, ())| id)
    }

    fn memory(&self) -> usize {
        CONSUMER_BYTES + 2 * self.name.len() + self.pending.memory()
    }
}

/// Bytes of a consumer in both maps, beside its name and ids.
const CONSUMER_BYTES: usize = 160;
/// Bytes of a group beside what it holds, its place among the groups counted in.
const GROUP_BYTES: usize = 256;
/// Up to so many ids of a deleted consumer go at once.
const AT_ONCE: usize = 256;
/// So many ids of consumers that leave go with each change of the group, and when it is opened for one.
const PER_CHANGE: usize = 64;
/// So many go at a time when nothing is changed: about a third of a millisecond.
const PER_TURN: usize = 1024;

/// So many ids of deleted consumers in a row are gone through one by one, and so many for each consumer.
const RUN_MIN: usize = 64;
/// See [`RUN_MIN`].
const LOOKS_PER_CONSUMER: usize = 4;

/// A group.
pub struct Group {
    name: Box<[u8]>,
    number: u64,
    last: Id,
    entries_read: Option<u64>,
    pending: Nacks,
    names: BTreeMap<Box<[u8]>, ConsumerNo>,
    consumers: BTreeMap<ConsumerNo, Consumer>,
    next_consumer: ConsumerNo,
    /// Ids of consumers that were deleted, to be taken out of `pending`.
    leaving: Vec<(ConsumerNo, IdMap<()>)>,
    leaving_len: usize,
    leaving_bytes: usize,
    consumers_bytes: usize,
}

impl Clone for Group {
    /// A copy takes what it takes, and not what this one does: maps that have shrunk have other rooms.
    fn clone(&self) -> Group {
        let mut copy = Group::new(self.number, self.last, self.entries_read);
        copy.set_name(&self.name);
        for (no, consumer) in self.consumers() {
            copy.put_consumer(no, &consumer.name, consumer.seen_ms, consumer.active_ms);
        }
        self.pending_from(Id::MIN).for_each(|(id, nack)| copy.set_pending(id, nack));
        copy.next_consumer = self.next_consumer;
        copy
    }
}

impl Group {
    /// A group without consumers. `number` is its own among all that the stream ever had.
    pub fn new(number: u64, last: Id, entries_read: Option<u64>) -> Group {
        Group {
            name: Box::default(),
            number,
            last,
            entries_read,
            pending: Nacks::default(),
            names: BTreeMap::new(),
            consumers: BTreeMap::new(),
            next_consumer: 0,
            leaving: Vec::new(),
            leaving_len: 0,
            leaving_bytes: 0,
            consumers_bytes: 0,
        }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    pub(crate) fn set_name(&mut self, name: &[u8]) {
        self.name = name.into();
    }

    /// The number that no other group of the stream has had.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The last id that was handed out, or with which the group begins.
    pub fn last(&self) -> Id {
        self.last
    }

    /// How many entries of the stream, from its first ever on, the group has read; `None` if that is
    /// not known.
    pub fn entries_read(&self) -> Option<u64> {
        self.entries_read
    }

    /// How many entries are pending.
    pub fn pending_len(&self) -> usize {
        self.pending.len() - self.leaving_len
    }

    /// What is known of a pending entry. O(log n).
    pub fn pending(&self, id: Id) -> Option<Nack> {
        self.pending.get(id).filter(|nack| self.is_there(nack))
    }

    /// The pending entries from an id on. However many ids of deleted consumers lie between two of them,
    /// no more are looked at than the group has consumers, but for a constant factor.
    pub fn pending_from(&self, start: Id) -> impl Iterator<Item = (Id, Nack)> + '_ {
        self.walk(start, || ())
    }

    /// As [`pending_from`](Group::pending_from), and says `look` for each id that is looked at.
    fn walk<'g>(&'g self, start: Id, mut look: impl FnMut() + 'g) -> impl Iterator<Item = (Id, Nack)> + 'g {
        let mut ids = self.pending.from(start);
        std::iter::from_fn(move || {
            let mut looks = RUN_MIN.max(LOOKS_PER_CONSUMER * self.consumers.len());
            loop {
                let (id, nack) = ids.next()?;
                look();
                if self.is_there(&nack) {
                    return Some((id, nack));
                }
                looks -= 1;
                if looks == 0 {
                    // By now it costs no more to ask all for their next one.
                    let next_of = |consumer: &Consumer| consumer.pending_from(id).next();
                    ids = self.pending.from(self.consumers.values().filter_map(next_of).min()?);
                    looks = RUN_MIN;
                }
            }
        })
    }

    /// As [`pending_from`](Group::pending_from), with `None` for each id of a consumer that was deleted, so
    /// that who counts what it looks at can count these.
    pub fn all_from(&self, start: Id) -> impl Iterator<Item = (Id, Option<Nack>)> + '_ {
        self.pending.from(start).map(|(id, nack)| (id, Some(nack).filter(|nack| self.is_there(nack))))
    }

    /// The first and the last pending id.
    pub fn pending_ends(&self) -> Option<(Id, Id)> {
        if self.leaving.is_empty() {
            return self.pending.first().zip(self.pending.last());
        }
        let sets = || self.consumers.values().map(|consumer| &consumer.pending);
        sets().filter_map(IdMap::first).min().zip(sets().filter_map(IdMap::last).max())
    }

    #[inline]
    fn is_there(&self, nack: &Nack) -> bool {
        self.leaving.is_empty() || self.consumers.contains_key(&nack.consumer)
    }

    /// Whether ids of a deleted consumer are still to go.
    pub fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Number of consumers.
    pub fn consumers_len(&self) -> usize {
        self.consumers.len()
    }

    /// The consumers, in the order of their names.
    pub fn consumers(&self) -> impl Iterator<Item = (ConsumerNo, &Consumer)> {
        self.names.values().filter_map(|no| Some((*no, self.consumers.get(no)?)))
    }

    /// The consumer of a name. O(log n).
    pub fn find(&self, name: &[u8]) -> Option<ConsumerNo> {
        self.names.get(name).copied()
    }

    /// The consumer of a number. O(log n).
    pub fn consumer(&self, no: ConsumerNo) -> Option<&Consumer> {
        self.consumers.get(&no)
    }

    /// The consumers from a number on, in the order of their numbers.
    pub(crate) fn consumers_from(&self, no: ConsumerNo) -> impl Iterator<Item = (ConsumerNo, &Consumer)> {
        self.consumers.range(no..).map(|(no, consumer)| (*no, consumer))
    }

    /// Bytes that the group takes, in constant time.
    pub fn memory(&self) -> usize {
        GROUP_BYTES + 2 * self.name.len() + self.pending.memory() + self.consumers_bytes + self.leaving_bytes
    }

    /// Number of allocations that dropping it frees, about.
    pub fn free_effort(&self) -> usize {
        self.pending.free_effort() * 2 + self.consumers.len() * 3
    }

    fn change_consumer<R>(&mut self, no: ConsumerNo, change: impl FnOnce(&mut Consumer) -> R) -> Option<R> {
        let consumer = self.consumers.get_mut(&no)?;
        let before = consumer.memory();
        let result = change(consumer);
        self.consumers_bytes = self.consumers_bytes + consumer.memory() - before;
        Some(result)
    }

    pub(crate) fn set_last(&mut self, last: Id, entries_read: Option<u64>) {
        (self.last, self.entries_read) = (last, entries_read);
    }

    /// Puts a consumer in under a number that is free; for a conversion.
    pub(crate) fn put_consumer(&mut self, no: ConsumerNo, name: &[u8], seen_ms: i64, active_ms: Option<i64>) {
        self.take_consumer_name(no, name);
        match self.consumers.get_mut(&no) {
            Some(consumer) => (consumer.seen_ms, consumer.active_ms) = (seen_ms, active_ms),
            None => {
                let consumer = Consumer { name: name.into(), seen_ms, active_ms, pending: IdMap::default() };
                self.consumers_bytes += consumer.memory();
                self.consumers.insert(no, consumer);
            }
        }
        self.next_consumer = self.next_consumer.max(no.wrapping_add(1));
    }

    /// Gives a name to a consumer, which may have come into being without one.
    fn take_consumer_name(&mut self, no: ConsumerNo, name: &[u8]) {
        self.change_consumer(no, |consumer| consumer.name = name.into());
        self.names.insert(name.into(), no);
    }

    /// A pending entry of a consumer, who need not be known yet; for a conversion.
    pub(crate) fn put_pending(&mut self, id: Id, nack: Nack) {
        if !self.consumers.contains_key(&nack.consumer) {
            let consumer = Consumer { name: Box::default(), seen_ms: 0, active_ms: None, pending: IdMap::default() };
            self.consumers_bytes += consumer.memory();
            self.consumers.insert(nack.consumer, consumer);
            self.next_consumer = self.next_consumer.max(nack.consumer.wrapping_add(1));
        }
        self.set_pending(id, nack);
    }

    fn set_pending(&mut self, id: Id, nack: Nack) {
        let before = self.pending.insert(id, nack);
        if let Some(before) = before.filter(|before| *before != nack.consumer) {
            self.drop_from(before, id);
        }
        if before != Some(nack.consumer) {
            self.change_consumer(nack.consumer, |consumer| consumer.pending.insert(id, ()));
        }
    }

    /// Takes an id out of a consumer's set, or of that of one who leaves.
    fn drop_from(&mut self, no: ConsumerNo, id: Id) {
        if self.change_consumer(no, |consumer| consumer.pending.remove(id)).is_some() {
            return;
        }
        if let Some((_, ids)) = self.leaving.iter_mut().find(|(leaving, _)| *leaving == no) {
            let before = ids.memory();
            self.leaving_len -= usize::from(ids.remove(id).is_some());
            self.leaving_bytes = self.leaving_bytes + ids.memory() - before;
        }
    }

    pub(crate) fn remove_pending(&mut self, id: Id) -> bool {
        let Some(nack) = self.pending(id) else { return false };
        self.pending.remove(id);
        self.drop_from(nack.consumer, id);
        true
    }

    /// Removes a consumer with its pending entries; returns how many these were.
    pub(crate) fn remove_consumer(&mut self, no: ConsumerNo) -> Option<usize> {
        let consumer = self.consumers.remove(&no)?;
        self.consumers_bytes -= consumer.memory();
        if self.names.get(&consumer.name) == Some(&no) {
            self.names.remove(&consumer.name);
        }
        let ids = consumer.pending;
        let count = ids.len();
        self.leaving_len += count;
        self.leaving_bytes += ids.memory();
        self.leaving.push((no, ids));
        self.sweep(AT_ONCE);
        Some(count)
    }

    /// Takes ids of consumers that have left out of the map.
    fn sweep(&mut self, budget: usize) {
        for _ in 0..budget {
            let Some((_, ids)) = self.leaving.last_mut() else { return };
            let Some(id) = ids.first() else {
                self.leaving.pop();
                continue;
            };
            let before = ids.memory();
            ids.remove(id);
            self.leaving_bytes = self.leaving_bytes + ids.memory() - before;
            self.leaving_len -= 1;
            self.pending.remove(id);
        }
    }

    /// Frees some of what a group holds that nobody has any more; whether anything is left.
    pub(crate) fn free_some(&mut self, chunks: usize) -> bool {
        for _ in 0..chunks {
            if self.pending.drop_chunk() {
                continue;
            }
            if let Some((_, mut ids)) = self.leaving.pop() {
                let before = ids.memory();
                if ids.drop_chunk() {
                    self.leaving_bytes = self.leaving_bytes + ids.memory() - before;
                    self.leaving.push((0, ids));
                }
                continue;
            }
            let Some((&no, _)) = self.consumers.first_key_value() else { return false };
            if self.change_consumer(no, |consumer| consumer.pending.drop_chunk()) != Some(true)
                && let Some(consumer) = self.consumers.remove(&no)
            {
                self.consumers_bytes -= consumer.memory();
                self.names.remove(&consumer.name);
            }
        }
        true
    }

    fn free_number(&self) -> ConsumerNo {
        let mut no = self.next_consumer;
        while self.consumers.contains_key(&no) || self.leaving.iter().any(|(leaving, _)| *leaving == no) {
            no = no.wrapping_add(1);
        }
        no
    }
}

/// A group that may be changed.
pub struct GroupMut<'s> {
    group: &'s mut Group,
    journal: &'s mut Journal,
    /// Bytes of all groups, to be kept up to date.
    bytes: &'s mut usize,
    bytes_before: usize,
}

impl<'s> GroupMut<'s> {
    pub(crate) fn new(group: &'s mut Group, journal: &'s mut Journal, bytes: &'s mut usize) -> GroupMut<'s> {
        let mut group = GroupMut { bytes_before: group.memory(), group, journal, bytes };
        group.sweep_some();
        group
    }
}

impl Drop for GroupMut<'_> {
    fn drop(&mut self) {
        *self.bytes = *self.bytes + self.group.memory() - self.bytes_before;
    }
}

impl std::ops::Deref for GroupMut<'_> {
    type Target = Group;

    fn deref(&self) -> &Group {
        self.group
    }
}

impl GroupMut<'_> {
    fn note(&mut self, element: Element) {
        convert::note(self.journal, element);
    }

    /// Sets the last id that was handed out, and how many entries were read until then.
    pub fn set_last(&mut self, last: Id, entries_read: Option<u64>) {
        self.group.set_last(last, entries_read);
        self.note(Element::Group(self.group.number));
    }

    /// The consumer of a name, made if there is none; says whether it was made.
    pub fn find_or_make(&mut self, name: &[u8], now_ms: i64) -> (ConsumerNo, bool) {
        if let Some(no) = self.group.find(name) {
            return (no, false);
        }
        let no = self.group.free_number();
        self.group.put_consumer(no, name, now_ms, None);
        self.note(Element::Consumer(self.group.number, no));
        (no, true)
    }

    /// Notes that a consumer has asked for something, and whether it got something.
    pub fn touch(&mut self, no: ConsumerNo, now_ms: i64, is_active: bool) {
        self.set_times(no, now_ms, is_active.then_some(now_ms));
    }

    /// Sets when a consumer was seen, and when it was active, if that is known.
    pub fn set_times(&mut self, no: ConsumerNo, seen_ms: i64, active_ms: Option<i64>) {
        if let Some(consumer) = self.group.consumers.get_mut(&no) {
            consumer.seen_ms = seen_ms;
            consumer.active_ms = active_ms.or(consumer.active_ms);
            self.note(Element::Consumer(self.group.number, no));
        }
    }

    /// Deletes a consumer with its pending entries; returns how many these were.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let no = self.group.find(name)?;
        let count = self.group.remove_consumer(no)?;
        self.note(Element::Consumer(self.group.number, no));
        Some(count)
    }

    /// Makes an entry pending, or lets it change hands: it is `nack.consumer`'s then. O(log n).
    pub fn deliver(&mut self, id: Id, nack: Nack) {
        self.sweep_some();
        self.group.set_pending(id, nack);
        self.note(Element::Pending(self.group.number, id));
    }

    /// Takes an entry out of the pending ones; returns whether it was one. O(log n).
    pub fn acknowledge(&mut self, id: Id) -> bool {
        self.sweep_some();
        let was_pending = self.group.remove_pending(id);
        if was_pending {
            self.note(Element::Pending(self.group.number, id));
        }
        was_pending
    }

    /// Lets some of the ids of deleted consumers go; whether there are more.
    pub fn sweep_leaving(&mut self) -> bool {
        self.group.sweep(PER_TURN);
        self.group.is_leaving()
    }

    #[inline]
    fn sweep_some(&mut self) {
        if !self.group.leaving.is_empty() {
            self.group.sweep(PER_CHANGE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn ids_of_deleted_consumers_are_jumped_over() {
        let mut group = Group::new(1, Id::MIN, None);
        let nack = |consumer| Nack { consumer, delivered_ms: 1, deliveries: 1 };
        group.put_consumer(0, b"gone", 1, None);
        (1..8).for_each(|no| group.put_consumer(no, &[no as u8], 1, None));
        let mut kept = Vec::new();
        for ms in 0..100_000_u64 {
            // One in a thousand is somebody's, and two are next to each other.
            let no = if ms % 1000 == 999 || ms == 5000 { (ms / 1000 % 7 + 1) as ConsumerNo } else { 0 };
            group.set_pending(Id::new(ms, 0), nack(no));
            kept.extend((no > 0).then_some(Id::new(ms, 0)));
        }
        assert_eq!(group.remove_consumer(0), Some(100_000 - kept.len()));
        let looks = Cell::new(0);
        for start in [0, 4999, 5000, 50_500, 99_999] {
            looks.set(0);
            let found: Vec<Id> =
                group.walk(Id::new(start, 0), || looks.set(looks.get() + 1)).map(|(id, _)| id).collect();
            let expected: Vec<Id> = kept.iter().copied().filter(|id| *id >= Id::new(start, 0)).collect();
            assert_eq!(found, expected);
            assert!(looks.get() <= (expected.len() + 1) * (RUN_MIN + 1), "{} looks", looks.get());
        }
    }
}
