//! The panic: caught at the border, logged, answered with an error.
//!
//! No panic may leave a module: it would unwind through C frames. Every function that the SDK
//! hands to the host runs its Rust part under [`guard`], which costs nothing while nobody
//! panics. Where and why a panic happened is known to the panic hook only; so `start` installs a
//! hook that writes a line to the server's log in place of standard error. In a test the hook of the
//! test harness stays.

use crate::host;
use std::any::Any;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether the hook writes the log line, so that the guard need not.
static HOOKED: AtomicBool = AtomicBool::new(false);
/// Whether the process belongs to a test, whose hook must stay.
static KEEP_HOOK: AtomicBool = AtomicBool::new(false);
static INSTALL: Once = Once::new();

/// Leaves the process's panic hook alone from now on: for a program that modules are linked into,
/// which has panics of its own to report.
pub fn keep_panic_hook() {
    KEEP_HOOK.store(true, Relaxed);
}

/// Lets panics of this shared object go to the server's log.
pub(crate) fn install_hook() {
    if KEEP_HOOK.load(Relaxed) {
        return;
    }
    INSTALL.call_once(|| {
        std::panic::set_hook(Box::new(log_panic));
        HOOKED.store(true, Relaxed);
    });
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let message = message_of(info.payload());
    let text = match info.location() {
        Some(at) => format!("panic at {}:{}: {message}", at.file(), at.line()),
        None => format!("panic: {message}"),
    };
    host::log(host::LOG_WARNING, &text);
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "(no message)"
    }
}

/// Runs `work`; `None` when it panicked, which is logged and counted then.
#[inline(always)]
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> Option<T> {
    let done = guard_command(work);
    if done.is_none() {
        host::panicked();
    }
    done
}

/// The same for the handler of a command, of which the host itself counts the panics.
#[inline(always)]
pub(crate) fn guard_command<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            after_panic(payload);
            None
        }
    }
}

#[cold]
fn after_panic(payload: Box<dyn Any + Send>) {
    if !HOOKED.load(Relaxed) {
        host::log(host::LOG_WARNING, &format!("panic: {}", message_of(&*payload)));
    }
    // A payload whose own drop panics must not unwind either, nor what it panics with.
    if let Err(other) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(other);
    }
}
