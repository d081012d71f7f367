//! The server's parameters: their values, and the table that reads and sets them
//! by name.
//!
//! Adding one touches two places in this file: a field of [`Settings`] and a line
//! of [`PARAMETERS`]. Parameters without effect are in [`crate::settings::inert`], those of
//! modules in [`crate::settings::of_module`].

use crate::settings::acl::{self, Acl};
use crate::settings::aof::{self, Aof};
use crate::settings::defrag::{self, Defrag};
use crate::settings::durability;
use crate::settings::durability::Durability;
use crate::settings::inert;
use crate::settings::inert::Rule;
use crate::settings::memory;
use crate::settings::process::{self, Process};
use crate::settings::replication;
use crate::settings::tls::{self, Tls};
use crate::settings::value;
use crate::settings::value::{ValueError, memory_size};

/// Values of all parameters of the core.
#[derive(Clone)]
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
    pub requirepass: Vec<u8>,
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
    /// Milliseconds after which a command that takes long has others served, 0 for never.
    pub busy_reply_threshold: i64,
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
    /// Look at each reply of a module as a whole.
    pub check_module_replies: bool,
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
    /// What concerns files.
    pub durability: Durability,
    /// Whether it is kept how long runs of each command took.
    pub latency_tracking: bool,
    /// Percentiles of that which INFO shows.
    pub latency_percentiles: Vec<f64>,
    /// Seconds that a stop waits for replicas.
    pub shutdown_timeout: i64,
    /// Folder of the modules that load by themselves, or empty for the usual places.
    pub module_dir: String,
    /// Names of modules that do not load by themselves.
    pub module_exclude: Vec<String>,
    /// Modules to load at start, each a path and its arguments.
    pub loadmodule: Vec<Vec<String>>,
    /// The append-only file.
    pub aof: Aof,
    /// How memory is kept within its limits.
    pub memory: memory::Limits,
    /// Those that concern the process.
    pub process: Process,
    /// Active defragmentation.
    pub defrag: Defrag,
    /// Those that concern replication.
    pub replication: replication::Replication,
    /// Those that concern users.
    pub acl: Acl,
    /// Those of connections that speak TLS.
    pub tls: Tls,
    /// Parameters that are accepted for the sake of configuration files and do
    /// nothing yet, with their values.
    pub inert: Vec<(&'static str, Vec<u8>)>,
    /// Whether the configuration has had a `save` line, so that the next one adds to it.
    pub save_was_set: bool,
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

/// The limits of normal, replica and pubsub clients when nothing else is set.
const OUTPUT_LIMITS: [OutputLimit; 3] = [
    OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_s: 0 },
    OutputLimit { hard_bytes: 256 << 20, soft_bytes: 64 << 20, soft_s: 60 },
    OutputLimit { hard_bytes: 32 << 20, soft_bytes: 8 << 20, soft_s: 60 },
];
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
    "volatile-lrm",
    "allkeys-lrm",
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
    /// A text, such as a path; other bytes than UTF-8 are refused.
    Text(fn(&mut Settings) -> &mut String),
    /// Any bytes, such as a password.
    Bytes(fn(&mut Settings) -> &mut Vec<u8>),
    /// One of some words.
    Choice(fn(&mut Settings) -> &mut usize, &'static [&'static str]),
    /// Anything else.
    Custom(fn(&Settings) -> String, fn(&mut Settings, &[Vec<u8>]) -> Result<(), String>),
    /// Checked and kept without effect; its default.
    Inert(Rule, &'static str),
}

/// A parameter.
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// An older name, under which it is known too.
    pub alias: Option<&'static str>,
    /// How it is read and set.
    pub kind: Kind,
    /// Fixed once the server runs.
    pub immutable: bool,
    /// Set at run time only when `enable-protected-configs` allows it.
    pub protected: bool,
    /// Not set while data are being loaded.
    pub rests: bool,
    /// Takes several words in one CONFIG SET value.
    pub several: bool,
    /// Shown only when asked for by its name.
    pub hidden: bool,
}

pub(super) const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        alias: None,
        kind,
        immutable: false,
        protected: false,
        rests: false,
        several: false,
        hidden: false,
    }
}

/// A parameter without effect.
pub(super) const fn inert(name: &'static str, rule: Rule, default: &'static str) -> Parameter {
    parameter(name, Kind::Inert(rule, default))
}

impl Parameter {
    pub(super) const fn alias(mut self, name: &'static str) -> Parameter {
        self.alias = Some(name);
        self
    }

