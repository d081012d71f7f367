//! The replica's end of the connection to its primary, as long as a thread has it: lines, bulk bytes, and what was
//! read beyond.

use crate::socket::tls::link::Link;
use crate::socket::tls::session::Session;
use crate::wire::command;
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// Longest line that a primary sends in answer to one of ours.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Bytes that are read at once.
const READ_BYTES: usize = 64 * 1024;

/// A connection, with the bytes that were read and not taken.
pub struct Wire {
    link: Link,
    buffer: Vec<u8>,
    at: usize,
}

impl Wire {
    /// A new connection.
    pub fn new(link: Link) -> Wire {
        Wire { link, buffer: Vec::new(), at: 0 }
    }

    /// Send a command.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn send(&mut self, words: &[&[u8]]) -> io::Result<()> {
        self.link.write_all(&command::encode(words))
    }

    /// A line, without its end.
    ///
    /// # Errors
    /// Those of the connection, and `InvalidData` for a line that is too long.
    pub fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut looked = self.at;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer[looked..]) {
                let line = &self.buffer[self.at..looked + end];
                let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
                self.at = looked + end + 1;
                return Ok(line);
            }
            if self.buffer.len() - self.at > LINE_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of the primary's does not end"));
            }
            looked = self.buffer.len();
            let before = self.at;
            self.fill()?;
            looked -= before - self.at;
        }
    }

    /// A line that is not empty: empty ones say that the primary is alive.
    ///
    /// # Errors
    /// As for [`Wire::line`].
    pub fn answer(&mut self, mut alive: impl FnMut()) -> io::Result<Vec<u8>> {
        loop {
            let line = self.line()?;
            if !line.is_empty() {
                return Ok(line);
            }
            alive();
        }
    }

    /// Bytes that follow, at least one; they are the caller's when it has said how many it takes.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn bytes(&mut self) -> io::Result<&[u8]> {
        if self.at == self.buffer.len() {
            self.fill()?;
        }
        Ok(&self.buffer[self.at..])
    }

    /// So many of [`Wire::bytes`] are taken.
    pub fn take(&mut self, count: usize) {
        self.at = (self.at + count).min(self.buffer.len());
    }

    /// The connection, its session if it speaks TLS, and what was read and not taken.
    ///
    /// # Errors
    /// `InvalidData` for what is no TLS.
    pub fn into_parts(mut self) -> io::Result<(TcpStream, Option<Session>, Vec<u8>)> {
        self.buffer.drain(..self.at);
        let (stream, session, beyond) = self.link.into_parts()?;
        self.buffer.extend_from_slice(&beyond);
        Ok((stream, session, self.buffer))
    }

    /// Read more; what was taken is forgotten.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + READ_BYTES, 0);
        let read = loop {
            match self.link.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the primary has closed the connection")),
            read => read.map(|_| ()),
        }
    }
}
