//! The codec: the type `hash`, and its values in files and payloads.
//!
//! ```text
//!   RDB type                            payload
//!    4  hash                            count { field value }                       read, written
//!    9  zipmap, 13 ziplist, 16 listpack a string with field and value in turn       read, 16 written
//!   22  hash with deadlines (Valkey 9)  count { field value deadline or -1 }        read, written for Valkey
//!   24  hash with deadlines (Redis 7.4) earliest, count { ttl field value }         read, written
//!   25  the same as a listpack          earliest, a string: field value deadline    read, written
//! ```
//!
//! A small hash is written as a listpack, a large one field by field, in forms that Redis 7.0 reads
//! as long as no field has a deadline; a reader that does not know listpacks gets all of them field by field. In 24 a deadline is counted from the earliest one, plus one; in
//! 25 the fields are in the order of their deadlines, those without any last (0 stands for none).
//!
//! What is read is checked: a field that occurs twice, or a hash without fields, is damage.

#[path = "codec/zipmap.rs"]
mod zipmap;

use crate::expiry;
use crate::large::Large;
use crate::small::{self, EXPIRING, PLAIN, Shown};
use crate::storage::{Before, Storage};
use crate::value::{Hash, View, entries_max, value_max};
use plinth_module::convert::Conversion;
use plinth_module::pack::{Digits, Malformed, Value, listpack, ziplist};
use plinth_module::prelude::*;
use std::collections::HashSet;
use std::ffi::CStr;

const RDB_HASH: u8 = 4;
const RDB_ZIPMAP: u8 = 9;
const RDB_ZIPLIST: u8 = 13;
const RDB_LISTPACK: u8 = 16;
const RDB_HASH_VALKEY: u8 = 22;
const RDB_HASH_DEADLINES: u8 = 24;
const RDB_LISTPACK_DEADLINES: u8 = 25;

/// Fields of a pack that is being read up to which a double one is looked for in the pack itself.
const FEW: usize = 32;
/// Deadlines are below this.
const DEADLINE_END: u64 = 1 << 48;

impl<S: Storage> MixedType for Hash<S> {
    type Boxed = Large<S>;
    const NAME: &'static CStr = c"hash";
    const RDB_TAGS: &'static [u8] =
        &[RDB_HASH, RDB_ZIPMAP, RDB_ZIPLIST, RDB_LISTPACK, RDB_HASH_VALKEY, RDB_HASH_DEADLINES, RDB_LISTPACK_DEADLINES];
    const CONVERT: Option<Conversion<Large<S>>> = Some(Conversion::new());

