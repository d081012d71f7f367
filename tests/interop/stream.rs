//! Streams: with groups, pending entries, consumers and entries that were deleted they move both ways
//! and are the same afterwards.
//!
//! Redis 7.0 is asked one way only: it does not know the value type of Redis 7.2 that Plinth saves.

use crate::peer::{Peer, dump, move_to_peer, move_to_plinth, with_each};
use plinth_fuzz::Random;
use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, assert_wire};

const ENTRIES: usize = 250;
const CONSUMERS: [&str; 3] = ["alice", "bob", "c"];

/// Sends the words of a line.
fn line(client: &mut Client, line: &str) -> Reply {
    client.ask(&line.split(' ').collect::<Vec<_>>())
}

/// An entry's fields: mostly the same names, integers and texts, none and long ones.
fn fields(random: &mut Random) -> Vec<String> {
    let number = (random.number() as i64).to_string();
    let long = "x".repeat(random.below(200));
    let words: &[&str] = match random.below(5) {
        0 => &["own", &number],
        1 => &["own", "007", "and", "", "-1", &long],
        2 => &["name", &long, "other", "-5"],
        _ => &["name", "value", "other", &number],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// An id behind another.
fn id_behind((ms, seq): (u64, u64), random: &mut Random) -> (u64, u64) {
    match random.below(10) {
        0..=4 => (ms, seq + 1),
        5 => (ms, seq + 1 + (random.number() >> 24)),
        9 => (ms + 1 + (random.number() >> 30), random.below(2) as u64 * 7),
        _ => (ms + 1 + random.below(60) as u64, 0),
    }
}

/// Makes a stream with all that it can have.
fn make(client: &mut Client, key: &str, random: &mut Random) {
    let node = random.one(&["100", "100", "10", "1"]);
    assert_wire(client, &["CONFIG", "SET", "stream-node-max-entries", node], b"+OK\r\n");
    line(client, &format!("DEL {key}"));
    let mut id = ([1, 1_700_000_000_000, 1 << 62][random.below(3)], 1);
    let mut ids = Vec::new();
    for _ in 0..1 + random.below(ENTRIES) {
        id = id_behind(id, random);
        let text = format!("{}-{}", id.0, id.1);
        let words = [vec!["XADD".to_owned(), key.to_owned(), text.clone()], fields(random)].concat();
        assert_eq!(client.ask(&words).text(), text);
        ids.push(text);
    }
    for _ in 0..random.below(ids.len()) / 4 {
        line(client, &format!("XDEL {key} {}", ids[random.below(ids.len())]));
    }
    if random.once_in(3) {
        line(client, &format!("XTRIM {key} MAXLEN {}", random.below(ids.len())));
    }
    for group in ["g", "h"].iter().take(random.below(3)) {
        let start = random.one(&["0", "$", &ids[ids.len() / 3]]);
        line(client, &format!("XGROUP CREATE {key} {group} {start}"));
        for _ in 0..random.below(8) {
            let (consumer, count) = (random.one(&CONSUMERS), 1 + random.below(20));
            line(client, &format!("XREADGROUP GROUP {group} {consumer} COUNT {count} STREAMS {key} >"));
            line(client, &format!("XACK {key} {group} {}", ids[random.below(ids.len())]));
        }
        line(client, &format!("XGROUP CREATECONSUMER {key} {group} idle"));
    }
}

/// All of a stream, but for what the two do not both tell, or not alike.
fn all_of(client: &mut Client, key: &str, peer: &Peer) -> Reply {
    let untold: &[&str] = match peer.name() {
        "Redis 8.2" => &["radix-tree-nodes"],
        "Redis 7.0" => &["radix-tree-nodes", "lag", "active-time"],
        _ => &["radix-tree-nodes", "lag"],
    };
    without(client.ask(&["XINFO", "STREAM", key, "FULL", "COUNT", "0"]), untold)
}

/// A reply without some fields.
fn without(reply: Reply, fields: &[&str]) -> Reply {
    let Reply::Array(items) = reply else { return reply };
    let (mut kept, mut items) = (Vec::new(), items.into_iter());
    while let Some(item) = items.next() {
        let is_field = matches!(&item, Reply::Bulk(name) if fields.iter().any(|field| field.as_bytes() == name));
        if is_field {
            items.next();
        } else {
            kept.push(without(item, fields));
        }
    }
    Reply::Array(kept)
}

fn reads_what_plinth_saves(peer: &Peer) -> bool {
    peer.name() != "Redis 7.0"
}

#[test]
fn a_stream_of_theirs_is_the_same_in_plinth_and_on_its_way_back() {
    with_each(|peer, theirs, plinth| {
        for seed in 0..30 {
            make(theirs, "s", &mut Random::new(seed));
            let expected = all_of(theirs, "s", peer);
            move_to_plinth(theirs, plinth, "s");
            assert!(all_of(plinth, "s", peer) == expected, "seed {seed}");
            // What was loaded is saved as what is loaded again.
            let payload = dump(plinth, "s");
            assert_wire(plinth, &[b"RESTORE".as_slice(), b"again", b"0", &payload], b"+OK\r\n");
            assert_eq!(dump(plinth, "again"), payload);
            line(plinth, "DEL again");
            if reads_what_plinth_saves(peer) {
                move_to_peer(peer, plinth, theirs, "s");
                assert!(all_of(theirs, "s", peer) == expected, "seed {seed}, on its way back");
            }
        }
    });
}

#[test]
fn a_stream_of_plinths_is_the_same_in_theirs() {
    with_each(|peer, theirs, plinth| {
        for seed in (100..130).take_while(|_| reads_what_plinth_saves(peer)) {
            make(plinth, "s", &mut Random::new(seed));
            move_to_peer(peer, plinth, theirs, "s");
            assert!(all_of(theirs, "s", peer) == all_of(plinth, "s", peer), "seed {seed}");
        }
    });
}

#[test]
fn the_same_commands_make_as_many_nodes() {
    with_each(|peer, theirs, plinth| {
        for seed in 200..230 {
            for client in [&mut *theirs, &mut *plinth] {
                // Groups would show when they were read.
                make(client, "s", &mut Random::new(seed));
                line(client, "XGROUP DESTROY s g");
                line(client, "XGROUP DESTROY s h");
            }
            assert!(all_of(plinth, "s", peer) == all_of(theirs, "s", peer), "seed {seed}");
        }
    });
}

/// A stream of one group with a pending entry, as Redis 5 saved it: without what later types have.
const OLD: &[u8] = b"\x0f\x01\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\
    \x1d\x1d\0\0\0\x0a\0\x01\x01\0\x01\x01\x01\x81f\x02\0\x01\x02\x01\0\x01\0\x01\x81v\x02\x04\x01\xff\
    \x01\x01\x01\x01\x01g\x01\x01\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\xff\0\0\0\0\0\0\0\x03\
    \x01\x05alice\x63\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01";

#[test]
fn a_stream_of_redis_5_is_read_alike() {
    with_each(|peer, theirs, plinth| {
        let payload = peer.payload(&[OLD, &[9, 0], &[0; 8]].concat());
        for client in [&mut *theirs, &mut *plinth] {
            assert_wire(client, &[b"RESTORE".as_slice(), b"s", b"0", &payload], b"+OK\r\n");
            assert_eq!(line(client, "XINFO GROUPS s").items()[0].field("entries-read").map(Reply::integer), Some(1));
        }
        assert_eq!(all_of(plinth, "s", peer), all_of(theirs, "s", peer));
    });
}
