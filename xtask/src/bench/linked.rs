//! What the module boundary costs: Plinth as it is against a build with the string module
//! linked in (`--features linked-string`). Linked in, a command may be at most 3% cheaper.

use super::Bench;
use super::cpu::{Contestant, Entry};
use super::table::{Bar, Cell, Row, Table};
use super::workload;

/// Where the boundary shows most: the most commands per system call.
const PIPELINE: u64 = 64;
/// The boundary may cost 3%, and should cost 1%.
const BAR: Bar = Bar::Kept { must: 0.97, goal: 0.99 };
const COMMANDS: [&str; 2] = ["GET", "SET"];

/// The rows' names, for the filter.
pub(crate) fn row_names() -> impl Iterator<Item = String> {
    COMMANDS.iter().map(|command| format!("{command} -P {PIPELINE}, linked in against dlopen'd"))
}

/// The table of both rows, `n/a` when there is no linked build.
///
/// # Errors
/// When a server or `redis-benchmark` fails as a process.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let mut table = Table {
        title: "The same module linked in rather than dlopen'd, ns".to_owned(),
        method: "As above; here the ratio is linked-in to dlopen'd, so 0.97 means that the boundary costs 3%."
            .to_owned(),
        columns: vec!["dlopen'd".to_owned(), "linked in".to_owned()],
        decimals: 0,
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let mut contestants = Vec::new();
    for (command, name) in COMMANDS.into_iter().zip(row_names()) {
        if !bench.wants(&name) {
            continue;
        }
        let row = match (&bench.linked, workload::named(command)) {
            (Ok(linked), Some(workload)) => {
                if contestants.is_empty() {
                    contestants = vec![Contestant::start(&bench.programs[0])?, Contestant::start(linked)?];
                }
                // The difference sought is smaller than a run's spread, so more runs than elsewhere.
                let entry = Entry { workload, pipeline: PIPELINE, runs: bench.runs(9, 5), bar: BAR };
                Row { name, floor: None, ..entry.measure(bench, &mut contestants, &mut table.notes)? }
            }
            (Err(reason), _) => absent(name, reason),
            (Ok(_), None) => absent(name, "no such workload"),
        };
        table.rows.push(row);
    }
    Ok(vec![table])
}

fn absent(name: String, reason: &str) -> Row {
    let cells = vec![Cell::Absent(String::new()), Cell::Absent(reason.to_owned())];
    Row { name, cells, bar: BAR, floor: None, errors: Some(0) }
}
