//! A snapshot as a primary sends it: into a file, or into a pipe that is loaded from meanwhile.
//!
//! ```text
//!   $<length>\r\n  bytes                       the length is known before
//!   $EOF:<mark>\r\n  bytes  <mark>             the snapshot is made while it is sent; the mark is 40 bytes
//! ```
//!
//! Invariants:
//! - Nothing is taken in memory for a length that is announced.
//! - What does not begin as a file that can be loaded is given up before more of it is read.

use crate::durable::rdb::{MAGIC_BYTES, RdbReader};
use crate::replication::upstream::wire::Wire;
use std::io::{self, Write};

/// Bytes of the mark behind a snapshot whose length is not known before.
const MARK_BYTES: usize = 40;

/// How it is known where a snapshot ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// After so many bytes.
    Length(u64),
    /// Before these bytes.
    Mark([u8; MARK_BYTES]),
}

/// Why a snapshot was not received.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The connection.
    #[error("I/O error trying to sync with MASTER: {0}")]
    Primary(io::Error),
    /// The file or pipe.
    #[error(
        "Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: {0}"
    )]
    Target(io::Error),
    /// The line before it.
    #[error(
        "Bad protocol from MASTER, the first byte is not '$' (we received '{0}'), are you sure the host and port are right?"
    )]
    Head(String),
    /// The primary has none to give.
    #[error("MASTER aborted replication with an error: {0}")]
    Aborted(String),
    /// It is none that can be loaded here.
    #[error("The snapshot of the MASTER is refused before anything of it is taken in: {0}")]
    Refused(String),
}

impl Extent {
    /// Out of the line that announces a snapshot.
    ///
    /// # Errors
    /// [`TransferError::Head`], and [`TransferError::Aborted`] for an error in its place.
    pub fn parse(line: &[u8]) -> Result<Extent, TransferError> {
        let shown = || String::from_utf8_lossy(&line[..line.len().min(128)]).into_owned();
        if line.first() == Some(&b'-') {
            return Err(TransferError::Aborted(shown().split_off(1)));
        }
        let Some(rest) = line.strip_prefix(b"$") else { return Err(TransferError::Head(shown())) };
        if let Some(mark) = rest.strip_prefix(b"EOF:").and_then(|mark| mark.first_chunk()) {
            return Ok(Extent::Mark(*mark));
        }
        let length = crate::base::number::parse_u64(rest).filter(|length| i64::try_from(*length).is_ok());
        length.map(Extent::Length).ok_or_else(|| TransferError::Head(shown()))
    }

    /// Its length, if it is known; 0 if not.
    pub fn total_bytes(&self) -> u64 {
        if let Extent::Length(length) = self { *length } else { 0 }
    }
}

/// Bytes of a snapshot on their way from the connection to where they are kept.
pub struct Transfer<'t> {
    extent: Extent,
    /// Bytes that were taken.
    received: u64,
    /// Its first bytes, until they were looked at.
    head: Vec<u8>,
    is_looked_at: bool,
    target: &'t mut dyn Write,
}

