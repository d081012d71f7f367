//! Time: the wall clock that expiry uses, and a cheap counter that commands are timed with.
//!
//! The wall clock is read once per turn of the loop, and again between two commands when the counter, which is
//! looked at after each command anyway, says that more than a millisecond has gone by. So what follows a slow
//! command in the same turn does not see the past, and what follows a fast one costs no system call.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Cached time.
pub struct Clock {
    /// Unix time in ms.
    pub now_ms: i64,
    /// Unix time in seconds.
    pub now_s: i64,
    started: Instant,
    started_ticks: u64,
    started_s: i64,
    /// How long after the start it stands still.
    held: Option<Duration>,
    /// Ticks of a millisecond, as measured so far; 0 before there is anything to measure.
    ms_ticks: u64,
    /// Where the counter is when the time that is shown has become old.
    stale_ticks: u64,
    /// Nanoseconds of 2^32 ticks, as measured so far.
    ns_of_ticks: u64,
}

/// The same before there is anything to measure: a guess.
const NS_OF_TICKS: u64 = (1 << 32) * 2 / 5;

/// How long after the start the counter's rate is first measured.
const MEASURED_FROM_NS: u128 = 4_000_000;

/// Unix time in microseconds, now.
pub fn unix_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// A counter that goes up at a constant rate, for differences.
#[inline]
pub fn ticks() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction exists on every x86-64 processor and touches no memory.
    unsafe {
        std::arch::x86_64::_rdtsc()
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        unix_us() as u64 * 1000
    }
}

impl Clock {
    /// A clock that shows now.
    pub fn new() -> Clock {
        let us = unix_us();
        Clock {
            now_ms: us / 1000,
            now_s: us / 1_000_000,
            started: Instant::now(),
            started_ticks: ticks(),
            started_s: us / 1_000_000,
            held: None,
            ms_ticks: 0,
            stale_ticks: 0,
            ns_of_ticks: NS_OF_TICKS,
        }
    }

    /// Read the time, when the counter is at `ticks`.
    #[inline]
    pub fn update(&mut self, ticks: u64) {
        if self.held.is_none() {
            self.now_ms = unix_us() / 1000;
            self.now_s = self.now_ms / 1000;
        }
        self.stale_ticks = ticks.wrapping_add(self.ms_ticks);
    }

    /// The time by which timers fire and waits end.
    pub fn instant(&self) -> Instant {
        self.held.map_or_else(Instant::now, |held| self.started + held)
    }

    /// Stand still, some ms later than now, or than where it stands: what a test of a module does, so
    /// that it knows what time it is.
    pub fn hold(&mut self, later_ms: u64) {
        let held = self.held.unwrap_or_else(|| self.started.elapsed());
        self.held = Some(held + Duration::from_millis(later_ms));
        self.now_ms = self.now_ms.saturating_add_unsigned(later_ms);
        self.now_s = self.now_ms / 1000;
    }

    /// Whether the time that is shown is old when the counter is at `ticks`.
    #[inline]
    pub fn is_stale(&self, ticks: u64) -> bool {
        ticks >= self.stale_ticks
    }

    /// Measure anew how fast the counter goes.
    pub fn measure(&mut self, ticks: u64) {
        let ns = self.started.elapsed().as_nanos();
        // Of less than a few milliseconds the rate would be a guess; soon after the start a part of one counts.
        if ns >= MEASURED_FROM_NS {
            let count = u128::from(ticks.wrapping_sub(self.started_ticks)).max(1);
            self.ms_ticks = (count * 1_000_000 / ns) as u64;
            self.ns_of_ticks = ((ns << 32) / count) as u64;
        }
    }

    /// Nanoseconds that so many ticks take, by the last measurement.
    #[inline]
    pub fn ticks_to_ns(&self, count: u64) -> u64 {
        ((u128::from(count) * u128::from(self.ns_of_ticks)) >> 32) as u64
    }

    /// Ticks in so many microseconds, by the last measurement; 0 before there is any.
    pub fn us_to_ticks(&self, us: u64) -> u64 {
        u64::try_from(u128::from(us) * u128::from(self.ms_ticks) / 1000).unwrap_or(u64::MAX)
    }

    /// Seconds since the start.
    pub fn uptime_s(&self) -> i64 {
        self.now_s - self.started_s
    }

    /// Microseconds that so many ticks take, by the rate since the start.
    pub fn ticks_to_us(&self, count: u64) -> u64 {
        let (us, ticks) = (self.started.elapsed().as_micros() as f64, (ticks() - self.started_ticks).max(1) as f64);
        (count as f64 * us / ticks) as u64
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_held_moves_only_when_it_is_moved() {
        let mut clock = Clock::new();
        clock.hold(0);
        let (now_ms, instant) = (clock.now_ms, clock.instant());
        while unix_us() / 1000 <= now_ms {
            std::hint::spin_loop();
        }
        clock.update(ticks());
        assert_eq!((clock.now_ms, clock.instant()), (now_ms, instant));
        clock.hold(1500);
        assert_eq!((clock.now_ms, clock.instant()), (now_ms + 1500, instant + Duration::from_millis(1500)));
        assert_eq!(clock.now_s, (now_ms + 1500) / 1000);
    }

    #[test]
    fn a_rate_that_is_measured_soon_after_the_start_is_right_to_parts_of_a_millisecond() {
        // Three ticks a nanosecond, for almost five milliseconds.
        let now = ticks();
        let mut clock = Clock { started: Instant::now() - Duration::from_micros(4900), ..Clock::new() };
        clock.started_ticks = now.wrapping_sub(3 * 4_900_000);
        clock.measure(now);
        // What has gone by since the counter was read makes it more, not less.
        assert!(clock.ticks_to_ns(3_000_000) >= 999_999, "{}", clock.ticks_to_ns(3_000_000));
    }
}
