//! A primary that goes mad: a replica of Plinth's takes a snapshot and then a stream of damaged commands from it, again and
//! again, and has to go on serving, with no more memory than the stream can have given.

use plinth_fuzz::Random;
use plinth_testkit::reply::request;
use plinth_testkit::{Client, Server, wait_until};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

/// Bytes that requests and their words give a meaning.
const TELLING: &[u8] = b"\r\n*$0123456789- \x00\xff";
/// Memory that a replica may take besides what it was sent.
const ROOM_BYTES: u64 = 64 << 20;
/// An empty snapshot: its head, its end, no checksum.
const SNAPSHOT: &[u8] = b"REDIS0011\xff\0\0\0\0\0\0\0\0";

/// Commands as a primary sends them, whole.
fn stream(random: &mut Random) -> Vec<u8> {
    let key = ["a", "b", "c"][random.below(3)];
    let number = random.number().to_string();
    let lines: [&[&str]; 24] = [
        &["SELECT", "0"],
        &["SELECT", "7"],
        &["SELECT", &number],
        &["PING"],
        &["REPLCONF", "GETACK", "*"],
        &["SET", key, &number, "PXAT", "99999999999999"],
        &["SET", key, &number, "PXAT", "1"],
        &["DEL", key],
        &["UNLINK", key],
        &["INCRBY", key, &number],
        &["RPUSH", key, "x", &number],
        &["HSET", key, "f", &number],
        &["SADD", key, &number],
        &["ZADD", key, &number, "m"],
        &["XADD", key, "5-1", "f", &number],
        &["PEXPIREAT", key, &number],
        &["RENAME", key, "c"],
        &["MULTI"],
        &["EXEC"],
        &["FLUSHALL"],
        &["SWAPDB", "0", "7"],
        &["RESTORE", key, "0", &number, "REPLACE"],
        &["PUBLISH", "channel", &number],
        &["EVALSHA", &number, "0"],
    ];
    let mut out = Vec::new();
    for _ in 0..random.below(30) {
        out.extend_from_slice(&request(lines[random.below(lines.len())]));
    }
    if random.once_in(30) {
        // A request that announces more than comes, and one that never ends.
        out.extend_from_slice(random.one(&[
            &b"*1048576\r\n$536870912\r\n"[..],
            b"*2\r\n$3\r\nGET\r\n$-5\r\n",
            &[b'x'; 70_000],
        ]));
    }
    for _ in 0..random.below(3) {
        random.damage(&mut out, TELLING);
    }
    out
}

/// Hear a replica out, up to what it asks for; whether it comes to that.
fn greet(socket: &TcpStream) -> std::io::Result<bool> {
    let mut lines = BufReader::new(socket).lines();
    let mut answer = socket;
    while let Some(line) = lines.next().transpose()? {
        match line.to_ascii_uppercase().as_str() {
            "PING" => answer.write_all(b"+PONG\r\n")?,
            "REPLCONF" => answer.write_all(b"+OK\r\n")?,
            "PSYNC" => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

/// One life of the primary, from a new connection of the replica's to its end.
fn serve(listener: &TcpListener, random: &mut Random, offset: u64) -> std::io::Result<usize> {
    let mut socket = loop {
        let (socket, _) = listener.accept()?;
        // An attempt of before may have been given up.
        if greet(&socket).unwrap_or(false) {
            break socket;
        }
    };
    let head = format!("+FULLRESYNC {} {offset}\r\n${}\r\n", "5".repeat(40), SNAPSHOT.len());
    socket.write_all(&[head.as_bytes(), SNAPSHOT].concat())?;
    let stream = stream(random);
    for piece in stream.chunks(stream.len() / (1 + random.below(4)) + 1) {
        socket.write_all(piece)?;
    }
    socket.shutdown(Shutdown::Write)?;
    // It closes when it has read all that it takes.
    let _ = socket.read_to_end(&mut Vec::new());
    Ok(stream.len())
}

fn used(client: &mut Client) -> u64 {
    client.info("memory", "used_memory").and_then(|text| text.parse().ok()).expect("INFO memory")
}

#[test]
fn no_primary_brings_its_replica_down_or_has_it_take_memory_that_it_was_not_sent() {
    let server = Server::with(&["--save", "", "--proto-max-bulk-len", "1mb"]);
    let mut client = server.connect();
    let base = used(&mut client);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("a port").port().to_string();
    let (mut lives, mut sent) = (0u64, 0);
    plinth_fuzz::run(|random| {
        // Asked anew, it connects at once.
        client.text(&["REPLICAOF", "NO", "ONE"]);
        client.text(&["REPLICAOF", "127.0.0.1", &port]);
        match serve(&listener, random, lives) {
            Ok(bytes) => sent += bytes as u64,
            // The replica has had enough of it.
            Err(error) => assert!(error.raw_os_error().is_some(), "{error}"),
        }
        lives += 1;
        assert_eq!(client.text(&["PING"]), "PONG");
        let used = used(&mut client);
        assert!(used < base + ROOM_BYTES, "{used} bytes after {lives} streams");
    });
    client.text(&["REPLICAOF", "NO", "ONE"]);
    wait_until("it serves as before", || client.text(&["SET", "key", "value"]) == "OK");
    println!("{lives} streams, {sent} bytes");
}
