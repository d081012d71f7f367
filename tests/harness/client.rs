//! A client that sees bytes.

use crate::reply::{self, Reply};
use crate::{PATIENCE, server::Stream};
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// A connection.
pub struct Client {
    stream: Box<dyn Stream>,
    pending: Vec<u8>,
}

impl Client {
    /// A client on an open connection.
    ///
    /// # Panics
    /// When the connection cannot be set up.
    pub fn new(stream: impl Stream + 'static) -> Client {
        stream.set_patience(PATIENCE);
        Client { stream: Box::new(stream), pending: Vec::new() }
    }

    /// Send bytes as they are.
    ///
    /// # Panics
    /// When the server has closed the connection.
    pub fn raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_raw(bytes).unwrap_or_else(|error| panic!("cannot send: {error}"));
    }

    /// Send bytes as they are, if the server takes them.
    ///
    /// # Errors
    /// When the server has closed the connection.
    pub fn try_raw(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Send a command.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        self.raw(reply::request(args));
    }

    /// Read exactly one reply, as its bytes.
    ///
    /// # Panics
    /// When none comes in time, or the server closes the connection before.
    pub fn read(&mut self) -> Vec<u8> {
        let (_, len) = self.next();
        self.pending.drain(..len).collect()
    }

    /// Read exactly one reply, as a tree.
    pub fn reply(&mut self) -> Reply {
        let (reply, len) = self.next();
        self.pending.drain(..len);
        reply
    }

    /// Read one reply, unless the server closes the connection before.
    pub fn reply_if_any(&mut self) -> Option<Reply> {
        loop {
            if let Some((reply, len)) = reply::parse(&self.pending) {
                self.pending.drain(..len);
                return Some(reply);
            }
            if !self.fill() {
                return None;
            }
        }
    }

    fn next(&mut self) -> (Reply, usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = reply::parse(&self.pending) {
                return found;
            }
            assert!(Instant::now() < deadline, "no whole reply in time, only {:?}", self.show());
            assert!(self.fill(), "the server closed the connection after {:?}", self.show());
        }
    }

    /// Read what is there; false at the end of the connection.
    fn fill(&mut self) -> bool {
        let mut room = vec![0; 1 << 16];
        match self.stream.read(&mut room) {
            Ok(0) => false,
            Ok(count) => {
                self.pending.extend_from_slice(&room[..count]);
                true
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("no reply: {error}, after {:?}", self.show()),
        }
    }

    fn show(&self) -> String {
        String::from_utf8_lossy(&self.pending[..self.pending.len().min(400)]).into_owned()
    }

    /// Read so many bytes, whole replies or not. For replies too long to be parsed again and again.
    pub fn read_bytes(&mut self, count: usize) -> Vec<u8> {
        while self.pending.len() < count {
            assert!(self.fill(), "the server closed the connection after {} bytes", self.pending.len());
        }
        self.pending.drain(..count).collect()
    }

    /// Send a command and read its reply's bytes.
    pub fn command<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<u8> {
        self.send(args);
        self.read()
    }

    /// Send a command and read its reply as a tree.
    pub fn ask<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Reply {
        self.send(args);
        self.reply()
    }

    /// Send a command and read its reply as a text.
    pub fn text<A: AsRef<[u8]>>(&mut self, args: &[A]) -> String {
        self.ask(args).text()
    }

    /// A field of INFO.
    pub fn info(&mut self, section: &str, field: &str) -> Option<String> {
        let text = self.text(&["INFO", section]);
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned));
        line.map(|line| line.trim().to_owned())
    }

    /// What INFO counts since the start: look-ups of keys that were there, and of those that were not.
    pub fn hits_and_misses(&mut self) -> (u64, u64) {
        let mut count = |field| self.info("stats", field).and_then(|text| text.parse().ok()).unwrap_or_default();
        (count("keyspace_hits"), count("keyspace_misses"))
    }

    /// Nothing has come from all that was sent so far, on whichever connection. `other` asks the server
    /// for a sign of life, and again for what takes a second turn of its loop: what it had to say here it
    /// has said before it answers that.
    pub fn assert_unanswered(&mut self, other: &mut Client) {
        for _ in 0..2 {
            assert_wire(other, &["PING"], b"+PONG\r\n");
        }
        assert!(self.pending.is_empty(), "there is an unread reply: {:?}", self.show());
        self.stream.set_patience(Duration::from_millis(1));
        let mut room = [0; 256];
        match self.stream.read(&mut room) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(count) => panic!("nothing was expected, and {:?} came", String::from_utf8_lossy(&room[..count])),
            Err(error) => panic!("nothing was expected, and {error} came"),
        }
        self.stream.set_patience(PATIENCE);
    }

    /// The server sends nothing more and closes the connection.
    pub fn assert_closed(&mut self) {
        while self.fill() {}
        assert!(self.pending.is_empty(), "before the end came {:?}", self.show());
    }

    /// Everything up to the end of the connection.
    pub fn read_to_end(&mut self) -> Vec<u8> {
        while self.fill() {}
        std::mem::take(&mut self.pending)
    }

    /// Say that nothing more will be sent, and go on reading.
    pub fn end_sending(&mut self) {
        self.stream.end_sending();
    }
}

/// The bytes of a command's reply are these.
///
/// # Panics
/// With command, reply and expectation when they are not.
#[track_caller]
pub fn assert_wire<A: AsRef<[u8]>>(client: &mut Client, args: &[A], expected: impl AsRef<[u8]>) {
    let words: Vec<_> = args.iter().map(|arg| String::from_utf8_lossy(arg.as_ref()).into_owned()).collect();
    client.send(args);
    let reply = client.read();
    let expected = expected.as_ref();
    assert!(
        reply == expected,
        "{}\n  replied  {:?}\n  expected {:?}",
        words.join(" "),
        String::from_utf8_lossy(&reply),
        String::from_utf8_lossy(expected)
    );
}
