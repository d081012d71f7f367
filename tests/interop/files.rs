//! Files: a data set of every type, encoding and expiry that a peer has saved is the same in Plinth, and what
//! Plinth saves is the same in each peer that reads its version.

use crate::peer::{Peer, assert_same, with_every};
use plinth_testkit::{Client, Server, TempDir, assert_wire};

const QUIET: [&str; 2] = ["--save", ""];

fn run(client: &mut Client, line: &str) {
    let reply = client.ask(&line.split(' ').collect::<Vec<_>>());
    assert!(!matches!(reply, plinth_testkit::Reply::Error(_)), "{line}: {reply:?}");
}

/// `count` words with a number in the place of `#`.
fn many(count: usize, word: &str) -> String {
    (0..count).map(|at| word.replace('#', &at.to_string())).collect::<Vec<_>>().join(" ")
}

fn fill(client: &mut Client, has_field_expiry: bool) {
    for line in [
        "SET text hello",
        "SET number -12345",
        "SET expiring x PX 100000000",
        "SETRANGE raw 10 x",
        "RPUSH list a 1 -5",
        "SADD integers 1 2 300000",
        "SADD set a b c",
        "HSET hash f v n 12",
        "ZADD zset 1 a 2.5 b -inf c",
        "XADD stream 1-1 f v",
        "XADD stream 2-1 f w g x",
        "XADD stream 3-1 f w",
        "XDEL stream 2-1",
        "XGROUP CREATE stream g 0",
        "XREADGROUP GROUP g alice COUNT 1 STREAMS stream >",
        "PFADD sketch a b c",
        "GEOADD places 13.36 38.11 palermo",
        "SELECT 9",
        "SET other database",
        "EXPIRE other 100000",
        "SELECT 0",
    ] {
        run(client, line);
    }
    run(client, &format!("SET long {}", "x".repeat(100_000)));
    run(client, &format!("RPUSH long-list {}", many(900, "element#")));
    run(client, &format!("RPUSH fat-list {} small", "y".repeat(20_000)));
    run(client, &format!("SADD large-integers {}", many(900, "#")));
    run(client, &format!("SADD large-set {}", many(900, "member#")));
    run(client, &format!("HSET large-hash {}", many(900, "f# v#")));
    run(client, &format!("ZADD large-zset {}", many(900, "#.5 m#")));
    run(client, &format!("PFADD dense {}", many(9000, "e#")));
    if has_field_expiry {
        run(client, "HSET fields a 1 b 2");
        run(client, "HEXPIRE fields 100000 FIELDS 1 a");
        run(client, &format!("HSET large-fields {}", many(900, "f# v#")));
        run(client, "HEXPIRE large-fields 100000 FIELDS 2 f0 f2");
    }
}

fn compare(peer: &Peer, theirs: &mut Client, plinth: &mut Client, has_field_expiry: bool) {
    let mut lines = [
        "DBSIZE",
        "GET text",
        "GET number",
        "GET raw",
        "GET long",
        "PEXPIRETIME expiring",
        "LRANGE list 0 -1",
        "LRANGE long-list 0 -1",
        "LRANGE fat-list 0 -1",
        "SORT integers",
        "SORT set ALPHA",
        "SORT large-integers",
        "SORT large-set ALPHA",
        "HGETALL hash",
        "HLEN large-hash",
        "HMGET large-hash f0 f1 f899 none",
        "ZRANGE zset 0 -1 WITHSCORES",
        "ZRANGE large-zset 0 -1",
        "ZSCORE large-zset m7",
        "XRANGE stream - +",
        "XPENDING stream g",
        "PFCOUNT sketch",
        "PFCOUNT dense",
        "ZSCORE places palermo",
    ]
    .to_vec();
    if has_field_expiry {
        lines.extend([
            "HPEXPIRETIME fields FIELDS 2 a b",
            "HPEXPIRETIME large-fields FIELDS 3 f0 f2 f4",
            "HGET large-fields f899",
        ]);
    }
    lines.extend(["SELECT 9", "GET other", "PEXPIRETIME other", "SELECT 0"]);
    // Redis 6.2 cannot tell when a key expires, but for how long it is there.
    lines.retain(|line| peer.reads(10) || !line.starts_with("PEXPIRETIME"));
    for line in lines {
        assert_same(peer, theirs, plinth, &line.split(' ').collect::<Vec<_>>());
    }
}

#[test]
fn a_file_of_theirs_is_the_same_in_plinth_and_plinths_in_those_that_read_its_version() {
    with_every(|peer, theirs, _| {
        let has_field_expiry = peer.has_deadlines();
        fill(theirs, has_field_expiry);
        assert_wire(theirs, &["SAVE"], b"+OK\r\n");
        let folder = TempDir::new();
        folder.write("dump.rdb", peer.saved());
        let server = Server::within(folder, &QUIET);
        let mut plinth = server.connect();
        compare(peer, theirs, &mut plinth, has_field_expiry);
        // Valkey has no number for what Redis calls a hash whose fields expire, nor the other way round.
        let mut holds = has_field_expiry;
        if !peer.reads(12) && has_field_expiry {
            assert_wire(&mut plinth, &["DEL", "fields", "large-fields"], b":2\r\n");
            assert_wire(theirs, &["DEL", "fields", "large-fields"], b":2\r\n");
            holds = false;
        }
        let version = if peer.reads(12) {
            12
        } else if peer.reads(11) {
            11
        } else if peer.reads(10) {
            10
        } else {
            9
        };
        assert_wire(&mut plinth, &["CONFIG", "SET", "rdb-version", &version.to_string()], b"+OK\r\n");
        assert_wire(&mut plinth, &["SAVE"], b"+OK\r\n");
        let file = std::fs::read(server.folder().file("dump.rdb")).unwrap();
        let folder = TempDir::new();
        folder.write("dump.rdb", file);
        let other = peer.another(folder);
        compare(peer, &mut other.connect(), &mut plinth, holds);
    });
}
