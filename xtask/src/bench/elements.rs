//! The worst pause while one collection grows to five million elements, and while it is deleted.
//!
//! A collection has a table of its own, and whoever looks at a server only with small values never
//! sees what that table does to everybody else. The method is that of [`growth`](super::growth):
//! one connection inserts, a second one asks PING at a fixed rate, and the figure that is judged
//! is the repeatable pause.
//!
//! DEL comes after the growth, on the same server, and the probe goes on for two seconds: what a
//! server frees behind the scenes may still be felt. A deletion happens once a run, so there the
//! least of the runs' worst waits is what repeats. The same two seconds of probing just before DEL
//! tell what the machine alone does to that figure.

use std::time::{Duration, Instant};

use super::Bench;
use super::client::{Connection, encode};
use super::figure::Latencies;
use super::growth::{Course, Probe, grow, repeatable_ns, take_replies};
use super::load::Tally;
use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};

/// How long the probe goes on before DEL, and after DEL was sent.
const AFTERMATH: Duration = Duration::from_secs(2);
/// The must of growth. A deletion has none of its own: its bar is that of the tail's disturbances.
const PAUSE: Bar = Bar::Own { must: 0.5, goal: 0.5 };

/// What grows, and what an insertion looks like.
struct Subject {
    name: &'static str,
    insert: &'static [&'static str],
}

static SUBJECTS: [Subject; 2] = [
    Subject { name: "one set", insert: &["SADD", "big", "member{number}"] },
    Subject { name: "one hash", insert: &["HSET", "big", "field{number}", "val-{number}"] },
];

const ROWS: [(&str, Bar); 8] = [
    ("growth, repeatable pause", PAUSE),
    ("growth, any pause", Bar::Open),
    ("growth, server CPU in one batch", Bar::Open),
    ("growth, probe p99.9", Bar::Open),
    ("before deletion, repeatable pause", Bar::Open),
    ("deletion, repeatable pause", Bar::Open),
    ("deletion, any pause", Bar::Open),
    ("deletion, time of DEL itself", Bar::Open),
];

/// One run of one subject.
struct Life {
    growth: Course,
    before: Watch,
    deletion: Watch,
}

/// What the probe saw from a command on.
struct Watch {
    probes: Latencies,
    reply_ns: u64,
}

/// The table of both subjects.
///
/// # Errors
/// When a server does not start or dies.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let elements = if bench.quick { bench.elements.min(500_000) } else { bench.elements };
    let name = |subject: &Subject, row: &str| format!("{} of {:.1}M: {row}", subject.name, elements as f64 / 1e6);
    let mut table = Table {
        title: "Pauses from one big collection, ms".to_owned(),
        method: format!(
            "One connection inserts {elements} elements under one key, 16 commands per round trip, and then deletes \
             the key; another sends 2000 PING a second, timed from when each was due, from {0} s before DEL to {0} s \
             after it. Repeatable: the least over the runs at the same number of elements, or of the deletions.",
            AFTERMATH.as_secs()
        ),
        columns: bench.labels(),
        decimals: 3,
        rows: Vec::new(),
        notes: Vec::new(),
    };
    for subject in &SUBJECTS {
        let wanted: Vec<usize> = (0..ROWS.len()).filter(|&place| bench.wants(&name(subject, ROWS[place].0))).collect();
        if wanted.is_empty() {
            continue;
        }
        let lives = live(bench, subject, elements)?;
        for place in wanted {
            let (row, bar) = ROWS[place];
            let cells = lives.iter().map(|lives| cell(lives.as_ref(), place)).collect();
            let errors = lives.iter().flatten().flatten().map(|life| life.growth.tally.errors).sum();
            table.rows.push(Row { name: name(subject, row), cells, bar, floor: None, errors: Some(errors) });
        }
    }
    Ok(vec![table])
}

/// The runs of each server, or why it has none.
fn live(bench: &Bench, subject: &Subject, elements: u64) -> Result<Vec<Result<Vec<Life>, String>>, String> {
    let mut lives: Vec<Result<Vec<Life>, String>> = bench.programs.iter().map(|_| Ok(Vec::new())).collect();
    let runs = bench.runs(3, 2);
    for run in 1..=runs {
        for (program, lives) in bench.programs.iter().zip(&mut lives) {
            let Ok(done) = lives else { continue };
            eprintln!("bench: elements: {}: {} run {run} of {runs}", subject.name, program.label);
            bench.interrupt.check()?;
            match one_life(program, subject, elements)? {
                Ok(life) => done.push(life),
                Err(reason) => *lives = Err(reason),
            }
        }
    }
    Ok(lives)
}

/// `Err` in the result says why the server cannot be measured.
fn one_life(program: &Program, subject: &Subject, elements: u64) -> Result<Result<Life, String>, String> {
    let mut server = Server::start(program)?;
    if let Err(reason) = server.knows(subject.insert[0])? {
        return Ok(Err(reason));
    }
    let growth = grow(&server, subject.insert, elements)?;
    if let Some(error) = &growth.tally.first_error {
        return Ok(Err(format!("the server answered {error}")));
    }
    Ok(Ok(Life { growth, before: watch(&server, &["EXISTS", "big"])?, deletion: watch(&server, &["DEL", "big"])? }))
}

fn watch(server: &Server, command: &[&str]) -> Result<Watch, String> {
    let mut connection = Connection::open(server.address)?;
    connection.stream.set_nonblocking(true).map_err(|error| format!("cannot unblock a socket: {error}"))?;
    let mut probe = Probe::open(server)?;
    let mut request = Vec::new();
    encode(command, &mut request);
    let begin = Instant::now();
    connection.send(&request)?;
    let (mut tally, mut reply_ns) = (Tally::default(), None);
    while reply_ns.is_none() || begin.elapsed() < AFTERMATH {
        probe.ask_when_due()?;
        probe.take()?;
        if reply_ns.is_none() && take_replies(&mut connection, |reply| tally.count(reply))? > 0 {
            reply_ns = Some(begin.elapsed().as_nanos() as u64);
        }
    }
    tally.all_well()?;
    Ok(Watch { probes: Latencies::new(probe.latencies_ns), reply_ns: reply_ns.unwrap_or(0) })
}

fn cell(lives: Result<&Vec<Life>, &String>, row: usize) -> Cell {
    let ms = |ns: u64| ns as f64 / 1e6;
    let lives = match lives {
        Ok(lives) => lives,
        Err(reason) => return Cell::Absent(reason.clone()),
    };
    let figure = |life: &Life| match row {
        1 => life.growth.batches.max_ns(),
        2 => life.growth.worst_cpu_ns,
        3 => life.growth.probes.quantile_ns(0.999),
        4 => life.before.probes.max_ns(),
        7 => life.deletion.reply_ns,
        _ => life.deletion.probes.max_ns(),
    };
    match row {
        0 => Cell::of(&[ms(repeatable_ns(&lives.iter().map(|life| &life.growth).collect::<Vec<_>>()))]),
        4 | 5 => Cell::of(&[ms(lives.iter().map(figure).min().unwrap_or(0))]),
        _ => Cell::of(&lives.iter().map(|life| ms(figure(life))).collect::<Vec<_>>()),
    }
}
