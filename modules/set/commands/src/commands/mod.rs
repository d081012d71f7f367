//! The commands: one file per family, each spec beside its function.
//!
//! Facts of the specs (arity, flags, key specs, tips, versions) are those that Redis 7.2 and Valkey
//! 9.1 publish in COMMAND INFO and COMMAND DOCS.

mod change;
mod combine;
mod intersect;
mod random;
mod read;
mod scan;

use crate::codec::SetType;
use crate::storage::Storage;
use crate::value::Owned;
use crate::view::View;
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::prelude::*;
use std::marker::PhantomData;

/// The commands of sets over a storage.
pub struct Commands<S>(PhantomData<S>);

impl<S: Storage> Commands<S> {
    /// Every command.
    pub const ALL: [Command; 17] = [
        seeking::<S>(change::SADD, change::sadd::<S>),
        seeking::<S>(change::SREM, change::srem::<S>),
        with(change::SMOVE, change::smove::<S>),
        seeking::<S>(read::SISMEMBER, read::sismember::<S>),
        seeking::<S>(read::SMISMEMBER, read::smismember::<S>),
        with(read::SCARD, read::scard::<S>),
        with(read::SMEMBERS, read::smembers::<S>),
        with(random::SPOP, random::spop::<S>),
        with(random::SRANDMEMBER, random::srandmember::<S>),
        with(intersect::SINTER, intersect::sinter::<S>),
        with(intersect::SINTERCARD, intersect::sintercard::<S>),
        with(intersect::SINTERSTORE, intersect::sinterstore::<S>),
        with(combine::SUNION, combine::sunion::<S>),
        with(combine::SUNIONSTORE, combine::sunionstore::<S>),
        with(combine::SDIFF, combine::sdiff::<S>),
        with(combine::SDIFFSTORE, combine::sdiffstore::<S>),
        with(scan::SSCAN, scan::sscan::<S>),
    ];
}

const fn with(spec: Command, handler: plinth_module::command::HandlerFn) -> Command {
    let mut spec = spec;
    spec.run = run(handler);
    spec
}

/// A command whose second argument is a member that it looks up.
const fn seeking<S: Storage>(spec: Command, handler: plinth_module::command::HandlerFn) -> Command {
    let mut spec = with(spec, handler);
    spec.look_ahead = look_ahead::<SetType<S>, 2>();
    spec
}

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("set")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("set");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// One key or more, of the first key spec.
const KEYS: Arg = KEY.flags(ARG_MULTIPLE);
/// The keys behind a destination.
const SOURCES: Arg = Arg::key("key", 1).flags(ARG_MULTIPLE);
/// The argument `destination`, of the first key spec.
const DESTINATION: Arg = Arg::key("destination", 0);
/// The argument `member`.
const MEMBER: Arg = Arg::new(ARG_STRING, "member");

/// The set of a key to be read; `None` when there is no such key.
#[inline(always)]
fn find<'k, S: Storage>(keys: &'k mut Keys<'_>, key: &'k [u8]) -> Result<Option<View<'k, S>>> {
    let entry = keys.get(TypeHandle::of::<SetType<S>>()?, key)?;
    Ok(entry.and_then(|entry| entry.into_stored::<SetType<S>>()).map(View::of))
}

/// The set of a key to be changed; `None` when there is no such key.
#[inline(always)]
fn find_write<'k, S: Storage>(keys: &'k mut Keys<'_>, key: &'k [u8]) -> Result<Option<Entry<'k>>> {
    keys.get_write(TypeHandle::of::<SetType<S>>()?, key)
}

/// The sets of several keys, to be read at one time.
fn find_each<'k, 'n, S: Storage>(
    keys: &'k mut Keys<'_>,
    names: impl IntoIterator<Item = &'n [u8]>,
    flags: u32,
) -> Result<Vec<Option<View<'k, S>>>> {
    let held = keys.get_each(TypeHandle::of::<SetType<S>>()?, names, flags)?;
    Ok(held.iter().map(|held| held.as_ref()?.stored::<SetType<S>>().map(View::of)).collect())
}

/// Answers with all members.
fn reply_all<S: Storage>(reply: &mut ReplyBuffer<'_>, set: View<'_, S>) {
    reply.set(set.len());
    set.for_each(|member| reply.bulk_value(member));
}

/// Ends a *STORE command: the key becomes the result, or goes when that is empty; announces it and
/// answers with the number of members.
fn store<S: Storage>(call: &mut Call<'_>, result: Owned<S>, event: &str) -> Result {
    let (key, len) = (call.args.bytes(1), result.view().len());
    if len == 0 {
        if call.keys.remove(key, 0)? {
            call.keys.modified(key, EVENT_GENERIC, "del");
        }
    } else {
        result.store(&mut call.keys, key, 0)?;
        call.keys.modified(key, EVENT_SET, event);
    }
    call.reply.count(len);
    Ok(())
}

/// Removes a key whose last member is gone, after `event` was said of it.
fn remove_empty(keys: &mut Keys<'_>, key: &[u8], event: &str) -> Result {
    keys.remove(key, 0)?;
    keys.modified(key, EVENT_SET, event);
    keys.notify(key, EVENT_GENERIC, "del");
    Ok(())
}
