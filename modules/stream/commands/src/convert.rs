//! Conversion: a stream handed over to another module's storage, a slice at a time.
//!
//! The elements are those that all types of the name agree on: [`abi::convert`](plinth_module::abi::convert)
//! says what each kind is, and what names it.
//!
//! Entries are handed out in the order of their ids, because that is how a log takes them. So an entry
//! that is added meanwhile is no change: it is handed out with the rest, or, when the rest is done, with
//! all that came behind the last one ([`Element::Tail`], which is never handed out itself).

use crate::id::Id;
use crate::layout;
use crate::nack::Nack;
use crate::storage::{Keep, Storage};
use crate::stream::Stream;
use plinth_module::convert::{Convert, Journal, Visit};
use plinth_module::pack::Digits;
use plinth_module::prelude::{Error, Result};
use std::ops::ControlFlow;

/// What can change in a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element {
    /// Counters and the last id.
    Meta,
    /// An entry.
    Entry(Id),
    /// Where the entries begin.
    Front,
    /// Where they end.
    Tail,
    /// All entries: ids were given once more.
    Reset,
    /// A group.
    Group(u64),
    /// A consumer of a group.
    Consumer(u64, u32),
    /// A pending entry of a group.
    Pending(u64, Id),
}

/// Longest name of an element.
const NAME_MAX: usize = 25;

impl Element {
    fn name(self, room: &mut [u8; NAME_MAX]) -> &[u8] {
        let mut len = 0;
        let mut put = |bytes: &[u8]| {
            room[len..len + bytes.len()].copy_from_slice(bytes);
            len += bytes.len();
        };
        match self {
            Element::Meta => put(b"m"),
            Element::Front => put(b"f"),
            Element::Tail => put(b"t"),
            Element::Reset => put(b"r"),
            Element::Entry(id) => [&b"e"[..], &id.to_bytes()].into_iter().for_each(put),
            Element::Group(group) => [&b"g"[..], &group.to_be_bytes()].into_iter().for_each(put),
            Element::Consumer(group, no) => {
                [&b"c"[..], &group.to_be_bytes(), &no.to_be_bytes()].into_iter().for_each(put);
            }
            Element::Pending(group, id) => {
                [&b"p"[..], &group.to_be_bytes(), &id.to_bytes()].into_iter().for_each(put);
            }
        }
        &room[..len]
    }

    fn read(name: &[u8]) -> Result<Element> {
        let (kind, mut rest) = name.split_first().ok_or(Error::BadData)?;
        let rest = &mut rest;
        let element = match kind {
            b'm' => Element::Meta,
            b'f' if rest.is_empty() => Element::Front,
            b't' => Element::Tail,
            b'r' => Element::Reset,
            b'e' => Element::Entry(id(rest)?),
            b'g' => Element::Group(u64::from_be_bytes(take(rest)?)),
            b'c' => Element::Consumer(u64::from_be_bytes(take(rest)?), u32::from_be_bytes(take(rest)?)),
            b'p' => Element::Pending(u64::from_be_bytes(take(rest)?), id(rest)?),
            _ => return Err(Error::BadData),
        };
        if rest.is_empty() { Ok(element) } else { Err(Error::BadData) }
    }
}

/// Notes a change for a conversion that is going on.
#[inline]
pub(crate) fn note(journal: &mut Journal, element: Element) {
    if journal.is_on() {
        note_it(journal, element);
    }
}

#[cold]
fn note_it(journal: &mut Journal, element: Element) {
    journal.note(element.name(&mut [0; NAME_MAX]));
}

/// How far an export has come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Position {
    /// Entries behind this id are to come, and then the groups.
    Entries(Option<Id>),
    /// Groups from this number on, with the entries up to an id handed out.
    Group(u64, Option<Id>),
    /// Consumers of a group from a number on.
    Consumers(u64, u32, Option<Id>),
    /// Pending entries of a group from an id on.
    Pending(u64, Id, Option<Id>),
}

