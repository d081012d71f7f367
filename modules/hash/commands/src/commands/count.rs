//! Counting: HINCRBY and HINCRBYFLOAT. A field that counts keeps its deadline.

use super::{DOCS, FIELD, KEY, WRITING, seeking};
use crate::storage::Storage;
use crate::told;
use crate::value::{Writer, announce};
use plinth_module::extended::{self, Extended, Parsed};
use plinth_module::pack::{Digits, Value};
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [seeking::<S>(HINCRBY, hincrby::<S>), seeking::<S>(HINCRBYFLOAT, hincrbyfloat::<S>)]
}

/// What both share.
const COUNTING: Command = Command {
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
    ..WRITING
};

const HINCRBY: Command = Command {
    name: text("hincrby"),
    docs: docs(&Docs {
        summary: text("Adds to the integer in a field; a missing field counts from 0."),
        args: list(&[KEY, FIELD, Arg::new(ARG_INTEGER, "increment")]),
        ..DOCS
    }),
    ..COUNTING
};

fn hincrby<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, field, by) = (call.args.bytes(1), call.args.bytes(2), call.args.integer(3)?);
    let now_ms = call.now_ms();
    let mut digits = Digits::new();
    let Some(mut writer) = Writer::<S>::open(&mut call.keys, key, now_ms)? else {
        Writer::<S>::create(&mut call.keys, key, std::iter::once((field, digits.text_of(by))))?;
        announce(&mut call.keys, key, &["hincrby"], false)?;
        call.reply.integer(by);
        return Ok(());
    };
    let name = writer.name(field);
    let (number, deadline) = match writer.get(name) {
        Some(shown) => (shown.value.integer(), shown.deadline),
        None => (Some(0), None),
    };
    let sum = number.map(|number| number.checked_add(by));
    let is_purged = writer.expired;
    if let Some(Some(sum)) = sum {
        writer.put(name, digits.text_of(sum), deadline)?;
        let events: &[&str] = if writer.expired { &["hexpired", "hincrby"] } else { &["hincrby"] };
        let gone = writer.gone();
        announce(&mut call.keys, key, events, false)?;
        call.reply.integer(sum);
        return told::as_sent(call, key, gone);
    }
    let (is_empty, gone) = (writer.is_empty(), writer.gone());
    announce(&mut call.keys, key, if is_purged { &["hexpired"] } else { &[] }, is_empty)?;
    told::instead(call, key, gone, &[])?;
    match sum {
        None => Err(call.reply.error("ERR hash value is not an integer")),
        Some(_) => Err(Error::Overflow),
    }
}

const HINCRBYFLOAT: Command = Command {
    name: text("hincrbyfloat"),
    docs: docs(&Docs {
        summary: text("Adds to the number with a fraction in a field; a missing field counts from 0."),
        since: text("2.6.0"),
        args: list(&[KEY, FIELD, Arg::new(ARG_DOUBLE, "increment")]),
        ..DOCS
    }),
    ..COUNTING
};

/// The number in a field.
fn number(value: Value<'_>) -> Option<Parsed> {
    match value {
        Value::Integer(integer) => Some(Parsed::Finite(Extended::from_integer(integer))),
        Value::Text(text) => extended::parse(text),
    }
}

fn hincrbyfloat<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, field) = (call.args.bytes(1), call.args.bytes(2));
    let by = match extended::parse(call.args.bytes(3)).ok_or(Error::NotFloat)? {
        Parsed::Finite(by) => by,
        Parsed::Infinite => return Err(call.reply.error("ERR value is NaN or Infinity")),
    };
    let now_ms = call.now_ms();
    let mut text = Vec::with_capacity(48);
    let Some(mut writer) = Writer::<S>::open(&mut call.keys, key, now_ms)? else {
        by.write(&mut text);
        Writer::<S>::create(&mut call.keys, key, std::iter::once((field, text.as_slice())))?;
        announce(&mut call.keys, key, &["hincrbyfloat"], false)?;
        call.reply.bulk(&text);
        return call.propagate.instead(&[b"HSET", key, field, &text]);
    };
    let name = writer.name(field);
    let (number, deadline) = match writer.get(name) {
        Some(shown) => (number(shown.value), shown.deadline),
        None => (Some(Parsed::Finite(Extended::ZERO)), None),
    };
    let fault = match number {
        None => Some("ERR hash value is not a float"),
        Some(Parsed::Infinite) => Some("ERR increment would produce NaN or Infinity"),
        Some(Parsed::Finite(number)) => match number.checked_add(by) {
            Some(sum) => {
                sum.write(&mut text);
                None
            }
            None => Some("ERR increment would produce NaN or Infinity"),
        },
    };
    if fault.is_none() {
        writer.put(name, &text, deadline)?;
    }
    let (is_empty, gone) = (writer.is_empty(), writer.gone());
    let events: &[&str] = match (writer.expired, fault.is_none()) {
        (true, true) => &["hexpired", "hincrbyfloat"],
        (true, false) => &["hexpired"],
        (false, true) => &["hincrbyfloat"],
        (false, false) => &[],
    };
    announce(&mut call.keys, key, events, is_empty)?;
    if let Some(fault) = fault {
        told::instead(call, key, gone, &[])?;
        return Err(call.reply.error(fault));
    }
    call.reply.bulk(&text);
    // Floats of another machine may differ: it is told the result.
    match deadline {
        Some(_) => told::instead(call, key, gone, &[b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, &text]),
        None => told::instead(call, key, gone, &[b"HSET", key, field, &text]),
    }
}
