//! A command that takes long serves others: but few commands run meanwhile.
//!
//! Those of whatever takes long do not come here, nor those of EXEC: a module that gives way runs none then.

use super::Verdict;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_ALLOW_BUSY, COMMAND_WRITE};

/// The gate. What writes would stand in the middle of what goes on, whatever it allows.
pub fn gate(server: &mut Server, _token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    match &server.registry.standing.busy {
        Some(_) if command.is(COMMAND_ALLOW_BUSY) && !command.is(COMMAND_WRITE) => Verdict::Pass,
        Some(busy) => Verdict::Refuse(busy.refusal.clone()),
        None => Verdict::Pass,
    }
}
