//! Lua's C interface as far as it is needed here: a state, its stack, and functions of Rust for scripts.
//!
//! Lua raises errors by `longjmp`. So that none jumps over a frame of Rust that has something to drop:
//!
//! - a function of Rust runs within [`function`]'s trampoline, which raises its error when nothing is left to
//!   be dropped;
//! - memory is refused while a script's own code runs, and never while Rust's does ([`memory`]);
//! - nothing here calls what can raise otherwise: tables are read and written without metatables, and `next`
//!   is given keys that it gave itself.
//!
//! *Invariant*: a [`Lua`] does not outlive its state. States are closed by [`close`](Lua::close) only, when no
//! function of theirs runs.

pub(crate) mod current;
pub(crate) mod guards;
pub(crate) mod hook;
pub(crate) mod memory;
mod pattern;

use mlua::ffi;
use std::ffi::{CStr, c_char, c_int};
use std::mem::size_of;

/// What a function of Rust ends with: how many results it has pushed.
pub(crate) type Outcome = Result<c_int, Raised>;

/// An error has been raised: its value is on top of the stack.
pub(crate) struct Raised;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    None,
    Nil,
    Boolean,
    Number,
    String,
    Table,
    Function,
    /// An address, which scripts can neither make nor look into.
    Address,
    Other,
}

/// Where a line of a script was running.
pub(crate) struct Place {
    /// Name of the chunk, as it was given.
    pub source: String,
    /// Line, from 1 on.
    pub line: i32,
    /// Whether it is C's or Rust's.
    pub is_native: bool,
}

/// A value that is kept while nothing on the stack holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kept(c_int);

/// A state, or a coroutine of one.
#[derive(Clone, Copy)]
pub(crate) struct Lua(*mut ffi::lua_State);

// SAFETY: states are touched by the main thread only, which alone runs what calls this module.
unsafe impl Send for Lua {}

/// The table of globals.
pub(crate) const GLOBALS: c_int = ffi::LUA_GLOBALSINDEX;

/// One method for each function that does as its name says.
///
/// What they share: the state is alive (the invariant of this module), the stack has room because callers ask
/// [`has_room`](Lua::has_room) before they push more than a native function may, and indices name values that
/// the caller has pushed or looked at.
impl Lua {
    /// A state without libraries; none where there is no memory.
    pub(crate) fn new(account: &'static memory::Account) -> Option<Lua> {
        // SAFETY: the allocator keeps to what Lua asks of one, and gets the account, which it only reads.
        let state = unsafe { ffi::lua_newstate(memory::allocate, (&raw const *account).cast_mut().cast()) };
        (!state.is_null()).then_some(Lua(state))
    }

    /// Free it, with all that it holds.
    pub(crate) fn close(self) {
        // SAFETY: the caller has the last use of the state.
        unsafe { ffi::lua_close(self.0) }
    }

    /// Load the libraries of the language that do nothing but compute.
    pub(crate) fn open_libraries(self) {
        let all: [(ffi::lua_CFunction, &CStr); 4] = [
            (ffi::luaopen_base, c""),
            (ffi::luaopen_table, c"table"),
            (ffi::luaopen_string, c"string"),
            (ffi::luaopen_math, c"math"),
        ];
        for (open, name) in all {
            // SAFETY: the libraries are Lua's own; nothing refuses them memory.
            unsafe {
                ffi::lua_pushcclosure(self.0, open, 0);
                ffi::lua_pushstring(self.0, name.as_ptr());
                ffi::lua_call(self.0, 1, 0);
            }
        }
    }

