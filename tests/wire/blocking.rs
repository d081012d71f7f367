//! Commands that wait for keys: order, several keys, chains, the end of the time, and what else can
//! happen to a client that waits.
//!
//! The commands are those of `queue.c`, which answer as `RPUSH`, `BLPOP`, `BLMOVE ... LEFT RIGHT` and
//! `LRANGE` do; Redis 8.2 and Valkey 9.1 were asked the same with those.

use plinth_testkit::client::Client;
use plinth_testkit::{Server, TempDir, assert_wire, cc, wait_until};
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(60);

fn server() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/wire/queue.c", &[]);
    Server::within(folder, &["--loadmodule", &path])
}

/// A server, who asks it, and two who will wait.
fn scene() -> (Server, Client, Client, Client) {
    let server = server();
    let (teller, first, second) = (server.connect(), server.connect(), server.connect());
    (server, teller, first, second)
}

/// So many clients wait.
#[track_caller]
fn wait_for_waiters(teller: &mut Client, count: usize) {
    let count = count.to_string();
    wait_until(&format!("{count} clients wait"), || {
        teller.info("clients", "blocked_clients").as_deref() == Some(&count)
    });
}

/// Has a client send a command that waits, as the `count`th.
#[track_caller]
fn send_waiting(client: &mut Client, args: &[&str], teller: &mut Client, count: usize) {
    client.send(args);
    wait_for_waiters(teller, count);
}

#[track_caller]
fn assert_reads(client: &mut Client, expected: &str) {
    assert_eq!(String::from_utf8_lossy(&client.read()), expected);
}

/// What Q.TAKE answers.
fn taken(key: &str, item: &str) -> String {
    format!("*2\r\n${}\r\n{key}\r\n${}\r\n{item}\r\n", key.len(), item.len())
}

#[test]
fn plinth_who_waits_longest_is_served_first() {
    let (_server, mut teller, mut first, mut second) = scene();
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    send_waiting(&mut second, &["Q.TAKE", "k", "0"], &mut teller, 2);
    assert_wire(&mut teller, &["Q.PUSH", "k", "a"], b":1\r\n");
    assert_reads(&mut first, &taken("k", "a"));
    second.assert_unanswered(&mut teller);
    assert_wire(&mut teller, &["Q.PUSH", "k", "b", "c"], b":2\r\n");
    assert_reads(&mut second, &taken("k", "b"));
    assert_wire(&mut teller, &["Q.ITEMS", "k"], b"*1\r\n$1\r\nc\r\n");
}

#[test]
fn plinth_one_push_serves_as_many_as_it_has_items_for() {
    let (server, mut teller, mut first, mut second) = scene();
    let mut third = server.connect();
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    send_waiting(&mut second, &["Q.TAKE", "k", "0"], &mut teller, 2);
    send_waiting(&mut third, &["Q.TAKE", "k", "0"], &mut teller, 3);
    assert_wire(&mut teller, &["Q.PUSH", "k", "a", "b"], b":2\r\n");
    assert_reads(&mut first, &taken("k", "a"));
    assert_reads(&mut second, &taken("k", "b"));
    third.assert_unanswered(&mut teller);
    assert_wire(&mut teller, &["EXISTS", "k"], b":0\r\n");
}

#[test]
fn plinth_of_several_keys_the_first_argument_that_has_something_counts() {
    let (_server, mut teller, mut first, _) = scene();
    send_waiting(&mut first, &["Q.TAKE", "k", "l", "l", "0"], &mut teller, 1);
    assert_eq!(teller.info("clients", "total_blocking_keys").as_deref(), Some("2"));
    teller.raw("MULTI\r\nQ.PUSH l x\r\nQ.PUSH k y\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n:1\r\n:1\r\n"] {
        assert_reads(&mut teller, expected);
    }
    assert_reads(&mut first, &taken("k", "y"));
    assert_eq!(teller.info("clients", "total_blocking_keys").as_deref(), Some("0"));
}

#[test]
fn plinth_what_is_gone_again_at_the_end_of_a_transaction_serves_nobody() {
    let (_server, mut teller, mut first, _) = scene();
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    teller.raw("MULTI\r\nQ.PUSH k x\r\nDEL k\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n:1\r\n:1\r\n"] {
        assert_reads(&mut teller, expected);
    }
    first.assert_unanswered(&mut teller);
}

