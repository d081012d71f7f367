//! The append-only file: each unit of what is propagated is kept in files, and run again at the next start.
//!
//! ```text
//!   effects ── observe ──> text ── flush ──> increment ─┐
//!                                                        ├─ manifest ── load ──> replay
//!   rewrite: all values at one moment ──> base ─────────┘
//! ```
//!
//! - [`folder`]: where the files lie, the manifest, the lock.
//! - [`text`], [`writer`], [`syncer`]: units on their way to the disk.
//! - [`load`]: the files at a start; [`replay`]: one of them, command by command.
//! - [`rewrite`]: a new base, and increments anew; [`base`]: what a base holds.
//! - [`switch`]: `appendonly` while the server runs.
//!
//! Invariants:
//! - Base and increments that the manifest names, loaded in order, give the state after the last unit that
//!   was written.
//! - A reply leaves when what it tells of is written; with `appendfsync always`, when it lasts.
//! - While a file is loaded nothing is appended.

pub mod base;
pub mod folder;
pub mod load;
pub mod replay;
pub mod rewrite;
pub mod switch;
pub mod syncer;
pub mod text;
pub mod writer;

use crate::durable::aof_manifest::Manifest;
use crate::durable::aof_text;
use crate::engine::duties::Duty;
use crate::engine::server::Server;
use crate::persist::aof::folder::Folder;
use crate::persist::aof::rewrite::Rewrites;
use crate::persist::aof::writer::{Policy, Writer};
use crate::persist::child;
use crate::persist::load::Serve;
use crate::session::resume::Resumes;
use crate::store::effects::Effect;
use plinth_abi::propagate::PROPAGATE_TO_FILE;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Whether units are appended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum State {
    /// No.
    #[default]
    Off,
    /// When the first rewrite is done; while it goes on, to a file that is named only then.
    Waiting,
    /// Yes.
    On,
}

/// The append-only file of the server.
#[derive(Default)]
pub struct Aof {
    /// Whether units are appended.
    pub state: State,
    folder: Option<Folder>,
    manifest: Manifest,
    writer: Writer,
    rewrites: Rewrites,
}

impl Aof {
    /// The folder, which is open, and what its manifest names is known.
    fn folder(&mut self, server: &Server) -> Result<&Folder, String> {
        let mut folder = self.folder.take().unwrap_or_else(|| Folder::new(&server.settings));
        let opened = folder.open(&*server.disk).and_then(|()| {
            if self.manifest.is_empty() {
                self.manifest = folder.load()?;
            }
            Ok(())
        });
        let folder = self.folder.insert(folder);
        opened.map(|()| &*folder)
    }
}

/// Units go into the text that is to be written.
pub fn observe(server: &mut Server, effect: &Effect) {
    if !server.propagation.to_file {
        return;
    }
    match effect {
        Effect::Propagate { db, command, targets } if targets & PROPAGATE_TO_FILE != 0 => {
            let now_s = server.settings.aof.timestamps.then_some(server.clock.now_s);
            server.excess.uncounted_bytes = server.slots.with(|aof: &mut Aof| {
                aof.writer.text.add(*db, command, now_s);
                aof.writer.text.memory_bytes()
            });
        }
        Effect::UnitEnd => server.slots.with(|aof: &mut Aof| aof.writer.text.end_unit()),
        Effect::Propagate { .. }
        | Effect::Changed { .. }
        | Effect::Event { .. }
        | Effect::Flushed { .. }
        | Effect::Swapped { .. } => {}
    }
}

/// Before replies leave: what they tell of is written, and lasts if `appendfsync` says so.
pub fn flush(server: &mut Server) {
    if !server.propagation.to_file {
        server.excess.uncounted_bytes = 0;
        return;
    }
    let (disk, policy) = (server.disk.clone(), policy(server));
    let (refusal, bytes) = server.slots.with(|aof: &mut Aof| {
        aof.writer.flush(&disk, policy);
        (aof.writer.refusal(), aof.writer.text.memory_bytes())
    });
    server.excess.uncounted_bytes = bytes;
    refuse_for(server, refusal);
}

