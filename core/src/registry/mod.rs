//! What modules have registered, as tables: state, no calls into a module.
//!
//! - [`modules`]: the modules that are loaded; [`library`]: their libraries, and those that stayed.
//! - [`service`]: what they provide to each other.
//! - [`replacement`]: which of them is taking the place of which.
//! - [`propagation`]: what the one that runs has said is to be passed on.
//! - [`rdb`]: what files have beside keys, and who has claimed it.
//! - [`hooks`], [`timers`], [`watches`]: what they have asked to be told; [`auth`]: who is asked who a client is.
//! - [`mode`]: what one of them has made of the server; [`directives`]: which lines of the file are theirs.
//! - [`replication`]: whose copy the data are, and how far the stream of changes is.
//! - [`stream`]: how the commands of this server's primary run.
//! - [`standing`]: why commands are refused, for all rooms to know.
//!
//! *Invariant*: all that a module registers carries its [`ModuleId`](crate::base::id::ModuleId) and
//! is removed with it. An id is never given twice, so nothing of a module that left can be taken for
//! another's.

pub mod auth;
pub mod directives;
pub mod hooks;
pub mod library;
pub mod mode;
pub mod modules;
pub mod propagation;
pub mod rdb;
pub mod replacement;
pub mod replication;
pub mod service;
pub mod standing;
pub mod stream;
pub mod timers;
pub mod watches;

use crate::base::id::ModuleId;
use crate::registry::auth::AuthHooks;
use crate::registry::directives::Directives;
use crate::registry::hooks::Hooks;
use crate::registry::mode::Mode;
use crate::registry::modules::Modules;
use crate::registry::rdb::Beside;
use crate::registry::replacement::Replacement;
use crate::registry::replication::Replication;
use crate::registry::standing::Standing;
use crate::registry::timers::Timers;
use crate::registry::watches::Watches;
use crate::settings::of_module::ModuleParameter;

/// All that modules have registered, but for commands and types.
pub struct Registry<R> {
    /// Loaded modules, and services.
    pub modules: Modules,
    /// Hooks on events.
    pub hooks: Hooks,
    /// Who is asked when a client says who it is.
    pub auth_hooks: AuthHooks,
    /// Timers.
    pub timers: Timers,
    /// Descriptors, sockets and child processes.
    pub watches: Watches,
    /// What the server is, unless one that keeps data.
    pub mode: Option<Mode>,
    /// Lines of the configuration file.
    pub directives: Directives,
    /// Modules that are being replaced.
    pub replacements: Vec<Replacement<R>>,
    /// Parameters that the configuration file names before their modules are loaded.
    pub waiting_parameters: Vec<(String, Vec<u8>)>,
    /// Why commands are refused.
    pub standing: Standing,
    /// Role and offsets.
    pub replication: Replication,
    /// What RDB files have beside keys.
    pub beside: Beside,
}

impl<R> Default for Registry<R> {
    fn default() -> Self {
        Registry {
            modules: Modules::default(),
            hooks: Hooks::default(),
            auth_hooks: AuthHooks::default(),
            timers: Timers::default(),
            watches: Watches::default(),
            mode: None,
            directives: Directives::default(),
            replacements: Vec::new(),
            waiting_parameters: Vec::new(),
            standing: Standing::default(),
            replication: Replication::default(),
            beside: Beside::default(),
        }
    }
}

impl<R> Registry<R> {
    /// Module and position of a parameter.
    pub fn find_parameter(&self, name: &str) -> Option<(ModuleId, usize)> {
        self.modules.visible().find_map(|module| {
            let at = module.parameters.iter().position(|parameter| parameter.is_called(name))?;
            Some((module.id, at))
        })
    }

    /// A parameter.
    pub fn parameter(&self, at: (ModuleId, usize)) -> Option<&ModuleParameter> {
        self.modules.get(at.0)?.parameters.get(at.1)
    }

    /// Whether a module is one of the two of a replacement.
    pub fn is_replacing(&self, id: ModuleId) -> bool {
        self.replacements.iter().any(|one| one.active == id || one.inactive == id)
    }

    /// Whether values of a module's types are to be left alone.
    pub fn is_paused(&self, id: ModuleId) -> bool {
        self.replacements.iter().any(|one| one.inactive == id && one.stage.is_paused())
    }

    /// The replacement that a module of a name is in.
    pub fn find_replacement(&self, name: &str) -> Option<usize> {
        let is_named = |id| self.modules.get(id).is_some_and(|module| module.name == name);
        self.replacements.iter().position(|one| is_named(one.active) || is_named(one.inactive))
    }

    /// The module whose place another has taken.
    pub fn inactive_of(&self, active: ModuleId) -> Option<ModuleId> {
        self.replacements.iter().find(|one| one.active == active).map(|one| one.inactive)
    }

    /// Whether a module uses a service of another, directly or through those that it uses.
    pub fn reaches(&self, user: ModuleId, provider: ModuleId) -> bool {
        let (mut reached, mut at) = (vec![user], 0);
        while let Some(one) = reached.get(at).and_then(|id| self.modules.get(*id)) {
            at += 1;
            let direct = one.uses.iter().filter_map(|id| self.modules.service(id)).map(|service| service.module);
            for found in direct.flat_map(|id| [Some(id), self.inactive_of(id)]).flatten() {
                if found == provider {
                    return true;
                }
                if found != ModuleId::CORE && !reached.contains(&found) {
                    reached.push(found);
                }
            }
        }
        false
    }

    /// Have services that both modules of a replacement provide lead to the one or the
    /// other; where they led before.
    pub fn point_services(&mut self, active: ModuleId, inactive: ModuleId, to_inactive: bool) -> bool {
        let Some(replacement) = self.replacements.iter_mut().find(|one| one.is_of(active, inactive)) else {
            return false;
        };
        let before = std::mem::replace(&mut replacement.services_inactive, to_inactive);
        if before == to_inactive {
            return before;
        }
        for (id, other) in replacement.services() {
            let service = self.modules.services.iter_mut().find(|service| service.module == active && service.id == id);
            if let Some(service) = service {
                let table = if to_inactive { other } else { service.table };
                // SAFETY: both tables are constants of modules that are mapped.
                unsafe { service.point_at(table) };
            }
        }
        before
    }
}
