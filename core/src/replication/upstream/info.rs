//! How a replica is shown.

use crate::engine::server::Server;
use crate::registry::replication::Link;
use crate::replication::info::Fields;
use crate::replication::upstream::{Upstream, link, stream};
use std::sync::atomic::Ordering::Relaxed;

/// The fields of INFO that a replica has beside role, host and port.
pub fn fields(server: &Server) -> Fields {
    let idle = Upstream::default();
    let replica = server.slots.peek::<Upstream>().unwrap_or(&idle);
    let (link, now_s) = (link(server), server.clock.now_s);
    let mut fields = Fields::new();
    let mut add = |name: &str, value: String| fields.push((name.into(), value));
    let is_syncing = link == Link::Syncing;
    add("master_link_status", if link == Link::Up { "up" } else { "down" }.into());
    let heard = stream::heard_s(server).map_or(-1, |heard_s| (now_s - heard_s).max(0));
    add("master_last_io_seconds_ago", heard.to_string());
    add("master_sync_in_progress", u8::from(is_syncing).to_string());
    add("slave_read_repl_offset", stream::read_offset(server).to_string());
    add("slave_repl_offset", server.registry.replication.offset.to_string());
    if let Some(attempt) = replica.attempt.as_ref().filter(|_| is_syncing) {
        let (total, received) = (attempt.total_bytes.load(Relaxed), attempt.received_bytes.load(Relaxed));
        let percent = if total == 0 { 0.0 } else { received as f64 * 100.0 / total as f64 };
        add("master_sync_total_bytes", total.to_string());
        add("master_sync_read_bytes", received.to_string());
        add("master_sync_left_bytes", (total as i64 - received as i64).to_string());
        add("master_sync_perc", format!("{percent:.2}"));
        add("master_sync_last_io_seconds_ago", (now_s - attempt.heard_s.load(Relaxed)).max(0).to_string());
    }
    if link != Link::Up {
        let since = if replica.down_since_s == 0 { -1 } else { (now_s - replica.down_since_s).max(0) };
        add("master_link_down_since_seconds", since.to_string());
    }
    let settings = &server.settings.replication;
    add("slave_priority", settings.priority.to_string());
    add("slave_read_only", u8::from(settings.read_only).to_string());
    add("replica_announced", u8::from(settings.announced).to_string());
    add("plinth_master_link_errors", server.stream.errors.to_string());
    if !replica.last_failure.is_empty() {
        let line: String = replica.last_failure.chars().filter(|letter| !letter.is_control()).collect();
        add("plinth_master_link_failure", line);
    }
    fields
}
