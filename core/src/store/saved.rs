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
use crate::durable::read::Reader;
use crate::store::Store;
use crate::store::codec::{Loaded, Loader, Saver};
use crate::store::entry::{EntryPtr, Shape};
use crate::store::ghost::GHOST;
use crate::store::types::{reads_tag, value_of};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_OK, STATUS_OUT_OF_MEMORY, STATUS_UNSUPPORTED, Status};

/// RDB value type of a container.
pub const CONTAINER_TAG: u8 = 7;
/// The id that all containers of native types carry.
pub const CONTAINER_NAME: &[u8; 9] = b"plinthtyp";

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

    /// A value's bytes: tag and payload, without version and checksum.
    pub fn save_value(&mut self, entry: EntryPtr) -> Result<Vec<u8>, Status> {
        self.save_value_with(entry, self.compress)
    }

    /// The same with or without an attempt to compress texts.
    pub fn save_value_with(&mut self, entry: EntryPtr, compress: bool) -> Result<Vec<u8>, Status> {
        if entry.type_id() == GHOST {
            // SAFETY: the entry is alive, and its bytes are copied at once.
            return Ok(unsafe { crate::store::ghost::body(entry) }.to_vec());
        }
        let ty = self.types.get(entry.type_id()).ok_or(STATUS_UNSUPPORTED)?;
        let table = ty.table;
        let standard = table.rdb_tags.count > 0;
        let mut saver = Saver::new(standard, compress);
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
        let standard = tag != CONTAINER_TAG;
        let encoding = if standard { u32::from(tag) } else { container_encoding(&mut reader)? };
        let table = self.types.get(type_id).ok_or(STATUS_BAD_DATA)?.table;
        if standard && !reads_tag(&table, tag) {
            return Err(STATUS_BAD_DATA);
        }
        let mut loader = Loader::new(reader, standard);
        // SAFETY: the loader lives for the call.
        let status = unsafe { (table.load)((&raw mut loader).cast(), encoding) };
        let (loaded, complete) = loader.finish();
        let Some(loaded) = loaded else { return Err(STATUS_BAD_DATA) };
        if status != STATUS_OK || !complete {
            loaded.give_back(&table);
            return Err(STATUS_BAD_DATA);
        }
        let shape = |tag, inline_len| Shape { type_id, tag, expire_at_ms, clock: self.access.fresh(), inline_len };
        match loaded {
            Loaded::Inline(tag, bytes) => {
                let entry = EntryPtr::new(key, shape(tag, Some(bytes.len()))).ok_or(STATUS_OUT_OF_MEMORY)?;
                // SAFETY: the entry was made with so many bytes of value.
                unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), entry.value().0, bytes.len()) };
                Ok(entry)
            }
            Loaded::Boxed(tag, boxed) => {
                let Some(entry) = EntryPtr::new(key, shape(tag, None)) else {
                    loaded.give_back(&table);
                    return Err(STATUS_OUT_OF_MEMORY);
                };
                entry.set_boxed(boxed);
                Ok(entry)
            }
        }
    }
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
