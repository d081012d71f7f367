//! The server: one value that holds all state, owned by the one thread that runs
//! commands.

use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::engine::call::CommandTable;
use crate::registry::hooks::Hooks;
use crate::registry::modules::Modules;
use crate::registry::timers::Timers;
use crate::session::block::Blocking;
use crate::session::clients::Clients;
use crate::session::pause::Pause;
use crate::session::watch::Watches;
use crate::settings::parameters::Settings;
use crate::socket::output::Output;
use crate::stats::Stats;
use crate::store::Store;
use crate::store::access_clock::AccessClock;
use std::path::PathBuf;

/// All state of a running server.
pub struct Server {
    /// Parameters.
    pub settings: Settings,
    /// Cached time.
    pub clock: Clock,
    /// How accesses to keys are noted.
    pub access: AccessClock,
    /// Databases and types.
    pub keyspace: Store,
    /// Connections.
    pub clients: Clients,
    /// Commands by name.
    pub commands: CommandTable,
    /// Loaded modules.
    pub modules: Modules,
    /// Hooks of modules on events.
    pub hooks: Hooks,
    /// Timers of modules.
    pub timers: Timers,
    /// Keys under WATCH.
    pub watches: Watches,
    /// Who waits for which keys.
    pub blocking: Blocking,
    /// Counters.
    pub stats: Stats,
    /// Where replies go that nobody reads.
    pub sink: Output,
    /// Random numbers that need not be secret.
    pub random: Random,
    /// Identity of this run, 40 hex digits.
    pub run_id: String,
    /// Absolute path of the configuration file, or empty.
    pub config_file: PathBuf,
    /// Absolute path of the executable.
    pub executable: PathBuf,
    /// Port that is served, 0 for none.
    pub port: u16,
    /// Set when the loop should end.
    pub stopping: bool,
    /// Changes since the start, which tell whether a command wrote.
    pub dirty: u64,
    /// Where the housekeeping of clients goes on.
    pub cron_client: usize,
    /// Milliseconds after which a reply buffer's peak is forgotten, negative for never.
    pub reply_peak_reset_ms: i64,
    /// Whether reply buffers are resized.
    pub reply_resizing: bool,
    /// `DEBUG SET-SKIP-CHECKSUM-VALIDATION`.
    pub skip_checksums: bool,
    /// Whether any client has CLIENT NO-TOUCH on.
    pub any_no_touch: bool,
    /// Nesting of hooks on keys, during which keys must stay as they are.
    pub key_hooks: u32,
    /// `DEBUG SET-ACTIVE-EXPIRE`.
    pub active_expire: bool,
    /// When the last command ended, or the batch began, in ticks.
    pub last_ticks: u64,
    /// Nesting of commands run by modules.
    pub depth: u32,
    /// Whether any module is being replaced.
    pub replacing: bool,
    /// Which ones are.
    pub replacements: Vec<crate::modules::replace::Replacement>,
    /// A large value that is being converted.
    pub migration: Option<crate::store::slices::Migration>,
    /// The walk that converts values.
    pub sweep: crate::modules::sweep::Sweep,
    /// The search for keys that have expired.
    pub expiring: crate::store::expire::ExpireCycle,
    /// What the client is told whose command ends with `GHOST`.
    pub ghost_note: String,
    /// Listeners that are to replace the present ones (CONFIG SET).
    pub new_listeners: Option<Vec<crate::socket::listener::Listener>>,
    /// The TCP sockets that are listened on, for CONFIG SET to put to rest.
    pub listening: Vec<std::os::fd::OwnedFd>,
    /// `DEBUG PAUSE-CRON`.
    pub cron_paused: bool,
    /// Parameters of modules that the configuration file names before they are loaded.
    pub waiting_parameters: Vec<(String, Vec<u8>)>,
    /// Until when clients wait, and whether only for writes (CLIENT PAUSE).
    pub pause: Option<Pause>,
}

impl Server {
    /// A server with nothing loaded.
    pub fn new(settings: Settings) -> std::io::Result<Server> {
        let mut random = Random::new();
        let run_id = (0..5).map(|_| format!("{:08x}", random.number() >> 32)).collect();
        let clock = Clock::new();
        let mut server = Server {
            access: AccessClock { now_s: clock.now_s as u32, lfu: false, log_factor: 10, decay_minutes: 1 },
            clock,
            keyspace: Store::new(usize::try_from(settings.databases).unwrap_or(16))?,
            clients: Clients::default(),
            commands: CommandTable::default(),
            modules: Modules::default(),
            hooks: Hooks::default(),
            timers: Timers::default(),
            watches: Watches::default(),
            blocking: Blocking::default(),
            stats: Stats::default(),
            sink: Output::default(),
            random,
            run_id,
            config_file: PathBuf::new(),
            executable: std::env::current_exe().unwrap_or_default(),
            port: 0,
            stopping: false,
            dirty: 0,
            cron_client: 0,
            reply_peak_reset_ms: 5000,
            reply_resizing: true,
            skip_checksums: false,
            any_no_touch: false,
            active_expire: true,
            key_hooks: 0,
            last_ticks: 0,
            depth: 0,
            replacing: false,
            replacements: Vec::new(),
            migration: None,
            sweep: crate::modules::sweep::Sweep::default(),
            expiring: crate::store::expire::ExpireCycle::default(),
            ghost_note: String::new(),
            new_listeners: None,
            listening: Vec::new(),
            cron_paused: false,
            waiting_parameters: Vec::new(),
            pause: None,
            settings,
        };
        server.modules.services = crate::modules::services::core_services();
        server.register_core_commands();
        Ok(server)
    }

    /// Whether keys may be removed because they expired: not while writes pause, and
    /// not under a hook, whose caller may still hold an entry.
    pub fn may_expire(&self) -> bool {
        self.pause.is_none() && self.key_hooks == 0
    }
}
