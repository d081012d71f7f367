//! The poller: which sockets have become ready.
//!
//! Each is registered once, for both directions, and told of once for each change: whoever is told notes
//! it until a read or a write has found out otherwise, because nothing says it again.

use crate::socket::listener::Listener;
use crate::socket::stream::Socket;
use mio::event::{Event, Source as Pollable};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

pub use mio::Waker;

const WAKER: Token = Token(usize::MAX);
/// Tokens of listeners begin here; connected sockets have those below.
const LISTENERS: usize = 1 << 40;
/// Tokens of what is watched for modules begin here.
const WATCHED: usize = 1 << 41;
/// Most sockets that are told of in one turn; the others come with the next.
const READY_MAX: usize = 1024;

/// A place where sockets are registered.
pub struct Poller {
    poll: Poll,
    waker: Arc<Waker>,
}

/// What became ready.
pub struct Readiness(Events);

/// Which socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// A listener, by its number.
    Listener(usize),
    /// A connected one, by its token.
    Connected(usize),
    /// What is watched for a module, by its id.
    Watched(u64),
}

/// Where descriptors are registered from outside the loop: those that modules have asked for.
pub struct Registrar(Registry);

/// What is waited for. Neither is nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interests {
    /// Something to read.
    pub read: bool,
    /// Room to write.
    pub write: bool,
}

impl Registrar {
    /// Be told of a descriptor, as of sockets once for each change.
    pub fn add(&self, fd: RawFd, id: u64, wanted: Interests) -> io::Result<()> {
        let Some(wanted) = interest(wanted) else { return Ok(()) };
        self.0.register(&mut SourceFd(&fd), Token(WATCHED + id as usize), wanted)
    }

    /// Be told of it anew, also of what it was ready for before.
    pub fn again(&self, fd: RawFd, id: u64, wanted: Interests) -> io::Result<()> {
        let Some(wanted) = interest(wanted) else { return Ok(()) };
        self.0.reregister(&mut SourceFd(&fd), Token(WATCHED + id as usize), wanted)
    }

    /// Be told of it no more.
    pub fn remove(&self, fd: RawFd) {
        // One that rests is not there.
        let _ = self.0.deregister(&mut SourceFd(&fd));
    }
}

fn interest(wanted: Interests) -> Option<Interest> {
    match (wanted.read, wanted.write) {
        (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
        (true, false) => Some(Interest::READABLE),
        (false, true) => Some(Interest::WRITABLE),
        (false, false) => None,
    }
}

/// How a socket has become ready.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// The socket.
    pub which: Which,
    /// There is something to read.
    pub readable: bool,
    /// It takes more.
    pub writable: bool,
    /// The other side sends no more.
    pub hung_up: bool,
    /// It has failed, which a read or a write finds out.
    pub failed: bool,
}

impl Poller {
    /// A place without sockets.
    pub fn new() -> io::Result<Poller> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        Ok(Poller { poll, waker })
    }

    /// What ends the wait from a signal handler or another thread.
    pub fn waker(&self) -> Arc<Waker> {
        self.waker.clone()
    }

    /// Where what is not the loop's own is registered.
    pub fn registrar(&self) -> io::Result<Registrar> {
        self.poll.registry().try_clone().map(Registrar)
    }

    /// Register a listener under a number.
    pub fn add_listener(&self, listener: &mut Listener, number: usize) -> io::Result<()> {
        self.poll.registry().register(listener_source(listener), Token(LISTENERS + number), Interest::READABLE)
    }

    /// Register a connected socket under a token.
    pub fn add(&self, socket: &mut Socket, token: usize) -> io::Result<()> {
        self.poll.registry().register(socket_source(socket), Token(token), Interest::READABLE | Interest::WRITABLE)
    }

    /// Forget a listener.
    pub fn remove_listener(&self, listener: &mut Listener) -> io::Result<()> {
        self.poll.registry().deregister(listener_source(listener))
    }

    /// Forget a connected socket.
    pub fn remove(&self, socket: &mut Socket) -> io::Result<()> {
        self.poll.registry().deregister(socket_source(socket))
    }

    /// Wait until a socket is ready, the waker is used, a signal comes, or the time is up.
    pub fn wait(&mut self, ready: &mut Readiness, timeout: Duration) -> io::Result<()> {
        match self.poll.poll(&mut ready.0, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            other => other,
        }
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Readiness(Events::with_capacity(READY_MAX))
    }
}

impl Readiness {
    /// None, and room for none, which takes no memory.
    pub fn none() -> Readiness {
        Readiness(Events::with_capacity(0))
    }

    /// The sockets; that the waker was used is not among it.
    pub fn iter(&self) -> impl Iterator<Item = Ready> {
        self.0.iter().filter(|event| event.token() != WAKER).map(ready)
    }
}

fn ready(event: &Event) -> Ready {
    let token = event.token().0;
    Ready {
        which: match token {
            WATCHED.. => Which::Watched((token - WATCHED) as u64),
            LISTENERS.. => Which::Listener(token - LISTENERS),
            _ => Which::Connected(token),
        },
        readable: event.is_readable(),
        writable: event.is_writable(),
        hung_up: event.is_read_closed(),
        failed: event.is_error(),
    }
}

fn listener_source(listener: &mut Listener) -> &mut dyn Pollable {
    match listener {
        Listener::Tcp(socket) | Listener::Tls(socket) => socket,
        Listener::Unix(socket) => socket,
    }
}

fn socket_source(socket: &mut Socket) -> &mut dyn Pollable {
    match socket {
        Socket::Tcp(stream) => stream,
        Socket::Unix(stream) => stream,
        Socket::Tls(stream) => stream.socket_mut(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::listener::listen_tcp;
    use std::io::Write;

    const SOON: Duration = Duration::from_secs(10);

    fn told(poller: &mut Poller) -> Vec<Ready> {
        let mut ready = Readiness::default();
        poller.wait(&mut ready, SOON).unwrap();
        ready.iter().collect()
    }

    #[test]
    fn a_listener_and_a_connected_socket_are_told_apart_and_told_of_once() {
        let mut poller = Poller::new().unwrap();
        let mut listener = listen_tcp(&["127.0.0.1".into()], 5, 0, Listener::Tcp).unwrap().remove(0);
        let Listener::Tcp(socket) = &listener else { panic!("not a TCP socket") };
        let address = socket.local_addr().unwrap();
        poller.add_listener(&mut listener, 3).unwrap();
        let mut peer = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(told(&mut poller)[0].which, Which::Listener(3));
        let Listener::Tcp(socket) = &listener else { panic!("not a TCP socket") };
        let mut accepted = Socket::Tcp(socket.accept().unwrap().0);
        poller.add(&mut accepted, 5).unwrap();
        let first = told(&mut poller)[0];
        assert!(first.which == Which::Connected(5) && first.writable && !first.hung_up && !first.failed);
        peer.write_all(b"x").unwrap();
        assert!(told(&mut poller)[0].readable);
        poller.waker().wake().unwrap();
        assert!(told(&mut poller).is_empty(), "what was told of is not told of again");
        drop(peer);
        assert!(told(&mut poller)[0].hung_up);
        poller.remove(&mut accepted).unwrap();
        poller.remove_listener(&mut listener).unwrap();
    }
}
