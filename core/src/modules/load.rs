//! Loading and unloading: all that a module registers appears in one step, after
//! everything was checked and its `start` succeeded, or nothing does.
//!
//! ```text
//! look, map ─> check entry ─> check names, services ─> parameters ─> types ─> start ─> commands, services
//!    \________________________ any failure: undo, unmap ________________________/
//! ```

use crate::base::id::ModuleId;
use crate::command::category::NAMED_MAX;
use crate::engine::call::{CallParts, Context};
use crate::engine::call::{Registered, Run};
use crate::engine::server::Server;
use crate::modules::beside;
use crate::modules::export::{Entry, EntryError};
use crate::modules::folder::LINKED;
use crate::modules::keys;
use crate::modules::leave;
use crate::modules::library::{self, Constructors, Sharing};
use crate::modules::services::HostLink;
use crate::modules::sweep;
use crate::registry::hooks::event;
use crate::registry::library::Library;
use crate::registry::modules::Module;
use crate::registry::modules::Standing;
use crate::registry::service::Service;
use crate::settings::of_module::ModuleParameter;
use crate::socket::output::Output;
use crate::store::types::Converted;
use crate::store::types::{DataType, Role, reads_tag, tags};
use plinth_abi::bytes::Bytes;
use plinth_abi::command::Command;
use plinth_abi::events::ON_MODULE_LOADED;
use plinth_abi::host::Host;
use plinth_abi::status::{STATUS_OK, STATUS_REPLIED};
use std::path::{Path, PathBuf};

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
    /// Its commands name more ACL categories than there are bits left.
    #[error("its commands name more ACL categories than the {NAMED_MAX} there can be")]
    Categories,
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
    #[error("{1} keys hold values of its type '{0}'; with GHOST they are kept without it")]
    InUse(String, u64),
    /// Another module uses a service of it.
    #[error("the module '{1}' uses its service '{0}'")]
    ServiceInUse(String, String),
    /// Another module keeps what only this one's service can use.
    #[error("the module '{1}' keeps what its service '{0}' has made")]
    Pinned(String, String),
    /// A transaction waits to run a command of it.
    #[error("a client has queued its command '{0}' in MULTI")]
    Queued(String),
    /// It waits for its values to become ghosts.
    #[error("'{0}' is leaving already")]
    Leaving(String),
    /// There is nothing to pause, resume or roll back.
    #[error("'{0}' is not being replaced")]
    NotReplacing(String),
    /// The successor of a module does not have what is in use.
    #[error("it lacks {0}")]
    Lacks(String),
    /// The successor of a module does not have what may be missed.
    #[error("it lacks {0}, which FORCE gives up")]
    GivesUp(String),
    /// The process runs out of what modules take and never give back.
    #[error("the process has only {0} keys of threads left, and a module may take some for good")]
    ThreadKeys(u32),
    /// It is one of the two of a replacement.
    #[error("'{0}' is being replaced; see MODULE REPLACE STATUS")]
    Replacing(String),
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

/// Load a module from a file; its name.
pub fn load_module(server: &mut Server, path: &Path, request: LoadRequest) -> Result<String, LoadError> {
    Opened::new(path)?.load(server, request)
}

/// A module that is mapped and not loaded yet: it may wait until there is what it requires.
pub struct Opened {
    path: PathBuf,
    entry: Entry,
    library: Library,
}

impl Opened {
    /// Map a file.
    pub fn new(path: &Path) -> Result<Opened, LoadError> {
        let (library, entry) = open(path, Sharing::OfOneSize)?;
        Ok(Opened { path: path.to_owned(), entry, library })
    }

    /// The path of its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A service that it requires and nobody provides.
    pub fn missing(&self, server: &Server) -> Option<&str> {
        self.entry.requires.iter().find(|id| server.registry.modules.service(id).is_none()).map(String::as_str)
    }

