//! Rewriting: a child writes all values as a new base, while what happens meanwhile goes into a new increment.
//!
//! ```text
//!   begin    units so far are written; a new increment is named behind the old ones; the child begins
//!   end      the base gets its name, the manifest names it and the new increment, all else is history
//!   failure  the manifest stays: old base, old increments, and the new one behind them
//! ```
//!
//! While the state is [`Waiting`](State::Waiting) there is nothing yet that increments could begin from, so the
//! new one is a file that no manifest names before the base is there.
//!
//! After three failures in a row a rewrite that begins by itself waits, a minute at first and then twice as long
//! each time, up to an hour.
//!
//! Invariant: the child's moment lies between two units.

use crate::base::log::plain;
use crate::engine::server::Server;
use crate::persist::aof::{Aof, State, base, take_units};
use crate::persist::child::{self, Child, Ending, Task};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Failures in a row after which rewrites wait.
const FAILURES_MAX: u64 = 3;
/// Longest wait.
const WAIT_MINUTES_MAX: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// How often it is looked whether another child has ended, or a file has grown.
const LOOK: Duration = Duration::from_millis(100);

/// Rest after a failure before what is scheduled begins.
const RETRY: Duration = Duration::from_millis(500);

/// Rewrites of this run.
#[derive(Default)]
pub struct Rewrites {
    /// One is to begin when it can.
    pub is_scheduled: bool,
    running: Option<Running>,
    /// When the one that runs has begun.
    pub began_at: Option<Instant>,
    /// How long the last one took.
    pub last_took: Option<Duration>,
    /// Whether the last one has failed.
    pub last_failed: bool,
    /// How many have begun.
    pub begun: u64,
    /// How many have failed since the last that did not.
    pub failures: u64,
    /// Bytes of the files after the last one, or at the start.
    pub base_bytes: u64,
    /// Bytes that the last child has copied because they changed meanwhile.
    pub cow_bytes: u64,
    /// Before when none begins that was scheduled, because the last has failed.
    retry_at: Option<Instant>,
    /// Until when those that begin by themselves wait, and how long that is.
    limit: Option<(Instant, u32)>,
}

struct Running {
    /// What the child writes.
    temp: PathBuf,
    preamble: bool,
    /// The state that it was begun in.
    state: State,
}

/// What the child does.
pub(super) const REWRITE: Task = Task { name: "AOF", ended };

