//! MIGRATE between real servers. A target that is to be slow is stopped with a signal and goes on
//! with another, so that nothing here hangs on the clock: what was sent before the stop is over when
//! the client is seen to wait.

use plinth_testkit::server::free_port;
use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, wait_until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

const OK: &[u8] = b"+OK\r\n";
const BUSY: &[u8] = b"-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n";
const NOBODY: &[u8] = b"-IOERR error or timeout writing to target instance\r\n";
const SILENT: &[u8] = b"-IOERR error or timeout reading to target instance\r\n";

/// Two servers and a client of each.
struct Pair {
    source: Server,
    target: Server,
    here: Client,
    there: Client,
}

impl Pair {
    fn new() -> Pair {
        Pair::with(&[])
    }

    fn with(target: &[&str]) -> Pair {
        let (source, target) = (Server::start(), Server::with(target));
        let (here, there) = (source.connect(), target.connect());
        Pair { source, target, here, there }
    }

    /// The words of MIGRATE with this target: key, database, timeout and what follows.
    fn words(&self, rest: &[&str]) -> Vec<String> {
        let port = self.target.port().to_string();
        ["MIGRATE", "127.0.0.1", &port].iter().chain(rest).map(|word| (*word).to_owned()).collect()
    }

    #[track_caller]
    fn migrate(&mut self, rest: &[&str], expected: impl AsRef<[u8]>) {
        let words = self.words(rest);
        assert_wire(&mut self.here, &words, expected);
    }

    /// A client of the source that has sent a MIGRATE to a target that is stopped.
    fn begin(&mut self, rest: &[&str]) -> Client {
        let before = self.waiting();
        let mut client = self.source.connect();
        client.send(&self.words(rest));
        wait_until("the client waits", || self.waiting() == before + 1);
        client
    }

