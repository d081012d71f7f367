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
//! large values that are still its own (`engine/handover.rs`). Its hooks and timers are kept, to
//! go on after a rollback, and do not run. When no value of its types is left, `stop`
//! is called and it is unmapped.
//!
//! *Invariant*: a step that can fail comes before the switch, and the switch cannot.

use crate::base::foreign::widened;
use crate::base::id::ModuleId;
use crate::engine::call::{Replacement, Stash};
use crate::engine::server::Server;
use crate::modules::beside;
use crate::modules::export::Entry;
use crate::modules::leave;
use crate::modules::library::Sharing;
use crate::modules::load;
use crate::modules::load::{LoadError, LoadRequest, constant};
use crate::modules::sweep;
use crate::registry::hooks::event;
use crate::registry::modules::Standing;
use crate::registry::replacement::Stage;
use crate::registry::service::Service;
use crate::settings::of_module::ModuleParameter;
use crate::store::types::Converted;
use crate::store::types::{Role, tags};
use plinth_abi::command::{COMMAND_INTERNAL, Command};
use plinth_abi::events::ON_MODULE_LOADED;
use std::path::Path;

/// Load a module in the place of another; its name.
///
/// With `force`, what the old one has and nobody uses may be missing, and the linker may give the new one the
/// old one's unique variables.
pub fn replace_module(
    server: &mut Server,
    name: &str,
    path: &Path,
    request: LoadRequest,
    force: bool,
) -> Result<String, LoadError> {
    let old = may_be_replaced(server, name)?;
    let (library, entry) = load::open(path, if force { Sharing::Forced } else { Sharing::Refused })?;
    server.store.settle_accounts();
    load::check_names(server, &entry, Some(old))?;
    check_successor(server, &entry, old)?;
    if !force {
        check_whole(server, &entry, old)?;
    }
    let id = load::add_module(server, &entry, library, path, &request, Standing::Nameless);
    let old_parameters = parameters_of(server, old);
    if let Err(error) = load::bring_up(server, id, &entry, &request, &old_parameters) {
        load::take_down(server, id);
        return Err(error);
    }
    let stash = stash_of(server, id, &entry);
    let begun = Replacement {
        active: id,
        inactive: old,
        stage: Stage::Converting,
        services_inactive: false,
        stash: Stash::default(),
    };
    server.registry.replacements.push(begun);
    server.observe();
    pair_types(server, old, id);
    let at = server.registry.replacements.len() - 1;
    switch(server, at, stash);
    crate::base::log::notice(&format!("Module '{name}' is replaced by '{}' from {}", entry.name, path.display()));
    server.publish(&event(ON_MODULE_LOADED, 0, entry.name.as_bytes()));
    Ok(entry.name)
}

fn may_be_replaced(server: &Server, name: &str) -> Result<ModuleId, LoadError> {
    let module = server.registry.modules.find(name).ok_or_else(|| LoadError::NotLoaded(name.into()))?;
    if module.standing == Standing::Leaving {
        return Err(LoadError::Leaving(name.into()));
    }
    if server.registry.is_replacing(module.id) {
        return Err(LoadError::Replacing(name.into()));
    }
    if server.depth > 0 {
        return Err(LoadError::Running);
    }
    Ok(module.id)
}

