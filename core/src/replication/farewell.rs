//! The end of a server that has replicas: it waits until they have all of the stream.
//!
//! ```text
//!   SHUTDOWN, a signal ── some lag ──> writes wait ── all have it, or `shutdown-timeout` ──> the last snapshot, the end
//!          │                              └── ABORT: all go on
//!          └── none lags, or NOW ────────────────────────────────────────────────────────^
//! ```

use crate::base::log;
use crate::engine::server::Server;
use crate::persist::shutdown;
use crate::replication::held::Held;
use crate::replication::primary::name;
use crate::replication::state::Replication;
use crate::settings::durability::Shutdown;
use std::time::{Duration, Instant};

/// An end that waits for replicas.
pub struct Farewell {
    how: Shutdown,
    until: Instant,
    held: Held,
    /// Under which clients wait whose SHUTDOWN it is.
    tickets: Vec<u64>,
    /// Whether a signal has asked for it.
    is_signal: bool,
}

/// What the log says of an end that did not come.
const ERRORS: &str = "Errors trying to shut down the server. Check the logs for more information.";

/// What has come of the wish to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The server ends with this turn.
    Stops,
    /// It goes on; the log says why.
    Fails,
    /// It waits for replicas.
    Waits,
}

/// Stop the server after this turn, or when its replicas have all of the stream.
pub fn stop(server: &mut Server, how: Shutdown, is_signal: bool) -> Outcome {
    if is_waiting(server) && !how.now {
        return Outcome::Waits;
    }
    log::warning("User requested shutdown...");
    let timeout = Duration::from_secs(server.settings.shutdown_timeout.unsigned_abs());
    if how.now || timeout.is_zero() || !lags(server) || server.registry.standing.is_loading {
        return finish(server, how);
    }
    let held = Held::begin(server);
    server.slots.with(|replication: &mut Replication| {
        replication.wants_acks = true;
        replication.next = None;
        let until = Instant::now() + timeout;
        replication.farewell = Some(Farewell { how, until, held, tickets: Vec::new(), is_signal });
    });
    log::notice("Waiting for replicas before shutting down.");
    Outcome::Waits
}

/// Whether an end waits for replicas.
pub fn is_waiting(server: &Server) -> bool {
    server.slots.peek::<Replication>().is_some_and(|replication| replication.farewell.is_some())
}

/// A client waits under a ticket for what becomes of its SHUTDOWN.
pub fn wait(server: &mut Server, ticket: u64) {
    server.slots.with(|replication: &mut Replication| {
        replication.farewell.iter_mut().for_each(|farewell| farewell.tickets.push(ticket));
    });
}

/// Whether a replica lacks some of the stream.
fn lags(server: &Server) -> bool {
    let end = server.registry.replication.offset;
    let replication = server.slots.peek::<Replication>();
    !server.registry.replication.is_replica()
        && replication.is_some_and(|replication| replication.attached().any(|replica| replica.acked < end))
}

/// Go on with the end if it is time.
pub fn look(server: &mut Server, now: Instant) {
    let Some(farewell) = server.slots.peek::<Replication>().and_then(|replication| replication.farewell.as_ref())
    else {
        return;
    };
    if now < farewell.until && lags(server) {
        return;
    }
    let (how, is_signal) = (farewell.how, farewell.is_signal);
    if finish(server, how) == Outcome::Fails {
        log::warning(ERRORS);
        if is_signal {
            crate::base::signals::stopped_not();
        }
        give_up(server);
    }
}

/// Do not stop after all; whether it was to.
pub fn abort(server: &mut Server) -> bool {
    let is_waiting = is_waiting(server);
    if is_waiting {
        crate::base::signals::stopped_not();
        give_up(server);
    }
    is_waiting
}

fn give_up(server: &mut Server) {
    let farewell = server.slots.with(|replication: &mut Replication| replication.farewell.take());
    let Some(farewell) = farewell else { return };
    farewell.held.end(server);
    farewell.tickets.iter().for_each(|ticket| _ = server.sessions.blocking.resumes.resume(*ticket));
}

fn finish(server: &mut Server, how: Shutdown) -> Outcome {
    tell_of_lag(server);
    if shutdown::stop(server, how) { Outcome::Stops } else { Outcome::Fails }
}

fn tell_of_lag(server: &mut Server) {
    let (end, now_s) = (server.registry.replication.offset, server.clock.now_s);
    let Some(replication) = server.slots.peek::<Replication>() else { return };
    let (mut all, mut even) = (0, 0);
    for replica in replication.attached() {
        all += 1;
        if replica.acked >= end {
            even += 1;
            continue;
        }
        let (name, behind, lag) = (name(server, replica), end - replica.acked, now_s - replica.heard_s);
        let state = replica.stage_text();
        log::notice(&format!(
            "Lagging replica {name} reported offset {behind} behind master, lag={lag}, state={state}."
        ));
    }
    if all > 0 {
        log::notice(&format!("{even} of {all} replicas are in sync when shutting down."));
    }
}

/// Stop the server as a signal asks for it.
pub fn stop_on(server: &mut Server, signal: i32) {
    let durability = &server.settings.durability;
    let is_interrupt = signal == crate::base::signals::INTERRUPT;
    let how = if is_interrupt { durability.shutdown_on_sigint } else { durability.shutdown_on_sigterm };
    let name = if is_interrupt { "SIGINT" } else { "SIGTERM" };
    log::warning(&format!("Received {name} scheduling shutdown..."));
    if is_waiting(server) {
        // Who asks twice does not want to wait.
        return;
    }
    if stop(server, how, true) == Outcome::Fails {
        log::warning(ERRORS);
        crate::base::signals::stopped_not();
    }
}
