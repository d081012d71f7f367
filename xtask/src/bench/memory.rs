//! Bytes per key or element: the growth of `used_memory` divided by what was inserted.
//!
//! Three sizes, because a table that doubles looks good just before it does and bad just after.
//! Each figure comes from a server of its own, which holds nothing else. A server that moves to a
//! bigger table little by little holds two for a while; the move goes on when keys are looked up,
//! so every key is looked up once before the second reading.

use std::time::Duration;

use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};
use super::{Bench, load};

/// Keys or elements at which each row is measured.
const SIZES: [u64; 3] = [600_000, 1_000_000, 1_800_000];

/// A row: what to insert how often, and the bytes allowed.
struct Content {
    name: &'static str,
    /// What is there before: each template for each number, or once.
    before: &'static [(Often, &'static [&'static str])],
    insert: &'static [&'static str],
    sizes: &'static [u64],
    /// The fields of INFO memory whose sum grows.
    fields: &'static [&'static str],
    bar: Bar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Often {
    Each,
    Once,
}

const fn content(name: &'static str, insert: &'static [&'static str], must: f64, goal: f64) -> Content {
    Content { insert, bar: Bar::Own { must, goal }, ..named(name) }
}

const fn named(name: &'static str) -> Content {
    let (must, goal) = (0.0, 0.0);
    Content { name, before: &[], insert: &[], sizes: &SIZES, fields: &["used_memory"], bar: Bar::Own { must, goal } }
}

const VALUE_32: &str = "value-of-32-bytes----{number}--";

static CONTENTS: &[Content] = &[
    content("16-byte key, 8-byte value", &["SET", "{key}", "8 bytes."], 46.0, 42.0),
    content("16-byte key, 32-byte value", &["SET", "{key}", VALUE_32], 70.0, 66.0),
    content("the same with expiry", &["SET", "{key}", VALUE_32, "EX", "864000"], 78.0, 74.0),
    // The leading 1 keeps it an integer, and past the range of integers that servers share.
    content("16-byte key, integer", &["SET", "{key}", "1{number}"], 46.0, 42.0),
    content(
        "hash of 10 small fields",
        &[
            "HSET", "{key}", "field0", "value0", "field1", "value1", "field2", "value2", "field3", "value3", "field4",
            "value4", "field5", "value5", "field6", "value6", "field7", "value7", "field8", "value8", "field9",
            "value9",
        ],
        175.0,
        165.0,
    ),
    content(
        "list of 10",
        &[
            "RPUSH", "{key}", "value0", "value1", "value2", "value3", "value4", "value5", "value6", "value7", "value8",
            "value9",
        ],
        111.0,
        105.0,
    ),
    content(
        "sorted set of 10",
        &[
            "ZADD", "{key}", "0", "value0", "1", "value1", "2", "value2", "3", "value3", "4", "value4", "5", "value5",
            "6", "value6", "7", "value7", "8", "value8", "9", "value9",
        ],
        127.0,
        120.0,
    ),
    content("big hash, 14-byte field, 13-byte value", &["HSET", "big", "field{number}", "val-{number}"], 46.0, 41.5),
    content("big set, 15-byte member", &["SADD", "big", "member{number}"], 30.0, 25.5),
    content("big sorted set, 15-byte member", &["ZADD", "big", "{score}", "member{number}"], 49.0, 44.5),
    content("big list, 16-byte element", &["RPUSH", "big", "element{number}"], 17.5, 16.8),
    content("stream entry, two small fields", &["XADD", "big", "*", "a", "1", "b", "2"], 12.5, 12.0),
    Content {
        before: &[
            (Often::Each, &["XADD", "big", "*", "a", "1", "b", "2"]),
            (Often::Once, &["XGROUP", "CREATE", "big", "group", "0"]),
        ],
        insert: &["XREADGROUP", "GROUP", "group", "consumer", "COUNT", "1", "STREAMS", "big", ">"],
        bar: Bar::Ratio { must: 0.6, goal: 0.5 },
        ..named("pending entry of a group")
    },
    Content {
        insert: &["SCRIPT", "LOAD", "local n = redis.call('INCR', KEYS[1]) return n + {number}"],
        sizes: &[10_000],
        // Lua's own memory, which Redis does not count as used, and what the server keeps beside it.
        fields: &["used_memory_vm_eval", "used_memory_scripts_eval"],
        bar: Bar::Ratio { must: 1.0, goal: 0.9 },
        ..named("loaded script")
    },
];

/// The table of all contents at all sizes.
///
/// # Errors
/// When a server does not start or dies.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let mut table = Table {
        title: "Memory, bytes per key or element".to_owned(),
        method: "Growth of used_memory over the number inserted, each in a fresh server; must and goal hold for \
                 Plinth's own figure at each size."
            .to_owned(),
        columns: bench.labels(),
        decimals: 1,
        rows: Vec::new(),
        notes: Vec::new(),
    };
    for content in CONTENTS {
        let mut known = true;
        for &size in content.sizes {
            let name = match size {
                0..1_000_000 if content.sizes.len() == 1 => format!("{}, {}k", content.name, size / 1000),
                _ => format!("{}, {:.1}M", content.name, size as f64 / 1e6),
            };
            if bench.wants(&name) && known {
                let row = measure_row(bench, content, size, name)?;
                // One line says that a command is unknown; three would say no more.
                known = matches!(row.cells.first(), Some(Cell::Measured(_)));
                table.rows.push(row);
            }
        }
    }
    Ok(vec![table])
}

