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
use crate::durable::read::Reader;
use crate::durable::version::{self, Target};
use crate::store::Store;
use crate::store::codec::{Loaded, Loader, Saver};
use crate::store::entry::{EntryPtr, Shape};
use crate::store::ghost::GHOST;
use crate::store::types::{reads_tag, value_of};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_OK, STATUS_OUT_OF_MEMORY, STATUS_UNSUPPORTED, Status};
use plinth_abi::value::Type;

/// RDB value type of a container.
pub const CONTAINER_TAG: u8 = 7;
/// The id that all containers of native types carry.
pub const CONTAINER_NAME: &[u8; 9] = b"plinthtyp";

impl Store {
    /// A value's bytes for this server itself: tag and payload, without version and checksum.
    pub fn save_value(&self, entry: EntryPtr) -> Result<Vec<u8>, Status> {
        self.save_value_for(entry, Target::OWN, self.compress)
    }

    /// A value's bytes for a reader, with or without an attempt to compress texts. Fails with
    /// `UNSUPPORTED` when the reader is certain and cannot know the value.
    pub fn save_value_for(&self, entry: EntryPtr, target: Target, compress: bool) -> Result<Vec<u8>, Status> {
        let body = self.save_as(entry, target, compress)?;
        if target.takes(body[0]) { Ok(body) } else { Err(STATUS_UNSUPPORTED) }
    }

    /// A value in the form of DUMP: for whoever takes it, or for a reader that is known.
    pub fn seal_value(&self, entry: EntryPtr, target: Target) -> Result<Vec<u8>, Status> {
        let body = self.save_value_for(entry, target, self.compress)?;
        let version = if target.is_certain { Some(target.version) } else { version::needed(body[0]) };
        Ok(footer::seal(body, version.unwrap_or(version::NEWEST)))
    }

    /// The version that a file needs which is to hold all values: that of the values that need the
    /// newest, above [`version::FILE`], or that.
    pub fn version_needed(&self) -> u16 {
        // SAFETY: null asks for the bound.
        let bound = |table: &Type| table.rdb_version.map_or(0, |of| unsafe { of(std::ptr::null()) });
        let bounds: Vec<bool> = (0..=u8::MAX)
            .map(|id| match id {
                GHOST => self.ghosts.values() > 0,
                _ => self.types.get(id).is_some_and(|ty| bound(&ty.table) > u32::from(version::FILE)),
            })
            .collect();
        if !bounds.contains(&true) {
            return version::FILE;
        }
        let mut needed = version::FILE;
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

    fn save_as(&self, entry: EntryPtr, target: Target, compress: bool) -> Result<Vec<u8>, Status> {
        if entry.type_id() == GHOST {
            // SAFETY: the entry is alive, and its bytes are copied at once.
            return Ok(unsafe { crate::store::ghost::body(entry) }.to_vec());
        }
        let ty = self.types.get(entry.type_id()).ok_or(STATUS_UNSUPPORTED)?;
        let table = ty.table;
        let standard = table.rdb_tags.count > 0;
        let mut saver = Saver::new(standard, compress, target);
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
