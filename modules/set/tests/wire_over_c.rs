//! Every command of the module, over `examples/set-c`: a storage in C, compiled as its README says.

mod claims;

use plinth_testkit::{Server, TempDir, assert_wire, build, cc, wait_until};

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
fn the_storage_is_not_replaced_while_sets_are_kept_in_it() {
    build::server();
    let folder = TempDir::new();
    let storage = cc::module(&folder, "examples/set-c/set.c", &[]);
    let server = Server::within(folder, &["--enable-module-command", "yes", "--loadmodule", &storage]);
    let mut client = server.connect();
    let copy = server.folder().path().join("another-set.so").display().to_string();
    std::fs::copy(&storage, &copy).expect("the library can be copied");
    assert_wire(&mut client, &["MODULE", "REPLACE", "set", &build::library("set_foreign")], b"+OK\r\n");
    wait_until("it has taken over", || client.ask(&["MODULE", "REPLACE", "STATUS"]).items().is_empty());
    assert_wire(&mut client, &["SADD", "s", &"x".repeat(100)], b":1\r\n");
    let said = client.text(&["MODULE", "REPLACE", "set-c", &copy]);
    assert!(said.contains("the module 'set' keeps what its service 'plinth.set-storage/1' has made"), "{said}");
    assert_wire(&mut client, &["SCARD", "s"], b":1\r\n");
    // It may go when nobody uses it any more.
    assert_wire(&mut client, &["MODULE", "REPLACE", "set", &build::library("plinth_set")], b"+OK\r\n");
    wait_until("all is converted", || client.ask(&["MODULE", "REPLACE", "STATUS"]).items().is_empty());
    assert_wire(&mut client, &["MODULE", "REPLACE", "set-c", &copy], b"+OK\r\n");
    assert_wire(&mut client, &["SCARD", "s"], b":1\r\n");
}

#[test]
fn sets_over_a_storage_that_is_not_there_are_refused() {
    let server = Server::with(&["--enable-module-command", "yes"]);
    let mut client = server.connect();
    let said = client.text(&["MODULE", "LOAD", &build::library("set_foreign")]);
    assert!(said.starts_with("ERR"), "{said}");
    assert_wire(&mut client, &["SADD", "s", "a"], b":1\r\n");
}

#[test]
fn sets_move_to_the_storage_in_c_and_back_while_they_are_used() {
    build::server();
    let folder = TempDir::new();
    let storage = cc::module(&folder, "examples/set-c/set.c", &[]);
    let server = Server::within(folder, &["--enable-module-command", "yes", "--loadmodule", &storage]);
    let mut client = server.connect();
    let member = |n: u32| format!("member:{n}");
    for start in (0..30_000).step_by(1000) {
        let mut args = vec!["SADD".to_string(), "big".to_string()];
        args.extend((start..start + 1000).map(member));
        assert_wire(&mut client, &args, b":1000\r\n");
    }
    client.command(&["SADD", "ints", "1", "2", "3"]);
    client.command(&["SADD", "few", "a", "4"]);
    let (mut first, mut last) = (0, 30_000);
    for library in ["set_foreign", "plinth_set"] {
        assert_wire(&mut client, &["MODULE", "REPLACE", "set", &build::library(library)], b"+OK\r\n");
        let mut rounds = 0;
        while rounds < 50 || !client.ask(&["MODULE", "REPLACE", "STATUS"]).items().is_empty() {
            assert_wire(&mut client, &["SREM", "big", &member(first)], b":1\r\n");
            assert_wire(&mut client, &["SADD", "big", &member(last), &member(last)], b":1\r\n");
            assert_wire(&mut client, &["SMISMEMBER", "big", &member(first), &member(last)], b"*2\r\n:0\r\n:1\r\n");
            assert_wire(&mut client, &["SCARD", "big"], b":30000\r\n");
            (first, last, rounds) = (first + 1, last + 1, rounds + 1);
            assert!(rounds < 29_000, "the sets are never converted");
        }
        for n in first..last {
            assert_wire(&mut client, &["SISMEMBER", "big", &member(n)], b":1\r\n");
        }
        assert_eq!(client.text(&["OBJECT", "ENCODING", "ints"]), "intset");
        assert_wire(&mut client, &["SINTER", "ints", "few"], b"*0\r\n");
        assert_wire(&mut client, &["SCARD", "few"], b":2\r\n");
        assert!(client.text(&["INFO", "modules"]).contains(&format!("lib{library}.so")));
    }
}
