//! Listpacks, as Redis 7 writes them into files.
//!
//! ```text
//!   [ bytes u32 ][ count u16 ][ entry ] ... [ entry ][ ff ]         little-endian; count ffff: unknown
//!
//!   entry      [ head ][ text or integer ][ length of both, backwards ]
//!   0xxxxxxx   integer 0 to 127              11110001   i16
//!   10xxxxxx   text of up to 63 bytes        11110010   24-bit integer
//!   110xxxxx   13-bit integer, + 1 byte      11110011   i32
//!   1110xxxx   text of up to 4095, + 1 byte  11110100   i64
//!   11110000   longer text, + 4 bytes
//! ```
//!
//! Source: <https://github.com/antirez/listpack/blob/master/listpack.md>.

use crate::limit::{back_len, listpack_len};
use plinth_module::pack::Value;
use plinth_module::prelude::{Error, Result};

const HEAD_BYTES: usize = 6;
const END: u8 = 0xff;
/// A count that says that there are more elements than it can hold.
const COUNT_UNKNOWN: u16 = u16::MAX;

/// A listpack that is being written.
pub struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

impl Default for Writer {
    fn default() -> Writer {
        Writer { bytes: vec![0; HEAD_BYTES], count: 0 }
    }
}

impl Writer {
    /// Adds an element.
    pub fn push(&mut self, value: Value<'_>) {
        let before = self.bytes.len();
        let put = |bytes: &mut Vec<u8>, head: u8, rest: &[u8]| {
            bytes.push(head);
            bytes.extend_from_slice(rest);
        };
        match value {
            Value::Integer(integer @ 0..=127) => self.bytes.push(integer as u8),
            Value::Integer(integer @ -4096..=4095) => {
                put(&mut self.bytes, 0xc0 | (integer >> 8) as u8 & 0x1f, &[integer as u8]);
            }
            Value::Integer(integer) => {
                let (head, len) = match listpack_len(value) {
                    4 => (0xf1, 2),
                    5 => (0xf2, 3),
                    6 => (0xf3, 4),
                    _ => (0xf4, 8),
                };
                put(&mut self.bytes, head, &integer.to_le_bytes()[..len]);
            }
            Value::Text(text) => {
                match text.len() {
                    len @ 0..=63 => self.bytes.push(0x80 | len as u8),
                    len @ 64..=4095 => put(&mut self.bytes, 0xe0 | (len >> 8) as u8, &[len as u8]),
                    len => put(&mut self.bytes, 0xf0, &(len as u32).to_le_bytes()),
                }
                self.bytes.extend_from_slice(text);
            }
        }
        put_back_len(&mut self.bytes, before);
        self.count += 1;
    }

    /// Number of elements so far.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Bytes so far, with the end.
    pub fn len(&self) -> usize {
        self.bytes.len() + 1
    }

    /// Whether there is no element yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The listpack.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let len = self.bytes.len() as u32;
        let count = u16::try_from(self.count).unwrap_or(COUNT_UNKNOWN);
        self.bytes[..4].copy_from_slice(&len.to_le_bytes());
        self.bytes[4..6].copy_from_slice(&count.to_le_bytes());
        self.bytes
    }
}

/// Appends the length of what lies from `from` on: groups of seven bits, the highest first, all but
/// the first marked.
fn put_back_len(bytes: &mut Vec<u8>, from: usize) {
    let len = bytes.len() - from;
    let groups = back_len(len);
    for group in (0..groups).rev() {
        let mark = if group == groups - 1 { 0 } else { 0x80 };
        bytes.push((len >> (7 * group)) as u8 & 0x7f | mark);
    }
}

