//! Functions of Lua's libraries as scripts get them: with a look at their arguments first.
//!
//! Scripts share tables that none of them may change (the globals and all that is in them). Lua 5.1 knows no such
//! tables, so scripts see a *locked* one in the place of each: an empty table whose metatable reads the real one
//! and refuses writes. What goes past metatables is guarded here. The function behind each guard is Lua's own and
//! runs in the same call, so that its errors name it and the line as they did.
//!
//! A locked table's metatable has at 1 an address that scripts cannot make, and at 2 the real table.

use super::Lua;
use super::pattern::{Wanted, is_affordable, is_plain};
use mlua::ffi;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// What refuses to change a locked table.
pub(crate) const LOCKED: &str = "Attempt to modify a readonly table";

/// Its address marks the metatables of locked tables.
static MARK: u8 = 0;

/// The mark.
pub(crate) fn mark() -> *const u8 {
    &raw const MARK
}

/// Longest pattern: one is matched by recursion, as deep as it has parts.
const PATTERN_BYTES_MAX: usize = 8192;
/// Longest string that `rep` makes.
const REP_BYTES_MAX: usize = 512 << 20;

/// Steps of a plain search that take no time to speak of.
const PLAIN_STEPS_FEW: usize = 1 << 24;

/// How a guard goes about its first argument.
macro_rules! guards {
    ($($name:ident: $check:ident;)*) => {
        /// The functions behind the guards.
        struct Behind {
            $($name: AtomicPtr<c_void>,)*
        }

        static BEHIND: Behind = Behind { $($name: AtomicPtr::new(std::ptr::null_mut()),)* };

        $(
            unsafe extern "C-unwind" fn $name(state: *mut ffi::lua_State) -> c_int {
                // SAFETY: Lua calls this with a state; a check has nothing to drop when it raises.
                unsafe {
                    $check(state);
                    let behind: ffi::lua_CFunction = std::mem::transmute(BEHIND.$name.load(Relaxed));
                    behind(state)
                }
            }
        )*

        /// Put each guard in the place of the function of its name in the tables of its library, which are globals.
        pub(crate) fn install(lua: Lua) {
            $(
                let (library, function) = stringify!($name).split_once("_").unwrap_or(("_G", stringify!($name)));
                lua.push_bytes(library);
                lua.raw_get(super::GLOBALS);
                let table = lua.top();
                lua.raw_get_name(table, function);
                // SAFETY: the function is one of Lua's libraries, which stay.
                if let Some(found) = unsafe { ffi::lua_tocfunction(lua.0, -1) } {
                    BEHIND.$name.store(found as *mut c_void, Relaxed);
                    lua.push_native($name);
                    lua.raw_set_name(table, function);
                }
                lua.set_top(table - 1);
            )*
        }
    };
}

guards! {
    rawset: unlocked;
    setmetatable: unlocked;
    rawget: opened;
    next: opened;
    table_insert: unlocked;
    table_remove: unlocked;
    table_sort: unlocked;
    string_rep: short;
    string_find: findable;
    string_match: matchable;
    string_gmatch: iterable;
    string_gsub: replaceable;
    coroutine_create: living;
    coroutine_wrap: living;
    coroutine_resume: living;
}

/// Push the real table behind the first argument, if it is a locked one.
unsafe fn push_real(state: *mut ffi::lua_State) -> bool {
    // SAFETY: called by guards with their state; what is pushed is taken away again.
    unsafe {
        if ffi::lua_type(state, 1) != ffi::LUA_TTABLE || ffi::lua_getmetatable(state, 1) == 0 {
            return false;
        }
        ffi::lua_rawgeti_(state, -1, 1);
        let is_locked = ffi::lua_tolightuserdata(state, -1).cast_const().cast() == mark();
        ffi::lua_pop(state, 1);
        if is_locked {
            ffi::lua_rawgeti_(state, -1, 2);
            ffi::lua_remove(state, -2);
        } else {
            ffi::lua_pop(state, 1);
        }
        is_locked
    }
}

/// The first argument is to be changed.
unsafe fn unlocked(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe {
        if push_real(state) {
            ffi::lua_pushlstring_(state, LOCKED.as_ptr().cast(), LOCKED.len());
            ffi::lua_error(state);
        }
    }
}

/// The first argument is to be read: the real one.
unsafe fn opened(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe {
        if push_real(state) {
            ffi::lua_replace(state, 1);
        }
    }
}

/// The first argument is to be repeated.
unsafe fn short(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe {
        let mut len = 0;
        ffi::luaL_checklstring(state, 1, &mut len);
        let times = ffi::luaL_checknumber(state, 2);
        if len == 0 {
            // However often: Lua would count.
            ffi::lua_pushnumber(state, 0.0);
            ffi::lua_replace(state, 2);
        } else if times * len as f64 > REP_BYTES_MAX as f64 {
            ffi::luaL_error(state, c"resulting string too large".as_ptr());
        }
    }
}

/// The second argument is a pattern, whose first match is looked for, unless the fourth says that it is to be taken
/// as it is.
unsafe fn findable(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe {
        let mut len = 0;
        let pattern = ffi::luaL_checklstring(state, 2, &mut len);
        let pattern = std::slice::from_raw_parts(pattern.cast::<u8>(), len);
        if ffi::lua_toboolean(state, 4) != 0 || is_plain(pattern) {
            shorten(state);
        } else {
            affordable(state, Wanted::First, true);
        }
    }
}

