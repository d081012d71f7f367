//! A Rust module that panics: an error, a log line, a counter, and the server goes on.

use crate::assert_refused;
use plinth_testkit::{Client, Server, assert_wire, build};

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
fn panics_of_a_type_a_timer_and_a_hook_are_counted() {
    let server = server();
    let mut client = server.connect();
    let counted = |client: &mut Client| {
        let line = client.info("modules", "plinth_module_panicking").expect("it is loaded");
        line.split(',').find_map(|field| field.strip_prefix("panics=")).expect("they are counted").to_owned()
    };
    assert_wire(&mut client, &["PANIC.PLACE", "bomb"], b"+OK\r\n");
    assert_eq!(counted(&mut client), "0");
    client.text(&["DUMP", "bomb"]);
    server.wait_for_log("no bomb is saved");
    assert_eq!(counted(&mut client), "1");
    // What cannot be copied is saved and loaded.
    assert!(client.text(&["COPY", "bomb", "other"]).starts_with("ERR "));
    server.wait_for_log("no bomb is copied");
    assert_eq!(counted(&mut client), "3");
    assert_wire(&mut client, &["DEL", "bomb"], b":1\r\n");
    server.wait_for_log("no bomb is dropped");
    assert_eq!(counted(&mut client), "4");
    assert_wire(&mut client, &["PANIC.HOOK"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "timeout", "0"], b"+OK\r\n");
    assert_eq!(counted(&mut client), "5");
    client.text(&["PANIC.NOW"]);
    assert_eq!(counted(&mut client), "6");
    assert_wire(&mut client, &["CONFIG", "RESETSTAT"], b"+OK\r\n");
    assert_eq!(counted(&mut client), "0");
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

#[test]
fn a_panic_while_a_parameter_gets_its_first_value_is_a_failed_load_and_a_line_of_the_log() {
    let server = Server::start();
    let path = build::library("panicking");
    assert_refused(&server, &["MODULE", "LOADEX", &path, "CONFIG", "panicking.level", "13"], "level");
    server.wait_for_log("<panicking> panic at ");
    server.wait_for_log("this level panics on purpose");
}
