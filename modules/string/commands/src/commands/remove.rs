//! Removing a string by way of its content: GETDEL, and Valkey's DELIFEQ.

use super::{CATEGORIES, GROUP, KEY, VALUE, with};
use crate::storage::Storage;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [with(GETDEL, getdel::<S>), with(DELIFEQ, delifeq::<S>)]
}

const GETDEL: Command = Command {
    name: text("getdel"),
    arity: 2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Reads a string and removes its key."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn getdel<S: Storage>(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let Some(entry) = call.keys.get(S::handle()?, key)? else {
        call.reply.null();
        return Ok(());
    };
    call.reply.bulk_value(S::value(&entry));
    remove(call, key)
}

const DELIFEQ: Command = Command {
    name: text("delifeq"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RM | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Removes a key when it holds this string, and only then."),
        since: text("9.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY, VALUE]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn delifeq<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, expected) = (call.args.bytes(1), call.args.bytes(2));
    let entry = call.keys.get_write(S::handle()?, key)?;
    let is_equal = entry.is_some_and(|entry| S::value(&entry).text(&mut Digits::new()) == expected);
    call.reply.integer(i64::from(is_equal));
    if is_equal { remove(call, key) } else { Ok(()) }
}

fn remove(call: &mut Call<'_>, key: &[u8]) -> Result {
    call.keys.remove(key, 0)?;
    call.keys.modified(key, EVENT_GENERIC, "del");
    call.propagate.instead(&[b"DEL", key])
}
