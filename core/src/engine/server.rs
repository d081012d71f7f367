//! The server: one value that holds all state, owned by the one thread that runs
//! commands.
//!
//! It is put together of parts that know nothing of each other: the store, the sessions, what modules
//! have registered, settings and counters. What needs several of them is a function on it in this
//! room, or a function that takes it in a room above.

use crate::acl::Acl;
use crate::base::clock::Clock;
use crate::base::random::Random;
use crate::command::table::{MINDS_ALWAYS, MINDS_MEMORY, MINDS_SUBCOMMANDS, MINDS_WRITES};
use crate::durable::disk::{Disk, Real};
use crate::engine::call::{CommandTable, Registry};
use crate::engine::duties::Duty;
use crate::engine::effects::{Observer, Pending};
use crate::engine::excess::Excess;
use crate::engine::gates::Gate;
use crate::engine::parameters::Applier;
use crate::engine::slots::Slots;
use crate::registry::propagation::Propagation;
use crate::registry::replication::KnownReplica;
use crate::registry::stream::Stream;
use crate::session::Sessions;
use crate::settings::parameters::Settings;
use crate::socket::listener::Listener;
use crate::socket::output::Output;
use crate::stats::Stats;
use crate::store::Store;
use plinth_abi::call::CALL_NO_BLOCK;
use plinth_abi::events::ON_UNIT;
use std::path::PathBuf;
use std::sync::Arc;

/// A module is taking the place of another.
pub const SPECIAL_REPLACED: u32 = 1 << 8;
/// Somebody passes commands on.
pub const SPECIAL_TOLD: u32 = 1 << 9;

/// All state of a running server.
pub struct Server {
    /// Databases and types.
    pub store: Store,
    /// Connections, and what they wait for.
    pub sessions: Sessions,
    /// What modules have registered.
    pub registry: Registry,
    /// Parameters.
    pub settings: Settings,
    /// Counters.
    pub stats: Stats,
    /// Commands by name.
    pub commands: CommandTable,
    /// Users, and what they may do.
    pub acl: Acl,
    /// Cached time.
    pub clock: Clock,
    /// Where durable files are written.
    pub disk: Arc<dyn Disk>,
    /// What rooms above take part in.
    pub lists: Lists,
    /// State of rooms above.
    pub slots: Slots,
    /// What the run of a command is to look at, 0 for nothing: `MINDS_*`, which a command may mind, and
    /// `SPECIAL_*`; kept by [`Server::observe`].
    pub special: u32,
    /// What has happened and is to be followed up.
    pub pending: Pending,
    /// How memory stands to its limit.
    pub excess: Excess,
    /// What others are told of commands.
    pub propagation: Propagation,
    /// The primary's stream, while a command of it runs.
    pub stream: Stream,
    /// Where replies go that nobody reads.
    pub sink: Output,
    /// Identity of this run, 40 hex digits.
    pub run_id: String,
    /// Absolute path of the configuration file, or empty.
    pub config_file: PathBuf,
    /// Absolute path of the executable.
    pub executable: PathBuf,
    /// Port that is served, 0 for none.
    pub port: u16,
    /// Listeners that are to replace the present ones (CONFIG SET).
    pub new_listeners: Option<Vec<Listener>>,
    /// The TCP sockets that are listened on, for CONFIG SET to put to rest.
    pub listening: Vec<std::os::fd::OwnedFd>,
    /// Whether nobody is told of what happens, because it has happened before: a file is loaded.
    pub is_quiet: bool,
    /// Set when the loop should end.
    pub stopping: bool,
    /// Whether modules have been told so.
    pub has_announced_end: bool,
    /// Milliseconds after which a reply buffer's peak is forgotten, negative for never.
    pub reply_peak_reset_ms: i64,
    /// Whether reply buffers are resized.
    pub reply_resizing: bool,
    /// `DEBUG SET-SKIP-CHECKSUM-VALIDATION`.
    pub skip_checksums: bool,
    /// `DEBUG SET-DISABLE-DENY-SCRIPTS`: scripts run commands of the core that are not for them.
    pub allows_scripts_more: bool,
    /// `DEBUG PAUSE-CRON`.
    pub cron_paused: bool,
    /// From how many ticks on somebody wants to look at a command that has run.
    pub looks_from: u64,
    /// When the last command ended, or the batch began, in ticks.
    pub last_ticks: u64,
    /// Nesting of commands run by modules.
    pub depth: u32,
    /// The depth at which a command of a script runs, which those see too who watch.
    pub scripted_depth: u32,
    /// Nesting of parameters that are set.
    pub setting: u32,
}

/// What start-up fills in, so that a room above takes part in what this one runs.
#[derive(Clone, Copy, Default)]
pub struct Lists {
    /// What a command has to pass before it runs, in this order.
    pub gates: &'static [Gate],
    /// Who is told of what has happened in the store.
    pub observers: &'static [Observer],
    /// What is to be done without a command, in this order.
    pub duties: &'static [Duty],
    /// How parameters take effect.
    pub appliers: &'static [Applier],
    /// Serves others once while a command takes long.
    pub serve_others: Option<fn(&mut Server)>,
    /// Puts the parameters into the configuration file; with `true`, also those at their default.
    pub rewrite: Option<fn(&mut Server, bool) -> std::io::Result<()>>,
    /// How modules look at replication, and change the role.
    pub roles: Option<Roles>,
    /// Whether observers are told of changes and events of keys, and of what is propagated, that nobody
    /// else asks for.
    pub tells_all: bool,
}