    pub(crate) fn top(self) -> c_int {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_gettop(self.0) }
    }

    pub(crate) fn set_top(self, top: c_int) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_settop(self.0, top) }
    }

    pub(crate) fn pop(self, count: c_int) {
        self.set_top(-count - 1);
    }

    /// Whether so many values more may be pushed.
    pub(crate) fn has_room(self, count: c_int) -> bool {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_checkstack(self.0, count) != 0 }
    }

    pub(crate) fn kind(self, at: c_int) -> Kind {
        // SAFETY: see the block's comment.
        match unsafe { ffi::lua_type(self.0, at) } {
            ffi::LUA_TNONE => Kind::None,
            ffi::LUA_TNIL => Kind::Nil,
            ffi::LUA_TBOOLEAN => Kind::Boolean,
            ffi::LUA_TNUMBER => Kind::Number,
            ffi::LUA_TSTRING => Kind::String,
            ffi::LUA_TTABLE => Kind::Table,
            ffi::LUA_TFUNCTION => Kind::Function,
            ffi::LUA_TLIGHTUSERDATA => Kind::Address,
            _ => Kind::Other,
        }
    }

    /// What Lua calls the kind of a value.
    pub(crate) fn kind_name(self, at: c_int) -> &'static str {
        // SAFETY: see the block's comment; the names are constants of Lua's.
        let name = unsafe { CStr::from_ptr(ffi::lua_typename(self.0, ffi::lua_type(self.0, at))) };
        name.to_str().unwrap_or("value")
    }

    /// The number, or 0.
    pub(crate) fn number(self, at: c_int) -> f64 {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_tonumber(self.0, at) }
    }

    /// Whether it is a number, or a text that is one.
    pub(crate) fn is_number(self, at: c_int) -> bool {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_isnumber(self.0, at) != 0 }
    }

    pub(crate) fn boolean(self, at: c_int) -> bool {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_toboolean(self.0, at) != 0 }
    }

    /// The bytes of a string, and of a number, which becomes a string where it lies; none of anything else.
    /// They are there as long as the string is on the stack, or in something that is.
    pub(crate) fn bytes<'a>(self, at: c_int) -> Option<&'a [u8]> {
        let mut len = 0;
        // SAFETY: see the block's comment; a string does not move while something holds it.
        unsafe {
            let data = ffi::lua_tolstring(self.0, at, &mut len);
            (!data.is_null()).then(|| std::slice::from_raw_parts(data.cast::<u8>(), len))
        }
    }

    pub(crate) fn push_nil(self) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_pushnil(self.0) }
    }

    pub(crate) fn push_boolean(self, value: bool) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_pushboolean(self.0, value.into()) }
    }

    pub(crate) fn push_number(self, value: f64) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_pushnumber(self.0, value) }
    }

    pub(crate) fn push_bytes(self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        // SAFETY: see the block's comment; Lua copies the bytes.
        unsafe { ffi::lua_pushlstring_(self.0, bytes.as_ptr().cast::<c_char>(), bytes.len()) }
    }

    /// Push an address, which scripts can neither make nor look into.
    pub(crate) fn push_address(self, address: *const u8) {
        // SAFETY: see the block's comment; Lua does not look behind it.
        unsafe { ffi::lua_pushlightuserdata(self.0, address.cast_mut().cast()) }
    }

    /// Push a copy of a value.
    pub(crate) fn push_copy(self, at: c_int) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_pushvalue(self.0, at) }
    }

    pub(crate) fn insert(self, at: c_int) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_insert(self.0, at) }
    }

    pub(crate) fn remove(self, at: c_int) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_remove(self.0, at) }
    }

    /// Take the topmost value to where another is. [`GLOBALS`] is such a place too.
    pub(crate) fn replace(self, at: c_int) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_replace(self.0, at) }
    }

    pub(crate) fn push_table(self, elements: usize, names: usize) {
        let few = |count: usize| c_int::try_from(count).unwrap_or(0);
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_createtable(self.0, few(elements), few(names)) }
    }

    /// Push what a table holds under the key on top, which goes.
    pub(crate) fn raw_get(self, table: c_int) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_rawget_(self.0, table) }
    }

    /// Push the `index`th element of a table.
    pub(crate) fn raw_get_at(self, table: c_int, index: usize) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_rawgeti_(self.0, table, c_int::try_from(index).unwrap_or(0)) }
    }

    /// Push what a table holds under a name; what kind it is of. `table` counts from the bottom.
    pub(crate) fn raw_get_name(self, table: c_int, name: &str) -> Kind {
        self.push_bytes(name);
        self.raw_get(table);
        self.kind(-1)
    }

    /// Take value and key from the top into a table, the value being topmost.
    pub(crate) fn raw_set(self, table: c_int) {
        // SAFETY: see the block's comment; a key is neither nil nor no number.
        unsafe { ffi::lua_rawset(self.0, table) }
    }

    /// Take the topmost value into a table as its `index`th element.
    pub(crate) fn raw_set_at(self, table: c_int, index: usize) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_rawseti_(self.0, table, c_int::try_from(index).unwrap_or(0)) }
    }

    /// Take the topmost value into a table under a name. `table` counts from the bottom.
    pub(crate) fn raw_set_name(self, table: c_int, name: &str) {
        self.push_bytes(name);
        self.insert(-2);
        self.raw_set(table);
    }

    /// With a key of the table on top, or nil: in its place the next key and its value; false at the end.
    pub(crate) fn next(self, table: c_int) -> bool {
        // SAFETY: see the block's comment; the key is one that this function gave.
        unsafe { ffi::lua_next(self.0, table) != 0 }
    }

    /// Take the topmost table as the metatable of a value.
    pub(crate) fn set_metatable(self, at: c_int) {
        // SAFETY: see the block's comment.
        unsafe {
            ffi::lua_setmetatable(self.0, at);
        }
    }

    /// Push the metatable of a value; false, and nothing, when it has none.
    pub(crate) fn push_metatable(self, at: c_int) -> bool {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_getmetatable(self.0, at) != 0 }
    }

    /// Push a function of Rust.
    pub(crate) fn push_function<F: Fn(Lua) -> Outcome + Copy + 'static>(self, _function: F) {
        const { assert!(size_of::<F>() == 0, "a function for scripts captures nothing") };
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_pushcclosure(self.0, trampoline::<F>, 0) }
    }

    /// Push a function of C's.
    pub(crate) fn push_native(self, function: ffi::lua_CFunction) {
        // SAFETY: see the block's comment; the function is one of `guards`, which keep to Lua's rules.
        unsafe { ffi::lua_pushcclosure(self.0, function, 0) }
    }

    /// Compile source, and push the function, or the error. Source only: what has been compiled is refused.
    ///
    /// The collector rests meanwhile: the parser of 5.1 holds the chunk's name where the collector does not
    /// see it.
    pub(crate) fn load(self, source: &[u8], name: &CStr) -> bool {
        if source.first() == Some(&0x1b) {
            self.push_bytes("attempt to load a compiled script");
            return false;
        }
        // SAFETY: see the block's comment; errors of the parser come as a result.
        unsafe {
            ffi::lua_gc(self.0, ffi::LUA_GCSTOP, 0);
            let status = ffi::luaL_loadbuffer(self.0, source.as_ptr().cast(), source.len(), name.as_ptr());
            ffi::lua_gc(self.0, ffi::LUA_GCRESTART, 0);
            status == 0
        }
    }

    /// Call the function below its arguments as a script's own code, with errors given to the function at
    /// `handler`. Whether it succeeded, with the results on top; else the error.
    pub(crate) fn call_script(self, args: c_int, results: c_int, handler: c_int) -> bool {
        let _refusing = memory::refuse();
        let before = hook::run_in(self.0);
        // SAFETY: see the block's comment; no error leaves a protected call.
        let succeeded = unsafe { ffi::lua_pcall(self.0, args, results, handler) == 0 };
        hook::run_in(before);
        succeeded
    }

    /// Call the function below its arguments, which is this module's own.
    pub(crate) fn call_own(self, args: c_int, results: c_int) -> bool {
        // SAFETY: see the block's comment; no error leaves a protected call.
        unsafe { ffi::lua_pcall(self.0, args, results, 0) == 0 }
    }

    /// Keep the topmost value, which goes.
    pub(crate) fn keep(self) -> Kept {
        // SAFETY: see the block's comment.
        Kept(unsafe { ffi::luaL_ref(self.0, ffi::LUA_REGISTRYINDEX) })
    }

    /// Push what is kept.
    pub(crate) fn push_kept(self, kept: Kept) {
        // SAFETY: see the block's comment.
        unsafe { ffi::lua_rawgeti_(self.0, ffi::LUA_REGISTRYINDEX, kept.0) }
    }

    /// Keep it no longer.
    pub(crate) fn forget(self, kept: Kept) {
        // SAFETY: see the block's comment.
        unsafe { ffi::luaL_unref(self.0, ffi::LUA_REGISTRYINDEX, kept.0) }
    }

    /// Collect all garbage.
    pub(crate) fn collect(self) {
        // SAFETY: see the block's comment; scripts cannot give anything a finaliser.
        unsafe {
            ffi::lua_gc(self.0, ffi::LUA_GCCOLLECT, 0);
        }
    }

    /// Bytes that the state has, garbage included, in steps of 1024.
    pub(crate) fn used_bytes(self) -> usize {
        // SAFETY: see the block's comment; nothing is collected.
        let kib = unsafe { ffi::lua_gc(self.0, ffi::LUA_GCCOUNT, 0) };
        usize::try_from(kib).unwrap_or(0) << 10
    }

    /// What runs `level` calls above a native function, itself being 0.
    pub(crate) fn place(self, level: c_int) -> Option<Place> {
        // SAFETY: a zeroed one is what Lua fills in; the texts live as long as the function runs.
        unsafe {
            let mut found: ffi::lua_Debug = std::mem::zeroed();
            if ffi::lua_getstack(self.0, level, &mut found) == 0 {
                return None;
            }
            ffi::lua_getinfo(self.0, c"Sl".as_ptr(), &mut found);
            Some(Place {
                source: CStr::from_ptr(found.source).to_string_lossy().into_owned(),
                line: found.currentline,
                is_native: CStr::from_ptr(found.what) == c"C",
            })
        }
    }

    /// The number that an argument is, or a text that is one.
    pub(crate) fn want_number(self, at: c_int) -> Result<f64, Raised> {
        if self.is_number(at) { Ok(self.number(at)) } else { Err(self.raise_kind(at, "number")) }
    }

    /// The string that an argument is, or a number's text.
    pub(crate) fn want_bytes<'a>(self, at: c_int) -> Result<&'a [u8], Raised> {
        self.bytes(at).ok_or_else(|| self.raise_kind(at, "string"))
    }

    /// Room for so many values more; else an error.
    pub(crate) fn want_room(self, count: c_int) -> Result<(), Raised> {
        if self.has_room(count) { Ok(()) } else { Err(self.raise_here("stack overflow")) }
    }

    /// An error with the place of the line that runs in front of its text.
    pub(crate) fn raise_here(self, text: impl AsRef<[u8]>) -> Raised {
        // SAFETY: see the block's comment.
        unsafe { ffi::luaL_where(self.0, 1) };
        let whole = [self.bytes(-1).unwrap_or_default(), text.as_ref()].concat();
        self.push_bytes(whole);
        Raised
    }

    /// What is wrong with an argument, as the functions of Lua's libraries say it.
    pub(crate) fn raise_argument(self, at: c_int, what: &str) -> Raised {
        let name = self.running_name().unwrap_or_else(|| "?".into());
        self.raise_here(format!("bad argument #{at} to '{name}' ({what})"))
    }

    /// The same, for one of the wrong kind.
    pub(crate) fn raise_kind(self, at: c_int, wanted: &str) -> Raised {
        let found = if self.kind(at) == Kind::None { "no value" } else { self.kind_name(at) };
        self.raise_argument(at, &format!("{wanted} expected, got {found}"))
    }

    /// By what name the native function that runs was called.
    fn running_name(self) -> Option<String> {
        // SAFETY: as in `place`.
        unsafe {
            let mut found: ffi::lua_Debug = std::mem::zeroed();
            if ffi::lua_getstack(self.0, 0, &mut found) == 0 {
                return None;
            }
            ffi::lua_getinfo(self.0, c"n".as_ptr(), &mut found);
            (!found.name.is_null()).then(|| CStr::from_ptr(found.name).to_string_lossy().into_owned())
        }
    }
}

/// Run a function of Rust, with memory for it, and raise what it has raised when it has ended.
unsafe extern "C-unwind" fn trampoline<F: Fn(Lua) -> Outcome + Copy + 'static>(state: *mut ffi::lua_State) -> c_int {
    match enter::<F>(state) {
        Ok(results) => results,
        // SAFETY: the error is on top, and no frame between here and the protected call has anything to drop.
        Err(Raised) => unsafe { ffi::lua_error(state) },
    }
}

fn enter<F: Fn(Lua) -> Outcome + Copy + 'static>(state: *mut ffi::lua_State) -> Outcome {
    let _granted = memory::grant();
    // SAFETY: a `Copy` type without size has nothing to read, and whoever pushed this function has shown one.
    let function = unsafe { std::ptr::NonNull::<F>::dangling().read() };
    let lua = Lua(state);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| function(lua))).unwrap_or_else(|_| {
        lua.push_bytes("ERR the module of scripts panicked");
        Err(Raised)
    })
}
