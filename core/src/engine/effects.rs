//! Effects: what follows from what has happened in the store.
//!
//! ```text
//!   a handler ends     record    watches are spoiled, ready keys noted, values freed
//!   the outermost      settle    hooks are told, and those run again who wait
//!   command or duty
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
//! - What a hook brings about queues behind what it was told of, and is followed to a limited depth.

use crate::engine::server::Server;
use crate::registry::hooks::event;
use crate::store::database::Database;
use crate::store::effects::Effect;
use crate::store::entry::EntryPtr;
use plinth_abi::bytes::Bytes;
use plinth_abi::events::{Event, ON_FLUSH, ON_KEY, ON_SWAP};
use std::collections::VecDeque;

/// How often what hooks bring about is told to hooks in turn.
const DEPTH_MAX: u32 = 16;

/// What is to be told to hooks, and to be freed.
#[derive(Default)]
pub struct Pending {
    told: VecDeque<Told>,
    databases: Vec<(Database, bool)>,
    /// How deep hooks are in what hooks have brought about, while one is told.
    depth: u32,
    /// Whether there is anything of these.
    pub is_due: bool,
}

/// Something for hooks.
struct Told {
    kind: u32,
    db: i32,
    other_db: i32,
    class: u32,
    name: Vec<u8>,
    key: Vec<u8>,
    depth: u32,
}

impl Server {
    /// Follow up what a handler has done to the store, as far as that runs nobody's code.
    #[cold]
    pub fn record(&mut self) {
        while let Some(effect) = self.store.effects.pop() {
            match effect {
                Effect::Changed { db, key, is_there, is_awaited } => {
                    self.spoil(db, &key, is_there);
                    if is_awaited {
                        self.note_ready(db, &key);
                    }
                }
                Effect::Event { db, key, class, name } => {
                    self.tell(Told { kind: ON_KEY, db: db as i32, other_db: 0, class, name, key, depth: 0 });
                }
                Effect::Flushed { db, databases, in_background } => {
                    self.spoil_flushed(&databases);
                    self.note_ready_database(db);
                    self.tell_of_databases(ON_FLUSH, db.map_or(-1, |db| db as i32), 0);
                    let held = databases.into_iter().map(|(_, database)| (database, in_background));
                    self.pending.databases.extend(held);
                    self.pending.is_due = true;
                }
                Effect::Swapped { first, second } => {
                    if first != second {
                        self.spoil_swapped(first, second);
                        self.spoil_swapped(second, first);
                        self.note_ready_database(Some(first));
                        self.note_ready_database(Some(second));
                    }
                    self.tell_of_databases(ON_SWAP, first as i32, second as i32);
                }
            }
        }
        self.free_removed();
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

    fn tell_of_databases(&mut self, kind: u32, db: i32, other_db: i32) {
        self.tell(Told { kind, db, other_db, class: 0, name: Vec::new(), key: Vec::new(), depth: 0 });
    }

    fn tell(&mut self, told: Told) {
        let depth = self.pending.depth;
        if !self.registry.hooks.wants(told.kind) {
            return;
        }
        if depth > DEPTH_MAX {
            crate::base::log::warning("Hooks of modules go on bringing about events; the last is not told.");
            return;
        }
        self.pending.told.push_back(Told { depth, ..told });
        self.pending.is_due = true;
    }

    /// Tell hooks, and run those again who wait, after the outermost command or a duty.
    #[cold]
    pub fn settle(&mut self) {
        self.record();
        self.tell_hooks();
        if self.sessions.blocking.due {
            self.settle_waits();
            self.record();
            self.tell_hooks();
        }
    }

    fn tell_hooks(&mut self) {
        while let Some(told) = self.pending.told.pop_front() {
            self.pending.depth = told.depth + 1;
            let all = Event {
                class: told.class,
                name: Bytes::of(&told.name),
                other_db: told.other_db,
                ..event(told.kind, told.db, &told.key)
            };
            self.publish(&all);
            self.record();
        }
        self.pending.depth = 0;
        self.pending.is_due = false;
    }

    /// A key's value changed: spoil the transactions of those who watch it.
    fn spoil(&mut self, db: u32, key: &[u8], is_there: bool) {
        if self.sessions.watches.is_empty() {
            return;
        }
        for id in self.sessions.watches.watchers(db, key).to_vec() {
            let Some(client) = self.sessions.clients.by_id(id) else { continue };
            match client.watched.iter_mut().find(|watch| watch.is_on(db, key)) {
                // It had expired when the watch began, and is gone now: nothing changed.
                Some(watch) if watch.stale && !is_there => watch.stale = false,
                _ => client.watch_spoiled = true,
            }
        }
    }

    fn spoil_flushed(&mut self, databases: &[(u32, Database)]) {
        if self.sessions.watches.is_empty() {
            return;
        }
        for (number, before) in databases {
            self.spoil_database(*number, |store, key| (before.find(store.hash(key), key).is_some(), None));
        }
    }

    /// What was one database is another now, which lies where the one did.
    fn spoil_swapped(&mut self, number: u32, other: u32) {
        self.spoil_database(number, |store, key| {
            let find = |db: u32| store.databases[db as usize].find(store.hash(key), key);
            (find(other).is_some(), find(number))
        });
    }

    /// Spoil transactions on keys of a database that was emptied, or replaced by another
    /// one: those whose watched keys become other than they were. `both` tells whether a key was
    /// there, and what is there now.
    pub fn spoil_database(
        &mut self,
        number: u32,
        both: impl Fn(&crate::store::Store, &[u8]) -> (bool, Option<EntryPtr>),
    ) {
        let watched = self.sessions.watches.of_database(Some(number));
        let keys: Vec<_> = watched.map(|((_, key), clients)| (key.clone(), clients.clone())).collect();
        for (key, clients) in keys {
            let (before, after) = both(&self.store, &key);
            if !before && after.is_none() {
                continue;
            }
            let after_stale = after.is_some_and(|entry| entry.has_expired(self.store.now_ms));
            for id in clients {
                let Some(client) = self.sessions.clients.by_id(id) else { continue };
                let watch = client.watched.iter_mut().find(|watch| watch.is_on(number, &key));
                match watch {
                    Some(watch) if watch.stale && (after.is_none() || after_stale) => watch.stale = after_stale,
                    Some(watch) if !before && after_stale => watch.stale = true,
                    _ => client.watch_spoiled = true,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::server::Lists;
    use crate::settings::parameters::Settings;
    use crate::store::access::NewValue;

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
