//! Housekeeping, `hz` times a second: expiry, statistics, idle clients, memory.

use crate::net::client::Closing;
use crate::net::output::{CHUNK_BYTES, CHUNK_BYTES_MIN};
use crate::server::Server;
use std::time::Duration;

/// Clients looked at in one turn.
const CLIENTS_PER_TURN: usize = 200;

impl Server {
    /// One turn; the number of turns per second that is wanted now.
    pub fn cron(&mut self) -> u64 {
        let hz = self.settings.hz.clamp(1, 500) as u64;
        crate::memory::calibrate();
        self.stats.peak_memory = self.stats.peak_memory.max(crate::memory::used_bytes());
        self.stats.sample_rate(hz);
        let effort = self.settings.active_expire_effort as u64;
        // A quarter of the time at most, more with more effort.
        self.expire_cycle(Duration::from_micros(1_000_000 / hz * (23 + 2 * effort) / 100));
        self.cron_clients();
        if crate::signals::take_stop() {
            crate::log::warning("Received SIGTERM or SIGINT, scheduling shutdown...");
            self.stop();
        }
        hz
    }

    fn cron_clients(&mut self) {
        let slots = self.clients.slots();
        for _ in 0..CLIENTS_PER_TURN.min(slots) {
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
        if timeout_s > 0 && idle_s > timeout_s {
            crate::log::verbose("Closing idle client");
            client.closing = Closing::Now;
            self.clients.list_close(token);
            return;
        }
        client.query.shrink(idle_s > 2);
        if !resize || client.write_listed {
            return;
        }
        let (used, capacity) = client.output.chunk_usage();
        if peak_reset_ms >= 0 && now_ms - client.peak_at_ms > peak_reset_ms {
            let peak = client.output.take_peak();
            client.peak_at_ms = now_ms;
            if peak < capacity / 2 && capacity > CHUNK_BYTES_MIN && used == 0 {
                client.output.set_chunk_bytes((capacity / 2).max(CHUNK_BYTES_MIN));
            }
        }
        if client.output.peak() == capacity && capacity < CHUNK_BYTES && used == 0 {
            client.output.set_chunk_bytes((capacity * 2).min(CHUNK_BYTES));
        }
    }
}
