//! Service `plinth.loop/1`: being told when file descriptors of the module's own are ready.
//!
//! For sockets there is `plinth.socket/1`, where the host reads and writes. This is for all else that can be
//! waited for: pipes, `eventfd`, `inotify`, sockets of a library that insists on its own reading.

use crate::bytes::Opaque;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// There is something to read, or the other side has ended or failed, which a read finds out.
pub const LOOP_READ: u32 = 1 << 0;
/// It takes more, or has failed, which a write finds out.
pub const LOOP_WRITE: u32 = 1 << 1;
/// Most descriptors, sockets and child processes of a module together.
pub const LOOP_WATCHES_MAX: u32 = 4096;

/// Called when a descriptor is ready, between commands: no handler is on the stack. `ready` holds `LOOP_*`
/// bits, of those that were asked for. It is called again with the next turn of the loop while the
/// descriptor is ready still.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct FdReady {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, id: u64, ready: u32, data: Opaque),
}

/// Id of the service below.
pub const LOOP_SERVICE: &str = "plinth.loop/1";

/// The service's table. Descriptors are known by an id that the host gives, which is never used twice, because
/// the system gives the number of one that is closed to the next.
#[repr(C)]
#[derive(StableAbi)]
pub struct LoopService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Watch a descriptor, which stays the module's: it is to be removed before it is closed. `interest` holds
    /// `LOOP_*` bits; without any it rests. What is watched is removed with the module, without a call.
    ///
    /// Thread: main. Borrow: `data` until it is removed. Fails: `UNSUPPORTED` for what cannot be waited for,
    /// such as a file; `BAD_DATA` for what is no descriptor; `TOO_LARGE` beyond [`LOOP_WATCHES_MAX`]; `EXISTS`
    /// when it is watched already.
    pub add_fd: unsafe extern "C" fn(
        call: *mut Call,
        fd: i32,
        interest: u32,
        ready: FdReady,
        data: Opaque,
        id_out: *mut u64,
    ) -> Status,
    /// Ask for something else from now on.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE`.
    pub change_fd: unsafe extern "C" fn(call: *mut Call, id: u64, interest: u32) -> Status,
    /// Watch it no more; also within its own function, which is not called again.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE`.
    pub remove_fd: unsafe extern "C" fn(call: *mut Call, id: u64) -> Status,
}
