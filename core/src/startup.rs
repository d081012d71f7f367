//! From the command line to a server that serves: configuration, modules, banner,
//! listeners.

use crate::acl::file::{self, UserError};
use crate::acl::selector::Names;
use crate::base;
use crate::base::process::supervisor::Supervisor;
use crate::base::process::{locale, processors};
use crate::base::syslog::{self, Syslog};
use crate::engine::acl;
use crate::engine::crash;
use crate::engine::defrag;
use crate::engine::duties::{self, Duty};
use crate::engine::effects::Observer;
use crate::engine::eviction;
use crate::engine::gates::{self, Gate};
use crate::engine::limits;
use crate::engine::observers;
use crate::engine::parameters::Applier;
use crate::engine::process::{self, Process};
use crate::engine::server::Lists;
use crate::engine::server::Server;
use crate::engine::{tls, tracking};
use crate::modules::folder::{first_party, module_folders};
use crate::modules::load::{LoadError, LoadRequest, Opened};
use crate::modules::{copies, inspect, sweep};
use crate::net::event_loop::EventLoop;
use crate::net::listening::{handles, raise_open_files};
use crate::net::{housekeeping, listening};
use crate::persist::load;
use crate::persist::{Persist, aof, save, standing};
use crate::replication::{self, upstream};
use crate::settings::file::{CommandLine, ConfigError, Directive, Disk, LineError, Sources, read};
use crate::settings::parameters as settings;
use crate::settings::process::SUPERVISORS;
use crate::socket::listener::listen_unix;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What the configuration says.
#[derive(Default)]
pub struct Configuration {
    /// The core's parameters.
    pub settings: settings::Settings,
    /// Directives of modules, to be taken up when these are loaded.
    pub waiting: Vec<Directive>,
    /// `rename-command` lines, to be followed when all commands are there.
    pub renames: Vec<Directive>,
    /// `user` lines, to be followed when all commands are there.
    pub users: Vec<Directive>,
    /// Path of the file, if there is one.
    pub file: Option<PathBuf>,
    /// Where the server was started, before a `dir` line.
    pub started_in: Option<PathBuf>,
    /// The module that makes the server what it is, where that is not one that keeps data.
    pub kind: Option<Kind>,
}

/// What a start option makes of the server, by a module that loads for it only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// The module.
    pub module: &'static str,
    /// The port, unless the configuration says another.
    pub port: i64,
}

/// `--sentinel`.
pub const SENTINEL: Kind = Kind { module: crate::modules::folder::SENTINEL, port: 26379 };

impl Kind {
    /// Parameters begin so.
    fn prepare(self, settings: &mut settings::Settings) {
        settings.port = self.port;
        settings.protected_mode = false;
        settings.durability.save.clear();
    }

    /// There is a file that the module can keep what it knows in.
    fn check_file(self, file: Option<&Path>) -> Result<(), String> {
        let Some(path) = file else {
            return Err("Sentinel needs a config file on disk, please specify a valid config file. Exiting...".into());
        };
        let open = std::fs::File::options().append(true).open(path);
        open.map(drop)
            .map_err(|error| format!("Sentinel config file {} is not writable: {error}. Exiting...", path.display()))
    }
}

/// How this server is called in configuration errors.
pub fn server_name() -> String {
    format!("Plinth {}", crate::base::version::VERSION)
}

/// Read the file and the command line's directives.
pub fn configure(line: &CommandLine, kind: Option<Kind>) -> Result<Configuration, ConfigError> {
    let mut configuration = Configuration { kind, ..Configuration::default() };
    if let Some(kind) = kind {
        kind.prepare(&mut configuration.settings);
    }
    let stdin = if line.stdin { std::io::read_to_string(std::io::stdin()).ok() } else { None };
    // Before a `dir` line changes what a relative path means.
    configuration.started_in = std::env::current_dir().ok();
    configuration.file = line.file.as_ref().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    let file = configuration.file.clone();
    let sources = Sources { file: file.as_deref(), stdin: stdin.as_deref().map(str::as_bytes), options: &line.options };
    read(&sources, &Disk, &server_name(), &mut |directive| apply(&mut configuration, directive))?;
    Ok(configuration)
}

