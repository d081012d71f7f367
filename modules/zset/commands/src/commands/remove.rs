//! Removing: ZREM, and ranges with ZREMRANGEBYRANK, ZREMRANGEBYSCORE and ZREMRANGEBYLEX.

use super::{CATEGORIES, GROUP, KEY, MEMBER, bounds};
use crate::codec::Zset;
use crate::storage::{Cut, Storage};
use crate::value::{Edit, announce};
use plinth_module::prelude::*;
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 4] = [
        Command { run: run(zrem::<S>), look_ahead: look_ahead::<Zset<S>, 2>(), ..ZREM },
        Command { run: run(zremrangebyrank::<S>), ..ZREMRANGEBYRANK },
        Command { run: run(zremrangebyscore::<S>), ..ZREMRANGEBYSCORE },
        Command { run: run(zremrangebylex::<S>), ..ZREMRANGEBYLEX },
    ];
}

const ZREM: Command = Command {
    name: text("zrem"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_FAST,
    docs: docs(&Docs {
        summary: text("Removes members; the key goes with the last."),
        since: text("1.2.0"),
        group: GROUP,
        complexity: text("O(M*log(N)) where N is the number of members in the sorted set and M of those to remove"),
        history: list(&[change("2.4.0", "Takes more than one member.")]),
        args: list(&[KEY, MEMBER.flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..REMOVER
};

const REMOVER: Command = Command {
    arity: 4,
    flags: COMMAND_WRITE,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    ..Command::NEW
};

const RANGE_DOCS: Docs = Docs {
    group: GROUP,
    complexity: text("O(log(N)+M) where N is the number of members in the sorted set and M of those removed"),
    ..Docs::NEW
};

const ZREMRANGEBYRANK: Command = Command {
    name: text("zremrangebyrank"),
    docs: docs(&Docs {
        summary: text("Removes the members of a range of ranks."),
        since: text("2.0.0"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "start"), Arg::new(ARG_INTEGER, "stop")]),
        ..RANGE_DOCS
    }),
    ..REMOVER
};

const ZREMRANGEBYSCORE: Command = Command {
    name: text("zremrangebyscore"),
    docs: docs(&Docs {
        summary: text("Removes the members of a range of scores."),
        since: text("1.2.0"),
        args: list(&[KEY, Arg::new(ARG_DOUBLE, "min"), Arg::new(ARG_DOUBLE, "max")]),
        ..RANGE_DOCS
    }),
    ..REMOVER
};

const ZREMRANGEBYLEX: Command = Command {
    name: text("zremrangebylex"),
    docs: docs(&Docs {
        summary: text("Removes the members of a range of members, where all scores are the same."),
        since: text("2.8.9"),
        args: list(&[KEY, Arg::new(ARG_STRING, "min"), Arg::new(ARG_STRING, "max")]),
        ..RANGE_DOCS
    }),
    ..REMOVER
};

fn zrem<S: Storage>(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let Some(mut edit) = Edit::<S>::find(&mut call.keys, key)? else {
        call.reply.integer(0);
        return Ok(());
    };
    let mut removed = 0;
    for member in call.args.from(2) {
        if edit.remove(member)?.is_some() {
            removed += 1;
            if edit.is_empty() {
                break;
            }
        }
    }
    if removed > 0 {
        let is_empty = edit.is_empty();
        announce(&mut call.keys, key, is_empty, "zrem")?;
        call.keys.count_elements(removed);
    }
    call.reply.count(removed);
    Ok(())
}

fn zremrangebyrank<S: Storage>(call: &mut Call<'_>) -> Result {
    let (start, stop) = (call.args.integer(2)?, call.args.integer(3)?);
    remove_range::<S>(call, "zremrangebyrank", |edit| bounds::ranks(start, stop, edit.view().len()))
}

fn zremrangebyscore<S: Storage>(call: &mut Call<'_>) -> Result {
    let cuts = (bounds::score(call, 2, false)?, bounds::score(call, 3, true)?);
    remove_range::<S>(call, "zremrangebyscore", |edit| between(edit, cuts))
}

fn zremrangebylex<S: Storage>(call: &mut Call<'_>) -> Result {
    let cuts = (bounds::member(call, 2, false)?, bounds::member(call, 3, true)?);
    remove_range::<S>(call, "zremrangebylex", |edit| between(edit, cuts))
}

/// The ranks between two cuts.
fn between<S: Storage>(edit: &Edit<'_, S>, (min, max): (Cut<'_>, Cut<'_>)) -> std::ops::Range<usize> {
    let view = edit.view();
    view.count_before(min)..view.count_before(max)
}

/// Removes a range of ranks and answers how many there were.
fn remove_range<S: Storage>(
    call: &mut Call<'_>,
    event: &str,
    ranks: impl FnOnce(&Edit<'_, S>) -> std::ops::Range<usize>,
) -> Result {
    let key = call.args.bytes(1);
    let Some(mut edit) = Edit::<S>::find(&mut call.keys, key)? else {
        call.reply.integer(0);
        return Ok(());
    };
    let ranks = ranks(&edit);
    let removed = ranks.len();
    if removed > 0 {
        edit.remove_range(ranks, false, &mut |_, _| {})?;
        let is_empty = edit.is_empty();
        announce(&mut call.keys, key, is_empty, event)?;
        call.keys.count_elements(removed);
    }
    call.reply.count(removed);
    Ok(())
}
