//! Converting large sequences, whose elements have no names but their places.
//!
//! ```text
//!   old value   [ handed out .......... | not yet ............ ]
//!                                       ^ frontier
//!   an edit here goes to the log ^        ^ and here nowhere: it is handed out with the rest
//!   new value   [ the part that was handed out, as the log has left it so far ]
//! ```
//!
//! Elements are handed out from the first on, to be put behind those that the new value has. An edit
//! before the frontier is noted, in order, with its position at that time, and moves the frontier; one
//! behind it is not. When the log has been handed out too, the new value is what the old one is before
//! its frontier, and when that is the end the two are equal. An element that is inserted at the frontier
//! is noted: so nothing else needs to know whether all have been handed out.
//!
//! A type whose boxed values are sequences implements [`ConvertSequence`] for what is in the box, tells
//! its [`Edits`] of each edit, and says
//! `const CONVERT: Option<Conversion<Self::Boxed>> = Some(Conversion::of_sequence());`
//!
//! ```
//! use plinth_module::convert::sequence::{ConvertSequence, Edits};
//! use plinth_module::prelude::*;
//!
//! #[derive(Default)]
//! struct Queue { elements: Vec<Vec<u8>>, edits: Edits }
//!
//! impl Queue {
//!     fn push(&mut self, element: &[u8]) {
//!         self.edits.note_insert(self.elements.len(), element);
//!         self.elements.push(element.to_vec());
//!     }
//!
//!     fn take(&mut self, count: usize) {
//!         self.edits.note_remove(0, count.min(self.elements.len()));
//!         self.elements.drain(..count.min(self.elements.len()));
//!     }
//! }
//!
//! impl ConvertSequence for Queue {
//!     fn edits(&mut self) -> &mut Edits { &mut self.edits }
//!     fn count(&self) -> usize { self.elements.len() }
//!
//!     fn export_some(&self, from: usize, count: usize, give: &mut dyn FnMut(&[u8]) -> Result) -> Result {
//!         self.elements[from..].iter().take(count).try_for_each(|element| give(element))
//!     }
//!
//!     fn import_new() -> Self { Queue::default() }
//!     fn import_insert(&mut self, at: usize, element: &[u8]) -> Result {
//!         self.elements.insert(at, element.to_vec());
//!         Ok(())
//!     }
//!     fn import_set(&mut self, at: usize, element: &[u8]) -> Result {
//!         self.elements[at] = element.to_vec();
//!         Ok(())
//!     }
//!     fn import_remove(&mut self, at: usize, count: usize) -> Result {
//!         self.elements.drain(at..at + count);
//!         Ok(())
//!     }
//! }
//! # let mut queue = Queue::default();
//! # queue.push(b"a");
//! # queue.take(1);
//! # let _ = plinth_module::convert::Conversion::<Queue>::of_sequence();
//! ```

use super::{Conversion, Converter, Functions, Visit};
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::marker::PhantomData;

#[cfg(test)]
mod tests;

/// A boxed value that is a sequence, and can be handed out and taken in a few elements at a time.
pub trait ConvertSequence: Sized + Send + 'static {
    /// The log that every edit is noted in.
    fn edits(&mut self) -> &mut Edits;

    /// Number of elements, in constant time.
    fn count(&self) -> usize;

    /// Hands about `count` elements from number `from` on to `give`, in order; at least one, if there is
    /// one. Fails as `give`.
    fn export_some(&self, from: usize, count: usize, give: &mut dyn FnMut(&[u8]) -> Result) -> Result;

    /// A value without elements.
    fn import_new() -> Self;

    /// Puts an element before number `at`, or behind all when that is how many there are. Fails with
    /// `BadData` for what can be no element.
    fn import_insert(&mut self, at: usize, element: &[u8]) -> Result;

    /// Replaces element number `at`, which is there. Fails as [`import_insert`](Self::import_insert).
    fn import_set(&mut self, at: usize, element: &[u8]) -> Result;

    /// Takes `count` elements away from number `at` on, which are there: no more than a slice of them.
    fn import_remove(&mut self, at: usize, count: usize) -> Result;

    /// The value is complete; the tag that goes beside it. Takes no longer than a command.
    fn import_finish(&mut self) -> Result<u32> {
        Ok(0)
    }
}

