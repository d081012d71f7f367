//! A Rust module that panics: an error, a log line, a counter, and the server goes on.

use crate::assert_refused;
use plinth_testkit::{Server, assert_wire, build};

fn server() -> Server {
    Server::with(&["--loadmodule", &build::library("panicking")])
}

#[test]
fn a_panicking_command_is_an_error_reply_a_log_line_and_a_count() {
    let server = server();
    let mut client = server.connect();
    let said = client.text(&["PANIC.NOW"]);
    assert!(said.starts_with("ERR ") && !said.contains("half a reply"), "{said}");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    server.wait_for_log("this command panics on purpose");
    let info = client.text(&["INFO", "modules"]);
    let counted = info.lines().find(|line| line.contains("panicking") && line.contains("panics=1"));
    assert!(counted.is_some(), "no count of panics in:\n{info}");
}

#[test]
fn a_panic_inside_a_transaction_spoils_only_its_own_reply() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["PING"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["PANIC.NOW"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["PING"], b"+QUEUED\r\n");
    let replies = client.ask(&["EXEC"]);
    let texts = replies.texts();
    assert_eq!((texts[0].as_str(), texts[2].as_str()), ("PONG", "PONG"));
    assert!(texts[1].starts_with("ERR "), "{texts:?}");
}

#[test]
fn panics_in_timers_and_hooks_are_logged() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PANIC.LATER"], b"+OK\r\n");
    server.wait_for_log("this timer panics on purpose");
    assert_wire(&mut client, &["PANIC.HOOK"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "timeout", "0"], b"+OK\r\n");
    server.wait_for_log("this hook panics on purpose");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn a_value_that_cannot_be_saved_is_an_error_of_dump() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PANIC.PLACE", "bomb"], b"+OK\r\n");
    let said = client.text(&["DUMP", "bomb"]);
    assert!(said.starts_with("ERR "), "{said}");
    assert_wire(&mut client, &["DEL", "bomb"], b":1\r\n");
}

#[test]
fn a_panicking_start_is_a_failed_load() {
    let server = Server::start();
    let path = build::library("panicking");
    assert_refused(&server, &["MODULE", "LOAD", &path, "now"], "its start failed");
    let mut client = server.connect();
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "panicking"], b"+OK\r\n");
}
