//! CLIENT: names, lists, kills, pauses, replies.

use plinth_testkit::{Server, assert_wire, wait_until};
use std::time::{Duration, Instant};

#[test]
fn a_client_has_an_id_and_a_name() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let (id, other_id) = (client.ask(&["CLIENT", "ID"]).integer(), other.ask(&["CLIENT", "ID"]).integer());
    assert!(other_id > id);
    assert_wire(&mut client, &["CLIENT", "GETNAME"], b"$-1\r\n");
    assert_wire(&mut client, &["CLIENT", "SETNAME", "me"], b"+OK\r\n");
    assert_wire(&mut client, &["CLIENT", "GETNAME"], b"$2\r\nme\r\n");
    let said = client.text(&["CLIENT", "SETNAME", "two words"]);
    assert_eq!(said, "ERR Client names cannot contain spaces, newlines or special characters.");
    let info = client.text(&["CLIENT", "INFO"]);
    assert!(info.starts_with(&format!("id={id} addr=127.0.0.1:")), "{info}");
    for part in [" name=me ", " db=0 ", " cmd=client|info ", " user=default ", " resp=2"] {
        assert!(info.contains(part), "no '{part}' in {info}");
    }
    let list = client.text(&["CLIENT", "LIST", "ID", &other_id.to_string()]);
    assert!(list.lines().count() == 1 && list.starts_with(&format!("id={other_id} ")), "{list}");
}

#[test]
fn a_killed_client_is_closed() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let id = other.ask(&["CLIENT", "ID"]).integer().to_string();
    assert_wire(&mut client, &["CLIENT", "KILL", "ID", &id], b":1\r\n");
    other.assert_closed();
    assert_wire(&mut client, &["CLIENT", "KILL", "ID", &id], b":0\r\n");
    assert_wire(&mut client, &["CLIENT", "KILL", "127.0.0.1:1"], b"-ERR No such client\r\n");
    // Itself, after the reply, and only when it is not left out.
    assert_wire(&mut client, &["CLIENT", "KILL", "TYPE", "normal"], b":0\r\n");
    assert_wire(&mut client, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"], b":1\r\n");
    client.assert_closed();
}

#[test]
fn replies_are_turned_off_skipped_and_on() {
    let server = Server::start();
    let mut client = server.connect();
    client.raw("CLIENT REPLY OFF\r\nPING off\r\nSET k v\r\nCLIENT REPLY ON\r\nPING on\r\n");
    assert_eq!(client.read(), b"+OK\r\n");
    assert_eq!(client.read(), b"$2\r\non\r\n");
    client.raw("CLIENT REPLY SKIP\r\nPING skipped\r\nPING next\r\n");
    assert_eq!(client.read(), b"$4\r\nnext\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    assert_wire(&mut client, &["CLIENT", "REPLY", "MAYBE"], b"-ERR syntax error\r\n");
}

#[test]
fn a_pause_of_writes_lets_reads_through() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    assert_wire(&mut client, &["CLIENT", "PAUSE", "100000", "WRITE"], b"+OK\r\n");
    assert_wire(&mut other, &["GET", "k"], b"$-1\r\n");
    other.send(&["SET", "k", "v"]);
    other.assert_unanswered(&mut client);
    assert_wire(&mut client, &["CLIENT", "UNPAUSE"], b"+OK\r\n");
    assert_eq!(other.read(), b"+OK\r\n");
}

#[test]
fn a_pause_of_all_ends_by_itself() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let begun = Instant::now();
    assert_wire(&mut client, &["CLIENT", "PAUSE", "200"], b"+OK\r\n");
    assert_wire(&mut other, &["PING"], b"+PONG\r\n");
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(190) && waited < Duration::from_secs(5), "{waited:?}");
}

