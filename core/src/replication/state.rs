//! The stream: what is fed to it, and what befalls it when the role changes.
//!
//! Invariants:
//! - `registry.replication.offset` is the end of the backlog, as long as there is one.
//! - While nobody reads the stream and nothing of it is kept, nothing is written to it.

use crate::base::random::Random;
use crate::engine::server::Server;
use crate::persist::aof::text::Text;
use crate::registry::replication::NO_ID;
use crate::replication::backlog::{BLOCK_BYTES, Backlog};
use crate::replication::failover::Failover;
use crate::replication::farewell::Farewell;
use crate::replication::primary;
use crate::replication::replica::Replica;
use crate::replication::sync::Round;
use crate::replication::transfer::Post;
use crate::replication::wait::Wait;
use crate::store::effects::Effect;
use plinth_abi::propagate::PROPAGATE_TO_REPLICAS;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Most replicas of which it is remembered that they have refused a snapshot.
const REFUSED_MAX: usize = 64;

/// State of replication, in a slot of the server.
#[derive(Default)]
pub struct Replication {
    /// The last bytes of the stream, while somebody may ask for them.
    pub backlog: Option<Backlog>,
    /// The unit that goes on.
    text: Text,
    /// Those who read the stream, want to, or have said that they might.
    pub replicas: Vec<Replica>,
    /// The snapshot that is being made for some of them.
    pub round: Option<Round>,
    /// Snapshots so far.
    pub rounds: u64,
    /// What threads say that send snapshots.
    pub post: Arc<Post>,
    /// When it is to be looked after next; `None` for at once.
    pub next: Option<Instant>,
    /// When that was done last which is done once a second ...
    pub second: Option<Instant>,
    /// ... and when replicas were sent the last PING.
    pub pinged: Option<Instant>,
    /// Who waits for replicas.
    pub waits: Vec<Wait>,
    /// Whether replicas are to be asked how far they are.
    pub wants_acks: bool,
    /// An end of the server that waits for replicas.
    pub farewell: Option<Farewell>,
    /// A role that is being given away.
    pub failover: Option<Failover>,
    /// The client whose commands are in the unit that goes on: token and id.
    writer: Option<(usize, u64)>,
    /// Addresses and ports of replicas that were given a snapshot, and left without a word: the last ones.
    refused: VecDeque<(String, u16)>,
    /// Since when there is no replica.
    pub alone_since: Option<Instant>,
}

impl Replication {
    /// Replicas that have asked to be synchronised.
    pub fn attached(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.iter().filter(|replica| replica.is_attached())
    }

    /// A replica by the token of its connection.
    pub fn of(&mut self, token: usize) -> Option<&mut Replica> {
        self.replicas.iter_mut().find(|replica| replica.token == token)
    }

    /// A replica was given a snapshot, and has left without a word: it may be too old for it.
    pub fn note_refusal(&mut self, of: (String, u16)) {
        if !self.has_refused(&of) {
            self.refused.truncate(REFUSED_MAX - 1);
            self.refused.push_front(of);
        }
    }

    /// Whether one of that address and port has.
    pub fn has_refused(&self, of: &(String, u16)) -> bool {
        self.refused.contains(of)
    }

    /// Whether any has.
    pub fn knows_refusals(&self) -> bool {
        !self.refused.is_empty()
    }

    /// What replicas have refused cannot be helped.
    pub fn forget_refusals(&mut self) {
        self.refused.clear();
    }

    /// What follows is read by somebody who has selected no database.
    pub fn restart_text(&mut self) {
        self.text.restart();
    }

    /// Drop bytes that nobody needs any more.
    pub fn trim(&mut self, kept: u64) {
        let Some(backlog) = &mut self.backlog else { return };
        let held = self.replicas.iter().filter(|replica| replica.holds_stream()).map(|replica| replica.cursor);
        let to = backlog.end().saturating_sub(kept);
        backlog.trim(held.fold(to, u64::min));
    }
}

/// Bytes of the stream that are kept for replicas that come back.
pub fn kept_bytes(server: &Server) -> u64 {
    server.settings.replication.backlog_size.unsigned_abs()
}

/// Bytes of memory that the backlog takes, and with them those that are kept for slow replicas alone.
pub fn memory_bytes(server: &Server) -> (usize, usize) {
    let backlog = server.slots.peek::<Replication>().and_then(|replication| replication.backlog.as_ref());
    let all = backlog.map_or(0, Backlog::memory_bytes);
    let kept = usize::try_from(kept_bytes(server)).unwrap_or(usize::MAX);
    (all.min(kept.saturating_add(BLOCK_BYTES)), all)
}

