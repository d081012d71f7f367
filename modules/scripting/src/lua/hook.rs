//! What Lua calls every so many instructions, so that no script goes on without an end.
//!
//! A coroutine has its maker's hook and counts for itself. One that is told to end dies of that, and whoever has
//! resumed it goes on; so there the error is raised too, when it makes or resumes one, or has counted.

use super::{Lua, memory};
use crate::{api, busy};
use mlua::ffi;
use std::ffi::c_int;

/// Instructions between two looks.
const INSTRUCTIONS: c_int = 100_000;

impl Lua {
    /// Have the hook called from here on.
    pub(crate) fn hook_again(self) {
        // SAFETY: the state is alive; the hook keeps to Lua's rules.
        unsafe {
            ffi::lua_sethook(self.0, Some(look), ffi::LUA_MASKCOUNT, INSTRUCTIONS);
        }
    }

    /// Have it called with each instruction.
    fn hook_always(self) {
        // SAFETY: as above.
        unsafe {
            ffi::lua_sethook(self.0, Some(look), ffi::LUA_MASKCOUNT, 1);
        }
    }

    /// Push the error that ends a script, and have it raised again.
    pub(crate) fn push_end(self, text: &str) {
        self.hook_always();
        api::push_error(self, text);
    }
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

/// Whether the script is to end, with its error on top.
fn ends(lua: Lua) -> bool {
    let ends = {
        let _granted = memory::grant();
        std::panic::catch_unwind(busy::look).unwrap_or(Some("ERR the module of scripts panicked"))
    };
    if let Some(text) = ends {
        push_end(lua, text);
    }
    ends.is_some()
}
