//! Commands by which replicas ask for the stream, and those about them: PSYNC, SYNC, REPLCONF, ROLE.

use crate::admin::spec::{CoreCommand, about};
use crate::base::log;
use crate::base::number::parse_i64;
use crate::base::words;
use crate::durable::version;
use crate::engine::call::Context;
use crate::registry::replication::{Link, Role};
use crate::replication::failover;
use crate::replication::info;
use crate::replication::primary;
use crate::replication::replica::Said;
use crate::replication::sync::{self, Ask};
use crate::session::client::Replicates;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_NOT_INTEGER, STATUS_OK, Status};

/// Longest address that a replica may say it has, in bytes.
const IP_BYTES_MAX: usize = 255;

const SYNC_FLAGS: u64 =
    abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_NO_MULTI | abi::COMMAND_NO_ASYNC_LOADING;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("psync"),
            arity: -3,
            flags: SYNC_FLAGS,
            docs: &Docs {
                summary: Bytes::new("Asks for the stream of changes from an offset on; replicas use it."),
                since: Bytes::new("2.8.0"),
                group: Bytes::new("server"),
                args: Slice::new(&[Arg::new(abi::ARG_STRING, "replicationid"), Arg::new(abi::ARG_INTEGER, "offset")]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        psync,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("sync"),
            arity: 1,
            flags: SYNC_FLAGS,
            docs: &Docs {
                summary: Bytes::new("Asks for all data and the stream of changes behind them; old replicas use it."),
                since: Bytes::new("1.0.0"),
                group: Bytes::new("server"),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        |context| answer(context, Ask::All),
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("replconf"),
            arity: -1,
            flags: abi::COMMAND_ADMIN
                | abi::COMMAND_NO_SCRIPT
                | abi::COMMAND_LOADING
                | abi::COMMAND_STALE
                | abi::COMMAND_ALLOW_BUSY,
            docs: &about(
                "Says what a replica can, and how far it is; replicas use it.",
                "3.0.0",
                Bytes::new("server"),
                "O(1)",
            ),
            ..Command::NEW
        },
        replconf,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("role"),
            arity: 1,
            flags: abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE | abi::COMMAND_FAST,
            categories: abi::CATEGORY_ADMIN | abi::CATEGORY_DANGEROUS,
            docs: &about(
                "Tells whose copy the data are, and how far replicas are.",
                "2.8.12",
                Bytes::new("server"),
                "O(1)",
            ),
            ..Command::NEW
        },
        role,
    ),
];

fn psync(context: &mut Context) -> Status {
    let Some(offset) = parse_i64(context.arg(2)) else {
        let name = context.client.map_or(String::new(), |token| primary::name_of(context.server(), token));
        log::warning(&format!("Replica {name} asks for synchronization but with a wrong offset"));
        return STATUS_NOT_INTEGER;
    };
    let is_attached = context.client().is_some_and(|client| client.replicates == Replicates::Attached);
    if context.argc() > 3 && context.arg_is(3, "FAILOVER") && !is_attached {
        let id = context.arg(1);
        if let Err(text) = failover::take_over(context.server(), id) {
            return context.error(text);
        }
    }
    answer(context, Ask::From(context.arg(1), offset))
}

/// The answer comes when it is known what is sent: at once, or when a snapshot is begun.
fn answer(context: &mut Context, ask: Ask<'_>) -> Status {
    let Some(token) = context.client else { return context.error("ERR there is no client connection") };
    let known = &context.server().registry.replication;
    if matches!(known.role, Role::Replica { .. }) && known.link != Link::Up {
        return context.error("NOMASTERLINK Can't SYNC while not connected with my master");
    }
    // Who is a replica already is told nothing.
    if context.client().is_some_and(|client| client.replicates == Replicates::Attached) {
        return STATUS_OK;
    }
    match sync::ask(context.server(), token, ask) {
        Ok(()) => STATUS_OK,
        Err(text) => context.error(text),
    }
}

