//! MEMORY: what a key costs, what the server's memory goes into, and what the allocator says of it.
//!
//! Redis estimates large collections from a sample of their elements. Here every type keeps count of its
//! bytes, so that USAGE's SAMPLES is read and changes nothing.

use crate::admin::spec::CoreCommand;
use crate::base::number::parse_i64;
use crate::base::{allocator, memory};
use crate::engine::call::Context;
use crate::engine::footprint::Footprint;
use crate::wire::write::Writer;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs, KeySpec};
use plinth_abi::status::{STATUS_OK, Status};

const CONSTANT: &str = "O(1)";
const NONDETERMINISTIC: &[Bytes] = &[Bytes::new("nondeterministic_output")];
const EVERY_SHARD: &[Bytes] =
    &[NONDETERMINISTIC[0], Bytes::new("request_policy:all_shards"), Bytes::new("response_policy:special")];
const EVERY_SHARD_SUCCEEDS: &[Bytes] =
    &[Bytes::new("request_policy:all_shards"), Bytes::new("response_policy:all_succeeded")];

const fn spec(name: &'static str, arity: i32, tips: &'static [Bytes], docs: &'static Docs) -> Command {
    Command { name: Bytes::new(name), arity, tips: Slice::new(tips), docs, ..Command::NEW }
}

const fn about(summary: &'static str, complexity: &'static str) -> Docs {
    crate::admin::spec::about(summary, "4.0.0", Bytes::new("server"), complexity)
}

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    spec("memory", -2, &[], &about("Tells what memory is used for.", "Depends on subcommand.")),
    None,
    &[
        CoreCommand::new(
            spec("doctor", 2, EVERY_SHARD, &about("Tells what about the use of memory deserves a look.", CONSTANT)),
            doctor,
        ),
        CoreCommand::new(
            Command {
                flags: abi::COMMAND_LOADING | abi::COMMAND_STALE,
                ..spec("help", 2, &[], &about("Lists the subcommands.", CONSTANT))
            },
            help,
        ),
        CoreCommand::new(
            spec(
                "malloc-stats",
                2,
                EVERY_SHARD,
                &about("Shows the allocator's own statistics.", "Depends on how much memory is allocated"),
            ),
            malloc_stats,
        ),
        CoreCommand::new(
            spec(
                "purge",
                2,
                EVERY_SHARD_SUCCEEDS,
                &about("Has the allocator give memory back.", "Depends on how much memory is allocated"),
            ),
            purge,
        ),
        CoreCommand::new(
            spec("stats", 2, EVERY_SHARD, &about("Shows what memory is used for, with numbers.", CONSTANT)),
            stats,
        ),
        CoreCommand::new(
            Command {
                flags: abi::COMMAND_READONLY,
                categories: abi::CATEGORY_READ,
                keys: Slice::new(&[KeySpec::at(abi::KEY_RO, 2)]),
                ..spec(
                    "usage",
                    -3,
                    &[],
                    &Docs {
                        args: Slice::new(&[
                            Arg::new(abi::ARG_KEY, "key"),
                            Arg::new(abi::ARG_INTEGER, "count").token("SAMPLES").flags(abi::ARG_OPTIONAL),
                        ]),
                        ..about("Tells how many bytes a key and its value take.", CONSTANT)
                    },
                )
            },
            usage,
        ),
    ],
)];

fn usage(context: &mut Context) -> Status {
    for at in (3..context.argc()).step_by(2) {
        let count = parse_i64(context.arg(at + 1));
        if !context.arg_is(at, "SAMPLES") || count.is_none_or(|count| count < 0) {
            return context.error("ERR syntax error");
        }
    }
    let (db, key) = (context.db, context.arg(2));
    let hash = context.hash(key);
    let store = &mut context.server().store;
    match store.find(db, hash, key).map(|entry| store.bytes_of(entry)) {
        Some(bytes) => context.reply().integer(bytes as i64),
        None => context.reply().null(),
    }
    STATUS_OK
}

fn purge(context: &mut Context) -> Status {
    allocator::purge();
    context.ok()
}

fn malloc_stats(context: &mut Context) -> Status {
    let text = allocator::report();
    context.reply().verbatim(b"txt", text.as_bytes());
    STATUS_OK
}

/// A ratio of two numbers of bytes, and their difference.
fn pair(reply: &mut Writer<'_>, name: &str, more: usize, less: usize) {
    reply.bulk(format!("{name}.ratio"));
    reply.double(if less == 0 { 0.0 } else { more as f64 / less as f64 });
    reply.bulk(format!("{name}.bytes"));
    reply.integer(more as i64 - less as i64);
}

