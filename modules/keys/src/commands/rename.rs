//! RENAME, RENAMENX, MOVE and COPY: another name, or another database.
//!
//! The host moves the values and tells the watchers. The events are told here.

use super::{CONSTANT_TIME, GENERIC, KEY_ARG, WRITES};
use plinth_module::prelude::*;

pub(super) const COMMANDS: &[Command] = &[RENAME, RENAMENX, MOVE, COPY];

const NAMES: &[Arg] = &[KEY_ARG, Arg::key("newkey", 1)];
const SAME_OBJECT: &str = "ERR source and destination objects are the same";

const RENAME: Command = Command {
    name: text("rename"),
    arity: 3,
    flags: COMMAND_WRITE,
    categories: WRITES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1), KeySpec::at(KEY_OW | KEY_UPDATE, 2)]),
    docs: &Docs {
        summary: text("Gives a key another name; a key that has that name is replaced."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: CONSTANT_TIME,
        args: list(NAMES),
        ..Docs::NEW
    },
    run: run(rename),
    ..Command::NEW
};

const RENAMENX: Command = Command {
    name: text("renamenx"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_FAST,
    categories: WRITES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1), KeySpec::at(KEY_OW | KEY_INSERT, 2)]),
    docs: &Docs {
        summary: text("Gives a key another name, unless some key has that name."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: CONSTANT_TIME,
        history: list(&[change("3.2.0", "The same name twice is no error any more.")]),
        args: list(NAMES),
        ..Docs::NEW
    },
    run: run(renamenx),
    ..Command::NEW
};

const MOVE: Command = Command {
    name: text("move"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_FAST,
    categories: WRITES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
    docs: &Docs {
        summary: text("Takes a key to another database, unless it is there already."),
        since: text("1.0.0"),
        group: GENERIC,
        complexity: CONSTANT_TIME,
        args: list(&[KEY_ARG, Arg::new(ARG_INTEGER, "db")]),
        ..Docs::NEW
    },
    run: run(move_key),
    ..Command::NEW
};

const COPY: Command = Command {
    name: text("copy"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    categories: WRITES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1), KeySpec::at(KEY_OW | KEY_UPDATE, 2)]),
    docs: &Docs {
        summary: text("Copies a key's value and expiry to another key."),
        since: text("6.2.0"),
        group: GENERIC,
        complexity: text("O(N) for N elements of a collection, O(1) for a string."),
        args: list(&[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::new(ARG_INTEGER, "destination-db").token("DB").flags(ARG_OPTIONAL),
            Arg::word("replace", "REPLACE").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    },
    run: run(copy),
    ..Command::NEW
};

fn rename(call: &mut Call<'_>) -> Result {
    change_name(call, false)?;
    call.reply.ok();
    Ok(())
}

fn renamenx(call: &mut Call<'_>) -> Result {
    let renamed = match change_name(call, true) {
        Ok(()) => true,
        Err(Error::Exists) => false,
        Err(error) => return Err(error),
    };
    call.reply.integer(i64::from(renamed));
    Ok(())
}

fn change_name(call: &mut Call<'_>, only_absent: bool) -> Result {
    let (from, to) = (call.args.bytes(1), call.args.bytes(2));
    call.keys.rename(from, to, only_absent)?;
    if from != to {
        call.keys.notify(from, EVENT_GENERIC, "rename_from");
        call.keys.notify(to, EVENT_GENERIC, "rename_to");
    }
    Ok(())
}

/// The number of a database in the argument at `index`, as far as it can be one. The error for a
/// number that none can have is written.
fn database(call: &mut Call<'_>, index: usize) -> Result<u32> {
    let number = i32::try_from(call.args.integer(index)?).map_err(|_| {
        let (min, max) = (i32::MIN, i32::MAX);
        call.reply.error(format!("ERR value is out of range, value must between {min} and {max}"))
    })?;
    u32::try_from(number).map_err(|_| Error::DbRange)
}

fn move_key(call: &mut Call<'_>) -> Result {
    let (key, to) = (call.args.bytes(1), database(call, 2)?);
    if to == call.db() {
        return Err(call.reply.error(SAME_OBJECT));
    }
    let moved = match call.keys.move_to(key, to) {
        Ok(()) => true,
        Err(Error::None | Error::Exists) => false,
        Err(error) => return Err(error),
    };
    if moved {
        call.keys.notify(key, EVENT_GENERIC, "move_from");
        call.keys.notify_in(to, key, EVENT_GENERIC, "move_to");
    }
    call.reply.integer(i64::from(moved));
    Ok(())
}

fn copy(call: &mut Call<'_>) -> Result {
    let (from, to) = (call.args.bytes(1), call.args.bytes(2));
    let (mut db, mut replace) = (call.db(), false);
    let mut at = 3;
    while at < call.args.len() {
        if call.args.word(at, "replace") {
            replace = true;
        } else if call.args.word(at, "db") && at + 1 < call.args.len() {
            at += 1;
            db = database(call, at)?;
            if call.config.number("databases").is_ok_and(|count| i64::from(db) >= count) {
                return Err(Error::DbRange);
            }
        } else {
            return Err(Error::Syntax);
        }
        at += 1;
    }
    if db == call.db() && from == to {
        return Err(call.reply.error(SAME_OBJECT));
    }
    let copied = match call.keys.copy(from, to, db, replace) {
        Ok(()) => true,
        Err(Error::None | Error::Exists) => false,
        Err(error) => return Err(error),
    };
    if copied {
        call.keys.notify_in(db, to, EVENT_GENERIC, "copy_to");
    }
    call.reply.integer(i64::from(copied));
    Ok(())
}
