//! Removing entries by their ids: XDEL, XDELEX.

use super::{CATEGORIES, GROUP, KEY, QUIET, REFERENCES, UNHEARD, read_id};
use crate::id::Id;
use crate::propagate::Line;
use crate::references::References;
use crate::storage::Storage;
use crate::stream::Stream;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 2] {
    [Command { run: run(xdel::<S>), ..XDEL }, Command { run: run(xdelex::<S>), ..XDELEX }]
}

const DELETE: Command = Command {
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_DELETE, 1)]),
    ..Command::NEW
};

const XDEL: Command = Command {
    name: text("xdel"),
    arity: -3,
    docs: docs(&Docs {
        summary: text("Removes entries from a stream and tells how many were there."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(log N) for each entry, where N is the number of entries"),
        args: list(&[KEY, Arg::new(ARG_STRING, "id").flags(ARG_MULTIPLE)]),
        ..Docs::NEW
    }),
    ..DELETE
};

fn xdel<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, args.bytes(1))? else {
        reply.integer(0);
        return Ok(());
    };
    for text in args.from(2) {
        read_id(reply, text, 0)?;
    }
    let stream = value::of_mut::<S>(&mut entry)?;
    let ids = args.from(2).filter_map(|text| crate::id::parse(text, 0));
    let removed = ids.filter(|id| stream.remove(*id)).count();
    reply.count(removed);
    if removed > 0 {
        entry.modified(QUIET, "xdel");
        keys.count_elements(removed);
    }
    Ok(())
}

const XDELEX: Command = Command {
    name: text("xdelex"),
    arity: -5,
    docs: docs(&Docs {
        summary: text("Removes entries from a stream, with a word on references to them in groups."),
        since: text("8.2.0"),
        group: GROUP,
        complexity: text("O(log N) for each entry, where N is the number of entries"),
        args: list(&[KEY, REFERENCES, IDS]),
        ..Docs::NEW
    }),
    ..DELETE
};

/// The list of ids behind its length.
pub(super) const IDS: Arg =
    Arg::group(ARG_BLOCK, "ids", &[Arg::new(ARG_INTEGER, "numids"), Arg::new(ARG_STRING, "id").flags(ARG_MULTIPLE)])
        .token("IDS");

/// What is to become of references, and which arguments are ids.
pub(super) struct Wanted {
    pub(super) references: References,
    first: usize,
    /// Number of ids.
    pub(super) count: usize,
}

impl Wanted {
    /// Reads the arguments from `at` on, but not the ids: without a key nobody asks what they are.
    pub(super) fn read(args: &Args<'_>, reply: &mut ReplyBuffer<'_>, mut at: usize) -> Result<Wanted> {
        let (mut references, mut ids) = (None, None);
        while at < args.len() {
            if let (Some(word), None) = (References::of(args.bytes(at)), references) {
                (references, at) = (Some(word), at + 1);
                continue;
            }
            if !args.word(at, "IDS") || ids.is_some() {
                return Err(Error::Syntax);
            }
            let count = args.integer(at + 1).ok().and_then(|count| usize::try_from(count).ok());
            let Some(count) = count.filter(|count| *count > 0) else {
                return Err(reply.error("ERR Number of IDs must be a positive integer"));
            };
            if count > args.len() - at - 2 {
                return Err(reply.error("ERR The `numids` parameter must match the number of arguments"));
            }
            ids = Some((at + 2, count));
            at += 2 + count;
        }
        let (first, count) = ids.ok_or(Error::Syntax)?;
        Ok(Wanted { references: references.unwrap_or(References::Keep), first, count })
    }

    /// The ids. Anything else is answered with an error.
    pub(super) fn ids(&self, args: &Args<'_>, reply: &mut ReplyBuffer<'_>) -> Result<Vec<Id>> {
        args.from(self.first).take(self.count).map(|text| read_id(reply, text, 0)).collect()
    }

    /// Answers that none of the entries is there.
    pub(super) fn reply_none(&self, reply: &mut ReplyBuffer<'_>) {
        reply.array(self.count);
        (0..self.count).for_each(|_| reply.integer(NOT_FOUND));
    }
}

/// What an answer says of an entry.
pub(super) const NOT_FOUND: i64 = -1;
/// See [`NOT_FOUND`].
pub(super) const DELETED: i64 = 1;
/// See [`NOT_FOUND`].
pub(super) const REFERENCED: i64 = 2;

/// Removes an entry and minds references to it; returns what is answered.
pub(super) fn remove<S: Storage>(stream: &mut Stream<S>, references: References, id: Id) -> i64 {
    match references {
        References::Acked if stream.is_referenced(id) => return REFERENCED,
        References::Drop => stream.forget(id),
        References::Keep | References::Acked => {}
    }
    if stream.remove(id) { DELETED } else { NOT_FOUND }
}

fn xdelex<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, propagate, .. } = call;
    let wanted = Wanted::read(args, reply, 2)?;
    let key = args.bytes(1);
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else {
        wanted.reply_none(reply);
        return Ok(());
    };
    let (ids, references) = (wanted.ids(args, reply)?, wanted.references);
    let stream = value::of_mut::<S>(&mut entry)?;
    let mut line = Line::new(propagate, &[b"XDEL", key]);
    let (mut removed, mut forgotten) = (0, Vec::new());
    reply.array(wanted.count);
    for id in ids {
        if references == References::Drop {
            let pending = stream.groups().filter(|(_, group)| group.pending(id).is_some());
            forgotten.extend(pending.map(|(name, _)| (name.to_vec(), id)));
        }
        let answer = remove(stream, references, id);
        reply.integer(answer);
        if answer == DELETED {
            line.push_id(id);
            removed += 1;
        }
    }
    if removed > 0 {
        line.send(propagate)?;
    }
    // What it does to references is told as what every replica knows.
    for (group, id) in &forgotten {
        let mut acknowledged = Line::new(propagate, &[b"XACK", key, group]);
        acknowledged.push_id(*id);
        acknowledged.send(propagate)?;
    }
    if removed > 0 {
        entry.modified(QUIET, "xdel");
        keys.count_elements(removed);
    } else if !forgotten.is_empty() {
        entry.modified(UNHEARD, "");
    }
    Ok(())
}
