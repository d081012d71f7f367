//! The sweep: a timer that takes ids of deleted consumers out of their group, some at a time.
//!
//! It looks for the group under the names that it had. Where it has others by then, or none, the sweep
//! ends, and the ids go with whatever is done to the group next
//! ([`GroupMut`](crate::group::GroupMut)), as they do where no timer can be started. Whoever is deleted
//! while ids are leaving begins no other sweep.

use crate::storage::Storage;
use crate::value;
use plinth_module::host;
use plinth_module::prelude::*;
use plinth_module::timers::Timers;

/// Time between two turns.
const TURN_MS: u64 = 1;

/// A group from which a deleted consumer's many ids are to go.
pub(super) struct Sweep {
    db: u32,
    key: Box<[u8]>,
    group: Box<[u8]>,
}

impl Sweep {
    /// That of a group, in a database and under a key.
    pub(super) fn new(db: u32, key: &[u8], group: &[u8]) -> Sweep {
        Sweep { db, key: key.into(), group: group.into() }
    }

    /// Takes some of the ids out; whether there are more.
    fn take_some<S: Storage>(&self, keys: &mut Keys<'_>) -> Result<bool> {
        keys.select(self.db)?;
        let flags = GET_WRITE | GET_NO_STATS | GET_NO_TOUCH;
        let Some(mut entry) = keys.get_with(value::handle::<S>()?, &self.key, flags)? else { return Ok(false) };
        let group = value::of_mut::<S>(&mut entry)?.group_mut(&self.group);
        Ok(group.is_some_and(|mut group| group.sweep_leaving()))
    }
}

/// Has the sweep go on soon.
pub(super) fn start<S: Storage>(timers: &mut Timers<'_>, sweep: Sweep) {
    if let Err(error) = timers.start(TURN_MS, sweep, turn::<S>) {
        note("cannot go on", error);
    }
}

fn turn<S: Storage>(call: &mut Call<'_>, sweep: Sweep) {
    match sweep.take_some::<S>(&mut call.keys) {
        Ok(true) => start::<S>(&mut call.timers, sweep),
        // Another type has the name now.
        Ok(false) | Err(Error::WrongType) => {}
        Err(error) => note("ends", error),
    }
}

fn note(what: &str, error: Error) {
    let text = format!("The sweep of a deleted consumer's pending entries {what}: {error}. They go with later changes");
    host::log(LOG_WARNING, &text);
}