#[test]
fn keys_do_not_expire_while_writes_pause() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["SET", "k", "v", "PX", "30"]);
    assert_wire(&mut client, &["CLIENT", "PAUSE", "100000", "WRITE"], b"+OK\r\n");
    std::thread::sleep(Duration::from_millis(60));
    // It reads as gone, and stays where it is.
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    assert_wire(&mut client, &["DBSIZE"], b":1\r\n");
    client.command(&["CLIENT", "UNPAUSE"]);
    wait_until("it goes", || client.ask(&["DBSIZE"]).integer() == 0);
}

#[test]
fn no_touch_leaves_the_access_clock_alone() {
    let server = Server::start();
    let mut client = server.connect();
    client.command(&["SET", "k", "v"]);
    assert_wire(&mut client, &["CLIENT", "NO-EVICT", "on"], b"+OK\r\n");
    assert_wire(&mut client, &["CLIENT", "NO-EVICT", "off"], b"+OK\r\n");
    assert_wire(&mut client, &["OBJECT", "IDLETIME", "k"], b":0\r\n");
}

#[test]
fn plinth_client_setinfo_shows_the_library() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CLIENT", "SETINFO", "LIB-NAME", "testkit"], b"+OK\r\n");
    assert_wire(&mut client, &["CLIENT", "SETINFO", "LIB-VER", "1.0"], b"+OK\r\n");
    let info = client.text(&["CLIENT", "INFO"]);
    assert!(info.contains(" lib-name=testkit lib-ver=1.0"), "{info}");
    assert_wire(&mut client, &["CLIENT", "NO-TOUCH", "ON"], b"+OK\r\n");
    assert_wire(&mut client, &["CLIENT", "NO-TOUCH", "OFF"], b"+OK\r\n");
}

/// DEBUG ERROR is an answer that was asked for, and a subcommand that is not there has no statistics.
#[test]
fn statistics_know_what_failed() {
    let server = Server::start();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "RESETSTAT"], b"+OK\r\n");
    assert_wire(&mut client, &["DEBUG", "ERROR", "ABC"], b"-ABC\r\n");
    assert_wire(&mut client, &["CLIENT", "nosub"], b"-ERR unknown subcommand 'nosub'. Try CLIENT HELP.\r\n");
    let errors = client.text(&["INFO", "errorstats"]);
    assert!(errors.contains("errorstat_ERR:count=1") && !errors.contains("errorstat_ABC"), "{errors}");
    let commands = client.text(&["INFO", "commandstats"]);
    assert!(!commands.contains("cmdstat_client"), "{commands}");
    assert!(commands.lines().any(|line| line.starts_with("cmdstat_debug:") && line.ends_with("failed_calls=0")));
}

#[test]
fn resetstat_forgets_what_was_freed_in_the_background() {
    let server = Server::start();
    let mut client = server.connect();
    let members: Vec<String> = (0..1000).map(|number| format!("member{number}")).collect();
    let add: Vec<&str> = ["SADD", "k"].into_iter().chain(members.iter().map(String::as_str)).collect();
    client.command(&add);
    client.command(&["UNLINK", "k"]);
    wait_until("it is freed", || client.info("memory", "lazyfreed_objects").is_some_and(|count| count != "0"));
    assert_wire(&mut client, &["CONFIG", "RESETSTAT"], b"+OK\r\n");
    assert_eq!(client.info("memory", "lazyfreed_objects").as_deref(), Some("0"));
}

/// Clients hold commands back by it.
#[test]
fn hello_and_info_name_the_newest_redis_whose_commands_are_there() {
    let server = Server::start();
    let mut client = server.connect();
    let version = client.info("server", "redis_version").expect("a version");
    assert!(version.starts_with("7.4."), "{version}");
    let hello = String::from_utf8_lossy(&client.command(&["HELLO"])).into_owned();
    assert!(hello.contains(&format!("$7\r\nversion\r\n$5\r\n{version}\r\n")), "{hello}");
}