/// Hands the elements of a listpack from outside to `take`. Fails with `BadData` for anything else,
/// after some elements maybe.
pub fn read(bytes: &[u8], mut take: impl FnMut(Value<'_>)) -> Result {
    let (&len, rest) = bytes.split_first_chunk::<4>().ok_or(Error::BadData)?;
    let (&count, mut rest) = rest.split_first_chunk::<2>().ok_or(Error::BadData)?;
    if u32::from_le_bytes(len) as usize != bytes.len() {
        return Err(Error::BadData);
    }
    let mut seen = 0;
    while rest != [END] {
        let (value, len) = entry(rest).ok_or(Error::BadData)?;
        let mut back = rest[..len].to_vec();
        put_back_len(&mut back, 0);
        if !rest.starts_with(&back) {
            return Err(Error::BadData);
        }
        rest = &rest[back.len()..];
        take(value);
        seen += 1;
    }
    let count = u16::from_le_bytes(count);
    if count == COUNT_UNKNOWN || count as usize == seen { Ok(()) } else { Err(Error::BadData) }
}

/// The element that an entry begins with, and the bytes of its head and content.
fn entry(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    let text = |head: usize, len: usize| {
        let end = head.checked_add(len)?;
        Some((Value::Text(bytes.get(head..end)?), end))
    };
    let integer = |len: usize| Some((Value::Integer(signed(bytes.get(1..1 + len)?)), 1 + len));
    match *bytes.first()? {
        head @ 0..=0x7f => Some((Value::Integer(i64::from(head)), 1)),
        head @ 0x80..=0xbf => text(1, head as usize & 0x3f),
        head @ 0xc0..=0xdf => {
            let unsigned = i64::from(head & 0x1f) << 8 | i64::from(*bytes.get(1)?);
            Some((Value::Integer(if unsigned >= 4096 { unsigned - 8192 } else { unsigned }), 2))
        }
        head @ 0xe0..=0xef => text(2, (head as usize & 0x0f) << 8 | *bytes.get(1)? as usize),
        0xf0 => text(5, u32::from_le_bytes(*bytes.get(1..5)?.first_chunk()?) as usize),
        0xf1 => integer(2),
        0xf2 => integer(3),
        0xf3 => integer(4),
        0xf4 => integer(8),
        _ => None,
    }
}

/// A little-endian signed integer of up to eight bytes.
pub(crate) fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let mut wide = if negative { [0xff; 8] } else { [0; 8] };
    wide[..bytes.len()].copy_from_slice(bytes);
    i64::from_le_bytes(wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit;
    use plinth_module::pack::parse_integer;
    use proptest::prelude::*;

    fn value(text: &[u8]) -> Value<'_> {
        parse_integer(text).map_or(Value::Text(text), Value::Integer)
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let text = prop_oneof![
            any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
            (-9_000_000i64..9_000_000).prop_map(|integer| integer.to_string().into_bytes()),
            (-5000i64..5000).prop_map(|integer| integer.to_string().into_bytes()),
            prop::collection::vec(any::<u8>(), 0..200),
            (4000usize..20_000).prop_map(|len| vec![b'x'; len]),
        ];
        prop::collection::vec(text, 0..20)
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_at_the_length_foretold(texts in texts()) {
            let mut writer = Writer::default();
            texts.iter().for_each(|text| writer.push(value(text)));
            let foretold = limit::EMPTY_BYTES + texts.iter().map(|text| limit::text_len(text)).sum::<usize>();
            prop_assert_eq!((writer.count(), writer.len()), (texts.len(), foretold));
            let bytes = writer.finish();
            let mut back = Vec::new();
            prop_assert_eq!(read(&bytes, |value| back.push(value.to_vec())), Ok(()));
            prop_assert_eq!(back, texts);
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..60), count: u16) {
            let len = (body.len() + 6) as u32;
            let _ = read(&[&len.to_le_bytes()[..], &count.to_le_bytes(), &body].concat(), |_| ());
            let _ = read(&body, |_| ());
        }

        #[test]
        fn a_damaged_listpack_is_read_or_refused(texts in texts(), at: prop::sample::Index, byte: u8) {
            let mut writer = Writer::default();
            texts.iter().for_each(|text| writer.push(value(text)));
            let mut bytes = writer.finish();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = read(&bytes, |_| ());
        }
    }
}
