//! Clients that cache are told what is no longer as they have read it.

use crate::engine::server::Server;
use crate::store::effects::Effect;

/// The observer.
pub fn observe(server: &mut Server, effect: &Effect) {
    if server.sessions.tracked.clients == 0 {
        return;
    }
    match effect {
        Effect::Changed { key, is_watched: true, is_unasked, .. } => server.tell_changed(key, *is_unasked),
        Effect::Flushed { .. } => server.tell_all_stale(),
        Effect::Swapped { first, second } if first != second => server.tell_all_stale(),
        Effect::Changed { .. }
        | Effect::Event { .. }
        | Effect::Swapped { .. }
        | Effect::Propagate { .. }
        | Effect::UnitEnd => {}
    }
}
