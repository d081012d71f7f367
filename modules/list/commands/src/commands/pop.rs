//! Taking from the ends: LPOP, RPOP.

use super::{CATEGORIES, GROUP, KEY, TAKEN_FROM, finish, popped_at, take};
use crate::storage::{End, Storage};
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [Command { run: run(lpop::<S>), ..LPOP }, Command { run: run(rpop::<S>), ..RPOP }]
}

const POP: Command = Command {
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(TAKEN_FROM, 1)]),
    ..Command::NEW
};

const POP_DOCS: Docs = Docs {
    since: text("1.0.0"),
    group: GROUP,
    complexity: text("O(N) where N is the number of elements taken"),
    history: list(&[Change { version: text("6.2.0"), what: text("The `count` argument.") }]),
    args: list(&[KEY, Arg::new(ARG_INTEGER, "count").since("6.2.0").flags(ARG_OPTIONAL)]),
    ..Docs::NEW
};

const LPOP: Command = Command {
    name: text("lpop"),
    docs: docs(&Docs { summary: text("Takes the first elements of a list away and answers with them."), ..POP_DOCS }),
    ..POP
};

fn lpop<S: Storage>(call: &mut Call<'_>) -> Result {
    pop::<S>(call, End::Front)
}

const RPOP: Command = Command {
    name: text("rpop"),
    docs: docs(&Docs {
        summary: text("Takes the last elements of a list away and answers with them, the last one first."),
        ..POP_DOCS
    }),
    ..POP
};

fn rpop<S: Storage>(call: &mut Call<'_>) -> Result {
    pop::<S>(call, End::Back)
}

fn pop<S: Storage>(call: &mut Call<'_>, end: End) -> Result {
    let key = call.args.bytes(1);
    let count = match call.args.len() {
        2 => None,
        3 => Some(call.at_least(2, 0, "ERR value is out of range, must be positive")?),
        _ => return Err(Error::Arity),
    };
    let Call { keys, reply, .. } = call;
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        match count {
            None => reply.null(),
            Some(_) => reply.null_array(),
        }
        return Ok(());
    };
    let count = match count {
        None => 1,
        Some(0) => {
            reply.array(0);
            return Ok(());
        }
        Some(count) => {
            let count = count.min(value::len::<S>(&entry));
            reply.array(count);
            count
        }
    };
    let after = take::<S>(&mut entry, end, count, |value| reply.bulk_value(value))?;
    finish::<S>(keys, key, after, popped_at(end))?;
    keys.count_elements(count);
    Ok(())
}
