//! The entry: one allocation that holds a key, its header, its expiry and, for
//! inline values, the value.
//!
//! ```text
//!  0      1       2        5        6         8
//! +------+-------+--------+--------+---------+-------------+-----------+-----+-------+
//! | type | flags | clock  | keylen | vallen  | [wide lens] | [expiry]  | key | value |
//! |  u8  |  u8   |  u24   |  u8    |  u16    |  u32 + u32  | u48 / i64 |     |       |
//! +------+-------+--------+--------+---------+-------------+-----------+-----+-------+
//! ```
//!
//! A *narrow* entry has its lengths in the first eight bytes and an expiry of 48
//! bits; one whose key, value or expiry does not fit there is *wide* and carries
//! both lengths again as `u32`, and an expiry of 64 bits. One whose inline value is *big*
//! has room before it for an expiry and for longer keys, so that neither an expiry nor
//! another name moves the value. A boxed value is 16
//! bytes in the value's place: the address, and the bytes it was last charged.
//!
//! Invariants:
//! - A narrow entry owns the allocator's size class of its length, no less and no
//!   more, so that its capacity is computed and never looked up. A wide entry may keep
//!   room to grow; the allocator is asked how much it owns.
//! - Nothing in here is aligned: fields are read and written bytewise.
//! - An `EntryPtr` is a plain address. Whoever holds one answers for its being
//!   alive; the database owns every entry it has in its table.

use crate::base::allocator;
use plinth_abi::bytes::Opaque;
use plinth_abi::keys::EXPIRE_NONE;
use std::ptr::NonNull;

const HAS_EXPIRY: u8 = 1 << 0;
const IS_BOXED: u8 = 1 << 1;
const IS_WIDE: u8 = 1 << 2;
const TAG_SHIFT: u8 = 4;
const HEADER_BYTES: usize = 8;
const WIDE_BYTES: usize = 8;
const NARROW_EXPIRY_BYTES: usize = 6;
const WIDE_EXPIRY_BYTES: usize = 8;
const NARROW_EXPIRY_MAX: i64 = (1 << 48) - 1;
/// Bytes that stand for a boxed value: address and charge.
const BOX_BYTES: usize = 16;
/// From this length on a value is big ...
const BIG_BYTES: usize = 1 << 16;
/// ... and begins at a multiple of so many bytes; ...
const BIG_STEP: usize = 256;
/// ... from this on ...
const HUGE_BYTES: usize = 1 << 20;
/// ... at a multiple of these: less than half a percent of what the value takes.
const HUGE_STEP: usize = 4096;
/// Longest key or inline value in bytes.
pub const LEN_MAX: usize = u32::MAX as usize;

/// The address of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct EntryPtr(NonNull<u8>);

// SAFETY: delegates to the implementation for `NonNull`.
unsafe impl plinth_table::Slot for EntryPtr {
    #[inline]
    fn into_bits(self) -> u64 {
        plinth_table::Slot::into_bits(self.0)
    }

    #[inline]
    unsafe fn from_bits(bits: u64) -> Self {
        // SAFETY: the bits came from `into_bits` above.
        EntryPtr(unsafe { plinth_table::Slot::from_bits(bits) })
    }
}

// SAFETY: an address; the thread that dereferences it owns the entry.
unsafe impl Send for EntryPtr {}

/// What an entry is made of, besides its key.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Id of the value's type.
    pub type_id: u8,
    /// The module's tag.
    pub tag: u8,
    /// Unix time in ms, or [`EXPIRE_NONE`].
    pub expire_at_ms: i64,
    /// Access clock, 24 bits.
    pub clock: u32,
    /// Inline length in bytes; `None` for a boxed value.
    pub inline_len: Option<usize>,
}

/// Where things are in an entry.
#[derive(Clone, Copy)]
struct Layout {
    wide: bool,
    expiry_at: usize,
    key_at: usize,
    key_len: usize,
    value_at: usize,
    end: usize,
}

impl Layout {
    #[inline]
    fn of(key_len: usize, value_len: usize, expire_at_ms: i64) -> Layout {
        let wide = key_len > u8::MAX as usize || value_len > u16::MAX as usize || expire_at_ms > NARROW_EXPIRY_MAX;
        Layout::with(wide, expire_at_ms != EXPIRE_NONE, key_len, value_len)
    }

    #[inline]
    fn with(wide: bool, expiry: bool, key_len: usize, value_len: usize) -> Layout {
        let expiry_at = HEADER_BYTES + if wide { WIDE_BYTES } else { 0 };
        let is_big = value_len >= BIG_BYTES;
        let expiry_bytes = match (expiry || is_big, wide) {
            (false, _) => 0,
            (true, false) => NARROW_EXPIRY_BYTES,
            (true, true) => WIDE_EXPIRY_BYTES,
        };
        let key_at = expiry_at + expiry_bytes;
        let mut value_at = key_at + key_len;
        if is_big {
            value_at = value_at.next_multiple_of(if value_len < HUGE_BYTES { BIG_STEP } else { HUGE_STEP });
        }
        Layout { wide, expiry_at, key_at, key_len, value_at, end: value_at + value_len }
    }

