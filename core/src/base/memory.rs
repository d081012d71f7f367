//! What the allocator says: memory in use and memory held.
//!
//! jemalloc counts what each thread has allocated and freed, without an atomic. The
//! main thread's two counters are read where they lie, which makes the figure exact
//! for all that commands do; what other threads did is added from jemalloc's
//! statistics, which [`calibrate`] reads ten times a second.

use crate::base::allocator;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

pub use crate::base::allocator::Held;

/// Bytes that other threads have allocated less those they have freed.
static OTHERS: AtomicIsize = AtomicIsize::new(0);

/// Bytes in use by the whole process. For the main thread.
pub fn used_bytes() -> usize {
    (allocator::own_bytes() + OTHERS.load(Ordering::Relaxed)).max(0) as usize
}

/// Take in what other threads did. For the main thread; some microseconds.
pub fn calibrate() {
    allocator::calibrate();
    let all = allocator::total_bytes() as isize;
    OTHERS.store(all - allocator::own_bytes(), Ordering::Relaxed);
}

/// What the allocator holds.
pub fn held() -> Held {
    allocator::calibrate();
    allocator::held()
}

/// Resident bytes of the process, as the kernel counts them.
pub fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<usize>().ok())
        .unwrap_or(0);
    pages * rustix::param::page_size()
}

/// Bytes that are all 0, or `None` when they are not to be had. What the system gives for a long one is
/// not resident before it is written.
pub fn zeroed(len: usize) -> Option<Vec<u8>> {
    let layout = std::alloc::Layout::array::<u8>(len).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout's size is not 0.
    let memory = unsafe { std::alloc::alloc_zeroed(layout) };
    // SAFETY: the allocator that vectors use has just given so many bytes, which are initialised.
    (!memory.is_null()).then(|| unsafe { Vec::from_raw_parts(memory, len, len) })
}

/// Bytes in use when the server began to serve.
static STARTUP: AtomicUsize = AtomicUsize::new(0);

/// Note that the server begins to serve.
pub fn mark_startup() {
    calibrate();
    STARTUP.store(used_bytes(), Ordering::Relaxed);
}

/// Bytes that were in use when the server began to serve.
pub fn startup_bytes() -> usize {
    STARTUP.load(Ordering::Relaxed)
}
