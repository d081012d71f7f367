//! The ABI from a C module: `probe.c` calls every function of every service of the host through the
//! public headers, and these tests run it and look at what shows from outside.

mod acts;
mod languages;
mod sections;
mod told;
mod values;
mod watches;

use plinth_testkit::{Client, Server, TempDir, assert_wire, build, cc, wait_until};

fn server() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/probe.c", &[]);
    Server::within(folder, &["--loadmodule", &path])
}

fn with_listens() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/listens.c", &[]);
    Server::within(folder, &["--loadmodule", &path])
}

#[track_caller]
fn assert_probe(command: &[&str]) {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, command, b"+OK\r\n");
}

#[test]
fn the_host_hands_out_services_and_logs() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PROBE.HOST"], b"+OK\r\n");
    server.wait_for_log("<probe> the probe was here");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "probe"], b"+OK\r\n");
    server.wait_for_log("<probe> the probe stops");
}

#[test]
fn every_function_of_keys_does_what_its_comment_says() {
    let server = server();
    let mut client = server.connect();
    for _ in 0..3 {
        assert_wire(&mut client, &["PROBE.KEYS"], b"+OK\r\n");
        assert_wire(&mut client, &["DBSIZE"], b":0\r\n");
    }
    // Each run makes 8 boxed values, two of them by a copy of the type's own: all are dropped once,
    // some of them on another thread.
    wait_until("all values are dropped", || client.ask(&["PROBE.DROPS"]).integer() == 3 * 8);
}

#[test]
fn values_are_saved_and_loaded_in_the_container_and_under_a_tag() {
    assert_probe(&["PROBE.CODEC"]);
}

#[test]
fn commands_are_run_from_a_module_to_a_depth() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PROBE.RUN"], b"+OK\r\n");
    assert_wire(&mut client, &["PROBE.NEST"], b":17\r\n");
    assert_wire(&mut client, &["PROBE.NEST"], b":17\r\n");
}

#[test]
fn parameters_are_read_and_set_from_a_module() {
    assert_probe(&["PROBE.CONFIG"]);
}

#[test]
fn what_is_passed_on_can_be_said_in_commands_only() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PROBE.PROPAGATE"], b"+OK\r\n");
    wait_until("the timer has run", || client.text(&["PROBE.SEEN"]).contains("propagated"));
    assert_wire(&mut client, &["PROBE.OUTSIDE"], b"+OK\r\n");
}

#[test]
fn a_command_says_for_how_many_changes_it_counts() {
    let server = server();
    let mut client = server.connect();
    let changes = |client: &mut Client| client.info("persistence", "rdb_changes_since_last_save");
    assert_eq!(changes(&mut client).as_deref(), Some("0"));
    assert_wire(&mut client, &["PROBE.CHANGES"], b"+OK\r\n");
    assert_eq!(changes(&mut client).as_deref(), Some("6"));
}

#[test]
fn a_command_knows_whether_anybody_is_told_of_it() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PROBE.TOLD"], b":0\r\n");
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "ON"], b"+OK\r\n");
    assert_wire(&mut client, &["PROBE.TOLD"], b":1\r\n");
    // One of EXEC is told by itself.
    assert_wire(&mut client, &["MULTI"], b"+OK\r\n");
    assert_wire(&mut client, &["PROBE.TOLD"], b"+QUEUED\r\n");
    assert_wire(&mut client, &["EXEC"], b"*1\r\n:1\r\n");
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "OFF"], b"+OK\r\n");
    assert_wire(&mut client, &["PROBE.TOLD"], b":0\r\n");
}

#[test]
fn strings_are_reached_through_their_service() {
    let server = Server::with(&["--enable-module-command", "yes"]);
    let mut client = server.connect();
    let path = cc::module(server.folder(), "tests/abi/strings.c", &[]);
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    assert_wire(&mut client, &["RPUSH", "other", "v"], b":1\r\n");
    for replacement in ["", "string-plain"] {
        if !replacement.is_empty() {
            let replace = ["MODULE", "REPLACE", "string", &build::library(replacement)];
            assert_wire(&mut client, &replace, b"+OK\r\n");
        }
        assert_wire(&mut client, &["STRINGS.PROBE", "k", "l", "other"], b"+OK\r\n");
        assert_wire(&mut client, &["DEL", "k", "l"], b":2\r\n");
    }
}

#[test]
fn a_module_of_the_configuration_may_require_first_party_services() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/strings.c", &[]);
    let server = Server::within(folder, &["--loadmodule", &path]);
    let mut client = server.connect();
    assert_wire(&mut client, &["RPUSH", "other", "v"], b":1\r\n");
    assert_wire(&mut client, &["STRINGS.PROBE", "k", "l", "other"], b"+OK\r\n");
}

