//! One field of a large hash: lengths, deadline, field and value in one allocation.
//!
//! ```text
//!   [ head ][ value's length ] [ deadline, 6 ] [ field ][ value ]
//!
//!   head        ex ff ffff   e: there is a deadline; x: a longer form
//!   x = 0       ffffff is the length of the field, the next byte that of the value
//!   x = 1       ffffff is 0, 1 or 2: both lengths follow in 2, 4 or 8 bytes each
//! ```
//!
//! So a field of up to 63 bytes and a value of up to 255 have two bytes beside them. A deadline is
//! Unix time in ms, 48 bits, little-endian. The allocation has exactly the length that the head
//! tells, which is how it is freed.
//!
//! *Invariant*: a [`Blob`] is the address of such an allocation. Whoever has a `Blob` out of
//! [`Blob::new`] frees it once; a copy of it (a blob is a plain address, as the table wants it) is
//! used only while the original is not freed.

use plinth_module::table::{Slot, memory};
use std::ptr::NonNull;

/// The head's bit for a deadline.
const EXPIRES: u8 = 0x80;
/// The head's bit for a longer form.
const LONG: u8 = 0x40;
/// Bytes of a deadline.
const DEADLINE_BYTES: usize = 6;
/// Most bytes before the field.
const HEAD_MAX: usize = 17 + DEADLINE_BYTES;
/// Longest field of the short form.
const FIELD_SHORT_MAX: usize = 63;
/// Longest value of the short form.
const VALUE_SHORT_MAX: usize = 255;

/// The address of a field. See the [module](self).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub(super) struct Blob(NonNull<u8>);

// SAFETY: a blob is an address without a tie to a thread, and what is behind it belongs to the table
// that holds it.
unsafe impl Send for Blob {}

// SAFETY: bits are those of the address, which fits, as `NonNull`'s own implementation says.
unsafe impl Slot for Blob {
    #[inline]
    fn into_bits(self) -> u64 {
        self.0.into_bits()
    }

    #[inline]
    unsafe fn from_bits(bits: u64) -> Blob {
        // SAFETY: as the caller vouches.
        Blob(unsafe { NonNull::from_bits(bits) })
    }
}

/// Where the parts of a blob are.
#[derive(Clone, Copy)]
struct Span {
    deadline: Option<usize>,
    field: usize,
    value: usize,
    end: usize,
}

/// Bytes of head and lengths.
#[inline]
fn head_len(field: usize, value: usize) -> usize {
    if field <= FIELD_SHORT_MAX && value <= VALUE_SHORT_MAX {
        2
    } else {
        match field.max(value) {
            0..=0xffff => 5,
            0x1_0000..=0xffff_ffff => 9,
            _ => 17,
        }
    }
}

/// Bytes of a whole blob.
#[inline]
fn len_of(field: usize, value: usize, expires: bool) -> usize {
    head_len(field, value) + if expires { DEADLINE_BYTES } else { 0 } + field + value
}

impl Blob {
    /// A new field.
    pub(super) fn new(field: &[u8], value: &[u8], deadline: Option<u64>) -> Blob {
        let len = len_of(field.len(), value.len(), deadline.is_some());
        let address = memory::allocate_or_abort(len);
        let (head, head_len) = head(field.len(), value.len(), deadline);
        // SAFETY: so many bytes were just allocated, and nobody else knows of them.
        unsafe {
            put(address, 0, &head[..head_len]);
            put(address, head_len, field);
            put(address, head_len + field.len(), value);
        }
        Blob(address)
    }

    /// Bytes of the allocation.
    ///
    /// # Safety
    /// The blob is not freed.
    #[inline]
    pub(super) unsafe fn len(self) -> usize {
        // SAFETY: as the caller vouches.
        unsafe { self.span() }.end
    }

    /// The lengths, which the head tells.
    ///
    /// # Safety
    /// The blob is not freed.
    #[inline]
    unsafe fn span(self) -> Span {
        let at = self.0.as_ptr();
        // SAFETY: a blob has at least the two bytes of the short form, and in a longer form the
        // lengths behind its head.
        let (expires, head, field, value) = unsafe {
            let head = *at;
            let expires = head & EXPIRES != 0;
            if head & LONG == 0 {
                (expires, 2, usize::from(head & 0x3f), usize::from(*at.add(1)))
            } else {
                let width = 2usize << (head & 3);
                let read = |from: usize| {
                    let mut bytes = [0; 8];
                    std::ptr::copy_nonoverlapping(at.add(from), bytes.as_mut_ptr(), width);
                    u64::from_le_bytes(bytes) as usize
                };
                (expires, 1 + 2 * width, read(1), read(1 + width))
            }
        };
        let start = head + if expires { DEADLINE_BYTES } else { 0 };
        Span { deadline: expires.then_some(head), field: start, value: start + field, end: start + field + value }
    }

    /// The bytes from one offset to another.
    ///
    /// # Safety
    /// The blob is not freed while `'b` lasts, nobody changes it meanwhile, and both offsets come
    /// from its span.
    #[inline]
    unsafe fn slice<'b>(self, from: usize, to: usize) -> &'b [u8] {
        // SAFETY: as the caller vouches; all bytes of a blob are initialised by `new`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(from), to - from) }
    }

