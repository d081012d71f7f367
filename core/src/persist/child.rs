//! The child: a process that works in the background on the data set as it was at the fork.
//!
//! There is one at a time. It tells its parent how far it is by a pipe, in records of 24 bytes, and at its
//! end why it failed if it did:
//!
//! ```text
//!   progress  │ 1 │ keys so far │ private bytes │        what is copied because one of the two has written it
//!   end       │ 2 │ keys        │ private bytes │
//!   reason    │ 3 │ length      │ 0             │ text
//! ```
//!
//! A child whose parent is gone ends by itself at the next report.

use crate::base::fork::{self, Fork};
use crate::engine::server::Server;
use crate::persist::Persist;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::time::{Duration, Instant};

/// Time between two reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Keys between two looks at the clock.
const KEYS_PER_LOOK: u64 = 1024;
/// Bytes of a record.
const RECORD_BYTES: usize = 24;
/// Longest reason in bytes.
const REASON_BYTES_MAX: usize = 1024;

const PROGRESS: u64 = 1;
const END: u64 = 2;
const REASON: u64 = 3;

/// A process that works in the background, as its parent sees it.
pub struct Child {
    /// Process id.
    pub pid: i32,
    /// What it does.
    pub task: Task,
    /// When it was begun.
    pub begun: Instant,
    /// Keys that there were.
    pub keys_total: u64,
    /// What it has reported.
    pub report: Report,
    pipe: PipeReader,
    /// Bytes of a record that has not come as a whole.
    half: Vec<u8>,
}

/// What a child does, and who is told of its end.
#[derive(Clone, Copy)]
pub struct Task {
    /// What it is called in the log and in errors.
    pub name: &'static str,
    /// Called when it has ended.
    pub ended: fn(&mut Server, &Child, &Ending),
}

/// What a child has reported.
#[derive(Clone, Default)]
pub struct Report {
    /// Keys so far.
    pub keys: u64,
    /// Bytes that are copied because one of the two processes has written them.
    pub copied_bytes: u64,
    /// Most such bytes so far.
    pub copied_bytes_peak: u64,
    /// When that was said.
    pub at: Option<Instant>,
    /// Why it failed.
    pub reason: String,
}

/// How a child has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It did what it was to do.
    Done,
    /// It could not, and has said why.
    Failed,
    /// It was told to stop.
    Cancelled,
    /// Somebody else has ended it, by this signal.
    Killed(i32),
}

/// By what a child tells its parent.
pub struct Reporter {
    pipe: PipeWriter,
    keys: u64,
    last: Instant,
    /// Look at the clock after each key: they are slow.
    is_slow: bool,
}

impl Reporter {
    /// One more key is done.
    #[inline]
    pub fn key_done(&mut self) {
        self.keys += 1;
        if self.is_slow || self.keys.is_multiple_of(KEYS_PER_LOOK) {
            self.look();
        }
    }

    #[cold]
    fn look(&mut self) {
        if self.last.elapsed() >= REPORT_EVERY {
            self.last = Instant::now();
            self.send(PROGRESS, self.keys, private_bytes());
        }
    }

    fn send(&mut self, kind: u64, first: u64, second: u64) {
        let record = [kind, first, second].map(u64::to_le_bytes).concat();
        if self.pipe.write_all(&record).is_err() {
            // Nobody is there who would want what is being done.
            fork::end(1);
        }
    }

    fn end(&mut self, result: Result<(), String>) -> ! {
        let copied_bytes = private_bytes();
        if let Err(reason) = &result {
            let mut len = reason.len().min(REASON_BYTES_MAX);
            while !reason.is_char_boundary(len) {
                len -= 1;
            }
            self.send(REASON, len as u64, 0);
            let _ = self.pipe.write_all(&reason.as_bytes()[..len]);
        }
        self.send(END, self.keys, copied_bytes);
        fork::end(i32::from(result.is_err()))
    }
}

