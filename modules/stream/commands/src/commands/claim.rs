//! Taking over what is pending at other consumers: XCLAIM, and how claims are passed on.

use super::{CATEGORIES, CONSUMER, GROUP, GROUP_NAME, KEY, announce, no_key_or_group, read_id, reply_entry, reply_id};
use crate::group::GroupMut;
use crate::id::{self, Id};
use crate::nack::{ConsumerNo, Nack};
use crate::propagate::Line;
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;
use plinth_module::propagate::Propagate;
use std::ops::ControlFlow;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xclaim::<S>), ..XCLAIM }]
}

const XCLAIM: Command = Command {
    name: text("xclaim"),
    arity: -6,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    tips: list(&[text("nondeterministic_output")]),
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Hands a consumer entries that have been pending in its group for a time."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(log N) for each entry, where N is the number of pending ones"),
        args: list(&[
            KEY,
            GROUP_NAME,
            CONSUMER,
            Arg::new(ARG_STRING, "min-idle-time"),
            Arg::new(ARG_STRING, "id").flags(ARG_MULTIPLE),
            Arg::new(ARG_INTEGER, "ms").token("IDLE").flags(ARG_OPTIONAL),
            Arg::new(ARG_UNIX_TIME, "unix-time-milliseconds").token("TIME").flags(ARG_OPTIONAL),
            Arg::new(ARG_INTEGER, "count").token("RETRYCOUNT").flags(ARG_OPTIONAL),
            Arg::word("force", "FORCE").flags(ARG_OPTIONAL),
            Arg::word("justid", "JUSTID").flags(ARG_OPTIONAL),
            Arg::new(ARG_STRING, "lastid").token("LASTID").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// Who gets entries, and since when they are said to have them.
#[derive(Clone, Copy)]
pub(super) struct Claimer<'a> {
    pub(super) key: &'a [u8],
    pub(super) group: &'a [u8],
    pub(super) consumer: &'a [u8],
    pub(super) time_ms: i64,
}

/// Entries that changed hands, to be passed on where anybody is told: one command for as many as were
/// delivered equally often.
pub(super) struct Claims<'a> {
    claimer: Claimer<'a>,
    is_wanted: bool,
    line: Option<(Line, u64)>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(claimer: Claimer<'a>, propagate: &Propagate<'_>) -> Claims<'a> {
        Claims { claimer, is_wanted: propagate.is_wanted(), line: None }
    }

    /// An entry that is delivered for the first time, where all are.
    #[inline]
    pub(super) fn add_first(&mut self, id: Id, propagate: &Propagate<'_>) {
        if !self.is_wanted {
            return;
        }
        let claimer = &self.claimer;
        let begin = || (Line::new(propagate, &[b"XCLAIM", claimer.key, claimer.group, claimer.consumer, b"0"]), 1);
        self.line.get_or_insert_with(begin).0.push_id(id);
    }

    /// An entry that was delivered so often.
    pub(super) fn add(&mut self, id: Id, deliveries: u64, propagate: &mut Propagate<'_>, last: Id) -> Result {
        if self.line.as_ref().is_some_and(|(_, other)| *other != deliveries) {
            self.send(propagate, last)?;
        }
        self.add_first(id, propagate);
        if let Some((_, of_all)) = &mut self.line {
            *of_all = deliveries;
        }
        Ok(())
    }

    fn send(&mut self, propagate: &mut Propagate<'_>, last: Id) -> Result {
        let Some((mut line, deliveries)) = self.line.take() else { return Ok(()) };
        line.push(b"TIME");
        line.push_integer(self.claimer.time_ms);
        line.push(b"RETRYCOUNT");
        line.push_integer(deliveries as i64);
        line.push(b"FORCE");
        line.push(b"JUSTID");
        line.push(b"LASTID");
        line.push_id(last);
        line.send(propagate)
    }

    /// Passes all on. `last` is how far the group has read.
    pub(super) fn finish(mut self, propagate: &mut Propagate<'_>, last: Id) -> Result {
        self.send(propagate, last)
    }
}

/// What XCLAIM is told beside the ids.
struct Options {
    min_idle_ms: i64,
    delivered_ms: Option<i64>,
    deliveries: Option<u64>,
    force: bool,
    just_id: bool,
    last: Option<Id>,
    /// Where the first argument is that is no id.
    ids_end: usize,
}

impl Options {
    fn read(args: &Args<'_>, reply: &mut ReplyBuffer<'_>, now_ms: i64) -> Result<Options> {
        let Ok(min_idle_ms) = args.integer(4) else {
            return Err(reply.error("ERR Invalid min-idle-time argument for XCLAIM"));
        };
        let ids_end = 5 + args.from(5).take_while(|text| id::parse(text, 0).is_some()).count();
        let mut options = Options {
            min_idle_ms: min_idle_ms.max(0),
            delivered_ms: None,
            deliveries: None,
            force: false,
            just_id: false,
            last: None,
            ids_end,
        };
        let mut at = ids_end;
        while at < args.len() {
            at += options.read_one(args, reply, at, now_ms)?;
        }
        options.delivered_ms = options.delivered_ms.filter(|time| (0..=now_ms).contains(time));
        Ok(options)
    }