    /// How many clients of the source wait.
    fn waiting(&mut self) -> u32 {
        self.here.info("clients", "blocked_clients").and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// The replies of both servers to a command.
    #[track_caller]
    fn assert_both(&mut self, command: &[&str], here: &str, there: &str) {
        assert_wire(&mut self.here, command, format!("{here}\r\n"));
        assert_wire(&mut self.there, command, format!("{there}\r\n"));
    }
}

#[test]
fn keys_move_with_their_values_one_or_many_at_a_time() {
    let mut pair = Pair::new();
    pair.here.command(&["SET", "string", "with\r\nbreak"]);
    pair.migrate(&["string", "0", "5000"], OK);
    pair.assert_both(&["EXISTS", "string"], ":0", ":1");
    assert_wire(&mut pair.there, &["GET", "string"], b"$11\r\nwith\r\nbreak\r\n");
    for at in 0..3000 {
        pair.here.command(&["RPUSH".to_owned(), "list".to_owned(), format!("element {at}")]);
    }
    pair.here.command(&["HSET", "hash", "f", "v"]);
    pair.here.command(&["ZADD", "zset", "1.5", "m"]);
    pair.here.command(&["SADD", "stays", "m"]);
    // Absent keys are passed over, and one that is named twice moves once.
    pair.migrate(&["", "3", "5000", "KEYS", "list", "absent", "hash", "zset", "hash"], OK);
    pair.assert_both(&["DBSIZE"], ":1", ":1");
    pair.there.command(&["SELECT", "3"]);
    assert_wire(&mut pair.there, &["DBSIZE"], b":3\r\n");
    assert_wire(&mut pair.there, &["LLEN", "list"], b":3000\r\n");
    assert_wire(&mut pair.there, &["LINDEX", "list", "2999"], b"$12\r\nelement 2999\r\n");
    assert_wire(&mut pair.there, &["ZSCORE", "zset", "m"], b"$3\r\n1.5\r\n");
    pair.migrate(&["absent", "0", "5000"], b"+NOKEY\r\n");
    pair.migrate(&["", "0", "5000", "KEYS", "absent", "list"], b"+NOKEY\r\n");
    pair.migrate(&["", "0", "5000", "KEYS"], b"+NOKEY\r\n");
}

#[test]
fn copy_leaves_the_key_and_replace_overwrites_the_targets() {
    let mut pair = Pair::new();
    pair.here.command(&["MSET", "a", "1", "b", "2", "c", "3"]);
    pair.there.command(&["SET", "a", "other"]);
    pair.migrate(&["a", "0", "5000"], BUSY);
    pair.migrate(&["a", "0", "5000", "COPY"], BUSY);
    pair.assert_both(&["GET", "a"], "$1\r\n1", "$5\r\nother");
    pair.migrate(&["a", "0", "5000", "copy", "replace"], OK);
    pair.assert_both(&["GET", "a"], "$1\r\n1", "$1\r\n1");
    // Of several keys only those go that the target has taken.
    pair.migrate(&["", "0", "5000", "KEYS", "b", "a", "c"], BUSY);
    pair.assert_both(&["EXISTS", "a", "b", "c"], ":1", ":3");
    pair.migrate(&["a", "0", "5000", "REPLACE"], OK);
    pair.assert_both(&["EXISTS", "a"], ":0", ":1");
}

#[test]
fn a_key_keeps_the_time_that_it_has_left() {
    let mut pair = Pair::new();
    pair.here.command(&["SET", "k", "v", "PX", "100000"]);
    pair.here.command(&["SET", "ever", "v"]);
    pair.migrate(&["", "0", "5000", "KEYS", "k", "ever"], OK);
    let left_ms = pair.there.ask(&["PTTL", "k"]).integer();
    assert!((50_000..=100_000).contains(&left_ms), "{left_ms}");
    assert_wire(&mut pair.there, &["PTTL", "ever"], b":-1\r\n");
}

#[test]
fn a_password_is_shown_and_without_the_right_one_nothing_is_sent() {
    let mut pair = Pair::with(&["--requirepass", "secret"]);
    pair.there.command(&["AUTH", "secret"]);
    pair.here.command(&["MSET", "a", "1", "b", "2"]);
    let refused = |text: &str| format!("-ERR Target instance replied with error: {text}\r\n");
    let wrong = refused("WRONGPASS invalid username-password pair or user is disabled.");
    pair.migrate(&["a", "0", "5000"], refused("NOAUTH Authentication required."));
    pair.migrate(&["a", "0", "5000", "AUTH", "guess"], &wrong);
    pair.migrate(&["a", "0", "5000", "AUTH2", "nobody", "secret"], &wrong);
    pair.assert_both(&["DBSIZE"], ":2", ":0");
    pair.migrate(&["a", "0", "5000", "AUTH", "secret"], OK);
    pair.migrate(&["", "0", "5000", "AUTH2", "default", "secret", "KEYS", "b"], OK);
    pair.assert_both(&["DBSIZE"], ":0", ":2");
    // A connection that somebody has logged in on is not lent to who does not know the password.
    pair.here.command(&["SET", "c", "3"]);
    pair.migrate(&["c", "0", "5000"], refused("NOAUTH Authentication required."));
    pair.there.command(&["CONFIG", "SET", "requirepass", "another"]);
    pair.migrate(&["c", "0", "5000", "AUTH", "secret"], &wrong);
    pair.there.command(&["CONFIG", "SET", "requirepass", ""]);
    let without = pair.words(&["c", "0", "5000", "AUTH", "guess"]);
    assert!(pair.here.text(&without).starts_with("ERR Target instance replied with error: ERR AUTH <password> called"));
    pair.assert_both(&["EXISTS", "c"], ":1", ":0");
}

#[test]
fn a_refused_database_is_an_error_and_nothing_arrives_in_another() {
    let mut pair = Pair::new();
    pair.here.command(&["SET", "k", "v"]);
    for db in ["16", "-1"] {
        pair.migrate(&["k", db, "5000"], b"-ERR Target instance replied with error: ERR DB index is out of range\r\n");
    }
    pair.assert_both(&["DBSIZE"], ":1", ":0");
}

#[test]
fn options_are_checked_in_redis_order() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["SET", "k", "v"]);
    let mut check = |rest: &[&str], expected: &str| {
        let words: Vec<&str> = ["MIGRATE", "127.0.0.1"].iter().chain(rest).copied().collect();
        assert_wire(&mut client, &words, format!("{expected}\r\n"));
    };
    let not_integer = "-ERR value is not an integer or out of range";
    check(&["1", "k", "0"], "-ERR wrong number of arguments for 'migrate' command");
    for rest in [&["FOO"] as &[&str], &["AUTH"], &["AUTH2", "user"], &["COPY", "x"]] {
        check(&[&["1", "k", "x", "x"], rest].concat(), "-ERR syntax error");
    }
    let keyed = "-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string";
    check(&["1", "k", "x", "x", "KEYS", "a"], keyed);
    check(&["1", "absent", "x", "100"], not_integer);
    check(&["1", "absent", "0", "x"], not_integer);
    check(&["1", "absent", "0", "100"], "+NOKEY");
    let nobody = free_port().to_string();
    for port in [&nobody, "x", "0", "70000"] {
        check(&[port, "k", "0", "-5"], std::str::from_utf8(NOBODY).unwrap_or_default().trim_end());
    }
    let nowhere = ["MIGRATE", "no.such.host.invalid", "1", "k", "0", "100"];
    assert_wire(&mut client, &nowhere, b"-IOERR error or timeout connecting to the client\r\n");
    assert_wire(&mut client, &["EXISTS", "k"], b":1\r\n");
}

