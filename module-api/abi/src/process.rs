//! Service `plinth.process/1`: running other programs, and being told of their end.

use crate::bytes::{Bytes, Opaque, Slice};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Called once when a program has ended, between commands: `code` is what it has ended with, or if a signal has
/// ended it minus that signal's number.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct ProcessEnded {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, process: u64, code: i32, data: Opaque),
}

/// Id of the service below.
pub const PROCESS_SERVICE: &str = "plinth.process/1";

/// The service's table. Programs are known by ids, never used twice. Those that still run when the module goes
/// are killed. They count against `LOOP_WATCHES_MAX` of `plinth.loop/1`.
#[repr(C)]
#[derive(StableAbi)]
pub struct ProcessService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Run a program: its path and arguments, of which there is at least the path. It has nothing to read, and
    /// writes where the server does.
    ///
    /// Thread: main. Borrow: `words` for the call, `data` until it has ended. Fails: `BAD_DATA` for no words or
    /// one with a zero byte; `NONE` when the system cannot run it; `TOO_LARGE` when there are too many.
    pub spawn: unsafe extern "C" fn(
        call: *mut Call,
        words: Slice<Bytes>,
        ended: ProcessEnded,
        data: Opaque,
        process_out: *mut u64,
    ) -> Status,
    /// Send a signal to a program that was run; `ended` is called for it all the same.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE` when it has ended, `BAD_DATA` for what is no signal.
    pub signal: unsafe extern "C" fn(call: *mut Call, process: u64, signal: i32) -> Status,
    /// The number that the system has for a program, until it has ended.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE` when it has ended.
    pub pid: unsafe extern "C" fn(call: *mut Call, process: u64, pid_out: *mut u32) -> Status,
}
