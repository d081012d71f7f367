//! The server's parameters: their values, and the table that reads and sets them
//! by name.
//!
//! Adding one touches two places in this file: a field of [`Settings`] and a line
//! of [`PARAMETERS`]. Parameters of modules are not here, see `config::registry`.

use super::value::memory_size;

/// Values of all parameters of the core.
pub struct Settings {
    /// Addresses to listen on; a leading `-` allows one to be missing.
    pub bind: Vec<String>,
    /// Whether `bind` was given, which turns protected mode's check off.
    pub bind_was_set: bool,
    /// Port, 0 for none.
    pub port: i64,
    /// Pending connections that the kernel keeps.
    pub tcp_backlog: i64,
    /// Path of the unix socket, or empty.
    pub unixsocket: String,
    /// Permissions of the unix socket, octal, or 0 for the default.
    pub unixsocketperm: String,
    /// Refuse other hosts while there is no password.
    pub protected_mode: bool,
    /// Seconds after which idle clients are closed, 0 for never.
    pub timeout: i64,
    /// Seconds between keepalive probes, 0 for none.
    pub tcp_keepalive: i64,
    /// Most connections.
    pub maxclients: i64,
    /// Number of databases.
    pub databases: i64,
    /// Password of the default user, or empty.
    pub requirepass: String,
    /// Run in the background.
    pub daemonize: bool,
    /// Where the process id is written, or empty.
    pub pidfile: String,
    /// Log file, or empty for the standard output.
    pub logfile: String,
    /// Position in `LOG_LEVELS`.
    pub loglevel: usize,
    /// Show the banner even when the log is a file.
    pub always_show_logo: bool,
    /// Turns of the housekeeping timer per second.
    pub hz: i64,
    /// More turns with many clients.
    pub dynamic_hz: bool,
    /// Longest argument in bytes.
    pub proto_max_bulk_len: i64,
    /// Longest query buffer in bytes.
    pub client_query_buffer_limit: i64,
    /// Hard limit, soft limit, soft seconds of the output buffers of normal, replica
    /// and pubsub clients.
    pub output_limits: [OutputLimit; 3],
    /// Memory limit in bytes, 0 for none.
    pub maxmemory: i64,
    /// Position in `EVICTION_POLICIES`.
    pub maxmemory_policy: usize,
    /// LFU counter's logarithm.
    pub lfu_log_factor: i64,
    /// LFU counter's decay, in minutes.
    pub lfu_decay_time: i64,
    /// Free evicted values in the background.
    pub lazyfree_lazy_eviction: bool,
    /// Free expired values in the background.
    pub lazyfree_lazy_expire: bool,
    /// Free values that the server removes itself in the background.
    pub lazyfree_lazy_server_del: bool,
    /// DEL works like UNLINK.
    pub lazyfree_lazy_user_del: bool,
    /// FLUSHALL works like FLUSHALL ASYNC.
    pub lazyfree_lazy_user_flush: bool,
    /// Effort of the expiry cycle, 1 to 10.
    pub active_expire_effort: i64,
    /// Compress long texts in payloads.
    pub rdbcompression: bool,
    /// Check payloads deeply on load: position in `SANITIZE`.
    pub sanitize_dump_payload: usize,
    /// Classes of keyspace events that are published, as the letters given.
    pub notify_keyspace_events: String,
    /// Working directory.
    pub dir: String,
    /// Whether DEBUG runs: position in `ENABLE`.
    pub enable_debug_command: usize,
    /// Whether MODULE runs: position in `ENABLE`.
    pub enable_module_command: usize,
    /// Whether protected parameters can be set: position in `ENABLE`.
    pub enable_protected_configs: usize,
    /// Microseconds from which a command is slow, negative for never.
    pub slowlog_log_slower_than: i64,
    /// Most entries of the slow log.
    pub slowlog_max_len: i64,
    /// Milliseconds from which an event is kept by the latency monitor, 0 for none.
    pub latency_monitor_threshold: i64,
    /// Seconds that a stop waits for replicas.
    pub shutdown_timeout: i64,
    /// Folder of the modules that load by themselves, or empty for the usual places.
    pub module_dir: String,
    /// Modules to load at start, each a path and its arguments.
    pub loadmodule: Vec<Vec<String>>,
    /// Parameters that are accepted for the sake of configuration files and do
    /// nothing yet, with their values.
    pub inert: Vec<(&'static str, String)>,
}

/// Limit of an output buffer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct OutputLimit {
    /// Close at once above so many bytes, 0 for never.
    pub hard_bytes: u64,
    /// Close when above so many bytes ...
    pub soft_bytes: u64,
    /// ... for so many seconds.
    pub soft_s: u64,
}

