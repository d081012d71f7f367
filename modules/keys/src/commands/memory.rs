//! MEMORY USAGE and MEMORY HELP: what a key costs.
//!
//! Redis estimates large collections from a sample of their elements. Here every type keeps count
//! of its bytes, so that SAMPLES is read and changes nothing.

use super::{CONSTANT_TIME, KEY_ARG, SERVER, UNSEEN};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[MEMORY];

const MEMORY: Command = Command {
    name: text("memory"),
    arity: -2,
    subcommands: list(&[USAGE, HELP]),
    docs: &Docs {
        summary: text("Tells what memory is used for."),
        since: text("4.0.0"),
        group: SERVER,
        complexity: text("Depends on subcommand."),
        ..Docs::NEW
    },
    ..Command::NEW
};

const USAGE: Command = Command {
    name: text("usage"),
    arity: -3,
    flags: COMMAND_READONLY,
    categories: CATEGORY_READ,
    keys: list(&[KeySpec::at(KEY_RO, 2)]),
    docs: &Docs {
        summary: text("Tells how many bytes a key and its value take."),
        since: text("4.0.0"),
        group: SERVER,
        complexity: CONSTANT_TIME,
        args: list(&[KEY_ARG, Arg::new(ARG_INTEGER, "count").token("SAMPLES").flags(ARG_OPTIONAL)]),
        ..Docs::NEW
    },
    run: run(usage),
    ..Command::NEW
};

const HELP: Command = Command {
    name: text("help"),
    arity: 2,
    flags: COMMAND_LOADING | COMMAND_STALE,
    docs: &Docs {
        summary: text("Lists the subcommands."),
        since: text("4.0.0"),
        group: SERVER,
        complexity: CONSTANT_TIME,
        ..Docs::NEW
    },
    run: run(help),
    ..Command::NEW
};

const HELP_LINES: &[&str] = &[
    "USAGE <key> [SAMPLES <count>]",
    "    The bytes that <key> and its value take. They are counted and not sampled,",
    "    whatever <count> says.",
];

fn usage(call: &mut Call<'_>) -> Result {
    for at in (3..call.args.len()).step_by(2) {
        if !call.args.word(at, "samples") || at + 1 == call.args.len() || call.args.integer(at + 1)? < 0 {
            return Err(Error::Syntax);
        }
    }
    match call.keys.get_any(call.args.bytes(2), UNSEEN)? {
        Some(entry) => call.reply.count(entry.stat().memory),
        None => call.reply.null(),
    }
    Ok(())
}

fn help(call: &mut Call<'_>) -> Result {
    super::help(&mut call.reply, "MEMORY", HELP_LINES);
    Ok(())
}
