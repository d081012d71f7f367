//! Every command of the module, over `examples/set-c`: a storage in C, compiled as its README says.

mod claims;

use plinth_testkit::{Server, TempDir, assert_wire, build, cc};

fn server() -> Server {
    // The server is built first, and the module over a foreign storage with it.
    build::server();
    let folder = TempDir::new();
    let storage = cc::module(&folder, "examples/set-c/set.c", &[]);
    Server::within(folder, &["--loadmodule", &storage, "--loadmodule", &build::library("set_foreign")])
}

#[test]
fn the_storage_is_used_and_cannot_be_unloaded() {
    let server = server();
    let mut client = server.connect();
    assert!(server.log().contains("Module 'set' loaded from"));
    assert!(server.log().contains("libset_foreign.so"));
    assert!(!server.log().contains("libplinth_set.so"));
    client.command(&["CONFIG", "SET", "set-max-listpack-entries", "0"]);
    assert_wire(&mut client, &["SADD", "s", "a", "", "17x"], b":3\r\n");
    assert_eq!(client.text(&["OBJECT", "ENCODING", "s"]), "hashtable");
    let said = client.text(&["MODULE", "UNLOAD", "set-c"]);
    assert!(said.contains("plinth.set-storage/1"), "{said}");
    assert_wire(&mut client, &["SCARD", "s"], b":3\r\n");
}

#[test]
fn sets_over_a_storage_that_is_not_there_are_refused() {
    let server = Server::with(&["--enable-module-command", "yes"]);
    let mut client = server.connect();
    let said = client.text(&["MODULE", "LOAD", &build::library("set_foreign")]);
    assert!(said.starts_with("ERR"), "{said}");
    assert_wire(&mut client, &["SADD", "s", "a"], b":1\r\n");
}
