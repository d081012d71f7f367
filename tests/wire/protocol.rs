//! The protocol: RESP2, RESP3, HELLO, inline commands, pipelines, and what is not a request.

use plinth_testkit::{Client, Server, assert_wire, reply};

fn connected() -> (Server, Client) {
    let server = Server::start();
    let client = server.connect();
    (server, client)
}

/// The server answers bytes that are no request with an error, and closes the connection.
#[track_caller]
fn assert_protocol_error(server: &Server, bytes: &[u8], message: &str) {
    let mut client = server.connect();
    client.raw(bytes);
    let said = client.read_to_end();
    assert_eq!(String::from_utf8_lossy(&said), format!("-ERR Protocol error: {message}\r\n"));
    assert!(!server.connect().command(&["PING"]).is_empty(), "the server serves on");
}

#[test]
fn ping_and_echo_reply() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
    assert_wire(&mut client, &["pInG", "hello"], b"$5\r\nhello\r\n");
    assert_wire(&mut client, &[&b"ECHO"[..], b"\x00\xff\r\n"], b"$4\r\n\x00\xff\r\n\r\n");
    assert_wire(&mut client, &["ECHO", ""], b"$0\r\n\r\n");
    assert_wire(&mut client, &["PING", "a", "b"], b"-ERR wrong number of arguments for 'ping' command\r\n");
    assert_wire(&mut client, &["ECHO"], b"-ERR wrong number of arguments for 'echo' command\r\n");
}

#[test]
fn an_unknown_command_is_an_error_with_what_was_sent() {
    let (_server, mut client) = connected();
    assert_wire(
        &mut client,
        &["NOPE", "one", "two"],
        b"-ERR unknown command 'NOPE', with args beginning with: 'one' 'two' \r\n",
    );
    assert_wire(&mut client, &["NO\r\nPE"], b"-ERR unknown command 'NO  PE', with args beginning with: \r\n");
    let said = client.text(&["CONFIG", "NOPE"]);
    assert_eq!(said, "ERR unknown subcommand 'NOPE'. Try CONFIG HELP.");
}

#[test]
fn inline_commands_are_split_into_words() {
    let (_server, mut client) = connected();
    for (line, expected) in [
        ("PING\r\n", "+PONG\r\n"),
        ("PING\n", "+PONG\r\n"),
        ("  ECHO   spaced  \r\n", "$6\r\nspaced\r\n"),
        ("ECHO \"two words\"\r\n", "$9\r\ntwo words\r\n"),
        ("ECHO \"\\x41\\n\\\"\"\r\n", "$3\r\nA\n\"\r\n"),
        ("ECHO 'it\\'s'\r\n", "$4\r\nit's\r\n"),
    ] {
        client.raw(line);
        assert_eq!(String::from_utf8_lossy(&client.read()), expected, "{line:?}");
    }
    // Empty lines say nothing.
    client.raw("\r\n\r\n\nPING\r\n");
    assert_eq!(client.read(), b"+PONG\r\n");
}

#[test]
fn empty_requests_are_passed_over() {
    let (_server, mut client) = connected();
    client.raw("*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n");
    assert_eq!(client.read(), b"+PONG\r\n");
}

