//! A bucket and the blocks it overflows into.
//!
//! ```text
//! head    [ tag ×8 ][ slot ×8, seven bytes each ]     a cache line of the directory
//! block   [ tag ×n ][ slot ×n ]                       8n bytes for n elements, n from 2 to 8
//!
//! tag     mark << 7 | 1..=127 of the hash;  0: an empty slot;  0x80: the link
//! slot    46 bits of the element | 10 bits of its hash
//! link    46 bits of the block's address | 8 - n        the last slot of eight
//! ```
//!
//! A block has exactly as many slots as it holds elements, so what overflows costs eight bytes an
//! element, like what does not. How many there are is told by the link that leads to it.
//!
//! Up to eight tags are compared at once with ordinary integer arithmetic on the first eight bytes;
//! it takes as many instructions as SSE2 would, needs no second version for other processors,
//! and leaves the result where the loop over hits wants it. In a block of fewer slots the upper of
//! the eight bytes belong to slots, and are masked out.
//!
//! A slot is read as the eight bytes that end where it ends: the first of them is the last byte of
//! what lies before it, a tag or another slot, so nothing outside the block is touched.
//!
//! Invariants: only a head has empty slots; only the last slot of eight is a link.

use crate::memory;
use std::ptr::NonNull;

/// Slots of a head, and of the largest block.
pub(crate) const WIDTH: usize = 8;
/// The slot that gives way to a link.
pub(crate) const LAST_SLOT: usize = WIDTH - 1;
/// Bytes of a slot.
const SLOT_BYTES: usize = 7;
/// Bytes of a block for each of its slots: the slot and its tag.
pub(crate) const ELEMENT_BYTES: usize = SLOT_BYTES + 1;

/// The tag byte of a link: a mark without a tag, which no element has.
const LINK: u8 = 0x80;
const ALL_LOW_BITS: u64 = 0x0101_0101_0101_0101;
const ALL_MARKS: u64 = 0x8080_8080_8080_8080;
const ALL_TAGS: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// Bits of a link that are its address, which is a multiple of eight, by four.
const ADDRESS_BITS: u32 = 46;
const ADDRESS_SHIFT: u32 = 2;

/// The tag that a hash leaves in the bucket: its top seven bits, moved off the value that means
/// empty.
#[inline]
pub(crate) fn tag(hash: u64) -> u8 {
    ((hash >> 57) as u8).max(1)
}

/// An element with what the bucket knows about it.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    /// Tag and mark, as they stand in the tag's byte.
    byte: u8,
    /// What is in the slot: 56 bits.
    pub(crate) word: u64,
}

impl Cell {
    #[inline]
    pub(crate) fn new(tag: u8, mark: bool, word: u64) -> Cell {
        Cell { byte: tag | u8::from(mark) << 7, word }
    }

    #[inline]
    pub(crate) fn mark(self) -> bool {
        self.byte >> 7 != 0
    }
}

/// Some of a block's slots, as the top bit of each one's byte among the tags.
#[derive(Clone, Copy)]
pub(crate) struct Slots(u64);

impl Slots {
    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

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
        let slot = self.0.trailing_zeros() as usize >> 3;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

/// A cache line of the directory: a head. All zero is an empty one.
#[repr(C, align(64))]
pub(crate) struct Bucket {
    bytes: [u8; WIDTH * ELEMENT_BYTES],
}

impl Bucket {
    pub(crate) const EMPTY: Bucket = Bucket { bytes: [0; WIDTH * ELEMENT_BYTES] };
}

/// Where a head or a block is, and how many slots it has. Copies name the same slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Block {
    start: NonNull<u8>,
    width: usize,
}

impl Block {
    /// The head.
    ///
    /// # Safety
    ///
    /// While the value, a copy of it or a block that is linked from it is used, the bucket and its
    /// blocks are initialised, and accessed by this thread alone where a method that changes
    /// something is called. A block that was [freed](Block::free) is not used at all.
    #[inline]
    pub(crate) unsafe fn of_head(head: NonNull<Bucket>) -> Block {
        Block { start: head.cast(), width: WIDTH }
    }

    /// A block of a chain that was copied elsewhere, to be read only.
    ///
    /// # Safety
    ///
    /// As for [`of_head`](Block::of_head); the copy is of a block of this width.
    #[inline]
    pub(crate) unsafe fn of_copy(copy: &Bucket, width: usize) -> Block {
        Block { start: NonNull::from(copy).cast(), width }
    }

