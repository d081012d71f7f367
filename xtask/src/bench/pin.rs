//! Which core a process runs on.
//!
//! A child inherits the affinity of the thread that starts it, so the bench moves itself to the
//! core the child shall have, starts it and moves back. This needs neither `taskset` nor code
//! between fork and exec.

use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The server's core, and that of every thread and process it starts.
pub(crate) const SERVER_CORE: usize = 0;
/// The core of this program and of `redis-benchmark`.
pub(crate) const CLIENT_CORE: usize = 1;

/// Moves this thread to one core.
///
/// # Errors
/// When the machine, or the container around it, does not offer that core.
pub(crate) fn pin(core: usize) -> Result<(), String> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).map_err(|error| {
        format!("cannot run on core {core}: {error}; the bench needs cores {SERVER_CORE} and {CLIENT_CORE}")
    })
}

/// Moves this thread to the client's core, having checked that the server's is to be had too.
///
/// # Errors
/// As [`pin`].
pub(crate) fn take_client_core() -> Result<(), String> {
    pin(SERVER_CORE)?;
    pin(CLIENT_CORE)
}

/// Starts a process on the server's core.
///
/// # Errors
/// When the core is not to be had or the program cannot be started.
pub(crate) fn spawn_on_server_core(command: &mut Command) -> Result<Child, String> {
    let before = sched_getaffinity(None).map_err(|error| format!("cannot read the affinity: {error}"))?;
    pin(SERVER_CORE)?;
    let child = command.spawn();
    sched_setaffinity(None, &before).map_err(|error| format!("cannot restore the affinity: {error}"))?;
    child.map_err(|error| format!("cannot start {}: {error}", command.get_program().to_string_lossy()))
}
