//! Unions and differences: SUNION, SUNIONSTORE, SDIFF, SDIFFSTORE.
//!
//! Without STORE no member is copied where it can be looked up instead: a union shows a set's
//! members that none of the sets before has, a difference those of the first set that no other
//! has. Of many sets, where that would be many look-ups, the members shown (or those of the other
//! sets) are put into one set.
//!
//! With STORE the result is built member by member in the order that gives it Redis's encoding.

use super::{CATEGORIES, DESTINATION, GROUP, KEYS, SOURCES, find_each, reply_all, store};
use crate::limits::Limits;
use crate::storage::{Storage, Value};
use crate::value::{Owned, insert, remove};
use crate::view::View;
use plinth_module::prelude::*;

/// Most sets in which each member of another is looked up.
const LOOKED_UP_SETS_MAX: usize = 3;

pub(super) const SUNION: Command = Command {
    name: text("sunion"),
    docs: docs(&Docs {
        summary: text("Lists the members that any of several sets has."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: COMPLEXITY,
        args: list(&[KEYS]),
        ..Docs::NEW
    }),
    ..SHOWS
};

const SHOWS: Command = Command {
    arity: -2,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::range(KEY_RO | KEY_ACCESS, 1, -1, 1)]),
    tips: list(&[text("nondeterministic_output_order")]),
    ..Command::NEW
};

const COMPLEXITY: plinth_module::abi::bytes::Bytes = text("O(N) for N members of all sets together");

const STORES: Command = Command {
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1), KeySpec::range(KEY_RO | KEY_ACCESS, 2, -1, 1)]),
    ..Command::NEW
};

pub(super) fn sunion<S: Storage>(call: &mut Call<'_>) -> Result {
    let sets = find_each::<S>(&mut call.keys, call.args.from(1), 0)?;
    let sets: Vec<View<'_, S>> = sets.into_iter().flatten().collect();
    if sets.len() < 2 {
        match sets.first() {
            Some(set) => reply_all(&mut call.reply, *set),
            None => call.reply.set(0),
        }
        return Ok(());
    }
    let mark = call.reply.open();
    let mut count = 0;
    let mut show = |member: Value<'_>| {
        call.reply.bulk_value(member);
        count += 1;
    };
    if sets.len() <= LOOKED_UP_SETS_MAX {
        for (at, set) in sets.iter().enumerate() {
            let before = &sets[..at];
            set.for_each(|member| {
                if !before.iter().any(|set| set.contains(member)) {
                    show(member);
                }
            });
        }
    } else {
        let mut shown = gathering::<S>(&sets)?;
        each_of(&sets, |member| {
            if insert(&mut shown, member, &Limits::DEFAULT)? {
                show(member);
            }
            Ok(())
        })?;
    }
    call.reply.close_set(mark, count);
    Ok(())
}

