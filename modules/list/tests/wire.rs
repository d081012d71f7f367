//! Every command of the module, as bytes in and out of a real server.

use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, cc, wait_until};

const OK: &[u8] = b"+OK\r\n";
const NULL: &[u8] = b"$-1\r\n";
const NULL_ARRAY: &[u8] = b"*-1\r\n";
const EMPTY: &[u8] = b"*0\r\n";
const SYNTAX: &[u8] = b"-ERR syntax error\r\n";
const NOT_INTEGER: &[u8] = b"-ERR value is not an integer or out of range\r\n";
const WRONG_TYPE: &[u8] = b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";

fn connected() -> (Server, Client) {
    let server = Server::start();
    let client = server.connect();
    (server, client)
}

/// A list's elements as RESP.
fn array(elements: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", elements.len()).into_bytes();
    elements.iter().for_each(|text| bytes.extend_from_slice(&bulk(text)));
    bytes
}

fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

#[track_caller]
fn assert_list(client: &mut Client, key: &str, elements: &[&str]) {
    assert_wire(client, &["LRANGE", key, "0", "-1"], array(elements));
}

#[test]
fn pushes_answer_with_the_length() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["LPUSHX", "l", "x"], b":0\r\n");
    assert_wire(&mut client, &["RPUSHX", "l", "x"], b":0\r\n");
    assert_wire(&mut client, &["LPUSH", "l", "b", "a"], b":2\r\n");
    assert_wire(&mut client, &["RPUSH", "l", "c", "12"], b":4\r\n");
    assert_wire(&mut client, &["LPUSHX", "l", "", "-7"], b":6\r\n");
    assert_wire(&mut client, &["RPUSHX", "l", "z"], b":7\r\n");
    assert_list(&mut client, "l", &["-7", "", "a", "b", "c", "12", "z"]);
    assert_wire(&mut client, &["LLEN", "l"], b":7\r\n");
    assert_wire(&mut client, &["LLEN", "none"], b":0\r\n");
    assert_wire(&mut client, &["TYPE", "l"], b"+list\r\n");
    assert_wire(&mut client, &["LPUSH", "l"], b"-ERR wrong number of arguments for 'lpush' command\r\n");
}

#[test]
fn pops_take_one_or_several() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "1", "2", "3", "4", "5", "6"]);
    assert_wire(&mut client, &["LPOP", "l"], b"$1\r\n1\r\n");
    assert_wire(&mut client, &["RPOP", "l"], b"$1\r\n6\r\n");
    assert_wire(&mut client, &["LPOP", "l", "0"], EMPTY);
    assert_wire(&mut client, &["RPOP", "l", "2"], array(&["5", "4"]));
    assert_wire(&mut client, &["LPOP", "l", "9"], array(&["2", "3"]));
    assert_wire(&mut client, &["EXISTS", "l"], b":0\r\n");
    assert_wire(&mut client, &["LPOP", "l"], NULL);
    assert_wire(&mut client, &["LPOP", "l", "1"], NULL_ARRAY);
    let range = b"-ERR value is out of range, must be positive\r\n";
    assert_wire(&mut client, &["LPOP", "l", "-1"], range);
    assert_wire(&mut client, &["LPOP", "l", "x"], range);
    assert_wire(&mut client, &["LPOP", "l", "1", "2"], b"-ERR wrong number of arguments for 'lpop' command\r\n");
    client.command(&["HELLO", "3"]);
    assert_wire(&mut client, &["RPOP", "l"], b"_\r\n");
    assert_wire(&mut client, &["RPOP", "l", "1"], b"_\r\n");
}

