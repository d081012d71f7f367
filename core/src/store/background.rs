//! Freeing off the main thread.
//!
//! Large values and whole databases are handed to one thread that does nothing
//! else. The main thread only sends; [`Background::wait`] is for the rare moment
//! in which it must know that nothing of a module is left there.

use crate::store::entry::EntryPtr;
use crate::store::ghost::GHOST;
use crate::store::types::TYPES_MAX;
use plinth_abi::bytes::Opaque;
use plinth_table::Table;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How a type frees a boxed value.
pub type DropFn = unsafe extern "C" fn(Opaque);
/// `DropFn` of each type by id.
pub type Drops = Arc<Vec<Option<DropFn>>>;

enum Job {
    Boxed { address: usize, bytes: usize, free: DropFn },
    Database { table: Table<EntryPtr>, drops: Drops },
    Barrier(Sender<()>),
}

/// The freeing thread.
pub struct Background {
    jobs: Sender<Job>,
    pending: Arc<AtomicUsize>,
    freed: Arc<AtomicUsize>,
    by_type: Arc<ByType>,
    /// Bytes behind boxed values that were ever handed over, those of them that are freed, and those that were
    /// when memory in use was last measured.
    handed_bytes: Cell<usize>,
    freed_bytes: Arc<AtomicUsize>,
    settled_bytes: Cell<usize>,
}

/// What was freed of each type, by id: values, and bytes behind boxed ones; and of each
/// kind of ghosts, which few databases have any of.
pub struct ByType(Vec<(AtomicUsize, AtomicUsize)>, Mutex<HashMap<u32, u64>>);

impl ByType {
    fn count(&self, entry: EntryPtr) {
        if entry.type_id() == GHOST {
            *self.ghosts().entry(crate::store::ghost::kind(entry)).or_default() += 1;
            return;
        }
        if let Some((values, bytes)) = self.0.get(entry.type_id() as usize) {
            values.fetch_add(1, Ordering::Relaxed);
            if entry.is_boxed() {
                bytes.fetch_add(entry.charge() as usize, Ordering::Relaxed);
            }
        }
    }

