//! A language that a module in C brings: `toy.c`.

use plinth_testkit::{Client, Server, TempDir, assert_wire, cc, wait_until};

const LIBRARY: &str = "#!toy name=things\necho\npeek! get\nask run\noops fail\n";

fn with_toy() -> (Server, String) {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/toy.c", &[]);
    (Server::within(folder, &["--loadmodule", &path]), path)
}

fn load(client: &mut Client) {
    assert_wire(client, &["FUNCTION", "LOAD", LIBRARY], b"$6\r\nthings\r\n");
}

#[test]
fn a_language_compiles_calls_and_frees() {
    let (server, _) = with_toy();
    let mut client = server.connect();
    load(&mut client);
    assert_wire(&mut client, &["TOY.TRIED"], b"+OK\r\n");
    assert_wire(&mut client, &["TOY.LIVE"], b":4\r\n");
    let words = b"*4\r\n$4\r\necho\r\n:1\r\n$1\r\nk\r\n$1\r\na\r\n";
    assert_wire(&mut client, &["FCALL", "echo", "1", "k", "a"], words);
    assert_wire(&mut client, &["FCALL", "echo", "0"], b"*2\r\n$4\r\necho\r\n:0\r\n");
    let wrong = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    assert_wire(&mut client, &["FCALL", "oops", "0"], wrong);
    assert_wire(&mut client, &["FUNCTION", "LOAD", "REPLACE", "#!TOY name=things\none\n"], b"$6\r\nthings\r\n");
    assert_wire(&mut client, &["TOY.LIVE"], b":1\r\n");
    assert_wire(&mut client, &["FCALL", "echo", "0"], b"-ERR Function not found\r\n");
    assert_wire(&mut client, &["FUNCTION", "FLUSH"], b"+OK\r\n");
    assert_wire(&mut client, &["TOY.LIVE"], b":0\r\n");
}

#[test]
fn a_library_that_does_not_compile_leaves_nothing() {
    let (server, _) = with_toy();
    let mut client = server.connect();
    let broken = "#!toy name=broken\nfirst\n=ERR no good at 3:1";
    assert_wire(&mut client, &["FUNCTION", "LOAD", broken], b"-ERR no good at 3:1\r\n");
    assert_wire(&mut client, &["FUNCTION", "LOAD", "#!toy name=none\n"], b"-ERR No functions registered\r\n");
    assert_wire(&mut client, &["FUNCTION", "LOAD", "#!joy name=none\nx"], b"-ERR Engine 'joy' not found\r\n");
    let lua = "#!lua name=shop\nredis.register_function('echo', function() end)";
    client.command(&["FUNCTION", "LOAD", lua]);
    assert_wire(&mut client, &["FUNCTION", "LOAD", LIBRARY], b"-ERR Function echo already exists\r\n");
    assert_wire(&mut client, &["TOY.LIVE"], b":0\r\n");
}

