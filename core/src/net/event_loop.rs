//! The event loop: one thread, readiness from the kernel, a timer.
//!
//! ```text
//! wait ─> accept ─> read all ─> run batches ─> append ─> write all ─> close ─> timers ─> append ─> wait
//! ```
//!
//! Sockets are told of once for each change ([`crate::socket::poller`]). A read that
//! fills its buffer leaves the client in the list of those to read again; a write
//! that the socket does not take waits for the next writable event.
//!
//! Invariants:
//! - What an event says is noted in the client (`readable`, `hung_up`,
//!   `write_blocked`) until a read or a write has found out otherwise, because no
//!   second event says it.
//! - Nothing more is read from a client while whole commands of it wait.
//! - The loop does not sleep while a client is listed for reading or writing.
//! - While commands run nobody holds the intake, so that it serves others while one of them takes long
//!   ([`crate::net::busy`]).

use crate::base::clock::ticks;
use crate::base::id::UserId;
use crate::engine::server::Server;
use crate::net::batch::Batch;
use crate::replication::primary;
use crate::replication::upstream::wire::Wire;
use crate::replication::upstream::{self, Step};
use crate::session::client::{Client, Closing, OUTPUT_OF_OTHERS, Replicates};
use crate::session::query::Received;
use crate::session::standing::Standing;
use crate::socket::listener::Listener;
use crate::socket::output::{Output, Sent};
use crate::socket::poller::{Poller, Readiness, Ready, Registrar, Waker, Which};
use crate::socket::stream::Socket;
use crate::socket::tls::stream::TlsStream;
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 1000;
/// Reads of unwanted bytes from a connection that is being closed.
const LINGER_READS_MAX: usize = 64;
/// Rest after a connection could not be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// Longest sleep.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// The loop's own: what the server's state does not contain.
pub struct EventLoop {
    intake: Rc<RefCell<Intake>>,
    batch: Batch,
    ready: Vec<usize>,
}

/// Sockets, and what is known of them.
pub struct Intake {
    poller: Poller,
    readiness: Readiness,
    listeners: Vec<Listener>,
    /// Tokens of clients that may have sent something.
    pub(super) ready: Vec<usize>,
    /// The batch of those who are served while a command takes long.
    pub(super) meanwhile: Batch,
    /// Whether connections may wait at the listeners without an event to come.
    accept_again: bool,
    /// The same, but to be tried then.
    accept_later: Option<Instant>,
}

impl EventLoop {
    /// A loop without listeners, by which the server serves others while a command takes long.
    pub fn new(server: &mut Server) -> io::Result<EventLoop> {
        let intake = Intake {
            poller: Poller::new()?,
            readiness: Readiness::default(),
            listeners: Vec::new(),
            ready: Vec::new(),
            meanwhile: Batch::default(),
            accept_again: false,
            accept_later: None,
        };
        let intake = Rc::new(RefCell::new(intake));
        server.slots.put(Box::new(intake.clone()));
        Ok(EventLoop { intake, batch: Batch::default(), ready: Vec::new() })
    }

    /// What wakes the loop from a signal handler or another thread.
    pub fn waker(&self) -> Arc<Waker> {
        self.intake.borrow().poller.waker()
    }

    /// Where descriptors of modules are registered.
    pub fn registrar(&self) -> io::Result<Registrar> {
        self.intake.borrow().poller.registrar()
    }

    /// Serve a listener.
    pub fn add_listener(&mut self, listener: Listener) -> io::Result<()> {
        self.intake.borrow_mut().add_listener(listener)
    }

    /// Run until the server stops.
    pub fn run(&mut self, server: &mut Server) -> io::Result<()> {
        while !server.stopping {
            let timeout = self.timeout(server);
            self.turn(server, timeout)?;
        }
        server.announce_end();
        // Nobody is to be taken in whom nobody will serve.
        let mut intake = self.intake.borrow_mut();
        intake.listeners.clear();
        server.listening.clear();
        intake.drain(server);
        Ok(())
    }