#[test]
fn the_server_serves_others_while_a_key_is_under_way() {
    let mut pair = Pair::new();
    pair.here.command(&["SET", "k", "v"]);
    pair.target.signal("STOP");
    let mut mover = pair.begin(&["k", "0", "20000"]);
    assert_wire(&mut pair.here, &["PING"], b"+PONG\r\n");
    assert_wire(&mut pair.here, &["GET", "k"], b"$1\r\nv\r\n");
    // What the client has sent behind it waits.
    mover.send(&["PING"]);
    pair.target.signal("CONT");
    assert_eq!(mover.read(), OK);
    assert_eq!(mover.read(), b"+PONG\r\n");
    pair.assert_both(&["EXISTS", "k"], ":0", ":1");
}

#[test]
fn a_target_that_is_silent_for_too_long_is_given_up_and_the_key_stays() {
    let mut pair = Pair::new();
    pair.here.command(&["SET", "k", "v"]);
    // On a new connection, and on one that was kept.
    for warm in [false, true] {
        if warm {
            pair.here.command(&["SET", "warm", "v"]);
            pair.migrate(&["warm", "1", "5000", "REPLACE"], OK);
        }
        pair.target.signal("STOP");
        pair.migrate(&["k", "1", "50"], SILENT);
        assert_wire(&mut pair.here, &["GET", "k"], b"$1\r\nv\r\n");
        pair.target.signal("CONT");
    }
}

#[test]
fn what_changes_while_it_is_under_way_is_sent_again() {
    let mut pair = Pair::new();
    pair.here.command(&["MSET", "set", "old", "ttl", "v", "same", "v", "deleted", "v", "busy", "old", "renamed", "v"]);
    pair.there.command(&["SET", "busy", "other"]);
    pair.target.signal("STOP");
    let keys = ["KEYS", "set", "ttl", "same", "deleted", "busy", "renamed"];
    let mut mover = pair.begin(&[&["", "0", "20000"] as &[&str], &keys].concat());
    pair.here.command(&["MSET", "set", "new", "busy", "new"]);
    pair.here.command(&["PEXPIRE", "ttl", "100000"]);
    pair.here.command(&["DEL", "deleted"]);
    pair.here.command(&["RENAME", "renamed", "name"]);
    pair.target.signal("CONT");
    assert_eq!(mover.read(), BUSY);
    pair.assert_both(&["EXISTS", "set", "ttl", "same", "deleted", "renamed"], ":0", ":3");
    pair.assert_both(&["GET", "set"], "$-1", "$3\r\nnew");
    pair.assert_both(&["GET", "busy"], "$3\r\nnew", "$5\r\nother");
    pair.assert_both(&["GET", "name"], "$1\r\nv", "$-1");
    assert!(pair.there.ask(&["PTTL", "ttl"]).integer() > 0);
}

#[test]
fn a_key_that_expires_while_it_is_under_way_expires_at_the_target() {
    let mut pair = Pair::new();
    pair.target.signal("STOP");
    pair.here.command(&["SET", "k", "v", "PX", "1000"]);
    let mut mover = pair.begin(&["k", "0", "20000"]);
    wait_until("it has expired", || pair.here.ask(&["EXISTS", "k"]).integer() == 0);
    pair.target.signal("CONT");
    assert_eq!(mover.read(), OK);
    wait_until("it has expired there", || pair.there.ask(&["EXISTS", "k"]).integer() == 0);
}

