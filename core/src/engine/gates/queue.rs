//! MULTI: commands wait for EXEC. The last gate: what is queued was checked.

use super::Verdict;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::COMMAND_NOT_QUEUED;

/// The gate.
pub fn gate(server: &mut Server, token: usize, command: &Registered, args: &[Bytes]) -> Verdict {
    let is_open = server.sessions.clients.peek(token).is_some_and(|client| client.standing.transaction().is_some());
    if !is_open || command.is(COMMAND_NOT_QUEUED) {
        return Verdict::Pass;
    }
    server.queue(token, command, args);
    Verdict::Queued
}
