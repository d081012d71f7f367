//! The pace of work in the background: how long one of its slices may take, and when the next may
//! begin.
//!
//! While clients send commands there is a time from the begin of one slice to that of the next;
//! while they do not, slices follow each other, and between them the loop looks at its sockets.

use std::time::{Duration, Instant};

/// Longest slice while somebody sends commands: no command waits longer for the background.
pub const BUSY_SLICE: Duration = Duration::from_micros(300);

/// The pace of one piece of work.
#[derive(Default, Clone, Copy)]
pub struct Pace {
    /// When the next slice may begin.
    not_before: Option<Instant>,
    /// Number of commands that had been run when the last slice ended.
    commands: u64,
}

impl Pace {
    /// Whether a slice may begin.
    pub fn is_due(&self, now: Instant) -> bool {
        self.not_before.is_none_or(|at| now >= at)
    }

    /// Time until one may.
    pub fn next_in(&self, now: Instant) -> Duration {
        self.not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }

    /// A slice begins; whether commands have been run since the last one, of which there were
    /// `commands` up to now. If so, the next one begins a `period` later.
    pub fn begin(&mut self, now: Instant, commands: u64, period: Duration) -> bool {
        let busy = commands != self.commands;
        self.not_before = busy.then(|| now + period);
        busy
    }

    /// The slice is over.
    pub fn end(&mut self, commands: u64) {
        self.commands = commands;
    }

    /// Let no slice begin before a time.
    pub fn rest_until(&mut self, at: Instant) {
        self.not_before = Some(at);
    }

    /// Let the next slice begin at once.
    pub fn hurry(&mut self) {
        self.not_before = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_each_other_only_while_no_commands_come() {
        let (now, period) = (Instant::now(), Duration::from_millis(1));
        let mut pace = Pace::default();
        assert!(pace.is_due(now) && pace.next_in(now).is_zero());
        assert!(!pace.begin(now, 0, period) && pace.is_due(now));
        assert!(pace.begin(now, 5, period) && !pace.is_due(now));
        assert_eq!(pace.next_in(now), period);
        assert!(pace.is_due(now + period));
        pace.end(5);
        assert!(!pace.begin(now + period, 5, period) && pace.is_due(now + period));
        pace.rest_until(now + period);
        assert!(!pace.is_due(now));
        pace.hurry();
        assert!(pace.is_due(now));
    }
}
