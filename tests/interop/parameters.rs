//! Parameters beside Redis 7.0: names, defaults, and what is said of values good and bad.

use crate::peer::find;
use plinth_testkit::reply::Reply;
use plinth_testkit::{Client, Server};

/// Values that are tried: each is good for some parameters and bad for others.
const VALUES: [&str; 10] = ["-1", "abc", "", "0", "yes", "a b", "1 2 3 4", "100", "7", "10%"];

/// Those that belong to where a server runs, or that would cut the test off.
const OF_PLACE: [&str; 10] =
    ["bind", "dir", "logfile", "masterauth", "pidfile", "port", "replicaof", "requirepass", "slaveof", "unixsocket"];

/// Those whose default is another.
const OTHER_DEFAULTS: [(&str, &str); 5] = [
    ("lazyfree-lazy-eviction", "freeing in the background is the rule, as in Valkey 8"),
    ("lazyfree-lazy-expire", "freeing in the background is the rule, as in Valkey 8"),
    ("lazyfree-lazy-server-del", "freeing in the background is the rule, as in Valkey 8"),
    ("lazyfree-lazy-user-del", "freeing in the background is the rule, as in Valkey 8"),
    ("lazyfree-lazy-user-flush", "freeing in the background is the rule, as in Valkey 8"),
];

/// Those of which something else is said.
const OTHER_WORDS: [(&str, &str); 5] = [
    ("activedefrag", "Debian's Redis has an allocator that cannot"),
    ("client-output-buffer-limit", "nothing is no limit, where Redis sets none and says OK"),
    ("loglevel", "the error names 'nothing' too, as Redis 7.2 does"),
    ("repl-backlog-size", "shown as it was set, where Redis shows no less than 16 KiB"),
    ("maxmemory-policy", "the error names the policies of Redis 8.6 too"),
];

fn text(client: &mut Client, args: &[&str]) -> String {
    match client.ask(args) {
        Reply::Bulk(text) => String::from_utf8_lossy(&text).into_owned(),
        other => format!("{other:?}"),
    }
}

/// Names and values of all that are shown.
fn all(client: &mut Client) -> Vec<(String, String)> {
    let Reply::Array(words) = client.ask(&["CONFIG", "GET", "*"]) else { panic!("no list") };
    let word = |reply: &Reply| match reply {
        Reply::Bulk(text) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?}"),
    };
    words.chunks(2).map(|pair| (word(&pair[0]), word(&pair[1]))).collect()
}

/// A parameter for tests is shown to who asks for it by its name only, as in Redis 8.
const HIDDEN: &str = "aof-disable-auto-gc";

fn is_compared(name: &str) -> bool {
    !name.starts_with("tls-") && !OF_PLACE.contains(&name) && name != HIDDEN
}

#[test]
fn all_parameters_of_redis_are_there_with_its_defaults() {
    let Some(peer) = find("Redis 7.0") else { return };
    let server = Server::with(&["--save", ""]);
    let (theirs, ours) = (all(&mut peer.connect()), all(&mut server.connect()));
    let value = |name: &str| ours.iter().find(|(own, _)| own == name).map(|(_, value)| value);
    for (name, default) in theirs.iter().filter(|(name, _)| name != HIDDEN) {
        let own = value(name).unwrap_or_else(|| panic!("there is no {name}"));
        let is_other = OTHER_DEFAULTS.iter().any(|(other, _)| other == name) || name.starts_with("enable-");
        if is_compared(name) && !is_other {
            assert_eq!(own, default, "{name}");
        }
    }
}

#[test]
fn values_are_taken_and_refused_in_the_same_words() {
    let Some(peer) = find("Redis 7.0") else { return };
    let server = Server::with(&["--save", ""]);
    let (mut theirs, mut ours) = (peer.connect(), server.connect());
    let mut differing = Vec::new();
    for (name, before) in all(&mut theirs) {
        if !is_compared(&name) || OTHER_WORDS.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let own_before = all(&mut ours).into_iter().find(|(own, _)| *own == name).map(|(_, value)| value);
        for value in VALUES {
            let tried = |client: &mut Client, before: &str| {
                let said = text(client, &["CONFIG", "SET", &name, value]);
                let shown = format!("{:?}", client.ask(&["CONFIG", "GET", &name]));
                client.ask(&["CONFIG", "SET", &name, before]);
                (said, shown)
            };
            let expected = tried(&mut theirs, &before);
            let reply = tried(&mut ours, own_before.as_deref().unwrap_or_default());
            let is_other = OTHER_DEFAULTS.iter().any(|(other, _)| *other == name) || name.starts_with("enable-");
            if reply.0 != expected.0 || reply.1 != expected.1 && !is_other {
                differing.push(format!("{name} '{value}'\n  {reply:?}\n  {expected:?}"));
            }
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
