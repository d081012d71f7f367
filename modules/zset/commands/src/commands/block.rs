//! Popping what may come later: BZPOPMIN, BZPOPMAX and BZMPOP.
//!
//! Each looks for something to pop, and waits when there is nothing: the host runs it again when one
//! of the keys has come to hold a sorted set. Replicas are told ZPOPMIN or ZPOPMAX.

use super::pop::{End, Several, pop};
use super::{CATEGORIES, GROUP, KEY, WHERE};
use crate::codec::Zset;
use crate::storage::Storage;
use plinth_module::prelude::*;
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 3] = [
        Command { run: run(bzpopmin::<S>), ..BZPOPMIN },
        Command { run: run(bzpopmax::<S>), ..BZPOPMAX },
        Command { run: run(bzmpop::<S>), ..BZMPOP },
    ];
}

const POP: Command = Command {
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::range(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, -2, 1)]),
    ..Command::NEW
};

const TIMEOUT: Arg = Arg::new(ARG_DOUBLE, "timeout");

const POP_DOCS: Docs = Docs {
    since: text("5.0.0"),
    group: GROUP,
    complexity: text("O(K)+O(log(N)) where K is the number of keys and N of members in the sorted set"),
    history: list(&[super::change("6.0.0", "The timeout may have a fraction.")]),
    args: list(&[KEY.flags(ARG_MULTIPLE), TIMEOUT]),
    ..Docs::NEW
};

const BZPOPMIN: Command = Command {
    name: text("bzpopmin"),
    docs: docs(&Docs {
        summary: text("Removes the member of the least score of the first key that has any, or waits for one."),
        ..POP_DOCS
    }),
    ..POP
};

const BZPOPMAX: Command = Command {
    name: text("bzpopmax"),
    docs: docs(&Docs {
        summary: text("Removes the member of the greatest score of the first key that has any, or waits for one."),
        ..POP_DOCS
    }),
    ..POP
};

const BZMPOP: Command = Command {
    name: text("bzmpop"),
    arity: -5,
    flags: COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[KeySpec {
        find: KEY_FIND_KEYNUM,
        last: 0,
        limit: 1,
        ..KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 2)
    }]),
    docs: docs(&Docs {
        summary: text("Removes the first members of the first of several sorted sets that has any, or waits for some."),
        since: text("7.0.0"),
        group: GROUP,
        complexity: text(
            "O(K)+O(M*log(N)) where K is the number of keys, N of members in the sorted set and M of those popped",
        ),
        args: list(&[
            TIMEOUT,
            Arg::new(ARG_INTEGER, "numkeys"),
            KEY.flags(ARG_MULTIPLE),
            WHERE,
            Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn bzpopmin<S: Storage>(call: &mut Call<'_>) -> Result {
    pop_or_wait::<S>(call, End::Min)
}

fn bzpopmax<S: Storage>(call: &mut Call<'_>) -> Result {
    pop_or_wait::<S>(call, End::Max)
}

fn pop_or_wait<S: Storage>(call: &mut Call<'_>, end: End) -> Result {
    let last = call.args.len() - 1;
    let timeout_ms = call.timeout_ms(last)?;
    for index in 1..last {
        let key = call.args.bytes(index);
        let head = |reply: &mut ReplyBuffer<'_>, _| {
            reply.array(3);
            reply.bulk(key);
        };
        let show = |reply: &mut ReplyBuffer<'_>, member: &[u8], score| {
            reply.bulk(member);
            reply.double(score);
        };
        if pop::<S>(call, key, end, 1, head, show)? > 0 {
            return call.propagate.instead(&[end.event().as_bytes(), key]);
        }
    }
    wait::<S>(call, 1..last, timeout_ms)
}

fn bzmpop<S: Storage>(call: &mut Call<'_>) -> Result {
    let timeout_ms = call.timeout_ms(1)?;
    let several = Several::read(call, 2)?;
    if several.run::<S>(call)? {
        return Ok(());
    }
    wait::<S>(call, several.first..several.first + several.keys, timeout_ms)
}

/// Waits for the keys among the arguments.
fn wait<S: Storage>(call: &mut Call<'_>, keys: std::ops::Range<usize>, timeout_ms: u64) -> Result {
    let of = Some(TypeHandle::of::<Zset<S>>()?);
    call.wait(keys, Wait { of, timeout_ms, reply: WaitReply::NullArray, ..Wait::NEW }, WaitReply::NullArray)
}
