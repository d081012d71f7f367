//! Values as bytes: what DUMP gives, RESTORE takes, and COPY uses for a type that
//! cannot copy.
//!
//! ```text
//! type with RDB tags      | tag | payload of the tag                               |
//! any other type          |  7  | container id "plinthtyp" | name | encoding | ... | end |
//! ```
//!
//! A container is the RDB format's own for modules. All types that have no standard
//! form share one id; the first field is the type's name, so that any number of
//! types can be told apart, by this server and by whoever looks at the file.

use crate::durable::container::{ContainerId, Field};
use crate::durable::footer;
use crate::durable::rdb::RdbReader;
use crate::durable::read::Reader;
use crate::durable::shape::pass_value;
use crate::durable::version::{self, Target};
use crate::durable::window::{FileError, Window};
use crate::durable::write::Writer;
use crate::store::Store;
use crate::store::codec::{CONTAINER_NAME, CONTAINER_TAG, Input, Loaded, Loader, Saver};
use crate::store::entry::{EntryPtr, Shape};
use crate::store::ghost::GHOST;
use crate::store::types::{Role, reads_tag, tags, value_of};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_OK, STATUS_OUT_OF_MEMORY, STATUS_UNSUPPORTED, Status};
use plinth_abi::value::Type;
use std::borrow::Cow;
use thiserror::Error;

impl Store {
    /// The entries of a database, each with its key: what is to be written while nothing else runs.
    pub fn entries(&self, db: u32) -> Vec<EntryPtr> {
        let mut entries = Vec::with_capacity(self.databases[db as usize].table.len());
        self.databases[db as usize].table.for_each(|entry, _| entries.push(entry));
        entries
    }

    /// The key of an entry that is in a table.
    pub fn key_of(&self, entry: EntryPtr) -> Vec<u8> {
        // SAFETY: the entry is alive, because its table owns it and the store is borrowed.
        unsafe { entry.key() }.to_vec()
    }

    /// A value's bytes for this server itself: tag and payload, without version and checksum.
    pub fn save_value(&self, entry: EntryPtr) -> Result<Vec<u8>, Status> {
        self.save_value_for(entry, Target::OWN, self.compress)
    }

    /// A value's bytes for a reader, with or without an attempt to compress texts. Fails with
    /// `UNSUPPORTED` when the reader is certain and cannot know the value.
    pub fn save_value_for(&self, entry: EntryPtr, target: Target, compress: bool) -> Result<Vec<u8>, Status> {
        let mut writer = Writer::new(compress);
        let tag = self.write_value(entry, &mut writer, target, None)?;
        if target.takes(tag) { Ok(writer.into_bytes()) } else { Err(STATUS_UNSUPPORTED) }
    }

    /// A value in the form of DUMP: for whoever takes it, or for a reader that is known.
    pub fn seal_value(&self, entry: EntryPtr, target: Target) -> Result<Vec<u8>, Status> {
        let body = self.save_value_for(entry, target, self.compress)?;
        let version = if target.is_certain { Some(target.version) } else { version::needed(body[0]) };
        Ok(footer::seal(body, version.unwrap_or(version::NEWEST)))
    }

    /// The version that a file needs which is to hold all values: that of the values that need the
    /// newest, above a least one, or that.
    pub fn version_needed(&self, least: u16) -> u16 {
        // SAFETY: null asks for the bound.
        let bound = |table: &Type| table.rdb_version.map_or(0, |of| unsafe { of(std::ptr::null()) });
        let bounds: Vec<bool> = (0..=u8::MAX)
            .map(|id| match id {
                GHOST => self.ghosts.values() > 0,
                _ => self.types.get(id).is_some_and(|ty| bound(&ty.table) > u32::from(least)),
            })
            .collect();
        if !bounds.contains(&true) {
            return least;
        }
        let mut needed = least;
        for database in &self.databases {
            database.table.for_each(|entry, _| {
                if bounds[usize::from(entry.type_id())] {
                    needed = needed.max(self.version_of(entry));
                }
            });
        }
        needed
    }

    /// The version that a value needs; 0 when any will do.
    fn version_of(&self, entry: EntryPtr) -> u16 {
        if entry.type_id() == GHOST {
            // SAFETY: the entry is alive, and nothing runs while its bytes are looked at.
            return version::needed(unsafe { crate::store::ghost::body(entry) }[0]).unwrap_or(0);
        }
        let of = self.types.get(entry.type_id()).and_then(|ty| ty.table.rdb_version);
        let value = value_of(entry);
        // SAFETY: the value is of this type.
        of.map_or(0, |of| unsafe { of(&raw const value) }) as u16
    }