#[test]
fn a_copy_is_not_compared() {
    let mut pair = Pair::new();
    pair.here.command(&["MSET", "changed", "old", "deleted", "v"]);
    pair.target.signal("STOP");
    let mut mover = pair.begin(&["", "0", "20000", "COPY", "KEYS", "changed", "deleted"]);
    pair.here.command(&["SET", "changed", "new"]);
    pair.here.command(&["DEL", "deleted"]);
    pair.target.signal("CONT");
    assert_eq!(mover.read(), OK);
    pair.assert_both(&["GET", "changed"], "$3\r\nnew", "$3\r\nold");
    pair.assert_both(&["EXISTS", "deleted"], ":0", ":1");
}

#[test]
fn two_that_move_the_same_key_do_not_lose_it() {
    let mut pair = Pair::new();
    pair.here.command(&["SET", "k", "v"]);
    pair.target.signal("STOP");
    let mut movers = [0, 1, 2].map(|_| pair.begin(&["k", "0", "20000", "REPLACE"]));
    pair.target.signal("CONT");
    for mover in &mut movers {
        assert_eq!(mover.read(), OK);
    }
    pair.assert_both(&["GET", "k"], "$-1", "$1\r\nv");
}

/// Every count that a client was told of is in one of the two servers, whenever the key moved.
#[test]
fn no_change_is_lost_while_a_key_moves() {
    let mut pair = Pair::new();
    const COUNTS: i64 = 2000;
    for round in 0..10 {
        let key = format!("k{round}");
        let mut counter = pair.source.connect();
        pair.here.command(&["SET", &key, "0"]);
        let counted = key.clone();
        let thread = std::thread::spawn(move || {
            for _ in 0..COUNTS {
                assert!(counter.ask(&["INCR", &counted]).integer() > 0);
            }
        });
        let words = pair.words(&[&key, "0", "50"]);
        let said = pair.here.text(&words);
        assert!(thread.join().is_ok());
        let count = |client: &mut Client| match client.ask(&["GET", &key]) {
            Reply::Bulk(digits) => String::from_utf8_lossy(&digits).parse().unwrap_or(0),
            _ => 0,
        };
        let (here, there): (i64, i64) = (count(&mut pair.here), count(&mut pair.there));
        match said.as_str() {
            "OK" => assert_eq!(here + there, COUNTS, "{here} here, {there} there"),
            // It has changed too often: it stays, and the target has an older copy.
            _ => assert!(said.starts_with("IOERR ") && here == COUNTS, "{said}: {here} here, {there} there"),
        }
    }
}

#[test]
fn a_client_that_leaves_or_is_let_go_leaves_the_keys_where_they_are() {
    let mut pair = Pair::new();
    pair.here.command(&["MSET", "left", "v", "let-go", "v"]);
    pair.target.signal("STOP");
    let left = pair.begin(&["left", "0", "20000"]);
    let mut let_go = pair.source.connect();
    let id = let_go.ask(&["CLIENT", "ID"]).integer().to_string();
    let_go.send(&pair.words(&["let-go", "0", "20000"]));
    wait_until("both wait", || pair.waiting() == 2);
    drop(left);
    assert_wire(&mut pair.here, &["CLIENT", "UNBLOCK", &id], b":1\r\n");
    assert_eq!(let_go.read(), b"$-1\r\n");
    pair.target.signal("CONT");
    wait_until("the target has both", || pair.there.ask(&["EXISTS", "left", "let-go"]).integer() == 2);
    pair.assert_both(&["EXISTS", "left", "let-go"], ":2", ":2");
}

#[test]
fn the_module_ends_its_threads_when_it_goes() {
    let mut pair = Pair::new();
    pair.here.command(&["SET", "k", "v"]);
    pair.target.signal("STOP");
    let waiting = pair.begin(&["k", "0", "1000000"]);
    let said = pair.here.text(&["MODULE", "UNLOAD", "keys"]);
    assert!(said.contains("a client waits in 'migrate'"), "{said}");
    drop(waiting);
    wait_until("nobody waits", || pair.waiting() == 0);
    assert_wire(&mut pair.here, &["MODULE", "UNLOAD", "keys"], OK);
    assert_wire(&mut pair.here, &["GET", "k"], b"$1\r\nv\r\n");
    assert_eq!(pair.here.info("stats", "migrate_cached_sockets"), None);
}

