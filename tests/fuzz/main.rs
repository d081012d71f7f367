//! RESTORE under fire: damaged payloads of every type that the test can make, sent to
//! the real server, which must refuse or restore each and go on serving.
//!
//! Checksums are switched off (`DEBUG SET-SKIP-CHECKSUM-VALIDATION`), or nearly all
//! payloads would end there. One second by default;
//! `PLINTH_FUZZ_SECONDS=600 cargo test -p plinth-tests --test fuzz` for longer.

use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, assert_wire, build};
use std::time::{Duration, Instant};

/// Payloads in one pipeline.
const PIPELINE: usize = 50;
/// Bytes of a payload's version and checksum.
const FOOTER_BYTES: usize = 10;
/// Bytes that the format gives a meaning.
const TELLING: [u8; 14] = [0x00, 0x01, 0x05, 0x07, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc1, 0xc2, 0xc3, 0xff];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn payloads(client: &mut Client) -> Vec<Vec<u8>> {
    let long = "abcabcabd".repeat(400);
    for value in ["", "7", "-129", "70000", "9223372036854775807", "plain text", &long] {
        assert_wire(client, &["SET", "seed", value], b"+OK\r\n");
        assert_wire(client, &["COPY", "seed", &format!("seed:{value:.8}")], b":1\r\n");
    }
    client.command(&["GAUGE.PUSH", "seed:gauge", "5"]);
    collections(client);
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

/// Looks at all of a value, whatever its type: what was taken in must be readable.
const LOOKS: [&[&str]; 13] = [
    &["DUMP", "k"],
    &["COPY", "k", "copy", "REPLACE"],
    &["GET", "k"],
    &["GAUGE.GET", "k"],
    &["LRANGE", "k", "0", "-1"],
    &["SMEMBERS", "k"],
    &["HGETALL", "k"],
    &["ZRANGE", "k", "0", "-1", "WITHSCORES"],
    &["LPUSH", "k", "x"],
    &["SADD", "k", "x"],
    &["HSET", "k", "element:1", "x"],
    &["ZADD", "k", "1", "element:1"],
    &["DUMP", "k"],
];

fn damage(payload: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let (body, footer) = payload.split_at(payload.len() - FOOTER_BYTES);
    let mut body = body.to_vec();
    for _ in 0..1 + random.below(3) {
        let at = random.below(body.len());
        match random.below(6) {
            0 => body.truncate(at),
            1 if !body.is_empty() => body[at] = TELLING[random.below(TELLING.len())],
            2 if !body.is_empty() => body[at] ^= 1 << random.below(8),
            3 => body.insert(at, TELLING[random.below(TELLING.len())]),
            4 => {
                let other = &others[random.below(others.len())];
                body.extend_from_slice(&other[random.below(other.len())..]);
            }
            _ => {
                let early = random.below(body.len().min(4));
                if let Some(byte) = body.get_mut(early) {
                    *byte = random.below(256) as u8;
                }
            }
        }
    }
    body.extend_from_slice(footer);
    body
}

#[test]
fn no_payload_of_restore_brings_the_server_down() {
    let seconds = std::env::var("PLINTH_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let server = Server::with(&["--enable-debug-command", "yes", "--loadmodule", &build::library("gauge")]);
    let mut client = server.connect();
    let seeds = payloads(&mut client);
    assert_wire(&mut client, &["DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1"], b"+OK\r\n");
    let seed = std::process::id() as u64 | 0x9e37_79b9_0000_0000;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let (end, mut restored, mut refused) = (Instant::now() + Duration::from_secs(seconds), 0u64, 0u64);
    while Instant::now() < end {
        for _ in 0..PIPELINE {
            let payload = damage(&seeds[random.below(seeds.len())], &seeds, &mut random);
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
    }
    println!("{restored} restored, {refused} refused");
    assert!(restored > 0 && refused > 0, "the fuzzer must reach both ends");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}
