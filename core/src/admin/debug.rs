//! DEBUG: what test suites and developers ask of a server, and nobody else should.
//!
//! It is refused unless `enable-debug-command` allows it. The subcommands are not
//! listed by COMMAND, as in the reference. Those that look into the layout of one
//! data type are its module's: DEBUG runs the command `debug.name`, which clients cannot
//! send, for the subcommand `name`.

mod allocator;
mod append;
mod disk;
mod propagation;
mod protocol;
mod reload;
mod values;

use crate::admin::spec::{CoreCommand, about};
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::engine::dispatch::Caller;
use crate::engine::server::Server;
use crate::socket::output::Output;
use crate::store::ghost;
use crate::store::ghost::GHOST;
use crate::store::types::value_of;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::CALL_NESTED;
use plinth_abi::command::{self as abi, Command};
use plinth_abi::status::{STATUS_NOT_INTEGER, STATUS_OK, STATUS_TOO_LARGE, Status};
use std::time::Duration;

/// Milliseconds after which a reply buffer's peak is forgotten unless said otherwise.
const PEAK_RESET_MS: i64 = 5000;
/// Longest sleep in seconds.
const SLEEP_S_MAX: f64 = 3600.0;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::new(
    Command {
        name: Bytes::new("debug"),
        arity: -2,
        flags: abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE,
        docs: &about(
            "A container for what only tests and developers need.",
            "1.0.0",
            Bytes::new("server"),
            "Depends on subcommand.",
        ),
        ..Command::NEW
    },
    debug,
)];

