//! How many replies bytes hold: what a handler has written is to be one.
//!
//! ```text
//! +OK                  one            *2 :1 :2     one        *2 :1        none that is whole
//! +OK :1               two            |1 .. +OK    one, with an attribute before it
//! ```
//!
//! A client that is sent none waits for ever, and one that is sent two takes the second for the answer
//! to its next command.

/// What bytes hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// Nothing.
    None,
    /// One reply.
    One,
    /// One reply and something behind it.
    More,
    /// A reply whose elements are not all there, or no reply.
    Broken,
}

/// Longest reply of several elements that is looked at as a whole where `whole` is not asked for.
pub const GLANCE_BYTES_MAX: usize = 128;
/// Longest number, with its sign.
const NUMBER_BYTES_MAX: usize = 20;
/// Deepest nesting of replies, beyond which they are believed.
const DEPTH_MAX: u32 = 64;

/// Whether bytes are one of the replies that most are: OK, a number, or a text whose length has one or two
/// digits.
#[inline(always)]
pub fn is_plainly_one(bytes: &[u8]) -> bool {
    let Some(head) = bytes.first_chunk::<4>() else { return false };
    if head[0] == b':' {
        return is_number(bytes);
    }
    let (head, len) = (u32::from_le_bytes(*head), bytes.len());
    let byte = |at: u32| (head >> (8 * at) & 0xff) as usize;
    const ZERO: usize = b'0' as usize;
    if head & !0xff00 == u32::from_le_bytes(*b"$\0\r\n") {
        return byte(1) + 6 == len + ZERO;
    }
    if head & !0xff_ff00 == u32::from_le_bytes(*b"$\0\0\r") {
        return byte(1) * 10 + byte(2) + 7 == len + 11 * ZERO;
    }
    head == u32::from_le_bytes(*b"+OK\r") && len == 5
}

/// Whether bytes are one line that begins with a colon.
#[inline(always)]
fn is_number(bytes: &[u8]) -> bool {
    match bytes {
        [b':', digits @ .., b'\r', b'\n'] if digits.len() <= NUMBER_BYTES_MAX => {
            digits.iter().all(|digit| *digit != b'\r')
        }
        _ => false,
    }
}

/// What bytes hold. A long reply of several elements is believed unless `whole` is asked for: to look at
/// each of them takes longer than a glance.
pub fn held(bytes: &[u8], whole: bool) -> Held {
    if bytes.is_empty() {
        return Held::None;
    }
    if matches!(bytes[0], b'*' | b'%' | b'~' | b'>' | b'|') && bytes.len() > GLANCE_BYTES_MAX && !whole {
        return Held::One;
    }
    match behind(bytes, 0) {
        Some([]) => Held::One,
        Some(_) => Held::More,
        None => Held::Broken,
    }
}

/// The line at a place in bytes: its sign, what follows that, and where the next line begins.
pub(super) fn line(bytes: &[u8], at: usize) -> Option<(u8, &[u8], usize)> {
    let rest = bytes.get(at..)?;
    let end = memchr::memchr(b'\r', rest)?;
    let (sign, text) = rest[..end].split_first()?;
    (rest.len() >= end + 2).then_some((*sign, text, at + end + 2))
}

/// What follows the first reply in bytes, unless that is not whole.
fn behind(bytes: &[u8], depth: u32) -> Option<&[u8]> {
    let (sign, text, end) = line(bytes, 0)?;
    let rest = &bytes[end..];
    let count = || std::str::from_utf8(text).ok()?.parse::<i64>().ok();
    let several = |count: usize| {
        if depth >= DEPTH_MAX {
            return Some(&[][..]);
        }
        (0..count).try_fold(rest, |rest, _| behind(rest, depth + 1))
    };
    match sign {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => Some(rest),
        b'$' | b'=' | b'!' => match usize::try_from(count()?) {
            Ok(len) => rest.get(len.checked_add(2)?..),
            Err(_) => Some(rest),
        },
        b'*' | b'~' | b'>' => several(usize::try_from(count()?).unwrap_or(0)),
        b'%' => several(usize::try_from(count()?).unwrap_or(0).checked_mul(2)?),
        // An attribute is part of the reply that follows it.
        b'|' => several(usize::try_from(count()?).unwrap_or(0).checked_mul(2)?.checked_add(1)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_from_none_and_from_more() {
        for (bytes, expected) in [
            ("", Held::None),
            ("+OK\r\n", Held::One),
            ("+OK\r\n+OK\r\n", Held::More),
            (":7\r\n", Held::One),
            (":-9223372036854775808\r\n", Held::One),
            (":1\r\n:2\r\n", Held::More),
            (":12\r\n+OK\r\n", Held::More),
            ("$0\r\n\r\n", Held::One),
            ("$3\r\nabc\r\n", Held::One),
            ("$3\r\nabc\r\n:1\r\n", Held::More),
            ("$12\r\nabcdefghijkl\r\n", Held::One),
            ("$12\r\nabcdefghijkl\r\n_\r\n", Held::More),
            ("$-1\r\n", Held::One),
            ("*-1\r\n", Held::One),
            ("*0\r\n", Held::One),
            ("*3\r\n:1\r\n", Held::Broken),
            ("*2\r\n:1\r\n*1\r\n$1\r\na\r\n", Held::One),
            ("*1\r\n:1\r\n:2\r\n", Held::More),
            ("%1\r\n:1\r\n:2\r\n", Held::One),
            ("|1\r\n+a\r\n:2\r\n#t\r\n", Held::One),
            ("|1\r\n+a\r\n:2\r\n", Held::Broken),
            ("=7\r\ntxt:abc\r\n", Held::One),
            (",0.5\r\n", Held::One),
            ("-ERR no\r\n", Held::One),
            ("$9\r\nabc\r\n", Held::Broken),
            ("abc", Held::Broken),
        ] {
            assert_eq!(held(bytes.as_bytes(), false), expected, "{bytes:?}");
            assert!(!is_plainly_one(bytes.as_bytes()) || expected == Held::One, "{bytes:?}");
        }
    }

    #[test]
    fn most_replies_are_plainly_one() {
        for bytes in ["+OK\r\n", ":7\r\n", ":-123\r\n", "$0\r\n\r\n", "$3\r\nabc\r\n", "$12\r\nabcdefghijkl\r\n"] {
            assert!(is_plainly_one(bytes.as_bytes()), "{bytes:?}");
        }
    }

    #[test]
    fn a_long_reply_of_several_is_looked_at_when_asked_for() {
        let bytes = [b"*3\r\n".to_vec(), b":1\r\n".repeat(50)].concat();
        assert_eq!(held(&bytes, false), Held::One);
        assert_eq!(held(&bytes, true), Held::More);
    }
}
