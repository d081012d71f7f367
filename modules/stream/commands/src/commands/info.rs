//! What is known of a stream and its groups: XINFO.

use super::{CATEGORIES, GROUP, GROUP_NAME, KEY, misused, no_group_of, reply_id, reply_range};
use crate::group::Group;
use crate::id::Id;
use crate::lag::Counts;
use crate::storage::Storage;
use crate::stream::Stream;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { subcommands: list(Subcommands::<S>::ALL), ..XINFO }]
}

struct Subcommands<S>(std::marker::PhantomData<S>);

impl<S: Storage> Subcommands<S> {
    const ALL: &'static [Command] = &[
        Command { run: run(stream::<S>), ..STREAM },
        Command { run: run(groups::<S>), ..GROUPS },
        Command { run: run(consumers::<S>), ..CONSUMERS },
        HELP,
    ];
}

const XINFO: Command = Command {
    name: text("xinfo"),
    arity: -2,
    docs: docs(&Docs {
        summary: text("Tells what is known of a stream, its groups and their consumers."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("Depends on subcommand."),
        ..Docs::NEW
    }),
    ..Command::NEW
};

const ON_KEY: Command = Command {
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 2)]),
    ..Command::NEW
};
const ON_KEY_DOCS: Docs = Docs { since: text("5.0.0"), group: GROUP, complexity: text("O(1)"), ..Docs::NEW };

