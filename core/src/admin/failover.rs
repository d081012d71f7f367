//! FAILOVER.

use crate::admin::spec::CoreCommand;
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use crate::replication::failover::{self, Wish};
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_NOT_INTEGER, STATUS_OK, Status};
use std::time::Duration;

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::new(
    Command {
        name: Bytes::new("failover"),
        arity: -1,
        flags: abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_STALE,
        docs: &Docs {
            summary: Bytes::new("Gives the role of the primary to a replica, once it has all data."),
            since: Bytes::new("6.2.0"),
            group: Bytes::new("server"),
            complexity: Bytes::new("O(1)"),
            args: Slice::new(&[
                Arg::group(
                    abi::ARG_BLOCK,
                    "target",
                    &[
                        Arg::new(abi::ARG_STRING, "host"),
                        Arg::new(abi::ARG_INTEGER, "port"),
                        Arg::word("force", "FORCE").flags(abi::ARG_OPTIONAL),
                    ],
                )
                .token("TO")
                .flags(abi::ARG_OPTIONAL),
                Arg::word("abort", "ABORT").flags(abi::ARG_OPTIONAL),
                Arg::new(abi::ARG_INTEGER, "milliseconds").token("TIMEOUT").flags(abi::ARG_OPTIONAL),
            ]),
            ..Docs::NEW
        },
        ..Command::NEW
    },
    run,
)];

fn run(context: &mut Context) -> Status {
    if context.argc() == 2 && context.arg_is(1, "ABORT") {
        if !failover::is_running(context.server()) {
            return context.error("ERR No failover in progress.");
        }
        failover::abort(context.server(), "Failover manually aborted");
        return context.ok();
    }
    let mut wish = Wish::default();
    let mut at = 1;
    while at < context.argc() {
        let left = context.argc() - at - 1;
        if context.arg_is(at, "TIMEOUT") && left >= 1 && wish.timeout.is_none() {
            let Some(ms) = parse_i64(context.arg(at + 1)) else { return STATUS_NOT_INTEGER };
            if ms <= 0 {
                return context.error("ERR FAILOVER timeout must be greater than 0");
            }
            wish.timeout = Some(Duration::from_millis(ms.unsigned_abs()));
            at += 2;
        } else if context.arg_is(at, "TO") && left >= 2 && wish.target.is_none() {
            let Some(port) = parse_i64(context.arg(at + 2)) else { return STATUS_NOT_INTEGER };
            wish.is_nowhere = u16::try_from(port).is_err();
            wish.target = Some((context.arg_text(at + 1).into_owned(), u16::try_from(port).unwrap_or(0)));
            at += 3;
        } else if context.arg_is(at, "FORCE") && !wish.force {
            wish.force = true;
            at += 1;
        } else {
            return context.error("ERR syntax error");
        }
    }
    match failover::begin(context.server(), wish) {
        Ok(()) => {
            context.ok();
            STATUS_OK
        }
        Err(text) => context.error(text),
    }
}
