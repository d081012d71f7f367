//! SAVE, BGSAVE, LASTSAVE.

use crate::admin::spec::{CoreCommand, about};
use crate::engine::call::Context;
use crate::persist::Persist;
use crate::persist::child;
use crate::persist::save::{self, Refusal, SNAPSHOT};
use plinth_abi::bytes::{Bytes, Slice};
use plinth_abi::call::CALL_NO_BLOCK;
use plinth_abi::command::{self as abi, Arg, Change, Command, Docs};
use plinth_abi::status::{STATUS_OK, Status};

const GROUP: Bytes = Bytes::new("server");
const BUSY: &str = "ERR Background save already in progress";

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[
    CoreCommand::new(
        Command {
            name: Bytes::new("save"),
            arity: 1,
            flags: abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_NO_MULTI | abi::COMMAND_NO_ASYNC_LOADING,
            docs: &about(
                "Writes the data set to the disk, and serves nobody meanwhile.",
                "1.0.0",
                GROUP,
                "O(N) where N is the total number of keys in all databases",
            ),
            ..Command::NEW
        },
        save,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("bgsave"),
            arity: -1,
            flags: abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_NO_ASYNC_LOADING,
            docs: &Docs {
                summary: Bytes::new("Writes the data set to the disk in the background."),
                since: Bytes::new("1.0.0"),
                group: GROUP,
                complexity: Bytes::new("O(1)"),
                history: Slice::new(&[Change {
                    version: Bytes::new("3.2.2"),
                    what: Bytes::new("SCHEDULE puts it off while another child works."),
                }]),
                args: Slice::new(&[Arg::group(
                    abi::ARG_ONE_OF,
                    "operation",
                    &[Arg::word("schedule", "SCHEDULE").since("3.2.2"), Arg::word("cancel", "CANCEL")],
                )
                .flags(abi::ARG_OPTIONAL)]),
                ..Docs::NEW
            },
            ..Command::NEW
        },
        save_in_background,
    ),
    CoreCommand::new(
        Command {
            name: Bytes::new("lastsave"),
            arity: 1,
            flags: abi::COMMAND_LOADING | abi::COMMAND_STALE | abi::COMMAND_FAST,
            categories: abi::CATEGORY_ADMIN | abi::CATEGORY_DANGEROUS,
            tips: Slice::new(&[Bytes::new("nondeterministic_output")]),
            docs: &about(
                "Tells when the data set was last written to the disk, as Unix time in seconds.",
                "1.0.0",
                GROUP,
                "O(1)",
            ),
            ..Command::NEW
        },
        last_save,
    ),
];

fn save(context: &mut Context) -> Status {
    if child::task(context.server()) == Some(SNAPSHOT.name) {
        return context.error(BUSY);
    }
    match save::save(context.server()) {
        Ok(()) => context.ok(),
        Err(reason) => context.error(format!("ERR {reason}")),
    }
}

fn save_in_background(context: &mut Context) -> Status {
    let schedules = context.argc() == 2 && context.arg_is(1, "SCHEDULE");
    if context.argc() == 2 && context.arg_is(1, "CANCEL") {
        return cancel(context);
    }
    if context.argc() > 1 && !schedules {
        return context.error("ERR syntax error");
    }
    // Within EXEC it waits, so that it holds all of the transaction.
    let is_in_exec = context.call.flags & CALL_NO_BLOCK != 0;
    let task = child::task(context.server());
    if task == Some(SNAPSHOT.name) {
        return context.error(BUSY);
    }
    if is_in_exec || schedules && task.is_some() {
        context.server().slots.with(|persist: &mut Persist| persist.saves.is_scheduled = true);
        context.reply().simple("Background saving scheduled");
        return STATUS_OK;
    }
    match save::save_in_background(context.server()) {
        Ok(()) => {
            context.reply().simple("Background saving started");
            STATUS_OK
        }
        Err(Refusal::Busy) => context.error(BUSY),
        Err(Refusal::OtherChild) => context.error(
            "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.",
        ),
        Err(Refusal::NoProcess) => context.error("ERR no process can be started, the log says why"),
    }
}

fn cancel(context: &mut Context) -> Status {
    let was_scheduled =
        context.server().slots.with(|persist: &mut Persist| std::mem::take(&mut persist.saves.is_scheduled));
    if child::cancel(context.server(), SNAPSHOT.name) {
        context.reply().simple("Background saving cancelled");
    } else if was_scheduled {
        context.reply().simple("Scheduled background saving cancelled");
    } else {
        return context.error("ERR Background saving is currently not in progress or scheduled");
    }
    STATUS_OK
}

fn last_save(context: &mut Context) -> Status {
    let at_s = save::last_s(context.server());
    context.reply().integer(at_s);
    STATUS_OK
}
