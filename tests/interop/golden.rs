//! Golden payloads: what other servers have written is read, and is what the same commands make here.

use plinth_testkit::{Client, Server, assert_wire};
use std::collections::BTreeSet;

const PAYLOADS: &str = include_str!("golden.tsv");

/// Every value type that a release of Redis or Valkey has written for a value of its own.
const TYPES: [u8; 22] = [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 25];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap_or_else(|_| panic!("{hex}"));
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn digest(client: &mut Client, key: &str) -> String {
    client.ask(&["DEBUG", "DIGEST-VALUE", key]).texts().join(" ")
}

#[test]
fn payloads_of_every_server_and_value_type_are_what_the_same_commands_make() {
    let server = Server::start();
    let mut client = server.connect();
    let mut types = BTreeSet::new();
    for line in PAYLOADS.lines().filter(|line| !line.starts_with('#')) {
        let [from, what, tag, hex, commands]: [&str; 5] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line}"));
        let payload = bytes(hex);
        assert_eq!(payload[0].to_string(), tag, "{from} {what}");
        types.insert(payload[0]);
        assert_wire(&mut client, &["FLUSHALL"], b"+OK\r\n");
        for command in commands.split(';') {
            let words: Vec<&str> = command.split(' ').map(|word| if word == "_" { "" } else { word }).collect();
            client.ask(&words);
        }
        let made = digest(&mut client, "k");
        let restored = client.ask(&[b"RESTORE".as_slice(), b"r", b"0", &payload]).text();
        assert_eq!(restored, "OK", "{from} {what}");
        assert_eq!(digest(&mut client, "r"), made, "{from} {what}");
    }
    assert!(types.into_iter().eq(TYPES), "a value type is missing");
}
