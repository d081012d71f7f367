//! Counters that INFO shows, and what else is kept of what has happened.
//!
//! - [`slowlog`]: commands that took long; [`latency`]: what else took long, and when.

pub mod latency;
pub mod slowlog;

use crate::stats::latency::Latency;
use crate::stats::slowlog::SlowLog;
use std::collections::BTreeMap;

/// Counters since the start or since CONFIG RESETSTAT.
#[derive(Default)]
pub struct Stats {
    /// Connections accepted.
    pub connections: u64,
    /// Connections refused because of `maxclients`.
    pub rejected_connections: u64,
    /// Commands run.
    pub commands: u64,
    /// Bytes read from clients.
    pub input_bytes: u64,
    /// Bytes written to clients.
    pub output_bytes: u64,
    /// Bytes of the stream sent to replicas; they are not among `output_bytes`.
    pub repl_output_bytes: u64,
    /// Full synchronisations of replicas.
    pub syncs_full: u64,
    /// Partial ones.
    pub syncs_partial: u64,
    /// Partial ones that were asked for in vain.
    pub syncs_partial_refused: u64,
    /// Connections closed at an output limit.
    pub output_limit_closed: u64,
    /// Connections closed at the query buffer limit.
    pub query_limit_closed: u64,
    /// Error replies.
    pub errors: u64,
    /// Error replies by code.
    pub error_codes: BTreeMap<String, u64>,
    /// Most memory that was in use.
    pub peak_memory: usize,
    /// Panics of modules that were contained.
    pub panics: u64,
    /// Refused passwords.
    pub auth_failures: u64,
    /// Clients whose certificate names no user although it should.
    pub certificate_failures: u64,
    /// Commands that their users may not run.
    pub denied_commands: u64,
    /// Keys that they may not use.
    pub denied_keys: u64,
    /// Channels.
    pub denied_channels: u64,
    /// Databases.
    pub denied_databases: u64,
    /// Reads from sockets.
    pub reads: u64,
    /// Writes to sockets.
    pub writes: u64,
    /// Turns of the event loop.
    pub loop_turns: u64,
    /// Ticks that the loop has worked, without its sleep.
    pub loop_ticks: u64,
    /// Ticks of those that went into parsing and running commands.
    pub command_ticks: u64,
    /// Times that a reply buffer was made smaller.
    pub reply_shrinks: u64,
    /// Times that a reply buffer was made larger.
    pub reply_expands: u64,
    /// Figures per second.
    pub rates: Rates,
    /// Largest buffers of clients lately.
    pub buffers: Buffers,
    /// Commands that took long; CONFIG RESETSTAT leaves it.
    pub slowlog: SlowLog,
    /// What took long; CONFIG RESETSTAT leaves it.
    pub latency: Latency,
}

/// Figures per second over the last samples.
#[derive(Default)]
pub struct Rates {
    /// When the last sample was taken, Unix time in microseconds.
    sampled_us: i64,
    /// Commands run.
    pub commands: Rate,
    /// Bytes read.
    pub input: Rate,
    /// Bytes written.
    pub output: Rate,
    /// Turns of the event loop.
    pub turns: Rate,
    /// Ticks that the loop has worked.
    pub ticks: Rate,
}

/// How fast a counter grows: the mean of the last samples.
#[derive(Default)]
pub struct Rate {
    samples: [u64; 16],
    at: usize,
    before: u64,
}

impl Rate {
    fn sample(&mut self, value: u64, elapsed_us: u64) {
        // A counter that was reset meanwhile begins at 0 again.
        let grown = value.checked_sub(self.before).unwrap_or(value);
        self.before = value;
        self.samples[self.at] = (u128::from(grown) * 1_000_000 / u128::from(elapsed_us.max(1))) as u64;
        self.at = (self.at + 1) % self.samples.len();
    }

    /// Growth per second.
    pub fn per_second(&self) -> u64 {
        self.samples.iter().sum::<u64>() / self.samples.len() as u64
    }
}

/// The largest query and reply buffers of clients in each of the last seconds.
#[derive(Default)]
pub struct Buffers {
    seconds: [(i64, usize, usize); 8],
}

impl Buffers {
    /// Note the buffers of a client at a second.
    pub fn note(&mut self, now_s: i64, input: usize, output: usize) {
        let slot = &mut self.seconds[now_s.rem_euclid(8) as usize];
        if slot.0 != now_s {
            *slot = (now_s, 0, 0);
        }
        slot.1 = slot.1.max(input);
        slot.2 = slot.2.max(output);
    }

    /// The largest query buffer and the largest reply buffer lately.
    pub fn largest(&self, now_s: i64) -> (usize, usize) {
        let recent = self.seconds.iter().filter(|slot| now_s - slot.0 < 8);
        recent.fold((0, 0), |(input, output), slot| (input.max(slot.1), output.max(slot.2)))
    }
}

/// Microseconds between samples of the figures per second.
const SAMPLE_US: i64 = 100_000;

/// Most different error codes that are counted.
const ERROR_CODES_MAX: usize = 128;

impl Stats {
    /// Count an error reply by the code it begins with.
    pub fn count_error(&mut self, code: &str) {
        self.errors += 1;
        if let Some(count) = self.error_codes.get_mut(code) {
            *count += 1;
        } else if self.error_codes.len() < ERROR_CODES_MAX {
            self.error_codes.insert(code.to_owned(), 1);
        }
    }

    /// Take a sample of the figures per second, if it is time.
    pub fn sample_rates(&mut self, now_us: i64) {
        let elapsed_us = now_us - self.rates.sampled_us;
        if (0..SAMPLE_US).contains(&elapsed_us) {
            return;
        }
        self.rates.sampled_us = now_us;
        let elapsed_us = elapsed_us.unsigned_abs();
        self.rates.commands.sample(self.commands, elapsed_us);
        self.rates.input.sample(self.input_bytes, elapsed_us);
        self.rates.output.sample(self.output_bytes, elapsed_us);
        self.rates.turns.sample(self.loop_turns, elapsed_us);
        self.rates.ticks.sample(self.loop_ticks, elapsed_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_mean_of_the_last_samples() {
        let mut stats = Stats::default();
        let mut now_us = 1_000_000_000;
        for turn in 1..=32 {
            stats.commands = turn * 50;
            now_us += SAMPLE_US;
            stats.sample_rates(now_us);
            stats.sample_rates(now_us + 10);
        }
        assert_eq!(stats.rates.commands.per_second(), 500);
    }

    #[test]
    fn a_counter_that_was_reset_makes_no_wild_rate() {
        let mut rate = Rate::default();
        rate.sample(1_000_000, 100_000);
        rate.sample(10, 100_000);
        assert_eq!(rate.samples[1], 100);
    }

    #[test]
    fn the_largest_buffers_are_forgotten_after_eight_seconds() {
        let mut buffers = Buffers::default();
        buffers.note(1000, 70, 7);
        buffers.note(1003, 20, 20);
        assert_eq!(buffers.largest(1003), (70, 20));
        assert_eq!(buffers.largest(1008), (20, 20));
        assert_eq!(buffers.largest(1011), (0, 0));
    }
}