#[test]
fn named_modules_may_stand_in_any_order_and_come_before_first_party_ones() {
    let plain = build::library("string-plain");
    for turned in [false, true] {
        let folder = TempDir::new();
        let user = cc::module(&folder, "tests/abi/strings.c", &[]);
        let (one, other) = if turned { (&plain, &user) } else { (&user, &plain) };
        let server = Server::within(folder, &["--loadmodule", one, "--loadmodule", other]);
        let mut client = server.connect();
        let line = client.info("modules", "plinth_module_string").expect("strings are there");
        assert!(line.ends_with("libstring_plain.so"), "{line}");
        assert_wire(&mut client, &["RPUSH", "other", "v"], b":1\r\n");
        assert_wire(&mut client, &["STRINGS.PROBE", "k", "l", "other"], b"+OK\r\n");
    }
}

/// Has the server see so much time go by: what was due before it has done.
fn let_pass(client: &mut Client, seconds: &str) {
    assert_wire(client, &["BLPOP", "absent", seconds], b"*-1\r\n");
    assert_wire(client, &["PING"], b"+PONG\r\n");
}

#[test]
fn timers_fire_once_or_are_stopped() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PROBE.TIMERS"], b"+OK\r\n");
    server.wait_for_log("<probe> a timer of the probe fired");
    let_pass(&mut client, "0.03");
    assert_wire(&mut client, &["PROBE.SEEN"], b"$12\r\nfired one 1\n\r\n");
}

#[test]
fn a_timer_that_has_not_fired_goes_with_its_module() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PROBE.TIMERS"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "probe"], b"+OK\r\n");
    let_pass(&mut client, "0.06");
    assert!(!server.log().contains("a timer of the probe fired"));
}

#[test]
fn hooks_are_told_of_every_kind_of_event() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["PROBE.EVENTS", "on"], b"+OK\r\n");
    client.command(&["SET", "k", "v"]);
    client.command(&["COPY", "k", "l", "DB", "4"]);
    client.command(&["MOVE", "k", "5"]);
    client.command(&["CONFIG", "SET", "timeout", "0"]);
    client.command(&["SWAPDB", "1", "2"]);
    client.command(&["FLUSHDB"]);
    client.command(&["MODULE", "LOAD", &plinth_testkit::build::library("gauge")]);
    client.command(&["MODULE", "UNLOAD", "gauge"]);
    drop(server.connect());
    assert_wire(&mut client, &["PROBE.EVENTS", "quiet"], b"+OK\r\n");
    let mut seen = String::new();
    // kind, event's name, key, database, whether there is a client
    let expected = [
        "hook 1 set k 0 ",
        "hook 1 copy_to l 4 ",
        "hook 1 move_from k 0 ",
        "hook 1 move_to k 5 ",
        "hook 128  timeout ",
        "hook 4   1 ",
        "hook 2   0 ",
        "hook 8  gauge ",
        "hook 16  gauge ",
        "hook 32   0 1",
        "hook 64   0 1",
        "hook 1 probe.quiet q 0 ",
        "hook 1 probe.quiet q 3 ",
    ];
    wait_until(&format!("all of {expected:?} were seen"), || {
        seen.push_str(&client.text(&["PROBE.SEEN"]));
        let missing: Vec<_> = expected.iter().filter(|line| !seen.contains(**line)).collect();
        if !missing.is_empty() && seen.len() > 2000 {
            panic!("{missing:?} is missing in\n{seen}");
        }
        missing.is_empty()
    });
    assert!(!seen.contains("unawaited"), "{seen}");
    assert_wire(&mut client, &["PROBE.EVENTS", "off"], b"+OK\r\n");
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["EXISTS", "p:hooked"], b":0\r\n");
    assert!(!client.text(&["PROBE.SEEN"]).contains("set k"));
}

