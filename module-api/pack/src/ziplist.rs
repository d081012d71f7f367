//! The ziplist of Redis before 7, in which files and payloads carried small collections. It is only
//! read.
//!
//! ```text
//!   [ bytes u32 ][ tail u32 ][ elements u16 ] [ length of the one before ][ element ] ... [ ff ]
//!
//!   00xxxxxx                 text of up to 63 bytes
//!   01xxxxxx xxxxxxxx        text of up to 16,383 bytes
//!   10......                 text, its length u32, big-endian
//!   11000000                 integer of 2 bytes        11110000   of 3
//!   11010000                 of 4                      11111110   of 1
//!   11100000                 of 8                      1111xxxx   x - 1, for x from 1 to 13
//! ```
//!
//! The length before an element is one byte, or fe and a u32. The tail is where the last element
//! begins: who reads all does not need it, and refuses one where nothing begins that ends at the end, as
//! Redis does.
//!
//! Source: the RDB file format, <https://rdb.fnordig.de/file_format.html#ziplist-encoding>.

use crate::frame::{integer, text};
use crate::{Malformed, Reader, Value};

const HEADER_BYTES: usize = 10;
/// The length of one byte that says that four more bytes are it.
const LONG: u8 = 0xfe;

/// The elements of a ziplist from outside.
///
/// # Errors
/// When the length, the tail or the end mark are wrong; the elements are looked at as they are read.
pub fn read(bytes: &[u8]) -> Result<Reader<'_>, Malformed> {
    let reader = Reader::new::<HEADER_BYTES>(bytes, entry)?;
    if is_tail_right(bytes) { Ok(reader) } else { Err(Malformed) }
}

/// Whether an element begins at the tail which takes all that is left before the end mark, if there are any.
fn is_tail_right(bytes: &[u8]) -> bool {
    let end = bytes.len().saturating_sub(1);
    let Some(tail) = bytes.get(4..8).and_then(<[u8]>::first_chunk) else { return false };
    let tail = u32::from_le_bytes(*tail) as usize;
    let takes = |entry: &[u8]| Some(before(entry)?.1).and_then(|head| Some(head + element(entry.get(head..)?)?.1));
    let all = |entry: &[u8]| takes(entry) == Some(entry.len());
    end == HEADER_BYTES || tail >= HEADER_BYTES && bytes.get(tail..end).is_some_and(all)
}

/// The length before an element, and how many bytes say it.
fn before(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.first()? {
        LONG => Some((u32::from_le_bytes(*bytes.get(1..5)?.first_chunk()?) as usize, 5)),
        short if short < LONG => Some((short as usize, 1)),
        _ => None,
    }
}

/// The element that the bytes begin with, and how many it takes, with the length before it.
fn entry(bytes: &[u8], len_before: usize) -> Option<(Value<'_>, usize)> {
    let (named, head) = before(bytes)?;
    if named != len_before {
        return None;
    }
    let (value, len) = element(&bytes[head..])?;
    Some((value, head + len))
}

