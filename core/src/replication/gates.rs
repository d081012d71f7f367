//! What is refused for the sake of replicas, or to them.

use crate::base::log;
use crate::engine::call::Registered;
use crate::engine::gates::Verdict;
use crate::engine::parameters::Applier;
use crate::engine::server::Server;
use crate::replication::primary;
use crate::session::client::Replicates;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_READONLY, COMMAND_WRITE};

/// What a replica may say without an answer.
const SILENT: &[&str] = &["replconf", "psync", "sync"];
const INVALID: &str = "ERR Replica can't interact with the keyspace";

/// The parameters by which writes are refused or not.
pub const WRITES: Applier = Applier {
    names: &["min-replicas-to-write", "min-replicas-max-lag"],
    apply: |server, _| {
        primary::count_replicas(server);
        Ok(Box::new(primary::count_replicas))
    },
};

/// The gate of replicas: an answer would stand in the stream, so whoever asks for one is no replica.
pub fn replica(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    let Some(client) = server.sessions.clients.get(token) else { return Verdict::Pass };
    if client.replicates != Replicates::Attached || SILENT.contains(&&*command.name) {
        return Verdict::Pass;
    }
    let name = &command.shared_name;
    if command.spec.flags & (COMMAND_WRITE | COMMAND_READONLY) != 0 {
        log::warning(&format!(
            "== CRITICAL == This master is sending an error to its replica: '-ERR Replica can't interact with the keyspace' after processing the command '{name}'"
        ));
    }
    log::warning(&format!(
        "Replica generated a reply to command '{name}', disconnecting it: id={} addr={}",
        client.id, client.address
    ));
    server.sessions.clients.close(token);
    Verdict::Refuse(INVALID.into())
}

/// The gate of `min-replicas-to-write`.
pub fn lacks(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    if !server.registry.standing.lacks_replicas {
        return Verdict::Pass;
    }
    if server.flags_of(token, command) & COMMAND_WRITE == 0 {
        return Verdict::Pass;
    }
    Verdict::Refuse(crate::registry::standing::LACKS_REPLICAS.into())
}
