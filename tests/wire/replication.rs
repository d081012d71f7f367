//! The primary's side of replication, with replicas that are a socket and a script.

use plinth_testkit::client::Client;
use plinth_testkit::{Server, assert_wire, wait_until};

const QUICK: &[&str] = &["--save", "", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1000"];
const SELECT_0: &str = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";

fn server(args: &[&str]) -> Server {
    Server::with(&[QUICK, args].concat())
}

/// A replica behind its full sync.
struct Replica {
    client: Client,
    id: String,
    offset: i64,
}

impl Replica {
    /// Ask for all, and take it in.
    fn new(server: &Server, capa: &[&str]) -> Replica {
        let (mut replica, _) = Replica::silent(server, capa);
        if capa.contains(&"eof") {
            replica.acknowledge(replica.offset);
        }
        replica
    }

    /// The same, and say nothing of it.
    fn silent(server: &Server, capa: &[&str]) -> (Replica, Vec<u8>) {
        let mut client = server.connect();
        assert_wire(&mut client, &["REPLCONF", "listening-port", "1234"], b"+OK\r\n");
        if !capa.is_empty() {
            let words: Vec<&str> = capa.iter().flat_map(|capa| ["capa", capa]).collect();
            assert_wire(&mut client, &[&["REPLCONF"][..], &words].concat(), b"+OK\r\n");
        }
        client.send(&["PSYNC", "?", "-1"]);
        let line = line(&mut client);
        let words: Vec<&str> = line.split(' ').collect();
        let ["+FULLRESYNC", id, offset] = words[..] else { panic!("{line}") };
        let mut replica = Replica { id: id.into(), offset: offset.parse().expect("an offset"), client };
        let snapshot = replica.snapshot();
        assert!(snapshot.starts_with(b"REDIS"), "{:?}", String::from_utf8_lossy(&snapshot));
        (replica, snapshot)
    }

    fn snapshot(&mut self) -> Vec<u8> {
        let head = line(&mut self.client);
        match head.strip_prefix("$EOF:") {
            Some(mark) => {
                let mut bytes = Vec::new();
                while !bytes.ends_with(mark.as_bytes()) {
                    bytes.extend(self.client.read_bytes(1));
                }
                bytes.truncate(bytes.len() - mark.len());
                bytes
            }
            None => {
                let bytes = head.strip_prefix('$').and_then(|count| count.parse().ok());
                self.client.read_bytes(bytes.unwrap_or_else(|| panic!("{head}")))
            }
        }
    }

    fn acknowledge(&mut self, offset: i64) {
        self.client.send(&["REPLCONF", "ACK", &offset.to_string()]);
    }

    #[track_caller]
    fn assert_stream(&mut self, expected: &str) {
        let bytes = self.client.read_bytes(expected.len());
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
        self.offset += expected.len() as i64;
    }
}

/// The next line that is not empty.
fn line(client: &mut Client) -> String {
    let mut line = Vec::new();
    loop {
        let byte = client.read_bytes(1)[0];
        match byte {
            b'\n' if line.is_empty() => {}
            b'\n' => return String::from_utf8_lossy(&line).trim_end().to_owned(),
            _ => line.push(byte),
        }
    }
}

fn command(words: &[&str]) -> String {
    let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    let count = words.matches('$').count();
    format!("*{count}\r\n{words}")
}

fn offset(client: &mut Client) -> i64 {
    client.info("replication", "master_repl_offset").and_then(|text| text.parse().ok()).unwrap_or(-1)
}

#[test]
fn a_replica_gets_a_snapshot_and_the_stream_by_file_and_without() {
    for (diskless, capa) in [("yes", &["eof", "psync2"][..]), ("no", &["eof", "psync2"]), ("yes", &[])] {
        let server = server(&["--repl-diskless-sync", diskless]);
        let mut client = server.connect();
        assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
        let mut replica = Replica::new(&server, capa);
        assert_wire(&mut client, &["SET", "b", "2"], b"+OK\r\n");
        assert_wire(&mut client, &["GET", "b"], b"$1\r\n2\r\n");
        for line in [&["MULTI"][..], &["SELECT", "3"], &["INCR", "n"], &["INCR", "n"]] {
            client.command(line);
        }
        assert_wire(&mut client, &["EXEC"], b"*3\r\n+OK\r\n:1\r\n:2\r\n");
        let select = command(&["SELECT", "3"]);
        let incr = command(&["INCR", "n"]);
        replica.assert_stream(&format!("{SELECT_0}{}", command(&["SET", "b", "2"])));
        replica.assert_stream(&format!("{}{select}{incr}{incr}{}", command(&["MULTI"]), command(&["EXEC"])));
        assert_eq!(offset(&mut client), replica.offset);
        replica.acknowledge(replica.offset);
        let shown = format!("ip=127.0.0.1,port=1234,state=online,offset={},lag=0", replica.offset);
        wait_until("the offset is shown", || client.info("replication", "slave0").as_deref() == Some(&shown));
        let role = format!(
            "*3\r\n$6\r\nmaster\r\n:{0}\r\n*1\r\n*3\r\n$9\r\n127.0.0.1\r\n$4\r\n1234\r\n${1}\r\n{0}\r\n",
            replica.offset,
            replica.offset.to_string().len()
        );
        assert_wire(&mut client, &["ROLE"], role);
        assert!(client.text(&["CLIENT", "LIST", "TYPE", "replica"]).contains(" flags=S "));
    }
}

#[test]
fn a_link_is_gone_on_with_where_the_backlog_has_what_is_lacking() {
    let server = server(&[]);
    let mut client = server.connect();
    let mut replica = Replica::new(&server, &["eof", "psync2"]);
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    let all = format!("{SELECT_0}{}", command(&["SET", "a", "1"]));
    replica.assert_stream(&all);
    let from = replica.offset + 1;
    drop(replica.client);
    assert_wire(&mut client, &["SET", "b", "2"], b"+OK\r\n");
    let mut again = server.connect();
    assert_wire(&mut again, &["REPLCONF", "capa", "psync2"], b"+OK\r\n");
    again.send(&["PSYNC", &replica.id, &from.to_string()]);
    assert_eq!(line(&mut again), format!("+CONTINUE {}", replica.id));
    let expected = command(&["SET", "b", "2"]);
    assert_eq!(String::from_utf8_lossy(&again.read_bytes(expected.len())), expected);
    // An old replica is not told the id.
    let mut old = server.connect();
    old.send(&["PSYNC", &replica.id, &from.to_string()]);
    assert_eq!(line(&mut old), "+CONTINUE");
    assert_eq!(String::from_utf8_lossy(&old.read_bytes(expected.len())), expected);
    assert_eq!(client.info("stats", "sync_partial_ok").as_deref(), Some("2"));
    // What is not there is not gone on with: another stream, or bytes that are gone or were never sent.
    for (id, from) in [("0".repeat(40), 1), (replica.id.clone(), 1_000_000), (replica.id.clone(), -5)] {
        let mut other = server.connect();
        other.send(&["PSYNC", &id, &from.to_string()]);
        assert!(line(&mut other).starts_with("+FULLRESYNC "));
    }
    assert_eq!(client.info("stats", "sync_partial_err").as_deref(), Some("3"));
}

#[test]
fn who_waits_for_replicas_is_told_how_many_have_it() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["WAIT", "0", "0"], b":0\r\n");
    assert_wire(&mut client, &["WAIT", "1", "10"], b":0\r\n");
    let mut replica = Replica::new(&server, &["eof", "psync2"]);
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    replica.assert_stream(&format!("{SELECT_0}{}", command(&["SET", "a", "1"])));
    client.send(&["WAIT", "1", "0"]);
    let asked = command(&["REPLCONF", "GETACK", "*"]);
    replica.assert_stream(&asked);
    // What it has is less than what was written.
    replica.acknowledge(1);
    let mut other = server.connect();
    client.assert_unanswered(&mut other);
    replica.acknowledge(replica.offset - asked.len() as i64);
    assert_eq!(client.read(), b":1\r\n");
    assert_wire(&mut client, &["WAIT", "2", "10"], b":1\r\n");
    // In a file it lasts nowhere, until the replica says so.
    replica.assert_stream(&asked);
    assert_wire(&mut client, &["WAITAOF", "0", "1", "10"], b"*2\r\n:0\r\n:0\r\n");
    replica.assert_stream(&asked);
    client.send(&["WAITAOF", "0", "1", "0"]);
    replica.assert_stream(&asked);
    let end = replica.offset.to_string();
    replica.client.send(&["REPLCONF", "ACK", &end, "FACK", &end]);
    assert_eq!(client.read(), b"*2\r\n:0\r\n:1\r\n");
    // A client that has written nothing waits for nothing.
    assert_wire(&mut other, &["WAIT", "1", "0"], b":1\r\n");
}

