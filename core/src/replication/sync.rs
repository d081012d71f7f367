//! Synchronisation: what a replica that asks for the stream is given, all of it or what it lacks.
//!
//! ```text
//!   PSYNC id offset ── known, and kept ──────────> +CONTINUE, and the stream from there
//!        │
//!        └── Waiting ── a round begins ──> child ──> file ──> a thread for each       ──> Online
//!              with others of its kind          └──> pipe ──> one thread for all      ──> Online, when it
//!                                                                                         has acknowledged
//! ```
//!
//! A round is one snapshot for all who waited for one of its kind when it began; who comes later may join one
//! that is written to a file. The stream is kept for all of them from the moment that the snapshot shows.

use crate::base::log;
use crate::base::random::Random;
use crate::durable::disk::DiskFile;
use crate::engine::server::Server;
use crate::modules::beside;
use crate::persist::child::{self, Child, Ending, Reporter, Task};
use crate::persist::save::{self, SNAPSHOT};
use crate::persist::snapshot::{self, Form, temporary};
use crate::replication::primary::{self, address, name};
use crate::replication::replica::{Kind, Replica, Stage};
use crate::replication::state::{self, Replication};
use crate::replication::transfer::{TIMED_OUT, Target, Transfer, Word};
use crate::session::client::{Replicates, ReplyMode};
use plinth_abi::events::ON_REPLICA;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A snapshot for replicas; in INFO and for SHUTDOWN it is one like any other.
const TASK: Task = Task { name: SNAPSHOT.name, ended };

/// A snapshot that is being made.
pub struct Round {
    number: u64,
    kind: Kind,
    /// Id of the stream.
    id: String,
    /// The end of the stream that the snapshot shows.
    at: u64,
    /// Whether the child has made all of it, once it has ended.
    made: Option<bool>,
    /// Whether the pipe has ended.
    piped: bool,
    /// Whether it is a file that a save point's could be: it becomes the last snapshot then.
    is_kept: bool,
}

/// The first version of the format that has functions.
const WITH_FUNCTIONS: u16 = 10;

/// What a replica asks for.
#[derive(Clone, Copy)]
pub enum Ask<'a> {
    /// All, as SYNC does.
    All,
    /// The stream of an id from an offset on.
    From(&'a [u8], i64),
}

/// A client asks to be synchronised.
///
/// # Errors
/// The reply that it is sent then.
pub fn ask(server: &mut Server, token: usize, ask: Ask<'_>) -> Result<(), String> {
    let Some(client) = server.sessions.clients.get(token) else { return Ok(()) };
    let is_told = client.listening.is_some() || client.tracking.is_some() || client.standing.is_monitor();
    if client.output.pending() > 0 || is_told {
        return Err("ERR SYNC and PSYNC are invalid with pending output".into());
    }
    crate::replication::primary::hear(server, token, |_| {});
    let mut replication = server.slots.take::<Replication>();
    let Some(at) = replication.replicas.iter().position(|replica| replica.token == token) else {
        server.slots.put(replication);
        return Ok(());
    };
    let shown = name(server, &replication.replicas[at]);
    log::notice(&format!("Replica {shown} asks for synchronization"));
    let from = match ask {
        Ask::From(id, offset) => continued(server, &replication, &shown, id, offset),
        Ask::All => None,
    };
    if let Some(client) = server.sessions.clients.get(token) {
        client.replicates = Replicates::Attached;
        client.standing.set_replica(true);
        // What it is told would stand in the middle of the stream.
        client.standing.set_reply_mode(ReplyMode::Off);
        if server.settings.replication.disable_tcp_nodelay {
            client.socket.set_nodelay(false);
        }
    }
    let now_s = server.clock.now_s;
    let replica = &mut replication.replicas[at];
    replica.is_plain = matches!(ask, Ask::All);
    (replica.heard_s, replica.asked) = (now_s, Instant::now());
    replication.alone_since = None;
    if let Some(from) = from {
        go_on(server, &mut replication, at, from, &shown);
        server.slots.put(replication);
    } else {
        if let Ask::From(id, _) = ask
            && id != b"?"
        {
            server.stats.syncs_partial_refused += 1;
        }
        server.stats.syncs_full += 1;
        replication.replicas[at].stage = Stage::Waiting;
        replication.next = None;
        join(server, &mut replication, at);
        let is_first = replication.backlog.is_none();
        server.slots.put(replication);
        if is_first {
            begin_stream(server);
        }
    }
    server.sessions.clients.list_write(token);
    Ok(())
}

