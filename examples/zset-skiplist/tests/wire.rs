//! The skip list in the real server: it keeps every claim that the first-party module makes.

#[path = "../../../modules/zset/tests/claims/mod.rs"]
mod claims;

use plinth_testkit::{Server, assert_wire, build};

/// A server with the module that is tested.
fn server() -> Server {
    Server::with(&["--loadmodule", &build::library("zset-skiplist")])
}

#[test]
fn it_takes_the_place_of_the_first_party_module() {
    let server = server();
    let mut client = server.connect();
    let modules = format!("{:?}", client.ask(&["MODULE", "LIST"]));
    assert!(!server.log().contains("libplinth_zset"), "{modules}");
    assert_wire(&mut client, &["ZADD", "k", "1", "a"], b":1\r\n");
}
