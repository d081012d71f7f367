//! Commands that may need memory do not run when `maxmemory` is reached and no key makes room, from a client,
//! in a transaction, or in a module's stead.

use super::Verdict;
use crate::command::status::OUT_OF_MEMORY;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_DENY_OOM, COMMAND_NOT_QUEUED};

/// The gate. What is queued takes memory, whatever it does.
pub fn gate(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    // What is removed while a command is in the middle of something would be told as part of that.
    if server.settings.maxmemory == 0 || server.is_busy() || server.ignores_maxmemory() {
        return Verdict::Pass;
    }
    let queues = !command.is(COMMAND_NOT_QUEUED)
        && server.sessions.clients.peek(token).is_some_and(|client| client.standing.transaction().is_some());
    let flags = command.spec.flags | if queues { COMMAND_DENY_OOM } else { 0 };
    if flags & COMMAND_DENY_OOM != 0 && !server.make_room(true) {
        return Verdict::Refuse(OUT_OF_MEMORY.into());
    }
    Verdict::Pass
}

impl Server {
    /// Whether there is no memory for commands of these `COMMAND_*` bits, even if keys make room.
    pub fn lacks_memory_for(&mut self, flags: u64) -> bool {
        flags & COMMAND_DENY_OOM != 0
            && self.settings.maxmemory > 0
            && !self.stream.is_running
            && !self.ignores_maxmemory()
            && !self.make_room(false)
    }

    /// Whether memory is its primary's affair: a replica holds what the primary does.
    pub fn ignores_maxmemory(&self) -> bool {
        self.settings.replication.ignore_maxmemory && self.registry.replication.is_replica()
    }
}