#[test]
fn a_command_waits_for_a_key_where_that_is_possible() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/waits.c", &[]);
    let server = Server::within(folder, &["--loadmodule", &path]);
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_wire(&mut client, &["WAITS.TAKE", "p:w", "20"], b"*-1\r\n");
    assert_wire(&mut client, &["WAITS.INNER", "p:w"], b"+OK\r\n");
    client.raw("MULTI\r\nWAITS.TAKE p:w 0\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "*1\r\n*-1\r\n"] {
        assert_eq!(client.read(), expected.as_bytes());
    }
    client.send(&["WAITS.TAKE", "p:w", "0"]);
    wait_until("it waits", || other.info("clients", "total_blocking_keys").as_deref() == Some("1"));
    assert_wire(&mut other, &["WAITS.SLIP", "p:w"], b"+OK\r\n");
    client.assert_unanswered(&mut other);
    assert_wire(&mut other, &["WAITS.PUT", "p:w"], b"+OK\r\n");
    assert_eq!(client.read(), b":1\r\n");
    // A timer cannot wait; what it makes serves those who do.
    client.send(&["WAITS.TAKE", "p:w", "0"]);
    assert_wire(&mut other, &["WAITS.PUT", "later"], b"+OK\r\n");
    assert_eq!(client.read(), b":1\r\n");
    assert_wire(&mut other, &["WAITS.PUT", "outcome"], b"+OK\r\n");
    assert_wire(&mut other, &["WAITS.PUT", "p:w"], b"+OK\r\n");
    assert_wire(&mut client, &["WAITS.TAKE", "p:w", "0"], b":0\r\n");
}

fn suspends() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/suspends.c", &["-pthread"]);
    Server::within(folder, &["--loadmodule", &path])
}

fn wait_for_blocked(client: &mut Client, count: &str) {
    wait_until("so many wait", || client.info("clients", "blocked_clients").as_deref() == Some(count));
}

#[test]
fn a_thread_resumes_a_command_that_waits_for_it() {
    let server = suspends();
    let mut clients: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for rounds in ["1", "2", "25"] {
        let command = ["SUSPENDS.WORK", rounds];
        clients.iter_mut().for_each(|client| client.send(&command));
        for client in &mut clients {
            assert_eq!(client.read(), format!(":{rounds}\r\n").as_bytes());
        }
    }
    let client = &mut clients[0];
    // What was sent behind it waits for its turn; replies are thrown away as for any command.
    client.raw("SUSPENDS.WORK 3\r\nPING\r\nCLIENT REPLY SKIP\r\nSUSPENDS.WORK 2\r\nPING\r\n");
    for expected in [":3\r\n", "+PONG\r\n", "+PONG\r\n"] {
        assert_eq!(client.read(), expected.as_bytes());
    }
    client.raw("MULTI\r\nSUSPENDS.WORK 1\r\nEXEC\r\n");
    for expected in ["+OK\r\n", "+QUEUED\r\n", "*1\r\n$-1\r\n"] {
        assert_eq!(client.read(), expected.as_bytes());
    }
    client.send(&["SUSPENDS.KEY", "k"]);
    wait_for_blocked(&mut clients[1], "1");
    clients[1].command(&["SET", "k", "v"]);
    assert_eq!(clients[0].read(), b"+OK\r\n");
}

#[test]
fn nothing_but_its_ticket_ends_a_wait_for_a_thread_or_its_own_end() {
    let server = suspends();
    let (mut client, mut other) = (server.connect(), server.connect());
    let id = client.ask(&["CLIENT", "ID"]).integer().to_string();
    let wait = |client: &mut Client, other: &mut Client, timeout_ms: &str| {
        client.send(&["SUSPENDS.WAIT", timeout_ms]);
        wait_for_blocked(other, "1");
    };
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":0\r\n");
    wait(&mut client, &mut other, "0");
    other.command(&["SET", "k", "v"]);
    other.command(&["FLUSHALL"]);
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":1\r\n");
    assert_eq!(client.read(), b"+resumed\r\n");
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":0\r\n");
    // The end of the time.
    assert_wire(&mut client, &["SUSPENDS.WAIT", "10"], b"*-1\r\n");
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":0\r\n");
    // A handler that fails does not wait, though it has begun to.
    assert_wire(&mut client, &["SUSPENDS.WAIT", "12345"], b"-ERR syntax error\r\n");
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":0\r\n");
    // Somebody ends it.
    wait(&mut client, &mut other, "0");
    assert_wire(&mut other, &["CLIENT", "UNBLOCK", &id], b":1\r\n");
    assert_eq!(client.read(), b"*-1\r\n");
    wait(&mut client, &mut other, "0");
    assert_wire(&mut other, &["CLIENT", "UNBLOCK", &id, "ERROR"], b":1\r\n");
    assert_eq!(client.read(), b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":0\r\n");
    // The client leaves.
    wait(&mut client, &mut other, "0");
    drop(client);
    wait_for_blocked(&mut other, "0");
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":0\r\n");
}

#[test]
fn a_pause_holds_back_who_was_resumed() {
    let server = suspends();
    let (mut client, mut other) = (server.connect(), server.connect());
    client.send(&["SUSPENDS.WAIT", "0"]);
    wait_for_blocked(&mut other, "1");
    assert_wire(&mut other, &["CLIENT", "PAUSE", "100000", "WRITE"], b"+OK\r\n");
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":1\r\n");
    client.assert_unanswered(&mut other);
    assert_wire(&mut other, &["CLIENT", "UNPAUSE"], b"+OK\r\n");
    assert_eq!(client.read(), b"+resumed\r\n");
}

