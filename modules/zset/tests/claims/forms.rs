//! The two forms, and the way into payloads and back.

use super::*;
use plinth_testkit::{Reply, TempDir, cc};

fn encoding(client: &mut Client, key: &str) -> String {
    client.text(&["OBJECT", "ENCODING", key])
}

#[test]
fn a_sorted_set_grows_out_of_the_small_form() {
    let server = server();
    let mut client = server.connect();
    for number in 0..128 {
        client.command(&["ZADD", "k", &number.to_string(), &format!("m{number}")]);
    }
    assert_eq!(encoding(&mut client, "k"), "listpack");
    client.command(&["ZADD", "k", "0.5", "m128"]);
    assert_eq!(encoding(&mut client, "k"), "skiplist");
    check(&mut client, "ZRANK k m128", b":1\r\n");
    check(&mut client, "ZREMRANGEBYRANK k 3 -1", b":126\r\n");
    assert_eq!(encoding(&mut client, "k"), "skiplist");
    check(&mut client, "ZRANGE k 0 -1", bulks(&["m0", "m128", "m1"]));
    client.command(&["ZADD", "long", "1", &"x".repeat(64)]);
    assert_eq!(encoding(&mut client, "long"), "listpack");
    client.command(&["ZADD", "long", "1", &"x".repeat(65)]);
    assert_eq!(encoding(&mut client, "long"), "skiplist");
    check(&mut client, "CONFIG GET zset-max-ziplist-value", bulks(&["zset-max-ziplist-value", "64"]));
}

#[test]
fn more_than_254_members_may_be_small() {
    let server = server();
    let mut client = server.connect();
    client.command(&["CONFIG", "SET", "zset-max-ziplist-entries", "400"]);
    check(&mut client, "CONFIG GET zset-max-listpack-entries", bulks(&["zset-max-listpack-entries", "400"]));
    for number in 0..300 {
        client.command(&["ZADD", "k", &(300 - number).to_string(), &number.to_string()]);
    }
    assert_eq!(encoding(&mut client, "k"), "listpack");
    check(&mut client, "ZCARD k", b":300\r\n");
    check(&mut client, "ZRANGE k 0 0 REV WITHSCORES", bulks(&["0", "300"]));
    for number in 0..299 {
        client.command(&["ZREM", "k", &number.to_string()]);
    }
    check(&mut client, "ZRANGE k 0 -1 WITHSCORES", bulks(&["299", "1"]));
}

#[test]
fn payloads_restore_what_was_dumped() {
    in_both_forms(|_, client| {
        client.command(&["ZADD", "k", "1", "a", "-2.5", "b", "inf", "123456", "1e300", &"y".repeat(60)]);
        let Reply::Bulk(payload) = client.ask(&["DUMP", "k"]) else { panic!("no payload") };
        assert_wire(client, &[&b"RESTORE"[..], b"copy", b"0", &payload], b"+OK\r\n");
        let pair = ["k", "copy"].map(|key| client.command(&["ZRANGE", key, "0", "-1", "WITHSCORES"]));
        assert_eq!(pair[0], pair[1]);
        check(client, "COPY k third", b":1\r\n");
        check(client, "ZCARD third", b":4\r\n");
        let Reply::Integer(bytes) = client.ask(&["MEMORY", "USAGE", "k"]) else { panic!("no number") };
        assert!((80..5000).contains(&bytes), "{bytes}");
    });
}

/// Payloads of Redis 7.0: a listpack and a binary sorted set, of 1 a, 2.5 b.
#[test]
fn payloads_of_redis_are_read() {
    let server = server();
    let mut client = server.connect();
    for payload in include!("payloads.in") {
        client.command(&["DEL", "k"]);
        assert_wire(&mut client, &[&b"RESTORE"[..], b"k", b"0", payload], b"+OK\r\n");
        check(&mut client, "ZRANGE k 0 -1 WITHSCORES", bulks(&["a", "1", "b", "2.5"]));
    }
}

#[test]
fn a_module_in_c_reaches_sorted_sets_through_the_service() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "modules/zset/tests/user.c", &[]);
    in_both_forms(|_, client| {
        assert_wire(client, &["MODULE", "LOAD", &path], b"+OK\r\n");
        client.command(&["SET", "text", "x"]);
        check(client, "ZSETS.PROBE k", b"+OK\r\n");
    });
}
