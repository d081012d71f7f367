//! `maxmemory`: which keys go, that memory stays within it, and who is told.

use plinth_testkit::append::{commands, last_increment};
use plinth_testkit::{Client, Server, assert_wire, wait_until};

fn number(client: &mut Client, section: &str, field: &str) -> u64 {
    client.info(section, field).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("INFO has no {field}"))
}

/// Allow so many bytes more than are in use.
fn limit(client: &mut Client, more: u64) -> u64 {
    let most = number(client, "memory", "used_memory") + more;
    assert_wire(client, &["CONFIG", "SET", "maxmemory", &most.to_string()], b"+OK\r\n");
    most
}

/// How many of some commands are answered with errors. Few are sent at once, because what waits to be run
/// takes memory, too.
fn errors_of(client: &mut Client, all: &[Vec<String>]) -> usize {
    let mut errors = 0;
    for some in all.chunks(10) {
        some.iter().for_each(|words| client.send(words));
        errors += some.iter().filter(|_| client.read().starts_with(b"-")).count();
    }
    errors
}

#[test]
fn every_policy_keeps_memory_within_its_limit_under_ten_times_its_volume() {
    const ROOM: u64 = 3 << 20;
    const VALUE_BYTES: usize = 2000;
    let server = Server::start();
    let mut client = server.connect();
    let value = "x".repeat(VALUE_BYTES);
    for policy in [
        "allkeys-lru",
        "allkeys-lrm",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lrm",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ] {
        assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", policy], b"+OK\r\n");
        assert_wire(&mut client, &["FLUSHALL", "SYNC"], b"+OK\r\n");
        assert_wire(&mut client, &["CONFIG", "RESETSTAT"], b"+OK\r\n");
        let most = limit(&mut client, ROOM);
        let count = 10 * ROOM as usize / VALUE_BYTES;
        let all: Vec<usize> = (0..count).collect();
        for some in all.chunks(250) {
            let some: Vec<Vec<String>> = some
                .iter()
                .map(|at| {
                    ["SET", &format!("{policy}:{at}"), &value, "EX", &(1000 + at).to_string()]
                        .map(String::from)
                        .to_vec()
                })
                .collect();
            assert_eq!(errors_of(&mut client, &some), 0, "{policy} refuses");
            let used = number(&mut client, "memory", "used_memory");
            let buffers = number(&mut client, "memory", "mem_clients_normal");
            assert!(used <= most + most / 100 + buffers, "{policy}: {used} bytes are above {most}");
        }
        let evicted = number(&mut client, "stats", "evicted_keys");
        assert!(evicted as usize > count * 8 / 10, "{policy} has evicted {evicted} of {count}");
    }
}

#[test]
fn only_keys_that_expire_go_under_a_volatile_policy() {
    let server = Server::with(&["--maxmemory-policy", "volatile-lru"]);
    let mut client = server.connect();
    let value = "x".repeat(10_000);
    for at in 0..20 {
        assert_wire(&mut client, &["SET", &format!("stays:{at}"), &value], b"+OK\r\n");
        assert_wire(&mut client, &["SET", &format!("goes:{at}"), &value, "EX", "1000"], b"+OK\r\n");
    }
    limit(&mut client, 0);
    let all: Vec<Vec<String>> =
        (0..60).map(|at| ["SET", &format!("new:{at}"), &value].map(String::from).to_vec()).collect();
    // As many as went make room for some; the rest is refused.
    let refused = errors_of(&mut client, &all);
    assert!((30..=55).contains(&refused), "{refused} of 60 were refused");
    assert_eq!(client.ask(&["KEYS", "goes:*"]).items().len(), 0);
    assert_eq!(client.ask(&["KEYS", "stays:*"]).items().len(), 20);
    assert_eq!(client.text(&["SET", "k", &value]), "OOM command not allowed when used memory > 'maxmemory'.");
    wait_until("the time above the limit is counted", || {
        number(&mut client, "stats", "current_eviction_exceeded_time") > 0
    });
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "0"], b"+OK\r\n");
    assert_eq!(number(&mut client, "stats", "current_eviction_exceeded_time"), 0);
    assert!(number(&mut client, "stats", "total_eviction_exceeded_time") > 0);
}

