//! SCAN's guarantee through the wire: a key that is there from the first call to the last is
//! returned at least once, however the table grows and shrinks in between.

use plinth_testkit::{Client, Server, assert_wire, reply};
use std::collections::HashSet;

fn set_many(client: &mut Client, prefix: &str, count: usize) {
    let mut requests = Vec::new();
    for at in 0..count {
        requests.extend(reply::request(&["SET", &format!("{prefix}:{at}"), "v"]));
    }
    client.raw(requests);
    assert!(client.read_bytes(5 * count) == b"+OK\r\n".repeat(count));
}

fn delete_many(client: &mut Client, prefix: &str, count: usize) {
    let mut args = vec!["DEL".to_owned()];
    args.extend((0..count).map(|at| format!("{prefix}:{at}")));
    assert_wire(client, &args, format!(":{count}\r\n"));
}

/// Scan to the end, calling `between` after each step with its number.
fn scan(client: &mut Client, args: &[&str], mut between: impl FnMut(&mut Client, usize)) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = "0".to_owned();
    for step in 0.. {
        let mut words = vec!["SCAN", &cursor];
        words.extend(args);
        let reply = client.ask(&words);
        let [next, keys] = reply.items() else { panic!("{reply:?}") };
        found.extend(keys.texts());
        cursor = next.text();
        if cursor == "0" {
            break;
        }
        between(client, step);
    }
    found
}

#[test]
fn a_scan_returns_every_key() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SCAN", "0"], b"*2\r\n$1\r\n0\r\n*0\r\n");
    set_many(&mut client, "k", 3000);
    for count in ["1", "10", "500", "100000"] {
        let found: HashSet<String> = scan(&mut client, &["COUNT", count], |_, _| {}).into_iter().collect();
        assert_eq!(found.len(), 3000, "COUNT {count}");
    }
}

#[test]
fn a_key_that_stays_is_returned_while_the_table_grows() {
    let server = Server::start();
    let mut client = server.connect();
    set_many(&mut client, "stays", 1000);
    let found = scan(&mut client, &["COUNT", "20"], |client, step| {
        if step < 20 {
            set_many(client, &format!("new{step}"), 1000);
        }
    });
    let stays: HashSet<&String> = found.iter().filter(|key| key.starts_with("stays:")).collect();
    assert_eq!(stays.len(), 1000);
}

#[test]
fn a_key_that_stays_is_returned_while_the_table_shrinks() {
    let server = Server::start();
    let mut client = server.connect();
    set_many(&mut client, "stays", 300);
    for part in 0..20 {
        set_many(&mut client, &format!("goes{part}"), 1000);
    }
    let found = scan(&mut client, &["COUNT", "50"], |client, step| {
        if step < 20 {
            delete_many(client, &format!("goes{step}"), 1000);
        }
    });
    let stays: HashSet<&String> = found.iter().filter(|key| key.starts_with("stays:")).collect();
    assert_eq!(stays.len(), 300);
}

#[test]
fn match_and_type_filter_what_is_returned() {
    let server = Server::start();
    let mut client = server.connect();
    set_many(&mut client, "a", 50);
    set_many(&mut client, "b", 50);
    let found: HashSet<String> = scan(&mut client, &["MATCH", "a:*"], |_, _| {}).into_iter().collect();
    assert!(found.len() == 50 && found.iter().all(|key| key.starts_with("a:")));
    let found: HashSet<String> = scan(&mut client, &["TYPE", "string", "COUNT", "7"], |_, _| {}).into_iter().collect();
    assert_eq!(found.len(), 100);
    assert!(scan(&mut client, &["TYPE", "list"], |_, _| {}).is_empty());
}

#[test]
fn a_scan_with_wrong_words_is_refused() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SCAN", "x"], b"-ERR invalid cursor\r\n");
    assert_wire(&mut client, &["SCAN", "0", "COUNT", "0"], b"-ERR syntax error\r\n");
    assert_wire(&mut client, &["SCAN", "0", "COUNT", "x"], b"-ERR value is not an integer or out of range\r\n");
    assert_wire(&mut client, &["SCAN", "0", "NOPE", "1"], b"-ERR syntax error\r\n");
    assert_wire(&mut client, &["SCAN", "0", "MATCH"], b"-ERR syntax error\r\n");
}
