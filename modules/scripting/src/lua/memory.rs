//! What Lua's states have of memory: counted, and bounded while scripts' own code runs.
//!
//! Lua answers a refusal by raising an error. It is raised from wherever Lua was when it wanted memory, over all
//! frames up to the protected call; so nothing is refused while a function of Rust is on top, and what that
//! takes beyond the limit is refused the script when it goes on.

use std::alloc::Layout;
use std::ffi::c_void;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// What one state has.
pub(crate) struct Account {
    used_bytes: AtomicUsize,
}

impl Account {
    /// Nothing yet.
    pub(crate) const fn new() -> Account {
        Account { used_bytes: AtomicUsize::new(0) }
    }

    /// Bytes that the state has.
    pub(crate) fn used_bytes(&self) -> usize {
        self.used_bytes.load(Relaxed)
    }
}

static MOST_BYTES: AtomicUsize = AtomicUsize::new(usize::MAX);
static REFUSES: AtomicBool = AtomicBool::new(false);

/// Bytes that scripts may take each state to.
pub(crate) fn set_most_bytes(bytes: usize) {
    MOST_BYTES.store(bytes, Relaxed);
}

/// Until it is dropped memory is granted, or refused beyond the limit.
pub(crate) struct Mode {
    before: bool,
}

/// A function of Rust is about to run.
pub(crate) fn grant() -> Mode {
    Mode { before: REFUSES.swap(false, Relaxed) }
}

/// A script's own code is about to run.
pub(crate) fn refuse() -> Mode {
    Mode { before: REFUSES.swap(true, Relaxed) }
}

impl Drop for Mode {
    fn drop(&mut self) {
        REFUSES.store(self.before, Relaxed);
    }
}

/// Blocks from so many bytes on take time to fill.
const LARGE_BYTES: usize = 64 << 10;
/// So many bytes are filled in a nanosecond or so.
const BYTES_PER_WORK: usize = 4;

/// Alignment of whatever Lua keeps: doubles and addresses.
const ALIGN: usize = 8;

/// The function that Lua asks for memory, and gives it back to.
pub(super) unsafe extern "C" fn allocate(
    account: *mut c_void,
    block: *mut c_void,
    old_bytes: usize,
    new_bytes: usize,
) -> *mut c_void {
    let old_bytes = if block.is_null() { 0 } else { old_bytes };
    // SAFETY: it is what `Lua::new` gave, a static.
    let account = unsafe { &*account.cast_const().cast::<Account>() };
    let used = account.used_bytes.load(Relaxed);
    if new_bytes > old_bytes
        && REFUSES.load(Relaxed)
        && used.saturating_add(new_bytes - old_bytes) > MOST_BYTES.load(Relaxed)
    {
        return std::ptr::null_mut();
    }
    if new_bytes > old_bytes && new_bytes >= LARGE_BYTES {
        super::hook::spend_running((new_bytes / BYTES_PER_WORK) as u64);
    }
    let Ok(layout) = Layout::from_size_align(new_bytes, ALIGN) else { return std::ptr::null_mut() };
    // SAFETY: Lua says of each block how long it is; one of no bytes is null, and so is none.
    let new = unsafe {
        let old = Layout::from_size_align_unchecked(old_bytes, ALIGN);
        match (old_bytes, new_bytes) {
            (0, 0) => return std::ptr::null_mut(),
            (0, _) => std::alloc::alloc(layout),
            (_, 0) => {
                std::alloc::dealloc(block.cast(), old);
                account.used_bytes.store(used - old_bytes, Relaxed);
                return std::ptr::null_mut();
            }
            _ => std::alloc::realloc(block.cast(), old, new_bytes),
        }
    };
    if !new.is_null() {
        account.used_bytes.store(used + new_bytes - old_bytes, Relaxed);
    }
    new.cast()
}