    /// Write a value's bytes, with a key between tag and payload if there is one; the tag. When that fails,
    /// some of them may have been written.
    pub fn write_value(
        &self,
        entry: EntryPtr,
        writer: &mut Writer,
        target: Target,
        key: Option<&[u8]>,
    ) -> Result<u8, Status> {
        if entry.type_id() == GHOST {
            // SAFETY: the entry is alive, and its bytes are copied at once.
            let body = unsafe { crate::store::ghost::body(entry) };
            let (tag, rest) = body.split_first().ok_or(STATUS_BAD_DATA)?;
            Saver::new(writer, true, target, key).begin(*tag);
            writer.put_raw(rest);
            return Ok(*tag);
        }
        let ty = self.types.get(entry.type_id()).ok_or(STATUS_UNSUPPORTED)?;
        let table = ty.table;
        let standard = table.rdb_tags.count > 0;
        let mut saver = Saver::new(writer, standard, target, key);
        if !standard {
            let id = ContainerId::new(CONTAINER_NAME, 0).map_err(|_| STATUS_UNSUPPORTED)?;
            saver.begin_container(CONTAINER_TAG, id, ty.name.as_bytes(), u64::from(table.encoding));
        }
        let value = value_of(entry);
        // SAFETY: the value is of this type, and the saver lives for the call.
        let status = unsafe { (table.save)(&raw const value, (&raw mut saver).cast()) };
        if status != STATUS_OK {
            return Err(status);
        }
        saver.finish(|tag| reads_tag(&table, tag)).ok_or(STATUS_BAD_DATA)
    }

    /// As [`load_value`](Self::load_value), of bytes from a payload or file of a version. Fails with
    /// `BAD_DATA` for a value type that means something else there.
    pub fn load_value_of(
        &mut self,
        version: u16,
        body: &[u8],
        key: &[u8],
        expire_at_ms: i64,
    ) -> Result<EntryPtr, Status> {
        let is_known = body.first().is_some_and(|tag| version::may_hold(version, *tag));
        if is_known { self.load_value(body, key, expire_at_ms) } else { Err(STATUS_BAD_DATA) }
    }

    /// An entry, in no table yet, from a value's bytes; a ghost when no type reads them.
    pub fn load_value(&mut self, body: &[u8], key: &[u8], expire_at_ms: i64) -> Result<EntryPtr, Status> {
        match self.reader_of(body) {
            Some(type_id) => self.load_value_as(type_id, body, key, expire_at_ms),
            None => self.make_ghost(body, key, expire_at_ms),
        }
    }

    /// Id of the type that reads a value's bytes.
    pub fn reader_of(&self, body: &[u8]) -> Option<u8> {
        let mut reader = Reader::new(body);
        let tag = reader.u8().ok()?;
        if tag != CONTAINER_TAG {
            return self.types.find_rdb_tag(tag);
        }
        let id = reader.module_id().ok()?;
        if &id.name() != CONTAINER_NAME {
            return None;
        }
        let name = reader.string_field().ok()?;
        self.types.find(&name)
    }

    /// An entry, in no table yet, that a type reads from a value's bytes.
    pub fn load_value_as(
        &mut self,
        type_id: u8,
        body: &[u8],
        key: &[u8],
        expire_at_ms: i64,
    ) -> Result<EntryPtr, Status> {
        let mut reader = Reader::new(body);
        let tag = reader.u8().map_err(|_| STATUS_BAD_DATA)?;
        let encoding = if tag == CONTAINER_TAG { container_encoding(&mut reader)? } else { u32::from(tag) };
        let table = self.types.get(type_id).ok_or(STATUS_BAD_DATA)?.table;
        if tag != CONTAINER_TAG && !reads_tag(&table, tag) {
            return Err(STATUS_BAD_DATA);
        }
        let loader = Loader::new(Input::Bytes(reader), tag != CONTAINER_TAG);
        self.load_by(type_id, loader, encoding, key, expire_at_ms).map_err(|error| error.status)
    }

