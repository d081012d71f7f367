//! The leaf: up to 62 addresses of elements in their order, in 512 bytes.
//!
//! ```text
//!   [ base ][ len, shift ][ slot ] × 62
//!
//!   slot   63 .... 48 | 47 .................. 0
//!          rough key  | address of the blob
//! ```
//!
//! Comparing with an element means reading its blob, which is a cache miss. Addresses need 48 bits,
//! so a slot has 16 to spare for a *rough key*: how far the element's key lies above the leaf's
//! `base`, shifted right so that the leaf's last element fits, at most 65,535. It never decreases
//! along the leaf, and if two differ then so do the keys, in the same direction; so a search reads
//! only blobs of the same rough key as what is sought: mostly one, where scores differ.
//!
//! *Invariants*: slots are in order; every rough key is that of its element under the present `base`
//! and `shift`, which change only when all slots are written again ([`Leaf::fit`]): elements beyond
//! either end that come later are given the least or the greatest rough key, which keeps the order.

use super::blob::{ADDRESS_BITS, Blob};
use super::order::{Goal, key_of};
use std::ops::Range;

/// Elements in a leaf.
pub(crate) const LEAF_SLOTS: usize = 62;
/// Blobs that a visit asks for before it comes to them.
const AHEAD: usize = 8;

/// A leaf. See the [module](self).
pub(crate) struct Leaf {
    base: u64,
    len: u32,
    shift: u32,
    slots: [u64; LEAF_SLOTS],
}

const _: () = assert!(size_of::<Leaf>() == 512);

impl Leaf {
    /// A leaf without elements.
    pub(crate) fn new() -> Leaf {
        Leaf { base: 0, len: 0, shift: u64::BITS - u16::BITS, slots: [0; LEAF_SLOTS] }
    }

    /// Number of elements.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// The element at a position.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Blob {
        // SAFETY: a slot below `len` holds the bits of a blob, which the store frees only after it
        // has taken it out of here.
        unsafe { Blob::from_bits(self.slots[..self.len()][at]) }
    }

    /// The key above `base` in 16 bits.
    #[inline]
    fn rough(&self, key: u64) -> u64 {
        (key.saturating_sub(self.base) >> self.shift).min(u64::from(u16::MAX))
    }

    /// Positions of elements whose rough key is that of `key`.
    #[inline]
    fn like(&self, key: u64) -> Range<usize> {
        let rough = self.rough(key);
        let slots = &self.slots[..self.len()];
        let start = slots.partition_point(|slot| slot >> ADDRESS_BITS < rough);
        let behind = slots[start..].iter().take(4).take_while(|slot| *slot >> ADDRESS_BITS == rough).count();
        let more =
            if behind < 4 { 0 } else { slots[start + 4..].partition_point(|slot| slot >> ADDRESS_BITS <= rough) };
        start..start + behind + more
    }

    /// How many elements lie before a place.
    #[inline]
    pub(crate) fn count_before(&self, goal: &Goal<'_>) -> usize {
        let (mut low, mut high) = match goal.key() {
            Some(key) => {
                let like = self.like(key);
                (like.start, like.end)
            }
            None => (0, self.len()),
        };
        while low < high {
            let middle = usize::midpoint(low, high);
            let blob = self.get(middle);
            if goal.is_behind(key_of(blob.score()), || blob.member()) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Where an element of this key is; `None` if it is not here.
    #[inline]
    pub(crate) fn position(&self, key: u64, blob: Blob) -> Option<usize> {
        let like = self.like(key);
        let start = like.start;
        let address = |slot: &u64| slot & ((1 << ADDRESS_BITS) - 1);
        self.slots[like].iter().position(|slot| address(slot) == blob.bits()).map(|at| start + at)
    }

    /// Puts an element at a position.
    ///
    /// # Panics
    /// When the leaf is full.
    pub(crate) fn insert(&mut self, at: usize, key: u64, blob: Blob) {
        let len = self.len();
        self.slots.copy_within(at..len, at + 1);
        self.slots[at] = blob.bits() | self.rough(key) << ADDRESS_BITS;
        self.len += 1;
        if self.len.is_power_of_two() {
            self.fit();
        }
    }

    /// Takes the element at a position out.
    pub(crate) fn remove(&mut self, at: usize) -> Blob {
        let blob = self.get(at);
        let len = self.len();
        self.slots.copy_within(at + 1..len, at);
        self.len -= 1;
        blob
    }

    /// Moves the elements from `at` on to the beginning of `to`.
    pub(crate) fn move_tail(&mut self, at: usize, to: &mut Leaf) {
        let (count, len) = (self.len() - at, to.len());
        to.slots.copy_within(..len, count);
        to.slots[..count].copy_from_slice(&self.slots[at..at + count]);
        self.len = at as u32;
        to.len += count as u32;
        self.fit();
        to.fit();
    }

    /// Moves the first `count` elements to the end of `to`.
    pub(crate) fn move_head(&mut self, count: usize, to: &mut Leaf) {
        let (len, room) = (self.len(), to.len());
        to.slots[room..room + count].copy_from_slice(&self.slots[..count]);
        self.slots.copy_within(count..len, 0);
        self.len -= count as u32;
        to.len += count as u32;
        self.fit();
        to.fit();
    }

    /// Chooses `base` and `shift` for the elements that are here. The blobs are independent of each
    /// other, so their cache misses overlap.
    fn fit(&mut self) {
        let len = self.len();
        let Some(last) = len.checked_sub(1) else { return };
        self.base = key_of(self.get(0).score());
        let span = key_of(self.get(last).score()) - self.base;
        self.shift = (u64::BITS - span.leading_zeros()).saturating_sub(u16::BITS);
        for at in 0..len {
            let blob = self.get(at);
            self.slots[at] = blob.bits() | self.rough(key_of(blob.score())) << ADDRESS_BITS;
        }
    }

    /// Visits the elements of a range of positions, forwards or backwards.
    pub(crate) fn visit(&self, range: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        let count = range.len();
        let at = |step: usize| if reverse { range.end - 1 - step } else { range.start + step };
        (0..count.min(AHEAD)).for_each(|step| self.get(at(step)).prefetch());
        for step in 0..count {
            if step + AHEAD < count {
                self.get(at(step + AHEAD)).prefetch();
            }
            let blob = self.get(at(step));
            visit(blob.member(), blob.score());
        }
    }

    /// Panics unless the invariants hold.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let pairs: Vec<_> = (0..self.len()).map(|at| (self.get(at), self.slots[at] >> ADDRESS_BITS)).collect();
        for (blob, rough) in &pairs {
            assert_eq!(*rough, self.rough(key_of(blob.score())));
        }
        for pair in pairs.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|(blob, rough)| (rough, key_of(blob.score()), blob.member().to_vec()));
            assert!(a.0 <= b.0 && (a.1, a.2) < (b.1, b.2), "out of order");
        }
    }
}
