//! What is propagated is counted, and the last of it kept, while somebody asks for it (DEBUG PROPAGATION);
//! and which keys change while a module is called outside a command.

use crate::engine::server::Server;
use crate::store::effects::Effect;

/// The observer.
pub fn observe(server: &mut Server, effect: &Effect) {
    if let (Effect::Changed { db, key, .. }, Some(touched)) = (effect, &mut server.propagation.touched) {
        touched.insert((*db, key.clone()));
    }
    let Some(recorded) = &mut server.propagation.recorded else { return };
    match effect {
        Effect::Propagate { db, command, .. } => recorded.add(*db, command),
        Effect::UnitEnd => recorded.end_unit(),
        Effect::Changed { .. } | Effect::Event { .. } | Effect::Flushed { .. } | Effect::Swapped { .. } => {}
    }
}
