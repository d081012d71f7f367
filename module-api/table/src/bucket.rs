//! One bucket: a cache line with seven words and a tag for each.
//!
//! ```text
//! word 0, the control word, from its low byte up:
//!   byte 0      meta: bits 0..7 are the marks of slots 1..=7, bit 7 says "chained"
//!   byte 1..=7  tags of slots 1..=7; 0 is an empty slot
//! word 1..=7    the slots
//! ```
//!
//! A slot is numbered by the word it is in, 1..=7, which is also its tag's byte in the control
//! word. Seven tags are compared at once with ordinary integer arithmetic on the control word;
//! it takes as many instructions as SSE2 would, needs no second version for other processors,
//! and leaves the result where the loop over hits wants it.
//!
//! A chained bucket keeps the address of its overflow bucket in word 7, and tag 7 stays 0, so no
//! search can take the address for an element.
//!
//! Invariants: a slot whose tag is 0 has a clear mark; if bit 7 of meta is set, tag 7 is 0.

use std::ptr::NonNull;

/// The slot that gives way to the overflow pointer.
pub(crate) const LAST_SLOT: usize = 7;

const CHAINED: u64 = 0x80;
const MARKS: u64 = 0x7f;
const TAG_LOW_BITS: u64 = 0x0101_0101_0101_0101;
const TAG_HIGH_BITS: u64 = 0x8080_8080_8080_8000;
const BELOW_HIGH_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// The tag that a hash leaves in the bucket: its top byte, moved off the value that means empty.
#[inline]
pub(crate) fn tag(hash: u64) -> u8 {
    ((hash >> 56) as u8).max(1)
}

/// An element with what the bucket knows about it.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) tag: u8,
    pub(crate) mark: bool,
    pub(crate) word: u64,
}

/// Some of a bucket's slots, as the top bit of each one's byte in the control word.
#[derive(Clone, Copy)]
pub(crate) struct Slots(u64);

impl Slots {
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.0.count_ones() as usize
    }
}

impl Iterator for Slots {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        // The mask changes nothing; it shows the compiler that the slot is a valid index.
        let slot = (self.0.trailing_zeros() as usize >> 3) & LAST_SLOT;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

/// A cache line of elements. All zero in word 0 is an empty bucket, whatever the rest holds.
#[repr(C, align(64))]
pub(crate) struct Bucket {
    words: [u64; 8],
}

impl Bucket {
    pub(crate) const EMPTY: Bucket = Bucket { words: [0; 8] };

    #[inline]
    fn control(&self) -> u64 {
        self.words[0]
    }

    /// Slots whose tag is `tag`; exact, so a slot of an empty tag is never among them for a
    /// non-zero `tag`.
    #[inline]
    pub(crate) fn matching(&self, tag: u8) -> Slots {
        let difference = self.control() ^ (u64::from(tag) * TAG_LOW_BITS);
        // A byte's top bit comes out set where the byte has any bit set; nothing carries over
        // into the next byte, unlike in the shorter form that subtracts.
        let different = ((difference & BELOW_HIGH_BITS) + BELOW_HIGH_BITS) | difference;
        Slots(!different & TAG_HIGH_BITS)
    }

    /// Slots that hold an element.
    #[inline]
    pub(crate) fn occupied(&self) -> Slots {
        Slots(!self.vacant().0 & TAG_HIGH_BITS)
    }

    /// Slots with an empty tag. In a chained bucket that includes the last one, which is taken.
    #[inline]
    pub(crate) fn vacant(&self) -> Slots {
        self.matching(0)
    }

    /// Slots whose mark is set.
    #[inline]
    pub(crate) fn marked(&self) -> Slots {
        let marks = self.control() & MARKS;
        // A copy of the seven marks in each 7 bits from bit 15 up: mark i of copy i is at bit
        // 15 + 8i, the top of the byte of slot i + 1.
        let copies = marks.wrapping_mul(0x0408_1020_4081) << 15;
        Slots(copies & TAG_HIGH_BITS)
    }

    #[inline]
    pub(crate) fn word(&self, slot: usize) -> u64 {
        self.words[slot]
    }

    #[inline]
    pub(crate) fn set_word(&mut self, slot: usize, word: u64) {
        self.words[slot] = word;
    }

    #[inline]
    pub(crate) fn mark(&self, slot: usize) -> bool {
        self.control() >> (slot - 1) & 1 != 0
    }