    /// Reads one option; returns of how many arguments it is.
    fn read_one(&mut self, args: &Args<'_>, reply: &mut ReplyBuffer<'_>, at: usize, now_ms: i64) -> Result<usize> {
        let is_last = at + 1 == args.len();
        let mut number = |option: &str| {
            args.integer(at + 1).map_err(|_| reply.error(format!("ERR Invalid {option} option argument for XCLAIM")))
        };
        if args.word(at, "FORCE") {
            self.force = true;
            return Ok(1);
        }
        if args.word(at, "JUSTID") {
            self.just_id = true;
            return Ok(1);
        }
        if args.word(at, "IDLE") && !is_last {
            self.delivered_ms = Some(now_ms.saturating_sub(number("IDLE")?));
        } else if args.word(at, "TIME") && !is_last {
            self.delivered_ms = Some(number("TIME")?);
        } else if args.word(at, "RETRYCOUNT") && !is_last {
            self.deliveries = u64::try_from(number("RETRYCOUNT")?).ok();
        } else if args.word(at, "LASTID") && !is_last {
            self.last = Some(read_id(reply, args.bytes(at + 1), 0)?);
        } else {
            let option = String::from_utf8_lossy(args.bytes(at));
            return Err(reply.error(format!("ERR Unrecognized XCLAIM option '{option}'")));
        }
        Ok(2)
    }

    /// Lets a consumer have an entry and answers with it, if it may. Returns how often it was delivered
    /// then.
    fn claim<S: Storage>(
        &self,
        reply: &mut ReplyBuffer<'_>,
        log: &S,
        group: &mut GroupMut<'_>,
        (consumer, now_ms): (ConsumerNo, i64),
        id: Id,
    ) -> Claimed {
        let nack = group.pending(id);
        if nack.is_none() && !self.force {
            return Claimed::No;
        }
        if !log.contains(id) {
            return if group.acknowledge(id) { Claimed::Forgotten } else { Claimed::No };
        }
        let is_fresh = |nack: &Nack| now_ms.saturating_sub(nack.delivered_ms) < self.min_idle_ms;
        if self.min_idle_ms > 0 && nack.as_ref().is_some_and(is_fresh) {
            return Claimed::No;
        }
        let before = nack.map_or(1, |nack| nack.deliveries);
        let deliveries = self.deliveries.unwrap_or(before.saturating_add(u64::from(!self.just_id)));
        let delivered_ms = self.delivered_ms.unwrap_or(now_ms);
        group.deliver(id, Nack { consumer, delivered_ms, deliveries });
        reply_claimed(reply, log, id, self.just_id);
        Claimed::Yes(deliveries)
    }
}

/// What came of an entry that was claimed.
enum Claimed {
    Yes(u64),
    No,
    /// It was pending, but is not in the stream any more.
    Forgotten,
}

/// Answers with an entry that is there, or with its id.
pub(super) fn reply_claimed<S: Storage>(reply: &mut ReplyBuffer<'_>, log: &S, id: Id, just_id: bool) {
    if just_id {
        return reply_id(reply, id);
    }
    let _ = log.visit(id..=id, |id, fields| {
        reply_entry(reply, id, fields);
        ControlFlow::Break(())
    });
}

fn xclaim<S: Storage>(call: &mut Call<'_>) -> Result {
    let now_ms = crate::now_ms(call);
    let Call { args, keys, reply, propagate, .. } = call;
    let (key, name, consumer_name) = (args.bytes(1), args.bytes(2), args.bytes(3));
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        return Err(no_key_or_group(reply, key, name));
    };
    let Some((log, mut group)) = value::of_mut::<S>(&mut entry)?.log_and_group(name) else {
        return Err(no_key_or_group(reply, key, name));
    };
    let options = Options::read(args, reply, now_ms)?;
    let mut is_changed = false;
    if let Some(last) = options.last.filter(|last| *last > group.last()) {
        let read = group.entries_read();
        group.set_last(last, read);
        is_changed = true;
    }
    let (consumer, is_new) = group.find_or_make(consumer_name, now_ms);
    let time_ms = options.delivered_ms.unwrap_or(now_ms);
    let mut claims = Claims::new(Claimer { key, group: name, consumer: consumer_name, time_ms }, propagate);
    let mut forgets = Line::new(propagate, &[b"XACK", key, name]);
    let (mut answered, mut forgotten) = (0, 0);
    let mark = reply.open();
    for text in args.from(5).take(options.ids_end - 5) {
        let Some(id) = id::parse(text, 0) else { continue };
        match options.claim(reply, log, &mut group, (consumer, now_ms), id) {
            Claimed::Yes(deliveries) => {
                claims.add(id, deliveries, propagate, group.last())?;
                answered += 1;
            }
            Claimed::Forgotten => {
                forgets.push_id(id);
                forgotten += 1;
            }
            Claimed::No => {}
        }
    }
    reply.close_array(mark, answered);
    group.touch(consumer, now_ms, answered > 0);
    // A group that is told to have read on is told so without an entry, too.
    let says_last = is_changed && answered == 0;
    let last = group.last();
    drop(group);
    if is_new {
        propagate.instead(&[b"XGROUP", b"CREATECONSUMER", key, name, consumer_name])?;
    }
    if forgotten > 0 {
        forgets.send(propagate)?;
    }
    if says_last {
        let mut line = Line::new(propagate, &[b"XCLAIM", key, name, consumer_name, b"0", b"0-0", b"JUSTID", b"LASTID"]);
        line.push_id(last);
        line.send(propagate)?;
    }
    claims.finish(propagate, last)?;
    announce(&mut entry, is_new, is_changed || forgotten > 0 || answered > 0);
    keys.count_elements(usize::from(is_new) + answered + forgotten);
    Ok(())
}
