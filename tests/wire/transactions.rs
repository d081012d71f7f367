//! MULTI, EXEC, DISCARD, WATCH.

use plinth_testkit::{Server, assert_wire};
use std::time::Duration;

#[test]
fn queued_commands_run_together() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "k", "1"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["INCR", "k"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["GET", "k"], b"+QUEUED\r\n");
    assert_wire(&mut server.connect(), &["GET", "k"], b"$-1\r\n");
    assert_wire(&mut client, &["EXEC"], b"*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n");
    assert_wire(&mut client, &["EXEC"], b"-ERR EXEC without MULTI\r\n");
}

#[test]
fn an_empty_transaction_is_an_empty_array() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["EXEC"], b"*0\r\n");
}

#[test]
fn an_error_while_queueing_discards_all() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "k", "1"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["GET"], b"-ERR wrong number of arguments for 'get' command\r\n");
    assert_wire(&mut client, &["EXEC"], b"-EXECABORT Transaction discarded because of previous errors.\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
}

#[test]
fn an_error_while_running_stops_nothing() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["SET", "k", "text"]);
    client.command(&["MULTI"]);
    client.command(&["INCR", "k"]);
    client.command(&["SET", "l", "2"]);
    assert_wire(&mut client, &["EXEC"], b"*2\r\n-ERR value is not an integer or out of range\r\n+OK\r\n");
    assert_wire(&mut client, &["GET", "l"], b"$1\r\n2\r\n");
}

#[test]
fn transactions_do_not_nest() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["DISCARD"], b"-ERR DISCARD without MULTI\r\n");
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["MULTI"], b"-ERR MULTI calls can not be nested\r\n");
    assert_wire(&mut client, &["WATCH", "k"], b"-ERR WATCH inside MULTI is not allowed\r\n");
    assert_wire(&mut client, &["SET", "k", "1"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["DISCARD"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
}

#[test]
fn a_watched_key_that_changes_discards_the_transaction() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    for change in [&["SET", "k", "2"][..], &["APPEND", "k", "x"], &["DEL", "k"], &["FLUSHALL"]] {
        client.command(&["SET", "k", "1"]);
        assert_wire(&mut client, &["WATCH", "k", "l"], b"+OK\r\n");
        other.command(change);
        client.command(&["MULTI"]);
        client.command(&["SET", "k", "mine"]);
        assert_wire(&mut client, &["EXEC"], b"*-1\r\n");
    }
    // The watch ends with EXEC: the next transaction goes through.
    client.command(&["MULTI"]);
    client.command(&["SET", "k", "mine"]);
    assert_wire(&mut client, &["EXEC"], b"*1\r\n+OK\r\n");
}

#[test]
fn a_watched_key_that_is_only_read_discards_nothing() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    client.command(&["SET", "k", "1"]);
    client.command(&["WATCH", "k"]);
    other.command(&["GET", "k"]);
    other.command(&["SET", "l", "1"]);
    other.command(&["SELECT", "1"]);
    other.command(&["SET", "k", "in another database"]);
    client.command(&["MULTI"]);
    client.command(&["GET", "k"]);
    assert_wire(&mut client, &["EXEC"], b"*1\r\n$1\r\n1\r\n");
}

#[test]
fn unwatch_and_discard_forget_the_keys() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    client.command(&["WATCH", "k"]);
    assert_wire(&mut client, &["UNWATCH"], b"+OK\r\n");
    other.command(&["SET", "k", "1"]);
    client.command(&["MULTI"]);
    assert_wire(&mut client, &["EXEC"], b"*0\r\n");
    client.command(&["WATCH", "k"]);
    client.command(&["MULTI"]);
    client.command(&["DISCARD"]);
    other.command(&["SET", "k", "2"]);
    client.command(&["MULTI"]);
    assert_wire(&mut client, &["EXEC"], b"*0\r\n");
}

#[test]
fn a_watched_key_that_expires_discards_the_transaction() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["SET", "k", "1", "PX", "20"]);
    client.command(&["WATCH", "k"]);
    std::thread::sleep(Duration::from_millis(40));
    client.command(&["MULTI"]);
    client.command(&["PING"]);
    assert_wire(&mut client, &["EXEC"], b"*-1\r\n");
}

/// What is queued has its reply in EXEC's array, which could not count replies that are left out.
#[test]
fn replies_are_not_turned_off_within_a_transaction() {
    let server = Server::start();
    let mut client = server.connect();
    for mode in ["OFF", "SKIP", "ON"] {
        assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
        assert_wire(&mut client, &["SET", "a", "1"], b"+QUEUED\r\n");
        let refused = client.command(&["CLIENT", "REPLY", mode]);
        assert!(refused.starts_with(b"-ERR Command not allowed inside a transaction"), "{mode}");
        assert_wire(&mut client, &["EXEC"], b"-EXECABORT Transaction discarded because of previous errors.\r\n");
        assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    }
}

#[test]
fn an_exec_that_is_refused_ends_the_transaction() {
    let server = Server::with(&["--requirepass", "secret"]);
    let mut client = server.connect();
    let unknown = b"-EXECABORT Transaction discarded because of: NOAUTH Authentication required.\r\n";
    assert_wire(&mut client, &["MULTI"], b"-NOAUTH Authentication required.\r\n");
    assert_wire(&mut client, &["EXEC"], unknown);
    assert_wire(&mut client, &["AUTH", "secret"], b"+OK\r\n");
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    let words = b"-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";
    assert_wire(&mut client, &["EXEC", "now"], words);
    assert_wire(&mut client, &["EXEC"], b"-ERR EXEC without MULTI\r\n");
}
