//! The commands: one file per family, each with the list of what it holds.
//!
//! Facts of the specs (arity, flags, key specs, tips, versions) are those that Redis 7.2 and Valkey
//! 9.1 publish in COMMAND INFO and COMMAND DOCS.

mod add;
mod algebra;
mod block;
mod bounds;
mod input;
mod pop;
mod random;
mod range;
mod read;
mod remove;
mod scan;

use crate::storage::Storage;
use plinth_module::abi::bytes::{Bytes, Slice};
use plinth_module::prelude::*;
use std::marker::PhantomData;

/// The commands over a storage.
pub struct Commands<S>(PhantomData<S>);

impl<S: Storage> Commands<S> {
    /// Every command of the module.
    pub const ALL: [Command; COUNT] = join(&[
        &add::Family::<S>::COMMANDS,
        &algebra::Family::<S>::COMMANDS,
        &block::Family::<S>::COMMANDS,
        &pop::Family::<S>::COMMANDS,
        &random::Family::<S>::COMMANDS,
        &range::Family::<S>::COMMANDS,
        &range::Family::<S>::FORMER,
        &read::Family::<S>::COMMANDS,
        &remove::Family::<S>::COMMANDS,
        &scan::Family::<S>::COMMANDS,
    ]);
}

/// Number of commands.
const COUNT: usize = 35;

/// ACL categories, beside those that follow from flags.
const CATEGORIES: Slice<Bytes> = list(&[text("sortedset")]);
/// The group that all commands are shown in.
const GROUP: Bytes = text("sorted-set");
/// The argument `key`, of the first key spec.
const KEY: Arg = Arg::key("key", 0);
/// The argument `member`.
const MEMBER: Arg = Arg::new(ARG_STRING, "member");
/// The option WITHSCORES.
const WITHSCORES: Arg = Arg::word("withscores", "WITHSCORES").flags(ARG_OPTIONAL);
/// MIN or MAX.
const WHERE: Arg = Arg::group(ARG_ONE_OF, "where", &[Arg::word("min", "MIN"), Arg::word("max", "MAX")]);

/// One reader of the key at argument 1.
const READER: Command = Command {
    flags: COMMAND_READONLY,
    category_names: CATEGORIES,
    keys: list(&[KeySpec::at(KEY_RO | KEY_ACCESS, 1)]),
    ..Command::NEW
};

/// A member and its score in a reply that is flat in RESP2 and made of pairs in RESP3.
fn reply_pair(reply: &mut ReplyBuffer<'_>, resp3: bool, member: &[u8], score: f64) {
    if resp3 {
        reply.array(2);
    }
    reply.bulk(member);
    reply.double(score);
}

/// The head of such a reply; without scores that of an array of members.
fn reply_head(reply: &mut ReplyBuffer<'_>, resp3: bool, count: usize, with_scores: bool) {
    reply.array(if with_scores && !resp3 { count * 2 } else { count });
}
