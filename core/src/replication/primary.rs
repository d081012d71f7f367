//! The primary's side: who reads the stream, how far each is, and what is done once a second for them.
//!
//! A replica's place in the stream is a position, its bytes lie in the backlog. So its buffer cannot break: what
//! waits for it is the distance to the end, which `client-output-buffer-limit` bounds as far as it is beyond the
//! backlog.

use crate::base::log;
use crate::engine::duties::Duty;
use crate::engine::effects::Told;
use crate::engine::server::Server;
use crate::replication::replica::{Replica, Said, Stage};
use crate::replication::state::{self, Replication};
use crate::replication::{failover, farewell, sync, wait};
use crate::session::client::{Closing, OUTPUT_OF_REPLICAS, Replicates};
use crate::wire::command;
use plinth_abi::events::ON_REPLICA_GONE;
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Most pieces in one call of `writev`.
const PIECES_MAX: usize = 64;
/// Bytes after which sending to one replica makes way for others.
const SEND_TURN_BYTES: u64 = 1 << 20;
/// Between two looks at what waits for another child to end.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Between two looks at all else.
const SECOND: Duration = Duration::from_secs(1);

/// Look after replicas.
pub const DUTY: Duty = Duty { due, run };

/// A replica as the log names it: its address, and the port that it serves.
pub fn name(server: &Server, replica: &Replica) -> String {
    let (ip, port) = address(server, replica);
    if port == 0 {
        return format!("client id #{}", replica.client);
    }
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

/// The same of a client that may have said nothing yet.
pub fn name_of(server: &Server, token: usize) -> String {
    let known = server.slots.peek::<Replication>();
    let known = known.and_then(|all| all.replicas.iter().find(|replica| replica.token == token));
    let id = server.sessions.clients.peek(token).map_or(0, |client| client.id);
    known.map_or_else(|| format!("client id #{id}"), |replica| name(server, replica))
}

/// Address and port of a replica.
pub fn address(server: &Server, replica: &Replica) -> (String, u16) {
    if !replica.said.ip.is_empty() {
        return (replica.said.ip.clone(), replica.said.port);
    }
    let client = server.sessions.clients.peek(replica.token);
    let parsed = client.and_then(|client| client.address.parse::<std::net::SocketAddr>().ok());
    (parsed.map_or_else(|| "127.0.0.1".into(), |address| address.ip().to_canonical().to_string()), replica.said.port)
}

/// A client says something of itself as a replica.
pub fn hear(server: &mut Server, token: usize, change: impl FnOnce(&mut Said)) {
    let now_s = server.clock.now_s;
    let Some(client) = server.sessions.clients.get(token) else { return };
    if client.replicates == Replicates::No {
        client.replicates = Replicates::Known;
    }
    let id = client.id;
    server.slots.with(|replication: &mut Replication| {
        if replication.of(token).is_none() {
            replication.replicas.push(Replica::new(token, id, now_s));
        }
        if let Some(replica) = replication.of(token) {
            change(&mut replica.said);
        }
    });
}

/// A replica has read the stream up to an offset, and what it has of it up to another one lasts.
pub fn acknowledge(server: &mut Server, token: usize, offset: i64, synced: Option<i64>) {
    let now_s = server.clock.now_s;
    server.slots.with(|replication: &mut Replication| {
        let Some(replica) = replication.of(token).filter(|replica| replica.is_attached()) else { return };
        // What was not sent it does not have, whatever it says.
        let end = replica.cursor as i64;
        replica.acked = replica.acked.max(offset.min(end));
        replica.synced = replica.synced.max(synced.unwrap_or(-1).min(end));
        (replica.heard_s, replica.has_answered) = (now_s, true);
        // It may have read the mark before the thread has told that it was sent.
        replica.awaits_ack &= !matches!(replica.stage, Stage::Online | Stage::Sending);
        if replication.farewell.is_some() || replication.failover.is_some() {
            replication.next = None;
        }
    });
    wait::settle(server);
    server.sessions.clients.list_write(token);
}

/// A connection ends that has said something as a replica.
pub fn closed(server: &mut Server, token: usize) {
    let mut replication = server.slots.take::<Replication>();
    if let Some(at) = replication.replicas.iter().position(|replica| replica.token == token) {
        let replica = replication.replicas.swap_remove(at);
        if replica.is_attached() {
            log::notice(&format!("Connection with replica {} lost.", name(server, &replica)));
        }
        if replica.stage == Stage::Online {
            tell(server, &replica, ON_REPLICA_GONE);
        }
        if replica.has_refused() {
            replication.note_refusal(address(server, &replica));
        }
        if replica.stage == Stage::Sending
            && let Some(client) = server.sessions.clients.peek(token)
        {
            // The thread that sends is not to go on.
            client.socket.shut_down();
        }
        if replication.attached().next().is_none() {
            replication.alone_since = Some(Instant::now());
        }
        // What was kept for it alone goes.
        replication.trim(state::kept_bytes(server));
        sync::left(server, &mut replication);
    }
    server.slots.put(replication);
}

/// A replica reads the stream from now on, or does so no more: modules are to be told.
pub fn tell(server: &mut Server, replica: &Replica, kind: u32) {
    if !server.registry.hooks.wants(kind) {
        return;
    }
    let (ip, port) = address(server, replica);
    let key = format!("{ip} {port}").into_bytes();
    server.tell(Told { kind, db: -1, client_id: replica.client, key, ..Told::default() });
}

/// There is more of the stream: whoever reads it is to be sent it, unless too much waits for it.
pub fn call_readers(server: &mut Server, replication: &mut Replication) {
    let hard = server.settings.output_limits[OUTPUT_OF_REPLICAS].hard_bytes;
    let hard = if hard == 0 { u64::MAX } else { hard.max(state::kept_bytes(server)) };
    let end = replication.backlog.as_ref().map_or(0, |backlog| backlog.end());
    for replica in replication.replicas.iter_mut().filter(|replica| replica.holds_stream()) {
        if end.saturating_sub(replica.cursor) > hard {
            cut_off(server, replica);
        } else if replica.reads_stream() {
            server.sessions.clients.list_write(replica.token);
        }
    }
}

/// More waits for a replica than may: it is closed, and nothing is kept for it any more.
fn cut_off(server: &mut Server, replica: &mut Replica) {
    let Some(client) = server.sessions.clients.get(replica.token) else { return };
    if client.closing == Closing::Now {
        return;
    }
    log::warning(&format!(
        "Client id={} addr={} flags=S scheduled to be closed ASAP for overcoming of output buffer limits.",
        client.id, client.address
    ));
    server.stats.output_limit_closed += 1;
    server.sessions.clients.close(replica.token);
    if replica.stage == Stage::Online {
        replica.stage = Stage::Served;
    }
}

/// Whether the loop may write to a replica's socket now.
pub fn may_write(server: &Server, token: usize) -> bool {
    let replication = server.slots.peek::<Replication>();
    let replica = replication.and_then(|all| all.replicas.iter().find(|replica| replica.token == token));
    replica.is_none_or(|replica| replica.stage != Stage::Sending)
}

/// Send a replica of the stream what its socket takes, up to a turn's share; whether it may take more.
pub fn write_stream(server: &mut Server, token: usize) -> bool {
    let mut replication = server.slots.take::<Replication>();
    let sent = send(server, &mut replication, token);
    server.slots.put(replication);
    let now_s = server.clock.now_s;
    let Some(client) = server.sessions.clients.get(token) else { return false };
    match sent {
        Ok((bytes, more)) => {
            client.output_bytes += bytes;
            client.write_listed = more;
            if bytes > 0 {
                client.active_s = now_s;
                server.stats.repl_output_bytes += bytes;
                server.stats.writes += 1;
            }
            more
        }
        Err(error) => {
            log::verbose(&format!("Error writing to a replica: {error}"));
            server.sessions.clients.close(token);
            false
        }
    }
}

fn send(server: &mut Server, replication: &mut Replication, token: usize) -> io::Result<(u64, bool)> {
    let Replication { backlog: Some(backlog), replicas, .. } = replication else { return Ok((0, false)) };
    let replica = replicas.iter_mut().find(|replica| replica.token == token);
    let Some(replica) = replica.filter(|replica| replica.reads_stream()) else { return Ok((0, false)) };
    let Some(client) = server.sessions.clients.get(token) else { return Ok((0, false)) };
    let mut total = 0;
    loop {
        let Some(pieces) = backlog.pieces(replica.cursor, PIECES_MAX) else {
            return Err(io::Error::other("its place in the stream is gone"));
        };
        if pieces.is_empty() || total >= SEND_TURN_BYTES {
            return Ok((total, !pieces.is_empty()));
        }
        match client.socket.write_vectored(&pieces) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => {
                replica.cursor += bytes as u64;
                total += bytes as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                client.write_blocked = true;
                return Ok((total, false));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Number of replicas that keep up, as `min-replicas-max-lag` has it.
pub fn good_replicas(server: &Server) -> usize {
    let (now_s, lag_s) = (server.clock.now_s, server.settings.replication.min_replicas_max_lag_s);
    let replication = server.slots.peek::<Replication>();
    let attached = replication.into_iter().flat_map(Replication::attached);
    attached.filter(|replica| replica.stage == Stage::Online && now_s - replica.heard_s <= lag_s).count()
}

/// Whether writes are refused may have changed.
pub fn count_replicas(server: &mut Server) {
    let settings = &server.settings.replication;
    let wanted = usize::try_from(settings.min_replicas_to_write).unwrap_or(0);
    let counts = wanted > 0 && settings.min_replicas_max_lag_s > 0 && !server.registry.replication.is_replica();
    let lacks = counts && good_replicas(server) < wanted;
    if server.registry.standing.lacks_replicas != lacks {
        server.registry.standing.lacks_replicas = lacks;
        server.observe();
    }
}

fn due(server: &Server, now: Instant) -> Option<Duration> {
    let counts = server.settings.replication.min_replicas_to_write > 0;
    let Some(replication) = server.slots.peek::<Replication>() else { return counts.then_some(Duration::ZERO) };
    if replication.post.any() || replication.wants_acks {
        return Some(Duration::ZERO);
    }
    let stands_still = replication.farewell.is_some() || replication.failover.is_some();
    if !counts && !stands_still && replication.replicas.is_empty() && replication.backlog.is_none() {
        return None;
    }
    Some(replication.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now)))
}

fn run(server: &mut Server, now: Instant) {
    sync::follow_threads(server);
    sync::begin_what_is_due(server, now);
    wait::ask(server);
    farewell::look(server, now);
    failover::look(server, now);
    let is_second = server.slots.with(|replication: &mut Replication| {
        let waits = replication.replicas.iter().any(|replica| replica.stage == Stage::Waiting)
            || replication.farewell.is_some()
            || replication.failover.is_some();
        replication.next = Some(now + if waits { LOOK_EVERY } else { SECOND });
        let is_due = replication.second.is_none_or(|last| now - last >= SECOND);
        if is_due {
            replication.second = Some(now);
        }
        is_due
    });
    if is_second {
        each_second(server, now);
    }
}

fn each_second(server: &mut Server, now: Instant) {
    let timeout = Duration::from_secs(server.settings.replication.timeout_s.unsigned_abs());
    server.slots.with(|replication: &mut Replication| replication.post.set_timeout(timeout));
    ping(server, now);
    keep_alive(server);
    close_silent(server, timeout);
    close_over_soft_limit(server, now);
    forget_backlog(server, now);
    count_replicas(server);
}

/// Replicas are to know that this server is there, and where the stream is.
fn ping(server: &mut Server, now: Instant) {
    let period = Duration::from_secs(server.settings.replication.ping_period_s.unsigned_abs());
    let stands_still = failover::is_running(server) || farewell::is_waiting(server);
    let is_replica = server.registry.replication.is_replica() || stands_still;
    let is_due = server.slots.with(|replication: &mut Replication| {
        let is_due = !is_replica
            && replication.attached().next().is_some()
            && now - *replication.pinged.get_or_insert(now) >= period;
        if is_due {
            replication.pinged = Some(now);
        }
        is_due
    });
    if is_due {
        state::feed(server, &command::encode(&[b"PING"]));
    }
}

/// Who waits for a snapshot is sent empty lines, so that it sees that this server is there.
fn keep_alive(server: &mut Server) {
    let waiting: Vec<usize> = server.slots.with(|replication: &mut Replication| {
        let waits = |replica: &&Replica| matches!(replica.stage, Stage::Waiting | Stage::Saving);
        replication.replicas.iter().filter(waits).map(|replica| replica.token).collect()
    });
    for token in waiting {
        if let Some(client) = server.sessions.clients.get(token)
            && client.output.pending() == 0
        {
            client.output.write(b"\n");
            server.sessions.clients.list_write(token);
        }
    }
}

/// Who was not heard of for too long is cut off.
fn close_silent(server: &mut Server, timeout: Duration) {
    let (now_s, timeout_s) = (server.clock.now_s, timeout.as_secs() as i64);
    let replication = server.slots.take::<Replication>();
    for replica in &replication.replicas {
        let is_silent = match replica.stage {
            Stage::Online => !replica.is_plain && now_s - replica.heard_s > timeout_s,
            Stage::Served => now_s - replica.heard_s > timeout_s,
            // Those are seen by the thread that writes to them.
            Stage::Sending | Stage::Known | Stage::Waiting | Stage::Saving => false,
        };
        if is_silent {
            let name = name(server, replica);
            log::warning(&format!("Disconnecting timedout replica (streaming sync): {name}"));
            server.sessions.clients.close(replica.token);
        }
    }
    server.slots.put(replication);
}

fn close_over_soft_limit(server: &mut Server, now: Instant) {
    let limit = server.settings.output_limits[OUTPUT_OF_REPLICAS];
    let kept = state::kept_bytes(server);
    let mut replication = server.slots.take::<Replication>();
    let end = replication.backlog.as_ref().map_or(0, |backlog| backlog.end());
    for replica in replication.replicas.iter_mut().filter(|replica| replica.holds_stream()) {
        if limit.soft_bytes == 0 || end.saturating_sub(replica.cursor) <= limit.soft_bytes.max(kept) {
            replica.soft_since = None;
            continue;
        }
        let since = *replica.soft_since.get_or_insert(now);
        if now - since > Duration::from_secs(limit.soft_s) {
            cut_off(server, replica);
        }
    }
    server.slots.put(replication);
}

/// Without replicas for a long time, the stream ends.
fn forget_backlog(server: &mut Server, now: Instant) {
    let ttl_s = server.settings.replication.backlog_ttl_s.unsigned_abs();
    let is_replica = server.registry.replication.is_replica();
    let is_due = server.slots.with(|replication: &mut Replication| {
        let is_alone = replication.attached().next().is_none();
        let since = replication.alone_since.filter(|_| is_alone && ttl_s > 0 && !is_replica);
        replication.backlog.is_some() && since.is_some_and(|since| now - since >= Duration::from_secs(ttl_s))
    });
    if is_due {
        // Who comes back with the old id could lack what is written from now on.
        state::new_id(server);
        state::drop_backlog(server);
        log::notice(&format!("Replication backlog freed after {ttl_s} seconds without connected replicas."));
    }
}