impl Position {
    pub(crate) fn entries_until(self) -> Option<Id> {
        match self {
            Position::Entries(until) | Position::Group(_, until) => until,
            Position::Consumers(_, _, until) | Position::Pending(_, _, until) => until,
        }
    }
}

fn take<const N: usize>(from: &mut &[u8]) -> Result<[u8; N]> {
    let (bytes, rest) = from.split_first_chunk().ok_or(Error::BadData)?;
    *from = rest;
    Ok(*bytes)
}

fn id(from: &mut &[u8]) -> Result<Id> {
    take(from).map(Id::from_bytes)
}

fn u64_of(from: &mut &[u8]) -> Result<u64> {
    take(from).map(u64::from_le_bytes)
}

fn i64_of(from: &mut &[u8]) -> Result<i64> {
    take(from).map(i64::from_le_bytes)
}

/// Most bytes that room for entries keeps between two of them.
const ROOM_MAX: usize = 64 * 1024;

impl<S: Storage> Stream<S> {
    fn give_entries(&self, behind: Option<Id>, budget: usize, visit: &mut Visit<'_>) -> Result<(Option<Id>, bool)> {
        let Some(start) = behind.map_or(Some(Id::MIN), Id::next) else { return Ok((behind, true)) };
        let (mut left, mut last, mut payload) = (budget.max(1), behind, Vec::new());
        let end = self.log().visit(start..=Id::MAX, |id, fields| {
            if left == 0 {
                return ControlFlow::Break(Ok(()));
            }
            payload.clear();
            payload.shrink_to(ROOM_MAX);
            let mut digits = Digits::new();
            // A field of an entry with many counts, or an entry would be a slice of any length.
            left = left.saturating_sub(fields.len() / 8 + 1);
            for value in fields {
                let text = value.text(&mut digits);
                payload.extend_from_slice(&(text.len() as u32).to_le_bytes());
                payload.extend_from_slice(text);
            }
            last = Some(id);
            match visit.put(Element::Entry(id).name(&mut [0; NAME_MAX]), &payload) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(Err(error)),
            }
        });
        match end {
            ControlFlow::Break(Err(error)) => Err(error),
            ControlFlow::Break(Ok(())) => Ok((last, false)),
            ControlFlow::Continue(()) => Ok((last, true)),
        }
    }

    fn give_meta(&self, visit: &mut Visit<'_>) -> Result {
        let mut payload = [0; 40];
        payload[..16].copy_from_slice(&self.last_id().to_bytes());
        payload[16..32].copy_from_slice(&self.max_deleted().to_bytes());
        payload[32..].copy_from_slice(&self.added().to_le_bytes());
        visit.put(b"m", &payload)
    }

    fn give_group(&self, number: u64, visit: &mut Visit<'_>) -> Result {
        let (mut room, element) = ([0; NAME_MAX], Element::Group(number));
        let Some(group) = self.group_of(number) else { return visit.remove(element.name(&mut room)) };
        let read = group.entries_read().unwrap_or(u64::MAX);
        let payload = [&group.last().to_bytes()[..], &read.to_le_bytes(), group.name()].concat();
        visit.put(element.name(&mut room), &payload)
    }

    fn give_consumer(&self, number: u64, no: u32, visit: &mut Visit<'_>) -> Result {
        let (mut room, element) = ([0; NAME_MAX], Element::Consumer(number, no));
        let consumer = self.group_of(number).and_then(|group| group.consumer(no));
        let Some(consumer) = consumer else { return visit.remove(element.name(&mut room)) };
        let active_ms = consumer.active_ms().unwrap_or(-1);
        let payload = [&consumer.seen_ms().to_le_bytes()[..], &active_ms.to_le_bytes(), consumer.name()].concat();
        visit.put(element.name(&mut room), &payload)
    }

    fn give_pending(&self, number: u64, id: Id, nack: Option<Nack>, visit: &mut Visit<'_>) -> Result {
        let (mut room, element) = ([0; NAME_MAX], Element::Pending(number, id));
        let Some(nack) = nack else { return visit.remove(element.name(&mut room)) };
        let mut payload = [0; 20];
        payload[..4].copy_from_slice(&nack.consumer.to_le_bytes());
        payload[4..12].copy_from_slice(&nack.delivered_ms.to_le_bytes());
        payload[12..].copy_from_slice(&nack.deliveries.to_le_bytes());
        visit.put(element.name(&mut room), &payload)
    }

    /// The next slice from a position; `None` behind the last.
    fn give_some(&self, position: Position, budget: usize, visit: &mut Visit<'_>) -> Result<Option<Position>> {
        match position {
            Position::Entries(behind) => {
                let (until, is_all) = self.give_entries(behind, budget, visit)?;
                Ok(Some(if is_all { Position::Group(0, until) } else { Position::Entries(until) }))
            }
            Position::Group(from, until) => {
                let Some(number) = self.group_numbers_from(from).next() else {
                    self.give_meta(visit)?;
                    return Ok(None);
                };
                self.give_group(number, visit)?;
                Ok(Some(Position::Consumers(number, 0, until)))
            }
            Position::Consumers(number, from, until) => {
                let group = self.group_of(number);
                let mut consumers = group.into_iter().flat_map(|group| group.consumers_from(from));
                for (no, _) in consumers.by_ref().take(budget.max(1)) {
                    self.give_consumer(number, no, visit)?;
                }
                let next = consumers.next().map(|(no, _)| Position::Consumers(number, no, until));
                Ok(Some(next.unwrap_or(Position::Pending(number, Id::MIN, until))))
            }
            Position::Pending(number, from, until) => {
                let group = self.group_of(number);
                let mut pending = group.into_iter().flat_map(|group| group.pending_from(from));
                for (id, nack) in pending.by_ref().take(budget.max(1)) {
                    self.give_pending(number, id, Some(nack), visit)?;
                }
                let next = pending.next().map(|(id, _)| Position::Pending(number, id, until));
                Ok(Some(next.unwrap_or(Position::Group(number.saturating_add(1), until))))
            }
        }
    }

    fn put_entry(&mut self, id: Id, mut payload: &[u8]) -> Result {
        let mut fields: Vec<&[u8]> = Vec::new();
        while !payload.is_empty() {
            let len = u32::from_le_bytes(take(&mut payload)?) as usize;
            let (text, rest) = payload.split_at_checked(len).ok_or(Error::BadData)?;
            fields.push(text);
            payload = rest;
        }
        if fields.is_empty() || !fields.len().is_multiple_of(2) {
            return Err(Error::BadData);
        }
        match self.log().last() {
            // Handed out once more.
            Some(last) if id <= last => Ok(()),
            _ => {
                self.log_mut().append(layout::now(), id, fields.iter().copied());
                Ok(())
            }
        }
    }
}

