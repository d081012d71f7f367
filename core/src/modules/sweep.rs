//! The sweep: a walk over all keys that makes values of one kind those of another, a
//! fraction of a millisecond at a time.
//!
//! ```text
//! ghost ─────────────────────> value      a module that reads it was loaded
//! value of a leaving type ───> ghost      MODULE UNLOAD ... GHOST
//! value of an inactive type ─> its twin's MODULE REPLACE, and its rollback
//! ```
//!
//! It goes by the tables' scan cursor, so a key that stays is seen at least once in a
//! pass whatever clients do meanwhile; what a pass misses because databases changed
//! places the next one finds. It is over when no value is left that it is for; values
//! that cannot be changed are tried again after a while.
//!
//! How much of the time it takes depends on the clients: while there are commands to
//! run, a slice of [`BUSY_SLICE`] at most once in [`BUSY_PERIOD`]; else one slice of
//! [`IDLE_SLICE`] after the other, between which the loop looks at its sockets.

use crate::base::pace::{BUSY_SLICE, Pace};
use crate::engine::duties::Duty;
use crate::engine::server::Server;
use crate::modules::{leave, replace};
use crate::store::Store;
use crate::store::entry::EntryPtr;
use crate::store::ghost::GHOST;
use crate::store::types::Role;
use std::time::{Duration, Instant};

/// Longest slice while nobody sends commands.
const IDLE_SLICE: Duration = Duration::from_micros(500);
/// While somebody does, the time from the begin of one to that of the next.
const BUSY_PERIOD: Duration = Duration::from_micros(1000);
/// Rest after a pass that found something and could change nothing of it.
const REST: Duration = Duration::from_secs(1);
/// Buckets that are looked at before the clock is read.
const STEPS: usize = 16;

/// Where the walk is.
#[derive(Default)]
pub struct Sweep {
    /// Whether there is something to do.
    active: bool,
    /// Whether ghosts are to be tried in this pass.
    ghosts: bool,
    db: usize,
    cursor: u64,
    /// What this pass has changed so far.
    changed: u64,
    /// Addresses of entries of the present bucket that could not be changed.
    tried: Vec<usize>,
    pace: Pace,
}

/// What became of a value that the walk came by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// It is another now.
    Changed,
    /// It stays as it is for now.
    Left,
    /// The walk is to come back to it at once.
    Again,
}

/// The walk as a duty.
pub const DUTY: Duty = Duty { due, run: turn };

fn due(server: &Server, now: Instant) -> Option<Duration> {
    let sweep = server.slots.peek::<Sweep>()?;
    sweep.active.then(|| sweep.pace.next_in(now))
}

/// Begin anew, because there is something to do; with `ghosts`, look at these too.
pub fn begin(server: &mut Server, ghosts: bool) {
    server.store.given_up.clear();
    server.slots.with(|sweep: &mut Sweep| {
        sweep.pace.hurry();
        *sweep = Sweep { active: true, ghosts: sweep.ghosts || ghosts, pace: sweep.pace, ..Sweep::default() };
    });
}

/// One slice, if it is time for one.
pub fn turn(server: &mut Server, now: Instant) {
    let mut sweep = server.slots.take::<Sweep>();
    if !sweep.active || !sweep.pace.is_due(now) {
        server.slots.put(sweep);
        return;
    }
    let busy = sweep.pace.begin(now, server.stats.commands, BUSY_PERIOD);
    let end = now + if busy { BUSY_SLICE } else { IDLE_SLICE };
    server.store.settle_accounts();
    while sweep.active && Instant::now() < end {
        if server.store.migration.is_some() {
            // Why it fails is in the log; the walk comes by the value again.
            let _ = server.store.migrate_some(end);
        } else if !sweep.wants_any(server) {
            // What is to follow when the freeing thread is done, if anything.
            sweep.active = leave::is_something_ending(server);
            sweep.pace.rest_until(now + BUSY_PERIOD);
            break;
        } else if sweep.look_at_buckets(server, end) {
            sweep.end_pass(server, now);
            break;
        }
    }
    server.slots.put(sweep);
    server.record();
    leave::finish_leaving(server);
    replace::finish_replacements(server);
    let commands = server.stats.commands;
    server.slots.with(|sweep: &mut Sweep| sweep.pace.end(commands));
}

impl Sweep {
    /// Whether any value may be left that the sweep is for.
    fn wants_any(&self, server: &Server) -> bool {
        let ghosts = self.ghosts && server.store.ghosts.values() > 0;
        ghosts || server.store.types.iter().any(|(id, ty)| ty.values > 0 && self.wants(server, id))
    }

    /// Whether values of a type are to be changed.
    fn wants(&self, server: &Server, type_id: u8) -> bool {
        match server.store.types.get(type_id) {
            Some(ty) => match ty.role {
                Role::Active => false,
                Role::Leaving => true,
                Role::Inactive => ty.twin != 0 && !server.registry.is_paused(ty.module),
            },
            None => type_id == GHOST && self.ghosts,
        }
    }

    /// Go on for some buckets; whether the last database's end was reached.
    fn look_at_buckets(&mut self, server: &mut Server, end: Instant) -> bool {
        let mut found = Vec::new();
        for _ in 0..STEPS {
            let Some(database) = server.store.databases.get(self.db) else { return true };
            let cursor = database.table.scan(self.cursor, |entry| found.push(entry));
            // What could not be changed may have taken the whole slice: it is not tried again at once,
            // or the walk would never get beyond it.
            let is_new = |entry: &EntryPtr| !self.tried.contains(&(entry.address() as usize));
            found.retain(|entry| is_new(entry) && self.wants(server, entry.type_id()));
            for entry in found.drain(..) {
                match change(&mut server.store, self.db as u32, entry) {
                    Step::Changed => self.changed += 1,
                    Step::Left => self.tried.push(entry.address() as usize),
                    Step::Again => return false,
                }
                // What is left of the bucket is found again, and what is done is not.
                if Instant::now() >= end {
                    return false;
                }
            }
            self.tried.clear();
            self.cursor = cursor;
            if cursor == 0 {
                self.db += 1;
            }
        }
        false
    }

    fn end_pass(&mut self, server: &mut Server, now: Instant) {
        let changed = std::mem::take(&mut self.changed);
        (self.db, self.cursor) = (0, 0);
        server.store.given_up.clear();
        // What still is a ghost nobody can read.
        self.ghosts = false;
        if changed == 0 {
            self.pace.rest_until(now + REST);
        }
    }
}

/// Make a value what it is to be.
fn change(store: &mut Store, db: u32, entry: EntryPtr) -> Step {
    // SAFETY: the entry is in the table: changing others of its bucket has not
    // removed it, and nothing else has run since the bucket was looked at.
    let hash = store.hash(unsafe { entry.key() });
    let changed = match store.types.get(entry.type_id()).map(|ty| ty.role) {
        None => store.revive(db, hash, entry),
        Some(Role::Leaving) => store.give_up(db, hash, entry),
        Some(Role::Inactive) => return convert(store, db, hash, entry),
        Some(Role::Active) => return Step::Left,
    };
    if changed.is_ok() { Step::Changed } else { Step::Left }
}

/// The sweep came by a value that is to become its twin's.
fn convert(store: &mut Store, db: u32, hash: u64, entry: EntryPtr) -> Step {
    if store.is_large(entry) && store.begin_migration(db, entry) {
        return Step::Again;
    }
    let from = entry.type_id();
    match store.convert_whole(db, hash, entry) {
        Ok(_) => Step::Changed,
        Err(status) => {
            store.types.count_failed(from, status);
            Step::Left
        }
    }
}
