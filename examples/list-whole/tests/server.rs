//! The library in the real server, in the place of the server's own lists.

use plinth_testkit::{Client, Reply, Server, assert_wire, build, wait_until};

fn served() -> (Server, Client) {
    let server = Server::with(&["--loadmodule", &build::library("list-whole")]);
    let client = server.connect();
    (server, client)
}

fn elements(client: &mut Client, key: &str) -> Vec<String> {
    client.ask(&["LRANGE", key, "0", "-1"]).texts()
}

#[test]
fn it_takes_the_place_of_the_default_list() {
    let (_server, mut client) = served();
    let modules = client.ask(&["MODULE", "LIST"]);
    let lists: Vec<_> = modules
        .items()
        .iter()
        .filter(|module| module.field("name").is_some_and(|name| name.text() == "list"))
        .collect();
    assert_eq!(lists.len(), 1);
    assert!(lists[0].field("path").is_some_and(|path| path.text().ends_with("liblist_whole.so")));
    client.command(&["RPUSH", "l", "a"]);
    assert_wire(&mut client, &["TYPE", "l"], b"+list\r\n");
    assert_wire(&mut client, &["OBJECT", "ENCODING", "l"], b"$8\r\nlistpack\r\n");
}

#[test]
fn elements_come_and_go_at_both_ends() {
    let (_server, mut client) = served();
    assert_wire(&mut client, &["LPUSHX", "l", "a"], b":0\r\n");
    assert_wire(&mut client, &["RPUSH", "l", "b", "c"], b":2\r\n");
    assert_wire(&mut client, &["LPUSH", "l", "a"], b":3\r\n");
    assert_wire(&mut client, &["RPUSHX", "l", "d"], b":4\r\n");
    assert_eq!(elements(&mut client, "l"), ["a", "b", "c", "d"]);
    assert_wire(&mut client, &["LPOP", "l"], b"$1\r\na\r\n");
    assert_wire(&mut client, &["RPOP", "l", "2"], b"*2\r\n$1\r\nd\r\n$1\r\nc\r\n");
    assert_wire(&mut client, &["LPOP", "l", "0"], b"*0\r\n");
    assert_wire(&mut client, &["LPOP", "l", "-1"], b"-ERR value is out of range, must be positive\r\n");
    assert_wire(&mut client, &["LPOP", "l", "9"], b"*1\r\n$1\r\nb\r\n");
    assert_wire(&mut client, &["EXISTS", "l"], b":0\r\n");
    assert_wire(&mut client, &["LPOP", "l"], b"$-1\r\n");
    assert_wire(&mut client, &["LPOP", "l", "1"], b"*-1\r\n");
    client.command(&["RPUSH", "second", "x", "y"]);
    assert_wire(
        &mut client,
        &["LMPOP", "2", "l", "second", "RIGHT", "COUNT", "5"],
        b"*2\r\n$6\r\nsecond\r\n*2\r\n$1\r\ny\r\n$1\r\nx\r\n",
    );
    assert_wire(&mut client, &["LMPOP", "1", "l", "LEFT"], b"*-1\r\n");
    assert_wire(&mut client, &["LMPOP", "0", "l", "LEFT"], b"-ERR numkeys should be greater than 0\r\n");
}

#[test]
fn elements_are_found_and_changed_in_the_middle() {
    let (_server, mut client) = served();
    client.command(&["RPUSH", "l", "a", "b", "c", "b", "a"]);
    assert_wire(&mut client, &["LLEN", "l"], b":5\r\n");
    assert_wire(&mut client, &["LINDEX", "l", "-2"], b"$1\r\nb\r\n");
    assert_wire(&mut client, &["LINDEX", "l", "9"], b"$-1\r\n");
    assert_wire(&mut client, &["LPOS", "l", "b", "RANK", "-1"], b":3\r\n");
    assert_wire(&mut client, &["LPOS", "l", "a", "COUNT", "0"], b"*2\r\n:0\r\n:4\r\n");
    assert_wire(&mut client, &["LPOS", "l", "a", "COUNT", "0", "MAXLEN", "2"], b"*1\r\n:0\r\n");
    assert_wire(&mut client, &["LINSERT", "l", "AFTER", "c", "d"], b":6\r\n");
    assert_wire(&mut client, &["LINSERT", "l", "BEFORE", "none", "d"], b":-1\r\n");
    assert_wire(&mut client, &["LSET", "l", "0", "A"], b"+OK\r\n");
    assert_wire(&mut client, &["LSET", "l", "6", "x"], b"-ERR index out of range\r\n");
    assert_wire(&mut client, &["LSET", "absent", "0", "x"], b"-ERR no such key\r\n");
    assert_wire(&mut client, &["LREM", "l", "-1", "b"], b":1\r\n");
    assert_eq!(elements(&mut client, "l"), ["A", "b", "c", "d", "a"]);
    assert_wire(&mut client, &["LTRIM", "l", "1", "-2"], b"+OK\r\n");
    assert_eq!(elements(&mut client, "l"), ["b", "c", "d"]);
    assert_wire(&mut client, &["LMOVE", "l", "other", "LEFT", "RIGHT"], b"$1\r\nb\r\n");
    assert_wire(&mut client, &["RPOPLPUSH", "l", "l"], b"$1\r\nd\r\n");
    assert_eq!(elements(&mut client, "l"), ["d", "c"]);
    assert_wire(&mut client, &["LTRIM", "l", "5", "9"], b"+OK\r\n");
    assert_wire(&mut client, &["EXISTS", "l"], b":0\r\n");
}

