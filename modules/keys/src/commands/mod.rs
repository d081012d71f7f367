//! The commands, one file per family, each spec beside its handler.

mod database;
mod dump;
mod expire;
mod migrate;
mod object;
mod presence;
mod remove;
mod rename;
mod scan;
mod sort;
mod ttl;

pub(crate) use migrate::{FIELDS, State};
use plinth_module::abi::bytes::Bytes;
use plinth_module::prelude::*;

/// The families.
const FAMILIES: &[&[Command]] = &[
    remove::COMMANDS,
    presence::COMMANDS,
    expire::COMMANDS,
    ttl::COMMANDS,
    scan::COMMANDS,
    rename::COMMANDS,
    object::COMMANDS,
    dump::COMMANDS,
    migrate::COMMANDS,
    database::COMMANDS,
    sort::COMMANDS,
];

/// All commands.
pub(crate) static ALL: &[Command] = &join::<{ count_of(FAMILIES) }>(FAMILIES);

/// Categories of commands that look at keys.
const READS: u64 = CATEGORY_KEYSPACE | CATEGORY_READ;
/// Categories of commands that change keys.
const WRITES: u64 = CATEGORY_KEYSPACE | CATEGORY_WRITE;
/// Looking at a key without leaving a trace: neither in its clock nor in the statistics.
const UNSEEN: u32 = GET_NO_TOUCH | GET_NO_STATS;
/// Finding a key that is going to be changed. Redis counts hits and misses of reads only.
const CHANGING: u32 = GET_WRITE | GET_NO_STATS;

const GENERIC: Bytes = text("generic");
const SERVER: Bytes = text("server");
const CONSTANT_TIME: Bytes = text("O(1)");

/// The docs' argument for the key of the first key spec.
const KEY_ARG: Arg = Arg::key("key", 0);

/// Writes the reply of a HELP subcommand: a head, the lines, and HELP itself.
fn help(reply: &mut ReplyBuffer<'_>, container: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    reply.simple(format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for line in lines {
        reply.simple(line);
    }
    reply.simple("HELP");
    reply.simple("    Shows this text.");
}

/// Whether a parameter of the server that is a boolean says yes.
fn is_set(call: &Call<'_>, parameter: &str) -> bool {
    call.config.number(parameter).is_ok_and(|number| number != 0)
}
