//! The access clock: 24 bits in each entry from which idle time or access
//! frequency is read.
//!
//! ```text
//! LRU   | seconds, modulo 2^24 (194 days)          |
//! LRM   | the same, of the last write              |
//! LFU   | minutes modulo 2^16      | counter 8 bits |
//! ```
//!
//! The LFU counter grows with a probability that falls with its value, and shrinks
//! by one for each `lfu-decay-time` minutes without access, as
//! <https://redis.io/docs/latest/develop/reference/eviction/> describes.

const CLOCK_MASK: u32 = (1 << 24) - 1;
const COUNTER_NEW: u32 = 5;

/// What is noted of accesses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Noted {
    /// When the last one was.
    #[default]
    Last,
    /// When the last one was that wrote.
    LastWrite,
    /// How many there were.
    Count,
}

/// How accesses are noted.
#[derive(Clone, Copy)]
pub struct AccessClock {
    /// Seconds of the server's clock.
    pub now_s: u32,
    /// What the policy asks for.
    pub noted: Noted,
    /// `lfu-log-factor`.
    pub log_factor: u32,
    /// `lfu-decay-time`, in minutes.
    pub decay_minutes: u32,
}

impl AccessClock {
    /// The clock of a new entry.
    #[inline]
    pub fn fresh(&self) -> u32 {
        if self.counts() { (self.minutes() << 8) | COUNTER_NEW } else { self.now_s & CLOCK_MASK }
    }

    /// Whether accesses are counted.
    #[inline]
    pub fn counts(&self) -> bool {
        self.noted == Noted::Count
    }

    /// The clock of an entry that is accessed; `random` is any number.
    #[inline]
    pub fn touched(&self, clock: u32, writes: bool, random: impl FnOnce() -> u64) -> u32 {
        if self.noted == Noted::Last {
            return self.now_s & CLOCK_MASK;
        }
        if self.noted == Noted::LastWrite {
            return if writes { self.now_s & CLOCK_MASK } else { clock };
        }
        let mut counter = self.frequency(clock);
        let above = counter.saturating_sub(COUNTER_NEW);
        let odds = u64::from(above * self.log_factor + 1);
        if counter < 255 && random().is_multiple_of(odds) {
            counter += 1;
        }
        (self.minutes() << 8) | counter
    }

    /// The access counter, decayed to now.
    pub fn frequency(&self, clock: u32) -> u32 {
        let elapsed = self.minutes().wrapping_sub(clock >> 8) & 0xffff;
        let periods = elapsed.checked_div(self.decay_minutes).unwrap_or(0);
        (clock & 0xff).saturating_sub(periods)
    }

    /// Seconds since the last access.
    pub fn idle_s(&self, clock: u32) -> u32 {
        self.now_s.wrapping_sub(clock) & CLOCK_MASK
    }

    /// The clock of an entry that was last accessed so long ago.
    pub fn from_idle(&self, idle_s: u32) -> u32 {
        self.now_s.wrapping_sub(idle_s) & CLOCK_MASK
    }

    /// The clock of an entry with a given access counter.
    pub fn from_frequency(&self, counter: u8) -> u32 {
        (self.minutes() << 8) | u32::from(counter)
    }

    fn minutes(&self) -> u32 {
        (self.now_s / 60) & 0xffff
    }
}
