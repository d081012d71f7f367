//! A command of the core as its file gives it: the spec beside the handler.

use crate::base::id::ModuleId;
use crate::command::table::Secrets;
use crate::engine::call::{CoreHandler, Registered, Run};
use plinth_abi::bytes::Bytes;
use plinth_abi::command::{COMMAND_LOADING, COMMAND_STALE, Command, Docs};

/// What COMMAND DOCS says of every command: what it does, since which version, among which others, how long it takes.
pub const fn about(summary: &'static str, since: &'static str, group: Bytes, complexity: &'static str) -> Docs {
    let [summary, since, complexity] = [Bytes::new(summary), Bytes::new(since), Bytes::new(complexity)];
    Docs { summary, since, group, complexity, ..Docs::NEW }
}

/// A command of the core: its spec and its handler.
pub struct CoreCommand {
    /// Spec; `run` and `subcommands` in it are not used.
    pub spec: Command,
    /// Handler; `None` for a container.
    pub run: Option<CoreHandler>,
    /// Subcommands.
    pub subcommands: &'static [CoreCommand],
    /// Which of its words nobody is to see.
    pub secrets: Option<Secrets>,
}

impl CoreCommand {
    /// A command without subcommands.
    pub const fn new(spec: Command, run: CoreHandler) -> CoreCommand {
        CoreCommand { spec, run: Some(run), subcommands: &[], secrets: None }
    }

    /// A command with subcommands, which may also run by itself.
    pub const fn container(
        spec: Command,
        run: Option<CoreHandler>,
        subcommands: &'static [CoreCommand],
    ) -> CoreCommand {
        CoreCommand { spec, run, subcommands, secrets: None }
    }

    /// HELP of a container.
    pub const fn help(docs: &'static Docs, run: CoreHandler) -> CoreCommand {
        let flags = COMMAND_LOADING | COMMAND_STALE;
        CoreCommand::new(Command { name: Bytes::new("help"), arity: 2, flags, docs, ..Command::NEW }, run)
    }

    /// The same with words that nobody is to see.
    pub const fn secrets(mut self, secrets: Secrets) -> CoreCommand {
        self.secrets = Some(secrets);
        self
    }

    /// What the command table holds of it.
    pub fn register(&'static self, parent: Option<&str>) -> Box<Registered> {
        let run = self.run.map_or(Run::Container, Run::Core);
        // SAFETY: the spec is a constant of this executable.
        let mut registered = unsafe { Registered::new(self.spec, parent, ModuleId::CORE, std::ptr::null(), run) };
        registered.secrets = self.secrets.or(registered.secrets);
        let name = registered.name.clone();
        self.subcommands.iter().for_each(|sub| registered.add_subcommand(sub.register(Some(&name))));
        registered
    }
}
