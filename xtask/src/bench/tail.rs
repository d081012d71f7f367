//! Latency at a fixed rate while something big happens.
//!
//! The rate is the same for all servers in a run: 70% of what the slowest of them sustains from
//! this client at one command per round trip. A faster server thus is not punished with more
//! work, and its percentiles can be held against the others'. Only requests that were due while
//! the disturbance lasted are counted; their latency runs from when they were due.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::figure::Latencies;
use super::openloop::{self, Pace, Plan, Strike};
use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};
use super::{Bench, load};

/// Keys that the requests read and write.
const WORKING_KEYS: u64 = 1_000_000;

/// A row.
struct Disturbance {
    name: &'static str,
    /// Templates and counts in full and quick runs, beside the working keys.
    loads: &'static [Load],
    /// What strikes, if it does not come by itself.
    command: Option<&'static [&'static str]>,
    watch: &'static [&'static str],
    is_over: fn(&[u8]) -> bool,
    requests: Requests,
    /// The least and the most seconds that are measured.
    window_s: [u64; 2],
    bar: Bar,
}

struct Load {
    full: u64,
    quick: u64,
    template: &'static [&'static str],
}

/// What the requests are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Requests {
    /// GET and SET of working keys by turns.
    Mixed,
    /// SET of keys that are not there: so many, in full and quick runs.
    Fresh { full: u64, quick: u64 },
}

const HALF: Bar = Bar::Ratio { must: 0.5, goal: 0.5 };
/// Time between the start of the requests and the strike.
const LEAD: Duration = Duration::from_millis(500);
/// In the expiring keys' template this word stands for the moment at which they all expire.
const DEADLINE: &str = "{deadline}";
/// How long loading the expiring keys may take; they expire this long after it began.
const EXPIRE_AFTER: Duration = Duration::from_secs(12);

static DISTURBANCES: &[Disturbance] = &[
    Disturbance {
        name: "undisturbed",
        loads: &[],
        command: None,
        watch: &["PING"],
        is_over: |_| true,
        requests: Requests::Mixed,
        window_s: [5, 5],
        bar: Bar::Open,
    },
    Disturbance {
        name: "key space growing to 5M",
        loads: &[],
        command: None,
        watch: &["PING"],
        is_over: |_| false,
        requests: Requests::Fresh { full: 4_000_000, quick: 500_000 },
        window_s: [0, 600],
        bar: HALF,
    },
    Disturbance {
        name: "background save of 5M keys",
        loads: &[Load { full: 4_000_000, quick: 500_000, template: &["SET", "more:{index}", "8 bytes."] }],
        command: Some(&["BGSAVE"]),
        watch: &["INFO", "persistence"],
        is_over: |reply| holds(reply, b"rdb_bgsave_in_progress:0"),
        requests: Requests::Mixed,
        window_s: [0, 120],
        bar: HALF,
    },
    Disturbance {
        name: "1M keys expiring at once",
        loads: &[Load {
            full: 1_000_000,
            quick: 300_000,
            template: &["SET", "brief:{index}", "8 bytes.", "PXAT", DEADLINE],
        }],
        command: None,
        watch: &["DBSIZE"],
        is_over: |reply| reply == b":1000000\r\n",
        requests: Requests::Mixed,
        window_s: [1, 30],
        bar: HALF,
    },
    Disturbance {
        name: "deleting a 5M-element set",
        loads: &[Load { full: 5_000_000, quick: 1_000_000, template: &["SADD", "big", "member{number}"] }],
        command: Some(&["DEL", "big"]),
        watch: &["EXISTS", "big"],
        is_over: |reply| reply == b":0\r\n",
        requests: Requests::Mixed,
        window_s: [2, 30],
        bar: HALF,
    },
];

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// One run's percentiles in microseconds, and what else was seen.
struct Reading {
    us: [f64; 4],
    errors: u64,
    counted: usize,
    latest_us: f64,
    strike_time: Option<Duration>,
}

const QUANTILES: [&str; 4] = ["p50", "p99", "p99.9", "max"];
/// The quantile that the bar is for.
const JUDGED: usize = 2;

