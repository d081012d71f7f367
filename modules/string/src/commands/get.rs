//! Reading: GET, STRLEN, GETRANGE and its old name SUBSTR.

use super::{CATEGORIES, GROUP, KEY, reply_text};
use crate::codec::STRING;
use crate::value;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;

pub(super) const COMMANDS: [Command; 4] = [GET, STRLEN, GETRANGE, SUBSTR];

const GET: Command = Command {
    name: text("get"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    docs: docs(&Docs {
        summary: text("Reads a string."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    run: run(get),
    ..Command::NEW
};

fn get(call: &mut Call<'_>) -> Result {
    match call.keys.get(&STRING, call.args.bytes(1))? {
        Some(entry) => reply_text(&mut call.reply, &entry),
        None => call.reply.null(),
    }
    Ok(())
}

const STRLEN: Command = Command {
    name: text("strlen"),
    arity: 2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs {
        summary: text("Tells how many bytes a string has."),
        since: text("2.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    run: run(strlen),
    ..Command::NEW
};

fn strlen(call: &mut Call<'_>) -> Result {
    let entry = call.keys.get(&STRING, call.args.bytes(1))?;
    call.reply.count(entry.map_or(0, |entry| value::len(entry.tag(), entry.bytes())));
    Ok(())
}

const GETRANGE: Command = Command {
    name: text("getrange"),
    docs: docs(&Docs {
        summary: text("Reads the part of a string between two positions, both included."),
        since: text("2.4.0"),
        ..RANGE_DOCS
    }),
    ..RANGE
};

const SUBSTR: Command = Command {
    name: text("substr"),
    docs: docs(&Docs {
        summary: text("Reads the part of a string between two positions: the old name of GETRANGE."),
        since: text("1.0.0"),
        deprecated_since: text("2.0.0"),
        replaced_by: text("`GETRANGE`"),
        ..RANGE_DOCS
    }),
    ..RANGE
};

const RANGE: Command = Command {
    arity: 4,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    run: run(getrange),
    ..Command::NEW
};

const RANGE_DOCS: Docs = Docs {
    group: GROUP,
    complexity: text("O(N) where N is the number of bytes in the reply"),
    args: list(&[KEY, Arg::new(ARG_INTEGER, "start"), Arg::new(ARG_INTEGER, "end")]),
    ..Docs::NEW
};

fn getrange(call: &mut Call<'_>) -> Result {
    let (start, end) = (call.args.integer(2)?, call.args.integer(3)?);
    let Some(entry) = call.keys.get(&STRING, call.args.bytes(1))? else {
        call.reply.bulk(b"");
        return Ok(());
    };
    let mut digits = Digits::new();
    let text = value::text(entry.tag(), entry.bytes(), &mut digits);
    call.reply.bulk(&text[value::range(text.len(), start, end)]);
    Ok(())
}
