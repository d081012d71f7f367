//! Messages to a thousand listeners: the server's processor time for each message that it delivers.
//!
//! One connection publishes, 16 messages a round trip, and each round ends when all listeners have read what it
//! brought them: so nothing piles up, and a round is as many writes as there are listeners.

use super::Bench;
use super::client::{Connection, encode};
use super::cputime;
use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};

const LISTENERS: usize = 1000;
const BATCH: usize = 16;
const ROUNDS: usize = 60;

/// Rows: bytes of a message.
const MESSAGES: [usize; 2] = [64, 16 << 10];

/// The table.
///
/// # Errors
/// When a server does not start or dies, or the system does not let so many connections be open.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let name = |bytes: usize| format!("PUBLISH of {bytes} bytes to {LISTENERS}, {BATCH} a round trip");
    let mut rows = Vec::new();
    for bytes in MESSAGES.into_iter().filter(|bytes| bench.wants(&name(*bytes))) {
        let mut samples = vec![Vec::new(); bench.programs.len()];
        for run in 1..=bench.runs(5, 1) {
            for (program, samples) in bench.programs.iter().zip(&mut samples) {
                bench.interrupt.check()?;
                eprintln!("bench: publishing {bytes} bytes: {} run {run}", program.label);
                samples.push(deliver(program, bytes)?);
            }
        }
        let cells = samples.iter().map(|samples| Cell::of(samples)).collect();
        let bar = Bar::Ratio { must: 0.6, goal: 0.5 };
        rows.push(Row { name: name(bytes), cells, bar, floor: None, errors: Some(0) });
    }
    Ok(vec![Table {
        title: "Publishing".to_owned(),
        method: "Processor time of the server's process, divided by the messages delivered, in ns.".to_owned(),
        columns: bench.labels(),
        decimals: 0,
        rows,
        notes: Vec::new(),
    }])
}

/// Nanoseconds for each message delivered.
fn deliver(program: &Program, bytes: usize) -> Result<f64, String> {
    let server = Server::start(program)?;
    let mut listeners = Vec::new();
    for _ in 0..LISTENERS {
        let mut listener = Connection::open(server.address)?;
        listener.call(&["SUBSCRIBE", "news"])?;
        listeners.push(listener);
    }
    let mut sender = Connection::open(server.address)?;
    let (text, mut batch) = ("x".repeat(bytes), Vec::new());
    (0..BATCH).for_each(|_| encode(&["PUBLISH", "news", &text], &mut batch));
    let expected = format!(":{LISTENERS}\r\n");
    let mut round = || -> Result<(), String> {
        sender.send(&batch)?;
        for _ in 0..BATCH {
            let all = sender.receive(|reply| reply == expected.as_bytes())?;
            if !all {
                return Err(format!("{}: a message did not reach all listeners", program.label));
            }
        }
        listeners.iter_mut().try_for_each(|listener| (0..BATCH).try_for_each(|_| listener.receive(|_| ())))
    };
    for _ in 0..ROUNDS / 10 {
        round()?;
    }
    let begin = cputime::process_ns(server.pid())?;
    for _ in 0..ROUNDS {
        round()?;
    }
    let spent = cputime::process_ns(server.pid())? - begin;
    Ok(spent as f64 / (ROUNDS * BATCH * LISTENERS) as f64)
}
