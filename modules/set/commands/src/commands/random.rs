//! At random: SPOP and SRANDMEMBER.
//!
//! What is passed on to replicas of SPOP is which members went.

use super::{CATEGORIES, GROUP, KEY, find, find_write, remove_empty, reply_all};
use crate::codec::SetType;
use crate::limits::Limits;
use crate::storage::{Digits, Storage};
use crate::value::{Owned, insert, len, take_random};
use crate::view::View;
use plinth_module::chance::{COUNT_RANGE, REPEAT_MAX};
use plinth_module::prelude::*;

/// A storage that has members and picks none: it breaks its contract, and a reply that has begun is
/// taken back.
const NO_MEMBER: Error = Error::BadData;
/// A set is made anew of what stays when more than so many times as much goes.
const KEEP_RATIO: usize = 5;
/// A set is walked over when a random pick would find a member shown already too often.
const WALK_RATIO: usize = 3;
/// Members that one command passed on to replicas removes.
const REMOVED_TOGETHER: usize = 1024;

pub(super) const SPOP: Command = Command {
    name: text("spop"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1)]),
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Removes members of a set picked at random, and shows them."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1), with a count O(N) for N members picked"),
        history: list(&[change("3.2.0", "Takes the argument `count`.")]),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "count").flags(ARG_OPTIONAL).since("3.2.0")]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn spop<S: Storage>(call: &mut Call<'_>) -> Result {
    match call.args.len() {
        2 => pop_one::<S>(call),
        3 => pop_many::<S>(call),
        _ => Err(Error::Syntax),
    }
}

fn pop_one<S: Storage>(call: &mut Call<'_>) -> Result {
    let key = call.args.bytes(1);
    let Some(mut entry) = find_write::<S>(&mut call.keys, key)? else {
        call.reply.null();
        return Ok(());
    };
    let (reply, propagate) = (&mut call.reply, &mut call.propagate);
    let mut passed_on = Ok(());
    let taken = take_random::<S>(&mut entry, |member| {
        reply.bulk_value(member);
        passed_on = propagate.instead(&[b"SREM", key, member.text(&mut Digits::new())]);
    })?;
    if !taken {
        return Err(NO_MEMBER);
    }
    if len::<S>(&mut entry) == 0 {
        remove_empty(&mut call.keys, key, "spop")?;
    } else {
        entry.modified(EVENT_SET, "spop");
    }
    passed_on
}

fn pop_many<S: Storage>(call: &mut Call<'_>) -> Result {
    let (key, count) = (call.args.bytes(1), call.at_least(2, 0, "ERR value is out of range, must be positive")?);
    let Some(mut entry) = find_write::<S>(&mut call.keys, key)? else {
        call.reply.set(0);
        return Ok(());
    };
    let len = len::<S>(&mut entry);
    if count == 0 {
        call.reply.set(0);
    } else if count >= len {
        if let Some(stored) = entry.stored::<SetType<S>>() {
            reply_all::<S>(&mut call.reply, View::of(stored));
        }
        remove_empty(&mut call.keys, key, "spop")?;
        call.keys.count_elements(len);
        call.propagate.instead(&[b"DEL", key])?;
    } else if (len - count) * KEEP_RATIO > count {
        let mut gone = Gone::new(key);
        call.reply.set(count);
        for _ in 0..count {
            let taken = take_random::<S>(&mut entry, |member| {
                call.reply.bulk_value(member);
                gone.push(member.to_vec(), &mut call.propagate);
            })?;
            if !taken {
                return Err(NO_MEMBER);
            }
        }
        entry.modified(EVENT_SET, "spop");
        call.keys.count_elements(count);
        gone.finish(&mut call.propagate)?;
    } else {
        return keep_few::<S>(call, len - count);
    }
    Ok(())
}

