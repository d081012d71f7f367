//! Processor nanoseconds per command, by `redis-benchmark` from the other core.
//!
//! At one command per round trip the client saturates long before the server, so throughput
//! would be the client's. The server's own processor time is not: it is read before and after
//! each run and divided by the commands in between.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use super::cputime;
use super::floor::Loop;
use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};
use super::workload::{Data, Driver, POPULATION, WORKLOADS, Workload};
use super::{Bench, load};

/// A server that stays up over all rows, and the data it holds.
pub(crate) struct Contestant {
    server: Server,
    label: String,
    holds: Option<&'static Data>,
}

impl Contestant {
    /// Starts the server without data.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub(crate) fn start(program: &Program) -> Result<Contestant, String> {
        Ok(Contestant { server: Server::start(program)?, label: program.label.clone(), holds: None })
    }

    /// Makes the server hold the row's data. `Err` in the result says why it cannot.
    fn prepare(&mut self, workload: &'static Workload) -> Result<Result<(), String>, String> {
        if self.holds != Some(workload.data) {
            self.holds = None;
            for command in workload.data.loads.iter().map(|(_, template)| template[0]) {
                if let Err(reason) = self.server.knows(command)? {
                    return Ok(Err(reason));
                }
            }
            self.server.call(&["FLUSHALL"])?;
            for (count, template) in workload.data.loads {
                if let Err(reason) = load::fill(self.server.address, *count, template)?.all_well() {
                    return Ok(Err(format!("loading {}: {reason}", workload.data.name)));
                }
            }
            self.holds = Some(workload.data);
        }
        if let Driver::Own(script) = &workload.driver {
            for command in script.begin {
                if let Err(reason) = self.server.try_command(command)? {
                    return Ok(Err(reason));
                }
            }
        }
        let first: Vec<String> = workload
            .command
            .iter()
            .map(|argument| load::substituted(&argument.replace("__rand_int__", "000000000000"), 0))
            .collect();
        self.server.try_command(&first)
    }

    /// One run of `redis-benchmark`.
    fn run(&mut self, workload: &Workload, pipeline: u64, commands: u64) -> Result<Run, String> {
        let before = self.server.info("stats")?;
        // The server's threads are charged when they go to sleep; let them.
        std::thread::sleep(Duration::from_millis(5));
        let cpu_before = cputime::process_ns(self.server.pid())?;
        let complaint = send(self.server.address, workload, pipeline, commands)?;
        std::thread::sleep(Duration::from_millis(20));
        let cpu_ns = cputime::process_ns(self.server.pid())? - cpu_before;
        let after = self.server.info("stats")?;
        let difference = |field: &str| Some(after.number(field)?.saturating_sub(before.number(field)?));
        Ok(Run {
            ns_per_command: cpu_ns as f64 / commands as f64,
            errors: difference("total_error_replies"),
            executed: difference("total_commands_processed"),
            complaint,
        })
    }
}

/// What one run gave.
struct Run {
    ns_per_command: f64,
    /// Error replies by the server's own count, if it keeps one.
    errors: Option<u64>,
    /// Commands by the server's own count, if it keeps one.
    executed: Option<u64>,
    /// What `redis-benchmark` said when it gave up. It does so at the first error reply.
    complaint: Option<String>,
}

/// Sends a workload's commands by its driver; what it said if it gave up.
///
/// # Errors
/// When it cannot be started, or a connection breaks.
pub(crate) fn send(
    address: SocketAddr,
    workload: &Workload,
    pipeline: u64,
    commands: u64,
) -> Result<Option<String>, String> {
    match &workload.driver {
        Driver::RedisBenchmark => redis_benchmark(address, workload, pipeline, commands),
        Driver::Own(script) => script.run(address, workload.command, pipeline, commands),
    }
}

/// Runs `redis-benchmark`; what it said if it gave up.
fn redis_benchmark(
    address: SocketAddr,
    workload: &Workload,
    pipeline: u64,
    commands: u64,
) -> Result<Option<String>, String> {
    let output = Command::new("redis-benchmark")
        .args(["-h", "127.0.0.1", "-p", &address.port().to_string(), "-c", "50", "-q"])
        .args(["-r", &POPULATION.to_string(), "-n", &commands.to_string(), "-P", &pipeline.to_string()])
        .args(workload.command)
        .output()
        .map_err(|error| format!("cannot start redis-benchmark ({error}); Debian's redis-tools has it"))?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Ok(Some(format!("redis-benchmark gave up with {}: {said}", output.status)))
}

