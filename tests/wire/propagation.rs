//! What replicas and the append-only file would be told, unit by unit.
//!
//! What is expected is what Redis 7.0 and 8.2 send to a replica for the same commands.

use plinth_testkit::client::Client;
use plinth_testkit::reply::parse;
use plinth_testkit::{Server, assert_wire, wait_until};

fn scene() -> (Server, Client) {
    let server = Server::with(&["--enable-debug-command", "yes", "--lazyfree-lazy-expire", "no"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "SET-ACTIVE-EXPIRE", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "ON"], b"+OK\r\n");
    (server, client)
}

/// The units, each command as its database and its words.
fn units(client: &mut Client) -> Vec<Vec<String>> {
    let said = client.ask(&["DEBUG", "PROPAGATION"]);
    let [units, commands, _, last] = said.items() else { panic!("{said:?}") };
    let command = |pair: &[plinth_testkit::reply::Reply]| {
        let (text, db) = (pair[1].text(), pair[0].integer());
        let (words, length) = parse(text.as_bytes()).expect("a whole command");
        assert_eq!(length, text.len());
        format!("{db}: {}", words.texts().join(" "))
    };
    let shown: Vec<Vec<String>> =
        last.items().iter().map(|unit| unit.items().chunks(2).map(command).collect()).collect();
    assert_eq!(units.integer() as usize, shown.len());
    assert_eq!(commands.integer() as usize, shown.concat().len());
    shown
}

#[track_caller]
fn assert_units(client: &mut Client, expected: &[&[&str]]) {
    assert_eq!(units(client), expected);
}

#[test]
fn plinth_propagates_what_has_changed_something_as_it_was_sent() {
    let (_server, mut client) = scene();
    let commands: &[&[&str]] =
        &[&["set", "k", "1"], &["get", "k"], &["del", "none"], &["LPUSH", "k", "x"], &["INCR", "k"]];
    for command in commands {
        client.ask(command);
    }
    assert_wire(&mut client, &["SELECT", "2"], b"+OK\r\n");
    assert_wire(&mut client, &["HSET", "h", "f", ""], b":1\r\n");
    assert_units(&mut client, &[&["0: set k 1"], &["0: INCR k"], &["2: HSET h f "]]);
}

#[test]
fn plinth_propagates_what_a_handler_says_instead() {
    let (_server, mut client) = scene();
    client.ask(&["SET", "k", "1"]);
    assert_wire(&mut client, &["EXPIRE", "k", "100"], b":1\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "-1"], b":1\r\n");
    let shown = units(&mut client);
    assert_eq!(shown.len(), 3);
    assert!(shown[1][0].starts_with("0: PEXPIREAT k "), "{shown:?}");
    assert_eq!(shown[2], ["0: DEL k"]);
}

#[test]
fn plinth_propagates_a_transaction_as_one_unit_of_what_changed_something() {
    let (_server, mut client) = scene();
    for command in [&["MULTI"][..], &["SET", "a", "1"], &["GET", "a"], &["SELECT", "1"], &["INCR", "a"], &["EXEC"]] {
        client.ask(command);
    }
    for command in [&["MULTI"][..], &["GET", "a"], &["EXEC"]] {
        client.ask(command);
    }
    assert_units(&mut client, &[&["0: SET a 1", "1: INCR a"]]);
}

#[test]
fn plinth_propagates_the_removal_of_a_key_that_has_expired_once() {
    let (_server, mut client) = scene();
    client.ask(&["SET", "k", "1", "PX", "1"]);
    wait_until("the key has expired", || client.command(&["GET", "k"]) == b"$-1\r\n");
    client.ask(&["GET", "k"]);
    client.ask(&["SET", "j", "1", "PX", "1"]);
    wait_until("the other key has expired", || client.command(&["EXISTS", "j"]) == b":0\r\n");
    client.ask(&["SADD", "j", "x"]);
    let shown = units(&mut client);
    assert_eq!(shown.len(), 5, "{shown:?}");
    assert_eq!(
        (&shown[1][..], &shown[3][..], &shown[4][..]),
        (&["0: DEL k".to_owned()][..], &["0: DEL j".to_owned()][..], &["0: SADD j x".to_owned()][..])
    );
}

#[test]
fn plinth_propagates_what_a_client_that_waited_has_done_as_a_unit_of_its_own() {
    let (server, mut client) = scene();
    let mut waiting = server.connect();
    waiting.send(&["BLPOP", "l", "0"]);
    wait_until("a client waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
    assert_wire(&mut client, &["RPUSH", "l", "a", "b"], b":2\r\n");
    assert_eq!(waiting.reply().texts(), ["l", "a"]);
    assert_units(&mut client, &[&["0: RPUSH l a b"], &["0: LPOP l"]]);
}

#[test]
fn plinth_keeps_nothing_of_what_nobody_asks_for() {
    let (_server, mut client) = scene();
    client.ask(&["SET", "k", &"x".repeat(100_000)]);
    assert_eq!(units(&mut client)[0][0].len(), "0: SET k ".len() + 100_000);
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "OFF"], b"+OK\r\n");
    client.ask(&["SET", "k", "1"]);
    assert!(client.text(&["DEBUG", "PROPAGATION"]).starts_with("ERR nothing is recorded"));
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "ON"], b"+OK\r\n");
    assert_units(&mut client, &[]);
}
