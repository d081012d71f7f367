//! The link to the primary until its stream can be read: a thread that connects, says who it is, asks for the stream,
//! and takes a snapshot in. So nothing of it stops the loop.
//!
//! ```text
//!   connect ─> PING, AUTH, REPLCONF ─> PSYNC ─┬─ +CONTINUE ───────────────────────────> Continues
//!                                             ├─ +FULLRESYNC ─> snapshot ─> file ─────> Synced
//!                                             │                        └──> pipe ─────> Streams, Synced
//!                                             └─ anything else ───────────────────────> Failed
//! ```
//!
//! Invariants:
//! - A thread makes one attempt. The loop takes what it tells, and may let go of it at any moment: the connection is
//!   shut down then, and what the thread tells afterwards is read by nobody.
//! - The thread touches nothing of the server's but what is [`Shared`].

use crate::base::log;
use crate::registry::replication::{Link, OFFSET_MAX};
use crate::replication::upstream::transfer::{Extent, Transfer, TransferError};
use crate::replication::upstream::wire::Wire;
use crate::session::resume::Resumes;
use crate::socket::tls::link as tls;
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The version that a replica says it has: Valkey sends a snapshot of its own format to those of 9 and above, and one
/// that lacks fields that expire to others. Redis does not ask.
const VERSION: &[u8] = b"9.0.0";

/// What an attempt is made with.
pub struct Plan {
    /// Name or address of the primary.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user that it is told, or nothing.
    pub user: Vec<u8>,
    /// The password, or nothing for none.
    pub password: Vec<u8>,
    /// The port that it is told.
    pub own_port: u16,
    /// The address that it is told, or nothing for the one that it sees.
    pub own_address: String,
    /// Id of the stream, and the offset of the first byte that is wanted; `None` for a whole snapshot.
    pub wanted: Option<(String, i64)>,
    /// Whether the primary is to give its role up to this server.
    pub takes_over: bool,
    /// Where a snapshot is kept until it is loaded; `None` to have it loaded while it comes.
    pub file: Option<PathBuf>,
    /// What TLS is spoken with, if it is.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// How long the primary may be silent.
    pub timeout: Duration,
}

/// What a thread tells.
pub enum News {
    /// The stream goes on from where it was asked for, under another id if one is given.
    Continues {
        /// The connection.
        wire: Wire,
        /// The stream's id.
        id: Option<String>,
    },
    /// A snapshot can be loaded from a pipe.
    Streams {
        /// The end that is read from.
        pipe: File,
        /// Which stream it belongs to, and up to where.
        of: Position,
    },
    /// A snapshot has come, and the stream follows.
    Synced {
        /// The connection.
        wire: Wire,
        /// Where it is, unless it went through the pipe.
        file: Option<PathBuf>,
        /// Which stream it belongs to, and up to where.
        of: Position,
    },
    /// Nothing has come of it.
    Failed(Failure),
}

/// A place in a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Position {
    /// Id of the stream, or nothing where the primary names none.
    pub id: String,
    /// Bytes before it.
    pub offset: i64,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no connection.
    #[error("Error condition on socket for SYNC: {0}")]
    Connect(io::Error),
    /// The connection has broken.
    #[error("{0}")]
    Broken(io::Error),
    /// The primary was silent for too long.
    #[error("{0}")]
    Timeout(&'static str),
    /// It does not want this server.
    #[error("{0}")]
    Refused(String),
    /// It cannot serve just now.
    #[error("Master is currently unable to PSYNC, but should be in the future: {0}")]
    Later(String),
    /// It does not give its role up.
    #[error("The target does not take the role: {0}")]
    KeepsRole(String),
    /// Its snapshot was not received.
    #[error("{0}")]
    Transfer(#[from] TransferError),
}

impl Failure {
    /// Whether the next attempt will meet the same, so that it need not be soon.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Failure::Transfer(TransferError::Refused(_)))
    }
}

