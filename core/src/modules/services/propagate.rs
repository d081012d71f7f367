//! `plinth.propagate/1`: what replicas and the append-only file are told. A sink:
//! the decision is kept in the context and goes nowhere yet.

use crate::engine::call::Context;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::Call;
use plinth_abi::propagate::PropagateService;
use plinth_abi::status::{STATUS_NOT_ALLOWED, STATUS_OK, Status};

/// The table.
pub static TABLE: PropagateService =
    PropagateService { size: size_of::<PropagateService>() as u32, reserved: 0, instead, nothing };

// Both functions are called by a loaded module with the call that runs.

unsafe extern "C" fn instead(call: *mut Call, _args: *const Bytes, _argc: u32) -> Status {
    // SAFETY: see above.
    decide(unsafe { Context::of(call) }, 1)
}

unsafe extern "C" fn nothing(call: *mut Call) -> Status {
    // SAFETY: see above.
    decide(unsafe { Context::of(call) }, 2)
}

fn decide(context: &mut Context, propagation: u8) -> Status {
    if context.call.command.is_null() {
        return STATUS_NOT_ALLOWED;
    }
    context.propagation = propagation;
    STATUS_OK
}
