//! The sink: where a writer's bytes go when they are a file.
//!
//! It counts and digests what passes, writes it through a [`Disk`], and syncs now and then if that
//! is asked for, so that the last sync of a large file does not hold the disk up for seconds.
//!
//! Invariant: after the first error nothing more is written, and that error is what is told.

use crate::durable::crc64::Digest;
use crate::durable::disk::{Disk, DiskFile};
use std::fmt;
use std::io;
use std::sync::Arc;

/// Bytes between two syncs of a file that is synced now and then.
pub const SYNC_BYTES: u64 = 4 << 20;

/// A file that is being written.
pub struct Sink {
    disk: Arc<dyn Disk>,
    file: DiskFile,
    digest: Option<Digest>,
    bytes: u64,
    unsynced: u64,
    /// Bytes after which it is synced; `None` for at the end only.
    sync_every: Option<u64>,
    error: Option<io::Error>,
}

impl fmt::Debug for Sink {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Sink").field("file", &self.file).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// A file that was written, and not synced since the last bytes.
#[derive(Debug)]
pub struct Sunk {
    /// The file.
    pub file: DiskFile,
    /// How many bytes were written to it.
    pub bytes: u64,
}

impl Sink {
    /// A sink into a file: with a checksum or without, and synced now and then or not.
    pub fn new(disk: Arc<dyn Disk>, file: DiskFile, is_checked: bool, syncs: bool) -> Sink {
        let digest = is_checked.then(Digest::new);
        Sink { disk, file, digest, bytes: 0, unsynced: 0, sync_every: syncs.then_some(SYNC_BYTES), error: None }
    }

    /// Bytes that were taken.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there was an error.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }

    /// The first error, if there was one.
    #[must_use]
    pub fn error(&self) -> Option<&io::Error> {
        self.error.as_ref()
    }

    /// The checksum of all bytes, 0 without one.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.digest.as_ref().map_or(0, Digest::value)
    }

    /// Take bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        if self.error.is_some() {
            return;
        }
        if let Some(digest) = &mut self.digest {
            digest.update(bytes);
        }
        self.bytes += bytes.len() as u64;
        self.unsynced += bytes.len() as u64;
        let mut result = self.disk.write_all(&self.file, bytes);
        if result.is_ok() && self.sync_every.is_some_and(|every| self.unsynced >= every) {
            self.unsynced = 0;
            result = self.disk.sync(&self.file);
        }
        self.error = result.err();
    }

    /// The file, unless there was an error.
    ///
    /// # Errors
    ///
    /// The first one.
    pub fn finish(self) -> io::Result<Sunk> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(Sunk { file: self.file, bytes: self.bytes }),
        }
    }
}