fn apply(configuration: &mut Configuration, directive: Directive) -> Result<(), LineError> {
    let name = directive.name.clone();
    if name == "loadmodule" {
        if directive.args.is_empty() {
            return Err(LineError::BadDirective);
        }
        let words = directive.args.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        configuration.settings.loadmodule.push(words);
        return Ok(());
    }
    if name == "rename-command" {
        if directive.args.len() != 2 {
            return Err(LineError::BadDirective);
        }
        configuration.renames.push(directive);
        return Ok(());
    }
    if name == "user" {
        return add_user(configuration, directive);
    }
    let Some(parameter) = settings::find(&name) else {
        configuration.waiting.push(directive);
        return Ok(());
    };
    configuration.settings.set_line(parameter, &directive.args).map_err(LineError::Value)
}

/// Keep a `user` line. A name that comes twice is found at once, rules when all commands are there.
fn add_user(configuration: &mut Configuration, directive: Directive) -> Result<(), LineError> {
    let Some(name) = directive.args.first() else { return Err(LineError::BadDirective) };
    if configuration.users.iter().any(|other| other.args.first() == Some(name)) {
        let name = String::from_utf8_lossy(name).into_owned();
        return Err(LineError::Value(UserError::Duplicate(name).to_string()));
    }
    configuration.users.push(directive);
    Ok(())
}

/// Take up the users of the configuration and of the ACL file.
fn load_users(server: &mut Server, lines: &[Directive]) -> Result<(), String> {
    if !lines.is_empty() && !server.settings.acl.file.is_empty() {
        return Err("Users are described either by 'user' lines or by 'aclfile', not by both.".into());
    }
    server.learn_commands();
    let all_channels = server.settings.acl.all_channels();
    let mut seen = HashSet::new();
    for directive in lines {
        let words: Vec<&[u8]> = directive.args.iter().map(Vec::as_slice).collect();
        let names = Names { catalog: &server.acl.catalog, takes_unknown: true };
        file::add(&mut server.acl.users, &mut seen, &words, names, all_channels)
            .map_err(|error| line_error(directive, LineError::Value(error.to_string())).to_string())?;
    }
    if server.settings.acl.file.is_empty() {
        return Ok(());
    }
    server.load_acl_file(None).map_err(|error| format!("Aborting, for the ACL file cannot be loaded: {error}"))
}

/// Parameters that ask for something which this server does not do yet, in a way
/// that its owner must know of.
const UNMET: &[&str] = &["cluster-enabled"];

/// Say which parameters have no effect although they should.
fn warn_of_unmet(settings: &mut settings::Settings) {
    let mut default = settings::Settings::default();
    for parameter in UNMET.iter().filter_map(|name| settings::find(name)) {
        let value = settings.get(parameter);
        if value != default.get(parameter) {
            let value = String::from_utf8_lossy(&value);
            crate::base::log::warning(&format!("'{} {value}' has no effect in this version.", parameter.name));
        }
    }
}

/// What a command has to pass before it runs.
static GATES: &[Gate] = &[
    gates::authentication::gate,
    gates::transaction::gate,
    gates::acl::gate,
    gates::memory::gate,
    replication::gates::replica,
    standing::disk,
    replication::gates::lacks,
    upstream::gates::read_only,
    gates::listening::gate,
    gates::monitor::gate,
    upstream::gates::stale,
    standing::loading,
    gates::busy::gate,
    gates::pause::gate,
    gates::queue::gate,
];

/// Who is told of what has happened in the store.
static OBSERVERS: &[Observer] = &[
    observers::watch::observe,
    observers::ready::observe,
    observers::tracking::observe,
    observers::propagation::observe,
    aof::observe,
    observers::hooks::observe,
    save::observe,
    replication::state::observe,
];

/// What is to be done without a command.
static DUTIES: &[Duty] = &[
    duties::WATCHES,
    duties::TIMERS,
    sweep::DUTY,
    duties::EXPIRE,
    eviction::DUTY,
    defrag::DUTY,
    duties::PAUSE,
    housekeeping::DUTY,
    save::DUTY,
    duties::WAITS,
    tracking::DUTY,
    tls::RELOAD,
    aof::DUTY,
    replication::primary::DUTY,
    upstream::duty::DUTY,
];

/// How parameters take effect that need more than their value.
static APPLIERS: &[Applier] = &[
    listening::CLIENTS,
    tls::MATERIAL,
    listening::ADDRESSES,
    limits::OUTPUT,
    defrag::SUPPORT,
    standing::WRITES,
    replication::gates::WRITES,
    upstream::gates::REFUSALS,
    acl::PASSWORD,
    acl::LOG,
    aof::switch::APPEND,
    aof::switch::HISTORY,
    aof::switch::SYNC,
    aof::switch::FOLDER,
    process::TITLE,
    process::OOM,
    process::LOCALE,
    process::CRASH,
    process::WATCHDOG,
];

