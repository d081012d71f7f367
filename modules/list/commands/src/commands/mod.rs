//! The commands: one file per family, each with the list of what it holds.
//!
//! Facts of the specs (arity, flags, key specs, versions) are those that Redis 7.2 and Valkey 9.1
//! publish in COMMAND INFO and COMMAND DOCS. A spec stands without the function that runs it,
//! because that depends on the storage; each family's `commands` joins the two.

mod debug;
mod edit;
mod mpop;
mod pop;
mod push;
mod read;
mod transfer;
mod wait;

use crate::storage::{End, Storage};
use crate::value;
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::pack::{Digits, Value};
use plinth_module::prelude::*;
use std::ops::ControlFlow;

/// Number of commands.
pub const COUNT: usize = 23;

/// Every command, over a storage.
pub const fn all<S: Storage>() -> [Command; COUNT] {
    join(&[
        &push::commands::<S>(),
        &pop::commands::<S>(),
        &read::commands::<S>(),
        &edit::commands::<S>(),
        &transfer::commands::<S>(),
        &mpop::commands::<S>(),
        &wait::commands::<S>(),
        &debug::COMMANDS,
    ])
}

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("list")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("list");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The argument `element`.
const ELEMENT: Arg = Arg::new(ARG_STRING, "element");
/// The words for a list's ends.
const ENDS: &[Arg] = &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")];

/// A condition of key specs: the value is read and an element taken away.
const TAKEN_FROM: u64 = KEY_RW | KEY_ACCESS | KEY_DELETE;
/// The value is changed by an element that comes.
const ADDED_TO: u64 = KEY_RW | KEY_INSERT;

/// The end that a word names. Fails with `Syntax`.
fn end(word: &[u8]) -> Result<End> {
    if word.eq_ignore_ascii_case(b"left") {
        Ok(End::Front)
    } else if word.eq_ignore_ascii_case(b"right") {
        Ok(End::Back)
    } else {
        Err(Error::Syntax)
    }
}

/// What an addition is announced as.
pub(crate) const fn pushed_at(end: End) -> &'static str {
    match end {
        End::Front => "lpush",
        End::Back => "rpush",
    }
}

/// What a removal is announced as.
pub(crate) const fn popped_at(end: End) -> &'static str {
    match end {
        End::Front => "lpop",
        End::Back => "rpop",
    }
}

/// Whether an element is of a length that can be kept. Fails with `TooLarge`.
#[inline]
fn check_len(text: &[u8]) -> Result {
    if text.len() <= crate::codec::ELEMENT_MAX { Ok(()) } else { Err(Error::TooLarge) }
}

/// The part of a list of `len` elements from `start` to `stop`, both included, where negative
/// positions count from the end: where it begins, and how many elements it has.
pub(crate) fn range(len: usize, start: i64, stop: i64) -> (usize, usize) {
    let from_end = |at: i64| if at < 0 { at.saturating_add_unsigned(len as u64) } else { at };
    let start = from_end(start).max(0) as u64 as usize;
    let stop = from_end(stop);
    if stop < 0 || start >= len || start as i64 > stop {
        return (0, 0);
    }
    (start, (stop as u64 as usize).min(len - 1) - start + 1)
}

/// What an entry is after elements were taken away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// It has none any more, and is to be removed.
    Empty,
    /// It has so few that it is to be made small.
    Short,
    /// It has some.
    Some,
}

/// Hands `count` elements, at least one, at one end to `take`, and takes them away; when they are
/// all there are the entry stays as it is. [`finish`] does the rest.
#[inline]
pub(crate) fn take<S: Storage>(
    entry: &mut Entry<'_>,
    end: End,
    count: usize,
    mut take: impl FnMut(Value<'_>),
) -> Result<After> {
    if count < value::len::<S>(entry) {
        value::pop::<S>(entry, end, count, take)?;
        return after::<S>(entry);
    }
    let mut one = |value: Value<'_>| {
        take(value);
        ControlFlow::<()>::Continue(())
    };
    let _ = match end {
        End::Front => value::visit::<S, ()>(entry, 0, &mut one),
        End::Back => value::visit_back::<S, ()>(entry, usize::MAX, &mut one),
    };
    Ok(After::Empty)
}

/// What an entry is that has elements after a removal.
#[inline]
fn after<S: Storage>(entry: &mut Entry<'_>) -> Result<After> {
    Ok(if value::shrink::<S>(entry)? { After::Short } else { After::Some })
}

/// Ends a removal: announces it as `event`, and removes the key or makes the list small.
#[inline]
pub(crate) fn finish<S: Storage>(keys: &mut Keys<'_>, key: &[u8], after: After, event: &str) -> Result {
    match after {
        After::Empty => {
            keys.remove(key, 0)?;
            keys.modified(key, EVENT_LIST, event);
            keys.notify(key, EVENT_GENERIC, "del");
            return Ok(());
        }
        After::Short => value::make_small::<S>(keys, key)?,
        After::Some => {}
    }
    keys.modified(key, EVENT_LIST, event);
    Ok(())
}

/// Bytes of an element, for a command that passes it on.
fn bytes_of(value: Value<'_>) -> Vec<u8> {
    value.text(&mut Digits::new()).to_vec()
}
