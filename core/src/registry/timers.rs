//! Timers of modules.

use crate::base::id::ModuleId;
use plinth_abi::bytes::Opaque;
use plinth_abi::timers::Fire;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// One timer.
#[derive(Clone, Copy)]
pub struct Timer {
    /// Who is called.
    pub module: ModuleId,
    /// The function.
    pub fire: Fire,
    /// What it gets.
    pub data: Opaque,
}

/// All timers, by time and id.
#[derive(Default)]
pub struct Timers {
    queue: BTreeMap<(Instant, u64), Timer>,
    /// When each fires, by id.
    times: HashMap<u64, Instant>,
    last_id: u64,
}

impl Timers {
    /// Start a timer; its id.
    pub fn start(&mut self, now: Instant, delay: Duration, timer: Timer) -> u64 {
        self.last_id += 1;
        let far = Duration::from_secs(u64::from(u32::MAX));
        self.insert(now + delay.min(far), self.last_id, timer);
        self.last_id
    }

    fn insert(&mut self, at: Instant, id: u64, timer: Timer) {
        self.queue.insert((at, id), timer);
        self.times.insert(id, at);
    }

    fn remove(&mut self, key: (Instant, u64)) -> Option<Timer> {
        self.times.remove(&key.1);
        self.queue.remove(&key)
    }

    fn find(&self, module: ModuleId, id: u64) -> Option<(Instant, u64)> {
        let key = (*self.times.get(&id)?, id);
        self.queue.get(&key).is_some_and(|timer| timer.module == module).then_some(key)
    }

    /// Stop a timer of a module.
    pub fn stop(&mut self, module: ModuleId, id: u64) -> Option<Timer> {
        let key = self.find(module, id)?;
        self.remove(key)
    }

    /// Time until a timer of a module fires.
    pub fn remaining(&self, now: Instant, module: ModuleId, id: u64) -> Option<Duration> {
        self.find(module, id).map(|(at, _)| at.saturating_duration_since(now))
    }

    /// Forget all timers of a module.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.take(module);
    }

    /// The timers of a module with the time at which each fires, which stop.
    fn take(&mut self, module: ModuleId) -> Vec<((Instant, u64), Timer)> {
        let mut taken = Vec::new();
        self.queue.retain(|key, timer| {
            let is_own = timer.module == module;
            if is_own {
                self.times.remove(&key.1);
                taken.push((*key, *timer));
            }
            !is_own
        });
        taken
    }

    /// The timers of a module with the time that each has left, which stop.
    pub fn take_module(&mut self, now: Instant, module: ModuleId) -> Vec<(u64, Duration, Timer)> {
        let taken = self.take(module).into_iter();
        taken.map(|((at, id), timer)| (id, at.saturating_duration_since(now), timer)).collect()
    }

    /// Go on with timers that were taken, under the ids that they had.
    pub fn put_back(&mut self, now: Instant, timers: Vec<(u64, Duration, Timer)>) {
        for (id, left, timer) in timers {
            self.insert(now + left, id, timer);
        }
    }

    /// Time until the next timer.
    pub fn next_in(&self, now: Instant) -> Option<Duration> {
        self.queue.keys().next().map(|(at, _)| at.saturating_duration_since(now))
    }

    /// Id of the timer that was started last.
    pub fn last_id(&self) -> u64 {
        self.last_id
    }

    /// The next timer whose time has come, of those up to an id; it is forgotten.
    pub fn take_due(&mut self, now: Instant, last_id: u64) -> Option<Timer> {
        let (&key, _) = self.queue.iter().find(|((_, id), _)| *id <= last_id)?;
        if key.0 > now { None } else { self.remove(key) }
    }

    /// Number of timers of a module.
    pub fn count(&self, module: ModuleId) -> usize {
        self.queue.values().filter(|timer| timer.module == module).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn nothing(_: *mut plinth_abi::call::Call, _: Opaque) {}

    #[test]
    fn stopping_and_asking_take_no_walk_over_all_timers() {
        // A walk for each would be 2 * 10^10 steps.
        const COUNT: u64 = 200_000;
        let (mut timers, now) = (Timers::default(), Instant::now());
        let (own, other) = (ModuleId(1), ModuleId(2));
        let timer = Timer { module: own, fire: Fire { run: nothing }, data: std::ptr::null_mut() };
        let ids: Vec<u64> =
            (0..COUNT).map(|at| timers.start(now, Duration::from_millis(at % 1000 + 1), timer)).collect();
        assert!(ids.iter().all(|id| timers.remaining(now, own, *id).is_some()));
        assert!(ids.iter().all(|id| timers.stop(other, *id).is_none()));
        assert!(ids.iter().all(|id| timers.stop(own, *id).is_some()));
        assert!(ids.iter().all(|id| timers.stop(own, *id).is_none()));
        assert_eq!((timers.next_in(now), timers.count(own)), (None, 0));
    }
}