impl Rewrites {
    /// Whether a child writes.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

/// How a request for a rewrite was taken.
#[derive(PartialEq, Eq, Debug)]
pub enum Begun {
    /// The child writes.
    Now,
    /// It begins when it can.
    Scheduled,
    /// One goes on already.
    Already,
}

/// Begin a rewrite for someone who asks, or have it begin as soon as it can. Fails when there can be none.
pub fn request(server: &mut Server, later: bool) -> Result<Begun, String> {
    if server.slots.with(|aof: &mut Aof| aof.rewrites.is_running()) {
        return Ok(Begun::Already);
    }
    if later {
        server.slots.with(|aof: &mut Aof| aof.rewrites.is_scheduled = true);
        return Ok(Begun::Scheduled);
    }
    request_anyway(server)
}

/// The same where one that goes on is of no use.
pub(super) fn request_anyway(server: &mut Server) -> Result<Begun, String> {
    if child::is_busy(server) || server.store.effects.unit_is_open {
        server.slots.with(|aof: &mut Aof| aof.rewrites.is_scheduled = true);
        return Ok(Begun::Scheduled);
    }
    begin(server).map(|()| Begun::Now)
}

/// Begin a rewrite.
pub(super) fn begin(server: &mut Server) -> Result<(), String> {
    let mut aof = server.slots.take::<Aof>();
    aof.rewrites.is_scheduled = false;
    let begun = begin_with(server, &mut aof);
    match &begun {
        Ok(_) => {
            aof.rewrites.begun += 1;
            aof.rewrites.began_at = Some(Instant::now());
        }
        Err(error) => {
            crate::base::log::warning(&format!("Can't rewrite append only file: {error}"));
            failed(&mut aof);
            aof.rewrites.is_scheduled = aof.state == State::Waiting;
        }
    }
    let takes = aof.writer.is_open();
    server.slots.put(aof);
    take_units(server, takes);
    begun
}

fn begin_with(server: &mut Server, aof: &mut Aof) -> Result<(), String> {
    aof.folder(server)?;
    if aof.state != State::Off {
        begin_increment(server, aof).map_err(|error| format!("can't begin a new increment: {error}"))?;
    }
    let Some(folder) = &aof.folder else { return Ok(()) };
    let preamble = base::has_preamble(server);
    let temp = folder.temp(&format!("base-{}", aof.rewrites.begun));
    let is_slow = server.settings.durability.rdb_key_save_delay != 0;
    let path = temp.clone();
    let pid = child::begin(server, REWRITE, is_slow, move |server, reporter| {
        base::write(server, &path, preamble, || reporter.key_done())
    });
    let pid = pid.map_err(|error| {
        if aof.state == State::Waiting {
            drop_increment(server, aof);
        }
        format!("fork: {}", plain(&error))
    })?;
    crate::base::log::notice(&format!("Background append only file rewriting started by pid {pid}"));
    aof.rewrites.running = Some(Running { temp, preamble, state: aof.state });
    Ok(())
}

/// Write on in a new file.
fn begin_increment(server: &mut Server, aof: &mut Aof) -> std::io::Result<()> {
    let disk = server.disk.clone();
    let Aof { state, folder: Some(folder), manifest, writer, .. } = aof else { return Ok(()) };
    if *state == State::Waiting {
        let file = disk.create(&folder.temp("incr"))?;
        writer.text.clear();
        writer.open(file, 0);
        return Ok(());
    }
    writer.write(&disk).map_err(std::io::Error::other)?;
    let mut next = manifest.clone();
    let part = next.begin_increment(folder.file());
    // What is in the old file lasts before a manifest names the new one: of what a manifest names only the last may be
    // cut off. Where it cannot be made to last, the base that is to be written holds it.
    let synced = writer.sync_now(&disk);
    if server.settings.aof.sync == crate::settings::aof::SYNC_ALWAYS {
        synced.map_err(std::io::Error::other)?;
    }
    let file = disk.create(&folder.part(&part.name))?;
    folder.sync(&*disk)?;
    folder.save(&*disk, &next)?;
    *manifest = next;
    writer.open(file, 0);
    crate::base::log::notice(&format!("Creating AOF incr file {} on background rewrite", part.name));
    Ok(())
}

/// Forget what was appended to a file that no manifest names.
fn drop_increment(server: &Server, aof: &mut Aof) {
    let Aof { folder: Some(folder), writer, .. } = aof else { return };
    if !writer.is_open() {
        return;
    }
    let path = folder.temp("incr");
    writer.discard();
    crate::base::log::notice(&format!("Removing the temp incr aof file {}", path.display()));
    let _ = server.disk.remove(&path);
}

/// The same, when the append-only file is switched off.
pub(super) fn drop_waiting(server: &mut Server) {
    let mut aof = server.slots.take::<Aof>();
    drop_increment(server, &mut aof);
    server.slots.put(aof);
}

/// The child has ended.
fn ended(server: &mut Server, child: &Child, ending: &Ending) {
    let mut aof = server.slots.take::<Aof>();
    if let Some(running) = aof.rewrites.running.take() {
        aof.rewrites.last_took = aof.rewrites.began_at.take().map(|at| at.elapsed());
        aof.rewrites.cow_bytes = child.report.copied_bytes;
        // What was begun in another state is of no use.
        let ending = if running.state == aof.state { *ending } else { Ending::Cancelled };
        finish(server, &mut aof, &running, ending, &child.report.reason);
    }
    let takes = aof.writer.is_open();
    server.slots.put(aof);
    take_units(server, takes);
}

fn finish(server: &mut Server, aof: &mut Aof, running: &Running, ending: Ending, reason: &str) {
    let result = match ending {
        Ending::Done => {
            install(server, aof, running).map_err(|error| format!("Can't put the new AOF base in place: {error}"))
        }
        Ending::Failed => Err(format!("Background AOF rewrite terminated with error: {reason}")),
        Ending::Cancelled => Err("Background AOF rewrite was cancelled".into()),
        Ending::Killed(signal) => Err(format!("Background AOF rewrite terminated by signal {signal}")),
    };
    let Err(why) = result else { return succeeded(server, aof) };
    crate::base::log::warning(&why);
    let _ = server.disk.remove(&running.temp);
    if running.state == State::Waiting {
        drop_increment(server, aof);
    }
    aof.rewrites.is_scheduled |= aof.state == State::Waiting;
    if ending != Ending::Cancelled {
        failed(aof);
    }
}

fn succeeded(server: &mut Server, aof: &mut Aof) {
    crate::base::log::notice("Background AOF rewrite finished successfully");
    aof.rewrites.last_failed = false;
    aof.rewrites.failures = 0;
    aof.rewrites.limit = None;
    aof.writer.settle();
    if aof.state == State::Waiting {
        aof.state = State::On;
    }
    note_size(aof);
    remove_history(server, aof);
}

/// Give the new base its name, and have the manifest name it.
fn install(server: &Server, aof: &mut Aof, running: &Running) -> std::io::Result<()> {
    let disk = server.disk.clone();
    let Aof { state, folder: Some(folder), manifest, writer, .. } = aof else { return Ok(()) };
    let mut next = manifest.clone();
    let name = next.begin_base(folder.file(), running.preamble).name.clone();
    let path = folder.part(&name);
    let base_bytes = std::fs::metadata(&running.temp)?.len();
    if *state == State::Waiting {
        let part = next.begin_increment(folder.file());
        disk.rename(&folder.temp("incr"), &folder.part(&part.name))?;
    }
    next.retire_increments(usize::from(*state != State::Off));
    let placed =
        disk.rename(&running.temp, &path).and_then(|()| folder.sync(&*disk)).and_then(|()| folder.save(&*disk, &next));
    if let Err(error) = placed {
        // As it was before, if the manifest can say so: what one names that may be on the disk has to stay.
        if folder.save(&*disk, manifest).is_err() {
            return Err(error);
        }
        let _ = disk.rename(&path, &running.temp);
        if let (State::Waiting, Some(part)) = (*state, next.increments.last()) {
            let _ = disk.rename(&folder.part(&part.name), &folder.temp("incr"));
        }
        return Err(error);
    }
    *manifest = next;
    writer.total_bytes = base_bytes + writer.bytes();
    Ok(())
}

/// Growth is measured from here on.
pub(super) fn note_size(aof: &mut Aof) {
    aof.rewrites.base_bytes = aof.writer.total_bytes;
}

fn failed(aof: &mut Aof) {
    aof.rewrites.last_failed = true;
    aof.rewrites.failures += 1;
    aof.rewrites.retry_at = Some(Instant::now() + RETRY);
}

/// Remove what the manifest no longer needs, in the background, once it does not name it any more.
pub fn remove_history(server: &mut Server, aof: &mut Aof) {
    if server.settings.aof.keeps_history || aof.manifest.history.is_empty() {
        return;
    }
    let Aof { folder: Some(folder), manifest, .. } = aof else { return };
    let history = std::mem::take(&mut manifest.history);
    if let Err(error) = folder.save(&*server.disk, manifest) {
        crate::base::log::warning(&format!("Can't remove the AOF history: {}", plain(&error)));
        manifest.history = history;
        return;
    }
    let (disk, paths) = (server.disk.clone(), history.into_iter().map(|part| folder.part(&part.name)));
    let paths: Vec<PathBuf> = paths.collect();
    let run = move || {
        for path in paths {
            if let Err(error) = disk.remove(&path) {
                crate::base::log::warning(&format!("Can't remove {}: {}", path.display(), plain(&error)));
            }
        }
    };
    let _ = std::thread::Builder::new().name("aof-history".into()).spawn(run);
}

/// By how many percent the files have grown, if that is enough for a rewrite.
fn growth(server: &Server, aof: &Aof) -> Option<u64> {
    let settings = &server.settings.aof;
    let (now, before) = (aof.writer.total_bytes, aof.rewrites.base_bytes.max(1));
    let wanted = aof.state == State::On && settings.rewrite_percent > 0 && now > settings.rewrite_bytes_min as u64;
    let percent = (u128::from(now) * 100 / u128::from(before)).saturating_sub(100) as u64;
    (wanted && percent >= settings.rewrite_percent as u64).then_some(percent)
}

/// Whether something could not be synced, which is to last in another base.
fn is_in_doubt(aof: &Aof) -> bool {
    aof.state == State::On && aof.writer.is_in_doubt() && !aof.rewrites.is_running() && !aof.rewrites.is_scheduled
}

/// Have what could not be synced written anew.
pub(super) fn settle_doubt(server: &mut Server) {
    server.slots.with(|aof: &mut Aof| {
        if is_in_doubt(aof) {
            crate::base::log::warning("What could not be synced may be lost: the AOF is rewritten, with all there is.");
            aof.rewrites.is_scheduled = true;
        }
    });
}

/// Time until there may be something to do.
pub(super) fn due(server: &Server, aof: &Aof, now: Instant) -> Option<Duration> {
    let rewrites = &aof.rewrites;
    if is_in_doubt(aof) {
        return Some(Duration::ZERO);
    }
    if rewrites.is_running() || !rewrites.is_scheduled && growth(server, aof).is_none() {
        return None;
    }
    if child::is_busy(server) {
        return Some(LOOK);
    }
    let until = if rewrites.is_scheduled { rewrites.retry_at } else { rewrites.limit.map(|(until, _)| until) };
    Some(until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now)))
}

