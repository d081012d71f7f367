//! A module that does what it may not: the server refuses, names it, and goes on.

use plinth_testkit::{Client, Server, TempDir, assert_wire, build, cc, wait_until};

fn server(args: &[&str]) -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/modules/hostile.c", &[]);
    let mut all = vec!["--loadmodule", &path, "--enable-debug-command", "yes"];
    all.extend(args);
    Server::within(folder, &all)
}

/// Keys that have expired and are still there, with these names.
fn make_expired(client: &mut Client, prefix: &str, count: usize) {
    assert_wire(client, &["DEBUG", "SET-ACTIVE-EXPIRE", "0"], b"+OK\r\n");
    for number in 0..count {
        client.command(&["SET", &format!("{prefix}:{number}"), "v", "PX", "1"]);
    }
    assert_wire(client, &["BLPOP", "absent", "0.02"], b"*-1\r\n");
    assert_eq!(client.ask(&["DBSIZE"]).integer(), count as i64);
}

#[test]
fn values_of_the_wrong_form_or_type_and_keys_that_are_there_are_refused() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["HOSTILE.FORMS", "k"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    let mut keys = client.ask(&["KEYS", "*"]).texts();
    keys.sort();
    assert_eq!(keys, ["h:own", "k"]);
    assert_wire(&mut client, &["DEL", "h:own"], b":1\r\n");
}

#[test]
fn what_a_scan_visits_stays_though_its_visitor_looks_up_what_has_expired() {
    let server = server(&[]);
    let mut client = server.connect();
    make_expired(&mut client, "k", 500);
    assert_wire(&mut client, &["HOSTILE.SCAN"], b":500\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":500\r\n");
    assert_wire(&mut client, &["GET", "k:7"], b"$-1\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":499\r\n");
}

#[test]
fn the_id_of_a_type_that_left_is_given_to_its_name_only() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/modules/hostile.c", &[]);
    let server = Server::within(folder, &["--enable-module-command", "yes"]);
    let mut client = server.connect();
    let id = |client: &mut Client, name: &str| client.ask(&["HOSTILE.TYPE", name]).integer();
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    let before = id(&mut client, "com.example.hostile");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "hostile"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "LOAD", &build::library("gauge")], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    assert_eq!(id(&mut client, "com.example.hostile"), before);
    assert_eq!(id(&mut client, "com.example.gauge"), before + 1);
}

#[test]
fn a_call_is_not_believed_what_a_module_writes_into_it() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["HOSTILE.DB"], b"+OK\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
}

#[test]
fn a_hook_that_gets_other_expired_keys_for_writing_removes_none() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["HOSTILE.CHAIN"], b"+OK\r\n");
    make_expired(&mut client, "chain", 100);
    assert_wire(&mut client, &["HOSTILE.RUNS"], b":0\r\n");
    assert_wire(&mut client, &["GET", "chain:0"], b"$-1\r\n");
    assert_wire(&mut client, &["HOSTILE.RUNS"], b":1\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":99\r\n");
    // The cycle removes all of them, each once.
    assert_wire(&mut client, &["DEBUG", "SET-ACTIVE-EXPIRE", "1"], b"+OK\r\n");
    wait_until("all have expired", || client.ask(&["DBSIZE"]).integer() == 0);
    assert_wire(&mut client, &["HOSTILE.RUNS"], b":99\r\n");
    assert_eq!(client.info("stats", "expired_keys").as_deref(), Some("100"));
}

#[test]
fn a_hook_is_not_told_of_what_it_brings_about() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["HOSTILE.ECHO"], b"+OK\r\n");
    assert_wire(&mut client, &["DEL", "none"], b":0\r\n");
    assert_wire(&mut client, &["HOSTILE.RUNS"], b":0\r\n");
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    // Two events (new, set), two hooks told of each, and each of the two events of one by the other.
    let runs = client.ask(&["HOSTILE.RUNS"]).integer();
    assert_eq!(runs, 2 * 2 * (1 + 2));
}

