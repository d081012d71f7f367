//! MODULE REPLACE: another module in the place of one that is loaded, while the server
//! serves.
//!
//! ```text
//!              names, services, hooks, timers, INFO          values of its types
//! before       old                                           old
//! converting   new          (one step, or an error)          old ──sweep, access──> new
//! done         new, and the old one is stopped and unmapped  new
//! rolled back  old          (one step)                       new ──sweep, access──> old
//! ```
//!
//! The module that has the names is the *active* one; the other is *inactive*: it stays
//! mapped, its types save, load and free their values, and its handlers run commands on
//! large values that are still its own (`route.rs`). Its hooks and timers are kept, to
//! go on after a rollback, and do not run. When no value of its types is left, `stop`
//! is called and it is unmapped.
//!
//! *Invariant*: a step that can fail comes before the switch, and the switch cannot.

use crate::base::id::ModuleId;
use crate::engine::call::Registered;
use crate::engine::server::Server;
use crate::modules::export::Entry;
use crate::modules::load::{LoadError, LoadRequest, constant};
use crate::registry::hooks::{Subscription, event};
use crate::registry::service::Service;
use crate::registry::timers::Timer;
use crate::settings::of_module::ModuleParameter;
use crate::store::types::{Role, tags};
use plinth_abi::bytes::Opaque;
use plinth_abi::events::ON_MODULE_LOADED;
use plinth_abi::info::Section;
use plinth_abi::status::Status;
use std::path::Path;
use std::time::Duration;

/// A replacement on its way.
pub struct Replacement {
    /// The module that has the names.
    pub active: ModuleId,
    /// The one whose values are converted.
    pub inactive: ModuleId,
    /// Whether the sweep rests.
    pub paused: bool,
    /// Whether the operator has changed their mind.
    pub rolling_back: bool,
    /// Whether services lead to the inactive module at present.
    pub services_inactive: bool,
    /// Values converted since it began, or since the rollback did.
    pub converted: u64,
    /// Those among them that were converted in slices.
    pub sliced: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// What the inactive module had, and gets back by a rollback.
    stash: Stash,
}

/// What a module has while it is active.
#[derive(Default)]
struct Stash {
    #[allow(clippy::vec_box, reason = "addresses must not change")]
    commands: Vec<Box<Registered>>,
    hooks: Vec<Subscription>,
    timers: Vec<(u64, Duration, Timer)>,
    sections: Vec<Section>,
    /// Id and table.
    services: Vec<(String, Opaque)>,
}

impl Replacement {
    /// Whether it is between these two, in this order.
    pub fn is_of(&self, active: ModuleId, inactive: ModuleId) -> bool {
        (self.active, self.inactive) == (active, inactive)
    }

    /// The inactive module's command of a name, subcommands included.
    pub fn command(&mut self, name: &str) -> Option<*mut Registered> {
        let mut all = self.stash.commands.iter_mut().flat_map(|command| {
            let whole: *mut Registered = &raw mut **command;
            let subs = command.subcommands.iter_mut().map(|sub| &raw mut **sub);
            std::iter::once(whole).chain(subs).collect::<Vec<_>>()
        });
        // SAFETY: the pointers are into boxes that we borrow.
        all.find(|command| unsafe { &**command }.name == name)
    }

    /// The inactive module's services: id and table.
    pub fn services(&self) -> Vec<(String, Opaque)> {
        self.stash.services.clone()
    }

    /// What an operator is told.
    pub fn state(&self) -> &'static str {
        match (self.rolling_back, self.paused) {
            (false, false) => "converting",
            (false, true) => "paused",
            (true, false) => "rolling-back",
            (true, true) => "rolling-back-paused",
        }
    }
}

impl Server {
    /// Load a module in the place of another; its name.
    pub fn replace_module(&mut self, name: &str, path: &Path, request: LoadRequest) -> Result<String, LoadError> {
        let old = self.may_be_replaced(name)?;
        let library = crate::modules::export::open(path)?;
        let entry = crate::modules::export::read(&library)?;
        if self.modules.list.iter().any(|module| module.entry_at == entry.at) {
            return Err(LoadError::SameLibrary);
        }
        self.settle_accounts();
        self.check_names(&entry, Some(old))?;
        self.check_successor(&entry, old)?;
        let id = self.add_module(&entry, library, path, &request, true);
        let old_parameters = self.parameters_of(old);
        if let Err(error) = self.bring_up(id, &entry, &request, &old_parameters) {
            self.take_down(id);
            return Err(error);
        }
        let stash = self.stash_of(id, &entry);
        let begun = Replacement {
            active: id,
            inactive: old,
            paused: false,
            rolling_back: false,
            services_inactive: false,
            converted: 0,
            sliced: 0,
            failed: 0,
            stash: Stash::default(),
        };
        self.replacements.push(begun);
        self.pair_types(old, id);
        let at = self.replacements.len() - 1;
        self.switch(at, stash);
        crate::base::log::notice(&format!("Module '{name}' is replaced by '{}' from {}", entry.name, path.display()));
        self.publish(&event(ON_MODULE_LOADED, 0, entry.name.as_bytes()));
        Ok(entry.name)
    }