fn measure_row(bench: &Bench, content: &Content, size: u64, name: String) -> Result<Row, String> {
    eprintln!("bench: memory: {name}");
    let mut cells: Vec<Cell> = Vec::new();
    let mut errors = 0;
    for program in &bench.programs {
        if matches!(cells.first(), Some(Cell::Absent(_))) {
            cells.push(Cell::Absent(String::new()));
            continue;
        }
        let mut samples = Vec::new();
        let mut refused = None;
        for _ in 0..bench.runs(1, 1) {
            bench.interrupt.check()?;
            match bytes_each(program, content, size, &mut errors)? {
                Ok(bytes) => samples.push(bytes),
                Err(reason) => refused = Some(reason),
            }
        }
        cells.push(refused.map_or_else(|| Cell::of(&samples), Cell::Absent));
    }
    Ok(Row { name, cells, bar: content.bar, floor: None, errors: Some(errors) })
}

/// `Err` in the result says why there is no figure.
fn bytes_each(
    program: &Program,
    content: &Content,
    size: u64,
    errors: &mut u64,
) -> Result<Result<f64, String>, String> {
    let mut server = Server::start(program)?;
    if let Err(reason) = server.knows(content.insert[0])? {
        return Ok(Err(reason));
    }
    // The first load makes the server allocate what it keeps for good.
    prepare(&mut server, content, 100)?;
    load::fill(server.address, 100, content.insert)?;
    server.call(&["FLUSHALL"])?;
    if content.insert[0] == "SCRIPT" {
        server.call(&["SCRIPT", "FLUSH", "SYNC"])?;
    }
    prepare(&mut server, content, size)?;
    let before = used_memory(&mut server, content.fields)?;
    let tally = load::fill(server.address, size, content.insert)?;
    *errors += tally.errors;
    if let Err(reason) = tally.all_well() {
        return Ok(Err(reason));
    }
    load::fill(server.address, size, lookup(content.insert))?;
    let after = used_memory(&mut server, content.fields)?;
    Ok(Ok(after.saturating_sub(before) as f64 / size as f64))
}

fn prepare(server: &mut Server, content: &Content, size: u64) -> Result<(), String> {
    for (often, template) in content.before {
        let count = if *often == Often::Each { size } else { 1 };
        load::fill(server.address, count, template)?.all_well()?;
    }
    Ok(())
}

/// A command that looks up what `insert` put there, where looking up moves a table along.
fn lookup(insert: &[&'static str]) -> &'static [&'static str] {
    match insert {
        ["HSET", "big", ..] => &["HEXISTS", "big", "field{number}"],
        ["SADD", "big", ..] => &["SISMEMBER", "big", "member{number}"],
        ["ZADD", "big", ..] => &["ZSCORE", "big", "member{number}"],
        _ => &["EXISTS", "{key}"],
    }
}

/// `used_memory`, or the sum of other fields, once it has stopped changing: buffers of closed connections are freed, and
/// tables replaced, in the background.
fn used_memory(server: &mut Server, fields: &[&str]) -> Result<u64, String> {
    let mut last = 0;
    let mut steady = 0;
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        let info = server.info("memory")?;
        let numbers: Option<Vec<u64>> = fields.iter().map(|field| info.number(field)).collect();
        let now: u64 = numbers.ok_or_else(|| format!("INFO memory has no {}", fields.join(" and ")))?.iter().sum();
        steady = if now.abs_diff(last) < 64 * 1024 { steady + 1 } else { 0 };
        last = now;
        if steady == 4 {
            break;
        }
    }
    Ok(last)
}
