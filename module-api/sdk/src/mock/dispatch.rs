//! The mock's dispatch: loading a module, setting its parameters, finding and running a command.

use super::block::Waiting;
use super::host::calling;
use super::keys::{Space, flush_all, plain_event};
use super::reply::standard_error;
use super::services::tell;
use super::state::{DATABASES, Host, LoadedModule, Parameter, Registered, type_id_of};
use crate::abi;
use crate::abi::bytes::Bytes;
use crate::abi::command::Command;
use crate::abi::config::{
    CONFIG_BARE, CONFIG_BOOLEAN, CONFIG_CHOICE, CONFIG_INTEGER, CONFIG_MEMORY, CONFIG_TEXT, Config,
};
use crate::abi::events::{ON_CONFIG, ON_MODULE_LOADED, ON_MODULE_UNLOADED};
use crate::abi::status::{STATUS_OK, STATUS_REPLIED};
use crate::host::CORE_SERVICES;
use crate::number::parse_integer;
use std::ptr::null_mut;

/// # Safety
/// `bytes` is a constant of a module.
unsafe fn name_of(bytes: Bytes) -> &'static [u8] {
    // SAFETY: as the caller vouches.
    unsafe { bytes.as_slice() }
}

/// A constant's name as a text.
fn text_of(bytes: Bytes) -> String {
    // SAFETY: names in a module's entry are constants.
    String::from_utf8_lossy(unsafe { name_of(bytes) }).into_owned()
}

/// Loads a module; what was registered goes again when that fails.
pub(super) fn load(host: Host, entry: &'static abi::entry::Module, args: &[&[u8]]) -> Result<(), String> {
    check_entry(host, entry)?;
    let name = text_of(entry.name);
    let module = host.with(|state| {
        state.modules.push(LoadedModule { entry, name: name.clone(), data: null_mut(), is_gone: false });
        state.modules.len() - 1
    });
    let result = register(host, module, entry)
        .and_then(|()| apply_defaults(host, module))
        .and_then(|()| start(host, module, entry, args));
    match &result {
        Ok(()) => tell(host, &plain_event(ON_MODULE_LOADED, 0, name.as_bytes())),
        Err(_) => forget(host, module),
    }
    result
}

fn check_entry(host: Host, entry: &'static abi::entry::Module) -> Result<(), String> {
    if entry.magic != abi::entry::MAGIC || entry.abi_major != abi::ABI_MAJOR {
        return Err("not a module of this ABI".into());
    }
    for id in entry.requires.iter() {
        // SAFETY: a module's entry is a constant.
        let id = unsafe { name_of(*id) };
        let known = CORE_SERVICES.iter().any(|core| core.as_bytes() == id)
            || host.with(|state| state.provided.contains_key(id));
        if !known {
            return Err(format!("required service {} is missing", String::from_utf8_lossy(id)));
        }
    }
    Ok(())
}

fn register(host: Host, module: usize, entry: &'static abi::entry::Module) -> Result<(), String> {
    for of in entry.types.iter() {
        // SAFETY: a module's entry is a constant, and `id_out` is the host's to write.
        let (of, name) = unsafe { (&*of, name_of((*of).name)) };
        let id = type_id_of(name);
        if host.with(|state| state.types.insert(id, of)).is_some() {
            return Err(format!("type {} exists already", text_of(of.name)));
        }
        // SAFETY: as above. Mocks of one process write the same id, whichever thread they are on.
        unsafe { std::sync::atomic::AtomicU32::from_ptr(of.id_out) }.store(id, std::sync::atomic::Ordering::Relaxed);
    }
    for command in entry.commands.iter() {
        // SAFETY: a module's entry is a constant.
        let name = unsafe { name_of((*command).name) }.to_ascii_lowercase();
        let shown = String::from_utf8_lossy(&name).into_owned();
        if host.with(|state| state.commands.insert(name, Registered { command, module })).is_some() {
            return Err(format!("command {shown} exists already"));
        }
    }
    for provided in entry.provides.iter() {
        // SAFETY: a module's entry is a constant.
        let (id, table) = unsafe { (name_of((*provided).id), (*provided).table) };
        host.with(|state| state.provided.insert(id.to_vec(), (table, module)));
    }
    for config in entry.configs.iter() {
        // SAFETY: a module's entry is a constant.
        let (name, alias, flags) = unsafe { (text_of((*config).name), text_of((*config).alias), (*config).flags) };
        let full = |short: String| {
            let is_whole = flags & CONFIG_BARE != 0 || short.is_empty();
            if is_whole { short } else { format!("{}.{short}", text_of(entry.name)) }
        };
        let parameter = Parameter { alias: full(alias), config, module, text: Vec::new(), number: 0 };
        host.with(|state| state.parameters.insert(full(name), parameter));
    }
    Ok(())
}

