//! Limits: large arguments and replies, `maxclients`, buffers, idle clients.

use plinth_testkit::{Server, assert_wire, reply, wait_until};
use std::time::{Duration, Instant};

#[test]
fn an_argument_of_32_mb_goes_in_and_out() {
    const LEN: usize = 32 << 20;
    let server = Server::start();
    let mut client = server.connect();
    let value: Vec<u8> = (0..LEN).map(|at| (at % 251) as u8).collect();
    let set: [&[u8]; 3] = [b"SET", b"big", &value];
    assert_wire(&mut client, &set, b"+OK\r\n");
    assert_wire(&mut client, &["STRLEN", "big"], format!(":{LEN}\r\n"));
    client.send(&["GET", "big"]);
    let head = format!("${LEN}\r\n");
    let bytes = client.read_bytes(head.len() + LEN + 2);
    assert!(bytes[..head.len()] == *head.as_bytes() && bytes[head.len()..][..LEN] == value, "the value differs");
    assert_wire(&mut client, &["DEL", "big"], b":1\r\n");
}

#[test]
fn an_argument_above_proto_max_bulk_len_is_refused() {
    let server = Server::with(&["--proto-max-bulk-len", "1mb"]);
    let mut client = server.connect();
    client.raw(format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", (1 << 20) + 1));
    assert_eq!(client.read_to_end(), b"-ERR Protocol error: invalid bulk length\r\n");
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", &"x".repeat(1 << 20)], b"+OK\r\n");
    let said = client.text(&["APPEND", "k", "x"]);
    assert_eq!(said, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    let said = client.text(&["SETRANGE", "k", "1048576", "x"]);
    assert_eq!(said, "ERR string exceeds maximum allowed size (proto-max-bulk-len)");
}

#[test]
fn a_query_above_client_query_buffer_limit_ends_the_client() {
    let server = Server::with(&["--client-query-buffer-limit", "1mb"]);
    let mut client = server.connect();
    client.raw("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10000000\r\n");
    let chunk = vec![b'x'; 100_000];
    let deadline = Instant::now() + plinth_testkit::PATIENCE;
    while client.try_raw(&chunk).is_ok() {
        assert!(Instant::now() < deadline, "the limit does not hold");
    }
    assert_wire(&mut server.connect(), &["PING"], b"+PONG\r\n");
}

#[test]
fn a_client_that_does_not_read_is_ended_at_its_hard_limit() {
    let server = Server::with(&["--client-output-buffer-limit", "normal", "2mb", "0", "0"]);
    let mut other = server.connect();
    assert_wire(&mut other, &["SET", "k", &"x".repeat(1 << 20)], b"+OK\r\n");
    let mut slow = server.connect();
    for _ in 0..40 {
        if slow.try_raw(reply::request(&["GET", "k"])).is_err() {
            break;
        }
    }
    // Only what the system's own buffers hold is still to come, then the end.
    wait_until("the slow reader is gone", || {
        other.text(&["CLIENT", "LIST"]).lines().filter(|line| line.contains("id=")).count() == 1
    });
    assert_wire(&mut other, &["PING"], b"+PONG\r\n");
}

#[test]
fn a_client_above_maxclients_is_told_so() {
    let server = Server::with(&["--maxclients", "3"]);
    let mut first = server.connect();
    // The connection that the harness tried the server with is counted until its end is seen.
    wait_until("the first client is alone", || first.info("clients", "connected_clients").as_deref() == Some("1"));
    let mut others = [server.connect(), server.connect()];
    for client in &mut others {
        assert_wire(client, &["PING"], b"+PONG\r\n");
    }
    assert_eq!(server.connect().read_to_end(), b"-ERR max number of clients reached\r\n");
    assert_wire(&mut first, &["PING"], b"+PONG\r\n");
    drop(others);
    wait_until("there is room again", || {
        let mut client = server.connect();
        client.try_raw("PING\r\n").is_ok() && client.read() == b"+PONG\r\n"
    });
}

#[test]
fn more_clients_than_the_system_has_files_for_are_refused() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "maxclients", "9000"], b"+OK\r\n");
    let refusal = client.text(&["CONFIG", "SET", "maxclients", "4000000000"]);
    let reason = "argument 'maxclients') - The operating system is not able to handle the specified number of clients";
    assert!(refusal.contains(reason), "{refusal}");
    assert_wire(&mut client, &["CONFIG", "GET", "maxclients"], b"*2\r\n$10\r\nmaxclients\r\n$4\r\n9000\r\n");
}

#[test]
fn an_idle_client_is_closed_after_timeout() {
    let server = Server::with(&["--timeout", "1"]);
    let mut idle = server.connect();
    assert_wire(&mut idle, &["PING"], b"+PONG\r\n");
    let begun = Instant::now();
    idle.assert_closed();
    let waited = begun.elapsed();
    assert!(waited > Duration::from_millis(500) && waited < Duration::from_secs(10), "{waited:?}");
}

#[test]
fn many_arguments_go_in_and_many_replies_come_out() {
    const COUNT: usize = 100_000;
    let server = Server::start();
    let mut client = server.connect();
    let mut args = vec!["MSET".to_owned()];
    args.extend((0..COUNT).flat_map(|at| [format!("key:{at}"), format!("value:{at}")]));
    assert_wire(&mut client, &args, b"+OK\r\n");
    let mut args = vec!["MGET".to_owned()];
    args.extend((0..COUNT).map(|at| format!("key:{at}")));
    client.send(&args);
    let mut expected = format!("*{COUNT}\r\n").into_bytes();
    for at in 0..COUNT {
        let value = format!("value:{at}");
        expected.extend(format!("${}\r\n{value}\r\n", value.len()).into_bytes());
    }
    assert!(client.read_bytes(expected.len()) == expected, "the replies differ");
    assert_wire(&mut client, &["DBSIZE"], format!(":{COUNT}\r\n"));
}

#[test]
fn maxmemory_refuses_what_needs_more() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "1"], b"+OK\r\n");
    let said = client.text(&["SET", "k", "w"]);
    assert_eq!(said, "OOM command not allowed when used memory > 'maxmemory'.");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    assert_wire(&mut client, &["DEL", "k"], b":1\r\n");
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["SET", "k", "w"], b"+OK\r\n");
}
