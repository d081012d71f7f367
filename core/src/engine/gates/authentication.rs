//! Only commands that say who the client is run before that is known.

use super::Verdict;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::COMMAND_NO_AUTH;

/// The gate.
pub fn gate(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    let is_known = server.sessions.clients.peek(token).is_none_or(|client| client.standing.is_known());
    if is_known || command.is(COMMAND_NO_AUTH) {
        return Verdict::Pass;
    }
    Verdict::Refuse("NOAUTH Authentication required.".into())
}
