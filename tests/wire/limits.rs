//! Limits: large arguments and replies, `maxclients`, buffers, idle clients.

use plinth_testkit::server::run_to_end;
use plinth_testkit::{Client, Server, assert_wire, reply, wait_until};
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

/// Bytes of memory that the server has held at most, as the kernel counts them.
fn most_resident(server: &Server) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("the kernel tells") * 1024
}

fn used_memory(client: &mut Client) -> usize {
    client.info("memory", "used_memory").and_then(|text| text.parse().ok()).expect("INFO tells")
}

#[test]
fn a_client_that_has_not_said_who_it_is_cannot_make_replies_pile_up() {
    const SENT_MAX: usize = 64 << 20;
    let server = Server::with(&["--requirepass", "secret"]);
    let mut other = server.connect();
    assert_wire(&mut other, &["AUTH", "secret"], b"+OK\r\n");
    let mut deaf = server.connect();
    let queries = b"GET x\r\n".repeat(10_000);
    let mut sent = 0;
    while deaf.try_raw(&queries).is_ok() {
        sent += queries.len();
        assert!(sent < SENT_MAX, "it is not cut");
    }
    assert_eq!(other.info("stats", "client_output_buffer_limit_disconnections").as_deref(), Some("1"));
    // One that reads is answered, however much it sends.
    let mut client = server.connect();
    for _ in 0..20 {
        client.raw(b"GET x\r\n".repeat(100));
        let reply = b"-NOAUTH Authentication required.\r\n";
        assert!(client.read_bytes(100 * reply.len()) == reply.repeat(100));
    }
}

#[test]
fn the_limit_of_output_holds_within_a_transaction_and_within_a_reply() {
    const VALUE: usize = 1 << 20;
    const TIMES: usize = 200;
    let server = Server::with(&["--client-output-buffer-limit", "normal", "3mb", "0", "0"]);
    let mut other = server.connect();
    assert_wire(&mut other, &["SET", "k", &"x".repeat(VALUE)], b"+OK\r\n");
    let before = most_resident(&server);
    let mut transaction = reply::request(&["MULTI"]);
    transaction.extend(reply::request(&["GET", "k"]).repeat(TIMES));
    transaction.extend([reply::request(&["INCR", "done"]), reply::request(&["EXEC"])].concat());
    let mut client = server.connect();
    client.raw(&transaction);
    wait_until("the transaction has run to its end", || other.command(&["GET", "done"]) == b"$1\r\n1\r\n");
    wait_until("its client is gone", || {
        other.info("stats", "client_output_buffer_limit_disconnections").as_deref() == Some("1")
    });
    // Nothing is kept of replies that are not sent either.
    let mut silent = server.connect();
    silent.send(&["CLIENT", "REPLY", "OFF"]);
    silent.raw(&transaction);
    wait_until("the silent transaction has run", || other.command(&["GET", "done"]) == b"$1\r\n2\r\n");
    let mut args = vec!["MGET"];
    args.resize(TIMES + 1, "k");
    let mut client = server.connect();
    client.send(&args);
    client.read_to_end();
    let grown = most_resident(&server) - before;
    assert!(grown < 40 * VALUE, "{grown} bytes for replies that nobody gets");
    // A limit that is set later holds for those who are there.
    let mut client = server.connect();
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    assert_wire(&mut other, &["CONFIG", "SET", "client-output-buffer-limit", "normal 100kb 0 0"], b"+OK\r\n");
    client.send(&["GET", "k"]);
    client.assert_closed();
}

