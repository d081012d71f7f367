//! `plinth.socket/1`: stream sockets that the host reads and writes.

use crate::engine::call::Context;
use crate::engine::watches::{NO_HANDLERS, limits};
use crate::registry::watches::Watched;
use crate::socket::peer::{self, Peer};
use crate::socket::tls::session::Session;
use plinth_abi::bytes::{Bytes, Opaque, Take};
use plinth_abi::call::Call;
use plinth_abi::socket::{Peer as Handlers, SocketAccepted, SocketService};
use plinth_abi::status::{STATUS_BAD_DATA, STATUS_NONE, STATUS_OK, STATUS_TOO_LARGE, STATUS_UNSUPPORTED, Status};
use std::io;

/// The table.
pub static TABLE: SocketService =
    SocketService { size: size_of::<SocketService>() as u32, reserved: 0, connect, listen, write, close, address, tls };

fn status(error: &io::Error) -> Status {
    match error.kind() {
        io::ErrorKind::QuotaExceeded => STATUS_TOO_LARGE,
        io::ErrorKind::InvalidInput => STATUS_BAD_DATA,
        _ => STATUS_NONE,
    }
}

// Every function below is called by a loaded module with the call that runs, with bytes that are valid
// for it, and with out-parameters that are writable or null.

/// # Safety
/// See above.
unsafe fn watch(call: *mut Call, watched: Watched, socket_out: *mut u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    match context.server().registry.watches.add(module, watched) {
        Err(error) => status(&error),
        Ok(id) => {
            if !socket_out.is_null() {
                // SAFETY: see above.
                unsafe { socket_out.write(id) };
            }
            STATUS_OK
        }
    }
}

fn port_of(port: u32) -> Option<u16> {
    u16::try_from(port).ok()
}

unsafe extern "C" fn connect(
    call: *mut Call,
    address: Bytes,
    port: u32,
    source: Bytes,
    peer: *const Handlers,
    socket_out: *mut u64,
) -> Status {
    use crate::base::foreign::{text, widened};
    // SAFETY: see above; the struct begins with its size.
    let (address, source, handlers) = unsafe { (text(address), text(source), widened(peer, NO_HANDLERS)) };
    let Some(port) = port_of(port) else { return STATUS_BAD_DATA };
    match peer::connect(&address, port, &source) {
        Err(error) => status(&error),
        Ok(socket) => {
            let (input_max, output_max) = limits(&handlers);
            let peer = Box::new(Peer::new(socket, false, input_max, output_max));
            // SAFETY: see above.
            unsafe { watch(call, Watched::Peer { peer, handlers, is_unsent: false }, socket_out) }
        }
    }
}

unsafe extern "C" fn listen(
    call: *mut Call,
    address: Bytes,
    port: u32,
    accepted: SocketAccepted,
    data: Opaque,
    socket_out: *mut u64,
) -> Status {
    // SAFETY: see above.
    let address = unsafe { crate::base::foreign::text(address) };
    let Some(port) = port_of(port) else { return STATUS_BAD_DATA };
    match peer::listen(&address, port) {
        Err(error) => status(&error),
        // SAFETY: see above.
        Ok(listener) => unsafe { watch(call, Watched::Listener { listener, accepted, data }, socket_out) },
    }
}

unsafe extern "C" fn write(call: *mut Call, socket: u64, bytes: Bytes) -> Status {
    // SAFETY: see above.
    let (context, bytes) = unsafe { (Context::of(call), bytes.as_slice()) };
    let module = context.module;
    match context.server().registry.watches.unsent(module, socket) {
        None => STATUS_NONE,
        Some(peer) => {
            if peer.write(bytes) {
                STATUS_OK
            } else {
                STATUS_TOO_LARGE
            }
        }
    }
}

unsafe extern "C" fn close(call: *mut Call, socket: u64) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let watches = &mut context.server().registry.watches;
    match watches.own(module, socket) {
        Some(Watched::Peer { peer, .. }) => {
            // What does not go now does not go at all.
            let _ = if peer.is_connected { peer.send() } else { Ok(()) };
        }
        Some(Watched::Listener { .. }) => {}
        _ => return STATUS_NONE,
    }
    watches.remove(socket);
    STATUS_OK
}

unsafe extern "C" fn address(call: *mut Call, socket: u64, of_peer: u32, take: Take, data: Opaque) -> Status {
    // SAFETY: see above.
    let context = unsafe { Context::of(call) };
    let module = context.module;
    let address = match context.server().registry.watches.own(module, socket) {
        Some(Watched::Peer { peer, .. }) => peer.address(of_peer != 0),
        Some(Watched::Listener { listener, .. }) => listener.local_addr().map(|address| address.to_string()),
        _ => return STATUS_NONE,
    };
    let Ok(address) = address else { return STATUS_NONE };
    // SAFETY: see above; the text lives for the call.
    unsafe { (take.run)(data, Bytes::of(address.as_bytes())) };
    STATUS_OK
}

unsafe extern "C" fn tls(call: *mut Call, socket: u64, name: Bytes) -> Status {
    // SAFETY: see above.
    let (context, name) = unsafe { (Context::of(call), crate::base::foreign::text(name)) };
    let module = context.module;
    let server = context.server();
    let (is_accepted, name) = match server.registry.watches.own(module, socket) {
        None => return STATUS_NONE,
        Some(Watched::Peer { peer, .. }) if peer.can_speak_tls() => {
            // Digits are told to nobody.
            let name = if name.is_empty() { "0.0.0.0".into() } else { name };
            (peer.is_accepted, name)
        }
        Some(_) => return STATUS_BAD_DATA,
    };
    let session = if is_accepted {
        server.tls_of_clients().map(Session::to_client)
    } else {
        server.tls_of_links().map(|config| Session::to_server(config, &name))
    };
    match session {
        Some(Ok(session)) => {
            server.registry.watches.turn_peer(socket, |peer| peer.with_tls(session));
            STATUS_OK
        }
        Some(Err(_)) | None => STATUS_UNSUPPORTED,
    }
}
