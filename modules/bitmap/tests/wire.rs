//! Every command of the module, as bytes in and out of a real server.
//!
//! Expected replies are those of Redis 7.2, and of Redis 8.2 for the operations that it has added.

#![deny(unsafe_code)]
#![allow(missing_docs)]

use plinth_testkit::{Client, Server, assert_wire};

const WRONGTYPE: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
const NOT_INTEGER: &[u8] = b"-ERR value is not an integer or out of range\r\n";
const BAD_OFFSET: &[u8] = b"-ERR bit offset is not an integer or out of range\r\n";
const BAD_BIT: &[u8] = b"-ERR bit is not an integer or out of range\r\n";
const SYNTAX: &[u8] = b"-ERR syntax error\r\n";
const BAD_KIND: &[u8] =
    b"-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n";

fn connected() -> (Server, Client) {
    let server = Server::start();
    let client = server.connect();
    (server, client)
}

/// Sends a command whose words have no space, and compares its reply.
#[track_caller]
fn says(client: &mut Client, command: &str, expected: impl AsRef<[u8]>) {
    assert_wire(client, &command.split(' ').collect::<Vec<_>>(), expected);
}

#[track_caller]
fn counts(client: &mut Client, command: &str, expected: i64) {
    says(client, command, format!(":{expected}\r\n"));
}

/// A reply of integers and nulls.
#[track_caller]
fn answers(client: &mut Client, command: &str, expected: &[Option<i64>]) {
    let mut reply = format!("*{}\r\n", expected.len());
    for item in expected {
        reply += &item.map_or("$-1\r\n".to_owned(), |number| format!(":{number}\r\n"));
    }
    says(client, command, reply);
}

#[track_caller]
fn holds(client: &mut Client, key: &str, expected: &[u8]) {
    let mut reply = format!("${}\r\n", expected.len()).into_bytes();
    reply.extend_from_slice(expected);
    reply.extend_from_slice(b"\r\n");
    assert_wire(client, &["GET", key], reply);
}

fn set(client: &mut Client, key: &str, value: &[u8]) {
    let words: [&[u8]; 3] = [b"SET", key.as_bytes(), value];
    assert_wire(client, &words, b"+OK\r\n");
}

#[test]
fn setbit_makes_and_lengthens_a_string() {
    let (_server, mut client) = connected();
    counts(&mut client, "SETBIT s 1 1", 0);
    holds(&mut client, "s", b"\x40");
    counts(&mut client, "SETBIT s 1 0", 1);
    counts(&mut client, "SETBIT s 23 1", 0);
    holds(&mut client, "s", b"\0\0\x01");
    counts(&mut client, "GETBIT s 23", 1);
    counts(&mut client, "GETBIT s 22", 0);
    counts(&mut client, "GETBIT s 4294967295", 0);
    counts(&mut client, "GETBIT none 0", 0);
    counts(&mut client, "SETBIT new 0 0", 0);
    holds(&mut client, "new", b"\0");
}

#[test]
fn a_number_becomes_its_digits_when_a_bit_is_set() {
    let (_server, mut client) = connected();
    set(&mut client, "n", b"12345");
    says(&mut client, "OBJECT ENCODING n", b"$3\r\nint\r\n");
    counts(&mut client, "GETBIT n 3", 1);
    counts(&mut client, "BITCOUNT n", 17);
    says(&mut client, "OBJECT ENCODING n", b"$3\r\nint\r\n");
    counts(&mut client, "SETBIT n 6 1", 0);
    says(&mut client, "OBJECT ENCODING n", b"$3\r\nraw\r\n");
    holds(&mut client, "n", b"32345");
    says(&mut client, "EXPIRE n 1000", b":1\r\n");
    counts(&mut client, "SETBIT n 6 0", 1);
    says(&mut client, "TTL n", b":1000\r\n");
}

