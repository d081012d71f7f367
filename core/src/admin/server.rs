//! Commands about the server: TIME, SHUTDOWN, and what several families share.

use crate::admin::spec::{CoreCommand, about};
use crate::engine::call::Context;
use crate::replication::farewell::{self, Outcome};
use crate::settings::durability::Shutdown;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::call::CALL_RETRY;
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};

const FAILED: &str = "ERR Errors trying to SHUTDOWN. Check logs.";
const GROUP: Bytes = Bytes::new("server");

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("time"),
            arity: 1,
            flags: abi::COMMAND_LOADING | abi::COMMAND_STALE | abi::COMMAND_FAST,
            tips: Slice::new(&[Bytes::new("nondeterministic_output")]),
            docs: &about("Tells the server's time: Unix seconds and microseconds.", "2.6.0", GROUP, "O(1)"),
            ..Command::NEW
        },
        time,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("shutdown"),
            arity: -1,
            flags: abi::COMMAND_ADMIN
                | abi::COMMAND_NO_SCRIPT
                | abi::COMMAND_LOADING
                | abi::COMMAND_STALE
                | abi::COMMAND_NO_MULTI
                | abi::COMMAND_ALLOW_BUSY,
            docs: &Docs {
                summary: Bytes::new("Stops the server."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new(
                    "O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)",
                ),
                args: Slice::new(&[
                    Arg::group(
                        abi::ARG_ONE_OF,
                        "save-selector",
                        &[Arg::word("nosave", "NOSAVE"), Arg::word("save", "SAVE")],
                    )
                    .flags(abi::ARG_OPTIONAL),
                    Arg::word("now", "NOW").flags(abi::ARG_OPTIONAL).since("7.0.0"),
                    Arg::word("force", "FORCE").flags(abi::ARG_OPTIONAL).since("7.0.0"),
                    Arg::word("abort", "ABORT").flags(abi::ARG_OPTIONAL).since("7.0.0"),
                ]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        shutdown,
    ),
];

fn time(context: &mut Context) -> Status {
    let us = crate::base::clock::unix_us();
    let mut reply = context.reply();
    reply.array(2);
    reply.bulk((us / 1_000_000).to_string());
    reply.bulk((us % 1_000_000).to_string());
    STATUS_OK
}

fn shutdown(context: &mut Context) -> Status {
    let (mut how, mut abort) = (Shutdown::default(), false);
    for at in 1..context.argc() {
        match context.arg(at).to_ascii_lowercase().as_slice() {
            b"save" => how.save = true,
            b"nosave" => how.nosave = true,
            b"now" => how.now = true,
            b"force" => how.force = true,
            b"abort" => abort = true,
            _ => return context.error("ERR syntax error"),
        }
    }
    if how.save && how.nosave || abort && context.argc() > 2 {
        return context.error("ERR syntax error");
    }
    // Run again, it has waited for replicas in vain: else there would be nobody to run it.
    if context.call.flags & CALL_RETRY != 0 {
        return context.error(FAILED);
    }
    if abort {
        if !farewell::abort(context.server()) && !crate::base::signals::cancel_stop() {
            return context.error("ERR No shutdown in progress.");
        }
        crate::base::log::notice("Shutdown manually aborted.");
        return context.ok();
    }
    // What is saved would be half of what goes on.
    if let Some(busy) = context.server().registry.standing.busy.clone().filter(|_| !how.nosave) {
        return context.error(busy.refusal);
    }
    match farewell::stop(context.server(), how, false) {
        Outcome::Fails => return context.error(FAILED),
        Outcome::Waits => {
            if let Some(ticket) = crate::admin::wait::suspend(context, None) {
                farewell::wait(context.server(), ticket);
            }
            return STATUS_OK;
        }
        Outcome::Stops => {}
    }
    if let Some(client) = context.client() {
        client.closing = crate::session::client::Closing::Now;
    }
    STATUS_OK
}

/// Write the reply of a HELP subcommand.
pub fn help(context: &mut Context, command: &str, lines: &[&str]) -> Status {
    let mut reply = context.reply();
    reply.array(lines.len() + 3);
    reply.simple(&format!("{command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Print this help.");
    STATUS_OK
}