impl<'t> Transfer<'t> {
    /// A snapshot that goes to a file or a pipe.
    pub fn new(extent: Extent, target: &'t mut dyn Write) -> Transfer<'t> {
        Transfer { extent, received: 0, head: Vec::new(), is_looked_at: false, target }
    }

    /// Receive it to its end; `progress` is told of all bytes so far now and then.
    ///
    /// # Errors
    /// [`TransferError`].
    pub fn run(mut self, wire: &mut Wire, mut progress: impl FnMut(u64)) -> Result<u64, TransferError> {
        // The last bytes of what has come may be the beginning of the mark.
        let mut tail: Vec<u8> = Vec::new();
        loop {
            let left = match &self.extent {
                Extent::Length(length) if self.received == *length => break,
                Extent::Length(length) => Some(length - self.received),
                Extent::Mark(_) => None,
            };
            let bytes = wire.bytes().map_err(TransferError::Primary)?;
            match (&self.extent, left) {
                (Extent::Mark(mark), _) => {
                    let (mark, before) = (*mark, tail.len());
                    tail.extend_from_slice(bytes);
                    let count = bytes.len();
                    if let Some(at) = memchr::memmem::find(&tail, &mark) {
                        wire.take(at + MARK_BYTES - before);
                        self.put(&tail[..at])?;
                        break;
                    }
                    wire.take(count);
                    let sure = tail.len().saturating_sub(MARK_BYTES - 1);
                    self.put(&tail[..sure])?;
                    tail.drain(..sure);
                }
                (_, left) => {
                    let count = bytes.len().min(left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX));
                    let own = bytes[..count].to_vec();
                    wire.take(count);
                    self.put(&own)?;
                }
            }
            progress(self.received);
        }
        if !self.is_looked_at {
            return Err(TransferError::Refused("it ends within its first bytes".into()));
        }
        self.target.flush().map_err(TransferError::Target)?;
        progress(self.received);
        Ok(self.received)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        self.received += bytes.len() as u64;
        if self.is_looked_at {
            return self.target.write_all(bytes).map_err(TransferError::Target);
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() < MAGIC_BYTES {
            return Ok(());
        }
        let head = std::mem::take(&mut self.head);
        look_at(&head)?;
        self.is_looked_at = true;
        self.target.write_all(&head).map_err(TransferError::Target)
    }
}

/// Whether a snapshot that begins so can be loaded.
fn look_at(head: &[u8]) -> Result<(), TransferError> {
    let first = io::Cursor::new(head[..MAGIC_BYTES].to_vec());
    let opened = RdbReader::open(Box::new(first), None, false);
    opened.map(|_| ()).map_err(|error| TransferError::Refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::tls::link::Link;
    use std::net::{TcpListener, TcpStream};

    const MARK: &[u8; MARK_BYTES] = b"0123456789abcdef0123456789abcdef01234567";

    /// What becomes of a snapshot that a primary sends in pieces, and what is left on the connection.
    fn receive(extent: Extent, pieces: Vec<Vec<u8>>) -> (Result<Vec<u8>, String>, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sender = std::thread::spawn(move || {
            let mut peer = TcpStream::connect(address).unwrap();
            peer.set_nodelay(true).unwrap();
            for piece in pieces {
                peer.write_all(&piece).unwrap();
            }
        });
        let mut wire = Wire::new(Link::plain(listener.accept().unwrap().0));
        let mut out = Vec::new();
        let result = Transfer::new(extent, &mut out).run(&mut wire, |_| ());
        sender.join().unwrap();
        (result.map(|_| out).map_err(|error| error.to_string()), wire.into_parts().unwrap().2)
    }

    #[test]
    fn a_mark_is_found_wherever_it_was_cut() {
        let body = [b"REDIS0011".as_slice(), &[b'0'; 100]].concat();
        let all = [body.as_slice(), MARK, b"+PING\r\n"].concat();
        for cut in body.len() - 2..body.len() + MARK_BYTES + 2 {
            let (first, second) = all.split_at(cut);
            let (received, _) = receive(Extent::Mark(*MARK), vec![first.to_vec(), second.to_vec()]);
            assert_eq!(received.as_deref(), Ok(body.as_slice()), "{cut}");
        }
        let bytes = all.iter().map(|byte| vec![*byte]).collect();
        assert_eq!(receive(Extent::Mark(*MARK), bytes).0.as_deref(), Ok(body.as_slice()));
    }

    #[test]
    fn a_snapshot_of_a_length_ends_there() {
        let all = b"VALKEY080....*1\r\n".to_vec();
        let (received, rest) = receive(Extent::Length(13), vec![all.clone()]);
        assert_eq!(received.as_deref(), Ok(&b"VALKEY080...."[..]));
        assert_eq!(rest, b"*1\r\n");
        assert!(receive(Extent::Length(1 << 60), vec![all]).0.is_err());
    }

    #[test]
    fn what_cannot_be_loaded_is_given_up_at_its_first_bytes() {
        for bytes in [&b"REDIS0099aaaaaaa"[..], b"garbage garbage", b"VALKEY999....", b"RED"] {
            let (received, _) = receive(Extent::Length(bytes.len() as u64), vec![bytes.to_vec()]);
            assert!(received.is_err_and(|error| error.contains("refused")));
        }
    }

    #[test]
    fn a_head_says_the_length_or_the_mark() {
        assert_eq!(Extent::parse(b"$12").ok(), Some(Extent::Length(12)));
        let head = [b"$EOF:".as_slice(), MARK].concat();
        assert_eq!(Extent::parse(&head).ok(), Some(Extent::Mark(*MARK)));
        for wrong in [&b"$-1"[..], b"$99999999999999999999", b"$EOF:short", b"+OK", b"", b"-ERR no"] {
            assert!(Extent::parse(wrong).is_err());
        }
    }
}