#[test]
fn arguments_of_single_bits_are_checked_before_the_key() {
    let (_server, mut client) = connected();
    says(&mut client, "RPUSH l 1", b":1\r\n");
    for offset in ["x", "-1", "4294967296", "99999999999999999999", "#1", "01", ""] {
        says(&mut client, &format!("SETBIT l {offset} 1"), BAD_OFFSET);
        says(&mut client, &format!("GETBIT l {offset}"), BAD_OFFSET);
    }
    for bit in ["2", "-1", "x", "01", ""] {
        says(&mut client, &format!("SETBIT l 1 {bit}"), BAD_BIT);
    }
    says(&mut client, "SETBIT l x 2", BAD_OFFSET);
    says(&mut client, "SETBIT l 1 1", WRONGTYPE);
    says(&mut client, "GETBIT l 1", WRONGTYPE);
    says(&mut client, "SETBIT l 1", b"-ERR wrong number of arguments for 'setbit' command\r\n");
}

#[test]
fn no_bit_lies_behind_the_longest_string() {
    let (_server, mut client) = connected();
    says(&mut client, "CONFIG SET proto-max-bulk-len 1048576", b"+OK\r\n");
    counts(&mut client, "SETBIT s 8388607 1", 0);
    counts(&mut client, "STRLEN s", 1 << 20);
    for command in ["SETBIT s 8388608 1", "GETBIT s 8388608", "BITFIELD s GET u8 8388608", "BITFIELD s GET u8 #1048576"]
    {
        says(&mut client, command, BAD_OFFSET);
    }
    // The first of its bits is within, the last is not.
    answers(&mut client, "BITFIELD s GET u8 8388604", &[Some(0x10)]);
    says(&mut client, "CONFIG SET proto-max-bulk-len 2097152", b"+OK\r\n");
    counts(&mut client, "SETBIT s 8388608 1", 0);
}

#[test]
fn bitcount_counts_in_bytes_and_in_bits() {
    let (_server, mut client) = connected();
    set(&mut client, "s", b"abc");
    for (range, expected) in [
        ("", 10),
        (" 0 -1", 10),
        (" 1 1", 3),
        (" -1 -1", 4),
        (" 0 -1 bYtE", 10),
        (" 0 -1 BIT", 10),
        (" 5 30 bit", 8),
        (" 2 1", 0),
        (" -1 -2", 0),
        (" -100 -200", 0),
        (" -100 -1", 10),
        (" -9223372036854775808 -9223372036854775808", 3),
        (" 9223372036854775807 9223372036854775807 bit", 0),
        (" -9223372036854775808 9223372036854775807 bit", 10),
    ] {
        counts(&mut client, &format!("BITCOUNT s{range}"), expected);
        counts(&mut client, &format!("BITCOUNT none{range}"), 0);
    }
    set(&mut client, "e", b"");
    counts(&mut client, "BITCOUNT e 0 -1 BIT", 0);
}

#[test]
fn bitcount_and_bitpos_check_their_arguments_before_the_key() {
    let (_server, mut client) = connected();
    says(&mut client, "RPUSH l 1", b":1\r\n");
    for key in ["l", "none"] {
        for (rest, expected) in [
            ("BITCOUNT {} 0", SYNTAX),
            ("BITCOUNT {} 0 1 foo", SYNTAX),
            ("BITCOUNT {} 0 1 bit 2", SYNTAX),
            ("BITCOUNT {} x 0", NOT_INTEGER),
            ("BITCOUNT {} x 0 foo", NOT_INTEGER),
            ("BITCOUNT {} 0 9223372036854775808", NOT_INTEGER),
            ("BITCOUNT {} 0 x foo", NOT_INTEGER),
            ("BITCOUNT {} x 1 bit z", SYNTAX),
            ("BITPOS {} 0 x y foo", NOT_INTEGER),
            ("BITPOS {} 0 0 y foo", SYNTAX),
            ("BITPOS {} 0 x 1 bit z", SYNTAX),
            ("BITPOS {} x", NOT_INTEGER),
            ("BITPOS {} 2", b"-ERR The bit argument must be 1 or 0.\r\n"),
            ("BITPOS {} 1 x", NOT_INTEGER),
            ("BITPOS {} 1 0 x", NOT_INTEGER),
            ("BITPOS {} 1 0 1 foo", SYNTAX),
            ("BITPOS {} 1 0 1 bit x", SYNTAX),
        ] {
            says(&mut client, &rest.replace("{}", key), expected);
        }
    }
    says(&mut client, "BITCOUNT l 0 -1", WRONGTYPE);
    says(&mut client, "BITPOS l 1", WRONGTYPE);
}

