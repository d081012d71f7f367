//! The expiry cycle: a share of each second in which keys that have expired are
//! removed, though nobody asks for them.
//!
//! The tables mark slots whose key expires, so that a cycle looks at those only.
//! It goes on as long as a good part of what it sees has expired and the budget is
//! not spent, and continues where it was with the next cycle.

use super::entry::EntryPtr;
use crate::server::Server;
use std::time::{Duration, Instant};

/// Buckets looked at before the clock is read.
const STEPS: usize = 32;
/// Share of expired keys, in percent, from which a database is worth going on with.
const WORTH_PERCENT: usize = 10;

impl Server {
    /// One cycle, of at most `budget`.
    pub fn expire_cycle(&mut self, budget: Duration) {
        if !self.active_expire || !self.may_expire() {
            return;
        }
        let begun = Instant::now();
        for db in 0..self.keyspace.databases.len() as u32 {
            while self.keyspace.databases[db as usize].table.marked() > 0 {
                let (seen, expired, wrapped) = self.expire_steps(db);
                if begun.elapsed() > budget {
                    self.stats.expire_budget_reached += 1;
                    self.stats.expire_cycle_us += begun.elapsed().as_micros() as u64;
                    return;
                }
                if wrapped && expired == 0 || seen > 0 && expired * 100 < seen * WORTH_PERCENT || seen == 0 && wrapped {
                    break;
                }
            }
        }
        self.stats.expire_cycle_us += begun.elapsed().as_micros() as u64;
    }

    /// Look at some buckets: keys with an expiry seen, removed, and whether the
    /// database's end was reached.
    fn expire_steps(&mut self, db: u32) -> (usize, usize, bool) {
        let now_ms = self.clock.now_ms;
        let (mut seen, mut life_ms, mut wrapped) = (0, 0i64, false);
        let mut stale: Vec<EntryPtr> = Vec::new();
        let database = &mut self.keyspace.databases[db as usize];
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
            self.stats.expired_stale_percent = self.stats.expired_stale_percent * 0.95 + percent * 0.05;
        }
        let expired = stale.len();
        for entry in stale {
            // SAFETY: the entry is in the table: nothing has run since it was seen there
            // that removes another key than those of this list.
            let hash = self.keyspace.hash(unsafe { entry.key() });
            self.expire(db, hash, entry);
        }
        (seen, expired, wrapped)
    }
}
