//! The codec: the type `stream`, and its values in files and payloads.
//!
//! ```text
//!   tag 21   nodes: count, [ master id, listpack ] ...          see `node`
//!            entries, last id, first id, greatest removed id, entries ever added
//!            groups: count, [ name, last id, entries read
//!                             pending: count, [ id, delivered, deliveries ] ...
//!                             consumers: count, [ name, seen, active
//!                                                 pending: count, [ id ] ... ] ... ] ...
//!   tag 19   without `active`
//!   tag 15   without what stands between the last id and the groups, and `entries read`
//! ```
//!
//! Counts and the ids' two numbers are RDB lengths; a pending id is 16 bytes that sort as ids do, a
//! time is Unix time in ms in 8 bytes. Saved is tag 21, which Redis from 7.2 on and Valkey read, and for
//! older readers one of the others, with what they have a place for; all three are loaded.
//!
//! What is loaded may be anybody's. It is refused unless all that it says twice agrees: counts, the
//! order of ids, and that each pending id of a group is in one consumer's list and the other way
//! round.
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html>, and what DUMP of Redis 7.0
//! and 8.2 and of Valkey 9.1 answers.

pub mod node;

use crate::group::Group;
use crate::id::Id;
use crate::lag::Counts;
use crate::nack::Nack;
use crate::pending::IdMap;
use crate::rewrite;
use crate::storage::Storage;
use crate::stream::Stream;
use plinth_module::convert::Conversion;
use plinth_module::datatype::Stored;
use plinth_module::prelude::*;
use std::ffi::CStr;
use std::marker::PhantomData;

/// Tag of every stream, which is a box.
pub const BOXED: u32 = 0;

/// Value types in the RDB format: of Redis 5, of 7.0, and of 7.2.
const RDB_FIRST: u8 = 15;
const RDB_COUNTED: u8 = 19;
const RDB_ACTIVE: u8 = 21;

/// Most entries that a file may say were ever added: what XSETID takes and XINFO can answer. A stream that is
/// set to this and added to is saved as if it had stayed there, so that what is saved can be loaded.
pub(crate) const ADDED_MAX: u64 = i64::MAX as u64;

/// Stands for "not known" in the place of how many entries a group has read.
const UNKNOWN: u64 = u64::MAX;
/// Stands for "never" in the place of a time.
const NEVER: i64 = -1;

/// The type of streams over a storage.
pub struct StreamType<S>(PhantomData<fn() -> S>);

impl<S: Storage> MixedType for StreamType<S> {
    type Boxed = Stream<S>;
    const NAME: &'static CStr = c"stream";
    const RDB_TAGS: &'static [u8] = &[RDB_ACTIVE, RDB_COUNTED, RDB_FIRST];
    const CONVERT: Option<Conversion<Stream<S>>> = Some(Conversion::new());

    fn save(value: Stored<'_, Stream<S>>, out: &mut Saver<'_>) {
        if let Stored::Boxed { value, .. } = value {
            let tag = tag_for(value, out);
            out.tag(tag);
            save_log(value, tag, out);
            out.u64(value.groups_len() as u64);
            value.groups().for_each(|(name, group)| save_group(name, group, tag, out));
        }
    }

    fn load<'l>(from: &'l mut Loader<'_>, encoding: u32) -> Result<Loaded<'l, Stream<S>>> {
        let tag = match encoding as u8 {
            tag @ (RDB_FIRST | RDB_COUNTED | RDB_ACTIVE) => tag,
            _ => return Err(Error::BadData),
        };
        let mut stream = Stream::<S>::default();
        load_log(&mut stream, from, tag)?;
        for _ in 0..from.u64()? {
            load_group(&mut stream, from, tag)?;
        }
        Ok(Loaded::boxed(BOXED, stream))
    }

    fn memory(value: &Stream<S>) -> usize {
        value.memory()
    }

    fn free_effort(value: &Stream<S>) -> usize {
        value.free_effort()
    }

