//! One server process on a free port, in a folder of its own, killed when it is dropped.

use crate::wire::{Client, Reply};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take to serve.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is started.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// Modules to load before the default ones; the last one takes the place of one of them.
    pub(crate) modules: Vec<PathBuf>,
}

/// The server's executable: the one asked for, or `plinth-server` beside this program.
///
/// # Errors
/// When there is none.
pub(crate) fn find(asked: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(path) = asked {
        return std::path::absolute(path).map_err(|error| error.to_string());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folders = own.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join("plinth-server"));
    candidates
        .find(|path| path.is_file())
        .ok_or_else(|| format!("there is no plinth-server beside {}: build it, or say --server PATH", own.display()))
}

/// A server that serves.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server without persistence.
    ///
    /// # Errors
    /// With its log when it does not come to serve, or does not have the module.
    pub(crate) fn start(program: &Program) -> Result<Server, String> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("plinth-verify-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let log = std::fs::File::create(folder.join("log")).map_err(|error| format!("no log: {error}"))?;
        let errors = log.try_clone().map_err(|error| format!("no log: {error}"))?;
        let mut command = Command::new(&program.path);
        command.args(["--port", &port.to_string(), "--save", "", "--dir"]).arg(&folder);
        for module in &program.modules {
            command.arg("--loadmodule").arg(module);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.path.display()))?;
        let mut server = Server { child, folder, port };
        server.await_service()?;
        Ok(server)
    }

    fn await_service(&mut self) -> Result<(), String> {
        let begin = Instant::now();
        loop {
            let answer = self.connect().and_then(|mut client| client.ask(&vec![b"PING".to_vec()]));
            if answer == Ok(Reply::Line("+PONG".to_owned())) {
                return Ok(());
            }
            if self.has_ended() || begin.elapsed() > PATIENCE {
                return Err(format!("the server does not serve:\n{}", self.log()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn connect(&self) -> Result<Client, String> {
        Client::connect(self.port)
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of what it has written.
    pub(crate) fn log(&self) -> String {
        let text = std::fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and need not.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
