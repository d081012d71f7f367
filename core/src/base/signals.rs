//! Signals: SIGTERM and SIGINT stop the server, SIGHUP has it read its files of users anew, SIGPIPE is ignored.
//!
//! A second SIGINT while the server stops ends it at once; a file that is being written then, and that
//! nobody would read, is removed.

use mio::Waker;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

/// SIGINT.
pub const INTERRUPT: i32 = SIGINT;

/// The signal that asks for a stop, 0 for none.
static STOP: AtomicI32 = AtomicI32::new(0);
/// Whether a signal that asked for a stop is being followed.
static STOPPING: AtomicBool = AtomicBool::new(false);
/// Whether files are to be read anew.
static HANGUP: AtomicBool = AtomicBool::new(false);
/// What is removed when the server ends at once.
static GUARDED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The signal that asked for a stop since the last call.
pub fn take_stop() -> Option<i32> {
    let signal = STOP.swap(0, Ordering::Relaxed);
    STOPPING.fetch_or(signal != 0, Ordering::Relaxed);
    (signal != 0).then_some(signal)
}

/// Whether files are to be read anew since the last call.
pub fn take_hangup() -> bool {
    HANGUP.swap(false, Ordering::Relaxed)
}

/// Forget a signal that asked for a stop; whether there was one.
pub fn cancel_stop() -> bool {
    STOP.swap(0, Ordering::Relaxed) != 0
}

/// The server does not stop after all.
pub fn stopped_not() {
    STOPPING.store(false, Ordering::Relaxed);
}

/// Have a file removed when the server ends at once.
pub fn guard_file(path: Option<PathBuf>) {
    *GUARDED.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = path;
}

/// Watch for signals on a thread of their own, which wakes the loop.
pub fn watch(waker: Arc<Waker>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        crate::base::process::processors::in_background();
        for signal in &mut signals {
            if signal == SIGHUP {
                HANGUP.store(true, Ordering::Relaxed);
                let _ = waker.wake();
                continue;
            }
            let is_stopping = STOPPING.load(Ordering::Relaxed) || STOP.load(Ordering::Relaxed) != 0;
            if signal == SIGINT && is_stopping {
                end_at_once();
            }
            STOP.store(signal, Ordering::Relaxed);
            let _ = waker.wake();
        }
    })?;
    Ok(())
}

fn end_at_once() -> ! {
    crate::base::log::warning("You insist... exiting now.");
    if let Some(path) = GUARDED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        let _ = std::fs::remove_file(path);
    }
    // What others run at an end may wait for a thread that has been stopped in the middle of something.
    crate::base::fork::end(1)
}
