//! The window: the part of a file that is in memory while it is read.
//!
//! ```text
//!   source   ┌──────────────┬──────────────┬───────────────┬───────────────────┐
//!            │ forgotten    │ kept or read │ not read yet  │ still in the file │
//!            └──────────────┴──────────────┴───────────────┴───────────────────┘
//!            0              base           base + at       base + bytes.len()
//! ```
//!
//! Primitives are read by a [`Reader`] over what is there. One that lacks bytes has changed nothing,
//! so more is fetched and it is asked again. A value may so be much longer than the window; the longest
//! string has to fit into it.
//!
//! Invariants:
//! * No length that was read is believed: where the file's size is known, nothing is fetched for what
//!   passes its end; else the window grows as bytes arrive. So it is never larger than what the file
//!   has given, rounded up.
//! * Every byte is digested once, when it leaves the window or the checksum is asked for.

use crate::durable::crc64::Digest;
use crate::durable::read::{Fault, ReadError, Reader};
use std::io::{self, Read};
use thiserror::Error;

/// Bytes that are fetched at once.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// Why a file is not read on.
#[derive(Debug, Error)]
pub enum FileError {
    /// The bytes are not what they should be.
    #[error("{fault} (at byte {offset} of the file)")]
    Damaged {
        /// Where in the file.
        offset: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Bytes that a primitive has read: a place in the window, or bytes of its own.
#[derive(Debug)]
pub enum Taken {
    /// So many bytes before where the window is now.
    Last(usize),
    /// Bytes that were made.
    Own(Vec<u8>),
}

/// The part of a file that is in memory.
pub struct Window {
    source: Box<dyn Read>,
    bytes: Vec<u8>,
    at: usize,
    /// Offset in the file of the first byte.
    base: u64,
    /// Size of the file, if it is known.
    size: Option<u64>,
    ended: bool,
    digest: Option<Digest>,
    /// How many of the bytes are digested.
    digested: usize,
    /// From where on bytes are kept although they were read.
    kept: Option<usize>,
}

impl Window {
    /// A window at the start of a file, whose size may be known, and that has a checksum or none.
    pub fn new(source: Box<dyn Read>, size: Option<u64>, is_checked: bool) -> Window {
        let digest = is_checked.then(Digest::new);
        Window { source, bytes: Vec::new(), at: 0, base: 0, size, ended: false, digest, digested: 0, kept: None }
    }

    /// Memory that it holds in bytes.
    #[cfg(test)]
    pub fn held_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// How many bytes of the file were read.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Size of the file, if it is known.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Do without a checksum from here on.
    pub fn ignore_checksum(&mut self) {
        self.digest = None;
    }

    /// The checksum of all that was read, if there is one.
    pub fn checksum(&mut self) -> Option<u64> {
        self.digest_to(self.at);
        self.digest.as_ref().map(Digest::value)
    }

    /// Keep what is read from here on.
    pub fn keep(&mut self) {
        self.kept = Some(self.at);
    }

    /// Go back to where keeping began.
    pub fn go_back(&mut self) {
        self.at = self.kept.take().unwrap_or(self.at);
    }

    /// What was read since keeping began, which ends.
    pub fn take_kept(&mut self) -> &[u8] {
        let from = self.kept.take().unwrap_or(self.at);
        &self.bytes[from..self.at]
    }

    /// Bytes that a primitive has taken, which stay until the next is read.
    #[must_use]
    pub fn taken<'t>(&'t self, taken: &'t Taken) -> &'t [u8] {
        match taken {
            Taken::Last(len) => self.last(*len),
            Taken::Own(bytes) => bytes,
        }
    }

    /// The last bytes that were read, so many, which stay until more is.
    #[must_use]
    pub fn last(&self, len: usize) -> &[u8] {
        &self.bytes[self.at - len..self.at]
    }

    /// Read something; it is asked again when bytes were missing.
    ///
    /// # Errors
    ///
    /// [`FileError::Damaged`] for what it says of the bytes, or when the file ends before.
    #[inline]
    pub fn get<T>(&mut self, mut read: impl FnMut(&mut Reader<'_>) -> Result<T, ReadError>) -> Result<T, FileError> {
        loop {
            let mut reader = Reader::new(&self.bytes[self.at..]);
            match read(&mut reader) {
                Ok(value) => {
                    self.at += reader.offset();
                    return Ok(value);
                }
                Err(error) => self.after(error)?,
            }
        }
    }

    /// Read a string.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    #[inline]
    pub fn string(&mut self) -> Result<Taken, FileError> {
        self.get(|reader| {
            Ok(match reader.string()? {
                std::borrow::Cow::Borrowed(bytes) => Taken::Last(bytes.len()),
                std::borrow::Cow::Owned(bytes) => Taken::Own(bytes),
            })
        })
    }

    /// Fetch what was missing.
    #[cold]
    fn after(&mut self, error: ReadError) -> Result<(), FileError> {
        let damaged = FileError::Damaged { offset: self.offset() + error.offset as u64, fault: error.fault };
        let Fault::Truncated { needed, .. } = error.fault else { return Err(damaged) };
        let Some(needed) = needed.checked_add(error.offset as u64) else { return Err(damaged) };
        let is_beyond = self.size.is_some_and(|size| needed > size.saturating_sub(self.offset()));
        if is_beyond || self.ended || !self.fetch(needed)? {
            return Err(damaged);
        }
        Ok(())
    }

    /// Have so many bytes behind where the window is; whether any came.
    fn fetch(&mut self, needed: u64) -> io::Result<bool> {
        let from = self.kept.unwrap_or(self.at);
        self.digest_to(from);
        self.bytes.drain(..from);
        (self.base, self.at, self.digested) = (self.base + from as u64, self.at - from, self.digested - from);
        self.kept = self.kept.map(|_| 0);
        let missing = needed.saturating_sub((self.bytes.len() - self.at) as u64);
        let wanted = missing.max(CHUNK_BYTES as u64);
        let before = self.bytes.len();
        // Where the size is known all of it is there; else it grows with what arrives.
        if self.size.is_some() {
            self.bytes.try_reserve(usize::try_from(wanted).map_err(|_| io::ErrorKind::OutOfMemory)?)?;
        }
        (&mut self.source).take(wanted).read_to_end(&mut self.bytes)?;
        let came = self.bytes.len() - before;
        self.ended = (came as u64) < wanted;
        Ok(came as u64 >= missing)
    }

    fn digest_to(&mut self, end: usize) {
        if let Some(digest) = &mut self.digest
            && end > self.digested
        {
            digest.update(&self.bytes[self.digested..end]);
        }
        self.digested = self.digested.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::{Writer, crc64};
    use std::io::Cursor;

    /// Gives a few bytes at a time.
    struct Drops(Cursor<Vec<u8>>);

    impl Read for Drops {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let len = to.len().min(7);
            self.0.read(&mut to[..len])
        }
    }

    fn texts() -> Vec<Vec<u8>> {
        (0..2000usize).map(|number| vec![number as u8; number * 7 % 1000]).collect()
    }

    fn written() -> Vec<u8> {
        let mut out = Writer::new(false);
        texts().iter().for_each(|text| out.put_string(text));
        out.into_bytes()
    }

    #[test]
    fn what_is_longer_than_the_window_is_read_and_digested_once() {
        let bytes = written();
        let size = Some(bytes.len() as u64);
        for (size, checksum) in [(size, true), (None, true), (size, false)] {
            let source = Box::new(Drops(Cursor::new(bytes.clone())));
            let mut window = Window::new(source, size, checksum);
            for text in texts() {
                let taken = window.string().unwrap();
                assert!(window.taken(&taken) == text);
            }
            assert_eq!(window.checksum(), checksum.then(|| crc64::checksum(&bytes)));
            assert_eq!(window.offset(), bytes.len() as u64);
            let end = window.get(|reader| reader.u8()).unwrap_err();
            assert!(matches!(end, FileError::Damaged { fault: Fault::Truncated { .. }, .. }));
        }
    }

    #[test]
    fn what_is_kept_stays_whatever_is_fetched() {
        let bytes = written();
        let mut window = Window::new(Box::new(Cursor::new(bytes.clone())), None, true);
        for _ in 0..10 {
            window.string().unwrap();
        }
        let from = window.offset() as usize;
        window.keep();
        for _ in 10..2000 {
            window.string().unwrap();
        }
        assert!(window.take_kept() == &bytes[from..]);
        assert_eq!(window.checksum(), Some(crc64::checksum(&bytes)));
    }

    #[test]
    fn a_length_that_passes_the_end_takes_no_memory() {
        let mut bytes = vec![0x81];
        bytes.extend_from_slice(&(1u64 << 60).to_be_bytes());
        for size in [None, Some(bytes.len() as u64)] {
            let mut window = Window::new(Box::new(Cursor::new(bytes.clone())), size, false);
            let error = window.string().unwrap_err();
            assert!(matches!(error, FileError::Damaged { offset: 9, fault: Fault::Truncated { .. } }), "{error}");
            assert!(window.bytes.capacity() <= 2 * CHUNK_BYTES);
        }
    }
}