    /// Freed ghosts by kind.
    fn ghosts(&self) -> std::sync::MutexGuard<'_, HashMap<u32, u64>> {
        self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Background {
    /// Start the thread.
    pub fn start() -> std::io::Result<Background> {
        let (jobs, queue) = channel();
        let pending = Arc::new(AtomicUsize::new(0));
        let freed = Arc::new(AtomicUsize::new(0));
        let by_type = Arc::new(ByType((0..=TYPES_MAX).map(|_| Default::default()).collect(), Mutex::default()));
        let freed_bytes = Arc::new(AtomicUsize::new(0));
        let counters = (pending.clone(), freed.clone(), by_type.clone(), freed_bytes.clone());
        let run = move || {
            crate::base::process::processors::in_background();
            work(&queue, &counters.0, &counters.1, &counters.2, &counters.3);
        };
        std::thread::Builder::new().name("lazy-free".into()).spawn(run)?;
        let (handed_bytes, settled_bytes) = (Cell::new(0), Cell::new(0));
        Ok(Background { jobs, pending, freed, by_type, handed_bytes, freed_bytes, settled_bytes })
    }

    fn send(&self, job: Job, objects: usize) {
        self.pending.fetch_add(objects, Ordering::Relaxed);
        // The thread lives as long as the sender: sending cannot fail.
        let _ = self.jobs.send(job);
    }

    /// Free a boxed value that takes so many bytes.
    pub fn free_boxed(&self, boxed: Opaque, bytes: usize, free: DropFn) {
        self.handed_bytes.set(self.handed_bytes.get().wrapping_add(bytes));
        self.send(Job::Boxed { address: boxed as usize, bytes, free }, 1);
    }

    /// Bytes behind boxed values that were handed over, and are still in what was last measured as used.
    pub fn bytes(&self) -> usize {
        self.handed_bytes.get().wrapping_sub(self.settled_bytes.get())
    }

    /// Measure memory in use, with what the thread has freed until now.
    pub fn measure(&self) {
        let freed = self.freed_bytes.load(Ordering::Acquire);
        crate::base::memory::calibrate();
        self.settled_bytes.set(freed);
    }

    /// Free all entries of a table.
    pub fn free_table(&self, table: Table<EntryPtr>, drops: Drops) {
        let objects = table.len();
        self.send(Job::Database { table, drops }, objects);
    }

    /// Wait until all that was sent is freed.
    pub fn wait(&self) {
        let _ = self.fence().recv();
    }

    /// What receives once all that was sent before is freed.
    pub fn fence(&self) -> Receiver<()> {
        let (done, wait) = channel();
        self.send(Job::Barrier(done), 0);
        wait
    }

    /// What was freed with whole databases since the last call: type id, values, and
    /// bytes behind boxed ones.
    pub fn take_by_type(&self) -> impl Iterator<Item = (u8, u64, u64)> {
        self.by_type.0.iter().enumerate().filter_map(|(id, (values, bytes))| {
            let values = values.swap(0, Ordering::Relaxed);
            (values > 0).then(|| (id as u8, values as u64, bytes.swap(0, Ordering::Relaxed) as u64))
        })
    }

    /// Ghosts freed with whole databases since the last call: kind and values.
    pub fn take_ghosts(&self) -> HashMap<u32, u64> {
        std::mem::take(&mut *self.by_type.ghosts())
    }

    /// Objects that wait to be freed.
    pub fn pending(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// Objects freed since the start, or since [`Background::reset_freed`].
    pub fn freed(&self) -> usize {
        self.freed.load(Ordering::Relaxed)
    }

    /// Count from 0 again.
    pub fn reset_freed(&self) {
        self.freed.store(0, Ordering::Relaxed);
    }
}

/// Entries that are freed before the thread gives way.
const ENTRIES_AT_A_TIME: usize = 64;
/// How long the thread frees at a stretch ...
const STRETCH: Duration = Duration::from_micros(100);
/// ... and for how long it rests then. The main thread may share its core, and would wait
/// for the end of a time slice of some milliseconds: schedulers do not take a thread that
/// only yields off its core for one that wakes up.
const REST: Duration = Duration::from_micros(50);

thread_local! {
    /// When this thread has begun to free at a stretch; `None` on others than the freeing one.
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Let the main thread run, on the freeing thread and after a while; elsewhere nothing.
pub fn give_way() {
    BEGUN.with(|begun| {
        if begun.get().is_some_and(|begun| begun.elapsed() >= STRETCH) {
            std::thread::sleep(REST);
            begun.set(Some(Instant::now()));
        }
    });
}

fn work(
    queue: &Receiver<Job>,
    pending: &AtomicUsize,
    freed: &AtomicUsize,
    by_type: &ByType,
    freed_bytes: &AtomicUsize,
) {
    let count = |objects: usize| {
        pending.fetch_sub(objects, Ordering::Relaxed);
        freed.fetch_add(objects, Ordering::Relaxed);
    };
    BEGUN.with(|begun| begun.set(Some(Instant::now())));
    while let Ok(job) = queue.recv() {
        match job {
            Job::Boxed { address, bytes, free } => {
                // SAFETY: `drop` may be called from any thread, and the sender gave the
                // value up.
                unsafe { free(address as Opaque) };
                freed_bytes.fetch_add(bytes, Ordering::Release);
                count(1);
                give_way();
            }
            Job::Database { mut table, drops } => loop {
                let taken = table.take_some(ENTRIES_AT_A_TIME, |entry| {
                    by_type.count(entry);
                    free_entry(entry, &drops);
                });
                if taken == 0 {
                    break;
                }
                count(taken);
                give_way();
            },
            Job::Barrier(done) => {
                let _ = done.send(());
            }
        }
    }
}

/// Free an entry with its value.
pub fn free_entry(entry: EntryPtr, drops: &Drops) {
    if entry.is_boxed()
        && let Some(Some(free)) = drops.get(entry.type_id() as usize)
    {
        // SAFETY: the entry owns the value, and `drop` may be called from any thread.
        unsafe { free(entry.boxed()) };
    }
    // SAFETY: the table that held the entry has let go of it.
    unsafe { entry.free() };
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: u32 = 20;

    unsafe extern "C" fn free_slowly(_boxed: Opaque) {
        for _ in 0..STEPS {
            let begun = Instant::now();
            while begun.elapsed() < STRETCH {
                std::hint::spin_loop();
            }
            give_way();
        }
    }

    #[test]
    fn the_freeing_thread_rests_between_stretches() {
        let background = Background::start().unwrap();
        let begun = Instant::now();
        background.free_boxed(std::ptr::null_mut(), 1000, free_slowly);
        assert_eq!(background.bytes(), 1000);
        background.wait();
        background.measure();
        assert_eq!(background.bytes(), 0);
        assert!(begun.elapsed() >= STEPS * (STRETCH + REST));
        assert_eq!((background.pending(), background.freed()), (0, 1));
    }

    #[test]
    fn other_threads_do_not_rest() {
        // SAFETY: the function looks at nothing that it is given.
        unsafe { free_slowly(std::ptr::null_mut()) };
        assert!(BEGUN.with(Cell::get).is_none());
    }
}
