//! Loading and unloading: all that a module registers appears in one step, after
//! everything was checked and its `start` succeeded, or nothing does.
//!
//! ```text
//! open ─> check entry ─> check names, services ─> parameters ─> types ─> start ─> commands, services
//!    \________________________ any failure: undo, unmap ________________________/
//! ```

use super::entry::{Entry, EntryError};
use super::services::HostLink;
use super::{Module, ModuleId, Service};
use crate::command::block::Waiter;
use crate::command::table::{Registered, Run};
use crate::config::registry::ModuleParameter;
use crate::keyspace::types::{DataType, reads_tag};
use crate::module::context::{CallParts, Context};
use crate::module::hooks::event;
use crate::net::output::Output;
use crate::server::Server;
use libloading::Library;
use plinth_abi::bytes::Bytes;
use plinth_abi::command::Command;
use plinth_abi::events::{ON_MODULE_LOADED, ON_MODULE_UNLOADED};
use plinth_abi::host::Host;
use plinth_abi::status::{STATUS_OK, STATUS_REPLIED};
use std::path::Path;

/// Why a module was not loaded or unloaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not a module for this host.
    #[error("{0}")]
    Entry(#[from] EntryError),
    /// Its name is taken.
    #[error("a module named '{0}' is loaded already")]
    Loaded(String),
    /// A service that nobody provides.
    #[error("it requires the service '{0}', which is not there")]
    Service(String),
    /// A service that somebody provides already.
    #[error("the service '{0}' is provided by '{1}' already")]
    ServiceTaken(String, String),
    /// A command that exists.
    #[error("the command '{0}' exists already, from '{1}'")]
    CommandTaken(String, String),
    /// A type that exists.
    #[error("the type '{0}' exists already, from '{1}'")]
    TypeTaken(String, String),
    /// A type whose RDB tag another reads.
    #[error("the RDB type {0} is read by the type '{1}' already")]
    TagTaken(u8, String),
    /// Too many types.
    #[error("there is no room for the type '{0}'")]
    TypesFull(String),
    /// A parameter that does not fit.
    #[error("{0}")]
    Parameter(String),
    /// `start` failed.
    #[error("its start failed: {0}")]
    Start(String),
    /// No such module.
    #[error("no module named '{0}' is loaded")]
    NotLoaded(String),
    /// Keys hold values of its types.
    #[error("{1} keys hold values of its type '{0}'")]
    InUse(String, u64),
    /// Another module uses a service of it.
    #[error("the module '{1}' uses its service '{0}'")]
    ServiceInUse(String, String),
    /// A transaction waits to run a command of it.
    #[error("a client has queued its command '{0}' in MULTI")]
    Queued(String),
    /// A client waits in a command of it, or for a value of its types.
    #[error("a client waits in '{0}': end that with CLIENT UNBLOCK or CLIENT KILL")]
    Waiting(String),
    /// It is running.
    #[error("it is running a command")]
    Running,
}

/// What MODULE LOAD and LOADEX say.
#[derive(Default)]
pub struct LoadRequest {
    /// Arguments for `start`.
    pub args: Vec<Vec<u8>>,
    /// Parameters by full name, with values.
    pub parameters: Vec<(String, Vec<u8>)>,
}

impl Server {
    /// Load a module from a file; its name.
    pub fn load_module(&mut self, path: &Path, request: LoadRequest) -> Result<String, LoadError> {
        let library = super::entry::open(path)?;
        let entry = super::entry::read(&library).inspect_err(|error| {
            if let EntryError::Layout(report) = error {
                crate::log::warning(&format!("Module {}: layouts differ:\n{report}", path.display()));
            }
        })?;
        self.load_entry(entry, Some(library), path, request)
    }

    /// Load a module whose entry has been read; `library` is dropped when that fails.
    pub fn load_entry(
        &mut self,
        entry: Entry,
        library: Option<Library>,
        path: &Path,
        request: LoadRequest,
    ) -> Result<String, LoadError> {
        self.check_names(&entry)?;
        let id = self.modules.next_id();
        let link = Box::new(HostLink::new(self, id, &entry.name));
        let host = Box::new(link.host());
        self.modules.list.push(Module {
            id,
            name: entry.name.clone(),
            version: entry.version.clone(),
            path: path.to_owned(),
            args: request.args.clone(),
            data: std::ptr::null_mut(),
            host,
            link,
            uses: entry.requires.clone(),
            types: Vec::new(),
            parameters: Vec::new(),
            sections: Vec::new(),
            stop: entry.module.stop,
            hook_ticks: 0,
            library,
        });
        match self.bring_up(id, &entry, &request) {
            Ok(()) => {
                crate::log::notice(&format!("Module '{}' loaded from {}", entry.name, path.display()));
                self.publish(&event(ON_MODULE_LOADED, 0, entry.name.as_bytes()));
                Ok(entry.name)
            }
            Err(error) => {
                self.take_down(id);
                Err(error)
            }
        }
    }

