//! `redis` and `server`: what scripts reach the server by.
//! <https://redis.io/docs/latest/develop/programmability/lua-api/>

use crate::busy;
use crate::command::{self, OUTSIDE};
use crate::convert::{number_text, push_reply};
use crate::libraries::Named;
use crate::lua::{Kind, Lua, Outcome, Raised, current};
use crate::run::{TELL_ALL, TELL_FILE, TELL_REPLICAS, running};
use crate::scripts::sha_of;
use plinth_module::abi::bytes::Bytes;
use plinth_module::prelude::*;

/// Most arguments of a command.
const ARGS_MAX: i32 = 1 << 20;

/// Push the table of the API, for scripts or for functions that run.
pub(crate) fn push(lua: Lua, version: &str) {
    lua.push_table(0, 32);
    let table = lua.top();
    let functions: [Named; 12] = [
        ("call", |lua| lua.push_function(|lua| run(lua, true))),
        ("pcall", |lua| lua.push_function(|lua| run(lua, false))),
        ("error_reply", |lua| lua.push_function(error_reply)),
        ("status_reply", |lua| lua.push_function(status_reply)),
        ("sha1hex", |lua| lua.push_function(sha1hex)),
        ("log", |lua| lua.push_function(log)),
        ("setresp", |lua| lua.push_function(setresp)),
        ("set_repl", |lua| lua.push_function(set_repl)),
        ("replicate_commands", |lua| lua.push_function(|lua| answer(lua, true))),
        ("breakpoint", |lua| lua.push_function(|lua| answer(lua, false))),
        ("debug", |lua| lua.push_function(|_| Ok(0))),
        ("acl_check_cmd", |lua| lua.push_function(acl_check_cmd)),
    ];
    for (name, push) in functions {
        push(lua);
        lua.raw_set_name(table, name);
    }
    let numbers = [
        ("REPL_NONE", 0.0),
        ("REPL_AOF", f64::from(TELL_FILE)),
        ("REPL_SLAVE", f64::from(TELL_REPLICAS)),
        ("REPL_REPLICA", f64::from(TELL_REPLICAS)),
        ("REPL_ALL", f64::from(TELL_ALL)),
    ];
    set_numbers(lua, table, &numbers);
    set_constants(lua, table, version);
}

/// Push what of it a library has while it is loaded.
pub(crate) fn push_loading(lua: Lua, version: &str) {
    lua.push_table(0, 8);
    let table = lua.top();
    lua.push_function(log);
    lua.raw_set_name(table, "log");
    set_constants(lua, table, version);
}

/// What both have.
fn set_constants(lua: Lua, table: i32, version: &str) {
    let numbers = [
        ("LOG_DEBUG", f64::from(LOG_DEBUG)),
        ("LOG_VERBOSE", f64::from(LOG_VERBOSE)),
        ("LOG_NOTICE", f64::from(LOG_NOTICE)),
        ("LOG_WARNING", f64::from(LOG_WARNING)),
        ("REDIS_VERSION_NUM", version_number(version)),
    ];
    set_numbers(lua, table, &numbers);
    lua.push_bytes(version);
    lua.raw_set_name(table, "REDIS_VERSION");
}

fn set_numbers(lua: Lua, table: i32, numbers: &[(&str, f64)]) {
    for (name, number) in numbers {
        lua.push_number(*number);
        lua.raw_set_name(table, name);
    }
}

/// A version as a number, a byte for each of its three parts.
fn version_number(version: &str) -> f64 {
    let parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    f64::from(parts.take(3).fold(0, |number, part| number << 8 | part & 0xff))
}

fn answer(lua: Lua, value: bool) -> Outcome {
    lua.push_boolean(value);
    Ok(1)
}

/// Push an error as `redis.pcall` gives it. `text` begins with its code.
pub(crate) fn push_error(lua: Lua, text: impl AsRef<[u8]>) {
    lua.push_table(0, 1);
    let table = lua.top();
    lua.push_bytes(text);
    lua.raw_set_name(table, "err");
}

/// Raise such an error.
pub(crate) fn raise(lua: Lua, text: impl AsRef<[u8]>) -> Raised {
    push_error(lua, text);
    Raised
}

/// `redis.call` and `redis.pcall`, of which the first raises errors.
fn run(lua: Lua, raises: bool) -> Outcome {
    let is_error = match run_command(lua) {
        Ok(is_error) => is_error,
        Err(Refused { text, is_counted }) => {
            push_error(lua, text);
            if is_counted {
                note_counted(lua);
            }
            true
        }
    };
    if let Some(text) = busy::look_after_call() {
        lua.push_end(text);
        return Err(Raised);
    }
    if is_error && raises { Err(Raised) } else { Ok(1) }
}

/// Why a command did not run.
struct Refused {
    text: String,
    /// Whether the server has counted it among the errors.
    is_counted: bool,
}

/// The field of an error's table that says that the server has counted it, as Redis calls it.
pub(crate) const COUNTED: &str = "ignore_error_stats_update";

/// The table on top is an error that the server has counted.
fn note_counted(lua: Lua) {
    let table = lua.top();
    lua.push_boolean(true);
    lua.raw_set_name(table, COUNTED);
}

