//! Whose copy the data are, and how that changes: REPLICAOF, the parameter at the start, promotion.

use crate::base::log;
use crate::engine::effects::Told;
use crate::engine::process;
use crate::engine::server::Server;
use crate::persist::{Origin, Persist};
use crate::registry::replication::{Link, NO_ID, OFFSET_MAX, Role};
use crate::replication::state::{self, Replication};
use crate::replication::upstream::{Upstream, gates};
use crate::store::effects::Effect;
use plinth_abi::events::ON_ROLE;
use std::time::Instant;

/// What a client that waits is told when its server becomes a copy.
const UNBLOCKED: &str = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";

/// Be a copy of another server. Data and stream are kept as they are until it is known whether the other goes on
/// with that stream.
pub fn follow(server: &mut Server, host: &str, port: u16) {
    let was_primary = !server.registry.replication.is_replica();
    if was_primary {
        // What a transaction has written before it belongs to the stream as it was.
        state::observe(server, &Effect::UnitEnd);
    }
    leave(server);
    take(server, Role::Replica { host: host.into(), port }, Link::Connect);
    server.settings.replication.replicaof = format!("{host} {port}");
    let now_s = server.clock.now_s;
    server.slots.with(|replica: &mut Upstream| {
        replica.next = Some(Instant::now());
        replica.down_since_s = now_s;
        if was_primary {
            replica.goes_on = true;
        }
    });
    if was_primary {
        log::notice(
            "Before turning into a replica, using my own master parameters to synthesize a cached master: I may be \
             able to synchronize with the new master with just a partial transfer.",
        );
        for token in server.sessions.clients.tokens() {
            server.unblock(token, Some(UNBLOCKED));
        }
    }
    // Who reads the stream here goes on as long as it is the same, and is sent away when it turns out to be another.
    state::keep_backlog(server);
    gates::changed(server);
    process::follow_role(server);
}

/// Have a role, with the link that it begins with.
fn take(server: &mut Server, role: Role, link: Link) {
    server.registry.replication.role = role;
    server.tell_if_wanted(Told { kind: ON_ROLE, db: -1, ..Told::default() });
    super::reach(server, link);
}

/// Be nobody's copy. Who has read the stream up to here may go on reading it from this server.
pub fn promote(server: &mut Server) {
    if !server.registry.replication.is_replica() {
        return;
    }
    leave(server);
    take(server, Role::Primary, Link::Off);
    server.settings.replication.replicaof = String::new();
    state::shift_id(server);
    disconnect_replicas(server);
    server.slots.with(|replica: &mut Upstream| {
        replica.goes_on = false;
        replica.down_since_s = 0;
        replica.last_failure.clear();
    });
    gates::changed(server);
    process::follow_role(server);
}

/// Have those who read the stream from this server ask anew, as it has another id, or another source.
pub(super) fn disconnect_replicas(server: &mut Server) {
    let tokens: Vec<usize> =
        server.slots.with(|replication: &mut Replication| replication.attached().map(|one| one.token).collect());
    tokens.into_iter().for_each(|token| server.sessions.clients.close(token));
}

/// Let go of the link, or of the attempt to get one.
fn leave(server: &mut Server) {
    let (attempt, session) = server.slots.with(|replica: &mut Upstream| {
        replica.held = Vec::new();
        replica.steps.clear();
        replica.loaded = None;
        replica.next = None;
        replica.lasting_failures = 0;
        replica.takes_over = false;
        (replica.attempt.take(), replica.session.take())
    });
    if let Some(attempt) = attempt {
        attempt.cancel();
    }
    if let Some((token, id)) = session
        && server.sessions.clients.peek(token).is_some_and(|client| client.id == id)
    {
        server.sessions.clients.close(token);
    }
}

/// At the start, before anything is loaded: the role that the configuration says. A primary keeps what it tells of the
/// data while it loads them, for those who go on reading the stream that they were part of.
pub fn begin(server: &mut Server) {
    let wanted = server.settings.replication.replicaof.clone();
    let parts = wanted.split_once(' ').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let Some((host, port)) = parts else {
        // The append-only file has what expired as commands, which were told when they came.
        if !server.settings.aof.is_wanted {
            state::keep_backlog(server);
        }
        return;
    };
    take(server, Role::Replica { host: host.into(), port }, Link::Connect);
    let now_s = server.clock.now_s;
    server.slots.with(|replica: &mut Upstream| {
        replica.next = Some(Instant::now());
        replica.down_since_s = now_s;
    });
    gates::changed(server);
    process::follow_role(server);
}

/// At the start, when the data are loaded: the stream that they were part of can be gone on with, read from another if
/// this is a replica, and by others if not.
pub fn resume(server: &mut Server) {
    let origin = server.slots.with(|persist: &mut Persist| persist.origin.take());
    let is_known = |origin: &Origin| (0..=OFFSET_MAX).contains(&origin.offset) && origin.id.len() == NO_ID.len();
    let Some(origin) = origin.filter(is_known) else {
        server.registry.replication.offset = 0;
        return state::drop_backlog(server);
    };
    let is_replica = server.registry.replication.is_replica();
    let count = server.store.databases.len();
    let known = &mut server.registry.replication;
    if known.offset == 0 {
        known.stream_db = u32::try_from(origin.db).ok().filter(|db| (*db as usize) < count).unwrap_or(0);
    }
    if is_replica {
        known.id = origin.id;
        known.offset = origin.offset;
        server.slots.with(|replica: &mut Upstream| replica.goes_on = true);
    } else {
        // What is written from here on is of another stream.
        (known.id2, known.second_offset) = (origin.id, origin.offset + 1);
        state::begin_at(server, origin.offset);
    }
    state::keep_backlog(server);
}
