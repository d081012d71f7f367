//! Counters that INFO shows.

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
    /// Keys found.
    pub hits: u64,
    /// Keys looked for and not found.
    pub misses: u64,
    /// Keys removed because they expired.
    pub expired: u64,
    /// Times that the expiry cycle ran out of its budget.
    pub expire_budget_reached: u64,
    /// Share of keys that are expired and still there, as the last cycles saw, in percent.
    pub expired_stale_percent: f64,
    /// Milliseconds that the expiry cycle took.
    pub expire_cycle_us: u64,
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
    /// Commands per second over the last seconds, newest at `rate_at`.
    pub rates: [u64; 16],
    /// Position in `rates`.
    pub rate_at: usize,
    /// Command count when the last rate was taken.
    pub rate_commands: u64,
    /// AUTH and ACL refusals.
    pub auth_failures: u64,
    /// Largest query and output buffers seen in the last seconds.
    pub max_input_buffer: usize,
    /// Largest output buffer seen.
    pub max_output_buffer: usize,
}

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

    /// Note the number of commands, ten times a second.
    pub fn sample_rate(&mut self, turns_per_second: u64) {
        let done = self.commands.wrapping_sub(self.rate_commands);
        self.rate_commands = self.commands;
        self.rates[self.rate_at] = done * turns_per_second;
        self.rate_at = (self.rate_at + 1) % self.rates.len();
    }

    /// Commands per second over the last samples.
    pub fn commands_per_second(&self) -> u64 {
        self.rates.iter().sum::<u64>() / self.rates.len() as u64
    }
}