    /// An entry, in no table yet, that a type reads from what comes behind the tag, or behind the head of a
    /// container.
    pub fn load_by(
        &mut self,
        type_id: u8,
        mut loader: Loader<'_>,
        encoding: u32,
        key: &[u8],
        expire_at_ms: i64,
    ) -> Result<EntryPtr, LoadError> {
        let refused = |status| LoadError { status, at: None };
        let table = self.types.get(type_id).ok_or(refused(STATUS_BAD_DATA))?.table;
        // SAFETY: the loader lives for the call.
        let status = unsafe { (table.load)((&raw mut loader).cast(), encoding) };
        let (loaded, error, complete) = loader.finish();
        let loaded = match loaded {
            Some(loaded) if status == STATUS_OK && complete => loaded,
            half => {
                if let Some(half) = half {
                    half.give_back(&table);
                }
                return Err(LoadError { status: STATUS_BAD_DATA, at: error });
            }
        };
        let shape = |tag, inline_len| Shape { type_id, tag, expire_at_ms, clock: self.access.fresh(), inline_len };
        match loaded {
            Loaded::Inline(tag, bytes) => {
                let entry = EntryPtr::new(key, shape(tag, Some(bytes.len())));
                let entry = entry.ok_or(refused(STATUS_OUT_OF_MEMORY))?;
                // SAFETY: the entry was made with so many bytes of value.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), entry.value().0, bytes.len()) };
                Ok(entry)
            }
            Loaded::Boxed(tag, boxed) => {
                let Some(entry) = EntryPtr::new(key, shape(tag, None)) else {
                    loaded.give_back(&table);
                    return Err(refused(STATUS_OUT_OF_MEMORY));
                };
                entry.set_boxed(boxed);
                Ok(entry)
            }
        }
    }
}

/// Which type reads which RDB value type, looked up once for many values.
pub struct Readers([Option<u8>; 256]);

impl Default for Readers {
    fn default() -> Readers {
        Readers([None; 256])
    }
}

impl Store {
    /// Which type reads which RDB value type at present.
    pub fn readers(&self) -> Readers {
        let mut readers = Readers::default();
        for (id, ty) in self.types.iter().filter(|(_, ty)| ty.role == Role::Active) {
            tags(&ty.table).for_each(|tag| _ = readers.0[tag as usize].get_or_insert(id));
        }
        readers
    }

    /// Write an entry into a file: its tag, its key, its value; the tag.
    pub fn write_entry(&self, entry: EntryPtr, out: &mut Writer, target: Target) -> Result<u8, Status> {
        // SAFETY: the entry is alive: it was in its table, and nothing runs meanwhile but the type's `save`, which
        // has no call by which it could reach keys.
        let key = unsafe { entry.key() };
        self.write_value(entry, out, target, Some(key))
    }

    /// An entry's key, for messages.
    pub fn shown_key(&self, entry: EntryPtr) -> String {
        // SAFETY: the entry is alive, and its key is copied at once.
        crate::base::words::shown(unsafe { entry.key() })
    }

    /// The name of an entry's type, for messages.
    pub fn type_name(&self, entry: EntryPtr) -> String {
        self.types.get(entry.type_id()).map_or_else(|| "unknown".into(), |ty| ty.name.clone())
    }

    /// The entry of a key that a file's reader has just come to, in no table yet; a ghost when no type reads
    /// it, and it is known how long it is.
    pub fn load_from(
        &mut self,
        reader: &mut RdbReader,
        readers: &Readers,
        tag: u8,
        expire_at_ms: i64,
    ) -> Result<EntryPtr, FileLoadError> {
        let (window, key) = reader.parts();
        if tag != CONTAINER_TAG {
            let Some(type_id) = readers.0[tag as usize] else {
                window.keep();
                return self.load_ghost(window, tag, key, expire_at_ms);
            };
            return self.load_of((type_id, true), window, u32::from(tag), key, expire_at_ms);
        }
        window.keep();
        let id = window.get(|reader| reader.module_id())?;
        if &id.name() == CONTAINER_NAME {
            let name = window.get(|reader| reader.string_field().map(Cow::into_owned))?;
            if let Some(type_id) = self.types.find(&name) {
                let encoding = window.get(|reader| reader.unsigned_field())?;
                window.take_kept();
                let encoding = u32::try_from(encoding).unwrap_or(u32::MAX);
                return self.load_of((type_id, false), window, encoding, key, expire_at_ms);
            }
        }
        window.go_back();
        window.keep();
        self.load_ghost(window, tag, key, expire_at_ms)
    }