    fn may_be_replaced(&self, name: &str) -> Result<ModuleId, LoadError> {
        let module = self.modules.find(name).ok_or_else(|| LoadError::NotLoaded(name.into()))?;
        if module.leaving {
            return Err(LoadError::Leaving(name.into()));
        }
        if self.is_replacing(module.id) {
            return Err(LoadError::Replacing(name.into()));
        }
        if self.depth > 0 {
            return Err(LoadError::Running);
        }
        Ok(module.id)
    }

    /// Whether a module is one of the two of a replacement.
    pub fn is_replacing(&self, id: ModuleId) -> bool {
        self.replacements.iter().any(|one| one.active == id || one.inactive == id)
    }

    /// Whether the sweep is to leave values of a module's types alone.
    pub fn is_paused(&self, id: ModuleId) -> bool {
        self.replacements.iter().any(|one| one.inactive == id && one.paused)
    }

    /// Whether a module offers all that others count on of the one that it replaces.
    fn check_successor(&self, entry: &Entry, old: ModuleId) -> Result<(), LoadError> {
        let missing = |what: String| Err(LoadError::Lacks(what));
        if let Some(command) = self.suspended_command_of(old) {
            return Err(LoadError::Waiting(command));
        }
        for service in self.modules.services.iter().filter(|service| service.module == old) {
            let provided = entry.provides.iter().find(|provided| constant(provided.id) == service.id);
            let user = self.modules.list.iter().find(|other| other.id != old && other.uses.contains(&service.id));
            if let Some(user) = user
                && service.is_pinned()
            {
                return Err(LoadError::Pinned(service.id.clone(), user.name.clone()));
            }
            match provided {
                None if user.is_some() => return missing(format!("the service '{}', which is in use", service.id)),
                // SAFETY: a table begins with its size.
                Some(provided) if unsafe { provided.table.cast::<u32>().read_unaligned() } < service.least => {
                    return missing(format!("functions of the service '{}' that are in use", service.id));
                }
                _ => {}
            }
        }
        let old_types = self.modules.get(old).map(|module| module.types.clone()).unwrap_or_default();
        for ty in old_types.iter().filter_map(|type_id| self.keyspace.types.get(*type_id)) {
            let new = entry.types.iter().find(|new| constant(new.name) == ty.name);
            let Some(new) = new else {
                if ty.values > 0 {
                    return missing(format!("the type '{}', of which there are {} values", ty.name, ty.values));
                }
                continue;
            };
            let standard = |table: &plinth_abi::value::Type| table.rdb_tags.count > 0;
            if standard(new) != standard(&ty.table) {
                return missing(format!("the form in which values of '{}' are saved", ty.name));
            }
            if let Some(tag) = tags(&ty.table).find(|tag| !tags(new).any(|other| other == *tag)) {
                return missing(format!("the RDB type {tag}, which '{}' reads", ty.name));
            }
        }
        let has = |name: &str| {
            let whole = name.split('|').next().unwrap_or(name);
            entry.commands.iter().any(|command| constant(command.name).eq_ignore_ascii_case(whole))
        };
        if let Some(command) = self.waiting_command_of(old, |name| !has(name)) {
            return missing(format!("the command '{command}', in which a client waits"));
        }
        match self.queued_command_of(old, |name| !has(name)) {
            Some(command) => missing(format!("the command '{command}', which a client has queued in MULTI")),
            None => Ok(()),
        }
    }

    /// Full names and values of a module's parameters, aliases included.
    fn parameters_of(&self, id: ModuleId) -> Vec<(String, Vec<u8>)> {
        let Some(module) = self.modules.get(id) else { return Vec::new() };
        let named = |one: &ModuleParameter| -> Vec<(String, Vec<u8>)> {
            one.names().map(|name| (name.to_owned(), one.value.clone())).collect()
        };
        module.parameters.iter().flat_map(named).collect()
    }

    /// What a module that has been brought up has to offer, hooks and timers aside,
    /// which it has registered itself.
    fn stash_of(&mut self, id: ModuleId, entry: &Entry) -> Stash {
        Stash {
            commands: entry.commands.iter().map(|command| self.register(command, id)).collect(),
            hooks: self.hooks.take_module(id),
            timers: self.timers.take_module(id),
            sections: entry.sections.clone(),
            services: entry.provides.iter().map(|provided| (constant(provided.id), provided.table)).collect(),
        }
    }

