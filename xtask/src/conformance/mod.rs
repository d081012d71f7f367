//! `cargo xtask conformance`: Redis 7.0's own test suite against Plinth.
//!
//! Clients of Redis rely on far more than its documentation says, and the suite that Redis's
//! authors wrote is the nearest thing to a list of it. It is their work and not ours, so it is
//! never committed: Debian's source package brings it, at run time. What Plinth cannot do yet is
//! named test by test in `tests/conformance/skip.tsv`; everything else has to pass.
//!
//! A run is only worth something if it cannot look better than it was. So a unit passes when no
//! test failed, *and* the suite reached the unit's end, *and* at least one test ran, *and* each
//! line of the skip list still names a test of the unit.
//!
//! ```text
//!  mod.rs      arguments, the order of things
//!  fetch.rs    the archive out of Debian        sources.rs  where this machine's apt looks
//!  tools.rs    the server and the programs      suite.rs    the unpacked suite
//!  process.rs  one pass of the suite's runner   output.rs   what it printed
//!  skip.rs     the lists of tests               report.rs   verdicts and the table
//!  sentinel.rs the suite of Redis's Sentinel, which has a runner of its own
//! ```

mod fetch;
mod output;
mod process;
mod report;
mod sentinel;
mod skip;
mod sources;
mod suite;
mod tools;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use output::Outcome;
use process::{Interrupt, Pass};
use report::Unit;
use skip::Lists;
use suite::Suite;

/// What runs when no unit is named.
const DEFAULT_UNITS: &[&str] = &[
    "unit/printver",
    "unit/protocol",
    "unit/quit",
    "unit/type/string",
    "unit/type/incr",
    "unit/type/list",
    "unit/type/list-2",
    "unit/type/list-3",
    "unit/type/hash",
    "unit/type/set",
    "unit/type/zset",
    "unit/hyperloglog",
    "unit/geo",
    "unit/bitops",
    "unit/bitfield",
    "unit/type/stream",
    "unit/type/stream-cgroups",
    "unit/sort",
    "unit/dump",
    "unit/limits",
    "unit/querybuf",
    "unit/replybufsize",
    "unit/networking",
    "unit/keyspace",
    "unit/scan",
    "unit/expire",
    "unit/multi",
    "unit/auth",
    "unit/acl",
    "unit/acl-v2",
    "unit/pubsub",
    "unit/pubsubshard",
    "unit/other",
    "unit/info",
    "unit/info-command",
    "unit/introspection-2",
    "unit/tracking",
    "unit/obuf-limits",
    "unit/client-eviction",
    "unit/maxmemory",
    "unit/lazyfree",
    "unit/shutdown",
    "unit/aofrw",
    "unit/slowlog",
    "unit/latency-monitor",
    "integration/logging",
    "integration/redis-benchmark",
    "integration/rdb",
    "integration/aof",
    "integration/aof-multi-part",
    "integration/corrupt-dump-fuzzer",
    "integration/dismiss-mem",
    "integration/convert-zipmap-hash-on-load",
    "integration/convert-ziplist-hash-on-load",
    "integration/convert-ziplist-zset-on-load",
    "unit/wait",
    "integration/block-repl",
    "integration/replication-2",
    "integration/replication-3",
    "integration/psync2-reg",
    "unit/functions",
    "unit/scripting",
    "unit/pause",
    "integration/psync2",
    "integration/psync2-pingoff",
    "integration/psync2-master-restart",
    "integration/failover",
    "integration/replication-buffer",
    "unit/oom-score-adj",
    "unit/introspection",
    "integration/redis-cli",
    "integration/replication-4",
];

/// Those of them that take longest, most by chance (made-up values and commands), or fail now and then where others
/// need the processors too. `--quick` leaves them out.
const SLOW_UNITS: &[&str] = &[
    "unit/type/list-3",
    "unit/hyperloglog",
    "unit/geo",
    "unit/dump",
    "unit/aofrw",
    "integration/corrupt-dump-fuzzer",
    "unit/maxmemory",
    "integration/psync2",
    "integration/replication-buffer",
    "unit/client-eviction",
];

/// What to run against which server.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Test this server binary instead of building Plinth.
    #[arg(long, value_name = "PATH")]
    server: Option<PathBuf>,
    /// Take the suite from this archive of Redis 7.0's source instead of asking Debian.
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// Give a unit up when it makes no progress for so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u64).range(10..))]
    timeout: u64,
    /// Also print each failed test as a line of the skip list, with the suite's message where the
    /// reason belongs. A list needs the reason; nothing is written to it.
    #[arg(long)]
    skip_lines: bool,
    /// Run the suite of Redis's Sentinel instead, with the server as Sentinels over these servers: a path, or the
    /// name of a program on the PATH.
    #[arg(long, value_name = "SERVERS", num_args = 0..=1, default_missing_value = "redis-server")]
    sentinel: Option<PathBuf>,
    /// Have the suite speak TLS to its servers (Debian's package tcl-tls, and openssl). `unit/tls` runs so only.
    #[arg(long)]
    tls: bool,
    /// Leave out the units that take longest, if none is named.
    #[arg(long)]
    quick: bool,
    /// How many units run at the same time, each in a folder of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    lanes: u32,
    /// Units by the suite's names, like unit/type/string (default: those that Plinth is held to).
    #[arg(value_name = "UNIT")]
    units: Vec<String>,
}

