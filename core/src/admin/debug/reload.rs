//! DEBUG RELOAD: every value is written to its saved form and read back.
//!
//! That is what a snapshot and a restart do to values, without the file between: each is
//! encoded anew, by the limits that hold now. Keys keep their expiry and their access
//! clock. A value that cannot be read back stays as it is, and is an error.

use crate::engine::call::Context;
use crate::engine::server::Server;
use crate::store::entry::EntryPtr;
use plinth_abi::status::Status;

pub(super) fn run(context: &mut Context) -> Status {
    if context.argc() > 2 {
        // Which part of the file is kept or merged.
        return crate::admin::debug::no_files(context);
    }
    match reload(context.server()) {
        Ok(()) => context.ok(),
        Err((key, status)) => {
            let key = String::from_utf8_lossy(&key).into_owned();
            context.error(format!("ERR Error trying to load the value of '{key}' (status {status})"))
        }
    }
}

fn reload(server: &mut Server) -> Result<(), (Vec<u8>, Status)> {
    for db in 0..server.store.databases.len() as u32 {
        server
            .spoil_database(db, |store, key| (store.databases[db as usize].find(store.hash(key), key).is_some(), None));
        let mut entries = Vec::new();
        server.store.databases[db as usize].table.for_each(|entry, _| entries.push(entry));
        for entry in entries {
            reload_entry(server, db, entry)?;
            // One at a time: an old value goes before the next is read.
            server.record();
        }
    }
    Ok(())
}

fn reload_entry(server: &mut Server, db: u32, entry: EntryPtr) -> Result<(), (Vec<u8>, Status)> {
    // SAFETY: the entry is in its table; the key is copied before anything changes.
    let key = unsafe { entry.key() }.to_vec();
    let loaded = server
        .store
        .save_value(entry)
        .and_then(|body| server.store.load_value(&body, &key, entry.expire_at_ms()))
        .map_err(|status| (key.clone(), status))?;
    loaded.set_clock(entry.clock());
    let hash = server.store.hash(&key);
    server.store.databases[db as usize].remove(hash, entry);
    server.store.discard(entry, false);
    server.store.insert(db, hash, loaded);
    server.store.charge(loaded);
    Ok(())
}
