//! `plinth.propagate/1`: what replicas and the append-only file are told; see
//! [`crate::engine::propagate`].

use crate::engine::call::Context;
use crate::registry::propagation::Propagation;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::Call;
use plinth_abi::propagate::PropagateService;
use plinth_abi::status::{STATUS_NOT_ALLOWED, STATUS_OK, Status};

/// The table.
pub static TABLE: PropagateService =
    PropagateService { size: size_of::<PropagateService>() as u32, reserved: 0, instead, nothing };

// Both functions are called by a loaded module with the call that runs, and with arguments valid for
// the call.

unsafe extern "C" fn instead(call: *mut Call, args: *const Bytes, argc: u32) -> Status {
    // SAFETY: see above.
    let (context, args) = unsafe { (Context::of(call), words(args, argc)) };
    decide(context, |propagation| {
        // SAFETY: see above.
        let words: Vec<&[u8]> = args.iter().map(|arg| unsafe { arg.as_slice() }).collect();
        propagation.instead(&words);
    })
}

unsafe extern "C" fn nothing(call: *mut Call) -> Status {
    // SAFETY: see above.
    decide(unsafe { Context::of(call) }, Propagation::nothing)
}

/// # Safety
/// `args` names so many arguments, which are valid for as long as the slice is used.
unsafe fn words<'a>(args: *const Bytes, argc: u32) -> &'a [Bytes] {
    if argc == 0 {
        return &[];
    }
    // SAFETY: promised by the caller.
    unsafe { std::slice::from_raw_parts(args, argc as usize) }
}

/// Take up what a handler says, if anybody is told.
fn decide(context: &mut Context, say: impl FnOnce(&mut Propagation)) -> Status {
    if context.call.command.is_null() {
        return STATUS_NOT_ALLOWED;
    }
    let server = context.server();
    if server.store.effects.wants_commands {
        say(&mut server.propagation);
    }
    STATUS_OK
}