/// Units of propagation go into the stream. On a replica they do not: its stream is its primary's.
pub fn observe(server: &mut Server, effect: &Effect) {
    if !server.propagation.to_stream || server.registry.replication.is_replica() {
        return;
    }
    match effect {
        Effect::Propagate { db, command, targets } if targets & PROPAGATE_TO_REPLICAS != 0 => {
            server.registry.replication.stream_db = *db;
            let by = server.pending.by;
            server.slots.with(|replication: &mut Replication| {
                replication.text.add(*db, command, None);
                replication.writer = by.or(replication.writer);
            });
        }
        Effect::UnitEnd => {
            let (unit, writer) = server.slots.with(|replication: &mut Replication| {
                replication.text.end_unit();
                (replication.text.take(), replication.writer.take())
            });
            feed(server, &unit);
            let offset = server.registry.replication.offset;
            if let Some((token, id)) = writer
                && let Some(client) = server.sessions.clients.get(token).filter(|client| client.id == id)
            {
                client.write_offset = offset;
            }
        }
        Effect::Propagate { .. } | Effect::Changed { .. } | Effect::Event { .. } => {}
        Effect::Flushed { .. } | Effect::Swapped { .. } => {}
    }
}

/// Bytes of the stream: kept, and sent to who reads it. Units of this server's own, or, on a replica, what its
/// primary sends, as it is.
pub fn feed(server: &mut Server, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let kept = kept_bytes(server);
    let mut replication = server.slots.take::<Replication>();
    if let Some(backlog) = &mut replication.backlog {
        backlog.append(bytes);
        server.registry.replication.offset = backlog.end() as i64;
        primary::call_readers(server, &mut replication);
        replication.trim(kept);
    }
    server.slots.put(replication);
}

/// Keep bytes of the stream from now on, unless they are kept already.
pub fn keep_backlog(server: &mut Server) {
    let at = server.registry.replication.offset.unsigned_abs();
    server.slots.with(|replication: &mut Replication| {
        if replication.backlog.is_none() {
            replication.backlog = Some(Backlog::new(at));
            // Nobody reads it yet, and if nobody comes it goes.
            replication.alone_since = Some(Instant::now());
        }
    });
    server.propagation.to_stream = true;
    server.registry.replication.is_kept = true;
    server.observe();
}

/// What was kept so far follows what others have read of the stream up to an offset.
pub fn begin_at(server: &mut Server, offset: i64) {
    server.registry.replication.offset += offset;
    server.slots.with(|replication: &mut Replication| {
        replication.backlog.iter_mut().for_each(|backlog| backlog.shift(offset.unsigned_abs()));
    });
}

/// Keep none any more: whoever reads the stream is to be told another id.
pub fn drop_backlog(server: &mut Server) {
    server.slots.with(|replication: &mut Replication| {
        replication.backlog = None;
        replication.text.clear();
    });
    server.propagation.to_stream = false;
    server.registry.replication.is_kept = false;
    server.observe();
}

/// The data are another stream's, as of an offset: what was kept is of no use.
pub fn adopt(server: &mut Server, id: &str, offset: i64) {
    let known = &mut server.registry.replication;
    known.id = id.into();
    known.offset = offset;
    clear_id2(server);
    server.slots.with(|replication: &mut Replication| {
        replication.backlog = replication.backlog.take().map(|_| Backlog::new(offset.unsigned_abs()));
        replication.text.clear();
    });
}

/// The stream goes on under a new id, because this server is its source now. Who has read it up to here may go
/// on under the old one.
pub fn shift_id(server: &mut Server) {
    let known = &mut server.registry.replication;
    known.id2 = std::mem::replace(&mut known.id, Random::new().identity());
    known.second_offset = known.offset + 1;
    let text = format!(
        "Setting secondary replication ID to {}, valid up to offset: {}. New replication ID is {}",
        known.id2, known.second_offset, known.id
    );
    crate::base::log::warning(&text);
    // Who goes on reading may have another database selected than was told last.
    restart_text(server);
}

/// Begin a stream with which no other has anything in common.
pub fn new_id(server: &mut Server) {
    server.registry.replication.id = Random::new().identity();
    clear_id2(server);
}

/// The stream before the last promotion can be gone on with no more.
pub fn clear_id2(server: &mut Server) {
    let known = &mut server.registry.replication;
    known.id2 = NO_ID.into();
    known.second_offset = -1;
}

/// What follows is read by somebody who has selected no database.
pub fn restart_text(server: &mut Server) {
    server.slots.with(Replication::restart_text);
}