#[test]
fn writes_are_refused_while_too_few_replicas_keep_up() {
    let server = server(&["--min-replicas-to-write", "1"]);
    let mut client = server.connect();
    let refused = b"-NOREPLICAS Not enough good replicas to write.\r\n";
    wait_until("writes are refused", || client.command(&["SET", "a", "1"]) == refused);
    assert_wire(&mut client, &["GET", "a"], b"$-1\r\n");
    let replica = Replica::new(&server, &["eof"]);
    wait_until("writes are taken", || client.command(&["SET", "a", "1"]) == b"+OK\r\n");
    assert_eq!(client.info("replication", "min_slaves_good_slaves").as_deref(), Some("1"));
    drop(replica);
    wait_until("writes are refused", || client.command(&["SET", "a", "1"]) == refused);
    assert_wire(&mut client, &["CONFIG", "SET", "min-replicas-to-write", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
}

#[test]
fn replicas_that_misbehave_are_cut_off_or_bounded() {
    let server = server(&["--client-output-buffer-limit", "replica 1mb 0 0", "--repl-backlog-size", "16384"]);
    let mut client = server.connect();
    // Who asks for a reply is no replica.
    let mut asks = Replica::new(&server, &["eof"]);
    asks.client.send(&["GET", "a"]);
    asks.client.read_to_end();
    server.wait_for_log("Replica generated a reply to command 'get', disconnecting it");
    // PSYNC is not queued, and what is queued is not run by a replica.
    let mut queues = server.connect();
    assert_wire(&mut queues, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut queues, &["PSYNC", "?", "-1"], b"-ERR Command not allowed inside a transaction\r\n");
    // What it says of itself is kept once, and what it has is not more than there is.
    let mut talks = Replica::new(&server, &["eof"]);
    for at in 0..10_000 {
        talks.client.send(&["REPLCONF", "ACK", &(i64::MAX - at).to_string()]);
    }
    wait_until("it is heard", || {
        let shown = client.info("replication", "slave0").unwrap_or_default();
        shown.contains(&format!("offset={},", offset(&mut client)))
    });
    for words in [&["REPLCONF", "capa"][..], &["REPLCONF", "nosuch", "1"], &["REPLCONF", "version", "9"]] {
        let mut other = server.connect();
        assert!(other.text(words).starts_with("ERR "), "{words:?}");
    }
    let long = "x".repeat(300);
    let error = "-ERR REPLCONF ip-address provided by replica instance is too long: 300 bytes\r\n";
    assert_wire(&mut server.connect(), &["REPLCONF", "ip-address", &long], error);
    // One that reads nothing is closed when more waits for it than may.
    let value = "y".repeat(100_000);
    wait_until("the replica is closed", || {
        client.command(&["SET", "large", &value]);
        server.log().contains("overcoming of output buffer limits")
    });
    wait_until("nothing is kept for it", || {
        client
            .info("replication", "repl_backlog_histlen")
            .is_some_and(|text| text.parse::<i64>().unwrap_or(0) < 200_000)
    });
}

#[test]
fn a_server_that_ends_waits_until_its_replicas_have_all() {
    let mut server = server(&["--shutdown-timeout", "100"]);
    let mut client = server.connect();
    let mut replica = Replica::new(&server, &["eof"]);
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    replica.assert_stream(&format!("{SELECT_0}{}", command(&["SET", "a", "1"])));
    let (mut ends, mut also) = (server.connect(), server.connect());
    ends.send(&["SHUTDOWN"]);
    replica.assert_stream(&command(&["REPLCONF", "GETACK", "*"]));
    also.send(&["SHUTDOWN"]);
    wait_until("both wait", || client.info("clients", "blocked_clients").as_deref() == Some("2"));
    assert_wire(&mut client, &["GET", "a"], b"$1\r\n1\r\n");
    assert_wire(&mut client, &["SHUTDOWN", "ABORT"], b"+OK\r\n");
    for client in [&mut ends, &mut also] {
        assert_eq!(client.read(), b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
    }
    assert_wire(&mut client, &["SET", "b", "1"], b"+OK\r\n");
    replica.assert_stream(&command(&["SET", "b", "1"]));
    ends.send(&["SHUTDOWN"]);
    let asked = command(&["REPLCONF", "GETACK", "*"]);
    replica.assert_stream(&asked);
    replica.acknowledge(replica.offset);
    wait_until("the server ends", || server.has_ended());
    assert!(server.log().contains("1 of 1 replicas are in sync when shutting down."));
}

#[test]
fn a_replica_that_leaves_without_a_word_gets_an_older_snapshot_unless_there_are_functions() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    let version = || {
        let (replica, snapshot) = Replica::silent(&server, &["eof", "psync2"]);
        drop(replica);
        String::from_utf8_lossy(&snapshot[..9]).into_owned()
    };
    assert_eq!([version(), version(), version()], ["REDIS0010", "REDIS0009", "REDIS0009"]);
    let library = "#!lua name=one\nredis.register_function('f', function() return 1 end)";
    assert_eq!(client.text(&["FUNCTION", "LOAD", library]), "one");
    assert_eq!(version(), "REDIS0010");
    assert_eq!(client.text(&["FUNCTION", "FLUSH"]), "OK");
    // Who has answered once was not too old.
    let server = another();
    let mut replica = Replica::new(&server, &["eof", "psync2"]);
    replica.acknowledge(replica.offset);
    let mut client = server.connect();
    wait_until("it is there", || client.info("replication", "slave0").is_some_and(|text| text.contains("online")));
    drop(replica);
    let (_, snapshot) = Replica::silent(&server, &["eof", "psync2"]);
    assert!(snapshot.starts_with(b"REDIS0010"));
}

fn another() -> Server {
    server(&[])
}

#[test]
fn a_snapshot_for_replicas_counts_as_one_of_a_save_point() {
    let server = Server::with(&["--save", "3600 1000", "--repl-diskless-sync", "no"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_eq!(client.info("persistence", "rdb_changes_since_last_save").as_deref(), Some("1"));
    let _replica = Replica::new(&server, &[]);
    wait_until("it is taken for one", || {
        client.info("persistence", "rdb_changes_since_last_save").as_deref() == Some("0")
    });
    assert!(server.folder().path().join("dump.rdb").exists());
    let server = server.again("KILL", &["--save", ""]);
    assert_wire(&mut server.connect(), &["GET", "a"], b"$1\r\n1\r\n");
}

#[test]
fn who_waits_for_files_is_told_of_replicas_in_whose_files_it_lasts() {
    let primary = server(&["--appendonly", "yes"]);
    let at = format!("127.0.0.1 {}", primary.port());
    let _without = Server::with(&["--replicaof", &at]);
    let with = Server::with(&["--replicaof", &at, "--appendonly", "yes"]);
    let mut client = primary.connect();
    let mut of_replica = with.connect();
    wait_until("both are there", || client.text(&["WAIT", "2", "100"]) == "2");
    wait_until("it appends", || of_replica.info("persistence", "aof_rewrite_in_progress").as_deref() == Some("0"));
    for value in ["1", "2"] {
        assert_wire(&mut client, &["SET", "a", value], b"+OK\r\n");
        assert_wire(&mut client, &["WAITAOF", "1", "1", "20000"], b"*2\r\n:1\r\n:1\r\n");
    }
    assert_wire(&mut client, &["WAITAOF", "0", "2", "1500"], b"*2\r\n:1\r\n:1\r\n");
}

#[test]
fn what_replicas_say_and_owners_ask_is_refused_in_redis_words() {
    let server = server(&["--repl-backlog-size", "100"]);
    let mut client = server.connect();
    for (line, expected) in [
        ("REPLCONF rdb-only 2", "ERR value is out of range, value must between 0 and 1"),
        ("REPLCONF rdb-only x", "ERR value is not an integer or out of range"),
        ("FAILOVER TO 127.0.0.1 99999", "ERR FAILOVER requires connected replicas."),
        ("FAILOVER TO 127.0.0.1 x", "ERR value is not an integer or out of range"),
        ("FAILOVER FORCE TO 127.0.0.1 1 TIMEOUT 0", "ERR FAILOVER timeout must be greater than 0"),
        ("PSYNC id x", "ERR value is not an integer or out of range"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_wire(&mut client, &words, format!("-{expected}\r\n"));
    }
    server.wait_for_log("asks for synchronization but with a wrong offset");
    assert_eq!(client.info("replication", "repl_backlog_size").as_deref(), Some("16384"));
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["REPLCONF", "capa", "eof"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["EXEC"], b"*1\r\n+OK\r\n");
    let mut replica = Replica::new(&server, &["eof"]);
    replica.acknowledge(replica.offset);
    let refused = b"-ERR FAILOVER target HOST and PORT is not a replica.\r\n";
    assert_wire(&mut client, &["FAILOVER", "TO", "127.0.0.1", "99999"], refused);
}

#[test]
fn a_replica_that_broke_off_once_is_sent_what_the_data_need() {
    let server = server(&[]);
    let mut client = server.connect();
    client.ask(&["HSET", "h", "f", "1"]);
    assert_eq!(client.ask(&["HPEXPIRE", "h", "1000000", "FIELDS", "1", "f"]).items()[0].integer(), 1);
    // It says nothing of what it can read, and goes before it has loaded anything.
    for _ in 0..2 {
        drop(Replica::new(&server, &[]));
        let connected = |client: &mut Client| client.info("replication", "connected_slaves");
        wait_until("it is gone", || connected(&mut client).as_deref() == Some("0"));
    }
}