#[test]
fn a_module_whose_thread_a_client_waits_for_stays() {
    let server = suspends();
    let (mut client, mut other) = (server.connect(), server.connect());
    let another = server.folder().file("another.so");
    std::fs::copy(server.folder().file("suspends1.so"), &another).expect("the library is there");
    client.send(&["SUSPENDS.WAIT", "0"]);
    wait_for_blocked(&mut other, "1");
    for command in [&["UNLOAD", "suspends"] as &[&str], &["REPLACE", "suspends", &another]] {
        let said = other.text(&[&["MODULE"], command].concat());
        assert!(said.contains("a client waits in 'suspends.wait'"), "{said}");
    }
    assert_wire(&mut other, &["SUSPENDS.RESUME"], b":1\r\n");
    assert_eq!(client.read(), b"+resumed\r\n");
    assert_wire(&mut other, &["MODULE", "REPLACE", "suspends", &another], b"+OK\r\n");
    assert_wire(&mut other, &["SUSPENDS.WORK", "2"], b":2\r\n");
    // The old module leaves when its last call has ended, which a busy machine puts off.
    wait_until("the replacement is done", || other.ask(&["MODULE", "REPLACE", "STATUS"]).items().is_empty());
    assert_wire(&mut other, &["MODULE", "UNLOAD", "suspends"], b"+OK\r\n");
}

#[test]
fn clients_are_described_pushed_to_and_disconnected() {
    let server = server();
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_wire(&mut client, &["CLIENT", "SETNAME", "probing"], b"+OK\r\n");
    assert_wire(&mut client, &["PROBE.CLIENTS"], b"+OK\r\n");
    let id = other.ask(&["CLIENT", "ID"]).integer().to_string();
    assert_wire(&mut client, &["PROBE.PUSH", &id, "+hello\r\n"], b"+OK\r\n");
    assert_eq!(other.read(), b"+hello\r\n");
    assert_wire(&mut client, &["PROBE.DISCONNECT", &id], b"+OK\r\n");
    other.assert_closed();
    assert_wire(&mut client, &["PROBE.PUSH", &id, "+hello\r\n"], b"-ERR no such key\r\n");
}