pub(super) const SUNIONSTORE: Command = Command {
    name: text("sunionstore"),
    docs: docs(&Docs {
        summary: text("Sets a key to the members that any of several sets has."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: COMPLEXITY,
        args: list(&[DESTINATION, SOURCES]),
        ..Docs::NEW
    }),
    ..STORES
};

pub(super) fn sunionstore<S: Storage>(call: &mut Call<'_>) -> Result {
    let (limits, mut result) = (Limits::now(), Owned::<S>::new());
    let sets = find_each::<S>(&mut call.keys, call.args.from(2), 0)?;
    let sets: Vec<View<'_, S>> = sets.into_iter().flatten().collect();
    each_of(&sets, |member| insert(&mut result, member, &limits).map(drop))?;
    store(call, result, "sunionstore")
}

pub(super) const SDIFF: Command = Command {
    name: text("sdiff"),
    docs: docs(&Docs {
        summary: text("Lists the members of a set that none of several other sets has."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: COMPLEXITY,
        args: list(&[KEYS]),
        ..Docs::NEW
    }),
    ..SHOWS
};

pub(super) fn sdiff<S: Storage>(call: &mut Call<'_>) -> Result {
    let sets = find_each::<S>(&mut call.keys, call.args.from(1), 0)?;
    let Some((first, others)) = minuend(sets) else {
        call.reply.set(0);
        return Ok(());
    };
    let mark = call.reply.open();
    let mut count = 0;
    let mut show = |member: Value<'_>| {
        call.reply.bulk_value(member);
        count += 1;
    };
    if others.len() <= LOOKED_UP_SETS_MAX || looks_up(first, &others) {
        difference(first, &others, |member| {
            show(member);
            Ok(())
        })?;
    } else {
        let mut excluded = gathering::<S>(&others)?;
        each_of(&others, |member| insert(&mut excluded, member, &Limits::DEFAULT).map(drop))?;
        difference(first, &[excluded.view()], |member| {
            show(member);
            Ok(())
        })?;
    }
    call.reply.close_set(mark, count);
    Ok(())
}

pub(super) const SDIFFSTORE: Command = Command {
    name: text("sdiffstore"),
    docs: docs(&Docs {
        summary: text("Sets a key to the members of a set that none of several other sets has."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: COMPLEXITY,
        args: list(&[DESTINATION, SOURCES]),
        ..Docs::NEW
    }),
    ..STORES
};

pub(super) fn sdiffstore<S: Storage>(call: &mut Call<'_>) -> Result {
    let (limits, mut result) = (Limits::now(), Owned::<S>::new());
    let sets = find_each::<S>(&mut call.keys, call.args.from(2), 0)?;
    if let Some((first, others)) = minuend(sets) {
        if stores_by_look_up(first, &others) {
            difference(first, &others, |member| insert(&mut result, member, &limits).map(drop))?;
        } else {
            each_of(&[first], |member| insert(&mut result, member, &limits).map(drop))?;
            each_of(&others, |member| remove(&mut result, member).map(drop))?;
        }
    }
    store(call, result, "sdiffstore")
}

/// The first set, and the others as far as they are there, largest first: what is excluded is most
/// likely found there. `None` when there is no first.
#[allow(clippy::type_complexity)]
fn minuend<S: Storage>(sets: Vec<Option<View<'_, S>>>) -> Option<(View<'_, S>, Vec<View<'_, S>>)> {
    let mut sets = sets.into_iter();
    let first = sets.next().flatten()?;
    let mut others: Vec<View<'_, S>> = sets.flatten().collect();
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    Some((first, others))
}

/// Whether looking up each member of the first set in all others is no more work than gathering
/// the others.
fn looks_up<S: Storage>(first: View<'_, S>, others: &[View<'_, S>]) -> bool {
    let gathered = others.iter().map(View::len).sum::<usize>() + first.len();
    first.len().saturating_mul(others.len()) <= gathered
}

/// Whether a stored difference is made by look-up. It decides the encoding of the result, so the
/// rule is Redis's: half of the first set's members, for each set that is there, against the members of
/// all.
fn stores_by_look_up<S: Storage>(first: View<'_, S>, others: &[View<'_, S>]) -> bool {
    let work = first.len().saturating_mul(1 + others.len()) / 2;
    work <= others.iter().map(View::len).sum::<usize>() + first.len()
}

/// Visits the first set's members that no other has, until `visit` fails.
fn difference<S: Storage>(
    first: View<'_, S>,
    others: &[View<'_, S>],
    mut visit: impl FnMut(Value<'_>) -> Result,
) -> Result {
    let mut done = Ok(());
    first.visit(|member| {
        if !others.iter().any(|set| set.contains(member)) {
            done = visit(member);
        }
        done.is_ok()
    });
    done
}

/// Visits the members of all sets, one set after the other, until `visit` fails.
fn each_of<S: Storage>(sets: &[View<'_, S>], mut visit: impl FnMut(Value<'_>) -> Result) -> Result {
    let mut done = Ok(());
    for set in sets {
        set.visit(|member| {
            done = visit(member);
            done.is_ok()
        });
        done?;
    }
    done
}

/// A set to gather the members of others in.
fn gathering<S: Storage>(sets: &[View<'_, S>]) -> Result<Owned<S>> {
    let are_integers = sets.iter().all(|set| matches!(set, View::Intset(_)));
    if are_integers { Ok(Owned::new()) } else { Owned::table() }
}
