//! A command that a script or function runs.

use crate::busy;
use crate::lua::current;
use crate::run::running;
use plinth_module::prelude::*;
use plinth_module::run::{RUN_RESP2, RUN_RESP3};

/// What is said where no script or function runs.
pub(crate) const OUTSIDE: &str = "ERR redis.call/pcall can only be called inside a script invocation";

/// Run a command as the script that runs may, and hand its reply to `take`; `request`: `RUN_*` bits. Or the error that
/// the script is told in its place.
pub(crate) fn run<R>(
    call: &mut Call<'_>,
    args: &[&[u8]],
    request: u32,
    take: impl FnOnce(&[u8]) -> R,
) -> std::result::Result<R, &'static str> {
    let (answer, flags) = call.run.scripted(&mut call.keys, args, request, b"", take);
    if flags & COMMAND_WRITE != 0
        && answer.is_ok()
        && let Some(run) = running().as_mut()
    {
        run.has_written = true;
    }
    answer.map_err(|error| refusal(error, flags))
}

/// What a script is told of a command that did not run.
fn refusal(error: Error, flags: u64) -> &'static str {
    match error {
        Error::None => "ERR Unknown Redis command called from script",
        Error::Arity => "ERR Wrong number of args calling Redis command from script",
        Error::NotAllowed if flags & COMMAND_NO_SCRIPT == 0 => {
            "ERR Write commands are not allowed from read-only scripts."
        }
        Error::NotAllowed => "ERR This Redis command is not allowed from script",
        Error::OutOfRange => "ERR commands run by commands are nested too deep",
        _ => "ERR the command could not be run",
    }
}

/// The same for a function of any language, to which what is wrong is a reply too.
pub(crate) fn run_for_function(call: &mut Call<'_>, args: &[&[u8]], flags: u32, take: &mut dyn FnMut(&[u8])) -> Result {
    // Between its commands others are served, and may have it end: then no command of it runs any more.
    let ends = current::lend(call, busy::look_after_call).or_else(busy::end);
    let request = running().as_ref().map(crate::run::Run::request);
    let answer = match (ends, request) {
        (Some(text), _) => Err(text),
        (None, Some(request)) => {
            let protocol = if flags & RUN_RESP3 != 0 { RUN_RESP3 } else { RUN_RESP2 };
            run(call, args, request & !(RUN_RESP2 | RUN_RESP3) | protocol, &mut *take)
        }
        (None, None) => Err(OUTSIDE),
    };
    if let Err(text) = answer {
        take(format!("-{text}\r\n").as_bytes());
    }
    Ok(())
}

/// A function of any language goes on for long: whether it is to end, when others have been served.
pub(crate) fn give_way_for_function(call: &mut Call<'_>) -> bool {
    current::lend(call, busy::look).is_some()
}
