//! Asking for deadlines: HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME.
//!
//! The answer for each field is -2 when it is not there, and -1 when it has no deadline.

use super::deadline::{BAD_COUNT, fields};
use super::get::open;
use super::{DOCS, FIELDS, KEY, PER_FIELD, READING, now, with};
use crate::storage::Storage;
use crate::value::View;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 4] {
    [
        with(HTTL, httl::<S>),
        with(HPTTL, hpttl::<S>),
        with(HEXPIRETIME, hexpiretime::<S>),
        with(HPEXPIRETIME, hpexpiretime::<S>),
    ]
}

/// What the four share.
const ASKING: Command = Command { arity: -5, ..READING };
const ASKING_DOCS: Docs = Docs { since: text("7.4.0"), complexity: PER_FIELD, args: list(&[KEY, FIELDS]), ..DOCS };

const HTTL: Command = Command {
    name: text("httl"),
    docs: docs(&Docs { summary: text("Tells in how many seconds fields expire."), ..ASKING_DOCS }),
    ..ASKING
};

fn httl<S: Storage>(call: &mut Call<'_>) -> Result {
    let now = now(call);
    ask::<S>(call, |deadline| deadline.saturating_sub(now).div_ceil(1000))
}

const HPTTL: Command = Command {
    name: text("hpttl"),
    docs: docs(&Docs { summary: text("Tells in how many milliseconds fields expire."), ..ASKING_DOCS }),
    ..ASKING
};

fn hpttl<S: Storage>(call: &mut Call<'_>) -> Result {
    let now = now(call);
    ask::<S>(call, |deadline| deadline.saturating_sub(now))
}

const HEXPIRETIME: Command = Command {
    name: text("hexpiretime"),
    docs: docs(&Docs { summary: text("Tells when fields expire, as Unix time in seconds."), ..ASKING_DOCS }),
    ..ASKING
};

fn hexpiretime<S: Storage>(call: &mut Call<'_>) -> Result {
    ask::<S>(call, |deadline| deadline.div_ceil(1000))
}

const HPEXPIRETIME: Command = Command {
    name: text("hpexpiretime"),
    docs: docs(&Docs { summary: text("Tells when fields expire, as Unix time in milliseconds."), ..ASKING_DOCS }),
    ..ASKING
};

fn hpexpiretime<S: Storage>(call: &mut Call<'_>) -> Result {
    ask::<S>(call, |deadline| deadline)
}

fn ask<S: Storage>(call: &mut Call<'_>, shown_as: impl Fn(u64) -> u64) -> Result {
    let (key, now) = (call.args.bytes(1), now(call));
    // A key of another type is an error before any argument is.
    open::<S>(&mut call.keys, key)?;
    let fields = fields(call, 2, BAD_COUNT)?;
    let entry = open::<S>(&mut call.keys, key)?;
    let view = View::<S>::of(&entry);
    call.reply.array(fields.len());
    for field in fields.map(|at| call.args.bytes(at)) {
        call.reply.integer(match view.get(field, now).map(|shown| shown.deadline) {
            None => -2,
            Some(None) => -1,
            Some(Some(deadline)) => shown_as(deadline) as i64,
        });
    }
    Ok(())
}
