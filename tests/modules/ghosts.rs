//! Ghosts: values whose module is not there keep their bytes, and come back with it.

use plinth_testkit::{Client, Reply, Server, assert_wire, build, wait_until};

fn bulk(client: &mut Client, args: &[&str]) -> Vec<u8> {
    match client.ask(args) {
        Reply::Bulk(bytes) => bytes,
        other => panic!("{args:?}: {other:?} is no bulk"),
    }
}

fn restore(client: &mut Client, key: &str, ttl: &str, payload: &[u8]) -> String {
    let args: [&[u8]; 4] = [b"RESTORE", key.as_bytes(), ttl.as_bytes(), payload];
    client.send(&args);
    client.reply().text()
}

/// A payload of a gauge that has seen 4 and 7, made by a server that has the module.
fn payload() -> Vec<u8> {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    client.command(&["GAUGE.PUSH", "k", "4"]);
    client.command(&["GAUGE.PUSH", "k", "7"]);
    bulk(&mut client, &["DUMP", "k"])
}

/// The RDB footer for a body: version 11 and CRC-64, taken from what DEBUG lets pass.
fn unchecked(client: &mut Client, body: &[u8]) -> Vec<u8> {
    assert_wire(client, &["DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1"], b"+OK\r\n");
    [body, &[11, 0], &[0; 8]].concat()
}

const GONE: &str = "GHOST the key holds a value of the type 'com.example.gauge', which no loaded module provides";

