//! Service `plinth.replication/1`: whose copy the data are, how far the stream of changes is, and who reads it.
//!
//! What changes of it is told to hooks for `ON_ROLE`, `ON_LINK`, `ON_REPLICA` and `ON_REPLICA_GONE` of
//! [`crate::events`], after it has happened: a hook asks here what is so now.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// The data are nobody's copy.
pub const ROLE_PRIMARY: u32 = 0;
/// They are a copy of another server's.
pub const ROLE_REPLICA: u32 = 1;

/// There is no link: this is a primary.
pub const LINK_NONE: u32 = 0;
/// It is to be made.
pub const LINK_CONNECT: u32 = 1;
/// The connection is being made.
pub const LINK_CONNECTING: u32 = 2;
/// Both say what they can.
pub const LINK_HANDSHAKE: u32 = 3;
/// The primary's data are being taken in.
pub const LINK_SYNCING: u32 = 4;
/// The stream is read.
pub const LINK_UP: u32 = 5;

/// A replica waits for a snapshot, or is being sent one.
pub const REPLICA_SYNCING: u32 = 0;
/// It reads the stream.
pub const REPLICA_ONLINE: u32 = 1;

/// Role, link and stream. The texts are valid until the handler returns, or the next `follow` or `promote`.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct ReplicationState {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `ROLE_*`.
    pub role: u32,
    /// `LINK_*`.
    pub link: u32,
    /// The primary's port, 0 if this is one.
    pub primary_port: u32,
    /// The primary's name or address, empty if this is one.
    pub primary_host: Bytes,
    /// Id of the stream, 40 hex digits.
    pub id: Bytes,
    /// Its id before the last promotion, 40 zeros for none.
    pub second_id: Bytes,
    /// The first offset that is of `id` alone, -1 for none.
    pub second_offset: i64,
    /// Bytes of the stream so far. It stands still while nobody reads it and nothing of it is kept.
    pub offset: i64,
}

/// A replica. The text is valid for the visitor's call.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Replica {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `REPLICA_*`.
    pub stage: u32,
    /// The port that it serves, 0 if it has not said.
    pub port: u32,
    /// Seconds since it was heard of.
    pub lag_s: u32,
    /// Its address.
    pub address: Bytes,
    /// Its connection.
    pub client_id: u64,
    /// The offset that it has acknowledged.
    pub acknowledged: i64,
    /// The offset up to which it says that the stream lasts in its append-only file, -1 if it has not said.
    pub synced: i64,
}

/// Called for each replica; 0 ends the visit.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct VisitReplica {
    /// The function.
    pub run: unsafe extern "C" fn(replica: *const Replica, data: Opaque) -> u32,
}

/// Id of the service below.
pub const REPLICATION_SERVICE: &str = "plinth.replication/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct ReplicationService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Role, link and stream.
    ///
    /// Thread: main. Borrow: its texts until the handler returns, or the next call of `follow` or `promote`. Fails:
    /// never.
    pub state: unsafe extern "C" fn(call: *mut Call, state_out: *mut ReplicationState) -> Status,
    /// Visit the servers that read the stream, or are about to. The visitor calls nothing of the host.
    ///
    /// Thread: main. Borrow: `data` for the call. Fails: never.
    pub visit: unsafe extern "C" fn(call: *mut Call, visit: VisitReplica, data: Opaque) -> Status,
    /// Become a copy of another server, as REPLICAOF does: data and stream are kept until that server has said whether
    /// it goes on with them.
    ///
    /// Thread: main. Borrow: `host` for the call. Fails: `OUT_OF_RANGE` for no port, `BAD_DATA` for a host with spaces,
    /// control characters or none at all, `NOT_ALLOWED` inside `start`, while data are being loaded, and while a
    /// command gives way.
    pub follow: unsafe extern "C" fn(call: *mut Call, host: Bytes, port: u32) -> Status,
    /// Become nobody's copy: those who have read the stream may go on reading it here.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE` if this is a primary, `NOT_ALLOWED` as `follow`.
    pub promote: unsafe extern "C" fn(call: *mut Call) -> Status,
}