#[test]
fn bitpos_finds_the_first_bit() {
    let (_server, mut client) = connected();
    set(&mut client, "s", b"abc");
    set(&mut client, "ones", b"\xff\xff\xff");
    set(&mut client, "e", b"");
    for (command, expected) in [
        ("BITPOS s 1", 1),
        ("BITPOS s 0", 0),
        ("BITPOS s 1 1", 9),
        ("BITPOS s 1 2 -1 bit", 2),
        ("BITPOS s 1 3 6 bit", -1),
        ("BITPOS s 1 100", -1),
        ("BITPOS s 0 2 1", -1),
        ("BITPOS s 0 -100 -200", 0),
        ("BITPOS ones 0", 24),
        ("BITPOS ones 0 -1", 24),
        ("BITPOS ones 0 0 -1", -1),
        ("BITPOS ones 0 3", -1),
        ("BITPOS ones 0 5 -1 BIT", -1),
        ("BITPOS ones 1 -9223372036854775808 9223372036854775807 bit", 0),
        ("BITPOS e 0", -1),
        ("BITPOS e 1", -1),
        ("BITPOS none 0", 0),
        ("BITPOS none 0 5 6", 0),
        ("BITPOS none 1", -1),
    ] {
        counts(&mut client, command, expected);
    }
}

#[test]
fn bitop_combines_strings_of_any_lengths() {
    let (_server, mut client) = connected();
    set(&mut client, "a", b"\x0f\xff\xaa\x11");
    set(&mut client, "b", b"\x3c\x0f");
    set(&mut client, "c", b"\x81\xf0\xff");
    for (sources, len, expected) in [
        ("AND d a b c", 4, &b"\x00\x00\x00\x00"[..]),
        ("AND d a b", 4, b"\x0c\x0f\x00\x00"),
        ("OR d b c", 3, b"\xbd\xff\xff"),
        ("XOR d a c", 4, b"\x8e\x0f\x55\x11"),
        ("NOT d a", 4, b"\xf0\x00\x55\xee"),
        ("DIFF d a b c", 4, b"\x02\x00\x00\x11"),
        ("DIFF1 d a b c", 4, b"\xb0\x00\x55\x00"),
        ("ANDOR d a b c", 4, b"\x0d\xff\xaa\x00"),
        ("ONE d a b c", 4, b"\xb2\x00\x55\x11"),
        ("ONE d a", 4, b"\x0f\xff\xaa\x11"),
        ("diff d none a", 4, b"\0\0\0\0"),
        ("or d none b", 2, b"\x3c\x0f"),
    ] {
        counts(&mut client, &format!("BITOP {sources}"), len);
        holds(&mut client, "d", expected);
    }
    counts(&mut client, "BITOP XOR a a a", 4);
    holds(&mut client, "a", b"\0\0\0\0");
}

#[test]
fn an_empty_result_removes_the_destination() {
    let (_server, mut client) = connected();
    set(&mut client, "d", b"x");
    counts(&mut client, "BITOP AND d none other", 0);
    counts(&mut client, "EXISTS d", 0);
    set(&mut client, "e", b"");
    counts(&mut client, "BITOP NOT d e", 0);
    counts(&mut client, "EXISTS d", 0);
    says(&mut client, "RPUSH l 1", b":1\r\n");
    counts(&mut client, "BITOP OR l none", 0);
    counts(&mut client, "EXISTS l", 0);
}

#[test]
fn a_result_takes_the_place_of_whatever_was_there() {
    let (_server, mut client) = connected();
    set(&mut client, "n", b"12345");
    says(&mut client, "RPUSH l 1", b":1\r\n");
    says(&mut client, "EXPIRE l 100", b":1\r\n");
    counts(&mut client, "BITOP OR l n", 5);
    holds(&mut client, "l", b"12345");
    says(&mut client, "TTL l", b":-1\r\n");
}

