//! Functions of Lua's libraries as scripts get them: with a look at their arguments first.
//!
//! Scripts share tables that none of them may change (the globals and all that is in them). Lua 5.1 knows no such
//! tables, so scripts see a *locked* one in the place of each: an empty table whose metatable reads the real one
//! and refuses writes. What goes past metatables is guarded here. The function behind each guard is Lua's own and
//! runs in the same call, so that its errors name it and the line as they did.
//!
//! A locked table's metatable has at 1 an address that scripts cannot make, and at 2 the real table.

use super::Lua;
use super::hook::{self, end_if_ended, look_within, spend};
use super::pattern::{Asked, Stop, Wanted, is_plain, steps_of};
use crate::scripts::SOURCE_BYTES_MAX;
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
const PLAIN_STEPS_FEW: usize = 1 << 20;
/// Work of a byte that is compiled.
const WORK_PER_SOURCE_BYTE: u64 = 32;
/// So many numbers are sorted without a look.
const SORTED_FEW: usize = 1 << 17;
/// Work of a table's element that is looked at or moved.
const WORK_PER_ELEMENT: u64 = 8;
/// Work of a step of a pattern, which is done twice.
const WORK_PER_STEP: u64 = 4;

/// What a guard calls.
macro_rules! called {
    ($name:ident, $state:ident) => {
        behind(&BEHIND.$name, $state)
    };
    ($name:ident, $state:ident, $instead:ident) => {
        $instead($state)
    };
}

