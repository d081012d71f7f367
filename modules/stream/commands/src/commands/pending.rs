//! What is pending in a group: XPENDING.

use super::{CATEGORIES, CONSUMER, GROUP, GROUP_NAME, KEY, no_key_or_group, read_start, read_stop, reply_id};
use crate::group::Group;
use crate::id::Id;
use crate::nack::Nack;
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xpending::<S>), ..XPENDING }]
}

const XPENDING: Command = Command {
    name: text("xpending"),
    arity: -3,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    tips: list(&[text("nondeterministic_output")]),
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    docs: docs(&Docs {
        summary: text("Tells what a group's consumers have not acknowledged, in short or entry by entry."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(log N + M) where N is the number of pending entries and M the number of those looked at"),
        history: list(&[Change {
            version: text("6.2.0"),
            what: text("The `IDLE` option, and ids that are left out, after `(`."),
        }]),
        args: list(&[
            KEY,
            GROUP_NAME,
            Arg::group(
                ARG_BLOCK,
                "filters",
                &[
                    Arg::new(ARG_INTEGER, "min-idle-time").token("IDLE").since("6.2.0").flags(ARG_OPTIONAL),
                    Arg::new(ARG_STRING, "start"),
                    Arg::new(ARG_STRING, "end"),
                    Arg::new(ARG_INTEGER, "count"),
                    CONSUMER.flags(ARG_OPTIONAL),
                ],
            )
            .flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// Most arguments.
const ARGS_MAX: usize = 9;

/// Which pending entries are wanted.
struct Filter<'a> {
    start: Id,
    stop: Id,
    count: usize,
    consumer: Option<&'a [u8]>,
    idle_ms: i64,
}

impl<'a> Filter<'a> {
    /// Reads the arguments behind the group; `None` without any.
    fn read(args: &Args<'a>, reply: &mut ReplyBuffer<'_>) -> Result<Option<Filter<'a>>> {
        if args.len() == 3 {
            return Ok(None);
        }
        if args.len() < 6 || args.len() > ARGS_MAX {
            return Err(Error::Syntax);
        }
        let (mut at, mut idle_ms) = (3, 0);
        if args.word(at, "IDLE") {
            idle_ms = args.integer(at + 1)?;
            at += 2;
            if args.len() < at + 3 {
                return Err(Error::Syntax);
            }
        }
        let count = usize::try_from(args.integer(at + 2)?).unwrap_or(0);
        let (start, stop) = (read_start(reply, args.bytes(at))?, read_stop(reply, args.bytes(at + 1))?);
        Ok(Some(Filter { start, stop, count, consumer: args.get(at + 3), idle_ms }))
    }

    /// Answers with the entries.
    fn reply(&self, reply: &mut ReplyBuffer<'_>, group: &Group, now_ms: i64) {
        let mark = reply.open();
        let mut answered = 0;
        let idle_of = |nack: &Nack| now_ms.saturating_sub(nack.delivered_ms).max(0);
        let mut one = |id: Id, nack: Nack| {
            let Some(consumer) = group.consumer(nack.consumer) else { return };
            reply.array(4);
            reply_id(reply, id);
            reply.bulk(consumer.name());
            reply.integer(idle_of(&nack));
            reply.integer(nack.deliveries as i64);
            answered += 1;
        };
        let is_wanted = |(_, nack): &(Id, Nack)| self.idle_ms <= 0 || idle_of(nack) >= self.idle_ms;
        match self.consumer {
            None => {
                let pending = group.pending_from(self.start).take_while(|(id, _)| *id <= self.stop);
                pending.filter(is_wanted).take(self.count).for_each(|(id, nack)| one(id, nack));
            }
            Some(name) => {
                let consumer = group.find(name).and_then(|no| group.consumer(no));
                let ids = consumer.into_iter().flat_map(|consumer| consumer.pending_from(self.start));
                let ids = ids.take_while(|id| *id <= self.stop);
                let pending = ids.filter_map(|id| Some((id, group.pending(id)?)));
                pending.filter(is_wanted).take(self.count).for_each(|(id, nack)| one(id, nack));
            }
        }
        reply.close_array(mark, answered);
    }
}

/// Answers with how much is pending, the ends of it, and how much of it each consumer has.
fn reply_summary(reply: &mut ReplyBuffer<'_>, group: &Group) {
    reply.array(4);
    reply.count(group.pending_len());
    let Some((first, last)) = group.pending_ends() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    reply_id(reply, first);
    reply_id(reply, last);
    let mark = reply.open();
    let mut answered = 0;
    for (_, consumer) in group.consumers().filter(|(_, consumer)| consumer.pending_len() > 0) {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_integer(consumer.pending_len() as i64);
        answered += 1;
    }
    reply.close_array(mark, answered);
}

fn xpending<S: Storage>(call: &mut Call<'_>) -> Result {
    let now_ms = crate::now_ms(call);
    let Call { args, keys, reply, .. } = call;
    let (key, name) = (args.bytes(1), args.bytes(2));
    let filter = Filter::read(args, reply)?;
    let entry = keys.get(value::handle::<S>()?, key)?;
    let group = match &entry {
        Some(entry) => value::of::<S>(entry)?.group(name),
        None => None,
    };
    let Some(group) = group else { return Err(no_key_or_group(reply, key, name)) };
    match filter {
        Some(filter) => filter.reply(reply, group, now_ms),
        None => reply_summary(reply, group),
    }
    Ok(())
}
