//! What is propagated is counted, in units that hooks are told of, and the last of it kept, while somebody asks for it
//! (DEBUG PROPAGATION); and which keys change while a module is called outside a command.

use crate::engine::server::Server;
use crate::store::effects::Effect;
use plinth_abi::events::ON_UNIT;
use plinth_abi::propagate::PROPAGATE_TO_FILE;

/// The observer.
pub fn observe(server: &mut Server, effect: &Effect) {
    if let (Effect::Changed { db, key, .. }, Some(touched)) = (effect, &mut server.propagation.touched) {
        touched.insert((*db, key.clone()));
    }
    let are_told = server.registry.hooks.wants(ON_UNIT);
    let units = &mut server.propagation.units;
    match effect {
        Effect::Propagate { db, command, targets } if targets & PROPAGATE_TO_FILE != 0 => {
            units.add(*db, command, are_told);
        }
        Effect::UnitEnd => units.end(),
        _ => {}
    }
    let Some(recorded) = &mut server.propagation.recorded else { return };
    match effect {
        Effect::Propagate { db, command, .. } => recorded.add(*db, command),
        Effect::UnitEnd => recorded.end_unit(),
        Effect::Changed { .. } | Effect::Event { .. } | Effect::Flushed { .. } | Effect::Swapped { .. } => {}
    }
}
