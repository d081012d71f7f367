//! The plain log in the real server: it keeps every claim that the first-party module makes.

#[path = "../../../modules/stream/tests/claims/mod.rs"]
mod claims;

use plinth_testkit::{Server, assert_wire, build};

/// A server with the module that is tested.
fn server() -> Server {
    Server::with(&["--loadmodule", &build::library("stream-log")])
}

#[test]
fn it_takes_the_place_of_the_first_party_module() {
    let server = server();
    let mut client = server.connect();
    assert!(!server.log().contains("libplinth_stream"));
    assert_wire(&mut client, &["XADD", "k", "1-1", "f", "v"], b"$3\r\n1-1\r\n");
}
