//! Service `plinth.hash/1`: hashes, for other modules; provided by whichever
//! module implements them.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Room for the digits of any integer.
pub const HASH_SCRATCH_BYTES: usize = 24;

/// Id of the service below.
pub const HASH_SERVICE: &str = "plinth.hash/1";

/// Called with each field of a hash in turn; `data` is what the asker gave.
/// Returns 0 to go on, anything else to end the visit. It must not touch keys.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct HashVisit {
    /// The function; both are lent for this call.
    pub run: unsafe extern "C" fn(data: Opaque, field: Bytes, value: Bytes) -> u32,
}

/// The service's table. A field whose time has passed is not there.
#[repr(C)]
#[derive(StableAbi)]
pub struct HashService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Number of a hash's fields, as HLEN counts them.
    ///
    /// Thread: main. Borrow: the key for the call. Fails: `NONE`, `WRONG_TYPE`.
    pub len: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_out: *mut usize) -> Status,
    /// A field's value. `scratch` has [`HASH_SCRATCH_BYTES`] bytes, for values
    /// that are kept as integers.
    ///
    /// Thread: main. Borrow: `value_out` as an entry of `plinth.keys/1`, and while
    /// `scratch` lives. Fails: `NONE` without such a key or field, `WRONG_TYPE`.
    pub get: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        field: Bytes,
        scratch: *mut u8,
        value_out: *mut Bytes,
    ) -> Status,
    /// Set a field, making the hash if there is none, and announce it as `hset`.
    /// The field's own expiry goes, that of the key stays.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `WRONG_TYPE`, `OUT_OF_MEMORY`.
    pub set: unsafe extern "C" fn(call: *mut Call, key: Bytes, field: Bytes, value: Bytes) -> Status,
    /// Visit all fields, in no particular order. Integers come as their digits.
    ///
    /// Thread: main. Borrow: the key for the call, what `function` gets
    /// for that call of it. Fails: `NONE`, `WRONG_TYPE`.
    pub visit: unsafe extern "C" fn(call: *mut Call, key: Bytes, function: HashVisit, data: Opaque) -> Status,
    /// Set a field unless it is there, making the hash if there is none, and
    /// announce it as `hset`.
    ///
    /// Thread: main. Borrow: all for the call. Fails: `EXISTS` for a field that is
    /// there, `WRONG_TYPE`, `OUT_OF_MEMORY`.
    pub set_absent: unsafe extern "C" fn(call: *mut Call, key: Bytes, field: Bytes, value: Bytes) -> Status,
    /// Remove a field, and the key with its last; announced as `hdel`, and `del`.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `NONE` without such a key or
    /// field, `WRONG_TYPE`.
    pub remove: unsafe extern "C" fn(call: *mut Call, key: Bytes, field: Bytes) -> Status,
}