    /// Make types of the same name each other's twins.
    fn pair_types(&mut self, old: ModuleId, new: ModuleId) {
        let types = |server: &Server, id| server.modules.get(id).map(|module| module.types.clone()).unwrap_or_default();
        for one in types(self, old) {
            for other in types(self, new) {
                let name = |id| self.keyspace.types.get(id).map(|ty| ty.name.clone());
                if name(one) == name(other) {
                    self.keyspace.types.pair(one, other);
                }
            }
        }
    }

    /// Make the inactive module of a replacement the active one, and the other way
    /// round. `stash` is what the one that becomes active has.
    fn switch(&mut self, at: usize, stash: Stash) {
        let (to, from) = self.sides(at);
        self.abort_migration();
        let mut taken = Stash {
            commands: self.commands.take_module(from),
            hooks: self.hooks.take_module(from),
            timers: self.timers.take_module(from),
            ..Stash::default()
        };
        if let Some(module) = self.modules.get_mut(from) {
            taken.sections = std::mem::take(&mut module.sections);
            module.inert = true;
        }
        self.move_services(from, to, &stash, &mut taken);
        for mut command in stash.commands {
            let before = taken.commands.iter_mut().find(|other| other.name == command.name);
            if let Some(before) = before {
                command.take_stats(before);
            }
            self.commands.insert(command);
        }
        self.hooks.put_back(stash.hooks);
        self.timers.put_back(stash.timers);
        if let Some(module) = self.modules.get_mut(to) {
            module.sections = stash.sections;
            module.inert = false;
        }
        self.set_roles(from, Role::Inactive);
        self.set_roles(to, Role::Active);
        self.retag_queued(from, to);
        let replacement = &mut self.replacements[at];
        replacement.stash = taken;
        (replacement.converted, replacement.sliced, replacement.failed) = (0, 0, 0);
        self.replacing = true;
        self.sweep.begin();
    }

    /// The module that becomes active, and the one that was.
    fn sides(&self, at: usize) -> (ModuleId, ModuleId) {
        (self.replacements[at].active, self.replacements[at].inactive)
    }

    /// Have services lead to another provider.
    fn move_services(&mut self, from: ModuleId, to: ModuleId, stash: &Stash, taken: &mut Stash) {
        for service in self.modules.services.iter().filter(|service| service.module == from) {
            taken.services.push((service.id.clone(), service.table));
        }
        self.modules
            .services
            .retain(|service| service.module != from || stash.services.iter().any(|(id, _)| *id == service.id));
        for (id, table) in &stash.services {
            match self.modules.services.iter_mut().find(|service| service.id == *id) {
                Some(service) => {
                    service.module = to;
                    service.table = *table;
                    // SAFETY: a constant of a module that is mapped.
                    unsafe { service.point_at(*table) };
                }
                // SAFETY: as above.
                None => self.modules.services.push(unsafe { Service::of_module(id.clone(), to, *table) }),
            }
        }
    }

    fn set_roles(&mut self, id: ModuleId, role: Role) {
        for type_id in self.modules.get(id).map(|module| module.types.clone()).unwrap_or_default() {
            self.keyspace.types.set_role(type_id, role);
        }
    }

    /// Commands that wait in MULTI or for a key are looked up again when they run; they
    /// keep the module from now on that will run them.
    fn retag_queued(&mut self, from: ModuleId, to: ModuleId) {
        for token in self.clients.tokens() {
            let Some(transaction) = self.clients.get(token).and_then(|client| client.transaction.as_mut()) else {
                continue;
            };
            transaction.queue.iter_mut().filter(|queued| queued.module == from).for_each(|queued| queued.module = to);
        }
        let twins: Vec<(u8, u8)> = self.keyspace.types.iter().map(|(id, ty)| (id, ty.twin)).collect();
        for token in self.clients.tokens() {
            let Some(waiter) = self.clients.get(token).and_then(|client| client.blocked.as_mut()) else { continue };
            waiter.follow(from, to, &twins);
        }
    }

    /// The replacement that a module of a name is in.
    pub fn find_replacement(&self, name: &str) -> Result<usize, LoadError> {
        let is_named = |id| self.modules.get(id).is_some_and(|module| module.name == name);
        let found = self.replacements.iter().position(|one| is_named(one.active) || is_named(one.inactive));
        found.ok_or_else(|| LoadError::NotReplacing(name.into()))
    }

