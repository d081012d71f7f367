//! Commands that may need memory do not run when `maxmemory` is reached, from a client, in a
//! transaction, or in a module's stead.

use super::Verdict;
use crate::command::status::OUT_OF_MEMORY;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::COMMAND_DENY_OOM;

/// The gate.
pub fn gate(server: &mut Server, _token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    if server.lacks_memory_for(command.spec.flags) { Verdict::Refuse(OUT_OF_MEMORY.into()) } else { Verdict::Pass }
}

impl Server {
    /// Whether there is no memory for commands of these `COMMAND_*` bits.
    pub fn lacks_memory_for(&self, flags: u64) -> bool {
        let most = self.settings.maxmemory;
        flags & COMMAND_DENY_OOM != 0 && most > 0 && crate::base::memory::used_bytes() > most as usize
    }
}