    /// Whether key and value are where they are in another layout.
    fn is_alike(self, other: Layout) -> bool {
        (self.key_at, self.value_at) == (other.key_at, other.value_at)
    }
}

/// Whether two lengths surely have the same size class: all classes are multiples of 8.
#[inline]
fn is_same_class(len: usize, other: usize) -> bool {
    const STEP: usize = 8;
    len.div_ceil(STEP) == other.div_ceil(STEP)
}

impl EntryPtr {
    /// A new entry whose value bytes are not written yet (a boxed value is null).
    /// `None` when there is no memory. Key and value are at most [`LEN_MAX`].
    pub fn new(key: &[u8], shape: Shape) -> Option<EntryPtr> {
        let value_len = shape.inline_len.unwrap_or(BOX_BYTES);
        if key.len() > LEN_MAX || value_len > LEN_MAX {
            return None;
        }
        let layout = Layout::of(key.len(), value_len, shape.expire_at_ms);
        let memory = NonNull::new(allocator::allocate(layout.end))?;
        let entry = EntryPtr(memory);
        entry.write_header(layout, key.len(), value_len, &shape);
        // SAFETY: `key_at + key.len() <= end`, the allocation is new and so apart from `key`.
        unsafe { std::ptr::copy_nonoverlapping(key.as_ptr(), entry.at(layout.key_at), key.len()) };
        if shape.inline_len.is_none() {
            entry.set_boxed(std::ptr::null_mut());
            entry.set_charge(0);
        }
        Some(entry)
    }

    fn write_header(self, layout: Layout, key_len: usize, value_len: usize, shape: &Shape) {
        let mut flags = shape.tag << TAG_SHIFT;
        flags |= if shape.expire_at_ms != EXPIRE_NONE { HAS_EXPIRY } else { 0 };
        flags |= if shape.inline_len.is_none() { IS_BOXED } else { 0 };
        flags |= if layout.wide { IS_WIDE } else { 0 };
        let clock = shape.clock.to_le_bytes();
        let vallen = if layout.wide { [0, 0] } else { (value_len as u16).to_le_bytes() };
        let keylen = if layout.wide { 0 } else { key_len as u8 };
        let header = [shape.type_id, flags, clock[0], clock[1], clock[2], keylen, vallen[0], vallen[1]];
        // SAFETY: every entry has at least the header, and a wide one the lengths.
        unsafe {
            self.at(0).cast::<[u8; 8]>().write(header);
            if layout.wide {
                self.at(8).cast::<u32>().write_unaligned(key_len as u32);
                self.at(12).cast::<u32>().write_unaligned(value_len as u32);
            }
        }
        self.write_expiry(layout, shape.expire_at_ms);
    }

    fn write_expiry(self, layout: Layout, expire_at_ms: i64) {
        if expire_at_ms == EXPIRE_NONE {
            return;
        }
        let bytes = expire_at_ms.to_le_bytes();
        let count = if layout.wide { WIDE_EXPIRY_BYTES } else { NARROW_EXPIRY_BYTES };
        // SAFETY: the layout has room for the expiry there.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.at(layout.expiry_at), count) };
    }

    #[inline]
    fn at(self, offset: usize) -> *mut u8 {
        // SAFETY: offsets come from the entry's own layout.
        unsafe { self.0.as_ptr().add(offset) }
    }

    #[inline]
    fn byte(self, offset: usize) -> u8 {
        // SAFETY: `offset` is within the header.
        unsafe { *self.at(offset) }
    }

    #[inline]
    fn lens(self) -> (usize, usize) {
        if self.byte(1) & IS_WIDE == 0 {
            // SAFETY: within the header.
            let value_len = unsafe { self.at(6).cast::<u16>().read_unaligned() };
            return (self.byte(5) as usize, value_len as usize);
        }
        // SAFETY: a wide entry has both lengths behind its header.
        unsafe {
            (self.at(8).cast::<u32>().read_unaligned() as usize, self.at(12).cast::<u32>().read_unaligned() as usize)
        }
    }

    #[inline]
    fn layout(self) -> Layout {
        let (key_len, value_len) = self.lens();
        Layout::with(self.byte(1) & IS_WIDE != 0, self.has_expiry(), key_len, value_len)
    }

    /// The address, for prefetching and for DEBUG OBJECT.
    pub fn address(self) -> *mut u8 {
        self.0.as_ptr()
    }

