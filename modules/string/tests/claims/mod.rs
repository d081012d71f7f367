//! Every command of strings, as bytes in and out of a real server, over whatever storage
//! `super::server` starts one with.
//!
//! Expected replies are those of Redis 7.2; where a claim begins with `valkey_`, the command or
//! option is Valkey's, and so are the replies.

use plinth_testkit::{Client, Server, assert_wire};

const WRONGTYPE: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
const NOT_INTEGER: &[u8] = b"-ERR value is not an integer or out of range\r\n";
const NOT_FLOAT: &[u8] = b"-ERR value is not a valid float\r\n";
const SYNTAX: &[u8] = b"-ERR syntax error\r\n";
const NULL: &[u8] = b"$-1\r\n";
const OK: &[u8] = b"+OK\r\n";

fn connected() -> (Server, Client) {
    let server = super::server();
    let client = server.connect();
    (server, client)
}

/// A bulk string as bytes.
fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

#[test]
fn set_and_get_keep_any_bytes() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["GET", "k"], NULL);
    for value in [&b""[..], b"text", b"\x00\xff\r\n$5\r\n", b"12345", b"-9223372036854775808", b"007", &[b'x'; 5000]] {
        let set: [&[u8]; 3] = [b"SET", b"k", value];
        assert_wire(&mut client, &set, OK);
        let mut expected = format!("${}\r\n", value.len()).into_bytes();
        expected.extend_from_slice(value);
        expected.extend_from_slice(b"\r\n");
        assert_wire(&mut client, &["GET", "k"], expected);
    }
    let keys: [&[u8]; 3] = [b"SET", b"", b"the empty key"];
    assert_wire(&mut client, &keys, OK);
    assert_wire(&mut client, &["GET", ""], bulk("the empty key"));
}

#[test]
fn set_obeys_nx_xx_and_get() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SET", "k", "1", "XX"], NULL);
    assert_wire(&mut client, &["SET", "k", "1", "nx"], OK);
    assert_wire(&mut client, &["SET", "k", "2", "NX"], NULL);
    assert_wire(&mut client, &["SET", "k", "2", "XX"], OK);
    assert_wire(&mut client, &["SET", "k", "3", "GET"], bulk("2"));
    assert_wire(&mut client, &["SET", "k", "4", "NX", "GET"], bulk("3"));
    assert_wire(&mut client, &["SET", "l", "1", "NX", "GET"], NULL);
    assert_wire(&mut client, &["GET", "l"], bulk("1"));
    assert_wire(&mut client, &["SET", "m", "1", "XX", "GET"], NULL);
    assert_wire(&mut client, &["GET", "m"], NULL);
    assert_wire(&mut client, &["SET", "k", "5", "NX", "XX"], SYNTAX);
    assert_wire(&mut client, &["SET", "k", "5", "NOPE"], SYNTAX);
    assert_wire(&mut client, &["SET", "k"], b"-ERR wrong number of arguments for 'set' command\r\n");
}

#[test]
fn set_takes_every_form_of_expiry() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SET", "k", "v", "EX", "100"], OK);
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["SET", "k", "v", "PX", "99900"], OK);
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["SET", "k", "v", "EXAT", "33177117420"], OK);
    assert_wire(&mut client, &["EXPIRETIME", "k"], b":33177117420\r\n");
    assert_wire(&mut client, &["SET", "k", "v", "PXAT", "33177117420123"], OK);
    assert_wire(&mut client, &["PEXPIRETIME", "k"], b":33177117420123\r\n");
    assert_wire(&mut client, &["SET", "k", "w", "KEEPTTL"], OK);
    assert_wire(&mut client, &["PEXPIRETIME", "k"], b":33177117420123\r\n");
    assert_wire(&mut client, &["SET", "k", "w"], OK);
    assert_wire(&mut client, &["TTL", "k"], b":-1\r\n");
    // A moment in the past: the key is gone at once.
    assert_wire(&mut client, &["SET", "k", "v", "PXAT", "1"], OK);
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
}

