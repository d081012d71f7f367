//! The append-only file: what is kept of the same commands, and directories that move between servers.

use crate::peer::{Peer, with_each_started};
use plinth_testkit::append::{commands, last_increment};
use plinth_testkit::{Client, Server, TempDir, wait_until};
use std::path::Path;

const APPENDS: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

/// Parameters whose defaults differ, and which say whether DEL or UNLINK is kept.
const EAGER: &[&str] = &["--lazyfree-lazy-expire", "no", "--lazyfree-lazy-server-del", "no"];

/// Commands, those of a client one line each; each line is one unit at most.
const SCRIPT: &str = include_str!("append.txt");

/// From this on a number is a time in ms, of which both servers have their own.
const TIME_MS: i64 = 1_600_000_000_000;
/// How far two times may lie apart.
const APART_MS: i64 = 60_000;

fn plinth(folder: TempDir) -> Server {
    Server::within(folder, &[APPENDS, EAGER, &["--save", ""]].concat())
}

/// Run the script; the commands that were kept of it.
fn kept(client: &mut Client, folder: &Path) -> Vec<Vec<String>> {
    for line in SCRIPT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["wait-until-gone", key] = words[..] {
            wait_until("a key has expired", || client.command(&["EXISTS", key]) == b":0\r\n");
            continue;
        }
        let reply = client.ask(&words);
        assert!(!matches!(&reply, plinth_testkit::Reply::Error(text) if text.contains("unknown")), "{line}: {reply:?}");
    }
    commands(&last_increment(folder))
}

/// Whether two commands say the same: names in any case, times by a clock each. The condition of an EXPIRE was
/// met, or nothing would be kept; Plinth does not repeat it.
fn same(one: &[String], other: &[String]) -> bool {
    let plain = |words: &[String]| if words[0].eq_ignore_ascii_case("PEXPIREAT") { 3 } else { words.len() };
    let (one, other) = (&one[..plain(one)], &other[..plain(other)]);
    let time = |text: &str| text.parse::<i64>().ok().filter(|time| *time > TIME_MS);
    one.len() == other.len()
        && one.iter().zip(other).enumerate().all(|(at, (one, other))| match (time(one), time(other)) {
            (Some(one), Some(other)) => (one - other).abs() < APART_MS,
            _ if at == 0 => one.eq_ignore_ascii_case(other),
            _ => one == other || at > 1 && one.eq_ignore_ascii_case(other),
        })
}

#[test]
fn plinth_keeps_of_commands_what_others_keep() {
    with_each_started(|start| {
        let args = [APPENDS, EAGER].concat();
        let peer = start(TempDir::new(), &args);
        let expected = kept(&mut peer.connect(), &peer.folder().path().join("appendonlydir"));
        let server = plinth(TempDir::new());
        let found = kept(&mut server.connect(), &server.folder().path().join("appendonlydir"));
        let shown = |all: &[Vec<String>]| all.iter().map(|one| one.join(" ")).collect::<Vec<_>>();
        let differs = expected.iter().zip(&found).position(|(one, other)| !same(one, other));
        let at = differs.unwrap_or(expected.len().min(found.len()));
        assert!(
            differs.is_none() && expected.len() == found.len(),
            "{} and Plinth part at {at}:\n{:#?}\n{:#?}",
            peer.name(),
            shown(&expected[at.saturating_sub(2)..expected.len().min(at + 6)]),
            shown(&found[at.saturating_sub(2)..found.len().min(at + 6)]),
        );
    });
}

/// Keys of several kinds, some of them in another database, some with an expiry.
fn fill(client: &mut Client) {
    for line in [
        "SET string value",
        "SET expiring value PX 100000000",
        "RPUSH list a b c",
        "HSET hash field value",
        "SADD set 1 2 3",
        "ZADD zset 1.5 one 2 two",
        "XADD stream 5-1 field value",
        "SELECT 3",
        "SET other 1",
        "MULTI",
        "INCR other",
        "INCR other",
        "EXEC",
        "SELECT 0",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let reply = client.ask(&words);
        assert!(!matches!(reply, plinth_testkit::Reply::Error(_)), "{line}: {reply:?}");
    }
}

/// All that `fill` has made.
fn content(client: &mut Client) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = [
        &["GET", "string"][..],
        &["PEXPIRETIME", "expiring"],
        &["LRANGE", "list", "0", "-1"],
        &["HGETALL", "hash"],
        &["SMEMBERS", "set"],
        &["ZRANGE", "zset", "0", "-1", "WITHSCORES"],
        &["XRANGE", "stream", "-", "+"],
        &["DBSIZE"],
    ]
    .iter()
    .map(|command| client.command(command))
    .collect();
    client.command(&["SELECT", "3"]);
    found.push(client.command(&["GET", "other"]));
    client.command(&["SELECT", "0"]);
    found
}

/// Rewrite the append-only file, and wait for it.
fn rewrite(client: &mut Client) {
    let begun = client.text(&["BGREWRITEAOF"]);
    assert!(begun.starts_with("Background append only file rewriting"), "{begun}");
    wait_until("the rewrite is done", || {
        client.info("persistence", "aof_rewrite_in_progress").as_deref() == Some("0")
            && client.info("persistence", "aof_rewrite_scheduled").as_deref() == Some("0")
    });
    assert_eq!(client.info("persistence", "aof_last_bgrewrite_status").as_deref(), Some("ok"));
}

fn moves(preamble: &str) {
    with_each_started(|start| {
        let args = [APPENDS, &["--aof-use-rdb-preamble", preamble]].concat();
        let from: Peer = start(TempDir::new(), &args);
        fill(&mut from.connect());
        rewrite(&mut from.connect());
        from.connect().command(&["APPEND", "string", "!"]);
        let expected = content(&mut from.connect());
        let version = from.rdb_version().min(11).to_string();
        let server = Server::within(from.end(), &[&args[..], &["--save", "", "--rdb-version", &version]].concat());
        let mut client = server.connect();
        assert_eq!(content(&mut client), expected, "read here");
        rewrite(&mut client);
        client.command(&["APPEND", "string", "!"]);
        let expected = content(&mut client);
        let back = start(server.end("TERM"), &args);
        assert_eq!(content(&mut back.connect()), expected, "read there");
    });
}

#[test]
fn plinth_and_others_go_on_with_each_others_directory() {
    moves("yes");
}

#[test]
fn plinth_and_others_go_on_with_each_others_directory_of_commands() {
    moves("no");
}
