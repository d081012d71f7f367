//! Functions: the state that libraries live in, their loading, and the calls.

use crate::engine::{Failure, Task, push_words, server_version};
use crate::library::{Function, Libraries, Library, SOURCE_BYTES_MAX, is_name, name_of};
use crate::lua::memory::Account;
use crate::lua::{Kind, Lua, Outcome, current};
use crate::run::Origin;
use crate::vm::{Vm, take_error};
use crate::{api, engine, shebang};
use plinth_module::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What functions have.
#[derive(Default)]
struct Functions {
    vm: Option<Vm>,
    libraries: Libraries,
}

static FUNCTIONS: Mutex<Option<Functions>> = Mutex::new(None);
static MEMORY: Account = Account::new();
/// What the library that is being loaded has registered until now.
static DRAFT: Mutex<Option<Vec<Function>>> = Mutex::new(None);

/// Let go of before anything of a library runs.
fn functions() -> MutexGuard<'static, Option<Functions>> {
    FUNCTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn draft() -> MutexGuard<'static, Option<Vec<Function>>> {
    DRAFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Do something with the libraries, which runs nobody's code.
pub(crate) fn with_libraries<R>(work: impl FnOnce(&mut Libraries) -> R) -> R {
    work(&mut functions().get_or_insert_default().libraries)
}

fn vm(call: &mut Call<'_>) -> std::result::Result<Vm, Failure> {
    if let Some(vm) = functions().get_or_insert_default().vm {
        return Ok(vm);
    }
    let version = server_version(call);
    let made = Vm::new(&MEMORY, &version, |lua| {
        let table = lua.top();
        lua.push_function(register);
        lua.raw_set_name(table, "register_function");
    });
    let made = made.ok_or_else(|| Failure(b"OOM no memory for functions".to_vec()))?;
    functions().get_or_insert_default().vm = Some(made);
    Ok(made)
}

/// Load a library; its name.
pub(crate) fn load(call: &mut Call<'_>, source: &[u8], replaces: bool) -> std::result::Result<String, Failure> {
    let fail = |text: String| Failure(text.into_bytes());
    let name = name_of(source).map_err(fail)?;
    if source.len() > SOURCE_BYTES_MAX {
        return Err(fail("ERR the library is too long".into()));
    }
    if !replaces && with_libraries(|libraries| libraries.get(&name).is_some()) {
        return Err(fail(format!("ERR Library '{name}' already exists")));
    }
    let Vm { lua, handler, .. } = vm(call)?;
    let found = collect(call, lua, handler, source);
    lua.set_top(0);
    let found = found?;
    let clash = found.iter().find(|one| with_libraries(|libraries| libraries.clash(&one.name, &name)));
    if let Some(clash) = clash {
        let text = format!("ERR Function {} already exists", clash.name);
        found.iter().for_each(|one| lua.forget(one.kept));
        return Err(fail(text));
    }
    let library = Library { source: source.to_vec(), functions: found };
    let old = with_libraries(|libraries| libraries.put(name.clone(), library));
    forget(lua, old);
    Ok(name)
}

fn forget(lua: Lua, library: Option<Library>) {
    for function in library.into_iter().flat_map(|library| library.functions) {
        lua.forget(function.kept);
    }
}

/// Compile and run a library, and take what it registers.
fn collect(
    call: &mut Call<'_>,
    lua: Lua,
    handler: crate::lua::Kept,
    source: &[u8],
) -> std::result::Result<Vec<Function>, Failure> {
    lua.set_top(0);
    lua.push_kept(handler);
    if !lua.load(shebang::strip(source), c"@user_function") {
        let text = [b"ERR Error compiling function: ", lua.bytes(-1).unwrap_or_default()].concat();
        return Err(Failure(text));
    }
    *draft() = Some(Vec::new());
    let succeeded = current::lend(call, || lua.call_script(0, 0, 1));
    let found = draft().take().unwrap_or_default();
    if !succeeded {
        found.iter().for_each(|one| lua.forget(one.kept));
        let text = take_error(lua, "");
        return Err(Failure([b"ERR Error registering functions: ", load_error(&text)].concat()));
    }
    if found.is_empty() {
        return Err(Failure(b"ERR No functions registered".to_vec()));
    }
    Ok(found)
}

