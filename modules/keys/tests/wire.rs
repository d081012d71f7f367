//! Every command of the module, as bytes in and out of a real server.

use plinth_testkit::{Client, Reply, Server, assert_wire, build, wait_until};
use std::time::Duration;

const OK: &[u8] = b"+OK\r\n";
const NOT_INTEGER: &[u8] = b"-ERR value is not an integer or out of range\r\n";
const NO_SUCH_KEY: &[u8] = b"-ERR no such key\r\n";
const SYNTAX: &[u8] = b"-ERR syntax error\r\n";

fn connected() -> (Server, Client) {
    let server = Server::start();
    let client = server.connect();
    (server, client)
}

fn payload(client: &mut Client, key: &str) -> Vec<u8> {
    match client.ask(&["DUMP", key]) {
        Reply::Bulk(bytes) => bytes,
        other => panic!("{other:?} is no payload"),
    }
}

#[test]
fn del_unlink_exists_and_touch_count_keys() {
    let (_server, mut client) = connected();
    client.command(&["MSET", "a", "1", "b", "2", "c", "3", "d", "4"]);
    assert_wire(&mut client, &["EXISTS", "a", "a", "absent", "b"], b":3\r\n");
    assert_wire(&mut client, &["TOUCH", "a", "absent", "b"], b":2\r\n");
    assert_wire(&mut client, &["DEL", "a", "absent", "a"], b":1\r\n");
    assert_wire(&mut client, &["UNLINK", "b", "c", "absent"], b":2\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
    assert_wire(&mut client, &["DEL"], b"-ERR wrong number of arguments for 'del' command\r\n");
}

#[test]
fn type_names_the_type() {
    let server = Server::with(&["--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    client.command(&["SET", "s", "v"]);
    client.command(&["GAUGE.PUSH", "g", "1"]);
    assert_wire(&mut client, &["TYPE", "s"], b"+string\r\n");
    assert_wire(&mut client, &["TYPE", "g"], b"+com.example.gauge\r\n");
    assert_wire(&mut client, &["TYPE", "absent"], b"+none\r\n");
}

#[test]
fn every_command_of_expiry_sets_it() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["TTL", "k"], b":-1\r\n");
    assert_wire(&mut client, &["PTTL", "k"], b":-1\r\n");
    assert_wire(&mut client, &["EXPIRETIME", "k"], b":-1\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "100"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["PEXPIRE", "k", "99900"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["EXPIREAT", "k", "33177117420"], b":1\r\n");
    assert_wire(&mut client, &["EXPIRETIME", "k"], b":33177117420\r\n");
    assert_wire(&mut client, &["PEXPIREAT", "k", "33177117420123"], b":1\r\n");
    assert_wire(&mut client, &["PEXPIRETIME", "k"], b":33177117420123\r\n");
    assert_wire(&mut client, &["PERSIST", "k"], b":1\r\n");
    assert_wire(&mut client, &["PERSIST", "k"], b":0\r\n");
    assert_wire(&mut client, &["TTL", "k"], b":-1\r\n");
    for command in ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"] {
        assert_wire(&mut client, &[command, "absent"], b":-2\r\n");
    }
    assert_wire(&mut client, &["EXPIRE", "absent", "1"], b":0\r\n");
    assert_wire(&mut client, &["PERSIST", "absent"], b":0\r\n");
}

#[test]
fn expiry_obeys_nx_xx_gt_and_lt() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["EXPIRE", "k", "100", "XX"], b":0\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "100", "GT"], b":0\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "100", "LT"], b":1\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "200", "NX"], b":0\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "200", "LT"], b":0\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "200", "gt"], b":1\r\n");
    assert_wire(&mut client, &["EXPIRE", "k", "300", "XX", "GT"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "k"], b":300\r\n");
    assert_wire(
        &mut client,
        &["EXPIRE", "k", "1", "NX", "XX"],
        b"-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
    );
    assert_wire(
        &mut client,
        &["EXPIRE", "k", "1", "GT", "LT"],
        b"-ERR GT and LT options at the same time are not compatible\r\n",
    );
    assert_wire(&mut client, &["EXPIRE", "k", "1", "AB"], b"-ERR Unsupported option AB\r\n");
}

