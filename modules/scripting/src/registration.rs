//! Lua as a language of functions: the state that libraries live in, what they register, and the calls.

use crate::busy;
use crate::engine::{self, server_version};
use crate::library::is_name;
use crate::lua::memory::Account;
use crate::lua::{Kept, Kind, Lua, Outcome, current};
use crate::vm::{Vm, take_error};
use crate::{api, shebang};
use plinth_module::language::{FunctionCall, LanguageProvider, LanguageService, Source, table};
use plinth_module::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The state that libraries live in.
struct State {
    vm: Option<Vm>,
    /// Functions that are kept in it.
    callbacks: usize,
    /// What the library that is being loaded has registered until now.
    draft: Option<Vec<Registered>>,
}

/// A function that a library has registered.
struct Registered {
    name: String,
    description: Option<Vec<u8>>,
    flags: u32,
    kept: Kept,
}

static STATE: Mutex<State> = Mutex::new(State { vm: None, callbacks: 0, draft: None });
static MEMORY: Account = Account::new();

/// Let go of before anything of a library runs.
fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function of a library; the state is closed with the last.
pub(crate) struct Callback(Kept);

impl Callback {
    fn new(kept: Kept) -> Callback {
        state().callbacks += 1;
        Callback(kept)
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        let vm = {
            let mut state = state();
            state.callbacks -= 1;
            state.vm
        };
        if let Some(vm) = vm {
            vm.lua.forget(self.0);
        }
        close_if_empty();
    }
}

fn close_if_empty() {
    let gone = {
        let mut state = state();
        if state.callbacks == 0 { state.vm.take() } else { None }
    };
    if let Some(vm) = gone {
        engine::close(vm.lua);
    }
}

fn vm(call: &mut Call<'_>) -> Option<Vm> {
    if let Some(vm) = state().vm {
        return Some(vm);
    }
    let version = server_version(call);
    let made = Vm::new(&MEMORY, &version, Some(|lua| lua.push_function(register)));
    state().vm = made;
    made
}

/// Lua.
enum Functions {}

/// What it has for the module of functions, which is this one.
pub(crate) static LUA: LanguageService = table::<Functions>();

impl LanguageProvider for Functions {
    type Function = Callback;

    fn compile(call: &mut Call<'_>, source: &mut Source<'_, Callback>) -> std::result::Result<(), Vec<u8>> {
        let vm = vm(call).ok_or_else(|| b"OOM no memory for functions".to_vec())?;
        let lua = vm.lua;
        let found = collect(call, vm, source.text());
        lua.set_top(0);
        let declared = found.and_then(|found| {
            let found = found.into_iter().map(|one| (Callback::new(one.kept), one));
            // All are callbacks before one is refused, so that all are forgotten.
            for (callback, one) in found.collect::<Vec<_>>() {
                let description = one.description.unwrap_or_default();
                let declared = source.declare(one.name.as_bytes(), &description, one.flags, callback);
                declared.map_err(|error| format!("ERR {error}").into_bytes())?;
            }
            Ok(())
        });
        close_if_empty();
        declared
    }

    fn call(call: &mut Call<'_>, function: &Callback, run: &FunctionCall<'_>) -> Result {
        let Some(Vm { lua, handler, .. }) = vm(call) else { return Err(Error::OutOfMemory) };
        lua.set_top(0);
        lua.push_kept(handler);
        lua.push_kept(function.0);
        engine::push_words(lua, run.keys());
        engine::push_words(lua, run.args());
        engine::run_begun(call, &String::from_utf8_lossy(run.name()), lua, 2)
    }

    fn memory() -> u64 {
        MEMORY.used_bytes() as u64
    }
}

/// Compile and run a library, and take what it registers.
fn collect(call: &mut Call<'_>, vm: Vm, source: &[u8]) -> std::result::Result<Vec<Registered>, Vec<u8>> {
    let lua = vm.lua;
    lua.set_top(0);
    lua.push_kept(vm.handler);
    if !lua.load(shebang::strip(source), c"@user_function") {
        return Err([b"ERR Error compiling function: ", lua.bytes(-1).unwrap_or_default()].concat());
    }
    state().draft = Some(Vec::new());
    // What comes from a file, or from whom this server follows, has been loaded elsewhere, however long it took.
    busy::begin_loading(call.client_id().is_some());
    vm.show_loading(true);
    let succeeded = current::lend(call, || lua.call_script(0, 0, 1));
    vm.show_loading(false);
    busy::end_loading();
    lua.hook_again();
    let found = state().draft.take().unwrap_or_default();
    if succeeded {
        return Ok(found);
    }
    found.iter().for_each(|one| lua.forget(one.kept));
    let text = take_error(lua, "");
    Err([b"ERR Error registering functions: ", load_error(&text)].concat())
}

