//! Reading: LLEN, LINDEX, LRANGE, LPOS.

use super::{CATEGORIES, ELEMENT, GROUP, KEY, range};
use crate::storage::{Storage, Value};
use crate::value;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;
use std::ops::ControlFlow;

pub(super) const fn commands<S: Storage>() -> [Command; 4] {
    [
        Command { run: run(llen::<S>), ..LLEN },
        Command { run: run(lindex::<S>), ..LINDEX },
        Command { run: run(lrange::<S>), ..LRANGE },
        Command { run: run(lpos::<S>), ..LPOS },
    ]
}

const READ: Command = Command {
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    ..Command::NEW
};

const LLEN: Command = Command {
    name: text("llen"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs {
        summary: text("Tells how many elements a list has."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    ..READ
};

fn llen<S: Storage>(call: &mut Call<'_>) -> Result {
    let entry = call.keys.get(value::handle::<S>()?, call.args.bytes(1))?;
    call.reply.count(entry.map_or(0, |entry| value::len::<S>(&entry)));
    Ok(())
}

const LINDEX: Command = Command {
    name: text("lindex"),
    arity: 3,
    docs: docs(&Docs {
        summary: text("Reads the element at a position of a list."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(log N) where N is the length of the list"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "index")]),
        ..Docs::NEW
    }),
    ..READ
};

fn lindex<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { keys, reply, args, .. } = call;
    let found = match keys.get(value::handle::<S>()?, args.bytes(1))? {
        Some(entry) => {
            let at = args.integer(2)?;
            let (start, count) = range(value::len::<S>(&entry), at, at);
            if count == 0 { None } else { value::get::<S, _>(&entry, start, |value| reply.bulk_value(value)) }
        }
        None => None,
    };
    if found.is_none() {
        reply.null();
    }
    Ok(())
}

const LRANGE: Command = Command {
    name: text("lrange"),
    arity: 4,
    docs: docs(&Docs {
        summary: text("Reads the elements of a list between two positions, both included."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(log N + M) where N is the length of the list and M the number of elements read"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "start"), Arg::new(ARG_INTEGER, "stop")]),
        ..Docs::NEW
    }),
    ..READ
};

fn lrange<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { keys, reply, args, .. } = call;
    let (start, stop) = (args.integer(2)?, args.integer(3)?);
    let Some(entry) = keys.get(value::handle::<S>()?, args.bytes(1))? else {
        reply.array(0);
        return Ok(());
    };
    let (start, count) = range(value::len::<S>(&entry), start, stop);
    reply.array(count);
    if count == 0 {
        return Ok(());
    }
    let mut left = count;
    let _ = value::visit::<S, ()>(&entry, start, |value| {
        reply.bulk_value(value);
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    Ok(())
}

const LPOS: Command = Command {
    name: text("lpos"),
    arity: -3,
    docs: docs(&Docs {
        summary: text("Finds the positions of elements that equal a string."),
        since: text("6.0.6"),
        group: GROUP,
        complexity: text("O(N) where N is the number of elements looked at"),
        args: list(&[
            KEY,
            ELEMENT,
            Arg::new(ARG_INTEGER, "rank").token("RANK").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "num-matches").token("COUNT").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "len").token("MAXLEN").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..READ
};

/// What LPOS looks for.
struct Search {
    /// Which match is the first that counts; negative: from the end.
    rank: i64,
    /// How many matches are wanted, 0 for all; `None` for one that is answered as it is.
    count: Option<usize>,
    /// How many elements are looked at; 0 for all.
    len_max: usize,
}

fn lpos<S: Storage>(call: &mut Call<'_>) -> Result {
    let search = options(call)?;
    let (key, wanted) = (call.args.bytes(1), call.args.bytes(2));
    let Call { keys, reply, .. } = call;
    let Some(entry) = keys.get(value::handle::<S>()?, key)? else {
        match search.count {
            Some(_) => reply.array(0),
            None => reply.null(),
        }
        return Ok(());
    };
    let Some(count) = search.count else {
        let mut found = None;
        find::<S>(&entry, wanted, &search, 1, |at| found = Some(at));
        match found {
            Some(at) => reply.count(at),
            None => reply.null(),
        }
        return Ok(());
    };
    let (mark, mut found) = (reply.open(), 0);
    find::<S>(&entry, wanted, &search, if count == 0 { usize::MAX } else { count }, |at| {
        reply.count(at);
        found += 1;
    });
    reply.close_array(mark, found);
    Ok(())
}

fn options(call: &mut Call<'_>) -> Result<Search> {
    let mut search = Search { rank: 1, count: None, len_max: 0 };
    let mut at = 3;
    while at < call.args.len() {
        call.args.expect(at + 1)?;
        if call.args.word(at, "RANK") {
            search.rank = rank(call, at + 1)?;
        } else if call.args.word(at, "COUNT") {
            search.count = Some(call.at_least(at + 1, 0, "ERR COUNT can't be negative")?);
        } else if call.args.word(at, "MAXLEN") {
            search.len_max = call.at_least(at + 1, 0, "ERR MAXLEN can't be negative")?;
        } else {
            return Err(Error::Syntax);
        }
        at += 2;
    }
    Ok(search)
}

fn rank(call: &mut Call<'_>, at: usize) -> Result<i64> {
    match call.args.integer(at)? {
        i64::MIN => Err(call
            .reply
            .error("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807")),
        0 => Err(call.reply.error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
             or use negative to start from the end of the list",
        )),
        rank => Ok(rank),
    }
}

/// Hands the positions of at most `count` matches to `take`.
fn find<S: Storage>(entry: &Entry<'_>, wanted: &[u8], search: &Search, count: usize, mut take: impl FnMut(usize)) {
    let len = value::len::<S>(entry);
    let (mut seen, mut passed, mut found, mut digits) = (0, 0, 0, Digits::new());
    let one = |value: Value<'_>| {
        if value.text(&mut digits) == wanted {
            passed += 1;
            if passed >= search.rank.unsigned_abs() {
                take(if search.rank > 0 { seen } else { len - 1 - seen });
                found += 1;
            }
        }
        seen += 1;
        let is_done = found == count || seen == search.len_max;
        if is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let _ = if search.rank > 0 {
        value::visit::<S, ()>(entry, 0, one)
    } else {
        value::visit_back::<S, ()>(entry, usize::MAX, one)
    };
}
