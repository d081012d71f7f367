//! Housekeeping, `hz` times a second: expiry, statistics, idle clients, memory.

use crate::engine::server::Server;
use crate::socket::output::{CHUNK_BYTES, CHUNK_BYTES_MIN};
use std::time::Duration;

/// Least number of clients looked at in one turn; with many, as many as make every
/// one be seen once a second.
const CLIENTS_PER_TURN: usize = 200;

impl Server {
    /// One turn; the number of turns per second that is wanted now.
    pub fn cron(&mut self) -> u64 {
        let hz = self.settings.hz.clamp(1, 500) as u64;
        if crate::base::signals::take_stop() {
            crate::base::log::warning("Received SIGTERM or SIGINT, scheduling shutdown...");
            self.stop();
        }
        if self.cron_paused {
            return hz;
        }
        crate::base::memory::calibrate();
        self.settle_accounts();
        self.stats.peak_memory = self.stats.peak_memory.max(crate::base::memory::used_bytes());
        self.stats.sample_rates(crate::base::clock::unix_us());
        let effort = self.settings.active_expire_effort as u32;
        // A quarter of the time at most, more with more effort.
        let period = Duration::from_micros(1_000_000 / hz);
        self.begin_expire_cycle(period * (23 + 2 * effort) / 100, period);
        self.cron_clients(hz as usize);
        hz
    }

    fn cron_clients(&mut self, hz: usize) {
        let slots = self.clients.slots();
        for _ in 0..CLIENTS_PER_TURN.max(slots / hz + 1).min(slots) {
            self.cron_client = (self.cron_client + 1) % slots;
            self.look_after(self.cron_client);
        }
    }

    /// Close a client that has been idle for too long, and take memory back from one
    /// that needs less than it has.
    fn look_after(&mut self, token: usize) {
        let (now_s, now_ms, timeout_s) = (self.clock.now_s, self.clock.now_ms, self.settings.timeout);
        let (peak_reset_ms, resize) = (self.reply_peak_reset_ms, self.reply_resizing);
        let Some(client) = self.clients.get(token) else { return };
        let idle_s = now_s - client.active_s;
        if timeout_s > 0 && idle_s > timeout_s && !client.stalled {
            crate::base::log::verbose("Closing idle client");
            self.clients.close(token);
            return;
        }
        self.stats.buffers.note(now_s, client.query.memory_bytes(), client.output.memory_bytes());
        // One that waits for the end of a pause is idle against its will: what it sent stays.
        client.query.shrink(idle_s > 2 && !client.stalled);
        let (_, capacity) = client.output.chunk_usage();
        let resets = peak_reset_ms >= 0 && now_ms - client.peak_at_ms > peak_reset_ms;
        // Only an empty buffer can change its size.
        if resize && client.output.pending() == 0 {
            let peak = client.output.peak();
            if resets && peak < capacity / 2 && capacity > CHUNK_BYTES_MIN {
                client.output.set_chunk_bytes(capacity / 2);
                self.stats.reply_shrinks += 1;
            } else if peak >= capacity && capacity < CHUNK_BYTES {
                client.output.set_chunk_bytes(capacity * 2);
                self.stats.reply_expands += 1;
            }
        }
        if resets {
            client.output.take_peak();
            client.peak_at_ms = now_ms;
        }
        self.close_over_limit(token);
    }
}
