//! The testbed: the Plinth server within a test of a module, under plain `cargo test`.
//!
//! ```
//! # #![allow(missing_docs)]
//! use plinth_module::prelude::*;
//! use plinth_testbed::Testbed;
//!
//! fn double(call: &mut Call<'_>) -> Result {
//!     let value = call.args.integer(1)?;
//!     call.reply.integer(value.checked_mul(2).ok_or(Error::Overflow)?);
//!     Ok(())
//! }
//!
//! export!(Module {
//!     name: "example",
//!     commands: &[Command { name: text("double"), arity: 2, run: run(double), ..Command::NEW }],
//!     ..Module::NEW
//! });
//!
//! # fn main() {
//! let mut host = Testbed::new(&plinth_module_entry).unwrap();
//! assert_eq!(host.run(&["DOUBLE", "21"]), b":42\r\n");
//! assert_eq!(host.run(&["double", "x"]), b"-ERR value is not an integer or out of range\r\n");
//! # }
//! ```
//!
//! It is the real core, with all its gates, services and duties: a command goes through a pair of
//! sockets within the process and is parsed, run and answered as any client's is. Other than in a
//! server that runs for itself,
//!
//! - modules are linked into the test and loaded from their entries ([`Testbed::load`]), those of the
//!   server itself are not there, and MODULE LOAD and REPLACE have nothing to open;
//! - the clock stands still until it is moved ([`Testbed::advance_ms`]), and keys that have expired
//!   are removed when they are looked at only;
//! - a turn of the loop is taken when the test asks for something, on the test's thread;
//! - what is published of keys, said to replicas and written to the log is kept for the test.
//!
//! A module's statics are one per process, and so are the server's log and the numbers that modules'
//! types have. So there is one testbed at a time: tests on other threads wait for their turn, and a
//! second one on the same thread is a panic. What a test wants two servers for goes into two databases
//! ([`Testbed::select`]).
//!
//! In reading order: [`Testbed`] here; [`client`] (commands, those who wait, pushes), [`keys`] (what
//! a key holds), [`convert`] (a value on its way to a successor), [`events`] (what is kept), `turn` (one
//! at a time).

pub mod client;
pub mod convert;
pub mod events;
pub mod keys;
mod turn;

pub use self::client::Waiting;
pub use self::events::KeyEvent;

use self::client::Peer;
use self::turn::Turn;
use plinth::engine::server::{Lists, Server};
use plinth::modules::leave::unload_module;
use plinth::modules::load::{LoadRequest, load_linked};
use plinth::net::event_loop::EventLoop;
use plinth::settings::parameters::Settings;
use plinth::{base, startup};
use plinth_abi::entry::Module;
use plinth_module::call::Call;
use std::path::PathBuf;
use std::time::Duration;

/// Timers that start each other without a delay, after which a test is wrong.
const ROUNDS_MAX: u32 = 10_000;

/// A server with modules in it. See the [crate](self).
pub struct Testbed {
    /// Modules hold its address.
    server: Box<Server>,
    events: EventLoop,
    /// The client that runs commands.
    client: Peer,
    /// Those that ran commands before, and wait.
    waiting: Vec<Peer>,
    /// Those that can be pushed to.
    connected: Vec<Peer>,
    /// As selected, and the protocol, for clients to come.
    db: u32,
    resp3: bool,
    log: PathBuf,
    /// Given back when all else is gone.
    _turn: Turn,
}

impl Testbed {
    /// A server with one module, loaded without arguments. Fails with the reason that MODULE LOAD
    /// has in the log.
    pub fn new(module: &'static Module) -> Result<Testbed, String> {
        let mut testbed = Testbed::empty();
        testbed.load(module, &[] as &[&str])?;
        Ok(testbed)
    }

    /// A server without modules.
    ///
    /// # Panics
    /// When the machine lacks what a server takes (descriptors, a thread, a temporary file), and when
    /// this thread has another.
    pub fn empty() -> Testbed {
        let turn = Turn::take();
        plinth_module::keep_panic_hook();
        let log = std::env::temp_dir().join(format!("plinth-testbed-{}.log", std::process::id()));
        forget_log(&log);
        base::log::set_file(&log.to_string_lossy()).expect("a log file can be written");
        let mut settings = Settings::default();
        // No snapshot by itself, and one that is asked for where nobody else has his.
        settings.durability.save.clear();
        let path = std::env::temp_dir().join(format!("plinth-testbed-{}.rdb", std::process::id()));
        settings.durability.dbfilename = path.to_string_lossy().into_owned();
        let mut server = Box::new(startup::assemble(settings).expect("a server can be made"));
        server.lists = Lists { observers: events::with_own(server.lists.observers), tells_all: true, ..server.lists };
        server.clock.hold(0);
        server.store.active_expire = false;
        server.settings_changed();
        server.observe();
        let mut events = EventLoop::new(&mut server).expect("a poller can be made");
        server.sessions.blocking.resumes.wake_by(events.waker());
        server.registry.watches.register_at(events.registrar().expect("a poller can be shared"));
        let client = Peer::connect(&mut server, &mut events);
        base::memory::mark_startup();
        Testbed {
            server,
            events,
            client,
            waiting: Vec::new(),
            connected: Vec::new(),
            db: 0,
            resp3: false,
            log,
            _turn: turn,
        }
    }