/// A server with the core's own commands and services, and what each room takes part in.
pub fn assemble(settings: settings::Settings) -> std::io::Result<Server> {
    let lists = Lists {
        gates: GATES,
        observers: OBSERVERS,
        duties: DUTIES,
        appliers: APPLIERS,
        serve_others: Some(crate::net::busy::serve),
        rewrite: Some(crate::admin::config::file::rewrite),
        roles: Some(replication::info::ROLES),
        tells_all: false,
    };
    let mut server = Server::new(settings, lists)?;
    server.slots.put(Box::<Persist>::default());
    server.follow_password();
    server.registry.modules.services = crate::modules::services::core_services();
    crate::admin::register_core_commands(&mut server);
    Ok(server)
}

/// Make the server, load its modules, and serve until it stops.
pub fn serve(configuration: Configuration) -> Result<(), String> {
    let Configuration { settings, waiting, renames, users, file, started_in, kind } = configuration;
    crate::base::log::set_level(settings.loglevel);
    if let Some(kind) = kind {
        kind.check_file(file.as_deref())?;
    }
    let supervisor = Supervisor::named(SUPERVISORS[settings.process.supervised]);
    if settings.daemonize && supervisor == Supervisor::None {
        daemonize(started_in.as_deref())?;
    }
    begin_process(&settings)?;
    // Standard error may be a pipe that nobody reads.
    std::panic::set_hook(Box::new(|info| crate::base::log::warning(&info.to_string())));
    let text = |error: std::io::Error| error.to_string();
    // What is left at the end goes with the process, faster than one by one.
    let server = Box::leak(Box::new(assemble(settings).map_err(text)?));
    let server = crash::watch(server, crate::admin::crash::PARTS);
    server.config_file = file.unwrap_or_default();
    server.settings_changed();
    server.settings.maxclients = raise_open_files(server.settings.maxclients);
    let mut events = EventLoop::new(server).map_err(text)?;
    crate::base::signals::watch(events.waker()).map_err(text)?;
    server.sessions.blocking.resumes.wake_by(events.waker());
    server.registry.watches.register_at(events.registrar().map_err(text)?);
    server.port = server.settings.port as u16;
    banner(server, kind);
    // It takes as long as the folder of temporary files has entries.
    let _ = std::thread::Builder::new().name("clear-away".into()).spawn(copies::clear_away);
    warn_of_unmet(&mut server.settings);
    // Before modules, which may connect to others as soon as they begin.
    server.take_up_tls().map_err(|reason| {
        crate::base::log::warning(&format!("Failed to configure TLS: {reason}"));
        "Failed to configure TLS. Check logs for more info.".to_owned()
    })?;
    load_modules(server, waiting, kind)?;
    rename_commands(server, &renames)?;
    load_users(server, &users)?;
    server.settle();
    listen(server, &mut events)?;
    write_pidfile(server);
    title_process(server, supervisor);
    supervisor.begun();
    crate::base::memory::mark_startup();
    // Whoever reads it may connect from now on.
    crate::base::log::notice(&format!("PID: {}", std::process::id()));
    crate::base::log::notice("Server initialized");
    if kind.is_none() {
        upstream::role::begin(server);
        load_data(server, &mut events)?;
        upstream::role::resume(server);
    }
    tell_ready(server, supervisor);
    events.run(server).map_err(text)?;
    supervisor.tell("STOPPING=1\n");
    aof::stop(server);
    leave(server);
    Ok(())
}

/// Take away what shows that the server is there.
fn leave(server: &Server) {
    crate::base::log::warning("Plinth is now ready to exit, bye bye...");
    if !server.settings.unixsocket.is_empty() {
        let _ = std::fs::remove_file(&server.settings.unixsocket);
    }
    if !server.settings.pidfile.is_empty() {
        let _ = std::fs::remove_file(&server.settings.pidfile);
    }
}

