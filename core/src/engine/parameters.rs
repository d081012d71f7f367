//! Reading and setting any parameter by name, the core's or a module's.

use crate::base::id::ModuleId;
use crate::base::words;
use crate::engine::server::Server;
use crate::settings::of_module::ModuleParameter;
use crate::settings::parameters as settings;
use crate::settings::parameters::{EVICTION_POLICIES, Settings};
use crate::settings::replication::BACKLOG_BYTES_MIN;
use crate::store::access_clock::Noted;
use crate::store::evict::{Policy, Rank};
use plinth_abi::bytes::Bytes;
use plinth_abi::config as abi;
use plinth_abi::status::STATUS_OK;
use std::path::PathBuf;

/// Why CONFIG SET failed.
pub enum SetError {
    /// There is no such parameter.
    Unknown(String),
    /// It cannot be set, and why.
    Refused(String, String),
    /// It is not for whoever asks to set, and why.
    Fixed(String, String),
    /// It is not set while data are being loaded.
    Loading,
}

/// How deep parameters are set while parameters are set, by what takes them up or is told of them.
const NESTING_MAX: u32 = 4;

/// Values to go back to.
struct Before {
    settings: Settings,
    dir: Option<PathBuf>,
    /// Name and value of those that are a module's, at the place of each pair.
    of_modules: Vec<Option<(String, Vec<u8>)>>,
}

/// Whether two names stand for the same parameter.
pub fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || settings::find(one).zip(settings::find(other)).is_some_and(|(one, other)| std::ptr::eq(one, other))
}

/// How parameters take effect that need more than their value.
pub struct Applier {
    /// The parameters.
    pub names: &'static [&'static str],
    /// Have the values count that are set now, given the name that was used; when that fails, nothing
    /// has changed, and the reason is told.
    pub apply: fn(&mut Server, &str) -> Result<Undo, String>,
}

/// What takes back what an applier did, when one after it fails. It is called with the former values
/// set, the last applier's first, before anything else has run.
pub type Undo = Box<dyn FnOnce(&mut Server)>;

impl Server {
    /// A parameter's value as CONFIG GET shows it.
    pub fn get_parameter(&mut self, name: &str) -> Option<Vec<u8>> {
        if let Some(parameter) = settings::find(name) {
            return Some(self.settings.get(parameter));
        }
        let at = self.registry.find_parameter(name)?;
        self.registry.parameter(at).map(|parameter| parameter.value.clone())
    }

    /// Set several parameters, all or none.
    pub fn set_parameters(&mut self, pairs: &[(String, Vec<u8>)]) -> Result<(), SetError> {
        self.set_parameters_for(None, pairs)
    }

    /// The same in a client's name, which may not set protected parameters.
    pub fn set_parameters_for(&mut self, client: Option<usize>, pairs: &[(String, Vec<u8>)]) -> Result<(), SetError> {
        if self.setting >= NESTING_MAX {
            let name = pairs.first().map_or(String::new(), |(name, _)| name.clone());
            return Err(SetError::Fixed(name, "parameters are set too deeply within one another".into()));
        }
        self.setting += 1;
        let result = self.set_all(client, pairs);
        self.setting -= 1;
        result
    }

    fn set_all(&mut self, client: Option<usize>, pairs: &[(String, Vec<u8>)]) -> Result<(), SetError> {
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
        let mut undos = Vec::new();
        if let Err((name, reason)) = self.take_effect(pairs, &mut undos) {
            self.restore(before, pairs.len());
            undos.into_iter().rev().for_each(|undo| undo(self));
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
                let at = if settings::find(name).is_some() { None } else { self.registry.find_parameter(name) };
                at.and_then(|at| Some((name.clone(), self.registry.parameter(at)?.value.clone())))
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
            if parameter.protected && !self.sessions.allows(self.settings.enable_protected_configs, client) {
                return refuse("can't set protected config");
            }
            return if parameter.rests && self.registry.standing.is_loading { Err(SetError::Loading) } else { Ok(()) };
        }
        match self.registry.find_parameter(name).and_then(|at| self.registry.parameter(at)) {
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
        let at = self.registry.find_parameter(name).ok_or("no such parameter")?;
        self.set_module_parameter(at, value)
    }

    /// Do what follows from new values and may fail, noting how what was done is undone.
    fn take_effect(&mut self, pairs: &[(String, Vec<u8>)], undos: &mut Vec<Undo>) -> Result<(), (String, String)> {
        for applier in self.lists.appliers {
            let named = |(name, _): &&(String, Vec<u8>)| applier.names.iter().any(|own| is_same(name, own));
            if let Some((name, _)) = pairs.iter().find(named) {
                undos.push((applier.apply)(self, name).map_err(|reason| (name.clone(), reason))?);
            }
        }
        Ok(())
    }

    /// Take up parameters that are used in another form than they are kept in.
    pub fn settings_changed(&mut self) {
        crate::base::log::set_level(self.settings.loglevel);
        let policy = Policy::named(EVICTION_POLICIES[self.settings.maxmemory_policy]);
        self.store.evicting.set(policy, usize::try_from(self.settings.memory.samples).unwrap_or(1));
        // A hundredth of what may be in use: so far memory may be above its limit.
        self.store.evicting.lazy_bytes_max = usize::try_from(self.settings.maxmemory).unwrap_or(0) / 100;
        self.store.access.noted = match policy.map(|policy| policy.rank) {
            Some(Rank::Clock(noted)) => noted,
            _ => Noted::Last,
        };
        self.store.access.log_factor = u32::try_from(self.settings.lfu_log_factor).unwrap_or(u32::MAX);
        self.store.access.decay_minutes = u32::try_from(self.settings.lfu_decay_time).unwrap_or(u32::MAX);
        self.store.lazy.expire = self.settings.lazyfree_lazy_expire;
        self.store.lazy.eviction = self.settings.lazyfree_lazy_eviction;
        self.store.lazy.server_del = self.settings.lazyfree_lazy_server_del;
        self.store.compress = self.settings.rdbcompression;
        let backlog_size = &mut self.settings.replication.backlog_size;
        *backlog_size = BACKLOG_BYTES_MIN.max(*backlog_size);
        self.stats.slowlog.trim(usize::try_from(self.settings.slowlog_max_len).unwrap_or(usize::MAX));
        self.look_back_by();
        self.limit_clients();
        self.observe();
    }
}

impl Server {
    /// Whether a parameter of this name exists.
    pub fn parameter_exists(&self, name: &str) -> bool {
        settings::find(name).is_some() || self.registry.find_parameter(name).is_some()
    }