#[test]
fn set_refuses_a_wrong_expiry() {
    let (_server, mut client) = connected();
    let invalid = b"-ERR invalid expire time in 'set' command\r\n";
    for (option, value) in [("EX", "0"), ("EX", "-1"), ("PX", "0"), ("EX", "9223372036854775807"), ("EXAT", "-5")] {
        assert_wire(&mut client, &["SET", "k", "v", option, value], invalid);
    }
    assert_wire(&mut client, &["SET", "k", "v", "EX", "soon"], NOT_INTEGER);
    assert_wire(&mut client, &["SET", "k", "v", "EX"], SYNTAX);
    assert_wire(&mut client, &["SET", "k", "v", "EX", "1", "PX", "1"], SYNTAX);
    assert_wire(&mut client, &["SET", "k", "v", "EX", "1", "KEEPTTL"], SYNTAX);
    assert_wire(&mut client, &["GET", "k"], NULL);
}

#[test]
fn setnx_setex_psetex_and_getset_are_the_old_forms() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SETNX", "k", "1"], b":1\r\n");
    assert_wire(&mut client, &["SETNX", "k", "2"], b":0\r\n");
    assert_wire(&mut client, &["GETSET", "k", "3"], bulk("1"));
    assert_wire(&mut client, &["GETSET", "l", "3"], NULL);
    assert_wire(&mut client, &["SETEX", "k", "100", "v"], OK);
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["PSETEX", "k", "99900", "v"], OK);
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["GETSET", "k", "w"], bulk("v"));
    assert_wire(&mut client, &["TTL", "k"], b":-1\r\n");
    assert_wire(&mut client, &["SETEX", "k", "0", "v"], b"-ERR invalid expire time in 'setex' command\r\n");
    assert_wire(&mut client, &["PSETEX", "k", "-1", "v"], b"-ERR invalid expire time in 'psetex' command\r\n");
    assert_wire(&mut client, &["SETEX", "k", "x", "v"], NOT_INTEGER);
}

#[test]
fn getdel_gives_and_removes() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["GETDEL", "k"], bulk("v"));
    assert_wire(&mut client, &["GETDEL", "k"], NULL);
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
}

#[test]
fn getex_changes_the_expiry() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["GETEX", "k", "EX", "10"], NULL);
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["GETEX", "k", "EX", "100"], bulk("v"));
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["GETEX", "k"], bulk("v"));
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
    assert_wire(&mut client, &["GETEX", "k", "PXAT", "33177117420000"], bulk("v"));
    assert_wire(&mut client, &["EXPIRETIME", "k"], b":33177117420\r\n");
    assert_wire(&mut client, &["GETEX", "k", "PERSIST"], bulk("v"));
    assert_wire(&mut client, &["TTL", "k"], b":-1\r\n");
    assert_wire(&mut client, &["GETEX", "k", "PERSIST", "EX", "1"], SYNTAX);
    assert_wire(&mut client, &["GETEX", "k", "EX", "0"], b"-ERR invalid expire time in 'getex' command\r\n");
    assert_wire(&mut client, &["GETEX", "k", "PXAT", "1"], bulk("v"));
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
}

#[test]
fn append_and_strlen_count_bytes() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["STRLEN", "k"], b":0\r\n");
    assert_wire(&mut client, &["APPEND", "k", "12"], b":2\r\n");
    assert_wire(&mut client, &["APPEND", "k", "34"], b":4\r\n");
    assert_wire(&mut client, &["GET", "k"], bulk("1234"));
    assert_wire(&mut client, &["INCR", "k"], b":1235\r\n");
    assert_wire(&mut client, &["APPEND", "k", ""], b":4\r\n");
    assert_wire(&mut client, &["STRLEN", "k"], b":4\r\n");
    let mut expected = "1235".to_owned();
    for part in 0..200 {
        let piece = format!("<{part}>");
        expected.push_str(&piece);
        assert_wire(&mut client, &["APPEND", "k", &piece], format!(":{}\r\n", expected.len()));
    }
    assert_wire(&mut client, &["GET", "k"], bulk(&expected));
}

#[test]
fn an_empty_append_makes_a_key() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["APPEND", "k", ""], b":0\r\n");
    assert_wire(&mut client, &["EXISTS", "k"], b":1\r\n");
}