    /// Serve those who are connected while the server is busy with something that takes long, and that is
    /// between two steps: nothing runs but their commands.
    pub fn serve_while_busy(&mut self, server: &mut Server) {
        if let Err(error) = self.serve(server, Duration::ZERO) {
            crate::base::log::warning(&format!("Serving clients meanwhile: {error}"));
        }
        crate::net::housekeeping::follow_signals(server);
    }

    /// One turn, which waits for events up to a time.
    pub fn turn(&mut self, server: &mut Server, timeout: Duration) -> io::Result<()> {
        server.stats.loop_turns += 1;
        let begun = self.serve(server, timeout)?;
        server.do_duties();
        crate::persist::aof::flush(server);
        self.follow_primary(server);
        let mut intake = self.intake.borrow_mut();
        intake.accept_late(server);
        intake.close_all(server);
        if let Some(listeners) = server.new_listeners.take() {
            intake.replace_tcp(listeners)?;
        }
        server.stats.loop_ticks += ticks().wrapping_sub(begun);
        Ok(())
    }

    /// Take in what has come, run it and answer; when that began, in ticks.
    fn serve(&mut self, server: &mut Server, timeout: Duration) -> io::Result<u64> {
        let begun = {
            let mut intake = self.intake.borrow_mut();
            intake.wait(timeout)?;
            let begun = ticks();
            server.tick(begun);
            intake.note_ready(server);
            intake.read_all(server);
            std::mem::swap(&mut self.ready, &mut intake.ready);
            begun
        };
        let batch_begun = ticks();
        crate::net::batch::run_batch(server, &mut self.batch, &mut self.ready);
        server.stats.command_ticks += ticks().wrapping_sub(batch_begun);
        crate::persist::aof::flush(server);
        let mut intake = self.intake.borrow_mut();
        intake.write_all(server);
        server.close_heavy();
        intake.close_all(server);
        Ok(begun)
    }

    /// Take in a client of this very program: its end of the connection, which does not block, and its
    /// token.
    pub fn connect(&mut self, server: &mut Server) -> io::Result<(std::os::unix::net::UnixStream, usize)> {
        let (own, other) = std::os::unix::net::UnixStream::pair()?;
        own.set_nonblocking(true)?;
        other.set_nonblocking(true)?;
        let socket = Socket::Unix(mio::net::UnixStream::from_std(own));
        let token = self.intake.borrow_mut().open(server, socket, "in-process".into(), "in-process".into());
        token.map(|token| (other, token)).ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }

    fn timeout(&self, server: &Server) -> Duration {
        if !server.sessions.clients.to_read.is_empty() || !server.sessions.clients.to_write.is_empty() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let later = self.intake.borrow().accept_later.map(|at| at.saturating_duration_since(now));
        server.sleep(now).into_iter().chain(later).min().unwrap_or(SLEEP_MAX)
    }

    /// Do what this server's part as a replica asks of the loop.
    fn follow_primary(&mut self, server: &mut Server) {
        while let Some(step) = upstream::next_step(server) {
            match step {
                Step::Load(news) => upstream::load::load(server, news, &mut |server| self.serve_while_busy(server)),
                Step::Join(wire) => {
                    if let Err(error) = self.join(server, wire) {
                        upstream::not_joined(server, &error);
                    }
                }
            }
        }
        if server.pending.is_due {
            server.settle();
        }
    }

