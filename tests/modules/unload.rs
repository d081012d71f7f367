//! Unloading: when it is refused, and that nothing is left when it is not.

use crate::registered;
use plinth_testkit::{Server, assert_wire, build, wait_until};

#[test]
fn a_module_that_is_not_loaded_cannot_be_unloaded() {
    let server = Server::start();
    let mut client = server.connect();
    let said = client.text(&["MODULE", "UNLOAD", "absent"]);
    assert!(said.contains("no module named 'absent' is loaded"), "{said}");
}

#[test]
fn load_and_unload_leave_the_server_as_it_was() {
    let server = Server::start();
    let mut client = server.connect();
    let before = registered(&mut client);
    for _ in 0..20 {
        assert_wire(&mut client, &["MODULE", "LOAD", &build::library("gauge")], b"+OK\r\n");
        assert_wire(&mut client, &["GAUGE.PUSH", "k", "1"], b":1\r\n");
        assert_ne!(registered(&mut client), before);
        assert_wire(&mut client, &["DEL", "k"], b":1\r\n");
        assert_wire(&mut client, &["MODULE", "UNLOAD", "gauge"], b"+OK\r\n");
        assert_eq!(registered(&mut client), before);
    }
    let said = client.text(&["GAUGE.PUSH", "k", "1"]);
    assert!(said.starts_with("ERR unknown command 'GAUGE.PUSH'"), "{said}");
}

#[test]
fn a_command_that_waits_in_multi_keeps_its_module() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let (mut one, mut other) = (server.connect(), server.connect());
    assert_wire(&mut one, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut one, &["GAUGE.PUSH", "k", "4"], b"+QUEUED\r\n");
    let said = other.text(&["MODULE", "UNLOAD", "gauge"]);
    assert!(said.contains("a client has queued its command 'gauge.push' in MULTI"), "{said}");
    assert_wire(&mut one, &["EXEC"], b"*1\r\n:4\r\n");
    assert_wire(&mut one, &["DEL", "k"], b":1\r\n");
    assert_wire(&mut other, &["MODULE", "UNLOAD", "gauge"], b"+OK\r\n");
}

#[test]
fn a_transaction_that_is_given_up_lets_its_module_go() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    let mut gone = server.connect();
    gone.command(&["MULTI"]);
    gone.command(&["GAUGE.GET", "k"]);
    drop(gone);
    wait_until("the connection is gone", || client.command(&["MODULE", "UNLOAD", "gauge"]) == b"+OK\r\n");
}

#[test]
fn a_value_of_its_type_keeps_a_module() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SELECT", "3"], b"+OK\r\n");
    assert_wire(&mut client, &["GAUGE.PUSH", "k", "4"], b":4\r\n");
    let said = client.text(&["MODULE", "UNLOAD", "gauge"]);
    assert!(said.contains("1 keys hold values of its type 'com.example.gauge'"), "{said}");
    assert_wire(&mut client, &["GAUGE.GET", "k"], b"*3\r\n:4\r\n:4\r\n:4\r\n");
    assert_wire(&mut client, &["FLUSHALL", "ASYNC"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "gauge"], b"+OK\r\n");
}

#[test]
fn a_value_that_is_overwritten_or_expires_lets_its_module_go() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    client.command(&["GAUGE.PUSH", "k", "4"]);
    client.command(&["GAUGE.PUSH", "l", "4"]);
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["PEXPIRE", "l", "1"], b":1\r\n");
    wait_until("the other has expired", || client.command(&["MODULE", "UNLOAD", "gauge"]) == b"+OK\r\n");
}

#[test]
fn a_module_that_another_uses_stays() {
    let (service, user) = (build::library("counter-service"), build::library("counter-user"));
    let server = Server::with(&["--loadmodule", &service, "--loadmodule", &user]);
    let mut client = server.connect();
    let before = registered(&mut client);
    let said = client.text(&["MODULE", "UNLOAD", "counter"]);
    assert!(said.contains("the module 'ticket' uses its service 'com.example.counter/1'"), "{said}");
    assert_eq!(registered(&mut client), before);
    assert_wire(&mut client, &["TICKET.TAKE", "q"], b"$6\r\nq-0001\r\n");
}