#[test]
fn an_empty_request_between_commands_shifts_nothing_wherever_the_bytes_were_cut() {
    let (_server, mut client) = connected();
    for between in ["\n", "\r\n\n", "*0\r\n"] {
        let set = reply::request(&["SET", "k", "some bytes"]);
        let behind = [between.as_bytes(), &set, between.as_bytes(), &reply::request(&["GET", "k"])].concat();
        for cut in 0..behind.len() {
            // The first part comes with a command that is answered, so that it has been read when the answer is.
            client.raw([&reply::request(&["PING"]), &behind[..cut]].concat());
            assert_eq!(client.read(), b"+PONG\r\n");
            client.raw(&behind[cut..]);
            assert_eq!(client.read(), b"+OK\r\n", "{between:?} cut at {cut}");
            assert_eq!(client.read(), b"$10\r\nsome bytes\r\n", "{between:?} cut at {cut}");
        }
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let (_server, mut client) = connected();
    for byte in reply::request(&["ECHO", "slowly"]) {
        client.raw([byte]);
        std::thread::sleep(std::time::Duration::from_micros(300));
    }
    assert_eq!(client.read(), b"$6\r\nslowly\r\n");
}

#[test]
fn what_is_no_request_is_an_error_and_the_end() {
    let server = Server::start();
    assert_protocol_error(&server, b"*x\r\n", "invalid multibulk length");
    assert_protocol_error(&server, b"*2000000000000\r\n", "invalid multibulk length");
    assert_protocol_error(&server, b"*1\r\n+PING\r\n", "expected '$', got '+'");
    assert_protocol_error(&server, b"*1\r\n$-1\r\n", "invalid bulk length");
    assert_protocol_error(&server, b"*1\r\n$nine\r\n", "invalid bulk length");
    assert_protocol_error(&server, b"*1\r\n$2000000000000\r\n", "invalid bulk length");
    assert_protocol_error(&server, b"ECHO \"open\r\n", "unbalanced quotes in request");
    assert_protocol_error(&server, &[b'x'; 70_000], "too big inline request");
    let mut long = vec![b'*'];
    long.resize(70_000, b'1');
    assert_protocol_error(&server, &long, "too big mbulk count string");
}

#[test]
fn commands_before_a_protocol_error_are_answered() {
    let (_server, mut client) = connected();
    client.raw("PING\r\nPING\r\n*1\r\n!\r\nPING\r\n");
    let said = client.read_to_end();
    assert_eq!(String::from_utf8_lossy(&said), "+PONG\r\n+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
}

#[test]
fn hello_switches_the_protocol() {
    let (_server, mut client) = connected();
    let hello = client.ask(&["HELLO"]);
    assert_eq!(hello.field("proto").map(reply::Reply::integer), Some(2));
    assert_wire(&mut client, &["GET", "absent"], b"$-1\r\n");
    client.send(&["HELLO", "3"]);
    let bytes = client.read();
    assert_eq!(bytes[..4], *b"%7\r\n");
    let (hello, _) = reply::parse(&bytes).unwrap();
    for field in ["server", "version", "proto", "id", "mode", "role", "modules"] {
        assert!(hello.field(field).is_some(), "no {field} in {hello:?}");
    }
    assert_eq!(hello.field("proto").map(reply::Reply::integer), Some(3));
    assert_wire(&mut client, &["GET", "absent"], b"_\r\n");
    client.command(&["HELLO", "2"]);
    assert_wire(&mut client, &["GET", "absent"], b"$-1\r\n");
    assert_wire(&mut client, &["HELLO", "4"], b"-NOPROTO unsupported protocol version\r\n");
    let said = client.text(&["HELLO", "two"]);
    assert!(said.starts_with("ERR Protocol version is not an integer"), "{said}");
    client.command(&["HELLO", "3", "SETNAME", "tester"]);
    assert_wire(&mut client, &["CLIENT", "GETNAME"], b"$6\r\ntester\r\n");
    assert_wire(&mut client, &["RESET"], b"+RESET\r\n");
    assert_wire(&mut client, &["CLIENT", "GETNAME"], b"$-1\r\n");
}

#[test]
fn a_password_is_asked_for() {
    let server = Server::with(&["--requirepass", "secret"]);
    let mut client = server.connect();
    assert_wire(&mut client, &["AUTH", "wrong"], b"-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    assert_wire(&mut client, &["GET", "k"], b"-NOAUTH Authentication required.\r\n");
    let said = client.text(&["HELLO", "3"]);
    assert!(said.starts_with("NOAUTH HELLO must be called with the client already authenticated"), "{said}");
    assert_wire(&mut client, &["AUTH", "secret"], b"+OK\r\n");
    assert_wire(&mut client, &["GET", "k"], b"$-1\r\n");
    let mut other = server.connect();
    let hello = other.ask(&["HELLO", "3", "AUTH", "default", "secret"]);
    assert_eq!(hello.field("proto").map(reply::Reply::integer), Some(3));
}

#[test]
fn before_authentication_requests_are_small() {
    let server = Server::with(&["--requirepass", "secret"]);
    assert_protocol_error(&server, b"*11\r\n", "unauthenticated multibulk length");
    assert_protocol_error(&server, b"*1\r\n$16385\r\n", "unauthenticated bulk length");
}

#[test]
fn a_pipeline_of_100_000_commands_is_answered_in_order() {
    const COUNT: usize = 100_000;
    let (_server, mut client) = connected();
    let mut requests = Vec::new();
    let mut expected = Vec::new();
    for at in 0..COUNT {
        let text = at.to_string();
        requests.extend(reply::request(&["ECHO", &text]));
        expected.extend(format!("${}\r\n{text}\r\n", text.len()).into_bytes());
    }
    // Written by another thread: neither side may have to wait for the other to read.
    std::thread::scope(|scope| {
        let server_port = _server.port();
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", server_port)).unwrap();
        let mut reader = Client::new(stream.try_clone().unwrap());
        let writer = scope.spawn(move || std::io::Write::write_all(&mut stream, &requests));
        let replies = reader.read_bytes(expected.len());
        assert!(replies == expected, "the replies differ");
        writer.join().unwrap().unwrap();
    });
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn a_pipeline_that_is_sent_whole_before_a_reply_is_read_is_answered() {
    const COUNT: usize = 100_000;
    let (_server, mut client) = connected();
    client.raw("PING\r\n".repeat(COUNT));
    let replies = client.read_bytes(7 * COUNT);
    assert!(replies == b"+PONG\r\n".repeat(COUNT), "the replies differ");
}

#[test]
fn quit_replies_and_closes() {
    let (_server, mut client) = connected();
    client.raw("PING\r\nQUIT\r\nPING\r\n");
    assert_eq!(String::from_utf8_lossy(&client.read_to_end()), "+PONG\r\n+OK\r\n");
}

#[test]
fn a_client_that_stops_sending_gets_its_replies() {
    let (_server, mut client) = connected();
    client.raw("PING\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$10\r\nhalf");
    client.end_sending();
    assert_eq!(String::from_utf8_lossy(&client.read_to_end()), "+PONG\r\n+PONG\r\n");
}

/// As in C, where a NUL ends a text, and every other byte is a byte.
#[test]
fn errors_show_what_was_sent_byte_by_byte_up_to_a_nul() {
    let server = Server::start();
    let mut client = server.connect();
    let cases: &[(&[&[u8]], &[u8])] = &[
        (&[b"\xff\0a", b"b\xff\0c"], b"-ERR unknown command '\xff', with args beginning with: 'b\xff' \r\n"),
        (&[b"CLIENT", b"b\xff\0d"], b"-ERR unknown subcommand 'b\xff'. Try CLIENT HELP.\r\n"),
        (&[b"HELLO", b"3", b"fo\0o"], b"-ERR Syntax error in HELLO option 'fo'\r\n"),
        (
            &[b"CONFIG", b"SET", b"a\xff\0b", b"c"],
            b"-ERR Unknown option or number of arguments for CONFIG SET - 'a\xff'\r\n",
        ),
        (&[b"CLIENT", b"KILL", b"TYPE", b"x\xff\0y"], b"-ERR Unknown client type 'x\xff'\r\n"),
        (
            &[b"DEBUG", b"x\xff\0b"],
            b"-ERR unknown subcommand or wrong number of arguments for 'x\xff'. Try DEBUG HELP.\r\n",
        ),
    ];
    for (command, expected) in cases {
        assert_wire(&mut client, command, expected);
    }
}