#[test]
fn setrange_overwrites_and_pads() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SETRANGE", "k", "3", ""], b":0\r\n");
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
    assert_wire(&mut client, &["SETRANGE", "k", "3", "abc"], b":6\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$6\r\n\0\0\0abc\r\n");
    assert_wire(&mut client, &["SETRANGE", "k", "1", "XY"], b":6\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$6\r\n\0XYabc\r\n");
    client.command(&["SET", "n", "1234"]);
    assert_wire(&mut client, &["SETRANGE", "n", "2", "99"], b":4\r\n");
    assert_wire(&mut client, &["INCR", "n"], b":1300\r\n");
    assert_wire(&mut client, &["SETRANGE", "k", "-1", "x"], b"-ERR offset is out of range\r\n");
    assert_wire(
        &mut client,
        &["SETRANGE", "k", "536870912", "x"],
        b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n",
    );
    assert_wire(&mut client, &["SETRANGE", "k", "x", "x"], NOT_INTEGER);
}

#[test]
fn getrange_counts_from_both_ends() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "Hello World"]);
    for (from, to, expected) in [
        ("0", "3", "Hell"),
        ("0", "-1", "Hello World"),
        ("-4", "-1", "orld"),
        ("5", "3", ""),
        ("5", "5000", " World"),
        ("-5000", "1", "He"),
        ("-1", "-5", ""),
    ] {
        assert_wire(&mut client, &["GETRANGE", "k", from, to], bulk(expected));
        assert_wire(&mut client, &["SUBSTR", "k", from, to], bulk(expected));
    }
    client.command(&["SET", "n", "12345"]);
    assert_wire(&mut client, &["GETRANGE", "n", "1", "-2"], bulk("234"));
    assert_wire(&mut client, &["GETRANGE", "absent", "0", "-1"], bulk(""));
    assert_wire(&mut client, &["GETRANGE", "k", "x", "1"], NOT_INTEGER);
}

#[test]
fn incr_and_decr_count() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["INCR", "k"], b":1\r\n");
    assert_wire(&mut client, &["INCRBY", "k", "41"], b":42\r\n");
    assert_wire(&mut client, &["DECR", "k"], b":41\r\n");
    assert_wire(&mut client, &["DECRBY", "k", "50"], b":-9\r\n");
    assert_wire(&mut client, &["INCRBY", "k", "-1"], b":-10\r\n");
    assert_wire(&mut client, &["GET", "k"], bulk("-10"));
    assert_wire(&mut client, &["INCRBY", "k", "x"], NOT_INTEGER);
    assert_wire(&mut client, &["INCRBY", "k", "1.5"], NOT_INTEGER);
}

#[test]
fn counting_past_the_ends_is_refused() {
    let (_server, mut client) = connected();
    let overflow = b"-ERR increment or decrement would overflow\r\n";
    client.command(&["SET", "k", "9223372036854775807"]);
    assert_wire(&mut client, &["INCR", "k"], overflow);
    client.command(&["SET", "k", "-9223372036854775808"]);
    assert_wire(&mut client, &["DECR", "k"], overflow);
    assert_wire(&mut client, &["GET", "k"], bulk("-9223372036854775808"));
    assert_wire(&mut client, &["DECRBY", "k", "-9223372036854775808"], b"-ERR decrement would overflow\r\n");
    for value in ["", " 1", "1 ", "01", "+1", "0x1", "1.0", "9223372036854775808", "text"] {
        client.command(&["SET", "k", value]);
        assert_wire(&mut client, &["INCR", "k"], NOT_INTEGER);
    }
}

#[test]
fn counting_keeps_the_expiry() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "1", "EX", "100"]);
    client.command(&["INCR", "k"]);
    client.command(&["APPEND", "k", "0"]);
    client.command(&["SETRANGE", "k", "0", "3"]);
    client.command(&["INCRBYFLOAT", "k", "0.5"]);
    assert_wire(&mut client, &["GET", "k"], bulk("30.5"));
    assert_wire(&mut client, &["TTL", "k"], b":100\r\n");
}