/// What the thread and the loop share.
pub struct Shared {
    is_cancelled: AtomicBool,
    link_to: Mutex<Option<tls::Link>>,
    link: AtomicU8,
    /// Bytes of the snapshot, 0 if nobody knows.
    pub total_bytes: AtomicU64,
    /// How many of them have come.
    pub received_bytes: AtomicU64,
    /// When anything came last, Unix time in seconds.
    pub heard_s: AtomicI64,
    news: Mutex<VecDeque<News>>,
    has_news: AtomicBool,
    wake: Arc<Resumes>,
}

const STAGES: [Link; 4] = [Link::Connect, Link::Connecting, Link::Handshake, Link::Syncing];

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// How far the attempt is.
    pub fn link(&self) -> Link {
        STAGES.get(usize::from(self.link.load(Relaxed))).copied().unwrap_or_default()
    }

    fn reach(&self, link: Link) {
        let at = STAGES.iter().position(|stage| *stage == link).unwrap_or(0);
        self.link.store(at as u8, Relaxed);
        self.heard();
    }

    fn heard(&self) {
        self.heard_s.store(crate::base::clock::unix_us() / 1_000_000, Relaxed);
    }

    /// Whether the thread has told something.
    pub fn has_news(&self) -> bool {
        self.has_news.load(Relaxed)
    }

    /// What it has told first.
    pub fn take_news(&self) -> Option<News> {
        let mut news = lock(&self.news);
        let first = news.pop_front();
        self.has_news.store(!news.is_empty(), Relaxed);
        first
    }

    fn tell(&self, news: News) {
        lock(&self.news).push_back(news);
        self.has_news.store(true, Relaxed);
        self.wake.wake();
    }

    /// Give the attempt up.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Relaxed);
        if let Some(link) = lock(&self.link_to).take() {
            link.shut_down();
        }
    }

    /// Let the other side know that this one is alive, while it does something that takes long.
    pub fn say_alive(&self) {
        use std::io::Write;
        if let Some(link) = lock(&self.link_to).as_mut().filter(|link| link.is_free()) {
            // It is read or not: a full pipe is not waited for.
            let _ = link.set_write_timeout(Duration::from_millis(1)).and_then(|()| link.write(b"\n").map(|_| ()));
        }
    }
}

/// Begin an attempt.
///
/// # Errors
/// Those of the system: no thread.
pub fn begin(plan: Plan, wake: Arc<Resumes>) -> io::Result<Arc<Shared>> {
    let shared = Arc::new(Shared {
        is_cancelled: AtomicBool::new(false),
        link_to: Mutex::default(),
        link: AtomicU8::new(1),
        total_bytes: AtomicU64::new(0),
        received_bytes: AtomicU64::new(0),
        heard_s: AtomicI64::new(crate::base::clock::unix_us() / 1_000_000),
        news: Mutex::default(),
        has_news: AtomicBool::new(false),
        wake,
    });
    let own = shared.clone();
    std::thread::Builder::new().name("replica-link".into()).spawn(move || {
        if let Err(failure) = attempt(&plan, &own) {
            if let Some(file) = &plan.file {
                let _ = std::fs::remove_file(file);
            }
            own.tell(News::Failed(failure));
        }
    })?;
    Ok(shared)
}

