//! A state of Lua in which scripts run: the globals that they may use, none of which they can change.
//!
//! ```text
//!   globals (locked) ──> real globals ──> nothing there: an error
//!                          string, table, math, redis, cjson, ... (each locked ──> the real one)
//!                          KEYS, ARGV: put there for each script
//! ```
//!
//! What a *locked* table is `lua::guards` says. All that a script can reach and change is what it made itself.

use crate::api;
use crate::libraries;
use crate::lua::memory::Account;
use crate::lua::{GLOBALS, Kept, Kind, Lua, Outcome, guards};
use plinth_module::error::Error;

/// The globals of Lua's own that scripts have.
const ALLOWED: [&str; 25] = [
    "_VERSION",
    "assert",
    "collectgarbage",
    "coroutine",
    "error",
    "gcinfo",
    "getmetatable",
    "ipairs",
    "load",
    "loadstring",
    "math",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setmetatable",
    "string",
    "table",
    "tonumber",
    "tostring",
    "type",
    "unpack",
];

/// What is written in Lua of the globals: `load` calls a function for pieces, which must not run over frames of Rust.
const PRELUDE: &str = "
local loadstring, concat, error, type = loadstring, table.concat, error, type
return function(pieces, name)
    if type(pieces) ~= 'function' then
        error(\"bad argument #1 to 'load' (function expected, got \" .. type(pieces) .. ')', 2)
    end
    local all = {}
    while true do
        local piece = pieces()
        if piece == nil or piece == '' then break end
        if type(piece) ~= 'string' then return nil, 'reader function must return a string' end
        all[#all + 1] = piece
    end
    return loadstring(concat(all), name or '=(load)')
end";

/// A state, and what in it is asked for often.
#[derive(Clone, Copy)]
pub(crate) struct Vm {
    /// The state.
    pub lua: Lua,
    /// The real globals.
    pub globals: Kept,
    /// What errors are given to.
    pub handler: Kept,
    /// The globals of a library that is being loaded, if libraries live here.
    loading: Option<Kept>,
}

impl Vm {
    /// A state, whose memory is counted by `account`; for libraries with the function by which they register.
    pub(crate) fn new(account: &'static Account, version: &str, register: Option<fn(Lua)>) -> Option<Vm> {
        let lua = Lua::new(account)?;
        lua.open_libraries();
        guards::install(lua);
        lua.push_copy(GLOBALS);
        let globals = lua.top();
        replace_functions(lua, globals);
        libraries::install(lua, globals);
        api::push(lua, version);
        lock(lua);
        lua.push_copy(-1);
        lua.raw_set_name(globals, "redis");
        lua.raw_set_name(globals, "server");
        keep_allowed(lua, globals);
        lock_strings(lua, globals);
        lock_globals(lua, globals);
        let loading = register.map(|register| push_loading(lua, version, register));
        lua.push_copy(globals);
        let kept = lua.keep();
        lua.push_function(describe);
        let handler = lua.keep();
        lua.set_top(0);
        lua.hook_again();
        Some(Vm { lua, globals: kept, handler, loading })
    }
}

impl Vm {
    /// Have a library that is being loaded see what it may, until all is seen again.
    pub(crate) fn show_loading(&self, is_loading: bool) {
        let real = if is_loading { self.loading.unwrap_or(self.globals) } else { self.globals };
        let top = self.lua.top();
        self.lua.push_copy(GLOBALS);
        if self.lua.push_metatable(-1) {
            let metatable = self.lua.top();
            self.lua.push_kept(real);
            self.lua.raw_set_at(metatable, 2);
            self.lua.push_kept(real);
            self.lua.raw_set_name(metatable, "__index");
        }
        self.lua.set_top(top);
    }
}

/// The globals that a library has while it is loaded: the API alone, with what registers and logs.
fn push_loading(lua: Lua, version: &str, register: fn(Lua)) -> Kept {
    lua.push_table(0, 2);
    let globals = lua.top();
    api::push_loading(lua, version);
    let table = lua.top();
    register(lua);
    lua.raw_set_name(table, "register_function");
    refuse_missing(lua, table);
    lock(lua);
    lua.push_copy(-1);
    lua.raw_set_name(globals, "redis");
    lua.raw_set_name(globals, "server");
    refuse_missing(lua, globals);
    lua.keep()
}

/// What a table has not is an error.
fn refuse_missing(lua: Lua, table: i32) {
    lua.push_table(0, 1);
    let metatable = lua.top();
    lua.push_function(missing);
    lua.raw_set_name(metatable, "__index");
    lua.set_metatable(table);
}

/// `xpcall`, whose handler runs when the function's frames are gone: Lua's own runs it within the hook that ends a
/// script, where no hook would end the handler.
const XPCALL: &str = "local pcall = pcall
local function settle(handler, succeeded, ...)
    if succeeded then return true, ... end
    local _, said = pcall(handler, ...)
    return false, said
end
return function(f, handler) return settle(handler, pcall(f)) end";

/// Put our own in the place of functions of Lua's that could do harm.
fn replace_functions(lua: Lua, globals: i32) {
    lua.push_native(guards::pairs);
    lua.raw_set_name(globals, "pairs");
    lua.push_native(guards::unpack);
    lua.raw_set_name(globals, "unpack");
    lua.push_native(guards::loadstring);
    lua.raw_set_name(globals, "loadstring");
    if lua.load(PRELUDE.as_bytes(), c"=(load)") && lua.call_own(0, 1) {
        lua.raw_set_name(globals, "load");
    }
    lua.push_native(guards::pcall);
    lua.raw_set_name(globals, "pcall");
    if lua.load(XPCALL.as_bytes(), c"=(xpcall)") && lua.call_own(0, 1) {
        lua.raw_set_name(globals, "xpcall");
    }
    lua.raw_get_name(globals, "string");
    let string = lua.top();
    lua.raw_get_name(string, "gmatch");
    lua.raw_set_name(string, "gfind");
    lua.pop(1);
}

/// Take away what is not for scripts, and lock what is.
fn keep_allowed(lua: Lua, globals: i32) {
    let ours = ["redis", "server", "bit", "cjson", "cmsgpack", "struct", "xpcall", "os"];
    let mut gone: Vec<Vec<u8>> = Vec::new();
    lua.push_nil();
    while lua.next(globals) {
        let name = lua.bytes(-2).unwrap_or_default();
        if !ALLOWED.iter().chain(&ours).any(|known| known.as_bytes() == name) {
            gone.push(name.to_vec());
        }
        lua.pop(1);
    }
    for name in gone {
        lua.push_bytes(name);
        lua.push_nil();
        lua.raw_set(globals);
    }
    for name in ["string", "table", "math", "coroutine", "bit", "cjson", "cmsgpack", "struct", "os"] {
        if lua.raw_get_name(globals, name) == Kind::Table {
            lock(lua);
            lua.raw_set_name(globals, name);
        } else {
            lua.pop(1);
        }
    }
}

/// The metatable of strings can be read, as a locked one.
fn lock_strings(lua: Lua, globals: i32) {
    lua.push_bytes("");
    if lua.push_metatable(-1) {
        let metatable = lua.top();
        lua.push_table(0, 1);
        let shown = lua.top();
        lua.raw_get_name(globals, "string");
        lua.raw_set_name(shown, "__index");
        lock(lua);
        lua.raw_set_name(metatable, "__metatable");
        lua.pop(1);
    }
    lua.pop(1);
}

/// What is not there is an error, and what is there cannot be changed.
fn lock_globals(lua: Lua, globals: i32) {
    refuse_missing(lua, globals);
    lua.push_copy(globals);
    lock(lua);
    lua.push_copy(-1);
    lua.raw_set_name(globals, "_G");
    lua.replace(GLOBALS);
}

/// In the place of the table on top, one that reads it and cannot be changed.
pub(crate) fn lock(lua: Lua) {
    let real = lua.top();
    lua.push_table(0, 0);
    let locked = lua.top();
    lua.push_table(2, 3);
    let metatable = lua.top();
    lua.push_address(guards::mark());
    lua.raw_set_at(metatable, 1);
    lua.push_copy(real);
    lua.raw_set_at(metatable, 2);
    lua.push_copy(real);
    lua.raw_set_name(metatable, "__index");
    lua.push_function(|lua| Err(lua.raise_here(guards::LOCKED)));
    lua.raw_set_name(metatable, "__newindex");
    // Who asks for the metatable gets a table that is empty and locked as well.
    lua.push_table(0, 0);
    lua.push_table(2, 2);
    let inner = lua.top();
    lua.push_address(guards::mark());
    lua.raw_set_at(inner, 1);
    lua.push_table(0, 0);
    lua.raw_set_at(inner, 2);
    lua.push_function(|lua| Err(lua.raise_here(guards::LOCKED)));
    lua.raw_set_name(inner, "__newindex");
    lua.push_boolean(false);
    lua.raw_set_name(inner, "__metatable");
    lua.set_metatable(-2);
    lua.raw_set_name(metatable, "__metatable");
    lua.set_metatable(locked);
    lua.remove(real);
}

/// A global that is not there is read.
fn missing(lua: Lua) -> Outcome {
    let name = lua.bytes(2).unwrap_or_default();
    let text = [b"Script attempted to access nonexistent global variable '", name, b"'"].concat();
    Err(lua.raise_here(text))
}

/// An error leaves a script: as a table with its text, and where it was raised.
fn describe(lua: Lua) -> Outcome {
    lua.set_top(1);
    if lua.kind(1) != Kind::Table {
        let text = match lua.kind(1) {
            Kind::Nil => b"nil".to_vec(),
            Kind::Boolean => lua.boolean(1).to_string().into_bytes(),
            _ => lua.bytes(1).map_or_else(|| lua.kind_name(1).as_bytes().to_vec(), <[u8]>::to_vec),
        };
        api::push_error(lua, [b"ERR ", &text[..]].concat());
        lua.replace(1);
    }
    // What was native has raised it in the stead of the line that called it.
    let place =
        (1..4).filter_map(|level| lua.place(level)).find(|place| !place.is_native && place.source.starts_with('@'));
    if let Some(place) = place {
        lua.push_bytes(place.source);
        lua.raw_set_name(1, "source");
        lua.push_number(f64::from(place.line));
        lua.raw_set_name(1, "line");
    }
    Ok(1)
}

/// Whether the value on top is an error's table; of one, whether the server has counted it.
pub(crate) fn error_on_top(lua: Lua) -> Option<Error> {
    let table = lua.top();
    if lua.kind(table) != Kind::Table {
        return None;
    }
    let is_error = lua.raw_get_name(table, "err") == Kind::String;
    let is_counted = lua.raw_get_name(table, api::COUNTED) == Kind::Boolean && lua.boolean(-1);
    lua.set_top(table);
    is_error.then_some(if is_counted { Error::RepliedAgain } else { Error::Replied })
}

/// The error on top, which goes, as a client reads it.
pub(crate) fn take_error(lua: Lua, name: &str) -> Vec<u8> {
    let table = lua.top();
    let kind = lua.kind(table);
    if kind != Kind::Table {
        let text = [b"ERR ", lua.bytes(table).unwrap_or(b"unknown error")].concat();
        lua.pop(1);
        return text;
    }
    let mut text = match lua.raw_get_name(table, "err") {
        Kind::String => lua.bytes(-1).unwrap_or_default().to_vec(),
        _ => b"ERR unknown error".to_vec(),
    };
    let has_source = lua.raw_get_name(table, "source") == Kind::String;
    let source = lua.bytes(-1).unwrap_or_default().to_vec();
    let has_line = matches!(lua.raw_get_name(table, "line"), Kind::Number | Kind::String);
    let line = lua.number(-1) as i64;
    text.extend_from_slice(format!(" script: {name}").as_bytes());
    if has_source && has_line {
        text.extend_from_slice(b", on ");
        text.extend_from_slice(&source);
        text.extend_from_slice(format!(":{line}").as_bytes());
    }
    text.push(b'.');
    lua.set_top(table - 1);
    text
}
