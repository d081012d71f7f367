//! Counting: INCR, DECR, INCRBY, DECRBY, and INCRBYFLOAT.
//!
//! INCRBYFLOAT counts in the floats of
//! [`plinth_module::extended`] and leaves a text, even where that is an integer's.

use super::{CATEGORIES, GROUP, KEY, with};
use crate::storage::{Storage, Value};
use plinth_module::extended::{self, Extended, Parsed};
use plinth_module::prelude::*;

/// The commands of this file over a storage.
pub(super) const fn commands<S: Storage>() -> [Command; 5] {
    [
        with(INCR, incr::<S>),
        with(DECR, decr::<S>),
        with(INCRBY, incrby::<S>),
        with(DECRBY, decrby::<S>),
        with(INCRBYFLOAT, incrbyfloat::<S>),
    ]
}

/// What all of them share.
const COUNTER: Command = Command {
    arity: 3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
    ..Command::NEW
};

const COUNTER_DOCS: Docs = Docs { since: text("1.0.0"), group: GROUP, complexity: text("O(1)"), ..Docs::NEW };

const INCR: Command = Command {
    name: text("incr"),
    arity: 2,
    docs: docs(&Docs {
        summary: text("Counts an integer up by one; a missing key counts from 0."),
        args: list(&[KEY]),
        ..COUNTER_DOCS
    }),
    ..COUNTER
};

fn incr<S: Storage>(call: &mut Call<'_>) -> Result {
    count::<S>(call, 1)
}

const DECR: Command = Command {
    name: text("decr"),
    arity: 2,
    docs: docs(&Docs {
        summary: text("Counts an integer down by one; a missing key counts from 0."),
        args: list(&[KEY]),
        ..COUNTER_DOCS
    }),
    ..COUNTER
};

fn decr<S: Storage>(call: &mut Call<'_>) -> Result {
    count::<S>(call, -1)
}

const INCRBY: Command = Command {
    name: text("incrby"),
    docs: docs(&Docs {
        summary: text("Adds to an integer; a missing key counts from 0."),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "increment")]),
        ..COUNTER_DOCS
    }),
    ..COUNTER
};

fn incrby<S: Storage>(call: &mut Call<'_>) -> Result {
    let by = call.args.integer(2)?;
    count::<S>(call, by)
}

const DECRBY: Command = Command {
    name: text("decrby"),
    docs: docs(&Docs {
        summary: text("Subtracts from an integer; a missing key counts from 0."),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "decrement")]),
        ..COUNTER_DOCS
    }),
    ..COUNTER
};

fn decrby<S: Storage>(call: &mut Call<'_>) -> Result {
    let Some(by) = call.args.integer(2)?.checked_neg() else {
        return Err(call.reply.error("ERR decrement would overflow"));
    };
    count::<S>(call, by)
}

/// Adds to the integer at the first argument's key and answers with the sum.
#[inline(always)]
fn count<S: Storage>(call: &mut Call<'_>, by: i64) -> Result {
    let key = call.args.bytes(1);
    let Some(mut entry) = call.keys.get_write(S::handle()?, key)? else {
        S::put(&mut call.keys, key, Value::Integer(by), PUT_ABSENT)?.modified(EVENT_STRING, "incrby");
        call.reply.integer(by);
        return Ok(());
    };
    let number = S::value(&entry).integer().ok_or(Error::NotInteger)?;
    let sum = number.checked_add(by).ok_or(Error::Overflow)?;
    S::set(&mut entry, Value::Integer(sum))?;
    entry.modified(EVENT_STRING, "incrby");
    call.reply.integer(sum);
    Ok(())
}

const INCRBYFLOAT: Command = Command {
    name: text("incrbyfloat"),
    docs: docs(&Docs {
        summary: text("Adds to a number with a fraction; a missing key counts from 0."),
        since: text("2.6.0"),
        args: list(&[KEY, Arg::new(ARG_DOUBLE, "increment")]),
        ..COUNTER_DOCS
    }),
    ..COUNTER
};

fn incrbyfloat<S: Storage>(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let entry = call.keys.get_write(S::handle()?, key)?;
    let number = match entry.as_ref().map(S::value) {
        Some(Value::Integer(number)) => Parsed::Finite(Extended::from_integer(number)),
        Some(Value::Text(text)) => extended::parse(text).ok_or(Error::NotFloat)?,
        None => Parsed::Finite(Extended::ZERO),
    };
    let increment = extended::parse(call.args.bytes(2)).ok_or(Error::NotFloat)?;
    let sum = match (number, increment) {
        (Parsed::Finite(number), Parsed::Finite(increment)) => number.checked_add(increment),
        _ => None,
    };
    let Some(sum) = sum else {
        return Err(call.reply.error("ERR increment would produce NaN or Infinity"));
    };
    let mut text = Vec::with_capacity(48);
    sum.write(&mut text);
    let mut entry = match entry {
        Some(mut entry) => {
            S::set(&mut entry, Value::Text(&text))?;
            entry
        }
        None => S::put(&mut call.keys, key, Value::Text(&text), PUT_ABSENT)?,
    };
    entry.modified(EVENT_STRING, "incrbyfloat");
    call.reply.bulk(&text);
    // Floats of another machine may differ: it is told the result.
    call.propagate.instead(&[b"SET", key, &text, b"KEEPTTL"])
}
