//! KEYS, SCAN and RANDOMKEY: which keys there are.
//!
//! The order of a scan and the promise that it misses nothing are the host's. A scan visits about
//! COUNT keys and then filters: by pattern while it visits, by type afterwards, since a type's name
//! is asked of the host, which is busy while it visits. What has expired is passed over, and removed
//! by SCAN where its name fits the pattern.

use super::{CONSTANT_TIME, GENERIC, READS, UNSEEN};
use plinth_module::glob::Pattern;
use plinth_module::number::parse_cursor;
use plinth_module::prelude::*;
use plinth_module::scan::ScanOptions;

pub(super) const COMMANDS: &[Command] = &[KEYS, SCAN, RANDOMKEY];

const KEYS: Command = Command {
    name: text("keys"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_TOUCHES_ARBITRARY_KEYS,
    categories: READS | CATEGORY_DANGEROUS,
    tips: list(&[text("request_policy:all_shards"), text("nondeterministic_output_order")]),
    docs: &Docs {
        summary: text("Lists all keys that match a pattern."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: text("O(N) for N keys in the database, if names and pattern are short."),
        args: list(&[Arg::new(ARG_PATTERN, "pattern")]),
        ..Docs::NEW
    },
    run: run(keys),
    ..Command::NEW
};

const SCAN: Command = Command {
    name: text("scan"),
    arity: -2,
    flags: COMMAND_READONLY | COMMAND_TOUCHES_ARBITRARY_KEYS,
    categories: READS,
    tips: list(&[text("nondeterministic_output"), text("request_policy:special"), text("response_policy:special")]),
    docs: &Docs {
        summary: text("Lists keys a few at a time, from one cursor to the next."),
        since: text("2.8.0"),
        group: GENERIC,
        complexity: text("O(1) for a call, O(N) for all calls until the cursor is 0 again, for N keys."),
        history: list(&[change("6.0.0", "Takes the option `TYPE`.")]),
        args: list(&[
            Arg::new(ARG_INTEGER, "cursor"),
            Arg::new(ARG_PATTERN, "pattern").token("MATCH").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL),
            Arg::new(ARG_STRING, "type").token("TYPE").flags(ARG_OPTIONAL).since("6.0.0"),
        ]),
        ..Docs::NEW
    },
    run: run(scan),
    ..Command::NEW
};

const RANDOMKEY: Command = Command {
    name: text("randomkey"),
    arity: 1,
    flags: COMMAND_READONLY | COMMAND_TOUCHES_ARBITRARY_KEYS,
    categories: READS,
    tips: list(&[text("request_policy:all_shards"), text("response_policy:special"), text("nondeterministic_output")]),
    docs: &Docs {
        summary: text("Picks a key at random."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: CONSTANT_TIME,
        ..Docs::NEW
    },
    run: run(randomkey),
    ..Command::NEW
};

fn keys(call: &mut Call<'_>) -> Result {
    let pattern = Pattern::new(call.args.bytes(1));
    if let Pattern::Exact(key) = pattern {
        let found = call.keys.exists(key, UNSEEN);
        call.reply.array(usize::from(found));
        if found {
            call.reply.bulk(key);
        }
        return Ok(());
    }
    let mark = call.reply.open();
    let (mut found, reply) = (0, &mut call.reply);
    call.keys.scan(0, usize::MAX, |visited| {
        if !visited.is_expired && pattern.matches(visited.key) {
            reply.bulk(visited.key);
            found += 1;
        }
    })?;
    call.reply.close_array(mark, found);
    Ok(())
}

/// Keys that a scan has found: their bytes one after the other.
#[derive(Default)]
struct Found {
    bytes: Vec<u8>,
    keys: Vec<FoundKey>,
}

struct FoundKey {
    start: usize,
    end: usize,
    type_id: u32,
    is_expired: bool,
}

impl Found {
    fn push(&mut self, visited: Visited<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(visited.key);
        let (type_id, is_expired) = (visited.type_id, visited.is_expired);
        self.keys.push(FoundKey { start, end: self.bytes.len(), type_id, is_expired });
    }

    /// Drops keys whose type is not called `name`, in whatever case.
    fn keep_type(&mut self, keys: &Keys<'_>, name: &[u8]) {
        let mut last = (0, false);
        self.keys.retain(|key| {
            if key.type_id != last.0 {
                last = (key.type_id, keys.type_name(key.type_id).eq_ignore_ascii_case(name));
            }
            last.1
        });
    }

    /// Drops keys that have expired, and has the host remove them, as it does when it is asked for
    /// one.
    fn drop_expired(&mut self, keys: &mut Keys<'_>) {
        let bytes = &self.bytes;
        self.keys.retain(|key| !key.is_expired || keys.exists(&bytes[key.start..key.end], UNSEEN));
    }
}

fn scan(call: &mut Call<'_>) -> Result {
    let cursor = parse_cursor(call.args.bytes(1)).ok_or(Error::InvalidCursor)?;
    let mut type_name = None;
    let ScanOptions { pattern, count } = ScanOptions::read(&call.args, 2, |at| {
        if !call.args.word(at, "type") {
            return Ok(0);
        }
        type_name = Some(call.args.expect(at + 1)?);
        Ok(2)
    })?;
    let mut found = Found::default();
    let next = call.keys.scan(cursor, count, |visited| {
        if pattern.matches(visited.key) {
            found.push(visited);
        }
    })?;
    found.drop_expired(&mut call.keys);
    if let Some(name) = type_name {
        found.keep_type(&call.keys, name);
    }
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(next));
    call.reply.array(found.keys.len());
    for key in &found.keys {
        call.reply.bulk(&found.bytes[key.start..key.end]);
    }
    Ok(())
}

fn randomkey(call: &mut Call<'_>) -> Result {
    match call.keys.random() {
        Some(key) => call.reply.bulk(key),
        None => call.reply.null(),
    }
    Ok(())
}