#[test]
fn bitop_refuses_what_is_no_string_and_changes_nothing() {
    let (_server, mut client) = connected();
    set(&mut client, "s", b"abc");
    set(&mut client, "d", b"kept");
    says(&mut client, "RPUSH l 1", b":1\r\n");
    for (command, expected) in [
        ("BITOP NAND d s", SYNTAX),
        ("BITOP NOT d s s", b"-ERR BITOP NOT must be called with a single source key.\r\n"),
        ("BITOP DIFF d s", b"-ERR BITOP DIFF must be called with at least two source keys.\r\n"),
        ("BITOP DIFF1 d s", b"-ERR BITOP DIFF1 must be called with at least two source keys.\r\n"),
        ("BITOP ANDOR d s", b"-ERR BITOP ANDOR must be called with at least two source keys.\r\n"),
        ("BITOP AND d l", WRONGTYPE),
        ("BITOP AND d s l", WRONGTYPE),
        ("BITOP AND d l none", WRONGTYPE),
        ("BITOP NOT l s l", b"-ERR BITOP NOT must be called with a single source key.\r\n"),
        ("BITOP AND d", b"-ERR wrong number of arguments for 'bitop' command\r\n"),
    ] {
        says(&mut client, command, expected);
    }
    holds(&mut client, "d", b"kept");
}

#[test]
fn bitfield_reads_sets_and_increments() {
    let (_server, mut client) = connected();
    answers(&mut client, "BITFIELD s", &[]);
    answers(&mut client, "BITFIELD s GET u8 0", &[Some(0)]);
    counts(&mut client, "EXISTS s", 0);
    answers(
        &mut client,
        "BITFIELD s SET u8 #0 255 GET i8 0 GET i4 4 GET u63 0",
        &[Some(0), Some(-1), Some(-1), Some(0x7f80_0000_0000_0000)],
    );
    counts(&mut client, "STRLEN s", 1);
    answers(&mut client, "BITFIELD s INCRBY i5 100 1 GET u4 0", &[Some(1), Some(15)]);
    counts(&mut client, "STRLEN s", 14);
    answers(&mut client, "bitfield s set i64 #1 -2 incrby i64 64 1 get i64 #1", &[Some(1 << 23), Some(-1), Some(-1)]);
    answers(&mut client, "BITFIELD new GET u8 100 SET u8 0 0", &[Some(0), Some(0)]);
    counts(&mut client, "STRLEN new", 1);
}

#[test]
fn bitfield_overflows_as_it_is_told() {
    let (_server, mut client) = connected();
    for (command, expected) in [
        ("BITFIELD s SET u8 0 300 GET u8 0", &[Some(0), Some(44)][..]),
        ("BITFIELD s OVERFLOW SAT SET u8 0 300 GET u8 0", &[Some(44), Some(255)]),
        ("BITFIELD s OVERFLOW SAT SET u8 0 -300 GET u8 0", &[Some(255), Some(255)]),
        ("BITFIELD s OVERFLOW SAT SET i8 0 -300 GET i8 0", &[Some(-1), Some(-128)]),
        ("BITFIELD s OVERFLOW FAIL SET u8 0 300 GET u8 0", &[None, Some(128)]),
        ("BITFIELD s OVERFLOW FAIL INCRBY u8 0 300 OVERFLOW WRAP INCRBY u8 0 300", &[None, Some(172)]),
        ("BITFIELD s OVERFLOW SAT INCRBY i64 0 -9223372036854775808", &[Some(i64::MIN)]),
        ("BITFIELD s INCRBY i64 0 -1", &[Some(i64::MAX)]),
        ("BITFIELD s OVERFLOW SAT INCRBY u63 0 -9223372036854775808", &[Some(0)]),
        ("BITFIELD s OVERFLOW SAT", &[]),
        ("BITFIELD f OVERFLOW FAIL SET u8 24 300", &[None]),
    ] {
        answers(&mut client, command, expected);
    }
    counts(&mut client, "STRLEN f", 4);
}

