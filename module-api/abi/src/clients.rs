//! Service `plinth.clients/1`: who is connected.

use crate::bytes::Bytes;
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// What is known of a client. Texts are valid until the next call of the service.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Client {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Selected database.
    pub db: u32,
    /// Id, never used twice.
    pub id: u64,
    /// Protocol version, 2 or 3.
    pub resp: u32,
    /// 1 when connected through a unix socket.
    pub is_unix: u32,
    /// Address and port as CLIENT LIST shows them.
    pub address: Bytes,
    /// Name set by CLIENT SETNAME, or empty.
    pub name: Bytes,
    /// User, `"default"` unless it authenticated as another.
    pub user: Bytes,
    /// Seconds connected.
    pub age_s: u64,
    /// Seconds without a command.
    pub idle_s: u64,
}

/// Id of the service below.
pub const CLIENTS_SERVICE: &str = "plinth.clients/1";

/// The service's table.
#[repr(C)]
#[derive(StableAbi)]
pub struct ClientsService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// What is known of a client.
    ///
    /// Thread: main. Borrow: texts until the next call of the service. Fails: `NONE`.
    pub info: unsafe extern "C" fn(call: *mut Call, client_id: u64, client_out: *mut Client) -> Status,
    /// Send bytes of RESP to a client. They wait until the outermost command, timer or hook has ended, and are
    /// sent behind the reply that is being written to it, if it is.
    ///
    /// Thread: main. Borrow: `bytes` for the call. Fails: `NONE`, also when so much waits that the client is
    /// closed.
    pub push: unsafe extern "C" fn(call: *mut Call, client_id: u64, bytes: Bytes) -> Status,
    /// Close a client's connection after its pending replies.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE`.
    pub disconnect: unsafe extern "C" fn(call: *mut Call, client_id: u64) -> Status,
}