#[test]
fn positions_count_from_both_ends() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "a", "b", "c"]);
    assert_wire(&mut client, &["LINDEX", "l", "0"], bulk("a"));
    assert_wire(&mut client, &["LINDEX", "l", "-1"], bulk("c"));
    assert_wire(&mut client, &["LINDEX", "l", "3"], NULL);
    assert_wire(&mut client, &["LINDEX", "l", "-4"], NULL);
    assert_wire(&mut client, &["LINDEX", "none", "0"], NULL);
    assert_wire(&mut client, &["LINDEX", "l", "x"], NOT_INTEGER);
    assert_wire(&mut client, &["LRANGE", "l", "1", "100"], array(&["b", "c"]));
    assert_wire(&mut client, &["LRANGE", "l", "-100", "-2"], array(&["a", "b"]));
    assert_wire(&mut client, &["LRANGE", "l", "2", "1"], EMPTY);
    assert_wire(&mut client, &["LRANGE", "none", "0", "-1"], EMPTY);
    assert_wire(&mut client, &["LSET", "l", "-1", "z"], OK);
    assert_wire(&mut client, &["LSET", "l", "0", "12345678901"], OK);
    assert_list(&mut client, "l", &["12345678901", "b", "z"]);
    assert_wire(&mut client, &["LSET", "l", "3", "z"], b"-ERR index out of range\r\n");
    assert_wire(&mut client, &["LSET", "none", "0", "z"], b"-ERR no such key\r\n");
}

#[test]
fn linsert_lrem_and_ltrim_change_the_middle() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "a", "b", "a", "c", "a"]);
    assert_wire(&mut client, &["LINSERT", "l", "before", "b", "x"], b":6\r\n");
    assert_wire(&mut client, &["LINSERT", "l", "AFTER", "b", "y"], b":7\r\n");
    assert_wire(&mut client, &["LINSERT", "l", "AFTER", "none", "y"], b":-1\r\n");
    assert_wire(&mut client, &["LINSERT", "none", "AFTER", "b", "y"], b":0\r\n");
    assert_wire(&mut client, &["LINSERT", "l", "BESIDE", "b", "y"], SYNTAX);
    assert_list(&mut client, "l", &["a", "x", "b", "y", "a", "c", "a"]);
    assert_wire(&mut client, &["LREM", "l", "-2", "a"], b":2\r\n");
    assert_list(&mut client, "l", &["a", "x", "b", "y", "c"]);
    assert_wire(&mut client, &["LREM", "l", "1", "a"], b":1\r\n");
    assert_wire(&mut client, &["LREM", "l", "0", "none"], b":0\r\n");
    assert_wire(&mut client, &["LTRIM", "l", "1", "-2"], OK);
    assert_list(&mut client, "l", &["b", "y"]);
    assert_wire(&mut client, &["LREM", "l", "0", "y"], b":1\r\n");
    assert_wire(&mut client, &["LTRIM", "l", "5", "9"], OK);
    assert_wire(&mut client, &["EXISTS", "l"], b":0\r\n");
    assert_wire(&mut client, &["LTRIM", "l", "0", "1"], OK);
}

#[test]
fn lpos_finds_by_rank_count_and_length() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "a", "b", "c", "1", "2", "3", "c", "c"]);
    assert_wire(&mut client, &["LPOS", "l", "c"], b":2\r\n");
    assert_wire(&mut client, &["LPOS", "l", "2"], b":4\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "RANK", "2"], b":6\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "rank", "-1"], b":7\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "COUNT", "2"], b"*2\r\n:2\r\n:6\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "COUNT", "0", "RANK", "-2"], b"*2\r\n:6\r\n:2\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "COUNT", "0", "MAXLEN", "7"], b"*2\r\n:2\r\n:6\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "RANK", "-1", "MAXLEN", "1"], b":7\r\n");
    assert_wire(&mut client, &["LPOS", "l", "none"], NULL);
    assert_wire(&mut client, &["LPOS", "l", "none", "COUNT", "0"], EMPTY);
    assert_wire(&mut client, &["LPOS", "none", "a", "COUNT", "0"], EMPTY);
    let zero = b"-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
        or use negative to start from the end of the list\r\n";
    assert_wire(&mut client, &["LPOS", "l", "c", "RANK", "0"], zero);
    assert_wire(&mut client, &["LPOS", "l", "c", "COUNT", "-1"], b"-ERR COUNT can't be negative\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "MAXLEN", "-1"], b"-ERR MAXLEN can't be negative\r\n");
    assert_wire(&mut client, &["LPOS", "l", "c", "RANK"], SYNTAX);
    assert_wire(&mut client, &["LPOS", "l", "c", "FOO", "1"], SYNTAX);
}

