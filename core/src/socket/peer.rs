//! Speaking to others: a stream socket that is connected to, or has been accepted, with what has come and was not
//! taken yet and what waits to go. Both are limited.
//!
//! *Invariant*: neither buffer is longer than its limit, but for the one read that finds out.

use crate::socket::stream::Socket;
use crate::socket::tls::session::Session;
use crate::socket::tls::stream::TlsStream;
use mio::net::{TcpListener, TcpStream, UnixStream};
use socket2::{Domain, Protocol, SockAddr, Type};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;

/// Bytes that are asked for by a read.
const READ_BYTES: usize = 16 * 1024;
/// Bytes of a buffer that an empty peer keeps.
const KEPT_BYTES: usize = 64 * 1024;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 511;

/// A socket with its buffers.
pub struct Peer {
    socket: Socket,
    /// Whether it is, rather than being about to.
    pub is_connected: bool,
    /// Whether the other side has connected to this one.
    pub is_accepted: bool,
    /// Whether it was to speak TLS, and the handshake was not seen to be over.
    is_shaking_hands: bool,
    /// Whether bytes have come or gone.
    has_spoken: bool,
    input: Vec<u8>,
    output: Vec<u8>,
    /// How much of `output` has gone.
    sent: usize,
    input_max: usize,
    output_max: usize,
}

/// How a read went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// So many bytes.
    Some,
    /// Nothing at the moment; an event tells of more.
    Nothing,
    /// The other side has ended.
    End,
}

impl Peer {
    /// A peer of a socket, which takes and keeps at most so much.
    pub fn new(socket: Socket, is_accepted: bool, input_max: usize, output_max: usize) -> Peer {
        Peer {
            socket,
            is_connected: is_accepted,
            is_accepted,
            is_shaking_hands: false,
            has_spoken: false,
            input: Vec::new(),
            output: Vec::new(),
            sent: 0,
            input_max,
            output_max,
        }
    }

    /// Whether it can begin to speak TLS: it is plain, and nothing has come or gone.
    pub fn can_speak_tls(&self) -> bool {
        matches!(self.socket, Socket::Tcp(_)) && self.is_connected == self.is_accepted && !self.has_spoken
    }

    /// The same one, which speaks TLS if it can.
    pub fn with_tls(mut self, session: Session) -> Peer {
        if let Socket::Tcp(socket) = self.socket {
            self.socket = Socket::Tls(Box::new(TlsStream::of_link(socket, session)));
            self.is_shaking_hands = true;
        }
        self
    }

    /// Whether the handshake is not over yet.
    pub fn is_shaking_hands(&self) -> bool {
        self.is_shaking_hands
    }

    /// Whether the handshake is over, which is told once.
    pub fn has_shaken_hands(&mut self) -> bool {
        let is_over = self.is_shaking_hands && self.socket.session().is_some_and(|session| session.is_agreed());
        self.is_shaking_hands &= !is_over;
        is_over
    }

    /// The descriptor.
    pub fn fd(&self) -> RawFd {
        self.socket.fd()
    }

    /// Other limits than before.
    pub fn set_limits(&mut self, input_max: usize, output_max: usize) {
        (self.input_max, self.output_max) = (input_max, output_max);
    }

    /// Whether a connection is made, or an error that has come in its place.
    pub fn look_connected(&self) -> io::Result<bool> {
        let (failed, reached) = match &self.socket {
            Socket::Tcp(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
            Socket::Unix(stream) => (stream.take_error()?, stream.peer_addr().map(drop)),
            Socket::Tls(stream) => (stream.socket().take_error()?, stream.socket().peer_addr().map(drop)),
        };
        match (failed, reached) {
            (Some(error), _) => Err(error),
            (None, Ok(())) => Ok(true),
            (None, Err(error)) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            (None, Err(error)) => Err(error),
        }
    }

    /// Read once.
    pub fn receive(&mut self) -> io::Result<Got> {
        let before = self.input.len();
        self.input.resize(before + READ_BYTES, 0);
        let read = self.socket.read(&mut self.input[before..]);
        self.input.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Ok(Got::End),
            Ok(_) => {
                self.has_spoken = true;
                Ok(Got::Some)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Got::Nothing),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Got::Some),
            Err(error) => Err(error),
        }
    }

    /// What has come, which is the caller's until it gives the rest back.
    pub fn take_input(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.input)
    }

    /// Give back what has come, of which the first bytes have been taken; whether as much is left as may wait.
    pub fn put_input(&mut self, mut input: Vec<u8>, taken: usize) -> bool {
        input.drain(..taken.min(input.len()));
        if input.is_empty() && input.capacity() > KEPT_BYTES {
            input = Vec::new();
        }
        self.input = input;
        self.input.len() >= self.input_max
    }

    /// Have bytes sent; whether there is room for them.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        let waiting = self.output.len() - self.sent;
        if bytes.len() > self.output_max.saturating_sub(waiting) {
            return false;
        }
        self.output.extend_from_slice(bytes);
        true
    }

    /// Whether anything waits to be sent.
    pub fn has_output(&self) -> bool {
        self.sent < self.output.len()
    }

    /// Send as much as the socket takes.
    pub fn send(&mut self) -> io::Result<()> {
        while self.has_output() {
            match self.socket.write(&self.output[self.sent..]) {
                Ok(bytes) => {
                    self.has_spoken = true;
                    self.sent += bytes;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.output.drain(..self.sent);
                    self.sent = 0;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        self.sent = 0;
        if self.output.capacity() > KEPT_BYTES {
            self.output = Vec::new()
        } else {
            self.output.clear()
        }
        // A handshake has something to say before anybody has written.
        match self.socket.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    /// Its own address, or the other side's.
    pub fn address(&self, of_peer: bool) -> io::Result<String> {
        match self.socket.tcp() {
            Some(stream) if of_peer => stream.peer_addr().map(|address| address.to_string()),
            Some(stream) => stream.local_addr().map(|address| address.to_string()),
            None => Ok("unix".into()),
        }
    }
}

/// Begin to connect to an address in digits, or to a path.
///
/// # Errors
/// `InvalidInput` for what is neither; those of the system.
pub fn connect(address: &str, port: u16, source: &str) -> io::Result<Socket> {
    if address.starts_with('/') {
        return UnixStream::connect(address).map(Socket::Unix);
    }
    let to = SocketAddr::new(digits(address)?, port);
    let socket = socket2::Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    if !source.is_empty() {
        socket.bind(&SockAddr::from(SocketAddr::new(digits(source)?, 0)))?;
    }
    match socket.connect(&SockAddr::from(to)) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(Socket::Tcp(TcpStream::from_std(socket.into()))),
    }
}

/// Listen on an address in digits.
///
/// # Errors
/// As [`connect`].
pub fn listen(address: &str, port: u16) -> io::Result<TcpListener> {
    crate::socket::listener::listen(SocketAddr::new(digits(address)?, port), BACKLOG)
}

fn digits(address: &str) -> io::Result<IpAddr> {
    address.parse().map_err(|_| io::ErrorKind::InvalidInput.into())
}