    /// A value of a type, in a standard form or in a container.
    fn load_of(
        &mut self,
        (type_id, standard): (u8, bool),
        window: &mut Window,
        encoding: u32,
        key: &[u8],
        expire_at_ms: i64,
    ) -> Result<EntryPtr, FileLoadError> {
        let begun = window.offset();
        let loader = Loader::new(Input::File(window), standard);
        self.load_by(type_id, loader, encoding, key, expire_at_ms).map_err(|error| match error {
            LoadError { status: STATUS_OUT_OF_MEMORY, .. } => FileLoadError::NoMemory,
            LoadError { at: Some(at), .. } => FileLoadError::File(at),
            LoadError { at: None, .. } => {
                let name = self.types.get(type_id).map_or_else(String::new, |ty| ty.name.clone());
                FileLoadError::Value { name, encoding, offset: begun }
            }
        })
    }

    /// A ghost of a value that the window begins to keep.
    fn load_ghost(
        &mut self,
        window: &mut Window,
        tag: u8,
        key: &[u8],
        expire_at_ms: i64,
    ) -> Result<EntryPtr, FileLoadError> {
        let offset = window.offset();
        if !pass_value(window, tag)? {
            return Err(FileLoadError::Unknown { tag, offset });
        }
        let body = [&[tag], window.take_kept()].concat();
        self.make_ghost(&body, key, expire_at_ms).map_err(|status| match status {
            STATUS_OUT_OF_MEMORY => FileLoadError::NoMemory,
            _ => FileLoadError::Unknown { tag, offset },
        })
    }

    /// Take an entry in that was loaded, given its key's hash; false if its key is there, and is not to be
    /// replaced.
    pub fn adopt(&mut self, db: u32, hash: u64, entry: EntryPtr, replaces: bool) -> bool {
        // SAFETY: the entry is in no table yet, and stays while its key is compared.
        let key = unsafe { entry.key() };
        if let Some(old) = self.databases[db as usize].find(hash, key) {
            if !replaces {
                return false;
            }
            self.databases[db as usize].remove(hash, old);
            self.discard(old, false);
        }
        self.insert(db, hash, entry);
        self.charge(entry);
        true
    }

    /// Free an entry that was loaded and is taken in by no table.
    pub fn forget_loaded(&mut self, entry: EntryPtr) {
        if entry.type_id() == GHOST {
            self.ghosts.count(crate::store::ghost::kind(entry), 0);
        }
        self.free(entry, false);
    }
}

/// Why a value out of a file could not be loaded.
#[derive(Debug, Error)]
pub enum FileLoadError {
    /// No type reads it, and nobody knows how long it is.
    #[error(
        "no loaded module reads values of the RDB type {tag}, and where such a value ends is not known (at byte {offset} of the file)"
    )]
    Unknown {
        /// The number of the type.
        tag: u8,
        /// Where in the file.
        offset: u64,
    },
    /// Its type does not take it.
    #[error(
        "it is not a value of the type '{name}' in the form {encoding} (which begins at byte {offset} of the file)"
    )]
    Value {
        /// Name of the type.
        name: String,
        /// The number of the RDB type, or the encoding that the module's type had.
        encoding: u32,
        /// Where in the file.
        offset: u64,
    },
    /// Its bytes are not what they should be.
    #[error("{0}")]
    File(#[from] FileError),
    /// There is no memory for it.
    #[error("there is no memory for it")]
    NoMemory,
}

/// Why a value could not be loaded.
#[derive(Debug)]
pub struct LoadError {
    /// `BAD_DATA`, or `OUT_OF_MEMORY`.
    pub status: Status,
    /// What could not be read, if that was it.
    pub at: Option<FileError>,
}

/// Pass over a native container's head; the encoding that the value was saved with.
fn container_encoding(reader: &mut Reader<'_>) -> Result<u32, Status> {
    let bad = |_| STATUS_BAD_DATA;
    let id = reader.module_id().map_err(bad)?;
    if &id.name() != CONTAINER_NAME {
        return Err(STATUS_BAD_DATA);
    }
    reader.string_field().map_err(bad)?;
    let Field::Unsigned(encoding) = reader.field().map_err(bad)? else { return Err(STATUS_BAD_DATA) };
    u32::try_from(encoding).map_err(|_| STATUS_BAD_DATA)
}
