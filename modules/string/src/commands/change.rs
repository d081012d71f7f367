//! Changing a part: APPEND and SETRANGE.

use super::{CATEGORIES, GROUP, KEY, VALUE, check_len, put, spell_out};
use crate::codec::STRING;
use crate::value::{self, INTEGER, RAW};
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 2] = [APPEND, SETRANGE];

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
    run: run(append),
    ..Command::NEW
};

fn append(call: &mut Call<'_>) -> Result {
    let (key, tail) = (call.args.bytes(1), call.args.bytes(2));
    let Some(mut entry) = call.keys.get_write(&STRING, key)? else {
        put(&mut call.keys, key, tail, PUT_ABSENT)?.modified(EVENT_STRING, "append");
        call.reply.count(tail.len());
        return Ok(());
    };
    let len = value::len(entry.tag(), entry.bytes());
    check_len(&call.config, len as u64 + tail.len() as u64)?;
    if entry.tag() == INTEGER {
        spell_out(&mut entry, len + tail.len())?;
    } else {
        entry.resize(RAW, len + tail.len(), true)?;
    }
    entry.bytes_mut()[len..].copy_from_slice(tail);
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
    run: run(setrange),
    ..Command::NEW
};

fn setrange(call: &mut Call<'_>) -> Result {
    let (key, part) = (call.args.bytes(1), call.args.bytes(3));
    let Ok(offset) = u64::try_from(call.args.integer(2)?) else {
        return Err(call.reply.error("ERR offset is out of range"));
    };
    // Below 2^64: an offset is below 2^63, and so is an argument's length.
    let end = offset + part.len() as u64;
    let entry = call.keys.get_write(&STRING, key)?;
    if part.is_empty() {
        call.reply.count(entry.map_or(0, |entry| value::len(entry.tag(), entry.bytes())));
        return Ok(());
    }
    check_len(&call.config, end)?;
    let (offset, end) = (offset as usize, end as usize);
    let mut entry = match entry {
        Some(mut entry) => {
            let len = value::len(entry.tag(), entry.bytes());
            resize(&mut entry, len.max(end))?;
            entry
        }
        None => {
            let mut entry = call.keys.put(&STRING, key, RAW, end, PUT_ABSENT)?;
            entry.bytes_mut()[..offset].fill(0);
            entry
        }
    };
    entry.bytes_mut()[offset..end].copy_from_slice(part);
    entry.modified(EVENT_STRING, "setrange");
    call.reply.count(entry.bytes().len());
    Ok(())
}

/// Makes a string plain bytes, `len` of them, with zero bytes behind the old end.
pub(crate) fn resize(entry: &mut Entry<'_>, len: usize) -> Result {
    if entry.tag() == INTEGER {
        return spell_out(entry, len);
    }
    let before = entry.bytes().len();
    if entry.tag() != RAW || len != before {
        entry.resize(RAW, len, len > before)?;
        if len > before {
            entry.bytes_mut()[before..].fill(0);
        }
    }
    Ok(())
}
