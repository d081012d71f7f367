//! Ziplists, as Redis before 7 wrote them into files. They are only read.
//!
//! ```text
//!   [ bytes u32 ][ tail u32 ][ count u16 ][ entry ] ... [ entry ][ ff ]      little-endian
//!
//!   entry      [ length of the entry before: 1 byte, or fe and 4 ][ head ][ text or integer ]
//!   00xxxxxx   text of up to 63 bytes           11000000   i16
//!   01xxxxxx   text of up to 16,383, + 1 byte   11010000   i32       11100000   i64
//!   10000000   longer text, + 4, big-endian     11110000   24 bits   11111110   i8
//!                                               1111xxxx   integer x - 1, x from 1 to 13
//! ```
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html#ziplist-encoding>.

use crate::listpack::signed;
use plinth_module::pack::Value;
use plinth_module::prelude::{Error, Result};

const END: u8 = 0xff;
const LONG: u8 = 0xfe;
/// A count that says that there are more elements than it can hold.
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Hands the elements of a ziplist from outside to `take`. Fails with `BadData` for anything else,
/// after some elements maybe.
pub fn read(bytes: &[u8], mut take: impl FnMut(Value<'_>)) -> Result {
    let (&len, rest) = bytes.split_first_chunk::<4>().ok_or(Error::BadData)?;
    let (_tail, rest) = rest.split_first_chunk::<4>().ok_or(Error::BadData)?;
    let (&count, mut rest) = rest.split_first_chunk::<2>().ok_or(Error::BadData)?;
    if u32::from_le_bytes(len) as usize != bytes.len() {
        return Err(Error::BadData);
    }
    let (mut seen, mut before) = (0, 0);
    while rest != [END] {
        let (before_said, head) = match *rest.first().ok_or(Error::BadData)? {
            LONG => (rest.get(1..5).and_then(<[u8]>::first_chunk).map(|len| u32::from_le_bytes(*len) as usize), 5),
            len => (Some(len as usize), 1),
        };
        let (value, len) = rest.get(head..).and_then(entry).ok_or(Error::BadData)?;
        if before_said != Some(before) {
            return Err(Error::BadData);
        }
        before = head + len;
        rest = &rest[before..];
        take(value);
        seen += 1;
    }
    let count = u16::from_le_bytes(count);
    if count == COUNT_UNKNOWN || count as usize == seen { Ok(()) } else { Err(Error::BadData) }
}

/// The element that begins behind the length of the one before, and its bytes.
fn entry(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    let text = |head: usize, len: usize| {
        let end = head.checked_add(len)?;
        Some((Value::Text(bytes.get(head..end)?), end))
    };
    let integer = |len: usize| Some((Value::Integer(signed(bytes.get(1..1 + len)?)), 1 + len));
    match *bytes.first()? {
        head @ 0..=0x3f => text(1, head as usize),
        head @ 0x40..=0x7f => text(2, (head as usize & 0x3f) << 8 | *bytes.get(1)? as usize),
        0x80 => text(5, u32::from_be_bytes(*bytes.get(1..5)?.first_chunk()?) as usize),
        0xc0 => integer(2),
        0xd0 => integer(4),
        0xe0 => integer(8),
        0xf0 => integer(3),
        0xfe => integer(1),
        head @ 0xf1..=0xfd => Some((Value::Integer(i64::from(head & 0x0f) - 1), 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ziplist(count: u16, entries: &[u8]) -> Vec<u8> {
        let len = (entries.len() + 11) as u32;
        [&len.to_le_bytes()[..], &[0; 4], &count.to_le_bytes(), entries, &[END]].concat()
    }

    #[test]
    fn each_kind_of_entry_is_read() {
        let long = [&[0xfe, 0x03, 0, 0, 0, 0x40, 0x41][..], &[b'x'; 65]].concat();
        let entries = [&b"\x00\x01a\x03\xf1\x02\xfd\x02\xfe\x80"[..], &long].concat();
        let mut back = Vec::new();
        assert_eq!(read(&ziplist(5, &entries), |value| back.push(value.to_vec())), Ok(()));
        assert_eq!(back, [&b"a"[..], b"0", b"12", b"-128", &[b'x'; 65]]);
        assert_eq!(read(&ziplist(4, &entries), |_| ()), Err(Error::BadData));
        assert_eq!(read(&ziplist(1, b"\x01\x01a"), |_| ()), Err(Error::BadData));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..60), count: u16) {
            let _ = read(&ziplist(count, &body), |_| ());
            let _ = read(&body, |_| ());
        }
    }
}