    /// Serve the connection on which the primary sends its stream.
    fn join(&mut self, server: &mut Server, wire: Wire) -> io::Result<()> {
        let (stream, session, read) = wire.into_parts()?;
        stream.set_nonblocking(true)?;
        let (peer, local) = (stream.peer_addr()?.to_string(), stream.local_addr()?.to_string());
        let stream = mio::net::TcpStream::from_std(stream);
        let socket = match session {
            Some(session) => Socket::Tls(Box::new(TlsStream::of_link(stream, session))),
            None => Socket::Tcp(stream),
        };
        prepare_socket(&socket, server.settings.tcp_keepalive);
        let mut client = new_client(server, socket, peer, local);
        client.standing = Standing::of_primary();
        client.no_evict = true;
        client.unparsed = !read.is_empty();
        client.query.put(read);
        let token = server.sessions.clients.insert(client);
        let client = server.sessions.clients.get(token);
        let added = client.map(|client| self.intake.borrow().poller.add(&mut client.socket, token));
        if let Some(Err(error)) = added {
            server.sessions.clients.remove(token);
            return Err(error);
        }
        server.sessions.clients.list_read(token);
        upstream::stream::joined(server, token);
        Ok(())
    }
}

impl Intake {
    fn add_listener(&mut self, mut listener: Listener) -> io::Result<()> {
        self.poller.add_listener(&mut listener, self.listeners.len())?;
        self.listeners.push(listener);
        Ok(())
    }

    /// Serve other TCP listeners instead of the present ones (CONFIG SET port, bind).
    fn replace_tcp(&mut self, new: Vec<Listener>) -> io::Result<()> {
        let old = std::mem::take(&mut self.listeners);
        for mut listener in old {
            self.poller.remove_listener(&mut listener)?;
            if matches!(listener, Listener::Unix(_)) {
                self.add_listener(listener)?;
            }
        }
        new.into_iter().try_for_each(|listener| self.add_listener(listener))
    }

