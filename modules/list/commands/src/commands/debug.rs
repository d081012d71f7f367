//! DEBUG QUICKLIST-PACKED-THRESHOLD, which the reference's test suite sends.

use super::{CATEGORIES, GROUP};
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 1] = [Command {
    name: text("debug.quicklist-packed-threshold"),
    arity: 2,
    flags: COMMAND_ADMIN | COMMAND_NO_SCRIPT | COMMAND_INTERNAL,
    category_names: CATEGORIES,
    docs: &Docs {
        summary: text("Takes the length from which the reference gives an element a node of its own."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[Arg::new(ARG_STRING, "size")]),
        ..Docs::NEW
    },
    run: run(accept),
    ..Command::NEW
}];

/// An element of any length is in a pack here, so there is nothing to set.
fn accept(call: &mut Call<'_>) -> Result {
    call.reply.ok();
    Ok(())
}
