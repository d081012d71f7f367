//! Whose copy the data are, and who reads the stream of changes: the safe side of `plinth.replication/1`.
//!
//! What changes is told by hooks for [`ON_ROLE`](crate::events::ON_ROLE), `ON_LINK`, `ON_REPLICA` and
//! `ON_REPLICA_GONE`.

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque};
use crate::abi::replication::VisitReplica;
use crate::call::Call;
use crate::error::{Result, check};
use crate::service::{Service, face};

pub use crate::abi::replication::{
    LINK_CONNECT, LINK_CONNECTING, LINK_HANDSHAKE, LINK_NONE, LINK_SYNCING, LINK_UP, REPLICATION_SERVICE,
    ReplicationService,
};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for ReplicationService {
    const ID: &'static str = REPLICATION_SERVICE;
}

/// Role, link and stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// Host and port of the primary, unless this is one.
    pub primary: Option<(String, u16)>,
    /// `LINK_*`.
    pub link: u32,
    /// Id of the stream.
    pub id: String,
    /// Its id before the last promotion, and the first offset that is not of it.
    pub second: Option<(String, i64)>,
    /// Bytes of the stream so far. It stands still while nobody reads it and nothing of it is kept.
    pub offset: i64,
}

/// One who reads the stream, or is about to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replica {
    /// Its address.
    pub address: String,
    /// The port that it serves, 0 if it has not said.
    pub port: u16,
    /// Whether it reads the stream.
    pub is_online: bool,
    /// Its connection.
    pub client_id: u64,
    /// The offset that it has acknowledged.
    pub acknowledged: i64,
    /// The offset up to which it says that the stream lasts there.
    pub synced: Option<i64>,
    /// Seconds since it was heard of.
    pub lag_s: u32,
}

face! {
    /// Replication, for a module that requires [`REPLICATION_SERVICE`].
    Replication, ReplicationService
}

/// # Safety
/// The bytes are lent by the host.
unsafe fn text(bytes: Bytes) -> String {
    // SAFETY: promised by the caller.
    String::from_utf8_lossy(unsafe { bytes.as_slice() }).into_owned()
}

impl Replication {
    /// Role, link and stream.
    pub fn state(&self, call: &mut Call<'_>) -> Result<State> {
        let state = self.handle.table()?.function(|table| table.state);
        let mut raw = abi::replication::ReplicationState {
            size: size_of::<abi::replication::ReplicationState>() as u32,
            role: 0,
            link: 0,
            primary_port: 0,
            primary_host: Bytes::EMPTY,
            id: Bytes::EMPTY,
            second_id: Bytes::EMPTY,
            second_offset: -1,
            offset: 0,
        };
        // SAFETY: the call is valid, and the struct says how long it is.
        check(unsafe { state(call.as_raw(), &raw mut raw) })?;
        // SAFETY: the host has lent the texts until the handler returns.
        let [host, id, second] = unsafe { [text(raw.primary_host), text(raw.id), text(raw.second_id)] };
        let is_replica = raw.role == abi::replication::ROLE_REPLICA;
        Ok(State {
            primary: is_replica.then(|| (host, raw.primary_port as u16)),
            link: raw.link,
            id,
            second: (raw.second_offset >= 0).then_some((second, raw.second_offset)),
            offset: raw.offset,
        })
    }

    /// The servers that read the stream, or are about to.
    pub fn replicas(&self, call: &mut Call<'_>) -> Result<Vec<Replica>> {
        let visit = self.handle.table()?.function(|table| table.visit);
        let mut found: Vec<Replica> = Vec::new();
        let visitor = VisitReplica { run: add };
        // SAFETY: the call is valid; the visitor gets the list that lives for it.
        check(unsafe { visit(call.as_raw(), visitor, (&raw mut found).cast()) })?;
        Ok(found)
    }

    /// Becomes a copy of another server, as REPLICAOF does. Fails with `OutOfRange` and `BadData` for what is no port
    /// and no host, and with `NotAllowed` inside `start`.
    pub fn follow(&self, call: &mut Call<'_>, host: &str, port: u16) -> Result {
        let follow = self.handle.table()?.function(|table| table.follow);
        // SAFETY: the call is valid; the host is borrowed for it.
        check(unsafe { follow(call.as_raw(), Bytes::of(host.as_bytes()), u32::from(port)) })
    }

    /// Becomes nobody's copy. Fails with `None` if this is a primary, and with `NotAllowed` inside `start`.
    pub fn promote(&self, call: &mut Call<'_>) -> Result {
        let promote = self.handle.table()?.function(|table| table.promote);
        // SAFETY: the call is valid.
        check(unsafe { promote(call.as_raw()) })
    }
}

unsafe extern "C" fn add(raw: *const abi::replication::Replica, data: Opaque) -> u32 {
    // SAFETY: the host lends the replica for this run, and hands back the list of `replicas`.
    let (raw, found) = unsafe { (&*raw, &mut *data.cast::<Vec<Replica>>()) };
    found.push(Replica {
        // SAFETY: as above.
        address: unsafe { text(raw.address) },
        port: raw.port as u16,
        is_online: raw.stage == abi::replication::REPLICA_ONLINE,
        client_id: raw.client_id,
        acknowledged: raw.acknowledged,
        synced: (raw.synced >= 0).then_some(raw.synced),
        lag_s: raw.lag_s,
    });
    1
}
