//! Taking over what others have left pending, page by page: XAUTOCLAIM.

use super::claim::{Claimer, Claims, reply_claimed};
use super::{CATEGORIES, CONSUMER, GROUP, GROUP_NAME, KEY, announce, no_key_or_group, read_start, reply_id};
use crate::group::GroupMut;
use crate::id::Id;
use crate::nack::{ConsumerNo, Nack};
use crate::propagate::Line;
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xautoclaim::<S>), ..XAUTOCLAIM }]
}

const XAUTOCLAIM: Command = Command {
    name: text("xautoclaim"),
    arity: -6,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    tips: list(&[text("nondeterministic_output")]),
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Hands a consumer whatever has been pending in its group for a time, a page of it."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(1) if COUNT is small"),
        history: list(&[Change {
            version: text("7.0.0"),
            what: text("The third part of the answer: ids of entries that are no longer in the stream."),
        }]),
        args: list(&[
            KEY,
            GROUP_NAME,
            CONSUMER,
            Arg::new(ARG_STRING, "min-idle-time"),
            Arg::new(ARG_STRING, "start"),
            super::COUNT_ARG,
            Arg::word("justid", "JUSTID").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// Entries of a page without COUNT.
const COUNT_DEFAULT: usize = 100;
/// So many ids are looked at for each that may be claimed, those of deleted consumers counted in.
const LOOKS_PER_CLAIM: usize = 10;
/// Most entries of a page.
const COUNT_MAX: i64 = i64::MAX / 16;
/// Entries that are looked at before some of them are claimed.
const AT_ONCE: usize = 128;

struct Options {
    min_idle_ms: i64,
    start: Id,
    count: usize,
    just_id: bool,
}

impl Options {
    fn read(args: &Args<'_>, reply: &mut ReplyBuffer<'_>) -> Result<Options> {
        let Ok(min_idle_ms) = args.integer(4) else {
            return Err(reply.error("ERR Invalid min-idle-time argument for XAUTOCLAIM"));
        };
        let start = read_start(reply, args.bytes(5))?;
        let mut options = Options { min_idle_ms: min_idle_ms.max(0), start, count: COUNT_DEFAULT, just_id: false };
        let mut at = 6;
        while at < args.len() {
            if args.word(at, "COUNT") && at + 1 < args.len() {
                let count = args.integer(at + 1).ok().filter(|count| (1..=COUNT_MAX).contains(count));
                options.count = count.ok_or_else(|| reply.error("ERR COUNT must be > 0"))? as usize;
                at += 2;
            } else if args.word(at, "JUSTID") {
                options.just_id = true;
                at += 1;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// Takes a page over.
    fn claim<S: Storage>(&self, log: &S, group: &mut GroupMut<'_>, consumer: ConsumerNo, now_ms: i64) -> Page {
        let mut page = Page { next: Some(self.start), claimed: Vec::new(), deleted: Vec::new() };
        let mut looks = self.count * LOOKS_PER_CLAIM;
        while let Some(start) = page.next.filter(|_| looks > 0 && page.len() < self.count) {
            let some: Vec<(Id, Option<Nack>)> = group.all_from(start).take(looks.min(AT_ONCE)).collect();
            if some.is_empty() {
                page.next = None;
            }
            for (id, nack) in some {
                if page.len() == self.count {
                    break;
                }
                looks -= 1;
                page.next = id.next();
                let Some(nack) = nack else { continue };
                if !log.contains(id) {
                    group.acknowledge(id);
                    page.deleted.push(id);
                } else if self.min_idle_ms == 0 || now_ms.saturating_sub(nack.delivered_ms) >= self.min_idle_ms {
                    let deliveries = nack.deliveries.saturating_add(u64::from(!self.just_id));
                    group.deliver(id, Nack { consumer, delivered_ms: now_ms, deliveries });
                    page.claimed.push((id, deliveries));
                }
            }
        }
        // It may be one that nobody sees: to look for another would be to look on without an end.
        page.next = page.next.and_then(|start| group.all_from(start).next()).map(|(id, _)| id);
        page
    }
}

/// What was taken over.
struct Page {
    /// Where the next page begins; `None` behind the last.
    next: Option<Id>,
    claimed: Vec<(Id, u64)>,
    /// Entries that were pending but are not in the stream any more.
    deleted: Vec<Id>,
}

impl Page {
    fn len(&self) -> usize {
        self.claimed.len() + self.deleted.len()
    }
}

fn xautoclaim<S: Storage>(call: &mut Call<'_>) -> Result {
    let now_ms = crate::now_ms(call);
    let Call { args, keys, reply, propagate, .. } = call;
    let options = Options::read(args, reply)?;
    let (key, name, consumer_name) = (args.bytes(1), args.bytes(2), args.bytes(3));
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        return Err(no_key_or_group(reply, key, name));
    };
    let Some((log, mut group)) = value::of_mut::<S>(&mut entry)?.log_and_group(name) else {
        return Err(no_key_or_group(reply, key, name));
    };
    let (consumer, is_new) = group.find_or_make(consumer_name, now_ms);
    let page = options.claim(log, &mut group, consumer, now_ms);
    reply.array(3);
    reply_id(reply, page.next.unwrap_or(Id::MIN));
    reply.array(page.claimed.len());
    let claimer = Claimer { key, group: name, consumer: consumer_name, time_ms: now_ms };
    let mut claims = Claims::new(claimer, propagate);
    for (id, deliveries) in &page.claimed {
        reply_claimed(reply, log, *id, options.just_id);
        claims.add(*id, *deliveries, propagate, group.last())?;
    }
    claims.finish(propagate, group.last())?;
    reply.array(page.deleted.len());
    let mut deleted = Line::new(propagate, &[b"XACK", key, name]);
    for id in &page.deleted {
        reply_id(reply, *id);
        deleted.push_id(*id);
    }
    group.touch(consumer, now_ms, !page.claimed.is_empty());
    drop(group);
    if is_new {
        propagate.instead(&[b"XGROUP", b"CREATECONSUMER", key, name, consumer_name])?;
    }
    if !page.deleted.is_empty() {
        deleted.send(propagate)?;
    }
    announce(&mut entry, is_new, page.len() > 0);
    keys.count_elements(usize::from(is_new) + page.len());
    Ok(())
}
