//! How memory stands to `maxmemory`, and for how long it was above.

use crate::base::pace::Pace;
use std::time::{Duration, Instant};

/// How memory stands to its limit.
#[derive(Default)]
pub struct Excess {
    /// Since when it was above, if it is.
    since: Option<Instant>,
    /// How long it was above before.
    before: Duration,
    /// Clients closed because all together took too much.
    pub clients: u64,
    /// Bytes that are in use and do not count: commands on their way to files and others.
    pub uncounted_bytes: usize,
    /// When keys are next to go without a command.
    pub(super) pace: Pace,
}

impl Excess {
    /// Note whether memory is above its limit now.
    pub(super) fn note(&mut self, is_above: bool) {
        if is_above {
            self.since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.since.take() {
            self.before += since.elapsed();
        }
    }

    /// How long memory has been above its limit this time.
    pub fn current(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How long it was above, this time included.
    pub fn total(&self) -> Duration {
        self.before + self.current()
    }

    /// Whether no key was found when keys were last to go.
    pub(super) fn is_hopeless(&self) -> bool {
        !self.pace.is_due(Instant::now())
    }

    /// Count from 0 again.
    pub fn reset(&mut self) {
        (self.clients, self.before) = (0, Duration::ZERO);
    }
}