#[test]
fn a_command_that_was_refused_is_the_last_one_of_its_client() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let id = client.ask(&["CLIENT", "ID"]).integer().to_string();
    let mut last = |words: &[&str]| {
        client.text(words);
        let line = other.text(&["CLIENT", "LIST", "ID", &id]);
        line.split(" cmd=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned()
    };
    for (words, name) in [
        (&["NOSUCH"][..], "NULL"),
        (&["GET"], "get"),
        (&["CONFIG", "NOSUB"], "NULL"),
        (&["CONFIG", "GET"], "config|get"),
        (&["CONFIG"], "config"),
        (&["SET", "k", "v"], "set"),
        (&["ACL", "SETUSER", "bob", "on", "nopass", "+ping", "+auth"], "acl|setuser"),
        (&["AUTH", "bob", "x"], "auth"),
        (&["GET", "k"], "get"),
    ] {
        assert_eq!(last(words), name, "{words:?}");
    }
    let log = other.ask(&["ACL", "LOG"]);
    let info = log.items()[0].field("client-info").map(|text| text.text()).unwrap_or_default();
    assert!(info.contains(" cmd=get user=bob "), "{info}");
}

#[test]
fn connections_are_listed_and_closed_by_options_of_which_all_fit() {
    let server = Server::start();
    let (mut client, mut one, mut two) = (server.connect(), server.connect(), server.connect());
    let ids = [&mut client, &mut one, &mut two].map(|client| client.ask(&["CLIENT", "ID"]).integer().to_string());
    one.command(&["CLIENT", "SETNAME", "one"]);
    two.command(&["SELECT", "3"]);
    two.command(&["SUBSCRIBE", "c"]);
    let mut listed = |options: &[&str]| -> Vec<String> {
        let text = client.text(&[&["CLIENT", "LIST"], options].concat());
        let id = |line: &str| line.split(' ').next().unwrap_or_default().trim_start_matches("id=").to_owned();
        if text.starts_with("ERR") { vec![text] } else { text.lines().map(id).collect() }
    };
    for (options, which) in [
        (&["ID", &ids[1], &ids[0], "999"][..], &[1, 0][..]),
        (&["ID", &ids[1], &ids[2], "TYPE", "normal"], &[1]),
        (&["TYPE", "pubsub"], &[2]),
        (&["NOT-TYPE", "pubsub", "SKIPME", "yes"], &[1]),
        (&["NAME", "one"], &[1]),
        (&["NOT-ID", &ids[0]], &[1, 2]),
        (&["DB", "3"], &[2]),
        (&["FLAGS", "P"], &[2]),
        (&["IP", "127.0.0.1", "NOT-NAME", "one", "USER", "default"], &[0, 2]),
        (&["MAXAGE", "1000"], &[]),
        (&["LIB-NAME", "none"], &[]),
    ] {
        let which: Vec<&String> = which.iter().map(|at| &ids[*at]).collect();
        assert_eq!(listed(options).iter().collect::<Vec<_>>(), which, "{options:?}");
    }
    for (options, error) in [
        (&["ID", "x"][..], "ERR Invalid client ID"),
        (&["TYPE", "bad"], "ERR Unknown client type 'bad'"),
        (&["FLAGS", "NZ"], "ERR Unknown flags found in the provided filter: NZ"),
        (&["DB", "99"], "ERR DB number should be between 0 and 15"),
        (&["IDLE", "0"], "ERR idle should be greater than 0"),
        (&["NOT-IDLE", "1"], "ERR syntax error"),
        (&["NAME"], "ERR syntax error"),
    ] {
        assert_eq!(listed(options), [error], "{options:?}");
    }
    assert_wire(&mut client, &["CLIENT", "KILL", "NOT-ID", &ids[1], "SKIPME", "yes"], b":1\r\n");
    two.assert_closed();
    assert_wire(&mut client, &["CLIENT", "KILL", "ID", &ids[1], "999", "NAME", "one"], b":1\r\n");
    one.assert_closed();
    let said = client.text(&["CLIENT", "KILL", "ID", "0"]);
    assert_eq!(said, "ERR client-id should be greater than 0");
}
