//! SSCAN: members a few at a time.
//!
//! A small set is shown whole, whatever COUNT says. Of a large one a call shows about COUNT
//! members, and looks at no more than ten times as many steps of the storage's scan, so that a set
//! that has lost most of its members does not hold up the server.

use super::{CATEGORIES, GROUP, KEY, find};
use crate::storage::{Digits, Storage};
use plinth_module::number::parse_cursor;
use plinth_module::prelude::*;
use plinth_module::scan::ScanOptions;

/// Steps for each member that is asked for.
const STEPS_PER_MEMBER: usize = 10;

pub(super) const SSCAN: Command = Command {
    name: text("sscan"),
    arity: -3,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Lists members of a set a few at a time, from one cursor to the next."),
        since: text("2.8.0"),
        group: GROUP,
        complexity: text("O(1) for a call, O(N) for all calls until the cursor is 0 again, for N members"),
        args: list(&[
            KEY,
            Arg::new(ARG_INTEGER, "cursor"),
            Arg::new(ARG_PATTERN, "pattern").token("MATCH").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn sscan<S: Storage>(call: &mut Call<'_>) -> Result {
    let mut cursor = parse_cursor(call.args.bytes(2)).ok_or(Error::InvalidCursor)?;
    let Some(set) = find::<S>(&mut call.keys, call.args.bytes(1))? else {
        call.reply.array(2);
        call.reply.bulk(b"0");
        call.reply.array(0);
        return Ok(());
    };
    let ScanOptions { pattern, count } = ScanOptions::read(&call.args, 3, |_| Ok(0))?;
    // The cursor comes first in the reply and is known last: members wait beside it.
    let (mut found, mut ends, mut seen) = (Vec::new(), Vec::new(), 0);
    for _ in 0..count.saturating_mul(STEPS_PER_MEMBER) {
        cursor = set.scan(cursor, |member| {
            seen += 1;
            let mut digits = Digits::new();
            let text = member.text(&mut digits);
            if pattern.matches(text) {
                found.extend_from_slice(text);
                ends.push(found.len());
            }
        });
        if cursor == 0 || seen >= count {
            break;
        }
    }
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(cursor));
    call.reply.array(ends.len());
    let mut start = 0;
    for end in ends {
        call.reply.bulk_value(crate::storage::Value::Text(&found[start..end]));
        start = end;
    }
    Ok(())
}
