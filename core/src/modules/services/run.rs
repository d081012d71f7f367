//! `plinth.run/1`: running commands from inside a module.
//!
//! A handle is a number that the command table gave out; see
//! [`CommandTable::resolve`](crate::engine::call::CommandTable::resolve). One from
//! before a module came or went is recognised, and the name is looked up again.

use crate::acl::log::Place;
use crate::base::clock::ticks;
use crate::command::status::OUT_OF_MEMORY;
use crate::engine::call::{Context, Registered, Run};
use crate::engine::dispatch::Caller;
use crate::engine::server::Server;
use crate::modules::services::acl::{Whom, whom};
use crate::modules::services::fill::fill;
use crate::wire::node::{Node, read_node};
use plinth_abi::bytes::{Bytes, Opaque, Take};
use plinth_abi::call::{CALL_NESTED, CALL_NO_BLOCK, Call};
use plinth_abi::command::{COMMAND_MAY_REPLICATE, COMMAND_NO_SCRIPT, COMMAND_STALE, COMMAND_WRITE};
use plinth_abi::propagate::{PROPAGATE_TO_FILE, PROPAGATE_TO_REPLICAS};
use plinth_abi::run::{
    NODE_ARRAY, NODE_BIG_NUMBER, NODE_BOOLEAN, NODE_BULK, NODE_DOUBLE, NODE_ERROR, NODE_INTEGER, NODE_MAP, NODE_NULL,
    NODE_PUSH, NODE_SET, NODE_SIMPLE, NODE_VERBATIM, RUN_ALLOW_OOM, RUN_EFFECT, RUN_READ_ONLY, RUN_RESP2, RUN_RESP3,
    RUN_UNTOLD, RUN_UNTOLD_FILE, RUN_UNTOLD_REPLICAS, ReplyNode, RunRequest, RunService,
};
use plinth_abi::status::{
    STATUS_BAD_DATA, STATUS_NONE, STATUS_NOT_ALLOWED, STATUS_OK, STATUS_OUT_OF_RANGE, STATUS_UNSUPPORTED, Status,
};

/// The table.
pub static TABLE: RunService =
    RunService { size: size_of::<RunService>() as u32, reserved: 0, resolve, run, run_as, read, may_begin };

/// Deepest nesting of commands run by commands.
const DEPTH_MAX: u32 = 16;

// The functions are called by a loaded module with the call that runs, and with
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
    let before = server.enter_part(within_command);
    answer(context, flags, take, data, |server, caller| {
        // SAFETY: nothing has run since the table gave the pointer.
        unsafe { server.run_found(found, args, caller) };
    });
    context.server().leave_part(before);
    STATUS_OK
}

unsafe extern "C" fn run_as(
    call: *mut Call,
    command: Opaque,
    args: *const Bytes,
    argc: u32,
    request: *mut RunRequest,
    take: Take,
    data: Opaque,
) -> Status {
    if argc == 0 {
        return STATUS_NONE;
    }
    // SAFETY: see above; no request is shorter than this one.
    let (context, args, request) =
        unsafe { (Context::of(call), std::slice::from_raw_parts(args, argc as usize), &mut *request) };
    let status = run_for_script(context, command, args, request, take, data);
    if status != STATUS_OK {
        // It is an error to the script, which has no reply.
        context.server().stats.count_error("ERR");
    }
    status
}

fn run_for_script(
    context: &mut Context,
    command: Opaque,
    args: &[Bytes],
    request: &mut RunRequest,
    take: Take,
    data: Opaque,
) -> Status {
    request.command_flags = 0;
    // SAFETY: see above.
    let (name, user) = unsafe { (args[0].as_slice(), request.user.as_slice()) };
    let Some(whom) = whom(context, user) else { return STATUS_UNSUPPORTED };
    let server = context.server();
    if server.depth >= DEPTH_MAX {
        return STATUS_OUT_OF_RANGE;
    }
    let Some(found) = server.commands.resolved(command as usize).or_else(|| server.commands.find(name)) else {
        return STATUS_NONE;
    };
    // SAFETY: the table has just given the pointer.
    let command = match server.named(unsafe { &*found }, args) {
        Ok(command) => command,
        Err(status) => return status,
    };
    let flags = request.flags;
    request.command_flags = command.spec.flags;
    let refusal = match refusal(context, &whom, command, args, flags) {
        Ok(refusal) => refusal,
        Err(status) => {
            context.server().count_refused(command);
            return status;
        }
    };
    if refusal.is_some() {
        // What is refused has not written, whatever it is.
        request.command_flags = 0;
    }
    let server = context.server();
    let before = (flags & RUN_EFFECT == 0).then(|| server.enter_part(true));
    let changed_before = server.store.dirty;
    let untold_before = std::mem::replace(&mut server.store.effects.untold, untold(flags));
    let db_before = select(context, None);
    answer(context, flags, take, data, |server, caller| match &refusal {
        Some(text) => drop(server.nested_error(Some(command), text, &caller)),
        None => run_now(server, command, args, caller),
    });
    // A SELECT is the script's own: what it has run goes on there, and its client stays where it was.
    if let Some(db) = select(context, db_before) {
        (context.db, context.call.db) = (db, db);
    }
    let server = context.server();
    server.store.effects.untold = untold_before;
    if let Some(before) = before {
        server.leave_part(before);
    }
    if flags & RUN_UNTOLD != 0 {
        // What has been told already is no longer the caller's to tell.
        let changed = server.store.dirty.wrapping_sub(changed_before);
        server.store.effects.propagated = server.store.effects.propagated.wrapping_add(changed);
    }
    STATUS_OK
}

