//! One file of commands, run again.
//!
//! What stands between MULTI and EXEC is run when EXEC has come: of a unit that is cut off nothing counts.
//!
//! When the power goes, a disk may have noted that a file is longer and not what was written there: zeros stand in
//! its place, perhaps with later commands behind them. Nothing of it was ever synced, so the file ends before them, as
//! one that was cut off.

use crate::base::number::parse_u64;
use crate::base::words::shown;
use crate::durable::aof_text::{self, Next};
use crate::engine::replay::Replayed;
use crate::engine::server::Server;
use crate::persist::{Origin, Persist};
use crate::socket::output::Output;
use std::io::{self, Read};
use std::ops::Range;

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;
/// Zeros that stand for what a disk has not written; fewer are content.
const HOLE_BYTES: usize = 8;
/// Most commands that answer with an error and are logged.
const FAILURES_LOGGED_MAX: u32 = 10;

/// How a file has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// With a whole unit.
    Whole,
    /// Within one; so many bytes are whole units.
    Cut(u64),
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be read.
    #[error("Unrecoverable error reading the append only file {0}: {1}")]
    Read(String, io::Error),
    /// Something in it is no command; where, in bytes from the beginning.
    #[error(
        "Bad file format reading the append only file {0}, at byte {1}: make a copy of it, then use \
         plinth-check aof --fix <filename.manifest>"
    )]
    Format(String, u64),
    /// There is no such command here.
    #[error("Unknown command '{1}' reading the append only file {0}, at byte {2}; is its module loaded?")]
    Unknown(String, String, u64),
    /// A command takes another number of words.
    #[error("Wrong number of arguments of '{1}' reading the append only file {0}, at byte {2}")]
    Arity(String, String, u64),
    /// The server was told to stop.
    #[error("the server was told to stop while it was loading")]
    Stopped,
    /// There is no such database.
    #[error("Database {1} reading the append only file {0}, at byte {2}, is not there: 'databases' is too low")]
    Database(String, String, u64),
}

/// What is done now and then, given how many bytes were read meanwhile; false to stop.
pub type Progress<'s> = &'s mut dyn FnMut(&mut Server, usize) -> bool;

/// A file that is replayed.
pub struct Replay<'s> {
    server: &'s mut Server,
    /// Its name, for messages.
    name: &'s str,
    sink: Output,
    db: u32,
    /// Commands since MULTI, each with its place.
    queue: Option<Vec<(u64, Vec<Vec<u8>>)>>,
    failures: u32,
    /// Where in which stream the data are, as long as that is the last that was read.
    origin: Option<Origin>,
    progress: Progress<'s>,
}

/// Whether a command that cannot be read is one that zeros cut off.
fn is_hole(rest: &[u8]) -> bool {
    let zeros = rest.windows(HOLE_BYTES).position(|bytes| bytes == [0; HOLE_BYTES]);
    // Fewer are enough where nothing is behind them.
    let trailing = rest.len() - rest.iter().rev().take_while(|byte| **byte == 0).count();
    let first = zeros.unwrap_or(rest.len()).min(trailing);
    first < rest.len() && matches!(aof_text::next(&rest[..first], &mut Vec::new()), Ok(Next::Cut))
}

