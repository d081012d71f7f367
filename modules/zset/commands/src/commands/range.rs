//! Ranges: ZRANGE and ZRANGESTORE, and the six commands that ZRANGE took the place of.
//!
//! Whatever a range is given by, it becomes a range of ranks: scores and members by two cuts, LIMIT
//! by moving the ends. What differs between the commands is which words they take.

use super::{CATEGORIES, GROUP, KEY, READER, WITHSCORES, bounds, reply_head, reply_pair};
use crate::storage::{Cut, Storage};
use crate::value::{View, put_sorted};
use plinth_module::prelude::*;
use std::marker::PhantomData;
use std::ops::Range;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 2] =
        [Command { run: run(zrange::<S>), ..ZRANGE }, Command { run: run(zrangestore::<S>), ..ZRANGESTORE }];

    /// The commands from before ZRANGE did all.
    pub(super) const FORMER: [Command; 5] = [
        Command { run: run(zrevrange::<S>), ..ZREVRANGE },
        Command { run: run(zrangebyscore::<S>), ..ZRANGEBYSCORE },
        Command { run: run(zrevrangebyscore::<S>), ..ZREVRANGEBYSCORE },
        Command { run: run(zrangebylex::<S>), ..ZRANGEBYLEX },
        Command { run: run(zrevrangebylex::<S>), ..ZREVRANGEBYLEX },
    ];
}

const START: Arg = Arg::new(ARG_STRING, "start");
const STOP: Arg = Arg::new(ARG_STRING, "stop");
const MIN: Arg = Arg::new(ARG_STRING, "min");
const MAX: Arg = Arg::new(ARG_STRING, "max");
const LIMIT: Arg = Arg::group(ARG_BLOCK, "limit", &[Arg::new(ARG_INTEGER, "offset"), Arg::new(ARG_INTEGER, "count")])
    .token("LIMIT")
    .flags(ARG_OPTIONAL);