#[test]
fn a_client_listens_to_a_module_and_is_sent_what_others_are() {
    let server = with_listens();
    let (mut client, mut other, mut third) = (server.connect(), server.connect(), server.connect());
    let (id, third_id) = (other.ask(&["CLIENT", "ID"]).integer(), third.ask(&["CLIENT", "ID"]).integer());
    let (id, third_id) = (id.to_string(), third_id.to_string());
    third.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["LISTENS.TO", &id, "1", "2", "3"], b"+OK\r\n");
    let list = client.text(&["CLIENT", "LIST", "TYPE", "pubsub"]);
    assert!(list.starts_with(&format!("id={id} ")) && list.contains(" sub=1 psub=2 ssub=3 "), "{list}");
    let memory = list.split(" tot-mem=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    assert!(memory.parse::<u64>().is_ok_and(|bytes| bytes > 1_000_000), "{list}");
    let refusal = "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are \
                   allowed in this context\r\n";
    assert_wire(&mut other, &["GET", "k"], refusal);
    assert_wire(&mut other, &["PING"], b"*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    // It listens to this module, and to no other besides: SUBSCRIBE leaves nothing behind.
    assert_wire(&mut other, &["SUBSCRIBE", "a"], b"-ERR 'subscribe' is not possible here\r\n");
    for text in ["short".to_owned(), "long".repeat(10_000)] {
        assert_wire(&mut client, &["LISTENS.SHOUT", &text, &id, &third_id], b"+OK\r\n");
        let body = format!("2\r\n$5\r\nshout\r\n${}\r\n{text}\r\n", text.len());
        assert!(other.read() == format!("*{body}").as_bytes() && third.read() == format!(">{body}").as_bytes());
        assert!(other.read() == b"*1\r\n:1\r\n" && third.read() == b">1\r\n:1\r\n");
    }
    // What a client sends itself comes behind the reply.
    third.send(&["LISTENS.SHOUT", "me", &third_id]);
    assert_eq!(third.read(), b"+OK\r\n");
    assert_eq!(third.read(), b">2\r\n$5\r\nshout\r\n$2\r\nme\r\n");
    assert_wire(&mut client, &["LISTENS.TO", &id, "0", "0", "0"], b"+OK\r\n");
    assert_wire(&mut other, &["GET", "k"], b"$-1\r\n");
    assert_wire(&mut client, &["LISTENS.TO", &id, "0", "1", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "listens"], b"+OK\r\n");
    other.assert_closed();
}

#[test]
fn a_module_publishes_on_the_channels_of_another() {
    let server = with_listens();
    let (mut client, mut other) = (server.connect(), server.connect());
    other.command(&["SUBSCRIBE", "a"]);
    assert_wire(&mut client, &["LISTENS.PUBLISH", "a", "text"], b":1\r\n");
    assert_wire(&mut client, &["LISTENS.PUBLISH", "b", "text"], b":0\r\n");
    for _ in 0..2 {
        assert_eq!(other.read(), b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$4\r\ntext\r\n");
    }
}

#[test]
fn a_hook_is_told_of_its_classes_only_and_of_resets() {
    let server = server();
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_wire(&mut client, &["PROBE.EVENTS", "classes"], b"+OK\r\n");
    for command in ["SET k v", "RPUSH l 1", "DEL k", "GET none", "PROBE.EVENTS quiet"] {
        client.command(&command.split(' ').collect::<Vec<_>>());
    }
    let seen = client.text(&["PROBE.SEEN"]);
    assert!(seen.contains("hook 1 set k 0 ") && seen.contains("hook 1 keymiss none 0 "), "{seen}");
    assert!(!seen.contains("rpush") && !seen.contains("del") && !seen.contains("quiet"), "{seen}");
    assert_wire(&mut client, &["PROBE.EVENTS", "off"], b"+OK\r\n");
    assert_wire(&mut client, &["PROBE.EVENTS", "on"], b"+OK\r\n");
    other.command(&["RESET"]);
    let seen = client.text(&["PROBE.SEEN"]);
    assert!(seen.contains("hook 512   0 1"), "{seen}");
}

#[test]
fn every_kind_of_reply_is_written_in_both_protocols() {
    let server = server();
    let mut client = server.connect();
    let both = [
        ("simple", "+fine\r\n", "+fine\r\n"),
        ("error", "-ERR two  lines\r\n", "-ERR two  lines\r\n"),
        ("integer", ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
        ("bulk", "$3\r\na\0b\r\n", "$3\r\na\0b\r\n"),
        ("null", "$-1\r\n", "_\r\n"),
        ("null_array", "*-1\r\n", "_\r\n"),
        ("double", "$4\r\n0.25\r\n", ",0.25\r\n"),
        ("boolean", ":1\r\n", "#t\r\n"),
        ("verbatim", "$5\r\nwords\r\n", "=9\r\ntxt:words\r\n"),
        ("big_number", "$30\r\n123456789012345678901234567890\r\n", "(123456789012345678901234567890\r\n"),
        ("array", "*1\r\n:1\r\n", "*1\r\n:1\r\n"),
        ("map", "*2\r\n:1\r\n:2\r\n", "%1\r\n:1\r\n:2\r\n"),
        ("set", "*1\r\n:1\r\n", "~1\r\n:1\r\n"),
        ("push", "*1\r\n:1\r\n", ">1\r\n:1\r\n"),
        ("open", "*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n", "*2\r\n:1\r\n%1\r\n:2\r\n:3\r\n"),
    ];
    for (kind, resp2, _) in both {
        assert_wire(&mut client, &["PROBE.REPLY", kind], resp2);
    }
    client.command(&["HELLO", "3"]);
    for (kind, _, resp3) in both {
        assert_wire(&mut client, &["PROBE.REPLY", kind], resp3);
    }
    assert_wire(&mut client, &["PROBE.REPLY", "none"], b"-ERR syntax error\r\n");
}

#[test]
fn a_reply_is_written_into_the_buffer_itself() {
    let server = server();
    let mut client = server.connect();
    for count in [4096usize, 4097, 20_000, 3_000_000] {
        let reply = client.ask(&["PROBE.BUFFER".to_owned(), count.to_string()]);
        let plinth_testkit::Reply::Bulk(bytes) = reply else { panic!("{reply:?}") };
        assert_eq!(bytes.len(), count);
        assert!(bytes[..4096].iter().all(|byte| *byte == b'x'));
        assert!(bytes[4096..].iter().all(|byte| *byte == b'y'));
    }
}

#[test]
fn sections_of_info_have_the_modules_name_in_front() {
    let server = server();
    let mut client = server.connect();
    let shown = client.text(&["INFO", "probe_state"]);
    assert_eq!(shown, "# probe_state\r\nprobe_mood:good\r\nprobe_number:-7\r\nprobe_half:0.5\r\n");
    for section in ["everything", "modules"] {
        assert_eq!(client.info(section, "probe_number").as_deref(), Some("-7"), "INFO {section}");
    }
    assert!(!client.text(&["INFO"]).contains("probe_mood"));
}

fn names() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/names.c", &[]);
    Server::within(folder, &["--loadmodule", &path, "--enable-debug-command", "yes"])
}

#[test]
fn an_internal_command_is_run_by_debug_and_modules_and_not_by_clients() {
    let server = names();
    let mut client = server.connect();
    assert_wire(&mut client, &["DEBUG", "Names", "a", "b"], b":2\r\n");
    assert_wire(&mut client, &["NAMES.INNER"], b":2\r\n");
    let too_few = client.text(&["DEBUG", "NAMES"]);
    assert!(too_few.contains("wrong number of arguments"), "{too_few}");
    assert_eq!(client.info("errorstats", "errorstat_ERR").as_deref(), Some("count=1"));
    let unknown = client.text(&["debug.names", "a"]);
    assert!(unknown.contains("unknown command 'debug.names'"), "{unknown}");
    assert_wire(&mut client, &["COMMAND", "INFO", "debug.names"], b"*1\r\n$-1\r\n");
    let listed = client.ask(&["COMMAND", "LIST", "FILTERBY", "MODULE", "names"]).texts();
    assert!(!listed.contains(&"debug.names".to_owned()) && listed.len() == 3, "{listed:?}");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "names"], b"+OK\r\n");
    let gone = client.text(&["DEBUG", "NAMES", "a"]);
    assert!(gone.contains("unknown subcommand"), "{gone}");
}

