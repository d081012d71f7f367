//! A reply, read part by part: for modules that run commands and look at what they answer.

use crate::wire::replies::line;

/// One part of a reply.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Node<'a> {
    /// Nothing.
    Null,
    /// An error.
    Error(&'a [u8]),
    /// A status.
    Simple(&'a [u8]),
    /// A string.
    Bulk(&'a [u8]),
    /// An integer, and its digits.
    Integer(i64, &'a [u8]),
    /// A double, and its digits.
    Double(f64, &'a [u8]),
    /// True or false.
    Boolean(bool),
    /// Digits.
    BigNumber(&'a [u8]),
    /// A format, a colon and a text.
    Verbatim(&'a [u8]),
    /// An array, set, map or push, by its sign, and how many nodes follow that are its elements.
    Several(u8, usize),
}

/// The node at a place in a reply, and where the next begins; `None` when there is no whole one. An attribute, which
/// is said about what follows it, is passed over.
pub fn read_node(reply: &[u8], at: usize) -> Option<(Node<'_>, usize)> {
    let mut at = at;
    // Elements of attributes that are still to be passed over.
    let mut skipped = 0usize;
    loop {
        let (sign, text, behind) = line(reply, at)?;
        let (node, behind) = if sign == b'|' {
            (None, behind)
        } else {
            one(reply, sign, text, behind).map(|(node, at)| (Some(node), at))?
        };
        at = behind;
        let Some(node) = node else {
            skipped = skipped.checked_add(count(text)?.checked_mul(2)?)?;
            continue;
        };
        if skipped == 0 {
            return Some((node, at));
        }
        skipped -= 1;
        if let Node::Several(_, elements) = node {
            skipped = skipped.checked_add(elements)?;
        }
    }
}

fn count(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn one<'a>(reply: &'a [u8], sign: u8, text: &'a [u8], behind: usize) -> Option<(Node<'a>, usize)> {
    let node = match sign {
        b'_' => Node::Null,
        b'+' => Node::Simple(text),
        b'-' => Node::Error(text),
        b':' => Node::Integer(std::str::from_utf8(text).ok()?.parse().ok()?, text),
        b',' => Node::Double(std::str::from_utf8(text).ok()?.parse().ok()?, text),
        b'#' => Node::Boolean(text == b"t"),
        b'(' => Node::BigNumber(text),
        b'$' | b'=' | b'!' | b'*' | b'~' | b'%' | b'>' if text == b"-1" => Node::Null,
        b'$' | b'=' | b'!' => {
            let end = behind.checked_add(count(text)?)?;
            let blob = reply.get(behind..end)?;
            let node = match sign {
                b'$' => Node::Bulk(blob),
                b'=' => Node::Verbatim(blob),
                _ => Node::Error(blob),
            };
            return Some((node, end.checked_add(2).filter(|end| *end <= reply.len())?));
        }
        b'*' | b'~' | b'>' => Node::Several(sign, count(text)?),
        b'%' => Node::Several(sign, count(text)?.checked_mul(2)?),
        _ => return None,
    };
    Some((node, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(reply: &[u8]) -> Vec<Node<'_>> {
        let (mut at, mut nodes) = (0, Vec::new());
        while let Some((node, behind)) = read_node(reply, at) {
            nodes.push(node);
            at = behind;
        }
        assert_eq!(at, reply.len());
        nodes
    }

    #[test]
    fn a_reply_is_read_node_by_node() {
        let reply =
            b"*3\r\n%1\r\n$1\r\nk\r\n,1.5\r\n~2\r\n#t\r\n_\r\n$-1\r\n=7\r\ntxt:abc\r\n(12\r\n-ERR no\r\n:-7\r\n";
        let expected = [
            Node::Several(b'*', 3),
            Node::Several(b'%', 2),
            Node::Bulk(b"k"),
            Node::Double(1.5, b"1.5"),
            Node::Several(b'~', 2),
            Node::Boolean(true),
            Node::Null,
            Node::Null,
            Node::Verbatim(b"txt:abc"),
            Node::BigNumber(b"12"),
            Node::Error(b"ERR no"),
            Node::Integer(-7, b"-7"),
        ];
        assert_eq!(all(reply), expected);
    }

    #[test]
    fn attributes_are_passed_over_with_all_that_is_in_them() {
        assert_eq!(all(b"|1\r\n+a\r\n*2\r\n:1\r\n|1\r\n+b\r\n+c\r\n:2\r\n+OK\r\n"), [Node::Simple(b"OK")]);
    }

    #[test]
    fn what_is_no_whole_node_is_none() {
        for reply in [
            "",
            "+OK",
            "$3\r\nab\r\n",
            "$3\r\nabc",
            "$-2\r\n",
            ":x\r\n",
            "?\r\n",
            "%99999999999999999999\r\n",
            "|1\r\n+a\r\n",
        ] {
            assert_eq!(read_node(reply.as_bytes(), 0), None, "{reply}");
        }
        assert_eq!(read_node(b"+OK\r\n", 9), None);
    }
}
