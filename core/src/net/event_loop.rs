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
use crate::socket::poller::{Poller, Readiness, Ready, Waker, Which};
use crate::socket::stream::Socket;
use std::io::{self, Read, Write};
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
    poller: Poller,
    readiness: Readiness,
    listeners: Vec<Listener>,
    batch: Batch,
    ready: Vec<usize>,
    /// Whether connections may wait at the listeners without an event to come.
    accept_again: bool,
    /// The same, but to be tried then.
    accept_later: Option<Instant>,
}

impl EventLoop {
    /// A loop without listeners.
    pub fn new() -> io::Result<EventLoop> {
        Ok(EventLoop {
            poller: Poller::new()?,
            readiness: Readiness::default(),
            listeners: Vec::new(),
            batch: Batch::default(),
            ready: Vec::new(),
            accept_again: false,
            accept_later: None,
        })
    }

    /// What wakes the loop from a signal handler or another thread.
    pub fn waker(&self) -> Arc<Waker> {
        self.poller.waker()
    }

    /// Serve a listener.
    pub fn add_listener(&mut self, mut listener: Listener) -> io::Result<()> {
        self.poller.add_listener(&mut listener, self.listeners.len())?;
        self.listeners.push(listener);
        Ok(())
    }

    /// Serve other TCP listeners instead of the present ones (CONFIG SET port, bind).
    pub fn replace_tcp(&mut self, new: Vec<Listener>) -> io::Result<()> {
        let old = std::mem::take(&mut self.listeners);
        for mut listener in old {
            self.poller.remove_listener(&mut listener)?;
            if matches!(listener, Listener::Unix(_)) {
                self.add_listener(listener)?;
            }
        }
        new.into_iter().try_for_each(|listener| self.add_listener(listener))
    }

    /// Run until the server stops.
    pub fn run(&mut self, server: &mut Server) -> io::Result<()> {
        while !server.stopping {
            let timeout = self.timeout(server);
            self.turn(server, timeout)?;
        }
        // Nobody is to be taken in whom nobody will serve.
        self.listeners.clear();
        server.listening.clear();
        self.drain(server);
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
        let begun = self.serve(server, timeout)?;
        self.duties(server);
        self.follow_primary(server);
        if let Some(listeners) = server.new_listeners.take() {
            self.replace_tcp(listeners)?;
        }
        server.stats.loop_turns += 1;
        server.stats.loop_ticks += ticks().wrapping_sub(begun);
        Ok(())
    }

    /// Take in what has come, run it and answer; when that began, in ticks.
    fn serve(&mut self, server: &mut Server, timeout: Duration) -> io::Result<u64> {
        self.poller.wait(&mut self.readiness, timeout)?;
        let begun = ticks();
        server.tick(begun);
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
        self.read_all(server);
        let batch_begun = ticks();
        crate::net::batch::run_batch(server, &mut self.batch, &mut self.ready);
        server.stats.command_ticks += ticks().wrapping_sub(batch_begun);
        crate::persist::aof::flush(server);
        self.write_all(server);
        server.close_heavy();
        self.close_all(server);
        Ok(begun)
    }

    /// Take in a client of this very program: its end of the connection, which does not block, and its
    /// token.
    pub fn connect(&mut self, server: &mut Server) -> io::Result<(std::os::unix::net::UnixStream, usize)> {
        let (own, other) = std::os::unix::net::UnixStream::pair()?;
        own.set_nonblocking(true)?;
        other.set_nonblocking(true)?;
        let socket = Socket::Unix(mio::net::UnixStream::from_std(own));
        let token = self.open(server, socket, "in-process".into(), "in-process".into());
        token.map(|token| (other, token)).ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }

    fn timeout(&self, server: &Server) -> Duration {
        if !server.sessions.clients.to_read.is_empty() || !server.sessions.clients.to_write.is_empty() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let later = self.accept_later.map(|at| at.saturating_duration_since(now));
        server.sleep(now).into_iter().chain(later).min().unwrap_or(SLEEP_MAX)
    }