    /// Wait for events up to a time.
    pub(super) fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        self.poller.wait(&mut self.readiness, timeout)
    }

    /// Take in what events say, with those who were listed before them.
    pub(super) fn note_ready(&mut self, server: &mut Server) {
        self.ready.clear();
        std::mem::swap(&mut self.ready, &mut server.sessions.clients.to_read);
        let readiness = std::mem::replace(&mut self.readiness, Readiness::none());
        for ready in readiness.iter() {
            self.on_ready(server, ready);
        }
        self.readiness = readiness;
        if std::mem::take(&mut self.accept_again) {
            self.accept_all(server);
        }
    }

    fn on_ready(&mut self, server: &mut Server, ready: Ready) {
        let token = match ready.which {
            Which::Listener(number) => return self.accept(server, number),
            Which::Connected(token) => token,
            Which::Watched(id) => return server.registry.watches.note(id, ready),
        };
        let Some(client) = server.sessions.clients.get(token) else { return };
        client.hung_up |= ready.failed || ready.hung_up;
        client.readable |= ready.failed || ready.readable || ready.hung_up;
        if client.readable && !client.read_listed {
            client.read_listed = true;
            self.ready.push(token);
        }
        if ready.writable {
            // The rest of a handshake's answer; nothing, but of one that speaks TLS.
            let _ = client.socket.flush();
        }
        // An error is found by the write, too: nothing is read from one that is to be
        // closed when all is sent.
        if client.write_blocked && (ready.failed || ready.writable) {
            client.write_blocked = false;
            server.sessions.clients.list_write(token);
        }
    }

    /// Take the connections that wait at all listeners.
    fn accept_all(&mut self, server: &mut Server) {
        for listener in 0..self.listeners.len() {
            self.accept(server, listener);
        }
    }

    fn accept(&mut self, server: &mut Server, listener: usize) {
        for _ in 0..ACCEPTS_MAX {
            let accepted = match &self.listeners[listener] {
                Listener::Tcp(socket) => socket.accept().map(|(stream, peer)| {
                    let local = stream.local_addr().map_or(String::new(), |address| address.to_string());
                    (Socket::Tcp(stream), peer.to_string(), local)
                }),
                Listener::Tls(socket) => match socket.accept() {
                    Ok((stream, peer)) => {
                        let Some(accepted) = speak_tls(server, stream, peer) else { continue };
                        Ok(accepted)
                    }
                    Err(error) => Err(error),
                },
                Listener::Unix(socket) => socket.accept().map(|(stream, _)| {
                    let path = format!("{}:0", server.settings.unixsocket);
                    (Socket::Unix(stream), path.clone(), path)
                }),
            };
            match accepted {
                Ok((socket, address, local)) => _ = self.open(server, socket, address, local),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // Out of descriptors, as a rule: those who wait are taken later.
                    crate::base::log::warning(&format!("Accepting client connection: {error}"));
                    self.accept_later = Some(Instant::now() + ACCEPT_AGAIN);
                    return;
                }
            }
        }
        // More may wait, and no event will say so.
        self.accept_again = true;
        let _ = self.poller.waker().wake();
    }

    /// Serve a connection; its token, unless it is refused.
    fn open(
        &mut self,
        server: &mut Server,
        mut socket: Socket,
        address: String,
        local_address: String,
    ) -> Option<usize> {
        server.stats.connections += 1;
        if let Some(refusal) = refusal(server, &socket, &address) {
            server.stats.rejected_connections += 1;
            // One that speaks TLS could not read it before the handshake.
            if !matches!(socket, Socket::Tls(_)) {
                let _ = socket.write(refusal.as_bytes());
            }
            return None;
        }
        prepare_socket(&socket, server.settings.tcp_keepalive);
        let client = new_client(server, socket, address, local_address);
        let token = server.sessions.clients.insert(client);
        let client = server.sessions.clients.get(token)?;
        if let Err(error) = self.poller.add(&mut client.socket, token) {
            crate::base::log::warning(&format!("Registering a client: {error}"));
            server.sessions.clients.remove(token);
            return None;
        }
        server.client_event(plinth_abi::events::ON_CLIENT_OPEN, token);
        Some(token)
    }

    pub(super) fn read_all(&mut self, server: &mut Server) {
        for at in 0..self.ready.len() {
            read_client(server, self.ready[at]);
        }
    }

    pub(super) fn write_all(&mut self, server: &mut Server) {
        let mut tokens = std::mem::take(&mut server.sessions.clients.to_write);
        let written = tokens.len();
        for at in 0..written {
            let token = tokens[at];
            if write_client(server, token) {
                tokens.push(token);
            }
        }
        tokens.drain(..written);
        // What closing or writing has added goes behind those that are to be gone on with.
        tokens.append(&mut server.sessions.clients.to_write);
        server.sessions.clients.to_write = tokens;
    }

    fn close_all(&mut self, server: &mut Server) {
        if server.stopping {
            // They are closed by the end, when the port is closed too: who asked for it may come back at once.
            return;
        }
        server.tell_of_clients();
        for token in std::mem::take(&mut server.sessions.clients.to_close) {
            if server.sessions.clients.peek(token).is_none_or(|client| client.closing == Closing::No) {
                continue;
            }
            server.client_event(plinth_abi::events::ON_CLIENT_CLOSE, token);
            self.release(server, token);
        }
    }

    /// Let a client go, of which modules know that it does.
    pub(super) fn release(&mut self, server: &mut Server, token: usize) {
        server.unwatch(token);
        server.track(token, None);
        server.end_wait(token);
        if server.sessions.clients.peek(token).is_some_and(|client| client.replicates != Replicates::No) {
            primary::closed(server, token);
        }
        let Some(mut client) = server.sessions.clients.remove(token) else { return };
        let _ = self.poller.remove(&mut client.socket);
        if client.closing == Closing::AfterReply {
            linger(&mut client.socket);
        }
        if client.no_touch {
            server.sessions.count_no_touch();
        }
    }

    /// Take the connections that could not be taken when they came.
    fn accept_late(&mut self, server: &mut Server) {
        if self.accept_later.take_if(|at| *at <= Instant::now()).is_some() {
            self.accept_all(server);
        }
    }

    /// Send what can be sent before the end.
    fn drain(&mut self, server: &mut Server) {
        for token in server.sessions.clients.tokens() {
            server.sessions.clients.list_write(token);
        }
        self.write_all(server);
    }
}