    fn save(value: Stored<'_, Large<S>>, out: &mut Saver<'_>) {
        let view = View::stored(value);
        match value {
            _ if expires(view) && out.knows(RDB_HASH_VALKEY) => save_valkey(view, out),
            Stored::Inline { tag, bytes } if expires(view) || out.knows(RDB_LISTPACK) => save_small(tag, bytes, out),
            Stored::Boxed { value, .. } if expires(view) => save_large(value, out),
            _ => save_plain(view, out),
        }
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, Large<S>>> {
        let mut builder = Builder::<S>::default();
        match encoding as u8 {
            RDB_HASH | RDB_HASH_VALKEY | RDB_HASH_DEADLINES => load_fields(from, encoding as u8, &mut builder)?,
            RDB_ZIPMAP => builder.texts(2, zipmap::read(from.bytes()?))?,
            RDB_ZIPLIST => builder.texts(2, ziplist::read(from.bytes()?)?)?,
            RDB_LISTPACK => builder.texts(2, listpack::read(from.bytes()?)?)?,
            RDB_LISTPACK_DEADLINES => {
                from.i64()?;
                builder.texts(3, listpack::read(from.bytes()?)?)?;
            }
            _ => return Err(Error::BadData),
        }
        builder.finish()
    }

    fn memory(value: &Large<S>) -> usize {
        value.memory_bytes()
    }

    fn free_effort(value: &Large<S>) -> usize {
        value.store().len()
    }

    fn encoding_name(value: Stored<'_, Large<S>>) -> &'static str {
        match value {
            Stored::Inline { tag: EXPIRING, .. } => "listpackex",
            Stored::Inline { .. } => "listpack",
            Stored::Boxed { .. } => "hashtable",
        }
    }

    fn copy(value: &Large<S>) -> Option<Large<S>> {
        let mut copy = Large::<S>::default();
        value.store().for_each(|item| {
            let digest = copy.store().digest(item.field);
            copy.put(digest, item.field, item.value, item.deadline);
        });
        Some(copy)
    }

    fn rewrite(value: Stored<'_, Large<S>>, out: &mut Rewriter<'_>) -> Result {
        let view = View::stored(value);
        let (mut field, mut value) = (Digits::new(), Digits::new());
        let mut pieces = out.pieces("HSET");
        each(view, |shown| pieces.push(&[shown.field.text(&mut field), shown.value.text(&mut value)]));
        pieces.finish()?;
        if expires(view) { rewrite_deadlines(view, out) } else { Ok(()) }
    }

    fn digest(value: Stored<'_, Large<S>>, out: &mut Digester<'_>) -> Result {
        let (mut field, mut value_digits) = (Digits::new(), Digits::new());
        each(View::stored(value), |shown| {
            out.add(shown.field.text(&mut field));
            out.add(shown.value.text(&mut value_digits));
            if let Some(deadline) = shown.deadline {
                out.add(&deadline.to_le_bytes());
            }
            out.end();
        });
        Ok(())
    }

    fn rdb_version(value: Stored<'_, Large<S>>) -> u32 {
        if expires(View::stored(value)) { VERSION_DEADLINES } else { 0 }
    }

    fn rdb_version_max() -> u32 {
        if expiry::may_expire() { VERSION_DEADLINES } else { 0 }
    }
}

/// The version from which Redis knows fields with deadlines: that of 7.4.
const VERSION_DEADLINES: u32 = 12;
/// Fields that one command gives a deadline.
const DEADLINE_FIELDS: usize = 64;

/// Whether any field has a deadline. Constant for a large hash.
fn expires<S: Storage>(view: View<'_, S>) -> bool {
    match view {
        View::Small(tag, pack) => small::due(tag, pack).is_some(),
        View::Large(large) => large.store().expiring() > 0,
        View::Absent => false,
    }
}

/// Every field, whether it has expired or not.
fn each<'v, S: Storage>(view: View<'v, S>, visit: impl FnMut(Shown<'v>)) {
    // At the beginning of time nothing has expired.
    view.for_each(0, visit);
}

/// Gives the commands for the deadlines: one for fields of one deadline that follow each other.
fn rewrite_deadlines<S: Storage>(view: View<'_, S>, out: &mut Rewriter<'_>) -> Result {
    let (mut due, mut fields, mut done) = (None, Vec::new(), Ok(()));
    each(view, |shown| {
        if shown.deadline.is_none() || done.is_err() {
            return;
        }
        if due != shown.deadline || fields.len() == DEADLINE_FIELDS {
            done = rewrite_deadline(due, &fields, out);
            (due, fields) = (shown.deadline, Vec::new());
        }
        fields.push(shown.field.to_vec());
    });
    done?;
    rewrite_deadline(due, &fields, out)
}

fn rewrite_deadline(due: Option<u64>, fields: &[Vec<u8>], out: &mut Rewriter<'_>) -> Result {
    let Some(due) = due else { return Ok(()) };
    let (mut at, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    let (at, count) = (at.format(due).as_bytes(), count.format(fields.len()).as_bytes());
    let mut words: Vec<&[u8]> = vec![b"HPEXPIREAT", out.key(), at, b"FIELDS", count];
    words.extend(fields.iter().map(Vec::as_slice));
    out.emit(&words)
}

/// Field by field, without deadlines.
fn save_plain<S: Storage>(view: View<'_, S>, out: &mut Saver<'_>) {
    let (mut field, mut value) = (Digits::new(), Digits::new());
    out.tag(RDB_HASH);
    out.u64(view.len() as u64);
    each(view, |shown| {
        out.bytes(shown.field.text(&mut field));
        out.bytes(shown.value.text(&mut value));
    });
}

/// Field by field, with deadlines as Valkey has them.
fn save_valkey<S: Storage>(view: View<'_, S>, out: &mut Saver<'_>) {
    let (mut field, mut value) = (Digits::new(), Digits::new());
    out.tag(RDB_HASH_VALKEY);
    out.u64(view.len() as u64);
    each(view, |shown| {
        out.bytes(shown.field.text(&mut field));
        out.bytes(shown.value.text(&mut value));
        out.i64(shown.deadline.map_or(-1, |deadline| deadline as i64));
    });
}

fn save_small(tag: u32, bytes: &[u8], out: &mut Saver<'_>) {
    let mut listpack = listpack::Writer::with_capacity(bytes.len() * 2);
    let Some(due) = small::due(tag, bytes) else {
        out.tag(RDB_LISTPACK);
        for shown in small::iter(tag, bytes) {
            listpack.push(shown.field);
            listpack.push(shown.value);
        }
        return out.bytes(&listpack.finish());
    };
    let mut all: Vec<Shown<'_>> = small::iter(tag, bytes).collect();
    all.sort_by_key(|shown| shown.deadline.unwrap_or(u64::MAX));
    for shown in all {
        listpack.push(shown.field);
        listpack.push(shown.value);
        listpack.push(Value::Integer(shown.deadline.unwrap_or(0) as i64));
    }
    out.tag(RDB_LISTPACK_DEADLINES);
    out.i64(due as i64);
    out.bytes(&listpack.finish());
}

/// Field by field, with deadlines as Redis has them.
fn save_large<S: Storage>(large: &Large<S>, out: &mut Saver<'_>) {
    let store = large.store();
    let mut due = u64::MAX;
    store.for_each(|item| due = due.min(item.deadline.unwrap_or(u64::MAX)));
    out.tag(RDB_HASH_DEADLINES);
    out.i64(due as i64);
    out.u64(store.len() as u64);
    store.for_each(|item| {
        out.u64(item.deadline.map_or(0, |deadline| deadline - due + 1));
        out.bytes(item.field);
        out.bytes(item.value);
    });
}

/// Reads a hash that was saved field by field.
fn load_fields<S: Storage>(from: &mut Loader<'_>, tag: u8, builder: &mut Builder<S>) -> Result {
    let due = if tag == RDB_HASH_DEADLINES { u64::try_from(from.i64()?).map_err(|_| Error::BadData)? } else { 0 };
    let (mut field, mut value) = (Vec::new(), Vec::new());
    for _ in 0..from.u64()? {
        let ttl = if tag == RDB_HASH_DEADLINES { from.u64()? } else { 0 };
        field.clear();
        field.extend_from_slice(from.bytes()?);
        if tag == RDB_HASH_VALKEY {
            value.clear();
            value.extend_from_slice(from.bytes()?);
            let deadline = from.i64()?;
            let deadline =
                if deadline == -1 { None } else { Some(u64::try_from(deadline).map_err(|_| Error::BadData)?) };
            builder.add(&field, &value, deadline)?;
            continue;
        }
        let deadline = match ttl {
            0 => None,
            ttl => Some(due.checked_add(ttl - 1).ok_or(Error::BadData)?),
        };
        builder.add(&field, from.bytes()?, deadline)?;
    }
    Ok(())
}

/// A hash that is being read.
struct Builder<S> {
    tag: u32,
    pack: Vec<u8>,
    count: usize,
    seen: HashSet<Vec<u8>>,
    large: Option<Large<S>>,
}

impl<S: Storage> Default for Builder<S> {
    fn default() -> Builder<S> {
        Builder { tag: PLAIN, pack: Vec::new(), count: 0, seen: HashSet::new(), large: None }
    }
}

impl<S: Storage> Builder<S> {
    /// Adds a field. Fails with `BadData` when it is there already.
    fn add(&mut self, field: &[u8], value: &[u8], deadline: Option<u64>) -> Result {
        // Time 0 is long gone, but stands for no deadline in a pack.
        let deadline = deadline.map(|deadline| deadline.max(1));
        if deadline.is_some_and(|deadline| deadline >= DEADLINE_END) {
            return Err(Error::BadData);
        }
        if deadline.is_some() {
            expiry::note_loaded();
        }
        let max = value_max();
        if self.large.is_none() && (self.count >= entries_max() || field.len() > max || value.len() > max) {
            self.enlarge();
        }
        if let Some(large) = &mut self.large {
            let digest = large.store().digest(field);
            return match large.put(digest, field, value, deadline) {
                Before::Absent => Ok(()),
                Before::Present(_) => Err(Error::BadData),
            };
        }
        let is_double = if self.count < FEW {
            small::find(self.tag, &self.pack, field).is_some()
        } else {
            if self.count == FEW {
                self.seen = small::iter(self.tag, &self.pack).map(|shown| shown.field.to_vec()).collect();
            }
            !self.seen.insert(field.to_vec())
        };
        if is_double {
            return Err(Error::BadData);
        }
        if deadline.is_some() && self.tag == PLAIN {
            self.pack = small::repack(PLAIN, &self.pack, EXPIRING, |_| true);
            self.tag = EXPIRING;
        }
        small::push(self.tag, Shown { field: Value::Text(field), value: Value::Text(value), deadline }, &mut self.pack);
        self.count += 1;
        Ok(())
    }

    fn enlarge(&mut self) {
        let mut large = Large::<S>::default();
        let (mut field, mut value) = (Digits::new(), Digits::new());
        for shown in small::iter(self.tag, &self.pack) {
            let field = shown.field.text(&mut field);
            let digest = large.store().digest(field);
            large.put(digest, field, shown.value.text(&mut value), shown.deadline);
        }
        self.large = Some(large);
    }

    /// Adds fields from elements, of which `width` make a field: name, value, and perhaps deadline.
    fn texts<'l>(
        &mut self,
        width: usize,
        elements: impl Iterator<Item = std::result::Result<Value<'l>, Malformed>>,
    ) -> Result {
        let (mut name, mut data) = (Digits::new(), Digits::new());
        let mut waiting = [Value::Integer(0); 3];
        let mut at = 0;
        for element in elements {
            waiting[at] = element?;
            at += 1;
            if at < width {
                continue;
            }
            at = 0;
            let [field, value, Value::Integer(deadline)] = waiting else { return Err(Error::BadData) };
            let deadline = u64::try_from(deadline).map_err(|_| Error::BadData)?;
            self.add(field.text(&mut name), value.text(&mut data), (deadline != 0).then_some(deadline))?;
        }
        if at == 0 { Ok(()) } else { Err(Error::BadData) }
    }

    /// The hash. Fails with `BadData` when it has no field.
    fn finish<'l>(self) -> Result<Loaded<'l, Large<S>>> {
        match self.large {
            Some(large) => Ok(Loaded::boxed(0, large)),
            None if self.count == 0 => Err(Error::BadData),
            None => Ok(Loaded::owned(self.tag, self.pack)),
        }
    }
}
