//! Reading: GET, STRLEN, GETRANGE and its old name SUBSTR.

use super::{CATEGORIES, GROUP, KEY, with};
use crate::range::range;
use crate::storage::Storage;
use plinth_module::pack::Digits;
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 4] {
    [with(GET, get::<S>), with(STRLEN, strlen::<S>), with(GETRANGE, getrange::<S>), with(SUBSTR, getrange::<S>)]
}

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
    ..Command::NEW
};

fn get<S: Storage>(call: &mut Call<'_>) -> Result {
    match call.keys.get(S::handle()?, call.args.bytes(1))? {
        Some(entry) => call.reply.bulk_value(S::value(&entry)),
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
    ..Command::NEW
};

fn strlen<S: Storage>(call: &mut Call<'_>) -> Result {
    let entry = call.keys.get(S::handle()?, call.args.bytes(1))?;
    call.reply.count(entry.map_or(0, |entry| S::value(&entry).len()));
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
    ..Command::NEW
};

const RANGE_DOCS: Docs = Docs {
    group: GROUP,
    complexity: text("O(N) where N is the number of bytes in the reply"),
    args: list(&[KEY, Arg::new(ARG_INTEGER, "start"), Arg::new(ARG_INTEGER, "end")]),
    ..Docs::NEW
};

fn getrange<S: Storage>(call: &mut Call<'_>) -> Result {
    let (start, end) = (call.args.integer(2)?, call.args.integer(3)?);
    let Some(entry) = call.keys.get(S::handle()?, call.args.bytes(1))? else {
        call.reply.bulk(b"");
        return Ok(());
    };
    let mut digits = Digits::new();
    let text = S::value(&entry).text(&mut digits);
    call.reply.bulk(&text[range(text.len(), start, end)]);
    Ok(())
}
