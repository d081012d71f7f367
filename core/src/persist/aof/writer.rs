//! Writing: units go to the open increment before any reply leaves, and to the disk as `appendfsync` says.
//!
//! ```text
//!   a turn's units ── write ──> the kernel ── sync ──> the disk
//!                                  always      before replies leave, all of a turn at once
//!                                  everysec    by the thread, once a second
//!                                  no          when the kernel likes
//! ```
//!
//! While the thread syncs, the kernel may hold up a write to the same file; so with `everysec` the write
//! waits for it up to two seconds.
//!
//! A write that fails is tried again each second, with what was written of it cut off again; meanwhile
//! commands that write are refused (`gate`). With `always` the server ends instead: the replies that it
//! owes would say what is not so.
//!
//! Invariant: what the file holds ends with a whole unit, but for the moment of a write.

use crate::base::log::plain;
use crate::durable::disk::{Disk, DiskFile};
use crate::persist::aof::syncer::Syncer;
use crate::persist::aof::text::Text;
use crate::session::resume::Resumes;
use crate::settings::aof::{Aof as Settings, SYNC_ALWAYS, SYNC_EVERY_SECOND};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a write waits for the thread.
const POSTPONED_MAX: Duration = Duration::from_secs(2);
/// How often it is looked whether the thread is ready.
const LOOK: Duration = Duration::from_millis(20);
/// Between two syncs of the thread, and between two attempts to write.
const SECOND: Duration = Duration::from_secs(1);

/// The increment that is written, and what waits to be.
#[derive(Default)]
pub struct Writer {
    /// Units.
    pub text: Text,
    file: Option<Arc<DiskFile>>,
    /// Bytes of the open file.
    bytes: u64,
    /// Bytes of all files that are loaded at a start.
    pub total_bytes: u64,
    /// Bytes that were ever appended.
    appended: u64,
    /// How many of them were when the open file was begun.
    begun_at: u64,
    syncer: Syncer,
    synced_at: Option<Instant>,
    postponed_since: Option<Instant>,
    tried_at: Option<Instant>,
    /// Why the last write has failed, if it has.
    error: Option<String>,
    /// How often a write did not wait for the thread any longer.
    pub delayed: u64,
    /// `DEBUG AOF-FLUSH-SLEEP`.
    pub sleep: Duration,
}

/// When units are to reach the disk.
#[derive(Clone, Copy)]
pub struct Policy {
    /// Position in [`SYNC`](crate::settings::aof::SYNC).
    pub sync: usize,
    /// Whether nothing is synced, because a child writes.
    pub is_resting: bool,
}

impl Policy {
    /// What the settings say, given whether a child writes.
    pub fn of(settings: &Settings, child_writes: bool) -> Policy {
        Policy { sync: settings.sync, is_resting: settings.no_sync_on_rewrite && child_writes }
    }
}

impl Writer {
    /// Whether an increment is open.
    pub fn is_open(&self) -> bool {
        self.file.is_some()
    }

    /// Write on in another file, which holds so many bytes.
    pub fn open(&mut self, file: DiskFile, bytes: u64) {
        self.file = Some(Arc::new(file));
        self.bytes = bytes;
        self.begun_at = self.appended;
        self.text.restart();
        self.error = None;
    }

    /// Write no more. All that was taken is written, or dropped if it cannot be, and lasts when this returns.
    pub fn close(&mut self, disk: &Arc<dyn Disk>) {
        if let Err(error) = self.write(disk) {
            crate::base::log::warning(&format!("The last commands could not be written to the AOF: {error}"));
        }
        if let Err(error) = self.sync_now(disk) {
            crate::base::log::warning(&format!("Fail to fsync the AOF file: {error}"));
        }
        self.file = None;
        self.text.clear();
        self.error = None;
        self.postponed_since = None;
    }

    /// Write no more, and forget what waits.
    pub fn discard(&mut self) {
        self.syncer.wait();
        self.syncer.settle(self.appended);
        self.file = None;
        self.text.clear();
        self.error = None;
    }

    /// Bytes that were ever appended, and how many of them last.
    pub fn progress(&self) -> (u64, u64) {
        (self.appended, self.syncer.synced())
    }

