//! Scripts of EVAL: the state that they run in, which is made when the first comes, and their runs.

use crate::convert::write_reply;
use crate::lua::memory::{self, Account};
use crate::lua::{Kept, Lua, current};
use crate::run::{Name, Origin, Run, TELL_ALL, running};
use crate::scripts::{SOURCE_BYTES_MAX, Script, Scripts, Sha};
use crate::shebang::{self, ALLOW_OOM, NO_WRITES};
use crate::vm::{Vm, error_on_top, take_error};
use plinth_module::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Why a script does not run: an error with its code.
pub(crate) struct Failure(pub Vec<u8>);

impl Failure {
    fn new(text: impl Into<Vec<u8>>) -> Failure {
        Failure(text.into())
    }
}

/// What EVAL has.
#[derive(Default)]
struct Engine {
    vm: Option<Vm>,
    scripts: Scripts,
}

/// Most bytes that a run leaves behind without a collection.
const LEFT_BYTES_MAX: usize = 8 << 20;

static ENGINE: Mutex<Option<Engine>> = Mutex::new(None);
static MEMORY: Account = Account::new();

/// Let go of before a script runs.
fn engine() -> MutexGuard<'static, Option<Engine>> {
    ENGINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The version of Redis that the server says it is.
pub(crate) fn server_version(call: &mut Call<'_>) -> String {
    let info = call.run.command(&mut call.keys, &[b"INFO", b"server"], 0, <[u8]>::to_vec).unwrap_or_default();
    let info = String::from_utf8_lossy(&info);
    let found = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    found.unwrap_or("7.2.0").trim().to_owned()
}

/// The state of EVAL.
fn vm(call: &mut Call<'_>) -> std::result::Result<Vm, Failure> {
    if let Some(vm) = engine().get_or_insert_default().vm {
        return Ok(vm);
    }
    let version = server_version(call);
    let made = Vm::new(&MEMORY, &version, None).ok_or_else(|| Failure::new("OOM no memory for scripts"))?;
    engine().get_or_insert_default().vm = Some(made);
    Ok(made)
}

/// A script's function and flags, of one that is there or, given its source, is compiled now; `None` when it is
/// not there. One of SCRIPT LOAD `stays`.
pub(crate) fn find_script(
    call: &mut Call<'_>,
    sha: &Sha,
    source: Option<&[u8]>,
    stays: bool,
) -> std::result::Result<Option<(Kept, Option<u32>)>, Failure> {
    if let Some(script) = engine().get_or_insert_default().scripts.run(sha) {
        return Ok(Some((script.function, script.flags)));
    }
    let Some(source) = source else { return Ok(None) };
    let flags = shebang::of_script(source).map_err(Failure::new)?;
    if source.len() > SOURCE_BYTES_MAX {
        return Err(Failure::new("ERR the script is too long"));
    }
    let vm = vm(call)?;
    if !vm.lua.load(shebang::strip(source), c"@user_script") {
        let said = vm.lua.bytes(-1).unwrap_or_default();
        let text = [b"ERR Error compiling script (new function): ", said].concat();
        vm.lua.pop(1);
        return Err(Failure(text));
    }
    let function = vm.lua.keep();
    engine().get_or_insert_default().scripts.put(vm.lua, *sha, source, function, flags, stays);
    Ok(Some((function, flags)))
}

/// Whether a script is there.
pub(crate) fn has_script(sha: &Sha) -> bool {
    engine().as_ref().is_some_and(|engine| engine.scripts.get(sha).is_some())
}

/// What its first line says, if it is there and has one.
pub(crate) fn flags_of(sha: &Sha) -> Option<u32> {
    engine().as_ref()?.scripts.get(sha)?.flags
}

/// Its source.
pub(crate) fn source_of(sha: &Sha) -> Option<Vec<u8>> {
    let engine = engine();
    let script: &Script = engine.as_ref()?.scripts.get(sha)?;
    Some(script.source.to_vec())
}

/// Forget all scripts, and the state that they ran in.
pub(crate) fn flush_scripts() {
    let evicted = engine().as_ref().map_or(0, |engine| engine.scripts.evicted);
    let gone = engine().take();
    if let Some(vm) = gone.and_then(|gone| gone.vm) {
        close(vm.lua);
    }
    engine().get_or_insert_default().scripts.evicted = evicted;
}