#[test]
fn in_multi_the_keys_move_at_once() {
    let mut pair = Pair::new();
    let words = pair.words(&["k", "0", "5000"]);
    for (command, expected) in [
        (&["MULTI".to_owned()] as &[String], "+OK\r\n"),
        (&["SET", "k", "v"].map(str::to_owned), "+QUEUED\r\n"),
        (&words, "+QUEUED\r\n"),
        (&["EXISTS", "k"].map(str::to_owned), "+QUEUED\r\n"),
        (&words, "+QUEUED\r\n"),
        (&["EXEC".to_owned()], "*4\r\n+OK\r\n+OK\r\n:0\r\n+NOKEY\r\n"),
    ] {
        assert_wire(&mut pair.here, command, expected);
    }
    assert_wire(&mut pair.there, &["GET", "k"], b"$1\r\nv\r\n");
    // Nobody could answer there if the target were the server itself.
    let port = pair.source.port().to_string();
    pair.here.raw(format!("MULTI\r\nSET k v\r\nMIGRATE 127.0.0.1 {port} k 1 100000\r\nEXEC\r\n"));
    let expected = ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n"].map(str::to_owned);
    for expected in expected.iter().map(String::as_bytes) {
        assert_eq!(pair.here.read(), expected);
    }
    assert_eq!(pair.here.read(), [b"*2\r\n+OK\r\n", SILENT].concat());
}

#[test]
fn a_server_moves_keys_between_its_databases_but_not_onto_themselves() {
    let server = Server::start();
    let mut client = server.connect();
    let port = server.port().to_string();
    client.command(&["SET", "k", "v"]);
    let itself = b"-ERR The target is the database that the keys are in\r\n";
    assert_wire(&mut client, &["MIGRATE", "localhost", &port, "k", "0", "5000", "REPLACE"], itself);
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    assert_wire(&mut client, &["MIGRATE", "127.0.0.1", &port, "k", "1", "5000"], OK);
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
    client.command(&["SELECT", "1"]);
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
}

/// Somebody who passes all that comes on to a port, and back.
fn proxy(to: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
    let port = listener.local_addr().expect("it has an address").port();
    let pass = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    };
    std::thread::spawn(move || {
        for inner in listener.incoming().flatten() {
            let Ok(outer) = TcpStream::connect(("127.0.0.1", to)) else { return };
            let _ = inner.set_nodelay(true).and_then(|()| outer.set_nodelay(true));
            if let (Ok(inner_again), Ok(outer_again)) = (inner.try_clone(), outer.try_clone()) {
                pass(inner, outer);
                pass(outer_again, inner_again);
            }
        }
    });
    port
}

#[test]
fn a_key_that_comes_back_through_a_proxy_is_not_lost() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["MSET", "a", "1", "b", "2"]);
    client.command(&["SET", "ttl", "v", "PX", "1000000"]);
    let port = proxy(server.port()).to_string();
    let said = client.text(&["MIGRATE", "127.0.0.1", &port, "", "0", "400", "REPLACE", "KEYS", "a", "b", "ttl"]);
    assert!(said.starts_with("IOERR error or timeout"), "{said}");
    assert_wire(&mut client, &["MGET", "a", "b", "ttl"], b"*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\nv\r\n");
    // Another database is as good as another server.
    assert_wire(&mut client, &["MIGRATE", "127.0.0.1", &port, "a", "1", "5000"], OK);
    assert_wire(&mut client, &["EXISTS", "a"], b":0\r\n");
}

#[test]
fn a_connection_is_kept_and_replaced_when_the_target_has_closed_it() {
    let mut pair = Pair::new();
    let cached = |pair: &mut Pair| pair.here.info("default", "migrate_cached_sockets");
    let opened = |pair: &mut Pair| pair.there.info("stats", "total_connections_received");
    assert_eq!(cached(&mut pair).as_deref(), Some("0"));
    pair.here.command(&["MSET", "a", "1", "b", "2", "c", "3"]);
    pair.migrate(&["a", "2", "5000"], OK);
    assert_eq!(cached(&mut pair).as_deref(), Some("1"));
    let before = opened(&mut pair);
    pair.migrate(&["b", "0", "5000"], OK);
    assert_eq!((cached(&mut pair).as_deref(), opened(&mut pair)), (Some("1"), before.clone()));
    pair.there.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    pair.migrate(&["c", "2", "5000"], OK);
    assert_ne!(opened(&mut pair), before);
    pair.there.command(&["SELECT", "2"]);
    assert_wire(&mut pair.there, &["EXISTS", "a", "b", "c"], b":2\r\n");
}