/// Where the stream goes on for a replica that asks for a part of it, if it may; else the log says why not.
fn continued(server: &Server, replication: &Replication, shown: &str, id: &[u8], offset: i64) -> Option<u64> {
    let known = &server.registry.replication;
    let is_present = id.eq_ignore_ascii_case(known.id.as_bytes());
    let is_former = id.eq_ignore_ascii_case(known.id2.as_bytes()) && known.second_offset >= 0;
    if !(is_present || is_former && offset <= known.second_offset) {
        if id == b"?" {
            log::notice(&format!("Full resync requested by replica {shown}"));
        } else if is_former {
            log::notice(&format!(
                "Partial resynchronization not accepted: Requested offset for second ID was {offset}, but I can reply up to {}",
                known.second_offset
            ));
        } else {
            log::notice(&format!(
                "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '{}', my replication IDs are '{}' and '{}')",
                crate::base::words::shown(id),
                known.id,
                known.id2
            ));
        }
        return None;
    }
    let from = u64::try_from(offset.checked_sub(1)?).ok();
    let backlog = replication.backlog.as_ref();
    let is_kept = |from: &u64| backlog.is_some_and(|kept| (kept.begin()..=kept.end()).contains(from));
    let found = from.filter(is_kept);
    if found.is_none() {
        log::notice(&format!(
            "Unable to partial resync with replica {shown} for lack of backlog (Replica request was: {offset})."
        ));
        if backlog.is_some_and(|kept| offset > kept.end() as i64 + 1) {
            log::warning(&format!(
                "Warning: replica {shown} tried to PSYNC with an offset that is greater than the master replication offset."
            ));
        }
    }
    found
}

/// A replica goes on reading the stream from a position.
fn go_on(server: &mut Server, replication: &mut Replication, at: usize, from: u64, shown: &str) {
    server.stats.syncs_partial += 1;
    let replica = &mut replication.replicas[at];
    (replica.stage, replica.cursor, replica.awaits_ack) = (Stage::Online, from, false);
    replica.acked = replica.acked.max(from as i64);
    let left = replication.backlog.as_ref().map_or(0, |backlog| backlog.end() - from);
    log::notice(&format!(
        "Partial resynchronization request from {shown} accepted. Sending {left} bytes of backlog starting from offset {}.",
        from + 1
    ));
    let reads_id = replica.said.reads_id;
    primary::tell(server, replica, ON_REPLICA);
    let line =
        if reads_id { format!("+CONTINUE {}\r\n", server.registry.replication.id) } else { "+CONTINUE\r\n".into() };
    if let Some(client) = server.sessions.clients.get(replica.token) {
        client.output.write(line.as_bytes());
    }
}

/// The first replica has come: the stream begins.
fn begin_stream(server: &mut Server) {
    if !server.registry.replication.is_replica() {
        state::new_id(server);
    }
    state::keep_backlog(server);
    let known = &server.registry.replication;
    log::notice(&format!("Replication backlog created, my new replication IDs are '{}' and '{}'", known.id, known.id2));
}

/// What kind of snapshot a replica is to have.
fn kind(server: &Server, replication: &Replication, replica: &Replica) -> Kind {
    let version = u16::try_from(server.settings.durability.rdb_version).unwrap_or_default();
    let has_refused = replication.knows_refusals() && replication.has_refused(&address(server, replica));
    replica.said.kind(version, server.settings.replication.diskless_sync, has_refused)
}

