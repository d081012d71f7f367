//! Service `plinth.string/1`: strings, for other modules; provided by whichever
//! module implements them.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Room for the digits of any integer.
pub const STRING_SCRATCH_BYTES: usize = 24;

/// Id of the service below.
pub const STRING_SERVICE: &str = "plinth.string/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct StringService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A string's bytes. `scratch` has [`STRING_SCRATCH_BYTES`] bytes, for values
    /// that are kept as integers.
    ///
    /// Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`, and while
    /// `scratch` lives. Fails: `NONE`, `WRONG_TYPE`.
    pub get: unsafe extern "C" fn(call: *mut Call, key: Bytes, scratch: *mut u8, bytes_out: *mut Bytes) -> Status,
    /// Set a key to a string, whatever it held; takes its expiry away.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `OUT_OF_MEMORY`, `TOO_LARGE`.
    pub set: unsafe extern "C" fn(call: *mut Call, key: Bytes, bytes: Bytes) -> Status,
    /// A string's bytes to change in place, made if missing, lengthened with zero
    /// bytes to at least `len_min`. The caller then says `modified`.
    ///
    /// Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`. Fails:
    /// `WRONG_TYPE`, `OUT_OF_MEMORY`, `TOO_LARGE`.
    pub edit: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_min: usize, bytes_out: *mut Bytes) -> Status,
}