#[test]
fn incrbyfloat_adds_without_noise() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "10.50"], bulk("10.5"));
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "0.1"], bulk("10.6"));
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "-5"], bulk("5.6"));
    // Redis counts with 80 bits, and it shows.
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "5.0e3"], bulk("5005.60000000000000009"));
    assert_wire(&mut client, &["SET", "k", "5.0e3"], OK);
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "2.0e2"], bulk("5200"));
    assert_wire(&mut client, &["SET", "k", "3"], OK);
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "1.1"], bulk("4.1"));
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "-1.1"], bulk("3"));
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "x"], NOT_FLOAT);
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "nan"], NOT_FLOAT);
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "+inf"], b"-ERR increment would produce NaN or Infinity\r\n");
    client.command(&["SET", "k", " 1"]);
    assert_wire(&mut client, &["INCRBYFLOAT", "k", "1"], NOT_FLOAT);
}

#[test]
fn mget_and_mset_take_many() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["MSET", "a", "1", "b", "2", "a", "3"], OK);
    assert_wire(&mut client, &["MGET", "a", "absent", "b", "a"], b"*4\r\n$1\r\n3\r\n$-1\r\n$1\r\n2\r\n$1\r\n3\r\n");
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["MGET", "absent"], b"*1\r\n_\r\n");
    client.command(&["HELLO", "2"]);
    assert_wire(&mut client, &["MSET", "a", "1", "b"], b"-ERR wrong number of arguments for 'mset' command\r\n");
    assert_wire(&mut client, &["MGET"], b"-ERR wrong number of arguments for 'mget' command\r\n");
}

#[test]
fn msetnx_sets_all_or_nothing() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["MSETNX", "a", "1", "b", "2"], b":1\r\n");
    assert_wire(&mut client, &["MSETNX", "c", "1", "b", "3"], b":0\r\n");
    assert_wire(&mut client, &["MGET", "a", "b", "c"], b"*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n");
    assert_wire(&mut client, &["MSETNX", "c"], b"-ERR wrong number of arguments for 'msetnx' command\r\n");
}

#[test]
fn lcs_finds_the_longest_common_subsequence() {
    let (_server, mut client) = connected();
    client.command(&["MSET", "a", "ohmytext", "b", "mynewtext"]);
    assert_wire(&mut client, &["LCS", "a", "b"], bulk("mytext"));
    assert_wire(&mut client, &["LCS", "a", "b", "LEN"], b":6\r\n");
    assert_wire(&mut client, &["LCS", "a", "absent"], bulk(""));
    assert_wire(
        &mut client,
        &["LCS", "a", "b", "IDX"],
        b"*4\r\n$7\r\nmatches\r\n*2\r\n*2\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n*2\r\n*2\r\n:2\r\n:3\r\n*2\r\n:0\r\n:1\r\n$3\r\nlen\r\n:6\r\n",
    );
    assert_wire(
        &mut client,
        &["LCS", "a", "b", "IDX", "MINMATCHLEN", "4", "WITHMATCHLEN"],
        b"*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6\r\n",
    );
    assert_wire(
        &mut client,
        &["LCS", "a", "b", "IDX", "LEN"],
        b"-ERR If you want both the length and indexes, please just use IDX.\r\n",
    );
    assert_wire(&mut client, &["LCS", "a", "b", "NOPE"], SYNTAX);
}

#[test]
fn valkey_delifeq_removes_an_equal_value() {
    let (_server, mut client) = connected();
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["DELIFEQ", "k", "w"], b":0\r\n");
    assert_wire(&mut client, &["DELIFEQ", "k", "v"], b":1\r\n");
    assert_wire(&mut client, &["DELIFEQ", "k", "v"], b":0\r\n");
    client.command(&["SET", "n", "12"]);
    assert_wire(&mut client, &["DELIFEQ", "n", "012"], b":0\r\n");
    assert_wire(&mut client, &["DELIFEQ", "n", "12"], b":1\r\n");
}

