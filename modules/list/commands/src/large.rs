//! The large form: a storage, with what the commands keep beside it.
//!
//! All changes of a storage pass through here, so that there is one place which sees every element
//! that comes or goes. It keeps the size that the list would have as a listpack, on which hangs
//! what OBJECT ENCODING answers; and it notes each edit while the list is converted to another
//! module's storage, a slice at a time ([`ConvertSequence`]).
//!
//! Invariant: `listpack_bytes` is known while the list shows itself as `listpack`; otherwise it is
//! known only from when a list has become so short that it may be one again.

use crate::limit::{self, Limit, text_len};
use crate::small;
use crate::storage::{End, Storage, Value};
use plinth_module::convert::sequence::{ConvertSequence, Edits};
use plinth_module::pack::Digits;
use plinth_module::pack::listpack::{EMPTY_BYTES, element_bytes};
use plinth_module::prelude::{Error, Result};
use std::ops::ControlFlow;

/// A long list. See the [module](self).
pub struct Large<S> {
    store: S,
    is_quicklist: bool,
    listpack_bytes: Option<usize>,
    edits: Edits,
    /// Elements that are the list's no more, and are dropped when this value is.
    waste: Vec<S>,
}

impl<S: Storage> Large<S> {
    /// A list of these elements, which shows itself as `quicklist` or as `listpack`.
    pub fn of<'v>(elements: impl Iterator<Item = Value<'v>>, is_quicklist: bool) -> Large<S> {
        let mut store = S::new(limit::layout());
        let mut digits = plinth_module::pack::Digits::new();
        elements.for_each(|value| store.push(End::Back, value.text(&mut digits)));
        Large::with(store, is_quicklist)
    }

    /// A list of what a storage holds.
    pub fn with(store: S, is_quicklist: bool) -> Large<S> {
        let mut large = Large { store, is_quicklist, listpack_bytes: None, edits: Edits::NEW, waste: Vec::new() };
        large.measure_listpack();
        large
    }

    /// The storage, to be read.
    #[inline]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Whether OBJECT ENCODING answers `quicklist`.
    pub fn is_quicklist(&self) -> bool {
        self.is_quicklist
    }

    /// A copy, if the storage makes one.
    pub fn copy(&self) -> Option<Large<S>> {
        let (store, listpack_bytes) = (self.store.copy()?, self.listpack_bytes);
        Some(Large { store, is_quicklist: self.is_quicklist, listpack_bytes, edits: Edits::NEW, waste: Vec::new() })
    }

    /// Learns the size as a listpack if the list shows itself as one.
    fn measure_listpack(&mut self) {
        if !self.is_quicklist {
            self.measure();
        }
    }

    /// Learns the size as a listpack by looking at each element.
    fn measure(&mut self) -> usize {
        let mut bytes = EMPTY_BYTES;
        let _ = self.store.visit(0, |value| {
            bytes += element_bytes(value);
            ControlFlow::<()>::Continue(())
        });
        self.listpack_bytes = Some(bytes);
        bytes
    }

    /// Says that elements of `texts` bytes, `count` of them, are about to come.
    #[inline]
    pub fn expect(&mut self, texts: usize, count: usize) {
        if !self.is_quicklist {
            let bytes = self.listpack_bytes.unwrap_or(0) + texts;
            self.is_quicklist = Limit::now().is_exceeded(bytes, self.store.len() + count);
            if self.is_quicklist {
                self.listpack_bytes = None;
            }
        }
    }

    #[inline]
    fn came(&mut self, text: &[u8]) {
        if let Some(bytes) = &mut self.listpack_bytes {
            *bytes += text_len(text);
        }
    }

    /// Adds an element at one end.
    #[inline]
    pub fn push(&mut self, end: End, text: &[u8]) {
        if self.edits.is_on() {
            return self.push_noted(end, text);
        }
        self.came(text);
        self.store.push(end, text);
    }

    #[cold]
    #[inline(never)]
    fn push_noted(&mut self, end: End, text: &[u8]) {
        let at = if end == End::Front { 0 } else { self.store.len() };
        self.edits.note_insert(at, text);
        self.came(text);
        self.store.push(end, text);
    }

    /// Puts an element before number `at`, or behind all. Returns whether the list is long enough.
    pub fn insert(&mut self, at: usize, text: &[u8]) -> bool {
        let is_there = self.store.insert(at, text);
        if is_there {
            self.edits.note_insert(at, text);
            self.came(text);
        }
        is_there
    }

    /// Takes the element at one end away, after `take` has seen it.
    #[inline]
    pub fn pop<R>(&mut self, end: End, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        if self.edits.is_on() {
            self.note_pop(end);
        }
        let Some(bytes) = &mut self.listpack_bytes else { return self.store.pop(end, take) };
        self.store.pop(end, |value| {
            *bytes = bytes.saturating_sub(element_bytes(value));
            take(value)
        })
    }

    #[cold]
    #[inline(never)]
    fn note_pop(&mut self, end: End) {
        let at = if end == End::Front { 0 } else { self.store.len().saturating_sub(1) };
        self.edits.note_remove(at, 1);
    }

    /// Replaces element number `at`. Returns whether there is one.
    pub fn set(&mut self, at: usize, text: &[u8]) -> bool {
        if let Some(bytes) = self.listpack_bytes {
            let Some(old) = self.store.get(at, element_bytes) else { return false };
            self.listpack_bytes = Some(bytes.saturating_sub(old) + text_len(text));
        }
        let is_there = self.store.set(at, text);
        if is_there {
            self.edits.note_set(at, text);
        }
        is_there
    }

    /// Takes element number `at` away, if it is there.
    fn remove(&mut self, at: usize) {
        if let Some(bytes) = &mut self.listpack_bytes {
            *bytes = bytes.saturating_sub(self.store.get(at, element_bytes).unwrap_or(0));
        }
        if self.store.remove(at) {
            self.edits.note_remove(at, 1);
        }
    }

    /// Removes elements that equal `text`, at most `max` of them, beginning at one end. Returns how
    /// many.
    pub fn remove_equal(&mut self, text: &[u8], max: usize, from: End) -> usize {
        if self.edits.is_on() {
            self.note_equal(text, max, from);
        }
        let removed = self.store.remove_equal(text, max, from);
        if let Some(bytes) = &mut self.listpack_bytes {
            *bytes = bytes.saturating_sub(removed * text_len(text));
        }
        removed
    }

    /// Notes what [`remove_equal`](Large::remove_equal) is about to remove.
    #[cold]
    fn note_equal(&mut self, text: &[u8], max: usize, from: End) {
        let (mut found, mut left, mut digits) = (Vec::new(), max, Digits::new());
        let mut at = if from == End::Front { 0 } else { self.store.len() };
        let (frontier, is_front) = (self.edits.frontier(), from == End::Front);
        let visit = |value: Value<'_>| {
            at -= usize::from(!is_front);
            if left == 0 || is_front && at >= frontier {
                return ControlFlow::Break(());
            }
            if value.text(&mut digits) == text {
                left -= 1;
                found.push(at);
            }
            at += usize::from(is_front);
            ControlFlow::Continue(())
        };
        let _ = if is_front { self.store.visit(0, visit) } else { self.store.visit_back(usize::MAX, visit) };
        // The last first: what goes does not change the places of those before.
        if is_front {
            found.reverse();
        }
        found.into_iter().for_each(|at| self.edits.note_remove(at, 1));
    }

    /// The list of the elements from number `start` on, `count` of them. What else there was stays
    /// with this value, which is to be dropped.
    pub fn keep(&mut self, start: usize, count: usize) -> Large<S> {
        Large::with(self.cut(start, count), self.is_quicklist)
    }

    /// Keeps the elements from number `start` on, `count` of them. What else there was stays with
    /// this value until that is dropped.
    pub fn keep_here(&mut self, start: usize, count: usize) {
        let behind = self.store.len().saturating_sub(start + count);
        self.edits.note_remove(start + count, behind);
        self.edits.note_remove(0, start);
        let kept = self.cut(start, count);
        let left = std::mem::replace(&mut self.store, kept);
        self.discard(left);
        self.listpack_bytes = None;
        self.measure_listpack();
    }

    /// The elements from number `start` on, `count` of them, which go from this value; those behind
    /// them become its waste.
    fn cut(&mut self, start: usize, count: usize) -> S {
        let mut kept = self.store.split_off(start);
        self.discard(kept.split_off(count));
        kept
    }

    fn discard(&mut self, store: S) {
        if !store.is_empty() {
            self.waste.push(store);
        }
    }

    /// Whether the list is being converted, and so must stay this value.
    pub fn is_exported(&self) -> bool {
        self.edits.is_on()
    }

    /// Whether another value should take this one's place, so that its waste is freed.
    pub fn is_to_go(&self) -> bool {
        !self.waste.is_empty() && !self.is_exported()
    }

    /// Bytes that the value takes.
    pub fn memory(&self) -> usize {
        let bytes = self.store.memory() + size_of::<Large<S>>() - size_of::<S>();
        // Every change of a list is followed by this question.
        if self.edits.is_on() || !self.waste.is_empty() { bytes + self.memory_of_conversion() } else { bytes }
    }

    #[cold]
    #[inline(never)]
    fn memory_of_conversion(&self) -> usize {
        self.edits.memory() + self.waste.iter().map(S::memory).sum::<usize>()
    }

    /// Number of allocations that dropping the value frees, about.
    pub fn free_effort(&self) -> usize {
        self.store.free_effort() + self.waste.iter().map(S::free_effort).sum::<usize>()
    }

    /// After a removal: shows itself as `listpack` again when it has become short enough. Returns
    /// whether it has become so short that it should be small again.
    pub fn shrink(&mut self) -> bool {
        let (limit, count) = (Limit::now(), self.store.len());
        if self.is_quicklist && count <= limit.half_count_max() {
            let bytes = self.listpack_bytes.unwrap_or_else(|| self.measure());
            self.is_quicklist = !limit.is_half_met(bytes, count);
        }
        if self.is_quicklist && count > limit.half_count_max() * 2 {
            self.listpack_bytes = None;
        }
        count <= small::COUNT_AGAIN && self.is_short()
    }

    /// Whether the elements fit the small form with room to spare.
    fn is_short(&self) -> bool {
        let mut room = small::BYTES_AGAIN;
        let end = self.store.visit(0, |value| match room.checked_sub(element_bytes(value)) {
            Some(left) => {
                room = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        });
        end.is_continue()
    }
}