/// What is looked for as it is takes Lua as many steps as both texts have bytes, one times the other: where that is
/// much it is found here, and Lua told to begin there.
unsafe fn shorten(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe {
        let (mut text_len, mut len) = (0, 0);
        let text = ffi::luaL_checklstring(state, 1, &mut text_len);
        let wanted = ffi::luaL_checklstring(state, 2, &mut len);
        if text_len.saturating_mul(len) < PLAIN_STEPS_FEW {
            return;
        }
        let begin = ffi::luaL_optinteger(state, 3, 1);
        let begin = if begin < 0 { begin + text_len as ffi::lua_Integer + 1 } else { begin };
        let begin = usize::try_from(begin - 1).unwrap_or(0).min(text_len);
        let text = std::slice::from_raw_parts(text.cast::<u8>(), text_len);
        let wanted = std::slice::from_raw_parts(wanted.cast::<u8>(), len);
        let found = memchr::memmem::find(&text[begin..], wanted);
        // Behind the end there is nothing to be found in.
        let from = found.map_or(text_len, |at| begin + at) + 1;
        ffi::lua_settop(state, 4);
        ffi::lua_pushnumber(state, from as f64);
        ffi::lua_replace(state, 3);
    }
}

/// The second argument is a pattern, whose first match is looked for.
unsafe fn matchable(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe { affordable(state, Wanted::First, true) }
}

/// The second argument is a pattern, all matches of which are looked for, one by one.
unsafe fn iterable(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe { affordable(state, Wanted::All, false) }
}

/// The second argument is a pattern, whose matches are replaced.
unsafe fn replaceable(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe { affordable(state, Wanted::All, true) }
}

/// The first argument is a text in which the second, a pattern, is looked for.
unsafe fn affordable(state: *mut ffi::lua_State, wanted: Wanted, takes_anchor: bool) {
    // SAFETY: as in `push_real`; what is tried is dropped before anything is raised.
    unsafe {
        let (mut text_len, mut len) = (0, 0);
        let text = ffi::luaL_checklstring(state, 1, &mut text_len);
        let pattern = ffi::luaL_checklstring(state, 2, &mut len);
        let is_affordable = len <= PATTERN_BYTES_MAX && {
            let text = std::slice::from_raw_parts(text.cast::<u8>(), text_len);
            let pattern = std::slice::from_raw_parts(pattern.cast::<u8>(), len);
            std::panic::catch_unwind(|| is_affordable(text, pattern, wanted, takes_anchor)).unwrap_or(false)
        };
        if !is_affordable {
            ffi::luaL_error(state, c"pattern too complex".as_ptr());
        }
    }
}

/// The script goes on, unless it is to end.
unsafe fn living(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe { super::hook::end_if_ended(state) }
}

/// `pairs`, whose `next` is the guarded one, kept beside it.
pub(crate) unsafe extern "C-unwind" fn pairs(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a state; there is nothing to drop.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_pushcclosure(state, next, 0);
        ffi::lua_pushvalue(state, 1);
        ffi::lua_pushnil(state);
        3
    }
}

/// `unpack`, whose count does not overflow, and of no more than the stack has room for.
pub(crate) unsafe extern "C-unwind" fn unpack(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a state; there is nothing to drop.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let number = |at: c_int, otherwise: i64| {
            if ffi::lua_type(state, at) <= ffi::LUA_TNIL { otherwise } else { ffi::luaL_checknumber(state, at) as i64 }
        };
        let first = i64::from(number(2, 1) as c_int);
        let last = i64::from(number(3, ffi::lua_objlen(state, 1) as i64) as c_int);
        if first > last {
            return 0;
        }
        let count = last - first + 1;
        if count >= i64::from(c_int::MAX) || ffi::lua_checkstack(state, count as c_int) == 0 {
            return ffi::luaL_error(state, c"too many results to unpack".as_ptr());
        }
        for at in first..=last {
            ffi::lua_rawgeti_(state, 1, at as c_int);
        }
        count as c_int
    }
}

/// `loadstring`, of source only, with the collector at rest as in [`Lua::load`].
pub(crate) unsafe extern "C-unwind" fn loadstring(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a state; there is nothing to drop, and the parser's errors come as a result.
    unsafe {
        let mut len = 0;
        let data = ffi::luaL_checklstring(state, 1, &mut len);
        let name = ffi::luaL_optlstring(state, 2, data, std::ptr::null_mut());
        if len > 0 && *data == 0x1b {
            ffi::lua_pushnil(state);
            ffi::lua_pushstring(state, c"attempt to load a compiled script".as_ptr());
            return 2;
        }
        ffi::lua_gc(state, ffi::LUA_GCSTOP, 0);
        let status = ffi::luaL_loadbuffer(state, data, len, name);
        ffi::lua_gc(state, ffi::LUA_GCRESTART, 0);
        if status == 0 {
            return 1;
        }
        ffi::lua_pushnil(state);
        ffi::lua_insert(state, -2);
        2
    }
}

/// `pcall`: what `redis.call` has raised becomes its text.
pub(crate) unsafe extern "C-unwind" fn pcall(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a state; there is nothing to drop.
    unsafe {
        ffi::luaL_checkany(state, 1);
        let status = ffi::lua_pcall(state, ffi::lua_gettop(state) - 1, ffi::LUA_MULTRET, 0);
        if status != 0 {
            living(state);
        }
        ffi::lua_pushboolean(state, (status == 0).into());
        ffi::lua_insert(state, 1);
        if status != 0 && ffi::lua_type(state, 2) == ffi::LUA_TTABLE {
            ffi::lua_pushstring(state, c"err".as_ptr());
            ffi::lua_rawget_(state, 2);
            if ffi::lua_type(state, -1) == ffi::LUA_TSTRING {
                ffi::lua_replace(state, 2);
            } else {
                ffi::lua_settop(state, 2);
            }
        }
        ffi::lua_gettop(state)
    }
}