#[test]
fn what_is_used_often_stays_under_an_lfu_policy() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-lfu", "--lfu-log-factor", "1"]);
    let mut client = server.connect();
    let value = "x".repeat(2000);
    for at in 0..100 {
        assert_wire(&mut client, &["SET", &format!("hot:{at}"), &value], b"+OK\r\n");
        (0..50).for_each(|_| client.send(&["GET", &format!("hot:{at}")]));
        (0..50).for_each(|_| _ = client.read());
    }
    limit(&mut client, 500_000);
    let all: Vec<Vec<String>> =
        (0..2000).map(|at| ["SET", &format!("cold:{at}"), &value].map(String::from).to_vec()).collect();
    assert_eq!(errors_of(&mut client, &all), 0);
    let hot = client.ask(&["KEYS", "hot:*"]).items().len();
    assert!(hot >= 98, "{hot} of 100 are left");
}

#[test]
fn keys_go_without_a_command_when_the_limit_is_lowered() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-random"]);
    let mut client = server.connect();
    let value = "x".repeat(10_000);
    let all: Vec<Vec<String>> =
        (0..500).map(|at| ["SET", &at.to_string(), &value].map(String::from).to_vec()).collect();
    assert_eq!(errors_of(&mut client, &all), 0);
    let used = number(&mut client, "memory", "used_memory");
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", &(used - 2_500_000).to_string()], b"+OK\r\n");
    wait_until("half of the keys have gone", || client.ask(&["DBSIZE"]).integer() < 260);
    assert!(client.ask(&["DBSIZE"]).integer() > 200);
}

#[test]
fn keys_that_go_are_told_to_files_and_to_listeners() {
    let server = Server::with(&[
        "--maxmemory-policy",
        "allkeys-lru",
        "--appendonly",
        "yes",
        "--notify-keyspace-events",
        "Ee",
        "--lazyfree-lazy-eviction",
        "no",
    ]);
    let mut client = server.connect();
    let mut listener = server.connect();
    listener.command(&["SUBSCRIBE", "__keyevent@0__:evicted"]);
    for at in 0..20 {
        assert_wire(&mut client, &["SET", &format!("first:{at}"), &"x".repeat(300_000)], b"+OK\r\n");
    }
    // What waits to be run counts, too.
    limit(&mut client, 500_000);
    // A transaction makes room, too, and none of it is refused half way.
    client.raw("MULTI\r\n");
    let value = "y".repeat(150_000);
    (0..4).for_each(|at| client.send(&["SET", &format!("k:{at}"), &value]));
    client.raw("EXEC\r\n");
    (0..5).for_each(|_| _ = client.read());
    assert_eq!(client.reply().texts(), ["OK"; 4]);
    let evicted = number(&mut client, "stats", "evicted_keys") as usize;
    assert!(evicted >= 2, "{evicted} keys have gone");
    let mut told: Vec<String> = (0..evicted).map(|_| listener.reply().texts().swap_remove(2)).collect();
    told.sort();
    let keys = client.ask(&["DBSIZE"]).integer();
    let folder = server.folder().path().join("appendonlydir");
    let words = commands(&last_increment(&folder));
    let mut removed: Vec<String> =
        words.iter().filter(|words| words[0].eq_ignore_ascii_case("del")).map(|words| words[1].clone()).collect();
    removed.sort();
    assert_eq!(removed, told);
    let server = server.again("KILL", &["--appendonly", "yes"]);
    assert_eq!(server.connect().ask(&["DBSIZE"]).integer(), keys);
}

#[test]
fn nothing_is_queued_without_memory_and_exec_says_why() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    let mut other = server.connect();
    assert_wire(&mut other, &["CONFIG", "SET", "maxmemory", "1"], b"+OK\r\n");
    assert_eq!(client.text(&["GET", "k"]), "OOM command not allowed when used memory > 'maxmemory'.");
    assert_eq!(client.text(&["EXEC"]), "EXECABORT Transaction discarded because of previous errors.");
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["DISCARD"], b"+OK\r\n");
}

#[test]
fn what_the_thread_frees_is_counted_as_freed() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-random", "--lazyfree-lazy-eviction", "yes"]);
    let mut client = server.connect();
    let list = |at: usize| {
        let mut words = vec!["RPUSH".to_owned(), format!("list:{at}")];
        words.extend((0..500).map(|item| format!("{item:0>100}")));
        words
    };
    let all: Vec<Vec<String>> = (0..100).map(list).collect();
    assert_eq!(errors_of(&mut client, &all), 0);
    limit(&mut client, 100_000);
    let all: Vec<Vec<String>> = (100..300).map(list).collect();
    assert_eq!(errors_of(&mut client, &all), 0);
    // Had more gone than was needed, fewer would be left.
    let left = client.ask(&["DBSIZE"]).integer();
    assert!((90..=110).contains(&left), "{left} of 100 are left");
}
