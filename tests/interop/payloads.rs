//! Payloads: values of every type and encoding cross by DUMP, RESTORE and MIGRATE, as they come.
//!
//! That a value is the same on the other side is seen when it has come back: Plinth's digest of it is
//! what it was. What both answer is compared beside that, where all servers answer alike.

use crate::peer::{self, Peer, assert_same, dump, with_every};
use plinth_testkit::data::{self, Made};
use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, assert_wire};

fn digest(client: &mut Client, key: &str) -> String {
    client.ask(&["DEBUG", "DIGEST-VALUE", key]).texts().join(" ")
}

/// Moves a key by DUMP and RESTORE, the payload as it is.
#[track_caller]
fn pass(from: &mut Client, to: &mut Client, key: &str) {
    let payload = dump(from, key);
    let reply = to.ask(&[b"RESTORE", key.as_bytes(), b"0", &payload, b"REPLACE"]);
    assert_eq!(reply.text(), "OK", "RESTORE {key}");
}

#[track_caller]
fn migrate(from: &mut Client, port: u16, key: &str) -> Reply {
    from.ask(&["MIGRATE", "127.0.0.1", &port.to_string(), key, "0", "5000", "REPLACE"])
}

/// Runs a test with all peers that take payloads of today's encodings; Redis 6.2 has none of them.
fn with_crossing(test: impl Fn(&Peer, &mut Client, &mut Client)) {
    with_every(|peer, theirs, plinth| {
        if peer.reads(10) {
            test(peer, theirs, plinth);
        }
    });
}

/// Both answer alike what all servers answer alike.
#[track_caller]
fn assert_alike(peer: &Peer, theirs: &mut Client, plinth: &mut Client, key: &str) {
    assert_same(peer, theirs, plinth, &["TYPE", key]);
    match key.split(':').next() {
        Some("string") => assert_same(peer, theirs, plinth, &["GET", key]),
        Some("list") => assert_same(peer, theirs, plinth, &["LRANGE", key, "0", "-1"]),
        Some("zset") => assert_same(peer, theirs, plinth, &["ZRANGE", key, "0", "-1"]),
        Some("stream") => assert_same(peer, theirs, plinth, &["XRANGE", key, "-", "+"]),
        Some("set") => assert_same(peer, theirs, plinth, &["SCARD", key]),
        _ => assert_same(peer, theirs, plinth, &["HLEN", key]),
    }
}

#[test]
fn values_of_plinth_are_restored_by_every_peer_and_come_back_the_same() {
    with_crossing(|peer, theirs, plinth| {
        let data = data::all();
        data::make(plinth, &data);
        for (key, ..) in &data {
            let before = digest(plinth, key);
            pass(plinth, theirs, key);
            assert_alike(peer, theirs, plinth, key);
            assert_wire(plinth, &["DEL", key], b":1\r\n");
            pass(theirs, plinth, key);
            assert_eq!(digest(plinth, key), before, "{key} from {}", peer.name());
        }
    });
}

#[test]
fn values_of_every_peer_are_what_the_same_commands_make_in_plinth() {
    with_crossing(|peer, theirs, plinth| {
        let mut data = data::all();
        if peer.has_deadlines() {
            data.extend(data::expiring());
        }
        data::make(theirs, &data);
        data::make(plinth, &data);
        for (key, ..) in &data {
            // When a consumer was handed its entries is its server's to say.
            let is_timed = matches!(*key, "stream:groups" | "stream:gone");
            let made = digest(plinth, key);
            pass(theirs, plinth, key);
            assert_alike(peer, theirs, plinth, key);
            assert!(is_timed || digest(plinth, key) == made, "{key} from {}", peer.name());
        }
    });
}

