//! `cargo xtask bench`: Plinth beside other Redis-compatible servers, measured in one run.
//!
//! Machines that compile and test are noisy, so no absolute figure of processor time is worth
//! keeping: what counts is the ratio to a peer measured in the same minutes on the same cores.
//! Every part therefore takes the servers in turn, run by run, and reports medians with their
//! spread. The server has core 0 for itself and the client core 1.
//!
//! ```text
//!  mod.rs       arguments, the order of the parts
//!  plinth.rs    builds of Plinth itself          machine.rs  what it ran on, interruption
//!  server.rs    one server process               pin.rs      cores
//!  client.rs    one connection, replies          load.rs     filling a server, templates
//!  cputime.rs   processor time out of /proc      figure.rs   medians, percentiles
//!  table.rs     rows, verdicts, printing
//!  workload.rs  the rows of `cpu`                cpu.rs      runs them
//!  script.rs    sends what redis-benchmark cannot
//!  linked.rs    the price of the module boundary
//!  floor.rs     what the kernel takes, whatever the server does
//!  memory.rs    bytes per key                    startup.rs  time to the first PONG
//!  growth.rs    pauses while the table grows     tail.rs     latency under disturbance
//!  elements.rs  the same of one big set or hash, and its deletion
//!  trimming.rs  one big stream that is emptied
//!  publishing.rs  messages to a thousand listeners
//!  openloop.rs  the client behind tail.rs
//!  swap.rs      a type's module replaced under load    traffic.rs  commands with known replies
//! ```

mod client;
mod cpu;
mod cputime;
mod elements;
mod figure;
mod floor;
mod growth;
mod linked;
mod load;
mod machine;
mod memory;
mod openloop;
mod pin;
mod plinth;
mod publishing;
mod script;
mod server;
mod startup;
mod swap;
mod table;
mod tail;
mod traffic;
mod trimming;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

pub(crate) use floor::serve as serve_constants;

use machine::Interrupt;
use server::Program;
use table::Table;

/// What to measure and against whom.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which measurements to take.
    #[arg(value_enum, default_value = "all")]
    part: Part,
    /// A server binary to compare with; may be given several times. `redis-server` on the PATH
    /// is a peer in any case.
    #[arg(long = "peer", value_name = "PATH")]
    peers: Vec<PathBuf>,
    /// Measure this binary in Plinth's place instead of building Plinth.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Use this binary as the build with the string module linked in, instead of building one.
    #[arg(long, value_name = "PATH")]
    linked: Option<PathBuf>,
    /// Runs per row and server (default: cpu 5, memory 1, tail 3, startup 11, swap 5).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// Only rows whose name matches this regular expression (case does not matter), like `HSET`,
    /// `big set` or `one hash`.
    #[arg(long, alias = "only", value_name = "REGEX")]
    rows: Option<String>,
    /// Fewer commands, keys and runs: for a first look, not for a record.
    #[arg(long)]
    quick: bool,
    /// How many keys the growth test inserts.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    keys: u64,
    /// How many elements the set and the hash of the growth test get.
    #[arg(long, value_name = "N", default_value_t = 5_000_000)]
    elements: u64,
    #[command(flatten)]
    replacement: swap::Replacement,
    /// Also write the tables to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// The parts that can be asked for by name.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Processor nanoseconds per command.
    Cpu,
    /// Bytes per key.
    Memory,
    /// Pauses and latency percentiles under disturbance.
    Tail,
    /// Time from the process start to the first PONG.
    Startup,
    /// A type's module replaced and brought back under load; needs `--swap-type` and
    /// `--replacement`.
    Swap,
    /// All of the above.
    All,
}

/// What every part needs to know about this invocation.
struct Bench {
    /// The measured server first, then its peers.
    programs: Vec<Program>,
    /// The build with the string module linked in, or why there is none.
    linked: Result<Program, String>,
    filter: Option<regex::Regex>,
    runs: Option<u32>,
    quick: bool,
    keys: u64,
    elements: u64,
    replacement: swap::Replacement,
    interrupt: Interrupt,
}

