//! Reading: ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT and ZLEXCOUNT.

use super::{GROUP, KEY, MEMBER, READER, bounds};
use crate::codec::Zset;
use crate::storage::{Cut, Storage};
use crate::value::View;
use plinth_module::prelude::*;
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 7] = [
        Command { run: run(zcard::<S>), ..ZCARD },
        Command { run: run(zscore::<S>), look_ahead: look_ahead::<Zset<S>, 2>(), ..ZSCORE },
        Command { run: run(zmscore::<S>), look_ahead: look_ahead::<Zset<S>, 2>(), ..ZMSCORE },
        Command { run: run(zrank::<S>), look_ahead: look_ahead::<Zset<S>, 2>(), ..ZRANK },
        Command { run: run(zrevrank::<S>), look_ahead: look_ahead::<Zset<S>, 2>(), ..ZREVRANK },
        Command { run: run(zcount::<S>), ..ZCOUNT },
        Command { run: run(zlexcount::<S>), ..ZLEXCOUNT },
    ];
}

const FAST: Command = Command { flags: COMMAND_READONLY | COMMAND_FAST, ..READER };

const ZCARD: Command = Command {
    name: text("zcard"),
    arity: 2,
    keys: list(&[KeySpec::at(KEY_RO, 1)]),
    docs: docs(&Docs {
        summary: text("Tells how many members a sorted set has."),
        since: text("1.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY]),
        ..Docs::NEW
    }),
    ..FAST
};

const ZSCORE: Command = Command {
    name: text("zscore"),
    arity: 3,
    docs: docs(&Docs {
        summary: text("Reads a member's score."),
        since: text("1.2.0"),
        group: GROUP,
        complexity: text("O(1)"),
        args: list(&[KEY, MEMBER]),
        ..Docs::NEW
    }),
    ..FAST
};

const ZMSCORE: Command = Command {
    name: text("zmscore"),
    arity: -3,
    docs: docs(&Docs {
        summary: text("Reads the scores of several members."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(N) where N is the number of members asked for"),
        args: list(&[KEY, MEMBER.flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..FAST
};

const RANK_DOCS: Docs = Docs {
    since: text("2.0.0"),
    group: GROUP,
    complexity: text("O(log(N))"),
    history: list(&[change("7.2.0", "Takes the option `WITHSCORE`.")]),
    args: list(&[KEY, MEMBER, Arg::word("withscore", "WITHSCORE").flags(ARG_OPTIONAL)]),
    ..Docs::NEW
};

const ZRANK: Command = Command {
    name: text("zrank"),
    arity: -3,
    docs: docs(&Docs { summary: text("Tells a member's place in the order of scores."), ..RANK_DOCS }),
    ..FAST
};

const ZREVRANK: Command = Command {
    name: text("zrevrank"),
    arity: -3,
    docs: docs(&Docs {
        summary: text("Tells a member's place in the order of scores from the greatest."),
        ..RANK_DOCS
    }),
    ..FAST
};

const ZCOUNT: Command = Command {
    name: text("zcount"),
    arity: 4,
    docs: docs(&Docs {
        summary: text("Counts the members of a range of scores."),
        since: text("2.0.0"),
        group: GROUP,
        complexity: text("O(log(N))"),
        args: list(&[KEY, Arg::new(ARG_DOUBLE, "min"), Arg::new(ARG_DOUBLE, "max")]),
        ..Docs::NEW
    }),
    ..FAST
};

const ZLEXCOUNT: Command = Command {
    name: text("zlexcount"),
    arity: 4,
    docs: docs(&Docs {
        summary: text("Counts the members of a range of members, where all scores are the same."),
        since: text("2.8.9"),
        group: GROUP,
        complexity: text("O(log(N))"),
        args: list(&[KEY, Arg::new(ARG_STRING, "min"), Arg::new(ARG_STRING, "max")]),
        ..Docs::NEW
    }),
    ..FAST
};

fn zcard<S: Storage>(call: &mut Call<'_>) -> Result {
    let view = View::<S>::find(&mut call.keys, call.args.bytes(1))?;
    call.reply.count(view.map_or(0, |view| view.len()));
    Ok(())
}

fn zscore<S: Storage>(call: &mut Call<'_>) -> Result {
    let view = View::<S>::find(&mut call.keys, call.args.bytes(1))?;
    match view.and_then(|view| view.score(call.args.bytes(2))) {
        Some(score) => call.reply.double(score),
        None => call.reply.null(),
    }
    Ok(())
}

fn zmscore<S: Storage>(call: &mut Call<'_>) -> Result {
    let view = View::<S>::find(&mut call.keys, call.args.bytes(1))?;
    call.reply.array(call.args.len() - 2);
    for member in call.args.from(2) {
        match view.as_ref().and_then(|view| view.score(member)) {
            Some(score) => call.reply.double(score),
            None => call.reply.null(),
        }
    }
    Ok(())
}

fn zrank<S: Storage>(call: &mut Call<'_>) -> Result {
    rank::<S>(call, false)
}

fn zrevrank<S: Storage>(call: &mut Call<'_>) -> Result {
    rank::<S>(call, true)
}

fn rank<S: Storage>(call: &mut Call<'_>, reverse: bool) -> Result {
    if call.args.len() > 4 {
        return Err(Error::Arity);
    }
    let with_score = call.args.len() == 4;
    if with_score && !call.args.word(3, "withscore") {
        return Err(Error::Syntax);
    }
    let view = View::<S>::find(&mut call.keys, call.args.bytes(1))?;
    let found = view.and_then(|view| {
        let (rank, score) = view.rank(call.args.bytes(2))?;
        Some((if reverse { view.len() - 1 - rank } else { rank }, score))
    });
    match found {
        Some((rank, score)) if with_score => {
            call.reply.array(2);
            call.reply.count(rank);
            call.reply.double(score);
        }
        Some((rank, _)) => call.reply.count(rank),
        None if with_score => call.reply.null_array(),
        None => call.reply.null(),
    }
    Ok(())
}

fn zcount<S: Storage>(call: &mut Call<'_>) -> Result {
    let cuts = (bounds::score(call, 2, false)?, bounds::score(call, 3, true)?);
    count::<S>(call, cuts)
}

fn zlexcount<S: Storage>(call: &mut Call<'_>) -> Result {
    let cuts = (bounds::member(call, 2, false)?, bounds::member(call, 3, true)?);
    count::<S>(call, cuts)
}

fn count<S: Storage>(call: &mut Call<'_>, (min, max): (Cut<'_>, Cut<'_>)) -> Result {
    let view = View::<S>::find(&mut call.keys, call.args.bytes(1))?;
    let count = view.map_or(0, |view| view.count_before(max).saturating_sub(view.count_before(min)));
    call.reply.count(count);
    Ok(())
}
