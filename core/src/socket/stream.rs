//! A connected socket of either family.

use crate::socket::tls::certificate::Identity;
use crate::socket::tls::session::Session;
use crate::socket::tls::stream::TlsStream;
use mio::net::{TcpStream, UnixStream};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

/// A socket of either family.
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// Unix domain.
    Unix(UnixStream),
    /// TCP that speaks TLS. In a place of its own: it is large, and few connections have it.
    Tls(Box<TlsStream>),
}

impl Socket {
    /// The descriptor.
    pub fn fd(&self) -> RawFd {
        match self {
            Socket::Tcp(stream) => stream.as_raw_fd(),
            Socket::Unix(stream) => stream.as_raw_fd(),
            Socket::Tls(stream) => stream.socket().as_raw_fd(),
        }
    }

    /// The TCP socket, if it is one.
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Socket::Tcp(stream) => Some(stream),
            Socket::Tls(stream) => Some(stream.socket()),
            Socket::Unix(_) => None,
        }
    }

    /// Say that nothing more will be written.
    pub fn end_writing(&mut self) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
            Socket::Tls(stream) => {
                stream.say_goodbye();
                stream.socket().shutdown(Shutdown::Write)
            }
        }
    }

    /// Whom the peer's certificate names, once, when it has shown one.
    #[inline]
    pub fn take_identity(&mut self) -> Option<Identity> {
        if let Socket::Tls(stream) = self { stream.take_identity() } else { None }
    }

    /// A second handle of the same connection.
    ///
    /// # Errors
    /// When there is no descriptor for it.
    pub fn try_clone_handle(&self) -> io::Result<OwnedFd> {
        match self {
            Socket::Tcp(stream) => stream.as_fd().try_clone_to_owned(),
            Socket::Unix(stream) => stream.as_fd().try_clone_to_owned(),
            Socket::Tls(stream) => stream.socket().as_fd().try_clone_to_owned(),
        }
    }

    /// The session by which what is written to such a handle has to be encrypted, if it has.
    pub fn session(&self) -> Option<Session> {
        if let Socket::Tls(stream) = self { Some(stream.session()) } else { None }
    }

    /// End the connection for all who have a handle of it.
    pub fn shut_down(&self) {
        let _ = match self {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Socket::Unix(stream) => stream.shutdown(Shutdown::Both),
            Socket::Tls(stream) => stream.socket().shutdown(Shutdown::Both),
        };
    }

    /// Whether small pieces are sent at once.
    pub fn set_nodelay(&self, is_so: bool) {
        if let Some(stream) = self.tcp() {
            let _ = stream.set_nodelay(is_so);
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buffer),
            Socket::Unix(stream) => stream.read(buffer),
            Socket::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(buffer),
            Socket::Unix(stream) => stream.write(buffer),
            Socket::Tls(stream) => stream.write(buffer),
        }
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write_vectored(slices),
            Socket::Unix(stream) => stream.write_vectored(slices),
            Socket::Tls(stream) => stream.write_vectored(slices),
        }
    }

    /// Have the socket take what was written and waits within: nothing, but of one that speaks TLS.
    fn flush(&mut self) -> io::Result<()> {
        if let Socket::Tls(stream) = self { stream.flush() } else { Ok(()) }
    }
}
