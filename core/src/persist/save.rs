//! Saving: SAVE, BGSAVE, and the snapshots that are taken by themselves.

use crate::base::log;
use crate::base::signals;
use crate::engine::duties::Duty;
use crate::engine::server::Server;
use crate::persist::Persist;
use crate::persist::child::{self, Child, Ending, Reporter, Task};
use crate::persist::snapshot::{self, Form, temporary};
use crate::persist::standing;
use crate::store::effects::Effect;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Time between two looks at whether a snapshot is due ...
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// ... and at a child.
const CHILD_EVERY: Duration = Duration::from_millis(20);
/// Seconds after a failure before the next attempt.
const RETRY_S: i64 = 5;

/// What was saved.
pub struct Saves {
    /// The store's count of changes as of the last snapshot.
    pub dirty: u64,
    /// When the last snapshot was taken, Unix time in seconds; 0 for none yet.
    pub last_s: i64,
    /// When one was tried last, or 0.
    tried_s: i64,
    /// Whether the last one in the background was taken.
    pub succeeded: bool,
    /// Seconds that the last one in the background took, or -1.
    pub last_took_s: i64,
    /// How many there were.
    pub count: u64,
    /// Bytes that were copied for the last one in the background.
    pub last_copied_bytes: u64,
    /// Whether one in the background is wanted as soon as there is no other child.
    pub is_scheduled: bool,
    /// Whether all databases were emptied, which the file is to say too.
    flushed: bool,
    /// The count of changes when the child began.
    dirty_at_begin: u64,
}

impl Default for Saves {
    fn default() -> Saves {
        Saves {
            dirty: 0,
            last_s: 0,
            tried_s: 0,
            succeeded: true,
            last_took_s: -1,
            count: 0,
            last_copied_bytes: 0,
            is_scheduled: false,
            flushed: false,
            dirty_at_begin: 0,
        }
    }
}

/// A snapshot in the background.
pub const SNAPSHOT: Task = Task { name: "RDB", ended };

/// Save points, what is scheduled, and the child.
pub const DUTY: Duty = Duty { due, run };

/// Why there is no snapshot in the background.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// There is one already.
    Busy,
    /// Another child works.
    OtherChild,
    /// The system gives no process.
    NoProcess,
}

/// Where the snapshot lies.
pub fn path(server: &Server) -> PathBuf {
    PathBuf::from(&server.settings.durability.dbfilename)
}

/// When the last snapshot was taken, Unix time in seconds; before the first, when the server began.
pub fn last_s(server: &Server) -> i64 {
    let last_s = server.slots.peek::<Persist>().map_or(0, |persist| persist.saves.last_s);
    if last_s == 0 { server.clock.now_s - server.clock.uptime_s() } else { last_s }
}

/// Take a snapshot now, which nothing else of the server's waits for.
///
/// # Errors
/// The reason, which is in the log.
pub fn save(server: &mut Server) -> Result<(), String> {
    let to = path(server);
    let temp = temporary(&to, std::process::id());
    signals::guard_file(Some(temp.clone()));
    let result = write_file(server, &to, &temp, || {}, || Ok(()));
    signals::guard_file(None);
    match &result {
        Ok(()) => {
            log::notice("DB saved on disk");
            let (dirty, now_s) = (server.store.dirty, crate::base::clock::unix_us() / 1_000_000);
            server.slots.with(|persist: &mut Persist| persist.saves.succeed(dirty, now_s));
            standing::changed(server);
        }
        Err(reason) => log::warning(reason),
    }
    result
}

/// Write a snapshot to a file of its own, and put it in the place of another if `may_replace` says so.
fn write_file(
    server: &mut Server,
    to: &Path,
    temp: &Path,
    each: impl FnMut(),
    may_replace: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let disk = server.disk.clone();
    let folder = std::env::current_dir().unwrap_or_default();
    let (shown, folder) = (temp.display(), folder.display());
    let file = disk.create(temp).map_err(|error| {
        format!("Failed opening the temp RDB file {shown} (in server root dir {folder}) for saving: {error}")
    })?;
    let form = Form::of_stream(server);
    let written = snapshot::write(server, file, &form, each)
        .map_err(|error| format!("Write error saving DB on disk: {error}"))
        .and_then(|sunk| may_replace().map(|()| sunk))
        .and_then(|sunk| {
            disk.replace(sunk.file, to).map_err(|error| {
                format!(
                    "Error moving temp DB file {shown} on the final destination {} (in server root dir {folder}): {error}",
                    to.display()
                )
            })
        });
    written.inspect_err(|_| _ = disk.remove(temp))
}

/// Begin a snapshot in the background.
///
/// # Errors
/// [`Refusal`].
pub fn save_in_background(server: &mut Server) -> Result<(), Refusal> {
    match child::task(server) {
        Some(name) if name == SNAPSHOT.name => return Err(Refusal::Busy),
        Some(_) => return Err(Refusal::OtherChild),
        None => {}
    }
    note_begin(server);
    server.slots.with(|persist: &mut Persist| persist.saves.is_scheduled = false);
    let is_slow = server.settings.durability.rdb_key_save_delay != 0;
    let parent = std::process::id();
    let work = move |server: &mut Server, reporter: &mut Reporter| {
        let to = path(server);
        let temp = temporary(&to, std::process::id());
        // Another server may have begun since, and saved newer data.
        let may_replace = || if child::is_of(parent) { Ok(()) } else { Err("the server has ended".to_owned()) };
        write_file(server, &to, &temp, || reporter.key_done(), may_replace)
    };
    match child::begin(server, SNAPSHOT, is_slow, work) {
        Ok(pid) => {
            log::notice(&format!("Background saving started by pid {pid}"));
            Ok(())
        }
        Err(error) => {
            log::warning(&format!("Can't save in background: fork: {error}"));
            server.slots.with(|persist: &mut Persist| persist.saves.succeeded = false);
            standing::changed(server);
            Err(Refusal::NoProcess)
        }
    }
}