/// Names of log levels; `nothing` is the last.
pub const LOG_LEVELS: &[&str] = &["debug", "verbose", "notice", "warning", "nothing"];
/// Names of eviction policies.
pub const EVICTION_POLICIES: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
];
const ENABLE: &[&str] = &["no", "yes", "local"];
const SANITIZE: &[&str] = &["no", "yes", "clients"];
const OUTPUT_CLASSES: &[&str] = &["normal", "slave", "pubsub"];

/// How a parameter is read and set.
pub enum Kind {
    /// `yes` or `no`.
    Bool(fn(&mut Settings) -> &mut bool),
    /// An integer in a range.
    Integer(fn(&mut Settings) -> &mut i64, i64, i64),
    /// A number of bytes in a range.
    Memory(fn(&mut Settings) -> &mut i64, i64, i64),
    /// A text.
    Text(fn(&mut Settings) -> &mut String),
    /// One of some words.
    Choice(fn(&mut Settings) -> &mut usize, &'static [&'static str]),
    /// Anything else.
    Custom(fn(&Settings) -> String, fn(&mut Settings, &[Vec<u8>]) -> Result<(), String>),
    /// Accepted and kept without effect.
    Inert(&'static str),
}

/// A parameter.
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// How it is read and set.
    pub kind: Kind,
    /// Fixed once the server runs.
    pub immutable: bool,
    /// Set at run time only when `enable-protected-configs` allows it.
    pub protected: bool,
    /// Takes several words in one CONFIG SET value.
    pub several: bool,
}

const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, immutable: false, protected: false, several: false }
}

impl Parameter {
    const fn immutable(mut self) -> Parameter {
        self.immutable = true;
        self
    }

    const fn protected(mut self) -> Parameter {
        self.protected = true;
        self
    }

    const fn several(mut self) -> Parameter {
        self.several = true;
        self
    }
}

use Kind::{Bool, Choice, Custom, Inert, Integer, Memory, Text};

const INT_MAX: i64 = i32::MAX as i64;

