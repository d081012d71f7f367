//! The backlog: the last bytes of the stream, once for all who read it.
//!
//! ```text
//!     begin                                              end
//!       v                                                 v
//!   [ block ][ block ][ block ][ block ][ block ][ block |free ]
//!              ^ a replica's cursor          ^ another's
//! ```
//!
//! A position is the number of bytes of the stream before it. Replicas keep a position each and no bytes, so
//! that ten slow ones cost what the slowest does.
//!
//! Invariants:
//! - All blocks but the last are full.
//! - Bytes from `begin` on are there, whatever was trimmed.

use std::collections::VecDeque;
use std::io::IoSlice;

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 16 * 1024;

/// Bytes of the stream.
#[derive(Default)]
pub struct Backlog {
    blocks: VecDeque<Vec<u8>>,
    /// Position of the first byte of the first block.
    base: u64,
    begin: u64,
    end: u64,
}

impl Backlog {
    /// Without bytes, at a position.
    pub fn new(at: u64) -> Backlog {
        Backlog { blocks: VecDeque::new(), base: at, begin: at, end: at }
    }

    /// Position of the first byte that is there.
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// Position behind the last byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes of memory held.
    pub fn memory_bytes(&self) -> usize {
        self.blocks.len() * (BLOCK_BYTES + size_of::<Vec<u8>>())
    }

    /// Append bytes.
    pub fn append(&mut self, mut bytes: &[u8]) {
        self.end += bytes.len() as u64;
        while !bytes.is_empty() {
            let is_full = self.blocks.back().is_none_or(|last| last.len() == BLOCK_BYTES);
            if is_full {
                self.blocks.push_back(Vec::with_capacity(BLOCK_BYTES));
            }
            let Some(last) = self.blocks.back_mut() else { return };
            let (first, rest) = bytes.split_at(bytes.len().min(BLOCK_BYTES - last.len()));
            last.extend_from_slice(first);
            bytes = rest;
        }
    }

    /// Everything lies so many bytes further on.
    pub fn shift(&mut self, by: u64) {
        (self.base, self.begin, self.end) = (self.base + by, self.begin + by, self.end + by);
    }

    /// Bytes before a position are needed no more.
    pub fn trim(&mut self, to: u64) {
        self.begin = to.clamp(self.begin, self.end);
        while self.blocks.len() > 1 && self.base + BLOCK_BYTES as u64 <= self.begin {
            self.blocks.pop_front();
            self.base += BLOCK_BYTES as u64;
        }
    }

    /// Bytes from a position on, at most so many pieces of them; `None` if they are not there.
    pub fn pieces(&self, from: u64, most: usize) -> Option<Vec<IoSlice<'_>>> {
        if !(self.begin..=self.end).contains(&from) {
            return None;
        }
        let skip = (from - self.base) as usize;
        let mut offset = skip % BLOCK_BYTES;
        let blocks = self.blocks.iter().skip(skip / BLOCK_BYTES).take(most);
        let pieces = blocks.map(|block| IoSlice::new(&block[std::mem::take(&mut offset).min(block.len())..]));
        Some(pieces.filter(|piece| !piece.is_empty()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(backlog: &Backlog, from: u64) -> Option<Vec<u8>> {
        Some(backlog.pieces(from, usize::MAX)?.iter().flat_map(|piece| piece.to_vec()).collect())
    }

    #[test]
    fn what_is_read_is_what_was_appended_from_any_position_that_is_kept() {
        let all: Vec<u8> = (0..5 * BLOCK_BYTES + 77).map(|at| (at % 251) as u8).collect();
        let mut backlog = Backlog::new(1000);
        for piece in all.chunks(997) {
            backlog.append(piece);
        }
        assert_eq!((backlog.begin(), backlog.end()), (1000, 1000 + all.len() as u64));
        for from in [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 5, all.len()] {
            assert_eq!(read(&backlog, 1000 + from as u64).as_deref(), Some(&all[from..]), "{from}");
        }
        assert_eq!(read(&backlog, 999), None);
        assert_eq!(read(&backlog, backlog.end() + 1), None);
        let kept = 2 * BLOCK_BYTES + 3;
        backlog.trim(1000 + kept as u64);
        assert_eq!(read(&backlog, 1000 + kept as u64).as_deref(), Some(&all[kept..]));
        assert_eq!(read(&backlog, 1000 + kept as u64 - 1), None);
        assert_eq!(backlog.blocks.len(), 4);
        backlog.trim(u64::MAX);
        assert_eq!((backlog.begin(), backlog.blocks.len()), (backlog.end(), 1));
        backlog.append(b"more");
        assert_eq!(read(&backlog, backlog.end() - 4).as_deref(), Some(&b"more"[..]));
    }
}