    fn on_ready(&mut self, server: &mut Server, ready: Ready) {
        let token = match ready.which {
            Which::Listener(number) => return self.accept(server, number),
            Which::Connected(token) => token,
        };
        let Some(client) = server.sessions.clients.get(token) else { return };
        client.hung_up |= ready.failed || ready.hung_up;
        client.readable |= ready.failed || ready.readable || ready.hung_up;
        if client.readable && !client.read_listed {
            client.read_listed = true;
            self.ready.push(token);
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
            let _ = socket.write(refusal.as_bytes());
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

    fn read_all(&mut self, server: &mut Server) {
        for at in 0..self.ready.len() {
            read_client(server, self.ready[at]);
        }
    }

    fn write_all(&mut self, server: &mut Server) {
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
        for token in std::mem::take(&mut server.sessions.clients.to_close) {
            if server.sessions.clients.peek(token).is_none_or(|client| client.closing == Closing::No) {
                continue;
            }
            server.client_event(plinth_abi::events::ON_CLIENT_CLOSE, token);
            server.unwatch(token);
            server.track(token, None);
            server.end_wait(token);
            if server.sessions.clients.peek(token).is_some_and(|client| client.replicates != Replicates::No) {
                primary::closed(server, token);
            }
            let Some(mut client) = server.sessions.clients.remove(token) else { continue };
            let _ = self.poller.remove(&mut client.socket);
            if client.closing == Closing::AfterReply {
                linger(&mut client.socket);
            }
            if client.no_touch {
                server.sessions.count_no_touch();
            }
        }
    }

    fn duties(&mut self, server: &mut Server) {
        server.do_duties();
        crate::persist::aof::flush(server);
        if self.accept_later.take_if(|at| *at <= Instant::now()).is_some() {
            self.accept_all(server);
        }
        self.close_all(server);
    }

    /// Do what this server's part as a replica asks of the loop.
    fn follow_primary(&mut self, server: &mut Server) {
        while let Some(step) = upstream::next_step(server) {
            match step {
                Step::Load(news) => upstream::load::load(server, news, &mut |server| self.serve_while_busy(server)),
                Step::Join(wire) => {
                    if let Err(error) = self.join(server, wire) {
                        crate::base::log::warning(&format!("Serving the connection to the MASTER: {error}"));
                    }
                }
            }
        }
    }

    /// Serve the connection on which the primary sends its stream.
    fn join(&mut self, server: &mut Server, wire: Wire) -> io::Result<()> {
        let (stream, read) = wire.into_parts();
        stream.set_nonblocking(true)?;
        let (peer, local) = (stream.peer_addr()?.to_string(), stream.local_addr()?.to_string());
        let socket = Socket::Tcp(mio::net::TcpStream::from_std(stream));
        prepare_socket(&socket, server.settings.tcp_keepalive);
        let mut client = new_client(server, socket, peer, local);
        client.standing = Standing::of_primary();
        client.no_evict = true;
        client.unparsed = !read.is_empty();
        client.query.put(read);
        let token = server.sessions.clients.insert(client);
        if let Some(client) = server.sessions.clients.get(token) {
            self.poller.add(&mut client.socket, token)?;
        }
        server.sessions.clients.list_read(token);
        upstream::stream::joined(server, token);
        Ok(())
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
    if let Socket::Tcp(stream) = socket {
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

/// Let the last reply arrive: closing a socket with unread bytes would make the
/// kernel reset the connection, and what the other side has not read yet may be lost.
fn linger(socket: &mut Socket) {
    let _ = match socket {
        Socket::Tcp(stream) => stream.shutdown(std::net::Shutdown::Write),
        Socket::Unix(stream) => stream.shutdown(std::net::Shutdown::Write),
    };
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
    server.stats.reads += 1;
    server.stats.input_bytes += bytes as u64;
    server.weigh_client(token);
    server.close_over_query(token);
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
    use std::os::fd::AsRawFd;
    let (is_unix, fd) = match &socket {
        Socket::Tcp(stream) => (false, stream.as_raw_fd()),
        Socket::Unix(stream) => (true, stream.as_raw_fd()),
    };
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