#[test]
fn an_expiry_in_the_past_removes_the_key() {
    let (_server, mut client) = connected();
    for command in [["EXPIRE", "k", "-1"], ["PEXPIRE", "k", "0"], ["EXPIREAT", "k", "1"], ["PEXPIREAT", "k", "1"]] {
        client.command(&["SET", "k", "v"]);
        assert_wire(&mut client, &command, b":1\r\n");
        assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
    }
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["EXPIRE", "k", "x"], NOT_INTEGER);
    for seconds in ["9223372036854775807", "-9223372036854775807"] {
        assert_wire(&mut client, &["EXPIRE", "k", seconds], b"-ERR invalid expire time in 'expire' command\r\n");
    }
    assert_wire(
        &mut client,
        &["PEXPIRE", "k", "9223372036854775807"],
        b"-ERR invalid expire time in 'pexpire' command\r\n",
    );
    assert_wire(&mut client, &["TTL", "k"], b":-1\r\n");
}

#[test]
fn a_key_is_gone_after_its_time() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["PEXPIRE", "k", "20"], b":1\r\n");
    std::thread::sleep(Duration::from_millis(40));
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
    assert_wire(&mut client, &["TTL", "k"], b":-2\r\n");
    assert_wire(&mut client, &["RENAME", "k", "l"], NO_SUCH_KEY);
}

#[test]
fn keys_matches_patterns() {
    let (_server, mut client) = connected();
    client.command(&["MSET", "hello", "1", "hallo", "1", "hxllo", "1", "hllo", "1", "heeeello", "1", "h*llo", "1"]);
    for (pattern, expected) in [
        ("h?llo", vec!["h*llo", "hallo", "hello", "hxllo"]),
        ("h*llo", vec!["h*llo", "hallo", "heeeello", "hello", "hllo", "hxllo"]),
        ("h[ae]llo", vec!["hallo", "hello"]),
        ("h[^e]llo", vec!["h*llo", "hallo", "hxllo"]),
        ("h[a-b]llo", vec!["hallo"]),
        ("h\\*llo", vec!["h*llo"]),
        ("absent*", vec![]),
    ] {
        let mut found = client.ask(&["KEYS", pattern]).texts();
        found.sort();
        assert_eq!(found, expected, "{pattern}");
    }
}

#[test]
fn scan_ends_and_returns_each_key() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SCAN", "0"], b"*2\r\n$1\r\n0\r\n*0\r\n");
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["SCAN", "0"], b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n");
    assert_wire(
        &mut client,
        &["SCAN", "0", "TYPE", "STRING", "MATCH", "k*", "COUNT", "100"],
        b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n",
    );
    assert_wire(&mut client, &["SCAN", "0", "MATCH", "x*"], b"*2\r\n$1\r\n0\r\n*0\r\n");
    assert_wire(&mut client, &["SCAN", "nowhere"], b"-ERR invalid cursor\r\n");
    assert_wire(&mut client, &["SCAN", "0", "COUNT", "-1"], SYNTAX);
}

#[test]
fn randomkey_reaches_every_key() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["RANDOMKEY"], b"$-1\r\n");
    client.command(&["MSET", "a", "1", "b", "2", "c", "3"]);
    let mut seen = std::collections::HashSet::new();
    wait_until("each has come", || {
        seen.insert(client.text(&["RANDOMKEY"]));
        seen.len() == 3
    });
}

#[test]
fn rename_takes_value_and_expiry_along() {
    let (_server, mut client) = connected();
    client.command(&["SET", "a", "1", "EX", "100"]);
    client.command(&["SET", "b", "2"]);
    assert_wire(&mut client, &["RENAMENX", "a", "b"], b":0\r\n");
    assert_wire(&mut client, &["RENAMENX", "a", "c"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "c"], b":100\r\n");
    assert_wire(&mut client, &["RENAME", "b", "c"], OK);
    assert_wire(&mut client, &["TTL", "c"], b":-1\r\n");
    assert_wire(&mut client, &["GET", "c"], b"$1\r\n2\r\n");
    assert_wire(&mut client, &["RENAME", "c", "c"], OK);
    assert_wire(&mut client, &["RENAMENX", "c", "c"], b":0\r\n");
    assert_wire(&mut client, &["RENAME", "absent", "x"], NO_SUCH_KEY);
    assert_wire(&mut client, &["RENAMENX", "absent", "x"], NO_SUCH_KEY);
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
}