    /// Load it; its name.
    pub fn load(self, server: &mut Server, request: LoadRequest) -> Result<String, LoadError> {
        load_entry(server, self.entry, Some(self.library), &self.path, request)
    }
}

/// Map a library that is to be loaded, and read its entry.
pub(super) fn open(path: &Path, sharing: Sharing) -> Result<(Library, Entry), LoadError> {
    keys::check()?;
    let opened = library::open(path, Constructors::Run, sharing);
    if let Err(EntryError::Layout(report)) = &opened {
        crate::base::log::warning(&format!("Module {}: layouts differ:", path.display()));
        report.to_string().lines().for_each(crate::base::log::warning);
    }
    Ok(opened?)
}

/// Load a module that is linked into this program; its name.
pub fn load_linked(
    server: &mut Server,
    entry: &'static plinth_abi::entry::Module,
    request: LoadRequest,
) -> Result<String, LoadError> {
    // SAFETY: the entry is a constant that lives as long as the process.
    let entry = unsafe { crate::modules::export::check(entry) }?;
    load_entry(server, entry, None, Path::new(LINKED), request)
}

/// Load a module whose entry has been read; `library` is dropped when that fails.
pub fn load_entry(
    server: &mut Server,
    entry: Entry,
    library: Option<Library>,
    path: &Path,
    request: LoadRequest,
) -> Result<String, LoadError> {
    check_names(server, &entry, None)?;
    let id = add_module(server, &entry, library, path, &request, Standing::Active);
    match bring_up(server, id, &entry, &request, &[]) {
        Ok(()) => {
            make_visible(server, id, &entry);
            beside::hand_over(server, id);
            crate::base::log::notice(&format!("Module '{}' loaded from {}", entry.name, path.display()));
            server.publish(&event(ON_MODULE_LOADED, 0, entry.name.as_bytes()));
            Ok(entry.name)
        }
        Err(error) => {
            take_down(server, id);
            Err(error)
        }
    }
}

/// List a module of which nothing is registered yet; a nameless one is not found.
pub(super) fn add_module(
    server: &mut Server,
    entry: &Entry,
    library: impl Into<Option<Library>>,
    path: &Path,
    request: &LoadRequest,
    standing: Standing,
) -> ModuleId {
    let id = server.registry.modules.next_id();
    let link = Box::new(HostLink::new(server, id, &entry.name));
    let panics = link.panics();
    let host = Box::new(link.host());
    server.registry.modules.list.push(Module {
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
        panics,
        standing,
        has_started: false,
        fence: None,
        library: library.into(),
    });
    id
}

/// Let others see what a module that has been brought up has to offer.
fn make_visible(server: &mut Server, id: ModuleId, entry: &Entry) {
    for provided in &entry.provides {
        // SAFETY: a table of the entry of a module that is mapped.
        let service = unsafe { Service::of_module(constant(provided.id), id, provided.table) };
        server.registry.modules.services.push(service);
    }
    for command in &entry.commands {
        let registered = register(server, command, id);
        server.commands.insert(registered);
    }
    begin_mode(server, id);
    let mut types = Vec::new();
    if let Some(module) = server.registry.modules.get_mut(id) {
        module.sections = entry.sections.clone();
        module.standing = Standing::Active;
        types.clone_from(&module.types);
    }
    for type_id in types {
        server.store.types.set_role(type_id, Role::Active);
    }
    if server.store.ghosts.values() > 0 {
        sweep::begin(server, true);
    }
}

/// Make the server what the module has asked for in its `start`.
fn begin_mode(server: &mut Server, id: ModuleId) {
    let Some(mode) = server.registry.mode.as_ref().filter(|mode| mode.module == id) else { return };
    let (stay, instead) = (mode.commands.clone(), mode.instead.clone());
    let instead = instead.iter().map(|command| register(server, command, id)).collect();
    server.commands.restrict(stay, instead);
}

