//! Waiting for an element: BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH.
//!
//! Each does what its sister without the B does. When there is nothing to take it waits for its
//! keys, and is run again when one of them is a list. The second run is like the first: a key of
//! another type that has come in front of the list meanwhile is an error.

use super::mpop::{self, Wanted, mpop};
use super::transfer::{DESTINATION, FROM, KEYS, SOURCE, TO, transfer};
use super::{CATEGORIES, GROUP, TAKEN_FROM, end, finish, popped_at, take};
use crate::storage::{End, Storage};
use crate::value;
use plinth_module::prelude::*;
use std::ops::Range;

pub(super) const fn commands<S: Storage>() -> [Command; 5] {
    [
        Command { run: run(blpop::<S>), ..BLPOP },
        Command { run: run(brpop::<S>), ..BRPOP },
        Command { run: run(blmpop::<S>), ..BLMPOP },
        Command { run: run(blmove::<S>), ..BLMOVE },
        Command { run: run(brpoplpush::<S>), ..BRPOPLPUSH },
    ]
}

const TIMEOUT: Arg = Arg::new(ARG_DOUBLE, "timeout");

const POP: Command = Command {
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_BLOCKING,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::range(TAKEN_FROM, 1, -2, 1)]),
    ..Command::NEW
};

const POP_DOCS: Docs = Docs {
    since: text("2.0.0"),
    group: GROUP,
    complexity: text("O(N) where N is the number of keys"),
    history: list(&[Change { version: text("6.0.0"), what: text("`timeout` may have a fraction.") }]),
    args: list(&[Arg::key("key", 0).flags(ARG_MULTIPLE), TIMEOUT]),
    ..Docs::NEW
};

const BLPOP: Command = Command {
    name: text("blpop"),
    docs: docs(&Docs {
        summary: text(
            "Takes the first element of the first of several lists that is there, and waits for one if none is.",
        ),
        ..POP_DOCS
    }),
    ..POP
};

fn blpop<S: Storage>(call: &mut Call<'_>) -> Result {
    pop::<S>(call, End::Front)
}

const BRPOP: Command = Command {
    name: text("brpop"),
    docs: docs(&Docs {
        summary: text(
            "Takes the last element of the first of several lists that is there, and waits for one if none is.",
        ),
        ..POP_DOCS
    }),
    ..POP
};

fn brpop<S: Storage>(call: &mut Call<'_>) -> Result {
    pop::<S>(call, End::Back)
}

fn pop<S: Storage>(call: &mut Call<'_>, end: End) -> Result {
    let last = call.args.len() - 1;
    let timeout_ms = call.timeout_ms(last)?;
    for at in 1..last {
        let key = call.args.bytes(at);
        let Call { keys, reply, propagate, .. } = call;
        let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else { continue };
        reply.array(2);
        reply.bulk(key);
        let after = take::<S>(&mut entry, end, 1, |value| reply.bulk_value(value))?;
        finish::<S>(keys, key, after, popped_at(end))?;
        return propagate.instead(&[if end == End::Front { b"LPOP" } else { b"RPOP" }, key]);
    }
    wait::<S>(call, 1..last, timeout_ms, WaitReply::NullArray)
}

const BLMPOP: Command = Command {
    name: text("blmpop"),
    arity: -5,
    flags: COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[mpop::keys_at(2)]),
    docs: docs(&Docs {
        summary: text(
            "Takes elements away from the first of several lists that is there, and waits for one if none is.",
        ),
        since: text("7.0.0"),
        group: GROUP,
        complexity: text("O(N+M) where N is the number of keys and M the number of elements taken"),
        args: list(&[TIMEOUT, mpop::NUMKEYS, mpop::KEYS, mpop::WHERE, mpop::COUNT]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn blmpop<S: Storage>(call: &mut Call<'_>) -> Result {
    let timeout_ms = call.timeout_ms(1)?;
    let wanted = Wanted::read(call, 2)?;
    if mpop::<S>(call, &wanted)? {
        return Ok(());
    }
    wait::<S>(call, wanted.keys, timeout_ms, WaitReply::NullArray)
}

const MOVE: Command = Command {
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_BLOCKING,
    category_names: CATEGORIES,
    keys: list(KEYS),
    ..Command::NEW
};

const BLMOVE: Command = Command {
    name: text("blmove"),
    arity: 6,
    docs: docs(&Docs {
        summary: text(
            "Moves an element from one end of a list to one end of a list, and waits for one if there is none.",
        ),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[SOURCE, DESTINATION, FROM, TO, TIMEOUT]),
        ..Docs::NEW
    }),
    ..MOVE
};

fn blmove<S: Storage>(call: &mut Call<'_>) -> Result {
    let (from, to) = (end(call.args.bytes(3))?, end(call.args.bytes(4))?);
    let timeout_ms = call.timeout_ms(5)?;
    if answer::<S>(call, from, to)? {
        let args = &call.args;
        return call.propagate.instead(&[b"LMOVE", args.bytes(1), args.bytes(2), args.bytes(3), args.bytes(4)]);
    }
    wait::<S>(call, 1..2, timeout_ms, WaitReply::Null)
}

const BRPOPLPUSH: Command = Command {
    name: text("brpoplpush"),
    arity: 4,
    docs: docs(&Docs {
        summary: text("Moves the last element of a list to the front of a list, and waits for one if there is none."),
        since: text("2.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
        history: list(&[Change { version: text("6.0.0"), what: text("`timeout` may have a fraction.") }]),
        args: list(&[SOURCE, DESTINATION, TIMEOUT]),
        ..Docs::NEW
    }),
    ..MOVE
};

fn brpoplpush<S: Storage>(call: &mut Call<'_>) -> Result {
    let timeout_ms = call.timeout_ms(3)?;
    if answer::<S>(call, End::Back, End::Front)? {
        return call.propagate.instead(&[b"RPOPLPUSH", call.args.bytes(1), call.args.bytes(2)]);
    }
    wait::<S>(call, 1..2, timeout_ms, WaitReply::Null)
}

/// Moves an element and answers with it. Returns whether there was one.
fn answer<S: Storage>(call: &mut Call<'_>, from: End, to: End) -> Result<bool> {
    let (source, destination) = (call.args.bytes(1), call.args.bytes(2));
    let element = transfer::<S>(&mut call.keys, source, destination, from, to)?;
    if let Some(element) = &element {
        call.reply.bulk(element);
    }
    Ok(element.is_some())
}

/// Waits for the keys among the arguments. Where nobody can wait the answer is the sister's when there
/// is nothing, `at_once`; when the time is up it is a null array for all.
fn wait<S: Storage>(call: &mut Call<'_>, keys: Range<usize>, timeout_ms: u64, at_once: WaitReply) -> Result {
    let of = Some(value::handle::<S>()?);
    call.wait(keys, Wait { of, timeout_ms, reply: WaitReply::NullArray, ..Wait::NEW }, at_once)
}
