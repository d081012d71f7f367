//! ZSCAN: members a few at a time.
//!
//! A small sorted set is listed whole. Of a large one about COUNT members are visited and then
//! filtered; the storage promises that a member which stays is not missed.

use super::{GROUP, KEY, READER};
use crate::storage::Storage;
use crate::value::View;
use plinth_module::number::{DOUBLE_TEXT_BYTES, format_double, parse_cursor};
use plinth_module::prelude::*;
use plinth_module::scan::ScanOptions;
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 1] = [Command { run: run(zscan::<S>), ..ZSCAN }];
}

const ZSCAN: Command = Command {
    name: text("zscan"),
    arity: -3,
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Lists members with their scores a few at a time, from one cursor to the next."),
        since: text("2.8.0"),
        group: GROUP,
        complexity: text("O(1) for a call, O(N) for all calls until the cursor is 0 again, for N members"),
        history: list(&[change("8.0.0", "Takes the option `NOSCORES`, as in Valkey.")]),
        args: list(&[
            KEY,
            Arg::new(ARG_INTEGER, "cursor"),
            Arg::new(ARG_PATTERN, "pattern").token("MATCH").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL),
            Arg::word("noscores", "NOSCORES").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..READER
};

/// Steps for each member of COUNT, after which a call ends though it has found fewer: a table that
/// has shrunk has many empty buckets.
const STEPS_PER_MEMBER: usize = 10;

fn zscan<S: Storage>(call: &mut Call<'_>) -> Result {
    let mut cursor = parse_cursor(call.args.bytes(2)).ok_or(Error::InvalidCursor)?;
    // The key comes before the options, as far as errors go.
    let view = View::<S>::find(&mut call.keys, call.args.bytes(1))?;
    let Some(view) = view else {
        call.reply.array(2);
        call.reply.bulk(b"0");
        call.reply.array(0);
        return Ok(());
    };
    let mut with_scores = true;
    let ScanOptions { pattern, count } = ScanOptions::read(&call.args, 3, |at| {
        let is_known = call.args.word(at, "noscores");
        with_scores &= !is_known;
        Ok(usize::from(is_known))
    })?;
    let (mut texts, mut found) = (Vec::new(), Vec::new());
    let (mut visited, mut steps) = (0, count.saturating_mul(STEPS_PER_MEMBER));
    loop {
        cursor = view.scan(cursor, &mut |member, score| {
            visited += 1;
            if pattern.matches(member) {
                texts.extend_from_slice(member);
                found.push((texts.len(), score));
            }
        });
        steps -= 1;
        if cursor == 0 || visited >= count || steps == 0 {
            break;
        }
    }
    call.reply.array(2);
    call.reply.bulk(itoa::Buffer::new().format(cursor));
    call.reply.array(found.len() * if with_scores { 2 } else { 1 });
    let mut start = 0;
    for (end, score) in found {
        call.reply.bulk(&texts[start..end]);
        if with_scores {
            call.reply.bulk(format_double(score, &mut [0; DOUBLE_TEXT_BYTES]));
        }
        start = end;
    }
    Ok(())
}