#[test]
fn elements_move_from_list_to_list() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "a", "b", "c"]);
    assert_wire(&mut client, &["LMOVE", "l", "m", "LEFT", "right"], bulk("a"));
    assert_wire(&mut client, &["RPOPLPUSH", "l", "m"], bulk("c"));
    assert_list(&mut client, "m", &["c", "a"]);
    assert_wire(&mut client, &["LMOVE", "m", "m", "LEFT", "RIGHT"], bulk("c"));
    assert_list(&mut client, "m", &["a", "c"]);
    assert_wire(&mut client, &["RPOPLPUSH", "l", "m"], bulk("b"));
    assert_wire(&mut client, &["EXISTS", "l"], b":0\r\n");
    assert_wire(&mut client, &["RPOPLPUSH", "l", "m"], NULL);
    assert_wire(&mut client, &["LMOVE", "l", "m", "UP", "LEFT"], SYNTAX);
    client.command(&["SET", "s", "text"]);
    assert_wire(&mut client, &["LMOVE", "m", "s", "LEFT", "LEFT"], WRONG_TYPE);
    assert_wire(&mut client, &["LMOVE", "s", "m", "LEFT", "LEFT"], WRONG_TYPE);
    assert_wire(&mut client, &["LMOVE", "none", "s", "LEFT", "LEFT"], NULL);
    assert_list(&mut client, "m", &["b", "a", "c"]);
}

#[test]
fn lmpop_takes_from_the_first_list_there_is() {
    let (_server, mut client) = connected();
    client.command(&["RPUSH", "l", "a", "b", "c"]);
    assert_wire(&mut client, &["LMPOP", "2", "none", "l", "LEFT"], b"*2\r\n$1\r\nl\r\n*1\r\n$1\r\na\r\n");
    let both = b"*2\r\n$1\r\nl\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n";
    assert_wire(&mut client, &["LMPOP", "1", "l", "RIGHT", "COUNT", "10"], both);
    assert_wire(&mut client, &["LMPOP", "1", "l", "LEFT"], NULL_ARRAY);
    let keys = b"-ERR numkeys should be greater than 0\r\n";
    assert_wire(&mut client, &["LMPOP", "0", "l", "LEFT"], keys);
    assert_wire(&mut client, &["LMPOP", "x", "l", "LEFT"], keys);
    let count = b"-ERR count should be greater than 0\r\n";
    assert_wire(&mut client, &["LMPOP", "1", "l", "LEFT", "COUNT", "0"], count);
    assert_wire(&mut client, &["LMPOP", "2", "l", "LEFT"], SYNTAX);
    assert_wire(&mut client, &["LMPOP", "1", "l", "LEFT", "COUNT"], SYNTAX);
    assert_wire(&mut client, &["LMPOP", "1", "l", "UP"], SYNTAX);
}

#[test]
fn a_key_of_another_type_is_refused() {
    let (_server, mut client) = connected();
    client.command(&["SET", "s", "text"]);
    for command in [
        &["LPUSH", "s", "x"][..],
        &["RPUSHX", "s", "x"],
        &["LPOP", "s"],
        &["RPOP", "s", "2"],
        &["LLEN", "s"],
        &["LINDEX", "s", "0"],
        &["LRANGE", "s", "0", "1"],
        &["LPOS", "s", "x"],
        &["LSET", "s", "0", "x"],
        &["LINSERT", "s", "BEFORE", "x", "y"],
        &["LREM", "s", "0", "x"],
        &["LTRIM", "s", "0", "1"],
        &["LMPOP", "1", "s", "LEFT"],
        &["BLPOP", "s", "0"],
        &["BLMPOP", "0", "1", "s", "LEFT"],
        &["BRPOPLPUSH", "s", "l", "0"],
    ] {
        assert_wire(&mut client, command, WRONG_TYPE);
    }
}