fn replconf(context: &mut Context) -> Status {
    let Some(token) = context.client else { return context.error("ERR there is no client connection") };
    if context.argc().is_multiple_of(2) {
        return context.error("ERR syntax error");
    }
    if context.argc() > 1 && (context.arg_is(1, "ACK") || context.arg_is(1, "GETACK")) {
        acknowledge(context, token);
        return STATUS_OK;
    }
    let mut said = Vec::new();
    for at in (1..context.argc()).step_by(2) {
        match change(context.arg(at), context.arg(at + 1)) {
            Ok(change) => said.push(change),
            Err(text) => return context.error(text),
        }
    }
    for change in said {
        primary::hear(context.server(), token, change);
    }
    context.ok()
}

/// `ACK offset`, perhaps with `FACK offset` behind it: there is no reply.
fn acknowledge(context: &mut Context, token: usize) {
    let Some(offset) = parse_i64(context.arg(2)).filter(|_| context.arg_is(1, "ACK")) else { return };
    let synced = if context.arg_is(3, "FACK") { parse_i64(context.arg(4)) } else { None };
    primary::acknowledge(context.server(), token, offset, synced);
}

type Change = Box<dyn FnOnce(&mut Said)>;

/// What a replica says of itself, by one option and its value.
fn change(option: &[u8], value: &[u8]) -> Result<Change, String> {
    let text = String::from_utf8_lossy(value).into_owned();
    let out_of_range = || "ERR value is not an integer or out of range".to_owned();
    Ok(match option.to_ascii_lowercase().as_slice() {
        b"listening-port" => {
            let port = text.parse::<u16>().map_err(|_| out_of_range())?;
            Box::new(move |said| said.port = port)
        }
        b"ip-address" if value.len() > IP_BYTES_MAX => {
            let len = value.len();
            return Err(format!("ERR REPLCONF ip-address provided by replica instance is too long: {len} bytes"));
        }
        b"ip-address" => Box::new(move |said| said.ip = text),
        b"capa" => capability(&text.to_ascii_lowercase()),
        b"version" => {
            let parts: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
            let version = parts.and_then(|parts| parts.try_into().ok());
            let version = version.ok_or("ERR REPLCONF version is no version")?;
            Box::new(move |said| said.version = Some(version))
        }
        b"rdb-only" => {
            let only = match value {
                b"0" => false,
                b"1" => true,
                _ if parse_i64(value).is_some() => {
                    return Err("ERR value is out of range, value must between 0 and 1".into());
                }
                _ => return Err(out_of_range()),
            };
            Box::new(move |said| said.rdb_only = only)
        }
        b"rdb-filter-only" => filters(value)?,
        _ => {
            let shown = words::shown(crate::command::status::shown(option));
            return Err(format!("ERR Unrecognized REPLCONF option: {shown}"));
        }
    })
}

/// Capabilities that are not known are those of a newer replica, and of no use here.
fn capability(name: &str) -> Change {
    let rdb_version = name.strip_prefix("rdb-").and_then(|version| version.parse().ok());
    match name {
        // What every Plinth reads.
        "plinth" => Box::new(|said| said.rdb_version = Some(version::NEWEST)),
        "eof" => Box::new(|said| said.reads_mark = true),
        "psync2" => Box::new(|said| said.reads_id = true),
        _ => Box::new(move |said| said.rdb_version = rdb_version.or(said.rdb_version)),
    }
}

/// What a snapshot is to have, and nothing else: functions are all that can be asked for.
fn filters(value: &[u8]) -> Result<Change, String> {
    let names = words::split(value).map_err(|_| "ERR Missing rdb-filter-only values")?;
    let unknown = names.iter().find(|name| !name.eq_ignore_ascii_case(b"functions"));
    if let Some(name) = unknown {
        let shown = words::shown(crate::command::status::shown(name));
        return Err(format!("ERR Unsupported rdb-filter-only option: {shown}"));
    }
    let no_functions = names.is_empty();
    Ok(Box::new(move |said| (said.no_keys, said.no_functions) = (true, no_functions)))
}

fn role(context: &mut Context) -> Status {
    let role = info::role(context.server());
    role.write(&mut context.reply());
    STATUS_OK
}
