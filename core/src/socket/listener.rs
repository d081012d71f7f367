//! Listening sockets: one for each address of `bind`, and the unix socket.

use mio::net::{TcpListener, UnixListener};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;

/// A listening socket of either family.
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// TCP, for connections that speak TLS.
    Tls(TcpListener),
    /// Unix domain.
    Unix(UnixListener),
}

/// Listen on an address.
pub(super) fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let domain = if address.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    match host {
        "*" => Ok((IpAddr::from([0, 0, 0, 0]), port).into()),
        "::*" => Ok((IpAddr::from([0u16; 8]), port).into()),
        name => (name, port).to_socket_addrs()?.next().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into()),
    }
}

/// Listen on all these addresses, of which one behind `-` may be missing, for plain connections or for those
/// that speak TLS; an error names the address.
pub fn listen_tcp(
    bind: &[String],
    backlog: i64,
    port: u16,
    kind: fn(TcpListener) -> Listener,
) -> Result<Vec<Listener>, String> {
    let mut listeners = Vec::new();
    for word in bind {
        let (optional, host) = match word.strip_prefix('-') {
            Some(host) => (true, host),
            None => (false, word.as_str()),
        };
        match resolve(host, port).and_then(|address| listen(address, backlog.clamp(1, 65_535) as i32)) {
            Ok(listener) => listeners.push(kind(listener)),
            Err(error) if optional && error.kind() != io::ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(format!("Could not create server TCP listening socket {host}:{port}: bind: {error}"));
            }
        }
    }
    Ok(listeners)
}

/// A socket that somebody else has begun to listen on, for plain connections or for those that speak TLS.
pub fn adopt(socket: OwnedFd, speaks_tls: bool) -> io::Result<Listener> {
    let socket = Socket::from(socket);
    if !socket.is_listener()? || socket.r#type()? != Type::STREAM {
        return Err(io::Error::other("no stream socket that is listened on"));
    }
    socket.set_nonblocking(true)?;
    Ok(match (socket.local_addr()?.is_unix(), speaks_tls) {
        (true, _) => Listener::Unix(UnixListener::from_std(socket.into())),
        (false, true) => Listener::Tls(TcpListener::from_std(socket.into())),
        (false, false) => Listener::Tcp(TcpListener::from_std(socket.into())),
    })
}

impl Listener {
    /// Port, 0 for a unix socket's.
    pub fn port(&self) -> u16 {
        match self {
            Listener::Tcp(socket) | Listener::Tls(socket) => socket.local_addr().map_or(0, |address| address.port()),
            Listener::Unix(_) => 0,
        }
    }
}

/// Listen on the unix socket at a path, with permissions in octal, 0 for the usual ones.
pub fn listen_unix(path: &str, mode: &str) -> Result<Listener, String> {
    let _ = std::fs::remove_file(path);
    let fail = |error: io::Error| format!("Failed opening Unix socket: bind: {path}: {error}");
    let listener = UnixListener::bind(path).map_err(fail)?;
    if let Ok(mode) = u32::from_str_radix(mode, 8)
        && mode != 0
    {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(fail)?;
    }
    Ok(Listener::Unix(listener))
}
