//! Processor time of a server, in nanoseconds, out of `/proc/<pid>/task/*/schedstat`.
//!
//! The first field of that file is the time a thread has spent running, to the nanosecond and
//! charged by the scheduler rather than sampled by a tick. All threads count: work moved to
//! another thread is still work. A thread that ran is charged when it stops running, so read
//! the figure when the server is idle.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Nanoseconds that all threads of a process have run so far.
///
/// # Errors
/// When the process is gone or this kernel keeps no such statistics.
pub(crate) fn process_ns(pid: u32) -> Result<u64, String> {
    Ok(threads(pid)?.into_iter().map(|(_, ns)| ns).sum())
}

/// Every thread's statistics file with the nanoseconds it names.
fn threads(pid: u32) -> Result<Vec<(PathBuf, u64)>, String> {
    let folder = format!("/proc/{pid}/task");
    let entries = std::fs::read_dir(&folder).map_err(|error| format!("cannot list {folder}: {error}"))?;
    let mut threads = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path().join("schedstat");
        // A thread may end between the listing and the reading.
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let ns = first_number(&text).ok_or_else(|| format!("{} holds no time", path.display()))?;
        threads.push((path, ns));
    }
    if threads.is_empty() {
        return Err(format!("{folder} names no schedstat; the kernel must be built with CONFIG_SCHED_INFO"));
    }
    Ok(threads)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The running time of one thread, cheap enough to be read between requests.
pub(crate) struct ThreadClock {
    file: File,
}

impl ThreadClock {
    /// The clock of the thread that has run longest: of a server that has served for a moment,
    /// the one that executes commands.
    ///
    /// # Errors
    /// As [`process_ns`].
    pub(crate) fn of_busiest_thread(pid: u32) -> Result<ThreadClock, String> {
        let busiest = threads(pid)?.into_iter().max_by_key(|&(_, ns)| ns);
        let (path, _) = busiest.ok_or("the server has no threads")?;
        let file = File::open(&path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        Ok(ThreadClock { file })
    }

    /// Nanoseconds the thread has run so far.
    ///
    /// # Errors
    /// When the thread is gone.
    pub(crate) fn ns(&self) -> Result<u64, String> {
        let mut bytes = [0; 64];
        let count = self
            .file
            .read_at(&mut bytes, 0)
            .map_err(|error| format!("cannot read the server's thread time: {error}"))?;
        std::str::from_utf8(&bytes[..count])
            .ok()
            .and_then(first_number)
            .ok_or_else(|| "the server's thread time is no number".to_owned())
    }
}