/// Begin what was scheduled, or what growth asks for.
pub(super) fn look(server: &mut Server, now: Instant) {
    let Some(aof) = server.slots.peek::<Aof>() else { return };
    if aof.rewrites.is_running() || child::is_busy(server) || server.cron_paused {
        return;
    }
    if aof.rewrites.is_scheduled {
        if aof.rewrites.retry_at.is_none_or(|at| at <= now) {
            let _ = begin(server);
        }
        return;
    }
    let Some(percent) = growth(server, aof) else { return };
    if !server.slots.with(|aof: &mut Aof| aof.rewrites.is_limited(now)) {
        crate::base::log::notice(&format!("Starting automatic rewriting of AOF on {percent}% growth"));
        let _ = begin(server);
    }
}

impl Rewrites {
    /// Whether a rewrite that would begin by itself waits, because too many have failed.
    fn is_limited(&mut self, now: Instant) -> bool {
        if self.failures < FAILURES_MAX {
            return false;
        }
        let minutes = match self.limit {
            Some((until, _)) if now < until => return true,
            // The wait is over: one may try, and what comes after it waits longer.
            Some((_, minutes)) => (minutes * 2).min(WAIT_MINUTES_MAX),
            None => 1,
        };
        let first = self.limit.is_none();
        self.limit = Some((now + MINUTE * minutes, minutes));
        if first {
            crate::base::log::warning(&format!(
                "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {minutes} minutes"
            ));
        }
        first
    }

    /// Forget what waits, and what runs.
    pub(super) fn cancel(&mut self) {
        self.is_scheduled = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_that_fail_wait_longer_each_time() {
        let mut rewrites = Rewrites::default();
        let begin = Instant::now();
        let at = |minutes: u32| begin + MINUTE * minutes;
        rewrites.failures = 2;
        assert!(!rewrites.is_limited(begin));
        rewrites.failures = 3;
        assert!(rewrites.is_limited(begin));
        assert!(rewrites.is_limited(begin + MINUTE / 2));
        assert!(!rewrites.is_limited(at(1)));
        assert!(rewrites.is_limited(at(2)));
        assert!(!rewrites.is_limited(at(3)));
        for minutes in [4, 8, 16, 32, 60, 60] {
            let (until, waits) = rewrites.limit.unwrap();
            assert_eq!(waits, minutes);
            assert!(!rewrites.is_limited(until));
        }
    }
}