/// Whether a module offers all that others count on of the one that it replaces.
fn check_successor(server: &Server, entry: &Entry, old: ModuleId) -> Result<(), LoadError> {
    let missing = |what: String| Err(LoadError::Lacks(what));
    if let Some(command) = leave::suspended_command_of(server, old) {
        return Err(LoadError::Waiting(command));
    }
    for service in server.registry.modules.services.iter().filter(|service| service.module == old) {
        let provided = entry.provides.iter().find(|provided| constant(provided.id) == service.id);
        let user =
            server.registry.modules.list.iter().find(|other| other.id != old && other.uses.contains(&service.id));
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
    let old_types = types_of(server, old);
    for ty in old_types.iter().filter_map(|type_id| server.store.types.get(*type_id)) {
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
    if let Some(command) = leave::waiting_command_of(server, old, |name| !has(name)) {
        return missing(format!("the command '{command}', in which a client waits"));
    }
    match leave::queued_command_of(server, old, |name| !has(name)) {
        Some(command) => missing(format!("the command '{command}', which a client has queued in MULTI")),
        None => Ok(()),
    }
}

/// Whether a module has all types and commands of the one that it replaces, used or not: who has them in mind
/// is not connected at the moment, and a build that was mixed up is told from one that leaves them out.
/// Commands that clients do not have are left to its author.
fn check_whole(server: &Server, entry: &Entry, old: ModuleId) -> Result<(), LoadError> {
    for ty in types_of(server, old).into_iter().filter_map(|type_id| server.store.types.get(type_id)) {
        if !entry.types.iter().any(|new| constant(new.name) == ty.name) {
            return Err(LoadError::GivesUp(format!("the type '{}'", ty.name)));
        }
    }
    for command in server.commands.iter().filter(|command| command.module == old && !command.is(COMMAND_INTERNAL)) {
        let new = entry.commands.iter().find(|new| constant(new.name).eq_ignore_ascii_case(&command.name));
        let Some(new) = new else { return Err(LoadError::GivesUp(format!("the command '{}'", command.name))) };
        for sub in command.subcommands.iter() {
            // SAFETY: a list of the entry of a module that is mapped, checked with it.
            let has = |at| constant(unsafe { widened(at, Command::NEW) }.name);
            let word = sub.name.rsplit('|').next().unwrap_or(&sub.name);
            if !new.subcommands.iter().any(|at| has(at).eq_ignore_ascii_case(word)) {
                return Err(LoadError::GivesUp(format!("the command '{}'", sub.name)));
            }
        }
    }
    Ok(())
}

/// Full names and values of a module's parameters, aliases included.
fn parameters_of(server: &Server, id: ModuleId) -> Vec<(String, Vec<u8>)> {
    let Some(module) = server.registry.modules.get(id) else { return Vec::new() };
    let named = |one: &ModuleParameter| -> Vec<(String, Vec<u8>)> {
        one.names().map(|name| (name.to_owned(), one.value.clone())).collect()
    };
    module.parameters.iter().flat_map(named).collect()
}

/// What a module that has been brought up has to offer, hooks and timers aside,
/// which it has registered itself.
fn stash_of(server: &mut Server, id: ModuleId, entry: &Entry) -> Stash {
    Stash {
        commands: entry.commands.iter().map(|command| load::register(server, command, id)).collect(),
        hooks: server.registry.hooks.take_module(id),
        timers: server.registry.timers.take_module(server.clock.instant(), id),
        sections: entry.sections.clone(),
        services: entry.provides.iter().map(|provided| (constant(provided.id), provided.table)).collect(),
    }
}

/// Make types of the same name each other's twins.
fn pair_types(server: &mut Server, old: ModuleId, new: ModuleId) {
    for one in types_of(server, old) {
        for other in types_of(server, new) {
            let name = |id| server.store.types.get(id).map(|ty| ty.name.clone());
            if name(one) == name(other) {
                server.store.types.pair(one, other);
            }
        }
    }
}

/// Make the inactive module of a replacement the active one, and the other way
/// round. `stash` is what the one that becomes active has.
fn switch(server: &mut Server, at: usize, stash: Stash) {
    let (to, from) = sides(server, at);
    server.store.abort_migration();
    let mut taken = Stash {
        commands: server.commands.take_module(from),
        hooks: server.registry.hooks.take_module(from),
        timers: server.registry.timers.take_module(server.clock.instant(), from),
        ..Stash::default()
    };
    if let Some(module) = server.registry.modules.get_mut(from) {
        taken.sections = std::mem::take(&mut module.sections);
        module.standing = Standing::Nameless;
    }
    move_services(server, from, to, &stash, &mut taken);
    for command in stash.commands {
        let before = taken.commands.iter().find(|other| other.name == command.name);
        if let Some(before) = before {
            command.take_stats(before);
        }
        server.commands.insert(command);
    }
    server.registry.hooks.put_back(stash.hooks);
    server.observe();
    server.registry.timers.put_back(server.clock.instant(), stash.timers);
    server.registry.watches.set_asleep(from, true);
    server.registry.watches.set_asleep(to, false);
    if let Some(module) = server.registry.modules.get_mut(to) {
        module.sections = stash.sections;
        module.standing = Standing::Active;
    }
    // What was to be freed of either when a fence was put is not all any more: the value that was half
    // made has just been added.
    for id in [from, to] {
        if let Some(module) = server.registry.modules.get_mut(id) {
            module.fence = None;
        }
    }
    set_roles(server, from, Role::Inactive);
    set_roles(server, to, Role::Active);
    beside::give_back(server, from);
    beside::hand_over(server, to);
    retag_queued(server, from, to);
    server.disconnect_listeners(from);
    let replacement = &mut server.registry.replacements[at];
    replacement.stash = taken;
    for type_id in types_of(server, from).into_iter().chain(types_of(server, to)) {
        if let Some(ty) = server.store.types.get_mut(type_id) {
            ty.converted = Converted::default();
        }
    }
    sweep::begin(server, false);
}

/// The module that becomes active, and the one that was.
fn sides(server: &Server, at: usize) -> (ModuleId, ModuleId) {
    (server.registry.replacements[at].active, server.registry.replacements[at].inactive)
}

/// Have services lead to another provider.
fn move_services(server: &mut Server, from: ModuleId, to: ModuleId, stash: &Stash, taken: &mut Stash) {
    for service in server.registry.modules.services.iter().filter(|service| service.module == from) {
        taken.services.push((service.id.clone(), service.table));
    }
    server
        .registry
        .modules
        .services
        .retain(|service| service.module != from || stash.services.iter().any(|(id, _)| *id == service.id));
    for (id, table) in &stash.services {
        match server.registry.modules.services.iter_mut().find(|service| service.id == *id) {
            Some(service) => {
                service.module = to;
                service.table = *table;
                // SAFETY: a constant of a module that is mapped.
                unsafe { service.point_at(*table) };
            }
            // SAFETY: as above.
            None => server.registry.modules.services.push(unsafe { Service::of_module(id.clone(), to, *table) }),
        }
    }
}

fn set_roles(server: &mut Server, id: ModuleId, role: Role) {
    for type_id in server.registry.modules.get(id).map(|module| module.types.clone()).unwrap_or_default() {
        server.store.types.set_role(type_id, role);
    }
}

/// Commands that wait in MULTI or for a key are looked up again when they run; they
/// keep the module from now on that will run them.
fn retag_queued(server: &mut Server, from: ModuleId, to: ModuleId) {
    for token in server.sessions.clients.tokens() {
        let Some(transaction) = server.sessions.clients.get(token).and_then(|client| client.standing.transaction_mut())
        else {
            continue;
        };
        transaction.queue.iter_mut().filter(|queued| queued.module == from).for_each(|queued| queued.module = to);
    }
    let twins: Vec<(u8, u8)> = server.store.types.iter().map(|(id, ty)| (id, ty.twin)).collect();
    for token in server.sessions.clients.tokens() {
        let Some(waiter) = server.sessions.clients.get(token).and_then(|client| client.blocked.as_mut()) else {
            continue;
        };
        waiter.follow(from, to, &twins);
    }
}

/// Have the sweep rest, or go on.
pub fn pause_replacement(server: &mut Server, name: &str, paused: bool) -> Result<(), LoadError> {
    let at = server.registry.find_replacement(name).ok_or_else(|| LoadError::NotReplacing(name.into()))?;
    let stage = server.registry.replacements[at].stage;
    server.registry.replacements[at].stage = stage.paused(paused);
    if paused {
        // It would note changes for as long as the pause lasts.
        server.store.abort_migration();
    }
    sweep::begin(server, false);
    Ok(())
}

/// Give the names back to the module that had them, and have the values follow.
pub fn roll_back(server: &mut Server, name: &str) -> Result<(), LoadError> {
    let at = server.registry.find_replacement(name).ok_or_else(|| LoadError::NotReplacing(name.into()))?;
    if server.depth > 0 {
        return Err(LoadError::Running);
    }
    check_predecessor(server, at)?;
    let replacement = &mut server.registry.replacements[at];
    let stash = std::mem::take(&mut replacement.stash);
    std::mem::swap(&mut replacement.active, &mut replacement.inactive);
    replacement.stage = replacement.stage.turned();
    let active = replacement.active;
    switch(server, at, stash);
    let name = server.registry.modules.name(active).to_owned();
    crate::base::log::notice(&format!("The replacement is rolled back: module '{name}' is active again"));
    Ok(())
}

/// Whether the inactive module offers all that others count on by now of the active
/// one.
fn check_predecessor(server: &mut Server, at: usize) -> Result<(), LoadError> {
    let (active, _) = sides(server, at);
    if let Some(command) = leave::suspended_command_of(server, active) {
        return Err(LoadError::Waiting(command));
    }
    let stash = &server.registry.replacements[at].stash;
    for service in server.registry.modules.services.iter().filter(|service| service.module == active) {
        let known = stash.services.iter().find(|(id, _)| *id == service.id);
        // SAFETY: a table begins with its size, and its module is mapped.
        let size = known.map_or(0, |(_, table)| unsafe { table.cast::<u32>().read_unaligned() });
        let is_used =
            server.registry.modules.list.iter().any(|other| other.id != active && other.uses.contains(&service.id));
        if is_used && (known.is_none() || size < service.least) {
            return Err(LoadError::Lacks(format!("what is in use of the service '{}'", service.id)));
        }
    }
    let types = server.registry.modules.get(active).map(|module| module.types.as_slice()).unwrap_or_default();
    let lonely = |ty: &&crate::store::types::DataType| ty.twin == 0 && ty.values > 0;
    if let Some(ty) = types.iter().filter_map(|id| server.store.types.get(*id)).find(lonely) {
        return Err(LoadError::Lacks(format!("the type '{}', of which there are {} values", ty.name, ty.values)));
    }
    let has = |name: &str| {
        let whole = name.split('|').next().unwrap_or(name);
        stash.commands.iter().any(|command| command.name == whole)
    };
    let waits = leave::waiting_command_of(server, active, |name| !has(name));
    match waits.or_else(|| leave::queued_command_of(server, active, |name| !has(name))) {
        Some(command) => Err(LoadError::Lacks(format!("the command '{command}', which a client waits to run"))),
        None => Ok(()),
    }
}

/// End replacements whose values are all converted. Called between commands.
pub fn finish_replacements(server: &mut Server) {
    if server.depth > 0 {
        return;
    }
    for at in (0..server.registry.replacements.len()).rev() {
        let (active, inactive) = sides(server, at);
        if !leave::is_freed(server, inactive) {
            continue;
        }
        server.registry.replacements.swap_remove(at);
        server.observe();
        let types = types_of(server, active).into_iter().chain(types_of(server, inactive));
        let done = server.store.types.converted(types);
        for type_id in server.registry.modules.get(active).map(|module| module.types.clone()).unwrap_or_default() {
            server.store.types.unpair(type_id);
        }
        let name = server.registry.modules.name(active).to_owned();
        crate::base::log::notice(&format!(
            "Module '{name}' has taken all values over: {} converted, {} of them in slices, {} attempts failed",
            done.values, done.sliced, done.failed
        ));
        leave::end_module(server, inactive);
    }
}

/// Ids of a module's types.
pub fn types_of(server: &Server, id: ModuleId) -> Vec<u8> {
    server.registry.modules.get(id).map(|module| module.types.clone()).unwrap_or_default()
}