#[test]
fn a_command_that_runs_others_on_its_keys_may_be_told_none_and_reads_what_they_read() {
    let server = names();
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_wire(&mut client, &["SET", "a", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["NAMES.READ", "0"], b"$-1\r\n");
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "NAMES.READ", "0"], b"*0\r\n");
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "NAMES.READ", "2", "a", "b"], b"*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    let info = client.ask(&["COMMAND", "INFO", "names.read"]);
    assert!(info.items()[0].items()[2].texts().contains(&"no_mandatory_keys".to_owned()), "{info:?}");
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["CLIENT", "TRACKING", "ON"], b"+OK\r\n");
    assert_wire(&mut client, &["NAMES.READ", "2", "a", "b"], b"$1\r\n1\r\n");
    // Of the key that was announced and not read nothing is told; of the other it is.
    assert_wire(&mut other, &["SET", "b", "1"], b"+OK\r\n");
    assert_wire(&mut other, &["SET", "a", "2"], b"+OK\r\n");
    assert_eq!(client.read(), b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n");
}

#[test]
fn a_module_names_acl_categories_of_its_own() {
    let server = names();
    let mut client = server.connect();
    let info = client.ask(&["COMMAND", "INFO", "names.count"]);
    assert_eq!(info.items()[0].items()[6].texts(), ["@read", "@com-example_names", "@fast", "@slow"]);
    let listed = ["COMMAND", "LIST", "FILTERBY", "ACLCAT", "Com-Example_Names"];
    assert_eq!(client.ask(&listed).texts(), ["names.count"]);
    assert_wire(&mut client, &["MODULE", "UNLOAD", "names"], b"+OK\r\n");
    assert_wire(&mut client, &listed, b"*0\r\n");
    // A data type's category is its module's.
    assert!(client.ask(&["COMMAND", "LIST", "FILTERBY", "ACLCAT", "sortedset"]).texts().contains(&"zadd".to_owned()));
}

#[test]
fn a_module_adds_fields_to_a_section_of_the_host() {
    let server = suspends();
    let mut client = server.connect();
    let cluster = "# Cluster\r\ncluster_enabled:0\r\nworker_threads:0\r\n";
    assert_eq!(client.text(&["INFO", "cluster"]), cluster);
    for section in ["default", "all", "everything"] {
        let shown = client.text(&["INFO", section]);
        assert_eq!(shown.matches("worker_threads").count(), 1, "INFO {section}");
        assert!(shown.contains(cluster), "INFO {section}");
    }
    for section in ["suspends", "suspends_cluster", "modules", "nosuch", "server"] {
        assert!(!client.text(&["INFO", section]).contains("worker_threads"), "INFO {section}");
    }
    assert_wire(&mut client, &["MODULE", "UNLOAD", "suspends"], b"+OK\r\n");
    assert_eq!(client.text(&["INFO", "cluster"]), "# Cluster\r\ncluster_enabled:0\r\n");
}

