//! One server process.

use crate::{Client, PATIENCE, TempDir, build, wait_until};
use std::io::{PipeReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A connection of either kind.
pub trait Stream: Read + Write + Send {
    /// How long a read may take.
    fn set_patience(&self, wait: Duration);
    /// Close the sending side.
    fn end_sending(&self);
}

impl Stream for TcpStream {
    fn set_patience(&self, wait: Duration) {
        let _ = self.set_read_timeout(Some(wait));
        let _ = self.set_nodelay(true);
    }

    fn end_sending(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl Stream for UnixStream {
    fn set_patience(&self, wait: Duration) {
        let _ = self.set_read_timeout(Some(wait));
    }

    fn end_sending(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// A server that serves.
pub struct Server {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// A server with its defaults, on a free port.
    pub fn start() -> Server {
        Server::with(&[] as &[&str])
    }

    /// A server with more arguments; `redis.conf` first if there is one. MODULE and DEBUG are
    /// allowed to local clients.
    pub fn with<A: AsRef<str>>(args: &[A]) -> Server {
        Server::within(TempDir::new(), args)
    }

    /// A server under limits that a shell sets, such as `ulimit -v 300000` (address space in KiB).
    pub fn under<A: AsRef<str>>(limits: &str, args: &[A]) -> Server {
        let run = format!("{limits}; exec \"$0\" \"$@\"");
        Server::started(&["sh", "-c", &run], TempDir::new(), args)
    }

    /// A server that writes its log into a pipe, which the caller may leave unread; its end of the pipe.
    ///
    /// # Panics
    /// When there is no pipe, or the server does not come to serve.
    pub fn piped<A: AsRef<str>>(args: &[A]) -> (Server, PipeReader) {
        let (reader, writer) = std::io::pipe().unwrap_or_else(|error| panic!("no pipe: {error}"));
        let (folder, port) = (TempDir::new(), free_port());
        let mut command = Command::new(build::server());
        command.args(words(args, port)).current_dir(folder.path()).stdin(Stdio::null());
        let child = command.stdout(writer).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("the server does not start: {error}"));
        let server = Server { child, port, folder };
        wait_until("the server is ready", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        (server, reader)
    }

    /// A server that works in a folder which holds files that its arguments name.
    ///
    /// # Panics
    /// With the log when it does not come to serve.
    pub fn within<A: AsRef<str>>(folder: TempDir, args: &[A]) -> Server {
        Server::started(&[], folder, args)
    }

    fn started<A: AsRef<str>>(launcher: &[&str], mut folder: TempDir, args: &[A]) -> Server {
        // A port that was free a moment ago may be taken by now: then another one.
        for _ in 0..5 {
            let port = free_port();
            let child = spawn(launcher, &folder, &words(args, port));
            let mut server = Server { child, port, folder };
            if server.comes_up() {
                return server;
            }
            let log = server.log();
            assert!(log.contains("in use"), "the server does not serve:\n{log}");
            folder = std::mem::take(&mut server.folder);
        }
        panic!("no port stays free");
    }

    /// Whether it says that it accepts connections, before it ends.
    fn comes_up(&mut self) -> bool {
        let mut serves = false;
        wait_until("the server is ready", || {
            let log = self.log();
            serves = log.contains("Ready to accept connections") && !log.contains("in use");
            serves || self.has_ended()
        });
        if serves {
            let said = self.connect().text(&["PING"]);
            assert!(said == "PONG" || said.starts_with("NOAUTH"), "a ready server says {said}");
        }
        serves
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Paths of files that it has mapped, one for each mapping, as the kernel names them.
    ///
    /// # Panics
    /// When the kernel does not tell.
    pub fn mapped(&self) -> Vec<String> {
        let path = format!("/proc/{}/maps", self.pid());
        let maps = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        maps.lines().filter_map(|line| Some(line[line.find('/')?..].to_owned())).collect()
    }

    /// Kill it, as the machine's end would; its folder.
    ///
    /// # Panics
    /// When it does not end.
    pub fn kill(mut self) -> TempDir {
        let _ = self.child.kill();
        self.wait();
        std::mem::take(&mut self.folder)
    }

    /// Where it works.
    pub fn folder(&self) -> &TempDir {
        &self.folder
    }

    /// A new connection.
    ///
    /// # Panics
    /// When there is none to be had.
    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", self.port));
        Client::new(stream.unwrap_or_else(|error| panic!("cannot connect: {error}\n{}", self.log())))
    }

    /// All that it has written to its standard output and error.
    pub fn log(&self) -> String {
        std::fs::read(self.folder.file("output.log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Wait for a text in the log.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for_log(&self, text: &str) {
        wait_until(&format!("the log says '{text}'"), || self.log().contains(text));
    }

    /// Send a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        // The shell has `kill` built in, so that no package is needed.
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.is_ok_and(|status| status.success()), "the signal was not sent");
    }

    /// Start anew in the same folder, after an end by a signal.
    ///
    /// # Panics
    /// When it does not end, or does not come to serve.
    pub fn again<A: AsRef<str>>(self, signal: &str, args: &[A]) -> Server {
        Server::within(self.end(signal), args)
    }

    /// End by a signal, unless it has ended already; the folder that it has worked in.
    ///
    /// # Panics
    /// When it does not end.
    pub fn end(mut self, signal: &str) -> TempDir {
        if !self.has_ended() {
            self.signal(signal);
        }
        self.wait();
        std::mem::take(&mut self.folder)
    }

    /// Whether the process has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Wait for the process to end; its exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait(&mut self) -> Option<i32> {
        wait_until("the server ends", || self.has_ended());
        self.child.wait().ok().and_then(|status| status.code())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// What a run of the server that ends by itself has said.
pub struct Finished {
    /// Exit code.
    pub code: Option<i32>,
    /// Standard output and error together.
    pub output: String,
}

/// Run the server with arguments that have it end by itself (`--version`, a bad file).
///
/// # Panics
/// When it goes on.
pub fn run_to_end<A: AsRef<str>>(args: &[A]) -> Finished {
    let folder = TempDir::new();
    let words: Vec<String> = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
    let mut server = Server { child: spawn(&[], &folder, &words), port: 0, folder };
    let code = server.wait();
    Finished { code, output: server.log() }
}

/// Arguments of a server, with those that all are given.
fn words<A: AsRef<str>>(args: &[A], port: u16) -> Vec<String> {
    let mut words: Vec<String> = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
    let fixed = ["--enable-module-command", "local", "--enable-debug-command", "local", "--port"];
    words.extend(fixed.map(str::to_owned));
    words.push(port.to_string());
    words
}

/// The server's executable, run by itself or by a launcher, to which its path is one more argument.
fn spawn(launcher: &[&str], folder: &TempDir, args: &[String]) -> Child {
    let log = folder.file("output.log");
    let output = std::fs::File::create(&log).unwrap_or_else(|error| panic!("{log}: {error}"));
    let errors = output.try_clone().unwrap_or_else(|error| panic!("{log}: {error}"));
    let mut command = match launcher.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(build::server());
            command
        }
        None => Command::new(build::server()),
    };
    command.args(args).current_dir(folder.path()).stdin(Stdio::null()).stdout(output).stderr(errors);
    command.spawn().unwrap_or_else(|error| panic!("{}: {error}", build::server().display()))
}

/// A port that nobody listens on.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    listener.unwrap_or_else(|error| panic!("no free port: {error}")).port()
}

/// Connect to a unix socket, when it is there.
///
/// # Panics
/// When it does not come.
pub fn connect_unix(path: &str) -> Client {
    let mut stream = None;
    wait_until("the unix socket is there", || {
        stream = UnixStream::connect(path).ok();
        stream.is_some()
    });
    stream.map(Client::new).unwrap_or_else(|| panic!("no {path} within {PATIENCE:?}"))
}
