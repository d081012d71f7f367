//! Taking from the first of several lists that has elements: LMPOP.

use super::{CATEGORIES, ENDS, GROUP, TAKEN_FROM, end, finish, popped_at, take};
use crate::storage::{End, Storage};
use crate::value;
use plinth_module::prelude::*;
use std::ops::Range;

pub(super) const fn commands<S: Storage>() -> [Command; 1] {
    [Command { run: run(lmpop::<S>), ..LMPOP }]
}

const LMPOP: Command = Command {
    name: text("lmpop"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[keys_at(1)]),
    docs: docs(&Docs {
        summary: text("Takes elements away from the first of several lists that is there, and answers with them."),
        since: text("7.0.0"),
        group: GROUP,
        complexity: text("O(N+M) where N is the number of keys and M the number of elements taken"),
        args: list(&[NUMKEYS, KEYS, WHERE, COUNT]),
        ..Docs::NEW
    }),
    ..Command::NEW
};

/// As many keys as the argument at `index` says, behind it.
pub(super) const fn keys_at(index: i32) -> KeySpec {
    KeySpec { find: KEY_FIND_KEYNUM, last: 0, step: 1, limit: 1, ..KeySpec::at(TAKEN_FROM, index) }
}

pub(super) const NUMKEYS: Arg = Arg::new(ARG_INTEGER, "numkeys");
pub(super) const KEYS: Arg = Arg::key("key", 0).flags(ARG_MULTIPLE);
pub(super) const WHERE: Arg = Arg::group(ARG_ONE_OF, "where", ENDS);
pub(super) const COUNT: Arg = Arg::new(ARG_INTEGER, "count").token("COUNT").flags(ARG_OPTIONAL);

/// What is to be taken, and from which keys.
pub(super) struct Wanted {
    /// Arguments that are keys.
    pub(super) keys: Range<usize>,
    /// From where.
    pub(super) end: End,
    /// Most elements.
    pub(super) count: usize,
}

impl Wanted {
    /// Reads the arguments from the number of keys on, which is at `index`.
    pub(super) fn read(call: &mut Call<'_>, index: usize) -> Result<Wanted> {
        let keys = call.at_least(index, 1, "ERR numkeys should be greater than 0")?;
        let at = (index + 1).saturating_add(keys);
        let mut wanted = Wanted { keys: index + 1..at, end: end(call.args.expect(at)?)?, count: 1 };
        match call.args.len() - at {
            1 => {}
            3 if call.args.word(at + 1, "COUNT") => {
                wanted.count = call.at_least(at + 2, 1, "ERR count should be greater than 0")?;
            }
            _ => return Err(Error::Syntax),
        }
        Ok(wanted)
    }
}

fn lmpop<S: Storage>(call: &mut Call<'_>) -> Result {
    let wanted = Wanted::read(call, 1)?;
    if !mpop::<S>(call, &wanted)? {
        call.reply.null_array();
    }
    Ok(())
}

/// Takes elements away from the first key that is there, and answers with both. Returns whether
/// there was one.
pub(super) fn mpop<S: Storage>(call: &mut Call<'_>, wanted: &Wanted) -> Result<bool> {
    for at in wanted.keys.clone() {
        let key = call.args.bytes(at);
        let Call { keys, reply, propagate, .. } = call;
        let Some(mut entry) = keys.get_write(value::handle::<S>()?, key)? else { continue };
        let count = wanted.count.min(value::len::<S>(&entry));
        reply.array(2);
        reply.bulk(key);
        reply.array(count);
        let after = take::<S>(&mut entry, wanted.end, count, |value| reply.bulk_value(value))?;
        finish::<S>(keys, key, after, popped_at(wanted.end))?;
        keys.count_elements(count);
        let name: &[u8] = if wanted.end == End::Front { b"LPOP" } else { b"RPOP" };
        propagate.instead(&[name, key, itoa::Buffer::new().format(count).as_bytes()])?;
        return Ok(true);
    }
    Ok(false)
}
