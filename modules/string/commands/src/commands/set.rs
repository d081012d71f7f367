//! Setting one string: SET, and SETNX, SETEX, PSETEX and GETSET, which SET's options replace.
//!
//! A key whose time has passed when it is set is set nevertheless, and expires when it is next
//! looked at: so `set` and `expire` are announced, and `expired` after them.

use super::options::{
    Condition, Deadline, Expiry, MILLISECONDS, Options, SECONDS, TAKES_CONDITION, TAKES_EQUAL, TAKES_GET, TAKES_KEEP,
    UNIX_MILLISECONDS, UNIX_SECONDS,
};
use super::{CATEGORIES, GROUP, KEY, VALUE, with};
use crate::storage::{Storage, whole};
use plinth_module::pack::Digits;
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 5] {
    [
        with(SET, set::<S>),
        with(SETNX, setnx::<S>),
        with(SETEX, setex::<S>),
        with(PSETEX, psetex::<S>),
        with(GETSET, getset::<S>),
    ]
}

const SET: Command = Command {
    name: text("set"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec {
        notes: text("Read only when GET or IFEQ is given"),
        ..KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS, 1)
    }]),
    docs: docs(&Docs {
        summary: text("Sets a key to a string, whatever it held, and says when it may and until when it stays."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        history: list(&[
            Change { version: text("2.6.12"), what: text("Options `EX`, `PX`, `NX` and `XX`.") },
            Change { version: text("6.0.0"), what: text("Option `KEEPTTL`.") },
            Change { version: text("6.2.0"), what: text("Options `GET`, `EXAT` and `PXAT`.") },
            Change { version: text("7.0.0"), what: text("`NX` and `GET` may be given together.") },
            Change { version: text("8.1.0"), what: text("Option `IFEQ`, as in Valkey.") },
        ]),
        args: list(&[
            KEY,
            VALUE,
            Arg::group(
                ARG_ONE_OF,
                "condition",
                &[
                    Arg::word("nx", "NX").since("2.6.12"),
                    Arg::word("xx", "XX").since("2.6.12"),
                    Arg::new(ARG_STRING, "comparison-value").token("IFEQ").since("8.1.0"),
                ],
            )
            .flags(ARG_OPTIONAL),
            Arg::word("get", "GET").since("6.2.0").flags(ARG_OPTIONAL),
            Arg::group(
                ARG_ONE_OF,
                "expiration",
                &[
                    SECONDS.since("2.6.12"),
                    MILLISECONDS.since("2.6.12"),
                    UNIX_SECONDS.since("6.2.0"),
                    UNIX_MILLISECONDS.since("6.2.0"),
                    Arg::word("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    find_keys: find_keys(|args, found| {
        let is_read =
            |at: usize| [b"GET".as_slice(), b"IFEQ"].iter().any(|word| args.bytes(at).eq_ignore_ascii_case(word));
        let reads = (3..args.len()).any(is_read);
        found.push_with(1, if reads { KEY_RW | KEY_ACCESS | KEY_UPDATE } else { KEY_OW | KEY_UPDATE });
    }),
    ..Command::NEW
};

fn set<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, value) = (call.args.bytes(1), call.args.bytes(2));
    if call.args.len() == 3 {
        S::put(&mut call.keys, key, whole(value), 0)?.modified(EVENT_STRING, "set");
        call.reply.ok();
        return Ok(());
    }
    let options = Options::read(&call.args, 3, TAKES_CONDITION | TAKES_EQUAL | TAKES_GET | TAKES_KEEP)?;
    let is_set = set_with::<S>(call, key, value, &options)?;
    match (options.get, is_set) {
        (true, _) => {}
        (false, true) => call.reply.ok(),
        (false, false) => call.reply.null(),
    }
    Ok(())
}

/// Sets a key if the options allow it, and says whether they did. With GET the reply is written,
/// otherwise it is the caller's.
fn set_with<S: Storage>(call: &mut Call<'_>, key: &[u8], value: &[u8], options: &Options<'_>) -> Result<bool> {
    let expire_at_ms = match options.expiry {
        Expiry::At(deadline) => Some(deadline.at_ms(call.now_ms())?),
        _ => None,
    };
    if options.get {
        match call.keys.get(S::handle()?, key)? {
            Some(entry) => call.reply.bulk_value(S::value(&entry)),
            None => call.reply.null(),
        }
    }
    // Looked at also for KEEPTTL, because an expiry that has passed is not one to keep.
    let looks = options.condition != Condition::Always || options.expiry == Expiry::Keep;
    if looks && !allows::<S>(&mut call.keys, key, options.condition)? {
        return Ok(false);
    }
    // An expiry that is about to be replaced keeps its room in the entry.
    let keeps = options.expiry != Expiry::Unsaid;
    let flags = if keeps { PUT_KEEP_EXPIRY } else { 0 };
    let mut entry = S::put(&mut call.keys, key, whole(value), flags)?;
    if expire_at_ms.is_some() {
        entry.set_expire(expire_at_ms)?;
    }
    entry.modified(EVENT_STRING, "set");
    if let Some(at_ms) = expire_at_ms {
        entry.notify(EVENT_GENERIC, "expire");
        let mut digits = Digits::new();
        call.propagate.instead(&[b"SET", key, value, b"PXAT", digits.text_of(at_ms)])?;
    } else if options.get || matches!(options.condition, Condition::Equal(_)) {
        // IFEQ has held, and not every replica knows it.
        let all: [&[u8]; 4] = [b"SET", key, value, b"KEEPTTL"];
        call.propagate.instead(if keeps { &all } else { &all[..3] })?;
    }
    Ok(true)
}

/// Whether a condition holds for a key. Fails with `WrongType` when what is to be compared is not a
/// string.
fn allows<S: Storage>(keys: &mut Keys<'_>, key: &[u8], condition: Condition<'_>) -> Result<bool> {
    if let Condition::Equal(expected) = condition {
        let entry = keys.get_write(S::handle()?, key)?;
        return Ok(entry.is_some_and(|entry| S::value(&entry).text(&mut Digits::new()) == expected));
    }
    let there = keys.exists(key, GET_WRITE);
    Ok(match condition {
        Condition::Absent => !there,
        Condition::Present => there,
        Condition::Always | Condition::Equal(_) => true,
    })
}

const SETNX: Command = Command {
    name: text("setnx"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_OW | KEY_INSERT, 1)]),
    docs: docs(&Docs {
        summary: text("Sets a key to a string unless the key is there."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        deprecated_since: text("2.6.12"),
        replaced_by: text("`SET` with the `NX` argument"),
        args: list(&[KEY, VALUE]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn setnx<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, value) = (call.args.bytes(1), call.args.bytes(2));
    let options = Options { condition: Condition::Absent, ..Options::NONE };
    let is_set = set_with::<S>(call, key, value, &options)?;
    call.reply.integer(i64::from(is_set));
    Ok(())
}

const SETEX: Command = Command {
    name: text("setex"),
    docs: docs(&Docs {
        summary: text("Sets a key to a string that expires after some seconds."),
        since: text("2.0.0"),
        replaced_by: text("`SET` with the `EX` argument"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "seconds"), VALUE]),
        ..EXPIRING_DOCS
    }),
    ..EXPIRING
};

fn setex<S: Storage>(call: &mut Call<'_>) -> Result {
    set_expiring::<S>(call, 1000)
}

const PSETEX: Command = Command {
    name: text("psetex"),
    docs: docs(&Docs {
        summary: text("Sets a key to a string that expires after some milliseconds."),
        since: text("2.6.0"),
        replaced_by: text("`SET` with the `PX` argument"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "milliseconds"), VALUE]),
        ..EXPIRING_DOCS
    }),
    ..EXPIRING
};

fn psetex<S: Storage>(call: &mut Call<'_>) -> Result {
    set_expiring::<S>(call, 1)
}

const EXPIRING: Command = Command {
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1)]),
    ..Command::NEW
};

const EXPIRING_DOCS: Docs =
    Docs { group: GROUP, complexity: text("O(1)"), deprecated_since: text("2.6.12"), ..Docs::NEW };

fn set_expiring<S: Storage>(call: &mut Call<'_>, unit_ms: i64) -> Result {
    let (key, amount, value) = (call.args.bytes(1), call.args.bytes(2), call.args.bytes(3));
    let deadline = Deadline { amount, unit_ms, from_now: true };
    set_with::<S>(call, key, value, &Options { expiry: Expiry::At(deadline), ..Options::NONE })?;
    call.reply.ok();
    Ok(())
}

const GETSET: Command = Command {
    name: text("getset"),
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Sets a key to a string and answers with the one it held."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`SET` with the `!GET` argument"),
        args: list(&[KEY, VALUE]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn getset<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, value) = (call.args.bytes(1), call.args.bytes(2));
    set_with::<S>(call, key, value, &Options { get: true, ..Options::NONE })?;
    Ok(())
}