#[test]
fn the_encoding_follows_the_limit_down_to_half_of_it() {
    let (_server, mut client) = connected();
    let encoding = |client: &mut Client| client.text(&["OBJECT", "ENCODING", "l"]);
    client.command(&["RPUSH", "l", "a"]);
    assert_eq!(encoding(&mut client), "listpack");
    client.command(&["RPUSH", "l", &"x".repeat(9000)]);
    assert_eq!(encoding(&mut client), "quicklist");
    client.command(&["RPOP", "l"]);
    assert_eq!(encoding(&mut client), "listpack");
    assert_wire(&mut client, &["CONFIG", "SET", "list-max-ziplist-size", "4"], OK);
    let shown = client.ask(&["CONFIG", "GET", "list-max-*"]).texts();
    assert_eq!(shown, ["list-max-listpack-size", "4", "list-max-ziplist-size", "4"]);
    client.command(&["RPUSH", "l", "b", "c", "d"]);
    assert_eq!(encoding(&mut client), "listpack");
    client.command(&["LPUSH", "l", "e"]);
    assert_eq!(encoding(&mut client), "quicklist");
    client.command(&["LPOP", "l", "2"]);
    assert_eq!(encoding(&mut client), "quicklist");
    client.command(&["LTRIM", "l", "0", "1"]);
    assert_eq!(encoding(&mut client), "listpack");
    client.command(&["LSET", "l", "0", &"x".repeat(8193)]);
    assert_eq!(encoding(&mut client), "quicklist");
    client.command(&["LSET", "l", "0", "x"]);
    assert_eq!(encoding(&mut client), "listpack");
}

#[test]
fn a_list_survives_dump_restore_and_copy() {
    let (_server, mut client) = connected();
    let long = "y".repeat(20_000);
    for at in 0..3000 {
        client.send(&["RPUSH", "l", &format!("element:{at}"), &at.to_string()]);
    }
    client.send(&["RPUSH", "l", &long]);
    (0..3001).for_each(|_| drop(client.read()));
    let Reply::Bulk(payload) = client.ask(&["DUMP", "l"]) else { panic!("no payload") };
    assert_wire(&mut client, &[&b"RESTORE"[..], b"m", b"0", &payload], OK);
    assert_wire(&mut client, &["COPY", "l", "n"], b":1\r\n");
    let all = client.command(&["LRANGE", "l", "0", "-1"]);
    for copy in ["m", "n"] {
        assert_wire(&mut client, &["LRANGE", copy, "0", "-1"], &all);
        assert_wire(&mut client, &["LLEN", copy], b":6001\r\n");
    }
    assert!(client.ask(&["MEMORY", "USAGE", "l"]).integer() > 60_000);
}

/// A payload of a version that Redis 3.2 wrote, without a checksum.
fn payload(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag], body, &[6, 0], &[0; 8]].concat()
}

