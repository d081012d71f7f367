//! The worst pause while the table grows from nothing to ten million keys.
//!
//! One connection writes fresh keys, 16 per round trip, as fast as the server answers; a second
//! one asks PING at a fixed rate and counts its latency from when the PING was due, so a pause
//! counts for every PING that fell into it.
//!
//! A pause of half a millisecond is also what the machine's neighbours cause. What the table does,
//! it does at the same number of keys each time; so the figure that is judged is the *repeatable*
//! pause: the course is cut into 2,000 stretches of keys, each stretch counts the least of its
//! worst waits over all runs, and the figure is the worst stretch.
//!
//! ```text
//!  run 1   .  .  x  .  .  X  .  .        x  a neighbour's noise
//!  run 2   .  .  .  .  .  X  x  .        X  the table doubles
//!  least   .  .  .  .  .  X  .  .   ->   the figure
//! ```

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::client::{Connection, encode};
use super::cputime::ThreadClock;
use super::figure::Latencies;
use super::load::{self, Tally};
use super::server::{Program, Server};
use super::table::{Bar, Cell, Row, Table};
use super::{Bench, machine};

/// Writes per round trip: enough that ten million take seconds, few enough that they take
/// little of the half millisecond.
const BATCH: u64 = 16;
const STRETCHES: usize = 2_000;
const PROBES_PER_SECOND: u64 = 2_000;

/// What each run inserts.
const KEYS: [&str; 3] = ["SET", "{key}", "8 bytes."];

/// One run's times.
pub(crate) struct Course {
    /// The worst wait for a batch in each stretch.
    worst_ns: Vec<u64>,
    pub(crate) batches: Latencies,
    pub(crate) probes: Latencies,
    /// The most time the server's thread ran between two batches.
    pub(crate) worst_cpu_ns: u64,
    pub(crate) tally: Tally,
}

/// The worst stretch, each of which counts the least of its worst waits over all runs.
pub(crate) fn repeatable_ns(courses: &[&Course]) -> u64 {
    let least = |stretch: usize| courses.iter().map(|course| course.worst_ns[stretch]).min().unwrap_or(0);
    (0..STRETCHES).map(least).max().unwrap_or(0)
}

/// The figures of one server over its runs, in the order of the rows.
const ROWS: [(&str, Bar); 6] = [
    ("repeatable pause, the worst", Bar::Own { must: 0.5, goal: 0.5 }),
    ("any pause, the worst", Bar::Open),
    ("server CPU in one batch, the most", Bar::Open),
    ("batch of 16 SET, p99.9", Bar::Open),
    ("probe, p99.9", Bar::Open),
    ("probe, the worst", Bar::Open),
];

/// The table of pauses.
///
/// # Errors
/// When a server does not start or dies.
pub(crate) fn measure(bench: &Bench) -> Result<Vec<Table>, String> {
    let keys = if bench.quick { bench.keys.min(2_500_000) } else { bench.keys };
    let name = |row: &str| format!("growth to {:.1}M keys: {row}", keys as f64 / 1e6);
    if !ROWS.iter().any(|(row, _)| bench.wants(&name(row))) {
        return Ok(Vec::new());
    }
    let runs = bench.runs(3, 2);
    let mut courses: Vec<Vec<Course>> = bench.programs.iter().map(|_| Vec::new()).collect();
    for run in 1..=runs {
        for (program, courses) in bench.programs.iter().zip(&mut courses) {
            eprintln!("bench: growth: {} run {run} of {runs}", program.label);
            bench.interrupt.check()?;
            courses.push(grow_keys(program, keys)?);
        }
    }
    let [server_pause, client_pause] = machine::own_pauses(Duration::from_secs(3))?;
    let mut table = Table {
        title: "Pauses from table growth, ms".to_owned(),
        method: format!(
            "One connection inserts {keys} keys, {BATCH} SET per round trip; another sends {PROBES_PER_SECOND} PING a \
             second, timed from when each was due. Repeatable: the least over {runs} runs at the same key count."
        ),
        columns: bench.labels(),
        decimals: 3,
        rows: Vec::new(),
        notes: vec![format!(
            "With no server at all, a thread that reads the clock for 3 s was held up for {:.3} ms on the server's \
             core and {:.3} ms on the client's.",
            server_pause.as_secs_f64() * 1e3,
            client_pause.as_secs_f64() * 1e3,
        )],
    };
    for (place, (row, bar)) in ROWS.into_iter().enumerate().filter(|(_, (row, _))| bench.wants(&name(row))) {
        let cells = courses.iter().map(|courses| cell(courses, place)).collect();
        let errors = courses.iter().flatten().map(|course| course.tally.errors).sum();
        table.rows.push(Row { name: name(row), cells, bar, floor: None, errors: Some(errors) });
    }
    Ok(vec![table])
}

