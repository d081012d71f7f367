//! A type's module is replaced and brought back while clients work, and every reply is checked.
//!
//! Twenty connections send a thousand commands a second each, at times fixed beforehand, to a
//! million small values and one of a million elements. Each connection owns every twentieth key,
//! and every twentieth element of the big one, and keeps a model of what it owns (`traffic.rs`):
//! so it knows each reply beforehand, to the byte.
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
/// A conversion that takes longer does not end.
const PATIENCE: Duration = Duration::from_secs(300);

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

/// One request: when it was due, counted from the start, and how long it took from then.
struct Sample {
    due_ns: u64,
    latency_ns: u64,
}

/// What a connection saw.
#[derive(Default)]
struct Seen {
    samples: Vec<Sample>,
    wrong: u64,
    first_wrong: Option<String>,
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
    let values = if bench.quick { QUICK_VALUES } else { VALUES };
    let runs = (0..bench.runs(RUNS, 1)).map(|_| run(bench, kind, &path, values)).collect::<Result<Vec<Run>, _>>()?;
    Ok(vec![table(kind, values, &runs)])
}

/// There and back once, on a server of its own.
fn run(bench: &Bench, kind: Kind, path: &Path, values: u64) -> Result<Run, String> {
    let mut args = vec!["--enable-module-command".to_owned(), "local".to_owned()];
    if let Some(module) = &bench.replacement.with_module {
        let module = std::path::absolute(module).map_err(|error| format!("{}: {error}", module.display()))?;
        args.extend(["--loadmodule".to_owned(), module.display().to_string()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut server = Server::start_with(&bench.programs[0], &args)?;
    let original = original(&mut server, kind)?;
    fill(&server, kind, values)?;
    let memory_before = server.info("memory")?.number("used_memory").unwrap_or(0);

    let stop = AtomicBool::new(false);
    let begin = Instant::now() + Duration::from_millis(200);
    let mut phases = Vec::new();
    let seen = std::thread::scope(|scope| -> Result<Vec<Seen>, String> {
        let workers: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let (stop, address) = (&stop, server.address);
                scope.spawn(move || work(Walker::new(kind, number, values), address, begin, stop))
            })
            .collect();
        let mut control = Connection::open(server.address)?;
        let done = phase_all(&mut control, kind, [path, Path::new(&original)], begin, bench.quick);
        stop.store(true, Ordering::Relaxed);
        phases = done?;
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a client panicked".to_owned())?).collect()
    })?;
    let memory_after = server.info("memory")?.number("used_memory").unwrap_or(0);
    Ok(Run {
        stretches: phases.iter().map(|phase| (phase.name, figures(phase, &seen))).collect(),
        commands: seen.iter().map(|seen| seen.samples.len()).sum(),
        wrong: seen.iter().map(|seen| seen.wrong).sum(),
        first_wrong: seen.iter().find_map(|seen| seen.first_wrong.clone()),
        memory: [memory_before, memory_after],
    })
}

/// What one run has shown.
struct Run {
    /// Of each stretch its name and [`FIGURES`].
    stretches: Vec<(&'static str, [f64; 5])>,
    commands: usize,
    wrong: u64,
    first_wrong: Option<String>,
    memory: [u64; 2],
}

/// The rows of the table.
const FIGURES: [&str; 5] = ["time, s", "p50, ms", "p99, ms", "p99.9, ms", "worst, ms"];
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
fn figures(phase: &Phase, seen: &[Seen]) -> [f64; 5] {
    let samples = seen.iter().flat_map(|seen| &seen.samples);
    let within = samples.filter(|sample| (phase.from_ns..phase.to_ns).contains(&sample.due_ns));
    let latencies = Latencies::new(within.map(|sample| sample.latency_ns).collect());
    let ms = |ns: u64| ns as f64 / 1e6;
    [
        ms(phase.to_ns - phase.from_ns) / 1e3,
        ms(latencies.quantile_ns(0.5)),
        ms(latencies.quantile_ns(0.99)),
        ms(latencies.quantile_ns(0.999)),
        ms(latencies.max_ns()),
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

/// One connection's commands, each sent when it is due, or as soon after as the reply before allows.
fn work(mut walker: Walker, address: std::net::SocketAddr, begin: Instant, stop: &AtomicBool) -> Result<Seen, String> {
    let mut connection = Connection::open(address)?;
    let mut seen = Seen::default();
    let interval_ns = 1_000_000_000 * CONNECTIONS / COMMANDS_PER_SECOND;
    let mut request = Vec::new();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let due_ns = turn * interval_ns + walker.offset_ns(interval_ns);
        let due = begin + Duration::from_nanos(due_ns);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        request.clear();
        let expected = walker.next(&mut request);
        connection.send(&request)?;
        let wrong = connection.receive(|reply| (reply != expected).then(|| reply.to_vec()))?;
        seen.samples.push(Sample { due_ns, latency_ns: (begin.elapsed().as_nanos() as u64).saturating_sub(due_ns) });
        if let Some(reply) = wrong {
            seen.wrong += 1;
            seen.first_wrong.get_or_insert_with(|| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string();
                format!("{} is answered {}, and not {}", text(&request), text(&reply), text(&expected))
            });
        }
    }
    Ok(seen)
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
        errors: Some(wrong),
    });
    Table {
        title: format!("The module of {} values replaced and brought back", kind.module()),
        method: format!(
            "{CONNECTIONS} connections, {COMMANDS_PER_SECOND} commands a second, {values} small values and one of \
             {values} elements; latency counted from when a command was due, each reply compared with a model. \
             Columns are stretches of a run, so the last columns of the table compare nothing; medians of {} runs, and \
             half the distance of the extremes.",
            runs.len()
        ),
        columns: names.iter().map(|name| (*name).to_owned()).collect(),
        decimals: 3,
        rows: rows.collect(),
        notes,
    }
}
