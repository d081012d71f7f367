//! A type's module is replaced and brought back while clients work, and every reply is checked.
//!
//! Twenty connections send a thousand commands a second each, at times fixed beforehand, to a
//! million small values and one of a million elements. Each connection owns every twentieth key,
//! and every twentieth element of the big one, and a model of what it owns (`traffic.rs`) says each
//! reply beforehand, to the byte. The commands and their replies are prepared before the clock
//! starts: keeping the models meanwhile, whose tables grow, would be seen in the latencies.
//!
//! ```text
//!  load ── before ── MODULE REPLACE ── converting ── between ── MODULE REPLACE ── back ── after
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Bench;
use super::client::{Connection, Reply};
use super::figure::{Figure, Latencies};
use super::load;
use super::openloop::{self, Outcome, Pace, Plan, Sample};
use super::server::Server;
use super::table::{Bar, Cell, Row, Table};
use super::traffic::{Kind, Walker};

/// As the acceptance has it.
pub(crate) const CONNECTIONS: u64 = 20;
const COMMANDS_PER_SECOND: u64 = 20_000;
/// Small values, and elements of the big one.
const VALUES: u64 = 1_000_000;
const QUICK_VALUES: u64 = 50_000;
/// How much longer p99.9 may be while values are converted.
const SLOWER_MS: f64 = 2.0;
/// Runs: the machine's own hold-ups come in any stretch of one.
const RUNS: u32 = 5;
/// Seconds of commands that are prepared; the whole of a run fits in.
const PREPARED_S: u64 = 120;
/// A conversion that takes longer does not end.
const PATIENCE: Duration = Duration::from_secs(PREPARED_S);

/// The module that is put in the place of a type's.
#[derive(Clone, clap::Args)]
pub(crate) struct Replacement {
    /// The type whose module is replaced by `bench swap`.
    #[arg(long, value_enum)]
    swap_type: Option<Kind>,
    /// The library that is put in its place.
    #[arg(long, value_name = "PATH")]
    replacement: Option<PathBuf>,
    /// A library that is loaded at the start, such as a storage that the replacement asks for.
    #[arg(long, value_name = "PATH")]
    with_module: Option<PathBuf>,
}

/// All commands of a run in the order in which they are sent, and the replies they must get.
struct Script {
    bytes: Vec<u8>,
    /// Where in the bytes each command's reply begins, and where it ends.
    places: Vec<(usize, usize)>,
}

impl Script {
    fn prepare(kind: Kind, values: u64, count: u64) -> Script {
        let mut walkers: Vec<Walker> = (0..CONNECTIONS).map(|number| Walker::new(kind, number, values)).collect();
        let mut script = Script { bytes: Vec::new(), places: Vec::with_capacity(count as usize) };
        for turn in 0..count {
            let reply = walkers[(turn % CONNECTIONS) as usize].next(&mut script.bytes);
            let begin = script.bytes.len();
            script.bytes.extend_from_slice(&reply);
            script.places.push((begin, script.bytes.len()));
        }
        script
    }

    fn request(&self, number: u64) -> &[u8] {
        let number = number as usize;
        let begin = number.checked_sub(1).map_or(0, |before| self.places[before].1);
        &self.bytes[begin..self.places[number].0]
    }

    fn reply(&self, number: u64) -> &[u8] {
        let (begin, end) = self.places[number as usize];
        &self.bytes[begin..end]
    }

    /// What is wrong about a reply, in words.
    fn describe(&self, number: u64, reply: &[u8]) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
        let (request, expected) = (text(self.request(number)), text(self.reply(number)));
        format!("{request} is answered {}, and not {expected}", text(reply))
    }
}

/// The table, empty unless a type and a replacement are named.
///
/// # Errors
/// When the server, the load or a connection fails, or a conversion does not end.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let (Some(kind), Some(path)) = (bench.replacement.swap_type, &bench.replacement.replacement) else {
        return Ok(Vec::new());
    };
    let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let script = Script::prepare(kind, values(bench), PREPARED_S * COMMANDS_PER_SECOND);
    let runs = (0..bench.runs(RUNS, 1)).map(|_| run(bench, kind, &path, &script)).collect::<Result<Vec<Run>, _>>()?;
    Ok(vec![table(kind, values(bench), &runs)])
}

fn values(bench: &Bench) -> u64 {
    if bench.quick { QUICK_VALUES } else { VALUES }
}