/// A subcommand: its name, the least and the most arguments behind it, what runs it.
type Subcommand = (&'static str, usize, usize, fn(&mut Context) -> Status);

const SUBCOMMANDS: &[Subcommand] = &[
    ("assert", 0, usize::MAX, assert),
    ("aof-flush-sleep", 1, 1, append::sleep_before_writes),
    ("change-repl-id", 0, 0, change_repl_id),
    ("config-rewrite-force-all", 0, 0, rewrite_all),
    ("dict-resizing", 1, 1, accept),
    ("digest", 0, 0, values::digest),
    ("digest-value", 0, usize::MAX, values::digests),
    ("disk", 1, 4, disk::run),
    ("error", 1, 1, error),
    ("help", 0, 0, help),
    ("htstats", 1, 2, table_stats),
    ("log", 1, 1, log),
    ("mallctl", 1, 1, allocator::number),
    ("object", 1, 1, object),
    ("panic", 0, 0, panic),
    ("pause-cron", 1, 1, pause_cron),
    ("populate", 1, 3, populate),
    ("propagation", 0, 1, propagation::run),
    ("protocol", 1, 1, protocol::show),
    ("reload", 0, 3, reload::run),
    ("loadaof", 0, 0, append::load),
    ("replicate", 1, usize::MAX, propagation::tell_replicas),
    ("replybuffer", 2, 2, reply_buffer),
    ("rewrite", 1, 1, values::rewrite),
    ("segfault", 0, 0, segfault),
    ("set-active-expire", 1, 1, set_active_expire),
    ("set-disable-deny-scripts", 1, 1, set_disable_deny),
    ("set-skip-checksum-validation", 1, 1, set_skip_checksums),
    ("sleep", 1, 1, sleep),
    ("stringmatch-len", 2, 2, string_match),
];

fn debug(context: &mut Context) -> Status {
    let (enabled, client) = (context.server().settings.enable_debug_command, context.client);
    if !context.server().sessions.allows(enabled, client) {
        return context.error(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
        );
    }
    let count = context.argc() - 2;
    let found =
        SUBCOMMANDS.iter().find(|(name, least, most, _)| context.arg_is(1, name) && (*least..=*most).contains(&count));
    match found {
        Some((.., run)) => run(context),
        None => of_module(context),
    }
}

/// A module's command `debug.name`, with the arguments behind the name.
fn of_module(context: &mut Context) -> Status {
    let name = [b"debug.", context.arg(1)].concat().to_ascii_lowercase();
    let args: Vec<Bytes> =
        std::iter::once(&name[..]).chain((2..context.argc()).map(|at| context.arg(at))).map(Bytes::of).collect();
    let Some(command) = context.server().commands.find_any(&name) else { return unknown(context) };
    let mut output = Output::default();
    let (begin, resp) = (output.mark(), context.call.resp as u8);
    let client = context.client.map(|token| (token, context.call.client_id));
    let caller = Caller { client, output: &raw mut output, db: context.db, resp, flags: CALL_NESTED };
    // SAFETY: nothing has run since the table gave the pointer.
    unsafe { context.server().run_found(command, &args, caller) };
    let reply = output.copy_after(begin);
    context.output().write(&reply);
    // An error was counted where it came up.
    STATUS_OK
}

fn unknown(context: &mut Context) -> Status {
    let name = context.arg_shown(1);
    context.error([b"ERR unknown subcommand or wrong number of arguments for '", name, b"'. Try DEBUG HELP."].concat())
}

/// Whether an argument is a number other than 0.
fn is_on(context: &Context, at: usize) -> bool {
    parse_i64(context.arg(at)).unwrap_or(0) != 0
}

/// For what concerns structures that this server does not have.
fn accept(context: &mut Context) -> Status {
    context.ok()
}

fn sleep(context: &mut Context) -> Status {
    let seconds = context.arg_text(2).parse::<f64>().unwrap_or(0.0);
    if seconds > 0.0 {
        std::thread::sleep(Duration::from_secs_f64(seconds.min(SLEEP_S_MAX)));
    }
    context.ok()
}

fn segfault(context: &mut Context) -> Status {
    crate::base::crash::segfault();
    context.ok()
}

fn panic(_context: &mut Context) -> Status {
    crate::base::crash::die("DEBUG PANIC: the server stops as if it could not go on.")
}

fn assert(_context: &mut Context) -> Status {
    crate::base::crash::die("=== ASSERTION FAILED === DEBUG ASSERT: what must be is not.")
}

fn set_active_expire(context: &mut Context) -> Status {
    context.server().store.active_expire = is_on(context, 2);
    context.ok()
}

fn set_disable_deny(context: &mut Context) -> Status {
    context.server().allows_scripts_more = is_on(context, 2);
    context.ok()
}

fn set_skip_checksums(context: &mut Context) -> Status {
    context.server().skip_checksums = is_on(context, 2);
    context.ok()
}

fn pause_cron(context: &mut Context) -> Status {
    context.server().cron_paused = is_on(context, 2);
    context.ok()
}

fn change_repl_id(context: &mut Context) -> Status {
    crate::base::log::warning("Changing replication IDs after receiving DEBUG change-repl-id");
    context.ok()
}

fn rewrite_all(context: &mut Context) -> Status {
    if context.server().config_file.as_os_str().is_empty() {
        return context.error("ERR The server is running without a config file");
    }
    match crate::admin::config::file::rewrite(context.server(), true) {
        Ok(()) => context.ok(),
        Err(error) => {
            context.error(format!("ERR CONFIG-REWRITE-FORCE-ALL failed: {}", crate::base::log::plain(&error)))
        }
    }
}

fn log(context: &mut Context) -> Status {
    crate::base::log::warning(&format!("DEBUG LOG: {}", context.arg_text(2)));
    context.ok()
}

fn error(context: &mut Context) -> Status {
    // Of whoever asks for an error nobody is to think that something failed.
    let text = context.arg(2);
    context.error(text);
    STATUS_OK
}

fn reply_buffer(context: &mut Context) -> Status {
    if context.arg_is(2, "RESIZING") {
        context.server().reply_resizing = is_on(context, 3);
    } else if !context.arg_is(2, "PEAK-RESET-TIME") {
        return unknown(context);
    } else if context.arg_is(3, "NEVER") {
        context.server().reply_peak_reset_ms = -1;
    } else if context.arg_is(3, "RESET") {
        context.server().reply_peak_reset_ms = PEAK_RESET_MS;
    } else if let Some(ms) = parse_i64(context.arg(3)) {
        context.server().reply_peak_reset_ms = ms;
    } else {
        return STATUS_NOT_INTEGER;
    }
    context.ok()
}

/// How long a pattern match takes is what is tested, so the texts may be anything.
fn string_match(context: &mut Context) -> Status {
    let hit = crate::base::pattern::matches(context.arg(3), context.arg(2), false);
    context.reply().integer(i64::from(hit));
    STATUS_OK
}

fn object(context: &mut Context) -> Status {
    let (db, key) = (context.db, context.arg(2));
    let server = context.server();
    let hash = server.store.hash(key);
    let Some(entry) = server.store.databases[db as usize].find(hash, key) else {
        return context.error("ERR no such key");
    };
    let body = server.store.save_value(entry).unwrap_or_default();
    let idle_s = if server.store.access.counts() { 0 } else { server.store.access.idle_s(entry.clock()) };
    let encoding = encoding_of(server, entry);
    let at = if entry.is_boxed() { entry.boxed() as usize } else { entry.address() as usize };
    let clock = entry.clock();
    let length = body.len().saturating_sub(1);
    context.reply().simple(&format!(
        "Value at:{at:#x} refcount:1 encoding:{encoding} serializedlength:{length} lru:{clock} lru_seconds_idle:{idle_s}"
    ));
    STATUS_OK
}

/// What OBJECT ENCODING answers for a value.
fn encoding_of(server: &Server, entry: crate::store::entry::EntryPtr) -> String {
    let name = server.store.types.get(entry.type_id()).and_then(|ty| ty.table.encoding_name);
    if entry.type_id() == GHOST {
        return ghost::ENCODING.into();
    }
    let value = value_of(entry);
    // SAFETY: the value is of this type, and the name is a constant of its module.
    name.map_or_else(|| "raw".into(), |name| unsafe { crate::base::foreign::text(name(&raw const value)) }.into())
}

/// Make keys by running SET, so that whichever module owns it makes the values.
fn populate(context: &mut Context) -> Status {
    let count = parse_i64(context.arg(2));
    let size = if context.argc() > 4 { parse_i64(context.arg(4)) } else { Some(0) };
    let (Some(count @ 0..), Some(size @ 0..)) = (count, size) else {
        return context.error("ERR value is out of range, must be positive");
    };
    if size > context.server().settings.proto_max_bulk_len {
        return STATUS_TOO_LARGE;
    }
    let size = size as usize;
    let prefix = if context.argc() > 3 { context.arg_text(3) } else { "key".into() };
    let db = context.db;
    let mut output = Output::default();
    for number in 0..count {
        let key = format!("{prefix}:{number}");
        let server = context.server();
        let hash = server.store.hash(key.as_bytes());
        if server.store.find(db, hash, key.as_bytes()).is_some() {
            continue;
        }
        let mut value = format!("value:{number}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        let begin = output.mark();
        let caller = Caller { client: None, output: &raw mut output, db, resp: 2, flags: CALL_NESTED };
        server.run_nested(&[Bytes::new("SET"), Bytes::of(key.as_bytes()), Bytes::of(&value)], caller);
        if output.byte_after(begin) == Some(b'-') {
            let reply = output.copy_after(begin);
            return context.error(String::from_utf8_lossy(&reply[1..]).trim_end());
        }
        output.rewind(begin);
    }
    context.ok()
}

fn table_stats(context: &mut Context) -> Status {
    let Some(db) = parse_i64(context.arg(2)) else { return STATUS_NOT_INTEGER };
    let server = context.server();
    let Some(database) = usize::try_from(db).ok().and_then(|db| server.store.databases.get(db)) else {
        return context.error("ERR Out of range database");
    };
    let table = &database.table;
    let (keys, buckets) = (table.len(), table.buckets());
    let text = format!(
        "[Keys]\n keys: {keys}\n with expiry: {}\n buckets: {buckets}\n bytes of overflow: {}\n keys per bucket: {:.2}\n bytes: {}\n",
        table.marked(),
        table.overflow_bytes(),
        keys as f64 / buckets.max(1) as f64,
        table.memory_bytes(),
    );
    context.reply().verbatim(b"txt", text.as_bytes());
    STATUS_OK
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "DEBUG",
        &[
            "AOF-FLUSH-SLEEP <microseconds>",
            "    Wait before each write to the append-only file.",
            "ASSERT",
            "    Stop as if something were as it must not be.",
            "CHANGE-REPL-ID",
            "    Change the identity that replication goes by.",
            "CONFIG-REWRITE-FORCE-ALL",
            "    Like CONFIG REWRITE, with parameters at their default too.",
            "DIGEST",
            "    Return a digest of all keys and values, whatever their order.",
            "DIGEST-VALUE <key> [<key> ...]",
            "    Return a digest of each value.",
            "DISK REAL | LOG <path> | FAIL <calls> EIO|ENOSPC|SHORT [LASTING]",
            "    Write files as always, with a log of each call, or with one call behind some that fails.",
            "ERROR <string>",
            "    Return an error with this text.",
            "HTSTATS <dbid>",
            "    Return figures about a database's table.",
            "LOADAOF",
            "    Have what is in the append-only file take the place of all data.",
            "LOG <message>",
            "    Write a line to the log.",
            "MALLCTL <name>",
            "    Return a number that the allocator tells.",
            "OBJECT <key>",
            "    Return what the server knows of a key's value.",
            "PANIC",
            "    Stop as if the server could not go on.",
            "PAUSE-CRON <0|1>",
            "    Stop the housekeeping, or go on with it.",
            "POPULATE <count> [<prefix>] [<size>]",
            "    Make keys, of this prefix and with values of this size.",
            "PROPAGATION [ON|OFF]",
            "    Record what is to be told to replicas, or stop; without a word return how many",
            "    units, commands and bytes it was, and the last units: database, command, ...",
            "REPLICATE <command> [<arg> ...]",
            "    Tell replicas of a command that has not run here.",
            "PROTOCOL <type>",
            "    Return a value of a protocol type: string, integer, double, bignum, null,",
            "    array, set, map, attrib, push, verbatim, true, false.",
            "RELOAD [NOSAVE] [NOFLUSH] [MERGE]",
            "    Write a snapshot, empty all databases, and load it; NOSAVE loads the one that is there,",
            "    NOFLUSH keeps the keys that are, and MERGE replaces those that the snapshot has too.",
            "REPLYBUFFER PEAK-RESET-TIME <NEVER|RESET|milliseconds>",
            "    Set after which time a reply buffer's peak is forgotten.",
            "REPLYBUFFER RESIZING <0|1>",
            "    Whether reply buffers are resized.",
            "REWRITE <key>",
            "    Return the commands that make the key's value anew, as an append-only file has them.",
            "SEGFAULT",
            "    Die of a write to where nothing may be written.",
            "SET-ACTIVE-EXPIRE <0|1>",
            "    Whether keys that have expired are removed though nobody asks for them.",
            "SET-SKIP-CHECKSUM-VALIDATION <0|1>",
            "    Whether checksums of payloads are left unchecked.",
            "SLEEP <seconds>",
            "    Stop the server for a time.",
            "STRINGMATCH-LEN <string> <pattern>",
            "    Return whether a pattern matches.",
        ],
    )
}
