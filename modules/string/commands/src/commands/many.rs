//! Several strings at once: MGET, MSET, MSETNX, and Valkey's MSETEX.

use super::options::{
    Condition, Expiry, MILLISECONDS, Options, SECONDS, TAKES_CONDITION, TAKES_KEEP, UNIX_MILLISECONDS, UNIX_SECONDS,
};
use super::{CATEGORIES, GROUP, KEY, PAIRS, with};
use crate::storage::{Storage, whole};
use plinth_module::pack::{Digits, parse_integer};
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 4] {
    [with(MGET, mget::<S>), with(MSET, mset::<S>), with(MSETNX, msetnx::<S>), with(MSETEX, msetex::<S>)]
}

const MGET: Command = Command {
    name: text("mget"),
    arity: -2,
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::range(KEY_RO | KEY_ACCESS, 1, -1, 1)]),
    tips: list(&[text("request_policy:multi_shard")]),
    docs: docs(&Docs {
        summary: text("Reads several strings at one moment."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(N) where N is the number of keys"),
        args: list(&[KEY.flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn mget<S: Storage>(call: &mut Call<'_>) -> Result {
    call.reply.array(call.args.len() - 1);
    for key in call.args.from(1) {
        // What is no string reads as if it were not there.
        match call.keys.get(S::handle()?, key) {
            Ok(Some(entry)) => call.reply.bulk_value(S::value(&entry)),
            _ => call.reply.null(),
        }
    }
    Ok(())
}

const MSET: Command = Command {
    name: text("mset"),
    keys: list(&[KeySpec::range(KEY_OW | KEY_UPDATE, 1, -1, 2)]),
    tips: list(&[text("request_policy:multi_shard"), text("response_policy:all_succeeded")]),
    docs: docs(&Docs { summary: text("Sets several keys to strings at one moment."), ..PAIRS_DOCS }),
    ..PAIRS_SPEC
};

fn mset<S: Storage>(call: &mut Call<'_>) -> Result {
    set_pairs::<S>(call)?;
    call.reply.ok();
    Ok(())
}

const MSETNX: Command = Command {
    name: text("msetnx"),
    keys: list(&[KeySpec::range(KEY_OW | KEY_INSERT, 1, -1, 2)]),
    docs: docs(&Docs {
        summary: text("Sets several keys to strings at one moment, unless one of the keys is there."),
        ..PAIRS_DOCS
    }),
    ..PAIRS_SPEC
};

fn msetnx<S: Storage>(call: &mut Call<'_>) -> Result {
    if call.args.len().is_multiple_of(2) {
        return Err(Error::Arity);
    }
    let any = call.args.from(1).step_by(2).any(|key| call.keys.exists(key, GET_WRITE));
    if !any {
        set_pairs::<S>(call)?;
    }
    call.reply.integer(i64::from(!any));
    Ok(())
}

const PAIRS_SPEC: Command =
    Command { arity: -3, flags: COMMAND_WRITE | COMMAND_DENY_OOM, category_names: CATEGORIES, ..Command::NEW };

const PAIRS_DOCS: Docs = Docs {
    since: text("1.0.1"),
    group: GROUP,
    complexity: text("O(N) where N is the number of keys"),
    args: list(&[PAIRS]),
    ..Docs::NEW
};

/// Sets each key of the arguments to the value behind it. Fails with `Arity` when one has none.
fn set_pairs<S: Storage>(call: &mut Call<'_>) -> Result {
    if call.args.len().is_multiple_of(2) {
        return Err(Error::Arity);
    }
    for at in (1..call.args.len()).step_by(2) {
        let (key, value) = (call.args.bytes(at), call.args.bytes(at + 1));
        S::put(&mut call.keys, key, whole(value), 0)?.modified(EVENT_STRING, "set");
    }
    Ok(())
}

const MSETEX: Command = Command {
    name: text("msetex"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[KeySpec { find: KEY_FIND_KEYNUM, limit: 1, ..KeySpec::range(KEY_OW | KEY_UPDATE, 1, 0, 2) }]),
    tips: list(&[text("request_policy:multi_shard"), text("response_policy:all_succeeded")]),
    docs: docs(&Docs {
        summary: text("Sets several keys to strings at one moment, with one condition and one expiry for all."),
        since: text("9.1.0"),
        group: GROUP,
        complexity: text("O(N) where N is the number of keys"),
        args: list(&[
            Arg::new(ARG_INTEGER, "numkeys"),
            PAIRS,
            Arg::group(ARG_ONE_OF, "condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")]).flags(ARG_OPTIONAL),
            Arg::group(
                ARG_ONE_OF,
                "expiration",
                &[SECONDS, MILLISECONDS, UNIX_SECONDS, UNIX_MILLISECONDS, Arg::word("keepttl", "KEEPTTL")],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn msetex<S: Storage>(call: &mut Call<'_>) -> Result {
    let pairs = parse_integer(call.args.bytes(1)).filter(|pairs| (1..=i64::from(i32::MAX)).contains(pairs));
    let Some(pairs) = pairs else {
        return Err(call.reply.error("ERR invalid numkeys value or out of range"));
    };
    let end = 2 + 2 * pairs as usize;
    if end > call.args.len() {
        return Err(Error::Syntax);
    }
    let options = Options::read(&call.args, end, TAKES_CONDITION | TAKES_KEEP)?;
    let expire_at_ms = match options.expiry {
        Expiry::At(deadline) => Some(deadline.at_ms(call.now_ms())?),
        _ => None,
    };
    let keys = call.args.from(2).take(end - 2).step_by(2);
    let wanted = options.condition != Condition::Absent;
    // Looked at also for KEEPTTL, because an expiry that has passed is not one to keep.
    let looks = options.condition != Condition::Always || options.expiry == Expiry::Keep;
    let there = keys.filter(|key| looks && call.keys.exists(key, GET_WRITE) == wanted).count();
    if options.condition != Condition::Always && there < pairs as usize {
        call.reply.integer(0);
        return Ok(());
    }
    for at in (2..end).step_by(2) {
        let (key, value) = (call.args.bytes(at), call.args.bytes(at + 1));
        let flags = if options.expiry == Expiry::Unsaid { 0 } else { PUT_KEEP_EXPIRY };
        let mut entry = S::put(&mut call.keys, key, whole(value), flags)?;
        if expire_at_ms.is_some() {
            entry.set_expire(expire_at_ms)?;
        }
        entry.modified(EVENT_STRING, "set");
        if expire_at_ms.is_some() {
            entry.notify(EVENT_GENERIC, "expire");
        }
    }
    call.reply.integer(1);
    if call.propagate.is_wanted() { tell_each(call, end, expire_at_ms, options.expiry) } else { Ok(()) }
}

/// Tells each key's SET, because not every replica knows the command.
fn tell_each(call: &mut Call<'_>, end: usize, expire_at_ms: Option<i64>, expiry: Expiry<'_>) -> Result {
    let mut digits = Digits::new();
    let more: Vec<&[u8]> = match expire_at_ms {
        Some(at_ms) => vec![b"PXAT", digits.text_of(at_ms)],
        None if expiry == Expiry::Keep => vec![b"KEEPTTL"],
        None => Vec::new(),
    };
    for at in (2..end).step_by(2) {
        let set: [&[u8]; 3] = [b"SET", call.args.bytes(at), call.args.bytes(at + 1)];
        call.propagate.instead(&[&set[..], &more].concat())?;
    }
    Ok(())
}
