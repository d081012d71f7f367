//! What types say of their values, from a module in C: `values.c`.

use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, TempDir, assert_wire, cc};

fn server() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/values.c", &[]);
    Server::within(folder, &["--loadmodule", &path])
}

fn put(client: &mut Client, kind: &str, key: &str, text: &str) {
    assert_wire(client, &["VALUES.PUT", kind, key, text], b"+OK\r\n");
}

fn digest(client: &mut Client, key: &str) -> String {
    client.ask(&["DEBUG", "DIGEST-VALUE", key]).texts().join(" ")
}

/// The version in a payload's footer.
fn version(payload: &Reply) -> u16 {
    let Reply::Bulk(payload) = payload else { panic!("{payload:?}") };
    let at = payload.len() - 10;
    u16::from_le_bytes([payload[at], payload[at + 1]])
}

#[test]
fn a_type_gives_the_commands_that_make_its_values() {
    let server = server();
    let mut client = server.connect();
    put(&mut client, "0", "k", "abc");
    let commands = client.ask(&["DEBUG", "REWRITE", "k"]);
    let commands: Vec<Vec<String>> = commands.items().iter().map(Reply::texts).collect();
    assert_eq!(commands, ["a", "b", "c"].map(|letter| ["VALUES.APPEND", "k", letter].map(str::to_owned).to_vec()));
    let before = digest(&mut client, "k");
    assert_wire(&mut client, &["DEL", "k"], b":1\r\n");
    commands.iter().for_each(|command| assert_wire(&mut client, command, b"+OK\r\n"));
    assert_eq!(digest(&mut client, "k"), before);
}

#[test]
fn a_type_that_gives_none_is_restored() {
    let server = server();
    let mut client = server.connect();
    for kind in ["1", "2"] {
        put(&mut client, kind, "k", "abc");
        let before = digest(&mut client, "k");
        let commands = client.ask(&["DEBUG", "REWRITE", "k"]);
        let [Reply::Array(restore)] = commands.items() else { panic!("{commands:?}") };
        assert_eq!([restore[0].text(), restore[1].text(), restore[2].text()], ["RESTORE", "k", "0"], "type {kind}");
        let Reply::Bulk(payload) = &restore[3] else { panic!("{restore:?}") };
        assert_wire(&mut client, &[b"RESTORE".as_slice(), b"other", b"0", payload], b"+OK\r\n");
        assert_eq!(digest(&mut client, "other"), before);
        assert_wire(&mut client, &["FLUSHALL"], b"+OK\r\n");
    }
}

#[test]
fn what_the_host_refused_is_no_rewriting() {
    let server = server();
    let mut client = server.connect();
    put(&mut client, "3", "k", "abc");
    for words in [["DEBUG", "REWRITE", "k"], ["DEBUG", "DIGEST-VALUE", "k"]] {
        let reply = client.ask(&words);
        assert!(matches!(reply, Reply::Error(_)), "{words:?} {reply:?}");
    }
}

#[test]
fn elements_count_whatever_their_order_and_types_without_a_digest_by_their_bytes() {
    let server = server();
    let mut client = server.connect();
    for (kind, is_ordered) in [("0", false), ("1", true), ("2", true)] {
        put(&mut client, kind, "k", "abca");
        put(&mut client, kind, "turned", "acab");
        put(&mut client, kind, "other", "abcb");
        let [one, turned, other] = ["k", "turned", "other"].map(|key| digest(&mut client, key));
        assert_eq!(one != turned, is_ordered, "type {kind}");
        assert_ne!(one, other, "type {kind}");
    }
}

#[test]
fn a_save_knows_for_whom_it_is() {
    let server = server();
    let mut client = server.connect();
    put(&mut client, "0", "k", "abc");
    let seen = |client: &mut Client| client.text(&["VALUES.SEEN"]);
    assert_eq!(version(&client.ask(&["DUMP", "k"])), 8, "that of the container");
    assert_eq!(seen(&mut client), "110000 0");
    for (asked, expected) in
        [("9", "100000 1"), ("10", "110000 1"), ("11", "111000 1"), ("12", "111010 1"), ("80", "111100 1")]
    {
        assert_eq!(version(&client.ask(&["VALUES.DUMP", "k", asked])).to_string(), asked);
        assert_eq!(seen(&mut client), expected, "version {asked}");
    }
    // A tag that no version has goes to whoever has the module, and to no reader that is known.
    put(&mut client, "4", "tagged", "abc");
    assert_eq!(version(&client.ask(&["DUMP", "tagged"])), 12);
    assert_wire(&mut client, &["VALUES.DUMP", "tagged", "12"], b"$-1\r\n");
}
