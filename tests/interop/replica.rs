//! Replicas: Plinth as the copy of a real server, whatever befalls the link.

use crate::peer::{Peer, with_every_started};
use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server, TempDir, assert_wire, data, wait_until};

/// Databases that tests write to.
const DATABASES: [&str; 3] = ["0", "3", "9"];

fn shown(reply: &Reply) -> String {
    match reply {
        Reply::Bulk(bytes) => format!("'{}' ", bytes.escape_ascii()),
        Reply::Array(items) => items.iter().map(shown).collect(),
        other => format!("{other:?} "),
    }
}

/// A key's value, as any server shows it.
fn value(client: &mut Client, key: &str) -> String {
    let kind = client.text(&["TYPE", key]);
    let (command, is_ordered): (&[&str], bool) = match kind.as_str() {
        "string" => (&["GET", key], true),
        "list" => (&["LRANGE", key, "0", "-1"], true),
        "set" => (&["SMEMBERS", key], false),
        "zset" => (&["ZRANGE", key, "0", "-1", "WITHSCORES"], true),
        "hash" => (&["HGETALL", key], false),
        "stream" => (&["XRANGE", key, "-", "+"], true),
        // It has expired meanwhile.
        "none" => return kind,
        other => panic!("{key} is of type {other}"),
    };
    let reply = client.ask(command);
    let mut parts: Vec<String> = match &reply {
        Reply::Array(items) if kind == "hash" => {
            items.chunks(2).map(|pair| shown(&pair[0]) + &shown(&pair[1])).collect()
        }
        Reply::Array(items) if kind == "zset" => {
            // Redis before 7.2 shows more digits than a score has.
            let score = |reply: &Reply| reply.text().parse::<f64>().map_or("?".into(), |score| score.to_string());
            items.chunks(2).map(|pair| shown(&pair[0]) + &score(&pair[1])).collect()
        }
        Reply::Array(items) => items.iter().map(shown).collect(),
        other => vec![shown(other)],
    };
    if !is_ordered {
        parts.sort();
    }
    if kind == "stream" {
        let groups = client.ask(&["XINFO", "GROUPS", key]);
        let names = groups.items().iter().map(|group| format!("{:?}", group.field("name")));
        parts.extend(names);
    }
    format!("{kind} {}", parts.concat())
}

/// What a server holds: for each key of some databases its value, and when it expires.
pub(crate) fn held(client: &mut Client, tells_deadlines: bool) -> Vec<String> {
    let mut all = Vec::new();
    for db in DATABASES {
        assert_wire(client, &["SELECT", db], b"+OK\r\n");
        let mut keys = client.ask(&["KEYS", "*"]).texts();
        keys.sort();
        for key in keys {
            let value = value(client, &key);
            let deadline = if tells_deadlines { client.text(&["PEXPIRETIME", &key]) } else { String::new() };
            all.push(format!("{db} {key} {value} {deadline}"));
        }
    }
    assert_wire(client, &["SELECT", "0"], b"+OK\r\n");
    all
}

/// # Panics
/// With what differs.
#[track_caller]
fn assert_same(plinth: &mut Client, primary: &mut Client, tells_deadlines: bool) {
    let (own, wanted) = (held(plinth, tells_deadlines), held(primary, tells_deadlines));
    let lacks: Vec<_> = wanted.iter().filter(|line| !own.contains(line)).collect();
    let beyond: Vec<_> = own.iter().filter(|line| !wanted.contains(line)).collect();
    assert!(lacks.is_empty() && beyond.is_empty(), "the primary has\n{lacks:#?}\nthe replica has\n{beyond:#?}");
}

