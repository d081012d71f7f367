//! The old data while a snapshot is loaded beside them (`repl-diskless-load swapdb`): should it break off, they are
//! there as if nothing had been.
//!
//! ```text
//!   server     [ old ]      [ what comes ] <─ serve ─> [ old ]      [ what has come ]   or   [ old ]
//!   aside        -            [ old ]                [ what comes ]        -                     -
//! ```
//!
//! *Invariant*: whoever is served meanwhile sees the old data, and nothing else does.

use crate::base::log;
use crate::engine::server::Server;
use crate::modules::beside;
use crate::registry::rdb::Kept;
use crate::store::database::Database;
use crate::store::effects::Effect;
use crate::store::own_expiry::OwnExpiry;

/// What was there, out of reach.
pub struct Aside {
    databases: Vec<Database>,
    kept: Kept,
}

impl Aside {
    /// Put the data aside: there are none from here on.
    pub fn begin(server: &mut Server) -> Aside {
        let empty = || server.store.databases.iter().map(|_| Database::default()).collect();
        let mut aside = Aside { databases: empty(), kept: Kept::default() };
        aside.exchange(server);
        aside
    }

    fn exchange(&mut self, server: &mut Server) {
        let others = std::mem::take(&mut self.databases);
        self.databases = server.store.exchange(others);
        std::mem::swap(&mut self.kept, &mut server.registry.beside.kept);
    }

    /// Do something with the old data in their place.
    pub fn with_old(&mut self, server: &mut Server, act: impl FnOnce(&mut Server)) {
        self.exchange(server);
        act(server);
        self.exchange(server);
    }

    /// What has come stays, and the old data go.
    ///
    /// # Errors
    /// Why a module does not take what it has beside keys: all is as it was then.
    pub fn give_up(mut self, server: &mut Server) -> Result<(), String> {
        if let Err(reason) = self.hand_over(server) {
            self.bring_back(server);
            return Err(reason);
        }
        for (db, old) in self.databases.iter().enumerate() {
            server.spoil_database(db as u32, |store, key| {
                let hash = store.hash(key);
                (old.find(hash, key).is_some(), store.databases[db].find(hash, key))
            });
        }
        server.store.database_goes(None);
        let databases = self.databases.into_iter().enumerate().map(|(db, old)| (db as u32, old)).collect();
        // No FLUSHALL of a client's, so no snapshot is due for it, and no file is told.
        let was_quiet = std::mem::replace(&mut server.is_quiet, true);
        server.store.own_expiry = OwnExpiry::default();
        server.store.effects.push(Effect::Flushed { db: None, databases, in_background: true });
        server.settle();
        server.is_quiet = was_quiet;
        Ok(())
    }

    /// Modules are given what has come beside keys, in the place of what they have.
    fn hand_over(&mut self, server: &mut Server) -> Result<(), String> {
        // What they have belongs to what is aside.
        std::mem::swap(&mut self.kept, &mut server.registry.beside.kept);
        let old = beside::parts(server);
        std::mem::swap(&mut self.kept, &mut server.registry.beside.kept);
        let old = old?;
        let come = std::mem::take(&mut server.registry.beside.kept);
        let handed = beside::put(server, come);
        if handed.is_err()
            && let Err(reason) = beside::put(server, old)
        {
            log::warning(&format!("What was there beside keys is lost: {reason}"));
        }
        if handed.is_err() {
            // What nobody has claimed is there again; what is aside is of no use.
            self.kept = std::mem::take(&mut server.registry.beside.kept);
        }
        handed
    }

    /// What has come goes, and the old data are back.
    pub fn bring_back(mut self, server: &mut Server) {
        log::notice("MASTER <-> REPLICA sync: Discarding temporary DB in background");
        self.exchange(server);
        self.databases.into_iter().for_each(|half| server.store.free_database(half, true));
    }
}
