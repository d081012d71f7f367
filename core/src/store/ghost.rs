//! Ghosts: values whose type nobody provides, kept as the bytes that they were saved
//! as.
//!
//! ```text
//! entry: type 255 | ... | key | value = +---------------+------------------------+
//!                                       | kind (u32 LE) | what DUMP shows, less  |
//!                                       |               | version and checksum   |
//!                                       +---------------+------------------------+
//! ```
//!
//! A ghost comes from RESTORE of a payload that no loaded type reads, or is what a
//! value becomes when its module leaves (MODULE UNLOAD ... GHOST). It is an inline
//! value like any other to what moves keys about: RENAME, COPY, MOVE, expiry and DEL
//! need no word about it. DUMP gives back the bytes as they came.
//!
//! A *kind* is the name that TYPE answers: the type's own out of the container, the
//! name under which a module that left knew the RDB value type, or `rdb-type-N`. Kinds
//! are counted by the values that have them, and forgotten with the last.
//!
//! A ghost becomes a value again when a type that reads it is there: at once for the
//! command that asks for it, and for the rest by the sweep (`sweep.rs`).

use crate::durable::read::Reader;
use crate::durable::version;
use crate::store::Store;
use crate::store::codec::{CONTAINER_NAME, CONTAINER_TAG};
use crate::store::entry::{EntryPtr, Shape};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_GHOST, STATUS_OUT_OF_MEMORY, Status};
use std::collections::HashMap;

/// What stands in an entry instead of a type's id.
pub const GHOST: u8 = u8::MAX;
/// Modules see the id of a ghost's kind above those of types, from here on.
pub const KIND_IDS: u32 = 256;
/// What OBJECT ENCODING answers.
pub const ENCODING: &str = "ghost";
/// Bytes of the kind in front of the payload.
const KIND_BYTES: usize = 4;
/// Longest name of a kind in bytes, as of a type.
const NAME_BYTES_MAX: usize = 256;

/// Ghosts of one name.
struct Kind {
    name: String,
    values: u64,
}

/// What is known of all ghosts.
#[derive(Default)]
pub struct Ghosts {
    kinds: Vec<Option<Kind>>,
    by_name: HashMap<String, u32>,
    /// Type and module that read an RDB value type before they left.
    readers: HashMap<u8, String>,
    /// Module that provided a type before it left.
    providers: HashMap<String, String>,
    values: u64,
}

impl Ghosts {
    /// Number of keys that hold a ghost.
    pub fn values(&self) -> u64 {
        self.values
    }

    /// Names and numbers of values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kinds.iter().flatten().map(|kind| (kind.name.as_str(), kind.values))
    }

    /// Name of the kind of an id that modules see.
    pub fn name(&self, id: u32) -> Option<&str> {
        let kind = self.kinds.get(id.checked_sub(KIND_IDS)? as usize)?.as_ref()?;
        Some(&kind.name)
    }

    /// Remember what a type of a module was called that leaves.
    pub fn remember(&mut self, name: &str, module: &str, tags: impl Iterator<Item = u8>) {
        self.providers.insert(name.to_owned(), module.to_owned());
        self.readers.extend(tags.map(|tag| (tag, name.to_owned())));
    }

    /// The kind of a name, made if need be, with one value more.
    fn take(&mut self, name: String) -> Option<u32> {
        if let Some(known) = self.by_name.get(&name) {
            return Some(*known);
        }
        let at = self.kinds.iter().position(Option::is_none).unwrap_or(self.kinds.len());
        let number = u32::try_from(at).ok().filter(|number| *number < u32::MAX - KIND_IDS)?;
        if at == self.kinds.len() {
            self.kinds.push(None);
        }
        self.kinds[at] = Some(Kind { name: name.clone(), values: 0 });
        self.by_name.insert(name, number);
        Some(number)
    }

    /// Count values of a kind in or out; the last takes the kind with it.
    pub fn count(&mut self, kind: u32, by: i64) {
        let Some(slot) = self.kinds.get_mut(kind as usize) else { return };
        let Some(known) = slot else { return };
        known.values = known.values.saturating_add_signed(by);
        self.values = self.values.saturating_add_signed(by);
        if known.values == 0 {
            let name = std::mem::take(&mut known.name);
            self.by_name.remove(&name);
            *slot = None;
        }
    }

    /// The name that a payload's bytes give it; `None` when they are no value of any type.
    fn name_of(&self, body: &[u8]) -> Option<String> {
        let mut reader = Reader::new(body);
        let tag = reader.u8().ok()?;
        if tag != CONTAINER_TAG {
            let known = version::needed(tag).is_some() && !reader.is_at_end();
            return known.then(|| self.readers.get(&tag).cloned().unwrap_or_else(|| format!("rdb-type-{tag}")));
        }
        let id = reader.module_id().ok()?;
        let name =
            if &id.name() == CONTAINER_NAME { reader.string_field().ok()?.into_owned() } else { id.name().to_vec() };
        reader.skip_container().ok()?;
        // The name is shown to clients as a line.
        let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
        if fits && reader.is_at_end() { String::from_utf8(name).ok() } else { None }
    }
}