impl<S: Storage> Convert for Stream<S> {
    fn journal(&mut self) -> &mut Journal {
        self.journal_mut()
    }

    fn export_begin(&mut self) {
        self.position().set(Position::Entries(None));
    }

    fn export_some(&self, cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        let position = if cursor == 0 { Position::Entries(None) } else { self.position().get() };
        let next = self.give_some(position, budget, visit)?;
        // Behind the last group the tail goes on from where the entries ended.
        self.position().set(next.unwrap_or(Position::Group(u64::MAX, position.entries_until())));
        Ok(u64::from(next.is_some()))
    }

    fn export_one(&self, element: &[u8], visit: &mut Visit<'_>) -> Result {
        match Element::read(element)? {
            Element::Meta => self.give_meta(visit),
            Element::Front => match self.log().first() {
                Some(first) => visit.remove(&[&b"f"[..], &first.to_bytes()].concat()),
                None => visit.remove(b"f"),
            },
            Element::Reset => {
                visit.remove(b"f")?;
                let is_over = matches!(self.position().get(), Position::Group(u64::MAX, _));
                let until = if is_over { self.give_entries(None, usize::MAX, visit)?.0 } else { None };
                let next = if is_over { Position::Group(u64::MAX, until) } else { Position::Entries(None) };
                self.position().set(next);
                Ok(())
            }
            Element::Tail => match self.position().get() {
                Position::Entries(_) => Ok(()),
                position => {
                    let (until, _) = self.give_entries(position.entries_until(), usize::MAX, visit)?;
                    self.position().set(match position {
                        Position::Entries(_) => Position::Entries(until),
                        Position::Group(number, _) => Position::Group(number, until),
                        Position::Consumers(number, no, _) => Position::Consumers(number, no, until),
                        Position::Pending(number, id, _) => Position::Pending(number, id, until),
                    });
                    Ok(())
                }
            },
            // What is there is handed out in its turn.
            Element::Entry(id) if self.log().contains(id) => Ok(()),
            Element::Entry(_) => visit.remove(element),
            Element::Group(number) => self.give_group(number, visit),
            Element::Consumer(number, no) => self.give_consumer(number, no, visit),
            Element::Pending(number, id) => {
                let nack = self.group_of(number).and_then(|group| group.pending(id));
                self.give_pending(number, id, nack, visit)
            }
        }
    }

