//! Every command of the module, as bytes in and out of a real server.

use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, cc, wait_until};
use std::time::Duration;

const OK: &[u8] = b"+OK\r\n";
const SYNTAX: &[u8] = b"-ERR syntax error\r\n";
const NOT_INTEGER: &[u8] = b"-ERR value is not an integer or out of range\r\n";
const WRONG_TYPE: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
const NO_FIELDS: &[u8] = b"-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
const MISMATCH: &[u8] = b"-ERR The `numfields` parameter must match the number of arguments\r\n";

fn connected() -> (Server, Client) {
    let server = Server::start();
    let client = server.connect();
    (server, client)
}

/// A hash of so many fields `f0`, `f1`, ... with values `v0`, `v1`, ...
fn fill(client: &mut Client, key: &str, count: usize) {
    for from in (0..count).step_by(100) {
        let mut args = vec!["HSET".to_owned(), key.to_owned()];
        for number in from..count.min(from + 100) {
            args.extend([format!("f{number}"), format!("v{number}")]);
        }
        client.command(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

fn texts(reply: Reply) -> Vec<String> {
    match reply {
        Reply::Array(items) => items.into_iter().flat_map(texts).collect(),
        Reply::Bulk(bytes) => vec![String::from_utf8_lossy(&bytes).into_owned()],
        other => panic!("{other:?} is no text"),
    }
}

#[test]
fn fields_are_set_and_read() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["HSET", "h", "a", "1", "b", "22", "a", "3"], b":2\r\n");
    assert_wire(&mut client, &["HSET", "h", "a", "4", "c", ""], b":1\r\n");
    assert_wire(&mut client, &["HMSET", "h", "d", "123456"], OK);
    assert_wire(&mut client, &["HSETNX", "h", "a", "5"], b":0\r\n");
    assert_wire(&mut client, &["HSETNX", "new", "a", "5"], b":1\r\n");
    assert_wire(&mut client, &["HGET", "h", "a"], b"$1\r\n4\r\n");
    assert_wire(&mut client, &["HGET", "h", "none"], b"$-1\r\n");
    assert_wire(&mut client, &["HGET", "none", "a"], b"$-1\r\n");
    assert_wire(&mut client, &["HMGET", "h", "d", "x", "c"], b"*3\r\n$6\r\n123456\r\n$-1\r\n$0\r\n\r\n");
    assert_wire(&mut client, &["HMGET", "none", "a"], b"*1\r\n$-1\r\n");
    assert_wire(&mut client, &["HLEN", "h"], b":4\r\n");
    assert_wire(&mut client, &["HLEN", "none"], b":0\r\n");
    assert_wire(&mut client, &["HSTRLEN", "h", "d"], b":6\r\n");
    assert_wire(&mut client, &["HEXISTS", "h", "d"], b":1\r\n");
    assert_wire(&mut client, &["HEXISTS", "h", "x"], b":0\r\n");
    assert_wire(&mut client, &["HKEYS", "h"], b"*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n");
    assert_wire(&mut client, &["HVALS", "new"], b"*1\r\n$1\r\n5\r\n");
    assert_wire(&mut client, &["HGETALL", "new"], b"*2\r\n$1\r\na\r\n$1\r\n5\r\n");
    assert_wire(&mut client, &["HGETALL", "none"], b"*0\r\n");
    assert_wire(&mut client, &["HSET", "h", "a"], b"-ERR wrong number of arguments for 'hset' command\r\n");
    assert_wire(&mut client, &["HMSET", "h", "a", "1", "b"], b"-ERR wrong number of arguments for 'hmset' command\r\n");
}

#[test]
fn a_hash_goes_with_its_last_field() {
    let (_server, mut client) = connected();
    for count in [3, 600] {
        fill(&mut client, "h", count);
        assert_wire(&mut client, &["HDEL", "h", "f0", "none", "f0"], b":1\r\n");
        for number in 1..count {
            assert_wire(&mut client, &["HDEL", "h", &format!("f{number}")], b":1\r\n");
        }
        assert_wire(&mut client, &["EXISTS", "h"], b":0\r\n");
        assert_wire(&mut client, &["HDEL", "h", "f0"], b":0\r\n");
    }
}

#[test]
fn fields_count() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["HINCRBY", "h", "n", "5"], b":5\r\n");
    assert_wire(&mut client, &["HINCRBY", "h", "n", "-7"], b":-2\r\n");
    assert_wire(&mut client, &["HINCRBYFLOAT", "h", "f", "10.5"], b"$4\r\n10.5\r\n");
    assert_wire(&mut client, &["HINCRBYFLOAT", "h", "f", "0.1"], b"$4\r\n10.6\r\n");
    assert_wire(&mut client, &["HINCRBYFLOAT", "h", "n", "1e2"], b"$2\r\n98\r\n");
    client.command(&["HSET", "h", "text", "abc", "max", "9223372036854775807"]);
    assert_wire(&mut client, &["HINCRBY", "h", "text", "1"], b"-ERR hash value is not an integer\r\n");
    assert_wire(&mut client, &["HINCRBY", "h", "n", "x"], NOT_INTEGER);
    assert_wire(&mut client, &["HINCRBY", "h", "max", "1"], b"-ERR increment or decrement would overflow\r\n");
    assert_wire(&mut client, &["HINCRBYFLOAT", "h", "text", "1"], b"-ERR hash value is not a float\r\n");
    assert_wire(&mut client, &["HINCRBYFLOAT", "h", "n", "inf"], b"-ERR value is NaN or Infinity\r\n");
    assert_wire(&mut client, &["HINCRBYFLOAT", "h", "n", "x"], b"-ERR value is not a valid float\r\n");
}