/// Edits of a sequence that are still to be made in its copy. It notes nothing until the host asks for
/// it, and then costs one comparison per edit.
///
/// Positions are those at the time of the edit, and nothing may be changed that is not noted.
#[derive(Debug, Default)]
pub struct Edits {
    log: Option<Box<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    /// How many elements, from the first on, have been handed out and are not gone.
    frontier: usize,
    queue: VecDeque<Edit>,
    /// Bytes behind the queue.
    value_bytes: usize,
    /// Whether there were so many edits that the export is to fail.
    is_lost: bool,
}

/// So many edits may always wait. Beyond twice as many as there are elements it is less work to convert
/// the value whole, and those who make them are faster than the copy is.
const EDITS_MAX: usize = 1 << 17;

/// One edit.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Edit {
    /// An element comes at a position, and takes the place of the one there if it is a replacement.
    Put { at: usize, is_replacement: bool, value: Box<[u8]> },
    /// Elements go.
    Remove { at: usize, count: usize },
}

/// Bytes that an allocation takes beside what is asked for, about.
const ALLOCATION_BYTES: usize = 8;

impl Edits {
    /// A log that notes nothing yet.
    pub const NEW: Edits = Edits { log: None };

    /// Whether edits are noted.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.log.is_some()
    }

    /// How many elements from the first on edits are noted for. For those who have to search what
    /// they note.
    pub fn frontier(&self) -> usize {
        self.log.as_ref().map_or(0, |log| log.frontier)
    }

    /// Notes that an element comes before number `at`, or behind all.
    #[inline]
    pub fn note_insert(&mut self, at: usize, value: &[u8]) {
        if let Some(log) = &mut self.log
            && at <= log.frontier
        {
            log.frontier += 1;
            log.put(at, false, value);
        }
    }

    /// Notes that element number `at` is replaced.
    #[inline]
    pub fn note_set(&mut self, at: usize, value: &[u8]) {
        if let Some(log) = &mut self.log
            && at < log.frontier
        {
            log.put(at, true, value);
        }
    }

    /// Notes that `count` elements go, from number `at` on.
    #[inline]
    pub fn note_remove(&mut self, at: usize, count: usize) {
        if let Some(log) = &mut self.log
            && at < log.frontier
        {
            log.remove(at, count.min(log.frontier - at));
        }
    }

    /// Bytes that it takes, in constant time.
    pub fn memory(&self) -> usize {
        let of = |log: &Log| size_of::<Log>() + log.queue.capacity() * size_of::<Edit>() + log.value_bytes;
        self.log.as_deref().map_or(0, of)
    }

    fn begin(&mut self) {
        self.log = Some(Box::default());
    }

    fn end(&mut self) {
        self.log = None;
    }

    /// So many more elements were handed out.
    fn advance(&mut self, count: usize) {
        if let Some(log) = &mut self.log {
            log.frontier += count;
        }
    }

    /// The next edit, or a part of it that is about at most `most` elements.
    fn take_some(&mut self, most: usize) -> Option<Edit> {
        self.log.as_mut()?.take_some(most)
    }

    fn len(&self) -> usize {
        self.log.as_ref().map_or(0, |log| log.queue.len())
    }

    fn is_lost(&self) -> bool {
        self.log.as_ref().is_some_and(|log| log.is_lost)
    }
}

impl Log {
    #[cold]
    fn put(&mut self, at: usize, is_replacement: bool, value: &[u8]) {
        self.value_bytes += value.len() + ALLOCATION_BYTES;
        self.push(Edit::Put { at, is_replacement, value: value.into() });
    }

    fn push(&mut self, edit: Edit) {
        self.is_lost |= self.queue.len() >= EDITS_MAX.max(self.frontier.saturating_mul(2));
        if self.is_lost {
            (self.queue, self.value_bytes) = (VecDeque::new(), 0);
        } else {
            self.queue.push_back(edit);
        }
    }

    /// Elements that go one after the other from the same place, or each from before the last, are one
    /// edit.
    #[cold]
    fn remove(&mut self, at: usize, count: usize) {
        self.frontier -= count;
        match self.queue.back_mut() {
            Some(Edit::Remove { at: last, count: so_far }) if *last == at || *last == at + count => {
                *last = at;
                *so_far += count;
            }
            _ if count > 0 => self.push(Edit::Remove { at, count }),
            _ => {}
        }
    }

