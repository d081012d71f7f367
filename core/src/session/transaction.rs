//! The transaction that a client is in: what it has queued between MULTI and EXEC.
//!
//! Commands are kept as text and looked up again by EXEC, so that a module that comes or goes in
//! between cannot leave a dangling command.

use crate::base::id::ModuleId;

/// A command that waits for EXEC.
pub struct Queued {
    /// Its arguments, one behind the other, and where each ends.
    pub bytes: Vec<u8>,
    /// End of each argument in `bytes`.
    pub ends: Vec<usize>,
    /// Name of the command.
    pub name: String,
    /// Module of the command.
    pub module: ModuleId,
}

/// A transaction between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    /// Queued commands.
    pub queue: Vec<Queued>,
    /// Whether a command could not be queued, so that EXEC aborts.
    pub failed: bool,
    /// Bytes that the queue takes.
    pub bytes: usize,
    /// All `COMMAND_*` bits of the queued commands.
    pub flags: u64,
}

/// Whether a command is the one that ends a transaction by running it.
pub fn is_exec(name: &str) -> bool {
    name == "exec"
}