const SORT_BY: Arg = Arg::group(ARG_ONE_OF, "sortby", &[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")])
    .flags(ARG_OPTIONAL);
const REV: Arg = Arg::word("rev", "REV").flags(ARG_OPTIONAL);

const RANGE_DOCS: Docs = Docs {
    group: GROUP,
    complexity: text("O(log(N)+M) where N is the number of members in the sorted set and M of those in the reply"),
    ..Docs::NEW
};

const ZRANGE: Command = Command {
    name: text("zrange"),
    arity: -4,
    docs: docs(&Docs {
        summary: text("Lists the members of a range of ranks, scores or members."),
        since: text("1.2.0"),
        history: list(&[change("6.2.0", "Takes the options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")]),
        args: list(&[KEY, START, STOP, SORT_BY.since("6.2.0"), REV.since("6.2.0"), LIMIT.since("6.2.0"), WITHSCORES]),
        ..RANGE_DOCS
    }),
    ..READER
};

const ZRANGESTORE: Command = Command {
    name: text("zrangestore"),
    arity: -5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_OW | KEY_UPDATE, 1), KeySpec::at(KEY_RO | KEY_ACCESS, 2)]),
    docs: docs(&Docs {
        summary: text("Stores the members of a range of ranks, scores or members."),
        since: text("6.2.0"),
        group: GROUP,
        complexity: text("O(log(N)+M) where N is the number of members in the sorted set and M of those stored"),
        args: list(&[Arg::key("dst", 0), Arg::key("src", 1), MIN, MAX, SORT_BY, REV, LIMIT]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

const ZREVRANGE: Command = Command {
    name: text("zrevrange"),
    arity: -4,
    docs: docs(&Docs {
        summary: text("Lists the members of a range of ranks from the greatest score down."),
        since: text("1.2.0"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`ZRANGE` with the option `REV`"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "start"), Arg::new(ARG_INTEGER, "stop"), WITHSCORES]),
        ..RANGE_DOCS
    }),
    ..READER
};

const ZRANGEBYSCORE: Command = Command {
    name: text("zrangebyscore"),
    arity: -4,
    docs: docs(&Docs {
        summary: text("Lists the members of a range of scores."),
        since: text("1.0.5"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`ZRANGE` with the option `BYSCORE`"),
        history: list(&[change("2.0.0", "Takes the option `WITHSCORES`.")]),
        args: list(&[KEY, Arg::new(ARG_DOUBLE, "min"), Arg::new(ARG_DOUBLE, "max"), WITHSCORES.since("2.0.0"), LIMIT]),
        ..RANGE_DOCS
    }),
    ..READER
};

const ZREVRANGEBYSCORE: Command = Command {
    name: text("zrevrangebyscore"),
    arity: -4,
    docs: docs(&Docs {
        summary: text("Lists the members of a range of scores from the greatest down."),
        since: text("2.2.0"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`ZRANGE` with the options `REV` and `BYSCORE`"),
        history: list(&[change("2.1.6", "Either bound may be excluded with `(`.")]),
        args: list(&[KEY, Arg::new(ARG_DOUBLE, "max"), Arg::new(ARG_DOUBLE, "min"), WITHSCORES, LIMIT]),
        ..RANGE_DOCS
    }),
    ..READER
};

const ZRANGEBYLEX: Command = Command {
    name: text("zrangebylex"),
    arity: -4,
    docs: docs(&Docs {
        summary: text("Lists the members of a range of members, where all scores are the same."),
        since: text("2.8.9"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`ZRANGE` with the option `BYLEX`"),
        args: list(&[KEY, MIN, MAX, LIMIT]),
        ..RANGE_DOCS
    }),
    ..READER
};

const ZREVRANGEBYLEX: Command = Command {
    name: text("zrevrangebylex"),
    arity: -4,
    docs: docs(&Docs {
        summary: text("Lists the members of a range of members from the last down, where all scores are the same."),
        since: text("2.8.9"),
        deprecated_since: text("6.2.0"),
        replaced_by: text("`ZRANGE` with the options `REV` and `BYLEX`"),
        args: list(&[KEY, MAX, MIN, LIMIT]),
        ..RANGE_DOCS
    }),
    ..READER
};

/// What a range is given by.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Rank,
    Score,
    Member,
}

/// A range as it was asked for.
#[derive(Clone, Copy)]
struct Query<'a> {
    bounds: Bounds<'a>,
    reverse: bool,
    with_scores: bool,
    /// Members to leave out at the beginning, and to list at most; negative: no limit.
    limit: (i64, i64),
}

#[derive(Clone, Copy)]
enum Bounds<'a> {
    Ranks(i64, i64),
    Cuts(Cut<'a>, Cut<'a>),
}

/// Which words a command takes.
#[derive(Clone, Copy)]
struct Grammar {
    /// Where the bounds are.
    from: usize,
    /// What it always is by; `None` lets words say so.
    by: Option<(By, bool)>,
    /// Whether it stores, so that WITHSCORES means nothing.
    stores: bool,
}

impl<'a> Query<'a> {
    fn read(call: &mut Call<'a>, grammar: Grammar) -> Result<Query<'a>> {
        let (mut by, mut reverse) = grammar.by.unwrap_or((By::Rank, false));
        let is_free = grammar.by.is_none();
        let (mut with_scores, mut limit, mut is_limited) = (false, (0, -1), false);
        let mut at = grammar.from + 2;
        while at < call.args.len() {
            if !grammar.stores && call.args.word(at, "withscores") {
                with_scores = true;
            } else if call.args.word(at, "limit") && call.args.len() > at + 2 {
                limit = (call.args.integer(at + 1)?, call.args.integer(at + 2)?);
                is_limited = true;
                at += 2;
            } else if is_free && !reverse && call.args.word(at, "rev") {
                reverse = true;
            } else if is_free && by == By::Rank && call.args.word(at, "bylex") {
                by = By::Member;
            } else if is_free && by == By::Rank && call.args.word(at, "byscore") {
                by = By::Score;
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        if is_limited && limit != (0, -1) && by == By::Rank {
            let text = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
            return Err(call.reply.error(text));
        }
        if with_scores && by == By::Member {
            let text = "ERR syntax error, WITHSCORES not supported in combination with BYLEX";
            return Err(call.reply.error(text));
        }
        let bounds = Bounds::read(call, by, grammar.from, reverse)?;
        Ok(Query { bounds, reverse, with_scores, limit })
    }

    /// The ranks that it means in a sorted set.
    fn ranks<S: Storage>(&self, view: &View<'_, S>) -> Range<usize> {
        let len = view.len();
        match self.bounds {
            Bounds::Ranks(start, stop) => {
                let ranks = bounds::ranks(start, stop, len);
                if self.reverse { len - ranks.end..len - ranks.start } else { ranks }
            }
            Bounds::Cuts(min, max) => {
                let start = view.count_before(min);
                self.limited(start..view.count_before(max).max(start))
            }
        }
    }

    /// What LIMIT leaves of a range.
    fn limited(&self, ranks: Range<usize>) -> Range<usize> {
        let Ok(offset) = usize::try_from(self.limit.0) else { return ranks.start..ranks.start };
        let offset = offset.min(ranks.len());
        let count = usize::try_from(self.limit.1).unwrap_or(usize::MAX).min(ranks.len() - offset);
        if self.reverse {
            ranks.end - offset - count..ranks.end - offset
        } else {
            ranks.start + offset..ranks.start + offset + count
        }
    }
}

impl<'a> Bounds<'a> {
    fn read(call: &mut Call<'a>, by: By, from: usize, reverse: bool) -> Result<Bounds<'a>> {
        // From the greatest down the greatest comes first.
        let (min, max) = if reverse { (from + 1, from) } else { (from, from + 1) };
        Ok(match by {
            By::Rank => Bounds::Ranks(call.args.integer(from)?, call.args.integer(from + 1)?),
            By::Score => Bounds::Cuts(bounds::score(call, min, false)?, bounds::score(call, max, true)?),
            By::Member => Bounds::Cuts(bounds::member(call, min, false)?, bounds::member(call, max, true)?),
        })
    }
}

fn zrange<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, None)
}

fn zrevrange<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, Some((By::Rank, true)))
}

fn zrangebyscore<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, Some((By::Score, false)))
}

fn zrevrangebyscore<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, Some((By::Score, true)))
}

