//! Reading: SISMEMBER, SMISMEMBER, SCARD, SMEMBERS.

use super::{CATEGORIES, GROUP, KEY, MEMBER, find, reply_all};
use crate::storage::{Storage, member};
use plinth_module::prelude::*;

pub(super) const SISMEMBER: Command = Command {
    name: text("sismember"),
    arity: 3,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs {
        summary: text("Tells whether a set has a member."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY, MEMBER]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn sismember<S: Storage>(call: &mut Call<'_>) -> Result {
    let wanted = member(call.args.bytes(2));
    let set = find::<S>(&mut call.keys, call.args.bytes(1))?;
    call.reply.integer(i64::from(set.is_some_and(|set| set.contains(wanted))));
    Ok(())
}

pub(super) const SMISMEMBER: Command = Command {
    name: text("smismember"),
    arity: -3,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    docs: docs(&Docs {
        summary: text("Tells for each of several members whether a set has it."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(N) for N members to look for"),
        args: list(&[KEY, MEMBER.flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn smismember<S: Storage>(call: &mut Call<'_>) -> Result {
    let set = find::<S>(&mut call.keys, call.args.bytes(1))?;
    let members = call.args.from(2);
    call.reply.array(members.len());
    for text in members {
        let contains = set.is_some_and(|set| set.contains(member(text)));
        call.reply.integer(i64::from(contains));
    }
    Ok(())
}

pub(super) const SCARD: Command = Command {
    name: text("scard"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs {
        summary: text("Tells how many members a set has."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn scard<S: Storage>(call: &mut Call<'_>) -> Result {
    let set = find::<S>(&mut call.keys, call.args.bytes(1))?;
    call.reply.count(set.map_or(0, |set| set.len()));
    Ok(())
}

pub(super) const SMEMBERS: Command = Command {
    name: text("smembers"),
    arity: 2,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    tips: list(&[text("nondeterministic_output_order")]),
    docs: docs(&Docs {
        summary: text("Lists all members of a set."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(N) for N members of the set"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn smembers<S: Storage>(call: &mut Call<'_>) -> Result {
    match find::<S>(&mut call.keys, call.args.bytes(1))? {
        Some(set) => reply_all(&mut call.reply, set),
        None => call.reply.set(0),
    }
    Ok(())
}
