//! `plinth.events/1`: subscriptions.

use crate::engine::call::Context;
use crate::registry::hooks::ALL_CLASSES;
use plinth_abi::bytes::Opaque;
use plinth_abi::call::Call;
use plinth_abi::events::{EventsService, Hook, ON_KEY, ON_UNIT};
use plinth_abi::status::{STATUS_NONE, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_UNSUPPORTED, Status};

/// The table.
pub static TABLE: EventsService =
    EventsService { size: size_of::<EventsService>() as u32, reserved: 0, subscribe, unsubscribe, subscribe_keys };

/// All `ON_*` bits that this host publishes; the last is the highest.
const KNOWN: u32 = ON_UNIT * 2 - 1;

// Every function below is called by a loaded module with the call that runs.

unsafe extern "C" fn subscribe(call: *mut Call, kinds: u32, hook: Hook, data: Opaque, id_out: *mut u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    if kinds == 0 || kinds & !KNOWN != 0 {
        return STATUS_UNSUPPORTED;
    }
    // SAFETY: see above.
    unsafe { add(context, kinds, ALL_CLASSES, hook, data, id_out) }
}

unsafe extern "C" fn subscribe_keys(
    call: *mut Call,
    classes: u32,
    hook: Hook,
    data: Opaque,
    id_out: *mut u64,
) -> Status {
    if classes == 0 {
        return STATUS_UNSUPPORTED;
    }
    // SAFETY: see above.
    unsafe { add(Context::of(call), ON_KEY, classes, hook, data, id_out) }
}

/// # Safety
/// As of the functions of the table.
unsafe fn add(context: &mut Context, kinds: u32, classes: u32, hook: Hook, data: Opaque, id_out: *mut u64) -> Status {
    let module = context.module;
    let added = context.server().registry.hooks.add(module, kinds, classes, hook, data);
    let Some(id) = added else { return STATUS_OUT_OF_RANGE };
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
