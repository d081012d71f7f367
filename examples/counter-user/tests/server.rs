//! Both libraries in the real server.

use plinth_testkit::{Server, assert_wire, build};

#[test]
fn tickets_are_counted_by_the_other_module() {
    let (service, user) = (build::library("counter-service"), build::library("counter-user"));
    let server = Server::with(&["--loadmodule", &service, "--loadmodule", &user]);
    let mut client = server.connect();
    assert_wire(&mut client, &["TICKET.LAST", "bakery"], b"$-1\r\n");
    assert_wire(&mut client, &["TICKET.TAKE", "bakery"], b"$11\r\nbakery-0001\r\n");
    assert_wire(&mut client, &["TICKET.TAKE", "bakery"], b"$11\r\nbakery-0002\r\n");
    assert_wire(&mut client, &["COUNTER.READ", "bakery"], b":2\r\n");
    assert_wire(&mut client, &["TICKET.LAST", "bakery"], b"$11\r\nbakery-0002\r\n");
}

#[test]
fn the_provider_stays_while_it_is_used() {
    let (service, user) = (build::library("counter-service"), build::library("counter-user"));
    let server = Server::start();
    let mut client = server.connect();
    let refused = client.text(&["MODULE", "LOAD", &user]);
    assert!(refused.contains("it requires the service 'com.example.counter/1', which is not there"), "{refused}");
    assert_wire(&mut client, &["MODULE", "LOAD", &service], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "LOAD", &user], b"+OK\r\n");
    let refused = client.text(&["MODULE", "UNLOAD", "counter"]);
    assert!(refused.contains("the module 'ticket' uses its service 'com.example.counter/1'"), "{refused}");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "ticket"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "counter"], b"+OK\r\n");
}
