//! What the bench ran on, and whether somebody wants it to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::pin;
use super::server::Program;

/// Set by SIGINT and SIGTERM. The bench stops between two measurements instead of at once, so
/// that the servers it started end with it; a second signal ends it where it stands.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to listen for both signals.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub(crate) fn listen() -> Result<Interrupt, String> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // In this order: the first signal finds the flag clear and only sets it.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
                .map_err(|error| format!("cannot listen for signals: {error}"))?;
        }
        Ok(Interrupt(flag))
    }

    /// # Errors
    /// When a signal came.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::Relaxed) { Err("interrupted".to_owned()) } else { Ok(()) }
    }
}

/// The lines above all tables: date, machine, servers, and what makes the figures doubtful.
pub(crate) fn heading(programs: &[Program], quick: bool) -> String {
    let mut lines = vec![
        format!("Date: {}", today()),
        format!("Machine: {}", describe()),
        "Servers (the first is measured, the others are its peers):".to_owned(),
    ];
    for program in programs {
        lines.push(format!("- {} (`{}`, {})", program.label, program.file_name(), program.allocator));
    }
    if quick {
        lines.push("Quick run: few commands and runs, not for the record.".to_owned());
    }
    let load = first_field("/proc/loadavg").and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    if load > 0.5 {
        lines.push(format!("The machine was busy at the start (load average {load}): mind the spread."));
    }
    lines.join("\n") + "\n"
}

fn describe() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .max(cpuinfo.lines().filter(|line| line.starts_with("processor")).count());
    let memory_kib = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| text.lines().next()?.split_whitespace().nth(1)?.parse::<u64>().ok())
        .unwrap_or(0);
    let kernel = first_field("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, {} GiB, Linux {kernel}", memory_kib.div_ceil(1 << 20))
}

fn first_field(path: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    text.split_whitespace().next().map(str::to_owned)
}

/// The date in UTC as YYYY-MM-DD.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil_date(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil_date(mut day: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

/// The longest time this machine keeps a thread that only reads the clock from doing so, on the
/// server's core and on the client's, in that order. No server can have a better maximum.
///
/// # Errors
/// When a core is not to be had.
pub(crate) fn own_pauses(watch: Duration) -> Result<[Duration; 2], String> {
    let mut worst = [Duration::ZERO; 2];
    for (core, worst) in [pin::SERVER_CORE, pin::CLIENT_CORE].into_iter().zip(&mut worst) {
        pin::pin(core)?;
        let begin = Instant::now();
        let mut last = begin;
        while last.duration_since(begin) < watch {
            let now = Instant::now();
            *worst = (*worst).max(now.duration_since(last));
            last = now;
        }
    }
    pin::pin(pin::CLIENT_CORE)?;
    Ok(worst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates_across_leap_years() {
        assert_eq!(civil_date(0), (1970, 1, 1));
        assert_eq!(civil_date(11_016), (2000, 2, 29));
        assert_eq!(civil_date(20_454), (2026, 1, 1));
    }
}
