//! The primary's session: what comes through it has happened there, and is counted where it has been run.
//!
//! ```text
//!   query buffer   | applied | held (MULTI ...) | not parsed yet |
//!                            ^                                   ^
//!                       the offset                        what was read
//! ```
//!
//! *Invariant*: the offset stands between two units. What was cut off within a transaction comes again.

use crate::base::log;
use crate::engine::server::Server;
use crate::persist::aof;
use crate::registry::replication::{Link, Role};
use crate::replication::state;
use crate::replication::upstream::duty::AGAIN;
use crate::replication::upstream::{Files, Upstream, gates, role};
use crate::wire::command;
use std::time::{Duration, Instant};

/// The beginning of what a primary sends to hear how far this server is.
const ASKED: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n";

/// The stream goes on where it was asked for, under another id if one is given.
pub(super) fn go_on(server: &mut Server, id: Option<String>) {
    log::notice("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
    let known = &mut server.registry.replication;
    let Some(id) = id.filter(|id| *id != known.id) else { return };
    // The primary was promoted since: up to here its stream is the one that was known.
    known.second_offset = known.offset + 1;
    known.id2 = std::mem::replace(&mut known.id, id.clone());
    log::notice(&format!("Master replication ID changed to {id}"));
    // They are to hear of it.
    role::disconnect_replicas(server);
}

/// The primary's session is served.
pub fn joined(server: &mut Server, token: usize) {
    let Some(id) = server.sessions.clients.peek(token).map(|client| client.id) else { return };
    server.slots.with(|replica: &mut Upstream| {
        replica.session = Some((token, id));
        replica.goes_on = true;
        replica.held = Vec::new();
        replica.files = Files::default();
        replica.ack = Some(Instant::now() + Duration::from_secs(1));
        replica.down_since_s = 0;
        replica.lasting_failures = 0;
        replica.takes_over = false;
        replica.last_failure.clear();
    });
    let db = server.registry.replication.stream_db;
    if let Some(client) = server.sessions.clients.get(token) {
        client.db = db;
    }
    super::reach(server, Link::Up);
    gates::changed(server);
    state::keep_backlog(server);
    // A primary takes this server for one that follows when it has heard of it.
    acknowledge(server);
}

/// So many bytes of the session's buffer have been run, and are about to leave it.
#[cold]
pub fn applied(server: &mut Server, token: usize, bytes: usize) {
    let mut replica = server.slots.take::<Upstream>();
    let mut fed = Vec::new();
    let mut is_asked = false;
    if let Some(client) = server.sessions.clients.get(token)
        && replica.session == Some((token, client.id))
    {
        let own = &client.query.pending()[..bytes];
        is_asked = own.get(..ASKED.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(ASKED));
        replica.held.extend_from_slice(own);
        if client.standing.transaction().is_none() {
            fed = std::mem::take(&mut replica.held);
            server.registry.replication.stream_db = client.db;
        }
    }
    server.slots.put(replica);
    if is_asked {
        // As of before it was asked.
        acknowledge(server);
    }
    state::feed(server, &fed);
    fed.clear();
    // Room that was made for one unit serves the next.
    server.slots.with(|replica: &mut Upstream| {
        if replica.held.capacity() == 0 && fed.capacity() <= KEPT_BYTES {
            replica.held = fed;
        }
    });
}

/// Largest room that is kept between units.
const KEPT_BYTES: usize = 64 * 1024;

/// Bytes of the stream that were read, applied or not.
pub fn read_offset(server: &Server) -> i64 {
    let offset = server.registry.replication.offset;
    let Some(replica) = server.slots.peek::<Upstream>() else { return offset };
    let client = replica.session.and_then(|(token, _)| server.sessions.clients.peek(token));
    offset + (replica.held.len() + client.map_or(0, |client| client.query.pending().len())) as i64
}

/// When anything came from the primary last, Unix time in seconds.
pub fn heard_s(server: &Server) -> Option<i64> {
    let replica = server.slots.peek::<Upstream>()?;
    let (token, _) = replica.session?;
    Some(server.sessions.clients.peek(token)?.active_s)
}

/// Tell the primary how far this server is, and how far its append-only file if it has one.
pub fn acknowledge(server: &mut Server) {
    let offset = server.registry.replication.offset.to_string();
    let session = server.slots.with(|replica: &mut Upstream| replica.session);
    let Some((token, _)) = session else { return };
    let lasts = lasting(server).map(|offset| offset.to_string());
    if let Some(client) = server.sessions.clients.get(token) {
        let mut words: Vec<&[u8]> = vec![b"REPLCONF", b"ACK", offset.as_bytes()];
        words.extend(lasts.iter().flat_map(|lasts| [b"FACK", lasts.as_bytes()]));
        client.output.write(&command::encode(&words));
        server.sessions.clients.list_write(token);
    }
}

/// An offset of the stream up to which all lasts in the append-only file. What is written is not known to last before
/// the next look.
fn lasting(server: &mut Server) -> Option<i64> {
    let offset = server.registry.replication.offset;
    let (appended, synced) = aof::progress(server)?;
    server.slots.with(|replica: &mut Upstream| {
        let files = &mut replica.files;
        if let Some((reached, _)) = files.next.take_if(|(_, bytes)| *bytes <= synced) {
            files.lasts = Some(reached);
        }
        if synced == appended {
            files.lasts = Some(offset);
        } else {
            files.next.get_or_insert((offset, appended));
        }
        files.lasts
    })
}

/// Cut a link on which nothing comes.
pub(super) fn mind_silence(server: &mut Server) {
    let timeout_s = server.settings.replication.timeout_s;
    let session = server.slots.with(|replica: &mut Upstream| replica.session);
    let Some((token, _)) = session else { return };
    let is_silent =
        server.sessions.clients.peek(token).is_some_and(|client| server.clock.now_s - client.heard_s > timeout_s);
    if is_silent {
        log::warning("MASTER timeout: no data nor PING received...");
        server.sessions.clients.close(token);
    }
}

/// The stream holds what is no request: going on from there would meet it again.
pub fn broken(server: &mut Server) {
    log::warning("The primary's stream is broken; all of the data will be asked for.");
    server.slots.with(|replica: &mut Upstream| replica.goes_on = false);
}

/// Take note of the session's end.
pub(super) fn mind_end(server: &mut Server) {
    let Some(session) = server.slots.with(|replica: &mut Upstream| replica.session) else { return };
    if super::is_served(server, session) {
        return;
    }
    log::notice("Connection with master lost.");
    log::notice("Caching the disconnected master state.");
    if let Role::Replica { host, port } = &server.registry.replication.role {
        log::notice(&format!("Reconnecting to MASTER {host}:{port}"));
    }
    let now_s = server.clock.now_s;
    server.slots.with(|replica: &mut Upstream| {
        replica.session = None;
        replica.held = Vec::new();
        replica.ack = None;
        replica.next = Some(Instant::now() + if replica.goes_on { Duration::ZERO } else { AGAIN });
        replica.down_since_s = now_s;
    });
}