#[test]
fn valkey_msetex_sets_many_with_conditions_and_an_expiry() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["MSETEX", "2", "a", "1", "b", "2", "EX", "100"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "a"], b":100\r\n");
    assert_wire(&mut client, &["MSETEX", "2", "a", "1", "c", "2", "NX"], b":0\r\n");
    assert_wire(&mut client, &["MSETEX", "2", "c", "1", "d", "2", "NX"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "c"], b":-1\r\n");
    assert_wire(&mut client, &["MSETEX", "2", "d", "9", "e", "2", "XX"], b":0\r\n");
    assert_wire(&mut client, &["MSETEX", "1", "a", "5", "KEEPTTL"], b":1\r\n");
    assert_wire(&mut client, &["TTL", "a"], b":100\r\n");
    assert_wire(
        &mut client,
        &["MGET", "a", "b", "c", "d", "e"],
        b"*5\r\n$1\r\n5\r\n$1\r\n2\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n",
    );
    let numkeys = b"-ERR invalid numkeys value or out of range\r\n";
    assert_wire(&mut client, &["MSETEX", "0", "d", "1"], numkeys);
    assert_wire(&mut client, &["MSETEX", "x", "d", "1"], numkeys);
    assert_wire(&mut client, &["MSETEX", "1", "d", "1", "NX", "XX"], SYNTAX);
    assert_wire(
        &mut client,
        &["MSETEX", "1", "d", "1", "EX", "0"],
        b"-ERR invalid expire time in 'msetex' command\r\n",
    );
}

#[test]
fn valkey_set_ifeq_compares_first() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["SET", "k", "w", "IFEQ", "v"], NULL);
    assert_wire(&mut client, &["EXISTS", "k"], b":0\r\n");
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["SET", "k", "w", "IFEQ", "x"], NULL);
    assert_wire(&mut client, &["SET", "k", "w", "IFEQ", "v"], OK);
    assert_wire(&mut client, &["SET", "k", "z", "IFEQ", "v", "GET"], bulk("w"));
    assert_wire(&mut client, &["GET", "k"], bulk("w"));
    assert_wire(&mut client, &["SET", "k", "w", "IFEQ", "v", "NX"], SYNTAX);
}

#[test]
fn another_type_is_refused() {
    let server = Server::with(&["--loadmodule", &plinth_testkit::build::library("gauge")]);
    let mut client = server.connect();
    client.command(&["GAUGE.PUSH", "g", "1"]);
    for command in [
        &["GET", "g"][..],
        &["GETDEL", "g"],
        &["GETEX", "g"],
        &["GETSET", "g", "1"],
        &["SET", "g", "1", "GET"],
        &["APPEND", "g", "1"],
        &["STRLEN", "g"],
        &["GETRANGE", "g", "0", "1"],
        &["SETRANGE", "g", "0", "1"],
        &["INCR", "g"],
        &["INCRBYFLOAT", "g", "1"],
    ] {
        assert_wire(&mut client, command, WRONGTYPE);
    }
    assert_wire(&mut client, &["MGET", "g"], b"*1\r\n$-1\r\n");
    assert_wire(&mut client, &["GAUGE.PUSH", "g", "2"], b":2\r\n");
    assert_wire(&mut client, &["SET", "g", "1"], OK);
    assert_wire(&mut client, &["GET", "g"], bulk("1"));
    assert_wire(&mut client, &["GAUGE.PUSH", "g", "2"], WRONGTYPE);
}

#[test]
fn encodings_are_those_of_redis() {
    let (_server, mut client) = connected();
    for (value, encoding) in [("12345", "int"), ("-1", "int"), ("01", "embstr"), ("text", "embstr")] {
        client.command(&["SET", "k", value]);
        assert_wire(&mut client, &["OBJECT", "ENCODING", "k"], bulk(encoding));
    }
    client.command(&["SET", "k", &"x".repeat(44)]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "k"], bulk("embstr"));
    client.command(&["SET", "k", &"x".repeat(45)]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "k"], bulk("raw"));
    client.command(&["SET", "k", "1"]);
    client.command(&["APPEND", "k", "2"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "k"], bulk("raw"));
    client.command(&["INCR", "k"]);
    assert_wire(&mut client, &["OBJECT", "ENCODING", "k"], bulk("int"));
}