/// The part of an error that says what, of a library that is being loaded.
fn load_error(text: &[u8]) -> &[u8] {
    let end = text.windows(9).rposition(|part| part == b" script: ").unwrap_or(text.len());
    &text[..end]
}

/// `redis.register_function`.
fn register(lua: Lua) -> Outcome {
    if state().draft.is_none() {
        return Err(api::raise(lua, "ERR redis.register_function can only be called on FUNCTION LOAD command"));
    }
    match read_registration(lua) {
        Ok(function) => {
            if state()
                .draft
                .as_ref()
                .is_some_and(|draft| draft.iter().any(|one| one.name.eq_ignore_ascii_case(&function.name)))
            {
                lua.forget(function.kept);
                return Err(api::raise(lua, "ERR Function already exists in the library"));
            }
            state().draft.get_or_insert_default().push(function);
            Ok(0)
        }
        Err(text) => Err(api::raise(lua, format!("ERR {text}"))),
    }
}

const BAD_NAME: &str =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

fn read_registration(lua: Lua) -> std::result::Result<Registered, String> {
    let count = lua.top();
    if !matches!(count, 1 | 2) {
        return Err("wrong number of arguments to redis.register_function".into());
    }
    if count == 1 {
        if lua.kind(1) != Kind::Table {
            return Err("calling redis.register_function with a single argument is only applicable to Lua table \
                        (representing named arguments)."
                .into());
        }
        return read_named(lua);
    }
    if !matches!(lua.kind(1), Kind::String | Kind::Number) {
        return Err("first argument to redis.register_function must be a string".into());
    }
    if lua.kind(2) != Kind::Function {
        return Err("second argument to redis.register_function must be a function".into());
    }
    let name = name_at(lua, 1)?;
    lua.set_top(2);
    Ok(Registered { name, description: None, flags: 0, kept: lua.keep() })
}

fn name_at(lua: Lua, at: i32) -> std::result::Result<String, String> {
    let name = lua.bytes(at).unwrap_or_default();
    if is_name(name) { Ok(String::from_utf8_lossy(name).into_owned()) } else { Err(BAD_NAME.into()) }
}

/// A registration by a table of named arguments.
fn read_named(lua: Lua) -> std::result::Result<Registered, String> {
    let (mut name, mut description, mut flags, mut kept) = (None, None, 0, None);
    lua.push_nil();
    while lua.next(1) {
        if lua.kind(-2) != Kind::String {
            return Err("named argument key given to redis.register_function is not a string".into());
        }
        let value = lua.top();
        match lua.bytes(value - 1).unwrap_or_default() {
            b"function_name" if lua.kind(value) == Kind::String => name = Some(name_at(lua, value)?),
            b"function_name" => {
                return Err("function_name argument given to redis.register_function must be a string".into());
            }
            b"description" if lua.kind(value) == Kind::String => {
                description = Some(lua.bytes(value).unwrap_or_default().to_vec());
            }
            b"description" => {
                return Err("description argument given to redis.register_function must be a string".into());
            }
            b"callback" if lua.kind(value) == Kind::Function => {
                lua.push_copy(value);
                if let Some(kept) = kept.replace(lua.keep()) {
                    lua.forget(kept);
                }
            }
            b"callback" => {
                return Err("callback argument given to redis.register_function must be a function".into());
            }
            b"flags" if lua.kind(value) == Kind::Table => flags = read_flags(lua, value)?,
            b"flags" => {
                return Err(
                    "flags argument to redis.register_function must be a table representing function flags".into()
                );
            }
            _ => return Err("unknown argument given to redis.register_function".into()),
        }
        lua.set_top(value - 1);
    }
    let name = name.ok_or("redis.register_function must get a function name argument")?;
    let kept = kept.ok_or("redis.register_function must get a callback argument")?;
    Ok(Registered { name, description, flags, kept })
}

fn read_flags(lua: Lua, table: i32) -> std::result::Result<u32, String> {
    let mut flags = 0;
    for index in 1.. {
        lua.raw_get_at(table, index);
        match lua.kind(-1) {
            Kind::Nil => break,
            Kind::String => {
                let name = String::from_utf8_lossy(lua.bytes(-1).unwrap_or_default()).into_owned();
                flags |= shebang::flag(&name).ok_or("unknown flag given")?;
            }
            _ => return Err("unknown flag given".into()),
        }
        lua.pop(1);
    }
    lua.set_top(table);
    Ok(flags)
}
