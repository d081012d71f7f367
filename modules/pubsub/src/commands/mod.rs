//! The commands, one file per family, each spec beside its handler.

mod inspect;
mod send;
mod subscribe;

use plinth_module::abi::bytes::Bytes;
use plinth_module::prelude::*;

/// The families.
const FAMILIES: &[&[Command]] = &[subscribe::COMMANDS, send::COMMANDS, inspect::COMMANDS];

/// All commands.
pub(crate) static ALL: &[Command] = &join::<{ count_of(FAMILIES) }>(FAMILIES);

const GROUP: Bytes = text("pubsub");

/// What all specs have.
const DOCS: Docs = Docs { since: text("2.0.0"), group: GROUP, ..Docs::NEW };
/// A key spec's flags for a channel of a shard, by which a cluster routes.
const ROUTED: u64 = KEY_NOT_KEY;