/// All parameters of the core.
pub static PARAMETERS: &[Parameter] = &[
    parameter("bind", Custom(get_bind, set_bind)).several(),
    parameter("port", Integer(|s| &mut s.port, 0, 65535)),
    parameter("tcp-backlog", Integer(|s| &mut s.tcp_backlog, 0, INT_MAX)).immutable(),
    parameter("unixsocket", Text(|s| &mut s.unixsocket)).immutable(),
    parameter("unixsocketperm", Text(|s| &mut s.unixsocketperm)).immutable(),
    parameter("protected-mode", Bool(|s| &mut s.protected_mode)),
    parameter("timeout", Integer(|s| &mut s.timeout, 0, INT_MAX)),
    parameter("tcp-keepalive", Integer(|s| &mut s.tcp_keepalive, 0, INT_MAX)),
    parameter("maxclients", Integer(|s| &mut s.maxclients, 1, u32::MAX as i64)),
    parameter("databases", Integer(|s| &mut s.databases, 1, INT_MAX)).immutable(),
    parameter("requirepass", Text(|s| &mut s.requirepass)),
    parameter("daemonize", Bool(|s| &mut s.daemonize)).immutable(),
    parameter("pidfile", Text(|s| &mut s.pidfile)).immutable(),
    parameter("logfile", Text(|s| &mut s.logfile)).immutable(),
    parameter("loglevel", Choice(|s| &mut s.loglevel, LOG_LEVELS)),
    parameter("always-show-logo", Bool(|s| &mut s.always_show_logo)).immutable(),
    parameter("hz", Custom(|s| s.hz.to_string(), set_hz)),
    parameter("dynamic-hz", Bool(|s| &mut s.dynamic_hz)),
    parameter("proto-max-bulk-len", Memory(|s| &mut s.proto_max_bulk_len, 1 << 20, i64::MAX)),
    parameter("client-query-buffer-limit", Memory(|s| &mut s.client_query_buffer_limit, 1 << 20, i64::MAX)),
    parameter("client-output-buffer-limit", Custom(get_output_limits, set_output_limits)).several(),
    parameter("maxmemory", Memory(|s| &mut s.maxmemory, 0, i64::MAX)),
    parameter("maxmemory-policy", Choice(|s| &mut s.maxmemory_policy, EVICTION_POLICIES)),
    parameter("lfu-log-factor", Integer(|s| &mut s.lfu_log_factor, 0, INT_MAX)),
    parameter("lfu-decay-time", Integer(|s| &mut s.lfu_decay_time, 0, INT_MAX)),
    parameter("lazyfree-lazy-eviction", Bool(|s| &mut s.lazyfree_lazy_eviction)),
    parameter("lazyfree-lazy-expire", Bool(|s| &mut s.lazyfree_lazy_expire)),
    parameter("lazyfree-lazy-server-del", Bool(|s| &mut s.lazyfree_lazy_server_del)),
    parameter("lazyfree-lazy-user-del", Bool(|s| &mut s.lazyfree_lazy_user_del)),
    parameter("lazyfree-lazy-user-flush", Bool(|s| &mut s.lazyfree_lazy_user_flush)),
    parameter("active-expire-effort", Integer(|s| &mut s.active_expire_effort, 1, 10)),
    parameter("rdbcompression", Bool(|s| &mut s.rdbcompression)),
    parameter("sanitize-dump-payload", Choice(|s| &mut s.sanitize_dump_payload, SANITIZE)),
    parameter("notify-keyspace-events", Text(|s| &mut s.notify_keyspace_events)),
    parameter("dir", Text(|s| &mut s.dir)).protected(),
    parameter("enable-debug-command", Choice(|s| &mut s.enable_debug_command, ENABLE)).immutable(),
    parameter("enable-module-command", Choice(|s| &mut s.enable_module_command, ENABLE)).immutable(),
    parameter("enable-protected-configs", Choice(|s| &mut s.enable_protected_configs, ENABLE)).immutable(),
    parameter("slowlog-log-slower-than", Integer(|s| &mut s.slowlog_log_slower_than, -1, i64::MAX)),
    parameter("slowlog-max-len", Integer(|s| &mut s.slowlog_max_len, 0, i64::MAX)),
    parameter("latency-monitor-threshold", Integer(|s| &mut s.latency_monitor_threshold, 0, i64::MAX)),
    parameter("shutdown-timeout", Integer(|s| &mut s.shutdown_timeout, 0, INT_MAX)),
    parameter("module-dir", Text(|s| &mut s.module_dir)).immutable(),
    parameter("save", Inert("")).several(),
    parameter("appendonly", Inert("no")),
    parameter("appendfsync", Inert("everysec")),
    parameter("appendfilename", Inert("appendonly.aof")).immutable(),
    parameter("appenddirname", Inert("appendonlydir")).immutable(),
    parameter("no-appendfsync-on-rewrite", Inert("no")),
    parameter("auto-aof-rewrite-percentage", Inert("100")),
    parameter("auto-aof-rewrite-min-size", Inert("67108864")),
    parameter("aof-use-rdb-preamble", Inert("yes")),
    parameter("aof-load-truncated", Inert("yes")),
    parameter("dbfilename", Inert("dump.rdb")),
    parameter("rdbchecksum", Inert("yes")).immutable(),
    parameter("stop-writes-on-bgsave-error", Inert("yes")),
    parameter("rdb-save-incremental-fsync", Inert("yes")),
    parameter("activerehashing", Inert("yes")),
    parameter("activedefrag", Inert("no")),
    parameter("maxmemory-samples", Inert("5")),
    parameter("maxmemory-eviction-tenacity", Inert("10")),
    parameter("maxmemory-clients", Inert("0")),
    parameter("repl-diskless-sync", Inert("yes")),
    parameter("repl-diskless-sync-delay", Inert("5")),
    parameter("repl-diskless-load", Inert("disabled")),
    parameter("repl-disable-tcp-nodelay", Inert("no")),
    parameter("repl-ping-replica-period", Inert("10")),
    parameter("repl-backlog-size", Inert("1048576")),
    parameter("repl-timeout", Inert("60")),
    parameter("replica-serve-stale-data", Inert("yes")),
    parameter("slave-serve-stale-data", Inert("yes")),
    parameter("replica-read-only", Inert("yes")),
    parameter("replica-priority", Inert("100")),
    parameter("latency-tracking", Inert("yes")),
    parameter("lua-time-limit", Inert("5000")),
    parameter("busy-reply-threshold", Inert("5000")),
    parameter("close-on-replica-write", Inert("yes")),
    parameter("supervised", Inert("no")).immutable(),
    parameter("set-proc-title", Inert("yes")).immutable(),
    parameter("jemalloc-bg-thread", Inert("yes")),
    parameter("oom-score-adj", Inert("no")),
    parameter("crash-log-enabled", Inert("yes")),
    parameter("crash-memcheck-enabled", Inert("yes")),
    parameter("tracking-table-max-keys", Inert("1000000")),
    parameter("acllog-max-len", Inert("128")),
    parameter("io-threads", Inert("1")).immutable(),
    parameter("disable-thp", Inert("yes")).immutable(),
    parameter("locale-collate", Inert("")),
];

