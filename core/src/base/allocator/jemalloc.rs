//! jemalloc, under its prefix.

use super::{Held, aligned};
use std::alloc::{GlobalAlloc, Layout};
use std::sync::OnceLock;
use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp, deallocatedp};
use tikv_jemalloc_ctl::{epoch, stats};
use tikv_jemalloc_sys as sys;
use tikv_jemallocator::Jemalloc;

/// Memory of `len` bytes, which are not 0, aligned to 8; null if there is none.
#[inline]
pub fn allocate(len: usize) -> *mut u8 {
    // SAFETY: any length may be asked for.
    unsafe { sys::malloc(len).cast() }
}

/// Gives memory back; null may be given.
///
/// # Safety
/// It was allocated here, or by `malloc`, and nobody uses it afterwards.
#[inline]
pub unsafe fn free(memory: *mut u8) {
    // SAFETY: as the caller vouches.
    unsafe { sys::free(memory.cast()) }
}

/// As [`free`], where it is known how many bytes were asked for.
///
/// # Safety
/// As of [`free`]; it came from [`allocate`] with a length of this class.
#[inline]
pub unsafe fn free_sized(memory: *mut u8, len: usize) {
    // SAFETY: as the caller vouches.
    unsafe { sys::sdallocx(memory.cast(), len, 0) }
}

/// Memory of another length with what was in it, in its place if that can be; null if there is none, and
/// nothing has changed then.
///
/// # Safety
/// It was allocated here, and `len` is not 0. Where the result is not null nobody uses it afterwards.
#[inline]
pub unsafe fn reallocate(memory: *mut u8, len: usize) -> *mut u8 {
    // SAFETY: as the caller vouches.
    unsafe { sys::realloc(memory.cast(), len).cast() }
}

/// How many bytes [`allocate`] gives who asks for `len`, which is not 0.
#[inline]
pub fn class(len: usize) -> usize {
    // SAFETY: it computes from its arguments.
    unsafe { sys::nallocx(len, 0) }
}

/// How many bytes there are in a block.
///
/// # Safety
/// It was allocated here, and is not freed.
#[inline]
pub unsafe fn usable(memory: *mut u8) -> usize {
    // SAFETY: as the caller vouches.
    unsafe { sys::sallocx(memory.cast(), 0) }
}

/// Rust's allocator.
pub const ALLOCATOR: Allocator = Allocator;

/// The type of [`ALLOCATOR`].
pub struct Allocator;

/// The layout that gives the alignment which another asks for.
#[inline]
fn fitting(layout: Layout) -> Layout {
    if layout.align() != 16 {
        return layout;
    }
    // SAFETY: no size below 64 overflows, and the alignment was one before.
    unsafe { Layout::from_size_align_unchecked(aligned(layout.size()), 16) }
}

// SAFETY: all is jemalloc's, which gives a block of up to 16 bytes and one of a multiple of 16 the alignment
// that the layout says; the same layouts fit the same blocks in all four.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        unsafe { Jemalloc.alloc(fitting(layout)) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller vouches.
        unsafe { Jemalloc.alloc_zeroed(fitting(layout)) }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches.
        unsafe { Jemalloc.dealloc(memory, fitting(layout)) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        let len = if layout.align() == 16 { aligned(len) } else { len };
        // SAFETY: as the caller vouches.
        unsafe { Jemalloc.realloc(memory, fitting(layout), len) }
    }
}

/// Counters of one thread.
struct Counters {
    allocated: ThreadLocal<u64>,
    freed: ThreadLocal<u64>,
}

thread_local! {
    static COUNTERS: OnceLock<Option<Counters>> = const { OnceLock::new() };
}

/// Bytes that this thread has allocated less those it has freed.
pub fn own_bytes() -> isize {
    COUNTERS.with(|cell| {
        let read = || Some(Counters { allocated: allocatedp::read().ok()?, freed: deallocatedp::read().ok()? });
        cell.get_or_init(read)
            .as_ref()
            .map_or(0, |counters| counters.allocated.get().wrapping_sub(counters.freed.get()) as isize)
    })
}

/// Has statistics say what is so by now.
pub fn calibrate() {
    let _ = epoch::advance();
}

/// Bytes that all threads have allocated less those they have freed, when it was last calibrated. What threads
/// keep of what they have freed counts as allocated in jemalloc's own sum, and goes up and down with nothing.
pub fn total_bytes() -> usize {
    // SAFETY: the name has an end, and stands for a number of this size.
    let kept = unsafe { tikv_jemalloc_ctl::raw::read::<usize>(b"stats.arenas.4096.tcache_bytes\0") };
    stats::allocated::read().unwrap_or(0).saturating_sub(kept.unwrap_or(0))
}

/// What the allocator holds, when it was last calibrated.
pub fn held() -> Held {
    Held {
        allocated: total_bytes(),
        active: stats::active::read().unwrap_or(0),
        resident: stats::resident::read().unwrap_or(0),
        retained: stats::retained::read().unwrap_or(0),
    }
}

