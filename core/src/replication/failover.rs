//! FAILOVER: the role goes to a replica that has all of the stream.
//!
//! ```text
//!   FAILOVER ── writes wait ──> Waiting ── a replica has all ──> Asking ── it takes the role ──> this is a replica
//!                                  │  └── TIMEOUT with FORCE ─────^  └── it does not ──> this is the primary on
//!                                  └── TIMEOUT, ABORT ──> writes go on
//! ```

use crate::base::log;
use crate::engine::server::Server;
use crate::registry::replication::Link;
use crate::replication::held::Held;
use crate::replication::primary::address;
use crate::replication::replica::Stage;
use crate::replication::state::Replication;
use crate::replication::upstream::{Upstream, role};
use std::time::{Duration, Instant};

/// A replica, by the address and the port that INFO shows.
pub type Target = (String, u16);

/// What is wanted.
#[derive(Clone, Default)]
pub struct Wish {
    /// The replica, or any.
    pub target: Option<Target>,
    /// Whether that has a port which there cannot be.
    pub is_nowhere: bool,
    /// For how long it may take until the replica has all.
    pub timeout: Option<Duration>,
    /// Whether the role is given to it then, whatever it has.
    pub force: bool,
}

/// One that goes on.
pub struct Failover {
    target: Option<Target>,
    until: Option<Instant>,
    force: bool,
    /// Whether the replica has been asked to take the role.
    is_asking: bool,
    held: Held,
}

/// As INFO calls it.
pub fn state(server: &Server) -> &'static str {
    match server.slots.peek::<Replication>().and_then(|replication| replication.failover.as_ref()) {
        None => "no-failover",
        Some(failover) if failover.is_asking => "failover-in-progress",
        Some(_) => "waiting-for-sync",
    }
}

/// Begin.
///
/// # Errors
/// Why not.
pub fn begin(server: &mut Server, wish: Wish) -> Result<(), &'static str> {
    let replication = server.slots.peek::<Replication>();
    if replication.is_some_and(|replication| replication.failover.is_some()) {
        return Err("ERR FAILOVER already in progress.");
    }
    if server.registry.replication.is_replica() {
        return Err("ERR FAILOVER is not valid when server is a replica.");
    }
    if replication.is_none_or(|replication| replication.attached().next().is_none()) {
        return Err("ERR FAILOVER requires connected replicas.");
    }
    if wish.force && (wish.timeout.is_none() || wish.target.is_none()) {
        return Err("ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
    }
    if let Some(target) = &wish.target {
        match stage_of(server, target).filter(|_| !wish.is_nowhere) {
            None => return Err("ERR FAILOVER target HOST and PORT is not a replica."),
            Some((Stage::Online, _)) => {}
            Some(_) => return Err("ERR FAILOVER target replica is not online."),
        }
    }
    match &wish.target {
        Some((host, port)) => log::notice(&format!("FAILOVER requested to {host}:{port}.")),
        None => log::notice("FAILOVER requested."),
    }
    let held = Held::begin(server);
    let until = wish.timeout.map(|timeout| Instant::now() + timeout);
    server.slots.with(|replication: &mut Replication| {
        replication.failover = Some(Failover { target: wish.target, until, force: wish.force, is_asking: false, held });
        replication.wants_acks = true;
        replication.next = None;
    });
    Ok(())
}

/// How far a replica is, and what it has.
fn stage_of(server: &Server, target: &Target) -> Option<(Stage, i64)> {
    let replication = server.slots.peek::<Replication>()?;
    let found = replication.attached().find(|replica| address(server, replica) == *target)?;
    Some((found.stage, found.acked))
}

