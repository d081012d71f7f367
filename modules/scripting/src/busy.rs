//! Scripts that run for long.
//!
//! Every so many instructions, and whenever functions have done much at one go, Lua calls [`look`] (by `lua::hook`):
//! others are served then, if it is time, and whoever of them asks for the script's end gets it. The error that ends
//! it is raised again with each instruction, so that no script outlives it by catching it. Functions in other
//! languages have it called by what they are given (`plinth.language`).

use crate::lua::current;
use crate::run::{Origin, running};
use plinth_module::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Commands of a script between two looks, which may be slow ones.
const CALLS_PER_LOOK: u32 = 64;
/// The error that ends a script.
const KILLED: &str = "ERR Script killed by user with SCRIPT KILL...";
/// The error that ends the loading of a library.
const LOADED_TOO_LONG: &str = "ERR FUNCTION LOAD timeout";
/// How long the loading of a library may take.
const LOADING_MAX: Duration = Duration::from_millis(500);

/// When a library that may not take long began to load.
static LOADING: Mutex<Option<Instant>> = Mutex::new(None);

fn loading() -> MutexGuard<'static, Option<Instant>> {
    LOADING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A library is loaded from here on, which may take long or not.
pub(crate) fn begin_loading(is_limited: bool) {
    *loading() = is_limited.then(Instant::now);
}

/// It is loaded.
pub(crate) fn end_loading() {
    *loading() = None;
}

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

/// A command of the script has run; the error with which the script is to end, if it is.
pub(crate) fn look_after_call() -> Option<&'static str> {
    let (is_killed, is_time) = running().as_mut().map_or((false, false), |run| {
        run.calls = run.calls.wrapping_add(1);
        (run.is_killed, run.calls.is_multiple_of(CALLS_PER_LOOK))
    });
    match (is_killed, is_time) {
        (true, _) => Some(KILLED),
        (false, true) => look(),
        (false, false) => None,
    }
}

/// The error with which what runs is to end, if it is.
pub(crate) fn end() -> Option<&'static str> {
    match running().as_ref() {
        Some(run) => run.is_killed.then_some(KILLED),
        None => loading().is_some_and(|begun| begun.elapsed() > LOADING_MAX).then_some(LOADED_TOO_LONG),
    }
}

/// Serve others if it is time; the error with which what runs is to end, if it is.
pub(crate) fn look() -> Option<&'static str> {
    let run = running().as_ref().map(|run| (run.origin, run.begun));
    let Some((origin, begun)) = run else { return end() };
    if end().is_some() {
        return end();
    }
    let gave = current::with(|call| {
        note_command(call);
        call.busy.give_way(&mut call.keys, begun.elapsed(), &refusal(origin))
    });
    let gave = gave.unwrap_or(GaveWay::Not);
    if gave == GaveWay::Not {
        return None;
    }
    let slow = running().as_mut().and_then(|run| {
        run.is_killed |= gave == GaveWay::End;
        (!std::mem::replace(&mut run.is_slow, true)).then(|| run.name.as_str().to_owned())
    });
    if let Some(name) = slow {
        let (ms, kill) = (begun.elapsed().as_millis(), kill_command(origin));
        let text = format!(
            "Slow script detected: still in execution after {ms} milliseconds. You can try killing the script using \
             the {kill} command. Script name is: {name}."
        );
        current::with(|call| call.log(LOG_WARNING, &text));
    }
    end()
}

/// Others may ask soon by which command the script was called: most scripts end before.
fn note_command(call: &Call<'_>) {
    if let Some(run) = running().as_mut().filter(|run| run.command.is_empty()) {
        run.command = call.args.iter().map(<[u8]>::to_vec).collect();
    }
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
