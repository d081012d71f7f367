//! The library in the real server.

use plinth_testkit::{Server, assert_wire, build};

#[test]
fn a_gauge_works_in_the_real_server() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    assert_wire(&mut client, &["GAUGE.PUSH", "room", "21"], b":21\r\n");
    assert_wire(&mut client, &["gauge.push", "room", "17"], b":21\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "room"], b"*3\r\n:17\r\n:17\r\n:21\r\n");
    assert_wire(&mut client, &["GAUGE.GET", "attic"], b"$-1\r\n");
    assert_wire(&mut client, &["GAUGE.PUSH", "room", "warm"], b"-ERR value is not an integer or out of range\r\n");
    assert_wire(&mut client, &["GAUGE.PUSH", "room"], b"-ERR wrong number of arguments for 'gauge.push' command\r\n");
}

#[test]
fn a_gauge_is_made_anew_by_what_is_pushed() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    for value in ["4", "-7", "21", "5"] {
        client.command(&["GAUGE.PUSH", "room", value]);
    }
    let digest = client.command(&["DEBUG", "DIGEST-VALUE", "room"]);
    let commands = client.ask(&["DEBUG", "REWRITE", "room"]);
    assert_wire(&mut client, &["DEL", "room"], b":1\r\n");
    commands.items().iter().for_each(|command| _ = client.command(&command.texts()));
    assert_wire(&mut client, &["GAUGE.GET", "room"], b"*3\r\n:5\r\n:-7\r\n:21\r\n");
    assert_eq!(client.command(&["DEBUG", "DIGEST-VALUE", "room"]), digest);
}
