//! `plinth.propagate/1`: what replicas and the append-only file are told; see
//! [`crate::engine::propagate`].

use crate::engine::call::Context;
use crate::registry::propagation::Propagation;
use crate::wire::command;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::Call;
use plinth_abi::propagate::{PROPAGATE_TO_FILE, PROPAGATE_TO_REPLICAS, PropagateService};
use plinth_abi::status::{STATUS_DB_RANGE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_UNSUPPORTED, Status};

/// The table.
pub static TABLE: PropagateService =
    PropagateService { size: size_of::<PropagateService>() as u32, reserved: 0, instead, nothing, before, also };

// All functions are called by a loaded module with the call that runs, and with arguments valid for
// the call.

unsafe extern "C" fn instead(call: *mut Call, args: *const Bytes, argc: u32) -> Status {
    // SAFETY: see above.
    let (context, args) = unsafe { (Context::of(call), words(args, argc)) };
    if context.call.command.is_null() {
        let db = context.db;
        return context.server().tell_outside(db, &args);
    }
    decide(context, |propagation| propagation.instead(&args))
}

unsafe extern "C" fn nothing(call: *mut Call) -> Status {
    // SAFETY: see above.
    decide(unsafe { Context::of(call) }, Propagation::nothing)
}

unsafe extern "C" fn before(call: *mut Call, args: *const Bytes, argc: u32) -> Status {
    // SAFETY: see above.
    let (context, args) = unsafe { (Context::of(call), words(args, argc)) };
    let (is_outside, db) = (context.call.command.is_null(), context.db);
    let server = context.server();
    if is_outside {
        return if server.is_told_outside() { STATUS_OK } else { STATUS_NOT_ALLOWED };
    }
    if server.store.effects.wants_commands {
        server.store.effects.propagate_words(db, args.iter().copied());
    }
    STATUS_OK
}

unsafe extern "C" fn also(call: *mut Call, db: u32, args: *const Bytes, argc: u32, targets: u32) -> Status {
    const ALL: u32 = PROPAGATE_TO_FILE | PROPAGATE_TO_REPLICAS;
    // SAFETY: see above.
    let (context, args) = unsafe { (Context::of(call), words(args, argc)) };
    let is_outside = context.call.command.is_null();
    let server = context.server();
    if targets == 0 || targets & !ALL != 0 {
        return STATUS_UNSUPPORTED;
    }
    if db as usize >= server.store.databases.len() {
        return STATUS_DB_RANGE;
    }
    if is_outside && !server.is_told_outside() {
        return STATUS_NOT_ALLOWED;
    }
    if server.stream.is_running && targets & PROPAGATE_TO_REPLICAS != 0 {
        // The primary has said so too: it comes by itself.
        return STATUS_OK;
    }
    if server.store.effects.wants_commands {
        server.propagation.also.push(((db, command::encode(&args)), targets));
    }
    STATUS_OK
}

/// # Safety
/// `args` names so many arguments, which are valid for as long as the words are used.
unsafe fn words<'a>(args: *const Bytes, argc: u32) -> Vec<&'a [u8]> {
    // SAFETY: promised by the caller.
    (0..argc as usize).map(|at| unsafe { (*args.add(at)).as_slice() }).collect()
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
