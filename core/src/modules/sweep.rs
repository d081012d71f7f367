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
use crate::engine::server::Server;
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
    pace: Pace,
    /// Addresses of large values that cannot be converted in slices.
    given_up: Vec<usize>,
}

/// What became of a value that the walk came by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It is another now.
    Changed,
    /// It stays as it is for now.
    Left,
    /// The walk is to come back to it at once.
    Again,
}

impl Sweep {
    /// Begin anew, because there is something to do.
    pub fn begin(&mut self) {
        self.pace.hurry();
        *self = Sweep { active: true, ghosts: self.ghosts, pace: self.pace, ..Sweep::default() };
    }

    /// The same, and look at ghosts too.
    pub fn begin_with_ghosts(&mut self) {
        self.ghosts = true;
        self.begin();
    }

    /// Do not try again in this pass to convert a boxed value in slices.
    pub fn give_up(&mut self, boxed: usize) {
        self.given_up.push(boxed);
    }

    /// Whether that was said of it.
    pub fn has_given_up(&self, boxed: usize) -> bool {
        self.given_up.contains(&boxed)
    }

    /// Time until there is something to do, if there is.
    pub fn next_in(&self, now: Instant) -> Option<Duration> {
        self.active.then(|| self.pace.next_in(now))
    }
}

impl Server {
    /// One slice, if it is time for one.
    pub fn sweep_turn(&mut self, now: Instant) {
        if !self.sweep.active || !self.sweep.pace.is_due(now) {
            return;
        }
        let busy = self.sweep.pace.begin(now, self.stats.commands, BUSY_PERIOD);
        let end = now + if busy { BUSY_SLICE } else { IDLE_SLICE };
        self.settle_accounts();
        while self.sweep.active && Instant::now() < end {
            if self.migration.is_some() {
                self.migrate_some(end);
            } else if !self.sweep_wants_any() {
                // What is to follow when the freeing thread is done, if anything.
                self.sweep.active = self.is_something_ending();
                self.sweep.pace.rest_until(now + BUSY_PERIOD);
                break;
            } else if self.sweep_buckets(end) {
                self.end_pass(now);
                break;
            }
        }
        self.finish_leaving();
        self.finish_replacements();
        self.sweep.pace.end(self.stats.commands);
    }

    /// Whether any value may be left that the sweep is for.
    fn sweep_wants_any(&self) -> bool {
        let ghosts = self.sweep.ghosts && self.keyspace.ghosts.values() > 0;
        ghosts || self.keyspace.types.iter().any(|(id, ty)| ty.values > 0 && self.sweep_wants(id))
    }

    /// Whether values of a type are to be changed.
    fn sweep_wants(&self, type_id: u8) -> bool {
        match self.keyspace.types.get(type_id) {
            Some(ty) => match ty.role {
                Role::Active => false,
                Role::Leaving => true,
                Role::Inactive => ty.twin != 0 && !self.is_paused(ty.module),
            },
            None => type_id == GHOST && self.sweep.ghosts,
        }
    }

    /// Go on for some buckets; whether the last database's end was reached.
    fn sweep_buckets(&mut self, end: Instant) -> bool {
        let mut found = Vec::new();
        for _ in 0..STEPS {
            let Some(database) = self.keyspace.databases.get(self.sweep.db) else { return true };
            let cursor = database.table.scan(self.sweep.cursor, |entry| found.push(entry));
            found.retain(|entry| self.sweep_wants(entry.type_id()));
            for entry in found.drain(..) {
                match self.sweep_entry(self.sweep.db as u32, entry, end) {
                    Step::Changed => self.sweep.changed += 1,
                    Step::Left => {}
                    Step::Again => return false,
                }
                // What is left of the bucket is found again, and what is done is not.
                if Instant::now() >= end {
                    return false;
                }
            }
            self.sweep.cursor = cursor;
            if cursor == 0 {
                self.sweep.db += 1;
            }
        }
        false
    }

    fn sweep_entry(&mut self, db: u32, entry: EntryPtr, end: Instant) -> Step {
        // SAFETY: the entry is in the table: changing others of its bucket has not
        // removed it, and nothing else has run since the bucket was looked at.
        let hash = self.keyspace.hash(unsafe { entry.key() });
        let changed = match self.keyspace.types.get(entry.type_id()).map(|ty| ty.role) {
            None => self.revive(db, hash, entry),
            Some(Role::Leaving) => self.give_up(db, hash, entry),
            Some(Role::Inactive) => return self.convert_some(db, hash, entry, end),
            Some(Role::Active) => return Step::Left,
        };
        if changed.is_ok() { Step::Changed } else { Step::Left }
    }

    fn end_pass(&mut self, now: Instant) {
        let changed = std::mem::take(&mut self.sweep.changed);
        (self.sweep.db, self.sweep.cursor) = (0, 0);
        self.sweep.given_up.clear();
        // What still is a ghost nobody can read.
        self.sweep.ghosts = false;
        if changed == 0 {
            self.sweep.pace.rest_until(now + REST);
        }
    }
}
