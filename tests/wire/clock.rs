//! Time: each command sees the time that it runs at, whatever came before it in the same turn.
//!
//! All that a test sends goes in one write, so that it is one turn of the server's loop. DEBUG SLEEP is the
//! slow command.

use plinth_testkit::reply::request;
use plinth_testkit::{Server, assert_wire};

fn sent(commands: &[&[&str]]) -> Vec<u8> {
    commands.iter().flat_map(|command| request(command)).collect()
}

#[test]
fn a_command_behind_a_slow_one_does_not_see_the_past() {
    let server = Server::start();
    let mut client = server.connect();
    client.raw(sent(&[&["SET", "k", "v", "PX", "20"], &["DEBUG", "SLEEP", "0.1"], &["GET", "k"]]));
    assert_eq!((client.read(), client.read()), (b"+OK\r\n".to_vec(), b"+OK\r\n".to_vec()));
    assert_eq!(client.read(), b"$-1\r\n");
}

#[test]
fn an_expiry_counts_from_when_its_command_runs() {
    let server = Server::start();
    let mut client = server.connect();
    client.raw(sent(&[&["DEBUG", "SLEEP", "0.2"], &["SET", "k", "v", "PX", "10000"], &["PTTL", "k"]]));
    assert_eq!((client.read(), client.read()), (b"+OK\r\n".to_vec(), b"+OK\r\n".to_vec()));
    let left: i64 = client.reply().text().parse().expect("a number");
    assert!((9_850..=10_000).contains(&left), "{left}");
}

#[test]
fn time_stands_still_in_a_transaction() {
    let server = Server::start();
    let mut client = server.connect();
    client.raw(sent(&[
        &["MULTI"],
        &["SET", "k", "v", "PX", "20"],
        &["DEBUG", "SLEEP", "0.1"],
        &["GET", "k"],
        &["EXEC"],
        &["GET", "k"],
    ]));
    (0..4).for_each(|_| drop(client.read()));
    assert_eq!(client.read(), b"*3\r\n+OK\r\n+OK\r\n$1\r\nv\r\n");
    assert_eq!(client.read(), b"$-1\r\n");
}

#[test]
fn nobody_is_woken_with_a_value_that_has_expired() {
    let server = Server::start();
    let mut writer = server.connect();
    for (blocking, push) in [
        (&["BLPOP", "k", "0"][..], &["RPUSH", "k", "a"][..]),
        (&["BLMOVE", "k", "other", "LEFT", "LEFT", "0"], &["RPUSH", "k", "a"]),
        (&["BLMPOP", "0", "1", "k", "LEFT"], &["RPUSH", "k", "a"]),
        (&["BZPOPMIN", "k", "0"], &["ZADD", "k", "1", "a"]),
    ] {
        let mut waiting = server.connect();
        waiting.send(blocking);
        plinth_testkit::wait_until("it waits", || {
            server.connect().info("clients", "blocked_clients").is_some_and(|count| count == "1")
        });
        writer.raw(sent(&[&["MULTI"], push, &["PEXPIRE", "k", "10"], &["DEBUG", "SLEEP", "0.1"], &["EXEC"]]));
        (0..4).for_each(|_| drop(writer.read()));
        assert_eq!(writer.read(), b"*3\r\n:1\r\n:1\r\n+OK\r\n");
        assert_eq!(writer.info("clients", "blocked_clients").as_deref(), Some("1"), "{blocking:?}");
        assert_wire(&mut writer, &["EXISTS", "k", "other"], b":0\r\n");
        assert_wire(&mut writer, push, b":1\r\n");
        waiting.read();
        writer.command(&["DEL", "k", "other"]);
    }
}