#[test]
fn commands_look_ahead_stage_by_stage_before_any_of_them_runs() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/ahead.c", &[]);
    let server = Server::within(folder, &["--loadmodule", &path]);
    let mut client = server.connect();
    for key in ["a", "b"] {
        assert_wire(&mut client, &["AHEAD.PUT", key], b"+OK\r\n");
    }
    assert_wire(&mut client, &["AHEAD.SMALL", "small"], b"+OK\r\n");
    // A large set is boxed, and of another type.
    client.command(&["SADD", "set", &"x".repeat(100)]);
    let mut seen = |commands: &str| {
        client.raw(commands);
        for _ in commands.lines() {
            client.read();
        }
        client.text(&["AHEAD.SEEN"])
    };
    assert_eq!(seen("AHEAD.SEEK a 0\r\n"), "0 0 ours 0;");
    // Those that have no further stage are left out of it, and there are four at most.
    assert_eq!(
        seen("AHEAD.SEEK a 1\r\nAHEAD.SEEK b 9\r\nAHEAD.SEEK b 0\r\n"),
        "0 1 ours 0;0 9 ours 0;0 0 ours 0;1 1 ours 7;1 9 ours 7;2 9 ours 14;3 9 ours 21;"
    );
    // The arity is not checked yet, and the value is whatever the key holds.
    assert_eq!(seen("AHEAD.SEEK a\r\nAHEAD.SEEK set 0\r\n"), "0 - ours 0;0 0 another's 0;");
    assert_eq!(seen("AHEAD.SEEK small 9\r\nAHEAD.SEEK none 9\r\nAHEAD.PUT a\r\n"), "");
    // The first command removes what the second has looked at.
    assert_eq!(seen("DEL a\r\nAHEAD.SEEK a 0\r\nAHEAD.SEEK a 0\r\n"), "0 0 ours 0;0 0 ours 0;");
    assert_eq!(seen("AHEAD.SEEK a 0\r\n"), "");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "ahead", "GHOST"], b"+OK\r\n");
    assert!(client.text(&["AHEAD.SEEK", "b", "0"]).starts_with("ERR unknown command"));
}

fn alias(flags: &[&str], args: &[&str]) -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/alias.c", flags);
    let mut all = vec!["--loadmodule", &path];
    all.extend(args);
    Server::within(folder, &all)
}

#[test]
fn a_parameter_has_the_same_value_under_both_of_its_names() {
    let server = alias(&[], &["--alias.maximum", "6", "--alias-bare", "7", "--alias-former", "8"]);
    let mut client = server.connect();
    let value =
        |client: &mut Client, name: &str| client.ask(&["CONFIG", "GET", name]).field(name).map(|value| value.text());
    for (name, expected) in [("alias.limit", "6"), ("ALIAS.maximum", "6"), ("alias-bare", "8"), ("alias-former", "8")] {
        assert_eq!(value(&mut client, name).as_deref(), Some(expected), "{name}");
    }
    let mut shown = client.ask(&["CONFIG", "GET", "alias*"]).texts();
    shown.sort();
    assert_eq!(shown, ["6", "6", "8", "8", "alias-bare", "alias-former", "alias.limit", "alias.maximum"]);
    // The second of two names of one parameter counts.
    assert_wire(&mut client, &["CONFIG", "SET", "alias.maximum", "1", "alias.limit", "2"], b"+OK\r\n");
    assert_eq!(value(&mut client, "alias.maximum").as_deref(), Some("2"));
    let said = client.text(&["CONFIG", "SET", "alias.limit", "3", "alias.maximum", "11"]);
    assert!(said.contains("'alias.maximum') - argument must be between -10 and 10"), "{said}");
    assert_eq!(value(&mut client, "alias.limit").as_deref(), Some("2"));
}

#[test]
fn loadex_and_a_file_know_a_parameter_by_its_second_name_and_rewrite_prefers_the_first() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/alias.c", &[]);
    let inspected = plinth_testkit::server::run_to_end(&["--inspect", &path]).output;
    assert!(inspected.contains("parameter   limit (also maximum) = 5\n"), "{inspected}");
    let text = format!("alias.limit 1\nloadmodule {path}\nalias.maximum 2\nalias.maximum 3\nALIAS-FORMER 4\n");
    let file = folder.write("redis.conf", text);
    let server = Server::with(std::slice::from_ref(&file));
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "REWRITE"], b"+OK\r\n");
    let written = std::fs::read_to_string(&file).expect("the file is there");
    assert!(written.starts_with(&format!("alias.limit 3\nloadmodule {path}\n\nalias-bare 4\n")), "{written}");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "alias"], b"+OK\r\n");
    let load = ["MODULE", "LOADEX", &path, "CONFIG", "alias.limit", "1", "CONFIG", "alias.maximum", "9"];
    assert_wire(&mut client, &load, b"+OK\r\n");
    assert_eq!(client.ask(&["CONFIG", "GET", "alias.limit"]).texts(), ["alias.limit", "9"]);
}

