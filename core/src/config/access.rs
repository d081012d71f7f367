//! Reading and setting any parameter by name, the core's or a module's.

use super::settings::{self, EVICTION_POLICIES};
use super::words;
use crate::net::listener::listen_tcp;
use crate::server::Server;
use plinth_abi::config as abi;

/// Why CONFIG SET failed.
pub enum SetError {
    /// There is no such parameter.
    Unknown(String),
    /// It cannot be set, and why.
    Refused(String, String),
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
        for (at, (name, _)) in pairs.iter().enumerate() {
            self.may_set(name)?;
            if pairs[..at].iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                return Err(SetError::Refused(name.clone(), "duplicate parameter".into()));
            }
        }
        let before: Vec<(String, Vec<u8>)> =
            pairs.iter().filter_map(|(name, _)| Some((name.clone(), self.get_parameter(name)?))).collect();
        for (at, (name, value)) in pairs.iter().enumerate() {
            if let Err(reason) = self.set_one(name, value) {
                self.restore(&before[..at]);
                return Err(SetError::Refused(name.clone(), reason));
            }
        }
        if let Err((name, reason)) = self.take_effect(pairs) {
            self.restore(&before);
            return Err(SetError::Refused(name, reason));
        }
        self.settings_changed();
        for (name, _) in pairs {
            self.publish(&crate::module::hooks::event(plinth_abi::events::ON_CONFIG, 0, name.as_bytes()));
        }
        Ok(())
    }

    fn restore(&mut self, before: &[(String, Vec<u8>)]) {
        for (name, value) in before.iter().rev() {
            // The value was there before, so it fits.
            let _ = self.set_one(name, value);
        }
        self.settings_changed();
    }

    fn may_set(&self, name: &str) -> Result<(), SetError> {
        let refuse = |reason: &str| Err(SetError::Refused(name.to_owned(), reason.to_owned()));
        if let Some(parameter) = settings::find(name) {
            if parameter.immutable {
                return refuse("can't set immutable config");
            }
            if parameter.protected && self.settings.enable_protected_configs != 1 {
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
        let set = |wanted: &str| pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        if let Some((name, _)) = set("dir") {
            std::env::set_current_dir(&self.settings.dir).map_err(|error| (name.clone(), error.to_string()))?;
        }
        if let Some((name, _)) = set("port").or(set("bind")) {
            let port = self.settings.port as u16;
            let listeners = if port == 0 {
                Vec::new()
            } else {
                listen_tcp(&self.settings, port)
                    .map_err(|_| (name.clone(), "Unable to listen on this port. Check server logs.".to_owned()))?
            };
            self.new_listeners = Some(listeners);
            self.port = port;
        }
        Ok(())
    }

    /// Take up parameters that are used in another form than they are kept in.
    pub fn settings_changed(&mut self) {
        crate::log::set_level(self.settings.loglevel);
        self.access.lfu = EVICTION_POLICIES[self.settings.maxmemory_policy].ends_with("lfu");
        self.access.log_factor = u32::try_from(self.settings.lfu_log_factor).unwrap_or(u32::MAX);
        self.access.decay_minutes = u32::try_from(self.settings.lfu_decay_time).unwrap_or(u32::MAX);
    }
}
