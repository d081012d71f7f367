//! What hooks of modules want to know is kept for them, until they can be told.

use crate::engine::effects::Told;
use crate::engine::server::Server;
use crate::store::effects::Effect;
use plinth_abi::events::{ON_FLUSH, ON_KEY, ON_SWAP};

/// The observer.
pub fn observe(server: &mut Server, effect: &Effect) {
    let kind = match effect {
        Effect::Changed { .. } | Effect::Propagate { .. } | Effect::UnitEnd => return,
        Effect::Event { .. } => ON_KEY,
        Effect::Flushed { .. } => ON_FLUSH,
        Effect::Swapped { .. } => ON_SWAP,
    };
    if !server.registry.hooks.wants(kind) {
        return;
    }
    let told = Told { kind, ..Told::default() };
    server.tell(match effect {
        Effect::Event { db, key, class, name } => {
            Told { db: *db as i32, class: *class, name: name.clone(), key: key.clone(), ..told }
        }
        Effect::Flushed { db, .. } => Told { db: db.map_or(-1, |db| db as i32), ..told },
        Effect::Swapped { first, second } => Told { db: *first as i32, other_db: *second as i32, ..told },
        Effect::Changed { .. } | Effect::Propagate { .. } | Effect::UnitEnd => return,
    });
}
