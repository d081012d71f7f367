//! Reading as a consumer of a group: XREADGROUP.
//!
//! With the id `>` a consumer gets entries that no other of its group has got, and they are pending
//! until it acknowledges them. With any other id it gets its own pending entries behind that id once
//! more. Replicas are told what came of it, not what was asked: who has which entry, and how far the
//! group is.

use super::claim::{Claimer, Claims};
use super::read::{Answer, BLOCK, STREAMS, Wanted, keys_behind_streams};
use super::{CATEGORIES, CONSUMER, COUNT_ARG, GROUP, GROUP_NAME, announce, read_id, reply_entry, reply_id};
use crate::id::Id;
use crate::lag::Counts;
use crate::nack::Nack;
use crate::propagate::Line;
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;
use plinth_module::propagate::Propagate;
use std::ops::ControlFlow;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xreadgroup::<S>), ..XREADGROUP }]
}

const XREADGROUP: Command = Command {
    name: text("xreadgroup"),
    arity: -7,
    flags: COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[keys_behind_streams(4)]),
    docs: docs(&Docs {
        summary: text("Hands a consumer entries that its group has not read, and waits for one if there is none."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(log N) for each of the entries answered, where N is the number of pending ones"),
        args: list(&[
            Arg::group(ARG_BLOCK, "group-block", &[GROUP_NAME, CONSUMER]).token("GROUP"),
            COUNT_ARG,
            BLOCK,
            Arg::word("noack", "NOACK").flags(ARG_OPTIONAL),
            STREAMS,
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

const NO_GROUP_OPTION: &str = "ERR Missing GROUP option for XREADGROUP";

fn no_group(reply: &mut ReplyBuffer<'_>, key: &[u8], group: &[u8]) -> Error {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    let text = format!("NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option");
    reply.error(text)
}

/// The id behind which the history is wanted; `None` for what is new.
fn read_start(reply: &mut ReplyBuffer<'_>, text: &[u8]) -> Result<Option<Id>> {
    match text {
        b">" => Ok(None),
        b"$" | b"+" => {
            let sign = if text == b"$" { '$' } else { '+' };
            Err(reply.error(format!(
                "ERR The {sign} ID is meaningless in the context of XREADGROUP: you want to read the history of this \
                 consumer by specifying a proper ID, or use the > ID to get new messages. The {sign} ID would just \
                 return an empty result set."
            )))
        }
        text => read_id(reply, text, 0).map(Some),
    }
}

/// Who reads, and how.
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    no_ack: bool,
    count: usize,
    now_ms: i64,
}

/// What came of reading a stream.
#[derive(Default)]
struct Outcome {
    makes_consumer: bool,
    is_changed: bool,
}

impl Reader<'_> {
    /// Answers with what is new of a stream, if anything is.
    fn read_new<S: Storage>(
        &self,
        entry: &mut Entry<'_>,
        reply: &mut ReplyBuffer<'_>,
        propagate: &mut Propagate<'_>,
        answer: &mut Answer,
    ) -> Result<Outcome> {
        let key = entry.key();
        let stream = value::of_mut::<S>(entry)?;
        let counts = Counts::of(stream);
        let Some((log, mut group)) = stream.log_and_group(self.group) else {
            return Err(no_group(reply, key, self.group));
        };
        let (consumer, makes_consumer) = group.find_or_make(self.consumer, self.now_ms);
        let (last, mut read) = (group.last(), group.entries_read());
        let Some(start) = last.next().filter(|start| log.last().is_some_and(|end| end >= *start)) else {
            group.touch(consumer, self.now_ms, false);
            return Ok(Outcome { makes_consumer, is_changed: false });
        };
        answer.stream(reply, key);
        let mark = reply.open();
        let nack = Nack { consumer, delivered_ms: self.now_ms, deliveries: 1 };
        let mut claims = Claims::new(self.claimer(key), propagate);
        let (mut position, mut answered) = (last, 0);
        let _ = log.visit(start..=Id::MAX, |id, fields| {
            reply_entry(reply, id, fields);
            read = counts.read_after(position, read, id);
            position = id;
            if !self.no_ack {
                group.deliver(id, nack);
                claims.add_first(id, propagate);
            }
            answered += 1;
            if answered < self.count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        reply.close_array(mark, answered);
        group.set_last(position, read);
        group.touch(consumer, self.now_ms, !self.no_ack);
        claims.finish(propagate, position)?;
        let mut line = Line::new(propagate, &[b"XGROUP", b"SETID", key, self.group]);
        line.push_id(position);
        line.push(b"ENTRIESREAD");
        line.push_integer(read.map_or(-1, |read| read as i64));
        line.send(propagate)?;
        Ok(Outcome { makes_consumer, is_changed: true })
    }

    /// Answers with what is pending of the consumer behind an id.
    fn read_history<S: Storage>(
        &self,
        entry: &mut Entry<'_>,
        behind: Id,
        reply: &mut ReplyBuffer<'_>,
        propagate: &mut Propagate<'_>,
        answer: &mut Answer,
    ) -> Result<Outcome> {
        let key = entry.key();
        let stream = value::of_mut::<S>(entry)?;
        let Some((log, mut group)) = stream.log_and_group(self.group) else {
            return Err(no_group(reply, key, self.group));
        };
        let (consumer, makes_consumer) = group.find_or_make(self.consumer, self.now_ms);
        group.touch(consumer, self.now_ms, false);
        let pending = group.consumer(consumer).zip(behind.next());
        let pending = pending.into_iter().flat_map(|(consumer, start)| consumer.pending_from(start));
        let ids: Vec<Id> = pending.take(self.count).collect();
        answer.stream(reply, key);
        reply.array(ids.len());
        let mut claims = Claims::new(self.claimer(key), propagate);
        for id in &ids {
            let found = log.visit(*id..=*id, |id, fields| {
                reply_entry(reply, id, fields);
                ControlFlow::Break(())
            });
            if found.is_continue() {
                reply.array(2);
                reply_id(reply, *id);
                reply.null_array();
            } else if let Some(nack) = group.pending(*id) {
                let deliveries = nack.deliveries.saturating_add(1);
                group.deliver(*id, Nack { delivered_ms: self.now_ms, deliveries, ..nack });
                claims.add(*id, deliveries, propagate, group.last())?;
            }
        }
        claims.finish(propagate, group.last())?;
        Ok(Outcome { makes_consumer, is_changed: !ids.is_empty() })
    }

    fn claimer<'k>(&'k self, key: &'k [u8]) -> Claimer<'k> {
        Claimer { key, group: self.group, consumer: self.consumer, time_ms: self.now_ms }
    }
}

/// Whether all keys and ids are as they must be, in their order; before anything is read.
fn check<S: Storage>(
    wanted: &Wanted,
    group: &[u8],
    args: &Args<'_>,
    keys: &mut Keys<'_>,
    reply: &mut ReplyBuffer<'_>,
) -> Result {
    for (key, id) in wanted.streams() {
        let key = args.bytes(key);
        let is_there = match keys.get(value::handle::<S>()?, key)? {
            Some(entry) => value::of::<S>(&entry)?.group(group).is_some(),
            None => false,
        };
        if !is_there {
            return Err(no_group(reply, key, group));
        }
        read_start(reply, args.bytes(id))?;
    }
    Ok(())
}

fn xreadgroup<S: Storage>(call: &mut Call<'_>) -> Result {
    let wanted = Wanted::read(call, true)?;
    let now_ms = crate::now_ms(call);
    let mut answer = Answer::new(call.resp());
    let Call { args, keys, reply, propagate, .. } = call;
    let Some(group_at) = wanted.group else { return Err(reply.error(NO_GROUP_OPTION)) };
    let reader = Reader {
        group: args.bytes(group_at),
        consumer: args.bytes(group_at + 1),
        no_ack: wanted.no_ack,
        count: wanted.count,
        now_ms,
    };
    // One stream of which the new entries are wanted is looked up once, and checked as it is read.
    if wanted.keys.len() > 1 || args.bytes(wanted.keys.end) != b">" {
        check::<S>(&wanted, reader.group, args, keys, reply)?;
    }
    for (key, id) in wanted.streams() {
        let key = args.bytes(key);
        let start = read_start(reply, args.bytes(id))?;
        let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
            return Err(no_group(reply, key, reader.group));
        };
        let outcome = match start {
            None => reader.read_new::<S>(&mut entry, reply, propagate, &mut answer)?,
            Some(behind) => reader.read_history::<S>(&mut entry, behind, reply, propagate, &mut answer)?,
        };
        announce(&mut entry, outcome.makes_consumer, outcome.is_changed);
        if outcome.makes_consumer {
            propagate.instead(&[b"XGROUP", b"CREATECONSUMER", key, reader.group, reader.consumer])?;
        }
    }
    if answer.finish(reply) {
        return Ok(());
    }
    wanted.wait::<S>(call, true, None)
}