#[test]
fn move_changes_the_database() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v", "EX", "100"]);
    assert_wire(&mut client, &["MOVE", "k", "1"], b":1\r\n");
    assert_wire(&mut client, &["MOVE", "k", "1"], b":0\r\n");
    client.command(&["SET", "k", "w"]);
    assert_wire(&mut client, &["MOVE", "k", "1"], b":0\r\n");
    assert_wire(&mut client, &["MOVE", "k", "0"], b"-ERR source and destination objects are the same\r\n");
    assert_wire(&mut client, &["MOVE", "k", "16"], b"-ERR DB index is out of range\r\n");
    assert_wire(&mut client, &["MOVE", "k", "x"], NOT_INTEGER);
    client.command(&["SELECT", "1"]);
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
}

#[test]
fn copy_leaves_the_source() {
    let (_server, mut client) = connected();
    client.command(&["SET", "a", "1", "EX", "100"]);
    assert_wire(&mut client, &["COPY", "a", "b"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "b"], b":100\r\n");
    client.command(&["APPEND", "b", "2"]);
    assert_wire(&mut client, &["GET", "a"], b"$1\r\n1\r\n");
    assert_wire(&mut client, &["COPY", "a", "b"], b":0\r\n");
    assert_wire(&mut client, &["COPY", "a", "b", "REPLACE"], b":1\r\n");
    assert_wire(&mut client, &["GET", "b"], b"$1\r\n1\r\n");
    assert_wire(&mut client, &["COPY", "a", "a", "DB", "3"], b":1\r\n");
    assert_wire(&mut client, &["COPY", "a", "a"], b"-ERR source and destination objects are the same\r\n");
    assert_wire(&mut client, &["COPY", "absent", "c"], b":0\r\n");
    assert_wire(&mut client, &["COPY", "a", "c", "DB", "16"], b"-ERR DB index is out of range\r\n");
    assert_wire(&mut client, &["COPY", "a", "c", "NOPE"], SYNTAX);
}

#[test]
fn object_describes_a_value() {
    let (_server, mut client) = connected();
    client.command(&["SET", "n", "12"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "n"], b"$3\r\nint\r\n");
    assert_wire(&mut client, &["OBJECT", "IDLETIME", "n"], b":0\r\n");
    assert!(client.ask(&["OBJECT", "REFCOUNT", "n"]).integer() >= 1);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "absent"], b"$-1\r\n");
    let said = client.text(&["OBJECT", "FREQ", "n"]);
    assert!(said.starts_with("ERR An LFU maxmemory policy is not selected"), "{said}");
    client.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lfu"]);
    client.command(&["SET", "f", "1"]);
    assert!(client.ask(&["OBJECT", "FREQ", "f"]).integer() >= 0);
    let said = client.text(&["OBJECT", "IDLETIME", "f"]);
    assert!(said.starts_with("ERR An LFU maxmemory policy is selected"), "{said}");
    assert!(client.ask(&["OBJECT", "HELP"]).items().len() > 5);
}

#[test]
fn dump_writes_redis_payloads() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["DUMP", "absent"], b"$-1\r\n");
    client.command(&["SET", "k", "abc"]);
    let bytes = payload(&mut client, "k");
    // Type 0, a string of 3 bytes; then version and CRC-64.
    assert_eq!(bytes[..5], *b"\x00\x03abc");
    assert_eq!(bytes.len(), 5 + 2 + 8);
    client.command(&["SET", "n", "7"]);
    assert_eq!(payload(&mut client, "n")[..3], *b"\x00\xc0\x07");
}

/// What Redis 7.0 replies to DUMP for some values; the last one is compressed.
const REDIS_7_0: [(&str, &[u8]); 3] = [
    ("hello", b"\x00\x05hello\x0a\x00cr\xdfve4\x20\x0a"),
    ("300", b"\x00\xc1,\x01\x0a\x00\x95Ba\xf2e\x82\x5c\x10"),
    (
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"\x00\xc3\x09@d\x01aa\xe0W\x00\x01aa\x0a\x00\xe8\xa3\xb5\x07\xb0m\xf2q",
    ),
];