impl Bench {
    /// Whether the row of this name was asked for.
    fn wants(&self, row: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.is_match(row))
    }

    /// The number of runs: what was asked for, or the part's default.
    fn runs(&self, usual: u32, quick: u32) -> u32 {
        self.runs.unwrap_or(if self.quick { quick } else { usual })
    }

    /// The servers' names in column order.
    fn labels(&self) -> Vec<String> {
        self.programs.iter().map(|program| program.label.clone()).collect()
    }
}

/// Runs the parts asked for and prints their tables. The exit code is a failure when a row
/// misses its must.
///
/// # Errors
/// A sentence for the reader when a server cannot be built, found, started or talked to.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let bench = prepare(&args)?;
    let heading = machine::heading(&bench.programs, bench.quick);
    println!("{heading}");
    let mut document = heading;
    let mut missed = 0;
    for (part, measure) in [
        (Part::Cpu, cpu::measure as fn(&Bench) -> Result<Vec<Table>, String>),
        (Part::Cpu, linked::measure),
        (Part::Cpu, publishing::measure),
        (Part::Memory, memory::measure),
        (Part::Tail, growth::measure),
        (Part::Tail, elements::measure),
        (Part::Tail, trimming::measure),
        (Part::Tail, tail::measure),
        (Part::Startup, startup::measure),
        (Part::Swap, swap::measure),
    ] {
        if args.part != Part::All && args.part != part {
            continue;
        }
        // A signal also ends the servers, so what failed then is not worth telling.
        let tables = measure(&bench).map_err(|error| bench.interrupt.check().err().unwrap_or(error))?;
        for table in tables.iter().filter(|table| !table.rows.is_empty()) {
            let text = table.render();
            println!("\n{text}");
            document.push('\n');
            document.push_str(&text);
            missed += table.missed();
        }
        // Written after each part: an hour's figures survive a fault in the last minute.
        write_document(args.markdown.as_ref(), &document)?;
    }
    if missed > 0 {
        println!("\n{missed} row(s) miss their must.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds what must be built, finds the peers, asks each its version and takes core 1.
fn prepare(args: &Args) -> Result<Bench, String> {
    let filter = match &args.rows {
        Some(pattern) => Some(
            regex::RegexBuilder::new(pattern)
                .case_insensitive(true)
                .build()
                .map_err(|error| format!("--rows is not a regular expression: {error}"))?,
        ),
        None => None,
    };
    let own = match &args.server {
        Some(path) => plinth::find(path)?,
        None => plinth::build()?,
    };
    let measures_cpu = matches!(args.part, Part::Cpu | Part::All);
    let wants_linked = linked::row_names().any(|name| filter.as_ref().is_none_or(|filter| filter.is_match(&name)));
    let linked = match &args.linked {
        Some(path) => Ok(plinth::find(path)?),
        None if args.server.is_some() => Err("--server without --linked".to_owned()),
        None if measures_cpu && wants_linked => plinth::build_linked(),
        None => Err("not asked for".to_owned()),
    };
    let interrupt = Interrupt::listen()?;
    pin::take_client_core()?;
    let mut programs = vec![Program::identify(own)?];
    for path in plinth::peers(&args.peers)? {
        programs.push(Program::identify(path)?);
    }
    server::number_equal_labels(&mut programs);
    Ok(Bench {
        programs,
        linked: linked.and_then(Program::identify),
        filter,
        runs: args.runs,
        quick: args.quick,
        keys: args.keys,
        elements: args.elements,
        replacement: args.replacement.clone(),
        interrupt,
    })
}

fn write_document(path: Option<&PathBuf>, document: &str) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    std::fs::write(path, document).map_err(|error| format!("cannot write {}: {error}", path.display()))
}
