//! `plinth.events/1`: subscriptions.

use crate::engine::call::Context;
use plinth_abi::bytes::Opaque;
use plinth_abi::call::Call;
use plinth_abi::events::{EventsService, Hook, ON_SHUTDOWN};
use plinth_abi::status::{STATUS_NONE, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_UNSUPPORTED, Status};

/// The table.
pub static TABLE: EventsService =
    EventsService { size: size_of::<EventsService>() as u32, reserved: 0, subscribe, unsubscribe };

/// All `ON_*` bits that this host publishes; the last is the highest.
const KNOWN: u32 = ON_SHUTDOWN * 2 - 1;

// Both functions are called by a loaded module with the call that runs.

unsafe extern "C" fn subscribe(call: *mut Call, kinds: u32, hook: Hook, data: Opaque, id_out: *mut u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    if kinds == 0 || kinds & !KNOWN != 0 {
        return STATUS_UNSUPPORTED;
    }
    let module = context.module;
    let Some(id) = context.server().registry.hooks.add(module, kinds, hook, data) else { return STATUS_OUT_OF_RANGE };
    context.server().observe();
    if !id_out.is_null() {
        // SAFETY: a writable place of the module.
        unsafe { id_out.write(id) };
    }
    STATUS_OK
}

unsafe extern "C" fn unsubscribe(call: *mut Call, id: u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let was_there = context.server().registry.hooks.remove(module, id);
    context.server().observe();
    if was_there { STATUS_OK } else { STATUS_NONE }
}