/// Listen where the configuration says, and where whoever started the process has begun to.
fn listen(server: &mut Server, events: &mut EventLoop) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let listeners = listening::listen_beside(server, server.port, listening::handed()?)?;
    server.listening = handles(&listeners).map_err(text)?;
    for listener in listeners {
        events.add_listener(listener).map_err(text)?;
    }
    if !server.settings.unixsocket.is_empty() {
        events
            .add_listener(listen_unix(&server.settings.unixsocket, &server.settings.unixsocketperm)?)
            .map_err(text)?;
    }
    Ok(())
}

/// Say that the server serves.
fn tell_ready(server: &Server, supervisor: Supervisor) {
    if server.stopping {
        return;
    }
    if server.port > 0 {
        crate::base::log::notice("Ready to accept connections tcp");
    }
    if server.settings.tls.port > 0 {
        crate::base::log::notice("Ready to accept connections tls");
    }
    if !server.settings.unixsocket.is_empty() {
        crate::base::log::notice("Ready to accept connections unix");
    }
    supervisor.tell("STATUS=Ready to accept connections\nREADY=1\n");
}

/// What the process is from its beginning on: where it writes, what it says when it dies, where it runs.
fn begin_process(settings: &settings::Settings) -> Result<(), String> {
    let (process, log) = (&settings.process, &settings.logfile);
    if process.sets_title {
        base::process::title::claim();
    }
    base::log::set_file(log).map_err(|error| format!("Can't open the log file {log}: {error}"))?;
    base::crash::set_file(log);
    base::crash::set_enabled(process.crash_log);
    if process.syslog {
        match Syslog::connect(Path::new(syslog::PATH), &process.syslog_ident, process.syslog_facility) {
            Ok(system) => base::log::set_system(system),
            Err(error) => base::log::warning(&format!("Can't write to the system's log at {}: {error}", syslog::PATH)),
        }
    }
    processors::set_background(&process.bio_cpus);
    processors::bind(&process.server_cpus);
    if process.disable_thp && !base::process::disable_huge_pages() {
        base::log::warning("Huge pages could not be disabled for this process.");
    }
    if locale::set(&process.locale) || process.locale.is_empty() {
        return Ok(());
    }
    Err(format!("Failed to set locale '{}': there is none such.", process.locale))
}

/// What the process is from when it listens on.
fn title_process(server: &mut Server, supervisor: Supervisor) {
    let name = std::env::args().next().unwrap_or_default();
    server.slots.with(|process: &mut Process| (process.name, process.supervisor) = (name, supervisor));
    process::show_title(server);
    if let Err(error) = process::follow_score(server) {
        base::log::warning(&format!("Unable to set the process's oom_score_adj: {error}"));
    }
    base::crash::set_watchdog(process::watchdog_ms(server));
}

/// Load what was saved. Those who connect meanwhile are told that it goes on.
fn load_data(server: &mut Server, events: &mut EventLoop) -> Result<(), String> {
    let begun = Instant::now();
    let path = save::path(server);
    let serve = &mut |server: &mut Server| events.serve_while_busy(server);
    if server.settings.aof.is_wanted {
        // What a server that was stopped meanwhile has loaded is not gone on with.
        return aof::start(server, serve).or_else(|error| if server.stopping { Ok(()) } else { Err(error) });
    }
    let is_replica = server.registry.replication.is_replica();
    let options = load::Options { keeps_expired: is_replica, tells_expired: !is_replica, ..load::Options::default() };
    match load::load_file(server, &path, options, serve) {
        Ok(None) | Err(load::LoadError::Stopped) => Ok(()),
        Ok(Some(_)) => {
            let seconds = begun.elapsed().as_secs_f64();
            crate::base::log::notice(&format!("DB loaded from disk: {seconds:.3} seconds"));
            Ok(())
        }
        Err(error) => {
            crate::base::log::warning(&format!("{}: {error}", path.display()));
            Err("Fatal error loading the DB, check server logs. Exiting.".into())
        }
    }
}

/// Go on in the background, in a session of our own. Nothing has started a thread
/// yet; the child begins anew with the same arguments.
fn daemonize(started_in: Option<&Path>) -> Result<(), String> {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    if std::env::var_os(DAEMON_MARK).is_some() {
        return Ok(());
    }
    let path = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut child = Command::new(path);
    // What the program is called may say what it is.
    child.arg0(std::env::args_os().next().unwrap_or_default());
    child.args(std::env::args_os().skip(1)).env(DAEMON_MARK, "1").process_group(0);
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // The same words mean the same files there.
    started_in.into_iter().for_each(|dir| _ = child.current_dir(dir));
    child.spawn().map_err(|error| format!("Can't go to the background: {error}"))?;
    std::process::exit(0);
}

