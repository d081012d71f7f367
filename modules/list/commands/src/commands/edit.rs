//! Changing within a list: LSET, LINSERT, LREM, LTRIM.

use super::{ADDED_TO, After, CATEGORIES, ELEMENT, GROUP, KEY, after, check_len, finish, range};
use crate::storage::{End, Storage};
use crate::value;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;
use std::ops::ControlFlow;

pub(super) const fn commands<S: Storage>() -> [Command; 4] {
    [
        Command { run: run(lset::<S>), ..LSET },
        Command { run: run(linsert::<S>), ..LINSERT },
        Command { run: run(lrem::<S>), ..LREM },
        Command { run: run(ltrim::<S>), ..LTRIM },
    ]
}

const LSET: Command = Command {
    name: text("lset"),
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Replaces the element at a position of a list."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(log N) where N is the length of the list"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "index"), ELEMENT]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn lset<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, element) = (call.args.bytes(1), call.args.bytes(3));
    let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? else { return Err(Error::None) };
    let at = call.args.integer(2)?;
    check_len(element)?;
    let (start, count) = range(value::len::<S>(&entry), at, at);
    if count == 0 {
        return Err(Error::OutOfRange);
    }
    value::set::<S>(&mut entry, start, element)?;
    let after = after::<S>(&mut entry)?;
    finish::<S>(&mut call.keys, key, after, "lset")?;
    call.reply.ok();
    Ok(())
}

const LINSERT: Command = Command {
    name: text("linsert"),
    arity: 5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(ADDED_TO, 1)]),
    docs: docs(&Docs {
        summary: text("Puts an element before or behind the first one that equals a string."),
        since: text("2.2.0"),
        group: GROUP,
        complexity: text("O(N) where N is the number of elements up to the one found"),
        args: list(&[
            KEY,
            Arg::group(ARG_ONE_OF, "where", &[Arg::word("before", "BEFORE"), Arg::word("after", "AFTER")]),
            Arg::new(ARG_STRING, "pivot"),
            ELEMENT,
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn linsert<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, pivot, element) = (call.args.bytes(1), call.args.bytes(3), call.args.bytes(4));
    let behind = match (call.args.word(2, "AFTER"), call.args.word(2, "BEFORE")) {
        (true, _) => 1,
        (_, true) => 0,
        _ => return Err(Error::Syntax),
    };
    check_len(element)?;
    let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? else {
        call.reply.integer(0);
        return Ok(());
    };
    let (mut at, mut digits) = (0, Digits::new());
    let found = value::visit::<S, ()>(&entry, 0, |value| {
        if value.text(&mut digits) == pivot {
            return ControlFlow::Break(());
        }
        at += 1;
        ControlFlow::Continue(())
    });
    if found.is_continue() {
        call.reply.integer(-1);
        return Ok(());
    }
    value::insert::<S>(&mut entry, at + behind, element)?;
    entry.modified(EVENT_LIST, "linsert");
    call.reply.count(value::len::<S>(&entry));
    Ok(())
}

const LREM: Command = Command {
    name: text("lrem"),
    arity: 4,
    flags: COMMAND_WRITE,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Removes elements that equal a string; the key goes with its last element."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(N) where N is the length of the list"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "count"), ELEMENT]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn lrem<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, count, element) = (call.args.bytes(1), call.args.integer(2)?, call.args.bytes(3));
    if count == i64::MIN {
        let text = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
        return Err(call.reply.error(text));
    }
    let Some(mut entry) = call.keys.get_write(value::handle::<S>()?, key)? else {
        call.reply.integer(0);
        return Ok(());
    };
    let from = if count < 0 { End::Back } else { End::Front };
    let max = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let removed = value::remove_equal::<S>(&mut entry, element, max, from)?;
    call.reply.count(removed);
    if removed == 0 {
        return Ok(());
    }
    let after = if value::len::<S>(&entry) == 0 { After::Empty } else { after::<S>(&mut entry)? };
    finish::<S>(&mut call.keys, key, after, "lrem")?;
    call.keys.count_elements(removed);
    Ok(())
}

const LTRIM: Command = Command {
    name: text("ltrim"),
    arity: 4,
    flags: COMMAND_WRITE,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Removes all elements but those between two positions, both included."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(N) where N is the number of elements removed"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "start"), Arg::new(ARG_INTEGER, "stop")]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn ltrim<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, start, stop) = (call.args.bytes(1), call.args.integer(2)?, call.args.integer(3)?);
    let Some(entry) = call.keys.get_write(value::handle::<S>()?, key)? else {
        call.reply.ok();
        return Ok(());
    };
    let len = value::len::<S>(&entry);
    let (start, count) = range(len, start, stop);
    let after = match count {
        0 => After::Empty,
        _ if value::trim::<S>(&mut call.keys, key, start, count)? => After::Short,
        _ => After::Some,
    };
    finish::<S>(&mut call.keys, key, after, "ltrim")?;
    call.keys.count_elements(len - count);
    call.reply.ok();
    Ok(())
}
