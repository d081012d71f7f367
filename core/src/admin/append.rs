//! BGREWRITEAOF.

use crate::admin::spec::{CoreCommand, about};
use crate::engine::call::Context;
use crate::persist::aof::rewrite::{self, Begun};
use plinth_abi::bytes::Bytes;
use plinth_abi::call::CALL_NO_BLOCK;
use plinth_abi::command::{self as abi, Command};
use plinth_abi::status::{STATUS_OK, Status};

/// The commands.
pub static COMMANDS: &[CoreCommand] = &[CoreCommand::new(
    Command {
        name: Bytes::new("bgrewriteaof"),
        arity: 1,
        flags: abi::COMMAND_ADMIN | abi::COMMAND_NO_SCRIPT | abi::COMMAND_NO_ASYNC_LOADING,
        docs: &about("Rewrites the append-only file in the background.", "1.0.0", Bytes::new("server"), "O(1)"),
        ..Command::NEW
    },
    rewrite_in_background,
)];

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
