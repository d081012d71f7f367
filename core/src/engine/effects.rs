//! Effects: what follows from what has happened in the store.
//!
//! ```text
//!   a handler ends     record    watches are spoiled, ready keys noted, values freed
//!   the outermost      settle    hooks are told, what is propagated ends its unit, and those are
//!   command or duty              run again who wait
//!   has ended
//! ```
//!
//! Recording looks at tables only and runs nobody's code but that of types which free values. Hooks
//! and handlers of waiting clients run when no handler is on the stack, so that none of their writes
//! meets a borrow.
//!
//! Invariants:
//! - A value that is removed is freed after the handler that removed it, and after that of the module
//!   which ran it, if a module did.
//! - What a hook brings about queues behind what it was told of. Its subscription is not told of that, nor
//!   of what comes of it through others, so that it ends; how deep and how much is limited besides.

use crate::engine::server::Server;
use crate::registry::hooks::event;
use crate::store::database::Database;
use crate::store::effects::Effect;
use bytes::Bytes as Shared;
use plinth_abi::bytes::Bytes;
use plinth_abi::events::Event;
use std::collections::VecDeque;

/// How often what hooks bring about is told to hooks in turn.
const DEPTH_MAX: usize = 16;
/// How much of what hooks bring about waits to be told.
const BROUGHT_MAX: usize = 100_000;

/// What is to be told to hooks, and to be freed.
#[derive(Default)]
pub struct Pending {
    /// With the subscriptions that have brought each about.
    told: VecDeque<(Told, Vec<u64>)>,
    databases: Vec<(Database, bool)>,
    /// The subscription that is told, and those that have brought about what it is told of.
    cause: Vec<u64>,
    /// Token and id of the client whose command has brought about what is being recorded, if it is known.
    pub by: Option<(usize, u64)>,
    /// How deep hooks run within hooks.
    pub nesting: u32,
    /// Clients that bytes were pushed to.
    pub pushed: Vec<usize>,
    /// What modules share out among clients, until the outermost command has ended.
    pub shared: Vec<Shared>,
    /// What modules are to be told of clients: `ON_CLIENT_*`, and the token.
    pub of_clients: Vec<(u32, usize)>,
    /// The turn of the loop in which commands that were parsed are to be parsed again: others were served
    /// before they ran.
    pub is_parsed_anew: Option<u64>,
    /// Whether there is anything of these.
    pub is_due: bool,
}

/// Something for hooks.
#[derive(Default)]
pub struct Told {
    /// `ON_*` bit.
    pub kind: u32,
    /// Database, negative for all.
    pub db: i32,
    /// The other of two databases.
    pub other_db: i32,
    /// Id of a client.
    pub client_id: u64,
    /// Class of a key's event.
    pub class: u32,
    /// Name of a key's event.
    pub name: Vec<u8>,
    /// The key.
    pub key: Vec<u8>,
}

/// Who is told of an effect as soon as it is recorded; it writes in tables and runs nobody's code.
pub type Observer = fn(&mut Server, &Effect);

impl Server {
    /// Follow up what a handler has done to the store, as far as that runs nobody's code.
    #[cold]
    pub fn record(&mut self) {
        while let Some(effect) = self.store.effects.pop() {
            for observer in self.lists.observers {
                observer(self, &effect);
            }
            match effect {
                Effect::Flushed { databases, in_background, .. } => {
                    let held = databases.into_iter().map(|(_, database)| (database, in_background));
                    self.pending.databases.extend(held);
                    self.pending.is_due = true;
                }
                // The unit is to be ended.
                Effect::Propagate { .. } => self.pending.is_due = true,
                Effect::Changed { .. } | Effect::Event { .. } | Effect::Swapped { .. } | Effect::UnitEnd => {}
            }
        }
        self.free_removed();
    }

    /// The same for the command of a client.
    #[cold]
    pub fn record_by(&mut self, token: Option<usize>) {
        let by = token.map(|token| (token, self.sessions.clients.peek(token).map_or(0, |client| client.id)));
        let before = std::mem::replace(&mut self.pending.by, by);
        self.record();
        self.pending.by = before;
    }

    /// Free what was removed. Whoever unmaps a module, or counts on values being gone, does that
    /// first.
    pub fn free_removed(&mut self) {
        if self.depth > 0 {
            return;
        }
        while let Some((entry, lazy)) = self.store.effects.pop_removed() {
            self.store.free(entry, lazy);
        }
        while let Some((database, in_background)) = self.pending.databases.pop() {
            self.store.free_database(database, in_background);
        }
    }