/// Have commands that write refused, for a reason or no longer.
fn refuse_for(server: &mut Server, reason: Option<String>) {
    let text = reason.map(|reason| format!("MISCONF Errors writing to the AOF file: {reason}"));
    if server.registry.standing.append_failed != text {
        server.registry.standing.append_failed = text;
        server.observe();
    }
}

fn policy(server: &Server) -> Policy {
    Policy::of(&server.settings.aof, child::is_busy(server))
}

/// Look after the append-only file.
pub const DUTY: Duty = Duty { due, run };

fn due(server: &Server, now: Instant) -> Option<Duration> {
    let aof = server.slots.peek::<Aof>()?;
    let writer = aof.writer.due(policy(server), now);
    // A sync that has failed is tried again, and what the thread says of it is looked at.
    let refused = server.registry.standing.append_failed.as_ref().map(|_| Duration::from_millis(100));
    writer.into_iter().chain(refused).chain(rewrite::due(server, aof, now)).min()
}

fn run(server: &mut Server, now: Instant) {
    flush(server);
    rewrite::settle_doubt(server);
    rewrite::look(server, now);
}

/// Have units taken or not, as the state says.
fn take_units(server: &mut Server, takes: bool) {
    server.propagation.to_file = takes;
    server.observe();
}

/// At start-up, with `appendonly yes`: load what is there, and go on with it; `serve` is called now and then.
/// Fails with a reason for whoever starts the server.
pub fn start(server: &mut Server, serve: Serve<'_>) -> Result<(), String> {
    let mut aof = server.slots.take::<Aof>();
    let started = start_with(server, &mut aof, serve);
    let is_on = started.is_ok();
    if is_on {
        aof.state = State::On;
    }
    server.slots.put(aof);
    take_units(server, is_on);
    started
}

fn start_with(server: &mut Server, aof: &mut Aof, serve: Serve<'_>) -> Result<(), String> {
    aof.folder(server)?;
    load::load(server, aof, serve)?;
    let disk = server.disk.clone();
    let preamble = base::has_preamble(server);
    if aof.manifest.is_empty() {
        let Aof { folder: Some(folder), manifest, .. } = &mut *aof else { return Ok(()) };
        let name = manifest.begin_base(folder.file(), preamble).name.clone();
        let temp = folder.temp("base");
        base::write(server, &temp, preamble, || {})
            .map_err(|error| format!("Can't write the AOF base file {error}"))?;
        disk.rename(&temp, &folder.part(&name)).map_err(|error| format!("Can't name the AOF base file: {error}"))?;
        crate::base::log::notice(&format!("Creating AOF base file {name} on server start"));
    }
    let Aof { folder: Some(folder), manifest, writer, .. } = aof else { return Ok(()) };
    let failed = |error: std::io::Error| format!("Can't open the append-only file: {error}");
    let last = match manifest.increments.last() {
        Some(last) => last.clone(),
        None => {
            let part = manifest.begin_increment(folder.file());
            crate::base::log::notice(&format!("Creating AOF incr file {} on server start", part.name));
            part
        }
    };
    let file = disk.append(&folder.part(&last.name)).map_err(failed)?;
    let bytes = file.file.metadata().map_err(failed)?.len();
    folder.sync(&*disk).map_err(failed)?;
    writer.open(file, bytes);
    folder.save(&*disk, manifest).map_err(|error| format!("Can't write the AOF manifest: {error}"))?;
    rewrite::note_size(aof);
    rewrite::remove_history(server, aof);
    Ok(())
}

/// Whether an end would lose what was promised: the first rewrite of a file that was switched on goes on still.
pub fn is_unfinished(server: &Server) -> bool {
    server.slots.peek::<Aof>().is_some_and(|aof| aof.state == State::Waiting)
}