    /// Bytes of the open file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Before replies leave.
    pub fn flush(&mut self, disk: &Arc<dyn Disk>, policy: Policy) {
        if self.text.whole().is_empty() && self.is_synced() {
            return;
        }
        let now = Instant::now();
        if policy.sync == SYNC_EVERY_SECOND && self.is_postponed(now) {
            return;
        }
        let was_wrong = self.error.is_some();
        if was_wrong && self.tried_at.is_some_and(|tried| now < tried + SECOND) {
            return;
        }
        self.tried_at = Some(now);
        match self.write(disk) {
            Ok(()) if was_wrong => {
                crate::base::log::warning("AOF write error looks solved. The server can write again.");
            }
            Ok(()) => {}
            Err(error) if policy.sync == SYNC_ALWAYS => end(&format!(
                "Can't recover from AOF write error when the AOF fsync policy is 'always' ({error}). Exiting..."
            )),
            Err(error) => {
                if !was_wrong {
                    crate::base::log::warning(&format!("Error writing to the AOF file: {error}"));
                }
                return;
            }
        }
        self.sync_by(disk, policy, now);
    }

    fn sync_by(&mut self, disk: &Arc<dyn Disk>, policy: Policy, now: Instant) {
        if policy.is_resting || self.is_synced() {
            return;
        }
        if policy.sync == SYNC_ALWAYS {
            if let Err(error) = self.sync_now(disk) {
                end(&format!(
                    "Can't persist AOF for fsync error when the AOF fsync policy is 'always' ({error}). Exiting..."
                ));
            }
        } else if policy.sync == SYNC_EVERY_SECOND && self.sync_in(now).is_zero() && !self.syncer.is_busy() {
            self.begin_sync(disk, now);
        }
    }

    fn begin_sync(&mut self, disk: &Arc<dyn Disk>, now: Instant) {
        self.synced_at = Some(now);
        if let Some(file) = &self.file {
            self.syncer.sync(disk, file, self.appended);
        }
    }

    /// Whether a write waits for the thread.
    fn is_postponed(&mut self, now: Instant) -> bool {
        if self.text.whole().is_empty() || !self.syncer.is_busy() {
            self.postponed_since = None;
            return false;
        }
        let since = *self.postponed_since.get_or_insert(now);
        if now < since + POSTPONED_MAX {
            return true;
        }
        self.postponed_since = None;
        self.delayed += 1;
        crate::base::log::notice(
            "Asynchronous AOF fsync is taking too long (disk is busy?). \
             Commands are written without waiting for it, which may slow the server down.",
        );
        false
    }

    /// Write all whole units.
    pub fn write(&mut self, disk: &Arc<dyn Disk>) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        if !self.sleep.is_zero() && !self.text.whole().is_empty() {
            std::thread::sleep(self.sleep);
        }
        let text = self.text.whole();
        let (mut written, result) = disk.write_some(file, text);
        // What is not whole goes again; what cannot be taken back is gone on with.
        if result.is_err() && written > 0 && disk.truncate(file, self.bytes).is_ok() {
            written = 0;
        }
        self.bytes += written as u64;
        self.total_bytes += written as u64;
        self.appended += written as u64;
        self.text.written(written);
        self.error = result.err().map(|error| plain(&error));
        self.error.clone().map_or(Ok(()), Err)
    }

    /// Have all that is written last before this returns.
    pub fn sync_now(&mut self, disk: &Arc<dyn Disk>) -> Result<(), String> {
        if self.is_synced() {
            return Ok(());
        }
        self.syncer.wait();
        let Some(file) = &self.file else { return Ok(()) };
        let result = disk.sync(file);
        self.syncer.note(self.appended, &result);
        self.synced_at = Some(Instant::now());
        result.map_err(|error| plain(&error))
    }

    /// Have a client run again under a ticket when all that was taken lasts; what cannot be written yet is waited for
    /// as well.
    pub fn wait_for_sync(&mut self, disk: &Arc<dyn Disk>, ticket: u64, resumes: &Arc<Resumes>) {
        let offset = self.appended + self.text.whole().len() as u64;
        if !self.syncer.is_busy() {
            self.begin_sync(disk, Instant::now());
        }
        self.syncer.tell_when(offset, ticket, resumes);
    }

    /// Whether something that was written may not last, and has to be written anew.
    pub fn is_in_doubt(&self) -> bool {
        self.syncer.doubt().is_some()
    }

    /// All that was in files before the open one is in a base that lasts.
    pub fn settle(&self) {
        self.syncer.settle(self.begun_at);
    }

    /// Whether all that was appended lasts.
    pub fn is_synced(&self) -> bool {
        self.syncer.synced() == self.appended
    }

    fn sync_in(&self, now: Instant) -> Duration {
        self.synced_at.map_or(Duration::ZERO, |at| (at + SECOND).saturating_duration_since(now))
    }

    /// Time until [`flush`](Self::flush) has something to do of which no turn of the loop tells.
    pub fn due(&self, policy: Policy, now: Instant) -> Option<Duration> {
        self.file.as_ref()?;
        if !self.text.whole().is_empty() {
            if self.error.is_some() {
                return Some(self.tried_at.map_or(SECOND, |at| (at + SECOND).saturating_duration_since(now)));
            }
            return Some(if self.syncer.is_busy() { LOOK } else { Duration::ZERO });
        }
        let syncs = policy.sync == SYNC_EVERY_SECOND && !policy.is_resting && !self.is_synced();
        syncs.then(|| if self.syncer.is_busy() { LOOK } else { self.sync_in(now) })
    }

    /// Why commands that write are refused, if so.
    pub fn refusal(&self) -> Option<String> {
        self.error.clone().or_else(|| self.syncer.error())
    }

    /// Whether the last write went well.
    pub fn is_well(&self) -> bool {
        self.refusal().is_none()
    }

    /// Files that wait to be synced.
    pub fn waiting(&self) -> u64 {
        self.syncer.waiting()
    }
}

