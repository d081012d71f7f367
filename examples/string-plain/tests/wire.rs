//! Strings on the heap in the real server: they keep every claim that the first-party module makes.

#[path = "../../../modules/string/tests/claims/mod.rs"]
mod claims;

use plinth_testkit::{Server, assert_wire, build};

/// A server with the module that is tested.
fn server() -> Server {
    Server::with(&["--loadmodule", &build::library("string-plain")])
}

#[test]
fn it_takes_the_place_of_the_first_party_module() {
    let server = server();
    let mut client = server.connect();
    let modules = format!("{:?}", client.ask(&["MODULE", "LIST"]));
    assert!(!server.log().contains("libplinth_string"), "{modules}");
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
}