/// Pops all but `count` members: what stays is moved to a set of its own.
fn keep_few<S: Storage>(call: &mut Call<'_>, count: usize) -> Result {
    let (key, limits) = (call.args.bytes(1), Limits::now());
    let Some(mut entry) = find_write::<S>(&mut call.keys, key)? else { return Err(Error::None) };
    let is_intset = entry.is_inline() && entry.tag() == crate::value::INTSET;
    let (mut kept, mut done) = (if is_intset { Owned::<S>::new() } else { Owned::pack() }, Ok(()));
    for _ in 0..count {
        take_random::<S>(&mut entry, |member| done = insert(&mut kept, member, &limits).map(drop))?;
        done?;
    }
    let (mut gone, mut popped) = (Gone::new(key), 0);
    if let Some(stored) = entry.stored::<SetType<S>>() {
        let view = View::<S>::of(stored);
        popped = view.len();
        call.reply.set(popped);
        view.for_each(|member| {
            call.reply.bulk_value(member);
            gone.push(member.to_vec(), &mut call.propagate);
        });
    }
    kept.store(&mut call.keys, key, PUT_KEEP_EXPIRY)?;
    call.keys.modified(key, EVENT_SET, "spop");
    call.keys.count_elements(popped);
    gone.finish(&mut call.propagate)
}

/// Members that went, to be passed on some at a time.
struct Gone<'k> {
    key: &'k [u8],
    members: Vec<Vec<u8>>,
    done: Result,
}

impl<'k> Gone<'k> {
    fn new(key: &'k [u8]) -> Gone<'k> {
        Gone { key, members: Vec::new(), done: Ok(()) }
    }

    fn push(&mut self, member: Vec<u8>, propagate: &mut plinth_module::propagate::Propagate<'_>) {
        self.members.push(member);
        if self.members.len() == REMOVED_TOGETHER {
            self.flush(propagate);
        }
    }

    fn flush(&mut self, propagate: &mut plinth_module::propagate::Propagate<'_>) {
        let mut args: Vec<&[u8]> = vec![b"SREM", self.key];
        args.extend(self.members.iter().map(Vec::as_slice));
        let done = propagate.instead(&args);
        self.done = self.done.and(done);
        self.members.clear();
    }

    fn finish(mut self, propagate: &mut plinth_module::propagate::Propagate<'_>) -> Result {
        if !self.members.is_empty() {
            self.flush(propagate);
        }
        self.done
    }
}

pub(super) const SRANDMEMBER: Command = Command {
    name: text("srandmember"),
    arity: -2,
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    tips: list(&[text("nondeterministic_output")]),
    docs: docs(&Docs {
        summary: text("Shows members of a set picked at random."),
        since: text("1.0.0"),
        group: GROUP,
        complexity: text("O(1), with a count O(N) for N members picked"),
        history: list(&[change("2.6.0", "Takes the argument `count`.")]),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "count").flags(ARG_OPTIONAL).since("2.6.0")]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

pub(super) fn srandmember<S: Storage>(call: &mut Call<'_>) -> Result {
    if call.args.len() > 3 {
        return Err(Error::Syntax);
    }
    let key = call.args.bytes(1);
    if call.args.len() == 2 {
        match find::<S>(&mut call.keys, key)?.and_then(|set| set.random()) {
            Some(member) => call.reply.bulk_value(member),
            None => call.reply.null(),
        }
        return Ok(());
    }
    let count = call.args.integer(2)?;
    let repeats = count < 0;
    if count == i64::MIN {
        return Err(call.reply.error(COUNT_RANGE));
    }
    let Some(set) = find::<S>(&mut call.keys, key)? else {
        call.reply.array(0);
        return Ok(());
    };
    if repeats && count.unsigned_abs() > REPEAT_MAX {
        return Err(call.reply.error("ERR value is out of range"));
    }
    let (reply, count) = (&mut call.reply, count.unsigned_abs() as usize);
    if repeats {
        reply.array(count);
        for _ in 0..count {
            reply.bulk_value(set.random().ok_or(NO_MEMBER)?);
        }
        return Ok(());
    }
    let count = count.min(set.len());
    reply.array(count);
    if !matches!(set, View::Large(_)) || count.saturating_mul(WALK_RATIO) > set.len() {
        set.select(count, |member| reply.bulk_value(member));
        return Ok(());
    }
    pick_distinct(reply, set, count)
}

/// Shows `count` members, which are few of the set's.
fn pick_distinct<S: Storage>(reply: &mut ReplyBuffer<'_>, set: View<'_, S>, count: usize) -> Result {
    let (mut shown, limits) = (Owned::<S>::new(), Limits::DEFAULT);
    while shown.view().len() < count {
        let member = set.random().ok_or(NO_MEMBER)?;
        if insert(&mut shown, member, &limits)? {
            reply.bulk_value(member);
        }
    }
    Ok(())
}
