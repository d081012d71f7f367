//! Service `plinth.zset/1`: sorted sets, for other modules; provided by whichever
//! module implements them.
//!
//! Members are handed out as bytes, in the order of their scores and then of their
//! bytes; the first has rank 0. Scores are never NaN.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const ZSET_SERVICE: &str = "plinth.zset/1";

/// Called by [`ZsetService::visit`] for each member; 0 ends the visit.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct VisitScored {
    /// The function.
    pub run: unsafe extern "C" fn(data: Opaque, member: Bytes, score: f64) -> u32,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct ZsetService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// How many members a sorted set has.
    ///
    /// Thread: main. Borrow: `key` for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub len: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_out: *mut usize) -> Status,
    /// A member's score.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE` for no such key or
    /// member, `WRONG_TYPE`.
    pub score: unsafe extern "C" fn(call: *mut Call, key: Bytes, member: Bytes, score_out: *mut f64) -> Status,
    /// Visit the members from rank `start` up to `stop`, which is excluded: in
    /// their order, or if `reverse` is 1 from `stop` down. Ranks beyond the last
    /// are left out. `visit` must not touch keys.
    ///
    /// Thread: main. Borrow: what `visit` gets, for that call. Fails: `NONE`,
    /// `WRONG_TYPE`.
    pub visit: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        start: usize,
        stop: usize,
        reverse: u32,
        visit: VisitScored,
        data: Opaque,
    ) -> Status,
    /// Add a member, or give it another score; makes the key if missing. The
    /// caller then says `modified`.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `WRONG_TYPE`,
    /// `OUT_OF_MEMORY`, `NOT_FLOAT` for NaN.
    pub add: unsafe extern "C" fn(call: *mut Call, key: Bytes, member: Bytes, score: f64) -> Status,
    /// Remove a member, and the key with its last. The caller then says
    /// `modified`.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE` for no such key or
    /// member, `WRONG_TYPE`.
    pub remove: unsafe extern "C" fn(call: *mut Call, key: Bytes, member: Bytes) -> Status,
}
