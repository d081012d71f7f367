//! HSCAN: fields a few at a time.
//!
//! A small hash is answered whole, whatever COUNT says. Of a large one about COUNT fields are visited;
//! a pattern is applied afterwards, and what has expired is passed over.

use super::get::{open, reply_value};
use super::{DOCS, KEY, READING, now, with};
use crate::small::{Shown, is_past};
use crate::storage::Storage;
use crate::value::View;
use plinth_module::glob::Pattern;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [with(HSCAN, hscan::<S>)]
}

/// Fields visited by an HSCAN that does not say.
const COUNT_DEFAULT: usize = 10;
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

/// The number that a cursor spells.
fn parse_cursor(text: &[u8]) -> Option<u64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// What is asked for.
struct Options<'a> {
    pattern: Pattern<'a>,
    count: usize,
    values: bool,
}

impl<'a> Options<'a> {
    fn read(args: &Args<'a>) -> Result<Options<'a>> {
        let mut options = Options { pattern: Pattern::All, count: COUNT_DEFAULT, values: true };
        let mut at = 3;
        while at < args.len() {
            if args.word(at, "novalues") {
                options.values = false;
                at += 1;
                continue;
            }
            let value = args.expect(at + 1)?;
            if args.word(at, "count") {
                let count = args.integer(at + 1)?;
                options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Error::Syntax)?;
            } else if args.word(at, "match") {
                options.pattern = Pattern::new(value);
            } else {
                return Err(Error::Syntax);
            }
            at += 2;
        }
        Ok(options)
    }
}

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
    let options = Options::read(&call.args)?;
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
    call.reply.array(if options.values { found.len() * 2 } else { found.len() });
    for shown in &found {
        reply_value(&mut call.reply, shown.field);
        if options.values {
            reply_value(&mut call.reply, shown.value);
        }
    }
    Ok(())
}
