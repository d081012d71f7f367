//! Changing a part: APPEND and SETRANGE.

use super::{CATEGORIES, GROUP, KEY, VALUE, check_len, with};
use crate::storage::{Storage, whole};
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [with(APPEND, append::<S>), with(SETRANGE, setrange::<S>)]
}

const APPEND: Command = Command {
    name: text("append"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 1)]),
    docs: docs(&Docs {
        summary: text("Puts bytes at the end of a string, which is made when it is not there."),
        since: text("2.0.0"),
        group: GROUP,
        complexity: text("O(1) on average for short values, because a long string keeps room to grow"),
        args: list(&[KEY, VALUE]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn append<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, tail) = (call.args.bytes(1), call.args.bytes(2));
    let Some(mut entry) = call.keys.get_write(S::handle()?, key)? else {
        S::put(&mut call.keys, key, whole(tail), PUT_ABSENT)?.modified(EVENT_STRING, "append");
        call.reply.count(tail.len());
        return Ok(());
    };
    let len = S::value(&entry).len();
    check_len(&call.config, len as u64 + tail.len() as u64)?;
    S::resize(&mut entry, len + tail.len())?[len..].copy_from_slice(tail);
    entry.modified(EVENT_STRING, "append");
    call.reply.count(len + tail.len());
    Ok(())
}

const SETRANGE: Command = Command {
    name: text("setrange"),
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Writes over a part of a string, lengthened with zero bytes where it is too short."),
        since: text("2.2.0"),
        group: GROUP,
        complexity: text("O(M) where M is the number of bytes written, and those added before them"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "offset"), VALUE]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn setrange<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, part) = (call.args.bytes(1), call.args.bytes(3));
    let Ok(offset) = u64::try_from(call.args.integer(2)?) else {
        return Err(call.reply.error("ERR offset is out of range"));
    };
    // Below 2^64: an offset is below 2^63, and so is an argument's length.
    let end = offset + part.len() as u64;
    if part.is_empty() {
        let entry = call.keys.get_write(S::handle()?, key)?;
        call.reply.count(entry.map_or(0, |entry| S::value(&entry).len()));
        return Ok(());
    }
    let check = || check_len(&call.config, end);
    let (offset, end) = (offset as usize, end as usize);
    let (mut entry, is_new) = S::find_or_make(&mut call.keys, key, || check().map(|()| end))?;
    check()?;
    let before = if is_new { 0 } else { S::value(&entry).len() };
    let bytes = S::resize(&mut entry, before.max(end))?;
    if before < offset {
        bytes[before..offset].fill(0);
    }
    bytes[offset..end].copy_from_slice(part);
    let len = bytes.len();
    entry.modified(EVENT_STRING, "setrange");
    call.reply.count(len);
    Ok(())
}
