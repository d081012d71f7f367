//! `plinth.run/1`: running commands from inside a module.
//!
//! A handle is a number that the command table gave out; see
//! [`CommandTable::resolve`](crate::engine::call::CommandTable::resolve). One from
//! before a module came or went is recognised, and the name is looked up again.

use crate::engine::call::Context;
use crate::engine::dispatch::Caller;
use crate::socket::output::Output;
use plinth_abi::bytes::{Bytes, Opaque, Take};
use plinth_abi::call::{CALL_NESTED, Call};
use plinth_abi::command::{COMMAND_NO_SCRIPT, COMMAND_WRITE};
use plinth_abi::run::{RUN_READ_ONLY, RUN_RESP3, RunService};
use plinth_abi::status::{STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_RANGE, Status};

/// The table.
pub static TABLE: RunService = RunService { size: size_of::<RunService>() as u32, reserved: 0, resolve, run };

/// Deepest nesting of commands run by commands.
const DEPTH_MAX: u32 = 16;

// Both functions are called by a loaded module with the call that runs, and with
// arguments valid for the call.

unsafe extern "C" fn resolve(call: *mut Call, name: Bytes) -> Opaque {
    // SAFETY: see above.
    let (context, name) = unsafe { (Context::of(call), name.as_slice()) };
    let commands = &mut context.server().commands;
    commands.resolve(name).map_or(std::ptr::null_mut(), |handle| handle as Opaque)
}

unsafe extern "C" fn run(
    call: *mut Call,
    command: Opaque,
    args: *const Bytes,
    argc: u32,
    flags: u32,
    take: Take,
    data: Opaque,
) -> Status {
    if argc == 0 {
        return STATUS_NONE;
    }
    // SAFETY: see above.
    let (context, args) = unsafe { (Context::of(call), std::slice::from_raw_parts(args, argc as usize)) };
    let (db, resp, client, client_id) = (context.db, context.call.resp, context.client, context.call.client_id);
    context.last = None;
    let within_command = !context.call.command.is_null();
    let server = context.server();
    if server.depth >= DEPTH_MAX {
        return STATUS_OUT_OF_RANGE;
    }
    // SAFETY: see above.
    let found =
        server.commands.resolved(command as usize).or_else(|| server.commands.find_any(unsafe { args[0].as_slice() }));
    let Some(found) = found else { return STATUS_NONE };
    // SAFETY: the table has just given the pointer.
    let command = unsafe { &*found };
    if command.is(COMMAND_NO_SCRIPT) || flags & RUN_READ_ONLY != 0 && command.is(COMMAND_WRITE) {
        return STATUS_NOT_ALLOWED;
    }
    let mut output = Output::default();
    let caller = Caller {
        client: client.map(|token| (token, client_id)),
        output: &raw mut output,
        db,
        resp: if flags & RUN_RESP3 != 0 { 3 } else { resp as u8 },
        flags: CALL_NESTED,
    };
    let begin = output.mark();
    server.depth += 1;
    let before = server.enter_part(within_command);
    // SAFETY: nothing has run since the table gave the pointer.
    unsafe { server.run_found(found, args, caller) };
    server.leave_part(before);
    server.depth -= 1;
    let reply = output.copy_after(begin);
    // SAFETY: the module's function with the module's data.
    unsafe { (take.run)(data, Bytes::of(&reply)) };
    STATUS_OK
}
