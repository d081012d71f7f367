//! The thread that syncs increments, so that no command waits for the disk (`appendfsync everysec`).
//!
//! Invariants:
//! - Files are synced in the order in which they were given: what is in a later one lasts only when all
//!   of the earlier ones does.
//! - A file is given when all of its bytes up to the offset are written.
//! - What was in a file whose sync has failed may never last, whatever a later sync says: the kernel takes pages that
//!   it could not write for written. So there is *doubt* up to there, and nothing counts as synced, until
//!   all of it is in a new base.

use crate::durable::disk::{Disk, DiskFile};
use crate::session::resume::Resumes;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A file, and up to which offset of all that was ever appended it is to last.
struct Job {
    disk: Arc<dyn Disk>,
    file: Arc<DiskFile>,
    offset: u64,
}

/// What both threads look at.
#[derive(Default)]
struct Shared {
    /// Files that were given.
    given: AtomicU64,
    /// Files that were seen to.
    done: AtomicU64,
    /// Up to where all lasts.
    synced: AtomicU64,
    /// One more than the offset up to which it is in doubt whether all lasts; 0 for none.
    doubt: AtomicU64,
    /// Why the last sync has failed, if it has.
    error: Mutex<Option<String>>,
    /// Who waits until all lasts up to an offset: a ticket of clients, and the offset.
    waiting: Mutex<Vec<(u64, u64)>>,
    /// Whose tickets they are.
    resumes: OnceLock<Arc<Resumes>>,
}

/// The thread, which is started when it is first needed.
#[derive(Default)]
pub struct Syncer {
    shared: Arc<Shared>,
    jobs: Option<Sender<Job>>,
}

impl Syncer {
    /// Have a file last. Where there is no thread to be had it is done at once.
    pub fn sync(&mut self, disk: &Arc<dyn Disk>, file: &Arc<DiskFile>, offset: u64) {
        self.shared.given.fetch_add(1, Ordering::AcqRel);
        if self.jobs.is_none() {
            self.jobs = start(&self.shared);
        }
        let job = Job { disk: disk.clone(), file: file.clone(), offset };
        let unsent = match &self.jobs {
            Some(jobs) => jobs.send(job).err().map(|unsent| unsent.0),
            None => Some(job),
        };
        if let Some(job) = unsent {
            self.shared.see_to(&job);
        }
    }

    /// Whether files wait to be synced.
    pub fn is_busy(&self) -> bool {
        self.waiting() > 0
    }

    /// How many wait to be synced.
    pub fn waiting(&self) -> u64 {
        self.shared.given.load(Ordering::Acquire) - self.shared.done.load(Ordering::Acquire)
    }

    /// Up to which offset all lasts.
    pub fn synced(&self) -> u64 {
        self.shared.synced.load(Ordering::Acquire)
    }

    /// The caller has tried to sync up to an offset, while the thread had nothing to do.
    pub fn note(&self, offset: u64, result: &io::Result<()>) {
        self.shared.note(offset, result.as_ref().err());
    }

    /// Up to which offset it is in doubt whether all lasts, if it is.
    pub fn doubt(&self) -> Option<u64> {
        self.shared.doubt.load(Ordering::Acquire).checked_sub(1)
    }

    /// All up to an offset is in a base that lasts, or of no use any more.
    pub fn settle(&self, offset: u64) {
        if self.doubt().is_none_or(|doubt| doubt <= offset) {
            self.shared.doubt.store(0, Ordering::Release);
            self.shared.note(offset, None);
        }
    }

    /// Have a client run again under a ticket when all lasts up to an offset.
    pub fn tell_when(&self, offset: u64, ticket: u64, resumes: &Arc<Resumes>) {
        let _ = self.shared.resumes.set(resumes.clone());
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Those who wait no more, because their time was up.
        waiting.retain(|(ticket, _)| resumes.is_waiting(*ticket));
        waiting.push((ticket, offset));
        drop(waiting);
        self.shared.resume();
    }

    /// Why the last sync has failed, if it has.
    pub fn error(&self) -> Option<String> {
        self.shared.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Wait until all that was given is seen to.
    pub fn wait(&self) {
        while self.is_busy() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

impl Shared {
    fn see_to(&self, job: &Job) {
        self.note(job.offset, job.disk.sync(&job.file).err().as_ref());
        self.done.fetch_add(1, Ordering::AcqRel);
    }

    /// A sync up to an offset was tried.
    fn note(&self, offset: u64, error: Option<&io::Error>) {
        if let Some(error) = error {
            crate::base::log::warning(&format!("Fail to fsync the AOF file: {error}"));
            self.doubt.fetch_max(offset + 1, Ordering::AcqRel);
        } else if self.doubt.load(Ordering::Acquire) == 0 {
            self.synced.fetch_max(offset, Ordering::AcqRel);
        }
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error.map(crate::base::log::plain);
        self.resume();
    }

    /// Have those run again for whom all lasts.
    fn resume(&self) {
        let synced = self.synced.load(Ordering::Acquire);
        let Some(resumes) = self.resumes.get() else { return };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (ticket, _) in waiting.extract_if(.., |(_, offset)| *offset <= synced) {
            resumes.resume(ticket);
        }
    }
}

/// The thread ends when nobody can give it anything any more.
fn start(shared: &Arc<Shared>) -> Option<Sender<Job>> {
    let (sender, receiver) = channel::<Job>();
    let shared = shared.clone();
    let run = move || {
        crate::base::process::processors::in_background();
        receiver.into_iter().for_each(|job| shared.see_to(&job));
    };
    std::thread::Builder::new().name("aof-sync".into()).spawn(run).ok().map(|_| sender)
}
