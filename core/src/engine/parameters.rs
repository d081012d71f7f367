//! Reading and setting any parameter by name, the core's or a module's.

use crate::base::id::ModuleId;
use crate::base::words;
use crate::engine::server::Server;
use crate::settings::of_module::ModuleParameter;
use crate::settings::parameters as settings;
use crate::settings::parameters::{EVICTION_POLICIES, Settings};
use crate::socket::listener::{Listener, listen_tcp};
use plinth_abi::bytes::Bytes;
use plinth_abi::config as abi;
use plinth_abi::status::STATUS_OK;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

/// Why CONFIG SET failed.
pub enum SetError {
    /// There is no such parameter.
    Unknown(String),
    /// It cannot be set, and why.
    Refused(String, String),
    /// It is not for whoever asks to set, and why.
    Fixed(String, String),
}

/// Values to go back to.
struct Before {
    settings: Settings,
    dir: Option<PathBuf>,
    /// Name and value of those that are a module's, at the place of each pair.
    of_modules: Vec<Option<(String, Vec<u8>)>>,
}

/// Whether two names stand for the same parameter.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || settings::find(one).zip(settings::find(other)).is_some_and(|(one, other)| std::ptr::eq(one, other))
}

/// Second handles of TCP sockets, by which they can be reached from here while the
/// loop owns them.
pub fn handles(listeners: &[Listener]) -> io::Result<Vec<OwnedFd>> {
    let tcp = listeners.iter().filter_map(|listener| match listener {
        Listener::Tcp(socket) => Some(socket.as_fd().try_clone_to_owned()),
        Listener::Unix(_) => None,
    });
    tcp.collect()
}

impl Server {
    /// A parameter's value as CONFIG GET shows it.
    pub fn get_parameter(&mut self, name: &str) -> Option<Vec<u8>> {
        if let Some(parameter) = settings::find(name) {
            return Some(self.settings.get(parameter).into_bytes());
        }
        let at = self.find_module_parameter(name)?;
        self.module_parameter(at).map(|parameter| parameter.value.clone())
    }

    /// Set several parameters, all or none.
    pub fn set_parameters(&mut self, pairs: &[(String, Vec<u8>)]) -> Result<(), SetError> {
        self.set_parameters_for(None, pairs)
    }

    /// The same in a client's name, which may not set protected parameters.
    pub fn set_parameters_for(&mut self, client: Option<usize>, pairs: &[(String, Vec<u8>)]) -> Result<(), SetError> {
        for (at, (name, _)) in pairs.iter().enumerate() {
            self.may_set(client, name)?;
            // Of two names of one parameter the second counts.
            if pairs[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(SetError::Refused(name.clone(), "duplicate parameter".into()));
            }
        }
        let before = self.before(pairs);
        for (at, (name, value)) in pairs.iter().enumerate() {
            if let Err(reason) = self.set_one(name, value) {
                self.restore(before, at);
                return Err(SetError::Refused(name.clone(), reason));
            }
        }
        if let Err((name, reason)) = self.take_effect(pairs) {
            self.restore(before, pairs.len());
            return Err(SetError::Refused(name, reason));
        }
        self.settings_changed();
        for (name, _) in pairs {
            self.publish(&crate::registry::hooks::event(plinth_abi::events::ON_CONFIG, 0, name.as_bytes()));
        }
        Ok(())
    }

    /// All values, to go back to.
    fn before(&mut self, pairs: &[(String, Vec<u8>)]) -> Before {
        let of_modules = pairs
            .iter()
            .map(|(name, _)| {
                let at = if settings::find(name).is_some() { None } else { self.find_module_parameter(name) };
                at.and_then(|at| Some((name.clone(), self.module_parameter(at)?.value.clone())))
            })
            .collect();
        Before { settings: self.settings.clone(), dir: std::env::current_dir().ok(), of_modules }
    }

    /// Go back, after the first `count` parameters were set.
    fn restore(&mut self, before: Before, count: usize) {
        self.settings = before.settings;
        if let Some(dir) = before.dir {
            let _ = std::env::set_current_dir(dir);
        }
        for (name, value) in before.of_modules[..count].iter().flatten().rev() {
            // The value was there before, so it fits.
            let _ = self.set_one(name, value);
        }
        self.settings_changed();
    }

