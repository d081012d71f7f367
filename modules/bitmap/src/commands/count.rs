//! Counting: BITCOUNT.

use super::{CATEGORIES, END, First, GROUP, KEY, START, UNIT, UNIT_HISTORY, span};
use crate::range::Span;
use crate::scan;
use crate::work::Work;
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 1] = [BITCOUNT];

const BITCOUNT: Command = Command {
    name: text("bitcount"),
    arity: -2,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    docs: docs(&Docs {
        summary: text("Counts the bits of a string that are set, in all of it or in a range."),
        since: text("2.6.0"),
        group: GROUP,
        complexity: text("O(N) where N is the number of bytes in the range"),
        history: UNIT_HISTORY,
        args: list(&[KEY, Arg::group(ARG_BLOCK, "range", &[START, END, UNIT]).flags(ARG_OPTIONAL)]),
        ..Docs::NEW
    }),
    run: run(bitcount),
    ..Command::NEW
};

fn bitcount(call: &mut Call<'_>) -> Result {
    let span = match call.args.len() {
        2 => Span::WHOLE,
        3 => return Err(Error::Syntax),
        _ => span(&call.args, 2, First::End)?,
    };
    let count = |lens: &[Option<usize>]| {
        let bits = if span.is_crossed() { 0..0 } else { span.bits(lens[0].unwrap_or(0)) };
        Work::Count { from: bits.start, bits, counted: 0 }
    };
    if let Some(Work::Count { counted, .. }) = scan::run(call, 1..2, count)? {
        call.reply.integer(counted as i64);
    }
    Ok(())
}