#[test]
fn what_waits_for_exec_counts_as_query() {
    let server = Server::with(&["--client-query-buffer-limit", "1mb"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    let set = reply::request(&["SET", "k", &"x".repeat(100_000)]);
    for _ in 0..30 {
        if client.try_raw(&set).is_err() {
            break;
        }
    }
    let replies = client.read_to_end();
    assert!(replies.len() <= 12 * "+QUEUED\r\n".len(), "{} bytes of replies", replies.len());
    let mut other = server.connect();
    assert_eq!(other.info("stats", "client_query_buffer_limit_disconnections").as_deref(), Some("1"));
}

#[test]
fn arguments_leave_no_memory_behind() {
    const COUNT: usize = 1_000_000;
    let server = Server::with(&["--maxmemory", "100mb"]);
    let mut other = server.connect();
    assert_wire(&mut other, &["SET", "k", "v"], b"+OK\r\n");
    let before = used_memory(&mut other);
    let mut client = server.connect();
    client.raw(format!("*{}\r\n$3\r\nDEL\r\n", COUNT + 1));
    client.raw(b"$1\r\na\r\n".repeat(COUNT));
    assert_eq!(client.read(), b":0\r\n");
    // Its query buffer goes when it has been idle for some seconds, or with it.
    drop(client);
    wait_until("the memory is given back", || used_memory(&mut other) < before + (1 << 20));
    assert_wire(&mut other, &["SET", "k", "v"], b"+OK\r\n");
}

#[test]
fn client_list_tells_what_a_waiting_client_holds() {
    let server = Server::start();
    let mut other = server.connect();
    let mut client = server.connect();
    let id = client.text(&["CLIENT", "ID"]);
    let (first, second) = ("k".repeat(1000), "l".repeat(500));
    client.send(&["BLPOP", &first, &second, "0"]);
    let mut field = |name: &str| {
        let line = other.text(&["CLIENT", "LIST", "ID", &id]);
        let found = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('=').map(str::to_owned));
        found.and_then(|value| value.trim().parse::<usize>().ok())
    };
    wait_until("it waits", || field("argv-mem") == Some("BLPOP".len() + first.len() + second.len() + "0".len()));
    assert_eq!(field("qbuf"), Some(0));
    let set = reply::request(&["SET", "x", &"y".repeat(30_000)]);
    client.raw(&set);
    wait_until("the rest has come", || field("qbuf") == Some(set.len()));
    assert!(field("tot-mem") > Some(set.len() + 1506 + 1500));
}

#[test]
fn a_client_that_waits_where_there_is_no_memory_for_its_words_is_refused() {
    let server = Server::under("ulimit -v 300000", &[] as &[&str]);
    let mut other = server.connect();
    let mut refused = 0;
    for mib in (10..=130).step_by(10) {
        let mut client = server.connect();
        // A long query is refused, too: then the connection is closed.
        let _ = client
            .try_raw(format!("*3\r\n$5\r\nBLPOP\r\n${}\r\n", mib << 20))
            .and_then(|()| client.try_raw(vec![b'k'; mib << 20]))
            .and_then(|()| client.try_raw("\r\n$4\r\n0.01\r\n"));
        client.end_sending();
        let said = String::from_utf8_lossy(&client.read_to_end()).into_owned();
        assert!(said.is_empty() || said == "*-1\r\n" || said.starts_with("-OOM "), "{mib} MiB: {said}");
        refused += usize::from(said.starts_with("-OOM "));
        assert_wire(&mut other, &["PING"], b"+PONG\r\n");
    }
    assert!(refused > 0, "there was memory for all of them, or for no query");
}

#[test]
fn memory_that_is_not_there_costs_a_client_its_connection_and_the_server_nothing() {
    let server = Server::under("ulimit -v 300000", &[] as &[&str]);
    let mut other = server.connect();
    // A query.
    let mut client = server.connect();
    client.raw("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$400000000\r\n");
    let (chunk, mut sent) = (vec![b'x'; 1 << 20], 0);
    while client.try_raw(&chunk).is_ok() {
        sent += chunk.len();
        assert!(sent < 400_000_000, "the query is taken");
    }
    // Arguments.
    let mut client = server.connect();
    client.raw("*9000000\r\n$3\r\nDEL\r\n");
    let argument = b"$1\r\na\r\n".repeat(100_000);
    while client.try_raw(&argument).is_ok() {}
    // Replies.
    assert_wire(&mut other, &["SET", "k", &"x".repeat(10 << 20)], b"+OK\r\n");
    let mut client = server.connect();
    let mut args = vec!["MGET"];
    args.resize(50, "k");
    client.send(&args);
    client.assert_closed();
    // A value is refused, and the client goes on.
    let said = other.text(&["SETRANGE", "long", "290000000", "x"]);
    assert_eq!(said, "OOM there is no memory for what 'setrange' needs");
    assert_wire(&mut other, &["STRLEN", "k"], format!(":{}\r\n", 10 << 20));
    for reason in ["there is no memory for what it sent", "there is no memory for its replies"] {
        server.wait_for_log(reason);
    }
}

#[test]
fn there_is_a_limit_to_the_number_of_databases() {
    let refused = run_to_end(&["--databases", "2147483647"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.output.contains("argument must be between 1 and 65536 inclusive"), "{}", refused.output);
    let server = Server::with(&["--databases", "65536"]);
    assert_wire(&mut server.connect(), &["SELECT", "65535"], b"+OK\r\n");
}