    /// A block whose slots are yet to be filled, from 2 to 8 of them; their tags are 0.
    #[inline]
    fn allocate(width: usize) -> Block {
        let start = memory::allocate_or_abort(width * ELEMENT_BYTES);
        // SAFETY: fresh memory of sixteen bytes at least, aligned to eight.
        unsafe { start.cast::<u64>().write(0) };
        Block { start, width }
    }

    /// A block of two elements.
    pub(crate) fn of_two(first: Cell, second: Cell) -> Block {
        let block = Block::allocate(2);
        block.put(0, first);
        block.put(1, second);
        block
    }

    /// Another block, with an element more. The old one is freed.
    ///
    /// # Safety
    ///
    /// It is an overflow block of fewer than eight slots, and is not used again.
    pub(crate) unsafe fn lengthened(self, cell: Cell) -> Block {
        let block = self.resized(self.width + 1);
        block.put(self.width, cell);
        // SAFETY: promised by the caller.
        unsafe { self.free() };
        block
    }

    /// Another block, without the last element. The old one is freed.
    ///
    /// # Safety
    ///
    /// It is an overflow block of more than two slots, and is not used again.
    pub(crate) unsafe fn shortened(self) -> Block {
        let block = self.resized(self.width - 1);
        // SAFETY: promised by the caller.
        unsafe { self.free() };
        block
    }

    /// A new block with the elements of this one, as far as they fit.
    #[inline]
    fn resized(self, width: usize) -> Block {
        let resized = Block::allocate(width);
        let count = width.min(self.width);
        resized.set_tags(self.tags() & (u64::MAX >> (8 * (WIDTH - count))));
        // SAFETY: both have so many slots behind their tags, and do not overlap.
        unsafe {
            let (from, to) = (self.start.add(self.width), resized.start.add(width));
            to.copy_from_nonoverlapping(from, count * SLOT_BYTES);
        }
        resized
    }

    /// A copy in the place of a head, for a walk over elements whose place is written meanwhile.
    pub(crate) fn copy_to(self, copy: &mut Bucket) {
        // SAFETY: no block is longer than a head, and a new head is elsewhere.
        unsafe { self.start.copy_to_nonoverlapping(NonNull::from(copy).cast(), self.width * ELEMENT_BYTES) }
    }

    /// # Safety
    ///
    /// It is an overflow block, and is not used again.
    #[inline]
    pub(crate) unsafe fn free(self) {
        // SAFETY: promised by the caller; overflow blocks come from `allocate` with this length.
        unsafe { memory::free(self.start, self.width * ELEMENT_BYTES) }
    }

    /// How many slots it has.
    #[inline]
    pub(crate) fn width(self) -> usize {
        self.width
    }

    /// The address of its first byte, and of its last.
    #[inline]
    pub(crate) fn ends(self) -> [u64; 2] {
        let start = self.start.as_ptr().addr();
        [start as u64, (start + self.width * ELEMENT_BYTES - 1) as u64]
    }

    /// The tags' bytes, from the low end up; above them, bytes of slots.
    #[inline]
    fn tags(self) -> u64 {
        // SAFETY: a block has eight bytes at least, aligned to eight, and is initialised, as who made
        // the value promised.
        u64::from_le(unsafe { self.start.cast::<u64>().read() })
    }

    #[inline]
    fn set_tags(self, tags: u64) {
        // SAFETY: as for `tags`; and nobody else accesses the block.
        unsafe { self.start.cast::<u64>().write(tags.to_le()) }
    }

    /// The top bits of those bytes that are tags.
    #[inline]
    fn own(self) -> u64 {
        ALL_MARKS >> (8 * (WIDTH - self.width))
    }

    /// Slots whose tag is `tag`, which is not 0.
    #[inline]
    pub(crate) fn matching(self, tag: u8) -> Slots {
        let difference = self.tags() ^ (u64::from(tag) * ALL_LOW_BITS);
        // A byte's top bit comes out set where any bit below it is; nothing carries over into the
        // next byte, and marks make no difference.
        Slots(!((difference & ALL_TAGS) + ALL_TAGS) & self.own())
    }

    /// Slots that hold an element.
    #[inline]
    pub(crate) fn occupied(self) -> Slots {
        Slots(((self.tags() & ALL_TAGS) + ALL_TAGS) & self.own())
    }

    /// Empty slots.
    #[inline]
    pub(crate) fn vacant(self) -> Slots {
        let tags = self.tags();
        Slots(!(((tags & ALL_TAGS) + ALL_TAGS) | tags) & self.own())
    }

