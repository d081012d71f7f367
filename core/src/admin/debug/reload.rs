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
    match context.server().reload() {
        Ok(()) => context.ok(),
        Err((key, status)) => {
            let key = String::from_utf8_lossy(&key).into_owned();
            context.error(format!("ERR Error trying to load the value of '{key}' (status {status})"))
        }
    }
}

impl Server {
    fn reload(&mut self) -> Result<(), (Vec<u8>, Status)> {
        for db in 0..self.keyspace.databases.len() as u32 {
            self.spoil_database(Some(db), None);
            let mut entries = Vec::new();
            self.keyspace.databases[db as usize].table.for_each(|entry, _| entries.push(entry));
            for entry in entries {
                self.reload_entry(db, entry)?;
            }
        }
        Ok(())
    }

    fn reload_entry(&mut self, db: u32, entry: EntryPtr) -> Result<(), (Vec<u8>, Status)> {
        // SAFETY: the entry is in its table; the key is copied before anything changes.
        let key = unsafe { entry.key() }.to_vec();
        let loaded = self
            .save_value(entry)
            .and_then(|body| self.load_value(&body, &key, entry.expire_at_ms()))
            .map_err(|status| (key.clone(), status))?;
        loaded.set_clock(entry.clock());
        let hash = self.keyspace.hash(&key);
        self.keyspace.databases[db as usize].remove(hash, entry);
        self.discard(entry, false);
        self.insert(db, hash, loaded);
        self.charge(loaded);
        Ok(())
    }
}