    pub(super) const fn immutable(mut self) -> Parameter {
        self.immutable = true;
        self
    }

    pub(super) const fn protected(mut self) -> Parameter {
        self.protected = true;
        self
    }

    pub(super) const fn rests(mut self) -> Parameter {
        self.rests = true;
        self
    }

    pub(super) const fn hidden(mut self) -> Parameter {
        self.hidden = true;
        self
    }

    pub(super) const fn several(mut self) -> Parameter {
        self.several = true;
        self
    }
}

use Kind::{Bool, Bytes, Choice, Custom, Inert, Integer, Memory, Text};

pub(super) const INT_MAX: i64 = i32::MAX as i64;
/// Most databases: each takes memory from the start, and is looked at by whatever looks at all.
const DATABASES_MAX: i64 = 1 << 16;

/// All parameters of the core.
pub static PARAMETERS: &[Parameter] = &[
    parameter("bind", Custom(get_bind, set_bind)).several(),
    parameter("port", Integer(|s| &mut s.port, 0, 65535)),
    parameter("tcp-backlog", Integer(|s| &mut s.tcp_backlog, 0, INT_MAX)).immutable(),
    parameter("unixsocket", Text(|s| &mut s.unixsocket)).immutable(),
    parameter("unixsocketperm", Custom(|s| s.unixsocketperm.clone(), set_socket_mode)).immutable(),
    parameter("protected-mode", Bool(|s| &mut s.protected_mode)),
    parameter("timeout", Integer(|s| &mut s.timeout, 0, INT_MAX)),
    parameter("tcp-keepalive", Integer(|s| &mut s.tcp_keepalive, 0, INT_MAX)),
    parameter("maxclients", Integer(|s| &mut s.maxclients, 1, u32::MAX as i64)),
    parameter("databases", Integer(|s| &mut s.databases, 1, DATABASES_MAX)).immutable(),
    parameter("requirepass", Bytes(|s| &mut s.requirepass)),
    parameter("daemonize", Bool(|s| &mut s.daemonize)).immutable(),
    parameter("pidfile", Text(|s| &mut s.pidfile)).immutable(),
    parameter("logfile", Text(|s| &mut s.logfile)).immutable(),
    parameter("loglevel", Choice(|s| &mut s.loglevel, LOG_LEVELS)),
    parameter("always-show-logo", Bool(|s| &mut s.always_show_logo)).immutable(),
    parameter("busy-reply-threshold", Integer(|s| &mut s.busy_reply_threshold, 0, i64::MAX)).alias("lua-time-limit"),
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
    parameter("check-module-replies", Bool(|s| &mut s.check_module_replies)),
    parameter("sanitize-dump-payload", Choice(|s| &mut s.sanitize_dump_payload, SANITIZE)),
    parameter("notify-keyspace-events", Custom(|s| s.notify_keyspace_events.clone(), set_event_classes)),
    parameter("dir", Custom(get_dir, set_dir)).protected().rests(),
    parameter("enable-debug-command", Choice(|s| &mut s.enable_debug_command, ENABLE)).immutable(),
    parameter("enable-module-command", Choice(|s| &mut s.enable_module_command, ENABLE)).immutable(),
    parameter("enable-protected-configs", Choice(|s| &mut s.enable_protected_configs, ENABLE)).immutable(),
    parameter("slowlog-log-slower-than", Integer(|s| &mut s.slowlog_log_slower_than, -1, i64::MAX)),
    parameter("slowlog-max-len", Integer(|s| &mut s.slowlog_max_len, 0, i64::MAX)),
    parameter("latency-monitor-threshold", Integer(|s| &mut s.latency_monitor_threshold, 0, i64::MAX)),
    parameter("latency-tracking", Bool(|s| &mut s.latency_tracking)),
    parameter("latency-tracking-info-percentiles", Custom(get_percentiles, set_percentiles)).several(),
    parameter("shutdown-timeout", Integer(|s| &mut s.shutdown_timeout, 0, INT_MAX)),
    parameter("module-dir", Text(|s| &mut s.module_dir)).protected(),
    parameter("module-exclude", Custom(|s| s.module_exclude.join(" "), set_module_exclude)).several(),
];

/// Parameters without effect, with their defaults.
fn inert_defaults() -> Vec<(&'static str, Vec<u8>)> {
    let default = |parameter: &Parameter| match parameter.kind {
        Inert(_, default) => Some((parameter.name, default.as_bytes().to_vec())),
        _ => None,
    };
    inert::PARAMETERS.iter().filter_map(default).collect()
}

