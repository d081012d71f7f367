//! Every command of the module, as bytes in and out of a real server. Expected replies are those of
//! Redis 7.0 and 8.2 and of Valkey 9.1, which agree on all of them but PFDEBUG SIMD, which 7.0 has not.

#![deny(unsafe_code)]

use plinth_testkit::{Client, Server, TempDir, assert_wire, cc};

const OK: &[u8] = b"+OK\r\n";
const NOT_ONE: &[u8] = b"-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
const CORRUPT: &[u8] = b"-INVALIDOBJ Corrupted HLL object detected\r\n";
const WRONGTYPE: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

/// The header of a value of an encoding, whose count is unknown.
fn header(encoding: u8) -> Vec<u8> {
    [&b"HYLL"[..], &[encoding, 0, 0, 0], &[0, 0, 0, 0, 0, 0, 0, 0x80]].concat()
}

fn sparse(runs: &[u8]) -> Vec<u8> {
    [&header(1)[..], runs].concat()
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn connected() -> (Server, Client) {
    let server = Server::start();
    let client = server.connect();
    (server, client)
}

/// Runs a line of words.
#[track_caller]
fn expect(client: &mut Client, line: &str, reply: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    assert_wire(client, &words, reply.replace('|', "\r\n"));
}

#[track_caller]
fn set(client: &mut Client, key: &str, value: &[u8]) {
    assert_wire(client, &[b"SET", key.as_bytes(), value], OK);
}

#[test]
fn elements_are_counted_once() {
    let (_server, mut client) = connected();
    expect(&mut client, "PFADD k", ":1|");
    expect(&mut client, "PFADD k", ":0|");
    expect(&mut client, "PFCOUNT k", ":0|");
    expect(&mut client, "PFADD k a b c d e f g", ":1|");
    expect(&mut client, "PFADD k a b c d e f g", ":0|");
    expect(&mut client, "PFADD k g h", ":1|");
    expect(&mut client, "PFCOUNT k", ":8|");
    expect(&mut client, "PFCOUNT k", ":8|");
    expect(&mut client, "PFADD other foo bar a", ":1|");
    expect(&mut client, "PFCOUNT k other", ":10|");
    expect(&mut client, "PFCOUNT k other none", ":10|");
    expect(&mut client, "PFCOUNT none", ":0|");
    expect(&mut client, "PFCOUNT none neither", ":0|");
    expect(&mut client, "EXISTS none", ":0|");
}

#[test]
fn a_value_is_a_string_with_the_bytes_of_redis() {
    let (_server, mut client) = connected();
    expect(&mut client, "PFADD k", ":1|");
    assert_wire(&mut client, &["GET", "k"], bulk(&sparse(&[0x7f, 0xff])));
    expect(&mut client, "PFADD k a", ":1|");
    assert_wire(&mut client, &["GET", "k"], bulk(&sparse(&[0x71, 0xa6, 0x84, 0x4e, 0x57])));
    expect(&mut client, "PFDEBUG DECODE k", "$20|Z:12711 v:2,1 Z:3672|");
    expect(&mut client, "PFCOUNT k", ":1|");
    let mut counted = sparse(&[0x71, 0xa6, 0x84, 0x4e, 0x57]);
    counted[8..16].copy_from_slice(&1u64.to_le_bytes());
    assert_wire(&mut client, &["GET", "k"], bulk(&counted));
    expect(&mut client, "TYPE k", "+string|");
    expect(&mut client, "OBJECT ENCODING k", "$3|raw|");
    expect(&mut client, "PFDEBUG TODENSE k", ":1|");
    expect(&mut client, "PFDEBUG TODENSE k", ":0|");
    expect(&mut client, "STRLEN k", ":12304|");
    expect(&mut client, "PFCOUNT k", ":1|");
}

#[test]
fn a_value_becomes_dense_when_it_outgrows_the_limit() {
    let (_server, mut client) = connected();
    expect(&mut client, "CONFIG GET hll-sparse-max-bytes", "*2|$20|hll-sparse-max-bytes|$4|3000|");
    for number in 0..5000 {
        expect(
            &mut client,
            "PFDEBUG ENCODING k",
            if number == 0 { "-ERR The specified key does not exist|" } else { "+sparse|" },
        );
        client.command(&["PFADD", "k", &number.to_string()]);
        if client.ask(&["STRLEN", "k"]).integer() > 3000 {
            break;
        }
    }
    expect(&mut client, "PFDEBUG ENCODING k", "+dense|");
    expect(&mut client, "CONFIG SET hll-sparse-max-bytes 0", "+OK|");
    expect(&mut client, "PFADD l", ":1|");
    expect(&mut client, "PFDEBUG ENCODING l", "+sparse|");
    expect(&mut client, "PFADD l a", ":1|");
    expect(&mut client, "PFDEBUG ENCODING l", "+dense|");
    expect(&mut client, "CONFIG SET hll-sparse-max-bytes 16kb", "+OK|");
    expect(&mut client, "PFADD m a b c", ":1|");
    expect(&mut client, "PFDEBUG ENCODING m", "+sparse|");
    let said = client.text(&["CONFIG", "SET", "hll-sparse-max-bytes", "-1"]);
    assert!(said.starts_with("ERR CONFIG SET failed"), "{said}");
}

#[test]
fn a_merge_keeps_what_its_destination_has_seen_and_its_expiry() {
    let (_server, mut client) = connected();
    expect(&mut client, "PFADD a x y z", ":1|");
    expect(&mut client, "PFADD b z 1 2", ":1|");
    expect(&mut client, "PFMERGE c a b none", "+OK|");
    expect(&mut client, "PFCOUNT c", ":5|");
    expect(&mut client, "PFDEBUG ENCODING c", "+sparse|");
    expect(&mut client, "EXPIRE c 1000", ":1|");
    expect(&mut client, "PFADD a new", ":1|");
    expect(&mut client, "PFMERGE c a", "+OK|");
    expect(&mut client, "PFCOUNT c", ":6|");
    expect(&mut client, "PFMERGE c", "+OK|");
    expect(&mut client, "TTL c", ":1000|");
    expect(&mut client, "PFDEBUG TODENSE b", ":1|");
    expect(&mut client, "PFMERGE c b", "+OK|");
    expect(&mut client, "PFDEBUG ENCODING c", "+dense|");
    expect(&mut client, "PFADD c more", ":1|");
    expect(&mut client, "PFCOUNT c", ":7|");
    expect(&mut client, "TTL c", ":1000|");
    expect(&mut client, "PFMERGE made", "+OK|");
    assert_wire(&mut client, &["GET", "made"], bulk(&sparse(&[0x7f, 0xff])));
}

#[test]
fn what_is_no_hyperloglog_is_refused_and_stays() {
    let (_server, mut client) = connected();
    expect(&mut client, "RPUSH list 1", ":1|");
    expect(&mut client, "PFADD good a", ":1|");
    expect(&mut client, "SET number 12345", "+OK|");
    for words in ["PFADD list a", "PFCOUNT list", "PFCOUNT good list", "PFMERGE good list", "PFDEBUG ENCODING list"] {
        assert_wire(&mut client, &words.split(' ').collect::<Vec<_>>(), WRONGTYPE);
    }
    let dense_but_one = [&header(0)[..], &[0; 12_287]].concat();
    for value in [&b""[..], b"text", &header(1)[..15], b"HYLX0000000000000000", &header(2), &dense_but_one] {
        set(&mut client, "k", value);
        for words in [
            "PFADD k",
            "PFADD k a",
            "PFCOUNT k",
            "PFCOUNT k good",
            "PFMERGE good k",
            "PFMERGE k good",
            "PFDEBUG GETREG k",
            "PFDEBUG DECODE k",
            "PFDEBUG TODENSE k",
            "PFDEBUG ENCODING k",
        ] {
            assert_wire(&mut client, &words.split(' ').collect::<Vec<_>>(), NOT_ONE);
        }
        assert_wire(&mut client, &["GET", "k"], bulk(value));
    }
    assert_wire(&mut client, &["PFADD", "number", "a"], NOT_ONE);
    expect(&mut client, "OBJECT ENCODING number", "$3|int|");
}

#[test]
fn a_damaged_value_is_refused_and_stays() {
    let (_server, mut client) = connected();
    expect(&mut client, "PFADD good a", ":1|");
    let long = vec![0; 40_000];
    for runs in [&[][..], &[0x7f, 0xfe], &[0x7f, 0xff, 0x00], &[0x7f, 0xff, 0x80], &[0x7f], &[0x7f, 0xfe, 0x7f], &long]
    {
        let value = sparse(runs);
        set(&mut client, "k", &value);
        for words in
            ["PFCOUNT k", "PFCOUNT k good", "PFMERGE good k", "PFMERGE k good", "PFDEBUG GETREG k", "PFDEBUG TODENSE k"]
        {
            assert_wire(&mut client, &words.split(' ').collect::<Vec<_>>(), CORRUPT);
        }
        assert_wire(&mut client, &["GET", "k"], bulk(&value));
    }
    // PFADD goes no further than the registers that it raises.
    for runs in [&[][..], &[0x3f], &[0x70], &long] {
        let value = sparse(runs);
        set(&mut client, "k", &value);
        assert_wire(&mut client, &["PFADD", "k", "a"], CORRUPT);
        assert_wire(&mut client, &["GET", "k"], bulk(&value));
    }
    // A value that says its count is believed.
    let mut value = sparse(&[]);
    value[8..16].copy_from_slice(&7u64.to_le_bytes());
    set(&mut client, "k", &value);
    expect(&mut client, "PFCOUNT k", ":7|");
    assert_wire(&mut client, &["PFCOUNT", "k", "good"], CORRUPT);
    // So are registers that no element makes, of which there are too many to count.
    set(&mut client, "k", &[&header(0)[..], &[0xff; 12_288]].concat());
    expect(&mut client, "PFCOUNT k", ":-9223372036854775808|");
}

#[test]
fn pfdebug_shows_and_changes_the_form() {
    let (_server, mut client) = connected();
    expect(&mut client, "PFADD k a", ":1|");
    expect(&mut client, "PFDEBUG encoding k", "+sparse|");
    expect(&mut client, "PFDEBUG decode none", "-ERR The specified key does not exist|");
    expect(&mut client, "PFDEBUG what none", "-ERR The specified key does not exist|");
    expect(&mut client, "PFDEBUG what k", "-ERR Unknown PFDEBUG subcommand 'what'|");
    expect(&mut client, "PFDEBUG encoding k k", "-ERR wrong number of arguments for 'pfdebug' command|");
    expect(&mut client, "PFDEBUG SIMD perhaps", "-ERR Argument must be ON or OFF|");
    let reply = client.ask(&["PFDEBUG", "GETREG", "k"]);
    assert_eq!((reply.items().len(), reply.items()[12_711].integer()), (16_384, 2));
    assert_eq!(reply.items().iter().map(|register| register.integer()).sum::<i64>(), 2);
    expect(&mut client, "PFDEBUG ENCODING k", "+dense|");
    expect(&mut client, "PFDEBUG DECODE k", "-ERR HLL encoding is not sparse|");
    expect(&mut client, "PFADD other b", ":1|");
    for (word, said) in [("off", "+disabled|"), ("on", "+enabled|")] {
        expect(&mut client, &format!("PFDEBUG SIMD {word}"), said);
        expect(&mut client, "PFCOUNT k other", ":2|");
        expect(&mut client, &format!("PFMERGE {word} k other"), "+OK|");
    }
    assert_eq!(client.command(&["GET", "on"]), client.command(&["GET", "off"]));
    expect(&mut client, "PFSELFTEST", "+OK|");
}

#[test]
fn a_change_is_told_once_and_the_keeping_of_a_count_to_modules_only() {
    let (server, folder) = (Server::start(), TempDir::new());
    let (mut client, mut other) = (server.connect(), server.connect());
    let library = cc::module(&folder, "modules/hyperloglog/tests/witness.c", &[]);
    assert_wire(&mut client, &["MODULE", "LOAD", &library], OK);
    for (line, events) in [
        ("PFADD k", "new k pfadd k"),
        ("PFADD k a b c", "pfadd k"),
        ("PFADD k a b c", ""),
        ("PFCOUNT k", "unpublished k"),
        ("PFCOUNT k", ""),
        ("PFCOUNT k k", ""),
        ("PFMERGE l k", "keymiss l new l pfadd l"),
        ("PFMERGE l k", "pfadd l"),
        ("PFCOUNT none k", "keymiss none"),
        ("PFDEBUG ENCODING none", ""),
        ("PFDEBUG TODENSE l", "unpublished l"),
        ("PFDEBUG GETREG k", "unpublished k"),
        ("PFADD k d e f", "pfadd k"),
    ] {
        client.command(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(client.text(&["WITNESS"]), events, "{line}");
    }
    // What is read to be changed is neither a hit nor a miss.
    assert_wire(&mut client, &["CONFIG", "RESETSTAT"], OK);
    for line in ["PFADD k x", "PFDEBUG ENCODING k", "PFCOUNT k l none"] {
        client.command(&line.split(' ').collect::<Vec<_>>());
    }
    let stat = |client: &mut Client, field: &str| client.info("stats", field);
    assert_eq!(stat(&mut client, "keyspace_hits").as_deref(), Some("2"));
    assert_eq!(stat(&mut client, "keyspace_misses").as_deref(), Some("1"));
    // Those who watch a key see that its count is kept now, and then that nothing changes any more.
    for reply in ["*-1|", "*1|+PONG|"] {
        expect(&mut client, "WATCH k", "+OK|");
        expect(&mut other, "PFCOUNT k", ":7|");
        expect(&mut client, "MULTI", "+OK|");
        expect(&mut client, "PING", "+QUEUED|");
        expect(&mut client, "EXEC", reply);
    }
}

#[test]
fn commands_say_of_themselves_what_redis_says() {
    let (_server, mut client) = connected();
    for (name, expected) in [
        ("pfadd", "*10|$5|pfadd|:-2|*3|+write|+denyoom|+fast|:1|:1|:1|*3|+@write|+@hyperloglog|+@fast|"),
        ("pfcount", "*10|$7|pfcount|:-2|*1|+readonly|:1|:-1|:1|*3|+@read|+@hyperloglog|+@slow|"),
        ("pfmerge", "*10|$7|pfmerge|:-2|*2|+write|+denyoom|:1|:-1|:1|*3|+@write|+@hyperloglog|+@slow|"),
        ("pfselftest", "*10|$10|pfselftest|:1|*1|+admin|:0|:0|:0|*4|+@hyperloglog|+@admin|+@slow|+@dangerous|"),
    ] {
        let reply = client.command(&["COMMAND", "INFO", name]);
        let text = String::from_utf8_lossy(&reply).replace("\r\n", "|");
        assert!(text.starts_with(&format!("*1|{expected}")), "{text}");
    }
    expect(&mut client, "COMMAND GETKEYS PFMERGE a b c", "*3|$1|a|$1|b|$1|c|");
}
