//! Parameters of replication: what a primary keeps and sends, and how a replica behaves.

use crate::settings::parameters::Kind::{Bool, Bytes, Choice, Custom, Integer, Memory, Text};
use crate::settings::parameters::{INT_MAX, Parameter, Settings, parameter};

/// Names of how a replica loads a snapshot that comes without a file, as `repl-diskless-load` has them.
pub const DISKLESS_LOAD: &[&str] = &["disabled", "on-empty-db", "swapdb"];

/// Values of the parameters.
#[derive(Clone)]
pub struct Replication {
    /// Host and port of the primary, as `host port`; empty for none.
    pub replicaof: String,
    /// Password that the primary is told.
    pub masterauth: Vec<u8>,
    /// User that the primary is told, or empty.
    pub masteruser: Vec<u8>,
    /// Send a snapshot as it is made, without a file.
    pub diskless_sync: bool,
    /// Seconds that a snapshot without a file waits for more replicas.
    pub diskless_sync_delay_s: i64,
    /// Number of replicas for which it waits no longer, 0 for none.
    pub diskless_sync_max_replicas: i64,
    /// Position in [`DISKLESS_LOAD`].
    pub diskless_load: usize,
    /// Let the kernel collect small pieces of the stream.
    pub disable_tcp_nodelay: bool,
    /// Seconds between two PINGs in the stream.
    pub ping_period_s: i64,
    /// Bytes of the stream that are kept for replicas that come back.
    pub backlog_size: i64,
    /// Seconds after which they are dropped when there is no replica, 0 for never.
    pub backlog_ttl_s: i64,
    /// Seconds after which a link that is silent is cut.
    pub timeout_s: i64,
    /// Refuse writes with fewer replicas than so many, 0 for never ...
    pub min_replicas_to_write: i64,
    /// ... that were heard of in so many seconds.
    pub min_replicas_max_lag_s: i64,
    /// Address that a replica says it has, or empty.
    pub announce_ip: String,
    /// Port that a replica says it has, or 0.
    pub announce_port: i64,
    /// Whether Sentinel is told of this replica.
    pub announced: bool,
    /// Evict nothing as a replica.
    pub ignore_maxmemory: bool,
    /// Free what a full sync replaces in the background.
    pub lazy_flush: bool,
    /// The lower, the sooner Sentinel promotes this replica; 0 for never.
    pub priority: i64,
    /// Refuse writes as a replica.
    pub read_only: bool,
    /// Serve reads while the link to the primary is down.
    pub serve_stale_data: bool,
}

impl Default for Replication {
    fn default() -> Self {
        Replication {
            replicaof: String::new(),
            masterauth: Vec::new(),
            masteruser: Vec::new(),
            diskless_sync: true,
            diskless_sync_delay_s: 5,
            diskless_sync_max_replicas: 0,
            diskless_load: 0,
            disable_tcp_nodelay: false,
            ping_period_s: 10,
            backlog_size: 1 << 20,
            backlog_ttl_s: 3600,
            timeout_s: 60,
            min_replicas_to_write: 0,
            min_replicas_max_lag_s: 10,
            announce_ip: String::new(),
            announce_port: 0,
            announced: true,
            ignore_maxmemory: true,
            lazy_flush: false,
            priority: 100,
            read_only: true,
            serve_stale_data: true,
        }
    }
}

/// Least bytes of the stream that are kept: a lower `repl-backlog-size` becomes so many.
pub const BACKLOG_BYTES_MIN: i64 = 16 * 1024;

/// They, in the order in which CONFIG GET shows them.
pub static PARAMETERS: &[Parameter] = &[
    parameter("replicaof", Custom(|s| s.replication.replicaof.clone(), set_replicaof))
        .alias("slaveof")
        .several()
        .immutable(),
    parameter("masterauth", Bytes(|s| &mut s.replication.masterauth)).alias("primaryauth"),
    parameter("masteruser", Bytes(|s| &mut s.replication.masteruser)).alias("primaryuser"),
    parameter("repl-diskless-sync", Bool(|s| &mut s.replication.diskless_sync)),
    parameter("repl-diskless-sync-delay", Integer(|s| &mut s.replication.diskless_sync_delay_s, 0, INT_MAX)),
    parameter(
        "repl-diskless-sync-max-replicas",
        Integer(|s| &mut s.replication.diskless_sync_max_replicas, 0, INT_MAX),
    ),
    parameter("repl-diskless-load", Choice(|s| &mut s.replication.diskless_load, DISKLESS_LOAD)).rests(),
    parameter("repl-disable-tcp-nodelay", Bool(|s| &mut s.replication.disable_tcp_nodelay)),
    parameter("repl-ping-replica-period", Integer(|s| &mut s.replication.ping_period_s, 1, INT_MAX))
        .alias("repl-ping-slave-period"),
    parameter("repl-backlog-size", Memory(|s| &mut s.replication.backlog_size, 1, i64::MAX)),
    parameter("repl-backlog-ttl", Integer(|s| &mut s.replication.backlog_ttl_s, 0, i64::MAX)),
    parameter("repl-timeout", Integer(|s| &mut s.replication.timeout_s, 1, INT_MAX)),
    parameter("min-replicas-to-write", Integer(|s| &mut s.replication.min_replicas_to_write, 0, INT_MAX))
        .alias("min-slaves-to-write"),
    parameter("min-replicas-max-lag", Integer(|s| &mut s.replication.min_replicas_max_lag_s, 0, INT_MAX))
        .alias("min-slaves-max-lag"),
    parameter("replica-announce-ip", Text(|s| &mut s.replication.announce_ip)).alias("slave-announce-ip"),
    parameter("replica-announce-port", Integer(|s| &mut s.replication.announce_port, 0, 65_535))
        .alias("slave-announce-port"),
    parameter("replica-announced", Bool(|s| &mut s.replication.announced)),
    parameter("replica-ignore-maxmemory", Bool(|s| &mut s.replication.ignore_maxmemory))
        .alias("slave-ignore-maxmemory"),
    parameter("replica-lazy-flush", Bool(|s| &mut s.replication.lazy_flush)).alias("slave-lazy-flush"),
    parameter("replica-priority", Integer(|s| &mut s.replication.priority, 0, INT_MAX)).alias("slave-priority"),
    parameter("replica-read-only", Bool(|s| &mut s.replication.read_only)).alias("slave-read-only"),
    parameter("replica-serve-stale-data", Bool(|s| &mut s.replication.serve_stale_data))
        .alias("slave-serve-stale-data"),
];

/// A host and a port, or `no one`.
fn set_replicaof(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let words: Vec<String> = words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let [host, port] = words.as_slice() else { return Err("wrong number of arguments".into()) };
    if host.eq_ignore_ascii_case("no") && port.eq_ignore_ascii_case("one") {
        settings.replication.replicaof = String::new();
        return Ok(());
    }
    if port.parse::<u16>().is_err() {
        return Err("Invalid master port".into());
    }
    settings.replication.replicaof = words.join(" ");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::parameters::find;

    #[test]
    fn a_primary_is_a_host_and_a_port_or_no_one() {
        let set = |line: &str| {
            let mut settings = Settings::default();
            let words = crate::base::words::split(line.as_bytes()).unwrap();
            settings.set_line(find("slaveof").unwrap(), &words).map(|()| settings.replication.replicaof)
        };
        assert_eq!(set("host 7000").as_deref(), Ok("host 7000"));
        assert_eq!(set("NO ONE").as_deref(), Ok(""));
        assert!(set("host").is_err() && set("host 70000").is_err());
    }
}
