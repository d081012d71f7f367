//! Adding an entry: XADD. The path that streams are used by most: one look-up of the key, and the
//! fields go from the request into the log.

use super::trim::{TRIM_ARGS, Trim, tell};
use super::{BAD_ID, CATEGORIES, GROUP, KEY, reply_id};
use crate::id::{self, Id, TEXT_MAX};
use crate::propagate::Line;
use crate::references::Traces;
use crate::storage::Storage;
use crate::stream::Stream;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xadd::<S>), ..XADD }]
}

const XADD: Command = Command {
    name: text("xadd"),
    arity: -5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    tips: list(&[text("nondeterministic_output")]),
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Adds an entry to a stream, which is made if it is not there."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(1), and with a trim O(log N) where N is the number of entries"),
        history: list(&[
            Change {
                version: text("6.2.0"),
                what: text("The `NOMKSTREAM` option, the `MINID` strategy and the `LIMIT` option."),
            },
            Change { version: text("7.0.0"), what: text("Ids of the form `<ms>-*`.") },
            Change { version: text("8.2.0"), what: text("The `KEEPREF`, `DELREF` and `ACKED` options.") },
        ]),
        args: list(&[
            KEY,
            Arg::word("nomkstream", "NOMKSTREAM").since("6.2.0").flags(ARG_OPTIONAL),
            Arg::group(ARG_BLOCK, "trim", TRIM_ARGS).flags(ARG_OPTIONAL),
            Arg::group(ARG_ONE_OF, "id-selector", &[Arg::word("auto-id", "*"), Arg::new(ARG_STRING, "id")]),
            Arg::group(ARG_BLOCK, "data", &[Arg::new(ARG_STRING, "field"), Arg::new(ARG_STRING, "value")])
                .flags(ARG_MULTIPLE),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// The id that an entry is to have.
#[derive(Clone, Copy)]
enum NewId {
    /// The time, and what comes behind the last entry.
    Auto,
    /// A time in ms, with the next number of it.
    AutoSeq(u64),
    /// This one.
    Given(Id),
}

/// The id that an entry gets behind `last`: the time, unless that is not behind it.
#[inline]
pub(crate) fn auto_id(last: Id, now_ms: i64) -> Option<Id> {
    if now_ms as u64 > last.ms { Some(Id::new(now_ms as u64, 0)) } else { last.next() }
}

impl NewId {
    fn read(text: &[u8]) -> Option<NewId> {
        if text == b"*" {
            return Some(NewId::Auto);
        }
        match text.strip_suffix(b"-*") {
            Some(ms) => id::number(ms).map(NewId::AutoSeq),
            None => id::parse(text, 0).map(NewId::Given),
        }
    }

    /// The id behind `last`, if there is one that fits.
    #[inline]
    fn behind(self, last: Id, now_ms: i64) -> Option<Id> {
        let id = match self {
            NewId::Auto => auto_id(last, now_ms)?,
            NewId::AutoSeq(ms) if ms == last.ms => Id::new(ms, last.seq.checked_add(1)?),
            NewId::AutoSeq(ms) => Id::new(ms, 0),
            NewId::Given(id) => id,
        };
        (id > last).then_some(id)
    }
}

/// What the options say.
struct Options {
    trim: Trim,
    makes: bool,
    id: NewId,
    /// Where the id is.
    at: usize,
}

/// Most bytes of an entry's fields.
pub(crate) const ENTRY_MAX: usize = 1 << 30;

impl Options {
    #[inline]
    fn read(args: &Args<'_>, reply: &mut ReplyBuffer<'_>) -> Result<Options> {
        let (mut trim, mut makes, mut at) = (Trim::default(), true, 2);
        let id = loop {
            let word = args.get(at).ok_or(Error::Arity)?;
            if word == b"*" {
                break NewId::Auto;
            }
            if word.first().is_some_and(u8::is_ascii_alphabetic) {
                if word.eq_ignore_ascii_case(b"NOMKSTREAM") {
                    (makes, at) = (false, at + 1);
                    continue;
                }
                if let Some(next) = trim.read(args, reply, at)? {
                    at = next;
                    continue;
                }
            }
            break NewId::read(word).ok_or_else(|| reply.error(BAD_ID))?;
        };
        trim.check(reply)?;
        let fields = args.len() - at - 1;
        if fields < 2 || !fields.is_multiple_of(2) {
            return Err(Error::Arity);
        }
        if matches!(id, NewId::Given(Id::MIN)) {
            return Err(reply.error("ERR The ID specified in XADD must be greater than 0-0"));
        }
        if args.from(at + 1).map(<[u8]>::len).sum::<usize>() > ENTRY_MAX {
            return Err(reply.error("ERR Elements are too large to be stored"));
        }
        Ok(Options { trim, makes, id, at })
    }

    /// The id of an entry that comes behind `last`.
    #[inline]
    fn id_behind(&self, reply: &mut ReplyBuffer<'_>, last: Id, now_ms: i64) -> Result<Id> {
        if last == Id::MAX {
            return Err(reply.error("ERR The stream has exhausted the last possible ID, unable to add more items"));
        }
        self.id.behind(last, now_ms).ok_or_else(|| {
            reply.error("ERR The ID specified in XADD is equal or smaller than the target stream top item")
        })
    }
}

fn xadd<S: Storage>(call: &mut Call<'_>) -> Result {
    let now_ms = crate::now_ms(call);
    let Call { args, keys, reply, propagate, .. } = call;
    let options = Options::read(args, reply)?;
    let key = args.bytes(1);
    let fields = args.from(options.at + 1);
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        if !options.makes {
            reply.null();
            return Ok(());
        }
        let id = options.id_behind(reply, Id::MIN, now_ms)?;
        let mut stream = Stream::<S>::default();
        stream.append(id, fields);
        // There are no groups, so no references.
        let trimmed = options.trim.run(&mut stream, None);
        pass_on(propagate, args, &options, (id, trimmed), &stream, &Traces::default())?;
        let mut entry = value::put(keys, key, stream, 0)?;
        entry.modified(EVENT_STREAM, "xadd");
        if trimmed > 0 {
            entry.notify(EVENT_STREAM, "xtrim");
        }
        reply_id(reply, id);
        return Ok(());
    };
    let stream = value::of_mut::<S>(&mut entry)?;
    let id = options.id_behind(reply, stream.last_id(), now_ms)?;
    stream.append(id, fields);
    let mut traces = Traces::default();
    let trimmed = options.trim.run(stream, propagate.is_wanted().then_some(&mut traces));
    pass_on(propagate, args, &options, (id, trimmed), stream, &traces)?;
    reply_id(reply, id);
    if stream.has_waste() {
        value::renew::<S>(keys, key)?;
        keys.modified(key, EVENT_STREAM, "xadd");
        keys.notify(key, EVENT_STREAM, "xtrim");
        return Ok(());
    }
    entry.modified(EVENT_STREAM, "xadd");
    if trimmed > 0 {
        entry.notify(EVENT_STREAM, "xtrim");
    }
    Ok(())
}

/// Arguments of a command that is passed on without an allocation.
const FEW: usize = 16;

/// Passes the command on with the id that the entry has got, and with the trim that was made.
#[inline]
fn pass_on<S: Storage>(
    propagate: &mut plinth_module::propagate::Propagate<'_>,
    args: &Args<'_>,
    options: &Options,
    (id, trimmed): (Id, usize),
    stream: &Stream<S>,
    traces: &Traces,
) -> Result {
    let is_plain = !options.trim.is_asked_for() && !options.trim.names_references();
    if !propagate.is_wanted() || matches!(options.id, NewId::Given(_)) && is_plain {
        return Ok(());
    }
    let mut room = [0; TEXT_MAX];
    let count = args.len() - options.at;
    if trimmed == 0 && count + 2 <= FEW {
        let mut few: [&[u8]; FEW] = [b""; FEW];
        (few[0], few[1], few[2]) = (b"XADD", args.bytes(1), id.text(&mut room));
        for (to, from) in few[3..].iter_mut().zip(args.from(options.at + 1)) {
            *to = from;
        }
        return propagate.instead(&few[..count + 2]);
    }
    let mut line = Line::new(propagate, &[b"XADD", args.bytes(1)]);
    if trimmed > 0 {
        options.trim.push_exact(&mut line, stream);
    }
    line.push_id(id);
    args.from(options.at + 1).for_each(|field| line.push(field));
    line.send(propagate)?;
    tell(traces, propagate, args.bytes(1))
}