fn zrangebylex<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, Some((By::Member, false)))
}

fn zrevrangebylex<S: Storage>(call: &mut Call<'_>) -> Result {
    range::<S>(call, Some((By::Member, true)))
}

fn range<S: Storage>(call: &mut Call<'_>, by: Option<(By, bool)>) -> Result {
    let query = Query::read(call, Grammar { from: 2, by, stores: false })?;
    let resp3 = call.resp() >= 3;
    let Some(view) = View::<S>::find(&mut call.keys, call.args.bytes(1))? else {
        call.reply.array(0);
        return Ok(());
    };
    let (ranks, reply) = (query.ranks(&view), &mut call.reply);
    reply_head(reply, resp3, ranks.len(), query.with_scores);
    if query.with_scores {
        view.visit(ranks, query.reverse, &mut |member, score| reply_pair(reply, resp3, member, score));
    } else {
        view.visit(ranks, query.reverse, &mut |member, _| reply.bulk(member));
    }
    Ok(())
}

fn zrangestore<S: Storage>(call: &mut Call<'_>) -> Result {
    let query = Query::read(call, Grammar { from: 3, by: None, stores: true })?;
    let (to, from) = (call.args.bytes(1), call.args.bytes(2));
    let mut elements = Vec::new();
    if let Some(view) = View::<S>::find(&mut call.keys, from)? {
        view.visit(query.ranks(&view), false, &mut |member, score| elements.push((member.into(), score)));
    }
    store::<S>(call, to, &elements, "zrangestore")
}

/// Puts elements that are in order in the place of what a key holds, and answers how many.
pub(super) fn store<S: Storage>(call: &mut Call<'_>, key: &[u8], elements: &[(Box<[u8]>, f64)], event: &str) -> Result {
    if !elements.is_empty() {
        put_sorted::<S>(&mut call.keys, key, elements)?;
        call.keys.modified(key, EVENT_ZSET, event);
    } else if call.keys.remove(key, 0)? {
        call.keys.modified(key, EVENT_GENERIC, "del");
    }
    call.reply.count(elements.len());
    Ok(())
}
