//! The commands: one file per family, each spec beside its handler.
//!
//! Facts of the specs (arity, flags, key specs, tips, versions) are those that Redis 8.2 publishes in
//! COMMAND INFO and COMMAND DOCS; what HEXPIRE and its kin answer is what Redis 8.2 answers, and they
//! take what Valkey 9.1 takes besides (several conditions at once, `NX` and `XX` of HSETEX).

mod count;
mod deadline;
mod expire;
mod get;
mod getex;
mod random;
mod scan;
pub(crate) mod set;
mod setex;
mod ttl;

use crate::storage::Storage;
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::prelude::*;
use std::marker::PhantomData;

/// Number of commands.
const COUNT: usize = 28;

/// The commands over a storage.
pub(crate) struct Commands<S>(PhantomData<S>);

impl<S: Storage> Commands<S> {
    /// All of them.
    pub(crate) const ALL: [Command; COUNT] = join(&[
        &get::commands::<S>(),
        &set::commands::<S>(),
        &count::commands::<S>(),
        &random::commands::<S>(),
        &scan::commands::<S>(),
        &expire::commands::<S>(),
        &ttl::commands::<S>(),
        &getex::commands::<S>(),
        &setex::commands::<S>(),
    ]);
}

/// A spec with the function that runs it, over some storage.
const fn with(spec: Command, handler: plinth_module::command::HandlerFn) -> Command {
    Command { run: run(handler), ..spec }
}

/// A command whose second argument is a field that it looks up.
const fn seeking<S: Storage>(spec: Command, handler: plinth_module::command::HandlerFn) -> Command {
    Command { look_ahead: look_ahead::<crate::value::Hash<S>, 2>(), ..with(spec, handler) }
}

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("hash")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("hash");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The argument `field`.
const FIELD: Arg = Arg::new(ARG_STRING, "field");
/// The argument `value`.
const VALUE: Arg = Arg::new(ARG_STRING, "value");
/// `FIELDS numfields field [field ...]`.
const FIELDS: Arg = Arg::group(
    ARG_BLOCK,
    "fields",
    &[Arg::new(ARG_INTEGER, "numfields"), Arg::new(ARG_STRING, "field").flags(ARG_MULTIPLE)],
)
.token("FIELDS");

/// What commands that read share.
const READING: Command = Command {
    flags: COMMAND_READONLY | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    ..Command::NEW
};
/// What commands that change fields share.
const WRITING: Command = Command {
    flags: COMMAND_WRITE | COMMAND_FAST,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RW | KEY_UPDATE, 1)]),
    ..Command::NEW
};
/// What all docs share.
const DOCS: Docs = Docs { since: text("2.0.0"), group: GROUP, complexity: text("O(1)"), ..Docs::NEW };
/// The complexity of commands on several fields.
const PER_FIELD: Bytes = text("O(N) where N is the number of specified fields");

/// The clock of the call, as deadlines are counted.
#[inline(always)]
fn now(call: &Call<'_>) -> u64 {
    call.now_ms().max(0) as u64
}