    /// Everything that can be refused before anything is registered.
    fn check_names(&self, entry: &Entry) -> Result<(), LoadError> {
        if self.modules.find(&entry.name).is_some() {
            return Err(LoadError::Loaded(entry.name.clone()));
        }
        for id in &entry.requires {
            if self.modules.service(id).is_none() {
                return Err(LoadError::Service(id.clone()));
            }
        }
        for provided in &entry.provides {
            let id = constant(provided.id);
            if let Some(service) = self.modules.service(&id) {
                return Err(LoadError::ServiceTaken(id, self.modules.name(service.module).to_owned()));
            }
        }
        let mut names = std::collections::HashSet::new();
        for command in &entry.commands {
            let name = constant(command.name).to_ascii_lowercase();
            if let Some(present) = self.commands.get(name.as_bytes()) {
                return Err(LoadError::CommandTaken(name, self.modules.name(present.module).to_owned()));
            }
            if !names.insert(name.clone()) {
                return Err(LoadError::CommandTaken(name, entry.name.clone()));
            }
        }
        let mut names = std::collections::HashSet::new();
        for ty in &entry.types {
            let name = constant(ty.name);
            let present = self.keyspace.types.find(name.as_bytes()).and_then(|id| self.keyspace.types.get(id));
            if let Some(present) = present {
                return Err(LoadError::TypeTaken(name, self.modules.name(present.module).to_owned()));
            }
            if !names.insert(name.clone()) {
                return Err(LoadError::TypeTaken(name, entry.name.clone()));
            }
            for (_, present) in self.keyspace.types.iter() {
                let taken = (0..=u8::MAX).find(|tag| reads_tag(ty, *tag) && reads_tag(&present.table, *tag));
                if let Some(tag) = taken {
                    return Err(LoadError::TagTaken(tag, present.name.clone()));
                }
            }
        }
        Ok(())
    }

    /// Register step by step; after a failure `take_down` removes what was registered.
    fn bring_up(&mut self, id: ModuleId, entry: &Entry, request: &LoadRequest) -> Result<(), LoadError> {
        self.add_parameters(id, entry, request)?;
        for ty in &entry.types {
            let name = constant(ty.name);
            let data_type = DataType { name: name.clone(), table: *ty, module: id, values: 0, boxed_bytes: 0 };
            let type_id = self.keyspace.types.insert(data_type).ok_or(LoadError::TypesFull(name))?;
            if !ty.id_out.is_null() {
                // SAFETY: a writable static of the module.
                unsafe { ty.id_out.write(u32::from(type_id)) };
            }
            if let Some(module) = self.modules.get_mut(id) {
                module.types.push(type_id);
            }
        }
        self.keyspace.types_changed();
        self.start_module(id, entry, request)?;
        for provided in &entry.provides {
            self.modules.services.push(Service { id: constant(provided.id), module: id, table: provided.table });
        }
        for command in &entry.commands {
            let registered = self.register(command, id);
            self.commands.insert(registered);
        }
        if let Some(module) = self.modules.get_mut(id) {
            module.sections = entry.sections.clone();
        }
        Ok(())
    }

    fn add_parameters(&mut self, id: ModuleId, entry: &Entry, request: &LoadRequest) -> Result<(), LoadError> {
        let name = entry.name.clone();
        for config in &entry.configs {
            let parameter = ModuleParameter::new(&name, *config);
            if self.parameter_exists(&parameter.name) {
                return Err(LoadError::Parameter(format!("the parameter '{}' exists already", parameter.name)));
            }
            if let Some(module) = self.modules.get_mut(id) {
                module.parameters.push(parameter);
            }
        }
        self.initialise_parameters(id, &request.parameters).map_err(LoadError::Parameter)
    }

    fn start_module(&mut self, id: ModuleId, entry: &Entry, request: &LoadRequest) -> Result<(), LoadError> {
        let Some(start) = entry.module.start else { return Ok(()) };
        let Some(host) = self.modules.get(id).map(|module| &raw const *module.host) else { return Ok(()) };
        let args: Vec<Bytes> = request.args.iter().map(|arg| Bytes::of(arg)).collect();
        let mut output = Output::default();
        let parts = CallParts {
            args: &args,
            output: &raw mut output,
            client: None,
            db: 0,
            resp: 3,
            flags: 0,
            module: id,
            host,
        };
        // SAFETY: `output` is ours until the context is gone, and so is the server.
        let mut context = unsafe { Context::new(self, parts) };
        // SAFETY: the entry has been checked, and the call is whole.
        let status = unsafe { start(&raw mut context.call) };
        let (data, mark) = (context.call.module_data, context.mark);
        self.modules.set_data(id, data);
        if let Some(module) = self.modules.get_mut(id) {
            module.data = data;
        }
        if status == STATUS_OK {
            return Ok(());
        }
        let reply = output.copy_after(mark);
        let said = String::from_utf8_lossy(&reply).trim_start_matches('-').trim().to_owned();
        let said = if status == STATUS_REPLIED && !said.is_empty() {
            said
        } else {
            crate::command::status::error_text(status, "start").unwrap_or_else(|| format!("status {status}"))
        };
        Err(LoadError::Start(said))
    }