    fn take_some(&mut self, most: usize) -> Option<Edit> {
        if let Some(Edit::Remove { at, count }) = self.queue.front_mut()
            && *count > most
        {
            *count -= most;
            // From behind, but for what is at the front: so elements at either end go from that end.
            let at = if *at == 0 { 0 } else { *at + *count };
            return Some(Edit::Remove { at, count: most });
        }
        let edit = self.queue.pop_front()?;
        if let Edit::Put { value, .. } = &edit {
            self.value_bytes -= value.len() + ALLOCATION_BYTES;
        }
        Some(edit)
    }
}

/// Bytes of a place: a position, and how many elements from there on, each a `u64`.
const PLACE_BYTES: usize = 16;
/// The position behind all elements.
const END: u64 = u64::MAX;

/// A place as it goes to the host.
fn encode(at: u64, count: usize) -> [u8; PLACE_BYTES] {
    let mut place = [0; PLACE_BYTES];
    place[..8].copy_from_slice(&at.to_le_bytes());
    place[8..].copy_from_slice(&(count as u64).to_le_bytes());
    place
}

/// Position and count of a place in a sequence of `len` elements. Fails with `BadData` when it is none.
fn decode(place: &[u8], len: usize) -> Result<(usize, usize)> {
    let place: &[u8; PLACE_BYTES] = place.try_into().map_err(|_| Error::BadData)?;
    let half = |at: usize| place[at..].first_chunk().map_or(0, |half| u64::from_le_bytes(*half));
    let at = if half(0) == END { len } else { usize::try_from(half(0)).map_err(|_| Error::BadData)? };
    let count = usize::try_from(half(8)).map_err(|_| Error::BadData)?;
    match len.checked_sub(at) {
        Some(behind) if count <= behind => Ok((at, count)),
        _ => Err(Error::BadData),
    }
}

impl Edit {
    fn give(&self, visit: &mut Visit<'_>) -> Result {
        match self {
            Edit::Put { at, is_replacement, value } => {
                visit.put(&encode(*at as u64, usize::from(*is_replacement)), value)
            }
            Edit::Remove { at, count } => visit.remove(&encode(*at as u64, *count)),
        }
    }

    /// How many elements it is about.
    fn count(&self) -> usize {
        match self {
            Edit::Put { .. } => 1,
            Edit::Remove { count, .. } => *count,
        }
    }
}

impl<B: ConvertSequence> Conversion<B> {
    /// For a type's `CONVERT`, of values that are sequences.
    pub const fn of_sequence() -> Conversion<B> {
        Conversion { table: Functions::<Placed<B>>::TABLE, of: PhantomData }
    }
}

/// Elements with places.
struct Placed<B>(PhantomData<B>);

impl<B: ConvertSequence> Converter for Placed<B> {
    type Boxed = B;

    fn begin(boxed: &mut B) {
        boxed.edits().begin();
    }

    fn some(boxed: &mut B, _cursor: u64, budget: usize, visit: &mut Visit<'_>) -> Result<u64> {
        let (from, mut given) = (boxed.edits().frontier(), 0);
        boxed.export_some(from, budget, &mut |element| {
            given += 1;
            visit.put(&encode(END, 0), element)
        })?;
        boxed.edits().advance(given);
        match boxed.count().checked_sub(from + given) {
            Some(0) => Ok(0),
            Some(_) if given > 0 => Ok(1),
            // It has not done what it is there for, and never will.
            _ => Err(Error::Unsupported),
        }
    }

    fn changes(boxed: &mut B, budget: usize, visit: &mut Visit<'_>) -> Result<usize> {
        if boxed.edits().is_lost() {
            return Err(Error::OutOfMemory);
        }
        let mut left = budget;
        while left > 0
            && let Some(edit) = boxed.edits().take_some(left)
        {
            left -= edit.count();
            edit.give(visit)?;
        }
        Ok(boxed.edits().len())
    }

    fn end(boxed: &mut B) {
        boxed.edits().end();
    }

    fn create() -> B {
        B::import_new()
    }

    fn put(boxed: &mut B, element: &[u8], payload: &[u8]) -> Result {
        match decode(element, boxed.count())? {
            (at, 0) => boxed.import_insert(at, payload),
            (at, count) => {
                if count > 1 {
                    boxed.import_remove(at + 1, count - 1)?;
                }
                boxed.import_set(at, payload)
            }
        }
    }

    fn remove(boxed: &mut B, element: &[u8]) -> Result {
        match decode(element, boxed.count())? {
            (_, 0) => Ok(()),
            (at, count) => boxed.import_remove(at, count),
        }
    }

    fn finish(boxed: &mut B) -> Result<u32> {
        boxed.import_finish()
    }
}