/// Whether an error says that the time is over.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn attempt(plan: &Plan, shared: &Shared) -> Result<(), Failure> {
    let link = connect(plan)?;
    *lock(&shared.link_to) = link.try_clone().ok();
    if shared.is_cancelled.load(Relaxed) {
        return Ok(());
    }
    shared.reach(Link::Handshake);
    log::notice("Non blocking connect for SYNC fired the event.");
    let mut wire = Wire::new(link);
    let broken = |error: io::Error| {
        if is_timeout(&error) {
            Failure::Timeout("Timeout connecting to the MASTER...")
        } else {
            Failure::Broken(error)
        }
    };
    greet(plan, &mut wire, shared).map_err(|failure| match failure {
        Failure::Broken(error) => broken(error),
        other => other,
    })?;
    let answer = ask(plan, &mut wire, shared).map_err(broken)?;
    match answer {
        Answer::Continue(id) => {
            log::notice("Successful partial resynchronization with master.");
            shared.tell(News::Continues { wire, id });
            Ok(())
        }
        Answer::Full(of) => receive(plan, wire, of, shared),
        Answer::Later(text) => Err(Failure::Later(text)),
        Answer::No(text) if plan.takes_over => Err(Failure::KeepsRole(text)),
        Answer::No(text) => {
            log::notice(&format!("Master does not support PSYNC or is in error state (reply: {text})"));
            log::notice("Retrying with SYNC...");
            wire.send(&[b"SYNC"]).map_err(broken)?;
            receive(plan, wire, Position { id: String::new(), offset: -1 }, shared)
        }
    }
}

