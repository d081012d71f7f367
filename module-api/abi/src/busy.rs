//! Service `plinth.busy/1`: a command that takes long has others served meanwhile.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// [`BusyService::give_way`]: others were served.
pub const BUSY_SERVED: u32 = 1 << 0;
/// [`BusyService::give_way`]: the command is to end as soon as it can, with an error: somebody has asked for it, or
/// the server stops.
pub const BUSY_END: u32 = 1 << 1;

/// Id of the service below.
pub const BUSY_SERVICE: &str = "plinth.busy/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct BusyService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Serve others once, if the command has run for so many milliseconds that they should be
    /// (`busy-reply-threshold`). Commands with `COMMAND_ALLOW_BUSY` that do not write run meanwhile, which may be
    /// this module's; all others are answered `refusal`, an error that begins with its code. So nothing of the
    /// module's may be borrowed, and no value of a key. No hook and no timer runs. Answers `BUSY_*` bits, 0 when
    /// nobody was served: in a hook, and in what runs meanwhile itself.
    ///
    /// Thread: main. Borrow: `refusal` for the call. Fails: never.
    pub give_way: unsafe extern "C" fn(call: *mut Call, running_ms: u64, refusal: Bytes) -> u32,
    /// For a command that runs meanwhile: the command that gives way is to end.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE` when no command gives way.
    pub end: unsafe extern "C" fn(call: *mut Call) -> Status,
}