#[test]
fn a_key_of_another_type_is_refused() {
    let (_server, mut client) = connected();
    client.command(&["SET", "s", "v"]);
    for command in [
        &["HSET", "s", "a", "1"][..],
        &["HGET", "s", "a"],
        &["HMGET", "s", "a"],
        &["HDEL", "s", "a"],
        &["HLEN", "s"],
        &["HGETALL", "s"],
        &["HINCRBY", "s", "a", "1"],
        &["HRANDFIELD", "s"],
        &["HSCAN", "s", "0"],
        &["HEXPIRE", "s", "x", "FIELDS", "1", "a"],
        &["HTTL", "s", "FIELDS", "0", "a"],
        &["HPERSIST", "s", "FIELDS", "1", "a"],
        &["HGETEX", "s", "FIELDS", "1", "a"],
        &["HSETEX", "s", "FIELDS", "1", "a", "1"],
        &["HGETDEL", "s", "FIELDS", "1", "a"],
    ] {
        assert_wire(&mut client, command, WRONG_TYPE);
    }
}

#[test]
fn a_small_hash_becomes_large_at_its_thresholds() {
    let (_server, mut client) = connected();
    fill(&mut client, "h", 512);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "h"], b"$8\r\nlistpack\r\n");
    client.command(&["HSET", "h", "one more", "v"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "h"], b"$9\r\nhashtable\r\n");
    assert_wire(&mut client, &["HLEN", "h"], b":513\r\n");
    assert_wire(&mut client, &["HGET", "h", "f511"], b"$4\r\nv511\r\n");
    client.command(&["HSET", "v", "f", &"x".repeat(64)]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "v"], b"$8\r\nlistpack\r\n");
    client.command(&["HSET", "v", "f", &"x".repeat(65)]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "v"], b"$9\r\nhashtable\r\n");
    client.command(&["CONFIG", "SET", "hash-max-ziplist-entries", "2"]);
    client.command(&["HSET", "few", "a", "1", "b", "2", "c", "3"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "few"], b"$9\r\nhashtable\r\n");
}

