//! The commands, one file per family, each spec beside its handler.

mod eval;
mod script;

use plinth_module::abi::bytes::Bytes;
use plinth_module::prelude::*;

/// The families.
const FAMILIES: &[&[Command]] = &[eval::COMMANDS, script::COMMANDS];

/// All commands.
pub(crate) static ALL: &[Command] = &join::<{ count_of(FAMILIES) }>(FAMILIES);

const GROUP: Bytes = text("scripting");
