//! (to be written)
use super::CoreCommand;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[];

/// Whether a client may be called so: printable and without spaces.
pub fn is_valid_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}