    #[inline]
    pub(crate) fn set_mark(&mut self, slot: usize, mark: bool) {
        let bit = 1 << (slot - 1);
        self.words[0] = self.words[0] & !bit | u64::from(mark) << (slot - 1);
    }

    #[inline]
    pub(crate) fn cell(&self, slot: usize) -> Cell {
        let tag = (self.control() >> (8 * slot)) as u8;
        Cell { tag, mark: self.mark(slot), word: self.word(slot) }
    }

    /// Fills a vacant slot.
    #[inline]
    pub(crate) fn put(&mut self, slot: usize, cell: Cell) {
        self.words[0] |= u64::from(cell.tag) << (8 * slot) | u64::from(cell.mark) << (slot - 1);
        self.words[slot] = cell.word;
    }

    /// Empties a slot.
    #[inline]
    pub(crate) fn vacate(&mut self, slot: usize) {
        self.words[0] &= !(0xff << (8 * slot) | 1 << (slot - 1));
    }

    /// The overflow bucket, if there is one.
    #[inline]
    pub(crate) fn overflow(&self) -> Option<NonNull<Bucket>> {
        if self.control() & CHAINED == 0 {
            return None;
        }
        NonNull::new(std::ptr::with_exposed_provenance_mut(self.words[LAST_SLOT] as usize))
    }

    /// Appends an overflow bucket. The last slot must be vacant.
    #[inline]
    pub(crate) fn chain(&mut self, overflow: NonNull<Bucket>) {
        self.words[0] |= CHAINED;
        self.words[LAST_SLOT] = overflow.as_ptr().expose_provenance() as u64;
    }

    /// Forgets the overflow bucket; the last slot is vacant afterwards.
    #[inline]
    pub(crate) fn unchain(&mut self) {
        self.words[0] &= !CHAINED;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(tag: u8, mark: bool) -> Cell {
        Cell { tag, mark, word: u64::from(tag) << 8 | u64::from(mark) }
    }

    #[test]
    fn a_bucket_fills_exactly_one_cache_line() {
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (64, 64));
    }

    #[test]
    fn tags_match_exactly_whatever_the_neighbours_and_the_meta_byte_hold() {
        for low in [1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff] {
            for high in [1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff] {
                let mut bucket = Bucket::EMPTY;
                bucket.put(2, cell(low, true));
                bucket.put(3, cell(high, false));
                for tag in 0..=255 {
                    let expected: Vec<usize> =
                        (1..=7).filter(|slot| tag == [0, 0, low, high, 0, 0, 0, 0][*slot]).collect();
                    assert_eq!(bucket.matching(tag).collect::<Vec<_>>(), expected);
                }
            }
        }
    }

    #[test]
    fn every_set_of_marks_is_listed_slot_by_slot() {
        for marks in 0..128_u32 {
            let mut bucket = Bucket::EMPTY;
            for slot in 1..=7 {
                bucket.put(slot, cell(200, marks >> (slot - 1) & 1 != 0));
            }
            let expected: Vec<usize> = (1..=7).filter(|s| marks >> (s - 1) & 1 != 0).collect();
            assert_eq!(bucket.marked().collect::<Vec<_>>(), expected);
            assert_eq!(bucket.occupied().len(), 7);
        }
    }

    #[test]
    fn a_vacated_slot_loses_its_mark_and_leaves_the_others_alone() {
        let mut bucket = Bucket::EMPTY;
        for slot in 1..=7 {
            bucket.put(slot, cell(slot as u8, true));
        }
        bucket.vacate(4);
        assert_eq!(bucket.marked().collect::<Vec<_>>(), [1, 2, 3, 5, 6, 7]);
        assert_eq!(bucket.vacant().collect::<Vec<_>>(), [4]);
        assert_eq!(bucket.cell(5).word, cell(5, true).word);
        bucket.set_mark(5, false);
        assert!(!bucket.mark(5) && bucket.mark(6));
    }

    #[test]
    fn an_overflow_pointer_is_never_taken_for_an_element() {
        let mut other = Bucket::EMPTY;
        let mut bucket = Bucket::EMPTY;
        bucket.chain(NonNull::from(&mut other));
        assert!(bucket.occupied().next().is_none());
        assert!((1..=255).all(|tag| bucket.matching(tag).next().is_none()));
        assert_eq!(bucket.overflow(), Some(NonNull::from(&mut other)));
        bucket.unchain();
        assert_eq!(bucket.overflow(), None);
    }
}
