//! Unloading: a module goes at once, or it leaves when its values have become ghosts.
//!
//! MODULE UNLOAD is refused while keys hold values of the module's types, as Redis does
//! it. With GHOST its commands, services, hooks and timers go at once, and it stays
//! mapped, *leaving*, until the sweep has saved its values; then `stop` is called.

use crate::base::id::ModuleId;
use crate::engine::server::Server;
use crate::modules::beside;
use crate::modules::load;
use crate::modules::load::LoadError;
use crate::modules::sweep;
use crate::registry::hooks::event;
use crate::registry::modules::Standing;
use crate::session::block::Waiter;
use crate::store::types::{Role, tags};
use plinth_abi::events::ON_MODULE_UNLOADED;

/// Unload a module by name.
pub fn unload_module(server: &mut Server, name: &str) -> Result<(), LoadError> {
    let id = may_leave(server, name)?;
    let types = server.registry.modules.get(id).map(|module| module.types.clone()).unwrap_or_default();
    for ty in types.iter().filter_map(|type_id| server.store.types.get(*type_id)) {
        if ty.values > 0 {
            return Err(LoadError::InUse(ty.name.clone(), ty.values));
        }
    }
    remember_types(server, id);
    beside::give_back(server, id);
    end_module(server, id);
    Ok(())
}

/// Unload a module whose values become ghosts; it may take a while.
pub fn unload_to_ghosts(server: &mut Server, name: &str) -> Result<(), LoadError> {
    let id = may_leave(server, name)?;
    remember_types(server, id);
    beside::give_back(server, id);
    server.registry.beside.remove_module(id);
    server.commands.remove_module(id);
    server.disconnect_listeners(id);
    server.registry.hooks.remove_module(id);
    server.registry.auth_hooks.remove_module(id);
    server.observe();
    server.registry.timers.remove_module(id);
    server.registry.watches.remove_module(id);
    server.end_mode(id);
    server.registry.directives.remove_module(id);
    server.registry.modules.remove_services(id);
    let Some(module) = server.registry.modules.get_mut(id) else { return Ok(()) };
    module.standing = Standing::Leaving;
    module.sections.clear();
    module.parameters.clear();
    for type_id in module.types.clone() {
        server.store.types.set_role(type_id, Role::Leaving);
    }
    crate::base::log::notice(&format!("Module '{name}' is leaving; values of its types become ghosts"));
    sweep::begin(server, false);
    sweep::turn(server, std::time::Instant::now());
    Ok(())
}

/// Unload the modules that were leaving and have no values any more. Called between
/// commands.
pub fn finish_leaving(server: &mut Server) {
    if server.depth > 0 {
        return;
    }
    let leaving = server
        .registry
        .modules
        .list
        .iter()
        .filter(|module| module.standing == Standing::Leaving)
        .map(|module| module.id);
    for id in leaving.collect::<Vec<_>>() {
        if values_of(server, id) == 0 && is_freed(server, id) {
            end_module(server, id);
        }
    }
}

/// Number of keys that hold a value of a module's types.
pub fn values_of(server: &Server, id: ModuleId) -> u64 {
    let types = server.registry.modules.get(id).map(|module| module.types.as_slice()).unwrap_or_default();
    types.iter().filter_map(|id| server.store.types.get(*id)).map(|ty| ty.values).sum()
}

/// Whether a module goes as soon as the freeing thread lets it.
pub fn is_something_ending(server: &Server) -> bool {
    let is_ending = |id| values_of(server, id) == 0;
    server.registry.modules.list.iter().any(|module| module.standing == Standing::Leaving && is_ending(module.id))
        || server.registry.replacements.iter().any(|one| is_ending(one.inactive))
}

/// Whether a module has no values, and the freeing thread is done with all that it
/// was sent before this was asked and found so.
pub(super) fn is_freed(server: &mut Server, id: ModuleId) -> bool {
    server.record();
    server.free_removed();
    let is_empty = values_of(server, id) == 0;
    let Some(module) = server.registry.modules.get_mut(id) else { return true };
    if !is_empty {
        module.fence = None;
        return false;
    }
    let background = &server.store.background;
    let fence = module.fence.get_or_insert_with(|| background.fence());
    !matches!(fence.try_recv(), Err(std::sync::mpsc::TryRecvError::Empty))
}

