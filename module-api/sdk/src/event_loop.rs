//! Being told when descriptors are ready: the safe side of `plinth.loop/1`. For stream sockets there is
//! [`socket`](crate::socket), which reads and writes them, too; this is for all else, such as datagrams:
//!
//! ```
//! use plinth_module::event_loop::{EventLoop, LOOP_READ, LOOP_SERVICE, Watch};
//! use plinth_module::prelude::*;
//! use std::net::UdpSocket;
//! use std::os::fd::AsFd;
//! use std::sync::OnceLock;
//!
//! static LOOP: EventLoop = EventLoop::new();
//! static SOCKET: OnceLock<UdpSocket> = OnceLock::new();
//! const MODULE: Module = Module { requires: &[LOOP_SERVICE], start: Some(start), ..Module::NEW };
//!
//! struct Datagrams;
//!
//! impl Watch for Datagrams {
//!     fn ready(call: &mut Call<'_>, _id: u64, _ready: u32, _key: u64) {
//!         let mut bytes = [0; 1500];
//!         // It is told of again while more waits.
//!         if let Some(Ok(len)) = SOCKET.get().map(|socket| socket.recv(&mut bytes)) {
//!             call.log(LOG_NOTICE, &String::from_utf8_lossy(&bytes[..len]));
//!         }
//!     }
//! }
//!
//! fn start(call: &mut Call<'_>) -> Result {
//!     LOOP.resolve(call)?;
//!     let made = UdpSocket::bind("127.0.0.1:8125").and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
//!     let socket = made.map_err(|error| call.reply.error(format!("ERR {error}")))?;
//!     LOOP.add::<Datagrams>(call, SOCKET.get_or_init(|| socket).as_fd(), LOOP_READ, 0)?;
//!     Ok(())
//! }
//! ```

use crate::abi;
use crate::abi::bytes::Opaque;
use crate::abi::event_loop::FdReady;
use crate::call::Call;
use crate::error::{Result, check};
use crate::panic::guard;
use crate::service::{Service, face};
use std::os::fd::{AsRawFd, BorrowedFd};

pub use crate::abi::event_loop::{LOOP_READ, LOOP_SERVICE, LOOP_WRITE, LoopService};

// SAFETY: the ABI defines this table for this id.
unsafe impl Service for LoopService {
    const ID: &'static str = LOOP_SERVICE;
}

/// What is told of a descriptor.
pub trait Watch: 'static {
    /// It is ready, as `LOOP_*` bits say. `key` is what it was added with.
    fn ready(call: &mut Call<'_>, id: u64, ready: u32, key: u64);
}

face! {
    /// The loop, for a module that requires [`LOOP_SERVICE`].
    EventLoop, LoopService
}

impl EventLoop {
    /// Watches a descriptor, which is to be removed before it is closed; its id. See `add_fd` of [`LoopService`].
    pub fn add<W: Watch>(&self, call: &mut Call<'_>, fd: BorrowedFd<'_>, interest: u32, key: u64) -> Result<u64> {
        let add = self.handle.table()?.function(|table| table.add_fd);
        let mut id = 0;
        let ready = FdReady { run: ready::<W> };
        // SAFETY: the call is valid, and what the function gets is a number.
        check(unsafe { add(call.as_raw(), fd.as_raw_fd(), interest, ready, to_data(key), &mut id) })?;
        Ok(id)
    }

    /// Asks for something else. Fails with `None`.
    pub fn change(&self, call: &mut Call<'_>, id: u64, interest: u32) -> Result {
        let change = self.handle.table()?.function(|table| table.change_fd);
        // SAFETY: the call is valid.
        check(unsafe { change(call.as_raw(), id, interest) })
    }

    /// Watches a descriptor no more. Fails with `None`.
    pub fn remove(&self, call: &mut Call<'_>, id: u64) -> Result {
        let remove = self.handle.table()?.function(|table| table.remove_fd);
        // SAFETY: the call is valid.
        check(unsafe { remove(call.as_raw(), id) })
    }
}

/// A number in the place of an address that the host only hands back.
pub(crate) fn to_data(key: u64) -> Opaque {
    std::ptr::without_provenance_mut(key as usize)
}

/// The number again.
pub(crate) fn to_key(data: Opaque) -> u64 {
    data.addr() as u64
}

unsafe extern "C" fn ready<W: Watch>(raw: *mut abi::call::Call, id: u64, ready: u32, data: Opaque) {
    // SAFETY: the host lends the call for this run.
    let mut call = unsafe { Call::from_raw(raw) };
    guard(|| W::ready(&mut call, id, ready, to_key(data)));
}
