//! The keyspace: expiry, databases, flushing.

use plinth_testkit::{Server, assert_wire, wait_until};
use std::time::Duration;

#[test]
fn an_expired_key_is_gone_when_it_is_looked_at() {
    let server = Server::start();
    let mut client = server.connect();
    // Without the background's help, so that it is the access that notices.
    client.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    assert_wire(&mut client, &["SET", "k", "v", "PX", "30"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    std::thread::sleep(Duration::from_millis(40));
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    assert_wire(&mut client, &["TTL", "k"], b":-2\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    assert_eq!(client.info("stats", "expired_keys").as_deref(), Some("1"));
}

#[test]
fn expired_keys_go_without_being_looked_at() {
    let server = Server::start();
    let mut client = server.connect();
    for at in 0..2000 {
        client.send(&["SET", &format!("k:{at}"), "v", "PX", "50"]);
    }
    for _ in 0..2000 {
        assert_eq!(client.read(), b"+OK\r\n");
    }
    client.command(&["SET", "stays", "v"]);
    wait_until("the background has removed them", || client.ask(&["DBSIZE"]).integer() == 1);
    assert_eq!(client.info("stats", "expired_keys").as_deref(), Some("2000"));
    assert_eq!(client.info("keyspace", "db0").map(|line| line.starts_with("keys=1,expires=0")), Some(true));
}

#[test]
fn a_key_expires_while_the_keyspace_is_being_scanned() {
    let server = Server::start();
    let mut client = server.connect();
    for at in 0..100 {
        client.command(&["SET", &format!("k:{at}"), "v", "PX", "25"]);
        client.command(&["SET", &format!("stays:{at}"), "v"]);
    }
    let mut found = std::collections::HashSet::new();
    let mut cursor = "0".to_owned();
    loop {
        let reply = client.ask(&["SCAN", &cursor, "COUNT", "5"]);
        found.extend(reply.items()[1].texts());
        cursor = reply.items()[0].text();
        std::thread::sleep(Duration::from_millis(1));
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found.iter().filter(|key| key.starts_with("stays:")).count(), 100);
}

#[test]
fn databases_are_apart() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", "zero"], b"+OK\r\n");
    assert_wire(&mut client, &["SELECT", "15"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    assert_wire(&mut client, &["SET", "k", "fifteen"], b"+OK\r\n");
    assert_wire(&mut client, &["SELECT", "16"], b"-ERR DB index is out of range\r\n");
    assert_wire(&mut client, &["SELECT", "x"], b"-ERR value is not an integer or out of range\r\n");
    assert_wire(&mut client, &["SWAPDB", "0", "15"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$4\r\nzero\r\n");
    assert_wire(&mut client, &["FLUSHDB"], b"+OK\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    assert_wire(&mut client, &["SELECT", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$7\r\nfifteen\r\n");
    assert_wire(&mut client, &["FLUSHALL"], b"+OK\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
}

#[test]
fn the_number_of_databases_is_a_parameter() {
    let server = Server::with(&["--databases", "2"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SELECT", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["SELECT", "2"], b"-ERR DB index is out of range\r\n");
}

#[test]
fn a_large_keyspace_grows_and_is_emptied() {
    const COUNT: usize = 50_000;
    let server = Server::start();
    let mut client = server.connect();
    for part in 0..COUNT / 1000 {
        let mut args = vec!["MSET".to_owned()];
        args.extend((0..1000).flat_map(|at| [format!("k:{part}:{at}"), at.to_string()]));
        assert_wire(&mut client, &args, b"+OK\r\n");
    }
    assert_wire(&mut client, &["DBSIZE"], format!(":{COUNT}\r\n"));
    assert_wire(&mut client, &["GET", "k:17:999"], b"$3\r\n999\r\n");
    assert_wire(&mut client, &["FLUSHALL", "ASYNC"], b"+OK\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    assert_wire(&mut client, &["RANDOMKEY"], b"$-1\r\n");
}

#[test]
fn values_survive_being_saved_and_read_back() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "number", "12345"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "text", "hello", "PX", "100000"], b"+OK\r\n");
    assert_wire(&mut client, &["APPEND", "raw", "sho"], b":3\r\n");
    assert_wire(&mut client, &["APPEND", "raw", "rt"], b":5\r\n");
    assert_wire(&mut client, &["OBJECT", "ENCODING", "raw"], b"$3\r\nraw\r\n");
    assert_wire(&mut client, &["SELECT", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "other", "x"], b"+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "RELOAD"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "other"], b"$1\r\nx\r\n");
    assert_wire(&mut client, &["SELECT", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "number"], b"$5\r\n12345\r\n");
    assert_wire(&mut client, &["OBJECT", "ENCODING", "number"], b"$3\r\nint\r\n");
    // Encoded anew, as a snapshot's reader would.
    assert_wire(&mut client, &["OBJECT", "ENCODING", "raw"], b"$6\r\nembstr\r\n");
    assert_wire(&mut client, &["GET", "raw"], b"$5\r\nshort\r\n");
    let left = String::from_utf8_lossy(&client.command(&["PTTL", "text"])).into_owned();
    let left_ms: i64 = left.trim_start_matches(':').trim().parse().unwrap_or(-1);
    assert!((90_000..=100_000).contains(&left_ms), "{left_ms} ms are left");
    assert_wire(&mut client, &["DBSIZE"], b":3\r\n");
}
