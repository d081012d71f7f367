//! Clients: commands in, replies out, through a pair of sockets within the process.
//!
//! A client whose command waits is set aside, and another one takes its place: so a test goes on
//! running commands, and looks at who waits and at what they were sent.

use crate::Testbed;
use plinth::engine::server::Server;
use plinth::net::event_loop::EventLoop;
use plinth::session::block::Waiter;
use plinth::session::client::Client;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

/// A command that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Id of the client that waits; later ones are higher.
    pub id: u64,
    /// Keys that it waits for; none when it waits for a thread.
    pub keys: Vec<Vec<u8>>,
    /// Number of the ticket under which it waits for a thread.
    pub ticket: Option<u64>,
    /// For how long it said that it would wait, 0 for ever.
    pub timeout_ms: u64,
    /// The arguments with which it is run again.
    pub args: Vec<Vec<u8>>,
}

impl Waiting {
    fn of(id: u64, waiter: &Waiter) -> Waiting {
        let asked = &waiter.asked;
        Waiting {
            id,
            keys: asked.keys.iter().map(|key| key.to_vec()).collect(),
            ticket: waiter.is_suspended().then_some(asked.ticket),
            timeout_ms: asked.timeout.map_or(0, |timeout| timeout.as_millis() as u64),
            args: asked.args.iter().map(<[u8]>::to_vec).collect(),
        }
    }
}

/// The test's end of a connection.
pub(crate) struct Peer {
    id: u64,
    token: usize,
    stream: UnixStream,
    received: Vec<u8>,
}

impl Peer {
    pub(crate) fn connect(server: &mut Server, events: &mut EventLoop) -> Peer {
        let (stream, token) = events.connect(server).expect("a pair of sockets can be made");
        let id = server.sessions.clients.peek(token).map_or(0, |client| client.id);
        Peer { id, token, stream, received: Vec::new() }
    }

    /// The server's side, while it is connected.
    fn client<'s>(&self, server: &'s Server) -> Option<&'s Client> {
        server.sessions.clients.peek(self.token).filter(|client| client.id == self.id)
    }

    /// Sends what the socket takes; what is left.
    fn send<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        match self.stream.write(bytes) {
            Ok(sent) => &bytes[sent..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => bytes,
            // The server has closed the connection, and has said why.
            Err(_) => &[],
        }
    }

    /// Takes what the server has sent by now.
    fn receive(&mut self) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = self.stream.read(&mut bytes) {
            self.received.extend_from_slice(&bytes[..count]);
        }
    }

    /// All that the server has sent and nobody has looked at.
    fn take(&mut self) -> Vec<u8> {
        self.receive();
        std::mem::take(&mut self.received)
    }

    /// Whether the server has no more to do for it.
    fn is_done(&self, server: &Server) -> bool {
        self.client(server).is_none_or(|client| {
            client.output.pending() == 0 && (client.stalled || !client.readable && !client.unparsed)
        })
    }
}

/// A command as clients send it.
fn request(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

impl Testbed {
    /// Runs a command and returns its reply, with what was pushed to the client before.
    ///
    /// For a command that waits there are no bytes: see [`waiting`](Testbed::waiting). Those who wait
    /// for keys that the command changed are run again before this returns.
    ///
    /// # Panics
    /// When a command that does not wait has no reply.
    pub fn run<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<u8> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        let reply = self.exchange(&args);
        let client = self.client.client(&self.server);
        if client.is_some_and(|client| client.blocked.is_some()) {
            let next = Peer::connect(&mut self.server, &mut self.events);
            let waits = std::mem::replace(&mut self.client, next);
            self.waiting.push(waits);
            self.set_resp3(self.resp3);
            self.select(self.db);
        } else {
            let name = String::from_utf8_lossy(args.first().unwrap_or(&&b""[..]));
            assert!(!reply.is_empty(), "{name} returned without a reply");
        }
        reply
    }

    /// Sends a command, and takes turns until the server is done with it.
    fn exchange(&mut self, args: &[&[u8]]) -> Vec<u8> {
        let bytes = request(args);
        let mut left = &bytes[..];
        loop {
            left = self.client.send(left);
            self.turn();
            self.client.receive();
            if left.is_empty() && self.client.is_done(&self.server) {
                return self.client.take();
            }
        }
    }

    /// Runs a command as EXEC does: it cannot wait.
    ///
    /// # Panics
    /// When the transaction is refused.
    pub fn run_without_waiting<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Vec<u8> {
        self.run(&["MULTI"]);
        self.run(args);
        let reply = self.run(&["EXEC"]);
        let of_command = reply.strip_prefix(b"*1\r\n").map(<[u8]>::to_vec);
        of_command.unwrap_or_else(|| panic!("EXEC answers {}", String::from_utf8_lossy(&reply)))
    }

    /// The commands that wait, in the order in which they began to.
    pub fn waiting(&self) -> Vec<Waiting> {
        let waits = |peer: &Peer| Some(Waiting::of(peer.id, peer.client(&self.server)?.blocked.as_ref()?));
        self.waiting.iter().filter_map(waits).collect()
    }

    /// What those who waited were sent since this was last asked: the id in [`Waiting`] and the
    /// reply, in the order in which they began to wait.
    pub fn take_served(&mut self) -> Vec<(u64, Vec<u8>)> {
        self.turn();
        let server = &self.server;
        let mut served = Vec::new();
        self.waiting.retain_mut(|peer| {
            let reply = peer.take();
            if !reply.is_empty() {
                served.push((peer.id, reply));
            }
            peer.client(server).is_some_and(|client| client.blocked.is_some())
        });
        served
    }

    /// Whether the client speaks RESP3 from now on.
    ///
    /// # Panics
    /// When the server does not take it.
    pub fn set_resp3(&mut self, resp3: bool) {
        self.resp3 = resp3;
        let reply = self.exchange(&[b"HELLO", if resp3 { b"3" } else { b"2" }]);
        assert!(!reply.starts_with(b"-"), "HELLO answers {}", String::from_utf8_lossy(&reply));
    }

    /// Selects a database, 0 to 15.
    ///
    /// # Panics
    /// When there is no such database.
    pub fn select(&mut self, db: u32) {
        self.db = db;
        let reply = self.exchange(&[b"SELECT", db.to_string().as_bytes()]);
        assert_eq!(reply, b"+OK\r\n", "there is no database {db}");
    }

    /// Lets a client connect that can be pushed to; returns its id. The one that runs commands is
    /// client 1 until a command of it waits.
    pub fn connect(&mut self) -> u64 {
        let peer = Peer::connect(&mut self.server, &mut self.events);
        self.connected.push(peer);
        self.connected.last().map_or(0, |peer| peer.id)
    }

    /// What was pushed to a client since this was last asked; `None` when it is not connected.
    pub fn take_pushed(&mut self, client_id: u64) -> Option<Vec<u8>> {
        self.turn();
        let peer = std::iter::once(&mut self.client).chain(&mut self.connected).find(|peer| peer.id == client_id)?;
        peer.client(&self.server)?;
        Some(peer.take())
    }
}