/// Socket options of a connection.
fn prepare_socket(socket: &Socket, keepalive_s: i64) {
    if let Some(stream) = socket.tcp() {
        let _ = stream.set_nodelay(true);
        if keepalive_s > 0 {
            let interval = Duration::from_secs((keepalive_s / 3).max(1) as u64);
            let options = socket2::TcpKeepalive::new()
                .with_time(Duration::from_secs(keepalive_s as u64))
                .with_interval(interval)
                .with_retries(3);
            let _ = socket2::SockRef::from(stream).set_tcp_keepalive(&options);
        }
    }
}

/// A TCP connection as one that speaks TLS, with the addresses of both ends; none if that cannot be begun.
fn speak_tls(
    server: &Server,
    stream: mio::net::TcpStream,
    peer: std::net::SocketAddr,
) -> Option<(Socket, String, String)> {
    let local = stream.local_addr().map_or(String::new(), |address| address.to_string());
    match server.tls_of_clients().map(|config| TlsStream::accept(stream, config)) {
        Some(Ok(stream)) => Some((Socket::Tls(Box::new(stream)), peer.to_string(), local)),
        Some(Err(error)) => {
            crate::base::log::verbose(&format!("Error accepting a client connection: {error} (addr={peer})"));
            None
        }
        None => None,
    }
}

/// Let the last reply arrive: closing a socket with unread bytes would make the
/// kernel reset the connection, and what the other side has not read yet may be lost.
fn linger(socket: &mut Socket) {
    let _ = socket.end_writing();
    let mut unread = [0; 16 * 1024];
    for _ in 0..LINGER_READS_MAX {
        if !matches!(socket.read(&mut unread), Ok(bytes) if bytes > 0) {
            break;
        }
    }
}

/// Read what a client has sent, unless commands of it wait.
fn read_client(server: &mut Server, token: usize) {
    let now_s = server.clock.now_s;
    let Some(client) = server.sessions.clients.get(token) else { return };
    if !client.readable || client.unparsed || client.closing != Closing::No {
        return;
    }
    let bytes = match client.query.receive(&mut client.socket, client.hung_up) {
        Ok(Received::Bytes(bytes, more)) => {
            client.readable = more;
            bytes
        }
        Ok(Received::End) => {
            crate::base::log::verbose("Client closed connection");
            return server.sessions.clients.close(token);
        }
        Err(error) if error.kind() == io::ErrorKind::OutOfMemory => return server.close_without_memory(token),
        Err(error) => {
            crate::base::log::verbose(&format!("Reading from client: {error}"));
            return server.sessions.clients.close(token);
        }
    };
    client.active_s = now_s;
    client.heard_s = now_s;
    client.input_bytes += bytes as u64;
    let is_primary = client.standing.is_primary();
    let identity = client.socket.take_identity();
    server.stats.reads += 1;
    server.stats.input_bytes += bytes as u64;
    if let Some(identity) = identity {
        server.authenticate_by_certificate(token, &identity);
    }
    server.weigh_client(token);
    if server.close_over_query(token) && is_primary {
        // Going on from before a unit that is too long would meet it again; a snapshot is behind it.
        upstream::stream::broken(server);
    }
}

