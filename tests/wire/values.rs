//! Values as what they are: the commands that make them anew, and digests.

use plinth_testkit::data::{self, Made};
use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, assert_wire, build};

/// Longest command of a rewriting, in words and in bytes, whatever the value but for one element's own.
const WORDS_MAX: usize = 150;
const BYTES_MAX: usize = 100_000;

fn everything() -> Vec<Made> {
    [data::all(), data::expiring()].concat()
}

fn digest(client: &mut Client, key: &str) -> String {
    client.ask(&["DEBUG", "DIGEST-VALUE", key]).texts().join(" ")
}

fn digests(client: &mut Client, data: &[Made]) -> Vec<String> {
    data.iter().map(|(key, ..)| format!("{key} {}", digest(client, key))).collect()
}

/// The commands that make a key's value anew.
fn rewriting(client: &mut Client, key: &str) -> Vec<Vec<Vec<u8>>> {
    let word = |word: &Reply| match word {
        Reply::Bulk(bytes) => bytes.clone(),
        other => panic!("{other:?}"),
    };
    let reply = client.ask(&["DEBUG", "REWRITE", key]);
    reply.items().iter().map(|command| command.items().iter().map(word).collect()).collect()
}

/// Makes all values anew from their rewritings.
fn remake(client: &mut Client, data: &[Made]) {
    let remade: Vec<Made> = data.iter().map(|(key, encoding, _)| (*key, *encoding, rewriting(client, key))).collect();
    for (key, _, commands) in &remade {
        assert!(!commands.is_empty(), "{key}");
        for command in commands {
            let bytes: usize = command.iter().map(Vec::len).sum();
            assert!(command.len() <= WORDS_MAX && bytes <= BYTES_MAX, "{key}: {} words, {bytes} bytes", command.len());
            assert_ne!(command[0], b"RESTORE", "{key}");
        }
    }
    assert_wire(client, &["FLUSHALL"], b"+OK\r\n");
    data::make(client, &remade);
}

#[test]
fn plinth_values_of_every_encoding_are_made_anew_by_their_rewritings() {
    let server = Server::start();
    let mut client = server.connect();
    let data = everything();
    data::make(&mut client, &data);
    for (key, encoding, _) in &data {
        assert_eq!(client.text(&["OBJECT", "ENCODING", key]), *encoding, "{key}");
    }
    let (before, whole) = (digests(&mut client, &data), client.text(&["DEBUG", "DIGEST"]));
    remake(&mut client, &data);
    assert_eq!(digests(&mut client, &data), before);
    assert_eq!(client.text(&["DEBUG", "DIGEST"]), whole);
}

#[test]
fn plinth_digests_do_not_depend_on_encodings() {
    let server = Server::start();
    let mut client = server.connect();
    let data = everything();
    data::make(&mut client, &data);
    let before = digests(&mut client, &data);
    assert_wire(&mut client, &["DEBUG", "RELOAD"], b"+OK\r\n");
    assert_eq!(digests(&mut client, &data), before);
    for (parameter, value) in [
        ("hash-max-listpack-entries", "0"),
        ("set-max-listpack-entries", "0"),
        ("set-max-intset-entries", "0"),
        ("zset-max-listpack-entries", "0"),
        ("list-max-listpack-size", "1"),
        ("stream-node-max-entries", "3"),
    ] {
        assert_wire(&mut client, &["CONFIG", "SET", parameter, value], b"+OK\r\n");
    }
    remake(&mut client, &data);
    assert_eq!(client.text(&["OBJECT", "ENCODING", "hash:small"]), "hashtable");
    assert_eq!(client.text(&["OBJECT", "ENCODING", "set:ints"]), "hashtable");
    assert_eq!(digests(&mut client, &data), before);
}

#[test]
fn plinth_digests_tell_every_change() {
    let server = Server::start();
    let mut client = server.connect();
    let data = everything();
    data::make(&mut client, &data);
    for change in [
        "APPEND string:int 0",
        "SETRANGE string:embstr 1 x",
        "SETBIT string:raw 7 1",
        "LSET list:small 0 b",
        "LINSERT list:large BEFORE element:2000 element:1999",
        "LMOVE list:plain list:plain LEFT RIGHT",
        "SADD set:ints 2",
        "SREM set:small a",
        "SADD set:large x",
        "ZADD zset:small 2 a",
        "ZINCRBY zset:large 0.5 17",
        "HSET hash:small f w",
        "HDEL hash:large field:5",
        "HPERSIST deadlines:small FIELDS 1 f",
        "HPEXPIREAT deadlines:large 4102444800124 FIELDS 1 field:4",
        "XADD stream:empty 6-6 a b",
        "XDEL stream:plain 1003-0",
        "XACK stream:groups g 1005-0",
        "XGROUP DELCONSUMER stream:gone g alice",
        "PEXPIREAT string:empty 4102444800000",
    ] {
        let words: Vec<&str> = change.split(' ').collect();
        let key = words[1..].iter().find(|word| word.contains(':')).expect("a key");
        let (before, whole) = (digest(&mut client, key), client.text(&["DEBUG", "DIGEST"]));
        let reply = client.ask(&words);
        assert!(!matches!(reply, Reply::Error(_)), "{change}: {reply:?}");
        assert_ne!(digest(&mut client, key), before, "{change}");
        assert_ne!(client.text(&["DEBUG", "DIGEST"]), whole, "{change}");
    }
}

#[test]
fn plinth_digests_and_rewritings_do_not_depend_on_the_implementation() {
    let server = Server::with(&["--enable-module-command", "yes"]);
    let mut client = server.connect();
    let data = everything();
    data::make(&mut client, &data);
    let before = digests(&mut client, &data);
    for (module, library) in [("string", "string-plain"), ("zset", "zset-skiplist"), ("stream", "stream-log")] {
        let replace = ["MODULE", "REPLACE", module, &build::library(library)];
        assert_wire(&mut client, &replace, b"+OK\r\n");
        plinth_testkit::wait_until("all values are converted", || {
            client.ask(&["MODULE", "REPLACE", "STATUS", module]).items().is_empty()
        });
    }
    assert_eq!(digests(&mut client, &data), before);
    remake(&mut client, &data);
    assert_eq!(digests(&mut client, &data), before);
}

#[test]
fn plinth_a_ghost_has_a_digest_and_is_restored() {
    let server = Server::start();
    let mut client = server.connect();
    data::make(&mut client, &data::all());
    let Reply::Bulk(payload) = client.ask(&["DUMP", "hash:small"]) else { panic!("no payload") };
    assert_wire(&mut client, &["MODULE", "UNLOAD", "hash", "GHOST"], b"+OK\r\n");
    plinth_testkit::wait_until("the module is gone", || client.text(&["OBJECT", "ENCODING", "hash:small"]) == "ghost");
    assert_ne!(digest(&mut client, "hash:small"), digest(&mut client, "none"));
    let commands = rewriting(&mut client, "hash:small");
    assert_eq!(commands, [vec![b"RESTORE".to_vec(), b"hash:small".to_vec(), b"0".to_vec(), payload]]);
}
