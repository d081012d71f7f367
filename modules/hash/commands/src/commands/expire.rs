//! Giving fields a deadline, and taking it away: HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT, HPERSIST.
//!
//! ```text
//!   the answer for each field
//!   -2   no such field                    2   the deadline has passed already: removed
//!    0   a condition does not hold        1   done
//!   -1   HPERSIST: it has no deadline
//! ```

use super::deadline::{self, BAD_COUNT, MILLISECONDS, SECONDS, UNIX_MILLISECONDS, UNIX_SECONDS, Unit, fields, pass_on};
use super::{DOCS, FIELDS, KEY, PER_FIELD, WRITING, with};
use crate::expiry::watch;
use crate::storage::Storage;
use crate::value::{Hash, Writer, announce};
use plinth_module::condition::Conditions;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 5] {
    [
        with(HEXPIRE, hexpire::<S>),
        with(HPEXPIRE, hpexpire::<S>),
        with(HEXPIREAT, hexpireat::<S>),
        with(HPEXPIREAT, hpexpireat::<S>),
        with(HPERSIST, hpersist::<S>),
    ]
}

const CONDITION: Arg = Arg::group(
    ARG_ONE_OF,
    "condition",
    &[Arg::word("nx", "NX"), Arg::word("xx", "XX"), Arg::word("gt", "GT"), Arg::word("lt", "LT")],
)
.flags(ARG_OPTIONAL);

/// What the four share.
const EXPIRING: Command = Command { arity: -6, ..WRITING };
const EXPIRING_DOCS: Docs = Docs { since: text("7.4.0"), complexity: PER_FIELD, ..DOCS };

const HEXPIRE: Command = Command {
    name: text("hexpire"),
    docs: docs(&Docs {
        summary: text("Has fields of a hash expire after so many seconds."),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "seconds"), CONDITION, FIELDS]),
        ..EXPIRING_DOCS
    }),
    ..EXPIRING
};

fn hexpire<S: Storage>(call: &mut Call<'_>) -> Result {
    expire::<S>(call, SECONDS)
}

const HPEXPIRE: Command = Command {
    name: text("hpexpire"),
    docs: docs(&Docs {
        summary: text("Has fields of a hash expire after so many milliseconds."),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "milliseconds"), CONDITION, FIELDS]),
        ..EXPIRING_DOCS
    }),
    ..EXPIRING
};

fn hpexpire<S: Storage>(call: &mut Call<'_>) -> Result {
    expire::<S>(call, MILLISECONDS)
}

const HEXPIREAT: Command = Command {
    name: text("hexpireat"),
    docs: docs(&Docs {
        summary: text("Has fields of a hash expire at a Unix time in seconds."),
        args: list(&[KEY, Arg::new(ARG_UNIX_TIME, "unix-time-seconds"), CONDITION, FIELDS]),
        ..EXPIRING_DOCS
    }),
    ..EXPIRING
};

fn hexpireat<S: Storage>(call: &mut Call<'_>) -> Result {
    expire::<S>(call, UNIX_SECONDS)
}

const HPEXPIREAT: Command = Command {
    name: text("hpexpireat"),
    docs: docs(&Docs {
        summary: text("Has fields of a hash expire at a Unix time in milliseconds."),
        args: list(&[KEY, Arg::new(ARG_UNIX_TIME, "unix-time-milliseconds"), CONDITION, FIELDS]),
        ..EXPIRING_DOCS
    }),
    ..EXPIRING
};

fn hpexpireat<S: Storage>(call: &mut Call<'_>) -> Result {
    expire::<S>(call, UNIX_MILLISECONDS)
}

/// Reads the conditions behind the amount, and where they end: a word that says nothing new is none of
/// them. The error is written.
fn conditions(call: &mut Call<'_>) -> Result<(Conditions, usize)> {
    let (mut conditions, mut at) = (Conditions::default(), 3);
    let mut known = conditions;
    while conditions.add(call.args.bytes(at)) && conditions != known {
        (at, known) = (at + 1, conditions);
    }
    match conditions.conflict() {
        Some(text) => Err(call.reply.error(text)),
        None => Ok((conditions, at)),
    }
}

