//! The commands: one file per family, each with the list of what it holds.
//!
//! Facts of the specs (arity, flags, key specs, versions) are those that Redis 7.2 and 8.2 and Valkey
//! 9.1 publish in COMMAND INFO and COMMAND DOCS. A spec stands without the function that runs it,
//! because that depends on the storage; each family's `commands` joins the two.

mod ack;
mod add;
mod auto_claim;
mod claim;
mod delete;
mod group;
mod info;
mod pending;
mod range;
mod read;
mod read_group;
mod set_id;
mod sweep;
mod trim;

pub(crate) use add::{ENTRY_MAX, auto_id};
pub(crate) use trim::default_limit;

use crate::id::{self, Id, TEXT_MAX};
use crate::storage::Storage;
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::prelude::*;
use std::ops::{ControlFlow, RangeInclusive};

/// Number of commands.
pub const COUNT: usize = 17;

/// Every command, over a storage.
pub const fn all<S: Storage>() -> [Command; COUNT] {
    join(&[
        &add::commands::<S>(),
        &trim::commands::<S>(),
        &range::commands::<S>(),
        &delete::commands::<S>(),
        &set_id::commands::<S>(),
        &read::commands::<S>(),
        &read_group::commands::<S>(),
        &group::commands::<S>(),
        &ack::commands::<S>(),
        &pending::commands::<S>(),
        &claim::commands::<S>(),
        &auto_claim::commands::<S>(),
        &info::commands::<S>(),
    ])
}

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("stream")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("stream");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The argument `group`.
const GROUP_NAME: Arg = Arg::new(ARG_STRING, "group");
/// The argument `consumer`.
const CONSUMER: Arg = Arg::new(ARG_STRING, "consumer");
/// The option `COUNT count`.
const COUNT_ARG: Arg = Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL);
/// The words that say what becomes of references.
const REFERENCES: Arg = Arg::group(
    ARG_ONE_OF,
    "condition",
    &[Arg::word("keepref", "KEEPREF"), Arg::word("delref", "DELREF"), Arg::word("acked", "ACKED")],
)
.flags(ARG_OPTIONAL);

/// A change of a value that nobody waits for.
const QUIET: u32 = EVENT_STREAM | EVENT_UNAWAITED;
/// A change that leaves the entries as they are, of which no transaction is to hear.
const BESIDE: u32 = EVENT_STREAM | EVENT_UNWATCHED;
/// One that nobody waits for either.
const QUIET_BESIDE: u32 = QUIET | BESIDE;
/// The same without an event.
const UNHEARD: u32 = EVENT_UNAWAITED | EVENT_UNWATCHED;

const BAD_ID: &str = "ERR Invalid stream ID specified as stream command argument";

/// An id; without a number after the time that number is `seq`. Anything else is answered with an
/// error.
#[inline]
fn read_id(reply: &mut ReplyBuffer<'_>, text: &[u8], seq: u64) -> Result<Id> {
    id::parse(text, seq).ok_or_else(|| reply.error(BAD_ID))
}

/// An id, or the least or greatest for `-` and `+`.
fn read_end(reply: &mut ReplyBuffer<'_>, text: &[u8], seq: u64) -> Result<Id> {
    match text {
        b"-" => Ok(Id::MIN),
        b"+" => Ok(Id::MAX),
        text => read_id(reply, text, seq),
    }
}

/// Where a range begins: an id, `-` or `+`, or `(` and an id that is left out.
fn read_start(reply: &mut ReplyBuffer<'_>, text: &[u8]) -> Result<Id> {
    match text.split_first() {
        Some((b'(', text)) => {
            read_id(reply, text, 0)?.next().ok_or_else(|| reply.error("ERR invalid start ID for the interval"))
        }
        _ => read_end(reply, text, 0),
    }
}

/// Where a range ends. As [`read_start`].
fn read_stop(reply: &mut ReplyBuffer<'_>, text: &[u8]) -> Result<Id> {
    match text.split_first() {
        Some((b'(', text)) => {
            read_id(reply, text, u64::MAX)?.previous().ok_or_else(|| reply.error("ERR invalid end ID for the interval"))
        }
        _ => read_end(reply, text, u64::MAX),
    }
}

/// Answers with an id.
#[inline]
fn reply_id(reply: &mut ReplyBuffer<'_>, id: Id) {
    reply.bulk(id.text(&mut [0; TEXT_MAX]));
}

/// Answers with an entry.
#[inline]
fn reply_entry<'s>(
    reply: &mut ReplyBuffer<'_>,
    id: Id,
    fields: impl ExactSizeIterator<Item = plinth_module::pack::Value<'s>>,
) {
    reply.array(2);
    reply_id(reply, id);
    reply.array(fields.len());
    fields.for_each(|value| reply.bulk_value(value));
}

/// Answers with at most `count` entries, at least one, of a range of ids, the last one first if `back`;
/// returns how many they are.
fn reply_range<S: Storage>(
    reply: &mut ReplyBuffer<'_>,
    log: &S,
    ids: RangeInclusive<Id>,
    count: usize,
    back: bool,
) -> usize {
    let mark = reply.open();
    let mut answered = 0;
    let one = |id: Id, fields: S::Fields<'_>| {
        reply_entry(reply, id, fields);
        answered += 1;
        if answered < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let _ = if back { log.visit_back(ids, one) } else { log.visit(ids, one) };
    reply.close_array(mark, answered);
    answered
}

/// Says that a consumer of a group came into being, or that something else was changed there.
fn announce(entry: &mut Entry<'_>, has_new_consumer: bool, is_changed: bool) {
    if has_new_consumer {
        entry.modified(QUIET_BESIDE, "xgroup-createconsumer");
    } else if is_changed {
        entry.modified(UNHEARD, "");
    }
}

/// Refuses the name of a group that a stream does not have.
fn no_group_of(reply: &mut ReplyBuffer<'_>, key: &[u8], group: &[u8]) -> Error {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    reply.error(format!("NOGROUP No such consumer group '{group}' for key name '{key}'"))
}

/// Refuses a key or a group that is not there.
fn no_key_or_group(reply: &mut ReplyBuffer<'_>, key: &[u8], group: &[u8]) -> Error {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    reply.error(format!("NOGROUP No such key '{key}' or consumer group '{group}'"))
}

/// Refuses the arguments of a subcommand.
fn misused(reply: &mut ReplyBuffer<'_>, container: &str, subcommand: &[u8]) -> Error {
    let subcommand = String::from_utf8_lossy(subcommand);
    let text = "ERR unknown subcommand or wrong number of arguments for";
    reply.error(format!("{text} '{subcommand}'. Try {container} HELP."))
}

/// Writes the reply of a HELP subcommand: a head, the lines, and HELP itself.
fn help(reply: &mut ReplyBuffer<'_>, container: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    reply.simple(format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Shows this text.");
}
