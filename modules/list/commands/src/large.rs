//! The large form: a storage, with what the commands keep beside it.
//!
//! All changes of a storage pass through here, so that there is one place which sees every element
//! that comes or goes: it keeps the size that the list would have as a listpack, on which hangs
//! what OBJECT ENCODING answers.
//!
//! Invariant: `listpack_bytes` is known while the list shows itself as `listpack`; otherwise it is
//! known only from when a list has become so short that it may be one again.

use crate::limit::{self, Limit, text_len};
use crate::small;
use crate::storage::{End, Storage, Value};
use plinth_module::pack::listpack::{EMPTY_BYTES, element_bytes};
use std::ops::ControlFlow;

/// A long list. See the [module](self).
pub struct Large<S> {
    store: S,
    is_quicklist: bool,
    listpack_bytes: Option<usize>,
    /// Elements that are the list's no more, and are dropped when this value is.
    waste: Option<Box<S>>,
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
        let mut large = Large { store, is_quicklist, listpack_bytes: None, waste: None };
        if !is_quicklist {
            large.measure();
        }
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
        let store = self.store.copy()?;
        Some(Large { store, is_quicklist: self.is_quicklist, listpack_bytes: self.listpack_bytes, waste: None })
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
        self.came(text);
        self.store.push(end, text);
    }

    /// Puts an element before number `at`, or behind all. Returns whether the list is long enough.
    pub fn insert(&mut self, at: usize, text: &[u8]) -> bool {
        let is_there = self.store.insert(at, text);
        if is_there {
            self.came(text);
        }
        is_there
    }

    /// Takes the element at one end away, after `take` has seen it.
    #[inline]
    pub fn pop<R>(&mut self, end: End, take: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        let Some(bytes) = &mut self.listpack_bytes else { return self.store.pop(end, take) };
        self.store.pop(end, |value| {
            *bytes = bytes.saturating_sub(element_bytes(value));
            take(value)
        })
    }

    /// Replaces element number `at`. Returns whether there is one.
    pub fn set(&mut self, at: usize, text: &[u8]) -> bool {
        if let Some(bytes) = self.listpack_bytes {
            let Some(old) = self.store.get(at, element_bytes) else { return false };
            self.listpack_bytes = Some(bytes.saturating_sub(old) + text_len(text));
        }
        self.store.set(at, text)
    }

    /// Removes elements that equal `text`, at most `max` of them, beginning at one end. Returns how
    /// many.
    pub fn remove_equal(&mut self, text: &[u8], max: usize, from: End) -> usize {
        let removed = self.store.remove_equal(text, max, from);
        if let Some(bytes) = &mut self.listpack_bytes {
            *bytes = bytes.saturating_sub(removed * text_len(text));
        }
        removed
    }

    /// The list of the elements from number `start` on, `count` of them. What else there was stays
    /// with this value, which is to be dropped.
    pub fn keep(&mut self, start: usize, count: usize) -> Large<S> {
        let mut kept = self.store.split_off(start);
        self.waste = Some(Box::new(kept.split_off(count)));
        Large::with(kept, self.is_quicklist)
    }

    /// Bytes that the value takes.
    pub fn memory(&self) -> usize {
        let beside = size_of::<Large<S>>() - size_of::<S>();
        self.store.memory() + beside + self.waste.as_ref().map_or(0, |waste| waste.memory())
    }

    /// Number of allocations that dropping the value frees, about.
    pub fn free_effort(&self) -> usize {
        self.store.free_effort() + self.waste.as_ref().map_or(0, |waste| waste.free_effort())
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