fn apply_defaults(host: Host, module: usize) -> Result<(), String> {
    let defaults: Vec<(String, Bytes)> = host.with(|state| {
        let own = state.parameters.iter().filter(|(_, parameter)| parameter.module == module);
        // SAFETY: a parameter's declaration is a constant.
        own.map(|(name, parameter)| (name.clone(), unsafe { (*parameter.config).default })).collect()
    });
    for (name, default) in defaults {
        // SAFETY: as above.
        set_parameter(host, &name, unsafe { name_of(default) })?;
    }
    Ok(())
}

fn start(host: Host, module: usize, entry: &'static abi::entry::Module, args: &[&[u8]]) -> Result<(), String> {
    let Some(start) = entry.start else { return Ok(()) };
    // SAFETY: a module's `start` gets a call of its own.
    let (status, frame) = calling(host, module, std::ptr::null(), args, |call| unsafe { start(call) });
    if status == STATUS_OK {
        return Ok(());
    }
    let reason = frame.output.bytes.strip_prefix(b"-").map(|line| String::from_utf8_lossy(line).trim_end().to_owned());
    Err(reason.unwrap_or_else(|| standard_error(status, "start")))
}

/// Removes all that a module registered.
fn forget(host: Host, module: usize) {
    host.with(|state| {
        let entry = state.modules[module].entry;
        state.modules[module].is_gone = true;
        state.commands.retain(|_, command| command.module != module);
        state.parameters.retain(|_, parameter| parameter.module != module);
        state.provided.retain(|_, (_, provider)| *provider != module);
        state.hooks.retain(|hook| hook.module != module);
        state.timers.retain(|timer| timer.module != module);
        state.waiting.clear();
        for of in entry.types.iter() {
            state.types.retain(|_, other| !std::ptr::eq(*other, of));
        }
    });
}

/// Unloads a module, after its values: the mock knows no ghosts.
pub(super) fn unload(host: Host, name: &str) -> Result<(), String> {
    let found = host.with(|state| state.modules.iter().position(|module| !module.is_gone && module.name == name));
    let module = found.ok_or_else(|| format!("no such module: {name}"))?;
    let entry = host.with(|state| state.modules[module].entry);
    for of in entry.types.iter() {
        // SAFETY: a module's entry is a constant.
        let id = type_id_of(unsafe { name_of((*of).name) });
        for db in 0..DATABASES {
            let keys: Vec<Vec<u8>> = host.with(|state| {
                // SAFETY: items in a database are alive.
                let own = state.databases[db].iter().filter(|(_, item)| unsafe { item.as_ref() }.type_id == id);
                own.map(|(key, _)| key.clone()).collect()
            });
            for key in keys {
                Space { host, db }.take(&key);
            }
        }
    }
    if let Some(stop) = entry.stop {
        // SAFETY: a module's `stop` gets a call of its own, and it is the last.
        calling(host, module, std::ptr::null(), &[], |call| unsafe { stop(call) });
    }
    forget(host, module);
    tell(host, &plain_event(ON_MODULE_UNLOADED, 0, name.as_bytes()));
    Ok(())
}

/// Unloads everything and frees every value.
pub(super) fn unload_all(host: Host) {
    flush_all(Space { host, db: 0 }, abi::keys::DB_ALL);
    let names: Vec<String> = host.with(|state| {
        state.modules.iter().filter(|module| !module.is_gone).map(|module| module.name.clone()).collect()
    });
    for name in names.iter().rev() {
        // The names were just listed, so there is no error to report.
        let _ = unload(host, name);
    }
}

/// Reads a parameter's text as its kind wants it.
fn parse_parameter(config: &Config, text: &[u8]) -> Option<i64> {
    let number = match config.kind {
        CONFIG_TEXT => return Some(0),
        CONFIG_BOOLEAN if text.eq_ignore_ascii_case(b"yes") => return Some(1),
        CONFIG_BOOLEAN if text.eq_ignore_ascii_case(b"no") => return Some(0),
        CONFIG_CHOICE => {
            // SAFETY: a parameter's declaration is a constant.
            let mut choices = config.choices.iter().map(|choice| unsafe { name_of(*choice) });
            return choices.position(|choice| choice.eq_ignore_ascii_case(text)).map(|at| at as i64);
        }
        CONFIG_INTEGER => parse_integer(text)?,
        CONFIG_MEMORY => parse_memory(text)?,
        _ => return None,
    };
    (config.min..=config.max).contains(&number).then_some(number)
}

