//! One pass of the suite's runner over one unit.
//!
//! The runner starts clients, the clients start servers, and any of them may hang or die without
//! the others' noticing. So the whole family has a process group of its own, which ends with the
//! pass whatever happened in it. The suite gives up by itself when nothing happens for a while;
//! we wait somewhat longer than that, for the case that the runner itself is what hangs.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::output::Outcome;
use super::suite::Suite;

/// What one call of the runner is asked to do.
pub(crate) struct Pass<'a> {
    pub(crate) suite: &'a Suite,
    pub(crate) unit: &'a str,
    /// Names, or `/` and a regular expression, as the runner takes them.
    pub(crate) skip: Vec<String>,
    /// If there are any, all other tests are left out.
    pub(crate) only: Vec<String>,
    /// Whether the suite speaks TLS to its servers.
    pub(crate) tls: bool,
    /// How long nothing may happen.
    pub(crate) patience: Duration,
}

/// Added to the suite's own patience for the case that the runner hangs.
const GRACE: Duration = Duration::from_secs(30);
/// How soon a signal is noticed.
const GLANCE: Duration = Duration::from_millis(200);
/// The suite also takes the port 10,000 above each of its own, and both stay below the ports that
/// the kernel hands out to clients. Runs in other folders are likely to begin elsewhere.
const PORTS: u32 = 300;
const PORT_RANGES: u32 = 20;
const FIRST_PORT: u32 = 16_000;

impl Pass<'_> {
    /// Runs the runner to its end.
    ///
    /// # Errors
    /// When it cannot be started, or a signal came. Whatever happens inside it is an outcome.
    pub(crate) fn run(&self, interrupt: &Interrupt) -> Result<Outcome, String> {
        let (child, output) = self.start()?;
        let family = Family { runner: child, over: false };
        let mut log = File::options()
            .create(true)
            .append(true)
            .open(self.suite.log_file(self.unit))
            .map_err(|error| format!("cannot write {}: {error}", self.suite.log_file(self.unit).display()))?;
        let mut outcome = Outcome::default();
        let lines = lines_of(output);
        let mut heard = Instant::now();
        loop {
            match lines.recv_timeout(GLANCE) {
                Ok(line) => {
                    heard = Instant::now();
                    writeln!(log, "{line}").map_err(|error| format!("cannot write the log: {error}"))?;
                    let failures = outcome.failed.len();
                    outcome.take(&line);
                    if outcome.failed.len() > failures {
                        eprintln!("conformance: {}: {line}", self.unit);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if heard.elapsed() > self.patience + GRACE => {
                    outcome.break_off("the runner fell silent and was killed".to_owned());
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            interrupt.check()?;
        }
        let failed = family.end()?;
        if failed && outcome.failed.is_empty() && outcome.breaks.is_empty() {
            outcome.break_off("the runner failed without naming a test".to_owned());
        }
        Ok(outcome)
    }

    fn start(&self) -> Result<(Child, PipeReader), String> {
        let skip_file = self.suite.folder().join("skip.txt");
        std::fs::write(&skip_file, self.skip.join("\n"))
            .map_err(|error| format!("cannot write {}: {error}", skip_file.display()))?;
        let port = FIRST_PORT + (std::process::id() + self.suite.lane()) % PORT_RANGES * PORTS;
        let mut command = self.suite.command();
        command.args(["--single", self.unit, "--clients", "1", "--dont-clean"]);
        // An error that no assertion expected fails its test, and the tests after it still run.
        command.arg("--durable");
        command.args(["--timeout", &self.patience.as_secs().to_string()]);
        command.args(["--baseport", &port.to_string(), "--portcount", &PORTS.to_string()]);
        command.arg("--skipfile").arg(&skip_file);
        if self.tls {
            command.arg("--tls");
        }
        for name in &self.only {
            command.args(["--only", name]);
        }
        let (reader, writer) = std::io::pipe().map_err(|error| format!("no pipe: {error}"))?;
        let second = writer.try_clone().map_err(|error| format!("no second end of the pipe: {error}"))?;
        command.stdin(Stdio::null()).stdout(writer).stderr(second).process_group(0);
        let child = command.spawn().map_err(|error| format!("cannot start the suite: {error}"))?;
        Ok((child, reader))
    }
}

/// Lines as they come. They may hold any bytes: failures quote values.
fn lines_of(output: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// The runner and all that it started. None of it outlives this value.
struct Family {
    runner: Child,
    /// Whether the runner was waited for: from then on its number may be somebody else's.
    over: bool,
}

impl Family {
    /// Ends what is left. Whether the runner had failed.
    fn end(mut self) -> Result<bool, String> {
        let pid = self.pid()?;
        // The output's end is a moment before the exit. The zombie keeps the group's number
        // from being given to others until `wait`.
        let deadline = Instant::now() + GRACE;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while Instant::now() < deadline && matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        kill(pid);
        self.over = true;
        let status = self.runner.wait().map_err(|error| format!("cannot wait for the suite: {error}"))?;
        Ok(!status.success())
    }

    fn pid(&self) -> Result<Pid, String> {
        i32::try_from(self.runner.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| "a process without a number".to_owned())
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if let (false, Ok(pid)) = (self.over, self.pid()) {
            kill(pid);
            // Nothing is left to do about a child that cannot be waited for.
            let _ = self.runner.wait();
        }
    }
}

fn kill(group: Pid) {
    // A group that is gone already is what we want.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

/// Set by SIGINT and SIGTERM, so that the servers end before we do; a second signal ends us where
/// we stand.
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to listen for both signals.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub(crate) fn listen() -> Result<Interrupt, String> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // In this order: the first signal finds the flag clear and only sets it.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
                .map_err(|error| format!("cannot listen for signals: {error}"))?;
        }
        Ok(Interrupt(flag))
    }

    fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::Relaxed) { Err("interrupted".to_owned()) } else { Ok(()) }
    }
}
