//! Commands about the append-only file: BGREWRITEAOF, WAITAOF.

use crate::admin::spec::CoreCommand;
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::persist::aof::rewrite::{self, Begun};
use crate::persist::aof::{self, Aof, State};
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::call::CALL_NO_BLOCK;
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_NOT_INTEGER, STATUS_OK, Status};

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

/// The file here is synced at once, so that nobody waits for it. There are no replicas to wait for.
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
    let lasts = is_on && aof::sync_now(context.server());
    let mut reply = context.reply();
    reply.array(2);
    reply.integer(i64::from(lasts));
    reply.integer(0);
    STATUS_OK
}
