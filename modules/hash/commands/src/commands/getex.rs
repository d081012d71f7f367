//! Reading fields and changing them in one go: HGETEX and HGETDEL.

use super::deadline::{self, BAD_COUNT, MILLISECONDS, SECONDS, UNIX_MILLISECONDS, UNIX_SECONDS, fields, pass_on};
use super::get::reply_found;
use super::{DOCS, FIELDS, KEY, PER_FIELD, WRITING, with};
use crate::expiry::watch;
use crate::storage::Storage;
use crate::value::{Hash, Writer, announce};
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [with(HGETEX, hgetex::<S>), with(HGETDEL, hgetdel::<S>)]
}

/// The ways to give a deadline, as HGETEX and HSETEX share them.
pub(super) const EX: Arg = Arg::new(ARG_INTEGER, "seconds").token("EX");
/// As [`EX`], in milliseconds.
pub(super) const PX: Arg = Arg::new(ARG_INTEGER, "milliseconds").token("PX");
/// As [`EX`], as Unix time.
pub(super) const EXAT: Arg = Arg::new(ARG_UNIX_TIME, "unix-time-seconds").token("EXAT");
/// As [`EXAT`], in milliseconds.
pub(super) const PXAT: Arg = Arg::new(ARG_UNIX_TIME, "unix-time-milliseconds").token("PXAT");

/// The unit that the word at an argument stands for.
pub(super) fn unit(args: &Args<'_>, at: usize) -> Option<deadline::Unit> {
    match args.bytes(at).to_ascii_lowercase().as_slice() {
        b"ex" => Some(SECONDS),
        b"px" => Some(MILLISECONDS),
        b"exat" => Some(UNIX_SECONDS),
        b"pxat" => Some(UNIX_MILLISECONDS),
        _ => None,
    }
}

const HGETEX: Command = Command {
    name: text("hgetex"),
    arity: -5,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Reads fields of a hash, and sets or takes away their deadlines."),
        since: text("8.0.0"),
        complexity: PER_FIELD,
        args: list(&[
            KEY,
            Arg::group(ARG_ONE_OF, "expiration", &[EX, PX, EXAT, PXAT, Arg::word("persist", "PERSIST")])
                .flags(ARG_OPTIONAL),
            FIELDS,
        ]),
        ..DOCS
    }),
    ..WRITING
};

/// What becomes of the deadlines.
#[derive(Clone, Copy)]
enum Change {
    Nothing,
    Persist,
    At(u64),
}

fn hgetex<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    call.keys.get_with(TypeHandle::of::<Hash<S>>()?, key, GET_WRITE)?;
    let (change, at) = match unit(&call.args, 2) {
        Some(unit) => (Change::At(deadline::read(call, 3, unit)?), 4),
        None if call.args.word(2, "persist") => (Change::Persist, 3),
        None => (Change::Nothing, 2),
    };
    let fields = fields(call, at, BAD_COUNT)?;
    call.reply.array(fields.len());
    let Some(mut writer) = Writer::<S>::open(&mut call.keys, key, now_ms)? else {
        fields.for_each(|_| call.reply.null());
        return call.propagate.nothing();
    };
    let due = writer.view().due();
    let mut changed: Vec<&[u8]> = Vec::new();
    let is_past = matches!(change, Change::At(at_ms) if at_ms <= now_ms.max(0) as u64);
    for field in fields.map(|at| call.args.bytes(at)) {
        let name = writer.name(field);
        let found = writer.get(name);
        reply_found(&mut call.reply, found);
        let Some(deadline) = found.map(|shown| shown.deadline) else { continue };
        match change {
            Change::Nothing => continue,
            Change::Persist if deadline.is_none() => continue,
            Change::Persist => writer.set_deadline(name, None)?,
            Change::At(_) if is_past => {
                writer.remove(name)?;
            }
            Change::At(at_ms) => writer.set_deadline(name, Some(at_ms))?,
        }
        changed.push(field);
    }
    let (is_empty, expired, gone) = (writer.is_empty(), writer.expired, writer.gone());
    let (event, name): (&str, &[u8]) = match change {
        Change::Persist => ("hpersist", b"HPERSIST"),
        _ if is_past => ("hdel", b"HDEL"),
        _ => ("hexpire", b"HPEXPIREAT"),
    };
    let events: &[&str] = match (expired, !changed.is_empty()) {
        (true, true) => &["hexpired", event],
        (true, false) => &["hexpired"],
        (false, true) => &[event],
        (false, false) => &[],
    };
    announce(&mut call.keys, key, events, is_empty)?;
    match change {
        Change::At(at_ms) if !is_past => {
            if !changed.is_empty() && due.is_none_or(|due| at_ms < due) {
                watch::<S>(call, key, at_ms);
            }
            pass_on(call, name, key, &[itoa::Buffer::new().format(at_ms).as_bytes()], &changed, gone)
        }
        _ => pass_on(call, name, key, &[], &changed, gone),
    }
}

const HGETDEL: Command = Command {
    name: text("hgetdel"),
    arity: -5,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Reads fields of a hash, and removes them."),
        since: text("8.0.0"),
        complexity: PER_FIELD,
        args: list(&[KEY, FIELDS]),
        ..DOCS
    }),
    ..WRITING
};

fn hgetdel<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    call.keys.get_with(TypeHandle::of::<Hash<S>>()?, key, GET_WRITE)?;
    let fields = fields(call, 2, BAD_COUNT)?;
    call.reply.array(fields.len());
    let Some(mut writer) = Writer::<S>::open(&mut call.keys, key, now_ms)? else {
        fields.for_each(|_| call.reply.null());
        return call.propagate.nothing();
    };
    let mut removed: Vec<&[u8]> = Vec::new();
    for field in fields.map(|at| call.args.bytes(at)) {
        let name = writer.name(field);
        reply_found(&mut call.reply, writer.get(name));
        if writer.remove(name)? {
            removed.push(field);
        }
    }
    let (is_empty, expired, gone) = (writer.is_empty(), writer.expired, writer.gone());
    let events: &[&str] = match (expired, !removed.is_empty()) {
        (true, true) => &["hexpired", "hdel"],
        (true, false) => &["hexpired"],
        (false, true) => &["hdel"],
        (false, false) => &[],
    };
    announce(&mut call.keys, key, events, is_empty)?;
    pass_on(call, b"HDEL", key, &[], &removed, gone)
}
