//! Service `plinth.mode/1`: a module makes the server one of another kind, which does something else than keep
//! data: it has fewer commands, and some of them are the module's.

use crate::bytes::{Bytes, Slice};
use crate::call::Call;
use crate::command::Command;
use crate::status::Status;
use abi_stable::StableAbi;

/// What the server is to be.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Mode {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// What `redis_mode` of INFO and `mode` of HELLO say.
    pub name: Bytes,
    /// Names of the commands that stay, in lower case. Others are unknown, whoever has them.
    pub commands: Slice<Bytes>,
    /// Commands that take the place of others of their names.
    pub instead: Slice<Command>,
    /// Names of the sections that INFO shows, in lower case: of the host's, and of the module's own, which are
    /// shown under their own names and with their fields as they are.
    pub sections: Slice<Bytes>,
}

/// Id of the service below.
pub const MODE_SERVICE: &str = "plinth.mode/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct ModeService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Make the server one of this kind, from the end of the module's load until the module goes. For `start`.
    ///
    /// Thread: main. Borrow: `mode` for the call; what it names is constant. Fails: `EXISTS` when it is of a
    /// kind already, `NOT_ALLOWED` outside `start`, `BAD_DATA` for a command without a name or a function.
    pub set: unsafe extern "C" fn(call: *mut Call, mode: *const Mode) -> Status,
}
