//! A socket that speaks TLS, read and written like a plain one that does not block.
//!
//! Invariants:
//! - A read fills its buffer, or leaves nothing behind that the socket would give: whoever sees a short read
//!   may wait for an event.
//! - What a write has taken and the socket has not counts as not written: `WouldBlock` is told, the same bytes
//!   are to be given again, and are counted once the socket has taken them. So whoever has bytes that are not
//!   written yet knows that there is something to go on with.

use crate::socket::tls::certificate::{self, Identity};
use crate::socket::tls::session::{self, Session};
use mio::net::TcpStream;
use rustls::Connection;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

/// A socket that speaks TLS.
pub struct TlsStream {
    socket: TcpStream,
    session: Session,
    /// Bytes that were taken by a write, encrypted, and not counted as written yet.
    taken: usize,
    /// Whether it was told that the handshake is over.
    is_told: bool,
}

impl TlsStream {
    /// A connection that has come in.
    pub fn accept(socket: TcpStream, config: Arc<rustls::ServerConfig>) -> io::Result<TlsStream> {
        Ok(TlsStream { socket, session: Session::to_client(config)?, taken: 0, is_told: false })
    }

    /// A connection of whose certificate nobody is to be told: a link that has gone out, or one of a module's.
    pub fn of_link(socket: TcpStream, session: Session) -> TlsStream {
        TlsStream { socket, session, taken: 0, is_told: true }
    }

    /// A handle of the session, for a thread that writes to the same connection.
    pub fn session(&self) -> Session {
        self.session.clone()
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// The socket, to register it.
    pub fn socket_mut(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Whom the peer's certificate names, once, when the handshake is over.
    pub fn take_identity(&mut self) -> Option<Identity> {
        if self.is_told {
            return None;
        }
        let session = self.session.lock();
        if session.is_handshaking() {
            return None;
        }
        self.is_told = true;
        session.peer_certificates().and_then(|chain| chain.first()).map(certificate::identity)
    }

    /// Say that nothing more comes, as far as the socket takes that.
    pub fn say_goodbye(&mut self) {
        self.session.lock().send_close_notify();
        let _ = self.push_out();
    }

    /// Write what is encrypted to the socket.
    pub fn push_out(&mut self) -> io::Result<()> {
        self.session.push_out(&mut self.socket)
    }
}

/// Take what the socket has, and decrypt it; whether there was anything.
fn pull_in(session: &mut Connection, socket: &mut TcpStream) -> io::Result<bool> {
    let read = match session.read_tls(socket) {
        Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
        other => other?,
    };
    let processed = session.process_new_packets();
    // An answer of the handshake, or why it failed, which says nothing to one who does not speak TLS. What the
    // socket does not take goes with the next event.
    if !matches!(processed, Err(rustls::Error::InvalidMessage(_))) {
        match session::push_out(session, socket) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
    }
    processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    Ok(read > 0)
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut session = self.session.lock();
        let mut filled = 0;
        loop {
            let end = match session::read(&mut session, &mut buffer[filled..]) {
                Ok(0) => true,
                Ok(bytes) => {
                    filled += bytes;
                    false
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => match pull_in(&mut session, &mut self.socket) {
                    Ok(more) => !more,
                    Err(error) if filled > 0 && error.kind() == ErrorKind::WouldBlock => true,
                    Err(error) => return Err(error),
                },
                // The peer has closed without a goodbye.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => true,
                Err(error) => return Err(error),
            };
            if end || filled == buffer.len() {
                return Ok(filled);
            }
        }
    }
}

impl Write for TlsStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buffer)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.taken == 0 {
            self.taken = self.session.write(slices, &mut self.socket)?;
        }
        self.push_out()?;
        if self.session.lock().is_handshaking() {
            // What was taken waits within the session.
            return Err(ErrorKind::WouldBlock.into());
        }
        let given: usize = slices.iter().map(|slice| slice.len()).sum();
        if self.taken > given {
            // Somebody else writes than whose bytes were taken, and neither would know what has gone out.
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(std::mem::take(&mut self.taken))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push_out()
    }
}
