//! INFO's sections about what the server runs on and what it takes.

use crate::admin::info::{Fields, ratio};
use crate::base::version::{REDIS_VERSION, VERSION};
use crate::base::{allocator, memory};
use crate::engine::defrag::Defragmentation;
use crate::engine::footprint::Footprint;
use crate::engine::server::Server;
use crate::settings::parameters::EVICTION_POLICIES;

const SECONDS_PER_DAY: i64 = 86_400;

/// Identity of the build: what `redis-server --version` calls so is a checksum, too.
fn build_id() -> String {
    format!(
        "{:016x}",
        crate::durable::crc64::checksum(format!("plinth {VERSION} {}", std::env::consts::ARCH).as_bytes())
    )
}

pub(super) fn server(server: &mut Server, fields: &mut Fields) {
    let system = rustix::system::uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    fields.section("Server");
    fields.add("redis_version", REDIS_VERSION);
    fields.add("redis_git_sha1", "00000000");
    fields.add("redis_git_dirty", 0);
    fields.add("redis_build_id", build_id());
    fields.add("redis_mode", server.registry.mode.as_ref().map_or("standalone", |mode| &mode.name));
    fields.add("server_name", "plinth");
    fields.add("plinth_version", VERSION);
    fields.add("os", format_args!("{} {} {}", word(system.sysname()), word(system.release()), word(system.machine())));
    fields.add("arch_bits", usize::BITS);
    fields.add("monotonic_clock", "POSIX clock_gettime");
    fields.add("multiplexing_api", if cfg!(target_os = "linux") { "epoll" } else { "kqueue" });
    fields.add("process_id", std::process::id());
    fields.add("process_supervised", "no");
    fields.add("run_id", &server.run_id);
    let tls_port = server.settings.tls.port as u16;
    fields.add("tcp_port", if server.port > 0 { server.port } else { tls_port });
    fields.add("server_time_usec", crate::base::clock::unix_us());
    fields.add("uptime_in_seconds", server.clock.uptime_s());
    fields.add("uptime_in_days", server.clock.uptime_s() / SECONDS_PER_DAY);
    fields.add("hz", server.settings.hz);
    fields.add("configured_hz", server.settings.hz);
    fields.add("lru_clock", server.clock.now_s & 0xff_ffff);
    fields.add("executable", server.executable.display());
    fields.add("config_file", server.config_file.display());
    fields.add("io_threads_active", 0);
    listeners(server, fields);
}

fn listeners(server: &Server, fields: &mut Fields) {
    let mut number = 0;
    let mut add = |text: String| {
        fields.add(&format!("listener{number}"), text);
        number += 1;
    };
    if server.port > 0 && !server.settings.bind.is_empty() {
        let addresses: String = server.settings.bind.iter().map(|address| format!(",bind={address}")).collect();
        add(format!("name=tcp{addresses},port={}", server.port));
    }
    if server.settings.tls.port > 0 && !server.settings.bind.is_empty() {
        let addresses: String = server.settings.bind.iter().map(|address| format!(",bind={address}")).collect();
        add(format!("name=tls{addresses},port={}", server.settings.tls.port));
    }
    if !server.settings.unixsocket.is_empty() {
        add(format!("name=unix,bind={}", server.settings.unixsocket));
    }
}

/// Certificates in use: those of the server, of links that go out, and of the first authority.
pub(super) fn tls(server: &mut Server, fields: &mut Fields) {
    fields.section("TLS");
    for (name, shown) in ["server", "client", "ca"].into_iter().zip(server.tls_shown()) {
        let serial = shown.as_ref().map_or("none", |shown| shown.serial.as_str());
        fields.add(&format!("tls_{name}_cert_serial"), serial);
        fields.add(&format!("tls_{name}_cert_expires_in_seconds"), shown.as_ref().map_or(0, |shown| shown.left_s()));
    }
}

pub(super) fn clients(server: &mut Server, fields: &mut Fields) {
    let (input, output) = server.stats.buffers.largest(server.clock.now_s);
    fields.section("Clients");
    fields.add("connected_clients", server.sessions.clients.len());
    fields.add("cluster_connections", 0);
    fields.add("maxclients", server.settings.maxclients);
    fields.add("client_recent_max_input_buffer", input);
    fields.add("client_recent_max_output_buffer", output);
    fields.add("blocked_clients", server.sessions.clients.iter().filter(|client| client.stalled).count());
    fields.add("tracking_clients", server.sessions.tracked.clients);
    fields.add("pubsub_clients", server.sessions.clients.iter().filter(|client| client.listening.is_some()).count());
    fields.add("clients_in_timeout_table", server.sessions.blocking.timeouts());
    fields.add("total_blocking_keys", server.sessions.blocking.keys());
    fields.add("total_blocking_keys_on_nokey", server.sessions.blocking.removal_keys());
}

