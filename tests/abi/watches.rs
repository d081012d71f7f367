//! What a module watches, and what it makes of the server: `watches.c` and `kind.c`.

use plinth_testkit::{Client, Server, TempDir, assert_wire, cc, wait_until};
use std::io::{Read, Write};
use std::net::TcpStream;

fn server(args: &[&str]) -> Server {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/watches.c", &[]);
    Server::within(folder, &[&["--loadmodule", &path], args].concat())
}

fn wait_seen(client: &mut Client, expected: &str) {
    wait_until(expected, || client.text(&["WATCHES.SEEN"]).ends_with(expected));
}

fn connect(client: &mut Client) -> TcpStream {
    let port = client.ask(&["WATCHES.LISTEN"]).integer() as u16;
    TcpStream::connect(("127.0.0.1", port)).expect("made for a test")
}

fn answer(stream: &mut TcpStream, bytes: usize) -> String {
    let mut text = vec![0; bytes];
    stream.read_exact(&mut text).expect("made for a test");
    String::from_utf8(text).expect("made for a test")
}

fn assert_ended(mut stream: TcpStream) {
    assert_eq!(stream.read(&mut [0; 9]).unwrap_or(0), 0);
}

#[test]
fn a_descriptor_is_told_of_while_it_is_ready_and_removed_within_its_function() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["WATCHES.PIPE"], b"+OK\r\n");
    wait_seen(&mut client, "byte 97, byte 98, removed 0, again 2");
}

#[test]
fn a_socket_is_listened_on_connected_to_and_closed_within_its_function() {
    let server = server(&[]);
    let mut client = server.connect();
    let mut other = connect(&mut client);
    other.write_all(b"hel").unwrap();
    other.write_all(b"lo\nworld\n").unwrap();
    assert_eq!(answer(&mut other, 6), "hello\n");
    other.write_all(b"x\n").unwrap();
    assert_eq!(answer(&mut other, 6), "world\n");
    drop(other);
    wait_seen(&mut client, "closed 0, dead 2");
    let mut other = connect(&mut client);
    other.write_all(b"bye\n").unwrap();
    assert_ended(other);
    wait_seen(&mut client, "close 0, close 2, write 2");
    let port = client.ask(&["WATCHES.LISTEN"]).integer().to_string();
    assert_wire(&mut client, &["WATCHES.CONNECT", "127.0.0.1", &port, "hello"], b"+OK\r\n");
    wait_seen(&mut client, "heard 6, closed 0, dead 2");
    assert_wire(&mut client, &["WATCHES.NEVER"], b"+OK\r\n");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    assert_wire(&mut client, &["WATCHES.CONNECT", "127.0.0.1", &port, "hello"], b"+OK\r\n");
    wait_seen(&mut client, "closed 1000, dead 2");
}

#[test]
fn who_sends_more_than_may_wait_is_cut_off() {
    let server = server(&[]);
    let mut client = server.connect();
    let mut other = connect(&mut client);
    other.write_all(&[b'x'; 63]).unwrap();
    other.write_all(b"\n").unwrap();
    assert_eq!(answer(&mut other, 64).len(), 64);
    other.write_all(&[b'x'; 64]).unwrap();
    assert_ended(other);
    wait_seen(&mut client, "closed -1, dead 2");
}

#[test]
fn a_module_is_not_unloaded_within_its_function_and_its_sockets_go_with_it() {
    let server = server(&[]);
    let mut client = server.connect();
    let mut other = connect(&mut client);
    other.write_all(b"unload\n").unwrap();
    assert_eq!(answer(&mut other, 7), "unload\n");
    wait_seen(&mut client, "refused 1");
    assert_wire(&mut client, &["WATCHES.RUN", "0", "/bin/sleep", "100"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "UNLOAD", "watches"], b"+OK\r\n");
    assert_ended(other);
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn a_program_is_run_and_its_end_told() {
    let server = server(&[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["WATCHES.RUN", "0", "/bin/sh", "-c", "exit 3"], b"+OK\r\n");
    wait_seen(&mut client, "ended 3, signal 2");
    assert_wire(&mut client, &["WATCHES.RUN", "9", "/bin/sleep", "100"], b"+OK\r\n");
    wait_seen(&mut client, "ended -9, signal 2");
    assert!(client.text(&["WATCHES.RUN", "0", "/no/such/program"]).starts_with("ERR"));
}

#[test]
fn lines_of_several_words_are_read_and_written_back_where_they_stood() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/watches.c", &[]);
    let file = folder.path().join("server.conf");
    std::fs::write(&file, "watched one \"two words\"\n# a note\nwatched old\n").unwrap();
    let server = Server::within(folder, &[file.to_str().unwrap(), "--loadmodule", &path, "--watched", "last"]);
    let mut client = server.connect();
    assert_eq!(client.text(&["WATCHES.LINES"]), "one+two words;old;last;");
    assert_wire(&mut client, &["WATCHES.REWRITE"], b"+OK\r\n");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("watched one \"two words\"\n# a note\n\n# Generated"), "{text}");
    assert!(text.contains("\nwatched new\n") && !text.contains("???"), "{text}");
}

#[test]
fn a_module_makes_the_server_something_else_until_it_goes() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "tests/abi/kind.c", &[]);
    let server = Server::within::<&str>(folder, &[]);
    let mut client = server.connect();
    assert_wire(&mut client, &["SET", "k", "v"], b"+OK\r\n");
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    assert!(client.text(&["GET", "k"]).starts_with("ERR unknown command"));
    assert!(client.text(&["KIND.ROLE"]).starts_with("ERR unknown command"));
    assert_wire(&mut client, &["ECHO", "x"], b"+kettle\r\n");
    assert_eq!(client.ask(&["COMMAND", "COUNT"]).integer(), 7);
    let info = client.text(&["INFO"]);
    assert!(info.contains("redis_mode:kettle\r\n") && info.ends_with("# Kettle\r\nwater:hot\r\n"), "{info}");
    assert!(!info.contains("# Keyspace") && client.text(&["INFO", "keyspace"]).is_empty());
    assert!(client.text(&["INFO", "kettle"]).starts_with("# Kettle"));
    let hello = client.command(&["HELLO", "2"]);
    assert!(hello.windows(6).any(|part| part == b"kettle") && !hello.windows(4).any(|part| part == b"role"));
    assert_wire(&mut client, &["MODULE", "UNLOAD", "kind"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$1\r\nv\r\n");
    assert_wire(&mut client, &["ECHO", "x"], b"$1\r\nx\r\n");
    assert!(client.text(&["INFO"]).contains("redis_mode:standalone"));
}
