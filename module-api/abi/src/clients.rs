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

/// What a client listens to: how much of it there is, as CLIENT LIST shows it.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Listening {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Channels, `sub` of CLIENT LIST.
    pub channels: u32,
    /// Patterns of channels, `psub`.
    pub patterns: u32,
    /// Channels of a shard, `ssub`.
    pub shard_channels: u32,
    /// Bytes of memory that the module keeps for it; part of the client's `tot-mem`.
    pub bytes: u64,
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
    /// Say to how much a client listens from now on; to nothing when all three are 0. A client that listens is
    /// of the type `pubsub` for CLIENT and for `client-output-buffer-limit`, is not closed for being idle, and
    /// as long as it speaks RESP2 runs only commands with
    /// [`COMMAND_WHILE_LISTENING`](crate::command::COMMAND_WHILE_LISTENING). When the module leaves, or another
    /// takes its place, its listeners are disconnected.
    ///
    /// Thread: main. Borrow: `listening` for the call. Fails: `NONE`; `NOT_ALLOWED` when it listens to another
    /// module.
    pub listen: unsafe extern "C" fn(call: *mut Call, client_id: u64, listening: *const Listening) -> Status,
    /// Keep a text that many clients are to be sent, once for all of them. `shared_out` names it, and is
    /// never 0.
    ///
    /// Thread: main. Borrow: `bytes` for the call; `shared_out` until the outermost command, timer or hook has
    /// ended. Fails: `OUT_OF_MEMORY`.
    pub share: unsafe extern "C" fn(call: *mut Call, bytes: Bytes, shared_out: *mut u64) -> Status,
    /// Send clients, as `push` does, a message: `head`, and as its last element the text that `shared` names,
    /// unless that is 0. `head` begins with that of an array (`*`), and is a push (`>`) to those who speak RESP3. Clients that
    /// are not there are passed over; `reached_out` is the number of those that are.
    ///
    /// Thread: main. Borrow: `client_ids` and `head` for the call. Fails: `NONE` when `shared` names nothing.
    pub push_all: unsafe extern "C" fn(
        call: *mut Call,
        client_ids: *const u64,
        count: usize,
        head: Bytes,
        shared: u64,
        reached_out: *mut usize,
    ) -> Status,
}
