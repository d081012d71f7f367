//! Housekeeping, `hz` times a second: expiry, statistics, idle clients, memory.

use crate::engine::duties::Duty;
use crate::engine::process;
use crate::engine::server::Server;
use crate::session::client::Replicates;
use crate::socket::output::{CHUNK_BYTES, CHUNK_BYTES_MIN};
use std::time::{Duration, Instant};

/// Least number of clients looked at in one turn; with many, as many as make every
/// one be seen once a second.
const CLIENTS_PER_TURN: usize = 200;

/// Where it is.
#[derive(Default)]
pub struct Housekeeping {
    /// When the next turn is; `None` before the first.
    next: Option<Instant>,
    /// Client that was looked at last.
    client: usize,
}

/// Housekeeping as a duty.
pub const DUTY: Duty = Duty { due, run };

fn due(server: &Server, now: Instant) -> Option<Duration> {
    let next = server.slots.peek::<Housekeeping>().and_then(|at| at.next);
    Some(next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now)))
}

fn run(server: &mut Server, now: Instant) {
    let hz = turn(server);
    let next = now + Duration::from_millis(1000 / hz.max(1));
    server.slots.with(|at: &mut Housekeeping| at.next = Some(next));
}

/// One turn; the number of turns per second that is wanted now.
fn turn(server: &mut Server) -> u64 {
    let hz = server.settings.hz.clamp(1, 500) as u64;
    if server.cron_paused {
        return hz;
    }
    follow_signals(server);
    look_after_process(server);
    server.store.background.measure();
    server.note_excess();
    server.store.settle_accounts();
    server.stats.peak_memory = server.stats.peak_memory.max(crate::base::memory::used_bytes());
    server.stats.sample_rates(crate::base::clock::unix_us());
    let effort = server.settings.active_expire_effort as u32;
    // A quarter of the time at most, more with more effort.
    let period = Duration::from_micros(1_000_000 / hz);
    server.store.begin_expire_cycle(period * (23 + 2 * effort) / 100, period, server.stats.commands);
    server.store.expire_own();
    look_after_some(server, hz as usize);
    hz
}

/// The loop comes round.
fn look_after_process(server: &mut Server) {
    if server.settings.process.watchdog_ms > 0 {
        crate::base::crash::set_watchdog(process::watchdog_ms(server));
    }
}

/// Stop if a signal asks for it, or read files anew.
pub fn follow_signals(server: &mut Server) {
    if crate::base::signals::take_hangup() {
        server.reread_users();
    }
    if let Some(signal) = crate::base::signals::take_stop() {
        crate::replication::farewell::stop_on(server, signal);
    }
}

fn look_after_some(server: &mut Server, hz: usize) {
    let slots = server.sessions.clients.slots();
    let mut at = server.slots.take::<Housekeeping>();
    for _ in 0..CLIENTS_PER_TURN.max(slots / hz + 1).min(slots) {
        at.client = (at.client + 1) % slots;
        look_after(server, at.client);
    }
    server.slots.put(at);
}

/// Close a client that has been idle for too long, and take memory back from one
/// that needs less than it has.
fn look_after(server: &mut Server, token: usize) {
    let (now_s, now_ms, timeout_s) = (server.clock.now_s, server.clock.now_ms, server.settings.timeout);
    let (peak_reset_ms, resize) = (server.reply_peak_reset_ms, server.reply_resizing);
    let Some(client) = server.sessions.clients.get(token) else { return };
    let idle_s = now_s - client.active_s;
    let may_idle = client.stalled
        || client.listening.is_some()
        || client.replicates == Replicates::Attached
        || client.standing.is_primary();
    if timeout_s > 0 && idle_s > timeout_s && !may_idle {
        crate::base::log::verbose("Closing idle client");
        server.sessions.clients.close(token);
        return;
    }
    server.stats.buffers.note(now_s, client.query.memory_bytes(), client.output.memory_bytes());
    // One that waits for the end of a pause is idle against its will: what it sent stays.
    client.query.shrink(idle_s > 2 && !client.stalled);
    let (_, capacity) = client.output.chunk_usage();
    let resets = peak_reset_ms >= 0 && now_ms - client.peak_at_ms > peak_reset_ms;
    // Only an empty buffer can change its size.
    if resize && client.output.pending() == 0 {
        let peak = client.output.peak();
        if resets && peak < capacity / 2 && capacity > CHUNK_BYTES_MIN {
            client.output.set_chunk_bytes(capacity / 2);
            server.stats.reply_shrinks += 1;
        } else if peak >= capacity && capacity < CHUNK_BYTES {
            client.output.set_chunk_bytes(capacity * 2);
            server.stats.reply_expands += 1;
        }
    }
    if resets {
        client.output.take_peak();
        client.peak_at_ms = now_ms;
    }
    server.weigh_client(token);
    server.close_over_output(token);
}