#[test]
fn limits_are_known_by_their_former_names_too() {
    let folder = TempDir::new();
    let file = folder.write("redis.conf", "hash-max-ziplist-entries 3\nhash-max-ziplist-value 5\n");
    let server = Server::with(std::slice::from_ref(&file));
    let mut client = server.connect();
    let mut shown = client.ask(&["CONFIG", "GET", "hash-max-*"]).texts();
    shown.sort();
    let names = ["listpack-entries", "listpack-value", "ziplist-entries", "ziplist-value"];
    let expected: Vec<String> = ["3", "3", "5", "5"]
        .map(str::to_owned)
        .into_iter()
        .chain(names.map(|name| format!("hash-max-{name}")))
        .collect();
    assert_eq!(shown, expected);
    client.command(&["HSET", "h", "a", "1", "b", "2", "c", "3"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "h"], b"$8\r\nlistpack\r\n");
    client.command(&["HSET", "h", "d", "4"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "h"], b"$9\r\nhashtable\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "hash-max-listpack-value", "9"], b"+OK\r\n");
    let former = client.ask(&["CONFIG", "GET", "hash-max-ziplist-value"]).texts();
    assert_eq!(former, ["hash-max-ziplist-value", "9"]);
    assert_wire(&mut client, &["CONFIG", "REWRITE"], b"+OK\r\n");
    let written = std::fs::read_to_string(&file).expect("the file is there");
    assert!(written.starts_with("hash-max-listpack-entries 3\nhash-max-listpack-value 9\n"), "{written}");
    assert!(!written.contains("ziplist"), "{written}");
}

#[test]
fn ten_small_fields_take_at_most_180_bytes() {
    let (_server, mut client) = connected();
    let key = "key:000000000001";
    for number in 0..10 {
        client.command(&["HSET", key, &format!("field{number}"), &format!("value{number}")]);
    }
    let Reply::Integer(bytes) = client.ask(&["MEMORY", "USAGE", key]) else { panic!("no number of bytes") };
    assert!(bytes <= 180, "{bytes} bytes");
}

#[test]
fn random_fields_are_different_or_not_as_asked() {
    let (_server, mut client) = connected();
    for count in [20, 2000] {
        fill(&mut client, "h", count);
        for wanted in [0, 1, 5, count - 1, count, count + 10] {
            let mut fields = texts(client.ask(&["HRANDFIELD", "h", &wanted.to_string()]));
            fields.sort();
            fields.dedup();
            assert_eq!(fields.len(), wanted.min(count));
        }
        assert_eq!(texts(client.ask(&["HRANDFIELD", "h", "-50"])).len(), 50);
        let pairs = texts(client.ask(&["HRANDFIELD", "h", "7", "WITHVALUES"]));
        assert!(pairs.chunks(2).all(|pair| pair[0][1..] == pair[1][1..]));
        assert_eq!(pairs.len(), 14);
    }
    assert_wire(&mut client, &["HRANDFIELD", "none"], b"$-1\r\n");
    assert_wire(&mut client, &["HRANDFIELD", "none", "3"], b"*0\r\n");
    assert_wire(&mut client, &["HRANDFIELD", "h", "3", "WITH"], SYNTAX);
    assert_wire(&mut client, &["HRANDFIELD", "h", "x"], NOT_INTEGER);
    let range = b"-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807\r\n";
    assert_wire(&mut client, &["HRANDFIELD", "h", "-9223372036854775808"], range);
    assert_wire(&mut client, &["HRANDFIELD", "none", "-9223372036854775807"], b"*0\r\n");
    assert_wire(&mut client, &["HRANDFIELD", "none", "-4611686018427387903", "WITHVALUES"], b"*0\r\n");
    let range: &[u8] = b"-ERR value is out of range\r\n";
    for count in ["-4611686018427387904", "4611686018427387904"] {
        assert_wire(&mut client, &["HRANDFIELD", "none", count, "WITHVALUES"], range);
    }
    for count in ["-9223372036854775807", "-134217729"] {
        assert_wire(&mut client, &["HRANDFIELD", "h", count], range);
    }
    assert_wire(&mut client, &["HRANDFIELD", "h", "-134217729", "WITHVALUES"], range);
    client.command(&["HELLO", "3"]);
    client.command(&["HSET", "one", "f", "v"]);
    assert_wire(&mut client, &["HRANDFIELD", "one", "1", "WITHVALUES"], b"*1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
    assert_wire(&mut client, &["HGETALL", "one"], b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n");
}

#[test]
fn a_scan_finds_every_field_while_the_hash_changes() {
    let (_server, mut client) = connected();
    fill(&mut client, "h", 3000);
    let (mut cursor, mut seen, mut round) = ("0".to_owned(), std::collections::HashSet::new(), 0);
    loop {
        let mut reply = texts(client.ask(&["HSCAN", "h", &cursor, "COUNT", "50", "NOVALUES"]));
        cursor = reply.remove(0);
        seen.extend(reply);
        if cursor == "0" {
            break;
        }
        for number in 0..50 {
            client.command(&["HDEL", "h", &format!("f{}", 1000 + round * 50 + number)]);
        }
        round += 1;
    }
    assert!((0..1000).all(|number| seen.contains(&format!("f{number}"))));
    assert_wire(&mut client, &["HSCAN", "none", "0", "COUNT", "x"], b"*2\r\n$1\r\n0\r\n*0\r\n");
    assert_wire(&mut client, &["HSCAN", "h", "x"], b"-ERR invalid cursor\r\n");
    assert_wire(&mut client, &["HSCAN", "h", "0", "COUNT", "0"], SYNTAX);
    client.command(&["HSET", "small", "aa", "1", "ab", "2", "b", "3"]);
    let found = b"*2\r\n$1\r\n0\r\n*4\r\n$2\r\naa\r\n$1\r\n1\r\n$2\r\nab\r\n$1\r\n2\r\n";
    assert_wire(&mut client, &["HSCAN", "small", "0", "MATCH", "a*"], found);
}

#[test]
fn deadlines_of_fields_are_set_asked_for_and_taken_away() {
    let (_server, mut client) = connected();
    for count in [3, 600] {
        fill(&mut client, "h", count);
        assert_wire(&mut client, &["HEXPIRE", "h", "100", "FIELDS", "2", "f0", "none"], b"*2\r\n:1\r\n:-2\r\n");
        assert_wire(&mut client, &["HTTL", "h", "FIELDS", "3", "f0", "f1", "none"], b"*3\r\n:100\r\n:-1\r\n:-2\r\n");
        assert_wire(&mut client, &["HEXPIRE", "h", "50", "GT", "FIELDS", "2", "f0", "f1"], b"*2\r\n:0\r\n:0\r\n");
        assert_wire(&mut client, &["HEXPIRE", "h", "50", "NX", "FIELDS", "2", "f0", "f1"], b"*2\r\n:0\r\n:1\r\n");
        assert_wire(&mut client, &["HEXPIRE", "h", "50", "LT", "FIELDS", "1", "f0"], b"*1\r\n:1\r\n");
        assert_wire(&mut client, &["HPEXPIREAT", "h", "33177117420123", "XX", "FIELDS", "1", "f0"], b"*1\r\n:1\r\n");
        assert_wire(&mut client, &["HPEXPIRETIME", "h", "FIELDS", "1", "f0"], b"*1\r\n:33177117420123\r\n");
        assert_wire(&mut client, &["HEXPIREAT", "h", "33177117421", "FIELDS", "1", "f0"], b"*1\r\n:1\r\n");
        assert_wire(&mut client, &["HEXPIRETIME", "h", "FIELDS", "1", "f0"], b"*1\r\n:33177117421\r\n");
        assert_wire(&mut client, &["HPERSIST", "h", "FIELDS", "3", "f0", "f2", "none"], b"*3\r\n:1\r\n:-1\r\n:-2\r\n");
        assert_wire(&mut client, &["HPEXPIRE", "h", "0", "FIELDS", "1", "f1"], b"*1\r\n:2\r\n");
        assert_wire(&mut client, &["HEXISTS", "h", "f1"], b":0\r\n");
        client.command(&["DEL", "h"]);
    }
    client.command(&["HSET", "h", "f", "v"]);
    assert_wire(
        &mut client,
        &["HEXPIRE", "h", "1", "GT", "LT", "FIELDS", "1", "f"],
        b"-ERR GT and LT options at the same time are not compatible\r\n",
    );
    assert_wire(&mut client, &["HEXPIRE", "h", "1", "F", "1", "f"], NO_FIELDS);
    assert_wire(&mut client, &["HEXPIRE", "h", "1", "FIELDS", "2", "f"], MISMATCH);
    assert_wire(
        &mut client,
        &["HEXPIRE", "h", "1", "FIELDS", "0", "f"],
        b"-ERR Parameter `numFields` should be greater than 0\r\n",
    );
    assert_wire(
        &mut client,
        &["HEXPIRE", "h", "-1", "FIELDS", "1", "f"],
        b"-ERR invalid expire time, must be >= 0\r\n",
    );
    assert_wire(
        &mut client,
        &["HEXPIRE", "h", "9223372036854775807", "FIELDS", "1", "f"],
        b"-ERR invalid expire time in 'hexpire' command\r\n",
    );
    assert_wire(
        &mut client,
        &["HTTL", "h", "FIELDS", "x", "f"],
        b"-ERR Number of fields must be a positive integer\r\n",
    );
    assert_wire(&mut client, &["HTTL", "none", "FIELDS", "1", "f"], b"*1\r\n:-2\r\n");
}

#[test]
fn setting_a_field_takes_its_deadline_and_counting_keeps_it() {
    let (_server, mut client) = connected();
    client.command(&["HSET", "h", "a", "1", "b", "2"]);
    client.command(&["HEXPIRE", "h", "100", "FIELDS", "2", "a", "b"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "h"], b"$10\r\nlistpackex\r\n");
    client.command(&["HINCRBY", "h", "a", "1"]);
    client.command(&["HINCRBYFLOAT", "h", "a", "1"]);
    client.command(&["HSET", "h", "b", "3"]);
    assert_wire(&mut client, &["HTTL", "h", "FIELDS", "2", "a", "b"], b"*2\r\n:100\r\n:-1\r\n");
    assert_wire(&mut client, &["HMGET", "h", "a", "b"], b"*2\r\n$1\r\n3\r\n$1\r\n3\r\n");
}

#[test]
fn hgetex_hsetex_and_hgetdel_do_two_things_at_once() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["HSETEX", "h", "EX", "100", "FIELDS", "2", "a", "1", "b", "2"], b":1\r\n");
    assert_wire(&mut client, &["HSETEX", "h", "KEEPTTL", "FIELDS", "1", "a", "3"], b":1\r\n");
    assert_wire(&mut client, &["HTTL", "h", "FIELDS", "2", "a", "b"], b"*2\r\n:100\r\n:100\r\n");
    assert_wire(&mut client, &["HSETEX", "h", "FNX", "FIELDS", "2", "c", "1", "a", "1"], b":0\r\n");
    assert_wire(&mut client, &["HSETEX", "h", "FXX", "FIELDS", "1", "b", "4"], b":1\r\n");
    assert_wire(&mut client, &["HSETEX", "h", "NX", "FIELDS", "1", "b", "5"], b":0\r\n");
    assert_wire(&mut client, &["HGETEX", "h", "PERSIST", "FIELDS", "2", "a", "x"], b"*2\r\n$1\r\n3\r\n$-1\r\n");
    assert_wire(&mut client, &["HGETEX", "h", "PXAT", "33177117420123", "FIELDS", "1", "b"], b"*1\r\n$1\r\n4\r\n");
    assert_wire(&mut client, &["HPEXPIRETIME", "h", "FIELDS", "2", "a", "b"], b"*2\r\n:-1\r\n:33177117420123\r\n");
    assert_wire(&mut client, &["HGETDEL", "h", "FIELDS", "2", "a", "a"], b"*2\r\n$1\r\n3\r\n$-1\r\n");
    assert_wire(&mut client, &["HGETEX", "h", "EXAT", "1", "FIELDS", "1", "b"], b"*1\r\n$1\r\n4\r\n");
    assert_wire(&mut client, &["EXISTS", "h"], b":0\r\n");
    assert_wire(&mut client, &["HSETEX", "h", "EXAT", "1", "FIELDS", "1", "a", "1"], b":1\r\n");
    assert_wire(&mut client, &["EXISTS", "h"], b":0\r\n");
    assert_wire(&mut client, &["HSETEX", "h", "AB", "FIELDS", "1", "a", "1"], b"-ERR unknown argument: AB\r\n");
    assert_wire(&mut client, &["HGETDEL", "h", "FIELDS", "2", "a"], MISMATCH);
}

#[test]
fn fields_are_gone_after_their_time_without_being_looked_at() {
    let (_server, mut client) = connected();
    fill(&mut client, "small", 3);
    fill(&mut client, "large", 1000);
    client.command(&["HPEXPIRE", "small", "30", "FIELDS", "3", "f0", "f1", "f2"]);
    for number in 0..500 {
        client.command(&["HPEXPIRE", "large", "30", "FIELDS", "1", &format!("f{number}")]);
    }
    std::thread::sleep(Duration::from_millis(35));
    assert_wire(&mut client, &["HGET", "large", "f0"], b"$-1\r\n");
    wait_until("the fields are removed", || {
        client.ask(&["HLEN", "large"]) == Reply::Integer(500) && client.ask(&["EXISTS", "small"]) == Reply::Integer(0)
    });
}

#[test]
fn fields_are_gone_in_other_databases_and_under_other_names() {
    let (_server, mut client) = connected();
    client.command(&["SELECT", "3"]);
    for key in ["a", "b", "d"] {
        client.command(&["HSET", key, "f", "v"]);
        client.command(&["HPEXPIRE", key, "300", "FIELDS", "1", "f"]);
    }
    client.command(&["RENAME", "a", "c"]);
    client.command(&["COPY", "b", "e"]);
    client.command(&["MOVE", "d", "5"]);
    client.command(&["COPY", "b", "g", "DB", "6"]);
    wait_until("the hashes are removed", || {
        let three = client.ask(&["DBSIZE"]) == Reply::Integer(0);
        client.command(&["SELECT", "5"]);
        let five = client.ask(&["DBSIZE"]) == Reply::Integer(0);
        client.command(&["SELECT", "6"]);
        let six = client.ask(&["DBSIZE"]) == Reply::Integer(0);
        client.command(&["SELECT", "3"]);
        three && five && six
    });
}

#[test]
fn a_hash_survives_dump_and_restore_in_every_form() {
    let (_server, mut client) = connected();
    for (count, deadlines) in [(5, 0), (5, 3), (700, 0), (700, 200)] {
        client.command(&["DEL", "h", "copy"]);
        fill(&mut client, "h", count);
        for number in (0..deadlines).step_by(3) {
            let at_ms = (33_177_117_420_000u64 + 7 * number).to_string();
            client.command(&["HPEXPIREAT", "h", &at_ms, "FIELDS", "1", &format!("f{number}")]);
        }
        let Reply::Bulk(payload) = client.ask(&["DUMP", "h"]) else { panic!("no payload") };
        assert_eq!(client.ask(&[b"RESTORE", b"copy".as_slice(), b"0", &payload]), Reply::Simple("OK".into()));
        for number in (0..count).step_by(9) {
            let field = format!("f{number}");
            let before = client.ask(&["HPEXPIRETIME", "h", "FIELDS", "1", &field]);
            assert_eq!(client.ask(&["HPEXPIRETIME", "copy", "FIELDS", "1", &field]), before);
            assert_eq!(client.ask(&["HGET", "copy", &field]), client.ask(&["HGET", "h", &field]));
        }
        assert_eq!(client.ask(&["OBJECT", "ENCODING", "copy"]), client.ask(&["OBJECT", "ENCODING", "h"]));
    }
}

#[test]
fn payloads_of_other_servers_are_restored() {
    let (_server, mut client) = connected();
    // Redis 8.2, a listpack with deadlines: a 1, b hello, c 33; Valkey 9.1, the same.
    let redis = "1900c0afd69136000031310000000900816302210\
        1f400c0afd6913600000981610201 01f4006022 25aa3f00000981620285 68656c6c6f060001ff0c002dd97d4fdb4a3cef";
    let valkey = "160301 61c001006022 25aa3f00000162 0568656c6c6fffffffffffffffff0163c02100c0afd69136000050001272\
        8be01ba24966";
    for hex in [redis, valkey] {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let text = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16);
        let payload: Vec<u8> = digits.chunks(2).map(|pair| text(pair).unwrap_or_default()).collect();
        assert_eq!(client.ask(&[b"RESTORE", b"h".as_slice(), b"0", &payload, b"REPLACE"]), Reply::Simple("OK".into()));
        assert_wire(&mut client, &["HMGET", "h", "a", "b", "c"], b"*3\r\n$1\r\n1\r\n$5\r\nhello\r\n$2\r\n33\r\n");
        let deadlines = b"*3\r\n:70000000000000\r\n:-1\r\n:60000000000000\r\n";
        assert_wire(&mut client, &["HPEXPIRETIME", "h", "FIELDS", "3", "a", "b", "c"], deadlines);
    }
}

