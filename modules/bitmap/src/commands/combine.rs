//! Combining strings: BITOP.

use super::{CATEGORIES, GROUP};
use crate::STRINGS;
use crate::logic::Operation;
use crate::scan;
use crate::work::Work;
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 1] = [BITOP];

const BITOP: Command = Command {
    name: text("bitop"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 2), KeySpec::range(KEY_RO | KEY_ACCESS, 3, -1, 1)]),
    docs: docs(&Docs {
        summary: text("Combines strings bit by bit and keeps the result under a key."),
        since: text("2.6.0"),
        group: GROUP,
        complexity: text("O(N*M) where N is the number of strings and M the number of bytes in the longest"),
        history: list(&[change("8.2.0", "Added `DIFF`, `DIFF1`, `ANDOR` and `ONE`.")]),
        args: list(&[
            Arg::group(
                ARG_ONE_OF,
                "operation",
                &[
                    Arg::word("and", "AND"),
                    Arg::word("or", "OR"),
                    Arg::word("xor", "XOR"),
                    Arg::word("not", "NOT"),
                    Arg::word("diff", "DIFF").since("8.2.0"),
                    Arg::word("diff1", "DIFF1").since("8.2.0"),
                    Arg::word("andor", "ANDOR").since("8.2.0"),
                    Arg::word("one", "ONE").since("8.2.0"),
                ],
            ),
            Arg::key("destkey", 0),
            Arg::key("key", 1).flags(ARG_MULTIPLE),
        ]),
        ..Docs::NEW
    }),
    run: run(bitop),
    ..Command::NEW
};

/// Where the source keys begin.
const SOURCES: usize = 3;

/// The operation that was asked for. Fails with the reply when it does not go with the number of
/// sources.
fn operation(call: &mut Call<'_>) -> Result<Operation> {
    let operation = Operation::read(call.args.bytes(1)).ok_or(Error::Syntax)?;
    let sources = call.args.len() - SOURCES;
    let refusal = match operation {
        Operation::Not if sources != 1 => "ERR BITOP NOT must be called with a single source key.",
        Operation::Diff if sources < 2 => "ERR BITOP DIFF must be called with at least two source keys.",
        Operation::Diff1 if sources < 2 => "ERR BITOP DIFF1 must be called with at least two source keys.",
        Operation::AndOr if sources < 2 => "ERR BITOP ANDOR must be called with at least two source keys.",
        _ => return Ok(operation),
    };
    Err(call.reply.error(refusal))
}

fn bitop(call: &mut Call<'_>) -> Result {
    let operation = operation(call)?;
    let combine = |lens: &[Option<usize>]| {
        let len = lens.iter().flatten().copied().max().unwrap_or(0);
        Work::Combine { operation, made: Vec::new(), len }
    };
    match scan::run(call, SOURCES..call.args.len(), combine)? {
        Some(Work::Combine { made, .. }) => keep(call, &made),
        _ => Ok(()),
    }
}

/// Makes the result the destination's value, or removes the key for an empty one, and answers with
/// its length.
fn keep(call: &mut Call<'_>, result: &[u8]) -> Result {
    let key = call.args.bytes(2);
    if !result.is_empty() {
        STRINGS.set(&mut call.keys, key, result)?;
    } else if call.keys.remove(key, 0)? {
        call.keys.modified(key, EVENT_GENERIC, "del");
    }
    call.reply.count(result.len());
    Ok(())
}
