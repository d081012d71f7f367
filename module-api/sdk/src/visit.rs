//! Visits: the provider of a service calls a function with one element after the other, and here that
//! function is a closure.
//!
//! ```text
//! visiting(closure, ask) ── ask(data) ──> table's visit ── run(data, element) ──> turn(data, closure)
//! ```
//!
//! What the elements are, and which answer ends the visit, differs from service to service; so each
//! has a `run` of its own.

use crate::abi::bytes::Opaque;
use crate::abi::status::Status;
use crate::error::{Error, Result, check_found};
use crate::panic::guard;
use std::ops::ControlFlow;

/// What the data of a visit leads to.
struct Visit<F> {
    closure: F,
    has_panicked: bool,
}

/// Has `ask` call the table with data for a function that runs [`turn`] with it. Returns whether there
/// was such a key. Fails with what `ask` fails with, and with `Panic` when the closure panicked.
pub(crate) fn visiting<F>(closure: F, ask: impl FnOnce(Opaque) -> Status) -> Result<bool> {
    let mut visit = Visit { closure, has_panicked: false };
    let status = ask((&raw mut visit).cast());
    if visit.has_panicked { Err(Error::Panic) } else { check_found(status) }
}

/// Hands the closure to `lend`, which calls it with one element; its answer, or `None` when it panicked.
///
/// # Safety
/// `data` is what the [`visiting`] of a closure `F` that is on the stack has handed out, and nobody else
/// uses it now.
#[inline(always)]
pub(crate) unsafe fn turn<F, R>(data: Opaque, lend: impl FnOnce(&mut F) -> R) -> Option<R> {
    // SAFETY: as the caller vouches.
    let visit = unsafe { &mut *data.cast::<Visit<F>>() };
    let answer = guard(|| lend(&mut visit.closure));
    visit.has_panicked |= answer.is_none();
    answer
}

/// What a function says that ends a visit with anything but 0.
#[inline(always)]
pub(crate) fn next(answer: u32) -> ControlFlow<()> {
    if answer == 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