#[test]
fn every_form_that_a_redis_has_written_is_read() {
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1"], OK);
    let expected = ["hi", "-1", "12", "300", "70000", "5000000000", "100000", "-100"];
    let entries: [&[u8]; 8] = [
        b"\x00\x02hi",
        b"\x04\xfe\xff",
        b"\x03\xfd",
        b"\x02\xc0\x2c\x01",
        b"\x04\xf0\x70\x11\x01",
        b"\x05\xe0\x00\xf2\x05\x2a\x01\x00\x00\x00",
        b"\x0a\xd0\xa0\x86\x01\x00",
        b"\x06\xfe\x9c",
    ];
    let entries = entries.concat();
    let len = entries.len() + 11;
    // The tail is where the last entry begins, three bytes before the end mark.
    let ziplist = [&[len as u8, 0, 0, 0, len as u8 - 4, 0, 0, 0, 8, 0][..], &entries, &[0xff]].concat();
    let string = |bytes: &[u8]| [&[bytes.len() as u8][..], bytes].concat();
    let plain: Vec<u8> = expected.iter().flat_map(|text| string(text.as_bytes())).collect();
    let listpack = b"\x19\0\0\0\x08\0\x82hi\x03\xdf\xff\x02\x0c\x01\xc1\x2c\x02\xf2\x70\x11\x01\x04";
    let listpack = [&listpack[..], b"\xf4\x00\xf2\x05\x2a\x01\x00\x00\x00\x09\xf2\xa0\x86\x01\x04\xdf\x9c\x02\xff"];
    let mut listpack = listpack.concat();
    listpack[0] = listpack.len() as u8;
    for (tag, body) in [
        (1, [&[8][..], &plain].concat()),
        (10, string(&ziplist)),
        (14, [&[1][..], &string(&ziplist)].concat()),
        (18, [&[1, 2][..], &string(&listpack)].concat()),
    ] {
        let payload = payload(tag, &body);
        assert_wire(&mut client, &[&b"RESTORE"[..], b"l", b"0", &payload, b"REPLACE"], OK);
        assert_list(&mut client, "l", &expected);
        assert_eq!(client.text(&["OBJECT", "ENCODING", "l"]), "listpack");
    }
    let two = [&[2, 1, 1, b'p', 2][..], &string(&listpack)].concat();
    assert_wire(&mut client, &[&b"RESTORE"[..], b"l", b"0", &payload(18, &two), b"REPLACE"], OK);
    assert_wire(&mut client, &["LLEN", "l"], b":9\r\n");
    assert_eq!(client.text(&["OBJECT", "ENCODING", "l"]), "quicklist");
    for body in [&[0][..], &[1, 2, 7, 7, 0, 0, 0, 0, 0, 0xff], &[1, 3, 1, b'x'], &[1, 2, 2, 1, 2]] {
        let reply = client.text(&[&b"RESTORE"[..], b"l", b"0", &payload(18, body), b"REPLACE"]);
        assert!(reply.contains("Bad data format"), "{body:?}: {reply}");
    }
}

