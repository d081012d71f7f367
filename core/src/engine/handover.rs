//! Routing: which of two modules runs a command while one replaces the other.
//!
//! A command is the new module's, which has values of the old one converted when it
//! asks for them. A large value would take too long: a command on a key that holds one
//! is run by the old module's handler of that command, and whatever services it calls
//! are the old module's for that time. Which keys those are the key specs tell; a
//! command whose specs do not tell, or that only one of the modules has, runs as
//! always, and has the value converted at once.
//!
//! Only entered while there is a replacement.

use crate::base::id::ModuleId;
use crate::command::keyspec;
use crate::engine::call::Registered;
use crate::engine::dispatch::Caller;
use crate::engine::server::Server;
use crate::store::entry::EntryPtr;
use plinth_abi::bytes::Bytes;
use plinth_abi::status::Status;

/// Bytes behind large values among a command's keys, of either side of a replacement.
#[derive(Clone, Copy, Default)]
struct Weights {
    active: u64,
    inactive: u64,
}

impl Server {
    /// Run a command by whom it is for.
    #[cold]
    pub fn invoke_routed(&mut self, command: &Registered, args: &[Bytes], hash: Option<u64>, caller: Caller) -> Status {
        let Some(at) = self.route(command, args, caller.db) else {
            return self.invoke_this(command, args, hash, caller);
        };
        let (active, inactive) = (self.registry.replacements[at].active, self.registry.replacements[at].inactive);
        let before = self.registry.point_services(active, inactive, true);
        let other = if command.module == active { self.registry.replacements[at].command(&command.name) } else { None };
        let status = match other {
            Some(other) => {
                // SAFETY: the stashed command lives until the replacement is over, which
                // no command brings about while another runs.
                let other = unsafe { &*other };
                let hash = hash.filter(|_| other.first_key == command.first_key);
                let status = self.invoke_this(other, args, hash, caller);
                // The caller counts the run itself.
                command.stats.take(&other.stats);
                status
            }
            None => self.invoke_this(command, args, hash, caller),
        };
        self.registry.point_services(active, inactive, before);
        status
    }

    /// The replacement whose inactive module a command's keys are for, if any.
    fn route(&mut self, command: &Registered, args: &[Bytes], db: u32) -> Option<usize> {
        if !keyspec::has_keys(command) {
            return None;
        }
        let keys = keyspec::keys(command, args).ok()?;
        let mut weights = vec![Weights::default(); self.registry.replacements.len()];
        for key in keys {
            // SAFETY: arguments live as long as the call, and the position is one of them.
            let key = unsafe { args[key.at].as_slice() };
            let hash = self.store.hash(key);
            let found = self.store.databases.get(db as usize).and_then(|database| database.find(hash, key));
            let Some(entry) = found.filter(|entry| self.store.is_large(*entry)) else { continue };
            self.weigh(entry, &mut weights);
        }
        weights.iter().position(|one| one.inactive > 0 && one.inactive >= one.active)
    }

    fn weigh(&self, entry: EntryPtr, weights: &mut [Weights]) {
        let Some(ty) = self.store.types.get(entry.type_id()).filter(|ty| ty.twin != 0) else { return };
        for (replacement, weight) in self.registry.replacements.iter().zip(weights) {
            let bytes = entry.charge().max(1);
            if ty.module == replacement.inactive {
                weight.inactive += bytes;
            } else if ty.module == replacement.active {
                weight.active += bytes;
            }
        }
    }

    /// The module and the type that whoever waits in a command is to be listed under,
    /// given those that it was run by.
    pub fn current_of(&self, module: ModuleId, type_id: u32) -> (ModuleId, u32) {
        let active =
            self.registry.replacements.iter().find(|one| one.inactive == module).map_or(module, |one| one.active);
        let current = u8::try_from(type_id).map_or(type_id, |id| u32::from(self.store.types.current(id)));
        (active, current)
    }
}
