//! Reading by id: XLEN, XRANGE, XREVRANGE.

use super::{CATEGORIES, COUNT_ARG, GROUP, KEY, read_start, read_stop, reply_range};
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 3] {
    [
        Command { run: run(xlen::<S>), ..XLEN },
        Command { run: run(xrange::<S>), ..XRANGE },
        Command { run: run(xrevrange::<S>), ..XREVRANGE },
    ]
}

const XLEN: Command = Command {
    name: text("xlen"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs {
        summary: text("Tells how many entries a stream has."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn xlen<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    match keys.get(value::handle::<S>()?, args.bytes(1))? {
        Some(entry) => reply.count(value::of::<S>(&entry)?.len()),
        None => reply.integer(0),
    }
    Ok(())
}

const RANGE: Command = Command {
    arity: -4,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    ..Command::NEW
};

const START: Arg = Arg::new(ARG_STRING, "start");
const END: Arg = Arg::new(ARG_STRING, "end");

const RANGE_DOCS: Docs = Docs {
    since: text("5.0.0"),
    group: GROUP,
    complexity: text("O(log N + M) where N is the number of entries and M the number of those answered"),
    history: list(&[Change { version: text("6.2.0"), what: text("Ids that are left out, after `(`.") }]),
    args: list(&[KEY, START, END, COUNT_ARG]),
    ..Docs::NEW
};

const XRANGE: Command = Command {
    name: text("xrange"),
    docs: docs(&Docs { summary: text("Answers with the entries between two ids."), ..RANGE_DOCS }),
    ..RANGE
};

fn xrange<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, false)
}

const XREVRANGE: Command = Command {
    name: text("xrevrange"),
    docs: docs(&Docs {
        summary: text("Answers with the entries between two ids, the last one first."),
        args: list(&[KEY, END, START, COUNT_ARG]),
        ..RANGE_DOCS
    }),
    ..RANGE
};

fn xrevrange<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, true)
}

fn range<S: Storage>(call: &mut Call<'_>, back: bool) -> Result {
    let Call { args, keys, reply, .. } = call;
    let (start, stop) = if back { (3, 2) } else { (2, 3) };
    let (start, stop) = (read_start(reply, args.bytes(start))?, read_stop(reply, args.bytes(stop))?);
    let (mut count, mut at) = (usize::MAX, 4);
    while at < args.len() {
        if !args.word(at, "COUNT") || at + 1 == args.len() {
            return Err(Error::Syntax);
        }
        count = usize::try_from(args.integer(at + 1)?).unwrap_or(0);
        at += 2;
    }
    let Some(entry) = keys.get(value::handle::<S>()?, args.bytes(1))? else {
        reply.array(0);
        return Ok(());
    };
    if count == 0 {
        reply.null_array();
        return Ok(());
    }
    reply_range(reply, value::of::<S>(&entry)?.log(), start..=stop, count, back);
    Ok(())
}
