//! Some commands are not allowed between MULTI and EXEC.

use super::Verdict;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::COMMAND_NO_MULTI;

/// The gate.
pub fn gate(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    let is_open = server.sessions.clients.peek(token).is_some_and(|client| client.standing.transaction().is_some());
    if is_open && command.is(COMMAND_NO_MULTI) {
        return Verdict::Refuse("ERR Command not allowed inside a transaction".into());
    }
    Verdict::Pass
}
