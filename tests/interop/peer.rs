//! Peers: other servers of the protocol, each a process on a unix socket and a port, in a folder of its own.
//!
//! ```text
//!   Redis 6.2    target/peers/redis-6.2     `cargo xtask peers` puts them there, if there is a network
//!   Redis 7.0    `redis-server` on the PATH, as Debian has it
//!   Redis 7.4    target/peers/redis-7.4
//!   Redis 8.2    target/peers/redis-8.2
//!   Valkey 9.1   target/peers/valkey-9.1
//! ```
//!
//! Redis 6.2 and 7.4 are there for their files and payloads; commands are compared with the others.
//!
//! A test runs with each peer that is there and says which it did without. Where `CI` is set,
//! the one on the PATH has to be there.

use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, TempDir, assert_wire, server, wait_until};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Bytes of a payload's RDB version, behind the value, and of the checksum behind that.
const FOOTER_BYTES: usize = 10;
/// The checksum of payloads: CRC-64 with Jones's polynomial, from the low end.
const CRC_POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// A kind of server.
pub(crate) struct Kind {
    /// What it is called in messages.
    name: &'static str,
    /// The executable below `target/peers`, or on the PATH when it is none there.
    link: Option<&'static str>,
    /// How INFO's version field begins.
    version_field: &'static str,
    version: &'static str,
    /// The newest RDB version that its RESTORE takes.
    rdb_version: u16,
    /// Whether its answers are compared.
    is_compared: bool,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "Redis 6.2",
        link: Some("redis-6.2"),
        version_field: "redis_version",
        version: "6.2",
        rdb_version: 9,
        is_compared: false,
    },
    Kind {
        name: "Redis 7.0",
        link: None,
        version_field: "redis_version",
        version: "7.0",
        rdb_version: 10,
        is_compared: true,
    },
    Kind {
        name: "Redis 7.4",
        link: Some("redis-7.4"),
        version_field: "redis_version",
        version: "7.4",
        rdb_version: 12,
        is_compared: false,
    },
    Kind {
        name: "Redis 8.2",
        link: Some("redis-8.2"),
        version_field: "redis_version",
        version: "8.2",
        rdb_version: 12,
        is_compared: true,
    },
    Kind {
        name: "Valkey 9.1",
        link: Some("valkey-9.1"),
        version_field: "valkey_version",
        version: "9.1",
        rdb_version: 80,
        is_compared: true,
    },
];

/// A peer that serves; it ends when this is dropped.
pub(crate) struct Peer {
    kind: &'static Kind,
    child: Child,
    folder: TempDir,
    port: u16,
}

/// Runs a test with each peer that is here, and a Plinth of its own.
///
/// # Panics
/// As the test does, after the peer's name was printed; and in CI when Redis 7.0 is not here.
pub(crate) fn with_each(test: impl Fn(&Peer, &mut Client, &mut Client)) {
    with_those(|kind| kind.is_compared, test);
}

/// Runs a test as [`with_each`] does, with those too that are there for what they write.
///
/// # Panics
/// As [`with_each`] does.
pub(crate) fn with_every(test: impl Fn(&Peer, &mut Client, &mut Client)) {
    with_those(|_| true, test);
}

fn with_those(is_one: impl Fn(&Kind) -> bool, test: impl Fn(&Peer, &mut Client, &mut Client)) {
    for peer in KINDS.iter().filter(|kind| is_one(kind)).filter_map(Peer::start) {
        let plinth = Server::start();
        println!("with {}", peer.name());
        test(&peer, &mut peer.connect(), &mut plinth.connect());
    }
}

/// The peer of a name, if it is here.
pub(crate) fn find(name: &str) -> Option<Peer> {
    KINDS.iter().find(|kind| kind.name == name).and_then(Peer::start)
}

