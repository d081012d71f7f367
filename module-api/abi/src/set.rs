//! Service `plinth.set/1`: sets, for other modules; provided by whichever module
//! implements them.
//!
//! Members are handed out as bytes; one that is kept as an integer as its digits.
//!
//! What is only read counts neither as a hit nor as a miss of the keyspace: who serves a
//! command with it looks at the key once through `plinth.keys/1`.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const SET_SERVICE: &str = "plinth.set/1";

/// Called by [`SetService::visit`] for each member; 0 ends the visit.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct VisitMember {
    /// The function.
    pub run: unsafe extern "C" fn(data: Opaque, member: Bytes) -> u32,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct SetService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// How many members a set has.
    ///
    /// Thread: main. Borrow: `key` for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub len: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_out: *mut usize) -> Status,
    /// Whether a set has a member: 1 or 0.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE` for no such key, `WRONG_TYPE`.
    pub contains: unsafe extern "C" fn(call: *mut Call, key: Bytes, member: Bytes, contains_out: *mut u32) -> Status,
    /// Visit each member once, in no particular order. `visit` must not touch keys.
    ///
    /// Thread: main. Borrow: what `visit` gets, for that call. Fails: `NONE`, `WRONG_TYPE`.
    pub visit: unsafe extern "C" fn(call: *mut Call, key: Bytes, visit: VisitMember, data: Opaque) -> Status,
}