/// Bytes of the machine's memory.
fn system_bytes() -> usize {
    let info = rustix::system::sysinfo();
    usize::try_from(info.totalram).unwrap_or(0) * info.mem_unit.max(1) as usize
}

pub(super) fn memory(server: &mut Server, fields: &mut Fields) {
    let of = Footprint::measure(server, fields.0.capacity());
    let Footprint { used, peak, resident, startup, clients: of_clients, overhead } = of;
    let (dataset, grown) = (of.dataset(), of.grown());
    fields.section("Memory");
    fields.bytes("used_memory", used);
    fields.bytes("used_memory_rss", resident);
    fields.bytes("used_memory_peak", peak);
    fields.add("used_memory_peak_perc", format_args!("{:.2}%", 100.0 * ratio(used as f64, peak as f64)));
    fields.add("used_memory_overhead", overhead);
    fields.add("used_memory_startup", startup);
    fields.add("used_memory_dataset", dataset);
    fields.add("used_memory_dataset_perc", format_args!("{:.2}%", 100.0 * ratio(dataset as f64, grown as f64)));
    let held = memory::held();
    fields.add("allocator_allocated", held.allocated);
    fields.add("allocator_active", held.active);
    fields.add("allocator_resident", held.resident);
    fields.bytes("total_system_memory", system_bytes());
    fields.bytes("maxmemory", usize::try_from(server.settings.maxmemory).unwrap_or(0));
    fields.add("maxmemory_policy", EVICTION_POLICIES[server.settings.maxmemory_policy]);
    shares(fields, &held, used, resident);
    // That of the append-only file alone.
    let uncounted = server.excess.uncounted_bytes;
    fields.add("mem_not_counted_for_evict", uncounted);
    let (of_backlog, of_stream) = crate::replication::state::memory_bytes(server);
    fields.add("mem_replication_backlog", of_backlog);
    fields.add("mem_total_replication_buffers", of_stream);
    fields.zeros(&["mem_replica_full_sync_buffer"]);
    fields.add("mem_clients_slaves", of_stream - of_backlog);
    fields.add("mem_clients_normal", of_clients);
    fields.add("mem_cluster_links", 0);
    fields.add("mem_aof_buffer", uncounted);
    fields.add("mem_allocator", allocator::version());
    fields.add("active_defrag_running", server.slots.peek::<Defragmentation>().map_or(0, |at| at.percent));
    fields.add("lazyfree_pending_objects", server.store.background.pending());
    fields.add("lazyfreed_objects", server.store.background.freed());
}

/// How much more is held than is in use, at each level.
fn shares(fields: &mut Fields, held: &memory::Held, used: usize, resident: usize) {
    let mut pair = |name: &str, short: &str, more: usize, less: usize| {
        fields.add(&format!("{name}_ratio"), format_args!("{:.2}", ratio(more as f64, less as f64)));
        fields.add(&format!("{short}_bytes"), more as i64 - less as i64);
    };
    pair("allocator_frag", "allocator_frag", held.active, held.allocated);
    pair("allocator_rss", "allocator_rss", held.resident, held.active);
    pair("rss_overhead", "rss_overhead", resident, held.resident);
    pair("mem_fragmentation", "mem_fragmentation", resident, used);
}

/// User, system, children's user and children's system time of a process or thread, in
/// seconds, from its `stat` file (`man 5 proc`).
fn times(path: &str) -> Option<[f64; 4]> {
    let text = std::fs::read_to_string(path).ok()?;
    // The name before the last parenthesis may hold anything.
    let mut words = text.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let per_second = rustix::param::clock_ticks_per_second() as f64;
    let mut next = || Some(words.next()?.parse::<f64>().ok()? / per_second);
    Some([next()?, next()?, next()?, next()?])
}

pub(super) fn cpu(_server: &mut Server, fields: &mut Fields) {
    fields.section("CPU");
    let Some([user, system, user_children, system_children]) = times("/proc/self/stat") else { return };
    let mut add = |name: &str, seconds: f64| fields.add(name, format_args!("{seconds:.6}"));
    add("used_cpu_sys", system);
    add("used_cpu_user", user);
    add("used_cpu_sys_children", system_children);
    add("used_cpu_user_children", user_children);
    if let Some([user, system, ..]) = times("/proc/thread-self/stat") {
        add("used_cpu_sys_main_thread", system);
        add("used_cpu_user_main_thread", user);
    }
}
