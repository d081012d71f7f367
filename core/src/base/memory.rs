//! What the allocator says: memory in use and memory held.
//!
//! jemalloc counts what each thread has allocated and freed, without an atomic. The
//! main thread's two counters are read where they lie, which makes the figure exact
//! for all that commands do; what other threads did is added from jemalloc's
//! statistics, which [`calibrate`] reads ten times a second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp, deallocatedp};
use tikv_jemalloc_ctl::{epoch, stats};

/// Counters of one thread.
struct Counters {
    allocated: ThreadLocal<u64>,
    freed: ThreadLocal<u64>,
}

thread_local! {
    static COUNTERS: OnceLock<Option<Counters>> = const { OnceLock::new() };
}

/// Bytes that other threads have allocated less those they have freed.
static OTHERS: AtomicIsize = AtomicIsize::new(0);

fn own_bytes() -> isize {
    COUNTERS.with(|cell| {
        let read = || Some(Counters { allocated: allocatedp::read().ok()?, freed: deallocatedp::read().ok()? });
        cell.get_or_init(read)
            .as_ref()
            .map_or(0, |counters| counters.allocated.get().wrapping_sub(counters.freed.get()) as isize)
    })
}

/// Bytes in use by the whole process. For the main thread.
pub fn used_bytes() -> usize {
    (own_bytes() + OTHERS.load(Ordering::Relaxed)).max(0) as usize
}

/// Take in what other threads did. For the main thread; some microseconds.
pub fn calibrate() {
    let _ = epoch::advance();
    let all = stats::allocated::read().unwrap_or(0) as isize;
    OTHERS.store(all - own_bytes(), Ordering::Relaxed);
}

/// What the allocator holds, in bytes.
pub struct Held {
    /// Allocated by the program.
    pub allocated: usize,
    /// In pages that hold allocations.
    pub active: usize,
    /// In pages that are resident.
    pub resident: usize,
    /// Address space kept for later.
    pub retained: usize,
}

/// What the allocator holds.
pub fn held() -> Held {
    let _ = epoch::advance();
    Held {
        allocated: stats::allocated::read().unwrap_or(0),
        active: stats::active::read().unwrap_or(0),
        resident: stats::resident::read().unwrap_or(0),
        retained: stats::retained::read().unwrap_or(0),
    }
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

/// Version of the allocator, as `5.3.0`.
pub fn allocator_version() -> String {
    let text = tikv_jemalloc_ctl::version::read().unwrap_or("unknown");
    text.split('-').next().unwrap_or(text).to_owned()
}