/// The kind of a ghost's entry.
pub fn kind(entry: EntryPtr) -> u32 {
    let (data, len) = entry.value();
    debug_assert!(len >= KIND_BYTES);
    // SAFETY: every ghost is made with its kind in front.
    u32::from_le_bytes(unsafe { data.cast::<[u8; KIND_BYTES]>().read_unaligned() })
}

/// The id of an entry's type as modules see it.
#[inline]
pub fn shown_type(entry: EntryPtr) -> u32 {
    let type_id = entry.type_id();
    if type_id == GHOST { KIND_IDS + kind(entry) } else { u32::from(type_id) }
}

/// A ghost's payload.
///
/// # Safety
/// The entry is alive, a ghost, and stays for `'a`.
pub unsafe fn body<'a>(entry: EntryPtr) -> &'a [u8] {
    let (data, len) = entry.value();
    // SAFETY: promised by the caller; the kind's bytes are in front.
    unsafe { std::slice::from_raw_parts(data.add(KIND_BYTES), len - KIND_BYTES) }
}

impl Store {
    /// A ghost of a payload, in no table yet.
    pub fn make_ghost(&mut self, body: &[u8], key: &[u8], expire_at_ms: i64) -> Result<EntryPtr, Status> {
        let ghosts = &mut self.ghosts;
        let name = ghosts.name_of(body).ok_or(STATUS_BAD_DATA)?;
        let len = KIND_BYTES.checked_add(body.len()).filter(|len| *len <= crate::store::entry::LEN_MAX);
        let len = len.ok_or(STATUS_OUT_OF_MEMORY)?;
        let kind = ghosts.take(name).ok_or(STATUS_OUT_OF_MEMORY)?;
        let shape = Shape { type_id: GHOST, tag: 0, expire_at_ms, clock: self.access.fresh(), inline_len: Some(len) };
        let Some(entry) = EntryPtr::new(key, shape) else {
            self.ghosts.count(kind, 0);
            return Err(STATUS_OUT_OF_MEMORY);
        };
        let (data, _) = entry.value();
        // SAFETY: the entry was made with room for both.
        unsafe {
            data.cast::<[u8; KIND_BYTES]>().write_unaligned(kind.to_le_bytes());
            std::ptr::copy_nonoverlapping(body.as_ptr(), data.add(KIND_BYTES), body.len());
        }
        Ok(entry)
    }

    /// Make a ghost a value again; its new entry. Fails with `GHOST` when no type reads
    /// it, or the one that should cannot.
    pub fn revive(&mut self, db: u32, hash: u64, ghost: EntryPtr) -> Result<EntryPtr, Status> {
        // SAFETY: the ghost is freed at the end, and a type's `load` has no call by which
        // it could reach keys.
        let (key, body) = unsafe { (ghost.key(), body(ghost)) };
        let known = self.reader_of(body).ok_or(STATUS_GHOST)?;
        let loaded = self.load_value_as(known, body, key, ghost.expire_at_ms());
        let entry = loaded.map_err(|status| if status == STATUS_OUT_OF_MEMORY { status } else { STATUS_GHOST })?;
        self.take_place(db, hash, ghost, entry);
        Ok(entry)
    }

    /// Make a value a ghost.
    pub fn give_up(&mut self, db: u32, hash: u64, entry: EntryPtr) -> Result<EntryPtr, Status> {
        let body = self.save_value(entry)?;
        // SAFETY: the entry is freed at the end only.
        let ghost = self.make_ghost(&body, unsafe { entry.key() }, entry.expire_at_ms())?;
        self.take_place(db, hash, entry, ghost);
        Ok(ghost)
    }

