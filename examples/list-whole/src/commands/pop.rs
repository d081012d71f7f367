//! LPOP, RPOP, LMPOP.

use super::{CATEGORIES, about, end, pop_event};
use crate::list::{End, List};
use crate::value::{self, taken};
use plinth_module::prelude::*;

pub(super) const LPOP: Command = Command {
    name: text("lpop"),
    arity: -2,
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1)]),
    docs: &about("Takes the first element, or the first few.", "1.0.0", "O(N) for N elements taken."),
    run: run(|call| pop(call, End::Left)),
    ..Command::NEW
};

pub(super) const RPOP: Command = Command {
    name: text("rpop"),
    docs: &about("Takes the last element, or the last few.", "1.0.0", "O(N) for N elements taken."),
    run: run(|call| pop(call, End::Right)),
    ..LPOP
};

pub(super) const LMPOP: Command = Command {
    name: text("lmpop"),
    arity: -4,
    flags: COMMAND_WRITE | COMMAND_MOVABLE_KEYS,
    category_names: CATEGORIES,
    keys: list(&[counted_keys(1)]),
    docs: &about("Takes elements from the first list that is not empty.", "7.0.0", "O(N+M), N keys, M elements."),
    run: run(lmpop),
    ..Command::NEW
};

/// Keys behind their number, which is the argument at `index`.
pub(super) const fn counted_keys(index: i32) -> KeySpec {
    KeySpec {
        find: KEY_FIND_KEYNUM,
        last: 0,
        step: 1,
        limit: 1,
        ..KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, index)
    }
}

fn pop(call: &mut Call<'_>, from: End) -> Result {
    let key = call.args.bytes(1);
    if call.args.len() > 3 {
        return Err(Error::Arity);
    }
    let count = match call.args.get(2) {
        None => None,
        Some(_) => match call.args.integer(2) {
            Ok(count) if count >= 0 => Some(count as usize),
            _ => return Err(call.reply.error("ERR value is out of range, must be positive")),
        },
    };
    let Some(list) = value::find(&mut call.keys, key)? else {
        match count {
            None => call.reply.null(),
            Some(_) => call.reply.null_array(),
        }
        return Ok(());
    };
    match count {
        None => call.reply.bulk(list.pop(from).unwrap_or_default()),
        Some(count) => many(list, from, count, &mut call.reply),
    }
    let is_empty = list.is_empty();
    if count != Some(0) {
        taken(&mut call.keys, key, pop_event(from), is_empty)?;
    }
    Ok(())
}

/// Takes up to `count` elements and replies with them.
pub(super) fn many(list: &mut List, from: End, count: usize, reply: &mut ReplyBuffer<'_>) {
    let count = count.min(list.len());
    reply.array(count);
    for element in std::iter::from_fn(|| list.pop(from)).take(count) {
        reply.bulk(element);
    }
}

/// What LMPOP and BLMPOP are asked for.
pub(super) struct Request {
    pub(super) first_key: usize,
    pub(super) keys: usize,
    pub(super) from: End,
    pub(super) count: usize,
}

impl Request {
    /// Reads the arguments from the number of keys on. Errors about numbers are written.
    pub(super) fn read(call: &mut Call<'_>, at: usize) -> Result<Request> {
        let positive = |number: Result<i64>| number.ok().filter(|&number| number > 0 && number <= i64::from(i32::MAX));
        let Some(keys) = positive(call.args.integer(at)) else {
            return Err(call.reply.error("ERR numkeys should be greater than 0"));
        };
        let keys = keys as usize;
        let mut next = at + 1 + keys;
        let from = end(call, next)?;
        next += 1;
        let mut count = 1;
        if next < call.args.len() {
            if !call.args.word(next, "count") || next + 2 != call.args.len() {
                return Err(Error::Syntax);
            }
            let Some(number) = positive(call.args.integer(next + 1)) else {
                return Err(call.reply.error("ERR count should be greater than 0"));
            };
            count = number as usize;
        }
        Ok(Request { first_key: at + 1, keys, from, count })
    }
}

fn lmpop(call: &mut Call<'_>) -> Result {
    let request = Request::read(call, 1)?;
    for at in request.first_key..request.first_key + request.keys {
        if pop_some(call, at, &request)? {
            return Ok(());
        }
    }
    call.reply.null_array();
    Ok(())
}

/// Serves LMPOP and BLMPOP from the key at an argument, if there is anything. What is passed on
/// names that key alone.
pub(super) fn pop_some(call: &mut Call<'_>, at: usize, request: &Request) -> Result<bool> {
    let key = call.args.bytes(at);
    let Some(list) = value::find(&mut call.keys, key)? else { return Ok(false) };
    let count = request.count.min(list.len());
    call.reply.array(2);
    call.reply.bulk(key);
    many(list, request.from, count, &mut call.reply);
    let is_empty = list.is_empty();
    taken(&mut call.keys, key, pop_event(request.from), is_empty)?;
    let name: &[u8] = if request.from == End::Left { b"LPOP" } else { b"RPOP" };
    call.propagate.instead(&[name, key, count.to_string().as_bytes()])?;
    Ok(true)
}
