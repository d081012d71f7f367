//! `plinth.busy/1`: a command that takes long has others served meanwhile.

use crate::engine::busy::Gave;
use crate::engine::call::Context;
use plinth_abi::busy::{BUSY_END, BUSY_SERVED, BusyService};
use plinth_abi::bytes::Bytes;
use plinth_abi::call::Call;
use plinth_abi::status::{STATUS_NONE, STATUS_OK, Status};

/// The table.
pub static TABLE: BusyService = BusyService { size: size_of::<BusyService>() as u32, reserved: 0, give_way, end };

// Every function below is called by a loaded module with the call that runs, and with a text valid for the call.

unsafe extern "C" fn give_way(call: *mut Call, running_ms: u64, refusal: Bytes) -> u32 {
    // SAFETY: see above.
    let (context, refusal) = unsafe { (Context::of(call), refusal.as_slice()) };
    let client = context.client;
    // What was handed out may be gone.
    context.last = None;
    match context.server().give_way(client, running_ms, &String::from_utf8_lossy(refusal)) {
        Gave::Not => 0,
        Gave::Way => BUSY_SERVED,
        Gave::End => BUSY_SERVED | BUSY_END,
    }
}

unsafe extern "C" fn end(call: *mut Call) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    if context.server().end_busy() { STATUS_OK } else { STATUS_NONE }
}
