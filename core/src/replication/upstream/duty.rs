//! What a replica does by itself: attempts to get a link, word of how far it is, and an end to a link that is silent.

use crate::base::log;
use crate::engine::duties::Duty;
use crate::engine::server::Server;
use crate::registry::replication::{Link, Role};
use crate::replication::upstream::link::{self, Failure, News, Plan};
use crate::replication::upstream::{Step, Upstream, gates, load, stream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Time between the beginnings of two attempts, ...
pub(super) const AGAIN: Duration = Duration::from_secs(1);
/// ... and the longest from one to the next where each has met the same.
const AGAIN_MAX: Duration = Duration::from_secs(60);
/// Time between two acknowledgements.
const ACK_EVERY: Duration = Duration::from_secs(1);
/// Time between two looks at where an attempt is.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Look after the link.
pub const DUTY: Duty = Duty { due, run };

fn due(server: &Server, now: Instant) -> Option<Duration> {
    if !server.registry.replication.is_replica() {
        return None;
    }
    let replica = server.slots.peek::<Upstream>()?;
    let left = |at: Instant| at.saturating_duration_since(now);
    if replica.attempt.is_some() {
        return Some(LOOK_EVERY);
    }
    [replica.next.map(left), replica.ack.map(left)].into_iter().flatten().min()
}

fn run(server: &mut Server, now: Instant) {
    let (has_attempt, next, ack) =
        server.slots.with(|replica: &mut Upstream| (replica.attempt.is_some(), replica.next, replica.ack));
    if !has_attempt && next.is_some_and(|next| next <= now) {
        attempt(server);
    }
    if ack.is_some_and(|ack| ack <= now) {
        server.slots.with(|replica: &mut Upstream| replica.ack = Some(now + ACK_EVERY));
        stream::acknowledge(server);
        stream::mind_silence(server);
    }
}

/// Take up what has become of the session and of an attempt.
pub fn hear(server: &mut Server) {
    stream::mind_end(server);
    while let Some(attempt) = server.slots.peek::<Upstream>().and_then(|replica| replica.attempt.clone()) {
        let Some(news) = attempt.take_news() else { break };
        match news {
            News::Continues { wire, id } => {
                stream::go_on(server, id);
                end_attempt(server);
                server.slots.with(|replica: &mut Upstream| replica.steps.push_back(Step::Join(wire)));
            }
            News::Synced { wire, file: None, .. } => {
                end_attempt(server);
                server.slots.with(|replica: &mut Upstream| {
                    if replica.loaded.take().is_some() {
                        replica.steps.push_back(Step::Join(wire));
                    }
                });
            }
            News::Streams { .. } | News::Synced { .. } => {
                server.slots.with(|replica: &mut Upstream| replica.steps.push_back(Step::Load(news)));
                break;
            }
            News::Failed(failure) => {
                failed(server, &failure);
                break;
            }
        }
    }
    let now = super::link(server);
    if server.registry.replication.link != now {
        super::reach(server, now);
        gates::changed(server);
    }
}

/// The thread has done its part.
pub(super) fn end_attempt(server: &mut Server) {
    server.slots.with(|replica: &mut Upstream| replica.attempt = None);
}

/// Nothing has come of an attempt: the next is made later.
pub(super) fn failed(server: &mut Server, failure: &Failure) {
    let text = failure.to_string();
    log::warning(&text);
    set_back(server, text, failure.is_lasting());
    if matches!(failure, Failure::KeepsRole(_)) {
        server.slots.with(|replica: &mut Upstream| replica.takes_over = false);
    }
}

/// The same, for a reason that is in the log.
pub(super) fn set_back(server: &mut Server, reason: String, is_lasting: bool) {
    let attempt = server.slots.with(|replica: &mut Upstream| {
        replica.lasting_failures = if is_lasting { replica.lasting_failures + 1 } else { 0 };
        let doubled = AGAIN * (1 << replica.lasting_failures.saturating_sub(1).min(6));
        let now = Instant::now();
        let begun = if is_lasting { None } else { replica.begun };
        replica.next = Some(begun.unwrap_or(now) + doubled.min(AGAIN_MAX)).max(Some(now));
        replica.last_failure = reason;
        replica.loaded = None;
        replica.attempt.take()
    });
    if let Some(attempt) = attempt {
        attempt.cancel();
    }
}

fn attempt(server: &mut Server) {
    let Role::Replica { host, port } = server.registry.replication.role.clone() else { return };
    let (goes_on, takes_over) = server.slots.with(|replica: &mut Upstream| (replica.goes_on, replica.takes_over));
    let settings = &server.settings.replication;
    let known = &server.registry.replication;
    let announced = u16::try_from(settings.announce_port).unwrap_or(0);
    let speaks_tls = server.settings.tls.replication;
    let plan = Plan {
        user: settings.masteruser.clone(),
        password: settings.masterauth.clone(),
        own_port: match announced {
            0 if speaks_tls && server.settings.tls.port > 0 => server.settings.tls.port as u16,
            0 => server.port,
            announced => announced,
        },
        own_address: settings.announce_ip.clone(),
        wanted: goes_on.then(|| (known.id.clone(), known.offset + 1)),
        takes_over,
        file: (!load::uses_pipe(server)).then(temporary),
        timeout: Duration::from_secs(settings.timeout_s.unsigned_abs().max(1)),
        tls: if speaks_tls { server.tls_of_links() } else { None },
        host: host.clone(),
        port,
    };
    log::notice(&format!("Connecting to MASTER {host}:{port}"));
    match link::begin(plan, server.sessions.blocking.resumes.clone()) {
        Ok(attempt) => {
            log::notice("MASTER <-> REPLICA sync started");
            server.slots.with(|replica: &mut Upstream| {
                replica.attempt = Some(attempt);
                replica.begun = Some(Instant::now());
                replica.next = None;
            });
            super::reach(server, Link::Connecting);
        }
        Err(error) => {
            let text = format!("Unable to connect to MASTER: {}", log::plain(&error));
            log::warning(&text);
            set_back(server, text, false);
        }
    }
}

/// Where a snapshot is kept while it comes.
fn temporary() -> PathBuf {
    PathBuf::from(format!("temp-{}.{}.rdb", crate::base::clock::unix_us(), std::process::id()))
}