/// Name and version, as `jemalloc-5.3.0`.
pub fn version() -> String {
    let text = tikv_jemalloc_ctl::version::read().unwrap_or("unknown");
    format!("jemalloc-{}", text.split('-').next().unwrap_or(text))
}

/// The name that stands for all arenas together, with what is done to them.
const PURGE_ALL: &std::ffi::CStr = c"arena.4096.purge";

/// Gives pages back to the system that hold no allocation.
pub fn purge() {
    // SAFETY: the name is a text with an end, and neither a value is asked for nor given.
    unsafe {
        sys::mallctl(PURGE_ALL.as_ptr(), std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut(), 0);
    }
}

/// Whether blocks can be told apart by where they lie.
pub const TELLS_PLACES: bool = true;

/// What jemalloc says of the slab that a block lies in, and of all slabs of its class.
#[repr(C)]
#[derive(Default)]
struct Place {
    /// Where the slab lies that blocks are taken from at present.
    present: usize,
    free: usize,
    regions: usize,
    slab_bytes: usize,
    class_free: usize,
    class_regions: usize,
}

thread_local! {
    /// The number of the name by which places are asked for.
    static PLACE: OnceLock<Option<[usize; 3]>> = const { OnceLock::new() };
}

fn find_place() -> Option<[usize; 3]> {
    let (mut mib, mut len) = ([0; 3], 3);
    let name = c"experimental.utilization.query";
    // SAFETY: the name has an end, and there is room for as many numbers as are said.
    let failed = unsafe { sys::mallctlnametomib(name.as_ptr(), mib.as_mut_ptr(), &raw mut len) };
    (failed == 0).then_some(mib)
}

/// Whether a block lies in a slab that is emptier than those of its class are on the average, and that no blocks
/// are taken from at present: moved elsewhere it helps to free the slab. What has a slab of its own never does.
///
/// # Safety
/// It was allocated here, and is not freed.
pub unsafe fn is_misplaced(memory: *mut u8) -> bool {
    let Some(mib) = PLACE.with(|cell| *cell.get_or_init(find_place)) else { return false };
    let (mut place, mut len) = (Place::default(), size_of::<Place>());
    let mut asked = memory;
    // SAFETY: the struct is jemalloc's, in its length, and a live block is asked about.
    let failed = unsafe {
        let (place, asked) = ((&raw mut place).cast(), (&raw mut asked).cast());
        sys::mallctlbymib(mib.as_ptr(), mib.len(), place, &raw mut len, asked, size_of::<*mut u8>())
    };
    if failed != 0 || place.regions < 2 || place.free == 0 || place.class_regions < place.regions {
        return false;
    }
    if memory.addr().wrapping_sub(place.present) < place.slab_bytes {
        return false;
    }
    let (used, slabs) = (place.regions - place.free, place.class_regions / place.regions);
    let class_used = place.class_regions - place.class_free;
    used * slabs <= class_used + class_used / 8
}

/// As [`allocate`], of slabs and not of what this thread has kept when it freed.
pub fn allocate_elsewhere(len: usize) -> *mut u8 {
    // SAFETY: any length may be asked for.
    unsafe { sys::mallocx(len, sys::MALLOCX_TCACHE_NONE).cast() }
}

/// As [`free`], to the slab.
///
/// # Safety
/// As of [`free`].
pub unsafe fn free_to_slab(memory: *mut u8) {
    // SAFETY: as the caller vouches.
    unsafe { sys::dallocx(memory.cast(), sys::MALLOCX_TCACHE_NONE) }
}

/// Has slabs get back what this thread has kept when it freed.
pub fn flush_kept() {
    // SAFETY: the name has an end, and neither a value is asked for nor given.
    unsafe {
        let name = c"thread.tcache.flush".as_ptr();
        sys::mallctl(name, std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut(), 0);
    }
}

/// A number that it tells by a name of its own, as `arenas.page`: of those that may be read without anything
/// coming of it.
pub fn number(name: &str) -> Option<i64> {
    let is_plain = ["arenas.", "config.", "opt.", "stats."].iter().any(|begin| name.starts_with(begin));
    let name = std::ffi::CString::new(name).ok().filter(|_| is_plain && name != "arenas.create")?;
    for len in [8, 4, 1] {
        let (mut value, mut taken) = (0i64, len);
        let at = (&raw mut value).cast();
        // SAFETY: the name has an end, at most `len` bytes are written where as many are, and nothing is set.
        if unsafe { sys::mallctl(name.as_ptr(), at, &raw mut taken, std::ptr::null_mut(), 0) } == 0 {
            return Some(value);
        }
    }
    None
}

/// Its statistics as it words them itself.
pub fn report() -> String {
    unsafe extern "C" fn append(text: *mut std::ffi::c_void, part: *const std::ffi::c_char) {
        // SAFETY: what was given to the function below, and a text with an end.
        let (text, part) = unsafe { (&mut *text.cast::<String>(), std::ffi::CStr::from_ptr(part)) };
        text.push_str(&part.to_string_lossy());
    }
    let mut text = String::new();
    // SAFETY: the function is called with the text's address until this returns.
    unsafe { sys::malloc_stats_print(Some(append), (&raw mut text).cast(), std::ptr::null()) };
    text
}
