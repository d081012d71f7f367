//! Adding: ZADD and ZINCRBY.

use super::{CATEGORIES, GROUP, KEY, MEMBER};
use crate::codec::Zset;
use crate::score;
use crate::storage::Storage;
use crate::value::Edit;
use plinth_module::prelude::*;
use std::marker::PhantomData;

pub(super) struct Family<S>(PhantomData<S>);

impl<S: Storage> Family<S> {
    pub(super) const COMMANDS: [Command; 2] = [
        Command { run: run(zadd::<S>), look_ahead: look_ahead::<Zset<S>, 3>(), ..ZADD },
        Command { run: run(zincrby::<S>), look_ahead: look_ahead::<Zset<S>, 3>(), ..ZINCRBY },
    ];
}

const ZADD: Command = Command {
    name: text("zadd"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Adds members with their scores, or gives members other scores."),
        since: text("1.2.0"),
        group: GROUP,
        complexity: text("O(log(N)) for each member, where N is the number of members in the sorted set"),
        history: list(&[
            change("2.4.0", "Takes more than one member."),
            change("3.0.2", "Takes the options `XX`, `NX`, `CH` and `INCR`."),
            change("6.2.0", "Takes the options `GT` and `LT`."),
        ]),
        args: list(&[
            KEY,
            Arg::group(ARG_ONE_OF, "condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
                .flags(ARG_OPTIONAL)
                .since("3.0.2"),
            Arg::group(ARG_ONE_OF, "comparison", &[Arg::word("gt", "GT"), Arg::word("lt", "LT")])
                .flags(ARG_OPTIONAL)
                .since("6.2.0"),
            Arg::word("change", "CH").flags(ARG_OPTIONAL).since("3.0.2"),
            Arg::word("increment", "INCR").flags(ARG_OPTIONAL).since("3.0.2"),
            Arg::group(ARG_BLOCK, "data", &[Arg::new(ARG_DOUBLE, "score"), MEMBER]).flags(ARG_MULTIPLE),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

const ZINCRBY: Command = Command {
    name: text("zincrby"),
    arity: 4,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Adds to a member's score; a missing member counts from 0."),
        since: text("1.2.0"),
        group: GROUP,
        complexity: text("O(log(N)) where N is the number of members in the sorted set"),
        args: list(&[KEY, Arg::new(ARG_INTEGER, "increment"), MEMBER]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// The options of ZADD.
#[derive(Clone, Copy, Default)]
struct Options {
    only_new: bool,
    only_known: bool,
    only_greater: bool,
    only_less: bool,
    count_changes: bool,
    increment: bool,
}

/// What became of the members so far.
#[derive(Default)]
struct Outcome {
    added: usize,
    changed: usize,
    /// The last member's score, unless an option kept it from getting one.
    score: Option<f64>,
    is_nan: bool,
}

impl Options {
    /// Reads options; returns where scores and members begin.
    fn read(&mut self, args: &Args<'_>) -> usize {
        let mut at = 2;
        while at < args.len() {
            match args.bytes(at) {
                word if word.eq_ignore_ascii_case(b"nx") => self.only_new = true,
                word if word.eq_ignore_ascii_case(b"xx") => self.only_known = true,
                word if word.eq_ignore_ascii_case(b"gt") => self.only_greater = true,
                word if word.eq_ignore_ascii_case(b"lt") => self.only_less = true,
                word if word.eq_ignore_ascii_case(b"ch") => self.count_changes = true,
                word if word.eq_ignore_ascii_case(b"incr") => self.increment = true,
                _ => break,
            }
            at += 1;
        }
        at
    }

    /// Which score a member gets that has `before`.
    #[inline]
    fn choose(&self, before: Option<f64>, given: f64, outcome: &mut Outcome) -> Option<f64> {
        outcome.score = None;
        let Some(before) = before else {
            if self.only_known {
                return None;
            }
            outcome.added += 1;
            outcome.score = Some(given);
            return outcome.score;
        };
        if self.only_new {
            return None;
        }
        let score = if self.increment { before + given } else { given };
        outcome.is_nan = score.is_nan();
        let is_kept = self.only_less && score >= before || self.only_greater && score <= before;
        if is_kept || outcome.is_nan {
            return None;
        }
        outcome.changed += usize::from(score != before);
        outcome.score = Some(score);
        outcome.score
    }
}

fn zadd<S: Storage>(call: &mut Call<'_>) -> Result {
    let mut options = Options::default();
    let from = options.read(&call.args);
    let rest = call.args.len() - from;
    if rest == 0 || !rest.is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    if options.only_new && options.only_known {
        return Err(call.reply.error("ERR XX and NX options at the same time are not compatible"));
    }
    if options.only_greater && (options.only_new || options.only_less) || options.only_less && options.only_new {
        return Err(call.reply.error("ERR GT, LT, and/or NX options at the same time are not compatible"));
    }
    if options.increment && rest > 2 {
        return Err(call.reply.error("ERR INCR option supports a single increment-element pair"));
    }
    add::<S>(call, from, options)
}

fn zincrby<S: Storage>(call: &mut Call<'_>) -> Result {
    add::<S>(call, 2, Options { increment: true, ..Options::default() })
}

/// The score in the argument at `index`.
#[inline]
fn score_at(args: &Args<'_>, index: usize) -> Result<f64> {
    score::parse(args.bytes(index)).ok_or(Error::NotFloat)
}

/// Adds the scores and members from argument `from` on, and answers.
fn add<S: Storage>(call: &mut Call<'_>, from: usize, options: Options) -> Result {
    let (key, end) = (call.args.bytes(1), call.args.len());
    let first = score_at(&call.args, from)?;
    for at in (from + 2..end).step_by(2) {
        score_at(&call.args, at)?;
    }
    let mut outcome = Outcome::default();
    let mut edit = match Edit::<S>::find(&mut call.keys, key)? {
        Some(edit) => edit,
        None if options.only_known => {
            answer(&mut call.reply, &outcome, options);
            return Ok(());
        }
        None => Edit::create(&mut call.keys, key, (end - from) / 2, call.args.bytes(from + 1).len())?,
    };
    let mut done = Ok(());
    for at in (from..end).step_by(2) {
        // Where there is one, it has been read just now.
        let given = if at == from { first } else { score_at(&call.args, at)? };
        done = edit.update(call.args.bytes(at + 1), |before| options.choose(before, given, &mut outcome));
        if done.is_err() || outcome.is_nan {
            break;
        }
    }
    if outcome.added + outcome.changed > 0 && !edit.is_empty() {
        edit.modified(if options.increment { "zincr" } else { "zadd" });
        call.keys.count_elements(outcome.added + outcome.changed);
    } else if edit.is_empty() {
        // Made for what then found no room.
        call.keys.remove(key, 0)?;
    }
    done?;
    if outcome.is_nan {
        return Err(call.reply.error("ERR resulting score is not a number (NaN)"));
    }
    answer(&mut call.reply, &outcome, options);
    Ok(())
}

fn answer(reply: &mut ReplyBuffer<'_>, outcome: &Outcome, options: Options) {
    match outcome.score {
        Some(score) if options.increment => reply.double(score),
        None if options.increment => reply.null(),
        _ => reply.count(outcome.added + if options.count_changes { outcome.changed } else { 0 }),
    }
}
