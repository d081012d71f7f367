//! `plinth.loop/1`: being told when descriptors are ready.

use crate::engine::call::Context;
use crate::registry::watches::Watched;
use crate::socket::poller::Interests;
use plinth_abi::bytes::Opaque;
use plinth_abi::call::Call;
use plinth_abi::event_loop::{FdReady, LOOP_READ, LOOP_WRITE, LoopService};
use plinth_abi::status::{
    STATUS_BAD_DATA, STATUS_EXISTS, STATUS_NONE, STATUS_OK, STATUS_TOO_LARGE, STATUS_UNSUPPORTED, Status,
};
use std::io;

/// The table.
pub static TABLE: LoopService =
    LoopService { size: size_of::<LoopService>() as u32, reserved: 0, add_fd, change_fd, remove_fd };

fn interests(bits: u32) -> Interests {
    Interests { read: bits & LOOP_READ != 0, write: bits & LOOP_WRITE != 0 }
}

fn status(error: &io::Error) -> Status {
    match error.kind() {
        io::ErrorKind::QuotaExceeded => STATUS_TOO_LARGE,
        io::ErrorKind::PermissionDenied => STATUS_UNSUPPORTED,
        io::ErrorKind::AlreadyExists => STATUS_EXISTS,
        _ => STATUS_BAD_DATA,
    }
}

// Every function below is called by a loaded module with the call that runs, and with
// out-parameters that are writable or null.

unsafe extern "C" fn add_fd(
    call: *mut Call,
    fd: i32,
    interest: u32,
    ready: FdReady,
    data: Opaque,
    id_out: *mut u64,
) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let watched = Watched::Fd { fd, interests: interests(interest), ready, data };
    match context.server().registry.watches.add(module, watched) {
        Err(error) => status(&error),
        Ok(id) => {
            if !id_out.is_null() {
                // SAFETY: see above.
                unsafe { id_out.write(id) };
            }
            STATUS_OK
        }
    }
}

unsafe extern "C" fn change_fd(call: *mut Call, id: u64, interest: u32) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let is_own = context.server().registry.watches.change_fd(module, id, interests(interest));
    if is_own { STATUS_OK } else { STATUS_NONE }
}

unsafe extern "C" fn remove_fd(call: *mut Call, id: u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let watches = &mut context.server().registry.watches;
    match watches.own(module, id) {
        Some(Watched::Fd { .. }) => {
            watches.remove(id);
            STATUS_OK
        }
        _ => STATUS_NONE,
    }
}
