//! Service `plinth.stream/1`: streams, for other modules; provided by whichever
//! module implements them.
//!
//! A stream is there until its key is removed, with or without entries. What a
//! command does to it through this service is passed on as the command says: one that has
//! an entry's id chosen passes on what came out.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const STREAM_SERVICE: &str = "plinth.stream/1";

/// An entry's id. Ids are ordered by the time, then by the number.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, StableAbi)]
pub struct StreamId {
    /// Unix time in ms, as a rule.
    pub ms: u64,
    /// Which entry of that millisecond, from 0 on.
    pub seq: u64,
}

/// Called with each entry of a range in turn; `data` is what the asker gave.
/// Returns 0 to go on, anything else to end the visit. It must not touch keys.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct StreamVisit {
    /// The function; `fields` are `count` names and values in turn, lent for this call.
    pub run: unsafe extern "C" fn(data: Opaque, id: StreamId, fields: *const Bytes, count: usize) -> u32,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct StreamService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Number of a stream's entries.
    ///
    /// Thread: main. Borrow: the key for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub len: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_out: *mut usize) -> Status,
    /// The greatest id that the stream ever gave, or that was set.
    ///
    /// Thread: main. Borrow: the key for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub last_id: unsafe extern "C" fn(call: *mut Call, key: Bytes, id_out: *mut StreamId) -> Status,
    /// Add an entry of `count` names and values in turn to a stream, which is made if it is
    /// not there; announced as `xadd`. `id` is the entry's, or null to have one of the
    /// clock and of what comes behind the last entry. The id is written to `id_out`.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `WRONG_TYPE`, `OUT_OF_MEMORY`;
    /// `OUT_OF_RANGE` for an id that is not behind `last_id`, and where none is left behind it;
    /// `ARITY` without fields or with half of one; `TOO_LARGE` for more than 1 GiB.
    pub add: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        id: *const StreamId,
        fields: *const Bytes,
        count: usize,
        id_out: *mut StreamId,
    ) -> Status,
    /// Visit the entries from id `from` to id `to`, both included; the last one first if
    /// `reverse` is not 0. Integers come as their digits.
    ///
    /// Thread: main. Borrow: the key for the call, what `function` gets
    /// for that call of it. Fails: `NONE`, `WRONG_TYPE`.
    pub visit: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        from: StreamId,
        to: StreamId,
        reverse: u32,
        function: StreamVisit,
        data: Opaque,
    ) -> Status,
    /// Remove `count` entries; how many were there is written to `removed_out`. Announced
    /// as `xdel` if there was one.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub remove: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        ids: *const StreamId,
        count: usize,
        removed_out: *mut usize,
    ) -> Status,
    /// Take the first entries away until `keep` are left; if `approximate` is not 0 some
    /// more may be kept, which costs less. How many are gone is written to `removed_out`.
    /// Announced as `xtrim` if there was one.
    ///
    /// Thread: main. Borrow: the key for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub trim: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        keep: usize,
        approximate: u32,
        removed_out: *mut usize,
    ) -> Status,
}
