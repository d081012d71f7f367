//! Replication as a module sees and changes it, and what it has told to some: `roles.c`.

use plinth_testkit::{Client, Server, TempDir, append, assert_wire, cc, wait_until};

/// Statuses of the ABI.
const NONE: &str = "2";
const OUT_OF_RANGE: &str = "8";
const BAD_DATA: &str = "12";
const UNSUPPORTED: &str = "13";
const DB_RANGE: &str = "19";

fn server(args: &[&str]) -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/roles.c", &[]);
    let common = ["--loadmodule", &path, "--save", "", "--repl-diskless-sync-delay", "0"];
    Server::within(folder, &[&common[..], args].concat())
}

fn state(client: &mut Client) -> Vec<String> {
    client.ask(&["ROLES.STATE"]).texts()
}

#[test]
fn a_module_sees_the_role_and_changes_it() {
    let (primary, replica) = (server(&[]), server(&[]));
    let (mut first, mut second) = (primary.connect(), replica.connect());
    assert_eq!(state(&mut first), ["0", "0", "", "0", "0"]);
    assert_wire(&mut first, &["ROLES.REPLICAS"], b"*0\r\n");
    let port = primary.port().to_string();
    for (host, port, status) in [
        ("127.0.0.1", "0", OUT_OF_RANGE),
        ("127.0.0.1", "65536", OUT_OF_RANGE),
        ("", "1", BAD_DATA),
        ("a b", "1", BAD_DATA),
    ] {
        assert_eq!(second.text(&["ROLES.FOLLOW", host, port]), status, "{host}:{port}");
    }
    assert_eq!(second.text(&["ROLES.PROMOTE"]), NONE);
    assert_eq!(second.text(&["ROLES.FOLLOW", "127.0.0.1", &port]), "0");
    wait_until("the link is up", || state(&mut second)[1] == "5");
    assert_eq!(state(&mut second)[..4], ["1", "5", "127.0.0.1", &port]);
    assert_wire(&mut first, &["INCR", "n"], b":1\r\n");
    wait_until("it has all", || first.ask(&["WAIT", "1", "100"]).integer() == 1);
    let seen = first.ask(&["ROLES.REPLICAS"]).texts();
    assert_eq!(seen[..2], ["1", &replica.port().to_string()]);
    // GETACK follows what was acknowledged.
    assert!(seen[2].parse::<u64>().is_ok_and(|acknowledged| acknowledged > 0), "{seen:?}");
    let offset = |client: &mut Client| state(client)[4].clone();
    wait_until("both stand at one offset", || offset(&mut first) == offset(&mut second));
    assert_eq!(first.text(&["ROLES.TOLD"]), "c");
    let told = second.text(&["ROLES.TOLD"]);
    assert!(told.starts_with("rl") && told.ends_with('l') && !told.contains(['c', 'g', '?']), "{told}");
    assert_eq!(second.text(&["ROLES.PROMOTE"]), "0");
    assert_eq!(state(&mut second)[..4], ["0", "0", "", "0"]);
    assert_eq!(second.text(&["ROLES.TOLD"]), "rl");
    wait_until("the replica is gone", || first.text(&["ROLES.TOLD"]) == "g");
}

#[test]
fn a_host_that_is_lent_by_what_follows_it_may_be_followed() {
    let server = server(&[]);
    let mut client = server.connect();
    let host = "a-host-of-a-name-that-is-not-there.invalid";
    assert_eq!(client.text(&["ROLES.FOLLOW", host, "1"]), "0");
    assert_eq!(client.text(&["ROLES.BESIDE", "2"]), "0");
    let state = state(&mut client);
    assert_eq!([&state[0], &state[2], &state[3]], ["1", host, "2"]);
    assert_eq!(client.ask(&["CONFIG", "GET", "replicaof"]).texts()[1], format!("{host} 2"));
}

#[test]
fn a_module_has_commands_told_to_the_file_or_to_replicas() {
    let primary = server(&["--appendonly", "yes"]);
    let replica = Server::with(&["--save", ""]);
    let (mut first, mut second) = (primary.connect(), replica.connect());
    assert_wire(&mut second, &["REPLICAOF", "127.0.0.1", &primary.port().to_string()], b"+OK\r\n");
    wait_until("it follows", || first.text(&["INFO", "replication"]).contains("state=online"));
    for (targets, key) in [("1", "file"), ("2", "replicas"), ("3", "both")] {
        assert_eq!(first.text(&["ROLES.ALSO", "2", targets, "SET", key, "1"]), "0");
    }
    for (db, targets, status) in [("2", "0", UNSUPPORTED), ("2", "4", UNSUPPORTED), ("99", "1", DB_RANGE)] {
        assert_eq!(first.text(&["ROLES.ALSO", db, targets, "SET", "a", "1"]), status);
    }
    // Behind what the command itself is told as, in one unit with it.
    for line in ["MULTI", "SET own 1", "ROLES.ALSO 0 3 SET own 2", "EXEC"] {
        first.command(&line.split(' ').collect::<Vec<_>>());
    }
    wait_until("the replica has all", || second.command(&["GET", "own"]) == b"$1\r\n2\r\n");
    assert_wire(&mut second, &["SELECT", "2"], b"+OK\r\n");
    assert_wire(&mut second, &["MGET", "file", "replicas", "both"], b"*3\r\n$-1\r\n$1\r\n1\r\n$1\r\n1\r\n");
    // A write may wait for a sync that goes on.
    wait_until("all is written", || first.info("persistence", "aof_buffer_length").as_deref() == Some("0"));
    let commands = append::commands(&append::last_increment(&primary.folder().path().join("appendonlydir")));
    let shown: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
    let expected = ["SELECT 2", "SET file 1", "SET both 1", "MULTI", "SELECT 0", "SET own 1", "SET own 2", "EXEC"];
    assert_eq!(shown, expected);
    let bytes: usize = commands
        .iter()
        .filter(|words| words[0] == "SET")
        .map(|words| plinth_testkit::reply::request(words).len())
        .sum();
    // What only replicas are told is no unit of the file's.
    assert_eq!(first.ask(&["ROLES.UNITS"]).texts(), ["3", &bytes.to_string()]);
    // After a start all are told once more, with their numbers.
    let path = primary.folder().file("roles0.so");
    let args = ["--loadmodule", &path, "--save", "", "--appendonly", "yes"];
    let again = primary.again("KILL", &args);
    let mut client = again.connect();
    assert_eq!(client.ask(&["ROLES.UNITS"]).texts(), ["3", &bytes.to_string()]);
    assert_wire(&mut client, &["SET", "own", "3"], b"+OK\r\n");
    let bytes = bytes + plinth_testkit::reply::request(&["SET", "own", "3"]).len();
    assert_eq!(client.ask(&["ROLES.UNITS"]).texts(), ["4", &bytes.to_string()]);
}