    fn may_set(&self, client: Option<usize>, name: &str) -> Result<(), SetError> {
        let refuse = |reason: &str| Err(SetError::Fixed(name.to_owned(), reason.to_owned()));
        if let Some(parameter) = settings::find(name) {
            if parameter.immutable {
                return refuse("can't set immutable config");
            }
            if parameter.protected && !self.allows(self.settings.enable_protected_configs, client) {
                return refuse("can't set protected config");
            }
            return Ok(());
        }
        match self.find_module_parameter(name).and_then(|at| self.module_parameter(at)) {
            Some(parameter) if parameter.is(abi::CONFIG_IMMUTABLE) => refuse("can't set immutable config"),
            Some(_) => Ok(()),
            None => Err(SetError::Unknown(name.to_owned())),
        }
    }

    fn set_one(&mut self, name: &str, value: &[u8]) -> Result<(), String> {
        if let Some(parameter) = settings::find(name) {
            let words = if parameter.several {
                words::split(value).map_err(|_| "unbalanced quotes")?
            } else {
                vec![value.to_vec()]
            };
            return self.settings.set(parameter, &words);
        }
        let at = self.find_module_parameter(name).ok_or("no such parameter")?;
        self.set_module_parameter(at, value)
    }

    /// Do what follows from new values and may fail.
    fn take_effect(&mut self, pairs: &[(String, Vec<u8>)]) -> Result<(), (String, String)> {
        if let Some((name, _)) = pairs.iter().find(|(name, _)| is_same(name, "maxclients")) {
            let fit = crate::startup::raise_open_files(self.settings.maxclients);
            if fit < self.settings.maxclients {
                let reason = "The operating system is not able to handle the specified number of clients, try with";
                return Err((name.clone(), format!("{reason} {fit}")));
            }
        }
        let Some((name, _)) = pairs.iter().find(|(name, _)| is_same(name, "port") || is_same(name, "bind")) else {
            return Ok(());
        };
        let port = self.settings.port as u16;
        self.listen_anew(port).map_err(|error| {
            crate::base::log::warning(&error);
            let reason = if is_same(name, "port") {
                "Unable to listen on this port. Check server logs."
            } else {
                "Failed to bind to specified addresses."
            };
            (name.clone(), reason.to_owned())
        })?;
        self.port = port;
        Ok(())
    }

    /// Listen as the parameters say now; when that fails, on as before.
    fn listen_anew(&mut self, port: u16) -> Result<(), String> {
        let listen = |server: &Server| if port == 0 { Ok(Vec::new()) } else { listen_tcp(&server.settings, port) };
        // An address can be listened on once, and `*` stands in the way of all others.
        // So when the new sockets cannot be had beside the present ones, these are
        // put to rest for the attempt.
        let listeners = match listen(self) {
            Ok(listeners) => listeners,
            Err(_) => {
                self.rest();
                listen(self).inspect_err(|_| self.wake())?
            }
        };
        self.listening = handles(&listeners).map_err(|error| error.to_string()).inspect_err(|_| self.wake())?;
        self.new_listeners = Some(listeners);
        Ok(())
    }

    /// Stop listening, keeping the addresses.
    fn rest(&self) {
        for socket in &self.listening {
            let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
        }
    }

    /// Listen again.
    fn wake(&self) {
        let backlog = self.settings.tcp_backlog.clamp(1, 65_535) as i32;
        for socket in &self.listening {
            let _ = rustix::net::listen(socket, backlog);
        }
    }

    /// Take up parameters that are used in another form than they are kept in.
    pub fn settings_changed(&mut self) {
        crate::base::log::set_level(self.settings.loglevel);
        self.access.lfu = EVICTION_POLICIES[self.settings.maxmemory_policy].ends_with("lfu");
        self.access.log_factor = u32::try_from(self.settings.lfu_log_factor).unwrap_or(u32::MAX);
        self.access.decay_minutes = u32::try_from(self.settings.lfu_decay_time).unwrap_or(u32::MAX);
    }
}

impl Server {
    /// Whether a parameter of this name exists.
    pub fn parameter_exists(&self, name: &str) -> bool {
        settings::find(name).is_some() || self.find_module_parameter(name).is_some()
    }

