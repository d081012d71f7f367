//! The thread that syncs increments, so that no command waits for the disk (`appendfsync everysec`).
//!
//! Invariants:
//! - Files are synced in the order in which they were given: what is in a later one lasts only when all
//!   of the earlier ones does.
//! - A file is given when all of its bytes up to the offset are written.

use crate::durable::disk::{Disk, DiskFile};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Why the last sync has failed, if it has.
    error: Mutex<Option<String>>,
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

    /// The caller has synced up to an offset, while the thread had nothing to do.
    pub fn note(&self, offset: u64) {
        self.shared.synced.fetch_max(offset, Ordering::AcqRel);
        *self.shared.error.lock().unwrap_or_else(PoisonError::into_inner) = None;
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
        let error = job.disk.sync(&job.file).err();
        if let Some(error) = &error {
            crate::base::log::warning(&format!("Fail to fsync the AOF file: {error}"));
        } else {
            self.synced.fetch_max(job.offset, Ordering::AcqRel);
        }
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error.map(|error| crate::base::log::plain(&error));
        self.done.fetch_add(1, Ordering::AcqRel);
    }
}

/// The thread ends when nobody can give it anything any more.
fn start(shared: &Arc<Shared>) -> Option<Sender<Job>> {
    let (sender, receiver) = channel::<Job>();
    let shared = shared.clone();
    let run = move || receiver.into_iter().for_each(|job| shared.see_to(&job));
    std::thread::Builder::new().name("aof-sync".into()).spawn(run).ok().map(|_| sender)
}
