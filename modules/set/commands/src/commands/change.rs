//! Changing: SADD, SREM, SMOVE.

use super::{CATEGORIES, GROUP, KEY, MEMBER, find, find_write, remove_empty};
use crate::codec::SetType;
use crate::limits::Limits;
use crate::storage::{Storage, member};
use crate::value::{create, expect, insert, len, remove};
use plinth_module::prelude::*;

pub(super) const SADD: Command = Command {
    name: text("sadd"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 1)]),
    docs: docs(&Docs {
        summary: text("Adds members to a set, which is made if there is none."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(N) for N members to add"),
        history: list(&[change("2.4.0", "Takes several members.")]),
        args: list(&[KEY, MEMBER.flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn sadd<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, expected, limits) = (call.args.bytes(1), call.args.len() - 2, Limits::now());
    let mut members = call.args.from(2).map(member);
    let handle = TypeHandle::of::<SetType<S>>()?;
    let mut added = 0;
    if let Some(mut entry) = call.keys.get_write(handle, key)? {
        expect::<S>(&mut entry, expected, &limits)?;
        let done = add_all::<S>(&mut entry, members, &limits, &mut added);
        if added != 0 {
            entry.modified(EVENT_SET, "sadd");
            call.keys.count_elements(added);
        }
        done?;
        call.reply.count(added);
        return Ok(());
    }
    let Some(first) = members.next() else { return Err(Error::Arity) };
    let mut entry = create::<S>(&mut call.keys, key, first, expected, &limits)?;
    let done = add_all::<S>(&mut entry, members, &limits, &mut added);
    entry.modified(EVENT_SET, "sadd");
    call.keys.count_elements(added + 1);
    done?;
    call.reply.count(added + 1);
    Ok(())
}

/// Adds members, counting in `added` those that were not there.
fn add_all<'m, S: Storage>(
    entry: &mut Entry<'_>,
    members: impl Iterator<Item = crate::storage::Value<'m>>,
    limits: &Limits,
    added: &mut usize,
) -> Result {
    for member in members {
        *added += usize::from(insert::<S>(entry, member, limits)?);
    }
    Ok(())
}

pub(super) const SREM: Command = Command {
    name: text("srem"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Removes members from a set, which goes with its last one."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(N) for N members to remove"),
        history: list(&[change("2.4.0", "Takes several members.")]),
        args: list(&[KEY, MEMBER.flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn srem<S: Storage>(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let Some(mut entry) = find_write::<S>(&mut call.keys, key)? else {
        call.reply.integer(0);
        return Ok(());
    };
    let (mut removed, mut left) = (0, len::<S>(&mut entry));
    for text in call.args.from(2) {
        if remove::<S>(&mut entry, member(text))? {
            removed += 1;
            left -= 1;
        }
        if left == 0 {
            break;
        }
    }
    if left == 0 {
        remove_empty(&mut call.keys, key, "srem")?;
    } else if removed != 0 {
        entry.modified(EVENT_SET, "srem");
    }
    call.keys.count_elements(removed);
    call.reply.count(removed);
    Ok(())
}

pub(super) const SMOVE: Command = Command {
    name: text("smove"),
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1), KeySpec::at(KEY_RW | KEY_INSERT, 2)]),
    docs: docs(&Docs {
        summary: text("Moves a member from one set to another."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[Arg::key("source", 0), Arg::key("destination", 1), MEMBER]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn smove<S: Storage>(call: &mut Call<'_>) -> Result {
    let (from, to, moved) = (call.args.bytes(1), call.args.bytes(2), member(call.args.bytes(3)));
    let Some(_) = call.keys.get_any(from, GET_WRITE)? else {
        call.reply.integer(0);
        return Ok(());
    };
    // Both types are looked at before anything changes.
    find_write::<S>(&mut call.keys, from)?;
    find_write::<S>(&mut call.keys, to)?;
    if from == to {
        let contains = find::<S>(&mut call.keys, from)?.is_some_and(|set| set.contains(moved));
        call.reply.integer(i64::from(contains));
        return Ok(());
    }
    let Some(mut entry) = find_write::<S>(&mut call.keys, from)? else { return Err(Error::None) };
    if !remove::<S>(&mut entry, moved)? {
        call.reply.integer(0);
        return Ok(());
    }
    if len::<S>(&mut entry) == 0 {
        remove_empty(&mut call.keys, from, "srem")?;
    } else {
        entry.modified(EVENT_SET, "srem");
    }
    let limits = Limits::now();
    match find_write::<S>(&mut call.keys, to)? {
        Some(mut entry) => {
            if insert::<S>(&mut entry, moved, &limits)? {
                entry.modified(EVENT_SET, "sadd");
            }
        }
        None => create::<S>(&mut call.keys, to, moved, 1, &limits)?.modified(EVENT_SET, "sadd"),
    }
    call.reply.integer(1);
    Ok(())
}
