//! LMOVE and RPOPLPUSH: from one list's end to another's.

use super::{CATEGORIES, about, end, pop_event, push_event};
use crate::list::{End, List};
use crate::value::{self, taken};
use plinth_module::prelude::*;

pub(super) const LMOVE: Command = Command {
    name: text("lmove"),
    arity: 5,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1), KeySpec::at(KEY_RW | KEY_INSERT, 2)]),
    docs: &about("Takes an element from one list's end and puts it to another's.", "6.2.0", "O(1)"),
    run: run(lmove),
    ..Command::NEW
};

pub(super) const RPOPLPUSH: Command = Command {
    name: text("rpoplpush"),
    arity: 3,
    docs: &Docs {
        deprecated_since: text("6.2.0"),
        replaced_by: text("`LMOVE` with `RIGHT` and `LEFT`"),
        ..about("Takes the last element of a list and puts it before another's first.", "1.2.0", "O(1)")
    },
    run: run(rpoplpush),
    ..LMOVE
};

fn lmove(call: &mut Call<'_>) -> Result {
    let ends = [end(call, 3)?, end(call, 4)?];
    transfer_or_null(call, ends)
}

fn rpoplpush(call: &mut Call<'_>) -> Result {
    transfer_or_null(call, [End::Right, End::Left])
}

fn transfer_or_null(call: &mut Call<'_>, ends: [End; 2]) -> Result {
    if !transfer(call, ends)? {
        call.reply.null();
    }
    Ok(())
}

/// Moves an element between the lists at the first two arguments and replies with it; false when
/// there is none.
pub(super) fn transfer(call: &mut Call<'_>, [from, to]: [End; 2]) -> Result<bool> {
    let (source, target) = (call.args.bytes(1), call.args.bytes(2));
    let Some(list) = value::find(&mut call.keys, source)? else { return Ok(false) };
    if source == target {
        let element = list.pop(from).unwrap_or_default();
        list.push(to, &element);
        call.reply.bulk(&element);
        call.keys.notify(source, EVENT_LIST, push_event(to));
        call.keys.modified(source, EVENT_LIST, pop_event(from));
        return Ok(true);
    }
    let element = list.peek(from).unwrap_or_default().to_vec();
    // All that may fail comes before the source is touched.
    match value::find(&mut call.keys, target)? {
        Some(list) => list.push(to, &element),
        None => {
            let mut list = List::default();
            list.push(to, &element);
            value::create(&mut call.keys, target, list)?;
        }
    }
    call.keys.modified(target, EVENT_LIST, push_event(to));
    if let Some(list) = value::find(&mut call.keys, source)? {
        list.pop(from);
        let is_empty = list.is_empty();
        taken(&mut call.keys, source, pop_event(from), is_empty)?;
    }
    call.reply.bulk(&element);
    Ok(true)
}
