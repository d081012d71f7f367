//! Waiting for replicas: who waits until so many of them have the stream up to an offset.
//!
//! A client's offset is where the stream ended when it had changed something last. Replicas say by themselves once
//! a second how far they are, and at once when they are asked in the stream (`REPLCONF GETACK`).

use crate::engine::server::Server;
use crate::replication::replica::{Replica, Stage};
use crate::replication::state::{self, Replication};
use crate::wire::command;

/// Somebody who waits.
pub struct Wait {
    ticket: u64,
    offset: i64,
    replicas: usize,
    /// Whether replicas count only where it lasts.
    lasts: bool,
}

fn has(replica: &Replica, offset: i64, lasts: bool) -> bool {
    replica.stage == Stage::Online && if lasts { replica.synced >= offset } else { replica.acked >= offset }
}

/// Replicas that have the stream up to an offset, or in whose files it lasts.
pub fn count(server: &Server, offset: i64, lasts: bool) -> usize {
    let replication = server.slots.peek::<Replication>();
    replication.map_or(0, |all| all.replicas.iter().filter(|replica| has(replica, offset, lasts)).count())
}

/// The offset of what a client has changed last.
pub fn offset_of(server: &Server, token: Option<usize>) -> i64 {
    token.and_then(|token| server.sessions.clients.peek(token)).map_or(0, |client| client.write_offset)
}

/// Have a client run again, under a ticket, when so many replicas have the stream up to an offset.
pub fn wait(server: &mut Server, ticket: u64, offset: i64, replicas: usize, lasts: bool) {
    server.slots.with(|replication: &mut Replication| {
        replication.waits.push(Wait { ticket, offset, replicas, lasts });
        replication.wants_acks = true;
    });
}

/// Replicas have said how far they are.
pub fn settle(server: &mut Server) {
    let resumes = &server.sessions.blocking.resumes;
    server.slots.with(|replication: &mut Replication| {
        let Replication { waits, replicas, .. } = replication;
        waits.retain(|wait| {
            let have = replicas.iter().filter(|replica| has(replica, wait.offset, wait.lasts)).count();
            let is_over = have >= wait.replicas;
            if is_over {
                resumes.resume(wait.ticket);
            }
            !is_over && resumes.is_waiting(wait.ticket)
        });
    });
}

/// Ask replicas how far they are, if somebody waits for that.
pub fn ask(server: &mut Server) {
    let is_wanted = server.slots.with(|replication: &mut Replication| {
        std::mem::take(&mut replication.wants_acks) && replication.attached().next().is_some()
    });
    if is_wanted && !server.registry.replication.is_replica() {
        state::feed(server, &command::encode(&[b"REPLCONF", b"GETACK", b"*"]));
    }
}
