//! MONITOR: a client is shown what the others do.

use crate::admin::spec::CoreCommand;
use crate::engine::call::Context;
use plinth_abi::bytes::Bytes;
use plinth_abi::call::CALL_NO_BLOCK;
use plinth_abi::command::{self as abi, Command, Docs};
use plinth_abi::status::Status;

/// The command.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::new(
    Command {
        name: Bytes::new("monitor"),
        arity: 1,
        flags: abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_LOADING | abi::COMMAND_STALE,
        docs: &Docs {
            summary: Bytes::new("Shows each command that the server runs, as it runs."),
            since: Bytes::new("1.0.0"),
            group: Bytes::new("server"),
            ..Docs::NEW
        },
        ..Command::NEW
    },
    monitor,
)];

fn monitor(context: &mut Context) -> Status {
    if context.call.flags & CALL_NO_BLOCK != 0 {
        // Its lines would stand within the reply of EXEC.
        return context.error("ERR MONITOR isn't allowed for DENY BLOCKING client");
    }
    let Some(token) = context.client else { return context.ok() };
    let server = context.server();
    if let Some(client) = server.sessions.clients.get(token).filter(|client| !client.standing.is_monitor()) {
        client.standing.set_monitor(true);
        let id = client.id;
        server.sessions.monitors.push((token, id));
        server.look_back_by();
    }
    context.ok()
}