    /// Loads a module with the arguments of MODULE LOAD. Fails with the reason that MODULE LOAD has in
    /// the log; then nothing of it is left.
    pub fn load<A: AsRef<[u8]>>(&mut self, module: &'static Module, args: &[A]) -> Result<(), String> {
        let args = args.iter().map(|arg| arg.as_ref().to_vec()).collect();
        let loaded = load_linked(&mut self.server, module, LoadRequest { args, ..LoadRequest::default() });
        self.server.settle();
        loaded.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Unloads a module by name. Fails with the reason, such as that there are values of its types.
    pub fn unload(&mut self, name: &str) -> Result<(), String> {
        let unloaded = unload_module(&mut self.server, name).map_err(|error| error.to_string());
        self.server.settle();
        unloaded
    }

    /// Works with a call of the first module that was loaded, outside a command and without a client,
    /// in the selected database: all that modules can ask of the server.
    ///
    /// # Panics
    /// When no module is loaded.
    pub fn call<R>(&mut self, work: impl FnOnce(&mut Call<'_>) -> R) -> R {
        let module = self.server.registry.modules.list.first().map(|module| module.id);
        let done = module.and_then(|module| {
            self.server.call_module(module, self.db, |context| {
                // SAFETY: the call is the host's and lives for the work; the module has started.
                let mut call = unsafe { Call::from_raw(context.as_call()) };
                work(&mut call)
            })
        });
        self.server.settle();
        done.expect("a module is loaded")
    }

    /// Takes a turn of the server's loop: what is due is done, and those are run again whom threads
    /// have resumed.
    ///
    /// # Panics
    /// When the poller fails.
    pub fn turn(&mut self) {
        self.events.turn(&mut self.server, Duration::ZERO).expect("the poller works");
    }

    /// The clock: Unix time in ms.
    pub fn now_ms(&self) -> i64 {
        self.server.clock.now_ms
    }

    /// Lets time pass: timers fire and waits end in order, each at its time. Keys expire when they are
    /// next looked at.
    ///
    /// # Panics
    /// When timers go on starting each other without a delay.
    pub fn advance_ms(&mut self, ms: u64) {
        let (mut left_ms, mut rounds) = (ms, 0);
        loop {
            let (server, now) = (&self.server, self.server.clock.instant());
            let next = [server.registry.timers.next_in(now), server.sessions.blocking.next_in(now)];
            let next_ms = next.into_iter().flatten().min().map(|next| next.as_micros().div_ceil(1000) as u64);
            let step_ms = next_ms.filter(|next| *next <= left_ms);
            self.server.clock.hold(step_ms.unwrap_or(left_ms));
            self.turn();
            let Some(step_ms) = step_ms else { return };
            left_ms -= step_ms;
            rounds = if step_ms == 0 { rounds + 1 } else { 0 };
            assert!(rounds < ROUNDS_MAX, "timers start each other for ever");
        }
    }

    /// How many timers of modules are to fire.
    pub fn timers(&self) -> usize {
        let modules = self.server.registry.modules.list.iter();
        modules.map(|module| self.server.registry.timers.count(module.id)).sum()
    }

    /// Sets a parameter by its full name, `module.parameter`. Fails with the error reply.
    pub fn set_config(&mut self, name: &str, value: &str) -> Result<(), String> {
        let reply = String::from_utf8_lossy(&self.run(&["CONFIG", "SET", name, value])).trim_end().to_owned();
        if reply == "+OK" { Ok(()) } else { Err(reply) }
    }

    /// Whether there is too little memory from now on for commands with `COMMAND_DENY_OOM`.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn refuse_memory(&mut self, refuses: bool) {
        self.set_config("maxmemory", if refuses { "1" } else { "0" }).expect("the limit can be set");
    }

    /// A section of INFO, such as `modulename` or `modulename_section`, as lines of `name:value`; empty
    /// when there is none.
    pub fn info(&mut self, section: &str) -> String {
        let reply = self.run(&["INFO", section]);
        let text = String::from_utf8_lossy(&reply);
        text.split_once("\r\n").map_or_else(String::new, |(_, lines)| lines.trim_end().to_owned())
    }

    /// The lines that were logged since this was last asked, without process and time; a module's
    /// own begin with its name, as `<name> text`.
    pub fn take_log(&mut self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        forget_log(&self.log);
        text.lines().filter_map(|line| line.splitn(7, ' ').nth(6)).map(str::to_owned).collect()
    }
}

fn forget_log(path: &std::path::Path) {
    std::fs::File::create(path).expect("a log file can be made");
}

impl Drop for Testbed {
    fn drop(&mut self) {
        for token in self.server.sessions.clients.tokens() {
            self.server.sessions.clients.close(token);
        }
        // Where a test has failed its failure is what is shown.
        let is_shown = !std::thread::panicking();
        if let Err(error) = self.events.turn(&mut self.server, Duration::ZERO) {
            assert!(!is_shown, "the poller fails: {error}");
        }
        self.server.store.flush(None, false);
        self.server.settle();
        let names: Vec<String> = self.server.registry.modules.visible().map(|module| module.name.clone()).collect();
        for name in names.iter().rev() {
            let unloaded = unload_module(&mut self.server, name);
            assert!(unloaded.is_ok() || !is_shown, "'{name}' stays: {unloaded:?}");
        }
        let _ = base::log::set_file("");
        let _ = std::fs::remove_file(&self.log);
    }
}
