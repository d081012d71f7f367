//! Loading: an RDB file into the databases.
//!
//! Keys go straight into the tables: no hook, no gate, no effect sees them, because nobody can have
//! counted on what was there before. Whoever is connected is served now and then, and refused what
//! needs the data.
//!
//! Invariants:
//! - What the file says of sizes is a hint: memory is taken for what has been read.
//! - A file that cannot be read to its end is an error that names the key, its type and the place.

use crate::base::clock::unix_us;
use crate::base::log;
use crate::base::words::shown;
use crate::durable::rdb::{Attributes, Item, RdbError, RdbReader};
use crate::durable::read::Fault;
use crate::durable::window::FileError;
use crate::engine::server::Server;
use crate::modules::beside;
use crate::persist::snapshot::delay;
use crate::persist::{Origin, Persist, standing};
use crate::registry::propagation::{HISTORY, History};
use crate::registry::rdb::PARTS_MAX;
use crate::store::entry::EntryPtr;
use crate::store::saved::{FileLoadError, Readers};
use plinth_abi::keys::EXPIRE_NONE;
use plinth_abi::rdb::RDB_MERGES;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;
use thiserror::Error;

/// Keys that are taken in together, so that their places in the table are fetched meanwhile.
const KEYS_AT_A_TIME: usize = 32;
/// Bytes that a key takes in a file, at least: its type, and two lengths.
const KEY_BYTES_MIN: u64 = 3;

/// How a file is loaded.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// A key that is there already is replaced; else it is an error.
    pub merges: bool,
    /// Keys that have expired are loaded all the same: what follows in an append-only file counts on them.
    pub keeps_expired: bool,
    /// What has expired is told as a command: the stream that the data are of is gone on with, and who reads it has
    /// the key still.
    pub tells_expired: bool,
    /// What the file has beside keys is kept, also what a module has claimed, for the caller to hand over.
    pub keeps_beside: bool,
}

/// What was loaded.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Loaded {
    /// Keys.
    pub keys: u64,
    /// Keys that had expired.
    pub expired: u64,
    /// Bytes of the file, up to its end or the end of the snapshot in it.
    pub bytes: u64,
}

/// What is being loaded.
#[derive(Clone, Copy)]
pub struct Loading {
    /// Since when, Unix time in seconds.
    pub begun_s: i64,
    /// Since when.
    pub begun: Instant,
    /// Size of what is loaded.
    pub total_bytes: u64,
    /// How much of it was.
    pub loaded_bytes: u64,
    /// What the data took where they were saved.
    pub saved_memory_bytes: u64,
    /// Whether it goes beside the old data, which are served meanwhile.
    pub serves_old: bool,
}

/// Why a file is not loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It cannot be opened.
    #[error("{0}")]
    Open(io::Error),
    /// It is not as it should be.
    #[error("{0}")]
    Rdb(#[from] RdbError),
    /// A value cannot be loaded.
    #[error("the value of the key '{key}' in database {db} cannot be loaded: {error}")]
    Value {
        /// The key.
        key: String,
        /// Its database.
        db: u32,
        /// Why.
        error: FileLoadError,
    },
    /// A key is there twice.
    #[error("RDB has duplicated key '{key}' in DB {db}")]
    Duplicate {
        /// The key.
        key: String,
        /// Its database.
        db: u32,
    },
    /// There are not so many databases.
    #[error("Data file was created with a server configured to handle more than {0} databases")]
    Databases(usize),
    /// It has too much of what is kept for others.
    #[error("the file has too many libraries of functions, or sections of modules")]
    Kept,
    /// A module does not take what it has claimed.
    #[error("what the file has beside keys is not taken: {0}")]
    Beside(String),
    /// The server is told to stop.
    #[error("the server was told to stop while it was loading")]
    Stopped,
}

impl LoadError {
    /// Whether there was less of the file than there should be.
    pub fn is_short(&self) -> bool {
        let error = match self {
            LoadError::Rdb(RdbError::File(error)) | LoadError::Value { error: FileLoadError::File(error), .. } => error,
            _ => return false,
        };
        matches!(error, FileError::Io(_) | FileError::Damaged { fault: Fault::Truncated { .. }, .. })
    }
}

/// Serves those who are connected, in between.
pub type Serve<'s> = &'s mut dyn FnMut(&mut Server);

/// Load the file of a path, if there is one.
///
/// # Errors
/// [`LoadError`]; what was loaded before is in the databases then.
pub fn load_file(
    server: &mut Server,
    path: &Path,
    options: Options,
    serve: Serve<'_>,
) -> Result<Option<Loaded>, LoadError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LoadError::Open(error)),
    };
    let size = file.metadata().map_err(LoadError::Open)?.len();
    begin(server, size, false);
    let result = load(server, file, Some(size), options, serve);
    end(server);
    result.map(Some)
}

/// The server loads so many bytes from here on, and serves the old data meanwhile or none.
pub fn begin(server: &mut Server, total_bytes: u64, serves_old: bool) {
    let (begun_s, begun) = (unix_us() / 1_000_000, Instant::now());
    let loading = Loading { begun_s, begun, total_bytes, loaded_bytes: 0, saved_memory_bytes: 0, serves_old };
    server.slots.with(|persist: &mut Persist| persist.loading = Some(loading));
    standing::changed(server);
}