/// Bytes of this process's memory that it shares with nobody.
fn private_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Begin a child. There must be none.
///
/// # Errors
/// When the system gives no process.
pub fn begin(
    server: &mut Server,
    task: Task,
    is_slow: bool,
    work: impl FnOnce(&mut Server, &mut Reporter) -> Result<(), String>,
) -> std::io::Result<i32> {
    let (reader, writer) = std::io::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    let begun = Instant::now();
    let pid = match fork::fork()? {
        Fork::Child => {
            drop(reader);
            crate::engine::process::become_child(server, task.name);
            let mut reporter = Reporter { pipe: writer, keys: 0, last: Instant::now(), is_slow };
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(server, &mut reporter)));
            reporter.end(done.unwrap_or_else(|_| Err("it has panicked".into())));
        }
        Fork::Parent(pid) => pid,
    };
    let keys_total = server.store.databases.iter().map(|database| database.table.len() as u64).sum();
    server.slots.with(|persist: &mut Persist| {
        persist.forks.count += 1;
        persist.forks.last_us = begun.elapsed().as_micros() as u64;
        let report = Report::default();
        persist.child = Some(Child { pid, task, begun, keys_total, report, pipe: reader, half: Vec::new() });
    });
    Ok(pid)
}

/// Whether this process is still the child of another.
#[must_use]
pub fn is_of(parent: u32) -> bool {
    rustix::process::getppid().is_some_and(|pid| pid.as_raw_nonzero().get().unsigned_abs() == parent)
}

/// Whether a child works.
pub fn is_busy(server: &Server) -> bool {
    server.slots.peek::<Persist>().is_some_and(|persist| persist.child.is_some())
}

/// The name of the task that a child works at.
pub fn task(server: &Server) -> Option<&'static str> {
    server.slots.peek::<Persist>()?.child.as_ref().map(|child| child.task.name)
}

/// Tell the child of a task to stop, if there is one; whether there was.
pub fn cancel(server: &mut Server, name: &str) -> bool {
    server.slots.with(|persist: &mut Persist| {
        let Some(child) = persist.child.as_ref().filter(|child| child.task.name == name) else { return false };
        if let Some(pid) = Pid::from_raw(child.pid) {
            let _ = kill_process(pid, Signal::USR1);
        }
        true
    })
}

/// Take in what the child has said, and look whether it has ended.
pub fn look_after(server: &mut Server) {
    let ended = server.slots.with(|persist: &mut Persist| {
        let child = persist.child.as_mut()?;
        child.hear();
        let status = waitpid(Pid::from_raw(child.pid), WaitOptions::NOHANG);
        let ending = match status {
            Ok(None) | Err(rustix::io::Errno::INTR) => return None,
            Ok(Some((_, status))) => match (status.exit_status(), status.terminating_signal()) {
                (Some(0), _) => Ending::Done,
                (_, Some(fork::CANCEL)) => Ending::Cancelled,
                (_, Some(signal)) => Ending::Killed(signal),
                _ => Ending::Failed,
            },
            Err(_) => Ending::Failed,
        };
        child.hear();
        persist.child.take().map(|child| (child, ending))
    });
    if let Some((child, ending)) = ended {
        (child.task.ended)(server, &child, &ending);
    }
}

impl Child {
    /// Read what is in the pipe.
    fn hear(&mut self) {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = self.pipe.read(&mut bytes) {
            self.half.extend_from_slice(&bytes[..count]);
        }
        while let Some(record) = self.half.first_chunk::<RECORD_BYTES>() {
            let word = |at: usize| record[at * 8..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            let (kind, first, second) = (word(0), word(1), word(2));
            let text_bytes = if kind == REASON { (first as usize).min(REASON_BYTES_MAX) } else { 0 };
            if self.half.len() < RECORD_BYTES + text_bytes {
                return;
            }
            let taken: Vec<u8> = self.half.drain(..RECORD_BYTES + text_bytes).collect();
            if kind == REASON {
                self.report.reason = String::from_utf8_lossy(&taken[RECORD_BYTES..]).into_owned();
                continue;
            }
            self.report.keys = first;
            self.report.copied_bytes = second;
            self.report.copied_bytes_peak = self.report.copied_bytes_peak.max(second);
            self.report.at = Some(Instant::now());
        }
    }
}