/// A replica that is too old for functions is too old for these data; and one that has left for another reason is not
/// to be without them.
fn mind_functions(server: &mut Server, replication: &mut Replication) {
    if replication.knows_refusals() && beside::parts(server).is_ok_and(|parts| !parts.functions.is_empty()) {
        replication.forget_refusals();
    }
}

/// Have a replica take part in a snapshot that is being written to a file, if it is of its kind.
fn join(server: &mut Server, replication: &mut Replication, at: usize) {
    let kind = kind(server, replication, &replication.replicas[at]);
    let Some(round) = &replication.round else {
        if child::task(server) == Some(SNAPSHOT.name) {
            log::notice("Current BGSAVE has socket target or is not for replicas. Waiting for next BGSAVE for SYNC");
        }
        return;
    };
    if round.kind.is_pipe {
        log::notice("Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC");
    } else if round.kind != kind || round.made.is_some() || round.id != server.registry.replication.id {
        log::notice("Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC");
    } else {
        let from = round.at;
        let replica = &mut replication.replicas[at];
        (replica.stage, replica.cursor) = (Stage::Saving, from);
        tell_full(server, replica, from);
        log::notice("Waiting for end of BGSAVE for SYNC");
    }
}

/// Tell a replica that all is to come, as of a position of the stream.
fn tell_full(server: &mut Server, replica: &Replica, at: u64) {
    if replica.is_plain {
        return;
    }
    let line = format!("+FULLRESYNC {} {at}\r\n", server.registry.replication.id);
    if let Some(client) = server.sessions.clients.get(replica.token) {
        client.output.write(line.as_bytes());
        server.sessions.clients.list_write(replica.token);
    }
}

/// Begin a snapshot if somebody waits for one, and if it is time.
pub fn begin_what_is_due(server: &mut Server, now: Instant) {
    let mut replication = server.slots.take::<Replication>();
    if replication.round.is_none() && !child::is_busy(server) && !server.registry.standing.is_loading {
        mind_functions(server, &mut replication);
        let waiting = || replication.replicas.iter().filter(|replica| replica.stage == Stage::Waiting);
        let first = waiting().min_by_key(|replica| replica.asked);
        if let Some((kind, asked)) = first.map(|first| (kind(server, &replication, first), first.asked)) {
            let settings = &server.settings.replication;
            let group: Vec<usize> = waiting()
                .filter(|other| self::kind(server, &replication, other) == kind)
                .map(|one| one.token)
                .collect();
            let most = usize::try_from(settings.diskless_sync_max_replicas).unwrap_or(0);
            let delay = Duration::from_secs(settings.diskless_sync_delay_s.unsigned_abs());
            if !kind.is_pipe || now - asked >= delay || most > 0 && group.len() >= most {
                begin(server, &mut replication, kind, &group);
            }
        }
    }
    server.slots.put(replication);
}

