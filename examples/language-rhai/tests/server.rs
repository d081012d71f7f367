//! Functions in Rhai on the real server.

#![allow(missing_docs)]

use plinth_testkit::{Client, Server, assert_wire, build, wait_until};

const SHOP: &str = r#"#!rhai name=shop
const no_writes = ["look", "fields"];

fn sell(keys, args) {
    if run("EXISTS", keys[0]) == 0 { throw "nothing in stock"; }
    run("DECRBY", keys[0], args[0])
}

fn look(keys, args) { run("GET", keys[0]) }

fn fields(keys, args) { run("HGETALL", keys[0]) }

fn kinds(keys, args) { [(), true, 7, 1.5, "text", #{a: 1}, keys, args, twice(2)] }

fn tries(keys, args) {
    try { run("LPUSH", keys[0], "x"); } catch (e) { return "caught " + e; }
}

fn wrong(keys, args) { run("LPUSH", keys[0], "x") }

fn forever(keys, args) { loop {} }

fn deep(keys, args) { deep(keys, args) }

fn grows(keys, args) { let text = "x"; loop { text += text; } }

fn many(keys, args) {
    let words = ["RPUSH", keys[0]];
    for n in 0..20 { words.push(n); }
    run(words)
}

private fn twice(n) { n * 2 }
"#;

fn server() -> Server {
    Server::with(&["--loadmodule", &build::library("language-rhai")])
}

fn load(client: &mut Client) {
    assert_wire(client, &["FUNCTION", "LOAD", SHOP], b"$4\r\nshop\r\n");
}

#[test]
fn functions_run_commands_and_answer_in_both_protocols() {
    let server = server();
    let mut client = server.connect();
    load(&mut client);
    assert_wire(&mut client, &["SET", "k", "9"], b"+OK\r\n");
    assert_wire(&mut client, &["FCALL", "sell", "1", "k", "5"], b":4\r\n");
    assert_wire(&mut client, &["FCALL_RO", "look", "1", "k"], b"$1\r\n4\r\n");
    assert_wire(&mut client, &["FCALL", "look", "1", "none"], b"$-1\r\n");
    assert_wire(&mut client, &["FCALL", "many", "1", "list"], b":20\r\n");
    client.command(&["HSET", "h", "f", "v"]);
    assert_wire(&mut client, &["FCALL_RO", "fields", "1", "h"], b"*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["FCALL_RO", "fields", "1", "h"], b"%1\r\n$1\r\nf\r\n$1\r\nv\r\n");
    let kinds = b"*9\r\n_\r\n#t\r\n:7\r\n,1.5\r\n$4\r\ntext\r\n%1\r\n$1\r\na\r\n:1\r\n*1\r\n$1\r\nk\r\n*1\r\n$2\r\n\xff\xfe\r\n:4\r\n";
    let words: [&[u8]; 5] = [b"FCALL", b"kinds", b"1", b"k", b"\xff\xfe"];
    assert_wire(&mut client, &words, kinds);
}

#[test]
fn errors_say_where() {
    let server = server();
    let mut client = server.connect();
    load(&mut client);
    let empty = b"-ERR nothing in stock function: sell, line 5, position 38\r\n";
    assert_wire(&mut client, &["FCALL", "sell", "1", "k", "5"], empty);
    assert_wire(&mut client, &["SET", "k", "9"], b"+OK\r\n");
    let said = client.text(&["FCALL", "wrong", "1", "k"]);
    assert!(
        said.starts_with("WRONGTYPE Operation") && said.ends_with("function: wrong, line 19, position 24"),
        "{said}"
    );
    let said = client.text(&["FCALL", "tries", "1", "k"]);
    assert!(said.starts_with("caught WRONGTYPE"), "{said}");
    let said = client.text(&["FUNCTION", "LOAD", "#!rhai name=broken\n\nfn x(keys, args) { let }"]);
    assert!(said.starts_with("ERR Error compiling function: ") && said.contains("line 3, position "), "{said}");
    let said = client.text(&["FUNCTION", "LOAD", "#!rhai name=calls\nrun(\"SET\", \"k\", 1); fn x(keys, args) {}"]);
    assert!(said.contains("a library runs no commands while it is loaded"), "{said}");
    assert_wire(
        &mut client,
        &["FCALL_RO", "sell", "1", "k", "1"],
        b"-ERR Can not execute a script with write flag using *_ro command.\r\n",
    );
}

#[test]
fn what_does_not_end_is_ended() {
    let server = server();
    let mut client = server.connect();
    load(&mut client);
    for (function, text) in [("deep", "Stack overflow"), ("grows", "too large")] {
        let said = client.text(&["FCALL", function, "0"]);
        assert!(said.starts_with("ERR ") && said.to_lowercase().contains(&text.to_lowercase()), "{function}: {said}");
    }
    let said = client.text(&["FUNCTION", "LOAD", "#!rhai name=long\nloop {} fn x(keys, args) {}"]);
    assert!(said.starts_with("ERR Error registering functions: Script terminated"), "{said}");
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn what_goes_on_gives_way_and_is_ended_when_it_is_asked_for() {
    let module = build::library("language-rhai");
    let server = Server::with(&["--lua-time-limit", "20", "--loadmodule", &module]);
    let (mut caller, mut other) = (server.connect(), server.connect());
    load(&mut caller);
    caller.send(&["FCALL", "forever", "1", "k", "a"]);
    wait_until("it is busy", || other.command(&["GET", "k"]).starts_with(b"-BUSY "));
    let running = other.ask(&["FUNCTION", "STATS"]).items()[1].items()[..4].to_vec();
    assert_eq!(
        (running[1].text(), running[3].texts()),
        ("forever".into(), ["FCALL", "forever", "1", "k", "a"].map(String::from).to_vec())
    );
    assert_wire(&mut other, &["FUNCTION", "KILL"], b"+OK\r\n");
    let said = String::from_utf8_lossy(&caller.read()).into_owned();
    assert_eq!(said, "-ERR Script killed by FUNCTION KILL function: forever\r\n");
    assert_wire(&mut other, &["GET", "k"], b"$-1\r\n");
}

#[test]
fn libraries_are_saved_replayed_and_restored() {
    let module = build::library("language-rhai");
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always", "--loadmodule", &module]);
    let mut client = server.connect();
    load(&mut client);
    assert_wire(&mut client, &["SET", "k", "9"], b"+OK\r\n");
    let server = server.again("KILL", &["--appendonly", "yes", "--appendfsync", "always", "--loadmodule", &module]);
    let mut client = server.connect();
    assert_wire(&mut client, &["FCALL", "sell", "1", "k", "5"], b":4\r\n");
    assert_wire(&mut client, &["BGREWRITEAOF"], b"+Background append only file rewriting started\r\n");
    let dump = client.command(&["FUNCTION", "DUMP"]);
    let begin = dump.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    assert_wire(&mut client, &["FUNCTION", "FLUSH"], b"+OK\r\n");
    let restore: [&[u8]; 3] = [b"FUNCTION", b"RESTORE", &dump[begin..dump.len() - 2]];
    assert_wire(&mut client, &restore, b"+OK\r\n");
    assert_wire(&mut client, &["FCALL", "look", "1", "k"], b"$1\r\n4\r\n");
}

#[test]
fn the_language_stays_while_it_has_functions() {
    let server = server();
    let mut client = server.connect();
    load(&mut client);
    let path = build::library("language-rhai");
    for command in [&["MODULE", "UNLOAD", "language-rhai"][..], &["MODULE", "REPLACE", "language-rhai", &path]] {
        let said = client.text(command);
        assert!(said.starts_with("ERR ") && said.contains("plinth.language.rhai/1"), "{said}");
    }
    // Whoever keeps the libraries may be replaced, and they are compiled anew.
    let scripting = build::library("plinth-scripting");
    assert_wire(&mut client, &["MODULE", "REPLACE", "scripting", &scripting], b"+OK\r\n");
    client.command(&["SET", "k", "9"]);
    assert_wire(&mut client, &["FCALL", "sell", "1", "k", "5"], b":4\r\n");
    assert_wire(&mut client, &["FUNCTION", "DELETE", "shop"], b"+OK\r\n");
    // The one that was replaced may still have to let go of it.
    wait_until("nobody uses the language", || client.text(&["MODULE", "UNLOAD", "language-rhai"]) == "OK");
}
