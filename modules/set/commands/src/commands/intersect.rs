//! What sets have in common: SINTER, SINTERCARD, SINTERSTORE.
//!
//! The members of the smallest set are looked for in the others, the next smallest first: the sooner
//! one is missing, the less is looked up.

use super::{CATEGORIES, DESTINATION, GROUP, KEYS, SOURCES, find_each, store};
use crate::limits::Limits;
use crate::storage::{Storage, Value};
use crate::value::{Owned, as_intset, insert};
use crate::view::View;
use plinth_module::prelude::*;

pub(super) const SINTER: Command = Command {
    name: text("sinter"),
    arity: -2,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::range(KEY_RO | KEY_ACCESS, 1, -1, 1)]),
    tips: list(&[text("nondeterministic_output_order")]),
    docs: docs(&Docs {
        summary: text("Lists the members that all of several sets have."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: COMPLEXITY,
        args: list(&[KEYS]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

const COMPLEXITY: plinth_module::abi::bytes::Bytes =
    text("O(N*M) at worst, for M sets the smallest of which has N members");

pub(super) fn sinter<S: Storage>(call: &mut Call<'_>) -> Result {
    let sets = find_each::<S>(&mut call.keys, call.args.from(1), 0)?;
    let Some(sets) = by_size(sets) else {
        call.reply.set(0);
        return Ok(());
    };
    let mark = call.reply.open();
    let mut count = 0;
    common(&sets, |member| {
        call.reply.bulk_value(member);
        count += 1;
        true
    });
    call.reply.close_set(mark, count);
    Ok(())
}

pub(super) const SINTERCARD: Command = Command {
    name: text("sintercard"),
    arity: -3,
    flags: COMMAND_READONLY | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[KeySpec {
        find: KEY_FIND_KEYNUM,
        last: 0,
        step: 1,
        limit: 1,
        ..KeySpec::range(KEY_RO | KEY_ACCESS, 1, 0, 1)
    }]),
    docs: docs(&Docs {
        summary: text("Counts the members that all of several sets have."),
        since: text("7.0.0"),
        group: GROUP,
        complexity: COMPLEXITY,
        args: list(&[
            Arg::new(ARG_INTEGER, "numkeys"),
            KEYS,
            Arg::new(ARG_INTEGER, "limit").token("LIMIT").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn sintercard<S: Storage>(call: &mut Call<'_>) -> Result {
    let count = call.at_least(1, 1, "ERR numkeys should be greater than 0")?;
    if count > call.args.len() - 2 {
        return Err(call.reply.error("ERR Number of keys can't be greater than number of args"));
    }
    let mut limit = 0;
    for at in (2 + count..call.args.len()).step_by(2) {
        if !call.args.word(at, "limit") || at + 1 == call.args.len() {
            return Err(Error::Syntax);
        }
        limit = call.at_least(at + 1, 0, "ERR LIMIT can't be negative")?;
    }
    let sets = find_each::<S>(&mut call.keys, call.args.from(2).take(count), 0)?;
    let mut found = 0;
    if let Some(sets) = by_size(sets) {
        common(&sets, |_| {
            found += 1;
            found != limit
        });
    }
    call.reply.count(found);
    Ok(())
}

pub(super) const SINTERSTORE: Command = Command {
    name: text("sinterstore"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1), KeySpec::range(KEY_RO | KEY_ACCESS, 2, -1, 1)]),
    docs: docs(&Docs {
        summary: text("Sets a key to the members that all of several sets have."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: COMPLEXITY,
        args: list(&[DESTINATION, SOURCES]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn sinterstore<S: Storage>(call: &mut Call<'_>) -> Result {
    let limits = Limits::now();
    let sets = find_each::<S>(&mut call.keys, call.args.from(2), 0)?;
    let result = match by_size(sets) {
        Some(sets) => common_set(&sets, &limits)?,
        None => Owned::new(),
    };
    store(call, result, "sinterstore")
}

/// The common members as a set: an intset if all are integers, otherwise as if added to a pack.
fn common_set<S: Storage>(sets: &[View<'_, S>], limits: &Limits) -> Result<Owned<S>> {
    let mut result = match sets[0] {
        View::Intset(_) => Owned::new(),
        View::Pack(_) | View::Large(_) => Owned::pack(),
    };
    let (mut done, mut only_integers) = (Ok(()), true);
    common(sets, |member| {
        only_integers &= matches!(member, Value::Integer(_));
        done = insert(&mut result, member, limits).map(drop);
        done.is_ok()
    });
    done?;
    if only_integers { as_intset(result, limits) } else { Ok(result) }
}

/// The sets, smallest first; `None` when one of them is not there.
fn by_size<S: Storage>(sets: Vec<Option<View<'_, S>>>) -> Option<Vec<View<'_, S>>> {
    let mut sets = sets.into_iter().collect::<Option<Vec<_>>>()?;
    sets.sort_by_key(View::len);
    Some(sets)
}

/// Visits what all sets have, until `visit` returns false.
fn common<S: Storage>(sets: &[View<'_, S>], mut visit: impl FnMut(Value<'_>) -> bool) {
    let Some((smallest, others)) = sets.split_first() else { return };
    smallest.visit(|member| !others.iter().all(|set| set.contains(member)) || visit(member));
}
