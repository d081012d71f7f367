//! One connection to another server.
//!
//! Requests go out through a buffer, payloads past it; replies are read line by line, because all
//! that is asked here is answered with one line: `+OK`, `:1`, or an error.

use super::{Address, Failure, Item, Order};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long one attempt to connect lasts: between two of them it is seen that the threads are to
/// end.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Longest line that is read.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// A connection that is logged in.
pub(super) struct Link {
    stream: BufReader<TcpStream>,
    /// The selected database.
    db: i64,
}

/// One reply.
pub(super) enum Reply {
    Done,
    /// The error, without the `-`.
    Error(Vec<u8>),
}

/// What may go wrong before there are answers.
pub(super) enum Fault {
    /// The connection.
    Io(Failure, std::io::Error),
    /// The target has replied with an error.
    Refused(Vec<u8>),
}

impl Fault {
    /// Whether the other side was silent for too long, so that asking again is no use.
    pub(super) fn is_timeout(&self) -> bool {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        matches!(self, Fault::Io(_, error) if matches!(error.kind(), TimedOut | WouldBlock))
    }
}

type Done<T> = std::result::Result<T, Fault>;

fn writing(error: std::io::Error) -> Fault {
    Fault::Io(Failure::Write, error)
}

fn reading(error: std::io::Error) -> Fault {
    Fault::Io(Failure::Read, error)
}

impl Link {
    /// A new connection; `ends` says whether to give up.
    pub(super) fn connect(address: &Address, timeout: Duration, ends: impl Fn() -> bool) -> Done<Link> {
        let none = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
        let port = address.port.ok_or_else(|| writing(none()))?;
        let addresses = (address.host.as_str(), port).to_socket_addrs();
        let addresses = addresses.map_err(|error| Fault::Io(Failure::Resolve, error))?;
        let deadline = Instant::now() + timeout;
        let mut last = none();
        for address in addresses {
            match attempt(address, deadline, &ends) {
                Ok(stream) => {
                    // A connection that cannot be sped up works all the same.
                    let _ = stream.set_nodelay(true);
                    return Ok(Link { stream: BufReader::new(stream), db: 0 });
                }
                Err(error) => last = error,
            }
        }
        Err(writing(last))
    }

    /// Another handle of the connection, to shut it down with.
    pub(super) fn handle(&self) -> std::io::Result<TcpStream> {
        self.stream.get_ref().try_clone()
    }

    /// How long one read or write may take from now on.
    pub(super) fn set_timeout(&self, timeout: Duration) -> Done<()> {
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(timeout)).and_then(|()| stream.set_write_timeout(Some(timeout))).map_err(writing)
    }

    /// Whether the other end is a port of this machine.
    pub(super) fn leads_to(&self, port: u16) -> bool {
        let stream = self.stream.get_ref();
        let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return false };
        let is_loopback = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
        peer.port() == port && (local.ip() == peer.ip() || is_loopback(&local) && is_loopback(&peer))
    }

    /// Says who asks.
    pub(super) fn log_in(&mut self, address: &Address) -> Done<()> {
        let Some(credentials) = &address.credentials else { return Ok(()) };
        let user = credentials.user.as_deref();
        let args: Vec<&[u8]> =
            [Some(b"AUTH".as_slice()), user, Some(&credentials.password)].into_iter().flatten().collect();
        self.ask(&args)
    }

    /// Has what follows be done in a database.
    pub(super) fn select(&mut self, db: i64) -> Done<()> {
        if self.db != db {
            self.ask(&[b"SELECT", db.to_string().as_bytes()])?;
            self.db = db;
        }
        Ok(())
    }

    /// Asks for what is answered with `OK`.
    fn ask(&mut self, args: &[&[u8]]) -> Done<()> {
        let mut request = Vec::new();
        put(&mut request, args).map_err(writing)?;
        self.stream.get_ref().write_all(&request).map_err(writing)?;
        match self.reply()? {
            Reply::Done => Ok(()),
            Reply::Error(text) => Err(Fault::Refused(text)),
        }
    }

    /// Sends orders, whose replies are to be read afterwards.
    pub(super) fn send(&self, orders: &[Order]) -> Done<()> {
        let mut out = BufWriter::new(self.stream.get_ref());
        for order in orders {
            match order {
                Order::Restore { item, replace } => put_restore(&mut out, item, *replace),
                Order::Delete(key) => put(&mut out, &[b"DEL", key]),
            }
            .map_err(writing)?;
        }
        let sent = out.flush().map_err(writing);
        // What a failure has left in the buffer must not be sent when this is dropped.
        let _ = out.into_parts();
        sent
    }

    /// Reads one reply.
    pub(super) fn reply(&mut self) -> Done<Reply> {
        let mut line = Vec::new();
        self.stream.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(reading)?;
        let text = line.strip_suffix(b"\r\n").unwrap_or_default();
        match text.split_first() {
            Some((b'+' | b':', _)) => Ok(Reply::Done),
            Some((b'-', text)) => Ok(Reply::Error(text.to_vec())),
            // The end of the connection, or no server of this kind.
            _ => Err(reading(std::io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

/// Connects until the deadline, with looks between.
fn attempt(address: SocketAddr, deadline: Instant, ends: impl Fn() -> bool) -> std::io::Result<TcpStream> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || ends() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left.min(ATTEMPT)) {
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {}
            other => return other,
        }
    }
}

/// Ends what a handle's connection waits for.
pub(super) fn shut_down(handle: &TcpStream) {
    // It may have ended by itself.
    let _ = handle.shutdown(Shutdown::Both);
}

/// A command as RESP.
fn put(out: &mut impl Write, args: &[&[u8]]) -> std::io::Result<()> {
    write!(out, "*{}\r\n", args.len())?;
    for arg in args {
        write!(out, "${}\r\n", arg.len())?;
        out.write_all(arg)?;
        out.write_all(b"\r\n")?;
    }
    Ok(())
}

/// RESTORE with the time that a key has left.
fn put_restore(out: &mut impl Write, item: &Item, replace: bool) -> std::io::Result<()> {
    let ttl_ms = item.expire_at_ms.map_or(0, |at_ms| at_ms.saturating_sub(now_ms()).max(1)).to_string();
    let args: [&[u8]; 5] = [b"RESTORE", &item.key, ttl_ms.as_bytes(), &item.payload, b"REPLACE"];
    put(out, if replace { &args } else { &args[..4] })
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_expiry_is_restored_with_none() {
        let mut out = Vec::new();
        let item =
            Item { key: b"k".to_vec(), payload: b"pay\r\nload".to_vec(), is_for_valkey: false, expire_at_ms: None };
        assert!(put_restore(&mut out, &item, false).is_ok());
        assert_eq!(out, b"*4\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n0\r\n$9\r\npay\r\nload\r\n");
    }

    #[test]
    fn a_key_that_has_expired_on_the_way_is_sent_with_the_shortest_time() {
        let mut out = Vec::new();
        let item = Item { key: b"k".to_vec(), payload: Vec::new(), is_for_valkey: false, expire_at_ms: Some(5) };
        assert!(put_restore(&mut out, &item, true).is_ok());
        assert_eq!(out, b"*5\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n1\r\n$0\r\n\r\n$7\r\nREPLACE\r\n");
    }
}