fn expire<S: Storage>(call: &mut Call<'_>, unit: Unit) -> Result {
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    // A key of another type is an error before any argument is.
    call.keys.get_with(TypeHandle::of::<Hash<S>>()?, key, GET_WRITE | GET_NO_STATS)?;
    let at_ms = deadline::read(call, 2, unit)?;
    let (conditions, end) = conditions(call)?;
    let fields = fields(call, end, "ERR Parameter `numFields` should be greater than 0")?;
    let is_past = at_ms <= now_ms.max(0) as u64;
    call.reply.array(fields.len());
    let Some(mut writer) = Writer::<S>::open(&mut call.keys, key, now_ms)? else {
        fields.for_each(|_| call.reply.integer(-2));
        return call.propagate.nothing();
    };
    let due = writer.view().due();
    let mut changed: Vec<&[u8]> = Vec::new();
    for field in fields.map(|at| call.args.bytes(at)) {
        let name = writer.name(field);
        let answer = match writer.get(name).map(|shown| shown.deadline) {
            None => -2,
            Some(present) if !conditions.hold(present, at_ms) => 0,
            Some(_) => {
                changed.push(field);
                if is_past {
                    writer.remove(name)?;
                    2
                } else {
                    writer.set_deadline(name, Some(at_ms))?;
                    1
                }
            }
        };
        call.reply.integer(answer);
    }
    let (is_empty, expired, gone) = (writer.is_empty(), writer.expired, writer.gone());
    let event = if is_past { "hdel" } else { "hexpire" };
    let events: &[&str] = match (expired, !changed.is_empty()) {
        (true, true) => &["hexpired", event],
        (true, false) => &["hexpired"],
        (false, true) => &[event],
        (false, false) => &[],
    };
    announce(&mut call.keys, key, events, is_empty)?;
    if is_past {
        return pass_on(call, b"HDEL", key, &[], &changed, gone);
    }
    if !changed.is_empty() && due.is_none_or(|due| at_ms < due) {
        watch::<S>(call, key, at_ms);
    }
    pass_on(call, b"HPEXPIREAT", key, &[itoa::Buffer::new().format(at_ms).as_bytes()], &changed, gone)
}

const HPERSIST: Command = Command {
    name: text("hpersist"),
    arity: -5,
    docs: docs(&Docs {
        summary: text("Takes the deadlines of fields away."),
        since: text("7.4.0"),
        complexity: PER_FIELD,
        args: list(&[KEY, FIELDS]),
        ..DOCS
    }),
    ..WRITING
};

fn hpersist<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    call.keys.get_with(TypeHandle::of::<Hash<S>>()?, key, GET_WRITE | GET_NO_STATS)?;
    let fields = fields(call, 2, BAD_COUNT)?;
    call.reply.array(fields.len());
    let Some(mut writer) = Writer::<S>::open(&mut call.keys, key, now_ms)? else {
        fields.for_each(|_| call.reply.integer(-2));
        return Ok(());
    };
    let mut changed: Vec<&[u8]> = Vec::new();
    for field in fields.map(|at| call.args.bytes(at)) {
        let name = writer.name(field);
        call.reply.integer(match writer.get(name).map(|shown| shown.deadline) {
            None => -2,
            Some(None) => -1,
            Some(Some(_)) => {
                writer.set_deadline(name, None)?;
                changed.push(field);
                1
            }
        });
    }
    let events: &[&str] = match (writer.expired, !changed.is_empty()) {
        (true, true) => &["hexpired", "hpersist"],
        (true, false) => &["hexpired"],
        (false, true) => &["hpersist"],
        (false, false) => &[],
    };
    let (is_empty, gone) = (writer.is_empty(), writer.gone());
    announce(&mut call.keys, key, events, is_empty)?;
    // Of the others some may have expired, and are still there where this is done again.
    pass_on(call, b"HPERSIST", key, &[], &changed, gone)
}
