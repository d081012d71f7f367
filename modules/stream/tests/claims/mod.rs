//! Every command of streams against a real server, over whatever storage `super::server` starts one
//! with.
//!
//! A command is a line of words, and so is what it answers: `[` and `]` around an array's elements,
//! `{` and `}` around a map's, `-` for a null, `-*` for a null in place of an array, errors with their
//! code.

mod blocking;
mod entries;
mod errors;
mod groups;
mod info;
mod references;
mod resp3;

use plinth_testkit::{Client, Reply, Server, TempDir, assert_wire, cc, wait_until};

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";
const BAD_ID: &str = "ERR Invalid stream ID specified as stream command argument";

fn connected() -> (Server, Client) {
    let server = super::server();
    let client = server.connect();
    (server, client)
}

/// A reply as a line of words.
fn show(bytes: &[u8]) -> String {
    let mut words = Vec::new();
    let rest = show_one(bytes, &mut words);
    assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(bytes));
    words.join(" ").replace("[ ", "[").replace(" ]", "]").replace("{ ", "{").replace(" }", "}")
}

fn show_one<'b>(bytes: &'b [u8], words: &mut Vec<String>) -> &'b [u8] {
    let end = bytes.windows(2).position(|two| two == b"\r\n").expect("a line");
    let (line, mut rest) = (String::from_utf8_lossy(&bytes[1..end]).into_owned(), &bytes[end + 2..]);
    let mut many = |count: usize, begin: &str, end: &str, words: &mut Vec<String>| {
        words.push(begin.into());
        (0..count).for_each(|_| rest = show_one(rest, words));
        words.push(end.into());
    };
    match (bytes[0], line.parse::<i64>()) {
        (b'*', Ok(-1)) => words.push("-*".into()),
        (b'$', Ok(-1)) | (b'_', _) => words.push("-".into()),
        (b'*', Ok(count)) => many(count as usize, "[", "]", words),
        (b'%', Ok(count)) => many(2 * count as usize, "{", "}", words),
        (b'$', Ok(len)) => {
            words.push(String::from_utf8_lossy(&rest[..len as usize]).into_owned());
            rest = &rest[len as usize + 2..];
        }
        _ => words.push(line),
    }
    rest
}

/// Sends a line of words; what is answered.
fn ask(client: &mut Client, line: &str) -> String {
    show(&client.command(&line.split(' ').collect::<Vec<_>>()))
}

/// Sends lines, each with what it must be answered with.
#[track_caller]
fn says(client: &mut Client, lines: &[(&str, &str)]) {
    for (line, answer) in lines {
        assert_eq!(ask(client, line), *answer, "{line}");
    }
}

/// Sends lines, whatever is answered.
#[track_caller]
fn run(client: &mut Client, lines: &[&str]) {
    for line in lines {
        let answer = ask(client, line);
        assert!(!answer.starts_with("ERR") && !answer.contains("GROUP "), "{line}: {answer}");
    }
}

/// Adds entries 1-0, 2-0 and so on, each with the field `f` of its number.
fn fill(client: &mut Client, key: &str, count: u64) {
    (1..=count).for_each(|n| _ = ask(client, &format!("XADD {key} {n} f {n}")));
}

/// How many clients wait. Whoever was answered by what `client` has sent is not among them.
fn blocked(client: &mut Client) -> u32 {
    client.info("clients", "blocked_clients").and_then(|n| n.parse().ok()).expect("a number of clients")
}

/// A client that has sent a command and waits.
fn waiting(server: &Server, client: &mut Client, line: &str) -> Client {
    let before = blocked(client);
    let mut other = server.connect();
    other.send(&line.split(' ').collect::<Vec<_>>());
    wait_until("the client waits", || blocked(client) == before + 1);
    other
}

#[test]
fn a_module_in_c_reaches_streams_through_the_service() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "modules/stream/tests/user.c", &[]);
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    says(&mut client, &[("SET text x", "OK"), ("STREAMS.PROBE s", "OK"), ("XLEN s", "1")]);
}

#[test]
fn a_stream_that_is_trimmed_in_a_hook_stays_as_it_is() {
    let folder = TempDir::new();
    let path = cc::module(&folder, "modules/stream/tests/user.c", &[]);
    let (_server, mut client) = connected();
    assert_wire(&mut client, &["MODULE", "LOAD", &path], b"+OK\r\n");
    fill(&mut client, "s", 5000);
    run(&mut client, &["XGROUP CREATE s g 0", "XREADGROUP GROUP g a COUNT 1 STREAMS s >"]);
    let memory = |client: &mut Client| client.ask(&["MEMORY", "USAGE", "s"]).integer();
    let full = memory(&mut client);
    // Nothing may be put in its place there, so that what was taken off stays for another time.
    says(&mut client, &[("SET trim now", "OK"), ("XLEN s", "10"), ("XRANGE s - + COUNT 1", "[[4991-0 [f 4991]]]")]);
    assert!(memory(&mut client) > full / 2);
    says(
        &mut client,
        &[
            ("XPENDING s g", "[1 1-0 1-0 [[a 1]]]"),
            ("XADD s 5000 f x", "ERR The ID specified in XADD is equal or smaller than the target stream top item"),
            ("XTRIM s MAXLEN 1", "9"),
        ],
    );
    assert!(memory(&mut client) < full / 10);
    says(&mut client, &[("XRANGE s - +", "[[5000-0 [f 5000]]]"), ("XPENDING s g", "[1 1-0 1-0 [[a 1]]]")]);
}

#[test]
fn a_stream_is_a_type_of_its_own_and_outlives_its_entries() {
    let (_server, mut client) = connected();
    says(
        &mut client,
        &[
            ("XADD s 1 a b", "1-0"),
            ("TYPE s", "stream"),
            ("OBJECT ENCODING s", "stream"),
            ("XDEL s 1", "1"),
            ("EXISTS s", "1"),
            ("XTRIM s MAXLEN 0", "0"),
            ("COPY s t", "1"),
            ("XADD t 1 a b", "ERR The ID specified in XADD is equal or smaller than the target stream top item"),
            ("RENAME t u", "OK"),
            ("XADD u 2 a b", "2-0"),
            ("XLEN s", "0"),
        ],
    );
    assert!(matches!(client.ask(&["MEMORY", "USAGE", "u"]), Reply::Integer(1..)));
}

#[test]
fn keys_are_found_as_the_specs_say() {
    let (_server, mut client) = connected();
    says(
        &mut client,
        &[
            ("COMMAND GETKEYS XREAD COUNT 2 STREAMS a b 0 0", "[a b]"),
            ("COMMAND GETKEYS XREADGROUP GROUP g c NOACK STREAMS a b > >", "[a b]"),
            ("COMMAND GETKEYS XGROUP CREATE a g 0", "[a]"),
            ("COMMAND GETKEYS XINFO STREAM a", "[a]"),
            ("COMMAND GETKEYS XACKDEL a g IDS 1 1", "[a]"),
        ],
    );
    let listed = client.ask(&["COMMAND", "LIST", "FILTERBY", "ACLCAT", "stream"]);
    assert_eq!(listed.texts().iter().filter(|name| name.starts_with('x')).count(), 25, "{listed:?}");
}