    fn import_new() -> Self {
        Stream::default()
    }

    fn import_put(&mut self, element: &[u8], payload: &[u8]) -> Result {
        let mut rest = payload;
        self.settle();
        match Element::read(element)? {
            Element::Meta => {
                let (last, max_deleted) = (id(&mut rest)?, id(&mut rest)?);
                self.set_counters(last, u64_of(&mut rest)?, max_deleted);
            }
            Element::Entry(id) => return self.put_entry(id, payload),
            Element::Front | Element::Tail | Element::Reset => return Err(Error::BadData),
            Element::Group(number) => {
                let last = id(&mut rest)?;
                let read = Some(u64_of(&mut rest)?).filter(|read| *read != u64::MAX);
                self.import_group(number, Some(rest), |group| group.set_last(last, read));
                return Ok(());
            }
            Element::Consumer(number, no) => {
                let seen_ms = i64_of(&mut rest)?;
                let active_ms = Some(i64_of(&mut rest)?).filter(|active| *active >= 0);
                self.import_group(number, None, |group| group.put_consumer(no, rest, seen_ms, active_ms));
                return Ok(());
            }
            Element::Pending(number, id) => {
                let consumer = u32::from_le_bytes(take(&mut rest)?);
                let nack = Nack { consumer, delivered_ms: i64_of(&mut rest)?, deliveries: u64_of(&mut rest)? };
                self.import_group(number, None, |group| group.put_pending(id, nack));
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(Error::BadData) }
    }

    fn import_remove(&mut self, element: &[u8]) -> Result {
        self.settle();
        if let Some((b'f', mut rest)) = element.split_first().map(|(kind, rest)| (*kind, rest)) {
            let keep = if rest.is_empty() { Keep::Count(0) } else { Keep::From(id(&mut rest)?) };
            if !rest.is_empty() {
                return Err(Error::BadData);
            }
            let gone = self.log_mut().cut(keep, false, 0);
            self.discard(gone);
            return Ok(());
        }
        match Element::read(element)? {
            Element::Entry(id) => _ = self.log_mut().remove(id),
            Element::Group(number) => self.remove_group_of(number),
            Element::Consumer(number, no) => {
                self.if_group(number, |group| _ = group.remove_consumer(no));
            }
            Element::Pending(number, id) => {
                self.if_group(number, |group| _ = group.remove_pending(id));
            }
            Element::Meta | Element::Front | Element::Tail | Element::Reset => return Err(Error::BadData),
        }
        Ok(())
    }
}
