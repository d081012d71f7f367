//! `plinth.block/1`: waiting for keys, see [`crate::session::block`], and for threads, see
//! [`crate::session::resume`].

use crate::engine::call::Context;
use crate::registry::modules::Standing;
use crate::session::block::{Asked, Kept, key_of};
use plinth_abi::block::{BlockService, WAIT_NULL, WAIT_NULL_ARRAY, WAIT_REMOVAL, Wait};
use plinth_abi::bytes::Bytes;
use plinth_abi::call::{CALL_NO_BLOCK, CALL_RETRY, Call};
use plinth_abi::host::Host;
use plinth_abi::status::{
    STATUS_EXISTS, STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_MEMORY, STATUS_OUT_OF_RANGE,
    STATUS_UNSUPPORTED, Status,
};
use std::time::Duration;

/// The table.
pub static TABLE: BlockService =
    BlockService { size: size_of::<BlockService>() as u32, reserved: 0, wait, suspend, ticket, resume, is_waiting };

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
unsafe fn slices<'a>(first: *const Bytes, count: u32) -> impl Iterator<Item = &'a [u8]> + Clone {
    // SAFETY: promised by the caller.
    (0..count as usize).map(move |at| unsafe { (*first.add(at)).as_slice() })
}

/// Arguments for the next run, if a module has other ones. Fails where there is no memory for them.
///
/// # Safety
/// The arguments of `how` are valid for the call.
unsafe fn new_args(how: &Wait) -> Result<Option<Kept>, Status> {
    if how.args.is_null() {
        return Ok(None);
    }
    // SAFETY: promised by the caller.
    Kept::of(unsafe { slices(how.args, how.argc) }).map(Some).ok_or(STATUS_OUT_OF_MEMORY)
}

/// The client of a call that can wait.
fn waiting_client(context: &Context) -> Option<usize> {
    let may_wait = !context.call.command.is_null() && context.call.flags & CALL_NO_BLOCK == 0;
    context.client.filter(|_| may_wait)
}

/// What a first run asks for: no keys yet, and values of any type. Fails where there is no memory for its
/// arguments.
fn asked(context: &mut Context, how: &Wait, args: Option<Kept>) -> Result<Asked, Status> {
    let own = context.module;
    let (module, _) = context.server().current_of(own, 0);
    let own_args = |context: &Context| Kept::of((0..context.argc()).map(|at| context.arg(at)));
    Ok(Asked {
        keys: Vec::new(),
        ticket: 0,
        db: context.db,
        type_id: 0,
        removal: false,
        reply: how.reply,
        timeout: (how.timeout_ms > 0).then(|| Duration::from_millis(how.timeout_ms)),
        name: context.arg(0).to_vec(),
        module,
        args: args.or_else(|| own_args(context)).ok_or(STATUS_OUT_OF_MEMORY)?,
    })
}

// Those with a call are called by a loaded module with the call that runs, and with
// pointers valid for it.

unsafe extern "C" fn wait(call: *mut Call, keys: *const Bytes, count: u32, how: *const Wait) -> Status {
    // SAFETY: see above.
    let (context, how) = unsafe { (Context::of(call), read(how)) };
    let Some(token) = waiting_client(context) else { return STATUS_NOT_ALLOWED };
    if how.flags & !WAIT_REMOVAL != 0 || !matches!(how.reply, WAIT_NULL | WAIT_NULL_ARRAY) {
        return STATUS_UNSUPPORTED;
    }
    if count == 0 {
        return STATUS_OUT_OF_RANGE;
    }
    // SAFETY: see above.
    let args = match unsafe { new_args(&how) } {
        Ok(args) => args,
        Err(status) => return status,
    };
    if context.call.flags & CALL_RETRY != 0 {
        return match context.server().wait_again(token, args) {
            Some(true) => STATUS_OK,
            Some(false) => STATUS_EXISTS,
            None => STATUS_NOT_ALLOWED,
        };
    }
    if context.server().has_begun_to_wait(token) {
        return STATUS_EXISTS;
    }
    let own = context.module;
    let (_, type_id) = context.server().current_of(own, how.type_id);
    // SAFETY: see above.
    let Some(keys) = unsafe { slices(keys, count) }.map(key_of).collect() else { return STATUS_OUT_OF_MEMORY };
    let removal = how.flags & WAIT_REMOVAL != 0;
    let asked = match asked(context, &how, args) {
        Ok(asked) => Asked { keys, type_id, removal, ..asked },
        Err(status) => return status,
    };
    let mark = context.mark;
    context.server().begin_wait(token, asked, mark);
    STATUS_OK
}

unsafe extern "C" fn suspend(call: *mut Call, how: *const Wait, ticket_out: *mut u64) -> Status {
    // SAFETY: see above.
    let (context, how) = unsafe { (Context::of(call), read(how)) };
    let own = context.module;
    let is_inert =
        context.server().registry.modules.get(own).is_none_or(|module| module.standing == Standing::Nameless);
    let Some(token) = waiting_client(context).filter(|_| !is_inert) else { return STATUS_NOT_ALLOWED };
    if how.type_id != 0 || how.flags != 0 || !matches!(how.reply, WAIT_NULL | WAIT_NULL_ARRAY) {
        return STATUS_UNSUPPORTED;
    }
    // SAFETY: see above.
    let args = match unsafe { new_args(&how) } {
        Ok(args) => args,
        Err(status) => return status,
    };
    let ticket = if context.call.flags & CALL_RETRY != 0 {
        match context.server().suspend_again(token, args) {
            Ok(ticket) => ticket,
            Err(status) => return status,
        }
    } else {
        if context.server().has_begun_to_wait(token) {
            return STATUS_EXISTS;
        }
        let asked = match asked(context, &how, args) {
            Ok(asked) => asked,
            Err(status) => return status,
        };
        let client = context.call.client_id;
        let ticket = context.server().sessions.blocking.resumes.issue(client);
        let asked = Asked { ticket, ..asked };
        let mark = context.mark;
        context.server().begin_wait(token, asked, mark);
        ticket
    };
    // SAFETY: see above.
    unsafe { ticket_out.write(ticket) };
    STATUS_OK
}

unsafe extern "C" fn ticket(call: *mut Call, ticket_out: *mut u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let Some(token) = context.client.filter(|_| context.call.flags & CALL_RETRY != 0) else { return STATUS_NONE };
    let waiter = context.server().sessions.clients.peek(token).and_then(|client| client.blocked.as_ref());
    let Some(ticket) = waiter.and_then(|waiter| waiter.resumed()) else { return STATUS_NONE };
    // SAFETY: see above.
    unsafe { ticket_out.write(ticket) };
    STATUS_OK
}

unsafe extern "C" fn resume(host: *const Host, ticket: u64) -> Status {
    // SAFETY: the host is that of a loaded module; the tickets are shared between threads.
    let resumes = unsafe { crate::modules::services::resumes(host) };
    if resumes.resume(ticket) { STATUS_OK } else { STATUS_NONE }
}

unsafe extern "C" fn is_waiting(host: *const Host, ticket: u64) -> Status {
    // SAFETY: as in `resume`: a loaded module's host, and tickets that threads share.
    let resumes = unsafe { crate::modules::services::resumes(host) };
    if resumes.is_waiting(ticket) { STATUS_OK } else { STATUS_NONE }
}
