//! Data: values of every type and encoding, made by commands that every server of the protocol has.
//!
//! What is made holds what is easily lost: bytes that are no text, integers at the edges of their
//! widths, empty strings, infinities, entries that were deleted while they were pending.

use crate::Client;
use crate::reply::Reply;

/// A key, the encoding that it has with the default parameters, and what makes it: words separated by
/// spaces, of which `~` stands for awkward bytes and `_` for none.
pub type Made = (&'static str, &'static str, Vec<Vec<Vec<u8>>>);

/// Bytes that are no text.
const AWKWARD: &[u8] = b"a\0\r\n\xff\x80 z";

fn words(line: &str) -> Vec<Vec<u8>> {
    let word = |word: &str| match word {
        "~" => AWKWARD.to_vec(),
        "_" => Vec::new(),
        word => word.as_bytes().to_vec(),
    };
    line.split(' ').map(word).collect()
}

fn lines(lines: &[&str]) -> Vec<Vec<Vec<u8>>> {
    lines.iter().map(|line| words(line)).collect()
}

/// One command with many elements, made from their numbers.
fn many(head: &str, count: usize, element: impl Fn(usize) -> Vec<String>) -> Vec<Vec<Vec<u8>>> {
    let mut command = words(head);
    command.extend((0..count).flat_map(element).map(String::into_bytes));
    vec![command]
}

/// Strings, lists, sets, sorted sets and hashes in each of their encodings, and streams.
pub fn all() -> Vec<Made> {
    let long = "x".repeat(100);
    let large = "y".repeat(9000);
    let number = |at: usize| at.to_string();
    vec![
        ("string:int", "int", lines(&["SET string:int -1234567890123"])),
        ("string:embstr", "embstr", lines(&["SET string:embstr ~"])),
        ("string:raw", "raw", lines(&[&format!("SET string:raw {long}")])),
        ("string:empty", "embstr", lines(&["SET string:empty _"])),
        ("list:small", "listpack", lines(&["RPUSH list:small a _ ~ -1 127 128 -4097 9223372036854775807 a"])),
        ("list:large", "quicklist", many("RPUSH list:large", 3000, |at| vec![format!("element:{at}")])),
        ("list:plain", "quicklist", lines(&[&format!("RPUSH list:plain a {large} b {large}{large}")])),
        ("set:ints", "intset", lines(&["SADD set:ints 1 -5 70000 9223372036854775807"])),
        ("set:small", "listpack", lines(&["SADD set:small a _ ~ 17 -9223372036854775808"])),
        ("set:large", "hashtable", many("SADD set:large", 700, |at| vec![format!("member:{at}")])),
        ("zset:small", "listpack", lines(&["ZADD zset:small 1 a 1 b -inf c +inf ~ 0.1 _ 1e300 17 -3 -3"])),
        ("zset:large", "skiplist", many("ZADD zset:large", 700, |at| vec![format!("{}.25", at % 50), number(at)])),
        ("hash:small", "listpack", lines(&["HSET hash:small f v _ _ ~ ~ 17 -17"])),
        ("hash:large", "hashtable", many("HSET hash:large", 700, |at| vec![format!("field:{at}"), number(at)])),
        ("stream:empty", "stream", lines(&["XADD stream:empty MAXLEN 0 5-5 a b"])),
        ("stream:plain", "stream", many_entries("stream:plain", 350)),
        (
            "stream:groups",
            "stream",
            [
                many_entries("stream:groups", 40),
                lines(&[
                    "XGROUP CREATE stream:groups g 0",
                    "XGROUP CREATE stream:groups ~ $",
                    "XREADGROUP GROUP g alice COUNT 20 STREAMS stream:groups >",
                    "XREADGROUP GROUP g bob COUNT 5 STREAMS stream:groups >",
                    "XACK stream:groups g 1003-0 1004-0",
                    "XDEL stream:groups 1001-0 1007-0 1030-0",
                    "XTRIM stream:groups MAXLEN 30",
                ]),
            ]
            .concat(),
        ),
        (
            "stream:gone",
            "stream",
            [
                many_entries("stream:gone", 5),
                lines(&[
                    "XGROUP CREATE stream:gone g 0",
                    "XREADGROUP GROUP g alice COUNT 4 STREAMS stream:gone >",
                    "XTRIM stream:gone MAXLEN 0",
                ]),
            ]
            .concat(),
        ),
    ]
}

/// Hashes some of whose fields expire, which Redis knows from 7.4 on and Valkey from 9; the deadlines
/// lie in the year 2100 and behind.
pub fn expiring() -> Vec<Made> {
    let large = many("HSET deadlines:large", 700, |at| vec![format!("field:{at}"), at.to_string()]);
    let expire =
        many("HPEXPIREAT deadlines:large 4102444800123 FIELDS 300", 300, |at| vec![format!("field:{}", at * 2)]);
    vec![
        (
            "deadlines:small",
            "listpackex",
            lines(&[
                "HSET deadlines:small f v _ _ ~ ~ 17 -17 stays 1",
                "HPEXPIREAT deadlines:small 4102444800123 FIELDS 2 f _",
                "HPEXPIREAT deadlines:small 4102444800001 FIELDS 2 ~ 17",
            ]),
        ),
        ("deadlines:large", "hashtable", [large, expire].concat()),
    ]
}

fn many_entries(key: &str, count: usize) -> Vec<Vec<Vec<u8>>> {
    (0..count)
        .map(|at| match at % 7 {
            3 => words(&format!("XADD {key} {}-0 other ~ and _", 1000 + at)),
            _ => words(&format!("XADD {key} {}-0 name value:{at} count {at}", 1000 + at)),
        })
        .collect()
}

/// Makes keys.
///
/// # Panics
/// When a command is refused.
#[track_caller]
pub fn make(client: &mut Client, data: &[Made]) {
    for (key, _, commands) in data {
        for command in commands {
            let reply = client.ask(command);
            assert!(!matches!(reply, Reply::Error(_)), "{key}: {reply:?}");
        }
    }
}