#[test]
fn a_module_in_c_reaches_hashes_through_the_service() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "modules/hash/tests/user.c", &[]);
    for entries in ["128", "0"] {
        let (_server, mut client) = connected();
        client.command(&["CONFIG", "SET", "hash-max-listpack-entries", entries]);
        assert_wire(&mut client, &["MODULE", "LOAD", &path], OK);
        client.command(&["SET", "text", "x"]);
        assert_wire(&mut client, &["HASHES.PROBE", "k"], OK);
    }
}

#[test]
fn a_condition_is_said_once() {
    let (_server, mut client) = connected();
    client.command(&["HSET", "h", "f", "v"]);
    let missing = b"-ERR Mandatory argument FIELDS is missing or not at the right position\r\n";
    assert_wire(&mut client, &["HEXPIRE", "h", "100", "XX", "XX", "FIELDS", "1", "f"], missing);
    assert_wire(&mut client, &["HEXPIRE", "h", "100", "NX", "NX", "FIELDS", "1", "f"], missing);
    assert_wire(&mut client, &["HEXPIRE", "h", "100", "NX", "FIELDS", "1", "f"], b"*1\r\n:1\r\n");
}

#[test]
fn what_is_watched_for_fields_that_expire_goes_with_the_key() {
    const COUNT: usize = 20_000;
    let (_server, mut client) = connected();
    let used = |client: &mut Client| -> usize {
        client.info("memory", "used_memory").and_then(|text| text.parse().ok()).expect("INFO tells")
    };
    let mut try_with = |end: fn(usize) -> Vec<String>, last: &str| {
        let before = used(&mut client);
        for number in 0..COUNT {
            let key = format!("key:{number}");
            client.send(&["HSET", &key, "f", "v"]);
            client.send(&["HEXPIRE", &key, "8640000", "FIELDS", "1", "f"]);
            client.send(&end(number));
            for _ in 0..3 {
                client.read();
            }
        }
        client.command(&[last]);
        wait_until("the memory is given back", || used(&mut client) < before + 500_000);
    };
    try_with(|number| vec!["DEL".into(), format!("key:{number}")], "PING");
    try_with(|number| vec!["SET".into(), format!("key:{number}"), "x".into(), "PX".into(), "1".into()], "PING");
    try_with(|_| vec!["PING".into()], "FLUSHALL");
}