/// Close a state. What has a collector's hook left is collected first, while the state is whole.
pub(crate) fn close(lua: Lua) {
    lua.set_top(0);
    lua.collect();
    lua.close();
}

/// What INFO shows of it: bytes of Lua's, bytes of ours, scripts, scripts that have gone.
pub(crate) fn standing() -> (usize, usize, usize, u64) {
    let engine = engine();
    let scripts = engine.as_ref().map(|engine| &engine.scripts);
    (
        MEMORY.used_bytes(),
        scripts.map_or(0, Scripts::memory_bytes),
        scripts.map_or(0, Scripts::len),
        scripts.map_or(0, |scripts| scripts.evicted),
    )
}

/// A script that is to run.
pub(crate) struct Task {
    pub origin: Origin,
    /// SHA or name of the function.
    pub name: Name,
    /// What its first line says, if it has one.
    pub flags: Option<u32>,
    /// How many of the arguments are keys.
    pub keys: usize,
    /// Whether the command only reads.
    pub reads: bool,
}

/// What is kept of a run while it goes on.
pub(crate) fn begin(task: &Task) -> Run {
    let flags = task.flags.unwrap_or(0);
    Run {
        origin: task.origin,
        name: task.name.clone(),
        command: Vec::new(),
        begun: Instant::now(),
        is_read_only: task.reads || flags & NO_WRITES != 0,
        allows_oom: flags & ALLOW_OOM != 0,
        is_resp3: false,
        tells: TELL_ALL,
        has_written: false,
        calls: 0,
        is_slow: false,
        is_killed: false,
    }
}

/// Run a script of EVAL, and answer with what it returns.
pub(crate) fn execute(call: &mut Call<'_>, task: &Task, function: Kept) -> Result {
    let Ok(Vm { lua, globals, handler, .. }) = vm(call) else { return Err(Error::OutOfMemory) };
    lua.set_top(0);
    lua.push_kept(handler);
    lua.push_kept(globals);
    push_words(lua, call.args.from(3).take(task.keys));
    lua.raw_set_name(2, "KEYS");
    push_words(lua, call.args.from(3 + task.keys));
    lua.raw_set_name(2, "ARGV");
    lua.push_kept(function);
    *running() = Some(begin(task));
    let result = run_begun(call, task.name.as_str(), lua, 0);
    running().take();
    result
}

/// Push a table of words.
pub(crate) fn push_words<'a>(lua: Lua, words: impl ExactSizeIterator<Item = &'a [u8]>) {
    lua.push_table(words.len(), 0);
    let table = lua.top();
    for (at, word) in words.enumerate() {
        lua.push_bytes(word);
        lua.raw_set_at(table, at + 1);
    }
}

/// Call the function on top, below so many arguments, with the handler at the bottom, and answer. The run has begun.
pub(crate) fn run_begun(call: &mut Call<'_>, name: &str, lua: Lua, args: i32) -> Result {
    memory::set_most_bytes(usize::try_from(crate::MEMORY_MAX.get()).unwrap_or(usize::MAX));
    let bytes_before = lua.used_bytes();
    let succeeded = current::lend(call, || lua.call_script(args, 1, 1));
    lua.hook_again();
    let is_resp3 = running().as_ref().is_some_and(|run| run.is_resp3);
    let error = error_on_top(lua);
    let result = if succeeded {
        write_reply(lua, &mut call.reply, is_resp3);
        error.map_or(Ok(()), Err)
    } else {
        let replied = call.reply.error(take_error(lua, name));
        Err(error.unwrap_or(replied))
    };
    lua.set_top(0);
    // Lua collects while scripts run: what a large one leaves would count against `maxmemory` until then. Its
    // buffer for joined strings is halved by each collection.
    let mut bytes = usize::MAX;
    while lua.used_bytes() > bytes_before + LEFT_BYTES_MAX && lua.used_bytes() < bytes {
        bytes = lua.used_bytes();
        lua.collect();
    }
    result
}