fn run_now(server: &mut Server, command: &Registered, args: &[Bytes], caller: Caller) {
    if server.stream.is_running {
        server.stream_time(command, args);
    }
    // What the script has done since its last command is none of this one's time.
    server.last_ticks = ticks();
    let looked_at = std::mem::replace(&mut server.scripted_depth, server.depth);
    server.run(command, args, None, Caller { flags: caller.flags | CALL_NO_BLOCK, ..caller });
    server.scripted_depth = looked_at;
}

/// Who is not told of what a command changes, by its request's flags: `PROPAGATE_TO_*`.
fn untold(flags: u32) -> u32 {
    let of = |flag, targets| if flags & flag == 0 { 0 } else { targets };
    of(RUN_UNTOLD_FILE, PROPAGATE_TO_FILE) | of(RUN_UNTOLD_REPLICAS, PROPAGATE_TO_REPLICAS)
}

/// Why a command does not run in a script: an error of its own, or a status.
fn refusal(
    context: &mut Context,
    whom: &Whom,
    command: &Registered,
    args: &[Bytes],
    flags: u32,
) -> Result<Option<Vec<u8>>, Status> {
    let more = context.server().allows_scripts_more && matches!(command.run, Run::Core(_));
    if command.is(COMMAND_NO_SCRIPT) && !more {
        return Err(STATUS_NOT_ALLOWED);
    }
    if let Some(denied) = denial(context, whom, command, args) {
        return Ok(Some(denied));
    }
    if let Some(text) = context.server().refused_to_replica(command.spec.flags, true) {
        return Ok(Some(text.into()));
    }
    // What may be passed on counts as a write: a script that only reads runs on while writes wait (CLIENT PAUSE).
    if flags & RUN_READ_ONLY != 0 && command.is(COMMAND_WRITE | COMMAND_MAY_REPLICATE) {
        return Err(STATUS_NOT_ALLOWED);
    }
    if let Some(text) = refused_write(context.server(), command.spec.flags) {
        return Ok(Some(text.into()));
    }
    let lacks_memory = flags & RUN_ALLOW_OOM == 0 && context.server().lacks_memory_for(command.spec.flags);
    Ok(lacks_memory.then(|| OUT_OF_MEMORY.into()))
}

/// Why nothing that writes may run now, if it writes; what is run again was not refused.
fn refused_write(server: &Server, flags: u64) -> Option<&str> {
    let is_again = server.is_quiet || server.stream.is_running;
    if flags & COMMAND_WRITE == 0 || is_again { None } else { server.registry.standing.write_refusal() }
}

unsafe extern "C" fn may_begin(call: *mut Call, command_flags: u64, take: Take, data: Opaque) -> Status {
    // SAFETY: called by a loaded module with the call that runs.
    let context = unsafe { Context::of(call) };
    let server = context.server();
    let is_again = server.is_quiet || server.stream.is_running;
    let text = if !is_again && server.lacks_memory_for(command_flags) {
        Some(OUT_OF_MEMORY)
    } else {
        refused_write(server, command_flags)
            .or(server.refused_to_replica(command_flags | COMMAND_STALE, false))
            .or(server.refused_to_replica(command_flags, false))
    };
    let Some(text) = text else {
        show(context);
        return STATUS_OK;
    };
    // SAFETY: the module's function with the module's data, and a text for the call.
    unsafe { (take.run)(data, Bytes::of(text.as_bytes())) };
    STATUS_NOT_ALLOWED
}

