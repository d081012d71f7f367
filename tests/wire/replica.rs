//! A replica whose primary is a script: what it says of itself, what it makes of what comes, and what it does not let
//! go of.

use plinth_testkit::{Client, Server, assert_wire, wait_until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

const ID: &str = "0123456789abcdef0123456789abcdef01234567";
const MARK: &str = "fedcba9876543210fedcba9876543210fedcba98";
/// A snapshot without keys, and without a checksum.
const EMPTY: &[u8] = b"REDIS0011\xff\0\0\0\0\0\0\0\0";

/// Waits for replicas.
struct Primary(TcpListener);

/// A replica that is connected.
struct Link {
    stream: TcpStream,
    read: Vec<u8>,
    /// What it has asked for.
    asked: Vec<String>,
}

impl Primary {
    fn new() -> Primary {
        Primary(TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no port: {error}")))
    }

    fn port(&self) -> String {
        self.0.local_addr().map_or_else(|error| panic!("{error}"), |address| address.port().to_string())
    }

    /// Take a replica in, until it has asked for the stream.
    fn meet(&self) -> Link {
        let (stream, _) = self.0.accept().unwrap_or_else(|error| panic!("nobody comes: {error}"));
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap_or_else(|error| panic!("{error}"));
        let mut link = Link { stream, read: Vec::new(), asked: Vec::new() };
        loop {
            let words = link.command();
            link.asked.push(words.join(" "));
            match words[0].as_str() {
                "PING" => link.send(b"+PONG\r\n"),
                "PSYNC" | "SYNC" => return link,
                _ => link.send(b"+OK\r\n"),
            }
        }
    }
}

impl Link {
    fn send(&mut self, bytes: &[u8]) {
        // Who has gone is asked for by the test.
        let _ = self.stream.write_all(bytes);
    }

    /// The next command; what says only that the replica is alive is passed over.
    fn command(&mut self) -> Vec<String> {
        loop {
            while self.read.first() == Some(&b'\n') {
                self.read.remove(0);
            }
            if let Some((reply, length)) = plinth_testkit::reply::parse(&self.read) {
                self.read.drain(..length);
                return reply.texts();
            }
            let mut more = [0; 4096];
            let count = self.stream.read(&mut more).unwrap_or_else(|error| panic!("nothing comes: {error}"));
            assert!(count > 0, "the replica has gone");
            self.read.extend_from_slice(&more[..count]);
        }
    }

    /// The offset that it says next.
    fn acknowledged(&mut self) -> i64 {
        let words = self.command();
        assert_eq!(words[..2], ["REPLCONF", "ACK"], "{words:?}");
        words[2].parse().unwrap_or(-1)
    }

    /// The same, until it is one.
    fn wait_for(&mut self, offset: i64) {
        while self.acknowledged() < offset {}
    }

    /// Give it everything, of which there is nothing, up to an offset.
    fn full(&mut self, offset: i64) {
        self.send(format!("+FULLRESYNC {ID} {offset}\r\n${}\r\n", EMPTY.len()).as_bytes());
        self.send(EMPTY);
    }
}

/// A command as it stands in a stream.
fn encoded(line: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut all = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| all += &format!("${}\r\n{word}\r\n", word.len()));
    all.into_bytes()
}

fn follow(client: &mut Client, primary: &Primary) {
    assert_wire(client, &["REPLICAOF", "127.0.0.1", &primary.port()], b"+OK\r\n");
}

fn wait_for(client: &mut Client, command: &[&str], expected: &[u8]) {
    wait_until(&format!("{command:?} answers"), || client.command(command) == expected);
}

/// A server that follows a primary of this test's, and has taken in an empty snapshot of it.
fn following(args: &[&str]) -> (Primary, Server, Client, Link) {
    let primary = Primary::new();
    let server = Server::with(args);
    let mut client = server.connect();
    follow(&mut client, &primary);
    let mut link = primary.meet();
    link.full(0);
    (primary, server, client, link)
}

#[test]
fn plinth_as_a_replica_says_who_it_is_and_applies_what_comes() {
    let primary = Primary::new();
    let args = ["--masterauth", "secret", "--masteruser", "repl", "--replica-announce-ip", "10.1.2.3"];
    let server = Server::with(&[&args[..], &["--replica-announce-port", "1234"]].concat());
    let mut client = server.connect();
    follow(&mut client, &primary);
    let mut link = primary.meet();
    let said = &link.asked;
    assert_eq!(said[..4], ["PING", "AUTH repl secret", "REPLCONF listening-port 1234", "REPLCONF ip-address 10.1.2.3"]);
    assert!(
        said[4].starts_with("REPLCONF capa eof capa psync2") && said[5].starts_with("REPLCONF version "),
        "{said:?}"
    );
    assert!(said[6].starts_with("PSYNC "), "{said:?}");
    // A snapshot whose end is a mark, cut wherever it can be cut, and the stream right behind it.
    link.send(format!("+FULLRESYNC {ID} 100\r\n\n\n$EOF:{MARK}\r\n").as_bytes());
    let commands = [encoded("SELECT 2"), encoded("SET k v"), b"\n".to_vec(), encoded("INCR n")].concat();
    for byte in [EMPTY, MARK.as_bytes()].concat() {
        link.send(&[byte]);
    }
    link.send(&commands);
    let end = 100 + commands.len() as i64;
    link.wait_for(end);
    client.ask(&["SELECT", "2"]);
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    assert_eq!(client.info("replication", "slave_repl_offset"), Some(end.to_string()));
    // It is asked, and says how far it was before.
    let asked = encoded("REPLCONF GETACK *");
    link.send(&asked);
    link.wait_for(end);
    link.wait_for(end + asked.len() as i64);
    assert!(client.text(&["CLIENT", "LIST", "TYPE", "master"]).contains("flags=M"));
    assert_eq!(client.ask(&["ROLE"]).items()[3].text(), "connected");
}

#[test]
fn plinth_goes_on_where_it_has_applied_whole_units() {
    let (primary, _server, mut client, mut link) = following(&[]);
    let whole = [encoded("SELECT 3"), encoded("SET a 1")].concat();
    link.send(&whole);
    link.wait_for(whole.len() as i64);
    let unit = [encoded("MULTI"), encoded("SET a 2"), encoded("SET b 2"), encoded("EXEC")].concat();
    link.send(&unit[..unit.len() - 8]);
    wait_until("it has read the half", || {
        let read = client.info("replication", "slave_read_repl_offset");
        read == Some((whole.len() + unit.len() - 8).to_string())
    });
    drop(link);
    let mut link = primary.meet();
    let wanted = format!("PSYNC {ID} {}", whole.len() + 1);
    assert_eq!(link.asked.last(), Some(&wanted));
    client.ask(&["SELECT", "3"]);
    assert_wire(&mut client, &["GET", "a"], b"$1\r\n1\r\n");
    // Under another id, and in the database that was selected.
    link.send(format!("+CONTINUE {MARK}\r\n").as_bytes());
    link.send(&unit);
    link.wait_for((whole.len() + unit.len()) as i64);
    assert_wire(&mut client, &["MGET", "a", "b"], b"*2\r\n$1\r\n2\r\n$1\r\n2\r\n");
    assert_eq!(client.info("replication", "master_replid").as_deref(), Some(MARK));
    assert_eq!(client.info("replication", "master_replid2").as_deref(), Some(ID));
}

#[test]
fn plinth_keeps_its_data_until_there_is_a_snapshot_that_it_can_read() {
    let primary = Primary::new();
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "own", "1"], b"+OK\r\n");
    follow(&mut client, &primary);
    let full = format!("+FULLRESYNC {ID} 0\r\n");
    let long = "x".repeat(100_000);
    for (bytes, word) in [
        (format!("{full}$20\r\nREDIS0099aaaaaaaaaaa"), "RDB format version 99"),
        (format!("{full}$20\r\nVALKEY999aaaaaaaaaaa"), "RDB format version 999"),
        (format!("{full}$9223372036854775807\r\nREDIS0011"), "closed"),
        (format!("{full}$EOF:{MARK}\r\nREDIS0011{long}"), "closed"),
        (format!("{full}$-5\r\n"), "Bad protocol"),
        (format!("{full}-ERR no snapshot today\r\n"), "no snapshot today"),
        (format!("+FULLRESYNC nonsense\r\n{long}"), "currently unable"),
        (format!("+FULLRESYNC {ID} 9223372036854775807\r\n"), " 9223372036854775807"),
        (long.clone(), "does not end"),
        ("-NOMASTERLINK not now\r\n".into(), "NOMASTERLINK"),
    ] {
        let mut link = primary.meet();
        link.send(bytes.as_bytes());
        drop(link);
        wait_until(&format!("'{word}' is the reason"), || {
            client.info("replication", "plinth_master_link_failure").is_some_and(|reason| reason.contains(word))
        });
        assert_wire(&mut client, &["GET", "own"], b"$1\r\n1\r\n");
    }
    let files = std::fs::read_dir(server.folder().path()).map(|files| files.flatten().count());
    primary.meet().full(0);
    wait_for(&mut client, &["EXISTS", "own"], b":0\r\n");
    assert!(files.is_ok_and(|files| files <= 2), "what was not loaded is not kept");
}

