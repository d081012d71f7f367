//! Adding at the ends: LPUSH, RPUSH, LPUSHX, RPUSHX.

use super::{ADDED_TO, CATEGORIES, ELEMENT, GROUP, KEY, check_len, pushed_at};
use crate::storage::{End, Storage};
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 4] {
    [
        Command { run: run(lpush::<S>), ..LPUSH },
        Command { run: run(rpush::<S>), ..RPUSH },
        Command { run: run(lpushx::<S>), ..LPUSHX },
        Command { run: run(rpushx::<S>), ..RPUSHX },
    ]
}

const PUSH: Command = Command {
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(ADDED_TO, 1)]),
    ..Command::NEW
};

const PUSH_DOCS: Docs = Docs {
    group: GROUP,
    complexity: text("O(1) for each element added"),
    args: list(&[KEY, ELEMENT.flags(ARG_MULTIPLE)]),
    ..Docs::NEW
};

const LPUSH: Command = Command {
    name: text("lpush"),
    docs: docs(&Docs {
        summary: text("Adds elements in front of a list, which is made if it is not there."),
        since: text("1.0.0"),
        history: list(&[Change { version: text("2.4.0"), what: text("Several elements at once.") }]),
        ..PUSH_DOCS
    }),
    ..PUSH
};

fn lpush<S: Storage>(call: &mut Call<'_>) -> Result {
    push::<S>(call, End::Front, false)
}

const RPUSH: Command = Command {
    name: text("rpush"),
    docs: docs(&Docs {
        summary: text("Adds elements behind a list, which is made if it is not there."),
        since: text("1.0.0"),
        history: list(&[Change { version: text("2.4.0"), what: text("Several elements at once.") }]),
        ..PUSH_DOCS
    }),
    ..PUSH
};

fn rpush<S: Storage>(call: &mut Call<'_>) -> Result {
    push::<S>(call, End::Back, false)
}

const LPUSHX: Command = Command {
    name: text("lpushx"),
    docs: docs(&Docs {
        summary: text("Adds elements in front of a list if it is there."),
        since: text("2.2.0"),
        history: list(&[Change { version: text("4.0.0"), what: text("Several elements at once.") }]),
        ..PUSH_DOCS
    }),
    ..PUSH
};

fn lpushx<S: Storage>(call: &mut Call<'_>) -> Result {
    push::<S>(call, End::Front, true)
}

const RPUSHX: Command = Command {
    name: text("rpushx"),
    docs: docs(&Docs {
        summary: text("Adds elements behind a list if it is there."),
        since: text("2.2.0"),
        history: list(&[Change { version: text("4.0.0"), what: text("Several elements at once.") }]),
        ..PUSH_DOCS
    }),
    ..PUSH
};

fn rpushx<S: Storage>(call: &mut Call<'_>) -> Result {
    push::<S>(call, End::Back, true)
}

#[inline]
fn push<S: Storage>(call: &mut Call<'_>, end: End, only_present: bool) -> Result {
    let (key, texts) = (call.args.bytes(1), call.args.from(2));
    texts.clone().try_for_each(check_len)?;
    let len = match call.keys.get_write(value::handle::<S>()?, key)? {
        Some(mut entry) => {
            let len = value::push::<S, _>(&mut entry, end, texts)?;
            entry.modified(EVENT_LIST, pushed_at(end));
            len
        }
        None if only_present => 0,
        None => {
            let len = texts.len();
            value::put::<S, _>(&mut call.keys, key, end, texts, PUT_ABSENT)?.modified(EVENT_LIST, pushed_at(end));
            len
        }
    };
    if len > 0 {
        call.keys.count_elements(call.args.len() - 2);
    }
    call.reply.count(len);
    Ok(())
}
