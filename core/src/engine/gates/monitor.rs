//! A client that is shown what others do (MONITOR) has nothing to do with keys: their commands' replies could not be told
//! from what it is shown.

use super::Verdict;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_READONLY, COMMAND_WRITE};

/// The gate.
pub fn gate(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    let is_bound = server.sessions.clients.peek(token).is_some_and(|client| client.standing.is_monitor());
    if is_bound && command.spec.flags & (COMMAND_WRITE | COMMAND_READONLY) != 0 {
        return Verdict::Refuse("ERR Replica can't interact with the keyspace".into());
    }
    Verdict::Pass
}