fn stats(context: &mut Context) -> Status {
    let of = Footprint::measure(context.server(), 0);
    let held = memory::held();
    let server = context.server();
    let databases: Vec<(usize, usize, usize)> = (0..server.store.databases.len())
        .map(|db| (db, &server.store.databases[db].table))
        .filter(|(_, table)| !table.is_empty())
        .map(|(db, table)| (db, table.memory_bytes(), table.len()))
        .collect();
    let (uncounted, keys) = (server.excess.uncounted_bytes, databases.iter().map(|(_, _, keys)| keys).sum::<usize>());
    let mut reply = context.reply();
    let numbers: &[(&str, usize)] = &[
        ("peak.allocated", of.peak),
        ("total.allocated", of.used),
        ("startup.allocated", of.startup),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", of.clients),
        ("cluster.links", 0),
        ("aof.buffer", uncounted),
        ("lua.caches", 0),
        ("functions.caches", 0),
    ];
    const AFTER_DATABASES: usize = 21;
    reply.map(numbers.len() + databases.len() + AFTER_DATABASES);
    let number = |reply: &mut Writer<'_>, name: &str, bytes: usize| {
        reply.bulk(name);
        reply.integer(bytes as i64);
    };
    numbers.iter().for_each(|(name, bytes)| number(&mut reply, name, *bytes));
    for (db, bytes, _) in &databases {
        reply.bulk(format!("db.{db}"));
        reply.map(3);
        number(&mut reply, "overhead.hashtable.main", *bytes);
        // Expiries lie in the entries, and which keys have one is marked in the table.
        number(&mut reply, "overhead.hashtable.expires", 0);
        number(&mut reply, "overhead.hashtable.slot-to-keys", 0);
    }
    number(&mut reply, "overhead.total", of.overhead);
    number(&mut reply, "db.dict.rehashing.count", 0);
    number(&mut reply, "keys.count", keys);
    number(&mut reply, "keys.bytes-per-key", of.grown().checked_div(keys).unwrap_or(0));
    number(&mut reply, "dataset.bytes", of.dataset());
    reply.bulk("dataset.percentage");
    reply.double(percent(of.dataset(), of.grown()));
    reply.bulk("peak.percentage");
    reply.double(percent(of.used, of.peak));
    number(&mut reply, "allocator.allocated", held.allocated);
    number(&mut reply, "allocator.active", held.active);
    number(&mut reply, "allocator.resident", held.resident);
    number(&mut reply, "allocator.muzzy", 0);
    pair(&mut reply, "allocator-fragmentation", held.active, held.allocated);
    pair(&mut reply, "allocator-rss", held.resident, held.active);
    pair(&mut reply, "rss-overhead", of.resident, held.resident);
    reply.bulk("fragmentation");
    reply.double(if of.used == 0 { 0.0 } else { of.resident as f64 / of.used as f64 });
    number(&mut reply, "fragmentation.bytes", of.resident.saturating_sub(of.used));
    number(&mut reply, "overhead.db.hashtable.lut", databases.iter().map(|(_, bytes, _)| bytes).sum());
    number(&mut reply, "overhead.db.hashtable.rehashing", 0);
    STATUS_OK
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// Bytes below which nothing can be said.
const LITTLE_BYTES: usize = 5 << 20;
/// Bytes of buffers per client from which on clients read too slowly.
const CLIENT_BYTES_MANY: usize = 200 << 10;

fn doctor(context: &mut Context) -> Status {
    let of = Footprint::measure(context.server(), 0);
    let held = memory::held();
    let clients = context.server().sessions.clients.len();
    let text = advice(&of, &held, clients);
    context.reply().verbatim(b"txt", text.as_bytes());
    STATUS_OK
}

/// What deserves a look.
fn advice(of: &Footprint, held: &memory::Held, clients: usize) -> String {
    if of.used < LITTLE_BYTES {
        return "So little memory is in use (less than 5 MB) that nothing can be said about it. Ask again when there \
            are data.\n"
            .into();
    }
    let much = |more: usize, less: usize, tenths: usize| more * 10 > less * tenths && more - less > 10 << 20;
    let findings = [
        (
            of.peak * 2 > of.used * 3,
            "Peak: more than one and a half times the present memory was in use at some time. The allocator may keep \
            part of it; MEMORY PURGE has it give back what it can.",
        ),
        (
            much(of.resident, of.used, 14),
            "Resident: the process holds more than 1.4 times what is in use. The figures below say where.",
        ),
        (
            much(held.active, held.allocated, 11),
            "Fragmentation: pages are partly filled. Keys that are rewritten fill them again.",
        ),
        (much(held.resident, held.active, 11), "Allocator: pages are kept for later. MEMORY PURGE gives them back."),
        (
            much(of.resident, held.resident, 11),
            "Process: memory is held that the allocator knows nothing of, by modules or by their libraries.",
        ),
        (
            clients > 0 && of.clients / clients.max(1) > CLIENT_BYTES_MANY,
            "Clients: the buffers of a client take more than 200 KB on the average. CLIENT LIST shows whose are large; \
            maxmemory-clients and client-output-buffer-limit bound them.",
        ),
    ];
    let found: Vec<&str> = findings.iter().filter(|(is_so, _)| *is_so).map(|(_, text)| *text).collect();
    if found.is_empty() {
        return "Nothing about the use of memory deserves a look.\n".into();
    }
    found.iter().map(|text| format!("* {text}\n")).collect()
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "MEMORY",
        &[
            "DOCTOR",
            "    What about the use of memory deserves a look.",
            "MALLOC-STATS",
            "    The allocator's own statistics.",
            "PURGE",
            "    Have the allocator give back memory that is not in use.",
            "STATS",
            "    What memory is used for, with numbers.",
            "USAGE <key> [SAMPLES <count>]",
            "    The bytes that <key> and its value take. They are counted and not sampled,",
            "    whatever <count> says.",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_given_for_what_is_so() {
        let held = memory::Held { allocated: 100 << 20, active: 104 << 20, resident: 106 << 20, retained: 0 };
        let mut of = Footprint { used: 100 << 20, peak: 110 << 20, resident: 108 << 20, ..Footprint::default() };
        assert!(advice(&of, &held, 10).starts_with("Nothing"));
        of.peak = 200 << 20;
        of.clients = 50 << 20;
        let said = advice(&of, &held, 10);
        assert!(said.contains("Peak:") && said.contains("Clients:") && !said.contains("Process:"), "{said}");
        of.used = 1 << 20;
        assert!(advice(&of, &held, 10).starts_with("So little"));
    }
}
