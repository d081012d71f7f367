//! When two replies are equal.
//!
//! A set and a hash show what they hold in an order of their own, and a cursor is the server's. Some
//! replies about streams show what time it is, or how a log is laid out. Everything else is part of the
//! answer.

use crate::wire::{Command, Reply};

/// Commands that answer elements in no particular order.
const UNORDERED: [&str; 8] = ["SMEMBERS", "SINTER", "SUNION", "SDIFF", "SPOP", "SRANDMEMBER", "HKEYS", "HVALS"];
/// Commands that answer a cursor and elements.
const SCANS: [&str; 3] = ["SSCAN", "HSCAN", "ZSCAN"];

/// Commands that tell how long ago something was.
const TIMED: [&str; 2] = ["XINFO", "XPENDING"];
/// Fields of their replies that depend on the clock or on the layout.
const PASSING: [&str; 6] = ["idle", "inactive", "seen-time", "active-time", "radix-tree-keys", "radix-tree-nodes"];

/// A reply as it is compared.
pub(crate) fn comparable(command: &Command, reply: Reply) -> Reply {
    let name = String::from_utf8_lossy(&command[0]).to_uppercase();
    if SCANS.contains(&name.as_str()) {
        return scanned(reply, command);
    }
    if TIMED.contains(&name.as_str()) {
        return timeless(reply);
    }
    match reply {
        Reply::Many(kind, items) if name == "HGETALL" => Reply::Many(kind, sorted_pairs(items)),
        Reply::Many(kind, items) if name == "HRANDFIELD" || name == "ZRANDMEMBER" => {
            let has_flat_pairs = command.len() > 3 && kind == '*' && !matches!(items.first(), Some(Reply::Many(..)));
            Reply::Many(kind, if has_flat_pairs { sorted_pairs(items) } else { sorted(items) })
        }
        Reply::Many(kind, items) if UNORDERED.contains(&name.as_str()) => Reply::Many(kind, sorted(items)),
        // What the candidate says of itself is noted and not compared.
        Reply::Bulk(_) if is_encoding(command) => Reply::Null,
        other => other,
    }
}

/// Whether a command asks for something that may differ.
pub(crate) fn is_encoding(command: &Command) -> bool {
    command[0].eq_ignore_ascii_case(b"OBJECT")
        && command.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"ENCODING"))
}

/// A reply without what passes: the values of some fields, and the time in a row about a pending entry, which is the
/// last but one of three or four.
fn timeless(reply: Reply) -> Reply {
    let Reply::Many(kind, items) = reply else { return reply };
    let mut items: Vec<Reply> = items.into_iter().map(timeless).collect();
    for at in 1..items.len() {
        if matches!(&items[at - 1], Reply::Bulk(name) if PASSING.iter().any(|passing| passing.as_bytes() == name)) {
            items[at] = Reply::Null;
        }
    }
    let is_number = |item: &Reply| matches!(item, Reply::Line(line) if line.starts_with(':'));
    if let [Reply::Bulk(_), .., time, count] = &mut items[..]
        && is_number(time)
        && is_number(count)
    {
        *time = Reply::Null;
    }
    Reply::Many(kind, items)
}

/// The elements without the cursor.
fn scanned(reply: Reply, command: &Command) -> Reply {
    let has_pairs = !command[0].eq_ignore_ascii_case(b"SSCAN")
        && !command.iter().any(|word| word.eq_ignore_ascii_case(b"NOVALUES"));
    match reply {
        Reply::Many(kind, mut parts) if parts.len() == 2 => match parts.pop() {
            Some(Reply::Many(inner, items)) => {
                let items = if has_pairs { sorted_pairs(items) } else { sorted(items) };
                Reply::Many(kind, vec![Reply::Many(inner, items)])
            }
            other => Reply::Many(kind, other.into_iter().collect()),
        },
        other => other,
    }
}

fn sorted(mut items: Vec<Reply>) -> Vec<Reply> {
    items.sort();
    items
}

fn sorted_pairs(items: Vec<Reply>) -> Vec<Reply> {
    let mut pairs: Vec<Vec<Reply>> = items.chunks(2).map(<[Reply]>::to_vec).collect();
    pairs.sort();
    pairs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> Command {
        text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    fn bulks(texts: &[&str]) -> Reply {
        Reply::Many('*', texts.iter().map(|text| Reply::Bulk(text.as_bytes().to_vec())).collect())
    }

    #[test]
    fn a_hash_may_show_its_pairs_in_any_order_but_not_torn() {
        let all = |texts: &[&str]| comparable(&command("hgetall k"), bulks(texts));
        assert_eq!(all(&["a", "1", "b", "2"]), all(&["b", "2", "a", "1"]));
        assert_ne!(all(&["a", "1", "b", "2"]), all(&["a", "2", "b", "1"]));
    }

    #[test]
    fn the_order_of_a_list_and_of_a_sorted_set_counts() {
        for text in ["lrange k 0 -1", "zrange k 0 -1"] {
            assert_ne!(comparable(&command(text), bulks(&["a", "b"])), comparable(&command(text), bulks(&["b", "a"])));
        }
        assert_eq!(
            comparable(&command("smembers k"), bulks(&["a", "b"])),
            comparable(&command("smembers k"), bulks(&["b", "a"]))
        );
    }

    #[test]
    fn times_and_layouts_are_not_compared_and_counts_are() {
        let number = |number: i32| Reply::Line(format!(":{number}"));
        let name = |name: &str| Reply::Bulk(name.as_bytes().to_vec());
        let row = |time, count| Reply::Many('*', vec![name("1-1"), name("alice"), number(time), number(count)]);
        let pending =
            |time, count| comparable(&command("xpending k g - + 9"), Reply::Many('*', vec![row(time, count)]));
        assert_eq!(pending(1, 1), pending(2, 1));
        assert_ne!(pending(1, 1), pending(1, 2));
        let info =
            |what, value| comparable(&command("xinfo stream k"), Reply::Many('*', vec![name(what), number(value)]));
        assert_eq!(info("radix-tree-nodes", 1), info("radix-tree-nodes", 2));
        assert_ne!(info("length", 1), info("length", 2));
    }

    #[test]
    fn a_cursor_is_not_compared() {
        let scan = |cursor: &str, items: &[&str]| {
            let reply = Reply::Many('*', vec![Reply::Bulk(cursor.as_bytes().to_vec()), bulks(items)]);
            comparable(&command("zscan k 0"), reply)
        };
        assert_eq!(scan("0", &["a", "1", "b", "2"]), scan("7", &["b", "2", "a", "1"]));
    }
}