/// A number of bytes with a unit: `k` and `m` count in thousands, `kb` and `mb` in 1,024s.
fn parse_memory(text: &[u8]) -> Option<i64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit: i64 = match text[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1024,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    parse_integer(&text[..digits])?.checked_mul(unit)
}

/// Sets a parameter by its full name or alias.
pub(super) fn set_parameter(host: Host, name: &str, text: &[u8]) -> Result<(), String> {
    let found = host.with(|state| {
        let name = state.parameter_name(name)?;
        state.parameters.get(&name).map(|parameter| (name.clone(), parameter.config, parameter.module))
    });
    let (name, config, module) = found.ok_or_else(|| format!("no such parameter: {name}"))?;
    // SAFETY: a parameter's declaration is a constant.
    let config = unsafe { &*config };
    let number = parse_parameter(config, text).ok_or_else(|| format!("{name}: the value is not allowed"))?;
    if let Some(apply) = config.apply {
        let (status, frame) = calling(host, module, std::ptr::null(), &[], |call| {
            // SAFETY: the call is lent; `data` is what the declaration holds for its `apply`.
            unsafe { apply(call, number, Bytes::of(text), config.data) }
        });
        if status != STATUS_OK {
            let line = String::from_utf8_lossy(&frame.output.bytes).trim_end().to_owned();
            return Err(if line.is_empty() { standard_error(status, &name) } else { line });
        }
    }
    host.with(|state| {
        if let Some(parameter) = state.parameters.get_mut(&name) {
            parameter.text = text.to_vec();
            parameter.number = number;
        }
    });
    tell(host, &plain_event(ON_CONFIG, 0, name.as_bytes()));
    Ok(())
}

/// The command of some arguments, and its full name.
fn find(host: Host, args: &[&[u8]]) -> Result<(Registered, String), String> {
    let name = args.first().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
    let shown = String::from_utf8_lossy(&name).into_owned();
    let found = host.with(|state| state.commands.get(&name).copied());
    let container = found.ok_or_else(|| format!("ERR unknown command '{shown}'"))?;
    // SAFETY: a registered command is a constant of its module.
    let subcommands = unsafe { (*container.command).subcommands };
    if subcommands.count == 0 || args.len() < 2 {
        return Ok((container, shown));
    }
    for command in subcommands.iter() {
        // SAFETY: as above.
        if unsafe { name_of((*command).name) }.eq_ignore_ascii_case(args[1]) {
            let full = format!("{shown}|{}", String::from_utf8_lossy(args[1]).to_ascii_lowercase());
            return Ok((Registered { command, ..container }, full));
        }
    }
    // SAFETY: as above.
    if unsafe { (*container.command).run.invoke.is_some() } {
        return Ok((container, shown));
    }
    Err(format!("ERR unknown subcommand '{}'. Try {} HELP.", String::from_utf8_lossy(args[1]), shown.to_uppercase()))
}

/// What became of a command.
pub(super) enum Ran {
    Replied(Vec<u8>),
    Waits(Waiting),
}

/// Runs a command.
pub(super) fn run(host: Host, args: &[&[u8]]) -> Ran {
    let error = |text: String| Ran::Replied(format!("-{text}\r\n").into_bytes());
    let (registered, name) = match find(host, args) {
        Ok(found) => found,
        Err(text) => return error(text),
    };
    // SAFETY: a registered command is a constant of its module.
    let command: &Command = unsafe { &*registered.command };
    let count = args.len() as i32;
    let invoke = match command.run.invoke {
        Some(invoke) if if command.arity < 0 { count >= -command.arity } else { count == command.arity } => invoke,
        _ => return error(standard_error(abi::status::STATUS_ARITY, &name)),
    };
    let dirty = host.with(|state| state.dirty);
    // SAFETY: the handler gets a call of its own.
    let (status, frame) = calling(host, registered.module, command, args, |call| unsafe { invoke(call) });
    if status == STATUS_OK
        && let Some(waiting) = frame.waits
    {
        assert!(frame.output.bytes.is_empty(), "{name} waits and replies");
        return Ran::Waits(waiting);
    }
    match status {
        STATUS_OK => assert!(!frame.output.bytes.is_empty(), "{name} returned without a reply"),
        STATUS_REPLIED => {}
        other => return error(standard_error(other, &name)),
    }
    assert!(frame.output.marks.is_empty(), "{name} left an aggregate open");
    host.with(|state| match frame.instead {
        Some(instead) => state.propagated.extend(instead),
        None if state.dirty != dirty && state.run_depth == 0 => {
            state.propagated.push(args.iter().map(|arg| arg.to_vec()).collect());
        }
        None => {}
    });
    Ran::Replied(frame.output.bytes)
}