#[test]
fn every_value_migrates_to_every_peer_and_back() {
    with_crossing(|peer, theirs, plinth| {
        let own_port: u16 = plinth.ask(&["CONFIG", "GET", "port"]).texts()[1].parse().unwrap_or_default();
        let mut data = data::all();
        if peer.has_deadlines() {
            data.extend(data::expiring());
        }
        data::make(plinth, &data);
        for (key, ..) in &data {
            let before = digest(plinth, key);
            assert_eq!(migrate(plinth, peer.port(), key).text(), "OK", "{key} to {}", peer.name());
            assert_wire(plinth, &["EXISTS", key], b":0\r\n");
            assert_eq!(migrate(theirs, own_port, key).text(), "OK", "{key} from {}", peer.name());
            assert_eq!(digest(plinth, key), before, "{key} by way of {}", peer.name());
        }
    });
}

#[test]
fn a_transaction_migrates_what_valkey_writes_differently_too() {
    let Some(peer) = peer::find("Valkey 9.1") else { return };
    let server = Server::start();
    let (mut plinth, mut theirs) = (server.connect(), peer.connect());
    let data: Vec<Made> = [data::expiring(), data::all()].concat();
    data::make(&mut plinth, &data);
    let mut words = ["MIGRATE", "127.0.0.1", "PORT", "", "0", "5000", "KEYS"].map(str::to_owned).to_vec();
    words[2] = peer.port().to_string();
    words.extend(data.iter().map(|(key, ..)| (*key).to_owned()));
    assert_wire(&mut plinth, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut plinth, &words, b"+QUEUED\r\n");
    assert_wire(&mut plinth, &["EXEC"], b"*1\r\n+OK\r\n");
    assert_wire(&mut plinth, &["DBSIZE"], b":0\r\n");
    assert_eq!(theirs.ask(&["DBSIZE"]).integer(), data.len() as i64);
}

#[test]
fn a_server_that_knows_no_deadlines_of_fields_is_given_none_silently() {
    let Some(peer) = peer::find("Redis 7.0") else { return };
    let server = Server::start();
    let (mut plinth, mut theirs) = (server.connect(), peer.connect());
    let data = data::expiring();
    data::make(&mut plinth, &data);
    for (key, ..) in &data {
        let reply = migrate(&mut plinth, peer.port(), key);
        assert!(matches!(&reply, Reply::Error(text) if text.contains("DUMP payload version")), "{reply:?}");
        assert_wire(&mut plinth, &["EXISTS", key], b":1\r\n");
        assert_wire(&mut theirs, &["EXISTS", key], b":0\r\n");
    }
    // A hash that has no deadline any more is a plain one.
    for command in ["HSET plain f v g w", "HPEXPIREAT plain 4102444800000 FIELDS 1 f", "HPERSIST plain FIELDS 1 f"] {
        plinth.ask(&command.split(' ').collect::<Vec<_>>());
    }
    assert_eq!(migrate(&mut plinth, peer.port(), "plain").text(), "OK");
    assert_wire(&mut theirs, &["HGET", "plain", "f"], b"$1\r\nv\r\n");
}

#[test]
fn values_cross_from_redis_through_plinth_to_valkey_and_back() {
    let (Some(redis), Some(valkey)) = (peer::find("Redis 8.2"), peer::find("Valkey 9.1")) else { return };
    let (server, witness) = (Server::start(), Server::start());
    let (mut plinth, mut theirs, mut other) = (server.connect(), redis.connect(), valkey.connect());
    let mut witness = witness.connect();
    let data: Vec<Made> = [data::all(), data::expiring()].concat();
    data::make(&mut theirs, &data);
    for (key, ..) in &data {
        pass(&mut theirs, &mut witness, key);
        let before = digest(&mut witness, key);
        let step = |from: &mut Client, port: u16, what: &str| {
            assert_eq!(migrate(from, port, key).text(), "OK", "{key} {what}");
        };
        step(&mut theirs, server.port(), "from Redis to Plinth");
        step(&mut plinth, valkey.port(), "from Plinth to Valkey");
        step(&mut other, server.port(), "from Valkey to Plinth");
        step(&mut plinth, redis.port(), "from Plinth to Redis");
        pass(&mut theirs, &mut witness, key);
        assert_eq!(digest(&mut witness, key), before, "{key}");
    }
}