/// End the server: what it has promised to keep it cannot keep.
fn end(why: &str) -> ! {
    crate::base::log::warning(why);
    std::process::exit(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Writes to no file; so many bytes, and then no more.
    struct Small {
        room: AtomicU32,
        cuts: bool,
    }

    impl Disk for Small {
        fn create(&self, path: &Path) -> io::Result<DiskFile> {
            Ok(DiskFile { file: std::fs::File::open("/dev/null")?, path: path.to_owned() })
        }
        fn append(&self, path: &Path) -> io::Result<DiskFile> {
            self.create(path)
        }
        fn write(&self, _: &DiskFile, bytes: &[u8]) -> io::Result<usize> {
            let room = self.room.load(Ordering::Relaxed);
            let taken = room.min(bytes.len() as u32);
            self.room.store(room - taken, Ordering::Relaxed);
            if taken == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken as usize) }
        }
        fn sync(&self, _: &DiskFile) -> io::Result<()> {
            Ok(())
        }
        fn truncate(&self, _: &DiskFile, _: u64) -> io::Result<()> {
            if self.cuts { Ok(()) } else { Err(io::ErrorKind::Other.into()) }
        }
        fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
            Ok(())
        }
        fn remove(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }
        fn make_folder(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }
        fn sync_folder(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }
    }

    fn writer(disk: &Arc<dyn Disk>) -> Writer {
        let mut writer = Writer::default();
        writer.open(disk.create(Path::new("x")).unwrap(), 0);
        writer.text.add(0, b"0123456789", None);
        writer.text.end_unit();
        writer
    }

    #[test]
    fn what_was_written_of_a_write_that_failed_is_cut_off_or_gone_on_with() {
        for cuts in [true, false] {
            let small = Arc::new(Small { room: AtomicU32::new(9), cuts });
            let disk: Arc<dyn Disk> = small.clone();
            let mut writer = writer(&disk);
            let whole = writer.text.len();
            assert!(writer.write(&disk).is_err());
            assert_eq!(writer.text.len(), if cuts { whole } else { whole - 9 });
            assert!(writer.refusal().is_some());
            small.room.store(1000, Ordering::Relaxed);
            assert!(writer.write(&disk).is_ok() && writer.refusal().is_none());
            assert_eq!(writer.total_bytes, whole as u64);
        }
    }

    #[test]
    fn what_is_appended_is_due_until_it_is_synced() {
        let disk: Arc<dyn Disk> = Arc::new(Small { room: AtomicU32::new(1000), cuts: true });
        let mut writer = writer(&disk);
        let policy = |sync| Policy { sync, is_resting: false };
        let now = Instant::now();
        assert_eq!(writer.due(policy(SYNC_EVERY_SECOND), now), Some(Duration::ZERO));
        writer.flush(&disk, policy(SYNC_EVERY_SECOND));
        writer.syncer.wait();
        assert_eq!(writer.due(policy(SYNC_EVERY_SECOND), now), None);
        writer.text.add(0, b"x", None);
        writer.text.end_unit();
        writer.flush(&disk, policy(SYNC_EVERY_SECOND));
        assert!(writer.text.is_empty() && writer.due(policy(SYNC_EVERY_SECOND), Instant::now()).is_some());
        assert_eq!(writer.due(policy(2), Instant::now()), None);
        writer.flush(&disk, policy(SYNC_ALWAYS));
        assert_eq!(writer.due(policy(SYNC_EVERY_SECOND), Instant::now()), None);
    }
}