/// Send a client what waits for it; whether it is to go on with the next turn.
fn write_client(server: &mut Server, token: usize) -> bool {
    let now_s = server.clock.now_s;
    let Some(client) = server.sessions.clients.get(token) else { return false };
    client.write_listed = false;
    if client.closing == Closing::Now {
        server.sessions.clients.list_close(token);
        return false;
    }
    let is_replica = client.replicates == Replicates::Attached;
    if is_replica && !primary::may_write(server, token) {
        return false;
    }
    let Some(client) = server.sessions.clients.get(token) else { return false };
    let before = client.output.pending();
    if before > 0 && !client.write_blocked {
        match client.output.send(&mut client.socket) {
            Ok(sent) => {
                client.write_blocked = sent == Sent::Blocked;
                client.write_listed = sent == Sent::More;
            }
            Err(error) => {
                crate::base::log::verbose(&format!("Error writing to client: {error}"));
                server.sessions.clients.close(token);
                return false;
            }
        }
        let sent = (before - client.output.pending()) as u64;
        if sent > 0 {
            client.active_s = now_s;
        }
        client.output_bytes += sent;
        server.stats.writes += 1;
        server.stats.output_bytes += sent;
    }
    if client.closing == Closing::AfterReply && client.output.pending() == 0 {
        server.sessions.clients.list_close(token);
        return false;
    }
    let more = if is_replica && client.output.pending() == 0 && !client.write_blocked {
        primary::write_stream(server, token)
    } else {
        client.write_listed
    };
    server.weigh_client(token);
    !server.close_over_output(token) && more
}

/// A connection's state at its begin.
fn new_client(server: &mut Server, socket: Socket, address: String, local_address: String) -> Client {
    let (is_unix, fd) = (matches!(socket, Socket::Unix(_)), socket.fd());
    let now_s = server.clock.now_s;
    let mut output = Output::default();
    output.set_limit(server.output_bytes_max(OUTPUT_OF_OTHERS));
    Client {
        token: 0,
        id: server.sessions.clients.next_id(),
        socket,
        query: Default::default(),
        output,
        pushed: Default::default(),
        write_listed: false,
        write_blocked: false,
        read_listed: false,
        unparsed: false,
        turn_over: false,
        hung_up: false,
        readable: false,
        stalled: false,
        blocked: None,
        closing: Closing::No,
        standing: server.first_standing(),
        listening: None,
        replicates: Replicates::No,
        resp: 2,
        db: 0,
        watch_spoiled: false,
        watched: Vec::new(),
        tracking: None,
        no_evict: false,
        weighed_bytes: 0,
        no_touch: false,
        name: Vec::new(),
        lib_name: Vec::new(),
        lib_version: Vec::new(),
        user: UserId::DEFAULT,
        user_name: server.acl.users.get(UserId::DEFAULT).name.clone(),
        address,
        local_address,
        is_unix,
        created_s: now_s,
        active_s: now_s,
        heard_s: now_s,
        last_command: "".into(),
        soft_limit_since_s: None,
        peak_at_ms: server.clock.now_ms,
        input_bytes: 0,
        output_bytes: 0,
        write_offset: 0,
        commands: 0,
        fd,
    }
}

/// Why a connection is not taken, as an error reply, if so.
fn refusal(server: &Server, socket: &Socket, address: &str) -> Option<String> {
    if server.sessions.clients.len() as i64 >= server.settings.maxclients {
        return Some("-ERR max number of clients reached\r\n".into());
    }
    let open = !server.settings.protected_mode || !server.acl.users.get(UserId::DEFAULT).needs_no_password;
    let local = matches!(socket, Socket::Unix(_)) || is_loopback(address);
    (!open && !local).then(|| PROTECTED.replace('\n', " ").trim_end().to_owned() + "\r\n")
}

fn is_loopback(address: &str) -> bool {
    address.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().to_canonical().is_loopback())
}

const PROTECTED: &str = "-DENIED Plinth is running in protected mode: no password is set for the default user, \
and connections are taken from the loopback interface only. \
To let other computers in, set a password with 'requirepass', or choose addresses with 'bind', \
or turn the protection off with 'CONFIG SET protected-mode no' from this computer, \
after making sure that the server cannot be reached from the internet.\n";
