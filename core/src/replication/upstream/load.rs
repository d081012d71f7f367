//! A snapshot of the primary's in the place of the data.
//!
//! ```text
//!   disabled      the snapshot comes to a file ──> the data go ──> it is loaded
//!   on-empty-db   there are no data ─────────────────────────────> it is loaded while it comes
//!   swapdb        it is loaded while it comes, beside the data ──> these go
//! ```

use crate::base::log;
use crate::engine::server::Server;
use crate::modules::beside;
use crate::persist::aof::switch;
use crate::persist::load::{self, LoadError, Loaded, Options, Serve};
use crate::persist::save::SNAPSHOT;
use crate::persist::{Persist, child, save};
use crate::registry::propagation::History;
use crate::replication::upstream::aside::Aside;
use crate::replication::upstream::duty::{end_attempt, set_back};
use crate::replication::upstream::link::{News, Position};
use crate::replication::upstream::{Step, Upstream, role};
use crate::replication::{failover, state};
use crate::store::own_expiry::OwnExpiry;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// Time between two signs of life while a snapshot is loaded.
const ALIVE_EVERY: Duration = Duration::from_secs(1);

/// Positions in `repl-diskless-load`.
const ON_EMPTY: usize = 1;
const SWAP: usize = 2;

/// Whether a snapshot is loaded while it comes.
pub(super) fn uses_pipe(server: &Server) -> bool {
    match server.settings.replication.diskless_load {
        ON_EMPTY => server.store.databases.iter().all(|database| database.table.is_empty()),
        SWAP => swaps(server),
        _ => false,
    }
}

/// Whether the data stay until a snapshot is loaded beside them. Where a module keeps a section of its own, which it may
/// need before the keys, it has one for both; so the snapshot comes to a file then.
fn swaps(server: &Server) -> bool {
    server.settings.replication.diskless_load == SWAP && !beside::has_sections(server)
}

/// Load a snapshot; others are served by `serve` meanwhile.
pub fn load(server: &mut Server, news: News, serve: Serve<'_>) {
    let alive = server.slots.peek::<Upstream>().and_then(|replica| replica.attempt.clone());
    let mut said = Instant::now();
    let mut serve = |server: &mut Server| {
        if said.elapsed() >= ALIVE_EVERY
            && let Some(alive) = &alive
        {
            alive.say_alive();
            said = Instant::now();
        }
        serve(server);
    };
    match news {
        News::Synced { wire, file: Some(path), of } => {
            let opened = File::open(&path).map_err(LoadError::Open);
            let size = opened.as_ref().ok().and_then(|file| file.metadata().ok()).map(|data| data.len());
            let result = opened.and_then(|file| take_in(server, file, size, &mut serve));
            if !is_wanted(server, alive.as_ref()) {
                let _ = std::fs::remove_file(&path);
                return;
            }
            match result {
                Ok(_) => {
                    keep(server, &path);
                    loaded(server, &of);
                    end_attempt(server);
                    server.slots.with(|replica: &mut Upstream| replica.steps.push_back(Step::Join(wire)));
                }
                Err(error) => {
                    let _ = std::fs::remove_file(&path);
                    failed(server, &error);
                }
            }
        }
        News::Streams { pipe, of } => {
            let total = alive.as_ref().map(|alive| alive.total_bytes.load(std::sync::atomic::Ordering::Relaxed));
            let size = total.filter(|total| *total > 0);
            let mut wants = |server: &Server| is_wanted(server, alive.as_ref());
            let result = if swaps(server) {
                take_in_beside(server, pipe, size, &of, &mut serve, &mut wants)
            } else {
                take_in(server, pipe, size, &mut serve)
            };
            if !wants(server) {
                return;
            }
            match result {
                Ok(_) => {
                    loaded(server, &of);
                    server.slots.with(|replica: &mut Upstream| replica.loaded = Some(of));
                }
                Err(error) => failed(server, &error),
            }
        }
        News::Continues { .. } | News::Synced { file: None, .. } | News::Failed(_) => {}
    }
}

/// Whether what was loaded is still that of the server which is followed.
fn is_wanted(server: &Server, attempt: Option<&std::sync::Arc<super::Shared>>) -> bool {
    let now = server.slots.peek::<Upstream>().and_then(|replica| replica.attempt.as_ref());
    server.registry.replication.is_replica()
        && now.zip(attempt).is_some_and(|(now, then)| std::sync::Arc::ptr_eq(now, then))
}

/// What has expired is there until the primary says that it goes.
const OPTIONS: Options = Options { keeps_expired: true, tells_expired: false, merges: false, keeps_beside: false };

/// The primary has answered with all of its data: it has the role.
fn answered(server: &mut Server) {
    server.slots.with(|replica: &mut Upstream| replica.takes_over = false);
    failover::clear(server);
}