    /// The entry behind an address that [`EntryPtr::address`] gave.
    pub fn from_address(address: *mut u8) -> Option<EntryPtr> {
        NonNull::new(address).map(EntryPtr)
    }

    /// Id of the value's type.
    #[inline]
    pub fn type_id(self) -> u8 {
        self.byte(0)
    }

    /// The module's tag.
    #[inline]
    pub fn tag(self) -> u8 {
        self.byte(1) >> TAG_SHIFT
    }

    /// Whether the value is an address that a module owns.
    #[inline]
    pub fn is_boxed(self) -> bool {
        self.byte(1) & IS_BOXED != 0
    }

    /// Whether the key expires.
    #[inline]
    pub fn has_expiry(self) -> bool {
        self.byte(1) & HAS_EXPIRY != 0
    }

    /// Unix time in ms at which the key expires, or [`EXPIRE_NONE`].
    #[inline]
    pub fn expire_at_ms(self) -> i64 {
        if !self.has_expiry() {
            return EXPIRE_NONE;
        }
        let wide = self.byte(1) & IS_WIDE != 0;
        let mut bytes = [0; 8];
        let (at, count) = if wide { (16, WIDE_EXPIRY_BYTES) } else { (8, NARROW_EXPIRY_BYTES) };
        // SAFETY: the expiry is right behind header or lengths.
        unsafe { std::ptr::copy_nonoverlapping(self.at(at), bytes.as_mut_ptr(), count) };
        i64::from_le_bytes(bytes)
    }

    /// Whether the key's time is over.
    #[inline]
    pub fn has_expired(self, now_ms: i64) -> bool {
        self.has_expiry() && self.expire_at_ms() < now_ms
    }

    /// Access clock, 24 bits.
    #[inline]
    pub fn clock(self) -> u32 {
        u32::from_le_bytes([self.byte(2), self.byte(3), self.byte(4), 0])
    }

    /// Set the access clock; the line is only written when it differs.
    #[inline]
    pub fn set_clock(self, clock: u32) {
        if self.clock() != clock {
            let bytes = clock.to_le_bytes();
            // SAFETY: the clock is in the header.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.at(2), 3) };
        }
    }

    /// The key.
    ///
    /// # Safety
    /// The entry is alive and not reallocated for `'a`.
    #[inline]
    pub unsafe fn key<'a>(self) -> &'a [u8] {
        let layout = self.layout();
        // SAFETY: the key is initialised at `new`, and the caller vouches for `'a`.
        unsafe { std::slice::from_raw_parts(self.at(layout.key_at), layout.key_len) }
    }

    /// Address and length of the inline value.
    #[inline]
    pub fn value(self) -> (*mut u8, usize) {
        let layout = self.layout();
        (self.at(layout.value_at), layout.end - layout.value_at)
    }

    /// The boxed value's address.
    pub fn boxed(self) -> Opaque {
        debug_assert!(self.is_boxed());
        // SAFETY: a boxed entry has `BOX_BYTES` of value.
        unsafe { self.value().0.cast::<Opaque>().read_unaligned() }
    }

    /// Set the boxed value's address.
    #[allow(clippy::not_unsafe_ptr_arg_deref, reason = "the address is stored, not followed")]
    pub fn set_boxed(self, boxed: Opaque) {
        // SAFETY: as above.
        unsafe { self.value().0.cast::<Opaque>().write_unaligned(boxed) }
    }

    /// Bytes that the boxed value was last said to have.
    pub fn charge(self) -> u64 {
        // SAFETY: as above; the charge is the second half.
        unsafe { self.value().0.add(8).cast::<u64>().read_unaligned() }
    }

    /// Note the boxed value's bytes.
    pub fn set_charge(self, bytes: u64) {
        // SAFETY: as above.
        unsafe { self.value().0.add(8).cast::<u64>().write_unaligned(bytes) }
    }

    /// Bytes that the allocator gave.
    pub fn allocated(self) -> usize {
        let layout = self.layout();
        if layout.wide {
            // SAFETY: the entry is a live allocation.
            unsafe { allocator::usable(self.0.as_ptr()) }
        } else {
            allocator::class(layout.end)
        }
    }

    /// Set the tag.
    #[inline]
    pub fn set_tag(self, tag: u8) {
        let flags = self.byte(1) & 0x0f | tag << TAG_SHIFT;
        // SAFETY: the flags are in the header.
        unsafe { *self.at(1) = flags };
    }

