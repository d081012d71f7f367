//! `plinth.block/1`: waiting for keys; see [`crate::command::block`].

use crate::command::block::{Asked, Kept};
use crate::module::context::Context;
use plinth_abi::block::{BlockService, WAIT_NULL, WAIT_NULL_ARRAY, WAIT_REMOVAL, Wait};
use plinth_abi::bytes::Bytes;
use plinth_abi::call::{CALL_NO_BLOCK, CALL_RETRY, Call};
use plinth_abi::status::{
    STATUS_EXISTS, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_UNSUPPORTED, Status,
};
use std::time::Duration;

/// The table.
pub static TABLE: BlockService = BlockService { size: size_of::<BlockService>() as u32, reserved: 0, wait };

/// What a module asked for: its struct, as far as it goes, and zeroes for the rest.
///
/// # Safety
/// `how` points at a struct that begins with its size.
unsafe fn read(how: *const Wait) -> Wait {
    let mut wait = Wait {
        size: 0,
        type_id: 0,
        flags: 0,
        reply: WAIT_NULL,
        timeout_ms: 0,
        args: std::ptr::null(),
        argc: 0,
        reserved: 0,
    };
    // SAFETY: promised by the caller; no more is read than both have, and zeroes are
    // values of every field.
    unsafe {
        let size = how.cast::<u32>().read_unaligned().min(size_of::<Wait>() as u32);
        std::ptr::copy_nonoverlapping(how.cast::<u8>(), (&raw mut wait).cast::<u8>(), size as usize);
    }
    wait
}

/// Byte strings of a module, for the time of its call.
///
/// # Safety
/// `first` points at `count` of them, which are valid for the call.
unsafe fn slices<'a>(first: *const Bytes, count: u32) -> impl Iterator<Item = &'a [u8]> {
    // SAFETY: promised by the caller.
    (0..count as usize).map(move |at| unsafe { (*first.add(at)).as_slice() })
}

// Called by a loaded module with the call that runs, and with pointers valid for it.
unsafe extern "C" fn wait(call: *mut Call, keys: *const Bytes, count: u32, how: *const Wait) -> Status {
    // SAFETY: see above.
    let (context, how) = unsafe { (Context::of(call), read(how)) };
    let Some(token) = context.client else { return STATUS_NOT_ALLOWED };
    if context.call.command.is_null() || context.call.flags & CALL_NO_BLOCK != 0 {
        return STATUS_NOT_ALLOWED;
    }
    if how.flags & !WAIT_REMOVAL != 0 || !matches!(how.reply, WAIT_NULL | WAIT_NULL_ARRAY) {
        return STATUS_UNSUPPORTED;
    }
    if count == 0 {
        return STATUS_OUT_OF_RANGE;
    }
    // SAFETY: see above.
    let args = (!how.args.is_null()).then(|| Kept::of(unsafe { slices(how.args, how.argc) }));
    if context.call.flags & CALL_RETRY != 0 {
        return if context.server().wait_again(token, args) { STATUS_OK } else { STATUS_EXISTS };
    }
    if context.server().has_begun_to_wait(token) {
        return STATUS_EXISTS;
    }
    let own = context.module;
    let (module, type_id) = context.server().current_of(own, how.type_id);
    let asked = Asked {
        // SAFETY: see above.
        keys: unsafe { slices(keys, count) }.map(<[u8]>::to_vec).collect(),
        db: context.call.db,
        type_id,
        removal: how.flags & WAIT_REMOVAL != 0,
        reply: how.reply,
        timeout: (how.timeout_ms > 0).then(|| Duration::from_millis(how.timeout_ms)),
        name: context.arg(0).to_vec(),
        module,
        args: args.unwrap_or_else(|| Kept::of((0..context.argc()).map(|at| context.arg(at)))),
    };
    let mark = context.mark;
    context.server().begin_wait(token, asked, mark);
    STATUS_OK
}
