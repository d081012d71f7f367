//! Threads: work that takes long, beside the main thread.
//!
//! A thread runs code of this module, so it has to end before the module is unmapped. [`spawn`] keeps
//! it, and the SDK waits for all of them when the module leaves, after the module's own `stop`. That
//! keeps everybody waiting: work of many steps asks [`is_stopping`] between them, and what waits for
//! something slow is told to end by `stop`.
//!
//! What a thread has found out it leaves under a lock, and then has a command run again that waits for it:
//! see [`block`](crate::block). Of the host it reaches nothing else but [`log`](crate::host::log).

use crate::error::{Error, Result};
use crate::panic::guard;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Most threads of a module at one time.
pub const THREADS_MAX: usize = 256;

static THREADS: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());
static IS_STOPPING: AtomicBool = AtomicBool::new(false);

/// Runs `work` on a thread of its own. A panic of it is logged and counted. Fails with `OutOfRange` when
/// there are [`THREADS_MAX`] already, and with `OutOfMemory` when the system has none to give.
pub fn spawn(work: impl FnOnce() + Send + 'static) -> Result {
    let mut threads = lock();
    // One that has done its work may still be running what ends it, which is this module's code too.
    threads.extract_if(.., |thread| thread.is_finished()).for_each(join);
    if threads.len() >= THREADS_MAX {
        return Err(Error::OutOfRange);
    }
    let contained = || {
        guard(work);
    };
    let thread = Builder::new().name("module".into()).spawn(contained).map_err(|_| Error::OutOfMemory)?;
    threads.push(thread);
    Ok(())
}

/// Whether the module is leaving, and waits for its threads.
pub fn is_stopping() -> bool {
    IS_STOPPING.load(Relaxed)
}

/// The module starts.
pub(crate) fn begin() {
    IS_STOPPING.store(false, Relaxed);
}

/// The module leaves.
pub(crate) fn say_stopping() {
    IS_STOPPING.store(true, Relaxed);
}

/// Waits for all threads, those included that they begin.
pub(crate) fn join_all() {
    loop {
        let Some(thread) = lock().pop() else { return };
        join(thread);
    }
}

fn join(thread: JoinHandle<()>) {
    // What it could have panicked with was caught.
    let _ = thread.join();
}

fn lock() -> MutexGuard<'static, Vec<JoinHandle<()>>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}
