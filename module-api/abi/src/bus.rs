//! Service `plinth.bus/1`: messages to whoever listens to a channel; provided by the module that has
//! channels.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// Id of the service below.
pub const BUS_SERVICE: &str = "plinth.bus/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct BusService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Send a message to all who listen to a channel or to a pattern that fits it, as PUBLISH does.
    /// `receivers_out`, unless null, gets how often it was sent. Who listens gets it when the outermost
    /// command, timer or hook has ended, or before.
    ///
    /// Thread: main. Borrow: both for the call. Fails: `OUT_OF_MEMORY`.
    pub publish:
        unsafe extern "C" fn(call: *mut Call, channel: Bytes, message: Bytes, receivers_out: *mut u64) -> Status,
}