impl<'s> Replay<'s> {
    /// Replay a file of some name.
    pub fn new(server: &'s mut Server, name: &'s str, progress: Progress<'s>) -> Replay<'s> {
        Replay { server, name, sink: Output::default(), db: 0, queue: None, failures: 0, origin: None, progress }
    }

    /// Run all commands that can be read, which begin at some byte of the file.
    pub fn run(mut self, from: &mut dyn Read, begin: u64) -> Result<End, ReplayError> {
        let (mut buffer, mut filled, mut at) = (Vec::new(), 0, begin);
        let (mut words, mut whole) = (Vec::new(), begin);
        loop {
            if buffer.len() - filled < READ_BYTES {
                // Twice as much for what is longer, so that it is not looked at again for each piece.
                buffer.resize(filled + READ_BYTES.max(filled), 0);
            }
            let read = match from.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(ReplayError::Read(self.name.into(), error)),
            };
            filled += read;
            if !(self.progress)(self.server, read) {
                return Err(ReplayError::Stopped);
            }
            self.server.stop_time();
            let mut used = 0;
            loop {
                let rest = &buffer[used..filled];
                let len = match aof_text::next(rest, &mut words) {
                    Ok(Next::Cut) => break,
                    Ok(Next::Remark(len, _)) => {
                        self.origin = aof_text::place(&rest[..len]).map(|(id, offset, db)| Origin { id, offset, db });
                        len
                    }
                    Ok(Next::Command(len)) => {
                        self.origin = None;
                        self.take(rest, &words, at)?;
                        len
                    }
                    Err(aof_text::Malformed) if is_hole(rest) => {
                        crate::base::log::warning(&format!(
                            "The append only file {} has zeros within what begins at byte {at}: it was not written \
                             when the power went",
                            self.name
                        ));
                        return Ok(End::Cut(whole));
                    }
                    Err(aof_text::Malformed) => return Err(ReplayError::Format(self.name.into(), at)),
                };
                used += len;
                at += len as u64;
                if self.queue.is_none() {
                    whole = at;
                }
            }
            buffer.copy_within(used..filled, 0);
            filled -= used;
        }
        let is_whole = filled == 0 && self.queue.is_none();
        if at > begin || !is_whole {
            let origin = self.origin.take().filter(|_| is_whole);
            self.server.slots.with(|persist: &mut Persist| persist.origin = origin);
        }
        Ok(if is_whole { End::Whole } else { End::Cut(whole) })
    }

    fn take(&mut self, text: &[u8], words: &[Range<usize>], at: u64) -> Result<(), ReplayError> {
        let name = &text[words[0].clone()];
        if name.eq_ignore_ascii_case(b"MULTI") && words.len() == 1 {
            self.queue.get_or_insert_default();
            return Ok(());
        }
        if name.eq_ignore_ascii_case(b"EXEC") && words.len() == 1 {
            for (at, words) in self.queue.take().unwrap_or_default() {
                let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                self.execute(&words, at)?;
            }
            self.server.end_replayed();
            return Ok(());
        }
        if let Some(queue) = &mut self.queue {
            queue.push((at, words.iter().map(|word| text[word.clone()].to_vec()).collect()));
            return Ok(());
        }
        let words: Vec<&[u8]> = words.iter().map(|word| &text[word.clone()]).collect();
        self.execute(&words, at)?;
        self.server.end_replayed();
        Ok(())
    }

    fn execute(&mut self, words: &[&[u8]], at: u64) -> Result<(), ReplayError> {
        if words.len() == 2 && words[0].eq_ignore_ascii_case(b"SELECT") {
            let db = parse_u64(words[1]).filter(|db| *db < self.server.store.databases.len() as u64);
            let db = db.ok_or_else(|| ReplayError::Database(self.name.into(), shown(words[1]), at))?;
            self.db = db as u32;
            return Ok(());
        }
        match self.server.replay(words, self.db, &mut self.sink) {
            Replayed::Done => Ok(()),
            Replayed::Failed(error) => {
                self.failures += 1;
                if self.failures <= FAILURES_LOGGED_MAX {
                    crate::base::log::warning(&format!(
                        "'{}' in the append only file {}, at byte {at}, has answered: {error}",
                        shown(words[0]),
                        self.name
                    ));
                }
                Ok(())
            }
            Replayed::Unknown => Err(ReplayError::Unknown(self.name.into(), shown(words[0]), at)),
            Replayed::Arity => Err(ReplayError::Arity(self.name.into(), shown(words[0]), at)),
        }
    }
}
