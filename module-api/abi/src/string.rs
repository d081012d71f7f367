//! Service `plinth.string/1`: strings, for other modules; provided by whichever
//! module implements them.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Room for the digits of any integer.
pub const STRING_SCRATCH_BYTES: usize = 24;

/// A length before a change: there was no such string.
pub const STRING_ABSENT: i64 = -1;

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
    /// bytes to at least `len_min`. The caller then says `modified`. The bytes may be
    /// written to, here and in what `open` and `resize` give: cast the `const` away.
    ///
    /// Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`. Fails:
    /// `WRONG_TYPE`, `OUT_OF_MEMORY`, `TOO_LARGE`.
    pub edit: unsafe extern "C" fn(call: *mut Call, key: Bytes, len_min: usize, bytes_out: *mut Bytes) -> Status,
    /// As `edit`, and tells what the string was before: `len_before_out` is its length, or
    /// [`STRING_ABSENT`]. Whoever finds that nothing was made or lengthened, and changes no
    /// byte, need not say `modified`. A string that is kept as an integer is turned into
    /// text all the same, which OBJECT ENCODING shows.
    ///
    /// Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`. Fails:
    /// `WRONG_TYPE`, `OUT_OF_MEMORY`, `TOO_LARGE`.
    pub open: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        len_min: usize,
        len_before_out: *mut i64,
        bytes_out: *mut Bytes,
    ) -> Status,
    /// A string's bytes to change in place, exactly `len` of them: made if missing, cut or
    /// lengthened with zero bytes; its expiry stays. `len_before_out` as of `open`. The
    /// caller then says `modified`.
    ///
    /// Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1`. Fails:
    /// `WRONG_TYPE`, `OUT_OF_MEMORY`, `TOO_LARGE`.
    pub resize: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        len: usize,
        len_before_out: *mut i64,
        bytes_out: *mut Bytes,
    ) -> Status,
    /// As `get`, but what was held before stays valid with it, as long as nothing but calls of
    /// this function and look-ups with [`crate::keys::GET_HOLD`] come in between: for
    /// reading several strings at one time. Each has a `scratch` of its own.
    ///
    /// Thread: main. Borrow: `bytes_out` as an entry of `plinth.keys/1` that was got with
    /// `GET_HOLD`, and while `scratch` lives. Fails: `NONE`, `WRONG_TYPE`.
    pub hold: unsafe extern "C" fn(call: *mut Call, key: Bytes, scratch: *mut u8, bytes_out: *mut Bytes) -> Status,
    /// As `get`, looked up with the `GET_*` flags of `plinth.keys/1`: with
    /// [`crate::keys::GET_WRITE`] for whoever may change the string after reading it, which
    /// counts neither as a hit nor as a miss.
    ///
    /// Thread: main. Borrow: as `get`, or with [`crate::keys::GET_HOLD`] as `hold`. Fails:
    /// `NONE`, `WRONG_TYPE`.
    pub get_with: unsafe extern "C" fn(
        call: *mut Call,
        key: Bytes,
        flags: u32,
        scratch: *mut u8,
        bytes_out: *mut Bytes,
    ) -> Status,
}
