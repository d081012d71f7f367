//! One connection and the replies that come back on it. RESP2 only: no benchmark says HELLO.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A reply, as far as the bench has to look into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Text(String),
    Error(String),
    Integer(i64),
    Nil,
    /// An array's replies are only counted, never read.
    Array(usize),
}

/// Appends one command as an array of bulk strings.
pub(crate) fn encode<A: AsRef<[u8]>>(arguments: &[A], out: &mut Vec<u8>) {
    put_header(b'*', arguments.len(), out);
    for argument in arguments {
        put_bulk(argument.as_ref(), out);
    }
}

/// Appends one bulk string.
pub(crate) fn put_bulk(bytes: &[u8], out: &mut Vec<u8>) {
    put_header(b'$', bytes.len(), out);
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Appends an array's or a bulk string's header.
pub(crate) fn put_header(kind: u8, count: usize, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(count.to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The bytes that arrived and were not yet taken as replies.
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

/// Room that every read finds at least.
const READ_BYTES: usize = 16 * 1024;

impl Inbox {
    pub(crate) fn new() -> Inbox {
        Inbox { bytes: vec![0; 4 * READ_BYTES], from: 0, to: 0 }
    }

    /// Reads once. Zero bytes mean that the server closed the connection.
    ///
    /// # Errors
    /// Those of the read, `WouldBlock` among them.
    pub(crate) fn fill(&mut self, stream: &mut impl Read) -> std::io::Result<usize> {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.bytes.len() - self.to < READ_BYTES {
            self.bytes.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
            self.bytes.resize(self.to.max(READ_BYTES) * 2, 0);
        }
        loop {
            match stream.read(&mut self.bytes[self.to..]) {
                Ok(count) => {
                    self.to += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The next whole reply's bytes, if it is all there.
    ///
    /// # Errors
    /// When the bytes are no RESP2 reply.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, String> {
        let Some(length) = reply_length(&self.bytes[self.from..self.to])? else { return Ok(None) };
        let start = self.from;
        self.from += length;
        Ok(Some(&self.bytes[start..start + length]))
    }
}

/// The length of the reply that `bytes` begin with, or `None` when its end has not arrived.
fn reply_length(bytes: &[u8]) -> Result<Option<usize>, String> {
    let Some(end) = bytes.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let after = end + 2;
    let number = || {
        std::str::from_utf8(&bytes[1..end])
            .ok()
            .and_then(|text| text.parse::<i64>().ok())
            .ok_or_else(|| format!("a reply has no length: {}", String::from_utf8_lossy(&bytes[..end])))
    };
    match bytes[0] {
        b'+' | b'-' | b':' => Ok(Some(after)),
        b'$' => {
            let length = usize::try_from(number()?).map_or(0, |length| length + 2);
            Ok(Some(after + length).filter(|&total| total <= bytes.len()))
        }
        b'*' => {
            let mut total = after;
            for _ in 0..number()?.max(0) {
                match reply_length(&bytes[total..])? {
                    Some(length) => total += length,
                    None => return Ok(None),
                }
            }
            Ok(Some(total))
        }
        other => Err(format!("a reply begins with byte {other:#04x}")),
    }
}

/// Reads the outermost layer of one whole reply.
pub(crate) fn read_reply(bytes: &[u8]) -> Reply {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").unwrap_or(bytes.len());
    let line = String::from_utf8_lossy(&bytes[1..end]).into_owned();
    match bytes[0] {
        b'-' => Reply::Error(line),
        b':' => Reply::Integer(line.parse().unwrap_or(0)),
        b'$' | b'*' if line.starts_with('-') => Reply::Nil,
        b'$' => Reply::Text(String::from_utf8_lossy(&bytes[end + 2..bytes.len() - 2]).into_owned()),
        b'*' => Reply::Array(line.parse().unwrap_or(0)),
        _ => Reply::Text(line),
    }
}

/// A blocking connection that sends one command and waits for its reply.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) inbox: Inbox,
}

/// No benchmark command takes this long; a server that does hangs.
const PATIENCE: Duration = Duration::from_secs(120);

impl Connection {
    /// Connects without delay of small writes.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn open(address: SocketAddr) -> Result<Connection, String> {
        let problem = |error| format!("cannot connect to {address}: {error}");
        let stream = TcpStream::connect(address).map_err(problem)?;
        stream.set_nodelay(true).map_err(problem)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(problem)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(problem)?;
        Ok(Connection { stream, inbox: Inbox::new() })
    }

    /// Sends bytes that hold whole commands.
    ///
    /// # Errors
    /// When the connection broke.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).map_err(|error| format!("cannot send a command: {error}"))
    }

    /// Waits for one reply and gives its bytes to `look`.
    ///
    /// # Errors
    /// When the connection broke or closed, or the reply is none.
    pub(crate) fn receive<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> Result<T, String> {
        loop {
            if let Some(reply) = self.inbox.next()? {
                return Ok(look(reply));
            }
            match self.inbox.fill(&mut self.stream) {
                Ok(0) => return Err("the server closed the connection".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(format!("cannot read a reply: {error}")),
            }
        }
    }

    /// One command, one reply.
    ///
    /// # Errors
    /// As [`Connection::receive`]; an error reply is not an error here.
    pub(crate) fn call<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<Reply, String> {
        let mut bytes = Vec::new();
        encode(arguments, &mut bytes);
        self.send(&bytes)?;
        self.receive(read_reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_taken_only_when_its_end_has_arrived() {
        let whole = b"*2\r\n$3\r\nfoo\r\n:7\r\n+OK\r\n";
        for cut in 0..17 {
            assert_eq!(reply_length(&whole[..cut]), Ok(None), "at {cut}");
        }
        assert_eq!(reply_length(whole), Ok(Some(17)));
        assert_eq!(reply_length(b"$-1\r\n"), Ok(Some(5)));
        assert!(reply_length(b"HTTP/1.1\r\n").is_err());
    }

    #[test]
    fn replies_split_over_reads_come_out_whole_and_in_order() {
        let mut inbox = Inbox::new();
        for part in [&b"+O"[..], b"K\r\n-ERR no", b"\r\n$2\r\nab", b"\r\n"] {
            inbox.fill(&mut &part[..]).unwrap();
        }
        assert_eq!(read_reply(inbox.next().unwrap().unwrap()), Reply::Text("OK".into()));
        assert_eq!(read_reply(inbox.next().unwrap().unwrap()), Reply::Error("ERR no".into()));
        assert_eq!(read_reply(inbox.next().unwrap().unwrap()), Reply::Text("ab".into()));
        assert_eq!(inbox.next(), Ok(None));
    }
}