/// So many bytes of all that is loaded were: serve those who are connected, if it is time; false if the server
/// was told to stop.
pub fn report(server: &mut Server, loaded_bytes: u64, serve: Serve<'_>) -> bool {
    let interval = server.settings.durability.loading_process_events_interval_bytes.unsigned_abs();
    let is_time = server.slots.with(|persist: &mut Persist| {
        let Some(loading) = &mut persist.loading else { return false };
        let is_time = loaded_bytes / interval != loading.loaded_bytes / interval;
        loading.loaded_bytes = loaded_bytes;
        is_time
    });
    if is_time {
        serve(server);
    }
    !server.stopping
}

/// The server has loaded all.
pub fn end(server: &mut Server) {
    server.slots.with(|persist: &mut Persist| persist.loading = None);
    standing::changed(server);
}

/// Load a snapshot that begins where a file is, and of which the file has so many bytes at the most; the
/// file may go on behind it. Between [`begin`] and [`end`].
///
/// # Errors
/// [`LoadError`]; what was loaded before is in the databases then.
pub fn load(
    server: &mut Server,
    file: File,
    size: Option<u64>,
    options: Options,
    serve: Serve<'_>,
) -> Result<Loaded, LoadError> {
    let is_checked = server.settings.durability.rdbchecksum && !server.skip_checksums;
    let reader = RdbReader::open(Box::new(file), size, is_checked)?;
    server.store.tick(unix_us() / 1000);
    let mut load = Load {
        server,
        reader,
        serve,
        options,
        db: 0,
        loaded: Loaded::default(),
        parts: 0,
        served_at: 0,
        readers: Readers::default(),
        waiting: Vec::with_capacity(KEYS_AT_A_TIME),
        origin: None,
        history: None,
        total_bytes: size.unwrap_or(0),
    };
    load.readers = load.server.store.readers();
    // What the file has takes the place of what is kept of another.
    let kept = std::mem::take(&mut load.server.registry.beside.kept);
    let result = load.run();
    let result = load.take_in().and(result);
    if result.is_err() {
        load.server.registry.beside.kept = kept;
    }
    result?;
    let Load { server, mut loaded, reader, origin, history, .. } = load;
    loaded.bytes = reader.window.offset();
    if !options.merges {
        server.propagation.units.loaded(history, server.store.dirty);
    }
    server.slots.with(|persist: &mut Persist| {
        persist.loaded = loaded;
        persist.origin = origin;
    });
    let Loaded { keys, expired, .. } = loaded;
    log::notice(&format!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}."));
    Ok(loaded)
}

/// A file that is being loaded.
struct Load<'l> {
    server: &'l mut Server,
    reader: RdbReader,
    serve: Serve<'l>,
    options: Options,
    db: u32,
    loaded: Loaded,
    /// Libraries and sections so far.
    parts: usize,
    served_at: u64,
    readers: Readers,
    /// Entries that are in no table yet, with the hashes of their keys.
    waiting: Vec<(u64, EntryPtr)>,
    /// Where in which stream the data were, as far as the file says it.
    origin: Option<Origin>,
    /// The history of the data, if the file says it.
    history: Option<History>,
    /// Bytes that the file has, at most; 0 where nobody knows.
    total_bytes: u64,
}

