//! C's allocation functions, which the executable exports: libraries and modules get these instead of the
//! system's. From 17 bytes on a block is aligned to 16, as C promises.
//!
//! The family is whole: a function that were missing would give out memory of another allocator, which
//! [`free`] could not take back.

use super::aligned;
use std::ffi::c_int;
use std::ptr::null_mut;
use tikv_jemalloc_sys as sys;

type Memory = *mut std::ffi::c_void;

// Each of these does what its page in C's manual says, and asks of its caller what that says.

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(len: usize) -> Memory {
    // SAFETY: see above.
    unsafe { sys::malloc(aligned(len)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, len: usize) -> Memory {
    match count.checked_mul(len) {
        // SAFETY: see above.
        Some(total) => unsafe { sys::calloc(1, aligned(total)) },
        // SAFETY: see above; it fails as it should.
        None => unsafe { sys::calloc(count, len) },
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(memory: Memory, len: usize) -> Memory {
    // SAFETY: see above.
    unsafe { sys::realloc(memory, aligned(len)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(memory: Memory) {
    // SAFETY: see above.
    unsafe { sys::free(memory) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(memory_out: *mut Memory, alignment: usize, len: usize) -> c_int {
    // SAFETY: see above.
    unsafe { sys::posix_memalign(memory_out, alignment, len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(alignment: usize, len: usize) -> Memory {
    // SAFETY: see above.
    unsafe { sys::aligned_alloc(alignment, len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(alignment: usize, len: usize) -> Memory {
    // SAFETY: see above.
    unsafe { sys::aligned_alloc(alignment, len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn valloc(len: usize) -> Memory {
    // SAFETY: see above.
    unsafe { sys::aligned_alloc(page(), len) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pvalloc(len: usize) -> Memory {
    match len.checked_next_multiple_of(page()) {
        // SAFETY: see above.
        Some(len) => unsafe { sys::aligned_alloc(page(), len) },
        None => null_mut(),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_usable_size(memory: Memory) -> usize {
    // SAFETY: see above.
    unsafe { sys::malloc_usable_size(memory) }
}

fn page() -> usize {
    rustix::param::page_size()
}
