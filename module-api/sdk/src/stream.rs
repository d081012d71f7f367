//! Streams of whichever module implements them: the safe side of `plinth.stream/1`, for those who
//! use it and for the one who provides it.
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::stream::{STREAM_SERVICE, Streams};
//!
//! static STREAMS: Streams = Streams::new();
//! const MODULE: Module = Module { requires: &[STREAM_SERVICE], start: Some(start), ..Module::NEW };
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     STREAMS.resolve(call)
//! }
//!
//! // LOG.SAY key text
//! fn say(call: &mut Call<'_>) -> Result {
//!     let (key, text) = (call.args.bytes(1), call.args.bytes(2));
//!     let id = STREAMS.add(&mut call.keys, key, None, &[b"text", text])?;
//!     let id = format!("{}-{}", id.ms, id.seq);
//!     call.propagate.instead(&[b"XADD", key, id.as_bytes(), b"text", text])?;
//!     call.reply.bulk(id);
//!     Ok(())
//! }
//! ```
//!
//! The module that has streams implements [`StreamProvider`] and lists
//! `provided(&TABLE)`, where `static TABLE: StreamService = table::<ItsProvider>();`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::status::Status;
use crate::call::Call;
use crate::error::{Error, Result, check};
use crate::keys::Keys;
use crate::service::{Service, answer_found, answer_value, asking, face};
use crate::visit::{next, turn, visiting};
use std::ops::{ControlFlow, RangeInclusive};
use std::ptr::null;

pub use crate::abi::stream::{STREAM_SERVICE, StreamId, StreamService, StreamVisit};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for StreamService {
    const ID: &'static str = STREAM_SERVICE;
}

/// What looks at an entry: its id, and its names and values in turn.
pub type VisitEntry<'v> = dyn FnMut(StreamId, &[&[u8]]) -> ControlFlow<()> + 'v;

face! {
    /// Streams, for a module that requires [`STREAM_SERVICE`].
    Streams, StreamService,
    /// Number of a stream's entries, or `None` when there is no such key. Fails with `WrongType`.
    len
}

impl Streams {
    /// The greatest id that a stream ever gave, or `None` when there is no such key. Fails with
    /// `WrongType`.
    pub fn last_id(&self, keys: &mut Keys<'_>, key: &[u8]) -> Result<Option<StreamId>> {
        let (table, key) = (self.handle.table()?, Bytes::of(key));
        // SAFETY: the call is valid, the key is borrowed for the call.
        asking(|id| unsafe { (table.function(|table| table.last_id))(keys.as_raw(), key, id) })
    }

    /// Adds an entry of names and values in turn to a stream, which is made if it is not there, and
    /// announces it. Without an id it gets one of the clock, behind the last entry. Returns the id.
    /// Fails with `WrongType`, `OutOfMemory`, with `OutOfRange` for an id that is not behind the last
    /// one, with `Arity` without fields or with half of one, and with `TooLarge`.
    pub fn add(&self, keys: &mut Keys<'_>, key: &[u8], id: Option<StreamId>, fields: &[&[u8]]) -> Result<StreamId> {
        let fields: Vec<Bytes> = fields.iter().map(|field| Bytes::of(field)).collect();
        let given = id.as_ref().map_or(null(), |id| &raw const *id);
        let mut id_out = StreamId::default();
        // SAFETY: the call is valid; all are borrowed for the call.
        check(unsafe {
            let add = self.handle.table()?.function(|table| table.add);
            add(keys.as_raw(), Bytes::of(key), given, fields.as_ptr(), fields.len(), &mut id_out)
        })?;
        Ok(id_out)
    }

    /// Hands the entries of a range of ids, the last one first if `reverse`, to `visit` until it
    /// breaks: the id, and names and values in turn. Returns whether there is such a key. Fails with
    /// `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit<F: FnMut(StreamId, &[&[u8]]) -> ControlFlow<()>>(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        ids: RangeInclusive<StreamId>,
        reverse: bool,
        visit: F,
    ) -> Result<bool> {
        unsafe extern "C" fn run<F: FnMut(StreamId, &[&[u8]]) -> ControlFlow<()>>(
            data: Opaque,
            id: StreamId,
            fields: *const Bytes,
            count: usize,
        ) -> u32 {
            // SAFETY: the `count` fields are lent for this call. A provider in C may say null for none.
            let fields = unsafe { if count == 0 { &[] } else { std::slice::from_raw_parts(fields, count) } };
            let lend = |visit: &mut F| {
                // SAFETY: the provider lends the bytes of the fields for this call.
                let fields: Vec<&[u8]> = fields.iter().map(|field| unsafe { field.as_slice() }).collect();
                visit(id, &fields)
            };
            // SAFETY: the data is that of the visit below.
            let next = unsafe { turn(data, lend) };
            u32::from(next != Some(ControlFlow::Continue(())))
        }
        let (visitor, table) = (StreamVisit { run: run::<F> }, self.handle.table()?);
        let (call, key, reverse) = (keys.as_raw(), Bytes::of(key), u32::from(reverse));
        let (from, to) = (*ids.start(), *ids.end());
        // SAFETY: the call is valid, the key is borrowed for the call, and the data fits the function.
        visiting(visit, |data| unsafe {
            (table.function(|table| table.visit))(call, key, from, to, reverse, visitor, data)
        })
    }

    /// Removes entries and announces it; returns how many were there, or `None` when there is no such
    /// key. Fails with `WrongType`.
    pub fn remove(&self, keys: &mut Keys<'_>, key: &[u8], ids: &[StreamId]) -> Result<Option<usize>> {
        let (table, key) = (self.handle.table()?, Bytes::of(key));
        // SAFETY: as in `last_id`; the ids are borrowed for the call.
        asking(|removed| unsafe {
            (table.function(|table| table.remove))(keys.as_raw(), key, ids.as_ptr(), ids.len(), removed)
        })
    }

    /// Takes the first entries away until `keep` are left, or some more if `approximate`, and
    /// announces it; returns how many are gone, or `None` when there is no such key. Fails with
    /// `WrongType`.
    pub fn trim(&self, keys: &mut Keys<'_>, key: &[u8], keep: usize, approximate: bool) -> Result<Option<usize>> {
        let (table, key) = (self.handle.table()?, Bytes::of(key));
        // SAFETY: as in `last_id`.
        asking(|removed| unsafe {
            (table.function(|table| table.trim))(keys.as_raw(), key, keep, u32::from(approximate), removed)
        })
    }
}

