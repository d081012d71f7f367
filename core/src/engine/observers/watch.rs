//! Transactions of those who watch a key are spoiled when it changes.

use crate::engine::server::Server;
use crate::store::Store;
use crate::store::database::Database;
use crate::store::effects::Effect;
use crate::store::entry::EntryPtr;

/// The observer.
pub fn observe(server: &mut Server, effect: &Effect) {
    if server.sessions.watches.is_empty() {
        return;
    }
    match effect {
        Effect::Changed { db, key, is_there, is_watched: true, .. } => server.spoil(*db, key, *is_there),
        Effect::Flushed { databases, .. } => server.spoil_flushed(databases),
        Effect::Swapped { first, second } if first != second => {
            server.spoil_swapped(*first, *second);
            server.spoil_swapped(*second, *first);
        }
        Effect::Changed { .. }
        | Effect::Event { .. }
        | Effect::Swapped { .. }
        | Effect::Propagate { .. }
        | Effect::UnitEnd => {}
    }
}

impl Server {
    /// A key's value changed: spoil the transactions of those who watch it.
    fn spoil(&mut self, db: u32, key: &[u8], is_there: bool) {
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
    pub fn spoil_database(&mut self, number: u32, both: impl Fn(&Store, &[u8]) -> (bool, Option<EntryPtr>)) {
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