    /// Give the value another form, length and tag, and the key another expiry,
    /// keeping key and clock and the value's bytes up to the shorter length.
    /// Returns the entry's new address, or `None` without memory (nothing changed).
    /// The old address is dead if another is returned. With `reserve`, room for as
    /// much again is kept.
    pub fn reshape(self, inline_len: Option<usize>, tag: u8, expire_at_ms: i64, reserve: bool) -> Option<EntryPtr> {
        let old = self.layout();
        let key_len = old.key_len;
        let value_len = inline_len.unwrap_or(BOX_BYTES);
        if value_len > LEN_MAX {
            return None;
        }
        let new = Layout::of(key_len, value_len, expire_at_ms);
        let shape = Shape { type_id: self.type_id(), tag, expire_at_ms, clock: self.clock(), inline_len };
        let entry = if self.has_room(old, new) {
            if !old.is_alike(new) {
                let kept = value_len.min(old.end - old.value_at);
                let (key, value) = ((old.key_at, new.key_at, key_len), (old.value_at, new.value_at, kept));
                // What goes to the back goes first, so that it is not written over.
                let [first, second] = if new.value_at > old.value_at { [value, key] } else { [key, value] };
                for (from, to, len) in [first, second] {
                    // SAFETY: both ranges lie within the allocation, which holds both layouts.
                    unsafe { std::ptr::copy(self.at(from), self.at(to), len) };
                }
            }
            self
        } else {
            let wanted = if reserve && new.wide { new.end + value_len.min(1 << 20) } else { new.end };
            self.relocate(old, new, wanted)?
        };
        entry.write_header(new, key_len, value_len, &shape);
        Some(entry)
    }

    /// Whether the value is big and can stay where it is when its key gets another name.
    pub fn fits_name(self, key: &[u8]) -> bool {
        let old = self.layout();
        let value_len = old.end - old.value_at;
        value_len >= BIG_BYTES && old.is_alike(Layout::of(key.len(), value_len, self.expire_at_ms()))
    }

    /// Give the key a name that [fits](Self::fits_name). The entry is in no table.
    pub fn rename(self, key: &[u8]) -> EntryPtr {
        debug_assert!(self.fits_name(key));
        // SAFETY: the layout with this key is the entry's own, and it is wide.
        unsafe {
            std::ptr::copy(key.as_ptr(), self.at(self.layout().key_at), key.len());
            self.at(8).cast::<u32>().write_unaligned(key.len() as u32);
        }
        self
    }

    /// Whether the allocation is right for another layout: large enough, and not larger
    /// than it may be.
    #[inline]
    fn has_room(self, old: Layout, new: Layout) -> bool {
        if !old.wide && !new.wide && is_same_class(old.end, new.end) {
            return true;
        }
        let capacity = self.allocated();
        if new.wide { new.end <= capacity && new.end * 4 >= capacity } else { allocator::class(new.end) == capacity }
    }

    /// Move to an allocation of at least `wanted` bytes, with key and value (the latter
    /// up to the shorter length); the header is not written.
    fn relocate(self, old: Layout, new: Layout, wanted: usize) -> Option<EntryPtr> {
        if old.wide && new.wide && old.is_alike(new) {
            // The allocator may know how to grow it in its place.
            // SAFETY: `self` is a live allocation and `wanted` is not 0.
            return NonNull::new(unsafe { allocator::reallocate(self.0.as_ptr(), wanted) }).map(EntryPtr);
        }
        let moved = EntryPtr(NonNull::new(allocator::allocate(wanted))?);
        let kept = (old.end - old.value_at).min(new.end - new.value_at);
        // SAFETY: both layouts have the key, and so many bytes of the value; the caller gets
        // the new address in the old one's stead.
        unsafe {
            std::ptr::copy_nonoverlapping(self.at(old.key_at), moved.at(new.key_at), old.key_len);
            std::ptr::copy_nonoverlapping(self.at(old.value_at), moved.at(new.value_at), kept);
            self.free();
        }
        Some(moved)
    }

    /// Move to where memory is less scattered, if that helps; the entry by its address from then on.
    pub fn defragmented(self) -> Option<EntryPtr> {
        // SAFETY: `self` is a live allocation, all of whose bytes are copied, however many are in use.
        unsafe {
            if !allocator::is_misplaced(self.0.as_ptr()) {
                return None;
            }
            let bytes = self.allocated();
            let moved = NonNull::new(allocator::allocate_elsewhere(bytes))?;
            std::ptr::copy_nonoverlapping(self.0.as_ptr(), moved.as_ptr(), bytes);
            allocator::free_to_slab(self.0.as_ptr());
            Some(EntryPtr(moved))
        }
    }

    /// Give the entry's memory back; a boxed value must have been taken care of.
    ///
    /// # Safety
    /// The entry is alive, and nobody uses it afterwards.
    pub unsafe fn free(self) {
        let layout = self.layout();
        // SAFETY: a live allocation, that of a narrow entry of this very size.
        unsafe {
            if layout.wide {
                allocator::free(self.0.as_ptr());
            } else {
                allocator::free_sized(self.0.as_ptr(), layout.end);
            }
        }
    }
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
