//! Waiting.

use super::*;
use plinth_testkit::wait_until;

/// Waits until so many clients wait.
fn until_blocked(client: &mut Client, count: &str) {
    wait_until("clients wait", || client.info("clients", "blocked_clients").as_deref() == Some(count));
}

#[test]
fn what_is_there_is_popped_at_once() {
    in_both_forms(|_, client| {
        client.command(&["ZADD", "k", "1", "a", "2", "b", "3", "c"]);
        check(client, "BZPOPMIN none k 0", bulks(&["k", "a", "1"]));
        check(client, "BZPOPMAX k 0", bulks(&["k", "c", "3"]));
        check(
            client,
            "BZMPOP 0 1 k MIN COUNT 5",
            [b"*2\r\n$1\r\nk\r\n*1\r\n".as_slice(), &bulks(&["b", "2"])].concat(),
        );
        check(client, "BZPOPMIN k 0.01", b"*-1\r\n");
        check(client, "BZMPOP 0.01 1 k MAX", b"*-1\r\n");
        check(client, "BZPOPMIN k x", b"-ERR timeout is not a float or out of range\r\n");
        check(client, "BZPOPMIN k -1", b"-ERR timeout is negative\r\n");
    });
}

#[test]
fn who_waits_is_served_in_turn() {
    in_both_forms(|server, client| {
        let (mut first, mut second) = (server.connect(), server.connect());
        first.send(&["BZPOPMIN", "other", "k", "0"]);
        until_blocked(client, "1");
        second.send(&["BZMPOP", "0", "1", "k", "MAX"]);
        until_blocked(client, "2");
        check(client, "ZADD k 1 a 2 b", b":2\r\n");
        assert_eq!(first.read(), bulks(&["k", "a", "1"]));
        assert_eq!(second.read(), [b"*2\r\n$1\r\nk\r\n*1\r\n".as_slice(), &bulks(&["b", "2"])].concat());
        check(client, "EXISTS k", b":0\r\n");
    });
}

#[test]
fn a_key_that_is_stored_or_renamed_serves_too() {
    in_both_forms(|server, client| {
        client.command(&["ZADD", "src", "1", "a"]);
        for command in ["ZRANGESTORE k src 0 -1", "ZUNIONSTORE k 1 src", "RENAME src k"] {
            let mut waiter = server.connect();
            waiter.send(&["BZPOPMAX", "k", "0"]);
            until_blocked(client, "1");
            let words: Vec<&str> = command.split(' ').collect();
            client.command(&words);
            assert_eq!(waiter.read(), bulks(&["k", "a", "1"]));
        }
    });
}

#[test]
fn nothing_waits_inside_multi() {
    in_both_forms(|_, client| {
        client.command(&["MULTI"]);
        client.command(&["BZPOPMIN", "k", "0"]);
        check(client, "EXEC", b"*1\r\n*-1\r\n");
    });
}