impl Load<'_> {
    fn run(&mut self) -> Result<(), LoadError> {
        let interval = self.server.settings.durability.loading_process_events_interval_bytes.unsigned_abs();
        let key_delay = self.server.settings.durability.key_load_delay;
        loop {
            if self.reader.window.offset() - self.served_at >= interval {
                self.serve_others()?;
            }
            match self.reader.next()? {
                Item::Key(attributes, tag) => {
                    self.key(attributes, tag)?;
                    delay(key_delay);
                }
                Item::Select(number) => {
                    self.take_in()?;
                    let count = self.server.store.databases.len();
                    self.db = u32::try_from(number)
                        .ok()
                        .filter(|db| (*db as usize) < count)
                        .ok_or(LoadError::Databases(count))?;
                }
                Item::Resize { keys, .. } => self.presize(keys),
                Item::Aux { name, value } => self.aux(&name, &value),
                Item::Function(text) => {
                    self.part()?;
                    if self.options.keeps_beside {
                        self.server.registry.beside.kept.functions.push(text);
                        continue;
                    }
                    beside::take_function(self.server, text, self.merges()).map_err(LoadError::Beside)?;
                }
                Item::Section(section) => {
                    self.part()?;
                    if self.options.keeps_beside {
                        self.server.registry.beside.kept.sections.push(section);
                        continue;
                    }
                    beside::take_section(self.server, section, self.merges()).map_err(LoadError::Beside)?;
                }
                Item::End { is_checked } => {
                    if !is_checked {
                        log::notice("RDB file was saved with checksum disabled: no check performed.");
                    }
                    return Ok(());
                }
            }
        }
    }

    /// The file says how many keys the database has: no more than its bytes can hold are believed.
    fn presize(&mut self, keys: u64) {
        let most = self.total_bytes / KEY_BYTES_MIN;
        let keys = usize::try_from(keys.min(most)).unwrap_or(usize::MAX);
        self.server.store.databases[self.db as usize].table.presize(keys);
    }

    /// A library or a section has come. The keys before it are taken in, so that the module finds them.
    fn part(&mut self) -> Result<(), LoadError> {
        self.parts += 1;
        if self.parts > PARTS_MAX { Err(LoadError::Kept) } else { self.take_in() }
    }

    fn merges(&self) -> u32 {
        if self.options.merges { RDB_MERGES } else { 0 }
    }

    #[cold]
    fn serve_others(&mut self) -> Result<(), LoadError> {
        self.take_in()?;
        let offset = self.reader.window.offset();
        self.served_at = offset;
        self.server.slots.with(|persist: &mut Persist| {
            if let Some(loading) = &mut persist.loading {
                loading.loaded_bytes = offset;
            }
        });
        (self.serve)(self.server);
        // A module may have come or gone.
        self.readers = self.server.store.readers();
        if self.server.stopping { Err(LoadError::Stopped) } else { Ok(()) }
    }

    fn key(&mut self, attributes: Attributes, tag: u8) -> Result<(), LoadError> {
        let Load { server, reader, readers, db, .. } = self;
        let expire_at_ms = attributes.expire_at_ms.unwrap_or(EXPIRE_NONE);
        let store = &mut server.store;
        let entry = store.load_from(reader, readers, tag, expire_at_ms).map_err(|error| LoadError::Value {
            key: shown(reader.key()),
            db: *db,
            error,
        })?;
        let has_expired = expire_at_ms != EXPIRE_NONE && expire_at_ms < store.now_ms;
        if has_expired && !self.options.keeps_expired {
            // Those that wait are counted first: of the last ghost of a kind the kind is forgotten.
            self.take_in()?;
            self.tell_expired();
            self.server.store.forget_loaded(entry);
            self.loaded.expired += 1;
            return Ok(());
        }
        match (attributes.idle_s, attributes.frequency) {
            (_, Some(frequency)) if store.access.counts() => entry.set_clock(store.access.from_frequency(frequency)),
            (Some(idle_s), _) if !store.access.counts() => {
                entry.set_clock(store.access.from_idle(u32::try_from(idle_s).unwrap_or(u32::MAX)));
            }
            _ => {}
        }
        let hash = store.hash(reader.key());
        store.databases[*db as usize].table.prefetch_bucket(hash);
        self.waiting.push((hash, entry));
        if self.waiting.len() == KEYS_AT_A_TIME { self.take_in() } else { Ok(()) }
    }

    /// The key that the reader has come to has expired, and whoever goes on with the stream is to hear of it.
    fn tell_expired(&mut self) {
        if self.options.tells_expired && self.origin.is_some() {
            let name: &[u8] = if self.server.store.lazy.expire { b"UNLINK" } else { b"DEL" };
            self.server.store.effects.propagate_words(self.db, [name, self.reader.key()].into_iter());
            self.server.store.effects.end_unit();
            self.server.record();
        }
    }

    /// Take in the keys that wait.
    fn take_in(&mut self) -> Result<(), LoadError> {
        let mut result = Ok(());
        let table = &self.server.store.databases[self.db as usize].table;
        for (hash, _) in &self.waiting {
            // Where the bucket goes on elsewhere, that is fetched.
            table.prefetch_entries(*hash);
        }
        for (hash, entry) in self.waiting.drain(..) {
            if result.is_ok() && self.server.store.adopt(self.db, hash, entry, self.options.merges) {
                self.loaded.keys += 1;
                continue;
            }
            result = result.and(Err(LoadError::Duplicate { key: self.server.store.shown_key(entry), db: self.db }));
            self.server.store.forget_loaded(entry);
        }
        result
    }

    fn origin(&mut self) -> &mut Origin {
        self.origin.get_or_insert(Origin { id: String::new(), offset: -1, db: -1 })
    }

    fn aux(&mut self, name: &[u8], value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let number = text.parse::<i64>().unwrap_or(0);
        match name {
            b"redis-ver" | b"valkey-ver" => log::notice(&format!("Loading RDB produced by version {text}")),
            b"ctime" => log::notice(&format!("RDB age {} seconds", (unix_us() / 1_000_000 - number).max(0))),
            b"repl-id" => self.origin().id = text.into_owned(),
            b"repl-offset" => self.origin().offset = number,
            name if name == HISTORY.as_bytes() => self.history = History::parse(&text),
            b"repl-stream-db" => self.origin().db = number,
            b"used-mem" => {
                log::notice(&format!("RDB memory usage when created {:.2} Mb", number as f64 / (1 << 20) as f64));
                self.server.slots.with(|persist: &mut Persist| {
                    if let Some(loading) = &mut persist.loading {
                        loading.saved_memory_bytes = number.unsigned_abs();
                    }
                });
            }
            _ => {}
        }
    }
}