fn wait_for_waiter(client: &mut Client) {
    wait_until("it waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
}

#[test]
fn a_client_waits_for_an_element() {
    let (server, mut client) = served();
    let mut waiting = server.connect();
    waiting.send(&["BLPOP", "first", "second", "0"]);
    wait_for_waiter(&mut client);
    client.command(&["RPUSH", "second", "x"]);
    assert_eq!(waiting.reply().texts(), ["second", "x"]);
    assert_wire(&mut waiting, &["BRPOP", "first", "0.05"], b"*-1\r\n");
    waiting.send(&["BLMOVE", "first", "third", "LEFT", "LEFT", "0"]);
    wait_for_waiter(&mut client);
    client.command(&["RPUSH", "first", "y"]);
    assert_eq!(waiting.reply().text(), "y");
    assert_eq!(elements(&mut client, "third"), ["y"]);
    waiting.send(&["BLMPOP", "0", "2", "first", "second", "RIGHT", "COUNT", "2"]);
    wait_for_waiter(&mut client);
    client.command(&["RPUSH", "first", "p", "q", "r"]);
    assert_eq!(waiting.reply().items()[1].texts(), ["r", "q"]);
    waiting.send(&["BLPOP", "other", "second", "0"]);
    wait_for_waiter(&mut client);
    client.command(&["SET", "other", "text"]);
    client.command(&["RPUSH", "second", "z"]);
    assert!(waiting.reply().text().starts_with("WRONGTYPE "));
    assert_eq!(elements(&mut client, "second"), ["z"]);
    client.command(&["MULTI"]);
    client.command(&["BLPOP", "absent", "0"]);
    assert_wire(&mut client, &["EXEC"], b"*1\r\n*-1\r\n");
}

#[test]
fn payloads_are_those_of_other_servers() {
    let (server, mut client) = served();
    client.command(&["RPUSH", "l", "one", "2", "-300"]);
    let Reply::Bulk(payload) = client.ask(&["DUMP", "l"]) else { panic!("no payload") };
    assert_eq!(payload[0], 1);
    let own = Server::start();
    let mut first_party = own.connect();
    let restore: [&[u8]; 4] = [b"RESTORE", b"l", b"0", &payload];
    assert_wire(&mut first_party, &restore, b"+OK\r\n");
    assert_eq!(elements(&mut first_party, "l"), ["one", "2", "-300"]);
    let Reply::Bulk(payload) = first_party.ask(&["DUMP", "l"]) else { panic!("no payload") };
    let restore: [&[u8]; 4] = [b"RESTORE", b"back", b"0", &payload];
    assert_wire(&mut client, &restore, b"+OK\r\n");
    assert_eq!(elements(&mut client, "back"), ["one", "2", "-300"]);
    drop(server);
}

#[test]
fn digests_and_rewritings_are_those_of_the_default_list() {
    let default = Server::start();
    let (_server, mut here) = served();
    let mut there = default.connect();
    let lists: Vec<_> = plinth_testkit::data::all().into_iter().filter(|made| made.0.starts_with("list:")).collect();
    plinth_testkit::data::make(&mut here, &lists);
    plinth_testkit::data::make(&mut there, &lists);
    for (key, ..) in &lists {
        for what in ["DIGEST-VALUE", "REWRITE"] {
            let words = ["DEBUG", what, key];
            assert_eq!(here.command(&words), there.command(&words), "{words:?}");
        }
    }
}
