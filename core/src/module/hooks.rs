//! Hooks: which module is told of which events.

use super::ModuleId;
use super::context::{CallParts, Context};
use crate::clock::ticks;
use crate::server::Server;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::events::{Event, Hook, ON_KEY};

/// One subscription.
#[derive(Clone, Copy)]
pub struct Subscription {
    /// Never used twice.
    pub id: u64,
    /// Who is told.
    pub module: ModuleId,
    /// `ON_*` bits.
    pub kinds: u32,
    /// The function.
    pub hook: Hook,
    /// What it gets.
    pub data: Opaque,
}

/// All subscriptions.
#[derive(Default)]
pub struct Hooks {
    all: Vec<Subscription>,
    kinds: u32,
    last_id: u64,
}

impl Hooks {
    /// Whether anybody is told of an event of a kind.
    #[inline]
    pub fn wants(&self, kind: u32) -> bool {
        self.kinds & kind != 0
    }

    /// Add a subscription; its id.
    pub fn add(&mut self, module: ModuleId, kinds: u32, hook: Hook, data: Opaque) -> u64 {
        self.last_id += 1;
        self.all.push(Subscription { id: self.last_id, module, kinds, hook, data });
        self.kinds |= kinds;
        self.last_id
    }

    /// End a subscription of a module; whether there was one.
    pub fn remove(&mut self, module: ModuleId, id: u64) -> bool {
        let before = self.all.len();
        self.all.retain(|one| one.id != id || one.module != module);
        self.count();
        self.all.len() < before
    }

    /// End all subscriptions of a module.
    pub fn remove_module(&mut self, module: ModuleId) {
        self.all.retain(|one| one.module != module);
        self.count();
    }

    /// The subscriptions of a module, which end.
    pub fn take_module(&mut self, module: ModuleId) -> Vec<Subscription> {
        let taken = self.all.extract_if(.., |one| one.module == module).collect();
        self.count();
        taken
    }

    /// Go on with subscriptions that were taken.
    pub fn put_back(&mut self, subscriptions: Vec<Subscription>) {
        self.all.extend(subscriptions);
        self.count();
    }

    fn count(&mut self) {
        self.kinds = self.all.iter().fold(0, |kinds, one| kinds | one.kinds);
    }
}

/// An event of a kind about a key or a name.
pub fn event(kind: u32, db: i32, key: &[u8]) -> Event {
    Event {
        size: size_of::<Event>() as u32,
        kind,
        class: 0,
        db,
        other_db: 0,
        reserved: 0,
        name: Bytes::EMPTY,
        key: Bytes::of(key),
        client_id: 0,
    }
}

impl Server {
    /// Tell all that asked for it of an event.
    pub fn publish(&mut self, event: &Event) {
        if !self.hooks.wants(event.kind) {
            return;
        }
        let told: Vec<Subscription> =
            self.hooks.all.iter().filter(|one| one.kinds & event.kind != 0).copied().collect();
        for one in told {
            // A hook may have ended another's subscription.
            if !self.hooks.all.iter().any(|present| present.id == one.id) {
                continue;
            }
            let frozen = u32::from(event.kind == ON_KEY);
            self.key_hooks += frozen;
            self.call_module(one.module, event.db.max(0) as u32, |context| {
                // SAFETY: the module is loaded, and event and call live for the hook's run.
                unsafe { (one.hook.run)(&raw mut context.call, event, one.data) }
            });
            self.key_hooks -= frozen;
        }
    }

    /// Tell of a client.
    pub fn client_event(&mut self, kind: u32, token: usize) {
        if let Some(client) = self.clients.peek(token) {
            let event = Event { client_id: client.id, ..event(kind, client.db as i32, &[]) };
            self.publish(&event);
        }
    }

    /// Call into a module outside a command: no arguments, no client, a reply that
    /// nobody reads.
    pub fn call_module<R>(&mut self, module: ModuleId, db: u32, run: impl FnOnce(&mut Context) -> R) -> Option<R> {
        let begun = ticks();
        let host: *const plinth_abi::host::Host = &*self.modules.get(module)?.host;
        let mut output = std::mem::take(&mut self.sink);
        let begin = output.mark();
        let parts = CallParts { args: &[], output: &raw mut output, client: None, db, resp: 3, flags: 0, module, host };
        // SAFETY: `output` is ours until the context is gone, and the server is not used
        // in the meantime.
        let mut context = unsafe { Context::new(self, parts) };
        let result = run(&mut context);
        output.rewind(begin);
        self.sink = output;
        if let Some(module) = self.modules.get_mut(module) {
            module.hook_ticks += ticks().wrapping_sub(begun);
        }
        Some(result)
    }
}