/// At the end: all is written and lasts.
pub fn stop(server: &mut Server) {
    if crate::persist::child::cancel(server, rewrite::REWRITE.name) {
        crate::base::log::warning("There is a child rewriting the AOF. Killing it!");
    }
    let disk = server.disk.clone();
    let known = &server.registry.replication;
    let place = known.is_kept.then(|| aof_text::place_remark(&known.id, known.offset, i64::from(known.stream_db)));
    server.slots.with(|aof: &mut Aof| {
        if aof.state == State::On {
            // Behind all of it, so that the next start goes on with the stream from here.
            place.iter().for_each(|place| aof.writer.text.remark(place));
            crate::base::log::notice("Calling fsync() on the AOF file.");
        }
        aof.writer.close(&disk);
    });
    take_units(server, false);
}

/// WAITAOF's part here: whether all that was done so far lasts.
pub fn lasts(server: &mut Server) -> bool {
    let disk = server.disk.clone();
    let is_done = |aof: &mut Aof| aof.state == State::On && aof.writer.write(&disk).is_ok() && aof.writer.is_synced();
    server.slots.with(is_done)
}

/// Bytes that were ever appended, with all that was done so far, and how many of them last; none while nothing is
/// appended.
pub fn progress(server: &mut Server) -> Option<(u64, u64)> {
    let disk = server.disk.clone();
    server.slots.with(|aof: &mut Aof| {
        let is_written = aof.state == State::On && aof.writer.write(&disk).is_ok();
        is_written.then(|| aof.writer.progress())
    })
}

/// Have a client run again, under a ticket, when all that was done so far lasts.
pub fn wait_for_sync(server: &mut Server, ticket: u64, resumes: &Arc<Resumes>) {
    let disk = server.disk.clone();
    server.slots.with(|aof: &mut Aof| aof.writer.wait_for_sync(&disk, ticket, resumes));
}

/// Make a write take longer, for tests (`DEBUG AOF-FLUSH-SLEEP`).
pub fn sleep_before_writes(server: &mut Server, sleep: Duration) {
    server.slots.with(|aof: &mut Aof| aof.writer.sleep = sleep);
}

/// Fields of INFO, with their values.
pub type Fields = Vec<(&'static str, String)>;

/// What INFO says of it: always, and while it is on.
pub fn fields(server: &Server) -> (Fields, Fields) {
    let idle = Aof::default();
    let aof = server.slots.peek::<Aof>().unwrap_or(&idle);
    let ok = |is_well: bool| if is_well { "ok" } else { "err" }.to_owned();
    let seconds = |since: Option<Duration>| since.map_or("-1".into(), |since| since.as_secs().to_string());
    let rewrites = &aof.rewrites;
    let always = vec![
        ("aof_enabled", u8::from(aof.state != State::Off).to_string()),
        ("aof_rewrite_in_progress", u8::from(rewrites.is_running()).to_string()),
        ("aof_rewrite_scheduled", u8::from(rewrites.is_scheduled).to_string()),
        ("aof_last_rewrite_time_sec", seconds(rewrites.last_took)),
        ("aof_current_rewrite_time_sec", seconds(rewrites.began_at.map(|at| at.elapsed()))),
        ("aof_last_bgrewrite_status", ok(!rewrites.last_failed)),
        ("aof_rewrites", rewrites.begun.to_string()),
        ("aof_rewrites_consecutive_failures", rewrites.failures.to_string()),
        ("aof_last_write_status", ok(aof.writer.is_well())),
        ("aof_last_cow_size", rewrites.cow_bytes.to_string()),
    ];
    if aof.state == State::Off {
        return (always, Vec::new());
    }
    let sizes = vec![
        ("aof_current_size", aof.writer.total_bytes.to_string()),
        ("aof_base_size", rewrites.base_bytes.to_string()),
        ("aof_pending_rewrite", u8::from(rewrites.is_scheduled).to_string()),
        ("aof_buffer_length", aof.writer.text.len().to_string()),
        ("aof_pending_bio_fsync", aof.writer.waiting().to_string()),
        ("aof_delayed_fsync", aof.writer.delayed.to_string()),
    ];
    (always, sizes)
}
