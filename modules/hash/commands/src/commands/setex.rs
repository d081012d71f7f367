//! HSETEX: setting fields with one deadline and one condition for all.
//!
//! `FNX` and `FXX` ask that none or all of the fields be there, `NX` and `XX` the same of the key.

use super::deadline::{self, pass_on};
use super::getex::{EX, EXAT, PX, PXAT, unit};
use super::{DOCS, KEY, PER_FIELD, WRITING, with};
use crate::expiry::watch;
use crate::storage::Storage;
use crate::told;
use crate::value::{Hash, View, Writer, announce};
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [with(HSETEX, hsetex::<S>)]
}

const HSETEX: Command = Command {
    name: text("hsetex"),
    arity: -6,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 1)]),
    docs: docs(&Docs {
        summary: text("Sets fields of a hash, with one condition and one deadline for all."),
        since: text("8.0.0"),
        complexity: PER_FIELD,
        args: list(&[
            KEY,
            Arg::group(ARG_ONE_OF, "key-condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .flags(ARG_OPTIONAL),
            Arg::group(ARG_ONE_OF, "condition", &[Arg::word("fnx", "FNX"), Arg::word("fxx", "FXX")])
                .flags(ARG_OPTIONAL),
            Arg::group(ARG_ONE_OF, "expiration", &[EX, PX, EXAT, PXAT, Arg::word("keepttl", "KEEPTTL")])
                .flags(ARG_OPTIONAL),
            Arg::group(
                ARG_BLOCK,
                "fields",
                &[
                    Arg::new(ARG_INTEGER, "numfields"),
                    Arg::group(ARG_BLOCK, "data", &[Arg::new(ARG_STRING, "field"), Arg::new(ARG_STRING, "value")])
                        .flags(ARG_MULTIPLE),
                ],
            )
            .token("FIELDS"),
        ]),
        ..DOCS
    }),
    ..WRITING
};

/// What is asked for.
#[derive(Default)]
struct Options {
    /// Whether the fields must all be there, or none of them.
    fields: Option<bool>,
    /// Whether the key must be there, or not.
    key: Option<bool>,
    deadline: Option<u64>,
    keep: bool,
    /// Where the first field is.
    at: usize,
}

impl Options {
    /// Reads what comes before the fields. The error is written.
    fn read(call: &mut Call<'_>) -> Result<Options> {
        const ONE_CONDITION: &str = "ERR Only one of FXX or FNX arguments can be specified";
        const ONE_EXPIRY: &str = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
        let (mut options, mut at) = (Options::default(), 2);
        loop {
            let word = call.args.bytes(at).to_ascii_lowercase();
            let unit = unit(&call.args, at);
            let fault = match word.as_slice() {
                b"fnx" | b"fxx" if options.fields.is_some() => Some(ONE_CONDITION),
                b"fnx" | b"fxx" => {
                    options.fields = Some(word == b"fxx");
                    None
                }
                b"nx" | b"xx" if options.key.is_some() => return Err(Error::Syntax),
                b"nx" | b"xx" => {
                    options.key = Some(word == b"xx");
                    None
                }
                b"keepttl" if options.keep || options.deadline.is_some() => Some(ONE_EXPIRY),
                b"keepttl" => {
                    options.keep = true;
                    None
                }
                b"fields" => break,
                _ if unit.is_some() && (options.keep || options.deadline.is_some()) => Some(ONE_EXPIRY),
                _ => match unit {
                    Some(unit) => {
                        at += 1;
                        options.deadline = Some(deadline::read(call, at, unit)?);
                        None
                    }
                    None => {
                        let text = [b"ERR unknown argument: ", call.args.bytes(at)].concat();
                        return Err(call.reply.error(text));
                    }
                },
            };
            if let Some(fault) = fault {
                return Err(call.reply.error(fault));
            }
            at += 1;
            if at >= call.args.len() {
                return Err(Error::Arity);
            }
        }
        let count = call.args.integer(at + 1).ok().and_then(|count| i32::try_from(count).ok());
        let Some(count) = count.filter(|count| *count > 0) else {
            return Err(call.reply.error("ERR invalid number of fields"));
        };
        options.at = at + 2;
        if call.args.len() != options.at + 2 * count as usize {
            return Err(Error::Arity);
        }
        Ok(options)
    }
}

