//! One testbed at a time: the statics of modules, the log and the numbers of types are the process's.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

static ONE: Mutex<()> = Mutex::new(());

thread_local! {
    static HAS_ONE: Cell<bool> = const { Cell::new(false) };
}

/// The right to have a testbed, which belongs to its thread.
pub(crate) struct Turn {
    _guard: MutexGuard<'static, ()>,
}

impl Turn {
    /// Waits until no other thread has a testbed.
    ///
    /// # Panics
    /// When this thread has one: it would wait for itself.
    pub(crate) fn take() -> Turn {
        assert!(!HAS_ONE.get(), "there is one testbed at a time; two databases do for two servers");
        // Whoever failed with one has taken it down all the same.
        let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        HAS_ONE.set(true);
        Turn { _guard: guard }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        HAS_ONE.set(false);
    }
}
