//! Golden files: RDB and append-only files that other servers have written are loaded for ever.
//!
//! ```text
//!   golden/plain.resp        commands that make every type, encoding and expiry that all servers have
//!   golden/deadlines.resp    and those of fields that expire
//!   golden/redis-7.0/        what a server has kept of them: dump.rdb and appendonlydir, or appendonly.aof
//! ```
//!
//! What is loaded has to be what the same commands make in Plinth. `cargo xtask golden` writes all of it anew.

use crate::peer::{Peer, with_every_started};
use plinth_testkit::data;
use plinth_testkit::reply::{Reply, parse, request};
use plinth_testkit::{Client, Server, TempDir, assert_wire, wait_until};
use std::path::{Path, PathBuf};

/// Servers whose fields expire.
const WITH_DEADLINES: [&str; 3] = ["redis-7.4", "redis-8.2", "valkey-9.1"];
/// All whose files are kept.
const SERVERS: [&str; 5] = ["redis-6.2", "redis-7.0", "redis-7.4", "redis-8.2", "valkey-9.1"];

fn folder() -> PathBuf {
    plinth_testkit::workspace().join("tests/interop/golden")
}

fn commands(name: &str) -> Vec<Vec<Vec<u8>>> {
    let path = folder().join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut rest, mut found) = (bytes.as_slice(), Vec::new());
    while let Some((Reply::Array(words), len)) = parse(rest) {
        let word = |word: Reply| if let Reply::Bulk(bytes) = word { bytes } else { panic!("{word:?} in {name}") };
        found.push(words.into_iter().map(word).collect());
        rest = &rest[len..];
    }
    assert!(rest.is_empty(), "{name} ends with {} bytes that are no command", rest.len());
    found
}

fn run(client: &mut Client, commands: &[Vec<Vec<u8>>]) {
    for words in commands {
        let reply = client.ask(words);
        assert!(!matches!(reply, Reply::Error(_)), "{reply:?} to {:?}", String::from_utf8_lossy(&words.concat()));
    }
}

/// One server's values are the other's.
fn compare(what: &str, found: &mut Client, expected: &mut Client) {
    for db in ["0", "9"] {
        let mut keys = [&mut *found, &mut *expected].map(|client| {
            assert_wire(client, &["SELECT", db], b"+OK\r\n");
            let mut keys = client.ask(&["KEYS", "*"]).texts();
            keys.sort();
            keys
        });
        assert_eq!(keys[0], keys[1], "{what}");
        for key in std::mem::take(&mut keys[0]) {
            let mut questions = vec![vec!["TYPE", &key], vec!["PEXPIRETIME", &key]];
            if key.starts_with("stream:") {
                // When a consumer was handed its entries, and how many there ever were, is each server's to say.
                questions.extend([vec!["XRANGE", &key, "-", "+"], vec!["XPENDING", &key, "g"]]);
            } else {
                questions.push(vec!["DEBUG", "DIGEST-VALUE", &key]);
            }
            for question in questions {
                let replies = [&mut *found, &mut *expected].map(|client| client.ask(&question));
                assert_eq!(format!("{:?}", replies[0]), format!("{:?}", replies[1]), "{what}: {question:?}");
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten() {
        let path = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &path);
        } else {
            std::fs::copy(entry.path(), &path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

#[test]
fn files_of_every_server_hold_what_the_same_commands_make() {
    let (plain, with_deadlines) = (Server::start(), Server::start());
    run(&mut plain.connect(), &commands("plain.resp"));
    run(&mut with_deadlines.connect(), &[commands("plain.resp"), commands("deadlines.resp")].concat());
    for name in SERVERS {
        let expected = if WITH_DEADLINES.contains(&name) { &with_deadlines } else { &plain };
        for (what, appends) in [("snapshot", "no"), ("append-only file", "yes")] {
            let own = TempDir::new();
            copy(&folder().join(name), own.path());
            let server = Server::within(own, &["--save", "", "--appendonly", appends]);
            compare(&format!("{what} of {name}"), &mut server.connect(), &mut expected.connect());
            // And from what is written here the same comes again.
            if appends == "no" {
                assert_wire(&mut server.connect(), &["SAVE"], b"+OK\r\n");
            }
            let server = server.again("TERM", &["--save", "", "--appendonly", appends]);
            compare(&format!("{what} of {name}, again"), &mut server.connect(), &mut expected.connect());
        }
    }
}

/// Commands, of words.
type Commands = Vec<Vec<Vec<u8>>>;

/// The commands: those of the tests' data that are small, and what these have not.
fn data() -> (Commands, Commands) {
    let large = ["list:large", "stream:plain"];
    let mut plain: Vec<Vec<Vec<u8>>> =
        data::all().into_iter().filter(|(key, ..)| !large.contains(key)).flat_map(|(.., commands)| commands).collect();
    let line = |line: &str| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
    let elements: Vec<String> = (0..400).map(|at| format!("an-element-of-some-length:{at}")).collect();
    plain.push(line(&format!("RPUSH list:nodes {}", elements.join(" "))));
    plain.extend(
        [
            "PFADD sketch a b c",
            "GEOADD places 13.36 38.11 palermo 15.08 37.50 catania",
            "SET expiring value",
            "PEXPIREAT expiring 4102444800123",
            "RPUSH expiring:list a b",
            "PEXPIREAT expiring:list 4102444800000",
            "SELECT 9",
            "SET other database",
            "PEXPIREAT other 4102444800001",
            "SELECT 0",
        ]
        .map(line),
    );
    (plain, data::expiring().into_iter().flat_map(|(.., commands)| commands).collect())
}

fn wait_for_rewrite(client: &mut Client) {
    client.text(&["BGREWRITEAOF"]);
    wait_until("the rewrite is done", || {
        client.info("persistence", "aof_rewrite_in_progress").as_deref() == Some("0")
            && client.info("persistence", "aof_rewrite_scheduled").as_deref() == Some("0")
    });
    assert_eq!(client.info("persistence", "aof_last_bgrewrite_status").as_deref(), Some("ok"));
}

/// Writes what the test above reads, with the peers that are here.
#[test]
#[ignore = "writes files that are kept: `cargo xtask golden`"]
fn write_golden_files() {
    let (plain, deadlines) = data();
    std::fs::create_dir_all(folder()).expect("a folder");
    for (name, commands) in [("plain.resp", &plain), ("deadlines.resp", &deadlines)] {
        let bytes: Vec<u8> = commands.iter().flat_map(|words| request(words)).collect();
        std::fs::write(folder().join(name), bytes).expect("commands are written");
    }
    with_every_started(|start| {
        let peer: Peer = start(TempDir::new(), &["--appendonly", "yes", "--appendfsync", "always"]);
        let name = peer.name().to_lowercase().replace(' ', "-");
        let mut client = peer.connect();
        // Half of it is in the base, half of it commands.
        let (first, second) = plain.split_at(plain.len() / 2);
        run(&mut client, first);
        wait_for_rewrite(&mut client);
        run(&mut client, second);
        if peer.has_deadlines() {
            run(&mut client, &deadlines);
        }
        assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
        let from = peer.end();
        let to = folder().join(&name);
        let _ = std::fs::remove_dir_all(&to);
        copy(from.path(), &to);
        let _ = std::fs::remove_file(to.join("output.log"));
        println!("{} is written", to.display());
    });
}