#[test]
fn a_value_without_a_module_is_kept_moved_copied_and_given_back() {
    let payload = payload();
    let server = Server::with(&["--enable-debug-command", "yes"]);
    let mut client = server.connect();
    assert_eq!(restore(&mut client, "k", "0", &payload), "OK");
    assert_wire(&mut client, &["TYPE", "k"], b"+com.example.gauge\r\n");
    assert_wire(&mut client, &["OBJECT", "ENCODING", "k"], b"$5\r\nghost\r\n");
    assert_eq!(bulk(&mut client, &["DUMP", "k"]), payload);
    assert_wire(&mut client, &["RENAME", "k", "l"], b"+OK\r\n");
    assert_wire(&mut client, &["COPY", "l", "m"], b":1\r\n");
    assert_wire(&mut client, &["MOVE", "m", "3"], b":1\r\n");
    assert_wire(&mut client, &["SELECT", "3"], b"+OK\r\n");
    assert_eq!(bulk(&mut client, &["DUMP", "m"]), payload);
    assert_wire(&mut client, &["SWAPDB", "0", "3"], b"+OK\r\n");
    assert_wire(&mut client, &["EXISTS", "l"], b":1\r\n");
    assert_wire(&mut client, &["SCAN", "0", "TYPE", "com.example.gauge"], b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nl\r\n");
    assert_eq!(client.info("modules", "plinth_ghosts").as_deref(), Some("values=2,types=[com.example.gauge]"));
    assert!(client.text(&["DEBUG", "OBJECT", "l"]).contains("encoding:ghost"));
    assert_wire(&mut client, &["DEL", "l"], b":1\r\n");
    assert_wire(&mut client, &["FLUSHALL", "ASYNC"], b"+OK\r\n");
    wait_until("the ghosts are counted out", || client.info("modules", "plinth_ghosts").is_none());
}

#[test]
fn other_commands_say_which_type_is_missing() {
    let payload = payload();
    let server = Server::start();
    let mut client = server.connect();
    restore(&mut client, "k", "0", &payload);
    for command in [&["GET", "k"][..], &["APPEND", "k", "x"], &["INCR", "k"], &["STRLEN", "k"]] {
        assert_eq!(client.text(command), GONE, "{command:?}");
    }
    assert_eq!(bulk(&mut client, &["DUMP", "k"]), payload);
    assert_wire(&mut client, &["MGET", "k"], b"*1\r\n$-1\r\n");
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
}

#[test]
fn a_ghost_expires_like_any_key() {
    let payload = payload();
    let server = Server::start();
    let mut client = server.connect();
    assert_eq!(restore(&mut client, "k", "40000", &payload), "OK");
    assert!(client.text(&["PTTL", "k"]).parse::<i64>().is_ok_and(|left| left > 30_000));
    assert_wire(&mut client, &["PERSIST", "k"], b":1\r\n");
    assert_wire(&mut client, &["PEXPIRE", "k", "1"], b":1\r\n");
    wait_until("it has expired", || client.command(&["EXISTS", "k"]) == b":0\r\n");
}

#[test]
fn loading_the_module_makes_values_of_them_again() {
    let payload = payload();
    let server = Server::start();
    let mut client = server.connect();
    for at in 0..2000 {
        restore(&mut client, &format!("key:{at}"), "0", &payload);
    }
    restore(&mut client, "dying", "500000", &payload);
    assert_wire(&mut client, &["MODULE", "LOAD", &build::library("gauge")], b"+OK\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "key:7"], b"*3\r\n:7\r\n:4\r\n:7\r\n");
    wait_until("all are revived", || client.info("modules", "plinth_ghosts").is_none());
    assert_wire(&mut client, &["OBJECT", "ENCODING", "key:1999"], b"$3\r\nraw\r\n");
    assert!(client.text(&["PTTL", "dying"]).parse::<i64>().is_ok_and(|left| left > 400_000));
    let line = client.info("modules", "plinth_module_gauge").expect("the module is there");
    assert!(line.contains("values=2001"), "{line}");
}

#[test]
fn a_module_can_be_unloaded_while_its_values_stay_as_ghosts() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    for at in 0..3000 {
        client.command(&["GAUGE.PUSH", &format!("key:{at}"), &at.to_string()]);
    }
    let payload = bulk(&mut client, &["DUMP", "key:5"]);
    let said = client.text(&["MODULE", "UNLOAD", "gauge"]);
    assert!(said.contains("3000 keys hold values of its type 'com.example.gauge'"), "{said}");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "gauge", "SPIRIT"], b"-ERR syntax error\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "gauge", "GHOST"], b"+OK\r\n");
    let said = client.text(&["GAUGE.GET", "key:5"]);
    assert!(said.starts_with("ERR unknown command 'GAUGE.GET'"), "{said}");
    let said = client.text(&["GET", "key:5"]);
    assert!(said.starts_with("GHOST the key holds a value of the type 'com.example.gauge', whose module"), "{said}");
    wait_until("it has left", || !client.text(&["INFO", "modules"]).contains("name=gauge"));
    assert_eq!(client.info("modules", "plinth_ghosts").as_deref(), Some("values=3000,types=[com.example.gauge]"));
    assert_eq!(bulk(&mut client, &["DUMP", "key:5"]), payload);
    let expected = "GHOST the key holds a value of the type 'com.example.gauge', whose module 'gauge' is not loaded";
    assert_eq!(client.text(&["GET", "key:5"]), expected);
    assert_wire(&mut client, &["MODULE", "LOAD", &build::library("gauge")], b"+OK\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "key:2999"], b"*3\r\n:2999\r\n:2999\r\n:2999\r\n");
}

#[test]
fn a_value_that_cannot_be_saved_keeps_its_leaving_module() {
    let server = Server::with(&["--loadmodule", &build::library("panicking")]);
    let mut client = server.connect();
    assert_wire(&mut client, &["PANIC.PLACE", "k"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "panicking", "GHOST"], b"+OK\r\n");
    let said = client.text(&["MODULE", "UNLOAD", "panicking"]);
    assert!(said.contains("'panicking' is leaving already"), "{said}");
    let line = client.info("modules", "plinth_module_panicking").expect("it is still there");
    assert!(line.contains("state=leaving") && line.contains("values=1"), "{line}");
    assert_wire(&mut client, &["DEL", "k"], b":1\r\n");
    wait_until("it has left", || !client.text(&["INFO", "modules"]).contains("name=panicking"));
}

#[test]
fn a_standard_value_type_that_nobody_reads_is_a_ghost_and_rubbish_is_not() {
    let server = Server::with(&["--enable-debug-command", "yes", "--module-exclude", "stream"]);
    let mut client = server.connect();
    let stream = unchecked(&mut client, &[19, 1, 2, 3]);
    assert_eq!(restore(&mut client, "s", "0", &stream), "OK");
    assert_wire(&mut client, &["TYPE", "s"], b"+rdb-type-19\r\n");
    let said = client.text(&["GET", "s"]);
    assert_eq!(said, "GHOST the key holds a value of the type 'rdb-type-19', which no loaded module provides");
    for body in [&[6u8, 1][..], &[8, 1], &[200, 1], &[255, 1], &[7], &[7, 1, 5, 2, b'a', b'b'], &[19]] {
        let bytes = unchecked(&mut client, body);
        assert_eq!(restore(&mut client, "x", "0", &bytes), "ERR Bad data format", "{body:?}");
    }
    assert_wire(&mut client, &["EXISTS", "x"], b":0\r\n");
}

#[test]
fn a_ghost_that_its_type_cannot_read_stays_one() {
    let server = Server::with(&["--enable-debug-command", "yes"]);
    let mut client = server.connect();
    let name = b"com.example.gauge";
    let mut body = payload();
    body.truncate(body.iter().position(|byte| *byte == name[0]).expect("the name") + name.len());
    body.extend([2, 1, 0]);
    let short = unchecked(&mut client, &body);
    assert_eq!(restore(&mut client, "k", "0", &short), "OK");
    assert_wire(&mut client, &["MODULE", "LOAD", &build::library("gauge")], b"+OK\r\n");
    let expected = "GHOST the module that provides the type 'com.example.gauge' cannot read this key's value";
    assert_eq!(client.text(&["GAUGE.GET", "k"]), expected);
    assert_eq!(client.text(&["GAUGE.PUSH", "k", "1"]), expected);
    assert_wire(&mut client, &["TYPE", "k"], b"+com.example.gauge\r\n");
    assert_wire(&mut client, &["DEL", "k"], b":1\r\n");
}