fn element(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    match *bytes.first()? {
        head @ 0..=0x3f => text(bytes, 1, head as usize),
        head @ 0x40..=0x7f => text(bytes, 2, (head as usize & 0x3f) << 8 | *bytes.get(1)? as usize),
        0x80..=0xbf => text(bytes, 5, u32::from_be_bytes(*bytes.get(1..5)?.first_chunk()?) as usize),
        0xc0 => integer(bytes, 2),
        0xd0 => integer(bytes, 4),
        0xe0 => integer(bytes, 8),
        0xf0 => integer(bytes, 3),
        0xfe => integer(bytes, 1),
        head @ 0xf1..=0xfd => Some((Value::Integer(i64::from(head & 0x0f) - 1), 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::{framed, texts};
    use proptest::prelude::*;

    /// Elements in their frame, with a tail that fits if there is one.
    fn zipped(count: u16, elements: &[u8]) -> Vec<u8> {
        let mut bytes = framed(HEADER_BYTES, count, elements);
        for tail in (HEADER_BYTES..bytes.len()).rev() {
            bytes[4..8].copy_from_slice(&(tail as u32).to_le_bytes());
            if is_tail_right(&bytes) {
                break;
            }
        }
        bytes
    }

    fn read_all(count: u16, elements: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
        texts(read(&zipped(count, elements)))
    }

    #[test]
    fn a_tail_where_no_element_begins_is_refused() {
        let elements = b"\x00\x02_1\x04\xf2";
        assert!(read(&zipped(2, elements)).is_ok());
        for tail in [0, 2, 9, 10, 11, 13, 15, 16, u32::MAX] {
            let mut bytes = zipped(2, elements);
            bytes[4..8].copy_from_slice(&tail.to_le_bytes());
            assert_eq!(texts(read(&bytes)), Err(Malformed), "{tail}");
        }
    }

    #[test]
    fn every_kind_of_element_is_read() {
        let mut elements = vec![0, 3, b'a', b'b', b'c'];
        elements.extend([5, 0x40, 2, b'x', b'y']);
        elements.extend([0xfe, 5, 0, 0, 0, 0x80, 0, 0, 0, 1, b'z']);
        elements.extend([11, 0xc0, 0xff, 0xff]);
        elements.extend([4, 0xd0, 0, 0, 1, 0]);
        elements.extend([6, 0xe0, 1, 0, 0, 0, 0, 0, 0, 0x80]);
        elements.extend([10, 0xf0, 0, 0, 0x80]);
        elements.extend([5, 0xfe, 0x80]);
        elements.extend([3, 0xf1, 2, 0xfd, 2, 1, b'7', 3, 0x41, 0x2c]);
        elements.extend([b'y'; 300]);
        elements.extend([0xfe, 0x2f, 0x01, 0, 0, 1, b'd']);
        let short = ["abc", "xy", "z", "-1", "65536", "-9223372036854775807", "-8388608", "-128", "0", "12", "7"];
        let long = "y".repeat(300);
        let expected: Vec<Vec<u8>> =
            short.into_iter().chain([&*long, "d"]).map(|text| text.as_bytes().to_vec()).collect();
        assert_eq!(read_all(13, &elements), Ok(expected.clone()));
        assert_eq!(read_all(u16::MAX, &elements), Ok(expected));
        assert_eq!(read_all(12, &elements), Err(Malformed));
        assert_eq!(read_all(14, &elements), Err(Malformed));
    }

    #[test]
    fn a_text_that_spells_an_integer_is_read_as_one() {
        assert_eq!(read(&zipped(1, b"\x00\x0277")).unwrap().next(), Some(Ok(Value::Integer(77))));
    }

    #[test]
    fn a_wrong_length_before_an_element_is_refused() {
        assert_eq!(read_all(1, b"\x01\x01a"), Err(Malformed));
        assert_eq!(read_all(2, b"\x00\x01a\x02\x01b"), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..80), count: u16) {
            let _ = read_all(count, &body);
            let _ = texts(read(&body));
        }

        #[test]
        fn short_texts_read_back(short in proptest::collection::vec("[a-z]{0,60}", 0..20), at: prop::sample::Index, byte: u8) {
            let (mut elements, mut before) = (Vec::new(), 0);
            for text in &short {
                elements.extend([before, text.len() as u8]);
                elements.extend(text.as_bytes());
                before = 2 + text.len() as u8;
            }
            let expected = short.iter().map(|text| text.as_bytes().to_vec()).collect();
            prop_assert_eq!(read_all(short.len() as u16, &elements), Ok(expected));
            if !elements.is_empty() {
                let at = at.index(elements.len());
                elements[at] = byte;
                let _ = read_all(short.len() as u16, &elements);
            }
        }
    }
}