/// A script begins: its command is shown to clients that watch, before those that it runs.
fn show(context: &mut Context) {
    let Call { args, argc, .. } = context.call;
    let (token, server) = (context.client, context.server());
    if !server.sessions.monitors.is_empty() && argc > 0 {
        // SAFETY: the call's arguments are there as long as it is.
        let args = unsafe { std::slice::from_raw_parts(args, argc as usize) };
        server.show_script(args, token);
    }
}

/// What a script is told that may not run a command for a user, which is noted as its client's doing.
fn denial(context: &mut Context, whom: &Whom, command: &Registered, args: &[Bytes]) -> Option<Vec<u8>> {
    let &Whom::User(id) = whom else { return None };
    let (token, db) = (context.client, context.db);
    let server = context.server();
    if server.acl.users.get(id).may_all() {
        return None;
    }
    let denial = server.may_run(id, command, args, db, false).err()?;
    let text = denial.text(&server.acl.users.get(id).name, &command.name);
    if let Some(token) = token {
        server.deny(token, command, args, denial, Place::Script);
    }
    Some([b"ERR ACL failure in script: ", text.as_slice()].concat())
}

/// Put the client of a call into a database, by default that of the call; in which it was.
fn select(context: &mut Context, db: Option<u32>) -> Option<u32> {
    let db = db.unwrap_or(context.db);
    context.client().map(|client| std::mem::replace(&mut client.db, db))
}

/// Have a command run in the stead of the call's, one deeper, and its reply taken.
fn answer(context: &mut Context, flags: u32, take: Take, data: Opaque, run: impl FnOnce(&mut Server, Caller)) {
    let (db, resp, client, client_id) = (context.db, context.call.resp as u8, context.client, context.call.client_id);
    context.last = None;
    let server = context.server();
    let mut output = std::mem::take(&mut server.sink);
    let resp = match flags & (RUN_RESP2 | RUN_RESP3) {
        RUN_RESP3 => 3,
        RUN_RESP2 => 2,
        _ => resp,
    };
    let client = client.map(|token| (token, client_id));
    let caller = Caller { client, output: &raw mut output, db, resp, flags: CALL_NESTED };
    let begin = output.mark();
    server.depth += 1;
    run(server, caller);
    server.depth -= 1;
    let copy = if output.since(begin).is_none() { output.copy_after(begin) } else { Vec::new() };
    let reply = output.since(begin).unwrap_or(&copy);
    // SAFETY: the module's function with the module's data; the output is nobody else's until it is put back.
    unsafe { (take.run)(data, Bytes::of(reply)) };
    output.rewind(begin);
    context.server().sink = output;
}

unsafe extern "C" fn read(reply: Bytes, at: *mut usize, node_out: *mut ReplyNode) -> Status {
    // SAFETY: the module lends the bytes, and both places for the call.
    let (bytes, at) = unsafe { (reply.as_slice(), &mut *at) };
    let Some((node, behind)) = read_node(bytes, *at) else { return STATUS_BAD_DATA };
    *at = behind;
    let mut out = ReplyNode { size: 0, kind: 0, count: 0, integer: 0, number: 0.0, text: Bytes::EMPTY };
    let (kind, text) = match node {
        Node::Null => (NODE_NULL, &[][..]),
        Node::Error(text) => (NODE_ERROR, text),
        Node::Simple(text) => (NODE_SIMPLE, text),
        Node::Bulk(text) => (NODE_BULK, text),
        Node::Integer(integer, digits) => {
            out.integer = integer;
            (NODE_INTEGER, digits)
        }
        Node::Double(number, digits) => {
            out.number = number;
            (NODE_DOUBLE, digits)
        }
        Node::Boolean(value) => {
            out.integer = i64::from(value);
            (NODE_BOOLEAN, &[][..])
        }
        Node::BigNumber(digits) => (NODE_BIG_NUMBER, digits),
        Node::Verbatim(text) => (NODE_VERBATIM, text),
        Node::Several(sign, count) => {
            out.count = count as u64;
            let kind = match sign {
                b'*' => NODE_ARRAY,
                b'~' => NODE_SET,
                b'%' => NODE_MAP,
                _ => NODE_PUSH,
            };
            (kind, &[][..])
        }
    };
    (out.kind, out.text) = (kind, Bytes::of(text));
    // SAFETY: the module says by the size how much room there is.
    unsafe { fill(node_out, out) };
    STATUS_OK
}
