//! A link that goes out, in a thread that may wait: plain, or with TLS on it.

use crate::socket::tls::session::{self, Session};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Bytes that are read at once.
const READ_BYTES: usize = 32 * 1024;

/// A connection of ours to somebody.
pub struct Link {
    socket: TcpStream,
    session: Option<Session>,
    /// Bytes of the socket that are not decrypted yet, from a place on.
    raw: Vec<u8>,
    at: usize,
}

impl Link {
    /// A plain one.
    pub fn plain(socket: TcpStream) -> Link {
        Link { socket, session: None, raw: Vec::new(), at: 0 }
    }

    /// One that speaks TLS, whose handshake begins with the first write.
    ///
    /// # Errors
    /// When TLS has no way to begin.
    pub fn tls(socket: TcpStream, config: Arc<rustls::ClientConfig>, host: &str) -> io::Result<Link> {
        Ok(Link { socket, session: Some(Session::to_server(config, host)?), raw: Vec::new(), at: 0 })
    }

    /// A second handle of the same, to write and to end it by.
    ///
    /// # Errors
    /// When there is no descriptor for it.
    pub fn try_clone(&self) -> io::Result<Link> {
        Ok(Link { socket: self.socket.try_clone()?, session: self.session.clone(), raw: Vec::new(), at: 0 })
    }

    /// Whether no other handle of it is being written to, in a way that this one would wait for.
    pub fn is_free(&self) -> bool {
        self.session.as_ref().is_none_or(Session::is_free)
    }

    /// End it for all who have a handle of it.
    pub fn shut_down(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// How long a write may wait from now on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.socket.set_write_timeout(Some(timeout))
    }

    /// What it is made of, and what has been read of it beyond; the session has taken in all that was read.
    ///
    /// # Errors
    /// `InvalidData` for what is no TLS.
    pub fn into_parts(mut self) -> io::Result<(TcpStream, Option<Session>, Vec<u8>)> {
        let mut beyond = Vec::new();
        if let Some(session) = &self.session {
            loop {
                let read = session::read_all(&mut session.lock(), &mut beyond);
                if self.at == self.raw.len() || read.is_err() {
                    break;
                }
                self.at += session.take(&self.raw[self.at..])?;
            }
        }
        Ok((self.socket, self.session, beyond))
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &self.session else { return self.socket.read(buffer) };
        loop {
            let read = session::read(&mut session.lock(), buffer);
            match read {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            session.push_out(&mut self.socket)?;
            if self.at < self.raw.len() {
                self.at += session.take(&self.raw[self.at..])?;
                continue;
            }
            self.raw.resize(READ_BYTES, 0);
            self.at = 0;
            let count = self.socket.read(&mut self.raw);
            self.raw.truncate(*count.as_ref().unwrap_or(&0));
            if count? == 0 {
                return Ok(0);
            }
        }
    }
}

impl Write for Link {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let Some(session) = &self.session else { return self.socket.write(buffer) };
        let written = session.write(&[IoSlice::new(buffer)], &mut self.socket)?;
        session.push_out(&mut self.socket)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.session.as_ref().map_or(Ok(()), |session| session.push_out(&mut self.socket))
    }
}
