//! `plinth-verify module.so --type zset`: does a module behave as the type that it stands for?
//!
//! Two real servers are started, one with the candidate in the place of the first-party module and
//! one as it is. Both get the same generated commands, and whatever a client can see is compared:
//! replies, payloads of DUMP restored in the other server, expiry, and what memory is charged. A case
//! in which they differ is made smaller while they still differ; the smallest is printed first, so
//! that what is read is a few commands and not a few hundred.
//!
//! ```text
//!  main.rs      arguments, the order of things, what is printed
//!  server.rs    one server process          wire.rs     a connection, replies as trees
//!  compare.rs   when two replies are equal  generate/   cases of each type, a file for each
//!  shrink.rs    a smaller case              run.rs      one case on both servers
//!  memory.rs    what memory is charged
//! ```
//!
//! What may differ: the order in which a set or a hash shows what it holds, and OBJECT ENCODING,
//! of which differences are noted only. Ranges by member are asked for only where all scores are the
//! same; nothing says what they are otherwise.

mod compare;
mod generate;
mod memory;
mod run;
mod server;
mod shrink;
mod wire;

use clap::Parser;
use generate::{Case, Kind};
use plinth_fuzz::Random;
use run::{Difference, Pair};
use std::path::PathBuf;
use std::process::ExitCode;

/// Drives a module that implements a data type against the first-party one.
#[derive(Parser)]
#[command(name = "plinth-verify")]
struct Args {
    /// The candidate: a module's shared library.
    module: PathBuf,
    /// The type that it implements.
    #[arg(long = "type", value_enum)]
    kind: Kind,
    /// Load this module before the candidate, in the same server: one that the candidate uses. May be
    /// said more than once.
    #[arg(long = "with", value_name = "PATH")]
    with: Vec<PathBuf>,
    /// The server's executable (default: `plinth-server` beside this program).
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Compare with this module instead of the one that the server loads by itself.
    #[arg(long, value_name = "PATH", conflicts_with = "reference_server")]
    reference: Option<PathBuf>,
    /// Compare with this server instead, as it is.
    #[arg(long, value_name = "PATH")]
    reference_server: Option<PathBuf>,
    /// How many cases are generated.
    #[arg(long, value_name = "N", default_value_t = 300)]
    cases: u64,
    /// The first case's seed; a case is the same each time.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Stop after so many differences.
    #[arg(long, value_name = "N", default_value_t = 5)]
    limit: usize,
}

/// A difference with its smallest case.
struct Finding {
    seed: u64,
    case: Case,
    difference: Difference,
}

fn main() -> ExitCode {
    match verify(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("plinth-verify: {message}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing differs.
fn verify(args: &Args) -> Result<bool, String> {
    let server = server::find(args.server.as_deref())?;
    let absolute = |path: &PathBuf| std::path::absolute(path).map_err(|error| error.to_string());
    let mut modules: Vec<PathBuf> = args.with.iter().map(absolute).collect::<Result<_, _>>()?;
    modules.push(absolute(&args.module)?);
    let reference = match (&args.reference_server, &args.reference) {
        (Some(path), _) => server::Program { path: path.clone(), modules: Vec::new() },
        (None, Some(path)) => server::Program { path: server.clone(), modules: vec![path.clone()] },
        (None, None) => server::Program { path: server.clone(), modules: Vec::new() },
    };
    let mut pair = Pair::start(server::Program { path: server, modules }, reference, args.kind)?;
    let mut findings = Vec::new();
    for seed in args.seed..args.seed.saturating_add(args.cases) {
        let case = generate::case(args.kind, &mut Random::new(seed));
        let Some(difference) = pair.run(&case)? else { continue };
        let found = smallest(&mut pair, seed, case, difference)?;
        // The same fault is likely to show in many cases, and mostly at the same command.
        if !findings.iter().any(|other: &Finding| other.difference.what == found.difference.what) {
            findings.push(found);
        }
        if findings.len() >= args.limit {
            break;
        }
    }
    let complaints = memory::measure(&mut pair, args.kind)?;
    findings.sort_by_key(|finding| (finding.case.steps.len(), finding.case.bytes()));
    print(&findings, &complaints, &pair, args);
    Ok(findings.is_empty() && complaints.is_empty())
}

fn smallest(pair: &mut Pair, seed: u64, case: Case, difference: Difference) -> Result<Finding, String> {
    let mut finding = Finding { seed, case: case.clone(), difference };
    let case = shrink::shrink(case, |smaller| {
        let difference = pair.run(smaller)?;
        if let Some(difference) = difference {
            finding.difference = difference;
            return Ok(true);
        }
        Ok(false)
    })?;
    finding.case = case;
    // The last run of the search need not have been the one that was kept.
    if let Some(difference) = pair.run(&finding.case)? {
        finding.difference = difference;
    }
    Ok(finding)
}

fn print(findings: &[Finding], complaints: &[String], pair: &Pair, args: &Args) {
    for (place, finding) in findings.iter().enumerate() {
        let (count, seed) = (finding.case.steps.len(), finding.seed);
        println!("{}. {} ({count} commands, seed {seed})", place + 1, finding.difference.what);
        println!("     > HELLO {}", finding.case.protocol);
        for step in &finding.case.steps {
            println!("     > {step}");
        }
        println!("   candidate:   {}", finding.difference.candidate);
        println!("   first party: {}\n", finding.difference.reference);
    }
    for complaint in complaints {
        println!("memory: {complaint}");
    }
    for note in pair.notes() {
        println!("note: {note}");
    }
    let verdict = if findings.is_empty() && complaints.is_empty() { "no differences" } else { "they differ" };
    println!("{}: {verdict} in {} commands of {} cases", args.module.display(), pair.commands(), pair.cases());
}