/// There and back once, on a server of its own.
fn run(bench: &Bench, kind: Kind, path: &Path, script: &Script) -> Result<Run, String> {
    let mut args = vec!["--enable-module-command".to_owned(), "local".to_owned()];
    if let Some(module) = &bench.replacement.with_module {
        let module = std::path::absolute(module).map_err(|error| format!("{}: {error}", module.display()))?;
        args.extend(["--loadmodule".to_owned(), module.display().to_string()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut server = Server::start_with(&bench.programs[0], &args)?;
    let original = original(&mut server, kind)?;
    fill(&server, kind, values(bench))?;
    let memory_before = server.info("memory")?.number("used_memory").unwrap_or(0);

    let stop = AtomicBool::new(false);
    let plan = Plan {
        pace: Pace::Open(COMMANDS_PER_SECOND as f64),
        connections: CONNECTIONS as usize,
        requests: script.places.len() as u64,
        // No limit of its own: the requests end before.
        time: Duration::from_secs(2 * PREPARED_S),
        stop: Some(&stop),
        request: &|number, out| out.extend_from_slice(script.request(number)),
        expected: Some(&|number| script.reply(number)),
        strike: None,
    };
    let (address, begin) = (server.address, Instant::now());
    let (phases, outcome) = std::thread::scope(|scope| {
        let control = scope.spawn(|| {
            let phases = Connection::open(address).and_then(|mut control| {
                phase_all(&mut control, kind, [path, Path::new(&original)], begin, bench.quick)
            });
            stop.store(true, Ordering::Relaxed);
            phases
        });
        let outcome = openloop::run(address, &plan);
        (control.join().map_err(|_| "the control panicked".to_owned()), outcome)
    });
    let (phases, outcome) = (phases??, outcome?);
    if outcome.tally.replies == script.places.len() as u64 {
        return Err(format!("the run takes longer than {PREPARED_S} s"));
    }
    let memory_after = server.info("memory")?.number("used_memory").unwrap_or(0);
    Ok(Run {
        stretches: phases.iter().map(|phase| (phase.name, figures(phase, &outcome))).collect(),
        commands: outcome.samples.len(),
        wrong: outcome.wrong.count,
        first_wrong: outcome.wrong.first.map(|(number, reply)| script.describe(number, &reply)),
        memory: [memory_before, memory_after],
    })
}

/// What one run has shown.
struct Run {
    /// Of each stretch its name and [`FIGURES`].
    stretches: Vec<(&'static str, [f64; FIGURES.len()])>,
    commands: usize,
    wrong: u64,
    first_wrong: Option<String>,
    memory: [u64; 2],
}

/// The rows of the table.
const FIGURES: [&str; 6] = ["time, s", "p50, ms", "p99, ms", "p99.9, ms", "worst, ms", "left out, %"];
/// Which of them is judged.
const TAIL: usize = 3;

impl Run {
    /// How much longer p99.9 was while values were converted than before, in ms.
    fn slower_ms(&self) -> f64 {
        let tail = |name: &str| {
            let stretches = self.stretches.iter().filter(|(stretch, _)| stretch.starts_with(name));
            stretches.map(|(_, figures)| figures[TAIL]).fold(0.0, f64::max)
        };
        (tail("converting") - tail("before")).max(0.0)
    }
}

/// The figures of one stretch.
fn figures(phase: &Phase, outcome: &Outcome) -> [f64; FIGURES.len()] {
    let within: Vec<&Sample> =
        outcome.samples.iter().filter(|sample| (phase.from_ns..phase.to_ns).contains(&sample.due_ns)).collect();
    let counted = within.iter().filter(|sample| !outcome.hold_ups.iter().any(|hold_up| hold_up.mars(sample)));
    let latencies = Latencies::new(counted.map(|sample| sample.latency_ns).collect());
    let ms = |ns: u64| ns as f64 / 1e6;
    [
        ms(phase.to_ns - phase.from_ns) / 1e3,
        ms(latencies.quantile_ns(0.5)),
        ms(latencies.quantile_ns(0.99)),
        ms(latencies.quantile_ns(0.999)),
        ms(latencies.max_ns()),
        (within.len() - latencies.count()) as f64 * 100.0 / within.len().max(1) as f64,
    ]
}

/// A stretch of time, from the start.
struct Phase {
    name: &'static str,
    from_ns: u64,
    to_ns: u64,
}

fn phase_all(
    control: &mut Connection,
    kind: Kind,
    libraries: [&Path; 2],
    begin: Instant,
    quick: bool,
) -> Result<Vec<Phase>, String> {
    let now = || begin.elapsed().as_nanos() as u64;
    let rest = Duration::from_secs(if quick { 2 } else { 10 });
    std::thread::sleep(rest);
    let mut phases = vec![Phase { name: "before", from_ns: 0, to_ns: now() }];
    for (library, name, next) in [(libraries[0], "converting", "between"), (libraries[1], "converting back", "after")] {
        let from_ns = now();
        let path = library.display().to_string();
        match control.call(&["MODULE", "REPLACE", kind.module(), &path])? {
            Reply::Text(_) => {}
            other => return Err(format!("MODULE REPLACE {} {path}: {other:?}", kind.module())),
        }
        let asked = Instant::now();
        while control.call(&["MODULE", "REPLACE", "STATUS"])? != Reply::Array(0) {
            if asked.elapsed() > PATIENCE {
                return Err(format!("{name} {} values does not end", kind.module()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        phases.push(Phase { name, from_ns, to_ns: now() });
        let from_ns = now();
        std::thread::sleep(rest / 2);
        phases.push(Phase { name: next, from_ns, to_ns: now() });
    }
    Ok(phases)
}

/// Path of the library that has the type now.
fn original(server: &mut Server, kind: Kind) -> Result<String, String> {
    let info = server.info("modules")?;
    let line = info.text(&format!("plinth_module_{}", kind.module())).unwrap_or_default().to_owned();
    let path = line.split(',').find_map(|field| field.strip_prefix("path="));
    path.map(str::to_owned).ok_or_else(|| format!("INFO modules does not name {}: {line:?}", kind.module()))
}

fn fill(server: &Server, kind: Kind, values: u64) -> Result<(), String> {
    for template in kind.templates() {
        load::fill(server.address, values, template)?.all_well()?;
    }
    Ok(())
}

fn table(kind: Kind, values: u64, runs: &[Run]) -> Table {
    let names: Vec<&str> =
        runs.first().map(|run| run.stretches.iter().map(|(name, _)| *name).collect()).unwrap_or_default();
    let cell = |row: usize, column: usize| {
        Cell::of(&runs.iter().map(|run| run.stretches[column].1[row]).collect::<Vec<f64>>())
    };
    let commands: usize = runs.iter().map(|run| run.commands).sum();
    let wrong: u64 = runs.iter().map(|run| run.wrong).sum();
    let slower: Vec<f64> = runs.iter().map(Run::slower_ms).collect();
    let each: Vec<String> = slower.iter().map(|ms| format!("{ms:.3}")).collect();
    let median = Figure::of(&slower).map_or(0.0, |figure| figure.median);
    let memory = runs.iter().map(|run| format!("{} and {}", run.memory[0] >> 20, run.memory[1] >> 20));
    let mut notes = vec![
        format!("{commands} replies were compared with a model; {wrong} were wrong"),
        format!(
            "p99.9 while converting is at most {median:.3} ms above that before, as the median of the runs ({}); \
             {SLOWER_MS} ms are allowed",
            each.join(", ")
        ),
        format!("used_memory before and after, MiB: {}", memory.collect::<Vec<_>>().join("; ")),
    ];
    notes.extend(runs.iter().find_map(|run| run.first_wrong.clone()));
    let rows = FIGURES.into_iter().enumerate().map(|(row, name)| Row {
        name: name.to_owned(),
        cells: (0..names.len()).map(|column| cell(row, column)).collect(),
        bar: Bar::Apart,
        floor: None,
        errors: Some(wrong),
    });
    Table {
        title: format!("The module of {} values replaced and brought back", kind.module()),
        method: format!(
            "{CONNECTIONS} connections, {COMMANDS_PER_SECOND} commands a second, {values} small values and one of \
             {values} elements; latency counted from when a command was due, each reply compared with a model. \
             Left out of the latencies: what the machine marred by holding the client up for over 1 ms. Columns are stretches of a run, so the last columns of the table compare nothing; medians of {} runs, and \
             half the distance of the extremes.",
            runs.len()
        ),
        columns: names.iter().map(|name| (*name).to_owned()).collect(),
        decimals: 3,
        rows: rows.collect(),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_holds_what_the_walkers_say_one_after_the_other() {
        let script = Script::prepare(Kind::Zset, 1000, 2 * CONNECTIONS + 1);
        let mut walkers: Vec<Walker> = (0..CONNECTIONS).map(|number| Walker::new(Kind::Zset, number, 1000)).collect();
        for number in 0..=2 * CONNECTIONS {
            let mut request = Vec::new();
            let reply = walkers[(number % CONNECTIONS) as usize].next(&mut request);
            assert_eq!((script.request(number), script.reply(number)), (&request[..], &reply[..]), "{number}");
        }
    }
}