/// Set in the environment of the child that `daemonize` starts.
const DAEMON_MARK: &str = "PLINTH_DAEMON";

fn write_pidfile(server: &Server) {
    let path = if server.settings.pidfile.is_empty() && server.settings.daemonize {
        "/var/run/redis.pid"
    } else {
        &server.settings.pidfile
    };
    if !path.is_empty()
        && let Err(error) = std::fs::write(path, format!("{}\n", std::process::id()))
    {
        crate::base::log::warning(&format!("Can't write the pidfile {path}: {error}"));
    }
}

/// Load the modules that the configuration names, and those found by themselves.
fn load_modules(server: &mut Server, waiting: Vec<Directive>, kind: Option<Kind>) -> Result<(), String> {
    server.registry.waiting_parameters = waiting
        .iter()
        .map(|directive| {
            let value = directive.args.join(&b' ');
            (directive.name.clone(), value)
        })
        .collect();
    server.registry.directives.waiting.clone_from(&waiting);
    load_named(server, kind)?;
    #[cfg(feature = "linked-string")]
    crate::modules::load::load_linked(server, &plinth_string::plinth_module_entry, LoadRequest::default())
        .map_err(|error| error.to_string())?;
    if kind.is_none() {
        let paths = default_modules(server);
        load_defaults(server, paths);
    }
    server.registry.directives.waiting.clear();
    if let Some((name, _)) = server.registry.waiting_parameters.first() {
        let directive = waiting.iter().find(|directive| directive.name == *name);
        let error = directive.map(|directive| line_error(directive, LineError::BadDirective));
        return Err(error.map_or_else(|| format!("unknown parameter '{name}'"), |error| error.to_string()));
    }
    Ok(())
}

/// Load the modules that the configuration names, in whatever order their services ask for. They come
/// before those found by themselves, whose place they may take; so one of these joins them only when it
/// provides what is missing and none of the named ones does.
fn load_named(server: &mut Server, kind: Option<Kind>) -> Result<(), String> {
    let words = server.settings.loadmodule.clone().into_iter();
    let own = kind.map(|kind| own_module(server, kind)).transpose()?;
    let mut left: Vec<Named> = words
        .map(|mut words| {
            let path = PathBuf::from(words.remove(0));
            Named { path, args: words.into_iter().map(String::into_bytes).collect() }
        })
        .collect();
    left.extend(own.map(|path| Named { path, args: Vec::new() }));
    loop {
        let before = left.len();
        let mut missing = Vec::new();
        for named in left {
            let request = LoadRequest { args: named.args.clone(), parameters: Vec::new() };
            match crate::modules::load::load_module(server, &named.path, request) {
                Ok(_) => {}
                Err(LoadError::Service(id)) => missing.push((named, id)),
                Err(error) => return Err(named.failed(&error)),
            }
        }
        let Some((first, id)) = missing.first() else { return Ok(()) };
        let is_stuck = missing.len() == before;
        let provider = if is_stuck { provider_of(server, &missing) } else { None };
        if is_stuck && provider.is_none() {
            return Err(first.failed(&LoadError::Service(id.clone())));
        }
        let provider = provider.map(|path| Named { path, args: Vec::new() });
        left = provider.into_iter().chain(missing.into_iter().map(|(named, _)| named)).collect();
    }
}

/// The library of the module of a kind.
fn own_module(server: &Server, kind: Kind) -> Result<PathBuf, String> {
    let named = module_folders(server).into_iter().map(|folder| folder.join(format!("libplinth_{}.so", kind.module)));
    let found = named.into_iter().find(|path| path.exists());
    found.ok_or_else(|| format!("The module '{}' was not found. Set 'module-dir'.", kind.module))
}

/// A module to be loaded, with its arguments.
struct Named {
    path: PathBuf,
    args: Vec<Vec<u8>>,
}

impl Named {
    fn failed(&self, error: &LoadError) -> String {
        format!("Can't load module from {}: {error}", self.path.display())
    }
}

/// A module of those found by themselves that provides what one of the named ones misses. What another
/// named one provides is not asked for: it comes when that one has what it misses itself.
fn provider_of(server: &Server, missing: &[(Named, String)]) -> Option<PathBuf> {
    let own: Vec<String> = missing.iter().flat_map(|(named, _)| inspect::services(&named.path)).collect();
    let wanted: Vec<&String> = missing.iter().map(|(_, id)| id).filter(|id| !own.contains(id)).collect();
    let provides = |path: &PathBuf| inspect::services(path).iter().any(|id| wanted.contains(&id));
    default_modules(server).into_iter().find(provides)
}

