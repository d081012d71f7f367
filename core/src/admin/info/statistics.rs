//! INFO's sections of counters.

use crate::admin::info::{Fields, persistence, ratio};
use crate::engine::call::Registered;
use crate::engine::defrag::Defragmentation;
use crate::engine::server::Server;

/// Bytes in the kilobyte of the network figures.
const KILOBYTE: f64 = 1024.0;

pub(super) fn stats(server: &mut Server, fields: &mut Fields) {
    server.note_excess();
    let stats = &server.stats;
    let rates = &stats.rates;
    fields.section("Stats");
    fields.add("total_connections_received", stats.connections);
    fields.add("total_commands_processed", stats.commands);
    fields.add("instantaneous_ops_per_sec", rates.commands.per_second());
    fields.add("total_net_input_bytes", stats.input_bytes);
    fields.add("total_net_output_bytes", stats.output_bytes);
    fields.zeros(&["total_net_repl_input_bytes"]);
    fields.add("total_net_repl_output_bytes", stats.repl_output_bytes);
    let mut kilobytes = |name, rate: u64| fields.add(name, format_args!("{:.2}", rate as f64 / KILOBYTE));
    kilobytes("instantaneous_input_kbps", rates.input.per_second());
    kilobytes("instantaneous_output_kbps", rates.output.per_second());
    kilobytes("instantaneous_input_repl_kbps", 0);
    kilobytes("instantaneous_output_repl_kbps", 0);
    fields.add("rejected_connections", stats.rejected_connections);
    fields.add("sync_full", stats.syncs_full);
    fields.add("sync_partial_ok", stats.syncs_partial);
    fields.add("sync_partial_err", stats.syncs_partial_refused);
    fields.add("expired_keys", server.store.counters.expired);
    fields.add("expired_stale_perc", format_args!("{:.2}", server.store.counters.expired_stale_percent));
    fields.add("expired_time_cap_reached_count", server.store.counters.expire_budget_reached);
    fields.add("expire_cycle_cpu_milliseconds", server.store.counters.expire_cycle_us / 1000);
    fields.add("evicted_keys", server.store.counters.evicted);
    fields.add("evicted_clients", server.excess.clients);
    fields.add("total_eviction_exceeded_time", server.excess.total().as_millis());
    fields.add("current_eviction_exceeded_time", server.excess.current().as_millis());
    fields.add("keyspace_hits", server.store.counters.hits);
    fields.add("keyspace_misses", server.store.counters.misses);
    let forks = persistence::forks(server);
    fields.add("latest_fork_usec", forks.last_us);
    fields.add("total_forks", forks.count);
    fields.zeros(&["slave_expires_tracked_keys"]);
    // A key is one allocation, which moves or does not.
    let (moved, kept) = (server.store.defragging.moved, server.store.defragging.kept);
    fields.add("active_defrag_hits", moved);
    fields.add("active_defrag_misses", kept);
    fields.add("active_defrag_key_hits", moved);
    fields.add("active_defrag_key_misses", kept);
    let defrag = server.slots.peek::<Defragmentation>();
    fields.add("total_active_defrag_time", defrag.map_or(0, |at| at.total().as_millis()));
    fields.add("current_active_defrag_time", defrag.map_or(0, |at| at.current().as_millis()));
    let tracked = &server.sessions.tracked;
    fields.add("tracking_total_keys", tracked.keys());
    fields.add("tracking_total_items", tracked.items());
    fields.add("tracking_total_prefixes", tracked.prefixes());
    fields.add("unexpected_error_replies", 0);
    fields.add("total_error_replies", stats.errors);
    fields.add("dump_payload_sanitizations", 0);
    fields.add("total_reads_processed", stats.reads);
    fields.add("total_writes_processed", stats.writes);
    fields.zeros(&["io_threaded_reads_processed", "io_threaded_writes_processed"]);
    fields.add("client_query_buffer_limit_disconnections", stats.query_limit_closed);
    fields.add("client_output_buffer_limit_disconnections", stats.output_limit_closed);
    fields.add("reply_buffer_shrinks", stats.reply_shrinks);
    fields.add("reply_buffer_expands", stats.reply_expands);
    fields.add("eventloop_cycles", stats.loop_turns);
    fields.add("eventloop_duration_sum", server.clock.ticks_to_us(stats.loop_ticks));
    fields.add("eventloop_duration_cmd_sum", server.clock.ticks_to_us(stats.command_ticks));
    let turns = rates.turns.per_second();
    let work_us = server.clock.ticks_to_us(rates.ticks.per_second()) as f64;
    fields.add("instantaneous_eventloop_cycles_per_sec", turns);
    fields.add("instantaneous_eventloop_duration_usec", ratio(work_us, turns as f64) as u64);
    fields.add("acl_access_denied_auth", stats.auth_failures);
    fields.add("acl_access_denied_cmd", stats.denied_commands);
    fields.add("acl_access_denied_key", stats.denied_keys);
    fields.add("acl_access_denied_channel", stats.denied_channels);
    fields.add("acl_access_denied_db", stats.denied_databases);
    fields.add("acl_access_denied_tls_cert", stats.certificate_failures);
}

pub(super) fn commands(server: &mut Server, fields: &mut Fields) {
    fields.section("Commandstats");
    for command in server.commands.iter().flat_map(Registered::with_subcommands) {
        command_line(server, command, fields);
    }
}

pub(super) fn latencies(server: &mut Server, fields: &mut Fields) {
    fields.section("Latencystats");
    let percentiles = &server.settings.latency_percentiles;
    if !server.settings.latency_tracking || percentiles.is_empty() {
        return;
    }
    for command in server.commands.iter().flat_map(Registered::with_subcommands) {
        let durations = &command.stats.durations;
        if durations.count() > 0 {
            let found = durations.percentiles_us(percentiles);
            let each = percentiles.iter().zip(found).map(|(percent, us)| format!("p{percent}={us:.3}"));
            let line = each.collect::<Vec<_>>().join(",");
            fields.add(&format!("latency_percentiles_usec_{}", command.name), line);
        }
    }
}

/// The line of a command, if it was ever asked for.
fn command_line(server: &Server, command: &Registered, fields: &mut Fields) {
    let stats = &command.stats;
    let (calls, rejected, failed) = (stats.calls.get(), stats.rejected.get(), stats.failed.get());
    if calls == 0 && failed == 0 && rejected == 0 {
        return;
    }
    let us = server.clock.ticks_to_us(stats.ticks.get());
    fields.add(
        &format!("cmdstat_{}", command.name),
        format_args!(
            "calls={calls},usec={us},usec_per_call={:.2},rejected_calls={rejected},failed_calls={failed}",
            ratio(us as f64, calls as f64)
        ),
    );
}

pub(super) fn errors(server: &mut Server, fields: &mut Fields) {
    fields.section("Errorstats");
    for (code, count) in &server.stats.error_codes {
        fields.add(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}
