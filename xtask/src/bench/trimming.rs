//! One stream of five million entries that loses every second one, is trimmed to nothing, and is
//! deleted: how long the thread that runs commands works at a stretch, and what memory is left.
//!
//! The time is the thread's own, out of its scheduler statistics, from before a batch of 16 commands
//! was sent to when its replies were there. What other threads free meanwhile does not count, because
//! nobody waits for it.

use std::time::Duration;

use super::Bench;
use super::client::{Connection, encode};
use super::cputime::ThreadClock;
use super::load::{self, Tally};
use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};

const BATCH: u64 = 16;
const ADD: [&str; 7] = ["XADD", "big", "{next}-1", "a", "1", "b", "2"];
/// How long a server has to give memory back.
const REST: Duration = Duration::from_secs(3);

const TURN: Bar = Bar::Own { must: 1.0, goal: 0.5 };

const ROWS: [(&str, Bar); 4] = [
    ("XDEL of every second entry, 16 a batch: server CPU in one batch, the most, ms", TURN),
    ("XTRIM to 0: server CPU, ms", TURN),
    ("DEL: server CPU, ms", TURN),
    ("memory left, % of what the stream took", Bar::Own { must: 2.0, goal: 1.0 }),
];

/// The table of the four figures.
///
/// # Errors
/// When a server does not start or dies.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let entries = if bench.quick { bench.elements.min(500_000) } else { bench.elements };
    let name = |row: &str| format!("one stream of {:.1}M: {row}", entries as f64 / 1e6);
    let wanted: Vec<usize> = (0..ROWS.len()).filter(|&place| bench.wants(&name(ROWS[place].0))).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut samples: Vec<Result<Vec<[f64; 4]>, String>> = bench.programs.iter().map(|_| Ok(Vec::new())).collect();
    for run in 1..=bench.runs(3, 1) {
        for (program, samples) in bench.programs.iter().zip(&mut samples) {
            bench.interrupt.check()?;
            let Ok(done) = samples else { continue };
            eprintln!("bench: trimming: {} run {run}", program.label);
            match one_life(program, entries)? {
                Ok(figures) => done.push(figures),
                Err(reason) => *samples = Err(reason),
            }
        }
    }
    let cell = |samples: &Result<Vec<[f64; 4]>, String>, place: usize| match samples {
        Ok(samples) => Cell::of(&samples.iter().map(|figures| figures[place]).collect::<Vec<_>>()),
        Err(reason) => Cell::Absent(reason.clone()),
    };
    let row = |&place: &usize| Row {
        name: name(ROWS[place].0),
        cells: samples.iter().map(|samples| cell(samples, place)).collect(),
        bar: ROWS[place].1,
        floor: None,
        errors: Some(0),
    };
    Ok(vec![Table {
        title: "One big stream, emptied".to_owned(),
        method: "Processor time of the thread that runs commands, from before a batch is sent to after its replies."
            .to_owned(),
        columns: bench.labels(),
        decimals: 3,
        rows: wanted.iter().map(row).collect(),
        notes: Vec::new(),
    }])
}

/// `Err` in the result says why the server cannot be measured.
fn one_life(program: &Program, entries: u64) -> Result<Result<[f64; 4], String>, String> {
    let mut server = Server::start(program)?;
    if let Err(reason) = server.knows("XADD")? {
        return Ok(Err(reason));
    }
    load::fill(server.address, 20_000, &["PING"])?;
    let clock = ThreadClock::of_busiest_thread(server.pid())?;
    let before = used_memory(&mut server)?;
    load::fill(server.address, entries, &ADD)?.all_well()?;
    let full = used_memory(&mut server)?;
    let xdel_ns = remove_every_second(&server, &clock, entries)?;
    let mut once = |command: &[&str]| -> Result<u64, String> {
        let begin = clock.ns()?;
        server.call(command)?;
        // A thread is charged when it goes to sleep.
        std::thread::sleep(Duration::from_millis(2));
        Ok(clock.ns()? - begin)
    };
    let trim_ns = once(&["XTRIM", "big", "MAXLEN", "0"])?;
    let delete_ns = once(&["DEL", "big"])?;
    std::thread::sleep(REST);
    let left = used_memory(&mut server)?.saturating_sub(before);
    let ms = |ns: u64| ns as f64 / 1e6;
    let left = left as f64 / full.saturating_sub(before).max(1) as f64 * 100.0;
    Ok(Ok([ms(xdel_ns), ms(trim_ns), ms(delete_ns), left]))
}

/// The most time that the thread ran for one batch.
fn remove_every_second(server: &Server, clock: &ThreadClock, entries: u64) -> Result<u64, String> {
    let mut connection = Connection::open(server.address)?;
    let (mut bytes, mut tally, mut worst_ns) = (Vec::new(), Tally::default(), 0);
    let mut last_ns = clock.ns()?;
    for first in (0..entries / 2).step_by(BATCH as usize) {
        bytes.clear();
        let count = BATCH.min(entries / 2 - first);
        for number in first..first + count {
            encode(&["XDEL", "big", &format!("{}-1", 2 * number + 1)], &mut bytes);
        }
        connection.send(&bytes)?;
        for _ in 0..count {
            connection.receive(|reply| tally.count(reply))?;
        }
        let now_ns = clock.ns()?;
        worst_ns = worst_ns.max(now_ns - last_ns);
        last_ns = now_ns;
    }
    tally.all_well()?;
    Ok(worst_ns)
}

fn used_memory(server: &mut Server) -> Result<u64, String> {
    std::thread::sleep(Duration::from_millis(300));
    server.info("memory")?.number("used_memory").ok_or_else(|| "INFO memory has no used_memory".to_owned())
}