#[test]
fn restore_reads_the_payloads_of_redis() {
    let (_server, mut client) = connected();
    for (value, bytes) in REDIS_7_0 {
        let restore: [&[u8]; 5] = [b"RESTORE", b"k", b"0", bytes, b"REPLACE"];
        assert_wire(&mut client, &restore, OK);
        assert_wire(&mut client, &["GET", "k"], format!("${}\r\n{value}\r\n", value.len()));
    }
}

#[test]
fn restore_gives_back_what_was_dumped() {
    let (_server, mut client) = connected();
    let values: [&[u8]; 6] = [b"", b"text", b"-129", b"9223372036854775807", &[b'a'; 3000], b"\x00\xff"];
    for value in values {
        let set: [&[u8]; 3] = [b"SET", b"k", value];
        client.command(&set);
        let bytes = payload(&mut client, "k");
        let restore: [&[u8]; 5] = [b"RESTORE", b"l", b"0", &bytes, b"REPLACE"];
        assert_wire(&mut client, &restore, OK);
        assert_eq!(client.command(&["GET", "l"]), client.command(&["GET", "k"]));
    }
}

#[test]
fn restore_takes_expiry_and_clocks() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v"]);
    let bytes = payload(&mut client, "k");
    let restore: [&[u8]; 4] = [b"RESTORE", b"k", b"0", &bytes];
    assert_wire(&mut client, &restore, b"-BUSYKEY Target key name already exists.\r\n");
    let restore: [&[u8]; 5] = [b"RESTORE", b"k", b"99900", &bytes, b"REPLACE"];
    assert_wire(&mut client, &restore, OK);
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    let restore: [&[u8]; 6] = [b"RESTORE", b"k", b"33177117420000", &bytes, b"ABSTTL", b"REPLACE"];
    assert_wire(&mut client, &restore, OK);
    assert_wire(&mut client, &["EXPIRETIME", "k"], b":33177117420\r\n");
    let restore: [&[u8]; 7] = [b"RESTORE", b"k", b"0", &bytes, b"REPLACE", b"IDLETIME", b"1000"];
    assert_wire(&mut client, &restore, OK);
    assert!((1000..1010).contains(&client.ask(&["OBJECT", "IDLETIME", "k"]).integer()));
    let restore: [&[u8]; 6] = [b"RESTORE", b"gone", b"1", &bytes, b"ABSTTL", b"REPLACE"];
    assert_wire(&mut client, &restore, OK);
    assert_wire(&mut client, &["EXISTS", "gone"], b":0\r\n");
    let restore: [&[u8]; 4] = [b"RESTORE", b"x", b"-1", &bytes];
    assert_wire(&mut client, &restore, b"-ERR Invalid TTL value, must be >= 0\r\n");
    let restore: [&[u8]; 5] = [b"RESTORE", b"x", b"0", &bytes, b"NOPE"];
    assert_wire(&mut client, &restore, SYNTAX);
}

#[test]
fn a_payload_that_was_changed_is_refused() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "value"]);
    let bytes = payload(&mut client, "k");
    let wrong = b"-ERR DUMP payload version or checksum are wrong\r\n";
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let restore: [&[u8]; 4] = [b"RESTORE", b"l", b"0", &damaged];
        assert_wire(&mut client, &restore, wrong);
    }
    for len in 0..bytes.len() {
        let restore: [&[u8]; 4] = [b"RESTORE", b"l", b"0", &bytes[..len]];
        assert_wire(&mut client, &restore, wrong);
    }
    // Version and checksum are right, and nobody has this type.
    let restore: [&[u8]; 4] = [b"RESTORE", b"l", b"0", b"\xee\x01\x0a\x00\xde\x31\x30\x98\x8d\xc3\x86\x35"];
    assert_wire(&mut client, &restore, b"-ERR Bad data format\r\n");
    assert_wire(&mut client, &["EXISTS", "l"], b":0\r\n");
}

