//! Acknowledging: XACK, XACKDEL.

use super::delete::{DELETED, IDS, NOT_FOUND, REFERENCED, Wanted, remove};
use super::{CATEGORIES, GROUP, GROUP_NAME, KEY, QUIET, REFERENCES, UNHEARD, read_id};
use crate::id;
use crate::propagate::Line;
use crate::references::References;
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [Command { run: run(xack::<S>), ..XACK }, Command { run: run(xackdel::<S>), ..XACKDEL }]
}

const XACK: Command = Command {
    name: text("xack"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Acknowledges entries that are pending in a group, and tells how many were."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(log N) for each entry, where N is the number of pending ones"),
        args: list(&[KEY, GROUP_NAME, Arg::new(ARG_STRING, "id").flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn xack<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, args.bytes(1))? else {
        reply.integer(0);
        return Ok(());
    };
    let Some(mut group) = value::of_mut::<S>(&mut entry)?.group_mut(args.bytes(2)) else {
        reply.integer(0);
        return Ok(());
    };
    for text in args.from(3) {
        read_id(reply, text, 0)?;
    }
    let ids = args.from(3).filter_map(|text| id::parse(text, 0));
    let acknowledged = ids.filter(|id| group.acknowledge(*id)).count();
    drop(group);
    reply.count(acknowledged);
    if acknowledged > 0 {
        entry.modified(UNHEARD, "");
        keys.count_elements(acknowledged);
    }
    Ok(())
}

const XACKDEL: Command = Command {
    name: text("xackdel"),
    arity: -6,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Acknowledges entries that are pending in a group, and removes them from the stream."),
        since: text("8.2.0"),
        group: GROUP,
        complexity: text("O(log N) for each entry, where N is the number of entries"),
        args: list(&[KEY, GROUP_NAME, REFERENCES, IDS]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn xackdel<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, propagate, .. } = call;
    let wanted = Wanted::read(args, reply, 3)?;
    let (key, name) = (args.bytes(1), args.bytes(2));
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        wanted.reply_none(reply);
        return Ok(());
    };
    let stream = value::of_mut::<S>(&mut entry)?;
    if stream.group(name).is_none() {
        wanted.reply_none(reply);
        return Ok(());
    }
    let ids = wanted.ids(args, reply)?;
    let (mut acknowledged, mut removed) =
        (Line::new(propagate, &[b"XACK", key, name]), Line::new(propagate, &[b"XDEL", key]));
    let (mut changes, mut removals) = (0, 0);
    reply.array(wanted.count);
    for id in ids {
        if !stream.group_mut(name).is_some_and(|mut group| group.acknowledge(id)) {
            reply.integer(NOT_FOUND);
            continue;
        }
        changes += 1;
        acknowledged.push_id(id);
        let answer = remove(stream, wanted.references, id);
        if answer == DELETED {
            removals += 1;
            removed.push_id(id);
        }
        // What was pending is acknowledged, whether its entry was still there or not.
        reply.integer(if answer == REFERENCED { REFERENCED } else { DELETED });
    }
    if changes == 0 {
        return Ok(());
    }
    if wanted.references != References::Drop {
        acknowledged.send(propagate)?;
        if removals > 0 {
            removed.send(propagate)?;
        }
    }
    if removals > 0 {
        entry.modified(QUIET, "xdel");
    } else {
        entry.modified(UNHEARD, "");
    }
    Ok(())
}
