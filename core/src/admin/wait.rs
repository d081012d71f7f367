//! WAIT and WAITAOF: until what a client has written is elsewhere, or lasts.
//!
//! ```text
//!   WAIT      replicas have the stream up to the client's last change
//!   WAITAOF   it lasts here ── and then ── it lasts on replicas
//! ```
//!
//! A command that waits is run again by a ticket, when what it waits for has come, or its time is up.

use crate::admin::spec::CoreCommand;
use crate::base::id::ModuleId;
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::persist::aof::{self, Aof, State};
use crate::replication::wait;
use crate::session::block::{Asked, Kept, WAIT_AGAIN};
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::call::{CALL_NO_BLOCK, CALL_RETRY};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_NOT_INTEGER, STATUS_OK, Status};
use std::time::Duration;

/// What a WAITAOF for which all lasts here has in the place of its `numlocal`.
const LASTS: &[u8] = b"lasts";

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("wait"),
            arity: 3,
            flags: abi::COMMAND_BLOCKING,
            categories: abi::CATEGORY_CONNECTION,
            tips: Slice::new(&[Bytes::new("request_policy:all_shards"), Bytes::new("response_policy:agg_min")]),
            docs: &Docs {
                summary: Bytes::new("Waits until replicas have what the client has written."),
                since: Bytes::new("3.0.0"),
                group: Bytes::new("generic"),
                complexity: Bytes::new("O(1)"),
                args: Slice::new(&[Arg::new(abi::ARG_INTEGER, "numreplicas"), Arg::new(abi::ARG_INTEGER, "timeout")]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        wait_for_replicas,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("waitaof"),
            arity: 4,
            flags: abi::COMMAND_BLOCKING,
            categories: abi::CATEGORY_CONNECTION,
            tips: Slice::new(&[Bytes::new("request_policy:all_shards"), Bytes::new("response_policy:agg_min")]),
            docs: &Docs {
                summary: Bytes::new("Waits until what the client has written lasts in append-only files."),
                since: Bytes::new("7.2.0"),
                group: Bytes::new("generic"),
                complexity: Bytes::new("O(1)"),
                args: Slice::new(&[
                    Arg::new(abi::ARG_INTEGER, "numlocal"),
                    Arg::new(abi::ARG_INTEGER, "numreplicas"),
                    Arg::new(abi::ARG_INTEGER, "timeout"),
                ]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        wait_for_files,
    ),
];

/// A number of milliseconds, 0 for ever.
fn timeout(context: &mut Context, at: usize) -> Result<Option<Duration>, Status> {
    match parse_i64(context.arg(at)) {
        None => Err(context.error("ERR timeout is not an integer or out of range")),
        Some(..0) => Err(context.error("ERR timeout is negative")),
        Some(ms) => Ok((ms > 0).then(|| Duration::from_millis(ms.unsigned_abs()))),
    }
}

fn is_run_again(context: &Context) -> bool {
    context.call.flags & CALL_RETRY != 0
}

fn may_wait(context: &Context) -> bool {
    context.call.flags & (CALL_NO_BLOCK | CALL_RETRY) == 0 && context.client.is_some()
}

/// Wait from now on; the ticket by which the command is run again, if there is memory for what is kept of it.
pub(super) fn suspend(context: &mut Context, timeout: Option<Duration>) -> Option<u64> {
    let token = context.client?;
    let args = Kept::of((0..context.argc()).map(|at| context.arg(at)))?;
    let (client, db, name, mark) = (context.call.client_id, context.db, context.arg(0).to_vec(), context.mark);
    let server = context.server();
    let ticket = server.sessions.blocking.resumes.issue(client);
    let asked = Asked {
        keys: Vec::new(),
        ticket,
        db,
        type_id: 0,
        removal: false,
        reply: WAIT_AGAIN,
        timeout,
        name,
        module: ModuleId::CORE,
        args,
    };
    server.begin_wait(token, asked, mark);
    Some(ticket)
}

fn wait_for_replicas(context: &mut Context) -> Status {
    if context.server().registry.replication.is_replica() {
        return context.error(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.",
        );
    }
    let Some(wanted) = parse_i64(context.arg(1)) else { return STATUS_NOT_INTEGER };
    let timeout = match timeout(context, 2) {
        Ok(timeout) => timeout,
        Err(status) => return status,
    };
    let token = context.client;
    let server = context.server();
    let offset = wait::offset_of(server, token);
    let count = wait::count(server, offset, false);
    let wanted = usize::try_from(wanted).unwrap_or(0);
    if count < wanted
        && may_wait(context)
        && let Some(ticket) = suspend(context, timeout)
    {
        wait::wait(context.server(), ticket, offset, wanted, false);
        return STATUS_OK;
    }
    context.reply().integer(count as i64);
    STATUS_OK
}

/// The thread syncs the file here as soon as it can, and has the client run again when all that was done before
/// lasts; then replicas are waited for.
fn wait_for_files(context: &mut Context) -> Status {
    let lasts_already = is_run_again(context) && context.arg(1) == LASTS;
    let local = if lasts_already { Some(1) } else { parse_i64(context.arg(1)) };
    let (Some(local), Some(wanted)) = (local, parse_i64(context.arg(2))) else { return STATUS_NOT_INTEGER };
    if !(0..=1).contains(&local) {
        return context.error("ERR value is out of range, value must between 0 and 1");
    }
    let Ok(wanted) = usize::try_from(wanted) else {
        return context.error("ERR value is out of range, must be positive");
    };
    let timeout = match timeout(context, 3) {
        Ok(timeout) => timeout,
        Err(status) => return status,
    };
    if context.server().registry.replication.is_replica() {
        return context.error(
            "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.",
        );
    }
    let is_on = context.server().slots.peek::<Aof>().is_some_and(|aof| aof.state != State::Off);
    if local == 1 && !is_on {
        return context.error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
    }
    let token = context.client;
    let is_late = context.client().and_then(|client| client.blocked.as_ref()).is_some_and(|waiter| waiter.is_late);
    // Who is run again before its time is up is so because it lasts, whatever others have written since.
    let is_resumed = is_run_again(context) && !is_late && local == 1;
    let lasts = is_on && (lasts_already || is_resumed || aof::lasts(context.server()));
    let server = context.server();
    let offset = wait::offset_of(server, token);
    let count = wait::count(server, offset, true);
    let (lacks_local, lacks_replicas) = (local == 1 && !lasts, count < wanted);
    if !is_late
        && (lacks_local || lacks_replicas)
        && let Some(ticket) = wait_on(context, timeout, lasts)
    {
        let server = context.server();
        if lacks_local {
            let resumes = server.sessions.blocking.resumes.clone();
            aof::wait_for_sync(server, ticket, &resumes);
        } else {
            wait::wait(server, ticket, offset, wanted, true);
        }
        return STATUS_OK;
    }
    let mut reply = context.reply();
    reply.array(2);
    reply.integer(i64::from(lasts));
    reply.integer(count as i64);
    STATUS_OK
}

/// Wait, or wait on; the ticket, unless the caller may not wait.
fn wait_on(context: &mut Context, timeout: Option<Duration>, lasts: bool) -> Option<u64> {
    if !is_run_again(context) {
        return if may_wait(context) { suspend(context, timeout) } else { None };
    }
    let first: &[u8] = if lasts { LASTS } else { context.arg(1) };
    let words = [context.arg(0), first, context.arg(2), context.arg(3)];
    let args = Kept::of(words.into_iter())?;
    let token = context.client?;
    context.server().suspend_again(token, Some(args)).ok()
}