    /// Have the sweep rest, or go on.
    pub fn pause_replacement(&mut self, name: &str, paused: bool) -> Result<(), LoadError> {
        let at = self.find_replacement(name)?;
        self.replacements[at].paused = paused;
        if paused {
            // It would note changes for as long as the pause lasts.
            self.abort_migration();
        }
        self.sweep.begin();
        Ok(())
    }

    /// Give the names back to the module that had them, and have the values follow.
    pub fn roll_back(&mut self, name: &str) -> Result<(), LoadError> {
        let at = self.find_replacement(name)?;
        if self.depth > 0 {
            return Err(LoadError::Running);
        }
        self.check_predecessor(at)?;
        let replacement = &mut self.replacements[at];
        let stash = std::mem::take(&mut replacement.stash);
        std::mem::swap(&mut replacement.active, &mut replacement.inactive);
        replacement.rolling_back = !replacement.rolling_back;
        replacement.paused = false;
        let active = replacement.active;
        self.switch(at, stash);
        let name = self.modules.name(active).to_owned();
        crate::base::log::notice(&format!("The replacement is rolled back: module '{name}' is active again"));
        Ok(())
    }

    /// Whether the inactive module offers all that others count on by now of the active
    /// one.
    fn check_predecessor(&mut self, at: usize) -> Result<(), LoadError> {
        let (active, _) = self.sides(at);
        if let Some(command) = self.suspended_command_of(active) {
            return Err(LoadError::Waiting(command));
        }
        let stash = &self.replacements[at].stash;
        for service in self.modules.services.iter().filter(|service| service.module == active) {
            let known = stash.services.iter().find(|(id, _)| *id == service.id);
            // SAFETY: a table begins with its size, and its module is mapped.
            let size = known.map_or(0, |(_, table)| unsafe { table.cast::<u32>().read_unaligned() });
            let is_used = self.modules.list.iter().any(|other| other.id != active && other.uses.contains(&service.id));
            if is_used && (known.is_none() || size < service.least) {
                return Err(LoadError::Lacks(format!("what is in use of the service '{}'", service.id)));
            }
        }
        let types = self.modules.get(active).map(|module| module.types.as_slice()).unwrap_or_default();
        let lonely = |ty: &&crate::store::types::DataType| ty.twin == 0 && ty.values > 0;
        if let Some(ty) = types.iter().filter_map(|id| self.keyspace.types.get(*id)).find(lonely) {
            return Err(LoadError::Lacks(format!("the type '{}', of which there are {} values", ty.name, ty.values)));
        }
        let has = |name: &str| {
            let whole = name.split('|').next().unwrap_or(name);
            stash.commands.iter().any(|command| command.name == whole)
        };
        let waits = self.waiting_command_of(active, |name| !has(name));
        match waits.or_else(|| self.queued_command_of(active, |name| !has(name))) {
            Some(command) => Err(LoadError::Lacks(format!("the command '{command}', which a client waits to run"))),
            None => Ok(()),
        }
    }

    /// Note a value that was converted from a type.
    pub fn count_converted(&mut self, from: u8, in_slices: bool) {
        if let Some(replacement) = self.replacement_of(from) {
            replacement.converted += 1;
            replacement.sliced += u64::from(in_slices);
        }
    }

    /// Note a value that could not be converted.
    pub fn count_failed(&mut self, from: u8, status: Status) {
        let Some(replacement) = self.replacement_of(from) else { return };
        replacement.failed += 1;
        if replacement.failed == 1 {
            crate::base::log::warning(&format!("A value could not be converted (status {status})"));
        }
    }

    fn replacement_of(&mut self, type_id: u8) -> Option<&mut Replacement> {
        let module = self.keyspace.types.get(type_id)?.module;
        self.replacements.iter_mut().find(|one| one.inactive == module || one.active == module)
    }

    /// End replacements whose values are all converted. Called between commands.
    pub fn finish_replacements(&mut self) {
        if self.depth > 0 {
            return;
        }
        for at in (0..self.replacements.len()).rev() {
            let (active, inactive) = self.sides(at);
            if !self.is_freed(inactive) {
                continue;
            }
            let done = self.replacements.swap_remove(at);
            self.replacing = !self.replacements.is_empty();
            for type_id in self.modules.get(active).map(|module| module.types.clone()).unwrap_or_default() {
                self.keyspace.types.unpair(type_id);
            }
            let name = self.modules.name(active).to_owned();
            crate::base::log::notice(&format!(
                "Module '{name}' has taken all values over: {} converted, {} of them in slices, {} attempts failed",
                done.converted, done.sliced, done.failed
            ));
            self.end_module(inactive);
        }
    }
}
