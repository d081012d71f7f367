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
use crate::error::{Error, Result, check, check_found};
use crate::keys::Keys;
use crate::panic::guard;
use crate::service::{Service, ServiceHandle, answer};
use std::ops::{ControlFlow, RangeInclusive};
use std::ptr::null;

pub use crate::abi::stream::{STREAM_SERVICE, StreamId, StreamService, StreamVisit};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for StreamService {
    const ID: &'static str = STREAM_SERVICE;
}

/// What looks at an entry: its id, and its names and values in turn.
pub type VisitEntry<'v> = dyn FnMut(StreamId, &[&[u8]]) -> ControlFlow<()> + 'v;

/// Streams, for a module that requires [`STREAM_SERVICE`].
pub struct Streams {
    handle: ServiceHandle<StreamService>,
}

impl Streams {
    /// A handle that `start` resolves.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Streams {
        Streams { handle: ServiceHandle::new() }
    }

    /// Looks the service up; for `start`. Fails with `Unsupported` when nobody provides it.
    pub fn resolve(&self, call: &Call<'_>) -> Result {
        self.handle.resolve(call)
    }

    /// Number of a stream's entries, or `None` when there is no such key. Fails with `WrongType`.
    pub fn len(&self, keys: &mut Keys<'_>, key: &[u8]) -> Result<Option<usize>> {
        let mut len = 0;
        // SAFETY: the call is valid, the key is borrowed for the call.
        let status = unsafe { (self.handle.table()?.len)(keys.as_raw(), Bytes::of(key), &mut len) };
        Ok(check_found(status)?.then_some(len))
    }

    /// The greatest id that a stream ever gave, or `None` when there is no such key. Fails with
    /// `WrongType`.
    pub fn last_id(&self, keys: &mut Keys<'_>, key: &[u8]) -> Result<Option<StreamId>> {
        let mut id = StreamId::default();
        // SAFETY: as in `len`.
        let status = unsafe { (self.handle.table()?.last_id)(keys.as_raw(), Bytes::of(key), &mut id) };
        Ok(check_found(status)?.then_some(id))
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
            let add = self.handle.table()?.add;
            add(keys.as_raw(), Bytes::of(key), given, fields.as_ptr(), fields.len(), &mut id_out)
        })?;
        Ok(id_out)
    }

    /// Hands the entries of a range of ids, the last one first if `reverse`, to `visit` until it
    /// breaks: the id, and names and values in turn. Returns whether there is such a key. Fails with
    /// `WrongType`, and with `Panic` when `visit` panicked.
    pub fn visit(
        &self,
        keys: &mut Keys<'_>,
        key: &[u8],
        ids: RangeInclusive<StreamId>,
        reverse: bool,
        visit: impl FnMut(StreamId, &[&[u8]]) -> ControlFlow<()>,
    ) -> Result<bool> {
        struct State<F> {
            visit: F,
            panicked: bool,
        }
        unsafe extern "C" fn run<F: FnMut(StreamId, &[&[u8]]) -> ControlFlow<()>>(
            data: Opaque,
            id: StreamId,
            fields: *const Bytes,
            count: usize,
        ) -> u32 {
            // SAFETY: `data` is the state of the `visit` on the stack, which nobody else uses now;
            // the `count` fields are lent for this call. A provider in C may say null for none.
            let (state, fields) = unsafe {
                let fields = if count == 0 { &[] } else { std::slice::from_raw_parts(fields, count) };
                (&mut *data.cast::<State<F>>(), fields)
            };
            let next = guard(|| {
                // SAFETY: the provider lends the bytes of the fields for this call.
                let fields: Vec<&[u8]> = fields.iter().map(|field| unsafe { field.as_slice() }).collect();
                (state.visit)(id, &fields)
            });
            state.panicked |= next.is_none();
            u32::from(next != Some(ControlFlow::Continue(())))
        }
        fn visitor<F: FnMut(StreamId, &[&[u8]]) -> ControlFlow<()>>(_: &State<F>) -> StreamVisit {
            StreamVisit { run: run::<F> }
        }
        let mut state = State { visit, panicked: false };
        let (function, data) = (visitor(&state), (&raw mut state).cast());
        let (from, to) = (*ids.start(), *ids.end());
        // SAFETY: the call is valid, the key is borrowed for the call, and the state fits the
        // function for it.
        let status = unsafe {
            let visit = self.handle.table()?.visit;
            visit(keys.as_raw(), Bytes::of(key), from, to, u32::from(reverse), function, data)
        };
        if state.panicked { Err(Error::Panic) } else { check_found(status) }
    }

    /// Removes entries and announces it; returns how many were there, or `None` when there is no such
    /// key. Fails with `WrongType`.
    pub fn remove(&self, keys: &mut Keys<'_>, key: &[u8], ids: &[StreamId]) -> Result<Option<usize>> {
        let mut removed = 0;
        // SAFETY: as in `len`; the ids are borrowed for the call.
        let status = unsafe {
            (self.handle.table()?.remove)(keys.as_raw(), Bytes::of(key), ids.as_ptr(), ids.len(), &mut removed)
        };
        Ok(check_found(status)?.then_some(removed))
    }

    /// Takes the first entries away until `keep` are left, or some more if `approximate`, and
    /// announces it; returns how many are gone, or `None` when there is no such key. Fails with
    /// `WrongType`.
    pub fn trim(&self, keys: &mut Keys<'_>, key: &[u8], keep: usize, approximate: bool) -> Result<Option<usize>> {
        let mut removed = 0;
        // SAFETY: as in `len`.
        let status = unsafe {
            let trim = self.handle.table()?.trim;
            trim(keys.as_raw(), Bytes::of(key), keep, u32::from(approximate), &mut removed)
        };
        Ok(check_found(status)?.then_some(removed))
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
    unsafe {
        answer(call, |call| {
            len_out.write(P::len(call, key.as_slice())?.ok_or(Error::None)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn last_id<P: StreamProvider>(
    call: *mut abi::call::Call,
    key: Bytes,
    id_out: *mut StreamId,
) -> Status {
    // SAFETY: as in `len`.
    unsafe {
        answer(call, |call| {
            id_out.write(P::last_id(call, key.as_slice())?.ok_or(Error::None)?);
            Ok(())
        })
    }
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
        answer(call, |call| {
            let fields = std::slice::from_raw_parts(fields, count);
            let fields = fields.iter().map(|field| field.as_slice());
            id_out.write(P::add(call, key.as_slice(), id.as_ref().copied(), fields)?);
            Ok(())
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
        answer(call, |call| {
            let mut room = Vec::new();
            let mut one = |id, fields: &[&[u8]]| {
                room.clear();
                room.extend(fields.iter().map(|field| Bytes::of(field)));
                match (function.run)(data, id, room.as_ptr(), room.len()) {
                    0 => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            };
            let found = P::visit(call, key.as_slice(), from..=to, reverse != 0, &mut one)?;
            if found { Ok(()) } else { Err(Error::None) }
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
        answer(call, |call| {
            let ids = if count == 0 { &[] } else { std::slice::from_raw_parts(ids, count) };
            removed_out.write(P::remove(call, key.as_slice(), ids)?.ok_or(Error::None)?);
            Ok(())
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
    unsafe {
        answer(call, |call| {
            removed_out.write(P::trim(call, key.as_slice(), keep, approximate != 0)?.ok_or(Error::None)?);
            Ok(())
        })
    }
}