fn connect(plan: &Plan) -> Result<tls::Link, Failure> {
    let addresses = (plan.host.as_str(), plan.port).to_socket_addrs().map_err(Failure::Connect)?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name stands for no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, plan.timeout) {
            Ok(stream) => {
                let set = stream
                    .set_nodelay(true)
                    .and_then(|()| stream.set_read_timeout(Some(plan.timeout)))
                    .and_then(|()| stream.set_write_timeout(Some(plan.timeout)));
                set.map_err(Failure::Connect)?;
                return match &plan.tls {
                    Some(config) => tls::Link::tls(stream, config.clone(), &plan.host).map_err(Failure::Connect),
                    None => Ok(tls::Link::plain(stream)),
                };
            }
            Err(error) => last = error,
        }
    }
    if is_timeout(&last) {
        Err(Failure::Timeout("Timeout connecting to the MASTER..."))
    } else {
        Err(Failure::Connect(last))
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

/// Both say what they are and can.
fn greet(plan: &Plan, wire: &mut Wire, shared: &Shared) -> Result<(), Failure> {
    let answer = |wire: &mut Wire| wire.answer(|| shared.heard()).map_err(Failure::Broken);
    wire.send(&[b"PING"]).map_err(Failure::Broken)?;
    let said = answer(wire)?;
    let is_known_later = [&b"-NOAUTH"[..], b"-NOPERM", b"-ERR operation not permitted"];
    if said.first() != Some(&b'+') && !is_known_later.iter().any(|refusal| said.starts_with(refusal)) {
        return Err(Failure::Refused(format!("Error reply to PING from master: '{}'", text(&said))));
    }
    log::notice("Master replied to PING, replication can continue...");
    let port = plan.own_port.to_string();
    let mut commands: Vec<Vec<&[u8]>> = Vec::new();
    if !plan.password.is_empty() {
        let words: [&[u8]; 3] = [b"AUTH", &plan.user, &plan.password];
        commands.push(words.into_iter().filter(|word| !word.is_empty()).collect());
    }
    commands.push(vec![b"REPLCONF", b"listening-port", port.as_bytes()]);
    if !plan.own_address.is_empty() {
        commands.push(vec![b"REPLCONF", b"ip-address", plan.own_address.as_bytes()]);
    }
    commands.push(vec![b"REPLCONF", b"capa", b"eof", b"capa", b"psync2", b"capa", b"rdb-12"]);
    commands.push(vec![b"REPLCONF", b"version", VERSION]);
    for words in &commands {
        wire.send(words).map_err(Failure::Broken)?;
    }
    for words in &commands {
        let said = answer(wire)?;
        if said.first() != Some(&b'-') {
            continue;
        }
        if words[0] == b"AUTH" {
            return Err(Failure::Refused(format!("Unable to AUTH to MASTER: {}", text(&said))));
        }
        // Older primaries know less; that they do not know it is no reason to do without them.
        log::notice(&format!("(Non critical) Master does not understand REPLCONF {}: {}", text(words[1]), text(&said)));
    }
    Ok(())
}

/// What a primary has answered to PSYNC.
enum Answer {
    Continue(Option<String>),
    Full(Position),
    Later(String),
    No(String),
}

fn ask(plan: &Plan, wire: &mut Wire, shared: &Shared) -> io::Result<Answer> {
    let (id, offset) = plan.wanted.as_ref().map_or(("?", -1), |(id, offset)| (id.as_str(), *offset));
    match &plan.wanted {
        Some(_) => log::notice(&format!("Trying a partial resynchronization (request {id}:{offset}).")),
        None => log::notice("Partial resynchronization not possible (no cached master)"),
    }
    let offset = offset.to_string();
    let mut words: Vec<&[u8]> = vec![b"PSYNC", id.as_bytes(), offset.as_bytes()];
    if plan.takes_over {
        words.push(b"FAILOVER");
    }
    wire.send(&words)?;
    let said = wire.answer(|| shared.heard())?;
    let shown = text(&said);
    let mut words = shown.split_ascii_whitespace();
    Ok(match words.next() {
        Some("+CONTINUE") if plan.wanted.is_some() => {
            Answer::Continue(words.next().filter(|id| is_id(id)).map(str::to_owned))
        }
        Some("+FULLRESYNC") => match (words.next().filter(|id| is_id(id)), words.next().map(str::parse::<i64>)) {
            (Some(id), Some(Ok(offset @ 0..=OFFSET_MAX))) => {
                log::notice(&format!("Full resync from master: {id}:{offset}"));
                Answer::Full(Position { id: id.into(), offset })
            }
            _ => {
                log::warning("Master replied with wrong +FULLRESYNC syntax.");
                // What it sends now is a snapshot of which nobody knows what comes behind it.
                Answer::Later(shown.clone())
            }
        },
        Some("-NOMASTERLINK" | "-LOADING") => Answer::Later(shown.clone()),
        _ => Answer::No(shown.clone()),
    })
}

fn is_id(word: &str) -> bool {
    word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Take a snapshot in.
fn receive(plan: &Plan, mut wire: Wire, of: Position, shared: &Shared) -> Result<(), Failure> {
    shared.reach(Link::Syncing);
    let silent = Failure::Timeout(
        "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.",
    );
    let line = match wire.answer(|| shared.heard()) {
        Err(error) if is_timeout(&error) => return Err(silent),
        line => line.map_err(Failure::Broken)?,
    };
    let extent = Extent::parse(&line)?;
    let total = extent.total_bytes();
    shared.total_bytes.store(total, Relaxed);
    let to = if plan.file.is_some() { "to disk" } else { "to parser" };
    match extent {
        Extent::Length(_) => log::notice(&format!("MASTER <-> REPLICA sync: receiving {total} bytes from master {to}")),
        Extent::Mark(_) => {
            log::notice(&format!("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF {to}"))
        }
    }
    let progress = |received| {
        shared.received_bytes.store(received, Relaxed);
        shared.heard();
    };
    let received = match &plan.file {
        Some(path) => {
            let mut file = File::create(path).map_err(TransferError::Target)?;
            Transfer::new(extent, &mut file).run(&mut wire, progress)
        }
        None => {
            let (reader, mut writer) = io::pipe().map_err(TransferError::Target)?;
            let pipe = File::from(std::os::fd::OwnedFd::from(reader));
            shared.tell(News::Streams { pipe, of: of.clone() });
            Transfer::new(extent, &mut writer).run(&mut wire, progress)
        }
    };
    match received {
        Err(TransferError::Primary(error)) if is_timeout(&error) => return Err(silent),
        received => received?,
    };
    shared.tell(News::Synced { wire, file: plan.file.clone(), of });
    Ok(())
}

#[cfg(test)]
#[path = "link_fuzz.rs"]
mod fuzz;