#[test]
fn plinth_holds_nothing_of_a_snapshot_that_breaks_off() {
    let primary = Primary::new();
    let server = Server::start();
    let mut client = server.connect();
    follow(&mut client, &primary);
    let mut link = primary.meet();
    // A key, and then a type that does not exist.
    let broken = [&b"REDIS0011\x00\x01k\x01v"[..], &[200; 20]].concat();
    link.send(format!("+FULLRESYNC {ID} 0\r\n${}\r\n", broken.len()).as_bytes());
    link.send(&broken);
    server.wait_for_log("Failed trying to load the MASTER synchronization DB");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    let mut link = primary.meet();
    assert_eq!(link.asked.last().map(String::as_str), Some("PSYNC ? -1"));
    link.full(0);
    link.wait_for(0);
}

#[test]
fn plinth_keeps_what_has_expired_until_its_primary_says_so() {
    let (_primary, _server, mut client, mut link) = following(&["--enable-debug-command", "yes"]);
    let mut sent = 0;
    let mut stream = |link: &mut Link, lines: &[&str]| {
        let bytes: Vec<u8> = lines.iter().flat_map(|line| encoded(line)).collect();
        sent += bytes.len() as i64;
        link.send(&bytes);
        link.wait_for(sent);
    };
    // It was written to as long as it was there: in the past, as the replica is late.
    stream(&mut link, &["SELECT 0", "SET n 5", "PEXPIREAT n 1000", "INCR n", "SET m 1 PXAT 1000", "APPEND m 2"]);
    for command in [["EXISTS", "n"], ["EXISTS", "m"], ["TTL", "n"]] {
        let expected: &[u8] = if command[0] == "TTL" { b":-2\r\n" } else { b":0\r\n" };
        assert_wire(&mut client, &command, expected);
    }
    assert_wire(&mut client, &["GET", "n"], b"$-1\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":2\r\n");
    stream(&mut link, &["PERSIST n", "PERSIST m"]);
    assert_wire(&mut client, &["MGET", "n", "m"], b"*2\r\n$1\r\n6\r\n$2\r\n12\r\n");
    // Primaries before Redis 7 send times to live as they came.
    stream(&mut link, &["SET t 1 EX 1000", "EXPIRE n 1000", "SETEX u 1000 1"]);
    for key in ["t", "n", "u"] {
        assert!(client.ask(&["TTL", key]).integer() > 900, "{key}");
    }
    stream(&mut link, &["PEXPIREAT n 1000", "DEL n"]);
    assert_wire(&mut client, &["DBSIZE"], b":3\r\n");
}

#[test]
fn plinth_keeps_fields_that_have_expired_until_its_primary_says_so() {
    let (_primary, _server, mut client, mut link) = following(&[]);
    let set = ["SELECT 0", "HSET h f 5 g 1", "HPEXPIREAT h 1000 FIELDS 1 f", "HINCRBY h f 1"];
    let set: Vec<u8> = set.iter().flat_map(|line| encoded(line)).collect();
    link.send(&set);
    link.wait_for(set.len() as i64);
    assert_wire(&mut client, &["HGET", "h", "f"], b"$-1\r\n");
    // Timers run meanwhile.
    client.ask(&["XREAD", "BLOCK", "300", "STREAMS", "none", "0"]);
    let persist = encoded("HPERSIST h FIELDS 1 f");
    link.send(&persist);
    link.wait_for((set.len() + persist.len()) as i64);
    assert_wire(&mut client, &["HGET", "h", "f"], b"$1\r\n6\r\n");
}

#[test]
fn plinth_removes_what_has_expired_of_a_writable_replicas_own() {
    let (_primary, _server, mut client, mut link) = following(&["--replica-read-only", "no"]);
    let set: Vec<u8> = ["SELECT 0", "SET of-primary 1 PXAT 1000"].iter().flat_map(|line| encoded(line)).collect();
    link.send(&set);
    link.wait_for(set.len() as i64);
    assert_wire(&mut client, &["SET", "own", "1", "PX", "20"], b"+OK\r\n");
    wait_until("its own is gone", || client.command(&["DBSIZE"]) == b":1\r\n");
    assert_eq!(client.info("stats", "slave_expires_tracked_keys").as_deref(), Some("0"));
    assert_wire(&mut client, &["EXISTS", "of-primary"], b":0\r\n");
    assert_wire(&mut client, &["RANDOMKEY"], b"$10\r\nof-primary\r\n");
}

#[test]
fn plinth_refuses_what_a_replica_refuses() {
    let primary = Primary::new();
    let server = Server::start();
    let mut client = server.connect();
    client.ask(&["SET", "k", "v"]);
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let nobody = nobody.map_or_else(|error| panic!("{error}"), |address| address.port().to_string());
    assert_wire(&mut client, &["REPLICAOF", "127.0.0.1", &nobody], b"+OK\r\n");
    assert_wire(&mut client, &["REPLICAOF", "127.0.0.1", &nobody], b"+OK Already connected to specified master\r\n");
    assert_wire(&mut client, &["REPLICAOF", "127.0.0.1", "x"], b"-ERR Invalid master port\r\n");
    assert_wire(&mut client, &["REPLICAOF", "127.0.0.1", "70000"], b"-ERR Invalid master port\r\n");
    let read_only = b"-READONLY You can't write against a read only replica.\r\n";
    assert_wire(&mut client, &["SET", "k", "w"], read_only);
    let said = client.text(&["EVAL", "return redis.call('set','k','w')", "0"]);
    assert!(said.starts_with("READONLY You can't write against a read only replica."), "{said}");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "replica-serve-stale-data", "no"], b"+OK\r\n");
    let stale = b"-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n";
    assert_wire(&mut client, &["GET", "k"], stale);
    assert_wire(&mut client, &["PING"], stale);
    assert!(client.info("replication", "role").is_some());
    let said = client.ask(&["HELLO", "3"]);
    assert_eq!(said.field("role").map(plinth_testkit::reply::Reply::text).as_deref(), Some("replica"));
    client.ask(&["HELLO", "2"]);
    follow(&mut client, &primary);
    let mut link = primary.meet();
    link.full(0);
    link.wait_for(0);
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    // Written by a client, it stays the replica's own.
    assert_wire(&mut client, &["CONFIG", "SET", "replica-read-only", "no"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "k", "w"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "replica-read-only", "yes"], b"+OK\r\n");
    assert_wire(&mut client, &["DEL", "k"], read_only);
    assert_wire(&mut client, &["REPLICAOF", "NO", "ONE"], b"+OK\r\n");
    assert_wire(&mut client, &["DEL", "k"], b":1\r\n");
}
