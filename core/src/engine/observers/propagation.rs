//! What is propagated is counted, and the last of it kept, while somebody asks for it (DEBUG PROPAGATION).

use crate::engine::server::Server;
use crate::store::effects::Effect;
use bytes::Bytes;
use std::collections::VecDeque;

/// Most units that are kept.
const UNITS_MAX: usize = 128;
/// Most commands of a unit that are kept.
const UNIT_COMMANDS_MAX: usize = 128;

/// A command that was propagated, and the database that it is for.
pub type Propagated = (u32, Bytes);

/// What was propagated.
#[derive(Default)]
pub struct Recorded {
    /// Units.
    pub units: u64,
    /// Commands.
    pub commands: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The last units, each with its first commands.
    pub last: VecDeque<Vec<Propagated>>,
    /// The first commands of the unit that goes on.
    open: Vec<Propagated>,
}

impl Recorded {
    fn add(&mut self, db: u32, command: &Bytes) {
        self.commands += 1;
        self.bytes += command.len() as u64;
        if self.open.len() < UNIT_COMMANDS_MAX {
            self.open.push((db, command.clone()));
        }
    }

    fn end_unit(&mut self) {
        self.units += 1;
        if self.last.len() == UNITS_MAX {
            self.last.pop_front();
        }
        self.last.push_back(std::mem::take(&mut self.open));
    }
}

/// The observer.
pub fn observe(server: &mut Server, effect: &Effect) {
    let Some(recorded) = &mut server.propagation.recorded else { return };
    match effect {
        Effect::Propagate { db, command } => recorded.add(*db, command),
        Effect::UnitEnd => recorded.end_unit(),
        Effect::Changed { .. } | Effect::Event { .. } | Effect::Flushed { .. } | Effect::Swapped { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_only_the_last_are_kept() {
        let mut recorded = Recorded::default();
        let command = Bytes::from_static(b"*1\r\n$1\r\nx\r\n");
        for _ in 0..UNITS_MAX + 3 {
            (0..UNIT_COMMANDS_MAX + 2).for_each(|_| recorded.add(0, &command));
            recorded.end_unit();
        }
        assert_eq!(recorded.units, UNITS_MAX as u64 + 3);
        assert_eq!(recorded.commands, recorded.units * (UNIT_COMMANDS_MAX as u64 + 2));
        assert_eq!(recorded.bytes, recorded.commands * command.len() as u64);
        assert_eq!((recorded.last.len(), recorded.last[0].len()), (UNITS_MAX, UNIT_COMMANDS_MAX));
    }
}