/// A snapshot is begun that shows the data as they are now.
pub fn note_begin(server: &mut Server) {
    let (dirty, now_s) = (server.store.dirty, server.clock.now_s);
    server.slots.with(|persist: &mut Persist| {
        persist.saves.tried_s = now_s;
        persist.saves.dirty_at_begin = dirty;
    });
}

/// A snapshot that was made for others, and has lasted where it is, takes the place of the last one.
pub fn keep(server: &mut Server, temp: &Path) {
    let to = path(server);
    let folder = to.parent().unwrap_or(Path::new(""));
    let replaced = server.disk.rename(temp, &to).and_then(|()| server.disk.sync_folder(folder));
    if let Err(error) = replaced {
        log::warning(&format!("Error moving temp DB file {} to {}: {error}", temp.display(), to.display()));
        let _ = server.disk.remove(temp);
        return;
    }
    let now_s = crate::base::clock::unix_us() / 1_000_000;
    server.slots.with(|persist: &mut Persist| persist.saves.succeed(persist.saves.dirty_at_begin, now_s));
    standing::changed(server);
}

fn ended(server: &mut Server, child: &Child, ending: &Ending) {
    let took_s = child.begun.elapsed().as_secs() as i64;
    let copied = child.report.copied_bytes;
    match ending {
        Ending::Done => {
            log::notice("DB saved on disk");
            let mib = copied / (1 << 20);
            log::notice(&format!("Fork CoW for RDB: current {mib} MB, peak {mib} MB, average {mib} MB"));
            log::notice("Background saving terminated with success");
        }
        Ending::Failed => {
            if !child.report.reason.is_empty() {
                log::warning(&child.report.reason);
            }
            log::warning("Background saving error");
        }
        Ending::Cancelled => {
            log::warning(&format!("Background saving terminated by signal {}", crate::base::fork::CANCEL))
        }
        Ending::Killed(signal) => log::warning(&format!("Background saving terminated by signal {signal}")),
    }
    if matches!(ending, Ending::Cancelled | Ending::Killed(_)) {
        let _ = server.disk.remove(&temporary(&path(server), child.pid.unsigned_abs()));
    }
    let now_s = crate::base::clock::unix_us() / 1_000_000;
    server.slots.with(|persist: &mut Persist| {
        let saves = &mut persist.saves;
        saves.last_took_s = took_s;
        saves.last_copied_bytes = copied;
        match ending {
            Ending::Done => saves.succeed(saves.dirty_at_begin, now_s),
            Ending::Cancelled => {}
            Ending::Failed | Ending::Killed(_) => saves.succeeded = false,
        }
    });
    standing::changed(server);
}

impl Saves {
    fn succeed(&mut self, dirty: u64, now_s: i64) {
        (self.dirty, self.last_s, self.succeeded) = (dirty, now_s, true);
        self.count += 1;
    }
}

/// Whoever empties all databases wants to find them empty after a restart: noted here, done by the duty.
pub fn observe(server: &mut Server, effect: &Effect) {
    // What is loaded is in a file already.
    if matches!(effect, Effect::Flushed { db: None, .. }) && !server.is_quiet {
        child::cancel(server, SNAPSHOT.name);
        let has_points = !server.settings.durability.save.is_empty();
        server.slots.with(|persist: &mut Persist| persist.saves.flushed |= has_points);
    }
}

fn due(server: &Server, now: Instant) -> Option<Duration> {
    let persist = server.slots.peek::<Persist>()?;
    if persist.saves.flushed {
        return Some(Duration::ZERO);
    }
    let is_wanted =
        persist.child.is_some() || persist.saves.is_scheduled || !server.settings.durability.save.is_empty();
    is_wanted.then(|| persist.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now)))
}

fn run(server: &mut Server, now: Instant) {
    if child::is_busy(server) && !server.cron_paused {
        child::look_after(server);
    }
    let is_busy = child::is_busy(server);
    let flushed = server.slots.with(|persist: &mut Persist| {
        persist.next = Some(now + if is_busy { CHILD_EVERY } else { LOOK_EVERY });
        std::mem::take(&mut persist.saves.flushed)
    });
    if flushed {
        // It failed or not, the log says it.
        let _ = save(server);
    }
    if !is_busy && !server.cron_paused {
        begin_what_is_due(server);
    }
}

fn begin_what_is_due(server: &mut Server) {
    let Some(persist) = server.slots.peek::<Persist>() else { return };
    let (saves, now_s) = (&persist.saves, server.clock.now_s);
    let may_try = saves.succeeded || now_s - saves.tried_s > RETRY_S;
    let changes = server.store.dirty.saturating_sub(saves.dirty);
    let since_s = now_s - last_s(server);
    let points = &server.settings.durability.save;
    let reached = points.iter().find(|point| changes > 0 && changes >= point.changes && since_s > point.seconds);
    let is_scheduled = saves.is_scheduled;
    if !may_try || !(is_scheduled || reached.is_some()) {
        return;
    }
    if let Some(point) = reached {
        log::notice(&format!("{} changes in {} seconds. Saving...", point.changes, point.seconds));
    }
    // A refusal is in the log, and tried again.
    let _ = save_in_background(server);
}