#[test]
fn plinth_nothing_waits_in_a_transaction() {
    let (_server, _, mut first, _) = scene();
    first.raw("MULTI\r\nQ.TAKE k 0\r\nQ.MOVE k l 0\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n*-1\r\n$-1\r\n"] {
        assert_reads(&mut first, expected);
    }
}

#[test]
fn plinth_what_one_is_served_serves_the_next() {
    let (server, mut teller, mut first, mut second) = scene();
    let mut third = server.connect();
    // The last of the chain waits first.
    send_waiting(&mut third, &["Q.TAKE", "c", "0"], &mut teller, 1);
    send_waiting(&mut second, &["Q.MOVE", "b", "c", "0"], &mut teller, 2);
    send_waiting(&mut first, &["Q.MOVE", "a", "b", "0"], &mut teller, 3);
    assert_wire(&mut teller, &["Q.PUSH", "a", "x"], b":1\r\n");
    assert_reads(&mut first, "$1\r\nx\r\n");
    assert_reads(&mut second, "$1\r\nx\r\n");
    assert_reads(&mut third, &taken("c", "x"));
    assert_wire(&mut teller, &["DBSIZE"], b":0\r\n");
}

#[test]
fn plinth_a_circle_of_moves_comes_to_an_end() {
    let (_server, mut teller, mut first, mut second) = scene();
    send_waiting(&mut first, &["Q.MOVE", "a", "b", "0"], &mut teller, 1);
    send_waiting(&mut second, &["Q.MOVE", "b", "a", "0"], &mut teller, 2);
    assert_wire(&mut teller, &["Q.PUSH", "a", "x"], b":1\r\n");
    assert_reads(&mut first, "$1\r\nx\r\n");
    assert_reads(&mut second, "$1\r\nx\r\n");
    assert_wire(&mut teller, &["Q.ITEMS", "a"], b"*1\r\n$1\r\nx\r\n");
}

#[test]
fn plinth_the_time_ends_to_the_millisecond_with_the_null_that_was_asked_for() {
    let (_server, mut teller, mut first, _) = scene();
    for (resp, null) in [("2", "*-1\r\n"), ("3", "_\r\n")] {
        first.command(&["HELLO", resp]);
        let begun = Instant::now();
        first.send(&["Q.TAKE", "k", "0.12"]);
        wait_until("it is in the table", || {
            teller.info("clients", "clients_in_timeout_table").as_deref() == Some("1") || begun.elapsed() > SHORT
        });
        assert_reads(&mut first, null);
        let waited = begun.elapsed();
        assert!(waited >= Duration::from_millis(120), "{waited:?}");
        assert!(waited < Duration::from_millis(1500), "{waited:?}");
    }
    assert_eq!(teller.info("clients", "clients_in_timeout_table").as_deref(), Some("0"));
    assert_wire(&mut first, &["PING"], b"+PONG\r\n");
}

#[test]
fn plinth_a_run_in_vain_neither_begins_the_time_anew_nor_loses_the_place() {
    let (_server, mut teller, mut first, mut second) = scene();
    let begun = Instant::now();
    first.send(&["Q.ODD", "k", "0.4"]);
    wait_for_waiters(&mut teller, 1);
    // It is run, is not content, and waits on.
    teller.command(&["Q.PUSH", "k", "a"]);
    send_waiting(&mut second, &["Q.ODD", "k", "0"], &mut teller, 2);
    teller.command(&["DEL", "k"]);
    assert_reads(&mut first, "$-1\r\n");
    assert!(begun.elapsed() < Duration::from_secs(2));
    teller.command(&["Q.PUSH", "k", "a", "b", "c"]);
    assert_reads(&mut second, "+ENOUGH\r\n");
}