    /// Set a module's parameter, which its `apply` may refuse.
    pub fn set_module_parameter(&mut self, at: (ModuleId, usize), value: &[u8]) -> Result<(), String> {
        let parameter = self.registry.parameter(at).ok_or("no such parameter")?;
        let (number, text) = parameter.parse(value)?;
        let (apply, data) = (parameter.spec.apply, parameter.spec.data.get());
        if let Some(apply) = apply {
            let said = self.call_module(at.0, 0, |context| {
                // SAFETY: the module is loaded, and text and call live for the call.
                let status = unsafe { apply(context.as_call(), number, Bytes::of(&text), data) };
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
        if let Some(parameter) = self.registry.modules.get_mut(at.0).and_then(|module| module.parameters.get_mut(at.1))
        {
            parameter.value = text;
            parameter.number = number;
        }
        self.set_for_inactive(at, value);
        Ok(())
    }

    /// Tell the module whose place another has taken of a parameter of the other's that
    /// it has too: its handlers still run commands on large values.
    fn set_for_inactive(&mut self, at: (ModuleId, usize), value: &[u8]) {
        let Some(inactive) = self.registry.replacements.iter().find(|one| one.active == at.0).map(|one| one.inactive)
        else {
            return;
        };
        let (Some(set), Some(module)) = (self.registry.parameter(at), self.registry.modules.get(inactive)) else {
            return;
        };
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
        let Some(module) = self.registry.modules.get(id) else { return Ok(()) };
        let count = module.parameters.len();
        if let Some((name, _)) =
            requested.iter().find(|(name, _)| !module.parameters.iter().any(|one| one.is_called(name)))
        {
            return Err(format!("the module has no parameter '{name}'"));
        }
        for at in 0..count {
            let Some(parameter) = self.registry.modules.get(id).and_then(|module| module.parameters.get(at)) else {
                break;
            };
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
            let waiting = last(&self.registry.waiting_parameters);
            let value = last(requested).or_else(carry).or(waiting).unwrap_or_else(|| parameter.value.clone());
            let name = parameter.name.clone();
            self.registry.waiting_parameters.retain(|(given, _)| !parameter.is_called(given));
            self.set_module_parameter((id, at), &value).map_err(|reason| format!("parameter '{name}': {reason}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::server::Lists;

    fn apply_port(server: &mut Server, _name: &str) -> Result<Undo, String> {
        let before = std::mem::replace(&mut server.port, server.settings.port as u16);
        Ok(Box::new(move |server| server.port = before))
    }

    /// It begins with what the applier before it has left, and sees the former values when it is undone.
    fn apply_clients(server: &mut Server, _name: &str) -> Result<Undo, String> {
        server.depth = u32::from(server.port);
        Ok(Box::new(|server| server.depth = u32::from(server.port) + server.settings.maxclients as u32))
    }

    fn refuse(_server: &mut Server, name: &str) -> Result<Undo, String> {
        Err(format!("not {name}"))
    }

    #[test]
    fn what_was_applied_before_one_that_fails_is_undone_the_last_first() {
        const APPLIERS: &[Applier] = &[
            Applier { names: &["port"], apply: apply_port },
            Applier { names: &["maxclients"], apply: apply_clients },
            Applier { names: &["timeout"], apply: refuse },
        ];
        let mut server = Server::new(Settings::default(), Lists { appliers: APPLIERS, ..Lists::default() }).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let pairs = [pair("port", "7"), pair("maxclients", "20"), pair("timeout", "3")];
        assert!(server.set_parameters(&pairs[..2]).is_ok());
        assert_eq!((server.port, server.depth), (7, 7));
        let pairs = [pair("timeout", "3"), pair("port", "9"), pair("maxclients", "30")];
        let refused = server.set_parameters(&pairs);
        assert!(
            matches!(refused, Err(SetError::Refused(name, reason)) if name == "timeout" && reason == "not timeout")
        );
        assert_eq!((server.port, server.depth), (7, 9 + 20));
        assert_eq!((server.settings.port, server.settings.maxclients, server.settings.timeout), (7, 20, 0));
    }
}
