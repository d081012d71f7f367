//! (to be written)
use super::CoreCommand;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[];
