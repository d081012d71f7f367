//! Service `plinth.events/1`: being told what happens to keys, databases, modules,
//! clients and the server.

use crate::bytes::{Bytes, Opaque};
use crate::call::Call;
use crate::propagate::Unit;
use crate::status::Status;
use abi_stable::StableAbi;

/// Something happened to a key; `class` and `name` say what. Comes for every
/// change, whether `notify-keyspace-events` is set or not.
pub const ON_KEY: u32 = 1 << 0;
/// A database was flushed; `db` is -1 for all.
pub const ON_FLUSH: u32 = 1 << 1;
/// Two databases changed places: `db` and `other_db`.
pub const ON_SWAP: u32 = 1 << 2;
/// A module was loaded; `key` holds its name.
pub const ON_MODULE_LOADED: u32 = 1 << 3;
/// A module was unloaded; `key` holds its name.
pub const ON_MODULE_UNLOADED: u32 = 1 << 4;
/// A client connected; `client_id` says which.
pub const ON_CLIENT_OPEN: u32 = 1 << 5;
/// A client is gone.
pub const ON_CLIENT_CLOSE: u32 = 1 << 6;
/// A parameter was set; `key` holds its name.
pub const ON_CONFIG: u32 = 1 << 7;
/// The server is going to stop.
pub const ON_SHUTDOWN: u32 = 1 << 8;
/// A client has taken its connection back to the state that it began in (RESET); `client_id` says which.
pub const ON_CLIENT_RESET: u32 = 1 << 9;
/// What a user may do has changed: `key` holds its name, or is empty when it may be any. What a client does
/// without a command, such as listening, is to be looked at again with `plinth.acl/1`.
pub const ON_ACL: u32 = 1 << 10;
/// Whose copy the data are has changed; see [`crate::replication`], as for the next three.
pub const ON_ROLE: u32 = 1 << 11;
/// The link to the primary has reached another state.
pub const ON_LINK: u32 = 1 << 12;
/// A replica reads the stream from now on: `client_id` is its connection, `key` its address and port.
pub const ON_REPLICA: u32 = 1 << 13;
/// A replica that has read the stream is gone.
pub const ON_REPLICA_GONE: u32 = 1 << 14;
/// A unit was passed on, or has been read from the append-only file; `unit` is it. A hook for it must not change keys
/// either, nor tell commands. Without a hook for it units cost nothing.
pub const ON_UNIT: u32 = 1 << 15;

/// One event. Valid for the hook's call.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Event {
    /// Size of this struct in bytes.
    pub size: u32,
    /// One `ON_*` bit.
    pub kind: u32,
    /// Class of a key's event, an `EVENT_*` bit of [`crate::keys`].
    pub class: u32,
    /// Database.
    pub db: i32,
    /// The other database of a swap.
    pub other_db: i32,
    /// Must be 0.
    pub reserved: u32,
    /// Name of a key's event, such as `"set"`.
    pub name: Bytes,
    /// Key, or name of the module or parameter.
    pub key: Bytes,
    /// Client.
    pub client_id: u64,
    /// For [`ON_UNIT`]; otherwise null.
    pub unit: *const Unit,
}

/// Id of the service below.
pub const EVENTS_SERVICE: &str = "plinth.events/1";

/// Called for each event subscribed to.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct Hook {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, event: *const Event, data: Opaque),
}

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct EventsService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Call `hook` for every event of `kinds`. A hook for [`ON_KEY`] may read keys and
    /// must not change them. A subscription is not told of what its own run brings about, directly or
    /// through others that are told of it. It is removed with the module.
    ///
    /// Thread: main. Borrow: `data` until unsubscribed. Fails: `UNSUPPORTED` for an unknown kind,
    /// `OUT_OF_RANGE` when the module has 1024.
    pub subscribe:
        unsafe extern "C" fn(call: *mut Call, kinds: u32, hook: Hook, data: Opaque, id_out: *mut u64) -> Status,
    /// End a subscription of this module.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE`.
    pub unsubscribe: unsafe extern "C" fn(call: *mut Call, id: u64) -> Status,
    /// As `subscribe` for [`ON_KEY`], of events of some classes only (`EVENT_*` bits of
    /// [`crate::keys`]): others cost nothing on its account.
    ///
    /// Thread: main. Borrow: `data` until unsubscribed. Fails: `UNSUPPORTED` without a class,
    /// `OUT_OF_RANGE` when the module has 1024.
    pub subscribe_keys:
        unsafe extern "C" fn(call: *mut Call, classes: u32, hook: Hook, data: Opaque, id_out: *mut u64) -> Status,
}