impl Default for Settings {
    fn default() -> Self {
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
            requirepass: Vec::new(),
            daemonize: false,
            pidfile: String::new(),
            logfile: String::new(),
            loglevel: 2,
            always_show_logo: false,
            busy_reply_threshold: 5000,
            hz: 10,
            dynamic_hz: true,
            proto_max_bulk_len: 512 << 20,
            client_query_buffer_limit: 1 << 30,
            output_limits: OUTPUT_LIMITS,
            maxmemory: 0,
            maxmemory_policy: 7,
            lfu_log_factor: 10,
            lfu_decay_time: 1,
            lazyfree_lazy_eviction: true,
            lazyfree_lazy_expire: true,
            lazyfree_lazy_server_del: true,
            lazyfree_lazy_user_del: true,
            lazyfree_lazy_user_flush: true,
            active_expire_effort: 1,
            rdbcompression: true,
            check_module_replies: false,
            sanitize_dump_payload: 0,
            notify_keyspace_events: String::new(),
            dir: String::new(),
            enable_debug_command: 0,
            enable_module_command: 0,
            enable_protected_configs: 0,
            slowlog_log_slower_than: 10_000,
            slowlog_max_len: 128,
            latency_monitor_threshold: 0,
            durability: Durability::default(),
            latency_tracking: true,
            latency_percentiles: vec![50.0, 99.0, 99.9],
            shutdown_timeout: 10,
            module_dir: String::new(),
            module_exclude: Vec::new(),
            loadmodule: Vec::new(),
            aof: Aof::default(),
            memory: memory::Limits::default(),
            process: Process::default(),
            defrag: Defrag::default(),
            replication: replication::Replication::default(),
            acl: Acl::default(),
            tls: Tls::default(),
            inert: inert_defaults(),
            save_was_set: false,
        }
    }
}

/// All parameters of the core, with and without effect.
pub fn all() -> impl Iterator<Item = &'static Parameter> {
    PARAMETERS
        .iter()
        .chain(durability::PARAMETERS)
        .chain(aof::PARAMETERS)
        .chain(memory::PARAMETERS)
        .chain(defrag::PARAMETERS)
        .chain(replication::PARAMETERS)
        .chain(acl::PARAMETERS)
        .chain(process::PARAMETERS)
        .chain(tls::PARAMETERS)
        .chain(inert::PARAMETERS)
}

/// The parameter of a name, the older name included.
pub fn find(name: &str) -> Option<&'static Parameter> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    all().find(|parameter| is(parameter.name) || parameter.alias.is_some_and(is))
}

/// Set a parameter as a line of the file does, in settings of its own; its value then, for tests.
#[cfg(test)]
pub(super) fn set_line(name: &str, line: &str) -> Result<String, String> {
    let mut settings = Settings::default();
    let words = crate::base::words::split(line.as_bytes()).expect("words");
    let parameter = find(name).expect("a parameter");
    settings.set(parameter, &words)?;
    Ok(String::from_utf8_lossy(&settings.get(parameter)).into_owned())
}

pub(super) fn one(words: &[Vec<u8>]) -> Result<&[u8], String> {
    if let [word] = words { Ok(word) } else { Err("wrong number of arguments".into()) }
}

pub(super) fn reason(error: ValueError) -> String {
    error.to_string()
}

impl Settings {
    /// A parameter's value as CONFIG GET shows it.
    pub fn get(&mut self, parameter: &Parameter) -> Vec<u8> {
        match parameter.kind {
            Bool(field) => if *field(self) { "yes" } else { "no" }.into(),
            Integer(field, ..) | Memory(field, ..) => field(self).to_string().into_bytes(),
            Text(field) => field(self).clone().into_bytes(),
            Bytes(field) => field(self).clone(),
            Choice(field, words) => words[*field(self)].into(),
            Custom(get, _) => get(self).into_bytes(),
            Inert(..) => self.inert_slot(parameter.name).cloned().unwrap_or_default(),
        }
    }