    /// Slots that hold a marked element.
    #[inline]
    pub(crate) fn marked(self) -> Slots {
        Slots(self.occupied().0 & self.tags())
    }

    /// Where the eight bytes begin that end with a slot.
    #[inline]
    fn place(self, slot: usize) -> NonNull<u8> {
        debug_assert!(slot < self.width);
        // SAFETY: the slot is one of the block's: it comes from `Slots`, which are masked, or is
        // ``LAST_SLOT` of eight, or a number below the width.
        unsafe { self.start.add(self.width - 1 + SLOT_BYTES * slot) }
    }

    /// What is in a slot.
    #[inline]
    pub(crate) fn word(self, slot: usize) -> u64 {
        // SAFETY: the eight bytes are the block's, and initialised.
        u64::from_le(unsafe { self.place(slot).cast::<u64>().read_unaligned() }) >> 8
    }

    /// Fills a slot. As two halves that overlap, so that the byte before it need not be known.
    #[inline]
    pub(crate) fn set_word(self, slot: usize, word: u64) {
        let place = self.place(slot);
        // SAFETY: the seven bytes behind the first are the slot's, and nobody else accesses them.
        unsafe {
            place.add(1).cast::<u32>().write_unaligned((word as u32).to_le());
            place.add(4).cast::<u32>().write_unaligned(((word >> 24) as u32).to_le());
        }
    }

    #[inline]
    pub(crate) fn mark(self, slot: usize) -> bool {
        self.tags() >> (8 * slot + 7) & 1 != 0
    }

    #[inline]
    pub(crate) fn set_mark(self, slot: usize, mark: bool) {
        let place = 8 * slot + 7;
        self.set_tags(self.tags() & !(1 << place) | u64::from(mark) << place);
    }

    #[inline]
    pub(crate) fn cell(self, slot: usize) -> Cell {
        Cell { byte: (self.tags() >> (8 * slot)) as u8, word: self.word(slot) }
    }

    /// Fills a slot, whatever is in it.
    #[inline]
    pub(crate) fn put(self, slot: usize, cell: Cell) {
        self.set_byte(slot, cell.byte);
        self.set_word(slot, cell.word);
    }

    /// Empties a head.
    #[inline]
    pub(crate) fn clear(self) {
        self.set_tags(0);
    }

    /// Empties a slot of a head.
    #[inline]
    pub(crate) fn vacate(self, slot: usize) {
        self.set_byte(slot, 0);
    }

    #[inline]
    fn set_byte(self, slot: usize, byte: u8) {
        self.set_tags(self.tags() & !(0xff << (8 * slot)) | u64::from(byte) << (8 * slot));
    }

    /// The block that goes on from here, if there is one.
    #[inline]
    pub(crate) fn overflow(self) -> Option<Block> {
        if self.width < WIDTH || (self.tags() >> 56) as u8 != LINK {
            return None;
        }
        let link = self.word(LAST_SLOT);
        let address = (link & ((1 << ADDRESS_BITS) - 1)) << ADDRESS_SHIFT;
        let start = NonNull::new(std::ptr::with_exposed_provenance_mut(address as usize))?;
        Some(Block { start, width: WIDTH - (link >> ADDRESS_BITS) as usize })
    }

    /// Puts a link to a block in the place of the last element, or of another link.
    pub(crate) fn link(self, overflow: Block) {
        let bits = (overflow.start.as_ptr().expose_provenance() as u64).rotate_right(ADDRESS_SHIFT);
        assert!(bits >> ADDRESS_BITS == 0, "an address of 48 bits and a multiple of four, not {overflow:?}");
        let link = bits | ((WIDTH - overflow.width) as u64) << ADDRESS_BITS;
        self.put(LAST_SLOT, Cell { byte: LINK, word: link });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(tag: u8, mark: bool) -> Cell {
        Cell::new(tag, mark, 0xab_cdef_0123_4500 | u64::from(tag))
    }

    fn head(bucket: &mut Bucket) -> Block {
        // SAFETY: the tests use nothing but what they make, one thread each.
        unsafe { Block::of_head(NonNull::from(bucket)) }
    }

    /// A block of elements with the tags 1, 2, 3 and so on, of which the odd ones are marked.
    fn block(width: u8) -> Block {
        let of = |tag: u8| cell(tag, tag % 2 == 1);
        // SAFETY: the old block is used no more.
        (3..=width).fold(Block::of_two(of(1), of(2)), |block, tag| unsafe { block.lengthened(of(tag)) })
    }

    fn tags_of(block: Block) -> Vec<u8> {
        block.occupied().map(|slot| block.cell(slot).byte & !LINK).collect()
    }

    #[test]
    fn a_bucket_fills_exactly_one_cache_line() {
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (64, 64));
    }