/// The part of an error that says what, of a library that is being loaded.
fn load_error(text: &[u8]) -> &[u8] {
    let end = text.windows(9).rposition(|part| part == b" script: ").unwrap_or(text.len());
    &text[..end]
}

/// `redis.register_function`.
fn register(lua: Lua) -> Outcome {
    if draft().is_none() {
        return Err(api::raise(lua, "ERR redis.register_function can only be called on FUNCTION LOAD command"));
    }
    match read_registration(lua) {
        Ok(function) => {
            if draft().as_ref().is_some_and(|draft| draft.iter().any(|one| one.name == function.name)) {
                lua.forget(function.kept);
                return Err(api::raise(lua, "ERR Function already exists in the library"));
            }
            draft().get_or_insert_default().push(function);
            Ok(0)
        }
        Err(text) => Err(api::raise(lua, format!("ERR {text}"))),
    }
}

const BAD_NAME: &str =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

fn read_registration(lua: Lua) -> std::result::Result<Function, String> {
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
    Ok(Function { name, description: None, flags: 0, kept: lua.keep() })
}

fn name_at(lua: Lua, at: i32) -> std::result::Result<String, String> {
    let name = lua.bytes(at).unwrap_or_default();
    if is_name(name) { Ok(String::from_utf8_lossy(name).into_owned()) } else { Err(BAD_NAME.into()) }
}

/// A registration by a table of named arguments.
fn read_named(lua: Lua) -> std::result::Result<Function, String> {
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
    Ok(Function { name, description, flags, kept })
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

/// Call a function for FCALL, and answer with what it returns.
pub(crate) fn call_function(call: &mut Call<'_>, name: &str, keys: usize, reads: bool) -> Result {
    let found = with_libraries(|libraries| libraries.function(name).map(|one| (one.kept, one.flags)));
    let Some((function, flags)) = found else { return Err(call.reply.error("ERR Function not found")) };
    if reads && flags & shebang::NO_WRITES == 0 {
        let text = "ERR Can not execute a script with write flag using *_ro command.";
        return Err(call.reply.error(text));
    }
    let Ok(Vm { lua, handler, .. }) = vm(call) else { return Err(Error::OutOfMemory) };
    lua.set_top(0);
    lua.push_kept(handler);
    lua.push_kept(function);
    push_words(lua, call, 3, keys);
    push_words(lua, call, 3 + keys, usize::MAX);
    let task = Task { origin: Origin::Function, name: name.to_owned(), function, flags: Some(flags), keys, reads };
    engine::run(call, &task, lua, 2)
}

/// Take a library out; whether it was there.
pub(crate) fn delete(name: &str) -> bool {
    let (lua, old) = {
        let mut functions = functions();
        let functions = functions.get_or_insert_default();
        (functions.vm.map(|vm| vm.lua), functions.libraries.remove(name))
    };
    let was_there = old.is_some();
    if let Some(lua) = lua {
        forget(lua, old);
    }
    was_there
}

/// Forget all libraries, and the state that they lived in.
pub(crate) fn flush() {
    let gone = functions().take();
    if let Some(vm) = gone.and_then(|gone| gone.vm) {
        engine::close(vm.lua);
    }
}

/// What INFO shows: bytes of Lua's, bytes of ours, libraries, functions.
pub(crate) fn standing() -> (usize, usize, usize, usize) {
    let functions = functions();
    let Some(functions) = functions.as_ref() else { return (MEMORY.used_bytes(), 0, 0, 0) };
    let (libraries, count) = functions.libraries.counts();
    (MEMORY.used_bytes(), functions.libraries.memory_bytes(), libraries, count)
}