    /// Keep something to be told to hooks that want to know of it.
    pub fn tell(&mut self, told: Told) {
        let cause = self.pending.cause.clone();
        if cause.len() > DEPTH_MAX || !cause.is_empty() && self.pending.told.len() >= BROUGHT_MAX {
            crate::base::log::warning("Hooks of modules go on bringing about events; the last is not told.");
            return;
        }
        self.pending.told.push_back((told, cause));
        self.pending.is_due = true;
    }

    /// The same, if any hook wants to know of it.
    pub fn tell_if_wanted(&mut self, told: Told) {
        if self.registry.hooks.wants(told.kind) {
            self.tell(told);
        }
    }

    /// Tell hooks, and run those again who wait, after the outermost command or a duty.
    #[cold]
    pub fn settle(&mut self) {
        if self.is_busy() {
            return;
        }
        self.record();
        self.tell_of_clients();
        self.tell_hooks();
        self.end_unit();
        self.tell_units();
        self.settle_begun();
        self.send_pushes();
        if self.sessions.blocking.due {
            self.settle_waits();
            self.record();
            self.tell_hooks();
            self.end_unit();
            self.tell_units();
            self.send_pushes();
        }
        self.pending.shared.clear();
    }

    /// Put what was pushed to clients behind the replies that they have been written.
    fn send_pushes(&mut self) {
        for token in std::mem::take(&mut self.pending.pushed) {
            if let Some(client) = self.sessions.clients.get(token) {
                let pushed = std::mem::take(&mut client.pushed);
                pushed.write(&mut client.output);
                self.sessions.clients.list_write(token);
            }
        }
    }

    fn tell_hooks(&mut self) {
        while let Some((told, cause)) = self.pending.told.pop_front() {
            let all = Event {
                class: told.class,
                name: Bytes::of(&told.name),
                other_db: told.other_db,
                client_id: told.client_id,
                ..event(told.kind, told.db, &told.key)
            };
            for one in self.registry.hooks.of_kind(told.kind) {
                if cause.contains(&one.id) || !one.wants_class(&all) {
                    continue;
                }
                self.pending.cause.clone_from(&cause);
                self.pending.cause.push(one.id);
                self.tell_one(&one, &all);
                self.record();
            }
            self.pending.cause.clear();
        }
        self.pending.is_due = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::server::Lists;
    use crate::settings::parameters::Settings;
    use crate::store::access::NewValue;
    use crate::store::entry::EntryPtr;

    fn with_key() -> (Server, u64, EntryPtr) {
        let mut server = Server::new(Settings::default(), Lists::default()).unwrap();
        let hash = server.store.hash(b"key");
        let new = NewValue { type_id: 1, tag: 0, inline_len: Some(5), keep_expiry: false, absent: true };
        let entry = server.store.put(0, hash, b"key", new).unwrap();
        (server, hash, entry)
    }

    /// SAFETY of the callers: the entry belongs to the effects, which were not recorded.
    fn key(entry: EntryPtr) -> &'static [u8] {
        // SAFETY: see above.
        unsafe { entry.key() }
    }

    #[test]
    fn a_removed_value_can_be_read_until_its_effect_is_recorded() {
        let (mut server, hash, entry) = with_key();
        assert!(server.store.remove(0, hash, b"key", false));
        assert!(server.store.find(0, hash, b"key").is_none());
        assert!(server.store.effects.is_due);
        assert_eq!(key(entry), b"key");
        server.record();
        assert!(!server.store.effects.is_due && !server.pending.is_due);
    }

    #[test]
    fn a_value_that_a_command_of_a_module_has_removed_outlives_the_module_handler() {
        let (mut server, hash, entry) = with_key();
        server.depth = 1;
        assert!(server.store.remove(0, hash, b"key", false));
        server.record();
        assert_eq!(key(entry), b"key");
        assert!(server.store.effects.is_due);
        server.depth = 0;
        server.settle();
        assert!(!server.store.effects.is_due);
    }

    #[test]
    fn a_database_that_was_emptied_lies_in_its_effect() {
        let (mut server, _, entry) = with_key();
        assert_eq!(server.store.flush(Some(0), false), 1);
        assert_eq!(server.store.databases[0].table.len(), 0);
        assert_eq!(key(entry), b"key");
        server.settle();
        assert!(server.pending.databases.is_empty());
    }

    #[test]
    fn what_nobody_wants_to_know_is_not_noted() {
        let (mut server, _, _) = with_key();
        server.store.changed(0, b"key");
        server.store.notify(0, b"key", 0, b"set");
        assert!(!server.store.effects.is_due);
        assert_eq!(server.store.dirty, 1);
        server.sessions.watches.add(0, b"key", 7);
        server.observe();
        server.store.changed(0, b"key");
        assert!(server.store.effects.is_due);
    }
}
