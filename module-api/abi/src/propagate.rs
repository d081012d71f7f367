//! Service `plinth.propagate/1`: what replicas and the append-only file are told of
//! a command.
//!
//! Without a word from the handler a command that changed something is passed on
//! as the client sent it, and what a timer or a hook changes as what the keys are then.

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
    /// Pass on this command instead of the one that runs; may be called repeatedly. In a timer or a hook it
    /// stands for all that is changed there of the keys which it names by its key specs: these are not passed
    /// on as what they are.
    ///
    /// Thread: main. Borrow: `args` for the call. Fails: `NOT_ALLOWED` outside a command, a timer and a hook.
    pub instead: unsafe extern "C" fn(call: *mut Call, args: *const Bytes, argc: u32) -> Status,
    /// Pass on nothing.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NOT_ALLOWED` outside a command.
    pub nothing: unsafe extern "C" fn(call: *mut Call) -> Status,
    /// Pass on this command before the one that runs, whatever is passed on of that; may be called
    /// repeatedly. So it is within a command that another module's command runs, and in a function
    /// of a service: what is found there and removed, because it has expired, has to be removed elsewhere as
    /// well. In a timer or a hook nothing is to be said, since keys are passed on as what they are.
    ///
    /// Thread: main. Borrow: `args` for the call. Fails: `NOT_ALLOWED` outside a command, a timer and a hook.
    pub before: unsafe extern "C" fn(call: *mut Call, args: *const Bytes, argc: u32) -> Status,
}