/// A number of INFO's, 0 if it is not there.
fn number(client: &mut Client, section: &str, field: &str) -> i64 {
    client.info(section, field).and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// A primary of some kind that does not wait for more replicas.
fn primary(start: &dyn Fn(TempDir, &[&str]) -> Peer) -> Peer {
    start(TempDir::new(), &["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"])
}

fn follow(plinth: &mut Client, port: u16) {
    assert_wire(plinth, &["REPLICAOF", "127.0.0.1", &port.to_string()], b"+OK\r\n");
    wait_until_up(plinth);
}

fn wait_until_up(plinth: &mut Client) {
    wait_until("the link is up", || plinth.info("replication", "master_link_status").as_deref() == Some("up"));
}

/// Wait until a replica has applied all that its primary has written.
fn wait_until_level(primary: &mut Client, plinth: &mut Client) {
    wait_until("the replica has all of the stream", || {
        let written = number(primary, "replication", "master_repl_offset");
        number(plinth, "replication", "slave_repl_offset") >= written
    });
}

/// Commands of every kind that pass on otherwise than they came.
fn write_all(primary: &mut Client, round: usize) {
    let lines = [
        "SELECT 3",
        "SET s ROUND EX 1000",
        "SETEX t 1000 ROUND",
        "INCR counter",
        "RPUSH l ROUND a b c",
        "LPOP l",
        "SADD set ROUND a b c d e",
        "SPOP set 2",
        "ZADD z ROUND mROUND",
        "HSET h fROUND ROUND",
        "XADD x * f ROUND",
        "SELECT 9",
        "MULTI",
        "SET in-multi ROUND",
        "INCR counter",
        "SELECT 0",
        "APPEND text ROUND",
        "EXEC",
        "EVAL redis.call('set','of-script',ARGV[1]);redis.call('rpush','of-script-too',ARGV[1]) 0 ROUND",
        "SET gone 1 PX 1",
        "EXPIRE text 5000",
        "SELECT 0",
    ];
    for line in lines {
        let line = line.replace("ROUND", &round.to_string());
        let words: Vec<&str> = line.split(' ').collect();
        let reply = primary.ask(&words);
        assert!(!matches!(reply, Reply::Error(_)), "{line}: {reply:?}");
    }
}

#[test]
fn plinth_is_a_replica_of_every_peer_whose_data_it_holds_and_goes_on_with_after_a_cut() {
    with_every_started(|start| {
        let peer = primary(start);
        let tells_deadlines = peer.rdb_version() >= 10;
        let mut primary = peer.connect();
        data::make(&mut primary, &data::all());
        if peer.has_deadlines() {
            data::make(&mut primary, &data::expiring());
        }
        write_all(&mut primary, 0);
        let server = Server::start();
        let mut plinth = server.connect();
        // What it held goes, as soon as there is something in its place.
        assert_wire(&mut plinth, &["SET", "own", "1"], b"+OK\r\n");
        follow(&mut plinth, peer.port());
        assert_wire(&mut plinth, &["EXISTS", "own"], b":0\r\n");
        assert_wire(&mut plinth, &["SET", "k", "v"], b"-READONLY You can't write against a read only replica.\r\n");
        for round in 1..20 {
            write_all(&mut primary, round);
            if round % 5 == 0 {
                // By either side, with commands under way.
                let kills = if round % 10 == 0 { &mut primary } else { &mut plinth };
                let kind = if round % 10 == 0 { "replica" } else { "master" };
                assert_wire(kills, &["CLIENT", "KILL", "TYPE", kind], b":1\r\n");
                write_all(&mut primary, round);
                wait_until_level(&mut primary, &mut plinth);
                wait_until_up(&mut plinth);
            }
        }
        wait_until("the key has expired", || primary.command(&["EXISTS", "gone"]) == b":0\r\n");
        wait_until_level(&mut primary, &mut plinth);
        assert_same(&mut plinth, &mut primary, tells_deadlines);
        assert_eq!(number(&mut primary, "stats", "sync_full"), 1, "{}", server.log());
        assert_eq!(number(&mut plinth, "replication", "plinth_master_link_errors"), 0, "{}", server.log());
        // WAIT counts it.
        assert_wire(&mut primary, &["SET", "last", "1"], b"+OK\r\n");
        assert_wire(&mut primary, &["WAIT", "1", "10000"], b":1\r\n");
        // Promoted, it is nobody's copy.
        assert_wire(&mut plinth, &["REPLICAOF", "NO", "ONE"], b"+OK\r\n");
        assert_wire(&mut plinth, &["SET", "k", "v"], b"+OK\r\n");
        assert_wire(&mut plinth, &["GET", "last"], b"$1\r\n1\r\n");
        assert_eq!(plinth.info("replication", "role").as_deref(), Some("master"));
    });
}

#[test]
fn plinth_goes_on_with_the_stream_of_every_peer_after_a_restart() {
    with_every_started(|start| {
        go_on_after_a_restart(start, &["--save", "3600 1"]);
        go_on_after_a_restart(start, &["--save", "", "--appendonly", "yes"]);
    });
}

fn go_on_after_a_restart(start: &dyn Fn(TempDir, &[&str]) -> Peer, lasts: &[&str]) {
    let peer = primary(start);
    let mut primary = peer.connect();
    write_all(&mut primary, 1);
    let of = format!("127.0.0.1 {}", peer.port());
    let args = [&["--replicaof", &of][..], lasts].concat();
    let server = Server::with(&args);
    let mut plinth = server.connect();
    wait_until_up(&mut plinth);
    write_all(&mut primary, 2);
    wait_until_level(&mut primary, &mut plinth);
    wait_until("the file is begun", || {
        plinth.info("persistence", "aof_rewrite_in_progress").as_deref() == Some("0")
            && plinth.info("persistence", "aof_rewrite_scheduled").as_deref() == Some("0")
    });
    let server = server.again("TERM", &args);
    let mut plinth = server.connect();
    write_all(&mut primary, 3);
    wait_until_up(&mut plinth);
    wait_until_level(&mut primary, &mut plinth);
    assert_eq!(number(&mut primary, "stats", "sync_full"), 1, "{}", server.log());
    let tells_deadlines = peer.rdb_version() >= 10;
    wait_until("the key has expired", || primary.command(&["EXISTS", "gone"]) == b":0\r\n");
    wait_until_level(&mut primary, &mut plinth);
    assert_same(&mut plinth, &mut primary, tells_deadlines);
}
