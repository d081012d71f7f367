//! What a replica refuses: writes, as they are its primary's affair, and all that needs the data while it is not known
//! how old they are.

use crate::engine::call::Registered;
use crate::engine::gates::Verdict;
use crate::engine::parameters::Applier;
use crate::engine::server::Server;
use crate::registry::replication::{Link, READ_ONLY, STALE};
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_STALE, COMMAND_WRITE};

/// The parameters by which something is refused or not.
pub const REFUSALS: Applier = Applier {
    names: &["replica-read-only", "replica-serve-stale-data"],
    apply: |server, _| {
        changed(server);
        Ok(Box::new(changed))
    },
};

/// The gate of writes.
pub fn read_only(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    if !server.registry.replication.refuses_writes {
        return Verdict::Pass;
    }
    if server.flags_of(token, command) & COMMAND_WRITE != 0 { Verdict::Refuse(READ_ONLY.into()) } else { Verdict::Pass }
}

/// The gate of data that may be old.
pub fn stale(server: &mut Server, _token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    if server.registry.replication.refuses_stale && !command.is(COMMAND_STALE) {
        return Verdict::Refuse(STALE.into());
    }
    Verdict::Pass
}

/// What is refused may have changed.
pub fn changed(server: &mut Server) {
    let settings = &server.settings.replication;
    let known = &mut server.registry.replication;
    let is_replica = known.is_replica();
    known.refuses_writes = is_replica && settings.read_only;
    known.refuses_stale = is_replica && !settings.serve_stale_data && known.link != Link::Up;
    server.observe();
}
