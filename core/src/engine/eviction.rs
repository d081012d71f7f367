//! Room for commands: keys go when memory in use is above `maxmemory`.
//!
//! ```text
//!   a command that may need memory ── is there too little? ──> keys go, for as long as the tenacity allows
//!   a turn of the loop             ──>                     ──> the same, a slice at a time
//! ```
//!
//! What counts is what is in use, less what is only on its way: commands that the append-only file has not
//! taken yet, and values that the freeing thread holds. Otherwise keys would go for the removal of keys.
//!
//! Invariant: keys go only while no handler is on the stack that could have looked at them.

use crate::base::memory;
use crate::base::pace::BUSY_SLICE;
use crate::engine::duties::Duty;
use crate::engine::server::Server;
use crate::store::evict::Evicted;
use std::time::{Duration, Instant};

/// Keys that go before memory in use is measured again.
const KEYS_AT_A_TIME: usize = 16;
/// Longest time that is taken before a command at the default tenacity.
const TIME_DEFAULT: Duration = Duration::from_micros(500);
/// The default tenacity.
const TENACITY_DEFAULT: i64 = 10;
/// By how much each step above it makes the time longer.
const TENACITY_STEP: f64 = 1.15;
/// The tenacity from which on it takes as long as it takes.
const TENACITY_MAX: i64 = 100;
/// Rest after no key was found that may go.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Between two looks at what the freeing thread has freed, when nothing else is left to free.
const THREAD_STEP: Duration = Duration::from_micros(50);

/// No client at all, where it is known that no client's command runs.
const NOBODY: usize = usize::MAX;

/// Keys go without a command that needs their room: the limit was lowered, or clients take memory.
pub const DUTY: Duty = Duty { due, run };

fn due(server: &Server, now: Instant) -> Option<Duration> {
    if server.settings.maxmemory == 0 || server.store.evicting.policy.is_none() || !server.may_evict() {
        return None;
    }
    (server.excess_bytes() > 0).then(|| server.excess.pace.next_in(now))
}

fn run(server: &mut Server, now: Instant) {
    let commands = server.stats.commands;
    server.excess.pace.begin(now, commands, 2 * BUSY_SLICE);
    let has_room = server.evict(BUSY_SLICE, true) != Outcome::Nothing;
    server.excess.pace.end(commands);
    if !has_room {
        server.excess.pace.rest_until(now + LOOK_AGAIN);
    }
}

/// What has come of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// There is room.
    Room,
    /// There will be, and time is over.
    Later,
    /// No key is left that may go.
    Nothing,
}

impl Server {
    /// Bytes in use above `maxmemory`.
    #[inline]
    pub fn excess_bytes(&self) -> usize {
        let uncounted = self.excess.uncounted_bytes + self.store.background.bytes();
        memory::used_bytes().saturating_sub(uncounted).saturating_sub(self.settings.maxmemory as usize)
    }

    /// Whether keys may go now.
    fn may_evict(&self) -> bool {
        self.depth == 0 && self.store.may_remove() && !self.is_quiet && !self.ignores_maxmemory()
    }

    /// Note whether memory is above its limit.
    pub fn note_excess(&mut self) {
        let is_above = self.settings.maxmemory > 0 && self.excess_bytes() > 0;
        self.excess.note(is_above);
    }

    /// Whether a command that may need memory can run; keys go for it if that helps. What they are told as
    /// belongs to no unit of others if `is_outermost`.
    #[cold]
    pub fn make_room(&mut self, is_outermost: bool) -> bool {
        if self.excess_bytes() == 0 {
            return true;
        }
        // Those who load or wait for the end of a pause are not refused for that.
        if self.is_quiet || self.store.is_paused {
            return true;
        }
        let time = self.eviction_time();
        let has_room = match self.store.evicting.policy {
            None => false,
            // There is room in a moment, once no handler is in the way.
            Some(_) if !self.may_evict() => !self.excess.is_hopeless(),
            Some(_) => self.evict(time, is_outermost) != Outcome::Nothing,
        };
        self.note_excess();
        has_room
    }

    /// How long keys go before a command runs, by the tenacity.
    fn eviction_time(&self) -> Duration {
        let tenacity = self.settings.memory.tenacity;
        if tenacity >= TENACITY_MAX {
            return Duration::MAX;
        }
        let steps = (tenacity - TENACITY_DEFAULT) as f64;
        if steps <= 0.0 {
            return TIME_DEFAULT.mul_f64(tenacity as f64 / TENACITY_DEFAULT as f64);
        }
        TIME_DEFAULT.mul_f64(TENACITY_STEP.powf(steps))
    }

    /// Let keys go until there is room, for a time.
    fn evict(&mut self, time: Duration, is_outermost: bool) -> Outcome {
        let begun = Instant::now();
        let outcome = loop {
            let above = self.excess_bytes();
            if above == 0 {
                break Outcome::Room;
            }
            if !self.evict_some(above, is_outermost) {
                break self.wait_for_thread(begun, time);
            }
            if begun.elapsed() >= time {
                break Outcome::Later;
            }
        };
        self.note_late("eviction-cycle", begun.elapsed().as_micros() as u64);
        outcome
    }

    /// Let a few keys go, up to so many bytes; whether any is left that may go.
    fn evict_some(&mut self, above: usize, is_outermost: bool) -> bool {
        let mut bytes = 0;
        for _ in 0..KEYS_AT_A_TIME {
            let begun = Instant::now();
            match self.store.evict() {
                Evicted::Bytes(gone) => bytes += gone,
                Evicted::NotYet => break,
                Evicted::Nothing => return false,
            }
            // No reply is being written: who is told of it is told before that of the command to come.
            self.record_by(is_outermost.then_some(NOBODY));
            if is_outermost {
                self.end_unit();
            }
            self.note_late("eviction-del", begun.elapsed().as_micros() as u64);
            if bytes >= above {
                break;
            }
        }
        true
    }

    /// No key is left that may go: see whether what the thread frees is enough.
    fn wait_for_thread(&mut self, begun: Instant, time: Duration) -> Outcome {
        loop {
            let pending = self.store.background.pending();
            self.store.background.measure();
            if self.excess_bytes() == 0 {
                return Outcome::Room;
            }
            if pending == 0 || begun.elapsed() >= time {
                return Outcome::Nothing;
            }
            std::thread::sleep(THREAD_STEP);
        }
    }
}