/// The table of all disturbances.
///
/// # Errors
/// When a server does not start or dies.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let wanted: Vec<&Disturbance> = DISTURBANCES.iter().filter(|row| bench.wants(row.name)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut notes = Vec::new();
    let rate = common_rate(bench, &mut notes)?;
    let mut rows = Vec::new();
    for disturbance in wanted {
        rows.extend(measure_rows(bench, disturbance, rate, &mut notes)?);
    }
    Ok(vec![Table {
        title: "Latency under disturbance, µs".to_owned(),
        method: format!(
            "{rate:.0} requests a second over {} connections whatever the server does, timed from when each was due; \
             {WORKING_KEYS} keys, GET and SET by turns, or SET of fresh keys where the key space grows. The server and \
             all it forks are on core 0, the client on core 1.",
            openloop::CONNECTIONS
        ),
        columns: bench.labels(),
        decimals: 0,
        rows,
        notes,
    }])
}

/// 70% of what the slowest server sustains.
fn common_rate(bench: &Bench, notes: &mut Vec<String>) -> Result<f64, String> {
    let mut slowest = f64::INFINITY;
    for program in &bench.programs {
        bench.interrupt.check()?;
        let server = Server::start(program)?;
        load_working_keys(&server)?;
        let plan = Plan {
            pace: Pace::Closed,
            connections: openloop::CONNECTIONS,
            requests: u64::MAX,
            time: Duration::from_secs(3),
            stop: None,
            request: &mixed,
            expected: None,
            strike: None,
        };
        let rate = openloop::run(server.address, &plan)?.replies_per_second;
        notes.push(format!("{} at saturation, 1 command per round trip: {rate:.0} a second", program.label));
        slowest = slowest.min(rate);
    }
    Ok((slowest * 0.7).floor())
}

fn mixed(number: u64, out: &mut Vec<u8>) {
    // Any key will do, as long as it is another one each time.
    let key = load::scramble(number) % WORKING_KEYS;
    if number.is_multiple_of(2) {
        load::expand(&["GET", "{key}"], key, out);
    } else {
        load::expand(&["SET", "{key}", "8 bytes?"], key, out);
    }
}

fn fresh(number: u64, out: &mut Vec<u8>) {
    load::expand(&["SET", "{key}", "8 bytes."], WORKING_KEYS + number, out);
}

fn load_working_keys(server: &Server) -> Result<(), String> {
    load::fill(server.address, WORKING_KEYS, &["SET", "{key}", "8 bytes."])?.all_well()
}

/// The four rows of one disturbance.
fn measure_rows(
    bench: &Bench,
    disturbance: &Disturbance,
    rate: f64,
    notes: &mut Vec<String>,
) -> Result<Vec<Row>, String> {
    let mut readings: Vec<Vec<Reading>> = bench.programs.iter().map(|_| Vec::new()).collect();
    let mut refused: Vec<Option<String>> = vec![None; bench.programs.len()];
    let runs = bench.runs(3, 1);
    for run in 1..=runs {
        for (place, program) in bench.programs.iter().enumerate() {
            bench.interrupt.check()?;
            if refused[place].is_some() || refused[0].is_some() {
                continue;
            }
            eprintln!("bench: tail: {}: {} run {run} of {runs}", disturbance.name, program.label);
            match disturb(program, disturbance, rate, bench.quick)? {
                Ok(reading) => readings[place].push(reading),
                Err(reason) => refused[place] = Some(reason),
            }
        }
    }
    for (readings, program) in readings.iter().zip(&bench.programs) {
        notes.extend(describe(readings, &program.label, disturbance));
    }
    let errors = readings.iter().flatten().map(|reading| reading.errors).sum();
    let row = |(quantile, name): (usize, &str)| Row {
        name: format!("{}: {name}", disturbance.name),
        cells: readings.iter().zip(&refused).map(|(readings, refused)| cell(readings, refused, quantile)).collect(),
        bar: if quantile == JUDGED { disturbance.bar } else { Bar::Open },
        floor: None,
        errors: Some(errors),
    };
    Ok(QUANTILES.into_iter().enumerate().map(row).collect())
}