const STREAM: Command = Command {
    name: text("stream"),
    arity: -3,
    docs: docs(&Docs {
        summary: text("Tells what is known of a stream."),
        history: list(&[
            Change { version: text("6.0.0"), what: text("The `FULL` option.") },
            Change {
                version: text("7.0.0"),
                what: text(
                    "The fields `max-deleted-entry-id`, `entries-added` and `recorded-first-entry-id`, and \
                     `entries-read` and `lag` of groups.",
                ),
            },
            Change { version: text("7.2.0"), what: text("The field `active-time` of consumers.") },
        ]),
        args: list(&[
            KEY,
            Arg::group(
                ARG_BLOCK,
                "full-block",
                &[Arg::word("full", "FULL"), Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL)],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const GROUPS: Command = Command {
    name: text("groups"),
    arity: 3,
    docs: docs(&Docs {
        summary: text("Lists the groups of a stream."),
        history: list(&[Change { version: text("7.0.0"), what: text("The fields `entries-read` and `lag`.") }]),
        args: list(&[KEY]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const CONSUMERS: Command = Command {
    name: text("consumers"),
    arity: 4,
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Lists the consumers of a group."),
        history: list(&[Change { version: text("7.2.0"), what: text("The field `inactive`.") }]),
        args: list(&[KEY, GROUP_NAME]),
        ..ON_KEY_DOCS
    }),
    ..ON_KEY
};

const HELP: Command = Command {
    name: text("help"),
    arity: 2,
    flags: COMMAND_LOADING | COMMAND_STALE,
    category_names: CATEGORIES,
    run: run(help),
    docs: docs(&Docs { summary: text("Lists the subcommands."), ..ON_KEY_DOCS }),
    ..Command::NEW
};

fn help(call: &mut Call<'_>) -> Result {
    super::help(
        &mut call.reply,
        "XINFO",
        &[
            "CONSUMERS <key> <group>",
            "    The consumers of a group.",
            "GROUPS <key>",
            "    The groups of a stream.",
            "STREAM <key> [FULL [COUNT <count>]]",
            "    The stream; with FULL also entries, groups and what is pending, <count> of each.",
        ],
    );
    Ok(())
}

fn reply_number(reply: &mut ReplyBuffer<'_>, number: Option<i64>) {
    match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    }
}

/// The pairs that both forms of XINFO STREAM begin with, [`HEAD_PAIRS`] of them.
fn reply_head<S: Storage>(reply: &mut ReplyBuffer<'_>, stream: &Stream<S>) {
    let log = stream.log();
    reply.bulk("length");
    reply.count(stream.len());
    reply.bulk("radix-tree-keys");
    reply.count(log.nodes());
    reply.bulk("radix-tree-nodes");
    reply.count(log.nodes() + 1);
    reply.bulk("last-generated-id");
    reply_id(reply, stream.last_id());
    reply.bulk("max-deleted-entry-id");
    reply_id(reply, stream.max_deleted());
    reply.bulk("entries-added");
    reply.integer(stream.added() as i64);
    reply.bulk("recorded-first-entry-id");
    reply_id(reply, log.first().unwrap_or(Id::MIN));
}

const HEAD_PAIRS: usize = 7;

/// Answers with the entry at one end, or a null.
fn reply_end<S: Storage>(reply: &mut ReplyBuffer<'_>, log: &S, back: bool) {
    if log.is_empty() {
        return reply.null();
    }
    let one = |id: Id, fields: S::Fields<'_>| {
        super::reply_entry(reply, id, fields);
        std::ops::ControlFlow::Break(())
    };
    let all = Id::MIN..=Id::MAX;
    let _ = if back { log.visit_back(all, one) } else { log.visit(all, one) };
}

/// Entries, and pending ones of each group and consumer, that FULL shows.
const FULL_COUNT: usize = 10;

fn stream<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let Some(entry) = keys.get(value::handle::<S>()?, args.bytes(2))? else { return Err(Error::None) };
    let stream = value::of::<S>(&entry)?;
    if args.len() == 3 {
        reply.map(HEAD_PAIRS + 3);
        reply_head(reply, stream);
        reply.bulk("groups");
        reply.count(stream.groups_len());
        reply.bulk("first-entry");
        reply_end(reply, stream.log(), false);
        reply.bulk("last-entry");
        reply_end(reply, stream.log(), true);
        return Ok(());
    }
    let is_full = args.word(3, "FULL") && (args.len() == 4 || args.len() == 6 && args.word(4, "COUNT"));
    if !is_full {
        return Err(misused(reply, "XINFO", args.bytes(1)));
    }
    let count = match args.len() {
        6 => usize::try_from(args.integer(5)?).unwrap_or(FULL_COUNT),
        _ => FULL_COUNT,
    };
    reply_full(reply, stream, if count == 0 { usize::MAX } else { count });
    Ok(())
}

fn reply_full<S: Storage>(reply: &mut ReplyBuffer<'_>, stream: &Stream<S>, count: usize) {
    reply.map(HEAD_PAIRS + 2);
    reply_head(reply, stream);
    reply.bulk("entries");
    reply_range(reply, stream.log(), Id::MIN..=Id::MAX, count, false);
    reply.bulk("groups");
    reply.array(stream.groups_len());
    let counts = Counts::of(stream);
    for (name, group) in stream.groups() {
        reply.map(7);
        reply.bulk("name");
        reply.bulk(name);
        reply_progress(reply, group, &counts);
        reply.bulk("pel-count");
        reply.count(group.pending_len());
        reply.bulk("pending");
        reply_pending(reply, group, count);
        reply.bulk("consumers");
        reply_consumers(reply, group, count);
    }
}

/// How far a group is: three pairs.
fn reply_progress(reply: &mut ReplyBuffer<'_>, group: &Group, counts: &Counts) {
    reply.bulk("last-delivered-id");
    reply_id(reply, group.last());
    reply.bulk("entries-read");
    reply_number(reply, group.entries_read().map(|read| read as i64));
    reply.bulk("lag");
    reply_number(reply, counts.lag(group));
}

fn reply_pending(reply: &mut ReplyBuffer<'_>, group: &Group, count: usize) {
    reply.array(group.pending_len().min(count));
    for (id, nack) in group.pending_from(Id::MIN).take(count) {
        reply.array(4);
        reply_id(reply, id);
        reply.bulk(group.consumer(nack.consumer).map_or(&b""[..], |consumer| consumer.name()));
        reply.integer(nack.delivered_ms);
        reply.integer(nack.deliveries as i64);
    }
}

fn reply_consumers(reply: &mut ReplyBuffer<'_>, group: &Group, count: usize) {
    reply.array(group.consumers_len());
    for (_, consumer) in group.consumers() {
        reply.map(5);
        reply.bulk("name");
        reply.bulk(consumer.name());
        reply.bulk("seen-time");
        reply.integer(consumer.seen_ms());
        reply.bulk("active-time");
        reply.integer(consumer.active_ms().unwrap_or(-1));
        reply.bulk("pel-count");
        reply.count(consumer.pending_len());
        reply.bulk("pending");
        reply.array(consumer.pending_len().min(count));
        for id in consumer.pending_from(Id::MIN).take(count) {
            let nack = group.pending(id);
            reply.array(3);
            reply_id(reply, id);
            reply.integer(nack.map_or(0, |nack| nack.delivered_ms));
            reply.integer(nack.map_or(0, |nack| nack.deliveries as i64));
        }
    }
}

fn groups<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let Some(entry) = keys.get(value::handle::<S>()?, args.bytes(2))? else { return Err(Error::None) };
    let stream = value::of::<S>(&entry)?;
    let counts = Counts::of(stream);
    reply.array(stream.groups_len());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk("name");
        reply.bulk(name);
        reply.bulk("consumers");
        reply.count(group.consumers_len());
        reply.bulk("pending");
        reply.count(group.pending_len());
        reply_progress(reply, group, &counts);
    }
    Ok(())
}

fn consumers<S: Storage>(call: &mut Call<'_>) -> Result {
    let now_ms = crate::now_ms(call);
    let Call { args, keys, reply, .. } = call;
    let (key, name) = (args.bytes(2), args.bytes(3));
    let Some(entry) = keys.get(value::handle::<S>()?, key)? else { return Err(Error::None) };
    let Some(group) = value::of::<S>(&entry)?.group(name) else { return Err(no_group_of(reply, key, name)) };
    let since = |time_ms: i64| now_ms.saturating_sub(time_ms).max(0);
    reply.array(group.consumers_len());
    for (_, consumer) in group.consumers() {
        reply.map(4);
        reply.bulk("name");
        reply.bulk(consumer.name());
        reply.bulk("pending");
        reply.count(consumer.pending_len());
        reply.bulk("idle");
        reply.integer(since(consumer.seen_ms()));
        reply.bulk("inactive");
        reply.integer(consumer.active_ms().map_or(-1, since));
    }
    Ok(())
}