fn begin(server: &mut Server, replication: &mut Replication, kind: Kind, group: &[usize]) {
    let to = if kind.is_pipe { "replicas sockets" } else { "disk" };
    log::notice(&format!("Starting BGSAVE for SYNC with target: {to}"));
    let at = server.registry.replication.offset.unsigned_abs();
    // The stream from here on is read by somebody who has selected no database.
    replication.restart_text();
    replication.rounds += 1;
    let number = replication.rounds;
    let begun = if kind.is_pipe { begin_pipe(server, kind) } else { begin_file(server, kind).map(|()| None) };
    let pipe = match begun {
        Ok(pipe) => pipe,
        Err(error) => {
            log::warning(&format!("Can't save in background: fork: {error}"));
            log::warning("BGSAVE for replication failed");
            for token in group {
                if let Some(client) = server.sessions.clients.get(*token) {
                    client.output.write(b"-ERR BGSAVE failed, replication can't continue\r\n");
                    client.close_after_reply();
                    server.sessions.clients.list_write(*token);
                }
            }
            return;
        }
    };
    let id = server.registry.replication.id.clone();
    let is_kept = is_kept(server, kind);
    replication.round = Some(Round { number, kind, id, at, made: None, piped: false, is_kept });
    let mut targets = Vec::new();
    for replica in replication.replicas.iter_mut().filter(|replica| group.contains(&replica.token)) {
        (replica.stage, replica.cursor) = (Stage::Saving, at);
        tell_full(server, replica, at);
        replica.awaits_ack = kind.is_pipe;
        if kind.is_pipe {
            targets.extend(hand_over(server, replica));
        }
    }
    if let Some(pipe) = pipe {
        let transfer = transfer(server, replication);
        if let Err(error) = transfer.send_pipe(pipe, targets, number) {
            log::warning(&format!("Can't send a snapshot: {error}"));
            end_pipe(server, replication, number);
        }
    }
}

/// Have a thread write to a replica's socket, and nobody else, once all that waits for it is sent.
fn hand_over(server: &mut Server, replica: &mut Replica) -> Option<Target> {
    let client = server.sessions.clients.get(replica.token)?;
    let is_sent = client.output.send(&mut client.socket).is_ok() && client.output.pending() == 0;
    let session = client.socket.session();
    match client.socket.try_clone_handle().ok().filter(|_| is_sent) {
        Some(socket) => {
            replica.stage = Stage::Sending;
            Some(Target { client: replica.client, socket, session })
        }
        None => {
            server.sessions.clients.close(replica.token);
            None
        }
    }
}

fn transfer(server: &Server, replication: &Replication) -> Transfer {
    let timeout_s = server.settings.replication.timeout_s.unsigned_abs();
    replication.post.set_timeout(Duration::from_secs(timeout_s));
    Transfer { post: replication.post.clone(), resumes: server.sessions.blocking.resumes.clone() }
}

fn form(server: &Server, kind: Kind) -> Form {
    let known = &server.registry.replication;
    let mut form = Form::of(server);
    (form.version, form.rises) = (kind.version, kind.rises);
    (form.has_keys, form.has_functions) = (!kind.no_keys, !kind.no_functions && kind.version >= WITH_FUNCTIONS);
    // Behind it this server's own stream begins anew, and a primary's goes on.
    let db = if known.is_replica() { known.stream_db } else { 0 };
    form.aux.extend([
        ("repl-stream-db", db.to_string()),
        ("repl-id", known.id.clone()),
        ("repl-offset", known.offset.to_string()),
    ]);
    form
}

fn is_slow(server: &Server) -> bool {
    server.settings.durability.rdb_key_save_delay != 0
}

/// Whether a snapshot of a kind is one that a save point may want.
fn is_kept(server: &Server, kind: Kind) -> bool {
    let durability = &server.settings.durability;
    let has_all = !kind.no_keys && !kind.no_functions && kind.version >= WITH_FUNCTIONS;
    let fits = i64::from(kind.version) <= durability.rdb_version && has_all;
    !kind.is_pipe && fits && !durability.save.is_empty()
}

fn begin_file(server: &mut Server, kind: Kind) -> std::io::Result<()> {
    let form = form(server, kind);
    let slow = is_slow(server);
    let is_kept = is_kept(server, kind);
    save::note_begin(server);
    let work = move |server: &mut Server, reporter: &mut Reporter| {
        let path = file_path(server, std::process::id());
        let file = server.disk.create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let sunk = snapshot::write(server, file, &form, || reporter.key_done()).map_err(|error| error.to_string())?;
        let synced = if is_kept { server.disk.sync(&sunk.file) } else { Ok(()) };
        synced.map_err(|error| error.to_string())
    };
    let pid = child::begin(server, TASK, slow, work)?;
    log::notice(&format!("Background saving started by pid {pid}"));
    Ok(())
}

