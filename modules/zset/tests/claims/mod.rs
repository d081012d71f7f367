//! What every module of sorted sets claims, whatever its storage. A test that includes this file says
//! which server it is about with `super::server()`. Each claim holds for both forms.

mod algebra;
mod block;
mod change;
mod forms;
mod range;

use super::server;
use plinth_testkit::{Client, Server, assert_wire};

const SYNTAX: &[u8] = b"-ERR syntax error\r\n";
const NOT_FLOAT: &[u8] = b"-ERR value is not a valid float\r\n";
const NOT_INTEGER: &[u8] = b"-ERR value is not an integer or out of range\r\n";
const WRONG_TYPE: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

/// Runs a claim with a client whose sorted sets are small, and again where they are all large.
fn in_both_forms(claim: impl Fn(&Server, &mut Client)) {
    for entries in ["128", "0"] {
        let server = server();
        let mut client = server.connect();
        assert_wire(&mut client, &["CONFIG", "SET", "zset-max-listpack-entries", entries], b"+OK\r\n");
        claim(&server, &mut client);
    }
}

/// Splits a command at its spaces and compares the reply.
fn check(client: &mut Client, command: &str, expected: impl AsRef<[u8]>) {
    let words: Vec<&str> = command.split(' ').collect();
    assert_wire(client, &words, expected);
}

/// A flat array of bulk strings.
fn bulks(texts: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", texts.len());
    for text in texts {
        bytes += &format!("${}\r\n{text}\r\n", text.len());
    }
    bytes.into_bytes()
}
