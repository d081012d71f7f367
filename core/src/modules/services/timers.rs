//! `plinth.timers/1`: calling back later.

use crate::engine::call::Context;
use crate::registry::timers::Timer;
use plinth_abi::bytes::Opaque;
use plinth_abi::call::Call;
use plinth_abi::status::{STATUS_NONE, STATUS_OK, Status};
use plinth_abi::timers::{Fire, TimersService};
use std::time::Duration;

/// The table.
pub static TABLE: TimersService =
    TimersService { size: size_of::<TimersService>() as u32, reserved: 0, start, stop, remaining };

// Every function below is called by a loaded module with the call that runs, and with
// out-parameters that are writable or null.

unsafe extern "C" fn start(call: *mut Call, delay_ms: u64, fire: Fire, data: Opaque, id_out: *mut u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let server = context.server();
    let now = server.clock.instant();
    let id = server.registry.timers.start(now, Duration::from_millis(delay_ms), Timer { module, fire, data });
    if !id_out.is_null() {
        // SAFETY: see above.
        unsafe { id_out.write(id) };
    }
    STATUS_OK
}

unsafe extern "C" fn stop(call: *mut Call, id: u64, data_out: *mut Opaque) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let Some(timer) = context.server().registry.timers.stop(module, id) else { return STATUS_NONE };
    if !data_out.is_null() {
        // SAFETY: see above.
        unsafe { data_out.write(timer.data) };
    }
    STATUS_OK
}

unsafe extern "C" fn remaining(call: *mut Call, id: u64, remaining_ms_out: *mut u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let server = context.server();
    let now = server.clock.instant();
    let Some(left) = server.registry.timers.remaining(now, module, id) else { return STATUS_NONE };
    // SAFETY: see above.
    unsafe { remaining_ms_out.write(left.as_millis() as u64) };
    STATUS_OK
}