    /// Put an entry of the same key in another's place, with its access clock, and free
    /// the other.
    pub fn take_place(&mut self, db: u32, hash: u64, old: EntryPtr, new: EntryPtr) {
        new.set_clock(old.clock());
        self.databases[db as usize].replaced(hash, old, new, old.has_expiry());
        self.account(new, 1);
        self.charge(new);
        self.discard(old, true);
    }

    /// What a client is told who asks for a ghost's value.
    #[cold]
    pub fn ghost_text(&self, ghost: EntryPtr) -> String {
        let name = self.ghosts.name(KIND_IDS + kind(ghost)).unwrap_or("unknown");
        // SAFETY: the ghost is alive, and nothing runs while its bytes are looked at.
        if self.reader_of(unsafe { body(ghost) }).is_some() {
            return format!("GHOST the module that provides the type '{name}' cannot read this key's value");
        }
        match self.ghosts.providers.get(name) {
            Some(module) => {
                format!("GHOST the key holds a value of the type '{name}', whose module '{module}' is not loaded")
            }
            None => format!("GHOST the key holds a value of the type '{name}', which no loaded module provides"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::container::ContainerId;
    use crate::durable::write::Writer;

    fn container(id: &[u8; 9], fields: impl Fn(&mut Writer)) -> Vec<u8> {
        let mut out = Writer::new(false);
        out.put_u8(CONTAINER_TAG);
        out.put_module_id(ContainerId::new(id, 3).expect("an id"));
        fields(&mut out);
        out.put_end();
        out.into_bytes()
    }

    #[test]
    fn a_container_names_its_type_and_must_be_whole() {
        let ghosts = Ghosts::default();
        let body = container(CONTAINER_NAME, |out| {
            out.put_string_field(b"com.example.gauge");
            out.put_unsigned_field(1);
            out.put_double_field(0.5);
        });
        assert_eq!(ghosts.name_of(&body).as_deref(), Some("com.example.gauge"));
        for end in 0..body.len() {
            assert_eq!(ghosts.name_of(&body[..end]), None, "{end} bytes");
        }
        let longer = [&body[..], b"x"].concat();
        assert_eq!(ghosts.name_of(&longer), None);
        let foreign = container(b"ReJSON-RL", |out| out.put_string_field(b"{}"));
        assert_eq!(ghosts.name_of(&foreign).as_deref(), Some("ReJSON-RL"));
    }

    #[test]
    fn a_name_that_would_break_a_reply_is_refused() {
        let ghosts = Ghosts::default();
        for name in [&b""[..], b"a b", b"a\r\n+OK", &[b'x'; 257], b"\xff"] {
            let body = container(CONTAINER_NAME, |out| {
                out.put_string_field(name);
                out.put_unsigned_field(1);
            });
            assert_eq!(ghosts.name_of(&body), None, "{name:?}");
        }
    }

    #[test]
    fn an_rdb_value_type_is_called_as_the_module_that_left_called_it() {
        let mut ghosts = Ghosts::default();
        assert_eq!(ghosts.name_of(&[9, 1, 2]).as_deref(), Some("rdb-type-9"));
        ghosts.remember("thing", "things", [9, 10].into_iter());
        assert_eq!(ghosts.name_of(&[9, 1, 2]).as_deref(), Some("thing"));
        for body in [&[][..], &[9], &[6, 1], &[8, 1], &[200, 1], &[255, 1]] {
            assert_eq!(ghosts.name_of(body), None, "{body:?}");
        }
    }

    #[test]
    fn a_kind_goes_with_its_last_value() {
        let mut ghosts = Ghosts::default();
        let one = ghosts.take("one".into()).expect("room");
        ghosts.count(one, 1);
        let other = ghosts.take("other".into()).expect("room");
        ghosts.count(other, 2);
        assert_eq!(ghosts.take("one".into()), Some(one));
        assert_eq!((ghosts.name(KIND_IDS + one), ghosts.values()), (Some("one"), 3));
        ghosts.count(one, -1);
        assert_eq!((ghosts.name(KIND_IDS + one), ghosts.values()), (None, 2));
        assert_eq!(ghosts.take("third".into()), Some(one), "the number is given again");
        assert_eq!(ghosts.iter().count(), 2);
    }
}
