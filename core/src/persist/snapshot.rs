//! The snapshot: all databases into an RDB file.
//!
//! The walk goes by the tables' own cursors, and looks at a handful of buckets at a time: what it has
//! not come to yet may change, move or go between two steps. In a child nothing does.
//!
//! The version is the one that is asked for, or the first that holds what is there, as types tell. One that
//! does not tell is found out when its value is written, and the file is begun anew.

use crate::base::clock::unix_us;
use crate::durable::disk::DiskFile;
use crate::durable::rdb::{Attributes, RdbWriter, VERSIONS};
use crate::durable::sink::{Sink, Sunk};
use crate::durable::version::{self, Target};
use crate::engine::server::Server;
use crate::modules::beside;
use crate::registry::propagation::HISTORY;
use crate::registry::rdb::Kept;
use crate::settings::parameters::EVICTION_POLICIES;
use crate::store::Store;
use crate::store::entry::EntryPtr;
use plinth_abi::status::Status;
use std::io;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// Entries that are looked at together, so that their memory is fetched at once.
const ENTRIES_AT_A_TIME: usize = 64;

/// What is written, besides the data.
#[derive(Clone, Debug)]
pub struct Form {
    /// The version to begin with.
    pub version: u16,
    /// Whether a version above it may be used when the data need it.
    pub rises: bool,
    /// More of what is said about the file.
    pub aux: Vec<(&'static str, String)>,
    /// Put a checksum behind it.
    pub is_checked: bool,
    /// Try to compress texts.
    pub compresses: bool,
    /// Sync it now and then.
    pub syncs: bool,
    /// Write keys, and functions; a replica may want only one of both.
    pub has_keys: bool,
    /// See there.
    pub has_functions: bool,
    /// Microseconds for each key; negative for one of so many keys.
    pub key_delay: i64,
    uses_idle: bool,
    uses_frequency: bool,
}

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The disk.
    #[error("{0}")]
    Disk(#[from] io::Error),
    /// A value could not be saved.
    #[error("the value of the key '{key}' (type {type_name}) in database {db} cannot be saved (status {status})")]
    Value {
        /// The key.
        key: String,
        /// Its type.
        type_name: String,
        /// Its database.
        db: usize,
        /// What its type has answered.
        status: Status,
    },
    /// A module does not give what it has claimed.
    #[error("what is to stand beside the keys cannot be saved: {0}")]
    Beside(String),
    /// A value needs a newer version.
    #[error("the key '{key}' in database {db} needs version {needed} of the format, and 'rdb-version' says {version}")]
    Version {
        /// The key.
        key: String,
        /// Its database.
        db: usize,
        /// The version that holds it.
        needed: u16,
        /// The version that is written.
        version: u16,
    },
}

impl Form {
    /// As the parameters say.
    pub fn of(server: &Server) -> Form {
        let settings = &server.settings;
        let durability = &settings.durability;
        let history = server.propagation.units.known(server.store.dirty);
        let policy = EVICTION_POLICIES[settings.maxmemory_policy];
        Form {
            version: u16::try_from(durability.rdb_version).unwrap_or(*VERSIONS.end()),
            rises: durability.rdb_version >= 11,
            aux: history.map(|history| (HISTORY, history.text())).into_iter().collect(),
            is_checked: durability.rdbchecksum,
            compresses: settings.rdbcompression,
            syncs: durability.rdb_save_incremental_fsync,
            has_keys: true,
            has_functions: true,
            key_delay: durability.rdb_key_save_delay,
            uses_idle: policy.ends_with("-lru") || policy.ends_with("-lrm"),
            uses_frequency: policy.ends_with("-lfu"),
        }
    }

    /// The same, with where in the stream the data are, so that it can be gone on with after a restart.
    pub fn of_stream(server: &Server) -> Form {
        let known = &server.registry.replication;
        let mut form = Form::of(server);
        if known.is_kept {
            form.aux.extend([
                ("repl-stream-db", known.stream_db.to_string()),
                ("repl-id", known.id.clone()),
                ("repl-offset", known.offset.to_string()),
            ]);
        }
        form
    }

