//! Service `plinth.timers/1`: calling back later, on the main thread.

use crate::bytes::Opaque;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const TIMERS_SERVICE: &str = "plinth.timers/1";

/// Called when a timer fires.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct Fire {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, data: Opaque),
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct TimersService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Call `fire` once, `delay_ms` from now. A timer that has not fired is removed
    /// with the module, without a call.
    ///
    /// Thread: main. Borrow: `data` until it fires or is stopped. Fails: never.
    pub start:
        unsafe extern "C" fn(call: *mut Call, delay_ms: u64, fire: Fire, data: Opaque, id_out: *mut u64) -> Status,
    /// Stop a timer of this module; `data_out`, unless null, gets its data back.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE` when it fired already.
    pub stop: unsafe extern "C" fn(call: *mut Call, id: u64, data_out: *mut Opaque) -> Status,
    /// Milliseconds until a timer fires.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE`.
    pub remaining: unsafe extern "C" fn(call: *mut Call, id: u64, remaining_ms_out: *mut u64) -> Status,
}