/// Runs the units and prints the table.
///
/// # Errors
/// When there is nothing to run: no suite, no server, no Tcl, or lists that cannot be read. A
/// unit that fails is no error here but a failing exit code.
pub(crate) fn run(args: Args) -> Result<ExitCode, String> {
    let interrupt = Interrupt::listen()?;
    let programs = tools::find_programs()?;
    let lists = Lists::read(&tools::workspace_folder().join("tests/conformance"))?;
    let server = tools::server(args.server.as_deref())?;

    let folder = tools::target_folder().join("conformance");
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    let _turn = take_turn(&folder)?;
    let archive = match args.archive {
        Some(archive) => archive,
        None => fetch::archive(&folder)?,
    };
    let unpack = |lane| Suite::unpack(&archive, &folder, lane, &programs, &server);
    let suite = unpack(0)?;
    if let Some(servers) = args.sentinel {
        return sentinel::run(&suite, &server, &tools::server(Some(&servers))?, (&args.units, args.tls));
    }
    lists.check_units(&suite)?;
    let units = wanted_units(&args.units, args.quick, &suite)?;
    eprintln!("conformance: the suite of Redis {} against {}", suite.version(), tools::describe(&server));

    let mut lanes = vec![suite];
    for lane in 1..args.lanes {
        lanes.push(unpack(lane)?);
    }
    let how = How { lists: &lists, tls: args.tls, patience: Duration::from_secs(args.timeout), interrupt: &interrupt };
    let results = run_units(&lanes, &units, &how)?;
    print!("{}", report::table(&results));
    print!("{}", report::failures(&results, &lanes[0]));
    if args.skip_lines {
        print!("{}", report::skip_lines(&results));
    }
    Ok(if results.iter().all(Unit::passes) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What holds for every unit of a run.
struct How<'a> {
    lists: &'a Lists,
    tls: bool,
    patience: Duration,
    interrupt: &'a Interrupt,
}

/// Each lane takes the next unit when it is done with one. The results are in the units' order.
fn run_units(lanes: &[Suite], units: &[String], how: &How<'_>) -> Result<Vec<Unit>, String> {
    if how.tls {
        lanes.iter().try_for_each(Suite::make_certificates)?;
    }
    let next = AtomicUsize::new(0);
    let lane = |suite: &Suite| {
        let mut results = Vec::new();
        while let Some((place, unit)) = units.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            let result = run_unit(suite, unit, how).inspect_err(|_| next.store(units.len(), Ordering::Relaxed))?;
            eprintln!("conformance: {}", result.summary());
            results.push((place, result));
        }
        Ok::<_, String>(results)
    };
    let results: Result<Vec<_>, String> = std::thread::scope(|scope| {
        let lanes: Vec<_> = lanes.iter().map(|suite| scope.spawn(|| lane(suite))).collect();
        lanes.into_iter().map(|lane| lane.join().map_err(|_| "a lane has panicked".to_owned())?).collect()
    });
    let mut results: Vec<_> = results?.into_iter().flatten().collect();
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

/// Two runs in one folder would pull the suite away under each other; the second waits.
fn take_turn(folder: &Path) -> Result<File, String> {
    let path = folder.join("lock");
    let fail = |error: &dyn std::fmt::Display| format!("cannot lock {}: {error}", path.display());
    let file = File::create(&path).map_err(|error| fail(&error))?;
    let lock = |operation| rustix::fs::flock(&file, operation);
    if lock(rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
        eprintln!("conformance: waiting for another run in {}", folder.display());
        lock(rustix::fs::FlockOperation::LockExclusive).map_err(|error| fail(&error))?;
    }
    Ok(file)
}

fn wanted_units(asked: &[String], quick: bool, suite: &Suite) -> Result<Vec<String>, String> {
    if asked.is_empty() {
        let units = DEFAULT_UNITS.iter().filter(|unit| !quick || !SLOW_UNITS.contains(unit));
        return Ok(units.map(|unit| (*unit).to_owned()).collect());
    }
    match asked.iter().find(|unit| !suite.has_unit(unit)) {
        None => Ok(asked.to_vec()),
        Some(unit) => Err(format!("the suite has no unit {unit}; it has {}", suite.units().join(", "))),
    }
}

/// The unit without what the lists name, then, each unit's rest on a fresh server, the tests that
/// have to be alone.
fn run_unit(suite: &Suite, unit: &str, how: &How<'_>) -> Result<Unit, String> {
    let How { lists, tls, patience, interrupt } = *how;
    let begin = Instant::now();
    suite.forget_logs(unit)?;
    let mut pass = Pass { suite, unit, skip: lists.skip_arguments(unit), only: Vec::new(), tls, patience };
    let mut passes: Vec<Outcome> = vec![pass.run(interrupt)?];
    let alone = lists.alone_arguments(unit);
    if !alone.is_empty() {
        pass.skip.clear();
        pass.only = alone;
        passes.push(pass.run(interrupt)?);
    }
    let result = Unit::judge(unit, suite.defines_tests(unit), lists, passes, begin.elapsed());
    if !result.passes() {
        suite.keep_logs(unit)?;
    }
    Ok(result)
}
