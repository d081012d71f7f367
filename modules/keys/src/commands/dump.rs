//! DUMP, RESTORE and RESTORE-ASKING: a value as bytes that another server can read.
//!
//! The payload's form, its version and its checksum are the host's; the bytes inside are the data
//! type's. RESTORE-ASKING is RESTORE as a cluster node sends it during a migration.

use super::expire::{Unit, deadline_ms};
use super::{CHANGING, GENERIC, KEY_ARG, READS, WRITES};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[DUMP, RESTORE, RESTORE_ASKING];

const DUMP: Command = Command {
    name: text("dump"),
    arity: 2,
    flags: COMMAND_READONLY,
    categories: READS,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    tips: list(&[text("nondeterministic_output")]),
    docs: &Docs {
        summary: text("Shows a key's value as bytes for RESTORE."),
        since: text("2.6.0"),
        group: GENERIC,
        complexity: text("O(N) for N bytes of the value."),
        args: list(&[KEY_ARG]),
        ..Docs::NEW
    },
    run: run(dump),
    ..Command::NEW
};

const RESTORE_DOCS: Docs = Docs {
    summary: text("Makes a key from what DUMP has shown."),
    since: text("2.6.0"),
    group: GENERIC,
    complexity: text("O(N) for N bytes of the value; for a sorted set O(N*log(M)), for M elements."),
    history: list(&[
        change("3.0.0", "Takes the word `REPLACE`."),
        change("5.0.0", "Takes the word `ABSTTL`."),
        change("5.0.0", "Takes the options `IDLETIME` and `FREQ`."),
    ]),
    args: list(&[
        KEY_ARG,
        Arg::new(ARG_INTEGER, "ttl"),
        Arg::new(ARG_STRING, "serialized-value"),
        Arg::word("replace", "REPLACE").flags(ARG_OPTIONAL).since("3.0.0"),
        Arg::word("absttl", "ABSTTL").flags(ARG_OPTIONAL).since("5.0.0"),
        Arg::new(ARG_INTEGER, "seconds").token("IDLETIME").flags(ARG_OPTIONAL).since("5.0.0"),
        Arg::new(ARG_INTEGER, "frequency").token("FREQ").flags(ARG_OPTIONAL).since("5.0.0"),
    ]),
    ..Docs::NEW
};

const RESTORE: Command = Command {
    name: text("restore"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    categories: WRITES | CATEGORY_DANGEROUS,
    keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1)]),
    docs: &RESTORE_DOCS,
    run: run(restore),
    ..Command::NEW
};

const RESTORE_ASKING: Command = Command {
    name: text("restore-asking"),
    flags: RESTORE.flags | COMMAND_ASKING,
    docs: &Docs {
        summary: text("RESTORE between cluster nodes, for slots in migration."),
        since: text("3.0.0"),
        group: super::SERVER,
        ..RESTORE_DOCS
    },
    ..RESTORE
};

fn dump(call: &mut Call<'_>) -> Result {
    match call.keys.get_any(call.args.bytes(1), 0)? {
        Some(entry) => entry.dump(|payload| call.reply.bulk(payload))?,
        None => call.reply.null(),
    }
    Ok(())
}

/// The words behind the payload.
#[derive(Default)]
struct Options {
    replace: bool,
    is_absolute: bool,
    idle_s: Option<i64>,
    frequency: Option<i64>,
}

impl Options {
    /// Errors about values are written. Idle time and frequency exclude each other.
    fn read(call: &mut Call<'_>) -> Result<Options> {
        let mut options = Options::default();
        let mut at = 4;
        while at < call.args.len() {
            let has_value = at + 1 < call.args.len();
            if call.args.word(at, "replace") {
                options.replace = true;
            } else if call.args.word(at, "absttl") {
                options.is_absolute = true;
            } else if call.args.word(at, "idletime") && has_value && options.frequency.is_none() {
                at += 1;
                let idle_s = call.args.integer(at)?;
                if idle_s < 0 {
                    return Err(call.reply.error("ERR Invalid IDLETIME value, must be >= 0"));
                }
                options.idle_s = Some(idle_s);
            } else if call.args.word(at, "freq") && has_value && options.idle_s.is_none() {
                at += 1;
                let frequency = call.args.integer(at)?;
                if !(0..=255).contains(&frequency) {
                    return Err(call.reply.error("ERR Invalid FREQ value, must be >= 0 and <= 255"));
                }
                options.frequency = Some(frequency);
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        Ok(options)
    }
}

fn restore(call: &mut Call<'_>) -> Result {
    let options = Options::read(call)?;
    let (key, payload) = (call.args.bytes(1), call.args.bytes(3));
    let was_there = call.keys.exists(key, CHANGING);
    if was_there && !options.replace {
        return Err(call.reply.error("BUSYKEY Target key name already exists."));
    }
    let ttl_ms = call.args.integer(2)?;
    if ttl_ms < 0 {
        return Err(call.reply.error("ERR Invalid TTL value, must be >= 0"));
    }
    let from_ms = if options.is_absolute { 0 } else { call.now_ms() };
    let expire_at_ms = match ttl_ms {
        0 => None,
        _ => Some(deadline_ms(ttl_ms, Unit::Milliseconds, from_ms).ok_or(Error::InvalidExpire)?),
    };
    let is_past = expire_at_ms.is_some_and(|at_ms| at_ms <= call.now_ms());
    let how = Restore {
        expire_at_ms: expire_at_ms.filter(|_| !is_past),
        replace: options.replace,
        idle_s: options.idle_s,
        frequency: options.frequency,
    };
    call.keys.restore(key, payload, how).map_err(|error| match error {
        Error::NotAllowed => call.reply.error("ERR DUMP payload version or checksum are wrong"),
        Error::BadData => call.reply.error("ERR Bad data format"),
        other => other,
    })?;
    super::migrate::note_restored(call, key);
    if is_past {
        return take_back(call, key, was_there);
    }
    call.keys.modified(key, EVENT_GENERIC, "restore");
    if let Some(at_ms) = expire_at_ms.filter(|_| !options.is_absolute) {
        propagate_absolute(call, at_ms)?;
    }
    call.reply.ok();
    Ok(())
}

/// Ends a RESTORE of a key that has expired already: it was made only to see that it can be.
fn take_back(call: &mut Call<'_>, key: &[u8], was_there: bool) -> Result {
    let lazy = super::is_set(call, "lazyfree-lazy-server-del");
    call.keys.remove(key, if lazy { REMOVE_LAZY } else { 0 })?;
    if was_there {
        call.keys.modified(key, EVENT_GENERIC, "del");
        call.propagate.instead(&[if lazy { b"UNLINK" } else { b"DEL" }, key])?;
    } else {
        call.propagate.nothing()?;
    }
    call.reply.ok();
    Ok(())
}

/// Passes on the same command with a deadline in place of a time to live.
fn propagate_absolute(call: &mut Call<'_>, at_ms: i64) -> Result {
    let mut digits = itoa::Buffer::new();
    let mut args: Vec<&[u8]> = call.args.iter().collect();
    args[2] = digits.format(at_ms).as_bytes();
    args.push(b"ABSTTL");
    call.propagate.instead(&args)
}
