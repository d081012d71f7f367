//! Serving what modules watch: descriptors that are ready, sockets with something to read, to send or to accept,
//! programs that have ended. It is a duty, so that no handler is on the stack.
//!
//! *Invariant*: nothing of a watch is borrowed while the module runs, which may close it, close others or open
//! new ones.

use crate::base::id::ModuleId;
use crate::engine::server::Server;
use crate::registry::watches::Watched;
use crate::socket::peer::{Got, Peer};
use crate::socket::poller::Ready;
use crate::socket::stream::Socket;
use plinth_abi::bytes::{Bytes, Opaque};
use plinth_abi::event_loop::{LOOP_READ, LOOP_WRITE};
use plinth_abi::socket::{
    Peer as Handlers, SOCKET_ENDED, SOCKET_FULL, SOCKET_TLS, SocketAccepted, SocketClosed, SocketConnected, SocketData,
};
use plinth_abi::status::STATUS_OK;
use std::io;
use std::os::unix::process::ExitStatusExt;

/// Reads of one socket in a turn.
const READS_MAX: usize = 16;
/// Connections of one listener in a turn.
const ACCEPTS_MAX: usize = 128;
/// Bytes that may wait where the module says nothing.
const BYTES_MAX: u64 = 1 << 20;

unsafe extern "C" fn not_connected(_: *mut plinth_abi::call::Call, _: u64, _: Opaque) {}
unsafe extern "C" fn not_received(_: *mut plinth_abi::call::Call, _: u64, bytes: Bytes, _: Opaque) -> usize {
    bytes.len
}
unsafe extern "C" fn not_closed(_: *mut plinth_abi::call::Call, _: u64, _: i32, _: Opaque) {}

/// What is done with a socket of which nothing was said.
pub const NO_HANDLERS: Handlers = Handlers {
    size: size_of::<Handlers>() as u32,
    reserved: 0,
    input_bytes_max: 0,
    output_bytes_max: 0,
    connected: SocketConnected { run: not_connected },
    received: SocketData { run: not_received },
    closed: SocketClosed { run: not_closed },
    data: std::ptr::null_mut(),
};

/// How much may have come, and how much may wait.
pub fn limits(handlers: &Handlers) -> (usize, usize) {
    let limit = |bytes: u64| if bytes == 0 { BYTES_MAX } else { bytes } as usize;
    (limit(handlers.input_bytes_max), limit(handlers.output_bytes_max))
}

fn reason(error: &io::Error) -> i32 {
    if error.kind() == io::ErrorKind::InvalidData {
        // Why is of use to whoever looks after the certificates, and nobody else knows it.
        crate::base::log::verbose(&format!("A module's socket: {error}"));
        return SOCKET_TLS;
    }
    error.raw_os_error().unwrap_or(rustix::io::Errno::IO.raw_os_error())
}

impl Server {
    /// Tell modules what has happened to what they watch, and send what they have written.
    pub fn serve_watches(&mut self) {
        for (id, ready) in self.registry.watches.take_ready() {
            self.serve_watched(id, ready);
        }
        for id in self.registry.watches.take_unsent() {
            if let Some((_, Watched::Peer { is_unsent, .. })) = self.registry.watches.get(id) {
                *is_unsent = false;
            }
            self.send_to(id);
        }
    }

    fn serve_watched(&mut self, id: u64, how: Ready) {
        match self.registry.watches.get(id) {
            None => {}
            Some((module, Watched::Fd { interests, ready, data, .. })) => {
                let (interests, ready, data) = (*interests, *ready, *data);
                let is = |bit: u32, is_so: bool| if is_so { bit } else { 0 };
                let told = is(LOOP_READ, interests.read && (how.readable || how.hung_up || how.failed))
                    | is(LOOP_WRITE, interests.write && (how.writable || how.failed));
                if told == 0 {
                    return;
                }
                self.call_module(module, 0, |context| {
                    // SAFETY: the module is loaded: its watches go with it.
                    unsafe { (ready.run)(context.as_call(), id, told, data) }
                });
                self.registry.watches.again(id);
            }
            Some((_, Watched::Peer { .. })) => self.serve_peer(id, how),
            Some((module, Watched::Listener { accepted, data, .. })) => {
                let (accepted, data) = (*accepted, *data);
                self.accept_from(id, module, accepted, data);
            }
            Some((_, Watched::Process { .. })) => self.look_ended(id),
        }
    }

    fn peer(&mut self, id: u64) -> Option<(ModuleId, &mut Peer, Handlers)> {
        match self.registry.watches.get(id)? {
            (module, Watched::Peer { peer, handlers, .. }) => Some((module, peer, *handlers)),
            _ => None,
        }
    }

