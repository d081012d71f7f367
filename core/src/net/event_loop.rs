//! The event loop: one thread, readiness from the kernel, a timer.
//!
//! ```text
//! wait ─> accept ─> read all ─> run batches ─> write all ─> close ─> timers ─> wait
//! ```
//!
//! Sockets are registered once, edge-triggered, for both directions. A read that
//! fills its buffer leaves the client in the list of those to read again; a write
//! that the socket does not take waits for the next writable event.

use super::batch::Batch;
use super::client::{Client, Closing, ReplyMode, Socket};
use super::listener::Listener;
use super::query::Received;
use crate::server::Server;
use mio::{Events, Interest, Poll, Token, Waker};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

const WAKER: Token = Token(usize::MAX);
/// Tokens of listeners begin here; clients have those below.
const LISTENERS: usize = 1 << 40;
/// Connections accepted in one turn.
const ACCEPTS_MAX: usize = 1000;

/// The loop's own: what the server's state does not contain.
pub struct EventLoop {
    poll: Poll,
    listeners: Vec<Listener>,
    batch: Batch,
    ready: Vec<usize>,
    next_cron: Instant,
    /// Wakes the loop from a signal handler or another thread.
    pub waker: Arc<Waker>,
}

impl EventLoop {
    /// A loop without listeners.
    pub fn new() -> io::Result<EventLoop> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        Ok(EventLoop {
            poll,
            listeners: Vec::new(),
            batch: Batch::default(),
            ready: Vec::new(),
            next_cron: Instant::now(),
            waker,
        })
    }

    /// Serve a listener.
    pub fn add_listener(&mut self, mut listener: Listener) -> io::Result<()> {
        let token = Token(LISTENERS + self.listeners.len());
        match &mut listener {
            Listener::Tcp(socket) => self.poll.registry().register(socket, token, Interest::READABLE)?,
            Listener::Unix(socket) => self.poll.registry().register(socket, token, Interest::READABLE)?,
        }
        self.listeners.push(listener);
        Ok(())
    }

    /// Serve other TCP listeners instead of the present ones (CONFIG SET port, bind).
    pub fn replace_tcp(&mut self, new: Vec<Listener>) -> io::Result<()> {
        let old = std::mem::take(&mut self.listeners);
        for listener in old {
            match listener {
                Listener::Tcp(mut socket) => self.poll.registry().deregister(&mut socket)?,
                Listener::Unix(mut socket) => {
                    self.poll.registry().deregister(&mut socket)?;
                    self.add_listener(Listener::Unix(socket))?;
                }
            }
        }
        new.into_iter().try_for_each(|listener| self.add_listener(listener))
    }

    /// Run until the server stops.
    pub fn run(&mut self, server: &mut Server) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        while !server.stopping {
            let timeout = self.timeout(server);
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => other?,
            }
            server.clock.update();
            server.access.now_s = server.clock.now_s as u32;
            self.ready.clear();
            std::mem::swap(&mut self.ready, &mut server.clients.to_read);
            for event in &events {
                self.on_event(server, event);
            }
            self.read_all(server);
            server.run_batch(&mut self.batch, &mut self.ready);
            server.clients.to_read.append(&mut self.ready);
            self.write_all(server);
            self.close_all(server);
            self.timers(server);
            if let Some(listeners) = server.new_listeners.take() {
                self.replace_tcp(listeners)?;
            }
        }
        self.drain(server);
        Ok(())
    }

    fn timeout(&self, server: &Server) -> Duration {
        if !server.clients.to_read.is_empty() {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let cron = self.next_cron.saturating_duration_since(now);
        let timer = server.timers.next_in(now).unwrap_or(cron);
        let pause = server.pause.map_or(cron, |pause| {
            Duration::from_millis((pause.until_ms - crate::clock::unix_us() / 1000).max(0) as u64)
        });
        cron.min(timer).min(pause)
    }

    fn on_event(&mut self, server: &mut Server, event: &mio::event::Event) {
        let token = event.token();
        if token == WAKER {
            return;
        }
        if token.0 >= LISTENERS {
            self.accept(server, token.0 - LISTENERS);
            return;
        }
        let Some(client) = server.clients.get(token.0) else { return };
        if event.is_writable() && client.write_blocked {
            client.write_blocked = false;
            if !client.write_listed {
                client.write_listed = true;
                server.clients.to_write.push(token.0);
            }
        }
        let Some(client) = server.clients.get(token.0) else { return };
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            client.readable = true;
            if !self.ready.contains(&token.0) || self.ready.len() > 64 {
                self.ready.push(token.0);
            }
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
                Ok((socket, address, local)) => self.open(server, socket, address, local),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    crate::log::warning(&format!("Accepting client connection: {error}"));
                    return;
                }
            }
        }
        // More may wait: the edge is gone, so come back by ourselves.
        let _ = self.waker.wake();
    }

    fn open(&mut self, server: &mut Server, mut socket: Socket, address: String, local_address: String) {
        server.stats.connections += 1;
        if let Some(refusal) = server.refusal(&socket, &address) {
            server.stats.rejected_connections += 1;
            let _ = socket.write(refusal.as_bytes());
            return;
        }
        prepare_socket(&socket, server.settings.tcp_keepalive);
        let client = server.new_client(socket, address, local_address);
        let token = server.clients.insert(client);
        let Some(client) = server.clients.get(token) else { return };
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = match &mut client.socket {
            Socket::Tcp(stream) => self.poll.registry().register(stream, Token(token), interest),
            Socket::Unix(stream) => self.poll.registry().register(stream, Token(token), interest),
        };
        if let Err(error) = registered {
            crate::log::warning(&format!("Registering a client: {error}"));
            server.clients.remove(token);
            return;
        }
        server.client_event(plinth_abi::events::ON_CLIENT_OPEN, token);
    }

    fn read_all(&mut self, server: &mut Server) {
        let limit = usize::try_from(server.settings.client_query_buffer_limit).unwrap_or(usize::MAX);
        for at in 0..self.ready.len() {
            let token = self.ready[at];
            let Some(client) = server.clients.get(token) else { continue };
            if !client.readable || client.closing != Closing::No || client.stalled {
                continue;
            }
            match client.query.receive(&mut client.socket) {
                Ok(Received::Bytes(bytes, more)) => {
                    client.readable = more;
                    client.input_bytes += bytes as u64;
                    let pending = client.query.pending().len();
                    let over = pending > limit;
                    if over {
                        crate::log::warning(&format!(
                            "Closing client that reached max query buffer length: id={} addr={}",
                            client.id, client.address
                        ));
                        client.closing = Closing::Now;
                    }
                    server.stats.query_limit_closed += u64::from(over);
                    server.stats.input_bytes += bytes as u64;
                    server.stats.max_input_buffer = server.stats.max_input_buffer.max(pending);
                    if over {
                        server.clients.list_close(token);
                    } else if more {
                        server.clients.to_read.push(token);
                    }
                }
                Ok(Received::End) => {
                    client.closing = Closing::Now;
                    server.clients.list_close(token);
                }
                Err(error) => {
                    crate::log::verbose(&format!("Reading from client: {error}"));
                    client.closing = Closing::Now;
                    server.clients.list_close(token);
                }
            }
        }
    }

    fn write_all(&mut self, server: &mut Server) {
        let mut tokens = std::mem::take(&mut server.clients.to_write);
        for token in tokens.drain(..) {
            let now_s = server.clock.now_s;
            let Some(client) = server.clients.get(token) else { continue };
            client.write_listed = false;
            if client.closing == Closing::Now {
                server.clients.list_close(token);
                continue;
            }
            let before = client.output.pending();
            if before > 0 && !client.write_blocked {
                match client.output.send(&mut client.socket) {
                    Ok(done) => client.write_blocked = !done,
                    Err(error) => {
                        crate::log::verbose(&format!("Error writing to client: {error}"));
                        client.closing = Closing::Now;
                    }
                }
            }
            let after = client.output.pending();
            client.output_bytes += (before - after) as u64;
            let done = client.closing == Closing::Now || client.closing == Closing::AfterReply && after == 0;
            let over = after > 0 && over_limit(client, server.settings.output_limits[0], now_s);
            if over {
                crate::log::warning(&format!(
                    "Client id={} addr={} scheduled to be closed ASAP for overcoming of output buffer limits.",
                    client.id, client.address
                ));
            }
            server.stats.output_bytes += (before - after) as u64;
            server.stats.max_output_buffer = server.stats.max_output_buffer.max(before);
            server.stats.output_limit_closed += u64::from(over);
            if done || over {
                server.clients.list_close(token);
            }
        }
        // Writing does not add to the list, so its memory can be kept.
        if server.clients.to_write.is_empty() {
            server.clients.to_write = tokens;
        }
    }

    fn close_all(&mut self, server: &mut Server) {
        for token in std::mem::take(&mut server.clients.to_close) {
            if server.clients.peek(token).is_none() {
                continue;
            }
            server.client_event(plinth_abi::events::ON_CLIENT_CLOSE, token);
            server.unwatch(token);
            if let Some(mut client) = server.clients.remove(token) {
                let _ = match &mut client.socket {
                    Socket::Tcp(stream) => self.poll.registry().deregister(stream),
                    Socket::Unix(stream) => self.poll.registry().deregister(stream),
                };
            }
        }
    }

    fn timers(&mut self, server: &mut Server) {
        let now = Instant::now();
        server.fire_timers(now);
        if server.pause.is_some_and(|pause| pause.until_ms <= server.clock.now_ms) {
            server.end_pause();
        }
        if now >= self.next_cron {
            let hz = server.cron();
            self.next_cron = now + Duration::from_millis(1000 / hz.max(1));
            // Replies of timers and of the housekeeping go out with the next turn at the latest.
            self.write_all(server);
            self.close_all(server);
        }
    }

    /// Send what can be sent before the end.
    fn drain(&mut self, server: &mut Server) {
        for token in server.clients.tokens() {
            server.clients.list_write(token);
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

/// Whether a client's output is above its limit, at once or for too long.
fn over_limit(client: &mut Client, limit: crate::config::settings::OutputLimit, now_s: i64) -> bool {
    let queued = client.output.queued() as u64;
    if limit.hard_bytes > 0 && queued > limit.hard_bytes {
        return true;
    }
    if limit.soft_bytes == 0 || queued <= limit.soft_bytes {
        client.soft_limit_since_s = None;
        return false;
    }
    let since = *client.soft_limit_since_s.get_or_insert(now_s);
    now_s - since >= limit.soft_s as i64
}

impl Server {
    /// A connection's state at its begin.
    fn new_client(&mut self, socket: Socket, address: String, local_address: String) -> Client {
        use std::os::fd::AsRawFd;
        let (is_unix, fd) = match &socket {
            Socket::Tcp(stream) => (false, stream.as_raw_fd()),
            Socket::Unix(stream) => (true, stream.as_raw_fd()),
        };
        let now_s = self.clock.now_s;
        Client {
            id: self.clients.next_id(),
            socket,
            query: Default::default(),
            output: Default::default(),
            write_listed: false,
            write_blocked: false,
            readable: false,
            stalled: false,
            closing: Closing::No,
            authenticated: self.settings.requirepass.is_empty(),
            resp: 2,
            db: 0,
            transaction: None,
            watch_spoiled: false,
            watched: Vec::new(),
            reply_mode: ReplyMode::On,
            no_evict: false,
            no_touch: false,
            name: Vec::new(),
            lib_name: Vec::new(),
            lib_version: Vec::new(),
            user: "default".into(),
            address,
            local_address,
            is_unix,
            created_s: now_s,
            active_s: now_s,
            last_command: String::new(),
            soft_limit_since_s: None,
            peak_at_ms: self.clock.now_ms,
            input_bytes: 0,
            output_bytes: 0,
            commands: 0,
            fd,
        }
    }

    /// Why a connection is not taken, as an error reply, if so.
    fn refusal(&self, socket: &Socket, address: &str) -> Option<String> {
        if self.clients.len() as i64 >= self.settings.maxclients {
            return Some("-ERR max number of clients reached\r\n".into());
        }
        let open = !self.settings.protected_mode || !self.settings.requirepass.is_empty() || self.settings.bind_was_set;
        let local = matches!(socket, Socket::Unix(_)) || is_loopback(address);
        (!open && !local).then(|| PROTECTED.replace('\n', " ").trim_end().to_owned() + "\r\n")
    }

    /// Let waiting clients go on.
    pub fn end_pause(&mut self) {
        self.pause = None;
        for token in self.clients.tokens() {
            if let Some(client) = self.clients.get(token)
                && client.stalled
            {
                client.stalled = false;
                client.query.restart();
                self.clients.to_read.push(token);
            }
        }
    }
}

fn is_loopback(address: &str) -> bool {
    address.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().to_canonical().is_loopback())
}

const PROTECTED: &str = "-DENIED Plinth is running in protected mode: no password is set for the default user, \
and connections are taken from the loopback interface only. \
To let other computers in, set a password with 'requirepass', or choose addresses with 'bind', \
or turn the protection off with 'CONFIG SET protected-mode no' from this computer, \
after making sure that the server cannot be reached from the internet.\n";
