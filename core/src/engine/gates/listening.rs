//! A client that listens and speaks RESP2 could not tell replies from what it listens to: it runs only the
//! commands that answer in the form of messages, and those that end it.

use super::Verdict;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::COMMAND_WHILE_LISTENING;

/// The gate.
pub fn gate(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    let is_bound =
        server.sessions.clients.peek(token).is_some_and(|client| client.resp == 2 && client.listening.is_some());
    if !is_bound || command.is(COMMAND_WHILE_LISTENING) {
        return Verdict::Pass;
    }
    let allowed = "(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET";
    Verdict::Refuse(format!(
        "ERR Can't execute '{}': only {allowed} are allowed in this context",
        command.name.to_ascii_lowercase()
    ))
}
