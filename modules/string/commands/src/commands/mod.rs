//! The commands: one file per family, each with the list of what it holds.
//!
//! Facts of the specs (arity, flags, key specs, tips, versions) are those that Redis 7.2 and Valkey
//! 9.1 publish in COMMAND INFO and COMMAND DOCS.

mod change;
mod counter;
mod expire;
mod get;
mod lcs;
mod many;
mod options;
mod remove;
mod set;

use crate::storage::Storage;
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::config::Configs;
use plinth_module::prelude::*;
use std::marker::PhantomData;

/// Number of commands.
const COUNT: usize = 24;

/// The commands over a storage.
pub(crate) struct Commands<S>(PhantomData<S>);

impl<S: Storage> Commands<S> {
    /// All of them.
    pub(crate) const ALL: [Command; COUNT] = join(&[
        &get::commands::<S>(),
        &set::commands::<S>(),
        &counter::commands::<S>(),
        &change::commands::<S>(),
        &many::commands::<S>(),
        &expire::commands::<S>(),
        &remove::commands::<S>(),
        &lcs::commands::<S>(),
    ]);
}

/// A spec with the function that runs it, over some storage.
const fn with(spec: Command, handler: plinth_module::command::HandlerFn) -> Command {
    Command { run: run(handler), ..spec }
}

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("string")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("string");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The argument `value`.
const VALUE: Arg = Arg::new(ARG_STRING, "value");
/// A key and its value, repeated.
const PAIRS: Arg = Arg::group(ARG_BLOCK, "data", &[KEY, VALUE]).flags(ARG_MULTIPLE);

/// The size below which no value of `proto-max-bulk-len` lies.
const LIMIT_MIN: u64 = 1 << 20;
/// What `proto-max-bulk-len` is unless set.
const LIMIT_DEFAULT: u64 = 512 << 20;

/// Whether a string may have `len` bytes. Fails with `TooLarge`.
#[inline]
pub(crate) fn check_len(config: &Configs<'_>, len: u64) -> Result {
    if len <= LIMIT_MIN || len <= limit(config) { Ok(()) } else { Err(Error::TooLarge) }
}

/// The limit on a string's length in bytes.
#[cold]
fn limit(config: &Configs<'_>) -> u64 {
    config.number("proto-max-bulk-len").map_or(LIMIT_DEFAULT, |limit| limit.max(0) as u64)
}