fn cell(readings: &[Reading], refused: &Option<String>, quantile: usize) -> Cell {
    match refused {
        // Said once, at the row that is judged.
        Some(reason) if quantile == JUDGED => Cell::Absent(reason.clone()),
        Some(_) => Cell::Absent(String::new()),
        None if readings.is_empty() => Cell::Absent(String::new()),
        None => Cell::of(&readings.iter().map(|reading| reading.us[quantile]).collect::<Vec<_>>()),
    }
}

/// How long the disturbance took in the last run, how many requests fell into it, and how late
/// the client itself was.
fn describe(readings: &[Reading], label: &str, disturbance: &Disturbance) -> Option<String> {
    let last = readings.last()?;
    let lasted = match last.strike_time {
        _ if disturbance.loads.is_empty() => "all of the time".to_owned(),
        Some(time) => format!("over after {:.0} ms", time.as_secs_f64() * 1e3),
        None => "the whole window long".to_owned(),
    };
    Some(format!(
        "{}, {label}: {lasted}, {} requests counted, sent at most {:.0} µs late",
        disturbance.name, last.counted, last.latest_us
    ))
}

/// One run on a fresh server. `Err` in the result says what the server cannot do.
fn disturb(
    program: &Program,
    disturbance: &Disturbance,
    rate: f64,
    quick: bool,
) -> Result<Result<Reading, String>, String> {
    let mut server = Server::start(program)?;
    for command in disturbance.loads.iter().map(|load| load.template[0]).chain(disturbance.command.map(|all| all[0])) {
        // BGSAVE needs no arguments; on an empty server it is over at once.
        if let Err(reason) = server.knows(command)? {
            return Ok(Err(reason));
        }
    }
    load_working_keys(&server)?;
    let (deadline, deadline_ms) = deadline();
    for load in disturbance.loads {
        let text = deadline_ms.to_string();
        let template: Vec<&str> =
            load.template.iter().map(|&argument| if argument == DEADLINE { &text } else { argument }).collect();
        let count = if quick { load.quick } else { load.full };
        if let Err(reason) = load::fill(server.address, count, &template)?.all_well() {
            return Ok(Err(reason));
        }
    }
    let expires = disturbance.loads.iter().any(|load| load.template.contains(&DEADLINE));
    let until_deadline = deadline.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
    if expires && until_deadline < LEAD {
        return Ok(Err("loading the expiring keys took longer than their life".to_owned()));
    }
    if expires {
        std::thread::sleep(until_deadline - LEAD);
    }
    let outcome = openloop::run(server.address, &plan(disturbance, rate, quick))?;
    let latest_ns = outcome.samples.iter().map(|sample| sample.late_ns).max().unwrap_or(0);
    let (errors, latest_us) = (outcome.tally.errors, latest_ns as f64 / 1e3);
    let latencies = Latencies::new(outcome.samples.iter().map(|sample| sample.latency_ns).collect());
    let us =
        [latencies.quantile_ns(0.5), latencies.quantile_ns(0.99), latencies.quantile_ns(0.999), latencies.max_ns()];
    Ok(Ok(Reading {
        us: us.map(|ns| ns as f64 / 1e3),
        errors,
        counted: latencies.count(),
        latest_us,
        strike_time: outcome.strike_time,
    }))
}

fn plan(disturbance: &Disturbance, rate: f64, quick: bool) -> Plan<'_> {
    let fresh_keys = match disturbance.requests {
        Requests::Mixed => None,
        Requests::Fresh { full, quick: few } => Some(if quick { few } else { full }),
    };
    let strike = Strike {
        at: LEAD,
        command: disturbance.command,
        watch: disturbance.watch,
        is_over: &disturbance.is_over,
        window: disturbance.window_s.map(Duration::from_secs),
    };
    Plan {
        pace: Pace::Open(rate),
        connections: openloop::CONNECTIONS,
        requests: fresh_keys.unwrap_or(u64::MAX),
        time: Duration::from_secs(900),
        stop: None,
        request: if fresh_keys.is_some() { &fresh } else { &mixed },
        expected: None,
        // Growth is in the requests themselves.
        strike: fresh_keys.is_none().then_some(strike),
    }
}

/// The moment at which the brief keys expire, and the same in milliseconds of Unix time.
fn deadline() -> (SystemTime, u128) {
    let moment = SystemTime::now() + EXPIRE_AFTER;
    (moment, moment.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis()))
}
