//! The call: one run of a command handler, and the context that every function
//! of a service is given.
//!
//! Timers, event hooks, `start` and `stop` get a call too, with arguments of
//! their own (or none) and a reply that is thrown away or, for `start`, shown.

use crate::bytes::{Bytes, Opaque};
use crate::command::Command;
use crate::host::Host;
use crate::reply::Reply;
use abi_stable::StableAbi;

/// The command runs inside EXEC or a script: it must not wait.
pub const CALL_NO_BLOCK: u32 = 1 << 0;
/// [`Call::key_hash`] holds the hash of the argument at [`Call::key_index`].
pub const CALL_KEY_HASHED: u32 = 1 << 1;
/// There is no client behind the call (a timer, an event, `start`).
pub const CALL_NO_CLIENT: u32 = 1 << 2;
/// Another module runs this command through `plinth.run/1`.
pub const CALL_NESTED: u32 = 1 << 3;
/// The command has waited (`plinth.block/1`) and is run again because a key changed.
pub const CALL_RETRY: u32 = 1 << 4;
/// Nobody is told of what the command changes: what its handler says through `plinth.propagate/1` is
/// not kept, and it need not be put together. Without the bit it may be.
pub const CALL_UNTOLD: u32 = 1 << 5;
/// The data are a copy of another server's, which says what of them goes: a timer or a hook removes nothing
/// because its time has come. Commands need not look at it.
pub const CALL_REPLICA: u32 = 1 << 6;

/// One run of a handler. The host fills it; a module reads it and passes it on to
/// services. Valid until the handler returns.
#[repr(C)]
#[derive(StableAbi)]
pub struct Call {
    /// Size of this struct in bytes.
    pub size: u32,
    /// `CALL_*` bits.
    pub flags: u32,
    /// The arguments; `args[0]` is the command's name as the client wrote it.
    pub args: *const Bytes,
    /// Number of arguments, at least 1 in a command.
    pub argc: u32,
    /// Version of the protocol that the client speaks, 2 or 3.
    pub resp: u32,
    /// Where the reply goes.
    pub reply: *mut Reply,
    /// The module's own, as `start` left it.
    pub module_data: Opaque,
    /// The command that runs; null outside a command.
    pub command: *const Command,
    /// Number of the selected database.
    pub db: u32,
    /// Which argument [`Call::key_hash`] belongs to.
    pub key_index: u32,
    /// Hash of the first key, so that it is hashed once; see [`CALL_KEY_HASHED`].
    pub key_hash: u64,
    /// The server's clock as the command began, Unix time in ms; that of EXEC for its commands.
    pub now_ms: i64,
    /// The client's id; 0 without a client.
    pub client_id: u64,
    /// The host of the module that runs.
    pub host: *const Host,
}