impl Default for Settings {
    fn default() -> Self {
        let inert = PARAMETERS
            .iter()
            .filter_map(|parameter| match parameter.kind {
                Inert(default) => Some((parameter.name, default.to_owned())),
                _ => None,
            })
            .collect();
        Settings {
            bind: vec!["*".into(), "-::*".into()],
            bind_was_set: false,
            port: 6379,
            tcp_backlog: 511,
            unixsocket: String::new(),
            unixsocketperm: "0".into(),
            protected_mode: true,
            timeout: 0,
            tcp_keepalive: 300,
            maxclients: 10_000,
            databases: 16,
            requirepass: String::new(),
            daemonize: false,
            pidfile: String::new(),
            logfile: String::new(),
            loglevel: 2,
            always_show_logo: false,
            hz: 10,
            dynamic_hz: true,
            proto_max_bulk_len: 512 << 20,
            client_query_buffer_limit: 1 << 30,
            output_limits: [
                OutputLimit::default(),
                OutputLimit { hard_bytes: 256 << 20, soft_bytes: 64 << 20, soft_s: 60 },
                OutputLimit { hard_bytes: 32 << 20, soft_bytes: 8 << 20, soft_s: 60 },
            ],
            maxmemory: 0,
            maxmemory_policy: 7,
            lfu_log_factor: 10,
            lfu_decay_time: 1,
            lazyfree_lazy_eviction: false,
            lazyfree_lazy_expire: false,
            lazyfree_lazy_server_del: false,
            lazyfree_lazy_user_del: false,
            lazyfree_lazy_user_flush: false,
            active_expire_effort: 1,
            rdbcompression: true,
            sanitize_dump_payload: 0,
            notify_keyspace_events: String::new(),
            dir: String::new(),
            enable_debug_command: 0,
            enable_module_command: 0,
            enable_protected_configs: 0,
            slowlog_log_slower_than: 10_000,
            slowlog_max_len: 128,
            latency_monitor_threshold: 0,
            shutdown_timeout: 10,
            module_dir: String::new(),
            loadmodule: Vec::new(),
            inert,
        }
    }
}

/// The parameter of a name.
pub fn find(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
}

fn text(words: &[Vec<u8>]) -> String {
    words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ")
}

fn one(words: &[Vec<u8>]) -> Result<String, String> {
    if words.len() == 1 { Ok(text(words)) } else { Err("wrong number of arguments".into()) }
}

