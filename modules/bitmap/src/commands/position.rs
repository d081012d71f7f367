//! Finding: BITPOS.

use super::{CATEGORIES, END, First, GROUP, KEY, START, UNIT, UNIT_HISTORY, span};
use crate::range::Span;
use crate::scan;
use crate::work::Work;
use plinth_module::prelude::*;
use std::ops::Range;

pub(super) const COMMANDS: [Command; 1] = [BITPOS];

const BITPOS: Command = Command {
    name: text("bitpos"),
    arity: -3,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    docs: docs(&Docs {
        summary: text("Finds the first bit of a string that is 1, or 0, in all of it or in a range."),
        since: text("2.8.7"),
        group: GROUP,
        complexity: text("O(N) where N is the number of bytes before the bit"),
        history: UNIT_HISTORY,
        args: list(&[
            KEY,
            Arg::new(ARG_INTEGER, "bit"),
            Arg::group(
                ARG_BLOCK,
                "range",
                &[START, Arg::group(ARG_BLOCK, "end-unit-block", &[END, UNIT]).flags(ARG_OPTIONAL)],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    run: run(bitpos),
    ..Command::NEW
};

/// The answer when there is no such bit.
const NOWHERE: i64 = -1;

/// What BITPOS was asked for.
#[derive(Clone, Copy)]
struct Question {
    is_set: bool,
    span: Span,
    /// Whether the client said where the range ends. If not, zero bits are taken to follow the
    /// string.
    ends: bool,
}

impl Question {
    fn read(call: &mut Call<'_>) -> Result<Question> {
        let is_set = match call.args.integer(2)? {
            0 => false,
            1 => true,
            _ => return Err(call.reply.error("ERR The bit argument must be 1 or 0.")),
        };
        Ok(Question { is_set, span: span(&call.args, 3, First::Unit)?, ends: call.args.len() > 4 })
    }

    /// The answer when none of `bits` is it, in a string of `len` bytes.
    fn nowhere(&self, len: Option<usize>, bits: &Range<u64>) -> i64 {
        match len {
            _ if self.is_set => NOWHERE,
            None => 0,
            Some(_) if self.ends || bits.is_empty() => NOWHERE,
            Some(_) => bits.end as i64,
        }
    }
}

fn bitpos(call: &mut Call<'_>) -> Result {
    let question = Question::read(call)?;
    let mut nowhere = NOWHERE;
    let find = |lens: &[Option<usize>]| {
        let bits = question.span.bits(lens[0].unwrap_or(0));
        nowhere = question.nowhere(lens[0], &bits);
        Work::Find { bits, is_set: question.is_set, found: None }
    };
    if let Some(Work::Find { found, .. }) = scan::run(call, 1..2, find)? {
        call.reply.integer(found.map_or(nowhere, |position| position as i64));
    }
    Ok(())
}
