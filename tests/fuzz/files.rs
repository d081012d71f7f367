//! Snapshots under fire: damaged RDB files of values of every type, loaded by the real server, which must take or refuse
//! each, go on serving, and use no more memory than the file can have given.
//!
//! Checksums are left out (8 zeros stand for none), or nearly all files would end there.

use crate::{TELLING, collections, streams};
use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, assert_wire};

/// Bytes of a file's checksum.
const CHECKSUM_BYTES: usize = 8;
/// How much longer than the file's bytes its values may be: what is compressed expands, and tables have room.
const EXPANSION_MAX: u64 = 300;
/// Memory that a server may take besides.
const ROOM_BYTES: u64 = 64 << 20;

/// Whole files: one for each key, and one that has them all.
fn seeds(server: &Server, client: &mut Client) -> Vec<Vec<u8>> {
    for (key, value) in [("seed:int", "70000"), ("seed:text", "plain text"), ("seed:long", &"abcabcabd".repeat(400))] {
        assert_wire(client, &["SET", key, value], b"+OK\r\n");
    }
    client.command(&["PEXPIRE", "seed:int", "99999999"]);
    collections(client);
    streams(client);
    let keys = client.ask(&["KEYS", "seed:*"]).texts();
    let dumps: Vec<Vec<u8>> = keys
        .iter()
        .map(|key| match client.ask(&["DUMP", key]) {
            Reply::Bulk(payload) => payload,
            other => panic!("DUMP {key}: {other:?}"),
        })
        .collect();
    let saved = |client: &mut Client| {
        assert_wire(client, &["SAVE"], b"+OK\r\n");
        std::fs::read(server.folder().file("dump.rdb")).unwrap_or_else(|error| panic!("dump.rdb: {error}"))
    };
    let mut files = vec![saved(client)];
    for (key, dump) in keys.iter().zip(&dumps) {
        assert_wire(client, &["FLUSHALL"], b"+OK\r\n");
        assert_wire(client, &[b"RESTORE", key.as_bytes(), b"99999999", dump], b"+OK\r\n");
        files.push(saved(client));
    }
    files
}

#[test]
fn no_snapshot_brings_the_server_down_or_has_it_take_memory_that_it_does_not_hold() {
    let server = Server::with(&["--save", "", "--sanitize-dump-payload", "yes"]);
    let mut client = server.connect();
    let seeds = seeds(&server, &mut client);
    let path = server.folder().file("dump.rdb");
    let (mut loaded, mut refused) = (0u64, 0u64);
    plinth_fuzz::run(|random| {
        let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        let whole = random.one(&seeds);
        let mut bytes = whole[..whole.len() - CHECKSUM_BYTES].to_vec();
        // What lies behind the head, which says only who wrote it.
        let head = bytes.len().min(90);
        let mut body = bytes.split_off(head);
        random.damage(&mut body, &TELLING);
        bytes.extend_from_slice(&body);
        bytes.extend_from_slice(&[0; CHECKSUM_BYTES]);
        std::fs::write(&path, &bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_wire(&mut client, &["CONFIG", "RESETSTAT"], b"+OK\r\n");
        match client.ask(&["DEBUG", "RELOAD", "NOSAVE"]) {
            Reply::Error(_) => refused += 1,
            _ => {
                loaded += 1;
                // It reads all of every value.
                client.ask(&["DEBUG", "DIGEST"]);
            }
        }
        let peak = client.info("memory", "used_memory_peak").and_then(|text| text.parse::<u64>().ok());
        let most = bytes.len() as u64 * EXPANSION_MAX + ROOM_BYTES;
        assert!(peak.is_some_and(|peak| peak < most), "{peak:?} bytes for a file of {}", bytes.len());
    });
    println!("{loaded} loaded, {refused} refused");
    assert!(loaded > 0 && refused > 0, "the fuzzer must reach both ends");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}
