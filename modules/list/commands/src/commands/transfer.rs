//! Moving an element from list to list: LMOVE, and RPOPLPUSH, which it replaces.

use super::{
    ADDED_TO, After, CATEGORIES, ENDS, GROUP, TAKEN_FROM, after, bytes_of, end, finish, popped_at, pushed_at, take,
};
use crate::storage::{End, Storage};
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [Command { run: run(lmove::<S>), ..LMOVE }, Command { run: run(rpoplpush::<S>), ..RPOPLPUSH }]
}

/// The class of what happens to the destination: one move is one change.
const PART: u32 = EVENT_LIST | EVENT_UNCOUNTED;

/// Both keys of a command that moves, and the arguments that name them.
pub(super) const KEYS: &[KeySpec] = &[KeySpec::at(TAKEN_FROM, 1), KeySpec::at(ADDED_TO, 2)];
pub(super) const SOURCE: Arg = Arg::key("source", 0);
pub(super) const DESTINATION: Arg = Arg::key("destination", 1);
pub(super) const FROM: Arg = Arg::group(ARG_ONE_OF, "wherefrom", ENDS);
pub(super) const TO: Arg = Arg::group(ARG_ONE_OF, "whereto", ENDS);

const LMOVE: Command = Command {
    name: text("lmove"),
    arity: 5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(KEYS),
    docs: docs(&Docs {
        summary: text("Takes an element away at one end of a list, adds it to one end of a list, and answers with it."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[SOURCE, DESTINATION, FROM, TO]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn lmove<S: Storage>(call: &mut Call<'_>) -> Result {
    let (from, to) = (end(call.args.bytes(3))?, end(call.args.bytes(4))?);
    answer::<S>(call, from, to)
}

const RPOPLPUSH: Command = Command {
    name: text("rpoplpush"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(KEYS),
    docs: docs(&Docs {
        summary: text("Takes the last element of a list away, adds it in front of a list, and answers with it."),
        since: text("1.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`LMOVE` with the `RIGHT` and `LEFT` arguments"),
        args: list(&[SOURCE, DESTINATION]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn rpoplpush<S: Storage>(call: &mut Call<'_>) -> Result {
    answer::<S>(call, End::Back, End::Front)
}

fn answer<S: Storage>(call: &mut Call<'_>, from: End, to: End) -> Result {
    let (source, destination) = (call.args.bytes(1), call.args.bytes(2));
    match transfer::<S>(&mut call.keys, source, destination, from, to)? {
        Some(element) => call.reply.bulk(element),
        None => call.reply.null(),
    }
    Ok(())
}

/// Moves an element, and returns it; `None` when there is no source. Fails with `WrongType` for
/// either key, nothing changed.
pub(super) fn transfer<S: Storage>(
    keys: &mut Keys<'_>,
    source: &[u8],
    destination: &[u8],
    from: End,
    to: End,
) -> Result<Option<Vec<u8>>> {
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, source)? else { return Ok(None) };
    let len = value::len::<S>(&entry);
    let at = if from == End::Front { 0 } else { len.saturating_sub(1) };
    let element = value::get::<S, _>(&entry, at, bytes_of).ok_or(Error::None)?;
    let texts = std::iter::once(element.as_slice());
    if source == destination {
        if len > 1 && from != to {
            value::pop::<S>(&mut entry, from, 1, |_| {})?;
            value::push::<S, _>(&mut entry, to, texts)?;
        }
        entry.notify(EVENT_LIST, pushed_at(to));
        let after = after::<S>(&mut entry)?;
        finish::<S>(keys, source, after, popped_at(from))?;
        return Ok(Some(element));
    }
    match keys.get_write(value::handle::<S>()?, destination)? {
        Some(mut entry) => {
            value::push::<S, _>(&mut entry, to, texts)?;
            entry.modified(PART, pushed_at(to));
        }
        None => {
            value::put::<S, _>(keys, destination, to, texts, PUT_ABSENT)?.modified(PART, pushed_at(to));
        }
    }
    let flags = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
    let after = match keys.get_with(value::handle::<S>()?, source, flags)? {
        Some(mut entry) => take::<S>(&mut entry, from, 1, |_| {})?,
        None => After::Some,
    };
    finish::<S>(keys, source, after, popped_at(from))?;
    Ok(Some(element))
}