/// The file of a child.
fn file_path(server: &Server, pid: u32) -> PathBuf {
    temporary(&save::path(server), pid)
}

fn begin_pipe(server: &mut Server, kind: Kind) -> std::io::Result<Option<std::io::PipeReader>> {
    let (reader, writer) = std::io::pipe()?;
    let mut reader = Some(reader);
    let mut form = form(server, kind);
    // A pipe cannot be begun anew.
    if form.rises {
        form.version = server.store.version_needed(form.version).min(crate::durable::version::NEWEST);
        form.rises = false;
    }
    form.syncs = false;
    let mark = Random::new().identity();
    let slow = is_slow(server);
    let reader_of_child = &mut reader;
    let work = move |server: &mut Server, reporter: &mut Reporter| {
        // Else a write would wait for ever where the parent reads no more.
        drop(reader_of_child.take());
        let failed = |error: std::io::Error| format!("Can't write to replicas: {error}");
        let disk = server.disk.clone();
        let pipe = DiskFile { file: File::from(OwnedFd::from(writer)), path: "replicas".into() };
        disk.write_all(&pipe, format!("$EOF:{mark}\r\n").as_bytes()).map_err(failed)?;
        let sunk = snapshot::write(server, pipe, &form, || reporter.key_done()).map_err(|error| error.to_string())?;
        disk.write_all(&sunk.file, mark.as_bytes()).map_err(failed)
    };
    let pid = child::begin(server, TASK, slow, work)?;
    log::notice(&format!("Background RDB transfer started by pid {pid}"));
    Ok(reader)
}

/// The child of a round has ended.
fn ended(server: &mut Server, child: &Child, ending: &Ending) {
    let mut replication = server.slots.take::<Replication>();
    if !child.report.reason.is_empty() {
        log::warning(&child.report.reason);
    }
    let is_made = *ending == Ending::Done;
    if let Some(round) = &mut replication.round {
        round.made = Some(is_made);
        if round.kind.is_pipe {
            log::notice(match ending {
                Ending::Done => "Background RDB transfer terminated with success",
                Ending::Failed => "Background transfer error",
                Ending::Cancelled | Ending::Killed(_) => "Background transfer terminated by signal",
            });
            settle_pipe(server, &mut replication);
        } else {
            log::notice(if is_made { "Background saving terminated with success" } else { "Background saving error" });
            let path = file_path(server, child.pid.unsigned_abs());
            let is_kept = round.is_kept;
            send_files(server, &mut replication, &path, is_made);
            if is_made && is_kept {
                save::keep(server, &path);
            } else {
                let _ = server.disk.remove(&path);
            }
            replication.round = None;
        }
    }
    replication.next = None;
    server.slots.put(replication);
}

/// A file is written: it is sent to all who have waited for it.
fn send_files(server: &mut Server, replication: &mut Replication, path: &std::path::Path, is_made: bool) {
    for at in 0..replication.replicas.len() {
        if replication.replicas[at].stage != Stage::Saving {
            continue;
        }
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let Some((bytes, file)) = opened.ok().filter(|_| is_made) else {
            log::warning("SYNC failed. BGSAVE child returned an error");
            server.sessions.clients.close(replication.replicas[at].token);
            continue;
        };
        let transfer = transfer(server, replication);
        let replica = &mut replication.replicas[at];
        let sent = hand_over(server, replica).map(|target| transfer.send_file(file, bytes, target));
        if let Some(Err(error)) = sent {
            log::warning(&format!("Can't send a snapshot: {error}"));
            server.sessions.clients.close(replica.token);
        }
    }
}

