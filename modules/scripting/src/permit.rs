//! Whether a script or function may begin, by what it says of itself.
//! <https://redis.io/docs/latest/develop/programmability/eval-intro/#script-flags>

use crate::shebang::{ALLOW_OOM, ALLOW_STALE, NO_WRITES};
use plinth_module::prelude::*;

/// Refuse what may not begin. `flags` is what a script's first line says, which may have none; `reads`: it was called
/// by a command that only reads.
pub(crate) fn check(call: &mut Call<'_>, flags: Option<u32>, reads: bool) -> Result {
    let bit = |bit: u64, is_so: bool| if is_so { bit } else { 0 };
    let command_flags = match flags {
        // It is not known what it does: that is found out when it does it.
        None => 0,
        Some(flags) if reads && flags & NO_WRITES == 0 => {
            if let Some(text) = call.run.refuses_to_begin(bit(COMMAND_DENY_OOM, flags & ALLOW_OOM == 0)) {
                return Err(call.reply.error(text));
            }
            return Err(call.reply.error("ERR Can not execute a script with write flag using *_ro command."));
        }
        Some(flags) => {
            bit(COMMAND_WRITE, flags & NO_WRITES == 0)
                | bit(COMMAND_DENY_OOM, flags & (NO_WRITES | ALLOW_OOM) == 0)
                | bit(COMMAND_STALE, flags & ALLOW_STALE != 0)
        }
    };
    match call.run.refuses_to_begin(command_flags) {
        Some(text) => Err(call.reply.error(text)),
        None => Ok(()),
    }
}