/// Somebody who takes connections, reads a little from each, says something, and leaves.
fn listener(says: &'static [u8]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a port");
    let port = listener.local_addr().expect("it has an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut some = [0; 1024];
            let _ = stream.read(&mut some).and_then(|_| stream.write_all(says));
        }
    });
    port
}

#[test]
fn a_target_that_is_no_server_of_this_kind_is_an_error() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["MSET", "a", "1", "b", "2"]);
    let long: &[u8] = vec![b'x'; 200_000].leak();
    for says in [b"" as &[u8], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK", b"\r\n\r\n", long] {
        let port = listener(says).to_string();
        assert_wire(&mut client, &["MIGRATE", "127.0.0.1", &port, "a", "0", "5000"], SILENT);
    }
    assert_wire(&mut client, &["EXISTS", "a", "b"], b":2\r\n");
    // What was said to be done is done, although the connection breaks afterwards.
    let port = listener(b"+OK\r\n").to_string();
    assert_wire(&mut client, &["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS", "a", "b"], SILENT);
    assert_wire(&mut client, &["EXISTS", "a"], b":0\r\n");
    assert_wire(&mut client, &["EXISTS", "b"], b":1\r\n");
}

#[test]
fn clients_find_the_keys_at_both_places() {
    let server = Server::start();
    let mut client = server.connect();
    let mut keys = |rest: &[&str]| {
        let words: Vec<&str> = ["COMMAND", "GETKEYS", "MIGRATE", "h", "1"].iter().chain(rest).copied().collect();
        client.ask(&words)
    };
    assert_eq!(keys(&["k", "0", "1"]).texts(), ["k"]);
    assert_eq!(keys(&["k", "0", "1", "COPY", "AUTH", "KEYS"]).texts(), ["k"]);
    assert_eq!(keys(&["", "0", "1", "REPLACE", "KEYS", "a", "b"]).texts(), ["a", "b"]);
    assert_eq!(keys(&["", "0", "1", "AUTH2", "KEYS", "KEYS", "keys", "a"]).texts(), ["a"]);
    assert_eq!(keys(&["k", "0", "1", "KEYS", "a"]).text(), "ERR Invalid arguments specified for command");
    let flags = ["COMMAND", "GETKEYSANDFLAGS", "MIGRATE", "h", "1", "", "0", "1", "KEYS", "a"];
    assert_wire(&mut client, &flags, b"*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+delete\r\n");
}

/// A Redis from the PATH.
struct Redis {
    child: Child,
    port: u16,
    /// Where it works, until it has ended.
    _folder: TempDir,
}

impl Redis {
    fn start() -> Option<Redis> {
        let (folder, port) = (TempDir::new(), free_port());
        let mut command = Command::new("redis-server");
        command.args(["--save", "", "--port", &port.to_string()]).current_dir(folder.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let redis = Redis { child, port, _folder: folder };
        wait_until("Redis serves", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(redis)
    }

    fn connect(&self) -> Client {
        Client::new(TcpStream::connect(("127.0.0.1", self.port)).expect("Redis serves"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_move_from_a_redis_and_back() {
    let Some(redis) = Redis::start() else {
        eprintln!("skipped: there is no redis-server on the PATH");
        return;
    };
    let server = Server::start();
    let (mut ours, mut theirs) = (server.connect(), redis.connect());
    theirs.command(&["RPUSH", "list", "a", "b"]);
    theirs.command(&["SET", "ttl", "v", "EX", "100"]);
    let port = server.port().to_string();
    let said = theirs.text(&["MIGRATE", "127.0.0.1", &port, "", "2", "5000", "KEYS", "list", "ttl"]);
    assert_eq!(said, "OK");
    ours.command(&["SELECT", "2"]);
    assert_wire(&mut ours, &["LRANGE", "list", "0", "-1"], b"*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    assert!(ours.ask(&["TTL", "ttl"]).integer() > 0);
    let said = ours.text(&["MIGRATE", "127.0.0.1", &redis.port.to_string(), "list", "3", "5000"]);
    assert_eq!(said, "OK");
    theirs.command(&["SELECT", "3"]);
    assert_wire(&mut theirs, &["LRANGE", "list", "0", "-1"], b"*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    assert_wire(&mut ours, &["EXISTS", "list"], b":0\r\n");
}
