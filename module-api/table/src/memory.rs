//! Memory in steps of eight bytes, for the many small things that slots point to.
//!
//! What Rust and C allocate with is made for everything: from 17 bytes on it promises an alignment of 16,
//! and so rounds 24 bytes up to 32. A host whose allocator has finer classes hands out blocks of those,
//! aligned to 8, and says so once ([`take_from`]) before any of this library's code runs. Where nobody has
//! said so, it is Rust's allocator.
//!
//! *Invariant*: where memory comes from is settled when the first block is asked for and never changes, so
//! that each block goes back to where it came from.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::OnceLock;

/// What lengths, and addresses, are multiples of.
pub const STEP_BYTES: usize = 8;

/// A host's functions, which any thread may call.
#[derive(Clone, Copy)]
pub struct Source {
    /// So many bytes, which are not 0, aligned to [`STEP_BYTES`]; null if there are none.
    pub allocate: unsafe extern "C" fn(bytes: usize) -> *mut u8,
    /// Takes back what `allocate` gave.
    pub free: unsafe extern "C" fn(memory: *mut u8),
}

static SOURCE: OnceLock<Option<Source>> = OnceLock::new();

/// Has memory come from a host from now on. The first to say so is heard, if it is before the first block.
///
/// # Safety
/// Both functions do what [`Source`] says for as long as this library is used.
pub unsafe fn take_from(source: Source) {
    let _ = SOURCE.set(Some(source));
}

#[inline]
fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.checked_next_multiple_of(STEP_BYTES)?, STEP_BYTES).ok()
}

/// Memory of at least one byte, not initialised; `None` if there is none. It is an error to ask for 0.
///
/// # Panics
/// When it is asked for 0 bytes.
#[inline]
pub fn allocate(bytes: usize) -> Option<NonNull<u8>> {
    assert!(bytes > 0, "memory of no bytes");
    let layout = layout(bytes)?;
    // SAFETY: the size is not 0; a source does what it says.
    NonNull::new(unsafe {
        match SOURCE.get_or_init(|| None) {
            Some(source) => (source.allocate)(layout.size()),
            None => alloc(layout),
        }
    })
}

/// As [`allocate`], for those who can do nothing else where there is no memory.
#[inline]
pub fn allocate_or_abort(bytes: usize) -> NonNull<u8> {
    allocate(bytes).unwrap_or_else(|| handle_alloc_error(layout(bytes).unwrap_or(Layout::new::<u64>())))
}

/// Gives memory back.
///
/// # Safety
/// It is a block of [`allocate`] or [`reallocate`] of so many bytes, and nobody uses it afterwards.
#[inline]
pub unsafe fn free(memory: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller vouches that it was allocated by the source, which never changes, and that the
    // layout is the one it was allocated with.
    unsafe {
        match SOURCE.get_or_init(|| None) {
            Some(source) => (source.free)(memory.as_ptr()),
            None => dealloc(memory.as_ptr(), layout(bytes).unwrap_or(Layout::new::<u64>())),
        }
    }
}

/// A block of another length with what was in this one, up to the shorter length; in its place if it is of
/// the same number of steps. Aborts where there is no memory.
///
/// # Safety
/// As of [`free`]; the new length is not 0.
#[inline]
pub unsafe fn reallocate(memory: NonNull<u8>, bytes: usize, bytes_new: usize) -> NonNull<u8> {
    if bytes.div_ceil(STEP_BYTES) == bytes_new.div_ceil(STEP_BYTES) {
        return memory;
    }
    let moved = allocate_or_abort(bytes_new);
    // SAFETY: both blocks have as many bytes, and they are two.
    unsafe {
        moved.copy_from_nonoverlapping(memory, bytes.min(bytes_new));
        free(memory, bytes);
    }
    moved
}
