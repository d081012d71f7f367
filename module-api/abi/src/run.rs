//! Service `plinth.run/1`: running commands of any module from inside a module.

use crate::bytes::{Bytes, Opaque, Take};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// [`RunService::run`]: refuse commands that write.
pub const RUN_READ_ONLY: u32 = 1 << 0;
/// [`RunService::run`]: answer in RESP3 whatever the call speaks.
pub const RUN_RESP3: u32 = 1 << 1;

/// Id of the service below.
pub const RUN_SERVICE: &str = "plinth.run/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct RunService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// A handle of the command called `name`, which saves the look-up; null when
    /// there is none. It must be resolved again after a module was loaded or unloaded
    /// (a stale handle is recognised).
    ///
    /// Thread: main. Borrow: `name` for the call. Fails: null.
    pub resolve: unsafe extern "C" fn(call: *mut Call, name: Bytes) -> Opaque,
    /// Run a command in the call's database and hand its reply, as RESP bytes, to
    /// `take`. `command` is a handle or null. An error of the command is a
    /// reply like any other.
    ///
    /// Thread: main. Borrow: `reply` for `take`'s call. Fails: `NONE` for no such command,
    /// `NOT_ALLOWED` for one that may not be run from a module, `OUT_OF_RANGE` when calls nest too deep.
    pub run: unsafe extern "C" fn(
        call: *mut Call,
        command: Opaque,
        args: *const Bytes,
        argc: u32,
        flags: u32,
        take: Take,
        data: Opaque,
    ) -> Status,
}
