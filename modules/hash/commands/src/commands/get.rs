//! Reading fields: HGET, HMGET, HGETALL, HKEYS, HVALS, HLEN, HSTRLEN, HEXISTS.
//!
//! HLEN counts fields that have expired and are not removed yet, as Redis 8.2 does: it would have to
//! look at each otherwise.

use super::{DOCS, FIELD, KEY, READING, now, seeking, with};
use crate::small::Shown;
use crate::storage::Storage;
use crate::value::{Hash, View};
use plinth_module::pack::Digits;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 8] {
    [
        seeking::<S>(HGET, hget::<S>),
        seeking::<S>(HMGET, hmget::<S>),
        with(HGETALL, hgetall::<S>),
        with(HKEYS, hkeys::<S>),
        with(HVALS, hvals::<S>),
        with(HLEN, hlen::<S>),
        seeking::<S>(HSTRLEN, hstrlen::<S>),
        seeking::<S>(HEXISTS, hexists::<S>),
    ]
}

/// The hash of the first argument's key, to be read.
#[inline(always)]
pub(super) fn open<'k, S: Storage>(keys: &'k mut Keys<'_>, key: &'k [u8]) -> Result<Option<Entry<'k>>> {
    keys.get(TypeHandle::of::<Hash<S>>()?, key)
}

/// Answers with a field's value, or with nothing.
#[inline(always)]
pub(super) fn reply_found(reply: &mut ReplyBuffer<'_>, found: Option<Shown<'_>>) {
    match found {
        Some(shown) => reply.bulk_value(shown.value),
        None => reply.null(),
    }
}

const HGET: Command = Command {
    name: text("hget"),
    arity: 3,
    docs: docs(&Docs { summary: text("Reads a field of a hash."), args: list(&[KEY, FIELD]), ..DOCS }),
    ..READING
};

fn hget<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, field, now) = (call.args.bytes(1), call.args.bytes(2), now(call));
    let entry = open::<S>(&mut call.keys, key)?;
    reply_found(&mut call.reply, View::<S>::of(&entry).get(field, now));
    Ok(())
}

const HMGET: Command = Command {
    name: text("hmget"),
    arity: -3,
    docs: docs(&Docs {
        summary: text("Reads several fields of a hash."),
        complexity: text("O(N) where N is the number of fields being requested."),
        args: list(&[KEY, FIELD.flags(ARG_MULTIPLE)]),
        ..DOCS
    }),
    ..READING
};

fn hmget<S: Storage>(call: &mut Call<'_>) -> Result {
    let now = now(call);
    let entry = open::<S>(&mut call.keys, call.args.bytes(1))?;
    let view = View::<S>::of(&entry);
    call.reply.array(call.args.len() - 2);
    for field in call.args.from(2) {
        reply_found(&mut call.reply, view.get(field, now));
    }
    Ok(())
}

/// What commands that read everything share.
const WHOLE: Command =
    Command { arity: 2, flags: COMMAND_READONLY, tips: list(&[text("nondeterministic_output_order")]), ..READING };
const WHOLE_DOCS: Docs = Docs { complexity: text("O(N) where N is the size of the hash."), args: list(&[KEY]), ..DOCS };

const HGETALL: Command = Command {
    name: text("hgetall"),
    docs: docs(&Docs { summary: text("Reads all fields of a hash with their values."), ..WHOLE_DOCS }),
    ..WHOLE
};

fn hgetall<S: Storage>(call: &mut Call<'_>) -> Result {
    whole::<S>(call, true, true)
}

const HKEYS: Command = Command {
    name: text("hkeys"),
    docs: docs(&Docs { summary: text("Lists the names of a hash's fields."), ..WHOLE_DOCS }),
    ..WHOLE
};

fn hkeys<S: Storage>(call: &mut Call<'_>) -> Result {
    whole::<S>(call, true, false)
}

const HVALS: Command = Command {
    name: text("hvals"),
    docs: docs(&Docs { summary: text("Lists the values of a hash's fields."), ..WHOLE_DOCS }),
    ..WHOLE
};

fn hvals<S: Storage>(call: &mut Call<'_>) -> Result {
    whole::<S>(call, false, true)
}

fn whole<S: Storage>(call: &mut Call<'_>, fields: bool, values: bool) -> Result {
    let now = now(call);
    let entry = open::<S>(&mut call.keys, call.args.bytes(1))?;
    let view = View::<S>::of(&entry);
    let count = view.live(now);
    if fields && values {
        call.reply.map(count);
    } else {
        call.reply.array(count);
    }
    view.for_each(now, |shown| {
        if fields {
            call.reply.bulk_value(shown.field);
        }
        if values {
            call.reply.bulk_value(shown.value);
        }
    });
    Ok(())
}

const HLEN: Command = Command {
    name: text("hlen"),
    arity: 2,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs { summary: text("Counts the fields of a hash."), args: list(&[KEY]), ..DOCS }),
    ..READING
};

fn hlen<S: Storage>(call: &mut Call<'_>) -> Result {
    let entry = open::<S>(&mut call.keys, call.args.bytes(1))?;
    call.reply.count(View::<S>::of(&entry).len());
    Ok(())
}

const HSTRLEN: Command = Command {
    name: text("hstrlen"),
    arity: 3,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs {
        summary: text("Tells the length of a field's value in bytes."),
        since: text("3.2.0"),
        args: list(&[KEY, FIELD]),
        ..DOCS
    }),
    ..READING
};

fn hstrlen<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, field, now) = (call.args.bytes(1), call.args.bytes(2), now(call));
    let entry = open::<S>(&mut call.keys, key)?;
    let found = View::<S>::of(&entry).get(field, now);
    call.reply.count(found.map_or(0, |shown| shown.value.text(&mut Digits::new()).len()));
    Ok(())
}

const HEXISTS: Command = Command {
    name: text("hexists"),
    arity: 3,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs { summary: text("Tells whether a hash has a field."), args: list(&[KEY, FIELD]), ..DOCS }),
    ..READING
};

fn hexists<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, field, now) = (call.args.bytes(1), call.args.bytes(2), now(call));
    let entry = open::<S>(&mut call.keys, key)?;
    call.reply.integer(i64::from(View::<S>::of(&entry).get(field, now).is_some()));
    Ok(())
}