/// The table of all rows asked for.
///
/// # Errors
/// When a server or `redis-benchmark` does not start, or a server dies.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let mut table = Table {
        title: "CPU per command, ns".to_owned(),
        method: "Server CPU time (schedstat of all threads) per command: medians, and half the distance of the \
                 extremes. Server on core 0, redis-benchmark on core 1, 50 connections, keys at random from 1M \
                 preloaded, no persistence; the servers take turns. The bare loop receives, counts and sends \
                 constants in the same turns (`floor.rs`): where it leaves a row less than 0.05 below its must, \
                 the must is 1.25 times the loop's ratio."
            .to_owned(),
        columns: bench.labels(),
        decimals: 0,
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let mut contestants = Vec::new();
    for workload in WORKLOADS {
        for level in workload.levels.iter().filter(|level| bench.wants(&workload.row_name(level.pipeline))) {
            if contestants.is_empty() {
                contestants = bench.programs.iter().map(Contestant::start).collect::<Result<_, _>>()?;
            }
            let entry = Entry { workload, pipeline: level.pipeline, runs: bench.runs(5, 3), bar: level.bar };
            table.rows.push(entry.measure(bench, &mut contestants, &mut table.notes)?);
        }
    }
    Ok(vec![table])
}

/// A row that is about to be measured.
pub(crate) struct Entry {
    pub(crate) workload: &'static Workload,
    pub(crate) pipeline: u64,
    pub(crate) runs: u32,
    pub(crate) bar: Bar,
}

impl Entry {
    /// The row: a cell for each contestant, and the bare loop's where it knows the replies.
    ///
    /// # Errors
    /// When a server, the loop or `redis-benchmark` fails as a process.
    pub(crate) fn measure(
        &self,
        bench: &Bench,
        contestants: &mut [Contestant],
        notes: &mut Vec<String>,
    ) -> Result<Row, String> {
        let name = self.workload.row_name(self.pipeline);
        eprintln!("bench: cpu: {name}");
        let refused = self.prepare(bench, contestants)?;
        let floor = Loop::start(self.workload)?;
        let mut samples = vec![Vec::new(); contestants.len()];
        let (mut floor_samples, mut refused, mut errors) = (Vec::new(), refused, Some(0));
        let commands = self.workload.commands(self.pipeline, bench.quick);
        // Round 0 warms caches and tables and is not counted.
        for round in 0..=self.runs as usize {
            if refused[0].is_some() {
                break;
            }
            for turn in 0..contestants.len() {
                bench.interrupt.check()?;
                // Each round begins with another server, so that no server always follows the same one.
                let place = (turn + round) % contestants.len();
                if refused[place].is_some() {
                    continue;
                }
                let count = if round == 0 { commands / 4 / self.pipeline * self.pipeline } else { commands };
                let run = contestants[place].run(self.workload, self.pipeline, count)?;
                errors = errors.zip(run.errors).map(|(sum, more)| sum + more);
                note_miscount(&contestants[place].label, &name, run.executed, count, notes);
                if run.complaint.is_some() {
                    refused[place] = run.complaint;
                } else if round > 0 {
                    samples[place].push(run.ns_per_command);
                }
            }
            if let Some(floor) = floor.as_ref().filter(|_| round > 0) {
                floor_samples.push(floor.run(self.workload, self.pipeline, commands)?);
            }
        }
        let cell = |(samples, refused): (Vec<f64>, Option<String>)| match refused {
            Some(reason) => Cell::Absent(reason),
            None if samples.is_empty() => Cell::Absent(String::new()),
            None => Cell::of(&samples),
        };
        let cells = samples.into_iter().zip(refused).map(cell).collect();
        let floor = (!floor_samples.is_empty()).then(|| Cell::of(&floor_samples));
        Ok(Row { name, cells, bar: self.bar, floor, errors })
    }

    /// Loads what the row needs; why each contestant cannot run it, if it cannot. When the first
    /// cannot, nobody does: there would be nothing to compare.
    fn prepare(&self, bench: &Bench, contestants: &mut [Contestant]) -> Result<Vec<Option<String>>, String> {
        let mut refused: Vec<Option<String>> = vec![None; contestants.len()];
        for (contestant, refused) in contestants.iter_mut().zip(&mut refused) {
            bench.interrupt.check()?;
            *refused = contestant.prepare(self.workload)?.err();
            if refused.is_some() {
                break;
            }
        }
        Ok(refused)
    }
}

/// The figure divides by the commands sent; a server that says it executed another number makes
/// it doubtful.
fn note_miscount(label: &str, row: &str, executed: Option<u64>, sent: u64, notes: &mut Vec<String>) {
    let note = match executed {
        Some(executed) if executed.abs_diff(sent) * 100 > sent => {
            format!("{label}, {row}: {sent} commands were sent and total_commands_processed grew by {executed}")
        }
        Some(_) => return,
        None => format!("{label}: INFO stats has no total_commands_processed to check the count against"),
    };
    if !notes.contains(&note) {
        notes.push(note);
    }
}
