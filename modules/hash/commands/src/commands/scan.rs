//! HSCAN: fields a few at a time.
//!
//! A small hash is answered whole, whatever COUNT says. Of a large one about COUNT fields are visited;
//! a pattern is applied afterwards, and what has expired is passed over.

use super::get::open;
use super::{DOCS, KEY, READING, now, with};
use crate::small::{Shown, is_past};
use crate::storage::Storage;
use crate::value::View;
use plinth_module::number::parse_cursor;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;
use plinth_module::scan::ScanOptions;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [with(HSCAN, hscan::<S>)]
}

/// Steps of the storage for each field that is asked for, in one that is nearly empty.
const STEPS: usize = 10;

const HSCAN: Command = Command {
    name: text("hscan"),
    arity: -3,
    flags: COMMAND_READONLY,
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Lists the fields of a hash a few at a time, from one cursor to the next."),
        since: text("2.8.0"),
        complexity: text("O(1) for a call, O(N) for all calls until the cursor is 0 again, for N fields."),
        args: list(&[
            KEY,
            Arg::new(ARG_INTEGER, "cursor"),
            Arg::new(ARG_PATTERN, "pattern").token("MATCH").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL),
            Arg::word("novalues", "NOVALUES").flags(ARG_OPTIONAL),
        ]),
        ..DOCS
    }),
    ..READING
};

fn hscan<S: Storage>(call: &mut Call<'_>) -> Result {
    let cursor = parse_cursor(call.args.bytes(2)).ok_or(Error::InvalidCursor)?;
    let now = now(call);
    let entry = open::<S>(&mut call.keys, call.args.bytes(1))?;
    let view = View::<S>::of(&entry);
    if matches!(view, View::Absent) {
        call.reply.array(2);
        call.reply.bulk("0");
        call.reply.array(0);
        return Ok(());
    }
    let mut with_values = true;
    let options = ScanOptions::read(&call.args, 3, |at| {
        let is_known = call.args.word(at, "novalues");
        with_values &= !is_known;
        Ok(usize::from(is_known))
    })?;
    let mut found: Vec<Shown<'_>> = Vec::new();
    let mut digits = Digits::new();
    // The cursor comes before the fields, and is known after them.
    let mut keep =
        |shown: Shown<'_>| !is_past(shown.deadline, now) && options.pattern.matches(shown.field.text(&mut digits));
    let mut next = 0;
    match view {
        View::Large(large) => {
            let (mut visited, mut steps) = (0, 0);
            next = cursor;
            loop {
                next = large.store().scan(next, |item| {
                    visited += 1;
                    if keep(item.into()) {
                        found.push(item.into());
                    }
                });
                steps += 1;
                if next == 0 || visited >= options.count || steps >= options.count.saturating_mul(STEPS) {
                    break;
                }
            }
        }
        _ => view.for_each(now, |shown| {
            if keep(shown) {
                found.push(shown);
            }
        }),
    }
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(next));
    call.reply.array(if with_values { found.len() * 2 } else { found.len() });
    for shown in &found {
        call.reply.bulk_value(shown.field);
        if with_values {
            call.reply.bulk_value(shown.value);
        }
    }
    Ok(())
}
