//! Finding: BITPOS.

use super::{CATEGORIES, END, GROUP, KEY, START, UNIT, UNIT_HISTORY, span};
use crate::STRINGS;
use crate::range::Span;
use crate::search::first;
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

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
        Ok(Question { is_set, span: span(&call.args, 3)?, ends: call.args.len() > 4 })
    }

    /// The answer for a string that has no such bit in the range, which is empty or ends at `end`.
    fn nowhere(&self, is_empty: bool, end: u64) -> i64 {
        if is_empty || self.is_set || self.ends { NOWHERE } else { end as i64 }
    }
}

fn bitpos(call: &mut Call<'_>) -> Result {
    let question = Question::read(call)?;
    let mut scratch = Scratch::default();
    let Some(string) = STRINGS.get(&mut call.keys, call.args.bytes(1), &mut scratch)? else {
        call.reply.integer(if question.is_set { NOWHERE } else { 0 });
        return Ok(());
    };
    let bits = question.span.bits(string.len());
    let nowhere = question.nowhere(bits.is_empty(), bits.end);
    let found = first(string, bits, question.is_set);
    call.reply.integer(found.map_or(nowhere, |position| position as i64));
    Ok(())
}
