//! The pack: a few dozen entries in one run of bytes.
//!
//! ```text
//!   [ count ][ name ] ...      [ entry ] ... [ entry ][ removed ][ entry ]    room
//!   ^ names of the first entry ^             ^ start: the first that is there
//! ```
//!
//! Entries of one log mostly have the same names, which the pack has once. An entry that is removed
//! between others stays as a mark until half of the pack is such marks; then it is written anew.
//!
//! *Invariants*: a pack that is looked at has an entry; the entry at `start` is there and its id is
//! `first`; the last one is there too; the entries of a pack of more than one have at most
//! [`PACK_BYTES_MAX`].

use super::entry::{self, Entry, Fields, Plan};
use super::varint;
use plinth_module::pack::element;
use plinth_stream_commands::id::Id;
use std::ops::{ControlFlow, RangeInclusive};

/// Most bytes of the entries of a pack of more than one, whatever the parameters say: what is copied
/// when it grows, and walked over when an entry is looked for. Names do not count: else a file of many
/// short entries with long names, which it says once, would take that length for each.
pub(crate) const PACK_BYTES_MAX: usize = 128 << 10;

/// Room for entries to come that is not worth giving back.
const ROOM_BYTES: usize = 64;

/// A pack. See the [module](self).
pub(crate) struct Pack {
    first: Id,
    bytes: Vec<u8>,
    /// Where the first entry begins.
    start: usize,
    /// Bytes of entries that are gone: before `start`, and between others.
    dead_bytes: usize,
    /// Entries that are there.
    live: u32,
    /// Marks of entries that are not.
    removed: u32,
}

/// What [`Pack::remove`] has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Removal {
    /// There was no such entry.
    Absent,
    /// It is gone.
    Done,
    /// It is gone, and was the last one: this is now the last.
    Last(Id),
    /// It was the only one: the pack is to go.
    Only,
}

/// The entries of a pack from its beginning on, removed ones too, with where they begin.
struct Walk<'p> {
    bytes: &'p [u8],
    at: usize,
    id: Id,
    is_first: bool,
}

impl<'p> Iterator for Walk<'p> {
    type Item = (usize, Entry<'p>);

    #[inline]
    fn next(&mut self) -> Option<(usize, Entry<'p>)> {
        let mut entry = entry::read(&self.bytes[self.at..], self.id)?;
        if self.is_first {
            // It may lie behind entries that are gone: its id is the pack's.
            (entry.id, self.is_first) = (self.id, false);
        }
        let at = self.at;
        self.at += entry.len;
        self.id = entry.id;
        Some((at, entry))
    }
}

impl Pack {
    /// A pack of one entry.
    pub(crate) fn new<'t>(id: Id, fields: impl ExactSizeIterator<Item = &'t [u8]> + Clone) -> Pack {
        let count = fields.len() / 2;
        let name_bytes: usize = fields.clone().step_by(2).map(entry::element_bytes_max).sum();
        let mut bytes = Vec::with_capacity(varint::width(count as u64) + name_bytes);
        varint::push(&mut bytes, count as u64);
        let names = bytes.len();
        fields.clone().step_by(2).for_each(|name| element::Encoded::of(name).push(&mut bytes));
        let plan = Plan::new(count, &bytes[names..], fields.clone());
        bytes.reserve_exact(plan.bytes_max);
        let start = bytes.len();
        plan.push(&mut bytes, None, id, fields);
        bytes.shrink_to_fit();
        Pack { first: id, bytes, start, dead_bytes: 0, live: 1, removed: 0 }
    }

