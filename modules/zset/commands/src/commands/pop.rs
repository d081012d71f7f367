//! Popping: ZPOPMIN, ZPOPMAX and ZMPOP.

use super::{CATEGORIES, GROUP, KEY, WHERE, reply_head, reply_pair};
use crate::storage::Storage;
use crate::value::{Edit, announce};
use plinth_module::prelude::*;
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 3] = [
        Command { run: run(zpopmin::<S>), ..ZPOPMIN },
        Command { run: run(zpopmax::<S>), ..ZPOPMAX },
        Command { run: run(zmpop::<S>), ..ZMPOP },
    ];
}

const COUNT: Arg = Arg::new(ARG_INTEGER, "count").flags(ARG_OPTIONAL);

const POP: Command = Command {
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1)]),
    ..Command::NEW
};

const POP_DOCS: Docs = Docs {
    since: text("5.0.0"),
    group: GROUP,
    complexity: text("O(M*log(N)) where N is the number of members in the sorted set and M of those popped"),
    args: list(&[KEY, COUNT]),
    ..Docs::NEW
};

const ZPOPMIN: Command = Command {
    name: text("zpopmin"),
    docs: docs(&Docs { summary: text("Removes the members of the least scores and lists them."), ..POP_DOCS }),
    ..POP
};

const ZPOPMAX: Command = Command {
    name: text("zpopmax"),
    docs: docs(&Docs { summary: text("Removes the members of the greatest scores and lists them."), ..POP_DOCS }),
    ..POP
};

const ZMPOP: Command = Command {
    name: text("zmpop"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[KeySpec {
        find: KEY_FIND_KEYNUM,
        last: 0,
        limit: 1,
        ..KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1)
    }]),
    docs: docs(&Docs {
        summary: text("Removes the first members of the first of several sorted sets that has any, and lists them."),
        since: text("7.0.0"),
        group: GROUP,
        complexity: text(
            "O(K)+O(M*log(N)) where K is the number of keys, N of members in the sorted set and M of those popped",
        ),
        args: list(&[Arg::new(ARG_INTEGER, "numkeys"), KEY.flags(ARG_MULTIPLE), WHERE, COUNT.token("COUNT")]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// Which end is popped.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    Min,
    Max,
}

impl End {
    /// The event, which is also the command that replicas are told.
    pub(super) fn event(self) -> &'static str {
        if self == End::Min { "zpopmin" } else { "zpopmax" }
    }

    /// The end that an argument names.
    pub(super) fn read(args: &Args<'_>, index: usize) -> Result<End> {
        match args.expect(index)? {
            word if word.eq_ignore_ascii_case(b"min") => Ok(End::Min),
            word if word.eq_ignore_ascii_case(b"max") => Ok(End::Max),
            _ => Err(Error::Syntax),
        }
    }
}

/// Pops up to `count` members of a key that may be there, after `head` has been told how many, and
/// shows them; returns how many, 0 also for a key that is not there.
pub(super) fn pop<S: Storage>(
    call: &mut Call<'_>,
    key: &[u8],
    end: End,
    count: usize,
    head: impl FnOnce(&mut ReplyBuffer<'_>, usize),
    mut show: impl FnMut(&mut ReplyBuffer<'_>, &[u8], f64),
) -> Result<usize> {
    let Some(mut edit) = Edit::<S>::find(&mut call.keys, key)? else { return Ok(0) };
    let len = edit.view().len();
    let count = count.min(len);
    if count == 0 {
        return Ok(0);
    }
    let reply = &mut call.reply;
    head(reply, count);
    let ranks = if end == End::Min { 0..count } else { len - count..len };
    edit.remove_range(ranks, end == End::Max, &mut |member, score| show(reply, member, score))?;
    announce(&mut call.keys, key, count == len, end.event())?;
    call.keys.count_elements(count);
    Ok(count)
}

fn zpopmin<S: Storage>(call: &mut Call<'_>) -> Result {
    pop_one::<S>(call, End::Min)
}

fn zpopmax<S: Storage>(call: &mut Call<'_>) -> Result {
    pop_one::<S>(call, End::Max)
}

fn pop_one<S: Storage>(call: &mut Call<'_>, end: End) -> Result {
    let has_count = call.args.len() > 2;
    if call.args.len() > 3 {
        return Err(Error::Syntax);
    }
    let count = if has_count { call.at_least(2, 0, "ERR value is out of range, must be positive")? } else { 1 };
    // Without a count the one pair is the reply.
    let is_nested = has_count && call.resp() >= 3;
    let key = call.args.bytes(1);
    let head = |reply: &mut ReplyBuffer<'_>, count| reply_head(reply, is_nested, count, true);
    let show = |reply: &mut ReplyBuffer<'_>, member: &[u8], score| reply_pair(reply, is_nested, member, score);
    if pop::<S>(call, key, end, count, head, show)? == 0 {
        call.reply.array(0);
    }
    Ok(())
}

/// What ZMPOP and BZMPOP are asked for.
#[derive(Clone, Copy)]
pub(super) struct Several {
    /// Where the keys are.
    pub(super) first: usize,
    pub(super) keys: usize,
    pub(super) end: End,
    pub(super) count: usize,
}

impl Several {
    /// Reads the arguments from the number of keys on, which is at `at`.
    pub(super) fn read(call: &mut Call<'_>, at: usize) -> Result<Several> {
        let keys = call.at_least(at, 1, "ERR numkeys should be greater than 0")?;
        let place = at.saturating_add(1).saturating_add(keys);
        if place >= call.args.len() {
            return Err(Error::Syntax);
        }
        let end = End::read(&call.args, place)?;
        let count = match call.args.len() - place {
            1 => 1,
            3 if call.args.word(place + 1, "count") => {
                call.at_least(place + 2, 1, "ERR count should be greater than 0")?
            }
            _ => return Err(Error::Syntax),
        };
        Ok(Several { first: at + 1, keys, end, count })
    }

    /// Pops from the first key that has members; returns whether there was one.
    pub(super) fn run<S: Storage>(&self, call: &mut Call<'_>) -> Result<bool> {
        for index in self.first..self.first + self.keys {
            let key = call.args.bytes(index);
            let head = |reply: &mut ReplyBuffer<'_>, count| {
                reply.array(2);
                reply.bulk(key);
                reply.array(count);
            };
            let show = |reply: &mut ReplyBuffer<'_>, member: &[u8], score| reply_pair(reply, true, member, score);
            let popped = pop::<S>(call, key, self.end, self.count, head, show)?;
            if popped > 0 {
                let count = popped.to_string();
                call.propagate.instead(&[self.end.event().as_bytes(), key, count.as_bytes()])?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn zmpop<S: Storage>(call: &mut Call<'_>) -> Result {
    let several = Several::read(call, 1)?;
    if !several.run::<S>(call)? {
        call.reply.null_array();
    }
    Ok(())
}