fn line_error(directive: &Directive, reason: LineError) -> ConfigError {
    ConfigError::Line { server: server_name(), line: directive.line, text: directive.text.clone(), reason }
}

/// Follow the `rename-command` lines.
fn rename_commands(server: &mut Server, renames: &[Directive]) -> Result<(), String> {
    for directive in renames {
        server
            .commands
            .rename(&directive.args[0], &directive.args[1])
            .map_err(|error| line_error(directive, LineError::Value(error.to_string())).to_string())?;
    }
    Ok(())
}

/// Libraries in the module folder whose names begin like those of first-party
/// modules: `module-dir`, or `modules/` beside the executable, or beside it.
/// Those whose module is loaded already, under whatever path, are left out.
fn default_modules(server: &Server) -> Vec<PathBuf> {
    for folder in module_folders(server) {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| first_party(path).is_some_and(|name| name != SENTINEL.module))
            .collect();
        if !found.is_empty() {
            found.sort();
            let excluded = |name: &str| server.settings.module_exclude.iter().any(|other| other == name);
            for name in found.iter().filter_map(|path| first_party(path)).filter(|name| excluded(name)) {
                crate::base::log::notice(&format!("Module '{name}' is left out, as module-exclude says."));
            }
            found.retain(|path| {
                first_party(path).is_some_and(|name| !excluded(name) && server.registry.modules.find(name).is_none())
            });
            return found;
        }
    }
    crate::base::log::warning("No modules were found: the server has no data types. Set 'module-dir'.");
    Vec::new()
}

/// Load modules in whatever order their services ask for. Each is mapped once, and waits for what it requires.
fn load_defaults(server: &mut Server, paths: Vec<PathBuf>) {
    let left_out = |path: &Path, error: &LoadError| {
        crate::base::log::warning(&format!("Module {} is left out: {error}", path.display()));
    };
    let open = |path: &PathBuf| Opened::new(path).map_err(|error| left_out(path, &error)).ok();
    let mut left: Vec<Opened> = paths.iter().filter_map(open).collect();
    loop {
        let before = left.len();
        let mut waiting = Vec::new();
        for opened in left {
            if opened.missing(server).is_some() {
                waiting.push(opened);
                continue;
            }
            let path = opened.path().to_owned();
            if let Err(error) = opened.load(server, LoadRequest::default()) {
                left_out(&path, &error);
            }
        }
        if waiting.len() == before || waiting.is_empty() {
            for opened in waiting {
                let missing = opened.missing(server).unwrap_or_default().to_owned();
                left_out(opened.path(), &LoadError::Service(missing));
            }
            return;
        }
        left = waiting;
    }
}

fn banner(server: &Server, kind: Option<Kind>) {
    crate::base::log::warning("oO0OoO0OoO0Oo Plinth is starting oO0OoO0OoO0Oo");
    let version = crate::base::version::VERSION;
    let alone = if server.settings.daemonize { "daemon" } else { "standalone" };
    let mode = kind.map_or(alone, |kind| kind.module);
    let terminal = server.settings.logfile.is_empty() && std::io::IsTerminal::is_terminal(&std::io::stdout());
    if terminal || server.settings.always_show_logo {
        crate::base::log::raw(&format!(
            "\n        ______\n    .--'------'--.      Plinth {version}\n    '--.______.--'      a server whose data types are modules\n       |      |\n       | :  : |         Mode: {mode}\n       | :  : |         Port: {}\n       | :  : |\n       |______|\n    .--'------'--.\n   /______________\\\n\n",
            server.port
        ));
    }
    crate::base::log::notice(&format!("Running mode={mode}, port={}.", server.port));
}

/// Check the configuration, with the modules that it loads, and serve nothing.
pub fn check(configuration: Configuration) -> Result<(), String> {
    let mut server = assemble(configuration.settings).map_err(|error| error.to_string())?;
    crate::base::log::set_level(3);
    load_modules(&mut server, configuration.waiting, configuration.kind)?;
    rename_commands(&mut server, &configuration.renames)?;
    load_users(&mut server, &configuration.users)?;
    println!("The configuration is correct.");
    Ok(())
}
