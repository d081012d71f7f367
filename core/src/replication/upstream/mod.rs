//! The replica: this server's data are a copy of another's.
//!
//! ```text
//!   role ── follow ──> link (a thread) ──┬─ Synced ──> load ──┐
//!     ^                     ^            └─ Continues ────────┴─> session ── stream ──> databases, backlog
//!     └── promote           └───────────────── it ends ────────────┘
//! ```
//!
//! - [`role`]: whose copy the data are, and how that changes.
//! - [`link`]: from nothing to a connection on which the stream comes; [`wire`], [`transfer`]: its parts.
//! - [`load`]: a snapshot in the place of the data; [`aside`]: these, as long as it may break off.
//! - [`stream`]: the session that the primary's commands come through, and how far they are.
//! - [`duty`]: attempts, acknowledgements, silence.
//! - [`gates`]: what a replica refuses.
//!
//! *Invariant*: nothing of the data goes before a snapshot has come whose first bytes can be read; and no data are of
//! two snapshots.

pub mod aside;
pub mod duty;
pub mod gates;
pub mod info;
pub mod link;
pub mod load;
pub mod role;
pub mod stream;
pub mod transfer;
pub mod wire;

use crate::engine::effects::Told;
use crate::engine::server::Server;
use crate::registry::replication::Link;
use crate::replication::upstream::link::{News, Position, Shared};
use crate::replication::upstream::wire::Wire;
use crate::session::client::Closing;
use plinth_abi::events::ON_LINK;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// State of a replica.
#[derive(Default)]
pub struct Upstream {
    /// The attempt that is made to get a link.
    attempt: Option<Arc<Shared>>,
    /// When it was begun.
    begun: Option<Instant>,
    /// When the next one is made.
    next: Option<Instant>,
    /// Attempts that have met a lasting failure, one after another.
    lasting_failures: u32,
    /// Why the last attempt failed, until one succeeds.
    pub last_failure: String,
    /// Token and id of the session that the stream comes through.
    session: Option<(usize, u64)>,
    /// Whether the data are those of the stream at the offset that is known, so that it may be gone on with.
    goes_on: bool,
    /// Bytes of a transaction that has not ended.
    held: Vec<u8>,
    /// What the loop is to do.
    steps: VecDeque<Step>,
    /// A snapshot was loaded from the pipe, and the connection that it came through is still the thread's.
    loaded: Option<Position>,
    /// What of the stream lasts here.
    files: Files,
    /// When the primary is told next how far this server is.
    ack: Option<Instant>,
    /// Since when there is no link, Unix time in seconds; 0 while there is one.
    pub down_since_s: i64,
    /// Whether the next attempt asks the primary to give its role up.
    pub takes_over: bool,
}

/// What of the stream lasts in the append-only file, as the primary is told.
#[derive(Default)]
struct Files {
    /// An offset up to which all does, once it is known.
    lasts: Option<i64>,
    /// An offset, and how many bytes have to last for all up to there to do so.
    next: Option<(i64, u64)>,
}

/// What only the loop can do.
pub enum Step {
    /// Load a snapshot, serving others meanwhile.
    Load(News),
    /// Serve a connection as the primary's session.
    Join(Wire),
}

/// What the loop is to do next.
pub fn next_step(server: &mut Server) -> Option<Step> {
    if !server.registry.replication.is_replica() {
        return None;
    }
    duty::hear(server);
    server.slots.with(|replica: &mut Upstream| replica.steps.pop_front())
}

/// How far the link is.
pub fn link(server: &Server) -> Link {
    if !server.registry.replication.is_replica() {
        return Link::Off;
    }
    let Some(replica) = server.slots.peek::<Upstream>() else { return Link::Connect };
    match (replica.session, &replica.attempt) {
        (Some(session), _) if is_served(server, session) => Link::Up,
        (None, Some(attempt)) => attempt.link(),
        _ => Link::Connect,
    }
}

/// The link has reached a state.
fn reach(server: &mut Server, link: Link) {
    if server.registry.replication.link != link {
        server.registry.replication.link = link;
        server.tell_if_wanted(Told { kind: ON_LINK, db: -1, ..Told::default() });
    }
}

/// Whether a session, by token and id, is served on.
fn is_served(server: &Server, (token, id): (usize, u64)) -> bool {
    let client = server.sessions.clients.peek(token).filter(|client| client.id == id);
    client.is_some_and(|client| client.closing == Closing::No)
}

/// The connection that an attempt has made cannot be served: there will be another attempt.
pub fn not_joined(server: &mut Server, error: &std::io::Error) {
    let text = format!("Serving the connection to the MASTER: {}", crate::base::log::plain(error));
    crate::base::log::warning(&text);
    duty::set_back(server, text, false);
}