#[test]
fn a_mistake_in_one_operation_undoes_none_because_none_was_done() {
    let (_server, mut client) = connected();
    set(&mut client, "s", b"abc");
    says(&mut client, "RPUSH l 1", b":1\r\n");
    for (rest, expected) in [
        ("FOO", SYNTAX),
        ("GET", SYNTAX),
        ("GET u8", SYNTAX),
        ("SET u8 0", SYNTAX),
        ("OVERFLOW", SYNTAX),
        ("OVERFLOW foo", b"-ERR Invalid OVERFLOW type specified\r\n"),
        ("GET u64 0", BAD_KIND),
        ("GET i65 0", BAD_KIND),
        ("GET u0 0", BAD_KIND),
        ("GET u01 0", BAD_KIND),
        ("GET U8 0", BAD_KIND),
        ("GET u8 x", BAD_OFFSET),
        ("GET u8 -1", BAD_OFFSET),
        ("GET u8 #-1", BAD_OFFSET),
        ("GET u8 #", BAD_OFFSET),
        ("GET u8 ##1", BAD_OFFSET),
        ("GET u8 4294967296", BAD_OFFSET),
        ("GET u8 #536870912", BAD_OFFSET),
        ("GET u63 #9223372036854775807", BAD_OFFSET),
        ("GET u16 #288230376151711744", BAD_OFFSET),
        ("SET u8 0 x", NOT_INTEGER),
        ("INCRBY u8 0 9223372036854775808", NOT_INTEGER),
    ] {
        for key in ["s", "l", "none"] {
            says(&mut client, &format!("BITFIELD {key} SET u8 0 1 {rest}"), expected);
        }
    }
    holds(&mut client, "s", b"abc");
    counts(&mut client, "EXISTS none", 0);
    for command in ["BITFIELD l", "BITFIELD l GET u8 0", "BITFIELD l SET u8 0 1", "BITFIELD_RO l"] {
        says(&mut client, command, WRONGTYPE);
    }
    answers(&mut client, "BITFIELD s GET u8 4294967295 GET u8 #536870911", &[Some(0), Some(0)]);
}

#[test]
fn bitfield_ro_only_reads() {
    let (_server, mut client) = connected();
    const REFUSAL: &[u8] = b"-ERR BITFIELD_RO only supports the GET subcommand\r\n";
    set(&mut client, "s", b"abc");
    answers(&mut client, "BITFIELD_RO s GET u8 0 GET i4 #3", &[Some(97), Some(2)]);
    answers(&mut client, "BITFIELD_RO s", &[]);
    answers(&mut client, "BITFIELD_RO s OVERFLOW WRAP GET u8 0", &[Some(97)]);
    answers(&mut client, "BITFIELD_RO none GET u8 4", &[Some(0)]);
    says(&mut client, "BITFIELD_RO s GET u8 0 SET u8 0 1", REFUSAL);
    says(&mut client, "BITFIELD_RO s INCRBY u8 0 1", REFUSAL);
    says(&mut client, "BITFIELD_RO s INCRBY u8 0 x", NOT_INTEGER);
    says(&mut client, "BITFIELD_RO s FOO", SYNTAX);
    client.command(&["HELLO", "3"]);
    says(&mut client, "BITFIELD s OVERFLOW FAIL SET u8 0 300", b"*1\r\n_\r\n");
}

#[test]
fn commands_tell_their_keys() {
    let (_server, mut client) = connected();
    let keys = |client: &mut Client, command: &str| {
        let words: Vec<&str> = ["COMMAND", "GETKEYS"].into_iter().chain(command.split(' ')).collect();
        client.ask(&words).texts()
    };
    assert_eq!(keys(&mut client, "SETBIT a 1 1"), ["a"]);
    assert_eq!(keys(&mut client, "BITOP AND d a b"), ["d", "a", "b"]);
    assert_eq!(keys(&mut client, "BITFIELD a GET u8 0"), ["a"]);
    assert_eq!(keys(&mut client, "BITPOS a 1"), ["a"]);
    let listed = client.ask(&["COMMAND", "LIST", "FILTERBY", "ACLCAT", "bitmap"]);
    let mut listed = listed.texts();
    listed.sort();
    assert_eq!(listed, ["bitcount", "bitfield", "bitfield_ro", "bitop", "bitpos", "getbit", "setbit"]);
}

#[test]
fn a_transaction_on_a_bitmap_is_spoiled_by_a_change_only() {
    let (server, mut client) = connected();
    let mut other = server.connect();
    counts(&mut client, "SETBIT s 8 1", 0);
    for (change, is_spoiled) in [("SETBIT s 8 1", false), ("SETBIT s 8 0", true), ("BITFIELD s GET u8 0", false)] {
        says(&mut client, "WATCH s", b"+OK\r\n");
        other.command(&change.split(' ').collect::<Vec<_>>());
        says(&mut client, "MULTI", b"+OK\r\n");
        says(&mut client, "GETBIT s 0", b"+QUEUED\r\n");
        says(&mut client, "EXEC", if is_spoiled { &b"*-1\r\n"[..] } else { b"*1\r\n:0\r\n" });
    }
}
