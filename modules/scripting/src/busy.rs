//! Scripts that run for long.
//!
//! Every so many instructions Lua calls [`look`] (by `lua::hook`): others are served then, if it is time, and whoever
//! of them asks for the script's end gets it. The error that ends it is raised again with each instruction, so that
//! no script outlives it by catching it.

use crate::lua::current;
use crate::run::{Origin, running};
use plinth_module::prelude::*;

/// Commands of a script between two looks, which may be slow ones.
const CALLS_PER_LOOK: u32 = 64;
/// The error that ends a script.
pub(crate) const KILLED: &str = "ERR Script killed by user with SCRIPT KILL...";

/// By which command a run is ended.
fn kill_command(origin: Origin) -> &'static str {
    match origin {
        Origin::Script => "SCRIPT KILL",
        Origin::Function => "FUNCTION KILL",
    }
}

/// What others are answered while something runs.
pub(crate) fn refusal(origin: Origin) -> String {
    let kill = kill_command(origin);
    format!("BUSY Redis is busy running a script. You can only call {kill} or SHUTDOWN NOSAVE.")
}

/// A command of the script has run; whether the script is to end.
pub(crate) fn look_after_call() -> bool {
    let is_time = running().as_mut().is_some_and(|run| {
        run.calls = run.calls.wrapping_add(1);
        run.calls.is_multiple_of(CALLS_PER_LOOK)
    });
    is_time && look()
}

/// Serve others if it is time; whether the script that runs is to end.
pub(crate) fn look() -> bool {
    let Some((origin, begun, is_killed)) = running().as_ref().map(|run| (run.origin, run.begun, run.is_killed)) else {
        return false;
    };
    if is_killed {
        return true;
    }
    let gave = current::with(|call| call.busy.give_way(&mut call.keys, begun.elapsed(), &refusal(origin)));
    let gave = gave.unwrap_or(GaveWay::Not);
    if gave == GaveWay::Not {
        return false;
    }
    let mut running = running();
    let Some(run) = running.as_mut() else { return false };
    if !std::mem::replace(&mut run.is_slow, true) {
        let text = format!(
            "Slow script detected: still in execution after {} milliseconds. You can try killing the script using the \
             {} command. Script name is: {}.",
            begun.elapsed().as_millis(),
            kill_command(origin),
            run.name
        );
        drop(running);
        current::with(|call| call.log(LOG_WARNING, &text));
        return gave == GaveWay::End && kill_it();
    }
    drop(running);
    gave == GaveWay::End && kill_it()
}

/// Whether the script that runs is to end.
pub(crate) fn is_killed() -> bool {
    running().as_ref().is_some_and(|run| run.is_killed)
}

fn kill_it() -> bool {
    running().as_mut().map(|run| run.is_killed = true).is_some()
}

/// SCRIPT KILL and FUNCTION KILL, each of which ends what it is for.
pub(crate) fn kill(call: &mut Call<'_>, origin: Origin) -> Result {
    let found = running().as_ref().map(|run| (run.origin, run.has_written));
    let text = match found {
        None => "NOTBUSY No scripts in execution right now.".to_owned(),
        Some((_, true)) => "UNKILLABLE Sorry the script already executed write commands against the dataset. You can \
                            either wait the script termination or kill the server in a hard way using the SHUTDOWN \
                            NOSAVE command."
            .to_owned(),
        Some((other, false)) if other != origin => refusal(other),
        Some(_) => {
            if call.busy.end().is_ok() {
                call.reply.ok();
                return Ok(());
            }
            "NOTBUSY No scripts in execution right now.".to_owned()
        }
    };
    Err(call.reply.error(text))
}
