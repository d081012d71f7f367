//! LPUSH, RPUSH, LPUSHX, RPUSHX.

use super::{CATEGORIES, about, push_event};
use crate::list::{End, List};
use crate::value;
use plinth_module::prelude::*;

pub(super) const LPUSH: Command = Command {
    name: text("lpush"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_INSERT, 1)]),
    docs: &about("Puts elements before the first; makes the list if need be.", "1.0.0", "O(1) for each element."),
    run: run(|call| push(call, End::Left, true)),
    ..Command::NEW
};

pub(super) const RPUSH: Command = Command {
    name: text("rpush"),
    docs: &about("Puts elements behind the last; makes the list if need be.", "1.0.0", "O(1) for each element."),
    run: run(|call| push(call, End::Right, true)),
    ..LPUSH
};

pub(super) const LPUSHX: Command = Command {
    name: text("lpushx"),
    docs: &about("Puts elements before the first of a list that there is.", "2.2.0", "O(1) for each element."),
    run: run(|call| push(call, End::Left, false)),
    ..LPUSH
};

pub(super) const RPUSHX: Command = Command {
    name: text("rpushx"),
    docs: &about("Puts elements behind the last of a list that there is.", "2.2.0", "O(1) for each element."),
    run: run(|call| push(call, End::Right, false)),
    ..LPUSH
};

fn push(call: &mut Call<'_>, end: End, makes: bool) -> Result {
    let key = call.args.bytes(1);
    let elements = call.args.from(2);
    let len = match value::find(&mut call.keys, key)? {
        Some(list) => {
            elements.for_each(|element| list.push(end, element));
            list.len()
        }
        None if !makes => 0,
        None => {
            let mut list = List::default();
            elements.for_each(|element| list.push(end, element));
            let len = list.len();
            value::create(&mut call.keys, key, list)?;
            len
        }
    };
    if len > 0 {
        call.keys.modified(key, EVENT_LIST, push_event(end));
    }
    call.reply.count(len);
    Ok(())
}