    /// Adds an entry behind `last`, the last one.
    #[inline]
    pub(crate) fn append<'t>(
        &mut self,
        plan: &Plan,
        last: Id,
        id: Id,
        fields: impl ExactSizeIterator<Item = &'t [u8]>,
    ) {
        self.reserve(plan.bytes_max);
        plan.push(&mut self.bytes, Some(last), id, fields);
        self.live += 1;
    }

    /// Makes room, by steps of a half.
    fn reserve(&mut self, more: usize) {
        let len = self.bytes.len();
        if self.bytes.capacity() - len < more {
            self.bytes.reserve_exact(more.max((len / 2).min(PACK_BYTES_MAX / 2)).next_multiple_of(16));
        }
    }

    /// Gives back the room for entries to come, of which there will be none.
    pub(crate) fn close(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// How an entry would be written here.
    #[inline]
    pub(crate) fn plan<'t>(&self, fields: impl ExactSizeIterator<Item = &'t [u8]>) -> Plan {
        let (count, names) = self.names();
        Plan::new(count, names, fields)
    }

    /// Id of the first entry.
    #[inline]
    pub(crate) fn first(&self) -> Id {
        self.first
    }

    /// Number of entries.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.live as usize
    }

    /// Bytes that are taken, without the struct.
    #[inline]
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Bytes that are used.
    #[inline]
    pub(crate) fn used_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many names there are, and the bytes that begin with them.
    #[inline]
    fn names(&self) -> (usize, &[u8]) {
        match varint::read(&self.bytes) {
            Some((count, at)) => (count as usize, &self.bytes[at..]),
            None => (0, &[]),
        }
    }

    /// Where the names end.
    pub(crate) fn names_end(&self) -> usize {
        let (count, names) = self.names();
        let mut at = 0;
        for _ in 0..count {
            match element::len(&names[at..]) {
                Some(len) => at += len,
                None => break,
            }
        }
        self.bytes.len() - names.len() + at
    }

    #[inline]
    fn walk(&self) -> Walk<'_> {
        Walk { bytes: &self.bytes, at: self.start, id: self.first, is_first: true }
    }

    /// Id of the last entry, which is found by walking over all.
    pub(crate) fn last(&self) -> Id {
        self.walk().last().map_or(self.first, |(_, entry)| entry.id)
    }

    /// How many entries lie before an id.
    pub(crate) fn count_before(&self, id: Id) -> usize {
        self.walk().take_while(|(_, entry)| entry.id < id).filter(|(_, entry)| !entry.is_removed()).count()
    }

    /// Hands out the entries of a range of ids.
    #[inline]
    pub(crate) fn visit<B>(
        &self,
        ids: &RangeInclusive<Id>,
        visit: &mut impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let (count, names) = self.names();
        for (_, entry) in self.walk() {
            if entry.id > *ids.end() {
                break;
            }
            if entry.id >= *ids.start() && !entry.is_removed() {
                visit(entry.id, entry.fields(count, names))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Hands out the entries of a range of ids, the last one first. `found` is room for where they are.
    pub(crate) fn visit_back<B>(
        &self,
        ids: &RangeInclusive<Id>,
        found: &mut Vec<(Id, usize)>,
        visit: &mut impl FnMut(Id, Fields<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        found.clear();
        let (count, names) = self.names();
        let before_end = self.walk().take_while(|(_, entry)| entry.id <= *ids.end());
        let wanted = before_end.filter(|(_, entry)| entry.id >= *ids.start() && !entry.is_removed());
        found.extend(wanted.map(|(at, entry)| (entry.id, at)));
        for (id, at) in found.drain(..).rev() {
            // The id is known: what is read of it behind any other does not matter.
            if let Some(entry) = entry::read(&self.bytes[at..], id) {
                visit(id, entry.fields(count, names))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, id: Id) -> Removal {
        // End and id of the last entry before that is there, and how many marks have come since.
        let (mut live_end, mut live_id, mut marks) = (self.start, self.first, 0);
        let Some((at, len)) = self
            .walk()
            .find_map(|(at, entry)| {
                if entry.id >= id {
                    return Some((entry.id == id && !entry.is_removed()).then_some((at, entry.len)));
                }
                if entry.is_removed() {
                    marks += 1;
                } else {
                    (live_end, live_id, marks) = (at + entry.len, entry.id, 0);
                }
                None
            })
            .flatten()
        else {
            return Removal::Absent;
        };
        if self.live == 1 {
            return Removal::Only;
        }
        let is_last = at + len == self.bytes.len();
        if is_last {
            self.dead_bytes -= at - live_end;
            self.removed -= marks;
            self.live -= 1;
            self.bytes.truncate(live_end);
        } else if at == self.start {
            self.skip(1);
        } else {
            entry::mark_removed(&mut self.bytes[at..]);
            self.dead_bytes += len;
            self.removed += 1;
            self.live -= 1;
        }
        self.settle();
        if is_last { Removal::Last(live_id) } else { Removal::Done }
    }

    /// Lets the first entries go, fewer than there are: the pack begins behind them.
    fn skip(&mut self, count: usize) {
        let (mut live, mut marks, mut mark_bytes) = (0, 0, 0);
        let next = self.walk().find_map(|(at, entry)| {
            if entry.is_removed() {
                (marks, mark_bytes) = (marks + 1, mark_bytes + entry.len);
            } else if live == count {
                return Some((at, entry.id));
            } else {
                live += 1;
            }
            None
        });
        if let Some((at, id)) = next {
            self.dead_bytes += at - self.start - mark_bytes;
            (self.start, self.first) = (at, id);
            self.live -= live as u32;
            self.removed -= marks;
        }
    }

    /// Takes the first entries off, at least one and fewer than there are, as a pack of their own.
    pub(crate) fn split_front(&mut self, count: usize) -> Pack {
        let names_end = self.names_end();
        let (mut live, mut marks, mut mark_bytes, mut end) = (0, 0, 0, self.start);
        for (at, entry) in self.walk() {
            if entry.is_removed() {
                (marks, mark_bytes) = (marks + 1, mark_bytes + entry.len);
            } else {
                live += 1;
                end = at + entry.len;
            }
            if live == count {
                break;
            }
        }
        let mut bytes = Vec::with_capacity(names_end + end - self.start);
        bytes.extend_from_slice(&self.bytes[..names_end]);
        bytes.extend_from_slice(&self.bytes[self.start..end]);
        let mut front = Pack {
            first: self.first,
            bytes,
            start: names_end,
            dead_bytes: mark_bytes,
            live: live as u32,
            removed: marks,
        };
        front.settle();
        self.skip(count);
        self.settle();
        front
    }

    /// Writes the pack anew if half of it is gone, and gives back room that is more than it uses.
    fn settle(&mut self) {
        if self.dead_bytes > self.bytes.len() / 2 {
            self.rewrite();
        } else if self.bytes.capacity() > 2 * self.bytes.len() + ROOM_BYTES {
            self.bytes.shrink_to_fit();
        }
    }

    fn rewrite(&mut self) {
        let names_end = self.names_end();
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.dead_bytes + ROOM_BYTES);
        bytes.extend_from_slice(&self.bytes[..names_end]);
        let mut before = None;
        for (_, entry) in self.walk().filter(|(_, entry)| !entry.is_removed()) {
            entry::push_again(&mut bytes, before, &entry);
            before = Some(entry.id);
        }
        bytes.shrink_to_fit();
        *self = Pack { bytes, start: names_end, dead_bytes: 0, removed: 0, ..*self };
    }

    /// A copy.
    pub(crate) fn copy(&self) -> Pack {
        Pack { bytes: self.bytes.clone(), ..*self }
    }

    /// The bytes, and where the entries begin.
    #[cfg(test)]
    pub(crate) fn parts(&self) -> (&[u8], usize) {
        (&self.bytes, self.start)
    }

    /// A pack of any bytes, which is to be read only.
    #[cfg(test)]
    pub(crate) fn of_any(first: Id, bytes: Vec<u8>, start: usize) -> Pack {
        Pack { first, bytes, start, dead_bytes: 0, live: 1, removed: 0 }
    }

    /// Panics unless the invariants hold.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let names_end = self.names_end();
        let (mut live, mut removed, mut dead, mut end) = (0, 0, self.start - names_end, self.start);
        let mut last: Option<Entry<'_>> = None;
        for (at, entry) in self.walk() {
            assert!(last.is_none_or(|last| last.id < entry.id), "ids rise");
            assert!(last.is_some() || !entry.is_removed(), "the first is there");
            end = at + entry.len;
            if entry.is_removed() {
                (removed, dead) = (removed + 1, dead + entry.len);
            } else {
                live += 1;
                let (count, names) = self.names();
                let fields = entry.fields(count, names);
                assert_eq!(fields.len(), fields.count(), "fields are whole");
            }
            last = Some(entry);
        }
        assert_eq!(end, self.bytes.len());
        assert!(last.is_some_and(|last| !last.is_removed()), "the last is there");
        assert_eq!((live, removed, dead), (self.live, self.removed, self.dead_bytes));
        assert!(dead <= self.bytes.len() / 2, "{dead} of {} are gone", self.bytes.len());
    }
}