/// Go on with it.
pub fn look(server: &mut Server, now: Instant) {
    let Some(failover) = server.slots.peek::<Replication>().and_then(|replication| replication.failover.as_ref())
    else {
        return;
    };
    if failover.is_asking {
        return look_at_answer(server);
    }
    let target = failover.target.clone();
    if failover.until.is_some_and(|until| until <= now) {
        match target.filter(|_| failover.force) {
            Some((host, port)) => {
                log::notice(&format!("Failover to {host}:{port} time out exceeded, failing over."));
                ask(server, (host, port));
            }
            None => abort(server, "Replica never caught up before timeout"),
        }
        return;
    }
    let end = server.registry.replication.offset;
    match target {
        Some(target) => {
            if stage_of(server, &target).is_some_and(|(_, acked)| acked == end) {
                let (host, port) = &target;
                log::notice(&format!("Failover target {host}:{port} is synced, failing over."));
                ask(server, target);
            }
        }
        None => {
            let replication = server.slots.peek::<Replication>();
            let even = replication.and_then(|replication| {
                replication.attached().find(|replica| replica.stage == Stage::Online && replica.acked == end)
            });
            if let Some(target) = even.map(|replica| address(server, replica)) {
                let (host, port) = &target;
                log::notice(&format!("Failover target: {host}:{port} has been selected"));
                log::notice(&format!("Failover target {host}:{port} is synced, failing over."));
                ask(server, target);
            }
        }
    }
}

/// Follow the replica, which is asked to take the role.
fn ask(server: &mut Server, target: Target) {
    let (host, port) = target.clone();
    server.slots.with(|replication: &mut Replication| {
        if let Some(failover) = &mut replication.failover {
            (failover.target, failover.is_asking) = (Some(target), true);
        }
    });
    role::follow(server, &host, port);
    server.slots.with(|upstream: &mut Upstream| upstream.takes_over = true);
}

fn look_at_answer(server: &mut Server) {
    if server.slots.peek::<Upstream>().is_some_and(|upstream| upstream.takes_over) {
        return;
    }
    if server.registry.replication.link == Link::Up {
        log::notice("Failover: the target has taken the role.");
        clear(server);
    } else {
        abort(server, "Failover target rejected psync request");
    }
}

/// Forget it; writes go on.
pub fn clear(server: &mut Server) {
    let failover = server.slots.with(|replication: &mut Replication| replication.failover.take());
    if let Some(failover) = failover {
        failover.held.end(server);
    }
}

/// Give it up, for a reason; whether there was one.
pub fn abort(server: &mut Server, reason: &str) {
    let Some(failover) = server.slots.peek::<Replication>().and_then(|replication| replication.failover.as_ref())
    else {
        return;
    };
    match &failover.target {
        Some((host, port)) => log::notice(&format!("Aborting failover to {host}:{port}. {reason}")),
        None => log::notice(&format!("Aborting failover. {reason}")),
    }
    if failover.is_asking {
        role::promote(server);
    }
    clear(server);
}

/// Whether one goes on.
pub fn is_running(server: &Server) -> bool {
    server.slots.peek::<Replication>().is_some_and(|replication| replication.failover.is_some())
}

/// A primary that gives its role up asks for the stream of an id.
///
/// # Errors
/// Why it is not taken.
pub fn take_over(server: &mut Server, id: &[u8]) -> Result<(), String> {
    let shown = crate::base::words::shown(id);
    log::warning(&format!("Failover request received for replid {shown}."));
    if !server.registry.replication.is_replica() {
        // It has taken the role already, and the answer was lost with the connection: refused, the other would go on
        // as a primary beside it.
        if id.eq_ignore_ascii_case(server.registry.replication.id2.as_bytes()) {
            return Ok(());
        }
        return Err("ERR PSYNC FAILOVER can't be sent to a master.".into());
    }
    if !id.eq_ignore_ascii_case(server.registry.replication.id.as_bytes()) {
        return Err("ERR PSYNC FAILOVER replid must match my replid.".into());
    }
    role::promote(server);
    log::notice("MASTER MODE enabled (failover request)");
    Ok(())
}
