//! Commands run for others, by `run_as` of `plinth.run/1`: `acts.c`.

use plinth_testkit::reply::{Reply, parse};
use plinth_testkit::{Client, Server, TempDir, assert_wire, cc};

const WRITE: i64 = 1;
const READONLY: i64 = 2;
/// Bits of a request.
const READ_ONLY: &str = "1";
const RESP3: &str = "2";

fn server() -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/acts.c", &[]);
    Server::within(folder, &["--loadmodule", &path])
}

/// Status, flags of the command, reply.
fn acted(client: &mut Client, user: &str, flags: &str, words: &[&str]) -> (i64, i64, String) {
    let said = client.ask(&[&["ACTS.AS", user, flags], words].concat());
    let Reply::Array(parts) = &said else { panic!("{said:?}") };
    (parts[0].integer(), parts[1].integer(), parts[2].text())
}

#[test]
fn a_command_runs_with_flags_and_says_what_it_was() {
    let server = server();
    let mut client = server.connect();
    let act = |client: &mut Client, flags: &str, words: &[&str]| acted(client, "", flags, words);
    assert_eq!(act(&mut client, "0", &["SET", "k", "v"]), (0, WRITE, "+OK\r\n".into()));
    assert_eq!(act(&mut client, "0", &["GET", "k"]), (0, READONLY, "$1\r\nv\r\n".into()));
    assert_eq!(act(&mut client, "0", &["NOSUCH"]), (2, 0, String::new()));
    assert_eq!(act(&mut client, "0", &["GET"]).0, 9);
    assert_eq!(act(&mut client, READ_ONLY, &["SET", "k", "w"]), (15, WRITE, String::new()));
    assert_eq!(act(&mut client, "0", &["EVAL", "return 1", "0"]).0, 15);
    assert_eq!(act(&mut client, "0", &["CONFIG", "NOSUCH"]).0, 2);
    let (status, flags, reply) = act(&mut client, "0", &["LPUSH", "k", "v"]);
    assert_eq!((status, flags), (0, WRITE));
    assert!(reply.starts_with("-WRONGTYPE"), "{reply}");
    assert_wire(&mut client, &["HSET", "h", "f", "v"], b":1\r\n");
    assert_eq!(act(&mut client, "0", &["HGETALL", "h"]).2, "*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
    assert_eq!(act(&mut client, RESP3, &["HGETALL", "h"]).2, "%1\r\n$1\r\nf\r\n$1\r\nv\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
}

#[test]
fn a_command_runs_as_another_user() {
    let server = server();
    let mut client = server.connect();
    client.command(&["ACL", "SETUSER", "few", "on", "nopass", "+get", "~a*"]);
    assert_eq!(acted(&mut client, "few", "0", &["GET", "a"]), (0, READONLY, "$-1\r\n".into()));
    for words in [&["GET", "b"][..], &["SET", "a", "1"]] {
        let (status, flags, reply) = acted(&mut client, "few", "0", words);
        assert_eq!((status, flags), (0, 0));
        assert!(reply.starts_with("-ERR ACL failure in script: "), "{reply}");
    }
    assert_eq!(acted(&mut client, "nobody", "0", &["GET", "a"]), (13, 0, String::new()));
    let log = client.ask(&["ACL", "LOG", "1"]);
    assert_eq!(log.items()[0].field("context").map(Reply::text).as_deref(), Some("lua"));
}

#[test]
fn a_select_goes_on_in_the_call_and_not_in_the_client() {
    let server = server();
    let mut client = server.connect();
    assert_eq!(acted(&mut client, "", "0", &["SELECT", "5"]).2, "+OK\r\n");
    assert_wire(&mut client, &["SET", "here", "1"], b"+OK\r\n");
    assert_wire(&mut client, &["SELECT", "0"], b"+OK\r\n");
    assert_wire(&mut client, &["EXISTS", "here"], b":1\r\n");
}

#[test]
fn memory_that_is_short_is_an_error_unless_allowed() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["CONFIG", "SET", "maxmemory", "1"], b"+OK\r\n");
    let (status, flags, reply) = acted(&mut client, "", "0", &["SET", "k", "v"]);
    assert_eq!((status, flags), (0, 0));
    assert!(reply.starts_with("-OOM"), "{reply}");
    assert_eq!(acted(&mut client, "", "32", &["SET", "k", "v"]).2, "+OK\r\n");
}

#[test]
fn what_is_changed_is_told_as_asked() {
    let server = server();
    let mut client = server.connect();
    let told = |client: &mut Client| -> Vec<String> {
        let said = client.ask(&["DEBUG", "PROPAGATION"]);
        let units = said.items()[3].items().last().map_or(&[][..], Reply::items);
        let command = |pair: &[Reply]| {
            let Reply::Bulk(text) = &pair[1] else { panic!("{pair:?}") };
            parse(text).expect("a whole command").0.items().iter().map(Reply::text).collect::<Vec<_>>().join(" ")
        };
        units.chunks(2).map(command).collect()
    };
    assert_wire(&mut client, &["DEBUG", "PROPAGATION", "ON"], b"+OK\r\n");
    assert_wire(&mut client, &["ACTS.PAIR", "8"], b"+OK\r\n");
    assert_eq!(told(&mut client), ["INCR a", "INCR b"]);
    assert_wire(&mut client, &["ACTS.PAIR", "0"], b"+OK\r\n");
    assert_eq!(told(&mut client), ["ACTS.PAIR 0"]);
    assert_wire(&mut client, &["ACTS.PAIR", "16"], b"+OK\r\n");
    assert_eq!(told(&mut client), ["ACTS.PAIR 0"], "of the last nobody is told");
    assert_wire(&mut client, &["GET", "b"], b"$1\r\n3\r\n");
}

#[test]
fn calls_nest_to_a_depth() {
    let server = server();
    let mut client = server.connect();
    assert_wire(&mut client, &["ACTS.NEST"], b":8\r\n");
}