/// The module of a name, if nothing but values may keep it.
fn may_leave(server: &mut Server, name: &str) -> Result<ModuleId, LoadError> {
    let module = server.registry.modules.find(name).ok_or_else(|| LoadError::NotLoaded(name.into()))?;
    let id = module.id;
    if module.standing == Standing::Leaving {
        return Err(LoadError::Leaving(name.into()));
    }
    if server.registry.is_replacing(id) {
        return Err(LoadError::Replacing(name.into()));
    }
    // What a flush has left to the background still counts as the module's.
    server.record();
    server.free_removed();
    server.store.background.wait();
    server.store.settle_accounts();
    if server.depth > 0 {
        return Err(LoadError::Running);
    }
    for service in server.registry.modules.services.iter().filter(|service| service.module == id) {
        let user = server.registry.modules.list.iter().find(|other| other.id != id && other.uses.contains(&service.id));
        if let Some(user) = user {
            return Err(LoadError::ServiceInUse(service.id.clone(), user.name.clone()));
        }
    }
    if let Some(name) = waiting_command_of(server, id, |_| true) {
        return Err(LoadError::Waiting(name));
    }
    match queued_command_of(server, id, |_| true) {
        Some(command) => Err(LoadError::Queued(command)),
        None => Ok(id),
    }
}

/// A command of a module that a client has queued in MULTI and that is asked for.
pub(super) fn queued_command_of(server: &Server, id: ModuleId, wanted: impl Fn(&str) -> bool) -> Option<String> {
    server.sessions.clients.tokens().into_iter().find_map(|token| {
        let transaction = server.sessions.clients.peek(token)?.standing.transaction()?;
        let queued = transaction.queue.iter().find(|queued| queued.module == id && wanted(&queued.name))?;
        Some(queued.name.clone())
    })
}

/// A command of a module, or for values of its types, in which a client waits and
/// that is asked for.
pub(super) fn waiting_command_of(server: &Server, id: ModuleId, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let types = server.registry.modules.get(id).map(|module| module.types.as_slice()).unwrap_or_default();
    let waits = |waiter: &&Waiter| {
        let of_type = types.iter().any(|own| u32::from(*own) == waiter.type_id());
        (waiter.module() == id || of_type) && wanted(&waiter.name())
    };
    let mut waiters = server.sessions.clients.iter().filter_map(|client| client.blocked.as_deref());
    waiters.find(waits).map(Waiter::name)
}

/// A command of a module in which a client waits for a thread of the module's.
pub(super) fn suspended_command_of(server: &Server, id: ModuleId) -> Option<String> {
    let mut waiters = server.sessions.clients.iter().filter_map(|client| client.blocked.as_deref());
    waiters.find(|waiter| waiter.module() == id && waiter.is_suspended()).map(Waiter::name)
}

/// Remember what a module's types were called, for ghosts of them.
fn remember_types(server: &mut Server, id: ModuleId) {
    let Some(module) = server.registry.modules.get(id) else { return };
    for ty in module.types.iter().filter_map(|type_id| server.store.types.get(*type_id)) {
        server.store.ghosts.remember(&ty.name, &module.name, tags(&ty.table));
    }
}

/// Say good-bye to a module, and take it down.
pub(super) fn end_module(server: &mut Server, id: ModuleId) {
    let Some(module) = server.registry.modules.get(id) else { return };
    let (name, stop) = (module.name.clone(), module.stop);
    if let Some(stop) = stop {
        server.call_module(id, 0, |context| {
            // SAFETY: the module is loaded, and this is the last call into it.
            unsafe { stop(context.as_call()) }
        });
    }
    load::take_down(server, id);
    crate::base::log::notice(&format!("Module '{name}' unloaded"));
    server.publish(&event(ON_MODULE_UNLOADED, 0, name.as_bytes()));
}
