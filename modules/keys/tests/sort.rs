//! SORT and SORT_RO, as bytes in and out of a real server with all types.

use plinth_testkit::{Client, Server, assert_wire};

fn connected() -> (Server, Client) {
    let server = Server::start();
    let client = server.connect();
    (server, client)
}

fn sorted(client: &mut Client, words: &[&str]) -> String {
    client.ask(words).texts().join(" ")
}

#[test]
fn lists_sets_and_sorted_sets_are_sorted_by_numbers_or_by_bytes() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "10", "9", "-1"]);
    client.command(&["SADD", "s", "b", "a", "c"]);
    client.command(&["ZADD", "z", "3", "1", "2", "2", "1", "3"]);
    assert_eq!(sorted(&mut client, &["SORT", "l"]), "-1 9 10");
    assert_eq!(sorted(&mut client, &["SORT_RO", "l", "ALPHA"]), "-1 10 9");
    assert_eq!(sorted(&mut client, &["SORT", "l", "DESC", "LIMIT", "1", "5"]), "9 -1");
    assert_eq!(sorted(&mut client, &["SORT", "s", "ALPHA", "DESC"]), "c b a");
    assert_eq!(sorted(&mut client, &["SORT", "z"]), "1 2 3");
    assert_eq!(sorted(&mut client, &["SORT", "z", "BY", "nosort"]), "3 2 1");
    assert_eq!(sorted(&mut client, &["SORT", "z", "BY", "nosort", "DESC", "LIMIT", "0", "2"]), "1 2");
    assert_wire(&mut client, &["SORT", "absent"], b"*0\r\n");
    assert_wire(&mut client, &["SORT", "s"], b"-ERR One or more scores can't be converted into double\r\n");
    client.command(&["SET", "string", "v"]);
    let wrong_type = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
    assert_wire(&mut client, &["SORT", "string"], wrong_type);
}

#[test]
fn a_sort_counts_as_one_look_at_its_key_and_one_at_each_that_a_pattern_names() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "1", "2"]);
    client.command(&["SADD", "s", "1", "2"]);
    client.command(&["ZADD", "z", "3", "1", "2", "2"]);
    client.command(&["SET", "w1", "3"]);
    for (command, hits, misses) in [
        (&["SORT", "l"][..], 1, 0),
        (&["SORT", "s"], 1, 0),
        (&["SORT", "z"], 1, 0),
        (&["SORT", "z", "BY", "nosort"], 1, 0),
        (&["SORT", "w1"], 1, 0),
        (&["SORT", "none"], 0, 1),
        (&["SORT", "l", "BY", "w*"], 2, 1),
    ] {
        let before = client.hits_and_misses();
        client.command(command);
        let after = client.hits_and_misses();
        assert_eq!((after.0 - before.0, after.1 - before.1), (hits, misses), "{command:?}");
    }
}

#[test]
fn weights_and_results_come_from_strings_and_hashes() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "1", "2", "3"]);
    client.command(&["MSET", "w1", "3", "w3", "1"]);
    client.command(&["HSET", "h1", "f", "10", "g", "x"]);
    client.command(&["HSET", "h2", "f", "5"]);
    assert_eq!(sorted(&mut client, &["SORT", "l", "BY", "w*"]), "2 3 1");
    assert_eq!(sorted(&mut client, &["SORT", "l", "BY", "h*->f"]), "3 2 1");
    assert_wire(
        &mut client,
        &["SORT", "l", "BY", "w*", "GET", "#", "GET", "h*->g"],
        b"*6\r\n$1\r\n2\r\n$-1\r\n$1\r\n3\r\n$-1\r\n$1\r\n1\r\n$1\r\nx\r\n",
    );
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["SORT", "l", "LIMIT", "0", "1", "GET", "none*"], b"*1\r\n_\r\n");
}

#[test]
fn a_result_is_stored_as_a_list_and_an_empty_one_removes_the_key() {
    let (_server, mut client) = connected();
    client.command(&["SADD", "s", "3", "1", "2"]);
    client.command(&["SET", "target", "v", "EX", "100"]);
    assert_wire(&mut client, &["SORT", "s", "STORE", "target"], b":3\r\n");
    assert_eq!(sorted(&mut client, &["LRANGE", "target", "0", "-1"]), "1 2 3");
    assert_wire(&mut client, &["TTL", "target"], b":-1\r\n");
    assert_wire(&mut client, &["SORT", "absent", "STORE", "target"], b":0\r\n");
    assert_wire(&mut client, &["EXISTS", "target"], b":0\r\n");
    assert_wire(&mut client, &["SORT_RO", "s", "STORE", "target"], b"-ERR syntax error\r\n");
    assert_wire(
        &mut client,
        &["COMMAND", "GETKEYS", "SORT", "s", "BY", "store", "STORE", "a", "STORE", "b"],
        b"*2\r\n$1\r\ns\r\n$1\r\nb\r\n",
    );
}
