//! Speaking to others over stream sockets: the safe side of `plinth.socket/1`.
//!
//! ```
//! use plinth_module::prelude::*;
//! use plinth_module::socket::{Limits, Peer, SOCKET_SERVICE, Sockets};
//!
//! static SOCKETS: Sockets = Sockets::new();
//! const MODULE: Module = Module { requires: &[SOCKET_SERVICE], start: Some(start), ..Module::NEW };
//!
//! struct Other;
//!
//! impl Peer for Other {
//!     fn connected(call: &mut Call<'_>, socket: u64, _key: u64) {
//!         let _ = SOCKETS.write(call, socket, b"PING\r\n");
//!     }
//!     fn received(call: &mut Call<'_>, _socket: u64, bytes: &[u8], key: u64) -> usize {
//!         call.log(LOG_NOTICE, &format!("{key}: {}", String::from_utf8_lossy(bytes)));
//!         bytes.len()
//!     }
//!     fn closed(_call: &mut Call<'_>, _socket: u64, _reason: i32, _key: u64) {}
//! }
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     SOCKETS.resolve(call)?;
//!     SOCKETS.connect::<Other>(call, "127.0.0.1", 6379, "", Limits::default(), 7)?;
//!     Ok(())
//! }
//! ```

use crate::abi;
use crate::abi::bytes::{Bytes, Opaque, Take};
use crate::abi::socket::{SocketAccepted, SocketClosed, SocketConnected, SocketData};
use crate::abi::status::{STATUS_OK, Status};
use crate::call::Call;
use crate::error::{Error, Result, check, status_of};
use crate::event_loop::{to_data, to_key};
use crate::panic::guard;
use crate::service::{Service, face};

pub use crate::abi::socket::{SOCKET_ENDED, SOCKET_FULL, SOCKET_SERVICE, SOCKET_TLS, SocketService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for SocketService {
    const ID: &'static str = SOCKET_SERVICE;
}

/// How many bytes may wait; 0 for 1 MiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Of those that have come.
    pub input_bytes_max: u64,
    /// Of those that are to go.
    pub output_bytes_max: u64,
}