#[test]
fn flushdb_flushall_and_swapdb_work_on_whole_databases() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "0"]);
    client.command(&["SELECT", "1"]);
    client.command(&["MSET", "a", "1", "b", "1"]);
    assert_wire(&mut client, &["SWAPDB", "0", "1"], OK);
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
    assert_wire(&mut client, &["FLUSHDB", "SYNC"], OK);
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    client.command(&["SELECT", "0"]);
    assert_wire(&mut client, &["DBSIZE"], b":2\r\n");
    assert_wire(&mut client, &["FLUSHALL", "ASYNC"], OK);
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    assert_wire(&mut client, &["FLUSHALL", "NOPE"], SYNTAX);
    assert_wire(&mut client, &["SWAPDB", "0", "16"], b"-ERR DB index is out of range\r\n");
    assert_wire(&mut client, &["SWAPDB", "x", "1"], b"-ERR invalid first DB index\r\n");
    assert_wire(&mut client, &["SWAPDB", "1", "x"], b"-ERR invalid second DB index\r\n");
}

/// Whatever the type: a look at the type is a look at the key.
#[test]
fn scan_removes_what_has_expired_among_the_names_that_fit() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["DEBUG", "SET-ACTIVE-EXPIRE", "0"], b"+OK\r\n");
    client.command(&["SET", "a", "1", "PX", "1"]);
    client.command(&["SET", "b", "1", "PX", "1"]);
    wait_until("they have expired", || client.ask(&["KEYS", "*"]).items().is_empty());
    assert_wire(&mut client, &["SCAN", "0", "MATCH", "a", "TYPE", "list"], b"*2\r\n$1\r\n0\r\n*0\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
    assert_wire(&mut client, &["SCAN", "0", "TYPE", "list"], b"*2\r\n$1\r\n0\r\n*0\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
}

#[test]
fn restore_refuses_a_time_that_cannot_be_told() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v"]);
    let payload = payload(&mut client, "k");
    let restore = |ttl: &'static str| [b"RESTORE".to_vec(), b"l".to_vec(), ttl.into(), payload.clone()];
    let refused = b"-ERR invalid expire time in 'restore' command\r\n";
    assert_wire(&mut client, &restore("9223372036854775807"), refused);
    assert_wire(&mut client, &["EXISTS", "l"], b":0\r\n");
    assert_wire(&mut client, &restore("9223370000000000000"), b"+OK\r\n");
}

#[test]
fn the_target_of_sort_is_written() {
    let (_server, mut client) = connected();
    assert_wire(
        &mut client,
        &["COMMAND", "GETKEYSANDFLAGS", "SORT", "a", "STORE", "b"],
        b"*2\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n*2\r\n$1\r\nb\r\n*2\r\n+OW\r\n+update\r\n",
    );
}

#[test]
fn a_key_that_goes_elsewhere_is_one_change() {
    let (_server, mut client) = connected();
    client.command(&["SET", "a", "1"]);
    let changes = |client: &mut Client| -> i64 {
        let count = client.info("persistence", "rdb_changes_since_last_save").expect("a count");
        count.parse().expect("a number")
    };
    let before = changes(&mut client);
    assert_wire(&mut client, &["RENAME", "a", "b"], b"+OK\r\n");
    assert_eq!(changes(&mut client), before + 1);
    assert_wire(&mut client, &["MOVE", "b", "1"], b":1\r\n");
    assert_eq!(changes(&mut client), before + 2);
}

/// Payloads that Redis 7.0 refuses without a checksum to tell it: an empty element in a node of its own, and a
/// ziplist whose tail is nowhere.
#[test]
fn restore_refuses_values_that_do_not_hang_together() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1"], b"+OK\r\n");
    let list = b"\x12\x01\x01\x00\x0a\x00\x8f\xc6\xc0\x57\x1c\x0a\xb3\x3c";
    let zset = b"\x0C\x19\x19\x00\x00\x00\x02\x00\x00\x00\x06\x00\x00\xF1\x02\xF1\x02\x02\x5F\x31\x04\xF2\x02\xF3\
        \x02\xF3\xFF\x09\x00\x4D\x72\x7B\x97\xCD\x9A\x70\xC1";
    for payload in [&list[..], zset] {
        assert_wire(&mut client, &[&b"RESTORE"[..], b"k", b"0", payload], b"-ERR Bad data format\r\n");
    }
    assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
}
