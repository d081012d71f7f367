//! DEBUG RELOAD: what a snapshot and a restart do to the data set, without the restart.
//!
//! Each value is encoded anew, by the limits that hold now. NOSAVE loads the file that is there, NOFLUSH
//! keeps the keys that are, and MERGE has those of the file take their place.

use crate::engine::call::Context;
use crate::engine::server::Server;
use crate::modules::beside;
use crate::persist::load::{self, LoadError, Options};
use crate::persist::save;
use plinth_abi::status::Status;

pub(super) fn run(context: &mut Context) -> Status {
    let (mut saves, mut flushes, mut options) = (true, true, Options::default());
    for at in 2..context.argc() {
        match context.arg(at).to_ascii_lowercase().as_slice() {
            b"nosave" => saves = false,
            b"noflush" => flushes = false,
            b"merge" => options.merges = true,
            _ => {
                return context.error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
            }
        }
    }
    if context.server().depth > 0 {
        // A module that runs it may have looked at a value.
        return context.error("ERR DEBUG RELOAD is for clients only");
    }
    if context.server().registry.standing.is_loading {
        return context.error(crate::registry::standing::LOADING);
    }
    if saves && let Err(reason) = save::save(context.server()) {
        return context.error(format!("ERR {reason}"));
    }
    match reload(context.server(), flushes, options) {
        Ok(()) => context.ok(),
        Err(error) => {
            crate::base::log::warning(&error.to_string());
            context.error("ERR Error trying to load the RDB dump, check server logs.")
        }
    }
}

fn reload(server: &mut Server, flushes: bool, options: Options) -> Result<(), LoadError> {
    for db in 0..server.store.databases.len() as u32 {
        server
            .spoil_database(db, |store, key| (store.databases[db as usize].find(store.hash(key), key).is_some(), None));
    }
    if flushes {
        let emptied = server.store.take_away(None);
        emptied.into_iter().for_each(|(_, database)| server.store.free_database(database, false));
        beside::clear(server);
    }
    let path = save::path(server);
    load::load_file(server, &path, options, &mut |_| {})?;
    // Values that others took the place of.
    server.record();
    crate::base::log::warning("DB reloaded by DEBUG RELOAD");
    Ok(())
}