/// What is told of a connected socket. `key` is what it was made with.
pub trait Peer: 'static {
    /// It is connected, and if it speaks TLS the handshake is over.
    fn connected(call: &mut Call<'_>, socket: u64, key: u64);
    /// Something has come; how many bytes of it, from the first, are taken.
    fn received(call: &mut Call<'_>, socket: u64, bytes: &[u8], key: u64) -> usize;
    /// It is gone, without having been closed: an error's number, or `SOCKET_*`.
    fn closed(call: &mut Call<'_>, socket: u64, reason: i32, key: u64);
}

/// What is told of a socket that listens.
pub trait Accept: 'static {
    /// What is told of those that connect to it.
    type Peer: Peer;
    /// Somebody has connected: the limits and the key of the new socket, which an error closes.
    fn accepted(call: &mut Call<'_>, listener: u64, socket: u64, key: u64) -> Result<(Limits, u64)>;
}

face! {
    /// Sockets, for a module that requires [`SOCKET_SERVICE`].
    Sockets, SocketService
}

impl Sockets {
    /// Connects to an address in digits, or the path of a unix socket; the socket's id. See `connect` of
    /// [`SocketService`].
    pub fn connect<P: Peer>(
        &self,
        call: &mut Call<'_>,
        address: &str,
        port: u16,
        source: &str,
        limits: Limits,
        key: u64,
    ) -> Result<u64> {
        let connect = self.handle.table()?.function(|table| table.connect);
        let (address, source) = (Bytes::of(address.as_bytes()), Bytes::of(source.as_bytes()));
        let peer = peer::<P>(limits, key);
        let mut socket = 0;
        // SAFETY: the call is valid; texts and the struct are borrowed for it, and the functions get a number.
        check(unsafe { connect(call.as_raw(), address, u32::from(port), source, &raw const peer, &mut socket) })?;
        Ok(socket)
    }

    /// Listens on an address in digits; the socket's id.
    pub fn listen<A: Accept>(&self, call: &mut Call<'_>, address: &str, port: u16, key: u64) -> Result<u64> {
        let listen = self.handle.table()?.function(|table| table.listen);
        let accepted = SocketAccepted { run: accepted::<A> };
        let (address, mut socket) = (Bytes::of(address.as_bytes()), 0);
        // SAFETY: as in `connect`.
        check(unsafe { listen(call.as_raw(), address, u32::from(port), accepted, to_data(key), &mut socket) })?;
        Ok(socket)
    }

    /// Sends bytes. Fails with `None` when the socket is gone, and with `TooLarge` when too much waits.
    pub fn write(&self, call: &mut Call<'_>, socket: u64, bytes: &[u8]) -> Result {
        let write = self.handle.table()?.function(|table| table.write);
        // SAFETY: the call is valid; the bytes are borrowed for it.
        check(unsafe { write(call.as_raw(), socket, Bytes::of(bytes)) })
    }

    /// Closes a socket. Fails with `None`.
    pub fn close(&self, call: &mut Call<'_>, socket: u64) -> Result {
        let close = self.handle.table()?.function(|table| table.close);
        // SAFETY: the call is valid.
        check(unsafe { close(call.as_raw(), socket) })
    }

    /// The socket's own address with its port, or the other side's.
    pub fn address(&self, call: &mut Call<'_>, socket: u64, of_peer: bool) -> Result<String> {
        let address = self.handle.table()?.function(|table| table.address);
        let mut text = String::new();
        let take = Take { run: keep };
        // SAFETY: the call is valid; the text is lent to `keep` for it.
        check(unsafe { address(call.as_raw(), socket, u32::from(of_peer), take, (&raw mut text).cast()) })?;
        Ok(text)
    }

    /// Has a socket speak TLS by the server's parameters, before it is connected or within `accepted`. Fails with
    /// `Unsupported` when the server has no certificates in use. See `tls` of [`SocketService`].
    pub fn tls(&self, call: &mut Call<'_>, socket: u64, name: &str) -> Result {
        let tls = self.handle.table()?.function(|table| table.tls);
        // SAFETY: the call is valid; the name is borrowed for it.
        check(unsafe { tls(call.as_raw(), socket, Bytes::of(name.as_bytes())) })
    }
}

fn peer<P: Peer>(limits: Limits, key: u64) -> abi::socket::Peer {
    abi::socket::Peer {
        size: size_of::<abi::socket::Peer>() as u32,
        reserved: 0,
        input_bytes_max: limits.input_bytes_max,
        output_bytes_max: limits.output_bytes_max,
        connected: SocketConnected { run: connected::<P> },
        received: SocketData { run: received::<P> },
        closed: SocketClosed { run: closed::<P> },
        data: to_data(key),
    }
}

unsafe extern "C" fn keep(data: Opaque, bytes: Bytes) {
    // SAFETY: `address` lends a string for this, and the host a text.
    let (text, bytes) = unsafe { (&mut *data.cast::<String>(), bytes.as_slice()) };
    text.push_str(&String::from_utf8_lossy(bytes));
}

unsafe extern "C" fn connected<P: Peer>(raw: *mut abi::call::Call, socket: u64, data: Opaque) {
    // SAFETY: the host lends the call for this run.
    let mut call = unsafe { Call::from_raw(raw) };
    guard(|| P::connected(&mut call, socket, to_key(data)));
}

unsafe extern "C" fn received<P: Peer>(raw: *mut abi::call::Call, socket: u64, bytes: Bytes, data: Opaque) -> usize {
    // SAFETY: the host lends the call and the bytes for this run.
    let (mut call, bytes) = unsafe { (Call::from_raw(raw), bytes.as_slice()) };
    guard(|| P::received(&mut call, socket, bytes, to_key(data))).unwrap_or(bytes.len())
}

unsafe extern "C" fn closed<P: Peer>(raw: *mut abi::call::Call, socket: u64, reason: i32, data: Opaque) {
    // SAFETY: the host lends the call for this run.
    let mut call = unsafe { Call::from_raw(raw) };
    guard(|| P::closed(&mut call, socket, reason, to_key(data)));
}

unsafe extern "C" fn accepted<A: Accept>(
    raw: *mut abi::call::Call,
    listener: u64,
    socket: u64,
    peer_out: *mut abi::socket::Peer,
    data: Opaque,
) -> Status {
    // SAFETY: the host lends the call for this run.
    let mut call = unsafe { Call::from_raw(raw) };
    let made = guard(|| A::accepted(&mut call, listener, socket, to_key(data))).unwrap_or(Err(Error::Panic));
    match made {
        Err(error) => status_of(Err(error)),
        Ok((limits, key)) => {
            // SAFETY: the host has a struct there which is no shorter than the one of this minor version.
            unsafe { peer_out.write(peer::<A::Peer>(limits, key)) };
            STATUS_OK
        }
    }
}
