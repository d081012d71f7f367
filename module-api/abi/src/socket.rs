//! Service `plinth.socket/1`: stream sockets, outgoing and listening, which the host reads and writes.
//!
//! ```text
//!   connect ──> on_connected ──> on_data, on_data, ... ──> on_closed
//!          \──────────────────────────────────────────────────^      it failed, or the other side ended
//!   listen  ──> on_accepted, on_accepted, ...                        each fills a `plinth_peer`, as connect has it
//! ```
//!
//! All of these are called between commands: no handler is on the stack.

use crate::bytes::{Bytes, Opaque, Take};
use crate::call::Call;
use crate::status::Status;
use abi_stable::StableAbi;

/// `reason` of [`SocketClosed`]: the other side has ended.
pub const SOCKET_ENDED: i32 = 0;
/// Another reason: as much has come as may wait, and `on_data` takes none of it.
pub const SOCKET_FULL: i32 = -1;
/// Another reason: it was to speak TLS, and both sides could not agree on it, or a certificate is not good.
pub const SOCKET_TLS: i32 = -2;

/// Called once when a socket is connected.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct SocketConnected {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, socket: u64, data: Opaque),
}

/// Called when something has come. `bytes` is all that has come and was not taken yet, valid for the call. Returns
/// how many of them, from the first, are taken; the rest is shown again when more has come.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct SocketData {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, socket: u64, bytes: Bytes, data: Opaque) -> usize,
}

/// Called once when a socket is gone without having been closed by the module: the last that is said of it. `reason`
/// is an error's number of the system, or `SOCKET_*`.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct SocketClosed {
    /// The function.
    pub run: unsafe extern "C" fn(call: *mut Call, socket: u64, reason: i32, data: Opaque),
}

/// What is to be done with a connected socket.
#[repr(C)]
#[derive(Clone, Copy, StableAbi)]
pub struct Peer {
    /// Size of this struct in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Most bytes that may have come and not be taken; 0 for 1 MiB.
    pub input_bytes_max: u64,
    /// Most bytes that may wait to be sent; 0 for 1 MiB.
    pub output_bytes_max: u64,
    /// It is connected, and if it speaks TLS the handshake is over. Not called for one that was accepted.
    pub connected: SocketConnected,
    /// Something has come.
    pub received: SocketData,
    /// It is gone.
    pub closed: SocketClosed,
    /// What all three get. It stays the module's.
    pub data: Opaque,
}

/// Called when somebody has connected to a socket that listens. Fills `peer_out`, which holds its `size`; with a
/// status other than OK the new socket is closed.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct SocketAccepted {
    /// The function.
    pub run:
        unsafe extern "C" fn(call: *mut Call, listener: u64, socket: u64, peer_out: *mut Peer, data: Opaque) -> Status,
}

/// Id of the service below.
pub const SOCKET_SERVICE: &str = "plinth.socket/1";

/// The service's table. Sockets are known by ids, never used twice; those of a module are closed with it, without
/// a call. They count against `LOOP_WATCHES_MAX` of `plinth.loop/1`.
#[repr(C)]
#[derive(StableAbi)]
pub struct SocketService {
    /// Size of this table in bytes.
    pub size: u32,
    /// Must be 0.
    pub reserved: u32,
    /// Connect to an address in digits (names are the module's to look up), or to the unix socket at a path that
    /// begins with `/`, for which `port` is 0. How that ends is told between commands, and never within this
    /// call. It goes from the address `source`, unless that is empty.
    ///
    /// Thread: main. Borrow: `peer` and texts for the call, `data` in it until the socket is gone. Fails:
    /// `BAD_DATA` for what is no address, `TOO_LARGE` when there are too many, `NONE` when the system refuses
    /// at once.
    pub connect: unsafe extern "C" fn(
        call: *mut Call,
        address: Bytes,
        port: u32,
        source: Bytes,
        peer: *const Peer,
        socket_out: *mut u64,
    ) -> Status,
    /// Listen on an address in digits and a port, 0 for any that is free. `address` tells which.
    ///
    /// Thread: main. Borrow: `address` for the call, `data` until it is closed. Fails: as `connect`.
    pub listen: unsafe extern "C" fn(
        call: *mut Call,
        address: Bytes,
        port: u32,
        accepted: SocketAccepted,
        data: Opaque,
        socket_out: *mut u64,
    ) -> Status,
    /// Send bytes, behind those that wait, also before it is connected. They go at the end of the turn.
    ///
    /// Thread: main. Borrow: `bytes` for the call. Fails: `NONE` when there is no such socket (any more);
    /// `TOO_LARGE` when more would wait than may, of which nothing is sent then.
    pub write: unsafe extern "C" fn(call: *mut Call, socket: u64, bytes: Bytes) -> Status,
    /// Close a socket, also within a function of its own: nothing is called for it any more. What waits is sent as far as the
    /// system takes it at once.
    ///
    /// Thread: main. Borrow: nothing. Fails: `NONE`.
    pub close: unsafe extern "C" fn(call: *mut Call, socket: u64) -> Status,
    /// `take` gets the socket's own address, or with `of_peer` the other side's, as `127.0.0.1:6379` or
    /// `[::1]:6379`.
    ///
    /// Thread: main. Borrow: the text for `take`. Fails: `NONE`.
    pub address: unsafe extern "C" fn(call: *mut Call, socket: u64, of_peer: u32, take: Take, data: Opaque) -> Status,
    /// Have a socket speak TLS, with the certificates and by the rules of the server's `tls-*` parameters: one that
    /// connects before it is connected, one that was accepted within `accepted`. `write` is as ever; what is
    /// written goes when the handshake is over. One that connects tells the other side `name`, unless that is empty or
    /// digits, and ends when the certificate there is from none of the authorities of `tls-ca-cert-*`; whom it names
    /// is not looked at.
    ///
    /// Thread: main. Borrow: `name` for the call. Fails: `NONE` when there is no such socket; `UNSUPPORTED` when the
    /// server has no certificates in use, which takes `tls-port`, `tls-replication` or `tls-cluster`; `BAD_DATA` for
    /// a unix socket, one that listens, and where it is too late.
    pub tls: unsafe extern "C" fn(call: *mut Call, socket: u64, name: Bytes) -> Status,
}
