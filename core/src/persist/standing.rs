//! What is refused: everything that does not say otherwise while data are loaded, and writes when the last
//! snapshot failed.

use crate::engine::call::Registered;
use crate::engine::gates::Verdict;
use crate::engine::parameters::Applier;
use crate::engine::server::Server;
use crate::persist::Persist;
use crate::registry::standing::LOADING;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_LOADING, COMMAND_NO_ASYNC_LOADING, COMMAND_WRITE};

/// The parameters by which writes are refused or not.
pub const WRITES: Applier = Applier {
    names: &["save", "stop-writes-on-bgsave-error"],
    apply: |server, _| {
        changed(server);
        Ok(Box::new(changed))
    },
};

/// The gate of loading.
pub fn loading(server: &mut Server, _token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    let standing = &server.registry.standing;
    let refuses = match (standing.is_loading, standing.serves_old) {
        (false, _) => false,
        (true, false) => !command.is(COMMAND_LOADING),
        (true, true) => command.is(COMMAND_NO_ASYNC_LOADING),
    };
    if refuses { Verdict::Refuse(LOADING.into()) } else { Verdict::Pass }
}

/// The gate of the disk. PING is refused as well: by it the health of a server is asked.
pub fn disk(server: &mut Server, token: usize, command: &Registered, _args: &[Bytes]) -> Verdict {
    let Some(text) = server.registry.standing.disk_refusal() else { return Verdict::Pass };
    let writes = server.flags_of(token, command) & COMMAND_WRITE != 0 || command.name == "ping";
    if writes { Verdict::Refuse(text.into()) } else { Verdict::Pass }
}

/// What is refused may have changed.
pub fn changed(server: &mut Server) {
    let persist = server.slots.peek::<Persist>();
    let durability = &server.settings.durability;
    let has_failed = persist.is_some_and(|persist| !persist.saves.succeeded);
    let snapshot_failed = has_failed && durability.stop_writes_on_bgsave_error && !durability.save.is_empty();
    let loading = persist.and_then(|persist| persist.loading);
    server.registry.standing.snapshot_failed = snapshot_failed;
    server.registry.standing.is_loading = loading.is_some();
    server.registry.standing.serves_old = loading.is_some_and(|loading| loading.serves_old);
    server.observe();
}
