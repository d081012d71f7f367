//! How far a long file is read, on standard error where somebody looks.

use std::io::{IsTerminal, Read, Result, Write};

/// Files from this size on are long.
const LONG_BYTES: u64 = 64 << 20;

/// A file that is being read.
pub(crate) struct Progress<R> {
    source: R,
    size: u64,
    read: u64,
    /// In percent; nothing is shown of files that are not long.
    shown: Option<u64>,
}

impl<R> Progress<R> {
    /// A source of so many bytes.
    pub(crate) fn new(source: R, size: u64) -> Progress<R> {
        let is_shown = size >= LONG_BYTES && std::io::stderr().is_terminal();
        Progress { source, size, read: 0, shown: is_shown.then_some(0) }
    }
}

impl<R: Read> Read for Progress<R> {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let count = self.source.read(to)?;
        self.read += count as u64;
        let percent = self.read.saturating_mul(100) / self.size.max(1);
        if let Some(shown) = &mut self.shown
            && percent > *shown
        {
            *shown = percent;
            let end = if percent >= 100 { "\r     \r" } else { "" };
            // Nobody is hurt when it cannot be shown.
            let _ = write!(std::io::stderr(), "\r{percent:3} %{end}");
        }
        Ok(count)
    }
}