/// The program of a peer of a name, if it is here.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let found = KINDS.iter().find(|kind| kind.name == name).and_then(Kind::program);
    if found.is_none() {
        println!("WITHOUT {name}: it is not here (`cargo xtask peers`, or Debian's redis-server)");
    }
    found
}

/// Runs a test with each kind of peer that is here; `start` gives one of it, in a folder and with
/// arguments of the test's.
///
/// # Panics
/// As [`with_each`] does.
pub(crate) fn with_each_started(test: impl Fn(&dyn Fn(TempDir, &[&str]) -> Peer)) {
    start_those(|kind| kind.is_compared, test);
}

/// Runs a test as [`with_each_started`] does, with those too that are there for what they write.
///
/// # Panics
/// As [`with_each`] does.
pub(crate) fn with_every_started(test: impl Fn(&dyn Fn(TempDir, &[&str]) -> Peer)) {
    start_those(|_| true, test);
}

fn start_those(is_one: impl Fn(&Kind) -> bool, test: impl Fn(&dyn Fn(TempDir, &[&str]) -> Peer)) {
    for kind in KINDS.iter().filter(|kind| is_one(kind)) {
        let Some(first) = Peer::start(kind) else { continue };
        drop(first);
        println!("with {}", kind.name);
        test(&|folder, args| Peer::within(kind, folder, args).unwrap_or_else(|| panic!("{} is gone", kind.name)));
    }
}

impl Peer {
    fn start(kind: &'static Kind) -> Option<Peer> {
        Peer::within(kind, TempDir::new(), &[])
    }

    /// Another one of this kind, which begins with what is in a folder; it has to come to serve.
    ///
    /// # Panics
    /// With the log when it does not.
    pub(crate) fn another(&self, folder: TempDir) -> Peer {
        Peer::within(self.kind, folder, &[]).unwrap_or_else(|| panic!("{} is gone", self.name()))
    }

    /// The file of its data set, once it was saved.
    pub(crate) fn saved(&self) -> Vec<u8> {
        let path = self.folder.file("dump.rdb");
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Whether it reads files of a version.
    pub(crate) fn reads(&self, version: u16) -> bool {
        let of_redis = if self.kind.rdb_version >= 80 { 11 } else { self.kind.rdb_version };
        version <= of_redis
    }

    fn within(kind: &'static Kind, folder: TempDir, args: &[&str]) -> Option<Peer> {
        let Some(program) = kind.program() else {
            let is_needed = kind.link.is_none() && std::env::var_os("CI").is_some();
            assert!(!is_needed, "{} is not here, and in CI it has to be", kind.name);
            println!("WITHOUT {}: it is not here (`cargo xtask peers`, or Debian's redis-server)", kind.name);
            return None;
        };
        let port = server::free_port();
        let log = std::fs::File::create(folder.file("output.log")).unwrap_or_else(|error| panic!("a log: {error}"));
        let child = Command::new(&program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--unixsocket", "socket"])
            .args(["--save", ""])
            // Before 7.0 everybody could.
            .args(if kind.rdb_version >= 10 { &["--enable-debug-command", "yes"][..] } else { &[] })
            .args(args)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let mut peer = Peer { kind, child, folder, port };
        wait_until(&format!("{} serves", kind.name), || {
            let ended = peer.child.try_wait().is_ok_and(|status| status.is_some());
            assert!(!ended, "{} ended at its start:\n{}", kind.name, peer.log());
            Path::new(&peer.socket()).exists() && peer.connect().text(&["PING"]) == "PONG"
        });
        let version = peer.connect().info("server", kind.version_field).unwrap_or_default();
        if version.starts_with(kind.version) {
            return Some(peer);
        }
        // The PATH's server is whatever its owner likes; only CI counts on its version.
        assert!(std::env::var_os("CI").is_none(), "{} is {version} here", kind.name);
        println!("WITHOUT {}: {} is {version}", kind.name, program.display());
        None
    }

    /// What it is.
    pub(crate) fn name(&self) -> &'static str {
        self.kind.name
    }

    /// Whether it has fields that expire.
    pub(crate) fn has_deadlines(&self) -> bool {
        self.kind.rdb_version >= 12
    }

    /// Its port on this machine.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> Client {
        server::connect_unix(&self.socket())
    }

