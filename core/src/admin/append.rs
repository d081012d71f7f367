//! Commands about the append-only file: BGREWRITEAOF, WAITAOF.

use crate::admin::spec::CoreCommand;
use crate::base::id::ModuleId;
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::persist::aof::rewrite::{self, Begun};
use crate::persist::aof::{self, Aof, State};
use crate::session::block::{Asked, Kept, WAIT_NOBODY};
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::call::{CALL_NO_BLOCK, CALL_RETRY};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_NOT_INTEGER, STATUS_OK, STATUS_OUT_OF_MEMORY, Status};
use std::time::Duration;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("bgrewriteaof"),
            arity: 1,
            flags: abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT,
            docs: &Docs {
                summary: Bytes::new("Rewrites the append-only file in the background."),
                since: Bytes::new("1.0.0"),
                group: Bytes::new("server"),
                complexity: Bytes::new("O(1)"),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        rewrite_in_background,
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
        wait,
    ),
];

fn rewrite_in_background(context: &mut Context) -> Status {
    // Within EXEC the moment would lie between two commands of one unit.
    let later = context.call.flags & CALL_NO_BLOCK != 0;
    match rewrite::request(context.server(), later) {
        Ok(Begun::Now) => context.reply().simple("Background append only file rewriting started"),
        Ok(Begun::Scheduled) => context.reply().simple("Background append only file rewriting scheduled"),
        Ok(Begun::Already) => {
            return context.error("ERR Background append only file rewriting already in progress");
        }
        Err(_) => {
            return context.error(
                "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
            );
        }
    }
    STATUS_OK
}

/// The thread syncs the file here as soon as it can, and has the client run again when all that was done before lasts.
/// There are no replicas to wait for.
fn wait(context: &mut Context) -> Status {
    let [local, replicas, timeout_ms] = [1, 2, 3].map(|at| parse_i64(context.arg(at)));
    let (Some(local), Some(replicas), Some(timeout_ms)) = (local, replicas, timeout_ms) else {
        return STATUS_NOT_INTEGER;
    };
    if !(0..=1).contains(&local) {
        return context.error("ERR value is out of range, value must between 0 and 1");
    }
    if replicas < 0 {
        return context.error("ERR value is out of range, must be positive");
    }
    if timeout_ms < 0 {
        return context.error("ERR timeout is negative");
    }
    let is_on = context.server().slots.peek::<Aof>().is_some_and(|aof| aof.state != State::Off);
    if local == 1 && !is_on {
        return context.error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
    }
    // Who is run again is so because it lasts, whatever others have written since.
    let lasts = is_on && (context.call.flags & CALL_RETRY != 0 || aof::lasts(context.server()));
    let may_wait = context.call.flags & (CALL_NO_BLOCK | CALL_RETRY) == 0;
    if local == 1 && !lasts && may_wait && context.client.is_some() {
        return begin_to_wait(context, timeout_ms.unsigned_abs());
    }
    let mut reply = context.reply();
    reply.array(2);
    reply.integer(i64::from(lasts));
    reply.integer(0);
    STATUS_OK
}

fn begin_to_wait(context: &mut Context, timeout_ms: u64) -> Status {
    let Some(token) = context.client else { return STATUS_OK };
    let Some(args) = Kept::of((0..context.argc()).map(|at| context.arg(at))) else { return STATUS_OUT_OF_MEMORY };
    let (client, db, name, mark) = (context.call.client_id, context.db, context.arg(0).to_vec(), context.mark);
    let server = context.server();
    let resumes = server.sessions.blocking.resumes.clone();
    let ticket = resumes.issue(client);
    let asked = Asked {
        keys: Vec::new(),
        ticket,
        db,
        type_id: 0,
        removal: false,
        reply: WAIT_NOBODY,
        timeout: (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms)),
        name,
        module: ModuleId::CORE,
        args,
    };
    server.begin_wait(token, asked, mark);
    aof::wait_for_sync(server, ticket, &resumes);
    STATUS_OK
}