#[test]
fn parameters_set_within_one_another_end() {
    let server = server(&[]);
    let mut client = server.connect();
    // One level for the command, and as many within as there may be.
    assert_wire(&mut client, &["HOSTILE.RUNS"], b":0\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "hostile.level", "10"], b"+OK\r\n");
    assert_wire(&mut client, &["HOSTILE.RUNS"], b":4\r\n");
    let not_allowed = client.ask(&["HOSTILE.REFUSED"]).integer();
    assert!(not_allowed != 0);
    assert_wire(&mut client, &["HOSTILE.CONFIG"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "timeout", "0"], b"+OK\r\n");
    let runs = client.ask(&["HOSTILE.RUNS"]).integer();
    assert!((1..100).contains(&runs), "{runs}");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn what_is_pushed_to_the_client_whose_command_runs_comes_behind_its_reply() {
    let server = server(&[]);
    let mut client = server.connect();
    for (how, reply) in [("amid", "*2\r\n:1\r\n:2\r\n"), ("open", "*1\r\n:1\r\n"), ("fail", "-ERR syntax error\r\n")] {
        // What was sent behind it is answered behind the push.
        client.raw(format!("HOSTILE.PUSH {how}\r\nPING\r\n"));
        for expected in [reply, "+pushed\r\n", "+PONG\r\n"] {
            assert_eq!(client.read(), expected.as_bytes(), "{how}");
        }
    }
    // Its reply is the null of its end.
    client.raw("HOSTILE.PUSH wait\r\nPING\r\n");
    for expected in ["+pushed\r\n", "$-1\r\n", "+PONG\r\n"] {
        assert_eq!(client.read(), expected.as_bytes());
    }
    client.raw("MULTI\r\nHOSTILE.PUSH amid\r\nPING\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n*2\r\n:1\r\n:2\r\n+PONG\r\n", "+pushed\r\n"] {
        assert_eq!(client.read(), expected.as_bytes());
    }
}

#[test]
fn a_handler_that_does_not_write_one_reply_is_named_and_its_client_kept_in_step() {
    let server = server(&[]);
    let mut client = server.connect();
    let said = |what: &str| format!("-ERR the module 'hostile' has answered 'hostile.reply' with {what}\r\n");
    for (what, expected) in [
        ("none", said("no reply")),
        ("no-error", said("no reply")),
        ("two", said("more than one reply")),
        ("two-texts", said("more than one reply")),
        ("two-lists", said("more than one reply")),
        ("error-and-more", said("more than one reply")),
        ("short", said("a reply that is not whole")),
    ] {
        client.raw(format!("HOSTILE.REPLY {what}\r\nPING\r\n"));
        assert_eq!(client.read(), expected.as_bytes(), "{what}");
        assert_eq!(client.read(), b"+PONG\r\n", "{what}");
    }
    let stats = client.info("commandstats", "cmdstat_hostile.reply").expect("it was run");
    assert!(stats.ends_with("failed_calls=7"), "{stats}");
    server.wait_for_log("the module 'hostile' has answered 'hostile.reply' with no reply");
    // In a transaction, the others are kept in step too.
    client.raw("MULTI\r\nHOSTILE.REPLY two\r\nPING\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n"] {
        assert_eq!(client.read(), expected.as_bytes());
    }
    assert_eq!(client.read(), format!("*2\r\n{}+PONG\r\n", said("more than one reply")).as_bytes());
    // One that says so may.
    client.raw("HOSTILE.MANY two\r\nHOSTILE.MANY none\r\nPING\r\n");
    for expected in ["+one\r\n", "+two\r\n", "+PONG\r\n"] {
        assert_eq!(client.read(), expected.as_bytes());
    }
}

#[test]
fn long_replies_are_counted_when_the_operator_asks_for_it() {
    let server = server(&["--check-module-replies", "yes"]);
    let mut client = server.connect();
    let broken = b"-ERR the module 'hostile' has answered 'hostile.reply' with a reply that is not whole\r\n";
    assert_wire(&mut client, &["HOSTILE.REPLY", "long"], broken);
    assert_eq!(client.ask(&["HOSTILE.REPLY", "long", "whole"]).items().len(), 100);
    assert_wire(&mut client, &["CONFIG", "SET", "check-module-replies", "no"], b"+OK\r\n");
    // It is believed: the next reply is its last element.
    client.raw("HOSTILE.REPLY long\r\nPING\r\n");
    let reply = client.read();
    assert!(reply.starts_with(b"*100\r\n:0\r\n") && reply.ends_with(b"+PONG\r\n"));
}
