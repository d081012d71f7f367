//! A socket that speaks TLS, read and written like a plain one that does not block.
//!
//! Invariants:
//! - A read fills its buffer, or leaves nothing behind that the socket would give: whoever sees a short read
//!   may wait for an event.
//! - What a write has taken and the socket has not counts as not written: `WouldBlock` is told, the same bytes
//!   are to be given again, and are counted once the socket has taken them. So whoever has bytes that are not
//!   written yet knows that there is something to go on with.

use crate::socket::tls::certificate::{self, Identity};
use mio::net::TcpStream;
use rustls::{ClientConnection, Connection, ServerConnection};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

/// Most bytes that are encrypted at once, before the socket has taken them.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// A socket that speaks TLS.
pub struct TlsStream {
    socket: TcpStream,
    session: Connection,
    /// Bytes that were taken by a write, encrypted, and not counted as written yet.
    taken: usize,
    /// Whether it was told that the handshake is over.
    is_told: bool,
}

impl TlsStream {
    /// A connection that has come in.
    pub fn accept(socket: TcpStream, config: Arc<rustls::ServerConfig>) -> io::Result<TlsStream> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        session.set_buffer_limit(Some(WRITE_BYTES_MAX));
        Ok(TlsStream { socket, session: session.into(), taken: 0, is_told: false })
    }

    /// A link that has gone out and whose handshake may be over.
    pub fn of_link(socket: TcpStream, mut session: ClientConnection) -> TlsStream {
        session.set_buffer_limit(Some(WRITE_BYTES_MAX));
        TlsStream { socket, session: session.into(), taken: 0, is_told: true }
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
        if self.is_told || self.session.is_handshaking() {
            return None;
        }
        self.is_told = true;
        let own = self.session.peer_certificates().and_then(|chain| chain.first());
        own.map(certificate::identity)
    }

    /// Say that nothing more comes, as far as the socket takes that.
    pub fn say_goodbye(&mut self) {
        self.session.send_close_notify();
        let _ = self.push_out();
    }

    /// Write what is encrypted to the socket.
    pub fn push_out(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Take what the socket has, and decrypt it; whether there was anything.
    fn pull_in(&mut self) -> io::Result<bool> {
        let read = match self.session.read_tls(&mut self.socket) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            other => other?,
        };
        let processed = self.session.process_new_packets();
        // An answer of the handshake, or why it failed, which says nothing to one who does not speak TLS. What
        // the socket does not take goes with the next event.
        if !matches!(processed, Err(rustls::Error::InvalidMessage(_))) {
            match self.push_out() {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        Ok(read > 0)
    }

    fn finish_write(&mut self) -> io::Result<usize> {
        self.push_out()?;
        if self.session.is_handshaking() {
            // What was taken waits within the session.
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(std::mem::take(&mut self.taken))
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            let end = match self.session.reader().read(&mut buffer[filled..]) {
                Ok(0) => true,
                Ok(bytes) => {
                    filled += bytes;
                    false
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => match self.pull_in() {
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
            self.taken = self.session.writer().write_vectored(slices)?;
        }
        self.finish_write()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push_out()
    }
}