    /// What the command table holds of a module's command.
    fn register(&self, command: &Command, id: ModuleId) -> Box<Registered> {
        let host: *const Host = self.modules.get(id).map_or(std::ptr::null(), |module| &raw const *module.host);
        let run = |spec: &Command| spec.run.invoke.map_or(Run::Container, Run::Module);
        // SAFETY: the module's constants live as long as it is loaded, and the command
        // is removed before.
        let mut registered = unsafe { Registered::new(*command, None, id, host, run(command)) };
        for at in command.subcommands.iter() {
            // SAFETY: as above; the list was checked with the entry.
            let sub = unsafe { crate::command::table::widened(at, Command::NEW) };
            // SAFETY: as above.
            registered.subcommands.push(unsafe { Registered::new(sub, Some(&registered.name), id, host, run(&sub)) });
        }
        registered
    }

    /// Unload a module by name.
    pub fn unload_module(&mut self, name: &str) -> Result<(), LoadError> {
        let id = self.modules.find(name).map(|module| module.id).ok_or_else(|| LoadError::NotLoaded(name.into()))?;
        // What a flush has left to the background still counts as the module's.
        self.keyspace.background.wait();
        self.settle_accounts();
        self.check_unload(id)?;
        if let Some(stop) = self.modules.get(id).and_then(|module| module.stop) {
            self.call_module(id, 0, |context| {
                // SAFETY: the module is loaded, and this is the last call into it.
                unsafe { stop(&raw mut context.call) }
            });
        }
        self.take_down(id);
        crate::log::notice(&format!("Module '{name}' unloaded"));
        self.publish(&event(ON_MODULE_UNLOADED, 0, name.as_bytes()));
        Ok(())
    }

    fn check_unload(&self, id: ModuleId) -> Result<(), LoadError> {
        let Some(module) = self.modules.get(id) else { return Ok(()) };
        if self.depth > 0 {
            return Err(LoadError::Running);
        }
        for type_id in &module.types {
            if let Some(ty) = self.keyspace.types.get(*type_id).filter(|ty| ty.values > 0) {
                return Err(LoadError::InUse(ty.name.clone(), ty.values));
            }
        }
        for service in self.modules.services.iter().filter(|service| service.module == id) {
            let user = self.modules.list.iter().find(|other| other.id != id && other.uses.contains(&service.id));
            if let Some(user) = user {
                return Err(LoadError::ServiceInUse(service.id.clone(), user.name.clone()));
            }
        }
        let waits = |waiter: &&Waiter| {
            waiter.module() == id || module.types.iter().any(|own| u32::from(*own) == waiter.type_id())
        };
        if let Some(waiter) = self.clients.iter().filter_map(|client| client.blocked.as_deref()).find(waits) {
            return Err(LoadError::Waiting(waiter.name()));
        }
        for token in self.clients.tokens() {
            let transaction = self.clients.peek(token).and_then(|client| client.transaction.as_ref());
            let queued =
                transaction.and_then(|transaction| transaction.queue.iter().find(|queued| queued.module == id));
            if let Some(queued) = queued {
                return Err(LoadError::Queued(queued.name.clone()));
            }
        }
        Ok(())
    }

    /// Remove all that a module registered, and unmap it.
    fn take_down(&mut self, id: ModuleId) {
        self.commands.remove_module(id);
        self.hooks.remove_module(id);
        self.timers.remove_module(id);
        self.modules.services.retain(|service| service.module != id);
        // The freeing thread may still be in the module's `drop`.
        self.keyspace.background.wait();
        let types = self.modules.get(id).map(|module| module.types.clone()).unwrap_or_default();
        for type_id in types {
            self.keyspace.types.remove(type_id);
        }
        self.keyspace.types_changed();
        self.modules.set_data(id, std::ptr::null_mut());
        self.modules.list.retain(|module| module.id != id);
    }
}

/// A constant text of a module, checked with its entry.
fn constant(bytes: Bytes) -> String {
    // SAFETY: the module is mapped.
    unsafe { crate::command::table::text(bytes) }.into_owned()
}
