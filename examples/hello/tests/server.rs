//! The library in the real server.

use plinth_testkit::{Server, assert_wire, build};

#[test]
fn greetings_parameters_and_info_work_in_the_real_server() {
    let server = Server::with(&["--loadmodule", &build::library("hello"), "--hello.greeting", "Good day"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["HELLO.WORLD"], b"$15\r\nGood day, world\r\n");
    assert_wire(&mut client, &["HELLO.TO", "2", "Ada"], b"*2\r\n$13\r\nGood day, Ada\r\n$13\r\nGood day, Ada\r\n");
    assert_wire(&mut client, &["HELLO.TO", "-1", "Ada"], b"-ERR index out of range\r\n");
    assert_wire(
        &mut client,
        &["HELLO.WORLD", "a", "b"],
        b"-ERR wrong number of arguments for 'hello.world' command\r\n",
    );
}

#[test]
fn a_greeting_is_set_and_refused_by_config_set() {
    let server = Server::with(&["--loadmodule", &build::library("hello")]);
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "GET", "hello.*"], b"*2\r\n$14\r\nhello.greeting\r\n$5\r\nHello\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "hello.greeting", "Hi"], b"+OK\r\n");
    assert_wire(&mut client, &["HELLO.WORLD"], b"$9\r\nHi, world\r\n");
    let refused = client.text(&["CONFIG", "SET", "hello.greeting", ""]);
    assert!(refused.contains("a greeting has at least one letter"), "{refused}");
    assert_wire(&mut client, &["HELLO.WORLD"], b"$9\r\nHi, world\r\n");
    assert_eq!(client.info("hello", "hello_greeted").as_deref(), Some("2"));
}