fn hsetex<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, now_ms) = (call.args.bytes(1), call.now_ms());
    let options = Options::read(call)?;
    let now = now_ms.max(0) as u64;
    let is_past = options.deadline.is_some_and(|deadline| deadline <= now);
    if !holds::<S>(call, &options, now)? {
        call.reply.integer(0);
        return call.propagate.nothing();
    }
    let args = &call.args;
    let pairs = (options.at..args.len()).step_by(2).map(|at| (args.bytes(at), args.bytes(at + 1)));
    let is_there = call.keys.get_with(TypeHandle::of::<Hash<S>>()?, key, GET_WRITE | GET_NO_STATS)?.is_some();
    if !is_there && is_past {
        // It would be gone at once; what is not there need not be removed.
        call.reply.integer(1);
        return call.propagate.nothing();
    }
    let mut writer = if is_there {
        Writer::<S>::open(&mut call.keys, key, now_ms)?.ok_or(Error::None)?
    } else {
        Writer::<S>::create_empty(&mut call.keys, key, now_ms)?
    };
    let due = writer.view().due();
    let mut deadlines: Vec<(&[u8], u64)> = Vec::new();
    for (field, value) in pairs.clone() {
        let name = writer.name(field);
        if is_past {
            writer.remove(name)?;
            continue;
        }
        let kept = if options.keep { writer.get(name).and_then(|shown| shown.deadline) } else { None };
        let deadline = options.deadline.or(kept);
        deadlines.extend(deadline.map(|deadline| (field, deadline)));
        writer.put(name, value, deadline)?;
    }
    let (is_empty, expired, gone) = (writer.is_empty(), writer.expired, writer.gone());
    let mut events: Vec<&str> = Vec::with_capacity(3);
    if expired {
        events.push("hexpired");
    }
    events.push("hset");
    if options.deadline.is_some() {
        events.push(if is_past { "hdel" } else { "hexpire" });
    }
    announce(&mut call.keys, key, &events, is_empty)?;
    call.reply.integer(1);
    if is_past {
        let fields: Vec<&[u8]> = pairs.map(|(field, _)| field).collect();
        return pass_on(call, b"HDEL", key, &[], &fields, gone);
    }
    if call.propagate.is_wanted() {
        // The conditions have held, and not every replica knows the command.
        let mut passed_on: Vec<&[u8]> = vec![b"HSET", key];
        passed_on.extend(call.args.from(options.at));
        told::instead(call, key, gone, &passed_on)?;
        for same in deadlines.chunk_by(|one, other| one.1 == other.1) {
            let (mut digits, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
            let (digits, count) = (digits.format(same[0].1), count.format(same.len()));
            let mut expire: Vec<&[u8]> = vec![b"HPEXPIREAT", key, digits.as_bytes(), b"FIELDS", count.as_bytes()];
            expire.extend(same.iter().map(|(field, _)| *field));
            call.propagate.instead(&expire)?;
        }
    }
    if let Some(deadline) = options.deadline.filter(|deadline| due.is_none_or(|due| *deadline < due)) {
        watch::<S>(call, key, deadline);
    }
    Ok(())
}

/// Whether key and fields are there, or not, as the options ask. Fails with `WrongType`.
fn holds<S: Storage>(call: &mut Call<'_>, options: &Options, now: u64) -> Result<bool> {
    let entry = call.keys.get_with(TypeHandle::of::<Hash<S>>()?, call.args.bytes(1), GET_WRITE | GET_NO_STATS)?;
    if options.key.is_some_and(|wanted| wanted != entry.is_some()) {
        return Ok(false);
    }
    let Some(wanted) = options.fields else { return Ok(true) };
    let view = View::<S>::of(&entry);
    let mut fields = call.args.from(options.at).step_by(2);
    Ok(fields.all(|field| view.get(field, now).is_some() == wanted))
}