/// Everything that can be refused before anything is registered.
///
/// What the module `except` has does not count: its place is to be taken.
pub(super) fn check_names(server: &Server, entry: &Entry, except: Option<ModuleId>) -> Result<(), LoadError> {
    if server.registry.modules.find(&entry.name).is_some_and(|present| Some(present.id) != except) {
        return Err(LoadError::Loaded(entry.name.clone()));
    }
    for id in &entry.requires {
        if server.registry.modules.service(id).is_none() {
            return Err(LoadError::Service(id.clone()));
        }
    }
    for provided in &entry.provides {
        let id = constant(provided.id);
        if let Some(service) = server.registry.modules.service(&id).filter(|service| Some(service.module) != except) {
            return Err(LoadError::ServiceTaken(id, server.registry.modules.name(service.module).to_owned()));
        }
    }
    let mut names = std::collections::HashSet::new();
    for command in &entry.commands {
        let name = constant(command.name).to_ascii_lowercase();
        // SAFETY: the table has just given the pointer.
        let present = server.commands.find_any(name.as_bytes()).map(|present| unsafe { &*present });
        if let Some(present) = present.filter(|present| Some(present.module) != except) {
            return Err(LoadError::CommandTaken(name, server.registry.modules.name(present.module).to_owned()));
        }
        if !names.insert(name.clone()) {
            return Err(LoadError::CommandTaken(name, entry.name.clone()));
        }
    }
    if !server.commands.categories.has_room_for(entry.categories.iter().map(String::as_str)) {
        return Err(LoadError::Categories);
    }
    let mut names = std::collections::HashSet::new();
    for ty in &entry.types {
        let name = constant(ty.name);
        let others = || server.store.types.iter().map(|(_, ty)| ty).filter(|ty| Some(ty.module) != except);
        if let Some(present) = others().find(|ty| ty.name == name) {
            return Err(LoadError::TypeTaken(name, server.registry.modules.name(present.module).to_owned()));
        }
        if !names.insert(name.clone()) {
            return Err(LoadError::TypeTaken(name, entry.name.clone()));
        }
        for present in others() {
            if let Some(tag) = tags(ty).find(|tag| reads_tag(&present.table, *tag)) {
                return Err(LoadError::TagTaken(tag, present.name.clone()));
            }
        }
    }
    Ok(())
}

/// Register step by step; after a failure `take_down` removes what was registered.
/// Nobody sees any of it before [`Server::make_visible`]. Parameters begin with the
/// values in `carried`, unless the request says otherwise.
pub(super) fn bring_up(
    server: &mut Server,
    id: ModuleId,
    entry: &Entry,
    request: &LoadRequest,
    carried: &[(String, Vec<u8>)],
) -> Result<(), LoadError> {
    add_parameters(server, id, entry, request, carried)?;
    for ty in &entry.types {
        let name = constant(ty.name);
        let (role, twin) = (Role::Inactive, 0);
        let data_type = DataType {
            name: name.clone(),
            table: *ty,
            module: id,
            provider: entry.name.clone(),
            values: 0,
            boxed_bytes: 0,
            role,
            twin,
            converted: Converted::default(),
            makers: Vec::new(),
        };
        let type_id = server.store.types.insert(data_type).ok_or(LoadError::TypesFull(name))?;
        if !ty.id_out.is_null() {
            // SAFETY: a writable static of the module.
            unsafe { ty.id_out.write(u32::from(type_id)) };
        }
        if let Some(module) = server.registry.modules.get_mut(id) {
            module.types.push(type_id);
        }
    }
    server.store.types_changed();
    start_module(server, id, entry, request)?;
    if let Some(module) = server.registry.modules.get_mut(id) {
        module.has_started = true;
    }
    Ok(())
}

