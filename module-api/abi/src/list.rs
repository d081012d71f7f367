//! Service `plinth.list/1`: lists, for other modules; provided by whichever
//! module implements them.
//!
//! What is only read counts neither as a hit nor as a miss of the keyspace: who serves a
//! command with it looks at the key once through `plinth.keys/1`.

use crate::bytes::{Bytes, Opaque, Take};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const LIST_SERVICE: &str = "plinth.list/1";

/// One end of a list: the one that position 0 is at.
pub const LIST_FRONT: u32 = 0;
/// One end of a list: the one that position -1 is at.
pub const LIST_BACK: u32 = 1;

/// Called with each element of a list in turn; `data` is what the asker gave.
/// Returns 0 to go on, anything else to end the visit. It must not touch keys.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct ListVisit {
    /// The function; the element is lent for this call.
    pub run: unsafe extern "C" fn(data: Opaque, element: Bytes) -> u32,
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct ListService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Number of a list's elements.
    ///
    /// Thread: main. Borrow: the key for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub len: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_out: *mut usize) -> Status,
    /// Visit the elements from position `start` to `stop`, both included; negative
    /// positions count from the end, as in LRANGE. Integers come as their digits.
    ///
    /// Thread: main. Borrow: the key for the call, what `function` gets
    /// for that call of it. Fails: `NONE`, `WRONG_TYPE`.
    pub visit: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        start: i64,
        stop: i64,
        function: ListVisit,
        data: Opaque,
    ) -> Status,
    /// Replace a key, whatever it held, by a list of these elements; its expiry
    /// goes. Announces the change under `event`. Without elements the key is
    /// removed, which is announced as `del` if it was there.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `OUT_OF_MEMORY`, `TOO_LARGE`.
    pub set:
        unsafe extern "C" fn(call: *mut Call, key: Bytes, elements: *const Bytes, count: usize, event: Bytes) -> Status,
    /// Add an element at one end, `LIST_FRONT` or `LIST_BACK`, making the list if
    /// there is none; announced as `lpush` or `rpush`. Writes how many there are
    /// then.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `WRONG_TYPE`, `OUT_OF_MEMORY`,
    /// `TOO_LARGE`.
    pub push:
        unsafe extern "C" fn(call: *mut Call, key: Bytes, element: Bytes, end: u32, len_out: *mut usize) -> Status,
    /// Hand the element at one end to `take` and take it away, and the key with its
    /// last; announced as `lpop` or `rpop`, and `del`. `take` must not touch keys.
    ///
    /// Thread: main. Borrow: what `take` gets, for that call. Fails: `NONE`,
    /// `WRONG_TYPE`.
    pub pop: unsafe extern "C" fn(call: *mut Call, key: Bytes, end: u32, take: Take, data: Opaque) -> Status,
}
