//! BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH: the commands that wait for an element.
//!
//! Each looks for an element as its brother that does not wait. When there is none it asks the
//! host to be run again once a list has come to one of its keys, and returns without a reply. The
//! later run is like the first: a key that holds another type by now is an error.

use super::pop::{Request, counted_keys, pop_some};
use super::transfer::transfer;
use super::{CATEGORIES, about, end, pop_event};
use crate::list::End;
use crate::value::{self, Lists, taken};
use plinth_module::prelude::*;

pub(super) const BLPOP: Command = Command {
    name: text("blpop"),
    arity: -3,
    flags: COMMAND_WRITE | COMMAND_BLOCKING,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::range(KEY_RW | KEY_ACCESS | KEY_DELETE, 1, -2, 1)]),
    docs: &about("Takes the first element of some list, or waits for one.", "2.0.0", "O(N) for N keys."),
    run: run(|call| pop(call, End::Left)),
    ..Command::NEW
};

pub(super) const BRPOP: Command = Command {
    name: text("brpop"),
    docs: &about("Takes the last element of some list, or waits for one.", "2.0.0", "O(N) for N keys."),
    run: run(|call| pop(call, End::Right)),
    ..BLPOP
};

pub(super) const BLMPOP: Command = Command {
    name: text("blmpop"),
    arity: -5,
    flags: COMMAND_WRITE | COMMAND_BLOCKING | COMMAND_MOVABLE_KEYS,
    keys: list(&[counted_keys(2)]),
    docs: &about("Takes elements of some list, or waits for one.", "7.0.0", "O(N+M), N keys, M elements."),
    run: run(blmpop),
    ..BLPOP
};

pub(super) const BLMOVE: Command = Command {
    name: text("blmove"),
    arity: 6,
    flags: COMMAND_WRITE | COMMAND_DENY_OOM | COMMAND_BLOCKING,
    keys: list(&[KeySpec::at(KEY_RW | KEY_ACCESS | KEY_DELETE, 1), KeySpec::at(KEY_RW | KEY_INSERT, 2)]),
    docs: &about("Moves an element from list to list, or waits for one.", "6.2.0", "O(1)"),
    run: run(blmove),
    ..BLPOP
};

pub(super) const BRPOPLPUSH: Command = Command {
    name: text("brpoplpush"),
    arity: 4,
    docs: &Docs {
        deprecated_since: text("6.2.0"),
        replaced_by: text("`BLMOVE` with `RIGHT` and `LEFT`"),
        ..about("Moves the last element of a list before another's first, or waits for one.", "2.2.0", "O(1)")
    },
    run: run(brpoplpush),
    ..BLMOVE
};

/// The timeout in the argument at `index`; the error is written.
fn timeout_ms(call: &mut Call<'_>, index: usize) -> Result<u64> {
    block::timeout_ms(call.args.bytes(index)).map_err(|text| call.reply.error(text))
}

/// Waits for a list at some keys; where nothing can wait, answers as if the time were up.
fn wait(call: &mut Call<'_>, keys: &[&[u8]], timeout_ms: u64, at_once: fn(&mut ReplyBuffer<'_>)) -> Result {
    if !call.block.may_wait() {
        at_once(&mut call.reply);
        return Ok(());
    }
    let of = Some(TypeHandle::of::<Lists>()?);
    call.block.wait(keys, Wait { of, timeout_ms, reply: WaitReply::NullArray, ..Wait::NEW })
}

fn pop(call: &mut Call<'_>, from: End) -> Result {
    let last = call.args.len() - 1;
    let timeout_ms = timeout_ms(call, last)?;
    for at in 1..last {
        let key = call.args.bytes(at);
        let Some(list) = value::find(&mut call.keys, key)? else { continue };
        call.reply.array(2);
        call.reply.bulk(key);
        call.reply.bulk(list.pop(from).unwrap_or_default());
        let is_empty = list.is_empty();
        taken(&mut call.keys, key, pop_event(from), is_empty)?;
        let name: &[u8] = if from == End::Left { b"LPOP" } else { b"RPOP" };
        return call.propagate.instead(&[name, key]);
    }
    let keys: Vec<&[u8]> = call.args.iter().skip(1).take(last - 1).collect();
    wait(call, &keys, timeout_ms, |reply| reply.null_array())
}

fn blmpop(call: &mut Call<'_>) -> Result {
    let timeout_ms = timeout_ms(call, 1)?;
    let request = Request::read(call, 2)?;
    for at in request.first_key..request.first_key + request.keys {
        if pop_some(call, at, &request)? {
            return Ok(());
        }
    }
    let keys: Vec<&[u8]> = call.args.iter().skip(request.first_key).take(request.keys).collect();
    wait(call, &keys, timeout_ms, |reply| reply.null_array())
}

fn blmove(call: &mut Call<'_>) -> Result {
    let ends = [end(call, 3)?, end(call, 4)?];
    let timeout_ms = timeout_ms(call, 5)?;
    if !transfer_or_wait(call, ends, timeout_ms)? {
        return Ok(());
    }
    let args: [&[u8]; 5] = [b"LMOVE", call.args.bytes(1), call.args.bytes(2), call.args.bytes(3), call.args.bytes(4)];
    call.propagate.instead(&args)
}

fn brpoplpush(call: &mut Call<'_>) -> Result {
    let timeout_ms = timeout_ms(call, 3)?;
    if !transfer_or_wait(call, [End::Right, End::Left], timeout_ms)? {
        return Ok(());
    }
    call.propagate.instead(&[b"RPOPLPUSH", call.args.bytes(1), call.args.bytes(2)])
}

/// Whether an element was moved.
fn transfer_or_wait(call: &mut Call<'_>, ends: [End; 2], timeout_ms: u64) -> Result<bool> {
    if transfer(call, ends)? {
        return Ok(true);
    }
    let source = call.args.bytes(1);
    wait(call, &[source], timeout_ms, |reply| reply.null())?;
    Ok(false)
}
