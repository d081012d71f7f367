//! The server is killed at a random moment, again and again, while clients write; what they were told is there
//! at the next start.
//!
//! ```text
//!   each writer     INCR its counter; MULTI, INCR two others, EXEC       notes when which reply came
//!   besides         BGREWRITEAOF, BGSAVE, MODULE REPLACE, or nothing
//!   kill, start     counter at least what was told in time, at most what was asked for; the two others equal
//! ```
//!
//! A kill leaves what the kernel has; so `always` and `no` lose nothing that was told, and `everysec` nothing
//! older than two seconds, as long as a write may wait for a sync. `cargo xtask crash` runs more rounds.

use plinth_testkit::reply::request;
use plinth_testkit::{Client, Reply, Server, TempDir, build};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const WRITERS: usize = 4;
/// Commands that a writer sends at once.
const PIPELINE: usize = 8;
/// What `everysec` may lose.
const EVERYSEC_LOSS: Duration = Duration::from_secs(2);

fn rounds() -> u32 {
    std::env::var("PLINTH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// Numbers that differ from run to run.
struct Random(u64);

impl Random {
    fn new() -> Random {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64);
        println!("seed {seed}");
        Random(seed | 1)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// What a writer knows when the server has gone.
struct Known {
    /// Value of its counter when it was begun, and each one it was told, with the time.
    told: Vec<(i64, Instant)>,
    /// The highest value that the counter can have.
    asked: i64,
}

/// Count up until the connection breaks.
fn write(mut client: Client, number: usize) -> Known {
    let counter = format!("counter:{number}");
    let (one, other) = (format!("one:{number}"), format!("other:{number}"));
    let begin = client.ask(&["INCRBY", &counter, "0"]).integer();
    let mut known = Known { told: vec![(begin, Instant::now())], asked: begin };
    let mut bytes = Vec::new();
    for _ in 0..PIPELINE {
        bytes.extend(request(&["INCR", &counter]));
        for command in [&["MULTI"][..], &["INCR", &one], &["INCR", &other], &["EXEC"]] {
            bytes.extend(request(command));
        }
    }
    while client.try_raw(&bytes).is_ok() {
        known.asked += PIPELINE as i64;
        for at in 0..PIPELINE * 5 {
            match client.reply_if_any() {
                Some(Reply::Integer(value)) if at % 5 == 0 => known.told.push((value, Instant::now())),
                Some(_) => {}
                None => return known,
            }
        }
    }
    known
}

/// Something that goes on in the background when the server is killed.
fn disturb(client: &mut Client, random: &mut Random, round: u32) {
    let path = build::library(if round.is_multiple_of(2) { "string-plain" } else { "plinth-string" });
    match random.below(5) {
        0 => client.send(&["BGREWRITEAOF"]),
        1 => client.send(&["BGSAVE"]),
        2 => client.send(&["MODULE", "REPLACE", "string", &path]),
        3 => {
            client.send(&["BGREWRITEAOF"]);
            client.send(&["MODULE", "REPLACE", "string", &path]);
        }
        _ => {}
    }
}

fn crash(sync: &str, loss: Duration) {
    let mut random = Random::new();
    let mut folder = TempDir::new();
    for round in 0..rounds() {
        let args = ["--appendonly", "yes", "--appendfsync", sync, "--save", "", "--auto-aof-rewrite-min-size", "1mb"];
        let server = Server::within(folder, &args);
        let writers: Vec<JoinHandle<Known>> = (0..WRITERS)
            .map(|number| {
                let client = server.connect();
                std::thread::spawn(move || write(client, number))
            })
            .collect();
        let mut client = server.connect();
        std::thread::sleep(Duration::from_millis(10 + random.below(300)));
        disturb(&mut client, &mut random, round);
        std::thread::sleep(Duration::from_millis(random.below(60)));
        let killed_at = Instant::now();
        folder = server.kill();
        let known: Vec<Known> = writers.into_iter().map(|writer| writer.join().expect("a writer goes on")).collect();
        let again = Server::within(folder, &args);
        let mut client = again.connect();
        for (number, known) in known.iter().enumerate() {
            let mut value = |name: &str| match client.ask(&["GET", &format!("{name}:{number}")]) {
                Reply::Null => 0,
                reply => reply.text().parse::<i64>().expect("a number"),
            };
            let there = value("counter");
            let in_time = known.told.iter().rev().find(|(_, at)| *at + loss <= killed_at || loss.is_zero());
            let least = in_time.map_or(0, |(value, _)| *value);
            assert!(
                (least..=known.asked).contains(&there),
                "{sync}, round {round}: {there} is there, {least} was told, {} asked for\n{}",
                known.asked,
                again.log()
            );
            assert_eq!(value("one"), value("other"), "{sync}, round {round}: half a transaction");
        }
        folder = again.kill();
    }
}

#[test]
fn plinth_crash_always_loses_nothing_that_was_told() {
    crash("always", Duration::ZERO);
}

#[test]
fn plinth_crash_everysec_loses_nothing_older_than_two_seconds() {
    crash("everysec", EVERYSEC_LOSS);
}

#[test]
fn plinth_crash_without_syncs_loses_nothing_that_was_told() {
    crash("no", Duration::ZERO);
}