#[test]
fn a_second_name_that_another_parameter_has_is_refused() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/alias.c", &["-DTAKEN"]);
    let server = Server::start();
    let mut client = server.connect();
    let said = client.text(&["MODULE", "LOAD", &path]);
    assert!(said.starts_with("ERR "), "{said}");
    server.wait_for_log("the parameter 'maxclients' exists already");
    assert_eq!(client.ask(&["CONFIG", "GET", "alias*"]).items().len(), 0);
}

#[test]
fn a_module_that_knows_no_second_names_is_loaded_and_replaced_by_one_that_does() {
    let server = alias(&["-DOLD"], &["--alias.limit", "6"]);
    let mut client = server.connect();
    let mut shown = client.ask(&["CONFIG", "GET", "alias*"]).texts();
    shown.sort();
    assert_eq!(shown, ["5", "6", "alias-bare", "alias.limit"]);
    let new = cc::module(server.folder(), "tests/abi/alias.c", &[]);
    assert_wire(&mut client, &["MODULE", "REPLACE", "alias", &new], b"+OK\r\n");
    assert_eq!(client.ask(&["CONFIG", "GET", "alias.maximum"]).texts(), ["alias.maximum", "6"]);
}

#[test]
fn a_module_asks_what_users_may_do_and_lets_clients_in() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/users.c", &[]);
    let server = Server::within(folder, &["--loadmodule", &path]);
    let (mut client, mut other) = (server.connect(), server.connect());
    let rules = ["ACL", "SETUSER", "guest", "on", "%R~a*", "&news", "+get", "+set", "+sort", "+publish", "+client|id"];
    assert_wire(&mut client, &rules, b"+OK\r\n");
    assert_eq!(client.text(&["USERS.CHANGES"]), "guest;");
    // Denied: the command, the key at its position, the channel, any key.
    for (flags, line, expected) in [
        ("0", "GET a", "+OK\r\n"),
        ("0", "DEL a", ":100\r\n"),
        ("0", "SET a v", ":301\r\n"),
        ("0", "GET b", ":301\r\n"),
        ("0", "PUBLISH news x", "+OK\r\n"),
        ("0", "PUBLISH others x", ":401\r\n"),
        ("4", "SORT a", ":300\r\n"),
        ("0", "CLIENT ID", "+OK\r\n"),
        ("0", "CLIENT INFO", ":100\r\n"),
    ] {
        let words: Vec<&str> = ["USERS.MAY", "guest", flags].into_iter().chain(line.split(' ')).collect();
        assert_wire(&mut client, &words, expected);
    }
    assert_wire(&mut client, &["USERS.MAY", "", "4", "SORT", "a"], b"+OK\r\n");
    // KEY_ACCESS and KEY_UPDATE; CHANNEL_PATTERN.
    for (question, expected) in [
        (["USERS.KEY", "guest", "a", "16"], 1),
        (["USERS.KEY", "guest", "a", "32"], 0),
        (["USERS.KEY", "guest", "b", "16"], 0),
        (["USERS.CHANNEL", "guest", "news", "2"], 1),
        (["USERS.CHANNEL", "guest", "news", "10"], 1),
        (["USERS.CHANNEL", "guest", "n*", "10"], 0),
    ] {
        assert_eq!(client.ask(&question).integer(), expected, "{question:?}");
    }
    let id = other.ask(&["CLIENT", "ID"]).integer().to_string();
    assert_eq!(client.text(&["USERS.OF", &id]), "default");
    assert_eq!(other.text(&["AUTH", "guest", "shut"]).split(' ').next(), Some("WRONGPASS"));
    assert_wire(&mut other, &["AUTH", "banned", "x"], b"-DENIED not you\r\n");
    assert_eq!(other.text(&["AUTH", "mute", "x"]).split(' ').next(), Some("WRONGPASS"));
    assert_eq!(client.text(&["USERS.OF", &id]), "default");
    assert_wire(&mut other, &["AUTH", "guest", "open"], b"+OK\r\n");
    assert_eq!(client.text(&["USERS.OF", &id]), "guest");
    assert_wire(&mut other, &["GET", "b"], b"-NOPERM No permissions to access a key\r\n");
    assert_wire(&mut client, &["USERS.BE", &id, "default"], b"+OK\r\n");
    assert_wire(&mut other, &["GET", "b"], b"$-1\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "users"], b"+OK\r\n");
    assert_eq!(other.text(&["AUTH", "guest", "open"]).split(' ').next(), Some("WRONGPASS"));
}