/// How a guard goes about its arguments, and what it does in the place of only calling the function behind it.
macro_rules! guards {
    ($($name:ident: $check:ident $(=> $instead:ident)?;)*) => {
        /// The functions behind the guards.
        struct Behind {
            $($name: AtomicPtr<c_void>,)*
        }

        /// Call a function behind a guard.
        unsafe fn behind(function: &AtomicPtr<c_void>, state: *mut ffi::lua_State) -> c_int {
            // SAFETY: `install` has put it there before any script could call.
            unsafe {
                let function: ffi::lua_CFunction = std::mem::transmute(function.load(Relaxed));
                function(state)
            }
        }

        static BEHIND: Behind = Behind { $($name: AtomicPtr::new(std::ptr::null_mut()),)* };

        $(
            unsafe extern "C-unwind" fn $name(state: *mut ffi::lua_State) -> c_int {
                // SAFETY: Lua calls this with a state; a check has nothing to drop when it raises.
                unsafe {
                    $check(state);
                    called!($name, state $(, $instead)?)
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
    table_insert: widened;
    table_remove: narrowed;
    table_sort: sortable;
    table_concat: walked;
    table_maxn: walked;
    string_rep: short => repeat;
    string_find: findable;
    string_match: matchable;
    string_gmatch: iterable;
    string_gsub: replaceable;
    coroutine_create: living;
    coroutine_wrap: living => wrap;
    coroutine_resume: living => resume;
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

/// The first argument is gone through.
unsafe fn walked(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe {
        if ffi::lua_type(state, 1) == ffi::LUA_TTABLE {
            spend(state, ffi::lua_objlen(state, 1) as u64 * WORK_PER_ELEMENT);
        }
    }
}

/// The first argument is to be changed at a place that the second says, and what is behind it moves.
unsafe fn narrowed(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe {
        unlocked(state);
        if ffi::lua_type(state, 1) == ffi::LUA_TTABLE && ffi::lua_type(state, 2) == ffi::LUA_TNUMBER {
            let moved = ffi::lua_objlen(state, 1) as f64 - ffi::lua_tonumber(state, 2);
            spend(state, moved.max(0.0) as u64 * WORK_PER_ELEMENT);
        }
    }
}

/// The same, where the second argument is a place only if there is a third.
unsafe fn widened(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe {
        if ffi::lua_gettop(state) < 3 {
            unlocked(state);
        } else {
            narrowed(state);
        }
    }
}

/// The first argument is to be sorted: with a function that looks from time to time whether to go on, where none is
/// given and it could take long. Of strings it is not known, however few they are.
unsafe fn sortable(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`.
    unsafe {
        unlocked(state);
        if ffi::lua_type(state, 1) != ffi::LUA_TTABLE || ffi::lua_type(state, 2) > ffi::LUA_TNIL {
            return;
        }
        ffi::lua_rawgeti_(state, 1, 1);
        let is_text = ffi::lua_type(state, -1) == ffi::LUA_TSTRING;
        ffi::lua_settop(state, 1);
        if is_text || ffi::lua_objlen(state, 1) > SORTED_FEW {
            ffi::lua_pushcclosure(state, less, 0);
        }
    }
}

/// Whether the first argument is less than the second, as `sort` has it.
unsafe extern "C-unwind" fn less(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a state; there is nothing to drop.
    unsafe {
        // Of a number the length would be that of its text, which it would become.
        let are_texts = ffi::lua_type(state, 1) == ffi::LUA_TSTRING && ffi::lua_type(state, 2) == ffi::LUA_TSTRING;
        let bytes = if are_texts { ffi::lua_objlen(state, 1).min(ffi::lua_objlen(state, 2)) } else { 0 };
        look_within(state, WORK_PER_ELEMENT + bytes as u64 / 8);
        let is_less = ffi::lua_lessthan(state, 1, 2);
        ffi::lua_pushboolean(state, is_less);
        1
    }
}

/// The first argument is to be repeated.
unsafe fn short(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe {
        let mut len = 0;
        ffi::luaL_checklstring(state, 1, &mut len);
        let times = ffi::luaL_checknumber(state, 2);
        if times * len as f64 > REP_BYTES_MAX as f64 {
            ffi::luaL_error(state, c"resulting string too large".as_ptr());
        }
    }
}

/// `rep`, which doubles: Lua's own takes a step for each time.
unsafe fn repeat(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe {
        let times = ffi::lua_tonumber(state, 2);
        if ffi::lua_objlen(state, 1) == 0 || times < 1.0 {
            ffi::lua_pushstring(state, c"".as_ptr());
            return 1;
        }
        // No more than the longest string has bytes.
        let mut left = times as usize;
        ffi::lua_settop(state, 1);
        ffi::lua_pushstring(state, c"".as_ptr());
        loop {
            if left & 1 == 1 {
                ffi::lua_pushvalue(state, 1);
                ffi::lua_concat(state, 2);
            }
            left >>= 1;
            if left == 0 {
                return 1;
            }
            ffi::lua_pushvalue(state, 1);
            ffi::lua_pushvalue(state, 1);
            ffi::lua_concat(state, 2);
            ffi::lua_replace(state, 1);
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
        let begin = begin(state, text_len);
        spend(state, (text_len - begin) as u64 / 8);
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

/// Where a text is looked into from, which the third argument says: from 1 on, or from its end backwards.
unsafe fn begin(state: *mut ffi::lua_State, text_len: usize) -> usize {
    // SAFETY: as in `push_real`; there is nothing to drop.
    let begin = unsafe { ffi::luaL_optinteger(state, 3, 1) };
    let begin = if begin < 0 { begin.saturating_add(text_len as ffi::lua_Integer + 1) } else { begin };
    usize::try_from(begin.saturating_sub(1)).unwrap_or(0).min(text_len)
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

/// The first argument is a text in which the second, a pattern, is looked for, from where the third says.
unsafe fn affordable(state: *mut ffi::lua_State, wanted: Wanted, takes_anchor: bool) {
    // SAFETY: as in `push_real`; what is tried is dropped before anything is raised.
    unsafe {
        let (mut text_len, mut len) = (0, 0);
        let text = ffi::luaL_checklstring(state, 1, &mut text_len);
        let pattern = ffi::luaL_checklstring(state, 2, &mut len);
        let steps = if len > PATTERN_BYTES_MAX {
            Err(Stop::Steps)
        } else {
            let text = std::slice::from_raw_parts(text.cast::<u8>(), text_len);
            let pattern = std::slice::from_raw_parts(pattern.cast::<u8>(), len);
            let from = if wanted == Wanted::First { begin(state, text_len) } else { 0 };
            let asked = Asked { text, from, pattern, wanted, takes_anchor };
            std::panic::catch_unwind(|| steps_of(asked, &mut hook::look_aside)).unwrap_or(Err(Stop::Steps))
        };
        match steps {
            Ok(steps) => spend(state, steps.saturating_mul(WORK_PER_STEP)),
            Err(Stop::Ended) => end_if_ended(state),
            Err(_) => {
                ffi::luaL_error(state, c"pattern too complex".as_ptr());
            }
        }
    }
}

/// The script goes on, unless it is to end.
unsafe fn living(state: *mut ffi::lua_State) {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe { end_if_ended(state) }
}

/// `resume`, whose coroutine is what runs meanwhile; when it was ended, whoever has resumed it is too.
unsafe fn resume(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as in `push_real`; there is nothing to drop, and where an error goes past this, `pcall` or the end of
    // the script takes back what is set here.
    unsafe {
        let coroutine = ffi::lua_tothread(state, 1);
        if !coroutine.is_null() {
            hook::run_in(coroutine);
        }
        let results = behind(&BEHIND.coroutine_resume, state);
        hook::run_in(state);
        end_if_ended(state);
        results
    }
}

/// `wrap`, by [`resume`].
unsafe fn wrap(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as in `push_real`; there is nothing to drop.
    unsafe {
        behind(&BEHIND.coroutine_create, state);
        ffi::lua_pushcclosure(state, wrapped, 1);
        1
    }
}

/// What `wrap` gives: its errors are raised, and where they are texts they say where it was called.
unsafe extern "C-unwind" fn wrapped(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with a state; there is nothing to drop.
    unsafe {
        living(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        let results = resume(state);
        if ffi::lua_toboolean(state, -results) != 0 {
            return results - 1;
        }
        if ffi::lua_isstring(state, -1) != 0 {
            ffi::luaL_where(state, 1);
            ffi::lua_insert(state, -2);
            ffi::lua_concat(state, 2);
        }
        ffi::lua_error(state)
    }
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
        let refusal = match len {
            0 => None,
            _ if *data == 0x1b => Some(c"attempt to load a compiled script"),
            _ if len > SOURCE_BYTES_MAX => Some(c"the chunk is too long"),
            _ => None,
        };
        if let Some(refusal) = refusal {
            ffi::lua_pushnil(state);
            ffi::lua_pushstring(state, refusal.as_ptr());
            return 2;
        }
        spend(state, len as u64 * WORK_PER_SOURCE_BYTE);
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
            hook::run_in(state);
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
