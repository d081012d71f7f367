//! The server's log: one line per event, in the form that tools expect.
//!
//! ```text
//! 12345:M 23 Nov 2026 05:30:12.123 * Ready to accept connections tcp
//! ```
//!
//! Invariants:
//! - A line is a line: what clients, files or modules have put into its text cannot begin another, nor
//!   move a terminal's cursor.
//! - Nobody waits for the log. A pipe that is full because nobody reads it loses lines, and says how
//!   many with the next one that it takes.

use crate::base::syslog::Syslog;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// Bytes that a pipe takes at once, without waiting, when it says that it takes any: `PIPE_BUF`.
const PIECE_BYTES: usize = 4096;

static LEVEL: AtomicUsize = AtomicUsize::new(2);
static FILE: Mutex<Option<String>> = Mutex::new(None);
/// Lines that were lost since the last one that was not.
static LOST: AtomicUsize = AtomicUsize::new(0);
/// The system's log, which lines go to as well.
static SYSTEM: OnceLock<Syslog> = OnceLock::new();
static MARKS: [char; 4] = ['.', '-', '*', '#'];

/// An I/O error in the system's words, without Rust's error number behind them.
pub fn plain(error: &std::io::Error) -> String {
    error.to_string().split(" (os error").next().unwrap_or_default().to_owned()
}

/// Write lines of this level (position in `LOG_LEVELS`) and above.
pub fn set_level(level: usize) {
    LEVEL.store(level, Ordering::Relaxed);
}

/// Write to a file, which is opened for each line so that it may be rotated; an
/// empty path means the standard output.
pub fn set_file(path: &str) -> std::io::Result<()> {
    if !path.is_empty() {
        open(path)?;
    }
    if let Ok(mut file) = FILE.lock() {
        *file = (!path.is_empty()).then(|| path.to_owned());
    }
    Ok(())
}

/// Write to the system's log as well.
pub fn set_system(log: Syslog) {
    let _ = SYSTEM.set(log);
}

/// A named pipe that nobody reads is an error, and not waited for.
fn open(path: &str) -> std::io::Result<File> {
    let no_wait = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    OpenOptions::new().append(true).create(true).custom_flags(no_wait).open(path)
}

/// Write text as it is, without time and level (the banner).
pub fn raw(text: &str) {
    let Ok(file) = FILE.lock() else { return };
    let lost = LOST.load(Ordering::Relaxed);
    let missing = if lost == 0 { String::new() } else { line(3, &format!("{lost} lines of this log were lost.")) };
    let write = |to: BorrowedFd<'_>| put(to, missing.as_bytes()) && put(to, text.as_bytes());
    let is_written = match file.as_deref().map(open) {
        Some(opened) => opened.is_ok_and(|file| write(file.as_fd())),
        None => write(std::io::stdout().as_fd()),
    };
    LOST.store(if is_written { 0 } else { lost + 1 }, Ordering::Relaxed);
}

/// Write bytes as long as that does not wait; whether all were written.
fn put(to: BorrowedFd<'_>, bytes: &[u8]) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    bytes.chunks(PIECE_BYTES).all(|mut piece| {
        while !piece.is_empty() {
            if !poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], Some(&now)).is_ok_and(|ready| ready > 0) {
                return false;
            }
            match rustix::io::write(to, piece) {
                Ok(count) => piece = &piece[count..],
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    })
}

/// Write a line at a level, 0 (debug) to 3 (warning).
pub fn write(level: usize, text: &str) {
    if level >= LEVEL.load(Ordering::Relaxed) {
        raw(&line(level, text));
        if let Some(system) = SYSTEM.get() {
            system.write(level, &time_of_day(), &one_line(text));
        }
    }
}

/// A whole line, its end included.
fn line(level: usize, text: &str) -> String {
    format!("{}:M {} {} {}\n", std::process::id(), timestamp(), MARKS[level.min(3)], one_line(text))
}

/// A text without what would end a line or move a cursor.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            // Writing to a string does not fail.
            _ if letter.is_control() => _ = write!(line, "\\x{:02x}", u32::from(letter)),
            _ => line.push(letter),
        }
    }
    line
}

/// Things that only a developer wants.
pub fn debug(text: &str) {
    write(0, text);
}

/// More than an operator wants by default.
pub fn verbose(text: &str) {
    write(1, text);
}

/// What an operator wants to know.
pub fn notice(text: &str) {
    write(2, text);
}

/// What an operator must know.
pub fn warning(text: &str) {
    write(3, text);
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The time as the system's log has it.
fn time_of_day() -> String {
    let seconds = crate::base::clock::unix_us().div_euclid(1_000_000);
    let ((_, month, day), of_day) = (civil(seconds.div_euclid(86_400)), seconds.rem_euclid(86_400));
    let month = MONTHS[(month - 1) as usize];
    format!("{month} {day:>2} {:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

fn timestamp() -> String {
    let us = crate::base::clock::unix_us();
    let (days, ms_of_day) = (us.div_euclid(86_400_000_000), us.rem_euclid(86_400_000_000) / 1000);
    let (year, month, day) = civil(days);
    let (seconds, ms) = (ms_of_day / 1000, ms_of_day % 1000);
    let month = MONTHS[(month - 1) as usize];
    format!("{day:02} {month} {year} {:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a day counted from 1970-01-01, in UTC. The years are
/// counted from March, so that the leap day is the last of a year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{civil, line};

    #[test]
    fn a_text_cannot_begin_another_line() {
        let written = line(2, "a\nb\r\u{1b}[2Jé\u{9b}");
        assert!(written.ends_with(" * a\\nb\\r\\x1b[2Jé\\x9b\n"), "{written}");
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(20_780), (2026, 11, 23));
    }
}
