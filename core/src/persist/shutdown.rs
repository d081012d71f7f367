//! The end: what is to last is written before the server stops.

use crate::base::log;
use crate::engine::server::Server;
use crate::persist::Persist;
use crate::persist::child;
use crate::persist::save::{self, SNAPSHOT};
use crate::persist::snapshot::temporary;
use crate::settings::durability::Shutdown;

/// Stop the server after this turn; false if something could not be written: the log says what, and the server
/// goes on.
#[must_use]
pub fn stop(server: &mut Server, how: Shutdown) -> bool {
    if crate::persist::aof::is_unfinished(server) && !how.force {
        log::warning("Writing initial AOF, can't exit.");
        return false;
    }
    let persist = server.slots.peek::<Persist>();
    let pid = persist.and_then(|persist| persist.child.as_ref()).map(|child| child.pid.unsigned_abs());
    let is_loading = server.registry.standing.is_loading;
    if child::cancel(server, SNAPSHOT.name) {
        log::warning("There is a child saving an .rdb. Killing it!");
        let _ = pid.map(|pid| server.disk.remove(&temporary(&save::path(server), pid)));
    }
    let has_points = !server.settings.durability.save.is_empty();
    if !is_loading && (how.save || has_points && !how.nosave) {
        log::notice("Saving the final RDB snapshot before exiting.");
        if save::save(server).is_err() {
            if !how.force {
                log::warning("Error trying to save the DB, can't exit.");
                return false;
            }
            log::warning("Error trying to save the DB, but exiting anyway.");
        }
    }
    server.stop();
    true
}
