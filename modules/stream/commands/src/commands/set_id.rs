//! Setting the counters of a stream: XSETID.

use super::{CATEGORIES, GROUP, KEY, QUIET_BESIDE, read_id};
use crate::storage::Storage;
use crate::value;
use plinth_module::prelude::*;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(xsetid::<S>), ..XSETID }]
}

const XSETID: Command = Command {
    name: text("xsetid"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    docs: docs(&Docs {
        summary: text("Sets a stream's last id, and what else is known of entries that are gone."),
        since: text("5.0.0"),
        group: GROUP,
        complexity: text("O(1)"),
        history: list(&[Change {
            version: text("7.0.0"),
            what: text("The `ENTRIESADDED` and `MAXDELETEDID` options."),
        }]),
        args: list(&[
            KEY,
            Arg::new(ARG_STRING, "last-id"),
            Arg::new(ARG_INTEGER, "entries-added").token("ENTRIESADDED").since("7.0.0").flags(ARG_OPTIONAL),
            Arg::new(ARG_STRING, "max-deleted-id").token("MAXDELETEDID").since("7.0.0").flags(ARG_OPTIONAL),
        ]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

fn xsetid<S: Storage>(call: &mut Call<'_>) -> Result {
    let Call { args, keys, reply, .. } = call;
    let last = read_id(reply, args.bytes(2), 0)?;
    let (mut added, mut max_deleted, mut at) = (None, None, 3);
    while at < args.len() {
        let value = args.expect(at + 1)?;
        if args.word(at, "ENTRIESADDED") {
            let count = u64::try_from(args.integer(at + 1)?);
            added = Some(count.map_err(|_| reply.error("ERR entries_added must be positive"))?);
        } else if args.word(at, "MAXDELETEDID") {
            let id = read_id(reply, value, 0)?;
            if id > last {
                let text = "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id";
                return Err(reply.error(text));
            }
            max_deleted = Some(id);
        } else {
            return Err(Error::Syntax);
        }
        at += 2;
    }
    let Some(mut entry) = keys.get_write(value::handle::<S>()?, args.bytes(1))? else { return Err(Error::None) };
    let stream = value::of_mut::<S>(&mut entry)?;
    if last < stream.max_deleted() {
        let text = "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
        return Err(reply.error(text));
    }
    if stream.log().last().is_some_and(|top| last < top) {
        return Err(reply.error("ERR The ID specified in XSETID is smaller than the target stream top item"));
    }
    if !stream.is_empty() && added.is_some_and(|added| added < stream.len() as u64) {
        let text = "ERR The entries_added specified in XSETID is smaller than the target stream length";
        return Err(reply.error(text));
    }
    let added = added.unwrap_or(stream.added());
    let max_deleted = max_deleted.unwrap_or(stream.max_deleted());
    stream.set_counters(last, added, max_deleted);
    entry.modified(QUIET_BESIDE, "xsetid");
    reply.ok();
    Ok(())
}