    fn inert_slot(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        self.inert.iter_mut().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Set a parameter from words; the reason if they do not fit.
    pub fn set(&mut self, parameter: &Parameter, words: &[Vec<u8>]) -> Result<(), String> {
        match parameter.kind {
            Bool(field) => *field(self) = value::yes_no(one(words)?).map_err(reason)?,
            Integer(field, min, max) => *field(self) = value::integer(one(words)?, min..=max).map_err(reason)?,
            Memory(field, min, max) => {
                let bytes = value::memory(one(words)?, min as u64..=max as u64).map_err(reason)?;
                *field(self) = bytes as i64;
            }
            Text(field) => *field(self) = value::text(one(words)?).map_err(reason)?,
            Bytes(field) => *field(self) = one(words)?.to_vec(),
            Choice(field, known) => {
                let choices: Vec<(&str, usize)> = known.iter().enumerate().map(|(at, name)| (*name, at)).collect();
                *field(self) = value::choice(one(words)?, &choices).map_err(reason)?;
            }
            Custom(_, set) => set(self, words)?,
            Inert(rule, _) => {
                let value = rule.check(words)?;
                if let Some(slot) = self.inert_slot(parameter.name) {
                    *slot = value;
                }
            }
        }
        Ok(())
    }

    /// Set a parameter from a line of the configuration. The same as [`Settings::set`]
    /// but for `save`: its first line takes the place of the default, and those that
    /// follow add to it, until an empty one.
    pub fn set_line(&mut self, parameter: &Parameter, words: &[Vec<u8>]) -> Result<(), String> {
        let adds = parameter.name == "save" && self.save_was_set && words.iter().any(|word| !word.is_empty());
        self.save_was_set |= parameter.name == "save";
        let before = self.durability.save.clone();
        // Several words may stand in one pair of quotes, as CONFIG SET gives them.
        match words {
            [word] if parameter.several => {
                self.set(parameter, &crate::base::words::split(word).map_err(|_| "unbalanced quotes")?)?;
            }
            _ => self.set(parameter, words)?,
        }
        if adds {
            self.durability.save.splice(..0, before);
        }
        Ok(())
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

/// Counts at the next start: what is loaded stays.
fn set_module_exclude(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let names = words.iter().filter(|word| !word.is_empty());
    settings.module_exclude = names.map(|word| value::text(word).map_err(reason)).collect::<Result<_, _>>()?;
    Ok(())
}

fn set_hz(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    settings.hz = value::integer(one(words)?, 0..=INT_MAX).map_err(reason)?.clamp(1, 500);
    Ok(())
}

fn set_socket_mode(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    settings.unixsocketperm = format!("{:o}", value::octal(one(words)?, 0..=0o777).map_err(reason)?);
    Ok(())
}

fn get_dir(_: &Settings) -> String {
    std::env::current_dir().unwrap_or_default().display().to_string()
}

/// Changes the directory at once: lines below may name files relative to it.
fn set_dir(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let dir = value::text(one(words)?).map_err(reason)?;
    std::env::set_current_dir(&dir).map_err(|error| crate::base::log::plain(&error))?;
    settings.dir = get_dir(settings);
    Ok(())
}

/// Classes of key events that `A` stands for, and those that it does not; in the
/// order in which they are shown.
const EVENT_CLASSES: (&str, &str) = ("g$lshzxetd", "KEmn");

fn set_event_classes(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let given = String::from_utf8_lossy(one(words)?);
    let (of_all, others) = EVENT_CLASSES;
    if !given.chars().all(|class| class == 'A' || of_all.contains(class) || others.contains(class)) {
        return Err("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".into());
    }
    let is_set = |class: &char| given.contains(*class) || of_all.contains(*class) && given.contains('A');
    let all = of_all.chars().all(|class| is_set(&class));
    let mut shown: String = if all { "A".into() } else { of_all.chars().filter(is_set).collect() };
    shown.extend(others.chars().filter(is_set));
    settings.notify_keyspace_events = shown;
    Ok(())
}

fn get_percentiles(settings: &Settings) -> String {
    settings.latency_percentiles.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
}

/// Most percentiles: each is sought for each command that INFO shows.
const PERCENTILES_MAX: usize = 64;

fn set_percentiles(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    let words = words.iter().filter(|word| words.len() > 1 || !word.is_empty());
    let mut percentiles = Vec::new();
    for word in words {
        let number = std::str::from_utf8(word).ok().and_then(|word| word.parse::<f64>().ok());
        let number = number.ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&number) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        percentiles.push(number);
    }
    if percentiles.len() > PERCENTILES_MAX {
        return Err(format!("latency-tracking-info-percentiles takes at most {PERCENTILES_MAX} parameters"));
    }
    settings.latency_percentiles = percentiles;
    Ok(())
}

fn get_output_limits(settings: &Settings) -> String {
    let classes = OUTPUT_CLASSES.iter().zip(settings.output_limits);
    let text = |(class, limit): (&&str, OutputLimit)| {
        format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_s)
    };
    classes.map(text).collect::<Vec<_>>().join(" ")
}

/// A position in `OUTPUT_CLASSES`.
fn output_class(word: &[u8]) -> Option<usize> {
    let class = if word.eq_ignore_ascii_case(b"replica") { b"slave" } else { word };
    OUTPUT_CLASSES.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(class))
}

