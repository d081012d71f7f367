//! One bit: SETBIT and GETBIT.

use super::{CATEGORIES, GROUP, KEY, OFFSET, offset};
use crate::STRINGS;
use crate::range::get;
use crate::scan;
use crate::work::Change;
use plinth_module::prelude::*;
use plinth_module::string::Scratch;

pub(super) const COMMANDS: [Command; 2] = [SETBIT, GETBIT];

const SETBIT: Command = Command {
    name: text("setbit"),
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text(
            "Sets or clears a bit of a string, and answers with what it was; the string is made or lengthened.",
        ),
        since: text("2.2.0"),
        group: GROUP,
        complexity: text("O(1), and O(N) where N is the number of bytes that the string is lengthened by"),
        args: list(&[KEY, OFFSET, Arg::new(ARG_INTEGER, "value")]),
        ..Docs::NEW
    }),
    run: run(setbit),
    ..Command::NEW
};

fn setbit(call: &mut Call<'_>) -> Result {
    let offset = offset(call, 2)?;
    let is_set = match call.args.bytes(3) {
        b"0" => false,
        b"1" => true,
        _ => return Err(call.reply.error("ERR bit is not an integer or out of range")),
    };
    let key = call.args.bytes(1);
    let (at, mask) = ((offset / 8) as usize, 0x80 >> (offset % 8));
    let opened = STRINGS.open(&mut call.keys, key, at + 1)?;
    let byte = opened.bytes.get_mut(at).ok_or(Error::OutOfRange)?;
    let before = *byte;
    let after = if is_set { before | mask } else { before & !mask };
    *byte = after;
    if opened.len_before.is_none_or(|len| len <= at) {
        scan::modified(call, key, None);
    } else if before != after {
        scan::modified(call, key, Some(&[Change::new(at, &[before], &[after])]));
    }
    call.reply.integer(i64::from(before & mask != 0));
    Ok(())
}

const GETBIT: Command = Command {
    name: text("getbit"),
    arity: 3,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    docs: docs(&Docs {
        summary: text("Reads a bit of a string."),
        since: text("2.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY, OFFSET]),
        ..Docs::NEW
    }),
    run: run(getbit),
    ..Command::NEW
};

fn getbit(call: &mut Call<'_>) -> Result {
    let offset = offset(call, 2)?;
    let mut scratch = Scratch::default();
    let string = STRINGS.get(&mut call.keys, call.args.bytes(1), &mut scratch)?;
    let is_set = string.is_some_and(|bytes| get(bytes, offset));
    call.reply.integer(i64::from(is_set));
    Ok(())
}
