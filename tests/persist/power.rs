//! The power goes, at a random moment under load; what a promise was given for is there at the next start.
//!
//! A server that is killed leaves what the kernel has, and proves little. So a run is recorded once by a disk that
//! logs (`DEBUG DISK LOG`), and its log is cut at many places; from what a disk may hold then ([`crate::cut`]) a server
//! starts each time.
//!
//! ```text
//!   log        ├──────────┼───────┼────────────┤
//!   writers    told 7 ────┘       │                what was told while the log was so long is promised from there on
//!   cut                           └─ start: counter at least 7, at most what was asked for; a transaction is whole
//! ```
//!
//! With `everysec` what was told two seconds before the cut is promised; when the cut is, is known from what was
//! told with the log no longer than that. `cargo xtask crash --power N` makes more cuts.

use crate::cut::{Disk, Log, Record};
use plinth_fuzz::Random;
use plinth_testkit::reply::request;
use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, wait_until};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const WRITERS: usize = 2;
/// Commands of each kind that a writer sends at once.
const PIPELINE: usize = 4;
/// What `everysec` may lose.
const EVERYSEC_LOSS: Duration = Duration::from_secs(2);
/// Cuts within which a planted fault has to show.
const PLANTED_CUTS_MAX: u32 = 60;

fn cuts() -> u32 {
    std::env::var("PLINTH_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(14)
}

fn seed() -> u64 {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64);
    let seed = std::env::var("PLINTH_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(clock);
    println!("PLINTH_SEED={seed}");
    seed
}

/// What a writer was told, how long the log was then, and when.
struct Told {
    value: i64,
    log_bytes: u64,
    at: Instant,
}

/// A run: what was there before it, what was done, and what was said.
struct Recording {
    args: Vec<String>,
    before: Vec<(String, Vec<u8>)>,
    log: Log,
    told: Vec<Vec<Told>>,
    loss: Duration,
}

/// A fault that the harness has to find: records of the log that are taken as if they were not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Planted {
    Nothing,
    NoSyncOfFolders,
    NoSyncOfManifests,
}

impl Planted {
    fn hides(self, record: &Record) -> bool {
        match (self, record) {
            (Planted::NoSyncOfFolders, Record::SyncFolder(_)) => true,
            (Planted::NoSyncOfManifests, Record::Sync(path)) => path.ends_with("manifest"),
            _ => false,
        }
    }
}

/// The files of a folder and of those in it.
fn files(folder: &Path, below: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files(&entry.path(), &format!("{name}/")));
        } else if name != "output.log" && !name.ends_with(".lock") {
            found.push((name, std::fs::read(entry.path()).unwrap_or_default()));
        }
    }
    found
}

fn log_bytes(log: &Path) -> u64 {
    std::fs::metadata(log).map_or(0, |data| data.len())
}

/// Count up until it is over; `after` is done after each time, before what was told is promised.
fn write(mut client: Client, number: usize, log: &Path, over: &AtomicBool, after: &[&str]) -> Vec<Told> {
    let (counter, one, other) = (format!("counter:{number}"), format!("one:{number}"), format!("other:{number}"));
    let mut bytes = Vec::new();
    for _ in 0..PIPELINE {
        for command in [&["MULTI"][..], &["INCR", &one], &["INCR", &other], &["EXEC"], &["INCR", &counter]] {
            bytes.extend(request(command));
        }
    }
    let mut told = Vec::new();
    while !over.load(Relaxed) {
        client.raw(&bytes);
        let value = (0..PIPELINE * 5).map(|_| client.reply()).last().map_or(0, |reply| reply.integer());
        if !after.is_empty() {
            assert_wire(&mut client, after, b"+OK\r\n");
        }
        let at = Instant::now();
        told.push(Told { value, log_bytes: log_bytes(log), at });
        // A load, not a flood: the log is kept in memory.
        std::thread::sleep(Duration::from_millis(1));
    }
    told
}

/// Record a run of some length; `disturb` is done again and again meanwhile.
fn record(
    args: &[&str],
    loss: Duration,
    length: Duration,
    after: &[&str],
    disturb: impl Fn(&mut Client, u32),
) -> Recording {
    let home = TempDir::new();
    let log: PathBuf = home.path().join("disk.log");
    let server = Server::with(args);
    let mut client = server.connect();
    let before = files(server.folder().path(), "");
    assert_wire(&mut client, &["DEBUG", "DISK", "LOG", &log.display().to_string()], b"+OK\r\n");
    let over = AtomicBool::new(false);
    let told = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..if after.is_empty() { WRITERS } else { 1 })
            .map(|number| {
                let (client, log, over) = (server.connect(), &log, &over);
                scope.spawn(move || write(client, number, log, over, after))
            })
            .collect();
        let begun = Instant::now();
        let mut round = 0;
        while begun.elapsed() < length {
            disturb(&mut client, round);
            round += 1;
        }
        over.store(true, Relaxed);
        writers.into_iter().map(|writer| writer.join().expect("a writer goes on")).collect()
    });
    let folder = server.kill();
    let bytes = std::fs::read(&log).expect("a log");
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Recording { args, before, log: Log::parse(&bytes, folder.path()), told, loss }
}