    /// The newest RDB version that it reads.
    pub(crate) fn rdb_version(&self) -> u16 {
        self.kind.rdb_version
    }

    /// Where it works.
    pub(crate) fn folder(&self) -> &TempDir {
        &self.folder
    }

    /// Have it end by itself, with its files whole; its folder.
    pub(crate) fn end(mut self) -> TempDir {
        self.connect().send(&["SHUTDOWN", "NOSAVE"]);
        wait_until("the peer ends", || self.child.try_wait().is_ok_and(|status| status.is_some()));
        let _ = std::fs::remove_file(self.socket());
        std::mem::take(&mut self.folder)
    }

    /// A payload as this server takes it: of an RDB version that it reads. For values whose bytes
    /// mean the same in both versions.
    pub(crate) fn payload(&self, payload: &[u8]) -> Vec<u8> {
        let (value, footer) = payload.split_at(payload.len() - FOOTER_BYTES);
        let version = u16::from_le_bytes([footer[0], footer[1]]).min(self.kind.rdb_version);
        let mut sealed = value.to_vec();
        sealed.extend_from_slice(&version.to_le_bytes());
        sealed.extend_from_slice(&crc64(&sealed).to_le_bytes());
        sealed
    }

    fn socket(&self) -> String {
        self.folder.file("socket")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.file("output.log")).unwrap_or_default()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("with {}, whose log is:\n{}", self.kind.name, self.log());
        }
    }
}

impl Kind {
    fn program(&self) -> Option<PathBuf> {
        if let Some(link) = self.link {
            let path = plinth_testkit::build::profile_folder().parent()?.join("peers").join(link);
            return path.exists().then_some(path);
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|path| path.is_file())
    }
}

fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u64::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { CRC_POLYNOMIAL } else { 0 })
    })
}

/// A key's payload.
///
/// # Panics
/// When there is no such key.
#[track_caller]
pub(crate) fn dump(client: &mut Client, key: &str) -> Vec<u8> {
    match client.ask(&["DUMP", key]) {
        Reply::Bulk(payload) => payload,
        other => panic!("DUMP {key}: {other:?}"),
    }
}

/// Moves a key from Plinth to a peer, over what is there.
#[track_caller]
pub(crate) fn move_to_peer(peer: &Peer, plinth: &mut Client, theirs: &mut Client, key: &str) {
    let payload = peer.payload(&dump(plinth, key));
    assert_wire(theirs, &[b"RESTORE", key.as_bytes(), b"0", &payload, b"REPLACE"], b"+OK\r\n");
}

/// Moves a key from a peer to Plinth, over what is there.
#[track_caller]
pub(crate) fn move_to_plinth(theirs: &mut Client, plinth: &mut Client, key: &str) {
    let payload = dump(theirs, key);
    assert_wire(plinth, &[b"RESTORE", key.as_bytes(), b"0", &payload, b"REPLACE"], b"+OK\r\n");
}

/// Both answer a command alike.
#[track_caller]
pub(crate) fn assert_same<A: AsRef<[u8]>>(peer: &Peer, theirs: &mut Client, plinth: &mut Client, args: &[A]) {
    let expected = theirs.command(args);
    let reply = plinth.command(args);
    let words: Vec<_> = args.iter().map(|arg| String::from_utf8_lossy(arg.as_ref()).into_owned()).collect();
    assert!(
        reply == expected,
        "{}\n  replied  {:?}\n  {} {:?}",
        words.join(" "),
        String::from_utf8_lossy(&reply),
        peer.name(),
        String::from_utf8_lossy(&expected)
    );
}