#[test]
fn plinth_what_a_client_sends_while_it_waits_is_answered_afterwards_in_order() {
    let (_server, mut teller, mut first, _) = scene();
    first.raw("Q.TAKE k 0\r\nSET x 1\r\nGE");
    wait_for_waiters(&mut teller, 1);
    first.raw("T x\r\nQ.TAKE k 0\r\nPING\r\n");
    assert_wire(&mut teller, &["EXISTS", "x"], b":0\r\n");
    first.assert_unanswered(&mut teller);
    teller.command(&["Q.PUSH", "k", "a"]);
    assert_reads(&mut first, &taken("k", "a"));
    assert_reads(&mut first, "+OK\r\n");
    assert_reads(&mut first, "$1\r\n1\r\n");
    first.assert_unanswered(&mut teller);
    teller.command(&["Q.PUSH", "k", "b"]);
    assert_reads(&mut first, &taken("k", "b"));
    assert_reads(&mut first, "+PONG\r\n");
}

#[test]
fn plinth_what_a_client_sends_while_it_waits_is_bounded() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/wire/queue.c", &[]);
    let server = Server::within(folder, &["--loadmodule", &path, "--client-query-buffer-limit", "1mb"]);
    let (mut teller, mut first) = (server.connect(), server.connect());
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    let ping = "PING\r\n".repeat(10_000);
    let flood = (0..1000).find(|_| first.try_raw(&ping).is_err());
    assert!(flood.is_some(), "60 MB were taken from a client that waits");
    wait_for_waiters(&mut teller, 0);
}

#[test]
fn plinth_a_client_that_leaves_waits_no_more() {
    let (_server, mut teller, mut first, mut second) = scene();
    send_waiting(&mut first, &["Q.TAKE", "k", "10"], &mut teller, 1);
    drop(first);
    wait_for_waiters(&mut teller, 0);
    for field in ["total_blocking_keys", "clients_in_timeout_table"] {
        assert_eq!(teller.info("clients", field).as_deref(), Some("0"), "{field}");
    }
    send_waiting(&mut second, &["Q.TAKE", "k", "0"], &mut teller, 1);
    let id = teller.text(&["CLIENT", "LIST"]);
    let line = id.lines().find(|line| line.contains("cmd=q.take")).unwrap_or_else(|| panic!("{id}"));
    assert!(line.contains(" flags=b "), "{line}");
    let id = line.split(' ').next().and_then(|word| word.strip_prefix("id=")).unwrap_or_default().to_owned();
    // Killed and pushed to in one write: what is pushed is not lost to the one that is gone.
    teller.raw(format!("CLIENT KILL ID {id}\r\nQ.PUSH k a\r\n"));
    assert_reads(&mut teller, ":1\r\n");
    assert_reads(&mut teller, ":1\r\n");
    second.assert_closed();
    assert_wire(&mut teller, &["Q.ITEMS", "k"], b"*1\r\n$1\r\na\r\n");
}

