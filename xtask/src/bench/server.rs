//! A server under measurement: one process on core 0, a free port, a folder of its own.
//!
//! Every server is started the same way, with persistence off and its files in a temporary
//! folder, and is killed when it is dropped: nothing it holds is worth a clean shutdown.

use std::collections::HashMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::client::{Connection, Reply};
use super::pin;

/// A server binary and what it calls itself.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// Name and version, as `INFO server` tells them.
    pub(crate) label: String,
    /// The allocator, as `INFO memory` tells it: it decides part of the memory figures.
    pub(crate) allocator: String,
}

impl Program {
    /// Starts the binary once to ask its name and version.
    ///
    /// # Errors
    /// When it does not start or does not answer.
    pub(crate) fn identify(path: PathBuf) -> Result<Program, String> {
        let mut program = Program { path, label: String::new(), allocator: String::new() };
        let mut server = Server::start(&program)?;
        let info = server.info("server")?;
        let named = [("Plinth", "plinth_version"), ("Valkey", "valkey_version"), ("Redis", "redis_version")];
        program.label = named
            .iter()
            .find_map(|(name, field)| Some(format!("{name} {}", info.text(field)?)))
            .unwrap_or_else(|| program.file_name());
        let memory = server.info("memory")?;
        program.allocator = memory.text("mem_allocator").unwrap_or("allocator unknown").to_owned();
        Ok(program)
    }

    /// The binary's name without its folder, which is nobody's business in a report.
    pub(crate) fn file_name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }
}

/// Tells apart programs that give the same name and version.
pub(crate) fn number_equal_labels(programs: &mut [Program]) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for program in programs {
        let count = seen.entry(program.label.clone()).or_default();
        *count += 1;
        if *count > 1 {
            program.label = format!("{} ({count})", program.label);
        }
    }
}

/// The fields of an INFO section.
pub(crate) struct Info(HashMap<String, String>);

impl Info {
    fn parse(text: &str) -> Info {
        let fields = text.lines().filter_map(|line| line.trim().split_once(':'));
        Info(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A field's text.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(String::as_str)
    }

    /// A field that is a whole number.
    pub(crate) fn number(&self, field: &str) -> Option<u64> {
        self.text(field)?.parse().ok()
    }
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    control: Option<Connection>,
    folder: TempDir,
    name: String,
}

/// How long a server may take to its first PONG.
const START_PATIENCE: Duration = Duration::from_secs(20);

impl Server {
    /// Starts a server and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be started, ends at once or does not answer; with the end of its log.
    pub(crate) fn start(program: &Program) -> Result<Server, String> {
        Server::start_with(program, &[])
    }

    /// The same with further arguments.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub(crate) fn start_with(program: &Program, args: &[&str]) -> Result<Server, String> {
        let mut server = Server::spawn_with(program, args)?;
        server.await_pong()?;
        Ok(server)
    }

    /// Starts the process and returns without waiting for it to serve.
    ///
    /// # Errors
    /// When there is no port, no folder or no such program.
    pub(crate) fn spawn(program: &Program) -> Result<Server, String> {
        Server::spawn_with(program, &[])
    }

    fn spawn_with(program: &Program, args: &[&str]) -> Result<Server, String> {
        let folder = tempfile::Builder::new()
            .prefix("plinth-bench-")
            .tempdir()
            .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let address = free_address()?;
        let log = File::create(folder.path().join("log")).map_err(|error| format!("cannot make a log: {error}"))?;
        let log_too = log.try_clone().map_err(|error| format!("cannot share the log: {error}"))?;
        let mut command = Command::new(&program.path);
        command
            .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(folder.path())
            .args(args)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too);
        let child = pin::spawn_on_server_core(&mut command)?;
        Ok(Server { child, address, control: None, folder, name: program.file_name() })
    }

    /// Tries to connect and PING until the server answers PONG.
    ///
    /// # Errors
    /// When the process ends, or does not answer in time; with the end of its log.
    pub(crate) fn await_pong(&mut self) -> Result<(), String> {
        let begin = Instant::now();
        loop {
            if let Ok(mut connection) = Connection::open(self.address)
                && connection.call(&["PING"]) == Ok(Reply::Text("PONG".to_owned()))
            {
                self.control = Some(connection);
                return Ok(());
            }
            let ended = self.child.try_wait().map_err(|error| format!("cannot watch {}: {error}", self.name))?;
            if let Some(status) = ended {
                return Err(format!("{} ended at start with {status}\n{}", self.name, self.log_end()));
            }
            if begin.elapsed() > START_PATIENCE {
                return Err(format!("{} does not answer PING\n{}", self.name, self.log_end()));
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder that the server keeps its files in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One command on the control connection.
    ///
    /// # Errors
    /// When the connection broke; with the end of the server's log, for it likely died.
    pub(crate) fn call<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<Reply, String> {
        let control = self.control.as_mut().ok_or("the server was not awaited")?;
        control.call(arguments).map_err(|error| format!("{}: {error}\n{}", self.name, self.log_end()))
    }

    /// An INFO section.
    ///
    /// # Errors
    /// When the server does not answer with text.
    pub(crate) fn info(&mut self, section: &str) -> Result<Info, String> {
        match self.call(&["INFO", section])? {
            Reply::Text(text) => Ok(Info::parse(&text)),
            other => Err(format!("{} answers INFO {section} with {other:?}", self.name)),
        }
    }

    /// Whether the server knows a command: tries it and looks for the complaint. `Err` in the
    /// result holds why it cannot be measured.
    ///
    /// # Errors
    /// When the connection broke.
    pub(crate) fn try_command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Result<Result<(), String>, String> {
        Ok(match self.call(arguments)? {
            Reply::Error(text) if text.to_lowercase().contains("unknown command") => {
                let command = arguments
                    .first()
                    .map_or_else(String::new, |argument| String::from_utf8_lossy(argument.as_ref()).into_owned());
                Err(format!("{command} is unknown"))
            }
            Reply::Error(text) => Err(text),
            _ => Ok(()),
        })
    }

    /// Whether the server knows a command of this name. Without arguments most commands are
    /// refused, but an unknown one is refused in its own words. `Err` in the result names it.
    ///
    /// # Errors
    /// When the connection broke.
    pub(crate) fn knows(&mut self, command: &str) -> Result<Result<(), String>, String> {
        Ok(match self.try_command(&[command])? {
            Err(reason) if reason.ends_with("is unknown") => Err(reason),
            _ => Ok(()),
        })
    }

    /// Resident memory in bytes.
    ///
    /// # Errors
    /// When `/proc` does not tell.
    pub(crate) fn resident_bytes(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.pid());
        let text = std::fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok())
            .map(|kib| kib * 1024)
            .ok_or_else(|| format!("{path} names no VmRSS"))
    }

    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(self.folder().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A process that has already ended cannot be killed, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback port that is free now. Another process could take it before the server does; then
/// the server ends at start and its log says so.
///
/// # Errors
/// When there is none.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(|error| format!("no free port: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_fields_are_read_past_headings_and_carriage_returns() {
        let info = Info::parse("# Server\r\nredis_version:7.2.4\r\nused_memory:12\r\n\r\n");
        assert_eq!(info.text("redis_version"), Some("7.2.4"));
        assert_eq!(info.number("used_memory"), Some(12));
        assert_eq!(info.number("redis_version"), None);
    }
}