    fn encoding_name(_value: Stored<'_, Stream<S>>) -> &'static str {
        "stream"
    }

    fn copy(value: &Stream<S>) -> Option<Stream<S>> {
        value.copy()
    }

    fn rewrite(value: Stored<'_, Stream<S>>, out: &mut Rewriter<'_>) -> Result {
        match value {
            Stored::Boxed { value, .. } => rewrite::rewrite(value, out),
            Stored::Inline { .. } => Err(Error::Unsupported),
        }
    }

    fn digest(value: Stored<'_, Stream<S>>, out: &mut Digester<'_>) -> Result {
        match value {
            Stored::Boxed { value, .. } => rewrite::digest(value, out),
            Stored::Inline { .. } => return Err(Error::Unsupported),
        }
        Ok(())
    }
}

/// The tag that a stream is saved under: the youngest that the reader knows, if it loses nothing or may.
fn tag_for<S: Storage>(stream: &Stream<S>, out: &Saver<'_>) -> u8 {
    let is_active = |group: &Group| group.consumers().all(|(_, one)| one.active_ms() == Some(one.seen_ms()));
    let loses_nothing = || stream.groups().all(|(_, group)| is_active(group));
    if out.knows(RDB_ACTIVE) {
        RDB_ACTIVE
    } else if out.knows(RDB_COUNTED) && (out.may_omit() || loses_nothing()) {
        RDB_COUNTED
    } else if !out.knows(RDB_COUNTED) && out.may_omit() {
        RDB_FIRST
    } else {
        RDB_ACTIVE
    }
}

// ---- The log ----

fn save_log<S: Storage>(stream: &Stream<S>, tag: u8, out: &mut Saver<'_>) {
    let log = stream.log();
    let nodes = node::write(log);
    out.u64(nodes.len() as u64);
    for (master, node) in nodes {
        out.bytes(&master.to_bytes());
        out.bytes(&node);
    }
    out.u64(log.len() as u64);
    save_id(stream.last_id(), out);
    if tag == RDB_FIRST {
        return;
    }
    save_id(log.first().unwrap_or(Id::MIN), out);
    save_id(stream.max_deleted(), out);
    out.u64(stream.added().min(ADDED_MAX));
}

fn load_log<S: Storage>(stream: &mut Stream<S>, from: &mut Loader<'_>, tag: u8) -> Result {
    let mut loading = node::Loading::default();
    for _ in 0..from.u64()? {
        let master = id_of(from.bytes()?)?;
        loading.read(from.bytes()?, master, stream.log_mut())?;
    }
    if from.u64()? != stream.len() as u64 {
        return Err(Error::BadData);
    }
    let last = load_id(from)?;
    let (mut max_deleted, mut added) = (Id::MIN, stream.len() as u64);
    if tag != RDB_FIRST {
        // The first id is known from the entries.
        load_id(from)?;
        max_deleted = load_id(from)?;
        added = from.u64()?;
    }
    let is_possible = (stream.len() as u64..=ADDED_MAX).contains(&added);
    if stream.log().last().is_some_and(|greatest| greatest > last) || !is_possible {
        return Err(Error::BadData);
    }
    stream.set_counters(last, added, max_deleted);
    Ok(())
}

fn save_id(id: Id, out: &mut Saver<'_>) {
    out.u64(id.ms);
    out.u64(id.seq);
}

fn load_id(from: &mut Loader<'_>) -> Result<Id> {
    Ok(Id { ms: from.u64()?, seq: from.u64()? })
}

/// An id of exactly sixteen bytes.
fn id_of(bytes: &[u8]) -> Result<Id> {
    bytes.try_into().map(Id::from_bytes).map_err(|_| Error::BadData)
}

// ---- The groups ----

fn save_group(name: &[u8], group: &Group, tag: u8, out: &mut Saver<'_>) {
    out.bytes(name);
    save_id(group.last(), out);
    if tag != RDB_FIRST {
        out.u64(group.entries_read().unwrap_or(UNKNOWN));
    }
    out.u64(group.pending_len() as u64);
    for (id, nack) in group.pending_from(Id::MIN) {
        out.raw(&id.to_bytes());
        out.i64(nack.delivered_ms);
        out.u64(nack.deliveries);
    }
    out.u64(group.consumers_len() as u64);
    for (_, consumer) in group.consumers() {
        out.bytes(consumer.name());
        out.i64(consumer.seen_ms());
        if tag == RDB_ACTIVE {
            out.i64(consumer.active_ms().unwrap_or(NEVER));
        }
        out.u64(consumer.pending_len() as u64);
        consumer.pending_from(Id::MIN).for_each(|id| out.raw(&id.to_bytes()));
    }
}

fn load_group<S: Storage>(stream: &mut Stream<S>, from: &mut Loader<'_>, tag: u8) -> Result {
    let name: Box<[u8]> = from.bytes()?.into();
    let last = load_id(from)?;
    let entries_read = match tag {
        RDB_FIRST => Counts::of(stream).read_until(last),
        _ => Some(from.u64()?).filter(|count| *count != UNKNOWN),
    };
    if !stream.make_group(&name, last, entries_read) {
        return Err(Error::BadData);
    }
    let mut pending = load_pending(from)?;
    let number = stream.group(&name).map_or(0, Group::number);
    let mut loaded = Ok(());
    stream.import_group(number, None, |group| loaded = load_consumers(group, from, tag, &mut pending));
    loaded?;
    // What is left is nobody's.
    if pending.is_empty() { Ok(()) } else { Err(Error::BadData) }
}

/// When a pending entry was delivered, and how often.
type Delivery = (i64, u64);

fn load_pending(from: &mut Loader<'_>) -> Result<IdMap<Delivery>> {
    let mut pending = IdMap::default();
    for _ in 0..from.u64()? {
        let id = load_pending_id(from)?;
        if pending.insert(id, (from.i64()?, from.u64()?)).is_some() {
            return Err(Error::BadData);
        }
    }
    Ok(pending)
}

fn load_pending_id(from: &mut Loader<'_>) -> Result<Id> {
    id_of(from.raw(16)?)
}

fn load_consumers(group: &mut Group, from: &mut Loader<'_>, tag: u8, pending: &mut IdMap<Delivery>) -> Result {
    for no in 0..from.u64()? {
        let no = u32::try_from(no).map_err(|_| Error::BadData)?;
        let name: Box<[u8]> = from.bytes()?.into();
        if group.find(&name).is_some() {
            return Err(Error::BadData);
        }
        let seen_ms = from.i64()?;
        let active_ms = if tag == RDB_ACTIVE { from.i64()? } else { seen_ms };
        group.put_consumer(no, &name, seen_ms, Some(active_ms).filter(|ms| *ms != NEVER));
        for _ in 0..from.u64()? {
            let id = load_pending_id(from)?;
            let (delivered_ms, deliveries) = pending.remove(id).ok_or(Error::BadData)?;
            group.put_pending(id, Nack { consumer: no, delivered_ms, deliveries });
        }
    }
    Ok(())
}
