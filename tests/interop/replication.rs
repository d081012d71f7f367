//! Replication with other servers as replicas of Plinth: what they hold is what Plinth holds, after a full sync by
//! disk and without, under load, after a link that was cut, and behind a replica of theirs.

use crate::peer::{Peer, find, with_each_started};
use plinth_testkit::{Client, Reply, Server, TempDir, data, wait_until};

const QUIET: &[&str] = &["--save", "", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"];

fn primary(args: &[&str]) -> Server {
    Server::with(&[QUIET, args].concat())
}

fn texts(client: &mut Client, words: &[&str]) -> Vec<String> {
    client.ask(words).items().iter().map(|item| format!("{item:?}")).collect()
}

/// All keys of a database with what is in them, in an order that does not depend on the server.
fn contents(client: &mut Client, db: &str) -> Vec<(String, String, Vec<String>)> {
    assert_eq!(client.text(&["SELECT", db]), "OK");
    let mut keys: Vec<String> = client.ask(&["KEYS", "*"]).items().iter().map(|key| key.text()).collect();
    keys.sort();
    let of = |key: String| {
        let kind = client.text(&["TYPE", &key]);
        let until = client.text(&["PEXPIRETIME", &key]);
        let values = match kind.as_str() {
            "string" => vec![format!("{:?}", client.ask(&["GET", &key]))],
            "list" => texts(client, &["LRANGE", &key, "0", "-1"]),
            // Redis 7.0 writes a score with all its digits, others with those that are needed.
            "zset" => {
                let said = client.ask(&["ZRANGE", &key, "0", "-1", "WITHSCORES"]);
                let shown = |pair: &[Reply]| format!("{:?} {:?}", pair[0], pair[1].text().parse::<f64>());
                said.items().chunks(2).map(shown).collect()
            }
            "stream" => texts(client, &["XRANGE", &key, "-", "+"]),
            "set" => {
                let mut all = texts(client, &["SMEMBERS", &key]);
                all.sort();
                all
            }
            "hash" => {
                let all = texts(client, &["HGETALL", &key]);
                let mut pairs: Vec<String> = all.chunks(2).map(|pair| pair.join("=")).collect();
                pairs.sort();
                pairs
            }
            other => panic!("{key} is a {other}"),
        };
        (key, until, values)
    };
    keys.into_iter().map(of).collect()
}

#[track_caller]
fn assert_equal(plinth: &mut Client, theirs: &mut Client, peer: &str) {
    for db in ["0", "3", "9"] {
        let expected = contents(plinth, db);
        let found = contents(theirs, db);
        for (one, other) in expected.iter().zip(&found) {
            assert!(one == other, "{peer} has in database {db}\n{other:?}\nand Plinth\n{one:?}");
        }
        assert_eq!(found.len(), expected.len(), "keys of {peer} in database {db}");
    }
    assert_eq!(plinth.text(&["SELECT", "0"]), "OK");
}

/// Wait until a replica has all that its primary has said.
#[track_caller]
fn wait_for(plinth: &mut Client, replicas: usize, what: &str) {
    wait_until(what, || {
        plinth.command(&["SET", "waited", "for"]);
        plinth.ask(&["WAIT", &replicas.to_string(), "100"]).integer() == replicas as i64
    });
}

fn follow(peer: &Peer, port: u16) -> Client {
    let mut theirs = peer.connect();
    assert_eq!(theirs.text(&["REPLICAOF", "127.0.0.1", &port.to_string()]), "OK");
    theirs
}

fn load(client: &mut Client, round: usize) {
    for at in 0..200 {
        let number = at.to_string();
        client.command(&["INCRBY", "counter", &number]);
        client.command(&["RPUSH", "load:list", &number, &round.to_string()]);
        client.command(&["HSET", "load:hash", &number, &round.to_string()]);
        client.command(&["ZADD", "load:zset", &number, &round.to_string()]);
        client.command(&["XADD", "load:stream", &format!("{}-{at}", round + 1), "f", "v"]);
    }
    for line in ["SELECT 3", "SET other x", "EXPIRE other 10000", "SELECT 0"] {
        client.command(&line.split(' ').collect::<Vec<_>>());
    }
}

#[test]
fn others_are_replicas_of_plinth_through_full_and_partial_syncs() {
    with_each_started(|start| {
        for diskless in ["yes", "no"] {
            let server = primary(&["--repl-diskless-sync", diskless]);
            let mut plinth = server.connect();
            data::make(&mut plinth, &data::all());
            let peer = start(TempDir::new(), &[]);
            let mut theirs = follow(&peer, server.port());
            load(&mut plinth, 0);
            wait_for(&mut plinth, 1, "the replica has all");
            assert_equal(&mut plinth, &mut theirs, peer.name());
            assert_eq!(plinth.info("stats", "sync_full").as_deref(), Some("1"));
            // A link that is cut is gone on with.
            load(&mut plinth, 1);
            assert_eq!(plinth.ask(&["CLIENT", "KILL", "TYPE", "replica"]).integer(), 1);
            load(&mut plinth, 2);
            wait_for(&mut plinth, 1, "the replica is back");
            assert_equal(&mut plinth, &mut theirs, peer.name());
            assert_eq!(plinth.info("stats", "sync_partial_ok").as_deref(), Some("1"));
            assert_eq!(plinth.info("stats", "sync_full").as_deref(), Some("1"));
        }
    });
}

#[test]
fn a_replica_of_a_replica_has_what_plinth_has() {
    with_each_started(|start| {
        let server = primary(&[]);
        let mut plinth = server.connect();
        data::make(&mut plinth, &data::all());
        let middle = start(TempDir::new(), &["--repl-diskless-sync-delay", "0"]);
        let mut of_middle = follow(&middle, server.port());
        wait_for(&mut plinth, 1, "the replica has all");
        let last = start(TempDir::new(), &[]);
        let mut of_last = follow(&last, middle.port());
        load(&mut plinth, 0);
        wait_for(&mut plinth, 1, "the replica has all");
        wait_until("the last has all", || {
            let offset = |client: &mut Client| client.info("replication", "master_repl_offset");
            offset(&mut of_last) == offset(&mut of_middle) && of_last.command(&["GET", "waited"]) == b"$3\r\nfor\r\n"
        });
        assert_equal(&mut plinth, &mut of_last, last.name());
    });
}

/// Commands that Redis 7.0 does not know reach it as ones that it knows.
#[test]
fn what_only_newer_servers_know_reaches_an_old_replica_in_other_words() {
    let Some(peer) = find("Redis 7.0") else { return };
    let server = primary(&[]);
    let mut plinth = server.connect();
    let mut theirs = follow(&peer, server.port());
    wait_for(&mut plinth, 1, "the replica is there");
    for line in [
        "SET value old",
        "SET value new IFEQ old",
        "MSETEX 2 a 1 b 2 EX 1000",
        "SET gone x",
        "DELIFEQ gone x",
        "HSET hash f 1 g 2 h 3",
        "HGETDEL hash FIELDS 1 f",
        "HSETEX hash FIELDS 1 i 4",
        "XADD stream 1-1 f v",
        "XADD stream 2-1 f v",
        "XADD stream 3-1 f v",
        "XGROUP CREATE stream g 0",
        "XREADGROUP GROUP g c COUNT 2 STREAMS stream >",
        "XADD stream KEEPREF MAXLEN = 3 4-1 f v",
        "XADD stream DELREF 4-2 f v",
        "XADD other 1-1 f v",
        "XADD other 2-1 f v",
        "XADD other 3-1 f v",
        "XGROUP CREATE other g 0",
        "XREADGROUP GROUP g c COUNT 3 STREAMS other >",
        "XACK other g 2-1",
        "XADD other DELREF MAXLEN 2 4-1 f v",
        "XDELEX stream KEEPREF IDS 1 2-1",
        "XACKDEL stream g IDS 1 3-1",
        "GETEX value EX 1000",
    ] {
        let said = plinth.ask(&line.split(' ').collect::<Vec<_>>());
        println!("{line}: {said:?}");
    }
    wait_for(&mut plinth, 1, "the replica has all");
    assert_equal(&mut plinth, &mut theirs, peer.name());
    let errors = theirs.info("stats", "total_error_replies");
    assert_eq!(errors.as_deref(), Some("0"), "{:?}", theirs.text(&["INFO", "errorstats"]));
}

/// Fields that expire are what Redis 7.0 cannot hold: the sync is refused there, and Redis 8.2 takes it.
#[test]
fn a_snapshot_has_the_version_that_its_data_need() {
    let Some(peer) = find("Redis 8.2") else { return };
    let server = primary(&[]);
    let mut plinth = server.connect();
    data::make(&mut plinth, &data::expiring());
    let mut theirs = follow(&peer, server.port());
    wait_for(&mut plinth, 1, "the replica has all");
    let fields = ["HPEXPIRETIME", "deadlines:small", "FIELDS", "2", "f", "_"];
    assert_eq!(theirs.command(&fields), plinth.command(&fields));
    assert_equal(&mut plinth, &mut theirs, peer.name());
}