    #[test]
    fn tags_match_exactly_whatever_the_neighbours_and_the_marks_are() {
        for (low, high) in (1..=127).flat_map(|low| [1, 2, 63, 64, 126, 127].map(|high| (low, high))) {
            let mut bucket = Bucket::EMPTY;
            let head = head(&mut bucket);
            head.put(2, cell(low, true));
            head.put(3, cell(high, false));
            for tag in 1..=127 {
                let expected: Vec<usize> = (2..=3).filter(|slot| tag == [low, high][slot - 2]).collect();
                assert_eq!(head.matching(tag).collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn every_set_of_marks_is_listed_slot_by_slot() {
        for marks in 0..256_u32 {
            let mut bucket = Bucket::EMPTY;
            let head = head(&mut bucket);
            for slot in 0..WIDTH {
                head.put(slot, cell(100, marks >> slot & 1 != 0));
            }
            let expected: Vec<usize> = (0..WIDTH).filter(|slot| marks >> slot & 1 != 0).collect();
            assert_eq!(head.marked().collect::<Vec<_>>(), expected);
            assert_eq!((head.occupied().len(), head.vacant().len()), (8, 0));
        }
    }

    #[test]
    fn a_vacated_slot_loses_its_mark_and_leaves_the_others_alone() {
        let mut bucket = Bucket::EMPTY;
        let head = head(&mut bucket);
        (0..WIDTH).for_each(|slot| head.put(slot, cell(slot as u8 + 1, true)));
        head.vacate(4);
        assert_eq!(head.marked().collect::<Vec<_>>(), [0, 1, 2, 3, 5, 6, 7]);
        assert_eq!(head.vacant().collect::<Vec<_>>(), [4]);
        assert!(head.occupied().all(|slot| head.word(slot) == cell(slot as u8 + 1, true).word));
        head.set_mark(5, false);
        assert!(!head.mark(5) && head.mark(6));
    }

    #[test]
    fn a_slot_keeps_56_bits_and_touches_none_beside_it() {
        for width in 2..=8 {
            let block = block(width);
            let others = |changed: usize| (0..block.width()).filter(move |slot| *slot != changed);
            for changed in 0..block.width() {
                for word in [0, (1 << 56) - 1, 0x12_3456_789a_bcde] {
                    let (before, tags) = (others(changed).map(|slot| block.word(slot)), tags_of(block));
                    let before: Vec<u64> = before.collect();
                    block.set_word(changed, word);
                    assert_eq!(block.word(changed), word);
                    assert!(others(changed).map(|slot| block.word(slot)).eq(before));
                    assert_eq!(tags_of(block), tags);
                }
            }
            // SAFETY: it came from `of_two` or `lengthened`.
            unsafe { block.free() };
        }
    }

    #[test]
    fn a_block_has_as_many_slots_as_elements_and_takes_none_of_their_bytes_for_tags() {
        for width in 2..=8 {
            let mut block = block(width);
            for left in (2..=width).rev() {
                assert!(tags_of(block).into_iter().eq(1..=left));
                assert!(block.marked().eq((0..usize::from(left)).step_by(2)));
                assert_eq!((block.vacant().len(), block.overflow()), (0, None));
                for tag in 1..=127 {
                    assert_eq!(block.matching(tag).len(), usize::from(tag <= left));
                }
                if left > 2 {
                    // SAFETY: the old block is used no more.
                    block = unsafe { block.shortened() };
                }
            }
            // SAFETY: as above.
            unsafe { block.free() };
        }
    }

    #[test]
    fn a_link_gives_back_the_block_and_is_never_taken_for_an_element() {
        for width in 2..=8 {
            let mut bucket = Bucket::EMPTY;
            let (head, block) = (head(&mut bucket), block(width));
            head.link(block);
            assert!(head.occupied().next().is_none() && head.marked().next().is_none());
            assert!((1..=127).all(|tag| head.matching(tag).next().is_none()));
            assert_eq!(head.vacant().len(), 7);
            assert_eq!(head.overflow(), Some(block));
            head.put(LAST_SLOT, cell(9, true));
            assert_eq!(head.overflow(), None);
            // SAFETY: nothing names it now.
            unsafe { block.free() };
        }
    }
}
