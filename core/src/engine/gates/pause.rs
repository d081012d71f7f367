//! CLIENT PAUSE: commands wait, all or those that may write.
//!
//! Those of a transaction that runs do not come here: a pause that begins within it holds from its
//! end on.

use super::Verdict;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_MAY_REPLICATE, COMMAND_WRITE};

/// The gate.
pub fn gate(server: &mut Server, token: usize, command: &Registered, args: &[Bytes]) -> Verdict {
    if server.is_held_back(token, command, args) { Verdict::Wait } else { Verdict::Pass }
}

impl Server {
    /// Whether CLIENT PAUSE holds a command back.
    pub fn is_held_back(&self, token: usize, command: &Registered, args: &[Bytes]) -> bool {
        let Some(pause) = self.sessions.pause.filter(|pause| pause.until_ms > self.clock.now_ms) else { return false };
        let queued = self.flags_of(token, command) & !command.spec.flags;
        let flags = queued | Server::flags_with(command, args);
        !pause.writes_only || flags & (COMMAND_WRITE | COMMAND_MAY_REPLICATE) != 0
    }

    /// Let waiting clients go on.
    pub fn end_pause(&mut self) {
        self.sessions.pause = None;
        self.observe();
        self.release_held();
        for token in self.sessions.clients.tokens() {
            if let Some(client) = self.sessions.clients.get(token)
                && client.stalled
                && client.blocked.is_none()
            {
                client.stalled = false;
                client.query.restart();
                self.sessions.clients.list_read(token);
            }
        }
    }
}
