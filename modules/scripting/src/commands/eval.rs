//! EVAL, EVALSHA, EVAL_RO, EVALSHA_RO: run a script, by its source or its SHA-1.

use super::GROUP;
use crate::engine::{self, Failure};
use crate::run::{Name, Origin};
use crate::scripts::{Sha, sha_of};
use crate::shebang::{self, NO_WRITES};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[EVAL, EVAL_RO, EVALSHA, EVALSHA_RO];

/// Keys that a script is given, as many as its second argument says.
pub(super) const fn keys(flags: u64) -> KeySpec {
    KeySpec { find: KEY_FIND_KEYNUM, limit: 1, ..KeySpec::range(flags, 2, 0, 1) }
}

/// What all of them share.
pub(super) const RUNS: Command = Command {
    arity: -3,
    flags: COMMAND_NO_SCRIPT
        | COMMAND_SKIP_MONITOR
        | COMMAND_MAY_REPLICATE
        | COMMAND_STALE
        | COMMAND_NO_MANDATORY_KEYS
        | COMMAND_MOVABLE_KEYS,
    categories: CATEGORY_SCRIPTING,
    keys: list(&[keys(KEY_RW | KEY_ACCESS | KEY_UPDATE)]),
    ..Command::NEW
};

/// Those that only read.
pub(super) const READS: Command = Command {
    flags: COMMAND_READONLY
        | COMMAND_NO_SCRIPT
        | COMMAND_SKIP_MONITOR
        | COMMAND_STALE
        | COMMAND_NO_MANDATORY_KEYS
        | COMMAND_MOVABLE_KEYS,
    keys: list(&[keys(KEY_RO | KEY_ACCESS)]),
    ..RUNS
};

const REST: [Arg; 3] = [
    Arg::new(ARG_INTEGER, "numkeys"),
    Arg::key("key", 0).flags(ARG_OPTIONAL | ARG_MULTIPLE),
    Arg::new(ARG_STRING, "arg").flags(ARG_OPTIONAL | ARG_MULTIPLE),
];

const BY_SOURCE: &[Arg] = &[Arg::new(ARG_STRING, "script"), REST[0], REST[1], REST[2]];
const BY_SHA: &[Arg] = &[Arg::new(ARG_STRING, "sha1"), REST[0], REST[1], REST[2]];

const DOCS: Docs = Docs {
    since: text("2.6.0"),
    group: GROUP,
    complexity: text("Depends on the script that is executed."),
    ..Docs::NEW
};

const EVAL: Command = Command {
    name: text("eval"),
    docs: &Docs { summary: text("Runs a script."), args: list(BY_SOURCE), ..DOCS },
    run: run(|call| eval(call, false)),
    find_flags: find_flags(|args| flags_with(shebang::of_script(args.bytes(1)).unwrap_or(None))),
    ..RUNS
};

const EVAL_RO: Command = Command {
    name: text("eval_ro"),
    docs: &Docs {
        summary: text("Runs a script that may not write."),
        since: text("7.0.0"),
        args: list(BY_SOURCE),
        ..DOCS
    },
    run: run(|call| eval(call, true)),
    ..READS
};

const EVALSHA: Command = Command {
    name: text("evalsha"),
    docs: &Docs { summary: text("Runs a script that is there, by its SHA-1."), args: list(BY_SHA), ..DOCS },
    run: run(|call| evalsha(call, false)),
    find_flags: find_flags(|args| flags_of_sha(args.bytes(1))),
    ..RUNS
};

const EVALSHA_RO: Command = Command {
    name: text("evalsha_ro"),
    docs: &Docs {
        summary: text("Runs a script that is there, by its SHA-1, and may not write."),
        since: text("7.0.0"),
        args: list(BY_SHA),
        ..DOCS
    },
    run: run(|call| evalsha(call, true)),
    ..READS
};

/// What a command is that runs something with these flags; one whose first line says nothing may do anything.
pub(super) fn flags_with(flags: Option<u32>) -> u64 {
    match flags {
        None => RUNS.flags,
        Some(flags) if flags & NO_WRITES != 0 => RUNS.flags & !COMMAND_MAY_REPLICATE,
        Some(_) => RUNS.flags | COMMAND_WRITE,
    }
}

fn flags_of_sha(sha: &[u8]) -> u64 {
    let sha = Sha::try_from(sha).map(|sha| sha.map(|letter| letter.to_ascii_lowercase()));
    flags_with(sha.ok().and_then(|sha| engine::flags_of(&sha)))
}

/// How many of the arguments are keys, which is the third.
pub(super) fn key_count(call: &mut Call<'_>) -> Result<usize> {
    let count = call.args.integer(2)?;
    match usize::try_from(count) {
        Err(_) => Err(call.reply.error("ERR Number of keys can't be negative")),
        Ok(count) if count > call.args.len() - 3 => {
            Err(call.reply.error("ERR Number of keys can't be greater than number of args"))
        }
        Ok(count) => Ok(count),
    }
}

fn eval(call: &mut Call<'_>, reads: bool) -> Result {
    let keys = key_count(call)?;
    let source = call.args.bytes(1);
    let sha = sha_of(source);
    execute(call, &sha, Some(source), keys, reads)
}

fn evalsha(call: &mut Call<'_>, reads: bool) -> Result {
    let Ok(mut sha) = Sha::try_from(call.args.bytes(1)) else { return Err(no_script(call)) };
    sha.make_ascii_lowercase();
    let keys = key_count(call)?;
    execute(call, &sha, None, keys, reads)
}

fn no_script(call: &mut Call<'_>) -> Error {
    call.reply.error("NOSCRIPT No matching script. Please use EVAL.")
}

fn execute(call: &mut Call<'_>, sha: &Sha, source: Option<&[u8]>, keys: usize, reads: bool) -> Result {
    let found = engine::find_script(call, sha, source, false);
    let (function, flags) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return Err(no_script(call)),
        Err(Failure(text)) => return Err(call.reply.error(text)),
    };
    crate::permit::check(call, flags, reads)?;
    let task = engine::Task { origin: Origin::Script, name: Name::Script(*sha), flags, keys, reads };
    engine::execute(call, &task, function)
}