/// The snapshot comes, and then the old data go. If they are the same stream's, of another time, they are served
/// meanwhile.
fn take_in_beside(
    server: &mut Server,
    file: File,
    size: Option<u64>,
    of: &Position,
    serve: Serve<'_>,
    wants: &mut dyn FnMut(&Server) -> bool,
) -> Result<Loaded, LoadError> {
    answered(server);
    let serves_old = !of.id.is_empty() && of.id == server.registry.replication.id;
    log::notice("MASTER <-> REPLICA sync: Loading DB in memory");
    load::begin(server, size.unwrap_or(0), serves_old);
    let mut aside = Aside::begin(server);
    let (history, counted_to) = (server.propagation.units.history.clone(), server.propagation.units.counted_to);
    let mut serve_old = |server: &mut Server| aside.with_old(server, &mut *serve);
    let options = Options { keeps_beside: true, ..OPTIONS };
    let result = load::load(server, file, size, options, &mut serve_old);
    load::end(server);
    let result = match result {
        // Whose snapshot nobody wants any more has changed nothing.
        Ok(_) if !wants(server) => {
            aside.bring_back(server);
            forget_loaded(server, history, counted_to);
            return Err(LoadError::Stopped);
        }
        Ok(loaded) => {
            log::notice("MASTER <-> REPLICA sync: Swapping active DB with loaded DB");
            // It would take the place of a newer one.
            child::cancel(server, SNAPSHOT.name);
            let had_file = switch::suspend(server);
            let given_up = aside.give_up(server).map(|()| loaded).map_err(LoadError::Beside);
            if given_up.is_err() {
                forget_loaded(server, history, counted_to);
            }
            if had_file {
                switch::resume(server);
            }
            given_up
        }
        Err(error) => {
            aside.bring_back(server);
            Err(error)
        }
    };
    server.settle();
    if result.is_ok() {
        role::disconnect_replicas(server);
        log::notice("MASTER <-> REPLICA sync: Finished with success");
    }
    result
}

/// What came whole is not kept: the data have the past that they had.
fn forget_loaded(server: &mut Server, history: History, counted_to: u64) {
    server.propagation.units.loaded(Some(history), counted_to);
    server.slots.with(|persist: &mut Persist| persist.origin = None);
}

/// All goes, and the snapshot comes.
fn take_in(server: &mut Server, file: File, size: Option<u64>, serve: Serve<'_>) -> Result<Loaded, LoadError> {
    log::notice("MASTER <-> REPLICA sync: Flushing old data");
    // It would take the place of a newer one.
    child::cancel(server, SNAPSHOT.name);
    let had_file = switch::suspend(server);
    answered(server);
    // What is there is no part of any stream from here on.
    server.slots.with(|replica: &mut Upstream| replica.goes_on = false);
    role::disconnect_replicas(server);
    // Nor does anybody go on here with what was before, should this server be promoted with half of the data.
    state::new_id(server);
    let (id, offset) = (server.registry.replication.id.clone(), server.registry.replication.offset);
    state::adopt(server, &id, offset);
    empty(server);
    log::notice("MASTER <-> REPLICA sync: Loading DB in memory");
    load::begin(server, size.unwrap_or(0), false);
    let result = load::load(server, file, size, OPTIONS, serve);
    load::end(server);
    if result.is_err() {
        // Half of a copy is none.
        empty(server);
    } else {
        log::notice("MASTER <-> REPLICA sync: Finished with success");
    }
    server.settle();
    if had_file {
        switch::resume(server);
    }
    result
}

fn empty(server: &mut Server) {
    let lazy = server.settings.replication.lazy_flush;
    // No FLUSHALL of a client's, so no snapshot is due for it, and no file is told.
    let was_quiet = std::mem::replace(&mut server.is_quiet, true);
    server.store.flush(None, lazy);
    server.store.own_expiry = OwnExpiry::default();
    server.settle();
    server.is_quiet = was_quiet;
    beside::clear(server);
}

/// The data are the primary's.
fn loaded(server: &mut Server, of: &Position) {
    let origin = server.slots.with(|persist: &mut Persist| persist.origin.take());
    if of.id.is_empty() {
        state::new_id(server);
        state::adopt(server, &server.registry.replication.id.clone(), 0);
    } else {
        state::adopt(server, &of.id, of.offset);
    }
    let count = server.store.databases.len();
    let db = origin.and_then(|origin| u32::try_from(origin.db).ok()).filter(|db| (*db as usize) < count);
    server.registry.replication.stream_db = db.unwrap_or(0);
    server.slots.with(|replica: &mut Upstream| replica.goes_on = !of.id.is_empty());
}

/// A snapshot that has come as a file takes the place of the last one, unless nothing is to stay on the disk.
fn keep(server: &mut Server, path: &Path) {
    let durability = &server.settings.durability;
    let stays = !durability.rdb_del_sync_files || server.settings.aof.is_wanted || !durability.save.is_empty();
    let result = if stays { std::fs::rename(path, save::path(server)) } else { std::fs::remove_file(path) };
    if let Err(error) = result {
        log::warning(&format!(
            "Failed trying to rename the temp DB into {} in MASTER <-> REPLICA synchronization: {}",
            save::path(server).display(),
            log::plain(&error)
        ));
        let _ = std::fs::remove_file(path);
    }
}

fn failed(server: &mut Server, error: &LoadError) {
    // Tools and tests look for the beginning.
    log::warning(&format!("Internal error in RDB: {error}"));
    let text = format!("Failed trying to load the MASTER synchronization DB, check server logs: {error}");
    log::warning(&text);
    // What has broken off may come whole the next time, and what cannot be read will not be read then.
    set_back(server, text, !error.is_short());
}