/// What the module that has streams does for the others. Where there is no such key, the answer is
/// `None`.
pub trait StreamProvider: 'static {
    /// Number of entries.
    fn len(call: &mut Call<'_>, key: &[u8]) -> Result<Option<usize>>;

    /// The greatest id that was ever given.
    fn last_id(call: &mut Call<'_>, key: &[u8]) -> Result<Option<StreamId>>;

    /// Adds an entry of names and values in turn, of which there are some, and announces it; returns
    /// its id.
    fn add<'f>(
        call: &mut Call<'_>,
        key: &[u8],
        id: Option<StreamId>,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
    ) -> Result<StreamId>;

    /// Hands the entries of a range of ids to `visit` until it breaks. Returns whether there is such a
    /// key.
    fn visit(
        call: &mut Call<'_>,
        key: &[u8],
        ids: RangeInclusive<StreamId>,
        reverse: bool,
        visit: &mut VisitEntry<'_>,
    ) -> Result<bool>;

    /// Removes entries and announces it; returns how many were there.
    fn remove(call: &mut Call<'_>, key: &[u8], ids: &[StreamId]) -> Result<Option<usize>>;

    /// Takes the first entries away until `keep` are left, or some more; returns how many are gone.
    fn trim(call: &mut Call<'_>, key: &[u8], keep: usize, approximate: bool) -> Result<Option<usize>>;
}

/// The table of a provider, for [`provided`](crate::service::provided).
pub const fn table<P: StreamProvider>() -> StreamService {
    StreamService {
        size: size_of::<StreamService>() as u32,
        reserved: 0,
        len: len::<P>,
        last_id: last_id::<P>,
        add: add::<P>,
        visit: visit::<P>,
        remove: remove::<P>,
        trim: trim::<P>,
    }
}

unsafe extern "C" fn len<P: StreamProvider>(call: *mut abi::call::Call, key: Bytes, len_out: *mut usize) -> Status {
    // SAFETY: the caller keeps to the table's comments: a valid call, a key for the call, room for
    // the result.
    unsafe { answer_value(call, len_out, |call| P::len(call, key.as_slice())) }
}

unsafe extern "C" fn last_id<P: StreamProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    id_out: *mut StreamId,
) -> Status {
    // SAFETY: as in `len`.
    unsafe { answer_value(call, id_out, |call| P::last_id(call, key.as_slice())) }
}

unsafe extern "C" fn add<P: StreamProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    id: *const StreamId,
    fields: *const Bytes,
    count: usize,
    id_out: *mut StreamId,
) -> Status {
    if count == 0 || !count.is_multiple_of(2) {
        return Error::Arity.status();
    }
    // SAFETY: as in `len`; there are `count` fields, and an id unless it is null, all lent for the
    // call.
    unsafe {
        answer_value(call, id_out, |call| {
            let fields = std::slice::from_raw_parts(fields, count);
            let fields = fields.iter().map(|field| field.as_slice());
            P::add(call, key.as_slice(), id.as_ref().copied(), fields).map(Some)
        })
    }
}

unsafe extern "C" fn visit<P: StreamProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    from: StreamId,
    to: StreamId,
    reverse: u32,
    function: StreamVisit,
    data: Opaque,
) -> Status {
    // SAFETY: as in `len`; the function fits its data.
    unsafe {
        answer_found(call, |call| {
            let mut room = Vec::new();
            let mut one = |id, fields: &[&[u8]]| {
                room.clear();
                room.extend(fields.iter().map(|field| Bytes::of(field)));
                next((function.run)(data, id, room.as_ptr(), room.len()))
            };
            P::visit(call, key.as_slice(), from..=to, reverse != 0, &mut one)
        })
    }
}

unsafe extern "C" fn remove<P: StreamProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    ids: *const StreamId,
    count: usize,
    removed_out: *mut usize,
) -> Status {
    // SAFETY: as in `len`; there are `count` ids, lent for the call.
    unsafe {
        answer_value(call, removed_out, |call| {
            let ids = if count == 0 { &[] } else { std::slice::from_raw_parts(ids, count) };
            P::remove(call, key.as_slice(), ids)
        })
    }
}

unsafe extern "C" fn trim<P: StreamProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    keep: usize,
    approximate: u32,
    removed_out: *mut usize,
) -> Status {
    // SAFETY: as in `len`.
    unsafe { answer_value(call, removed_out, |call| P::trim(call, key.as_slice(), keep, approximate != 0)) }
}