fn add_parameters(
    server: &mut Server,
    id: ModuleId,
    entry: &Entry,
    request: &LoadRequest,
    carried: &[(String, Vec<u8>)],
) -> Result<(), LoadError> {
    let name = entry.name.clone();
    for config in &entry.configs {
        let parameter = ModuleParameter::new(&name, *config);
        let is_carried = |name: &str| carried.iter().any(|(carried, _)| carried.eq_ignore_ascii_case(name));
        let own = server.registry.modules.get(id).map_or(&[][..], |module| &module.parameters);
        let is_taken = |name: &str| {
            own.iter().any(|one| one.is_called(name)) || !is_carried(name) && server.parameter_exists(name)
        };
        if let Some(taken) = parameter.names().find(|name| is_taken(name)) {
            return Err(LoadError::Parameter(format!("the parameter '{taken}' exists already")));
        }
        if let Some(module) = server.registry.modules.get_mut(id) {
            module.parameters.push(parameter);
        }
    }
    server.initialise_parameters(id, &request.parameters, carried).map_err(LoadError::Parameter)
}

fn start_module(server: &mut Server, id: ModuleId, entry: &Entry, request: &LoadRequest) -> Result<(), LoadError> {
    let Some(start) = entry.module.start else { return Ok(()) };
    let Some(host) = server.registry.modules.get(id).map(|module| &raw const *module.host) else { return Ok(()) };
    let args: Vec<Bytes> = request.args.iter().map(|arg| Bytes::of(arg)).collect();
    let mut output = Output::default();
    let parts =
        CallParts { args: &args, output: &raw mut output, client: None, db: 0, resp: 3, flags: 0, module: id, host };
    // SAFETY: `output` is ours until the context is gone, and so is the server.
    let mut context = unsafe { Context::new(server, parts) };
    // SAFETY: the entry has been checked, and the call is whole.
    let status = unsafe { start(context.as_call()) };
    let (data, mark) = (context.call.module_data, context.mark);
    server.registry.modules.set_data(id, data);
    if let Some(module) = server.registry.modules.get_mut(id) {
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
pub(super) fn register(server: &Server, command: &Command, id: ModuleId) -> Box<Registered> {
    let host: *const Host = server.registry.modules.get(id).map_or(std::ptr::null(), |module| &raw const *module.host);
    let run = |spec: &Command| spec.run.invoke.map_or(Run::Container, Run::Module);
    // SAFETY: the module's constants live as long as it is loaded, and the command
    // is removed before.
    let mut registered = unsafe { Registered::new(*command, None, id, host, run(command)) };
    for at in command.subcommands.iter() {
        // SAFETY: as above; the list was checked with the entry.
        let sub = unsafe { crate::base::foreign::widened(at, Command::NEW) };
        // SAFETY: as above.
        let sub = unsafe { Registered::new(sub, Some(&registered.name), id, host, run(&sub)) };
        registered.add_subcommand(sub);
    }
    registered
}

/// Remove all that a module registered, and unmap it.
pub(super) fn take_down(server: &mut Server, id: ModuleId) {
    server.commands.remove_module(id);
    server.disconnect_listeners(id);
    server.registry.hooks.remove_module(id);
    server.registry.beside.remove_module(id);
    server.registry.auth_hooks.remove_module(id);
    server.observe();
    server.registry.timers.remove_module(id);
    server.registry.watches.remove_module(id);
    server.end_mode(id);
    server.registry.directives.remove_module(id);
    server.registry.modules.remove_services(id);
    // The freeing thread may still be in the module's `drop`.
    if !leave::is_freed(server, id) {
        server.store.background.wait();
    }
    let types = server.registry.modules.get(id).map(|module| module.types.clone()).unwrap_or_default();
    for type_id in types {
        server.store.types.remove(type_id);
    }
    server.store.types_changed();
    server.registry.modules.set_data(id, std::ptr::null_mut());
    server.registry.modules.list.retain(|module| module.id != id);
}

/// A constant text of a module, checked with its entry.
pub(super) fn constant(bytes: Bytes) -> String {
    // SAFETY: the module is mapped.
    unsafe { crate::base::foreign::text(bytes) }.into_owned()
}
