//! The listpack of Redis, in which files and payloads carry small collections.
//!
//! ```text
//!   [ bytes u32 ][ elements u16 ] [ element ][ its length ] ... [ ff ]
//!
//!   0xxxxxxx                 integer 0 to 127
//!   10xxxxxx                 text of up to 63 bytes
//!   110xxxxx xxxxxxxx        integer of 13 bits
//!   1110xxxx xxxxxxxx        text of up to 4,095 bytes
//!   11110000                 text, its length u32
//!   11110001 .. 11110100     integer of 2, 3, 4 or 8 bytes
//! ```
//!
//! The length behind an element is that of head and text, in groups of seven bits, the highest
//! first; all but the first have their top bit set. 65,535 elements mean "not counted".
//!
//! Source: <https://github.com/antirez/listpack/blob/master/listpack.md>.

use crate::frame::{END, UNCOUNTED, integer, text};
use crate::{Malformed, Reader, Value, parse_integer};

const HEADER_BYTES: usize = 6;

/// Bytes of a listpack without elements: its header and its end.
pub const EMPTY_BYTES: usize = HEADER_BYTES + 1;

/// Builds a listpack.
pub struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

impl Default for Writer {
    fn default() -> Writer {
        Writer::with_capacity(0)
    }
}

impl Writer {
    /// An empty one, with room for elements of so many bytes.
    pub fn with_capacity(element_bytes: usize) -> Writer {
        let mut bytes = Vec::with_capacity(EMPTY_BYTES + element_bytes);
        bytes.resize(HEADER_BYTES, 0);
        Writer { bytes, count: 0 }
    }

    /// Adds an element at the end; a text that spells an integer as that integer.
    pub fn push(&mut self, value: Value<'_>) {
        let start = self.bytes.len();
        match value {
            Value::Integer(integer) => self.integer(integer),
            Value::Text(text) => match parse_integer(text) {
                Some(integer) => self.integer(integer),
                None => self.text(text),
            },
        }
        self.back_length(self.bytes.len() - start);
        self.count += 1;
    }

    fn integer(&mut self, integer: i64) {
        let le = integer.to_le_bytes();
        let fits = |bits: u32| integer >= -(1 << (bits - 1)) && integer < 1 << (bits - 1);
        match integer {
            0..=127 => self.bytes.push(integer as u8),
            _ if fits(13) => self.bytes.extend([0xc0 | (integer >> 8) as u8 & 0x1f, integer as u8]),
            _ if fits(16) => self.sized(0xf1, &le[..2]),
            _ if fits(24) => self.sized(0xf2, &le[..3]),
            _ if fits(32) => self.sized(0xf3, &le[..4]),
            _ => self.sized(0xf4, &le),
        }
    }

    fn sized(&mut self, head: u8, bytes: &[u8]) {
        self.bytes.push(head);
        self.bytes.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &[u8]) {
        let len = text.len();
        match len {
            0..=63 => self.bytes.push(0x80 | len as u8),
            64..=4095 => self.bytes.extend([0xe0 | (len >> 8) as u8, len as u8]),
            _ => self.sized(0xf0, &(len as u32).to_le_bytes()),
        }
        self.bytes.extend_from_slice(text);
    }

    fn back_length(&mut self, len: usize) {
        for group in (0..back_length_bytes(len)).rev() {
            let more = if group + 1 == back_length_bytes(len) { 0 } else { 0x80 };
            self.bytes.push((len >> (7 * group)) as u8 & 0x7f | more);
        }
    }

    /// The whole.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let len = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&len.to_le_bytes());
        let count = u16::try_from(self.count).unwrap_or(UNCOUNTED);
        self.bytes[4..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
        self.bytes
    }
}

/// Bytes of the length behind an element of `len` bytes. Redis makes it longer one byte before it
/// has to.
#[inline]
fn back_length_bytes(len: usize) -> usize {
    match len {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    }
}

/// Bytes that an element takes; of a text, if it spells no integer.
#[inline]
pub fn element_bytes(value: Value<'_>) -> usize {
    let len = match value {
        Value::Integer(0..=127) => 1,
        Value::Integer(-4096..=4095) => 2,
        Value::Integer(-32_768..=32_767) => 3,
        Value::Integer(-8_388_608..=8_388_607) => 4,
        Value::Integer(integer) if i32::try_from(integer).is_ok() => 5,
        Value::Integer(_) => 9,
        Value::Text(text) => match text.len() {
            len @ 0..=63 => 1 + len,
            len @ 64..=4095 => 2 + len,
            len => 5 + len,
        },
    };
    len + back_length_bytes(len)
}

/// The elements of a listpack from outside.
///
/// # Errors
/// When the length or the end mark are wrong; the elements are looked at as they are read.
pub fn read(bytes: &[u8]) -> Result<Reader<'_>, Malformed> {
    Reader::new::<HEADER_BYTES>(bytes, entry)
}

/// The element that the bytes begin with, and how many it takes, with the length behind it.
fn entry(bytes: &[u8], _before: usize) -> Option<(Value<'_>, usize)> {
    let (value, len) = element(bytes)?;
    let end = len.checked_add(back_length_bytes(len))?;
    let named = bytes.get(len..end)?.iter().fold(0, |named, byte| named << 7 | (byte & 0x7f) as usize);
    (named == len).then_some((value, end))
}

