//! `maxmemory-clients` and MEMORY: what clients may take, and what is told of memory.

use plinth_testkit::{Client, Server, assert_wire, wait_until};

fn number(client: &mut Client, section: &str, field: &str) -> u64 {
    client.info(section, field).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("INFO has no {field}"))
}

/// A client that has sent the begin of a command with so many bytes.
fn with_query(server: &Server, bytes: usize) -> Client {
    let mut client = server.connect();
    client.command(&["CLIENT", "SETNAME", &format!("holds-{bytes}")]);
    client.raw(format!("*2\r\n$4\r\nECHO\r\n${}\r\n", bytes + 1));
    // One that is closed for what it has announced takes no more.
    let _ = client.try_raw("x".repeat(bytes));
    client
}

fn names(client: &mut Client) -> Vec<String> {
    let list = client.text(&["CLIENT", "LIST"]);
    let mut names: Vec<String> = list
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("name="))
        .filter(|name| name.starts_with("holds-"))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

#[test]
fn the_largest_clients_are_closed_until_the_others_are_within_the_limit() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CLIENT", "NO-EVICT", "on"], b"+OK\r\n");
    let mut spared = server.connect();
    assert_wire(&mut spared, &["CLIENT", "NO-EVICT", "on"], b"+OK\r\n");
    let all: Vec<Client> = [300_000, 600_000, 900_000].map(|bytes| with_query(&server, bytes)).into();
    wait_until("all has come", || number(&mut client, "memory", "mem_clients_normal") > 1_800_000);
    assert_eq!(names(&mut client).len(), 3);
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory-clients", "1400000"], b"+OK\r\n");
    wait_until("the largest is closed", || names(&mut client) == ["holds-300000", "holds-600000"]);
    assert_eq!(number(&mut client, "stats", "evicted_clients"), 1);
    // One that grows is closed, if it is the largest by then; the one that is spared is not.
    spared.raw(format!("*2\r\n$4\r\nECHO\r\n$500001\r\n{}", "x".repeat(500_000)));
    wait_until("another one is closed", || names(&mut client) == ["holds-300000"]);
    spared.raw("x\r\n");
    assert_eq!(spared.reply().text().len(), 500_001);
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "100mb", "maxmemory-clients", "2%"], b"+OK\r\n");
    assert_wire(
        &mut client,
        &["CONFIG", "GET", "maxmemory-clients"],
        b"*2\r\n$17\r\nmaxmemory-clients\r\n$2\r\n2%\r\n",
    );
    let mut grows = with_query(&server, 3_000_000);
    grows.assert_closed();
    assert_eq!(names(&mut client), ["holds-300000"]);
    assert_eq!(number(&mut client, "stats", "evicted_clients"), 3);
    drop(all);
}

#[test]
fn what_a_client_queues_watches_and_is_owed_counts() {
    let server = Server::with(&["--maxmemory-clients", "500kb"]);
    let mut other = server.connect();
    assert_wire(&mut other, &["CLIENT", "NO-EVICT", "on"], b"+OK\r\n");
    assert_wire(&mut other, &["SET", "big", &"x".repeat(400_000)], b"+OK\r\n");
    let mut client = server.connect();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    let mut queued = 0;
    while client.try_raw(plinth_testkit::reply::request(&["SET", "k", &"x".repeat(50_000)])).is_ok() {
        queued += 1;
        assert!(queued < 1000, "the client is not closed for what it has queued");
        if client.reply_if_any().is_none() {
            break;
        }
    }
    let mut client = server.connect();
    let words: Vec<String> =
        std::iter::once("WATCH".to_owned()).chain((0..10_000).map(|at| format!("{at:0>50}"))).collect();
    client.send(&words);
    wait_until("the client is closed for what it watches", || number(&mut other, "stats", "evicted_clients") >= 2);
    let mut client = server.connect();
    let gets = plinth_testkit::reply::request(&["GET", "big"]).repeat(100);
    let _ = client.try_raw(gets);
    wait_until("the client is closed for what it does not read", || {
        number(&mut other, "stats", "evicted_clients") >= 3
    });
}

#[test]
fn memory_is_told_in_numbers_and_in_words() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", &"x".repeat(1000)], b"+OK\r\n");
    let usage = client.ask(&["MEMORY", "USAGE", "k"]).integer();
    assert!((1000..1100).contains(&usage), "{usage}");
    assert_eq!(client.ask(&["MEMORY", "USAGE", "k", "SAMPLES", "0"]).integer(), usage);
    assert_wire(&mut client, &["MEMORY", "USAGE", "none"], b"$-1\r\n");
    for words in [&["MEMORY", "USAGE", "k", "SAMPLES"][..], &["MEMORY", "USAGE", "k", "SAMPLES", "-1"]] {
        assert_eq!(client.text(words), "ERR syntax error");
    }
    let text = client.text(&["MEMORY", "DOCTOR"]);
    assert!(text.starts_with("So little"), "{text}");
    assert!(client.text(&["MEMORY", "MALLOC-STATS"]).contains("jemalloc"));
    assert_wire(&mut client, &["MEMORY", "PURGE"], b"+OK\r\n");
    client.command(&["HELLO", "3"]);
    let stats = client.ask(&["MEMORY", "STATS"]);
    assert_eq!(stats.field("keys.count").map(plinth_testkit::reply::Reply::integer), Some(1));
    let used = stats.field("total.allocated").map_or(0, plinth_testkit::reply::Reply::integer);
    assert!(used > 100_000, "{used}");
    assert!(stats.field("db.0").is_some_and(|of| of.field("overhead.hashtable.main").is_some()));
    assert!(stats.field("fragmentation.bytes").is_some());
    assert!(stats.field("overhead.db.hashtable.rehashing").is_some());
    assert!(client.ask(&["MEMORY", "HELP"]).items().len() > 5);
}

#[test]
fn an_announced_argument_counts_before_it_has_come_and_its_head_not_as_waiting() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let id = other.ask(&["CLIENT", "ID"]).integer().to_string();
    let mut field = |name: &str| {
        let line = client.text(&["CLIENT", "LIST", "ID", &id]);
        let value = line.split(' ').find_map(|word| word.strip_prefix(&format!("{name}=")).map(str::to_owned));
        value.and_then(|value| value.parse::<usize>().ok()).unwrap_or_else(|| panic!("no {name} in {line}"))
    };
    other.raw("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n");
    wait_until("the argument is announced", || field("tot-mem") > 3_000_000);
    assert_eq!((field("qbuf"), field("argv-mem")), (0, 4));
    other.raw("x".repeat(1000));
    wait_until("a part has come", || field("qbuf") == 1000);
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory-clients", "2mb"], b"+OK\r\n");
    other.assert_closed();
    assert_eq!(client.ask(&["DEBUG", "MALLCTL", "arenas.page"]).integer(), 4096);
    assert!(client.text(&["DEBUG", "MALLCTL", "arenas.create"]).starts_with("ERR the allocator has no number"));
}
