//! The system's allocator in the place of jemalloc, which AddressSanitizer watches.
//!
//! Lengths are made multiples of 8, as an entry relies on its class being one.

use super::Held;
use std::alloc::System;

/// Functions of C, and of AddressSanitizer's runtime.
mod sys {
    unsafe extern "C" {
        pub(super) fn malloc(len: usize) -> *mut u8;
        pub(super) fn free(memory: *mut u8);
        pub(super) fn realloc(memory: *mut u8, len: usize) -> *mut u8;
        pub(super) fn malloc_usable_size(memory: *mut u8) -> usize;
        pub(super) safe fn __sanitizer_get_current_allocated_bytes() -> usize;
        pub(super) safe fn __sanitizer_get_heap_size() -> usize;
    }
}

/// Memory of `len` bytes, which are not 0; null if there is none.
pub fn allocate(len: usize) -> *mut u8 {
    // SAFETY: any length may be asked for.
    unsafe { sys::malloc(class(len)) }
}

/// Gives memory back; null may be given.
///
/// # Safety
/// It was allocated here, or by `malloc`, and nobody uses it afterwards.
pub unsafe fn free(memory: *mut u8) {
    // SAFETY: as the caller vouches.
    unsafe { sys::free(memory) }
}

/// As [`free`].
///
/// # Safety
/// As of [`free`].
pub unsafe fn free_sized(memory: *mut u8, _len: usize) {
    // SAFETY: as the caller vouches.
    unsafe { sys::free(memory) }
}

/// Memory of another length with what was in it; null if there is none, and nothing has changed then.
///
/// # Safety
/// It was allocated here. Where the result is not null nobody uses it afterwards.
pub unsafe fn reallocate(memory: *mut u8, len: usize) -> *mut u8 {
    // SAFETY: as the caller vouches.
    unsafe { sys::realloc(memory, class(len)) }
}

/// How many bytes [`allocate`] gives who asks for `len`.
pub fn class(len: usize) -> usize {
    len.checked_next_multiple_of(8).unwrap_or(len)
}

/// How many bytes there are in a block.
///
/// # Safety
/// It was allocated here, and is not freed.
pub unsafe fn usable(memory: *mut u8) -> usize {
    // SAFETY: as the caller vouches.
    unsafe { sys::malloc_usable_size(memory) }
}

/// Rust's allocator.
pub const ALLOCATOR: Allocator = System;

/// The type of [`ALLOCATOR`].
pub type Allocator = System;

/// Bytes that are allocated; of no thread in particular.
pub fn own_bytes() -> isize {
    total_bytes() as isize
}

/// Has statistics say what is so by now.
pub fn calibrate() {}

/// Bytes that are allocated.
pub fn total_bytes() -> usize {
    sys::__sanitizer_get_current_allocated_bytes()
}

/// What the allocator holds.
pub fn held() -> Held {
    let heap = sys::__sanitizer_get_heap_size();
    Held { allocated: total_bytes(), active: heap, resident: heap, retained: 0 }
}

/// Its name.
pub fn version() -> String {
    "asan".to_owned()
}

/// Nothing is kept that could be given back by hand.
pub fn purge() {}

/// It does not say where blocks lie.
pub const TELLS_PLACES: bool = false;

/// Never, as far as it says.
///
/// # Safety
/// None is needed.
pub unsafe fn is_misplaced(_memory: *mut u8) -> bool {
    false
}

/// As [`allocate`].
pub fn allocate_elsewhere(len: usize) -> *mut u8 {
    allocate(len)
}

/// As [`free`].
///
/// # Safety
/// As of [`free`].
pub unsafe fn free_to_slab(memory: *mut u8) {
    // SAFETY: as the caller vouches.
    unsafe { free(memory) }
}

/// It keeps nothing that is known of.
pub fn flush_kept() {}

/// It tells none.
pub fn number(_name: &str) -> Option<i64> {
    None
}

/// It has no statistics of its own.
pub fn report() -> String {
    "The system's allocator has no statistics.\n".to_owned()
}