#[test]
fn commands_of_a_function_are_bound_to_its_flags_and_what_is_wrong_is_a_reply() {
    let (server, _) = with_toy();
    let mut client = server.connect();
    load(&mut client);
    let ask = |client: &mut Client, words: &[&str]| {
        let said = client.ask(&[&["FCALL", "ask", "0"], words].concat());
        (said.items()[0].integer(), said.items()[1].text())
    };
    // Kinds of nodes: `a` null, `b` error, `c` status, `d` string, `e` integer, `f` double, `j` array, `k` set, `l` map.
    assert_eq!(ask(&mut client, &["SET", "k", "v"]), (1, "c".into()));
    assert_wire(&mut client, &["FCALL_RO", "peek", "1", "k"], b"$1\r\nd\r\n");
    assert_wire(&mut client, &["FCALL_RO", "peek", "1", "none"], b"$1\r\na\r\n");
    assert_eq!(ask(&mut client, &["HSET", "h", "f", "1"]), (1, "e".into()));
    assert_eq!(ask(&mut client, &["HGETALL", "h"]), (3, "ldd".into()));
    assert_eq!(ask(&mut client, &["SADD", "s", "m"]), (1, "e".into()));
    assert_eq!(ask(&mut client, &["SMEMBERS", "s"]), (2, "kd".into()));
    assert_eq!(ask(&mut client, &["ZADD", "z", "1.5", "m"]), (1, "e".into()));
    assert_eq!(ask(&mut client, &["ZRANGE", "z", "0", "-1", "WITHSCORES"]), (4, "jjdf".into()));
    for words in [&["NOSUCH"][..], &["GET"], &["EVAL", "return 1", "0"], &["LPUSH", "k", "v"]] {
        assert_eq!(ask(&mut client, words), (1, "b".into()), "{words:?}");
    }
    let refused = b"-ERR Can not execute a script with write flag using *_ro command.\r\n";
    assert_wire(&mut client, &["FCALL_RO", "ask", "0", "GET", "k"], refused);
    let read_only = "#!toy name=other\nquiet! run\n";
    assert_wire(&mut client, &["FUNCTION", "LOAD", read_only], b"$5\r\nother\r\n");
    assert_wire(&mut client, &["FCALL", "quiet", "0", "SET", "k", "2"], b"*2\r\n:1\r\n$1\r\nb\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
}

#[test]
fn what_a_function_writes_is_one_unit() {
    let (server, _) = with_toy();
    let mut client = server.connect();
    load(&mut client);
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "ON"], b"+OK\r\n");
    client.command(&["FCALL", "ask", "0", "INCR", "n"]);
    let said = client.ask(&["DEBUG", "PROPAGATION"]);
    let unit = &said.items()[3].items()[0];
    assert!(unit.items()[1].text().contains("INCR"), "{unit:?}");
}

#[test]
fn a_language_with_functions_stays_and_one_without_goes() {
    let (server, path) = with_toy();
    let mut client = server.connect();
    load(&mut client);
    for command in [&["MODULE", "UNLOAD", "toy"][..], &["MODULE", "UNLOAD", "toy", "GHOST"]] {
        let said = client.text(command);
        assert!(said.contains("plinth.language.toy/1"), "{said}");
    }
    let said = client.text(&["MODULE", "REPLACE", "toy", &path]);
    assert!(said.contains("plinth.language.toy/1"), "{said}");
    assert_wire(&mut client, &["FCALL", "echo", "0"], b"*2\r\n$4\r\necho\r\n:0\r\n");
    assert_wire(&mut client, &["FUNCTION", "DELETE", "things"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "REPLACE", "toy", &path], b"+OK\r\n");
    wait_until("it is replaced", || client.ask(&["MODULE", "REPLACE", "STATUS"]).items().is_empty());
    load(&mut client);
    assert_wire(&mut client, &["FUNCTION", "FLUSH", "ASYNC"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "toy"], b"+OK\r\n");
    assert_wire(&mut client, &["FUNCTION", "LOAD", LIBRARY], b"-ERR Engine 'toy' not found\r\n");
}

#[test]
fn a_library_waits_for_its_language() {
    let (server, path) = with_toy();
    let mut client = server.connect();
    load(&mut client);
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let folder = server.end("TERM");
    let server = Server::within::<&str>(folder, &[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["FCALL", "echo", "0"], b"-ERR Function not found\r\n");
    let list = client.ask(&["FUNCTION", "LIST"]);
    let library = list.items()[0].items();
    assert_eq!((library[3].text(), library[5].items().len()), ("TOY".into(), 0), "{list:?}");
    // What waits is saved as it came.
    assert_wire(&mut client, &["SAVE"], b"+OK\r\n");
    let server = Server::within::<&str>(server.end("TERM"), &[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    assert_wire(&mut client, &["FCALL", "echo", "0"], b"*2\r\n$4\r\necho\r\n:0\r\n");
    assert_wire(&mut client, &["TOY.LIVE"], b":4\r\n");
}