/// Run the command that the arguments are, and push its reply. Whether that is an error; or an error of the
/// script's.
fn run_command(lua: Lua) -> std::result::Result<bool, Refused> {
    let uncounted = |text: String| Refused { text, is_counted: false };
    let args = arguments(lua).map_err(uncounted)?;
    let request = running().as_ref().map(|run| run.request());
    let Some(request) = request else { return Err(uncounted(OUTSIDE.into())) };
    let take = |reply: &[u8]| {
        // The command has ended: its arguments, which may be as many as the stack takes, make room.
        lua.set_top(0);
        lua.spend(reply.len() / 4);
        let is_error = push_reply(lua, reply);
        if is_error {
            note_counted(lua);
        }
        is_error
    };
    let ran = current::with(|call| command::run(call, &args, request, take));
    match ran {
        None => Err(uncounted(OUTSIDE.into())),
        Some(ran) => ran.map_err(|text| Refused { text: text.into(), is_counted: true }),
    }
}

/// The command that the arguments are, which stay on the stack; or an error of the script's.
fn arguments(lua: Lua) -> std::result::Result<Vec<&'static [u8]>, String> {
    let count = lua.top();
    if count == 0 {
        return Err("ERR Please specify at least one argument for this redis lib call".into());
    }
    if count > ARGS_MAX {
        return Err("ERR too many arguments".into());
    }
    let mut args = Vec::with_capacity(count as usize);
    for at in 1..=count {
        match lua.kind(at) {
            Kind::String => {}
            Kind::Number => {
                lua.push_bytes(number_text(lua.number(at)));
                lua.replace(at);
            }
            _ => return Err("ERR Lua redis lib command arguments must be strings or integers".into()),
        }
        args.push(lua.bytes(at).unwrap_or_default());
    }
    Ok(args)
}

fn error_reply(lua: Lua) -> Outcome {
    if lua.top() != 1 || lua.kind(1) != Kind::String {
        push_error(lua, "ERR wrong number or type of arguments");
        return Ok(1);
    }
    let text = lua.bytes(1).unwrap_or_default();
    push_error(lua, error_text(text));
    Ok(1)
}

/// The text of an error: with a code in front, and without what would end a line.
fn error_text(text: &[u8]) -> Vec<u8> {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let text = text.strip_suffix(b"\r\n").unwrap_or(text);
    if text.contains(&b' ') { text.to_vec() } else { [b"ERR ", text].concat() }
}

fn status_reply(lua: Lua) -> Outcome {
    if lua.top() != 1 || lua.kind(1) != Kind::String {
        push_error(lua, "ERR wrong number or type of arguments");
        return Ok(1);
    }
    lua.push_table(0, 1);
    lua.push_copy(1);
    lua.raw_set_name(2, "ok");
    Ok(1)
}

fn sha1hex(lua: Lua) -> Outcome {
    if lua.top() != 1 {
        return Err(raise(lua, "ERR wrong number of arguments"));
    }
    let text = lua.bytes(1).unwrap_or_default();
    lua.spend(text.len() * 2);
    lua.push_bytes(sha_of(text));
    Ok(1)
}

fn log(lua: Lua) -> Outcome {
    if lua.top() < 2 {
        return Err(raise(lua, "ERR redis.log() requires two arguments or more."));
    }
    if lua.kind(1) != Kind::Number {
        return Err(raise(lua, "ERR First argument must be a number (log level)."));
    }
    let level = lua.number(1);
    if !(0.0..=f64::from(LOG_WARNING)).contains(&level) {
        return Err(raise(lua, "ERR Invalid debug level."));
    }
    let words: Vec<&[u8]> = (2..=lua.top()).filter_map(|at| lua.bytes(at)).collect();
    let text = String::from_utf8_lossy(&words.join(&b' ')).into_owned();
    current::with(|call| call.log(level as u32, &text));
    Ok(0)
}

fn setresp(lua: Lua) -> Outcome {
    if lua.top() != 1 {
        return Err(raise(lua, "ERR redis.setresp() requires one argument."));
    }
    let version = lua.number(1) as i64;
    if !matches!(version, 2 | 3) {
        return Err(raise(lua, "ERR RESP version must be 2 or 3."));
    }
    if let Some(run) = running().as_mut() {
        run.is_resp3 = version == 3;
    }
    Ok(0)
}

fn set_repl(lua: Lua) -> Outcome {
    if lua.top() != 1 {
        return Err(raise(lua, "ERR redis.set_repl() requires one argument."));
    }
    let tells = lua.number(1);
    if !(0.0..=f64::from(TELL_ALL)).contains(&tells) {
        let text = "ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.";
        return Err(raise(lua, text));
    }
    if let Some(run) = running().as_mut() {
        run.tells = tells as u32;
    }
    Ok(0)
}

/// Whether the user may run a command; by the command alone where the arguments are not all there.
fn acl_check_cmd(lua: Lua) -> Outcome {
    let args: Vec<Bytes> = match arguments(lua) {
        Ok(args) => args.into_iter().map(Bytes::of).collect(),
        Err(text) => return Err(raise(lua, text)),
    };
    match current::with(|call| call.acl.check_command(b"", &args, 0)) {
        Some(Ok(denied)) => answer(lua, denied.is_none()),
        Some(Err(Error::Arity)) => answer(lua, true),
        _ => Err(raise(lua, "ERR Invalid command passed to redis.acl_check_cmd()")),
    }
}
