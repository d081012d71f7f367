//! Telling modules: events to their hooks, and calls into them outside commands.

use crate::base::clock::ticks;
use crate::base::id::ModuleId;
use crate::engine::call::{CallParts, Context};
use crate::engine::server::Server;
use crate::registry::hooks::event;
use plinth_abi::events::{Event, ON_KEY};

impl Server {
    /// Tell all that asked for it of an event.
    pub fn publish(&mut self, event: &Event) {
        if !self.registry.hooks.wants(event.kind) {
            return;
        }
        for one in self.registry.hooks.of_kind(event.kind) {
            // A hook may have ended another's subscription.
            if !self.registry.hooks.has(one.id) {
                continue;
            }
            let frozen = u32::from(event.kind == ON_KEY);
            self.store.frozen += frozen;
            self.call_module(one.module, event.db.max(0) as u32, |context| {
                // SAFETY: the module is loaded, and event and call live for the hook's run.
                unsafe { (one.hook.run)(&raw mut context.call, event, one.data) }
            });
            self.store.frozen -= frozen;
        }
    }

    /// Tell of a client.
    pub fn client_event(&mut self, kind: u32, token: usize) {
        if let Some(client) = self.sessions.clients.peek(token) {
            let event = Event { client_id: client.id, ..event(kind, client.db as i32, &[]) };
            self.publish(&event);
        }
    }

    /// Call into a module outside a command: no arguments, no client, a reply that
    /// nobody reads.
    pub fn call_module<R>(&mut self, module: ModuleId, db: u32, run: impl FnOnce(&mut Context) -> R) -> Option<R> {
        let begun = ticks();
        let host: *const plinth_abi::host::Host = &*self.registry.modules.get(module)?.host;
        let mut output = std::mem::take(&mut self.sink);
        let begin = output.mark();
        let parts = CallParts { args: &[], output: &raw mut output, client: None, db, resp: 3, flags: 0, module, host };
        // SAFETY: `output` is ours until the context is gone, and the server is not used
        // in the meantime.
        let mut context = unsafe { Context::new(self, parts) };
        let result = run(&mut context);
        output.rewind(begin);
        self.sink = output;
        if let Some(module) = self.registry.modules.get_mut(module) {
            module.hook_ticks += ticks().wrapping_sub(begun);
        }
        Some(result)
    }
}
