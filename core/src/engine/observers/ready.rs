//! Keys that somebody waits for are noted as ready.

use crate::engine::server::Server;
use crate::store::effects::Effect;

/// The observer.
pub fn observe(server: &mut Server, effect: &Effect) {
    match effect {
        Effect::Changed { db, key, is_awaited: true, .. } => server.note_ready(*db, key),
        Effect::Flushed { db, .. } => server.note_ready_database(*db),
        Effect::Swapped { first, second } if first != second => {
            server.note_ready_database(Some(*first));
            server.note_ready_database(Some(*second));
        }
        Effect::Changed { .. } | Effect::Event { .. } | Effect::Swapped { .. } => {}
        Effect::Propagate { .. } | Effect::UnitEnd => {}
    }
}