    /// Module and position of a module's parameter.
    pub fn find_module_parameter(&self, name: &str) -> Option<(ModuleId, usize)> {
        self.modules.visible().find_map(|module| {
            let at = module.parameters.iter().position(|parameter| parameter.is_called(name))?;
            Some((module.id, at))
        })
    }

    /// A module's parameter.
    pub fn module_parameter(&self, at: (ModuleId, usize)) -> Option<&ModuleParameter> {
        self.modules.get(at.0)?.parameters.get(at.1)
    }

    /// Set a module's parameter, which its `apply` may refuse.
    pub fn set_module_parameter(&mut self, at: (ModuleId, usize), value: &[u8]) -> Result<(), String> {
        let parameter = self.module_parameter(at).ok_or("no such parameter")?;
        let (number, text) = parameter.parse(value)?;
        let (apply, data) = (parameter.spec.apply, parameter.spec.data);
        if let Some(apply) = apply {
            let said = self.call_module(at.0, 0, |context| {
                // SAFETY: the module is loaded, and text and call live for the call.
                let status = unsafe { apply(&raw mut context.call, number, Bytes::of(&text), data) };
                let mark = context.mark;
                let reply = context.output().copy_after(mark);
                (status, String::from_utf8_lossy(&reply).trim_start_matches('-').trim().to_owned())
            });
            if let Some((status, said)) = said
                && status != STATUS_OK
            {
                return Err(if said.is_empty() { "the module refused the value".into() } else { said });
            }
        }
        if let Some(parameter) = self.modules.get_mut(at.0).and_then(|module| module.parameters.get_mut(at.1)) {
            parameter.value = text;
            parameter.number = number;
        }
        self.set_for_inactive(at, value);
        Ok(())
    }

    /// Tell the module whose place another has taken of a parameter of the other's that
    /// it has too: its handlers still run commands on large values.
    fn set_for_inactive(&mut self, at: (ModuleId, usize), value: &[u8]) {
        let Some(inactive) = self.replacements.iter().find(|one| one.active == at.0).map(|one| one.inactive) else {
            return;
        };
        let (Some(set), Some(module)) = (self.module_parameter(at), self.modules.get(inactive)) else { return };
        // An alias of one module may be a parameter of its own in the other.
        let is_same = |other: &ModuleParameter| set.names().any(|name| other.is_called(name));
        let known: Vec<usize> =
            (0..module.parameters.len()).filter(|known| is_same(&module.parameters[*known])).collect();
        for known in known {
            // What it refuses it does without: the active module has taken it.
            let _ = self.set_module_parameter((inactive, known), value);
        }
    }

    /// Tell a module that is being loaded its parameters: what the request says, what
    /// the module had that it replaces, what the configuration file has said, or the
    /// default.
    pub fn initialise_parameters(
        &mut self,
        id: ModuleId,
        requested: &[(String, Vec<u8>)],
        carried: &[(String, Vec<u8>)],
    ) -> Result<(), String> {
        let Some(module) = self.modules.get(id) else { return Ok(()) };
        let count = module.parameters.len();
        if let Some((name, _)) =
            requested.iter().find(|(name, _)| !module.parameters.iter().any(|one| one.is_called(name)))
        {
            return Err(format!("the module has no parameter '{name}'"));
        }
        for at in 0..count {
            let Some(parameter) = self.modules.get(id).and_then(|module| module.parameters.get(at)) else { break };
            // What is said last counts, under either name.
            let last = |pairs: &[(String, Vec<u8>)]| {
                let found = pairs.iter().rev().find(|(given, _)| parameter.is_called(given));
                found.map(|(_, value)| value.clone())
            };
            // Of two parameters that have become one, the one of its name.
            let carry = || {
                let of = |name: &str| carried.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
                parameter.names().find_map(of).map(|(_, value)| value.clone())
            };
            let waiting = last(&self.waiting_parameters);
            let value = last(requested).or_else(carry).or(waiting).unwrap_or_else(|| parameter.value.clone());
            let name = parameter.name.clone();
            self.waiting_parameters.retain(|(given, _)| !parameter.is_called(given));
            self.set_module_parameter((id, at), &value).map_err(|reason| format!("parameter '{name}': {reason}"))?;
        }
        Ok(())
    }
}
