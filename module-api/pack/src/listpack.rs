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

use crate::{Malformed, Value, parse_integer};

const HEADER_BYTES: usize = 6;
const END: u8 = 0xff;
const UNCOUNTED: usize = 65_535;

/// Builds a listpack.
pub struct Writer {
    bytes: Vec<u8>,
    count: usize,
}

impl Default for Writer {
    fn default() -> Writer {
        Writer::new()
    }
}

impl Writer {
    /// An empty one.
    pub fn new() -> Writer {
        Writer { bytes: vec![0; HEADER_BYTES], count: 0 }
    }

    /// Adds an element at the end; a text that spells an integer as that integer.
    pub fn push(&mut self, value: Value<'_>) {
        let start = self.bytes.len();
        match value.integer() {
            Some(integer) => self.integer(integer),
            None => self.text(value),
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

    fn text(&mut self, value: Value<'_>) {
        let Value::Text(text) = value else { return };
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
        let count = self.count.min(UNCOUNTED) as u16;
        self.bytes[4..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
        self.bytes
    }
}

/// Bytes of the length behind an element of `len` bytes.
fn back_length_bytes(len: usize) -> usize {
    match len {
        0..128 => 1,
        128..16_384 => 2,
        16_384..2_097_152 => 3,
        2_097_152..268_435_456 => 4,
        _ => 5,
    }
}

/// Reads the elements of a listpack from outside.
pub struct Reader<'b> {
    rest: &'b [u8],
    left: Option<usize>,
}

impl<'b> Reader<'b> {
    /// Looks at the header, and that the end is where it says.
    ///
    /// # Errors
    /// When the length or the end mark are wrong.
    pub fn new(bytes: &'b [u8]) -> Result<Reader<'b>, Malformed> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Malformed)?;
        let &[a, b, c, d, low, high] = header;
        let (&END, rest) = rest.split_last().ok_or(Malformed)? else { return Err(Malformed) };
        if u32::from_le_bytes([a, b, c, d]) as usize != bytes.len() {
            return Err(Malformed);
        }
        let count = u16::from_le_bytes([low, high]) as usize;
        Ok(Reader { rest, left: (count != UNCOUNTED).then_some(count) })
    }

    /// The next element; `None` at the end.
    ///
    /// # Errors
    /// When there is none, or another number of them than the header says.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Value<'b>>, Malformed> {
        if self.rest.is_empty() {
            return if self.left.unwrap_or(0) == 0 { Ok(None) } else { Err(Malformed) };
        }
        let (value, len) = read(self.rest).ok_or(Malformed)?;
        let back = self.rest.get(len..len + back_length_bytes(len)).ok_or(Malformed)?;
        let named = back.iter().fold(0, |named, byte| named << 7 | (byte & 0x7f) as usize);
        if named != len {
            return Err(Malformed);
        }
        self.rest = &self.rest[len + back.len()..];
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1).ok_or(Malformed)?;
        }
        Ok(Some(value))
    }
}

/// The element that the bytes begin with, and how many it takes without the length behind it.
fn read(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    let &head = bytes.first()?;
    let (start, len): (usize, usize) = match head {
        0..=0x7f => return Some((Value::Integer(i64::from(head)), 1)),
        0x80..=0xbf => (1, (head & 0x3f) as usize),
        0xc0..=0xdf => {
            let raw = u16::from_be_bytes([head & 0x1f, *bytes.get(1)?]);
            return Some((Value::Integer(i64::from((raw << 3) as i16 >> 3)), 2));
        }
        0xe0..=0xef => (2, ((head & 0xf) as usize) << 8 | *bytes.get(1)? as usize),
        0xf0 => (5, u32::from_le_bytes(*bytes.get(1..5)?.first_chunk()?) as usize),
        0xf1..=0xf4 => {
            let width = [2, 3, 4, 8][(head - 0xf1) as usize];
            let mut wide = [0; 8];
            wide[8 - width..].copy_from_slice(bytes.get(1..1 + width)?);
            return Some((Value::Integer(i64::from_le_bytes(wide) >> (64 - 8 * width)), 1 + width));
        }
        _ => return None,
    };
    let text = bytes.get(start..start.checked_add(len)?)?;
    let value = parse_integer(text).map_or(Value::Text(text), Value::Integer);
    Some((value, start + len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_all(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
        let mut reader = Reader::new(bytes)?;
        let mut all = Vec::new();
        while let Some(value) = reader.next()? {
            all.push(value.to_vec());
        }
        Ok(all)
    }

    #[test]
    fn a_listpack_is_what_redis_writes() {
        let mut writer = Writer::new();
        for text in [&b"a"[..], b"1", b"-1", b"5000", b"70000"] {
            writer.push(Value::Text(text));
        }
        let expected: &[u8] = b"\x1c\0\0\0\x05\0\x81a\x02\x01\x01\xdf\xff\x02\xf1\x88\x13\x03\xf2\x70\x11\x01\x04\xff";
        let written = writer.finish();
        assert_eq!(written[4..], expected[4..]);
        assert_eq!(written[0] as usize, written.len());
    }

    #[test]
    fn elements_of_every_size_read_back() {
        let mut writer = Writer::new();
        let sizes = [0, 1, 63, 64, 125, 126, 127, 4095, 4096, 16_384, 70_000];
        let texts: Vec<Vec<u8>> = sizes.iter().map(|&size| vec![b'x'; size]).collect();
        texts.iter().for_each(|text| writer.push(Value::Text(text)));
        assert_eq!(read_all(&writer.finish()), Ok(texts));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(integers in proptest::collection::vec(any::<i64>(), 0..20), shift in 0u32..64) {
            let mut writer = Writer::new();
            integers.iter().for_each(|integer| writer.push(Value::Integer(integer >> shift)));
            let texts: Vec<Vec<u8>> = integers.iter().map(|n| (n >> shift).to_string().into_bytes()).collect();
            prop_assert_eq!(read_all(&writer.finish()), Ok(texts));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..80), count in 0u16..8) {
            let mut bytes = vec![0; HEADER_BYTES];
            bytes.extend(&body);
            bytes.push(END);
            let len = bytes.len() as u32;
            bytes[..4].copy_from_slice(&len.to_le_bytes());
            bytes[4..6].copy_from_slice(&count.to_le_bytes());
            let _ = read_all(&bytes);
            let _ = read_all(&body);
        }
    }
}