    /// The field.
    ///
    /// # Safety
    /// The blob is neither freed nor changed while `'b` lasts.
    #[inline]
    pub(super) unsafe fn field<'b>(self) -> &'b [u8] {
        // SAFETY: as the caller vouches.
        unsafe {
            let span = self.span();
            self.slice(span.field, span.value)
        }
    }

    /// Field, value and deadline.
    ///
    /// # Safety
    /// The blob is neither freed nor changed while `'b` lasts.
    #[inline]
    pub(super) unsafe fn parts<'b>(self) -> (&'b [u8], &'b [u8], Option<u64>) {
        // SAFETY: as the caller vouches; the deadline has six bytes.
        unsafe {
            let span = self.span();
            let deadline = span.deadline.map(|at| {
                let mut bytes = [0; 8];
                bytes[..DEADLINE_BYTES].copy_from_slice(self.slice(at, at + DEADLINE_BYTES));
                u64::from_le_bytes(bytes)
            });
            (self.slice(span.field, span.value), self.slice(span.value, span.end), deadline)
        }
    }

    /// Gives the field another value and deadline; the blob as it is afterwards, which may be
    /// elsewhere. A value of the same length is written in place.
    ///
    /// # Safety
    /// The blob is not freed, and nobody looks at it; afterwards only the result is used.
    pub(super) unsafe fn update(self, value: &[u8], deadline: Option<u64>) -> Blob {
        // SAFETY: as the caller vouches.
        let span = unsafe { self.span() };
        let (field_len, value_len) = (span.value - span.field, span.end - span.value);
        let is_same_form = deadline.is_some() == span.deadline.is_some()
            && head_len(field_len, value.len()) == head_len(field_len, value_len);
        if !is_same_form {
            // SAFETY: as the caller vouches; the old one is freed after its field was copied.
            unsafe {
                let new = Blob::new(self.field(), value, deadline);
                self.free();
                return new;
            }
        }
        let len = span.value + value.len();
        let mut blob = self;
        if len != span.end {
            // SAFETY: the allocation has the length that its head told, and the new one is not 0.
            blob = Blob(unsafe { memory::reallocate(self.0, span.end, len) });
        }
        let (head, head_len) = head(field_len, value.len(), deadline);
        // SAFETY: the blob has `len` bytes, which nobody looks at, and its head takes as many as
        // before.
        unsafe {
            put(blob.0, 0, &head[..head_len]);
            put(blob.0, span.value, value);
        }
        blob
    }

    /// Frees the blob.
    ///
    /// # Safety
    /// The blob is not freed yet, and is not used afterwards.
    #[inline]
    pub(super) unsafe fn free(self) {
        // SAFETY: the allocation has the length that its head tells.
        unsafe { memory::free(self.0, self.len()) }
    }
}

/// Writes bytes into a blob.
///
/// # Safety
/// The blob has so many bytes at the offset, and nobody looks at them.
#[inline]
unsafe fn put(blob: NonNull<u8>, at: usize, bytes: &[u8]) {
    // SAFETY: as the caller vouches; the bytes come from outside of the blob.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), blob.as_ptr().add(at), bytes.len()) }
}

/// Head, lengths and deadline as they are written, and how many bytes they take.
#[inline]
fn head(field: usize, value: usize, deadline: Option<u64>) -> ([u8; HEAD_MAX], usize) {
    let mut bytes = [0; HEAD_MAX];
    let expires = if deadline.is_some() { EXPIRES } else { 0 };
    let mut at = head_len(field, value);
    if at == 2 {
        bytes[0] = expires | field as u8;
        bytes[1] = value as u8;
    } else {
        let width = (at - 1) / 2;
        bytes[0] = expires | LONG | (width.trailing_zeros() - 1) as u8;
        bytes[1..=width].copy_from_slice(&(field as u64).to_le_bytes()[..width]);
        bytes[1 + width..at].copy_from_slice(&(value as u64).to_le_bytes()[..width]);
    }
    if let Some(deadline) = deadline {
        bytes[at..at + DEADLINE_BYTES].copy_from_slice(&deadline.to_le_bytes()[..DEADLINE_BYTES]);
        at += DEADLINE_BYTES;
    }
    (bytes, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_field_of_14_bytes_and_a_value_of_13_take_29() {
        assert_eq!(len_of(14, 13, false), 29);
        assert_eq!(len_of(14, 13, true), 35);
        assert_eq!((head_len(63, 255), head_len(64, 0), head_len(0, 256), head_len(0, 1 << 16)), (2, 5, 5, 9));
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..70),
            proptest::collection::vec(any::<u8>(), 250..260),
            proptest::collection::vec(any::<u8>(), 65_530..65_540),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_blob_holds_what_it_was_given_through_updates(
            field in text(),
            steps in proptest::collection::vec((text(), proptest::option::of(0..1u64 << 48)), 1..6),
        ) {
            let mut blob = Blob::new(&field, &steps[0].0, steps[0].1);
            for (value, deadline) in &steps {
                // SAFETY: the blob lives, and nobody else knows of it.
                unsafe {
                    blob = blob.update(value, *deadline);
                    prop_assert_eq!(blob.parts(), (&field[..], &value[..], *deadline));
                    prop_assert_eq!(blob.field(), &field[..]);
                    prop_assert_eq!(blob.len(), len_of(field.len(), value.len(), deadline.is_some()));
                }
            }
            // SAFETY: the blob lives, and is not used any more.
            unsafe { blob.free() };
        }
    }
}
