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

use crate::resp::request::Parser;
use std::io::{self, Read};

/// Bytes that are read at once from a client without a long argument.
const READ_BYTES: usize = 16 * 1024;
/// Largest buffer that an idle client keeps.
const KEPT_BYTES: usize = 32 * 1024;
/// Most bytes that are read from one client in a turn of the loop.
const TURN_BYTES: usize = 1 << 20;

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

    /// Bytes of memory held.
    pub fn memory_bytes(&self) -> usize {
        self.buffer.capacity() + self.parser.heap_size()
    }

    /// Read what the socket has, up to a turn's share. Only between batches.
    pub fn receive(&mut self, socket: &mut impl Read) -> io::Result<Received> {
        self.inline.clear();
        let mut total = 0;
        loop {
            self.make_room();
            let room = self.buffer.len() - self.filled;
            match socket.read(&mut self.buffer[self.filled..]) {
                Ok(0) if total > 0 => return Ok(Received::Bytes(total, true)),
                Ok(0) => return Ok(Received::End),
                Ok(bytes) => {
                    self.filled += bytes;
                    total += bytes;
                    self.peak = self.peak.max(self.filled - self.consumed);
                    if bytes < room {
                        return Ok(Received::Bytes(total, false));
                    }
                    // The buffer is full: only a long argument is worth reading on for.
                    if total >= TURN_BYTES || self.need <= self.filled - self.consumed {
                        return Ok(Received::Bytes(total, true));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Received::Bytes(total, false)),
                Err(error) => return Err(error),
            }
        }
    }

    fn make_room(&mut self) {
        let pending = self.filled - self.consumed;
        let wanted = if self.need > pending { self.need } else { pending + READ_BYTES };
        if self.buffer.len() - self.consumed >= wanted {
            return;
        }
        if self.buffer.len() < wanted {
            // Fresh zeroed memory is not resident before it is written, so that a client
            // that only announces a long argument costs address space, not memory.
            let mut buffer = vec![0; wanted];
            buffer[..pending].copy_from_slice(self.pending());
            self.buffer = buffer;
        } else {
            self.buffer.copy_within(self.consumed..self.filled, 0);
        }
        self.consumed = 0;
        self.filled = pending;
    }

    /// Give memory back that is not in use; whether any was.
    pub fn shrink(&mut self, idle: bool) -> bool {
        let pending = self.filled - self.consumed;
        let keep = pending.max(self.need.min(KEPT_BYTES)).max(if idle { 0 } else { self.peak.min(KEPT_BYTES) });
        self.peak = pending;
        if self.buffer.len() <= keep.max(1024) || (!idle && self.buffer.len() <= KEPT_BYTES) {
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
