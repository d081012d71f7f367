//! What Lua calls every so many instructions, so that no script goes on without an end.
//!
//! An instruction may take long: to join strings of a hundred megabytes, or to call a function that goes through a
//! large table. So that is counted too, about as the nanoseconds that it takes ([`spend`], which guards call, and the
//! allocator for what is large), and when it has come to much the hook is called with the next instruction.
//! What takes long within one call looks by itself ([`look_within`]), or is bounded.
//!
//! A coroutine has its maker's hook and counts for itself. One that is told to end dies of that, and whoever has
//! resumed it would go on; so the error is raised there again (`guards`).

use super::{Lua, memory};
use crate::{api, busy};
use mlua::ffi;
use std::ffi::c_int;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};

/// Instructions between two looks.
const INSTRUCTIONS: c_int = 100_000;
/// Work between two looks, in nanoseconds or so.
const WORK_MAX: u64 = 10_000_000;

/// Work since the last look.
static WORK: AtomicU64 = AtomicU64::new(0);
/// The state or coroutine in which a script runs; null while none runs.
static RUNNING: AtomicPtr<ffi::lua_State> = AtomicPtr::new(std::ptr::null_mut());

impl Lua {
    /// Have the hook called from here on.
    pub(crate) fn hook_again(self) {
        // SAFETY: the state is alive.
        unsafe { hook(self.0, INSTRUCTIONS) };
    }

    /// Have it called with each instruction.
    fn hook_always(self) {
        // SAFETY: as above.
        unsafe { hook(self.0, 1) };
    }

    /// Push the error that ends a script, and have it raised again.
    pub(crate) fn push_end(self, text: &str) {
        self.hook_always();
        api::push_error(self, text);
    }

    /// A function of Rust has done so much work.
    pub(crate) fn spend(self, work: usize) {
        // SAFETY: the state is alive, and runs the function.
        unsafe { spend(self.0, work as u64) };
    }
}

/// Have the hook called every so many instructions.
///
/// # Safety
/// The state is alive.
unsafe fn hook(state: *mut ffi::lua_State, instructions: c_int) {
    // SAFETY: promised by the caller; the hook keeps to Lua's rules. Nothing but numbers of the state is set, so it
    // may be in the middle of whatever.
    unsafe { ffi::lua_sethook(state, Some(look), ffi::LUA_MASKCOUNT, instructions) };
}

/// A script runs in this state from here on, or in none; in which it was until now.
pub(super) fn run_in(state: *mut ffi::lua_State) -> *mut ffi::lua_State {
    RUNNING.swap(state, Relaxed)
}

/// So much work was done by what the script in this state has called.
///
/// # Safety
/// The state is alive.
pub(super) unsafe fn spend(state: *mut ffi::lua_State, work: u64) {
    if is_much(work) {
        // SAFETY: promised by the caller.
        unsafe { hook(state, 1) };
    }
}

/// So much work was done by whatever script runs.
pub(super) fn spend_running(work: u64) {
    let state = RUNNING.load(Relaxed);
    if !state.is_null() {
        // SAFETY: who runs is alive: a guard takes back what it has set, also when an error has gone past it.
        unsafe { spend(state, work) };
    }
}

fn is_much(work: u64) -> bool {
    let sum = WORK.load(Relaxed).saturating_add(work);
    let is_much = sum >= WORK_MAX;
    WORK.store(if is_much { 0 } else { sum }, Relaxed);
    is_much
}

/// So much work was done in the middle of a function that takes long: look if it is time, and raise the error that
/// ends the script, if it is to end.
///
/// # Safety
/// As for [`end_if_ended`].
pub(super) unsafe fn look_within(state: *mut ffi::lua_State, work: u64) {
    if is_much(work) && ends(Lua(state)) {
        // SAFETY: promised by the caller; the error is on top.
        unsafe { ffi::lua_error(state) };
    }
}

/// Whether the script is to end, after a look.
pub(super) fn look_aside() -> bool {
    look_caught().is_some()
}

/// Raise the error that ends a script, if it is to end.
///
/// # Safety
/// Called by a native function with its state, and with nothing to drop in any frame below the protected call.
pub(super) unsafe fn end_if_ended(state: *mut ffi::lua_State) {
    if let Some(text) = busy::end() {
        push_end(Lua(state), text);
        // SAFETY: promised by the caller; the error is on top.
        unsafe { ffi::lua_error(state) };
    }
}

fn push_end(lua: Lua, text: &str) {
    let _granted = memory::grant();
    lua.push_end(text);
}

unsafe extern "C-unwind" fn look(state: *mut ffi::lua_State, _at: *mut ffi::lua_Debug) {
    if ends(Lua(state)) {
        // SAFETY: the error is on top, and no frame between here and the protected call has anything to drop.
        unsafe { ffi::lua_error(state) };
    }
}

fn look_caught() -> Option<&'static str> {
    let _granted = memory::grant();
    std::panic::catch_unwind(busy::look).unwrap_or(Some("ERR the module of scripts panicked"))
}

/// Whether the script is to end, with its error on top; else it goes on for as long as before.
fn ends(lua: Lua) -> bool {
    WORK.store(0, Relaxed);
    let ends = look_caught();
    match ends {
        Some(text) => push_end(lua, text),
        None => lua.hook_again(),
    }
    ends.is_some()
}