    fn serve_peer(&mut self, id: u64, how: Ready) {
        let Some((_, peer, _)) = self.peer(id) else { return };
        if !peer.is_connected {
            match peer.look_connected() {
                Ok(false) => return,
                Err(error) => return self.end_peer(id, reason(&error)),
                Ok(true) => peer.is_connected = true,
            }
            if !peer.is_shaking_hands() {
                self.tell_connected(id);
            }
        }
        if how.writable {
            self.send_to(id);
        }
        if how.readable || how.hung_up || how.failed {
            self.receive_from(id);
        }
    }

    fn tell_connected(&mut self, id: u64) {
        let Some((module, _, handlers)) = self.peer(id) else { return };
        self.call_module(module, 0, |context| {
            // SAFETY: the module is loaded: its sockets go with it.
            unsafe { (handlers.connected.run)(context.as_call(), id, handlers.data) }
        });
    }

    /// A handshake is over: what waited for that goes, and it is connected.
    fn end_handshake(&mut self, id: u64) {
        self.send_to(id);
        if self.peer(id).is_some_and(|(_, peer, _)| !peer.is_accepted) {
            self.tell_connected(id);
        }
    }

    /// Send what waits for a peer. One that cannot be written to is found by the next read.
    fn send_to(&mut self, id: u64) {
        if let Some((_, peer, _)) = self.peer(id)
            && peer.is_connected
            && let Err(error) = peer.send()
        {
            self.end_peer(id, reason(&error));
        }
    }

    /// Read what a peer has sent.
    fn receive_from(&mut self, id: u64) {
        for _ in 0..READS_MAX {
            let Some((_, peer, _)) = self.peer(id) else { return };
            let got = peer.receive();
            if peer.has_shaken_hands() {
                self.end_handshake(id);
            }
            let Some((module, peer, handlers)) = self.peer(id) else { return };
            match got {
                Ok(Got::Nothing) => return,
                Ok(Got::End) => return self.end_peer(id, SOCKET_ENDED),
                Err(error) => return self.end_peer(id, reason(&error)),
                Ok(Got::Some) => {}
            }
            let input = peer.take_input();
            let taken = self.call_module(module, 0, |context| {
                // SAFETY: the module is loaded: its sockets go with it. The bytes are ours for the call.
                unsafe { (handlers.received.run)(context.as_call(), id, Bytes::of(&input), handlers.data) }
            });
            let Some((_, peer, _)) = self.peer(id) else { return };
            if peer.put_input(input, taken.unwrap_or(usize::MAX)) {
                return self.end_peer(id, SOCKET_FULL);
            }
        }
        self.registry.watches.note_readable(id);
    }

    fn end_peer(&mut self, id: u64, reason: i32) {
        let Some((module, _, handlers)) = self.peer(id) else { return };
        self.registry.watches.remove(id);
        self.call_module(module, 0, |context| {
            // SAFETY: the module is loaded: its sockets go with it.
            unsafe { (handlers.closed.run)(context.as_call(), id, reason, handlers.data) }
        });
    }

    fn accept_from(&mut self, id: u64, module: ModuleId, accepted: SocketAccepted, data: Opaque) {
        for _ in 0..ACCEPTS_MAX {
            let Some((_, Watched::Listener { listener, .. })) = self.registry.watches.get(id) else { return };
            let Ok((stream, _)) = listener.accept() else { return };
            let _ = stream.set_nodelay(true);
            let (input_max, output_max) = limits(&NO_HANDLERS);
            let peer = Box::new(Peer::new(Socket::Tcp(stream), true, input_max, output_max));
            let watched = Watched::Peer { peer, handlers: NO_HANDLERS, is_unsent: false };
            let Ok(new) = self.registry.watches.add(module, watched) else { continue };
            let mut wanted = NO_HANDLERS;
            let status = self.call_module(module, 0, |context| {
                // SAFETY: the module is loaded: its sockets go with it. The struct is ours for the call.
                unsafe { (accepted.run)(context.as_call(), id, new, &raw mut wanted, data) }
            });
            let is_taken = status == Some(STATUS_OK);
            match self.registry.watches.get(new) {
                Some((_, Watched::Peer { peer, handlers, .. })) if is_taken => {
                    let (input_max, output_max) = limits(&wanted);
                    peer.set_limits(input_max, output_max);
                    *handlers = wanted;
                }
                _ => _ = self.registry.watches.remove(new),
            }
        }
        self.registry.watches.note_readable(id);
    }

    fn look_ended(&mut self, id: u64) {
        let Some((module, Watched::Process { child, ended, data, .. })) = self.registry.watches.get(id) else { return };
        let (ended, data) = (*ended, *data);
        let Ok(Some(status)) = child.try_wait() else { return };
        self.registry.watches.remove(id);
        let code = status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap_or(-1);
        self.call_module(module, 0, |context| {
            // SAFETY: the module is loaded: its programs go with it.
            unsafe { (ended.run)(context.as_call(), id, code, data) }
        });
    }

    /// A module that has made the server what it is goes.
    pub fn end_mode(&mut self, module: ModuleId) {
        if self.registry.mode.take_if(|mode| mode.module == module).is_some() {
            self.commands.unrestrict();
        }
    }
}
