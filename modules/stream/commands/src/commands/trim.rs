//! Taking entries off at the front: XTRIM, and the options that XADD shares with it.

use super::{CATEGORIES, GROUP, KEY, QUIET, REFERENCES, read_id};
use crate::layout;
use crate::propagate::Line;
use crate::references::{References, Traces};
use crate::storage::{Keep, Storage};
use crate::stream::Stream;
use crate::value;
use plinth_module::prelude::*;
use plinth_module::propagate::Propagate;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xtrim::<S>), ..XTRIM }]
}

const XTRIM: Command = Command {
    name: text("xtrim"),
    arity: -4,
    flags: COMMAND_WRITE,
    category_names: CATEGORIES,
    tips: list(&[text("nondeterministic_output")]),
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    docs: docs(&Docs {
        summary: text("Takes the first entries of a stream away until so many are left, or those before an id."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(log N) where N is the number of entries, and the time to free what goes"),
        history: list(&[
            Change { version: text("6.2.0"), what: text("The `MINID` strategy and the `LIMIT` option.") },
            Change { version: text("8.2.0"), what: text("The `KEEPREF`, `DELREF` and `ACKED` options.") },
        ]),
        args: list(&[KEY, Arg::group(ARG_BLOCK, "trim", TRIM_ARGS)]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// The options as docs show them.
pub(super) const TRIM_ARGS: &[Arg] = &[
    Arg::group(ARG_ONE_OF, "strategy", &[Arg::word("maxlen", "MAXLEN"), Arg::word("minid", "MINID").since("6.2.0")]),
    Arg::group(ARG_ONE_OF, "operator", &[Arg::word("equal", "="), Arg::word("approximately", "~")]).flags(ARG_OPTIONAL),
    Arg::new(ARG_STRING, "threshold"),
    Arg::new(ARG_INTEGER, "count").token("LIMIT").since("6.2.0").flags(ARG_OPTIONAL),
    REFERENCES.since("8.2.0"),
];

/// What is to be trimmed.
#[derive(Clone, Copy, Default)]
pub(super) struct Trim {
    keep: Option<Keep>,
    is_approximate: bool,
    limit: Option<usize>,
    references: Option<References>,
}

/// Most entries that `~` takes away without LIMIT, and by how much that exceeds a node.
const LIMIT_MAX: usize = 1_000_000;
const LIMIT_PER_NODE: usize = 100;
const LIMIT_WITHOUT_NODES: usize = 10_000;

impl Trim {
    /// Reads the option at `at`. Returns where the next argument is; `None` for what is no option.
    pub(super) fn read(&mut self, args: &Args<'_>, reply: &mut ReplyBuffer<'_>, at: usize) -> Result<Option<usize>> {
        if self.references.is_none() {
            self.references = References::of(args.bytes(at));
            if self.references.is_some() {
                return Ok(Some(at + 1));
            }
        }
        if at + 1 >= args.len() {
            return Ok(None);
        }
        let is_maxlen = args.word(at, "MAXLEN");
        if is_maxlen || args.word(at, "MINID") {
            return self.read_keep(args, reply, at + 1, is_maxlen).map(Some);
        }
        if args.word(at, "LIMIT") {
            let limit = args.integer(at + 1)?;
            let limit = usize::try_from(limit).map_err(|_| reply.error("ERR The LIMIT argument must be >= 0."))?;
            self.limit = Some(limit);
            return Ok(Some(at + 2));
        }
        Ok(None)
    }

    /// Reads the operator and what is to be kept.
    fn read_keep(
        &mut self,
        args: &Args<'_>,
        reply: &mut ReplyBuffer<'_>,
        mut at: usize,
        is_maxlen: bool,
    ) -> Result<usize> {
        if self.keep.is_some() {
            let text = "ERR syntax error, MAXLEN and MINID options at the same time are not compatible";
            return Err(reply.error(text));
        }
        self.is_approximate = false;
        if let (Some(operator @ (b"~" | b"=")), Some(_)) = (args.get(at), args.get(at + 1)) {
            self.is_approximate = operator == b"~";
            at += 1;
        }
        self.keep = Some(if is_maxlen {
            let count = args.integer(at)?;
            let count = usize::try_from(count).map_err(|_| reply.error("ERR The MAXLEN argument must be >= 0."))?;
            Keep::Count(count)
        } else {
            Keep::From(read_id(reply, args.bytes(at), 0)?)
        });
        Ok(at + 1)
    }

    /// Refuses options that do not go together.
    pub(super) fn check(&self, reply: &mut ReplyBuffer<'_>) -> Result {
        match (self.limit, self.keep) {
            (Some(_), None) => {
                Err(reply.error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"))
            }
            (Some(_), Some(_)) if !self.is_approximate => {
                Err(reply.error("ERR syntax error, LIMIT cannot be used without the special ~ option"))
            }
            _ => Ok(()),
        }
    }

    /// Whether there is anything to trim by.
    pub(super) fn is_asked_for(&self) -> bool {
        self.keep.is_some()
    }

    /// Whether the command has words that older servers do not know.
    pub(super) fn names_references(&self) -> bool {
        self.references.is_some()
    }

    /// Trims; returns how many entries are gone. What is done besides is noted, if somebody is to be told.
    #[inline]
    pub(super) fn run<S: Storage>(&self, stream: &mut Stream<S>, traces: Option<&mut Traces>) -> usize {
        let Some(keep) = self.keep else { return 0 };
        let is_over = match keep {
            Keep::Count(count) => stream.len() > count,
            Keep::From(id) => stream.log().first().is_some_and(|first| first < id),
        };
        if !is_over {
            return 0;
        }
        let limit = if self.is_approximate { self.limit.unwrap_or_else(default_limit) } else { 0 };
        let limits = (self.is_approximate, limit);
        stream.cut_tracing(self.references.unwrap_or(References::Keep), keep, limits, traces)
    }

    /// What keeps as many entries as there are, exactly: for replicas, whose packs may be others.
    pub(super) fn push_exact<S: Storage>(&self, line: &mut Line, stream: &Stream<S>) {
        let Some(keep) = self.keep else { return };
        let is_acked = self.references == Some(References::Acked) && !self.is_approximate;
        match (keep, stream.log().first()) {
            // What was passed over is before what went, so no number of entries says which ones. Older words would
            // count the entries as deleted.
            _ if is_acked => match keep {
                Keep::Count(count) => push_keep(line, b"MAXLEN", |line| line.push_integer(count as i64)),
                Keep::From(id) => push_keep(line, b"MINID", |line| line.push_id(id)),
            },
            (Keep::From(_), Some(first)) => push_keep(line, b"MINID", |line| line.push_id(first)),
            _ => push_keep(line, b"MAXLEN", |line| line.push_integer(stream.len() as i64)),
        }
        if is_acked {
            line.push(b"ACKED");
        }
    }
}

/// Tells what a trim has done beside what [`Trim::push_exact`] says, in words that every replica knows.
pub(super) fn tell(traces: &Traces, propagate: &mut Propagate<'_>, key: &[u8]) -> Result {
    for (group, ids) in &traces.forgotten {
        let mut line = Line::new(propagate, &[b"XACK", key, group]);
        ids.iter().for_each(|id| line.push_id(*id));
        line.send(propagate)?;
    }
    Ok(())
}

fn push_keep(line: &mut Line, strategy: &[u8], threshold: impl FnOnce(&mut Line)) {
    line.push(strategy);
    line.push(b"=");
    threshold(line);
}

/// Most entries that an approximate trim takes away.
#[cold]
pub(crate) fn default_limit() -> usize {
    match layout::now().node_entries {
        0 => LIMIT_WITHOUT_NODES,
        entries => entries.saturating_mul(LIMIT_PER_NODE).min(LIMIT_MAX),
    }
}

fn xtrim<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, propagate, .. } = call;
    let (mut trim, mut at) = (Trim::default(), 2);
    while at < args.len() {
        at = trim.read(args, reply, at)?.ok_or(Error::Syntax)?;
    }
    trim.check(reply)?;
    if !trim.is_asked_for() {
        return Err(Error::Syntax);
    }
    let key = args.bytes(1);
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        reply.integer(0);
        return Ok(());
    };
    let stream = value::of_mut::<S>(&mut entry)?;
    let mut traces = Traces::default();
    let removed = trim.run(stream, propagate.is_wanted().then_some(&mut traces));
    reply.count(removed);
    if removed == 0 {
        return Ok(());
    }
    let mut line = Line::new(propagate, &[b"XTRIM", key]);
    trim.push_exact(&mut line, stream);
    line.send(propagate)?;
    tell(&traces, propagate, key)?;
    if stream.has_waste() {
        value::renew::<S>(keys, key)?;
        keys.modified(key, QUIET, "xtrim");
    } else {
        entry.modified(QUIET, "xtrim");
    }
    keys.count_elements(removed);
    Ok(())
}
