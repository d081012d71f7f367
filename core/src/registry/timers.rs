//! Timers of modules.

use crate::base::id::ModuleId;
use plinth_abi::bytes::Opaque;
use plinth_abi::timers::Fire;
use std::collections::BTreeMap;
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
    last_id: u64,
}

impl Timers {
    /// Start a timer; its id.
    pub fn start(&mut self, now: Instant, delay: Duration, timer: Timer) -> u64 {
        self.last_id += 1;
        let far = Duration::from_secs(u64::from(u32::MAX));
        self.queue.insert((now + delay.min(far), self.last_id), timer);
        self.last_id
    }

    fn find(&self, module: ModuleId, id: u64) -> Option<(Instant, u64)> {
        self.queue.iter().find(|((_, other), timer)| *other == id && timer.module == module).map(|(key, _)| *key)
    }

    /// Stop a timer of a module.
    pub fn stop(&mut self, module: ModuleId, id: u64) -> Option<Timer> {
        let key = self.find(module, id)?;
        self.queue.remove(&key)
    }

    /// Time until a timer of a module fires.
    pub fn remaining(&self, now: Instant, module: ModuleId, id: u64) -> Option<Duration> {
        self.find(module, id).map(|(at, _)| at.saturating_duration_since(now))
    }

    /// Forget all timers of a module.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.queue.retain(|_, timer| timer.module != module);
    }

    /// The timers of a module with the time that each has left, which stop.
    pub fn take_module(&mut self, now: Instant, module: ModuleId) -> Vec<(u64, Duration, Timer)> {
        let mut taken = Vec::new();
        self.queue.retain(|(at, id), timer| {
            let own = timer.module == module;
            if own {
                taken.push((*id, at.saturating_duration_since(now), *timer));
            }
            !own
        });
        taken
    }

    /// Go on with timers that were taken, under the ids that they had.
    pub fn put_back(&mut self, now: Instant, timers: Vec<(u64, Duration, Timer)>) {
        self.queue.extend(timers.into_iter().map(|(id, left, timer)| ((now + left, id), timer)));
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
        if key.0 > now { None } else { self.queue.remove(&key) }
    }

    /// Number of timers of a module.
    pub fn count(&self, module: ModuleId) -> usize {
        self.queue.values().filter(|timer| timer.module == module).count()
    }
}