#[test]
fn plinth_client_unblock_ends_a_wait_with_a_null_or_an_error() {
    let (_server, mut teller, mut first, _) = scene();
    let id = first.ask(&["CLIENT", "ID"]).integer().to_string();
    assert_wire(&mut teller, &["CLIENT", "UNBLOCK", &id], b":0\r\n");
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    assert_wire(&mut teller, &["CLIENT", "UNBLOCK", &id], b":1\r\n");
    assert_reads(&mut first, "*-1\r\n");
    send_waiting(&mut first, &["Q.ODD", "k", "0"], &mut teller, 1);
    assert_wire(&mut teller, &["CLIENT", "UNBLOCK", &id, "timeout"], b":1\r\n");
    assert_reads(&mut first, "$-1\r\n");
    send_waiting(&mut first, &["Q.TAKE", "k", "100"], &mut teller, 1);
    assert_wire(&mut teller, &["CLIENT", "UNBLOCK", &id, "ERROR"], b":1\r\n");
    assert_reads(&mut first, "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    assert_wire(&mut teller, &["CLIENT", "UNBLOCK", &id], b":0\r\n");
    assert_eq!(teller.info("errorstats", "errorstat_UNBLOCKED").as_deref(), Some("count=1"));
    assert_wire(&mut first, &["PING"], b"+PONG\r\n");
}

#[test]
fn plinth_a_key_that_comes_by_another_name_or_way_serves() {
    let (_server, mut teller, mut first, _) = scene();
    let ways: [&[&[&str]]; 5] = [
        &[&["Q.PUSH", "other", "x"], &["RENAME", "other", "k"]],
        &[&["Q.PUSH", "other", "x"], &["COPY", "other", "k"], &["DEL", "other"]],
        &[&["SELECT", "1"], &["Q.PUSH", "k", "x"], &["MOVE", "k", "0"], &["SELECT", "0"]],
        &[&["SELECT", "1"], &["Q.PUSH", "k", "x"], &["SWAPDB", "0", "1"], &["SELECT", "0"]],
        &[&["SELECT", "1"], &["Q.PUSH", "k", "x"], &["SELECT", "0"], &["SWAPDB", "1", "0"]],
    ];
    for way in ways {
        send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
        for command in way {
            teller.command(command);
        }
        assert_reads(&mut first, &taken("k", "x"));
        assert_wire(&mut teller, &["DBSIZE"], b":0\r\n");
    }
    // And from a payload.
    teller.command(&["Q.PUSH", "other", "x"]);
    let plinth_testkit::Reply::Bulk(payload) = teller.ask(&["DUMP", "other"]) else { panic!("no payload") };
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    teller.command(&[b"RESTORE", &b"k"[..], b"0", &payload]);
    assert_reads(&mut first, &taken("k", "x"));
}

#[test]
fn plinth_a_wait_is_for_its_own_database() {
    let (_server, mut teller, mut first, _) = scene();
    first.command(&["SELECT", "3"]);
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    teller.command(&["Q.PUSH", "k", "here"]);
    first.assert_unanswered(&mut teller);
    teller.command(&["SELECT", "3"]);
    teller.command(&["Q.PUSH", "k", "there"]);
    assert_reads(&mut first, &taken("k", "there"));
}

#[test]
fn plinth_a_value_of_another_type_wakes_nobody() {
    let (_server, mut teller, mut first, mut second) = scene();
    send_waiting(&mut first, &["Q.TAKE", "k", "l", "0"], &mut teller, 1);
    teller.command(&["SET", "k", "text"]);
    first.assert_unanswered(&mut teller);
    // Another key makes the command run, from its beginning: it meets the text.
    teller.command(&["Q.PUSH", "l", "x"]);
    assert_reads(&mut first, "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    assert_wire(&mut teller, &["Q.ITEMS", "l"], b"*1\r\n$1\r\nx\r\n");
    send_waiting(&mut second, &["Q.MOVE", "m", "k", "0"], &mut teller, 1);
    teller.command(&["Q.PUSH", "m", "x"]);
    assert_reads(&mut second, "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    assert_wire(&mut teller, &["Q.ITEMS", "m"], b"*1\r\n$1\r\nx\r\n");
}

#[test]
fn plinth_who_asked_for_it_is_told_that_a_key_is_gone() {
    let (_server, mut teller, mut first, mut second) = scene();
    let ways: [(&[&str], &str); 6] = [
        (&["DEL", "k"], ":2\r\n"),
        (&["SET", "k", "text"], ":2\r\n"),
        (&["RENAME", "k", "other"], ":2\r\n"),
        (&["FLUSHALL"], ":2\r\n"),
        (&["SWAPDB", "0", "1"], ":2\r\n"),
        // A change of the key at first, and its end a little later.
        (&["PEXPIRE", "k", "1"], ":3\r\n"),
    ];
    for (way, runs) in ways {
        teller.command(&["FLUSHALL"]);
        teller.command(&["Q.PUSH", "k", "x"]);
        first.send(&["Q.GONE", "k", "0"]);
        send_waiting(&mut second, &["Q.TAKE", "none", "0"], &mut teller, 2);
        assert_eq!(teller.info("clients", "total_blocking_keys_on_nokey").as_deref(), Some("1"));
        // Run in vain, it waits on with other arguments.
        teller.command(&["Q.PUSH", "k", "y"]);
        teller.command(way);
        assert_reads(&mut first, runs);
        teller.command(&["FLUSHALL"]);
        teller.command(&["Q.PUSH", "none", "x"]);
        assert_reads(&mut second, &taken("none", "x"));
    }
}

#[test]
fn plinth_a_pause_holds_those_back_who_wait_but_not_the_end_of_their_time() {
    let (_server, mut teller, mut first, mut second) = scene();
    first.send(&["Q.TAKE", "k", "0"]);
    send_waiting(&mut second, &["Q.TAKE", "l", "0.1"], &mut teller, 2);
    teller.raw("MULTI\r\nQ.PUSH k x\r\nCLIENT PAUSE 100000 WRITE\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n:1\r\n+OK\r\n"] {
        assert_reads(&mut teller, expected);
    }
    assert_reads(&mut second, "*-1\r\n");
    first.assert_unanswered(&mut teller);
    assert_wire(&mut teller, &["CLIENT", "UNPAUSE"], b"+OK\r\n");
    assert_reads(&mut first, &taken("k", "x"));
}

#[test]
fn plinth_a_reply_that_was_not_wanted_is_not_sent_after_a_wait_either() {
    let (_server, mut teller, mut first, _) = scene();
    first.raw("CLIENT REPLY SKIP\r\nQ.TAKE k 0\r\nPING\r\n");
    wait_for_waiters(&mut teller, 1);
    teller.command(&["Q.PUSH", "k", "x"]);
    assert_reads(&mut first, "+PONG\r\n");
    first.raw("CLIENT REPLY OFF\r\nQ.TAKE k 0\r\nQ.TAKE k 0.01\r\nCLIENT REPLY ON\r\n");
    wait_for_waiters(&mut teller, 1);
    teller.command(&["Q.PUSH", "k", "y"]);
    assert_reads(&mut first, "+OK\r\n");
    assert_wire(&mut teller, &["EXISTS", "k"], b":0\r\n");
}

#[test]
fn plinth_a_command_that_waits_counts_once() {
    let (_server, mut teller, mut first, _) = scene();
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    teller.command(&["Q.PUSH", "k", "x"]);
    assert_reads(&mut first, &taken("k", "x"));
    let stats = teller.info("commandstats", "cmdstat_q.take").unwrap_or_default();
    assert!(stats.starts_with("calls=1,") && stats.ends_with("rejected_calls=0,failed_calls=0"), "{stats}");
}

#[test]
fn plinth_a_wait_survives_neither_a_refusal_for_memory_nor_its_own_error() {
    let (_server, mut teller, mut first, _) = scene();
    send_waiting(&mut first, &["Q.MOVE", "k", "l", "0"], &mut teller, 1);
    teller.raw("MULTI\r\nQ.PUSH k x\r\nCONFIG SET maxmemory 1\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "+QUEUED\r\n", "*2\r\n:1\r\n+OK\r\n"] {
        assert_reads(&mut teller, expected);
    }
    assert_reads(&mut first, "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    teller.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_wire(&mut first, &["Q.FAIL", "none"], b"-ERR syntax error\r\n");
    wait_for_waiters(&mut teller, 0);
    assert_wire(&mut first, &["PING"], b"+PONG\r\n");
}

#[test]
fn plinth_a_module_stays_while_a_client_waits_in_its_command() {
    let (_server, mut teller, mut first, _) = scene();
    send_waiting(&mut first, &["Q.TAKE", "k", "0"], &mut teller, 1);
    let refusal = teller.text(&["MODULE", "UNLOAD", "queue"]);
    assert!(refusal.contains("a client waits in 'q.take'"), "{refusal}");
    teller.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    wait_for_waiters(&mut teller, 0);
    assert_wire(&mut teller, &["MODULE", "UNLOAD", "queue"], b"+OK\r\n");
}

#[test]
fn plinth_a_handler_that_wakes_itself_for_ever_stops_nobody_else() {
    let (_server, mut teller, mut first, _) = scene();
    first.send(&["Q.BOTH", "k"]);
    wait_for_waiters(&mut teller, 1);
    for _ in 0..20 {
        assert_wire(&mut teller, &["PING"], b"+PONG\r\n");
    }
    drop(first);
    wait_for_waiters(&mut teller, 0);
}

#[test]
fn plinth_a_watched_key_is_spoiled_by_what_a_waiting_client_is_served() {
    let (_server, mut teller, mut first, _) = scene();
    first.command(&["WATCH", "l"]);
    send_waiting(&mut first, &["Q.MOVE", "k", "l", "0"], &mut teller, 1);
    teller.command(&["Q.PUSH", "k", "x"]);
    assert_reads(&mut first, "$1\r\nx\r\n");
    first.raw("MULTI\r\nPING\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "*-1\r\n"] {
        assert_reads(&mut first, expected);
    }
}