fn cell(courses: &[Course], row: usize) -> Cell {
    if let Some(error) = courses.iter().find_map(|course| course.tally.first_error.as_ref()) {
        return Cell::Absent(format!("the server answered {error}"));
    }
    let ms = |ns: u64| ns as f64 / 1e6;
    if row == 0 {
        return Cell::of(&[ms(repeatable_ns(&courses.iter().collect::<Vec<_>>()))]);
    }
    let figure = |course: &Course| match row {
        1 => course.batches.max_ns(),
        2 => course.worst_cpu_ns,
        3 => course.batches.quantile_ns(0.999),
        4 => course.probes.quantile_ns(0.999),
        _ => course.probes.max_ns(),
    };
    Cell::of(&courses.iter().map(|course| ms(figure(course))).collect::<Vec<_>>())
}

fn grow_keys(program: &Program, keys: u64) -> Result<Course, String> {
    grow(&Server::start(program)?, &KEYS, keys)
}

/// Sends the template for each number below `count`, while a probe watches.
///
/// # Errors
/// When a connection breaks.
pub(crate) fn grow(server: &Server, template: &[&str], count: u64) -> Result<Course, String> {
    // A moment of service tells which of the server's threads executes commands.
    load::fill(server.address, 20_000, &["PING"])?;
    let clock = ThreadClock::of_busiest_thread(server.pid())?;
    let mut writer = Connection::open(server.address)?;
    let mut probe = Probe::open(server)?;
    writer.stream.set_nonblocking(true).map_err(|error| format!("cannot unblock a socket: {error}"))?;

    let batches = count.div_ceil(BATCH);
    let mut worst_ns = vec![0; STRETCHES];
    let mut waits = Vec::with_capacity(batches as usize);
    let mut tally = Tally::default();
    let mut worst_cpu_ns = 0;
    let mut cpu_ns = clock.ns()?;
    let mut bytes = Vec::new();
    for batch in 0..batches {
        bytes.clear();
        for number in batch * BATCH..(batch + 1) * BATCH {
            load::expand(template, number, &mut bytes);
        }
        probe.ask_when_due()?;
        let begin = Instant::now();
        writer.send(&bytes)?;
        let mut replies = 0;
        while replies < BATCH {
            replies += take_replies(&mut writer, |reply| tally.count(reply))?;
            probe.take()?;
            probe.ask_when_due()?;
        }
        let wait_ns = begin.elapsed().as_nanos() as u64;
        waits.push(wait_ns);
        let stretch = &mut worst_ns[(batch as usize * STRETCHES) / batches as usize];
        *stretch = wait_ns.max(*stretch);
        let now_ns = clock.ns()?;
        worst_cpu_ns = worst_cpu_ns.max(now_ns - cpu_ns);
        cpu_ns = now_ns;
    }
    Ok(Course {
        worst_ns,
        batches: Latencies::new(waits),
        probes: Latencies::new(probe.latencies_ns),
        worst_cpu_ns,
        tally,
    })
}

/// Reads once without blocking and hands over the replies that are whole; how many there were.
pub(crate) fn take_replies(connection: &mut Connection, mut look: impl FnMut(&[u8])) -> Result<u64, String> {
    match connection.inbox.fill(&mut connection.stream) {
        Ok(0) => return Err("the server closed the connection".to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
        Err(error) => return Err(format!("cannot read a reply: {error}")),
    }
    let mut replies = 0;
    while let Some(reply) = connection.inbox.next()? {
        look(reply);
        replies += 1;
    }
    Ok(replies)
}

/// The second connection.
pub(crate) struct Probe {
    connection: Connection,
    request: Vec<u8>,
    begin: Instant,
    asked: u64,
    pub(crate) latencies_ns: Vec<u64>,
}

impl Probe {
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn open(server: &Server) -> Result<Probe, String> {
        let connection = Connection::open(server.address)?;
        connection.stream.set_nonblocking(true).map_err(|error| format!("cannot unblock a socket: {error}"))?;
        let mut request = Vec::new();
        encode(&["PING"], &mut request);
        Ok(Probe { connection, request, begin: Instant::now(), asked: 0, latencies_ns: Vec::new() })
    }

    fn due_ns(number: u64) -> u64 {
        number * 1_000_000_000 / PROBES_PER_SECOND
    }

    /// Sends the PINGs that are due by now.
    ///
    /// # Errors
    /// When the connection broke.
    pub(crate) fn ask_when_due(&mut self) -> Result<(), String> {
        while self.begin.elapsed().as_nanos() as u64 >= Self::due_ns(self.asked) {
            self.connection.send(&self.request)?;
            self.asked += 1;
        }
        Ok(())
    }

    /// Takes the replies that are there, without waiting.
    ///
    /// # Errors
    /// When the connection broke.
    pub(crate) fn take(&mut self) -> Result<(), String> {
        if self.asked == self.latencies_ns.len() as u64 {
            return Ok(());
        }
        let (begin, latencies) = (self.begin, &mut self.latencies_ns);
        take_replies(&mut self.connection, |_| {
            let due_ns = Self::due_ns(latencies.len() as u64);
            latencies.push((begin.elapsed().as_nanos() as u64).saturating_sub(due_ns));
        })?;
        Ok(())
    }
}
