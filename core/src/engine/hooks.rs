//! Telling modules: events to their hooks, and calls into them outside commands.

use crate::base::clock::ticks;
use crate::base::id::ModuleId;
use crate::engine::call::{CallParts, Context};
use crate::engine::server::Server;
use crate::registry::hooks::{Subscription, event};
use crate::registry::propagation::Unit;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::call::{CALL_REPLICA, CALL_UNTOLD};
use plinth_abi::events::{Event, ON_KEY, ON_UNIT};
use plinth_abi::propagate::{UNIT_REPLAYED, Unit as Told, UnitCommand};

/// How deep hooks run within hooks: a module may load a module in one, which a hook is told of.
const NESTING_MAX: u32 = 8;

impl Server {
    /// Tell all that asked for it of an event. A subscription that runs is not told of what happens
    /// meanwhile, and what hooks bring about by hooks is followed to a limited depth.
    pub fn publish(&mut self, event: &Event) {
        if !self.registry.hooks.wants(event.kind) {
            return;
        }
        for one in self.registry.hooks.of_kind(event.kind).into_iter().filter(|one| one.wants_class(event)) {
            self.tell_one(&one, event);
        }
    }

    /// Tell of the units that have ended.
    pub(super) fn tell_units(&mut self) {
        while let Some(unit) = self.propagation.units.ended.pop_front() {
            self.tell_unit(&unit, 0);
            self.record();
        }
    }

    /// Tell of units that were read from the append-only file and have run.
    #[cold]
    pub(super) fn tell_replayed(&mut self) {
        while let Some(unit) = self.propagation.units.ended.pop_front() {
            self.tell_unit(&unit, UNIT_REPLAYED);
        }
    }

    fn tell_unit(&mut self, unit: &Unit, flags: u32) {
        let command = |(db, text): &(u32, bytes::Bytes)| UnitCommand {
            size: size_of::<UnitCommand>() as u32,
            db: *db,
            text: Bytes::of(text),
        };
        let commands: Vec<UnitCommand> = unit.commands.iter().map(command).collect();
        let history = self.propagation.units.history.id.clone();
        let told = Told {
            size: size_of::<Told>() as u32,
            flags,
            number: unit.number,
            history: Bytes::of(history.as_bytes()),
            commands: Slice {
                items: commands.as_ptr(),
                count: commands.len() as u32,
                stride: size_of::<UnitCommand>() as u32,
            },
        };
        let was_telling = std::mem::replace(&mut self.propagation.units.is_telling, true);
        self.publish(&Event { unit: &raw const told, ..event(ON_UNIT, -1, &[]) });
        self.propagation.units.is_telling = was_telling;
    }

    /// Tell one subscription of an event.
    pub(super) fn tell_one(&mut self, one: &Subscription, event: &Event) {
        if self.pending.nesting >= NESTING_MAX {
            crate::base::log::warning("Hooks of modules nest too deeply; one of them is not told.");
            return;
        }
        // A hook may have ended another's subscription.
        if !self.registry.hooks.begin(one.id) {
            return;
        }
        let frozen = u32::from(event.kind & (ON_KEY | ON_UNIT) != 0);
        self.store.frozen += frozen;
        self.pending.nesting += 1;
        self.call_module(one.module, event.db.max(0) as u32, |context| {
            // SAFETY: the module is loaded, and event and call live for the hook's run.
            unsafe { (one.hook.run)(context.as_call(), event, one.data) }
        });
        self.pending.nesting -= 1;
        self.store.frozen -= frozen;
        self.registry.hooks.end(one.id);
    }

    /// Tell of a client; later while a command takes long.
    pub fn client_event(&mut self, kind: u32, token: usize) {
        if self.is_busy() {
            return self.tell_of_client_later(kind, token);
        }
        if let Some(client) = self.sessions.clients.peek(token) {
            let event = Event { client_id: client.id, ..event(kind, client.db as i32, &[]) };
            self.publish(&event);
        }
    }

    /// Call into a module outside a command: no arguments, no client, a reply that
    /// nobody reads. What it does to keys itself is propagated as what the keys are then, unless it tells another.
    pub fn call_module<R>(&mut self, module: ModuleId, db: u32, run: impl FnOnce(&mut Context) -> R) -> Option<R> {
        let begun = ticks();
        let host: *const plinth_abi::host::Host = &*self.registry.modules.get(module)?.host;
        let outside = self.enter_outside();
        let mut output = std::mem::take(&mut self.sink);
        let begin = output.mark();
        let untold = if self.propagation.touched.is_some() { 0 } else { CALL_UNTOLD };
        let flags = untold | if self.store.is_replica { CALL_REPLICA } else { 0 };
        let parts = CallParts { args: &[], output: &raw mut output, client: None, db, resp: 3, flags, module, host };
        // SAFETY: `output` is ours until the context is gone, and the server is not used
        // in the meantime.
        let mut context = unsafe { Context::new(self, parts) };
        let result = run(&mut context);
        output.rewind(begin);
        self.sink = output;
        if let Some(outside) = outside {
            self.leave_outside(outside);
        }
        if let Some(module) = self.registry.modules.get_mut(module) {
            module.hook_ticks += ticks().wrapping_sub(begun);
        }
        Some(result)
    }
}