    /// The same as the base of an append-only file.
    pub fn of_base(server: &Server) -> Form {
        let mut form = Form::of(server);
        form.syncs = server.settings.aof.incremental_sync;
        form.aux.push(("aof-base", "1".into()));
        form
    }
}

/// Write a snapshot into a file that is empty, which is not synced afterwards; `each` is told of each key.
///
/// # Errors
/// [`SnapshotError`]; what is in the file is of no use then.
pub fn write(server: &mut Server, file: DiskFile, form: &Form, mut each: impl FnMut()) -> Result<Sunk, SnapshotError> {
    let mut version = form.version;
    if form.rises {
        version = server.store.version_needed(version).min(*VERSIONS.end());
    }
    let mut parts = beside::parts(server).map_err(SnapshotError::Beside)?;
    if !form.has_functions {
        parts.functions.clear();
    }
    if !form.has_keys {
        parts.sections.clear();
    }
    let path = file.path.clone();
    let mut file = Some(file);
    loop {
        // Begun anew, it is emptied first.
        let target = match file.take() {
            Some(file) => file,
            None => server.disk.create(&path)?,
        };
        match write_as(server, target, (form, &parts), version, &mut each) {
            Err(SnapshotError::Version { needed, .. })
                if form.rises && needed > version && VERSIONS.contains(&needed) =>
            {
                version = needed;
            }
            result => return result,
        }
    }
}

fn write_as(
    server: &mut Server,
    file: DiskFile,
    (form, parts): (&Form, &Kept),
    version: u16,
    each: &mut impl FnMut(),
) -> Result<Sunk, SnapshotError> {
    let sink = Sink::new(server.disk.clone(), file, form.is_checked, form.syncs);
    let mut out = RdbWriter::new(sink, version, form.compresses);
    out.put_aux("redis-ver", crate::base::version::REDIS_VERSION.as_bytes());
    out.put_aux("redis-bits", b"64");
    out.put_aux("ctime", (unix_us() / 1_000_000).to_string().as_bytes());
    out.put_aux("used-mem", crate::base::memory::used_bytes().to_string().as_bytes());
    form.aux.iter().for_each(|(name, value)| out.put_aux(name, value.as_bytes()));
    let is_before = |section: &&crate::durable::rdb::Section| section.when == 1;
    parts.sections.iter().filter(is_before).for_each(|section| out.put_section(section));
    parts.functions.iter().for_each(|text| out.put_function(text));
    let databases = if form.has_keys { server.store.databases.len() } else { 0 };
    for db in 0..databases {
        write_database(&mut server.store, db, &mut out, form, version, each)?;
    }
    parts.sections.iter().filter(|section| !is_before(section)).for_each(|section| out.put_section(section));
    Ok(out.finish()?)
}

fn write_database(
    store: &mut Store,
    db: usize,
    out: &mut RdbWriter,
    form: &Form,
    version: u16,
    each: &mut impl FnMut(),
) -> Result<(), SnapshotError> {
    let table = &store.databases[db].table;
    if table.is_empty() {
        return Ok(());
    }
    out.put_database(db as u64, table.len() as u64, table.marked() as u64);
    let mut entries: Vec<EntryPtr> = Vec::with_capacity(2 * ENTRIES_AT_A_TIME);
    let mut cursor = 0;
    loop {
        entries.clear();
        while entries.len() < ENTRIES_AT_A_TIME {
            cursor = store.databases[db].table.scan(cursor, |entry| entries.push(entry));
            if cursor == 0 {
                break;
            }
        }
        entries.iter().for_each(|entry| plinth_table::prefetch::prefetch(entry.address() as u64));
        for &entry in &entries {
            write_entry(store, db, entry, out, form, version)?;
            each();
            delay(form.key_delay);
        }
        if out.out.has_failed() {
            // The reason is told at the end, which need not be waited for.
            return Ok(());
        }
        if cursor == 0 {
            return Ok(());
        }
    }
}

fn write_entry(
    store: &mut Store,
    db: usize,
    entry: EntryPtr,
    out: &mut RdbWriter,
    form: &Form,
    version: u16,
) -> Result<(), SnapshotError> {
    let access = store.access;
    out.put_attributes(Attributes {
        expire_at_ms: entry.has_expiry().then(|| entry.expire_at_ms()),
        idle_s: form.uses_idle.then(|| u64::from(access.idle_s(entry.clock()))),
        frequency: form.uses_frequency.then(|| access.frequency(entry.clock()) as u8),
    });
    let target = Target::version(version);
    let tag = store.write_entry(entry, &mut out.out, target).map_err(|status| SnapshotError::Value {
        key: store.shown_key(entry),
        type_name: store.type_name(entry),
        db,
        status,
    })?;
    if target.knows(tag) {
        return Ok(());
    }
    let needed = version::needed(tag).unwrap_or(version::NEWEST);
    Err(SnapshotError::Version { key: store.shown_key(entry), db, needed, version })
}

/// For tests: wait so many microseconds, or one microsecond for one of so many calls.
pub fn delay(delay: i64) {
    let us = match delay {
        0 => return,
        1.. => delay.unsigned_abs(),
        _ if unix_us().unsigned_abs().is_multiple_of(delay.unsigned_abs()) => 1,
        _ => return,
    };
    std::thread::sleep(Duration::from_micros(us));
}

/// The name that a file of a process has while it is written, beside the one that it is to get.
pub fn temporary(path: &Path, pid: u32) -> std::path::PathBuf {
    path.with_file_name(format!("temp-{pid}.rdb"))
}