impl<S: Storage> ConvertSequence for Large<S> {
    fn edits(&mut self) -> &mut Edits {
        &mut self.edits
    }

    fn count(&self) -> usize {
        self.store.len()
    }

    fn export_some(&self, from: usize, count: usize, give: &mut dyn FnMut(&[u8]) -> Result) -> Result {
        let (mut left, mut digits) = (count, Digits::new());
        let end = self.store.visit(from, |value| {
            if left == 0 {
                return ControlFlow::Break(Ok(()));
            }
            left -= 1;
            match give(value.text(&mut digits)) {
                Ok(()) => ControlFlow::Continue(()),
                failed => ControlFlow::Break(failed),
            }
        });
        end.break_value().unwrap_or(Ok(()))
    }

    fn import_new() -> Self {
        Large::with(S::new(limit::layout()), false)
    }

    fn import_insert(&mut self, at: usize, element: &[u8]) -> Result {
        check_import(element)?;
        self.expect(element.len(), 1);
        if at == self.store.len() {
            self.push(End::Back, element);
        } else {
            self.insert(at, element);
        }
        Ok(())
    }

    fn import_set(&mut self, at: usize, element: &[u8]) -> Result {
        check_import(element)?;
        self.expect(element.len(), 1);
        self.set(at, element);
        Ok(())
    }

    fn import_remove(&mut self, at: usize, count: usize) -> Result {
        for _ in 0..count {
            if at == 0 {
                self.pop(End::Front, |_| ());
            } else if at + 1 == self.store.len() {
                self.pop(End::Back, |_| ());
            } else {
                self.remove(at);
            }
        }
        Ok(())
    }

    fn import_finish(&mut self) -> Result<u32> {
        // Whether it is short enough for the small form is asked again when an element goes.
        self.shrink();
        Ok(crate::codec::BOXED)
    }
}

/// Whether an element is of a length that can be kept.
fn check_import(element: &[u8]) -> Result {
    if element.len() <= crate::codec::ELEMENT_MAX { Ok(()) } else { Err(Error::BadData) }
}