fn element(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    match *bytes.first()? {
        head @ 0..=0x7f => Some((Value::Integer(i64::from(head)), 1)),
        head @ 0x80..=0xbf => text(bytes, 1, head as usize & 0x3f),
        head @ 0xc0..=0xdf => {
            let raw = u16::from_be_bytes([head & 0x1f, *bytes.get(1)?]);
            // Thirteen bits with their sign.
            Some((Value::Integer(i64::from((raw << 3) as i16 >> 3)), 2))
        }
        head @ 0xe0..=0xef => text(bytes, 2, (head as usize & 0x0f) << 8 | *bytes.get(1)? as usize),
        0xf0 => text(bytes, 5, u32::from_le_bytes(*bytes.get(1..5)?.first_chunk()?) as usize),
        0xf1 => integer(bytes, 2),
        0xf2 => integer(bytes, 3),
        0xf3 => integer(bytes, 4),
        0xf4 => integer(bytes, 8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::{framed, texts};
    use proptest::prelude::*;

    fn written(elements: &[Vec<u8>]) -> Vec<u8> {
        let mut writer = Writer::default();
        elements.iter().for_each(|text| writer.push(Value::Text(text)));
        writer.finish()
    }

    #[test]
    fn a_listpack_is_what_redis_writes() {
        let elements: Vec<Vec<u8>> = ["a", "1", "-1", "5000", "70000"].map(|text| text.as_bytes().to_vec()).into();
        let expected: &[u8] = b"\x18\0\0\0\x05\0\x81a\x02\x01\x01\xdf\xff\x02\xf1\x88\x13\x03\xf2\x70\x11\x01\x04\xff";
        assert_eq!(written(&elements), expected);
    }

    #[test]
    fn every_kind_of_element_is_read() {
        let mut elements = vec![
            5, 1, 0x81, b'a', 2, 0xdf, 0xff, 2, 0xc1, 0x00, 2, 0xf1, 0x00, 0x80, 3, 0xf2, 1, 0, 0x80, 4, 0xf3, 1, 0, 0,
            0x80, 5, 0xf4, 1, 0, 0, 0, 0, 0, 0, 0x80, 9, 0xe1, 0x2c,
        ];
        elements.extend([b'y'; 300]);
        elements.extend([0x02, 0xae, 0xf0, 2, 0, 0, 0, b'z', b'z', 7]);
        let long = "y".repeat(300);
        let short = ["5", "a", "-1", "256", "-32768", "-8388607", "-2147483647", "-9223372036854775807"];
        let expected: Vec<Vec<u8>> =
            short.into_iter().chain([&*long, "zz"]).map(|text| text.as_bytes().to_vec()).collect();
        for (count, expected) in
            [(10, Ok(&expected)), (u16::MAX, Ok(&expected)), (9, Err(Malformed)), (11, Err(Malformed))]
        {
            assert_eq!(
                texts(read(&framed(HEADER_BYTES, count, &elements))).as_ref(),
                expected.as_ref().map(|all| *all)
            );
        }
    }

    #[test]
    fn a_text_that_spells_an_integer_is_read_as_one() {
        let bytes = framed(HEADER_BYTES, 1, b"\x8277\x03");
        assert_eq!(read(&bytes).unwrap().next(), Some(Ok(Value::Integer(77))));
    }

    #[test]
    fn elements_of_every_size_read_back_from_where_redis_looks_for_them() {
        let sizes = [0, 1, 63, 64, 125, 126, 127, 4095, 4096, 16_377, 16_378, 16_384, 70_000, 2_097_146];
        let elements = sizes.map(|size| vec![b'x'; size]);
        let bytes = written(&elements);
        let foretold: usize = elements.iter().map(|text| element_bytes(Value::Text(text))).sum();
        assert_eq!(bytes.len(), EMPTY_BYTES + foretold);
        assert_eq!(texts(read(&bytes)), Ok(elements.to_vec()));
        // 16,383 bytes of head and text, for which two groups of seven bits would do.
        assert_eq!(element_bytes(Value::Text(&elements[10])), 16_383 + 3);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_at_the_length_foretold(all in proptest::collection::vec(prop_oneof![
            any::<(i64, u8)>().prop_map(|(integer, shift)| (integer >> (shift % 64)).to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..200),
            (4000usize..20_000).prop_map(|len| vec![b'x'; len]),
        ], 0..20), at: prop::sample::Index, byte: u8) {
            let mut bytes = written(&all);
            let value = |text| parse_integer(text).map_or(Value::Text(text), Value::Integer);
            prop_assert_eq!(bytes.len(), EMPTY_BYTES + all.iter().map(|text| element_bytes(value(text))).sum::<usize>());
            prop_assert_eq!(texts(read(&bytes)), Ok(all));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = texts(read(&bytes));
        }

        #[test]
        fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..80), count in prop_oneof![0u16..8, any::<u16>()]) {
            let _ = texts(read(&framed(HEADER_BYTES, count, &body)));
            let _ = texts(read(&body));
        }
    }
}
