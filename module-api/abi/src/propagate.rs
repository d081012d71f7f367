//! Service `plinth.propagate/1`: what replicas and the append-only file are told of
//! a command.
//!
//! Without a word from the handler a command that changed something is passed on
//! as the client sent it. Until durability and replication exist nobody is told but
//! who asks with `DEBUG PROPAGATION`.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const PROPAGATE_SERVICE: &str = "plinth.propagate/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct PropagateService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Pass on this command instead of the one that runs; may be called repeatedly.
    ///
    /// Thread: main. Borrow: `args` for the call. Fails: `NOT_ALLOWED` outside a command.
    pub instead: unsafe extern "C" fn(call: *mut Call, args: *const Bytes, argc: u32) -> Status,
    /// Pass on nothing.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NOT_ALLOWED` outside a command.
    pub nothing: unsafe extern "C" fn(call: *mut Call) -> Status,
}
