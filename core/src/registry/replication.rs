//! What all rooms may know of replication: whose copy the data are, and how far the stream of changes is.
//!
//! ```text
//!   id   abc...                        the stream since the last promotion, offsets from second_offset on
//!   id2  012...   up to second_offset  the stream before it, which a replica may have read
//! ```
//!
//! An offset counts the bytes of the stream, from 1: `offset` is that of the last byte.

use crate::base::random::Random;

/// The greatest offset that is taken from another: what comes behind it can still be counted.
pub const OFFSET_MAX: i64 = i64::MAX / 2;
/// An id that stands for no stream.
pub const NO_ID: &str = "0000000000000000000000000000000000000000";

/// Why a replica refuses a write.
pub const READ_ONLY: &str = "READONLY You can't write against a read only replica.";
/// Why a replica refuses what needs data that are not old.
pub const STALE: &str = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";

/// Whose copy the data are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Nobody's.
    #[default]
    Primary,
    /// Another server's.
    Replica {
        /// Its name or address.
        host: String,
        /// Its port.
        port: u16,
    },
}

/// How far a replica's link to its primary is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Link {
    /// There is none: this is a primary.
    #[default]
    Off,
    /// It is to be made.
    Connect,
    /// The connection is being made.
    Connecting,
    /// Both say what they can.
    Handshake,
    /// The primary's data are being taken in.
    Syncing,
    /// The stream is read.
    Up,
}

impl Link {
    /// As ROLE calls it.
    pub fn text(self) -> &'static str {
        match self {
            Link::Off => "none",
            Link::Connect => "connect",
            Link::Connecting => "connecting",
            Link::Handshake => "handshake",
            Link::Syncing => "sync",
            Link::Up => "connected",
        }
    }
}

/// Role and offsets. Rooms below replication read it, and replication alone writes it.
#[derive(Clone, Debug)]
pub struct Replication {
    /// Whose copy the data are.
    pub role: Role,
    /// The link to the primary.
    pub link: Link,
    /// The stream's id, 40 hex digits.
    pub id: String,
    /// Its id before the last promotion, or [`NO_ID`].
    pub id2: String,
    /// First offset that is of `id` alone, or -1.
    pub second_offset: i64,
    /// Bytes of the stream so far.
    pub offset: i64,
    /// Whether bytes of the stream are kept, so that it means something to others.
    pub is_kept: bool,
    /// The database that the stream has selected at the offset.
    pub stream_db: u32,
    /// Whether writes are refused because this is a replica.
    pub refuses_writes: bool,
    /// Whether all that needs the data is refused because they may be old.
    pub refuses_stale: bool,
}

/// One who reads the stream, or is about to, as others may know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownReplica {
    /// Id of its connection.
    pub client: u64,
    /// Where it serves; port 0 if it has not said.
    pub address: (String, u16),
    /// Whether it reads the stream.
    pub is_online: bool,
    /// The offset that it has acknowledged, ...
    pub acknowledged: i64,
    /// ... and the one up to which it says that the stream lasts, or -1.
    pub synced: i64,
    /// Seconds since it was heard of.
    pub lag_s: i64,
}

impl Default for Replication {
    fn default() -> Self {
        Replication {
            role: Role::Primary,
            link: Link::Off,
            id: Random::new().identity(),
            id2: NO_ID.into(),
            second_offset: -1,
            offset: 0,
            is_kept: false,
            stream_db: 0,
            refuses_writes: false,
            refuses_stale: false,
        }
    }
}

impl Replication {
    /// Whether the data are another's.
    pub fn is_replica(&self) -> bool {
        matches!(self.role, Role::Replica { .. })
    }
}
