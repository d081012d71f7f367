//! From the start of the process to its first PONG, empty, and what it then holds in memory.
//! Plinth loads all its first-party modules on the way.

use std::time::Instant;

use super::Bench;
use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};

/// One start.
struct Start {
    ms: f64,
    resident_mib: f64,
}

/// Which figure of a start a row shows.
type Choice = fn(&Start) -> f64;

/// The table of start time and resident memory.
///
/// # Errors
/// When a server does not start.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let rows = [
        ("start to first PONG, ms", Bar::Own { must: 50.0, goal: 50.0 }),
        ("resident memory after it, MiB", Bar::Open),
    ];
    if !rows.iter().any(|(name, _)| bench.wants(name)) {
        return Ok(Vec::new());
    }
    let mut starts: Vec<Vec<Start>> = bench.programs.iter().map(|_| Vec::new()).collect();
    // Round 0 brings the files into the page cache and is not counted.
    for round in 0..=bench.runs(11, 5) {
        for (program, starts) in bench.programs.iter().zip(&mut starts) {
            bench.interrupt.check()?;
            let start = time_start(program)?;
            if round > 0 {
                starts.push(start);
            }
        }
    }
    let figures: [Choice; 2] = [|start| start.ms, |start| start.resident_mib];
    let rows = rows.into_iter().zip(figures).filter(|((name, _), _)| bench.wants(name));
    let row = |((name, bar), figure): ((&str, Bar), Choice)| Row {
        name: name.to_owned(),
        cells: starts.iter().map(|starts| Cell::of(&starts.iter().map(figure).collect::<Vec<_>>())).collect(),
        bar,
        floor: None,
        errors: Some(0),
    };
    Ok(vec![Table {
        title: "Start".to_owned(),
        method:
            "Time from the spawn to the first PONG with no data, tried every 50 microseconds, the page cache warm; \
                 medians, and half the distance of the extremes."
                .to_owned(),
        columns: bench.labels(),
        decimals: 1,
        rows: rows.map(row).collect(),
        notes: Vec::new(),
    }])
}

fn time_start(program: &Program) -> Result<Start, String> {
    let begin = Instant::now();
    let mut server = Server::spawn(program)?;
    server.await_pong()?;
    let ms = begin.elapsed().as_secs_f64() * 1e3;
    Ok(Start { ms, resident_mib: server.resident_bytes()? as f64 / (1 << 20) as f64 })
}