fn set_output_limits(settings: &mut Settings, words: &[Vec<u8>]) -> Result<(), String> {
    // No words at all leave all as it is.
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits = settings.output_limits;
    for four in words.chunks(4) {
        let at = output_class(&four[0]).ok_or("Invalid client class specified in buffer limit configuration.")?;
        let wrong = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
        let soft_s = value::integer(&four[3], 0..=INT_MAX).map_err(|_| wrong)?;
        limits[at] = OutputLimit {
            hard_bytes: memory_size(&four[1]).ok_or(wrong)?,
            soft_bytes: memory_size(&four[2]).ok_or(wrong)?,
            soft_s: soft_s as u64,
        };
    }
    settings.output_limits = limits;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(settings: &mut Settings, line: &str) -> Result<(), String> {
        let mut words = crate::base::words::split(line.as_bytes()).unwrap();
        let name = String::from_utf8(words.remove(0)).unwrap();
        settings.set_line(find(&name).unwrap(), &words)
    }

    fn get(settings: &mut Settings, name: &str) -> String {
        String::from_utf8(settings.get(find(name).unwrap())).unwrap()
    }

    #[test]
    fn no_two_parameters_have_a_name_in_common() {
        let mut names: Vec<&str> = all().flat_map(|one| std::iter::once(one.name).chain(one.alias)).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn save_lines_replace_the_default_and_add_up_until_an_empty_one() {
        let mut settings = Settings::default();
        assert_eq!(get(&mut settings, "save"), "3600 1 300 100 60 10000");
        set(&mut settings, "save 900 1").unwrap();
        set(&mut settings, "save 60 1000").unwrap();
        assert_eq!(get(&mut settings, "save"), "900 1 60 1000");
        set(&mut settings, "save").unwrap();
        assert_eq!(get(&mut settings, "save"), "");
        set(&mut settings, "save 5 5").unwrap();
        set(&mut settings, "save ''").unwrap();
        assert_eq!(get(&mut settings, "save"), "");
    }

    #[test]
    fn an_older_name_sets_the_same_parameter() {
        let mut settings = Settings::default();
        set(&mut settings, "slave-priority 7").unwrap();
        assert_eq!(get(&mut settings, "replica-priority"), "7");
        set(&mut settings, "primaryuser a").unwrap();
        assert_eq!(get(&mut settings, "masteruser"), "a");
    }

    #[test]
    fn bytes_are_kept_as_they_are_or_refused_where_a_text_is_meant() {
        let mut settings = Settings::default();
        let mut put = |name: &str| settings.set(find(name).unwrap(), &[b"a\xff".to_vec()]);
        for name in ["masteruser", "masterauth", "requirepass", "tls-key-file-pass"] {
            assert!(put(name).is_ok(), "{name}");
        }
        for name in ["logfile", "aclfile", "proc-title-template", "dir", "module-exclude"] {
            assert_eq!(put(name), Err("argument must be UTF-8".to_owned()), "{name}");
        }
        assert_eq!(settings.get(find("primaryuser").unwrap()), b"a\xff");
    }

    #[test]
    fn event_classes_are_shown_in_one_order() {
        let mut settings = Settings::default();
        for (given, shown) in [("KEA", "AKE"), ("lK", "lK"), ("''", ""), ("tdxezhsl$gm", "Am")] {
            set(&mut settings, &format!("notify-keyspace-events {given}")).unwrap();
            assert_eq!(get(&mut settings, "notify-keyspace-events"), shown);
        }
        assert!(set(&mut settings, "notify-keyspace-events Q").is_err());
    }

    #[test]
    fn output_limits_are_set_by_class_all_or_none() {
        let mut settings = Settings::default();
        set(&mut settings, "client-output-buffer-limit replica 1kb 2 3").unwrap();
        let shown = "normal 0 0 0 slave 1024 2 3 pubsub 33554432 8388608 60";
        assert_eq!(get(&mut settings, "client-output-buffer-limit"), shown);
        set(&mut settings, "client-output-buffer-limit ''").unwrap();
        for wrong in ["normal 1 2", "nobody 1 2 3", "normal 1 2 -3", "normal 1 1 1 pubsub x 1 1"] {
            assert!(set(&mut settings, &format!("client-output-buffer-limit {wrong}")).is_err());
        }
        assert_eq!(get(&mut settings, "client-output-buffer-limit"), shown);
    }
}
