//! The expiry cycle: a share of each second in which keys that have expired are
//! removed, though nobody asks for them.
//!
//! The tables mark slots whose key expires, so that a cycle looks at those only.
//! Housekeeping begins a cycle with a budget of time, which is spent in slices of at
//! most [`BUSY_SLICE`], and while there are commands to run no faster than in proportion: so a
//! million keys that expire at once take no command's time but for a slice. A cycle goes
//! on as long as a good part of what it sees has expired, and continues where the last
//! one was.

use crate::base::pace::{BUSY_SLICE, Pace};
use crate::store::Store;
use crate::store::entry::EntryPtr;
use crate::store::own_expiry::OwnExpiry;
use std::time::{Duration, Instant};

/// Buckets looked at before the clock is read.
const STEPS: usize = 8;
/// Share of expired keys, in percent, from which a database is worth going on with.
const WORTH_PERCENT: usize = 10;

/// How far the present cycle is.
#[derive(Default)]
pub struct ExpireCycle {
    /// What is left of the budget; zero when the cycle is over.
    left: Duration,
    /// From the begin of one slice to that of the next, while commands come.
    period: Duration,
    pace: Pace,
    /// Database that it is at.
    db: usize,
}

impl ExpireCycle {
    /// Time until there is something to do, if there is.
    pub fn next_in(&self, now: Instant) -> Option<Duration> {
        (!self.left.is_zero()).then(|| self.pace.next_in(now))
    }
}

impl Store {
    /// Begin a cycle that takes at most `budget` of the coming `period`. `commands` is the number of
    /// commands that were run up to now, by which slices are paced.
    pub fn begin_expire_cycle(&mut self, budget: Duration, period: Duration, commands: u64) {
        if !self.expiring.left.is_zero() {
            self.counters.expire_budget_reached += 1;
        }
        let period = BUSY_SLICE.mul_f64(period.as_secs_f64() / budget.as_secs_f64().max(1e-6));
        self.expiring.pace.hurry();
        self.expiring = ExpireCycle { left: budget, period, db: 0, pace: self.expiring.pace };
        self.expire_turn(Instant::now(), commands);
    }

    /// A key has got an expiry. On a replica, and not by its primary, for which it is the beginning of time, it is the
    /// replica's to see to.
    #[inline]
    pub fn note_own_expiry(&mut self, db: u32, entry: EntryPtr) {
        if self.is_replica && self.now_ms > 0 {
            // SAFETY: the entry is in the table.
            self.own_expiry.add(db, unsafe { entry.key() });
        }
    }

    /// Remove those of them that have expired, some in each turn.
    pub fn expire_own(&mut self) {
        if self.own_expiry.is_empty() {
            return;
        }
        if !self.is_replica {
            // They are keys like any other.
            self.own_expiry = OwnExpiry::default();
            return;
        }
        if !self.may_remove() {
            return;
        }
        for own in self.own_expiry.next_some() {
            let (db, key) = (own.0, &own.1);
            let hash = self.hash(key);
            let found = self.databases[db as usize].find(hash, key).filter(|entry| entry.has_expiry());
            if found.is_none_or(|entry| entry.has_expired(self.now_ms)) {
                self.find_to_write(db, hash, key);
                self.own_expiry.forget(&own);
            }
        }
    }

    /// One slice, if it is time for one.
    pub fn expire_turn(&mut self, now: Instant, commands: u64) {
        if self.expiring.left.is_zero() || !self.expiring.pace.is_due(now) {
            return;
        }
        if !self.active_expire || !self.may_expire() {
            self.expiring.left = Duration::ZERO;
            return;
        }
        self.expiring.pace.begin(now, commands, self.expiring.period);
        let goes_on = self.expire_slice(now, BUSY_SLICE.min(self.expiring.left));
        let spent = now.elapsed();
        self.counters.expire_cycle_us += spent.as_micros() as u64;
        self.expiring.left = if goes_on { self.expiring.left.saturating_sub(spent) } else { Duration::ZERO };
        if goes_on && self.expiring.left.is_zero() {
            self.counters.expire_budget_reached += 1;
        }
        self.expiring.pace.end(commands);
    }

    /// A slice; whether there may be more to do.
    fn expire_slice(&mut self, begun: Instant, length: Duration) -> bool {
        while let Some(database) = self.databases.get(self.expiring.db) {
            if database.table.marked() == 0 {
                self.expiring.db += 1;
                continue;
            }
            let (seen, expired, wrapped) = self.expire_steps(self.expiring.db as u32);
            if wrapped && expired == 0 || seen > 0 && expired * 100 < seen * WORTH_PERCENT {
                self.expiring.db += 1;
            }
            if begun.elapsed() >= length {
                return true;
            }
        }
        false
    }

    /// Look at some buckets: keys with an expiry seen, removed, and whether the
    /// database's end was reached.
    fn expire_steps(&mut self, db: u32) -> (usize, usize, bool) {
        let now_ms = self.now_ms;
        let (mut seen, mut life_ms, mut wrapped) = (0, 0i64, false);
        let mut stale: Vec<EntryPtr> = Vec::new();
        let database = &mut self.databases[db as usize];
        let mut cursor = database.expire_cursor;
        for _ in 0..STEPS {
            cursor = database.table.scan_marked(cursor, |entry| {
                seen += 1;
                let left = entry.expire_at_ms() - now_ms;
                if left < 0 {
                    stale.push(entry);
                } else {
                    life_ms = life_ms.saturating_add(left);
                }
            });
            if cursor == 0 {
                wrapped = true;
                break;
            }
        }
        database.expire_cursor = cursor;
        if seen > stale.len() {
            let (sum, count) = database.ttl_sample;
            let keep = if count > 1000 { 2 } else { 1 };
            database.ttl_sample = ((sum / keep).saturating_add(life_ms), count / keep + (seen - stale.len()) as i64);
        }
        if seen > 0 {
            let percent = stale.len() as f64 * 100.0 / seen as f64;
            self.counters.expired_stale_percent = self.counters.expired_stale_percent * 0.95 + percent * 0.05;
        }
        let expired = stale.len();
        for entry in stale {
            // SAFETY: the entry is in the table: nothing has run since it was seen there
            // that removes another key than those of this list.
            let hash = self.hash(unsafe { entry.key() });
            self.expire(db, hash, entry);
        }
        (seen, expired, wrapped)
    }
}