#[test]
fn a_blocked_client_is_served_by_a_push() {
    let (server, mut client) = connected();
    for (command, reply) in [
        (&["BLPOP", "none", "l", "0"][..], array(&["l", "a"])),
        (&["BRPOP", "l", "none", "0"], array(&["l", "c"])),
        (&["BLMOVE", "l", "m", "RIGHT", "LEFT", "0"], bulk("c")),
        (&["BRPOPLPUSH", "l", "m", "0"], bulk("c")),
        (
            &["BLMPOP", "0", "2", "none", "l", "LEFT", "COUNT", "2"],
            b"*2\r\n$1\r\nl\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n".into(),
        ),
    ] {
        let mut waiting = server.connect();
        waiting.send(command);
        wait_until("the client waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
        client.command(&["RPUSH", "l", "a", "b", "c"]);
        assert_eq!(String::from_utf8_lossy(&waiting.read()), String::from_utf8_lossy(&reply), "{command:?}");
        client.command(&["DEL", "l", "m"]);
    }
}

#[test]
fn a_key_of_another_type_that_came_meanwhile_is_refused_as_at_first() {
    let (server, mut client) = connected();
    for (command, foreign, pushed) in [
        (&["BLPOP", "k", "l", "0"][..], "k", "l"),
        (&["BRPOP", "k", "l", "0"], "k", "l"),
        (&["BLMPOP", "0", "2", "k", "l", "LEFT"], "k", "l"),
        (&["BLMOVE", "k", "l", "LEFT", "LEFT", "0"], "l", "k"),
        (&["BRPOPLPUSH", "k", "l", "0"], "l", "k"),
    ] {
        let mut waiting = server.connect();
        waiting.send(command);
        wait_until("the client waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
        // A value that is no list wakes nobody.
        client.command(&["SET", foreign, "text"]);
        waiting.assert_unanswered(&mut client);
        client.command(&["RPUSH", pushed, "a"]);
        assert_eq!(String::from_utf8_lossy(&waiting.read()), String::from_utf8_lossy(WRONG_TYPE), "{command:?}");
        assert_list(&mut client, pushed, &["a"]);
        client.command(&["DEL", "k", "l"]);
    }
    // Behind the list that serves it does not matter.
    let mut waiting = server.connect();
    waiting.send(&["BLPOP", "k", "l", "0"]);
    wait_until("the client waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
    client.command(&["SET", "l", "text"]);
    client.command(&["RPUSH", "k", "a"]);
    assert_eq!(waiting.read(), array(&["k", "a"]));
    // A source that was a list for a moment only leaves the client waiting.
    waiting.send(&["BLMOVE", "k", "m", "LEFT", "LEFT", "0"]);
    wait_until("the client waits", || client.info("clients", "blocked_clients").as_deref() == Some("1"));
    for command in [&["MULTI"][..], &["RPUSH", "k", "a"], &["DEL", "k"], &["SET", "k", "text"], &["EXEC"]] {
        client.command(command);
    }
    waiting.assert_unanswered(&mut client);
    client.command(&["DEL", "k"]);
    client.command(&["RPUSH", "k", "b"]);
    assert_eq!(waiting.read(), bulk("b"));
}

#[test]
fn blocking_commands_end_when_the_time_is_up_and_do_not_wait_in_transactions() {
    let (_server, mut client) = connected();
    for command in [
        &["BLPOP", "l", "0.01"][..],
        &["BRPOP", "l", "0.01"],
        &["BLMPOP", "0.01", "1", "l", "LEFT"],
        &["BLMOVE", "l", "m", "LEFT", "LEFT", "0.01"],
        &["BRPOPLPUSH", "l", "m", "0.01"],
    ] {
        assert_wire(&mut client, command, NULL_ARRAY);
    }
    assert_wire(&mut client, &["BLPOP", "l", "x"], b"-ERR timeout is not a float or out of range\r\n");
    assert_wire(&mut client, &["BLPOP", "l", "-0x1"], b"-ERR timeout is negative\r\n");
    assert_wire(&mut client, &["BLPOP", "l", "0x1p-7"], b"*-1\r\n");
    assert_wire(&mut client, &["BLPOP", "l", "-1"], b"-ERR timeout is negative\r\n");
    for command in [
        &["MULTI"][..],
        &["BLPOP", "l", "0"],
        &["BLMPOP", "0", "1", "l", "LEFT"],
        &["BLMOVE", "l", "m", "LEFT", "LEFT", "0"],
        &["BRPOPLPUSH", "l", "m", "0"],
    ] {
        client.command(command);
    }
    assert_wire(&mut client, &["EXEC"], b"*4\r\n*-1\r\n*-1\r\n$-1\r\n$-1\r\n");
    client.command(&["RPUSH", "l", "a"]);
    assert_wire(&mut client, &["BLPOP", "l", "0"], array(&["l", "a"]));
    assert_wire(&mut client, &["PING"], b"+PONG\r\n");
}

#[test]
fn docs_and_keys_are_told() {
    let (_server, mut client) = connected();
    let keys = array(&["a", "b"]);
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "BLPOP", "a", "b", "0"], &keys);
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "LMPOP", "2", "a", "b", "LEFT"], &keys);
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "BLMPOP", "0", "2", "a", "b", "LEFT"], &keys);
    assert_wire(&mut client, &["COMMAND", "GETKEYS", "BLMOVE", "a", "b", "LEFT", "LEFT", "0"], &keys);
    let docs = client.command(&["COMMAND", "DOCS", "rpoplpush"]);
    assert!(String::from_utf8_lossy(&docs).contains("`LMOVE` with the `RIGHT` and `LEFT` arguments"));
}

#[test]
fn a_module_in_c_reaches_lists_through_the_service() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "modules/list/tests/user.c", &[]);
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["MODULE", "LOAD", &path], OK);
    client.command(&["SET", "text", "x"]);
    assert_wire(&mut client, &["LISTS.PROBE", "l"], OK);
    assert_list(&mut client, "text", &["a"]);
}
