//! The call in whose stead a script runs, for the functions that the script calls.

use plinth_module::call::Call;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

static CURRENT: AtomicPtr<Call<'static>> = AtomicPtr::new(null_mut());

/// Puts back what was there.
struct Restore(*mut Call<'static>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.store(self.0, Relaxed);
    }
}

/// Have functions that scripts call use this call while `work` runs, which may not.
pub(crate) fn lend<R>(call: &mut Call<'_>, work: impl FnOnce() -> R) -> R {
    let _restore = Restore(CURRENT.swap((&raw mut *call).cast(), Relaxed));
    work()
}

/// Do something with the call of the script that runs; not while the same is done further up.
pub(crate) fn with<R>(work: impl FnOnce(&mut Call<'_>) -> R) -> Option<R> {
    let restore = Restore(CURRENT.swap(null_mut(), Relaxed));
    // SAFETY: whoever lent it waits and does not touch it, and nobody else finds it meanwhile.
    unsafe { restore.0.as_mut() }.map(work)
}
