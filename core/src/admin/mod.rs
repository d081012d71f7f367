//! The core's own commands: those that need no data type.
//!
//! One file per family; in each the spec stands beside the handler, and
//! `COMMANDS` lists them.

pub mod client;
pub mod command;
pub mod config;
pub mod connection;
pub mod cron;
pub mod debug;
pub mod info;
pub mod module;
pub mod server;
pub mod transaction;

use crate::base::id::ModuleId;
use crate::engine::call::{CoreHandler, Registered, Run};
use crate::engine::server::Server;
use plinth_abi::command::Command;

/// A command of the core: its spec and its handler.
pub struct CoreCommand {
    /// Spec; `run` and `subcommands` in it are not used.
    pub spec: Command,
    /// Handler; `None` for a container.
    pub run: Option<CoreHandler>,
    /// Subcommands.
    pub subcommands: &'static [CoreCommand],
}

impl CoreCommand {
    /// A command without subcommands.
    pub const fn new(spec: Command, run: CoreHandler) -> CoreCommand {
        CoreCommand { spec, run: Some(run), subcommands: &[] }
    }

    /// A command with subcommands, which may also run by itself.
    pub const fn container(
        spec: Command,
        run: Option<CoreHandler>,
        subcommands: &'static [CoreCommand],
    ) -> CoreCommand {
        CoreCommand { spec, run, subcommands }
    }

    fn register(&'static self, parent: Option<&str>) -> Box<Registered> {
        let run = self.run.map_or(Run::Container, Run::Core);
        // SAFETY: the spec is a constant of this executable.
        let mut registered = unsafe { Registered::new(self.spec, parent, ModuleId::CORE, std::ptr::null(), run) };
        let name = registered.name.clone();
        registered.subcommands = self.subcommands.iter().map(|sub| sub.register(Some(&name))).collect();
        registered
    }
}

impl Server {
    /// Register the core's commands.
    pub fn register_core_commands(&mut self) {
        let families = [
            client::COMMANDS,
            command::COMMANDS,
            config::COMMANDS,
            connection::COMMANDS,
            debug::COMMANDS,
            info::COMMANDS,
            module::COMMANDS,
            server::COMMANDS,
            transaction::COMMANDS,
        ];
        for command in families.into_iter().flatten() {
            self.commands.insert(command.register(None));
        }
    }
}
