//! Setting and removing fields: HSET, HMSET, HSETNX, HDEL.
//!
//! A field that is set has no deadline any more.

use super::{DOCS, FIELD, KEY, VALUE, WRITING, seeking};
use crate::storage::Storage;
use crate::told::{self, Gone};
use crate::value::{Writer, announce};
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 4] {
    [
        seeking::<S>(HSET, hset::<S>),
        seeking::<S>(HMSET, hmset::<S>),
        seeking::<S>(HSETNX, hsetnx::<S>),
        seeking::<S>(HDEL, hdel::<S>),
    ]
}

/// A field and its value, repeated.
const PAIRS: Arg = Arg::group(ARG_BLOCK, "data", &[FIELD, VALUE]).flags(ARG_MULTIPLE);

const HSET: Command = Command {
    name: text("hset"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    docs: docs(&Docs {
        summary: text("Sets fields of a hash."),
        complexity: text("O(N) for N fields."),
        history: list(&[change("4.0.0", "Takes several fields and values.")]),
        args: list(&[KEY, PAIRS]),
        ..DOCS
    }),
    ..WRITING
};

fn hset<S: Storage>(call: &mut Call<'_>) -> Result {
    let added = set_pairs::<S>(call)?;
    call.reply.count(added);
    Ok(())
}

const HMSET: Command = Command {
    name: text("hmset"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    docs: docs(&Docs {
        summary: text("Sets fields of a hash."),
        complexity: text("O(N) where N is the number of fields being set."),
        deprecated_since: text("4.0.0"),
        replaced_by: text("`HSET` with multiple field-value pairs"),
        args: list(&[KEY, PAIRS]),
        ..DOCS
    }),
    ..WRITING
};

fn hmset<S: Storage>(call: &mut Call<'_>) -> Result {
    set_pairs::<S>(call)?;
    call.reply.ok();
    Ok(())
}

/// Sets the fields of the arguments; how many are new. Fails with `Arity` when one has no value.
#[inline(always)]
fn set_pairs<S: Storage>(call: &mut Call<'_>) -> Result<usize> {
    if !call.args.len().is_multiple_of(2) {
        return Err(Error::Arity);
    }
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    let args = &call.args;
    let pairs = (2..args.len()).step_by(2).map(|at| (args.bytes(at), args.bytes(at + 1)));
    let Some(mut writer) = Writer::<S>::open(&mut call.keys, key, now_ms)? else {
        let added = Writer::<S>::create(&mut call.keys, key, pairs)?;
        announce(&mut call.keys, key, &["hset"], false)?;
        call.keys.count_elements(call.args.len() / 2 - 1);
        return Ok(added);
    };
    let mut added = 0;
    for (field, value) in pairs {
        added += usize::from(writer.put(writer.name(field), value, None)?);
    }
    let events: &[&str] = if writer.expired { &["hexpired", "hset"] } else { &["hset"] };
    let gone = writer.gone();
    announce(&mut call.keys, key, events, false)?;
    call.keys.count_elements(call.args.len() / 2 - 1);
    told::as_sent(call, key, gone)?;
    Ok(added)
}

const HSETNX: Command = Command {
    name: text("hsetnx"),
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 1)]),
    docs: docs(&Docs {
        summary: text("Sets a field of a hash, unless it is there."),
        args: list(&[KEY, FIELD, VALUE]),
        ..DOCS
    }),
    ..WRITING
};

fn hsetnx<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, field, value) = (call.args.bytes(1), call.args.bytes(2), call.args.bytes(3));
    let now_ms = call.now_ms();
    let (is_new, gone) = set_absent::<S>(&mut call.keys, key, field, value, now_ms)?;
    call.reply.integer(i64::from(is_new));
    told::as_sent(call, key, gone)
}

/// Sets a field unless it is there, and announces it; whether it did, and what was found expired.
pub(crate) fn set_absent<S: Storage>(
    keys: &mut Keys<'_>,
    key: &[u8],
    field: &[u8],
    value: &[u8],
    now_ms: i64,
) -> Result<(bool, Option<Gone>)> {
    let Some(mut writer) = Writer::<S>::open(keys, key, now_ms)? else {
        Writer::<S>::create(keys, key, std::iter::once((field, value)))?;
        announce(keys, key, &["hset"], false)?;
        return Ok((true, None));
    };
    let name = writer.name(field);
    let is_new = writer.get(name).is_none();
    if is_new {
        writer.put(name, value, None)?;
    }
    let events: &[&str] = match (writer.expired, is_new) {
        (true, true) => &["hexpired", "hset"],
        (true, false) => &["hexpired"],
        (false, true) => &["hset"],
        (false, false) => &[],
    };
    let gone = writer.gone();
    announce(keys, key, events, false)?;
    Ok((is_new, gone))
}

const HDEL: Command = Command {
    name: text("hdel"),
    arity: -3,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Removes fields of a hash, and the hash with its last field."),
        complexity: text("O(N) where N is the number of fields to be removed."),
        history: list(&[change("2.4.0", "Takes several fields.")]),
        args: list(&[KEY, FIELD.flags(ARG_MULTIPLE)]),
        ..DOCS
    }),
    ..WRITING
};

fn hdel<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    let (removed, gone) = remove::<S>(&mut call.keys, key, call.args.from(2), now_ms)?;
    call.reply.count(removed);
    told::as_sent(call, key, gone)
}

/// Removes fields, and the key with its last, and announces it; how many were there, and what was found
/// expired.
pub(crate) fn remove<'f, S: Storage>(
    keys: &mut Keys<'_>,
    key: &[u8],
    fields: impl Iterator<Item = &'f [u8]>,
    now_ms: i64,
) -> Result<(usize, Option<Gone>)> {
    let Some(mut writer) = Writer::<S>::open(keys, key, now_ms)? else { return Ok((0, None)) };
    let mut removed = 0;
    for field in fields {
        removed += usize::from(writer.remove(writer.name(field))?);
        if writer.is_empty() {
            break;
        }
    }
    let (is_empty, gone) = (writer.is_empty(), writer.gone());
    let events: &[&str] = match (writer.expired, removed > 0) {
        (true, true) => &["hexpired", "hdel"],
        (true, false) => &["hexpired"],
        (false, true) => &["hdel"],
        (false, false) => &[],
    };
    announce(keys, key, events, is_empty)?;
    keys.count_elements(removed);
    Ok((removed, gone))
}