impl Settings {
    /// A parameter's value as CONFIG GET shows it.
    pub fn get(&mut self, parameter: &Parameter) -> String {
        match parameter.kind {
            Bool(field) => if *field(self) { "yes" } else { "no" }.into(),
            Integer(field, ..) | Memory(field, ..) => field(self).to_string(),
            Text(field) => field(self).clone(),
            Choice(field, words) => words[*field(self)].into(),
            Custom(get, _) => get(self),
            Inert(_) => self.inert_slot(parameter.name).cloned().unwrap_or_default(),
        }
    }

    fn inert_slot(&mut self, name: &str) -> Option<&mut String> {
        self.inert.iter_mut().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Set a parameter from the words of its line; the reason if they do not fit.
    pub fn set(&mut self, parameter: &Parameter, words: &[Vec<u8>]) -> Result<(), String> {
        match parameter.kind {
            Bool(field) => {
                *field(self) = match one(words)?.to_ascii_lowercase().as_str() {
                    "yes" => true,
                    "no" => false,
                    _ => return Err("argument must be 'yes' or 'no'".into()),
                };
            }
            Integer(field, min, max) => {
                let number = one(words)?.parse().map_err(|_| "argument couldn't be parsed into an integer")?;
                *field(self) = in_range(number, min, max)?;
            }
            Memory(field, min, max) => {
                let number = memory_size(one(words)?.as_bytes()).ok_or("argument must be a memory value")?;
                *field(self) = in_range(i64::try_from(number).unwrap_or(i64::MAX), min, max)?;
            }
            Text(field) => *field(self) = one(words)?,
            Choice(field, known) => {
                let word = one(words)?;
                let found = known.iter().position(|name| name.eq_ignore_ascii_case(&word));
                *field(self) =
                    found.ok_or_else(|| format!("argument(s) must be one of the following: {}", known.join(", ")))?;
            }
            Custom(_, set) => set(self, words)?,
            Inert(_) => {
                let value = text(words);
                if let Some(slot) = self.inert_slot(parameter.name) {
                    // Several `save` lines add up, an empty one forgets them.
                    if parameter.name == "save" && !slot.is_empty() && !value.is_empty() {
                        slot.push(' ');
                        slot.push_str(&value);
                    } else {
                        *slot = value;
                    }
                }
            }
        }
        Ok(())
    }
}

fn in_range(number: i64, min: i64, max: i64) -> Result<i64, String> {
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(format!("argument must be between {min} and {max} inclusive"))
    }
}

fn get_bind(settings: &Settings) -> String {
    settings.bind.join(" ")
}

fn set_bind(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    settings.bind_was_set = true;
    settings.bind =
        words.iter().filter(|word| !word.is_empty()).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    Ok(())
}

fn set_hz(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let hz: i64 = one(words)?.parse().map_err(|_| "argument couldn't be parsed into an integer")?;
    settings.hz = hz.clamp(1, 500);
    Ok(())
}

fn get_output_limits(settings: &Settings) -> String {
    let classes = OUTPUT_CLASSES.iter().zip(settings.output_limits);
    let text = |(class, limit): (&&str, OutputLimit)| {
        format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_s)
    };
    classes.map(text).collect::<Vec<_>>().join(" ")
}

fn set_output_limits(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    if words.is_empty() || !words.len().is_multiple_of(4) {
        return Err("wrong number of arguments".into());
    }
    let mut limits = settings.output_limits;
    for four in words.chunks(4) {
        let class = text(&four[..1]).to_ascii_lowercase();
        let class = if class == "replica" { "slave".into() } else { class };
        let at = OUTPUT_CLASSES
            .iter()
            .position(|known| *known == class)
            .ok_or("Invalid client class specified in buffer limit configuration.")?;
        let number = |word: &[u8]| {
            memory_size(word).ok_or("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
        };
        limits[at] =
            OutputLimit { hard_bytes: number(&four[1])?, soft_bytes: number(&four[2])?, soft_s: number(&four[3])? };
    }
    settings.output_limits = limits;
    Ok(())
}
