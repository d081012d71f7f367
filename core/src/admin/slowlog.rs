//! SLOWLOG: the last commands that took long.

use crate::admin::spec::{CoreCommand, about};
use crate::base::number::parse_i64;
use crate::engine::call::Context;
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::command::{self as abi, Arg, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};

const FLAGS: u64 = abi::COMMAND_ADMIN | abi::COMMAND_LOADING | abi::COMMAND_STALE;
const GROUP: Bytes = Bytes::new("server");
/// Entries that are shown when nothing is said of how many.
const SHOWN: usize = 10;

/// The command.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::container(
    Command {
        name: Bytes::new("slowlog"),
        arity: -2,
        docs: &about("Shows and forgets the commands that took long.", "2.2.12", GROUP, "Depends on subcommand."),
        ..Command::NEW
    },
    None,
    &[
        CoreCommand::new(
            Command {
                name: Bytes::new("get"),
                arity: -2,
                flags: FLAGS,
                tips: Slice::new(&[Bytes::new("request_policy:all_nodes"), Bytes::new("nondeterministic_output")]),
                docs: &Docs {
                    summary: Bytes::new("Shows the last entries of the slow log."),
                    since: Bytes::new("2.2.12"),
                    group: GROUP,
                    complexity: Bytes::new("O(N) where N is the number of entries returned"),
                    args: Slice::new(&[Arg::new(abi::ARG_INTEGER, "count").flags(abi::ARG_OPTIONAL)]),
                    ..Docs::NEW
                },
                ..Command::NEW
            },
            get,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("len"),
                arity: 2,
                flags: FLAGS,
                tips: Slice::new(&[
                    Bytes::new("request_policy:all_nodes"),
                    Bytes::new("response_policy:agg_sum"),
                    Bytes::new("nondeterministic_output"),
                ]),
                docs: &about("Tells how many entries the slow log has.", "2.2.12", GROUP, "O(1)"),
                ..Command::NEW
            },
            len,
        ),
        CoreCommand::new(
            Command {
                name: Bytes::new("reset"),
                arity: 2,
                flags: FLAGS,
                tips: Slice::new(&[
                    Bytes::new("request_policy:all_nodes"),
                    Bytes::new("response_policy:all_succeeded"),
                ]),
                docs: &about(
                    "Forgets all entries of the slow log.",
                    "2.2.12",
                    GROUP,
                    "O(N) where N is the number of entries in the slowlog",
                ),
                ..Command::NEW
            },
            reset,
        ),
        CoreCommand::help(&about("Describes the subcommands.", "6.2.0", GROUP, "O(1)"), help),
    ],
)];

fn get(context: &mut Context) -> Status {
    let count = match context.argc() {
        2 => SHOWN,
        3 => match parse_i64(context.arg(2)) {
            Some(-1) => usize::MAX,
            Some(count) if count >= 0 => usize::try_from(count).unwrap_or(usize::MAX),
            _ => return context.error("ERR count should be greater than or equal to -1"),
        },
        _ => {
            let text = "ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.";
            return context.error(text);
        }
    };
    let log = std::mem::take(&mut context.server().stats.slowlog);
    let mut reply = context.reply();
    reply.array(log.len().min(count));
    for entry in log.iter().take(count) {
        reply.array(6);
        reply.integer(entry.id as i64);
        reply.integer(entry.at_s);
        reply.integer(entry.us as i64);
        reply.array(entry.args.len());
        entry.args.iter().for_each(|word| reply.bulk(word));
        reply.bulk(&entry.address);
        reply.bulk(&entry.client);
    }
    context.server().stats.slowlog = log;
    STATUS_OK
}

fn len(context: &mut Context) -> Status {
    let len = context.server().stats.slowlog.len();
    context.reply().integer(len as i64);
    STATUS_OK
}

fn reset(context: &mut Context) -> Status {
    context.server().stats.slowlog.clear();
    context.ok()
}

fn help(context: &mut Context) -> Status {
    crate::admin::server::help(
        context,
        "SLOWLOG",
        &[
            "GET [<count>]",
            "    Show the last entries: 10, or as many as are asked for, -1 for all. Each is",
            "    id, Unix time, microseconds, words, the client's address, the client's name.",
            "LEN",
            "    Tell how many entries there are.",
            "RESET",
            "    Forget all entries.",
        ],
    )
}
