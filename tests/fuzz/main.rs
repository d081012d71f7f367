//! RESTORE under fire: damaged payloads of every type that the test can make, sent to
//! the real server, which must refuse or restore each and go on serving.
//!
//! Checksums are switched off (`DEBUG SET-SKIP-CHECKSUM-VALIDATION`), or nearly all
//! payloads would end there. `PLINTH_FUZZ_SECONDS=600 cargo test -p plinth-tests --test fuzz`
//! runs it for longer.

mod files;
mod primary;

use plinth_fuzz::Random;
use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, assert_wire, build};

/// Payloads in one pipeline.
const PIPELINE: usize = 50;
/// Bytes of a payload's version and checksum.
const FOOTER_BYTES: usize = 10;
/// Bytes that the format gives a meaning.
const TELLING: [u8; 14] = [0x00, 0x01, 0x05, 0x07, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc1, 0xc2, 0xc3, 0xff];

fn payloads(client: &mut Client) -> Vec<Vec<u8>> {
    let long = "abcabcabd".repeat(400);
    for value in ["", "7", "-129", "70000", "9223372036854775807", "plain text", &long] {
        assert_wire(client, &["SET", "seed", value], b"+OK\r\n");
        assert_wire(client, &["COPY", "seed", &format!("seed:{value:.8}")], b":1\r\n");
    }
    client.command(&["GAUGE.PUSH", "seed:gauge", "5"]);
    client.command(&["PFADD", "seed:sketch", "a", "b", "c", "d", "e", "f"]);
    client.command(&["COPY", "seed:sketch", "seed:dense"]);
    client.command(&["PFDEBUG", "TODENSE", "seed:dense"]);
    collections(client);
    streams(client);
    let Reply::Array(keys) = client.ask(&["KEYS", "seed:*"]) else { panic!("KEYS") };
    let dump = |key: Reply| match client.ask(&["DUMP", &key.text()]) {
        Reply::Bulk(payload) => payload,
        other => panic!("DUMP: {other:?}"),
    };
    keys.into_iter().map(dump).collect()
}

/// Small and large values of each collection, of integers, short and long texts, some with
/// deadlines: each encoding that is saved.
fn collections(client: &mut Client) {
    let long = "x".repeat(100);
    let texts = |count: usize| (0..count).map(|at| format!("element:{at}"));
    let numbers = |count: usize| (0..count).map(|at| (at * at).to_string());
    let mut make = |command: &str, key: &str, items: Vec<String>| {
        let words = [command.to_owned(), format!("seed:{key}")].into_iter().chain(items);
        client.command(&words.collect::<Vec<_>>());
    };
    let pairs = |count: usize| texts(count).zip(numbers(count));
    for (size, count) in [("small", 3), ("large", 700)] {
        make("RPUSH", &format!("list:{size}"), texts(count).chain(numbers(count)).collect());
        make("SADD", &format!("set:{size}"), texts(count).collect());
        make("SADD", &format!("integers:{size}"), numbers(count).collect());
        make("HSET", &format!("hash:{size}"), pairs(count).flat_map(|(text, number)| [text, number]).collect());
        make("HSET", &format!("deadlines:{size}"), pairs(count).flat_map(|(text, number)| [text, number]).collect());
        make(
            "HPEXPIRE",
            &format!("deadlines:{size}"),
            ["9999999", "FIELDS", "1", "element:1"].map(str::to_owned).into(),
        );
        make("ZADD", &format!("zset:{size}"), pairs(count).flat_map(|(text, number)| [number, text]).collect());
    }
    make("RPUSH", "list:long", vec![long.clone(), long.clone(), "1".into()]);
    make("ZADD", "zset:fractions", ["0.5", "a", "-inf", "b", "1e300", "c"].map(str::to_owned).into());
}

/// Streams of one node and of many, with names of their own, gaps, and a group that has pending entries.
fn streams(client: &mut Client) {
    let mut line = |line: &str| drop(client.command(&line.split(' ').collect::<Vec<_>>()));
    for (key, count) in [("seed:stream:small", 3), ("seed:stream:large", 230)] {
        for seq in 1..=count {
            let fields = if seq % 7 == 0 { format!("own {seq}") } else { format!("name {} other text", seq * seq) };
            line(&format!("XADD {key} {}-{seq} {fields}", 5 + seq / 50));
        }
        line(&format!("XDEL {key} 5-2 6-60 6-61"));
        line(&format!("XGROUP CREATE {key} g 0"));
        line(&format!("XREADGROUP GROUP g alice COUNT 2 STREAMS {key} >"));
        line(&format!("XREADGROUP GROUP g bob COUNT 1 STREAMS {key} >"));
    }
}

/// Looks at all of a value, whatever its type: what was taken in must be readable.
const LOOKS: [&[&str]; 22] = [
    &["DUMP", "k"],
    &["COPY", "k", "copy", "REPLACE"],
    &["GET", "k"],
    &["PFCOUNT", "k"],
    &["PFCOUNT", "k", "seed:sketch"],
    &["GAUGE.GET", "k"],
    &["LRANGE", "k", "0", "-1"],
    &["SMEMBERS", "k"],
    &["HGETALL", "k"],
    &["ZRANGE", "k", "0", "-1", "WITHSCORES"],
    &["PFADD", "k", "x"],
    &["XRANGE", "k", "-", "+"],
    &["XINFO", "STREAM", "k", "FULL", "COUNT", "0"],
    &["XREADGROUP", "GROUP", "g", "alice", "COUNT", "3", "STREAMS", "k", ">"],
    &["XAUTOCLAIM", "k", "g", "carol", "0", "0"],
    &["XDEL", "k", "5-1", "5-3"],
    &["XADD", "k", "*", "f", "v"],
    &["LPUSH", "k", "x"],
    &["SADD", "k", "x"],
    &["HSET", "k", "element:1", "x"],
    &["ZADD", "k", "1", "element:1"],
    &["DUMP", "k"],
];

fn damage(payload: &[u8], others: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let (body, footer) = payload.split_at(payload.len() - FOOTER_BYTES);
    let mut body = body.to_vec();
    match random.below(4) {
        0 => {
            let (at, other) = (random.below(body.len()), random.one(others));
            body.truncate(at);
            body.extend_from_slice(&other[random.below(other.len())..]);
        }
        // What stands at the beginning says how the rest is read.
        1 if !body.is_empty() => {
            let early = random.below(body.len().min(4));
            body[early] = random.word() as u8;
        }
        _ => {}
    }
    random.damage(&mut body, &TELLING);
    body.extend_from_slice(footer);
    body
}

#[test]
fn no_payload_of_restore_brings_the_server_down() {
    let server = Server::with(&["--enable-debug-command", "yes", "--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    let seeds = payloads(&mut client);
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    assert_wire(&mut client, &["DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1"], b"+OK\r\n");
    let (mut restored, mut refused) = (0u64, 0u64);
    plinth_fuzz::run(|random| {
        for _ in 0..PIPELINE {
            let payload = damage(random.one(&seeds), &seeds, random);
            client.send(&[b"RESTORE".as_slice(), b"k", b"0", &payload, b"REPLACE"]);
            LOOKS.iter().for_each(|look| client.send(look));
        }
        for _ in 0..PIPELINE {
            match client.reply() {
                Reply::Error(_) => refused += 1,
                _ => restored += 1,
            }
            LOOKS.iter().for_each(|_| drop(client.reply()));
        }
    });
    println!("{restored} restored, {refused} refused");
    assert!(restored > 0 && refused > 0, "the fuzzer must reach both ends");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}