impl Recording {
    /// A place to cut at: so many records are done. Half of the places are behind what is more than a write.
    fn place(&self, random: &mut Random) -> usize {
        let records = &self.log.records;
        let special =
            |at: &usize| !matches!(records[*at].0, Record::Write(..) | Record::SyncBegin(_) | Record::Sync(_));
        let found: Vec<usize> = (0..records.len()).filter(special).collect();
        if random.once_in(2) && !found.is_empty() {
            return (found[random.below(found.len())] + 1 + random.below(4)).min(records.len());
        }
        random.below(records.len() + 1)
    }

    /// The power goes at some place; why the promise was not kept, if it was not.
    fn cut(&self, planted: Planted, random: &mut Random) -> Result<(), String> {
        let place = self.place(random);
        let (done, bytes) = (&self.log.records[..place], place.checked_sub(1).map_or(0, |at| self.log.records[at].1));
        let mut disk = Disk::with(&self.before);
        done.iter().filter(|(record, _)| !planted.hides(record)).for_each(|(record, _)| disk.take(record));
        let folder = TempDir::new();
        disk.cut(random, folder.path());
        let server = catch_unwind(AssertUnwindSafe(|| Server::within(folder, &self.args)));
        let Ok(server) = server else { return Err(format!("cut at {place}: the server does not start")) };
        let mut client = server.connect();
        let is_there = |told: &&Told| told.log_bytes <= bytes;
        let now = self.told.iter().flatten().filter(is_there).map(|told| told.at).max();
        for (number, told) in self.told.iter().enumerate() {
            let mut value = |name: &str| match client.ask(&["GET", &format!("{name}:{number}")]) {
                Reply::Null => 0,
                reply => reply.text().parse::<i64>().expect("a number"),
            };
            let in_time = |told: &&Told| now.is_some_and(|now| told.at + self.loss <= now);
            let least = told.iter().filter(is_there).filter(in_time).map(|told| told.value).max().unwrap_or(0);
            let most = told.last().map_or(0, |told| told.value);
            let (counter, one, other) = (value("counter"), value("one"), value("other"));
            if !(least..=most).contains(&counter) || one != other {
                let log = server.log();
                return Err(format!(
                    "cut at {place}: {counter} is there, {least} was told, {most} asked for; {one} and {other} belong \
                     together\n{log}"
                ));
            }
        }
        Ok(())
    }

    /// No cut breaks a promise.
    fn check(&self) {
        let seed = seed();
        for at in 0..u64::from(cuts()) {
            let result = self.cut(Planted::Nothing, &mut Random::new(seed.wrapping_add(at)));
            assert!(result.is_ok(), "cut {at}, {:?}", result.err());
        }
        println!("{} cuts of a log of {} records", cuts(), self.log.records.len());
    }

    /// A fault that was planted shows.
    fn finds(&self, planted: Planted) {
        let seed = seed();
        let found = (0..PLANTED_CUTS_MAX)
            .find_map(|at| self.cut(planted, &mut Random::new(seed.wrapping_add(u64::from(at)))).err());
        println!("{planted:?}: {}", found.as_deref().unwrap_or("not found").lines().next().unwrap_or_default());
        assert!(found.is_some(), "{planted:?} is not found in {PLANTED_CUTS_MAX} cuts");
    }
}

/// Rewrite the append-only file, and now and then write a snapshot.
fn rewrite(client: &mut Client, round: u32) {
    let (command, field) = match round % 4 {
        3 => ("BGSAVE", "rdb_bgsave_in_progress"),
        _ => ("BGREWRITEAOF", "aof_rewrite_in_progress"),
    };
    client.text(&[command]);
    wait_until("it is done", || client.info("persistence", field).as_deref() == Some("0"));
    std::thread::sleep(Duration::from_millis(20));
}

fn appending(sync: &str, loss: Duration, length: Duration) -> Recording {
    record(&["--appendonly", "yes", "--appendfsync", sync, "--save", ""], loss, length, &[], rewrite)
}

#[test]
fn plinth_power_always_loses_nothing_that_was_told() {
    appending("always", Duration::ZERO, Duration::from_secs(1)).check();
}

#[test]
fn plinth_power_everysec_loses_nothing_older_than_two_seconds() {
    appending("everysec", EVERYSEC_LOSS, Duration::from_secs(4)).check();
}

#[test]
fn plinth_power_leaves_the_snapshot_that_was_told() {
    let pause = |_: &mut Client, _| std::thread::sleep(Duration::from_millis(10));
    record(&["--save", ""], Duration::ZERO, Duration::from_secs(1), &["SAVE"], pause).check();
}

#[test]
fn plinth_power_finds_what_is_not_synced() {
    let recording = appending("always", Duration::ZERO, Duration::from_secs(1));
    recording.finds(Planted::NoSyncOfFolders);
    recording.finds(Planted::NoSyncOfManifests);
}
