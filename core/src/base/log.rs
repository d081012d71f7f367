//! The server's log: one line per event, in the form that tools expect.
//!
//! ```text
//! 12345:M 23 Nov 2026 05:30:12.123 * Ready to accept connections tcp
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

static LEVEL: AtomicUsize = AtomicUsize::new(2);
static FILE: Mutex<Option<String>> = Mutex::new(None);
static MARKS: [char; 4] = ['.', '-', '*', '#'];

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

fn open(path: &str) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Write text as it is, without time and level (the banner).
pub fn raw(text: &str) {
    let Ok(file) = FILE.lock() else { return };
    match file.as_deref().map(open) {
        Some(Ok(mut file)) => drop(file.write_all(text.as_bytes())),
        Some(Err(_)) => {}
        None => drop(std::io::stdout().write_all(text.as_bytes())),
    }
}

/// Write a line at a level, 0 (debug) to 3 (warning).
pub fn write(level: usize, text: &str) {
    if level >= LEVEL.load(Ordering::Relaxed) {
        let mark = MARKS[level.min(3)];
        raw(&format!("{}:M {} {mark} {text}\n", std::process::id(), timestamp()));
    }
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

fn timestamp() -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
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
    use super::civil;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(19_782), (2024, 2, 29));
        assert_eq!(civil(20_780), (2026, 11, 23));
    }
}
