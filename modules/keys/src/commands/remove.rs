//! DEL and UNLINK: removing keys.
//!
//! The two differ in where the value is freed. DEL frees at once what is not too large for that,
//! or as `lazyfree-lazy-user-del` says; UNLINK leaves it to the background.

use super::{GENERIC, WRITES};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[DEL, UNLINK];

const KEYS: &[KeySpec] = &[KeySpec::range(KEY_RM | KEY_DELETE, 1, -1, 1)];
const ARGS: &[Arg] = &[Arg::key("key", 0).flags(ARG_MULTIPLE)];

const DEL: Command = Command {
    name: text("del"),
    arity: -2,
    flags: COMMAND_WRITE,
    categories: WRITES,
    keys: list(KEYS),
    tips: list(&[text("request_policy:multi_shard"), text("response_policy:agg_sum")]),
    docs: &Docs {
        summary: text("Removes keys and answers how many there were."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: text("O(N) for N keys, and for each O(M) for M elements of its value."),
        args: list(ARGS),
        ..Docs::NEW
    },
    run: run(del),
    ..Command::NEW
};

const UNLINK: Command = Command {
    name: text("unlink"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    categories: WRITES,
    keys: list(KEYS),
    tips: list(&[text("request_policy:multi_shard"), text("response_policy:agg_sum")]),
    docs: &Docs {
        summary: text("Removes keys at once and frees their values in the background."),
        since: text("4.0.0"),
        group: GENERIC,
        complexity: text("O(1) for each key; a background thread then does O(M) for M allocations."),
        args: list(ARGS),
        ..Docs::NEW
    },
    run: run(unlink),
    ..Command::NEW
};

fn del(call: &mut Call<'_>) -> Result {
    remove(call, 0)
}

fn unlink(call: &mut Call<'_>) -> Result {
    remove(call, REMOVE_LAZY)
}

fn remove(call: &mut Call<'_>, flags: u32) -> Result {
    let mut removed = 0;
    for key in call.args.from(1) {
        if call.keys.remove(key, flags)? {
            call.keys.modified(key, EVENT_GENERIC, "del");
            removed += 1;
        }
    }
    call.reply.count(removed);
    Ok(())
}