/// What the room of replication does for modules.
#[derive(Clone, Copy)]
pub struct Roles {
    /// Those who read the stream, or are about to.
    pub replicas: fn(&Server) -> Vec<KnownReplica>,
    /// Become a copy of another server, by its host and port.
    pub follow: fn(&mut Server, &str, u16),
    /// Become nobody's copy.
    pub promote: fn(&mut Server),
}

impl Server {
    /// A server with nothing loaded.
    pub fn new(settings: Settings, lists: Lists) -> std::io::Result<Server> {
        let mut random = Random::new();
        let run_id = random.identity();
        let clock = Clock::new();
        Ok(Server {
            store: Store::new(usize::try_from(settings.databases).unwrap_or(16), clock.now_ms)?,
            sessions: Sessions::default(),
            registry: Registry::default(),
            settings,
            stats: Stats::default(),
            commands: CommandTable::default(),
            acl: Acl::default(),
            clock,
            disk: Arc::new(Real),
            lists,
            slots: Slots::default(),
            special: MINDS_SUBCOMMANDS,
            pending: Pending::default(),
            excess: Excess::default(),
            propagation: Propagation::default(),
            stream: Stream::default(),
            sink: Output::default(),
            run_id,
            config_file: PathBuf::new(),
            executable: std::env::current_exe().unwrap_or_default(),
            port: 0,
            new_listeners: None,
            listening: Vec::new(),
            is_quiet: false,
            stopping: false,
            has_announced_end: false,
            reply_peak_reset_ms: 5000,
            reply_resizing: true,
            skip_checksums: false,
            allows_scripts_more: false,
            cron_paused: false,
            looks_from: 0,
            last_ticks: 0,
            depth: 0,
            scripted_depth: 0,
            setting: 0,
        })
    }

    /// Tell modules, once, that the server stops.
    pub fn announce_end(&mut self) {
        if !std::mem::replace(&mut self.has_announced_end, true) {
            self.publish(&crate::registry::hooks::event(plinth_abi::events::ON_SHUTDOWN, 0, &[]));
        }
    }

    /// Read the time, for a turn of the loop that begins when the counter is at `ticks`.
    pub fn tick(&mut self, ticks: u64) {
        self.clock.update(ticks);
        self.store.tick(self.clock.now_ms);
    }

    /// A command has ended when the time that is shown was old. Within EXEC, and within a command that runs
    /// others, time stands still: all of it happens at one instant.
    #[cold]
    pub fn tick_after(&mut self, flags: u32) {
        if flags & CALL_NO_BLOCK == 0 && !self.is_busy() {
            self.clock.measure(self.last_ticks);
            self.look_back_by();
            self.tick(self.last_ticks);
        }
    }

    /// Have the store note what somebody wants to know, and the run of a command look at what is special;
    /// called when that may have changed.
    pub fn observe(&mut self) {
        let all = self.lists.tells_all && !self.is_quiet;
        let is_wanted = all || self.propagation.is_wanted() || self.registry.hooks.wants(ON_UNIT);
        let is_told = is_wanted && !self.is_quiet;
        if !self.is_quiet {
            self.propagation.units.follow(is_told, self.store.dirty);
        }
        let bit = |bit: u32, is_so: bool| if is_so { bit } else { 0 };
        self.special = MINDS_SUBCOMMANDS
            | bit(MINDS_ALWAYS, self.sessions.pause.is_some() || self.registry.standing.refuses())
            | bit(MINDS_ALWAYS, self.registry.replication.refuses_stale)
            | bit(MINDS_WRITES, self.registry.replication.refuses_writes)
            | bit(MINDS_MEMORY, self.settings.maxmemory > 0)
            | bit(SPECIAL_REPLACED, !self.registry.replacements.is_empty())
            | bit(SPECIAL_TOLD, is_told);
        self.store.effects.wants_changes =
            all || !self.is_quiet && (self.sessions.want_changes() || self.propagation.touched.is_some());
        self.store.effects.wanted_events = match (all, self.is_quiet) {
            (true, _) => u32::MAX,
            (false, true) => 0,
            (false, false) => self.registry.hooks.classes(),
        };
        self.store.effects.wants_commands = is_told;
        self.store.is_paused = self.sessions.pause.is_some();
        self.store.is_replica = self.registry.replication.is_replica();
    }

    /// End the loop after this turn. Where a command takes long it is to end at once, and modules are told then.
    pub fn stop(&mut self) {
        match &mut self.registry.standing.busy {
            Some(busy) => busy.ends = true,
            None => self.announce_end(),
        }
        self.stopping = true;
        // Who runs commands looks there, and runs no more.
        self.pending.is_due = true;
    }
}
