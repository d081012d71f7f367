//! The query buffer: bytes that a client sent and that no command has consumed.
//!
//! ```text
//!   consumed        filled       capacity
//!      v               v            v
//! |xxxx| to be parsed  |    free    |
//! ```
//!
//! Arguments of parsed commands point into the buffer, so it is neither moved nor
//! shortened between parsing and running. A long argument is announced by its
//! length: the buffer then grows once, to exactly what is needed, and the
//! argument is read into its place.

use crate::base::memory::zeroed;
use crate::wire::request::Parser;
use std::io::{self, Read};

/// Bytes that are read at once from a client without a long argument.
const READ_BYTES: usize = 16 * 1024;
/// Largest buffer that an idle client keeps.
const KEPT_BYTES: usize = 32 * 1024;
/// Most bytes that are read from one client in a turn of the loop.
const TURN_BYTES: usize = 1 << 20;
/// Largest announced length that room is made for before it arrives.
const ANNOUNCED_BYTES_MAX: usize = 1 << 30;

/// A query buffer.
#[derive(Default)]
pub struct Query {
    buffer: Vec<u8>,
    filled: usize,
    consumed: usize,
    /// Total length, counted from `consumed`, below which parsing gets no further.
    need: usize,
    /// Where the parser is.
    pub parser: Parser,
    /// Most bytes in use since the last look.
    pub peak: usize,
    /// Text of inline commands that run now, kept until they are done.
    pub inline: Vec<Vec<u8>>,
}

/// What came from the socket.
pub enum Received {
    /// So many bytes, and whether more may wait.
    Bytes(usize, bool),
    /// The other side has closed.
    End,
}

impl Query {
    /// Bytes not consumed.
    #[inline]
    pub fn pending(&self) -> &[u8] {
        &self.buffer[self.consumed..self.filled]
    }

    /// Bytes not consumed, from an offset on, with the parser.
    #[inline]
    pub fn parser_and_pending(&mut self, offset: usize) -> (&mut Parser, &[u8]) {
        (&mut self.parser, &self.buffer[self.consumed + offset..self.filled])
    }

    /// Whether parsing may get further than last time.
    #[inline]
    pub fn has_input(&self) -> bool {
        self.filled - self.consumed >= self.need.max(1)
    }

    /// Bytes that were read by another reader of the same stream, before any other.
    pub fn put(&mut self, bytes: Vec<u8>) {
        self.filled = bytes.len();
        self.buffer = bytes;
    }

    /// Note the length below which parsing gets no further, counted from `consumed`.
    pub fn set_need(&mut self, need: usize) {
        self.need = need;
    }

    /// A command that took so many bytes is done.
    #[inline]
    pub fn consume(&mut self, bytes: usize) {
        self.consumed += bytes;
        self.need = 0;
        if self.consumed == self.filled {
            self.consumed = 0;
            self.filled = 0;
        }
    }

    /// Bytes that are no command are done; where parsing is stays known.
    pub fn skip(&mut self, bytes: usize) {
        let need = self.need.saturating_sub(bytes);
        self.consume(bytes);
        self.need = need;
    }

    /// Parse again from the first command that was not consumed.
    pub fn restart(&mut self) {
        self.need = 0;
        self.parser.reset();
    }

    /// Drop everything, for a connection that is being closed.
    pub fn clear(&mut self) {
        self.consumed = 0;
        self.filled = 0;
        self.need = 0;
        self.parser.reset();
    }

    /// Capacity of the buffer.
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes of memory held, or that the next read will take for a long argument that was announced.
    pub fn memory_bytes(&self) -> usize {
        let inline: usize = self.inline.iter().map(Vec::capacity).sum();
        self.buffer.capacity().max(self.need.min(ANNOUNCED_BYTES_MAX)) + self.parser.heap_size() + inline
    }

    /// Read what the socket has, up to a turn's share. Only between batches.
    ///
    /// A short read means that the socket is empty, but for one whose other side has
    /// hung up: the end of the stream comes without another event.
    pub fn receive(&mut self, socket: &mut impl Read, hung_up: bool) -> io::Result<Received> {
        let mut total = 0;
        loop {
            self.make_room()?;
            let room = self.buffer.len() - self.filled;
            match socket.read(&mut self.buffer[self.filled..]) {
                Ok(0) if total > 0 => return Ok(Received::Bytes(total, true)),
                Ok(0) => return Ok(Received::End),
                Ok(bytes) => {
                    self.filled += bytes;
                    total += bytes;
                    let pending = self.filled - self.consumed;
                    self.peak = self.peak.max(pending);
                    if bytes < room && !hung_up {
                        return Ok(Received::Bytes(total, false));
                    }
                    // Only a long argument is worth reading on for.
                    if total >= TURN_BYTES || self.need <= pending {
                        return Ok(Received::Bytes(total, true));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Received::Bytes(total, false)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Make room for a read: for the whole of a long argument that was announced, else
    /// for some kilobytes. Fails when there is no memory for it.
    fn make_room(&mut self) -> io::Result<()> {
        let pending = self.filled - self.consumed;
        let need = self.need.min(ANNOUNCED_BYTES_MAX);
        let least = if need > pending + READ_BYTES { need } else { pending + READ_BYTES / 2 };
        if self.buffer.len() - self.consumed >= least {
            return Ok(());
        }
        if self.buffer.len() < least {
            // At least twice what is there, so that a command of many arguments is copied
            // a few times only; and a little more than announced, for the arguments behind.
            // Fresh zeroed memory is not resident before it is written, so that a client
            // that only announces a long argument costs address space, not memory.
            let wanted = need.max(pending * 2) + READ_BYTES;
            let buffer = zeroed(wanted - wanted % READ_BYTES);
            let mut buffer = buffer.ok_or(io::ErrorKind::OutOfMemory)?;
            buffer[..pending].copy_from_slice(self.pending());
            self.buffer = buffer;
        } else {
            self.buffer.copy_within(self.consumed..self.filled, 0);
        }
        self.consumed = 0;
        self.filled = pending;
        Ok(())
    }

    /// Give memory back that is not in use; whether any was. Only between batches.
    pub fn shrink(&mut self, idle: bool) -> bool {
        if idle {
            self.inline = Vec::new();
        }
        let pending = self.filled - self.consumed;
        let peak = std::mem::replace(&mut self.peak, pending);
        let keep = if idle { pending } else { pending.max(self.need).max(peak).max(READ_BYTES) };
        let worth = if idle { self.buffer.len() > keep } else { self.buffer.len() > KEPT_BYTES.max(keep * 2) };
        if !worth {
            return false;
        }
        self.buffer.copy_within(self.consumed..self.filled, 0);
        self.consumed = 0;
        self.filled = pending;
        self.buffer.truncate(keep);
        self.buffer.shrink_to_fit();
        true
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