/// Follow up what threads have said.
pub fn follow_threads(server: &mut Server) {
    let mut replication = server.slots.take::<Replication>();
    if replication.post.any() {
        for word in replication.post.take() {
            match word {
                Word::Sent(client) => sent(server, &mut replication, client),
                Word::Lost(client, reason) => lost(server, &replication, client, &reason),
                Word::PipeEnded(number) => end_pipe(server, &mut replication, number),
            }
        }
    }
    server.slots.put(replication);
}

/// Whether a replica that has the snapshot wants no more than that.
fn is_served(replica: &mut Replica, shown: &str) -> bool {
    if replica.said.rdb_only {
        replica.stage = Stage::Served;
        log::notice(&format!("RDB transfer completed, rdb only replica ({shown}) should be disconnected asap"));
    }
    replica.said.rdb_only
}

/// A replica has a whole file.
fn sent(server: &mut Server, replication: &mut Replication, client: u64) {
    let now_s = server.clock.now_s;
    let Some(replica) = replication.replicas.iter_mut().find(|replica| replica.client == client) else { return };
    let shown = name(server, replica);
    replica.heard_s = now_s;
    if is_served(replica, &shown) {
        return;
    }
    replica.stage = Stage::Online;
    primary::tell(server, replica, ON_REPLICA);
    log::notice(&format!("Synchronization with replica {shown} succeeded"));
    server.sessions.clients.list_write(replica.token);
}

/// A replica could not be sent more.
fn lost(server: &mut Server, replication: &Replication, client: u64, reason: &str) {
    let Some(replica) = replication.replicas.iter().find(|replica| replica.client == client) else { return };
    let shown = name(server, replica);
    if reason == TIMED_OUT {
        log::warning(&format!("Disconnecting timedout replica (full sync): {shown}"));
    } else {
        log::warning(&format!("Sending a snapshot to replica {shown} failed: {reason}"));
    }
    server.sessions.clients.close(replica.token);
}

/// The pipe of a round has ended.
fn end_pipe(server: &mut Server, replication: &mut Replication, number: u64) {
    let left = replication.replicas.iter().filter(|replica| replica.stage == Stage::Sending).count();
    let Some(round) = replication.round.as_mut().filter(|round| round.number == number) else { return };
    round.piped = true;
    log::notice(&format!(
        "Diskless rdb transfer, done reading from pipe, {left} replicas still up, 0 bytes still up to be sent."
    ));
    settle_pipe(server, replication);
}

/// When child and pipe have ended, those who have read all go on with the stream.
fn settle_pipe(server: &mut Server, replication: &mut Replication) {
    let Some((made, _)) = replication.round.as_ref().and_then(|round| Some((round.made?, round.piped.then_some(())?)))
    else {
        return;
    };
    replication.round = None;
    let now_s = server.clock.now_s;
    for replica in replication.replicas.iter_mut().filter(|replica| replica.stage == Stage::Sending) {
        let shown = name(server, replica);
        if !made {
            server.sessions.clients.close(replica.token);
            continue;
        }
        replica.heard_s = now_s;
        if is_served(replica, &shown) {
            continue;
        }
        replica.stage = Stage::Online;
        primary::tell(server, replica, ON_REPLICA);
        // It may have acknowledged already.
        server.sessions.clients.list_write(replica.token);
        log::notice(&format!(
            "Streamed replica with replica {shown} succeeded (socket). Waiting for REPLCONF ACK from replica to enable streaming"
        ));
    }
}

/// A replica has left: a snapshot that nobody waits for any more is given up, unless it is of use without replicas.
pub fn left(server: &mut Server, replication: &mut Replication) {
    let Some(round) = replication.round.as_ref().filter(|round| round.made.is_none()) else { return };
    let stage = if round.kind.is_pipe { Stage::Sending } else { Stage::Saving };
    if replication.replicas.iter().any(|replica| replica.stage == stage) {
        return;
    }
    if round.is_kept {
        return;
    }
    if round.kind.is_pipe {
        log::notice("Diskless rdb transfer, last replica dropped, killing fork child.");
    }
    child::cancel(server, TASK.name);
}
