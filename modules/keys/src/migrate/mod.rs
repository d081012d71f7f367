//! What MIGRATE is made of, apart from the command itself: connections to other servers, and the
//! threads that use them. Standard library only; nothing here knows the server that it runs in.
//!
//! ```text
//! mod.rs        the words: where to, what, what came of it
//! link.rs       one connection: connecting, logging in, RESTORE and DEL, reading replies
//! cache.rs      connections that are kept for the next MIGRATE
//! workers.rs    one transfer, on a thread or in place; ending all of them
//! ```
//!
//! A transfer sends its orders through one connection, all of them before it reads the replies, and
//! tells of each whether the target has carried it out, refused it, or cannot be known to have done
//! either. What that means for the keys here, the command decides on the main thread.
//!
//! Invariants:
//!
//! - No value is sent before the target has accepted the password and the database.
//! - No wait is longer than the target's timeout: connecting, each write, each read. Looking up a
//!   host's name takes as long as the system's resolver takes.
//! - A connection is kept only after all replies were read.

mod cache;
mod link;
mod workers;

pub(crate) use workers::Workers;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// User, if one was named, and password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: Option<Vec<u8>>,
    pub(crate) password: Vec<u8>,
}

/// Which server, and as whom.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Name or address.
    pub(crate) host: String,
    /// `None` for what is no port.
    pub(crate) port: Option<u16>,
    pub(crate) credentials: Option<Credentials>,
}

/// Where to.
pub(crate) struct Target {
    pub(crate) address: Address,
    /// Number of the database, as it was given.
    pub(crate) db: i64,
    /// How long the other side may be silent.
    pub(crate) timeout: Duration,
    /// Port and database that must not be met: those that the keys come from. No database when
    /// nobody could answer on this port meanwhile.
    pub(crate) own: (u16, Option<i64>),
}

/// A key as it was when it was sent.
pub(crate) struct Item {
    pub(crate) key: Vec<u8>,
    /// As of DUMP.
    pub(crate) payload: Vec<u8>,
    /// Whether the payload is as Valkey has it, and not as DUMP shows it by itself.
    pub(crate) is_for_valkey: bool,
    /// Unix time in ms at which it expires.
    pub(crate) expire_at_ms: Option<i64>,
}

/// What the target is to do.
pub(crate) enum Order {
    /// Make a key, also in place of another one.
    Restore { item: Item, replace: bool },
    /// Forget a key that it was sent before.
    Delete(Vec<u8>),
}

/// How all servers begin to refuse a payload of a version that they do not know.
const UNKNOWN_VERSION: &[u8] = b"ERR DUMP payload version";
/// The version of payloads with which Redis and Valkey part.
const RDB_VERSION_PARTED: u16 = 12;
/// Bytes of a payload's checksum, in front of which the version stands.
const CHECKSUM_BYTES: usize = 8;

impl Item {
    /// Whether Redis reads the payload and Valkey does not.
    fn is_for_redis_only(&self) -> bool {
        let version = self.payload.split_last_chunk::<CHECKSUM_BYTES>().and_then(|(rest, _)| rest.last_chunk());
        version.is_some_and(|version| u16::from_le_bytes(*version) == RDB_VERSION_PARTED)
    }
}

impl Order {
    /// What a refusal means for the order.
    fn refused(&self, text: &[u8]) -> Answer {
        match self {
            Order::Restore { item, .. } if item.is_for_redis_only() && text.starts_with(UNKNOWN_VERSION) => {
                Answer::Unknowing
            }
            _ => Answer::Refused,
        }
    }

    /// The key that it is about.
    pub(crate) fn key(&self) -> &[u8] {
        match self {
            Order::Restore { item, .. } => &item.key,
            Order::Delete(key) => key,
        }
    }
}

/// What has become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The target has done it.
    Done,
    /// The target has refused it.
    Refused,
    /// The target does not know the version of the payload, and may know Valkey's.
    Unknowing,
    /// There was no answer.
    Unknown,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The host's name stands for no address.
    Resolve,
    /// Nobody took the connection, or what was sent.
    Write,
    /// No answer came, or none that can be understood.
    Read,
    /// The keys would come back to where they are.
    Itself,
}

/// What has become of a transfer.
pub(crate) struct Outcome {
    /// One for each order.
    pub(crate) answers: Vec<Answer>,
    /// The first error that the target replied with, without the `-`.
    pub(crate) refusal: Option<Vec<u8>>,
    pub(crate) failure: Option<Failure>,
}

impl Outcome {
    /// Of a transfer that has not come to its orders.
    fn without_answers(count: usize) -> Outcome {
        Outcome { answers: vec![Answer::Unknown; count], refusal: None, failure: None }
    }
}

/// A transfer that a thread makes: what it is to do, and the place where it leaves what came of it.
pub(crate) struct Transfer {
    pub(crate) target: std::sync::Arc<Target>,
    pub(crate) orders: Vec<Order>,
    outcome: Mutex<Option<Outcome>>,
}

impl Transfer {
    pub(crate) fn new(target: std::sync::Arc<Target>, orders: Vec<Order>) -> Transfer {
        Transfer { target, orders, outcome: Mutex::new(None) }
    }

    /// What came of it; `None` as long as it goes on.
    pub(crate) fn take_outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether it is over, and nobody has asked yet what came of it.
    pub(crate) fn is_over(&self) -> bool {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn end(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}
