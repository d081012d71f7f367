//! Listpacks: the compact lists in which Redis 7 saves small hashes.
//!
//! ```text
//!   [ bytes, u32 ][ elements, u16 ] { [ head ][ data ][ length of both, backwards ] } [ ff ]
//!
//!   0xxxxxxx            an integer of 7 bits          f1 f2 f3 f4   one of 2, 3, 4, 8 bytes
//!   110xxxxx xxxxxxxx   a signed one of 13 bits
//!   10xxxxxx            a text of up to 63 bytes      f0            one with a length of 4 bytes
//!   1110xxxx xxxxxxxx   one of up to 4095
//! ```
//!
//! Numbers are little-endian, but for those in heads. Source: <https://github.com/antirez/listpack/blob/master/listpack.md>.

use plinth_module::pack::{Malformed, Value};

/// Bytes before the elements.
const HEADER_BYTES: usize = 6;
/// The byte behind the last element.
const END: u8 = 0xff;

/// Hands every element to `visit`.
///
/// # Errors
/// When the bytes are not one whole listpack, or `visit` says so.
pub(super) fn read<'l>(
    bytes: &'l [u8],
    mut visit: impl FnMut(Value<'l>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let total = bytes.first_chunk().map(|total| u32::from_le_bytes(*total) as usize);
    if total != Some(bytes.len()) || bytes.len() <= HEADER_BYTES {
        return Err(Malformed);
    }
    let mut rest = &bytes[HEADER_BYTES..];
    while rest != [END] {
        let (value, len) = element(rest).ok_or(Malformed)?;
        rest = rest.get(len + back_len(len)..).ok_or(Malformed)?;
        visit(value)?;
    }
    Ok(())
}

/// The element at the beginning, and the bytes of head and data.
fn element(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    let text = |head: usize, len: usize| Some((Value::Text(bytes.get(head..head.checked_add(len)?)?), head + len));
    let integer = |len: usize| {
        let data = bytes.get(1..1 + len)?;
        let mut wide = [if data[len - 1] & 0x80 != 0 { 0xff } else { 0 }; 8];
        wide[..len].copy_from_slice(data);
        Some((Value::Integer(i64::from_le_bytes(wide)), 1 + len))
    };
    let &head = bytes.first()?;
    let low = |mask: u8| Some((usize::from(head & mask) << 8) | usize::from(*bytes.get(1)?));
    match head {
        0..=0x7f => Some((Value::Integer(i64::from(head)), 1)),
        0x80..=0xbf => text(1, usize::from(head & 0x3f)),
        0xc0..=0xdf => {
            let value = low(0x1f)? as i64;
            Some((Value::Integer(if value >= 1 << 12 { value - (1 << 13) } else { value }), 2))
        }
        0xe0..=0xef => text(2, low(0x0f)?),
        0xf0 => text(5, u32::from_le_bytes(*bytes.get(1..5)?.first_chunk()?) as usize),
        0xf1 => integer(2),
        0xf2 => integer(3),
        0xf3 => integer(4),
        0xf4 => integer(8),
        _ => None,
    }
}

/// Bytes of the length that stands behind an element.
fn back_len(len: usize) -> usize {
    match len {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    }
}

/// A listpack that is being written.
pub(super) struct Listpack {
    bytes: Vec<u8>,
    count: usize,
}

impl Listpack {
    /// One without elements.
    pub(super) fn new(capacity: usize) -> Listpack {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + capacity + 1);
        bytes.resize(HEADER_BYTES, 0);
        Listpack { bytes, count: 0 }
    }

    /// Appends an element; a text that spells an integer becomes one.
    pub(super) fn push(&mut self, value: Value<'_>) {
        let start = self.bytes.len();
        match (value.integer(), value) {
            (Some(integer), _) => self.integer(integer),
            (None, Value::Text(text)) => self.text(text),
            (None, Value::Integer(_)) => {}
        }
        let len = self.bytes.len() - start;
        let width = back_len(len);
        for at in (0..width).rev() {
            let group = (len >> (7 * at)) as u8 & 0x7f;
            self.bytes.push(if at + 1 == width { group } else { group | 0x80 });
        }
        self.count += 1;
    }

    fn integer(&mut self, value: i64) {
        let data = value.to_le_bytes();
        let (head, len) = match value {
            0..=127 => return self.bytes.push(value as u8),
            -4096..=4095 => {
                let bits = (value & 0x1fff) as u16;
                return self.bytes.extend([0xc0 | (bits >> 8) as u8, bits as u8]);
            }
            -0x8000..=0x7fff => (0xf1, 2),
            -0x80_0000..=0x7f_ffff => (0xf2, 3),
            -0x8000_0000..=0x7fff_ffff => (0xf3, 4),
            _ => (0xf4, 8),
        };
        self.bytes.push(head);
        self.bytes.extend(&data[..len]);
    }

    fn text(&mut self, text: &[u8]) {
        match text.len() {
            len @ 0..=63 => self.bytes.push(0x80 | len as u8),
            len @ 64..=4095 => self.bytes.extend([0xe0 | (len >> 8) as u8, len as u8]),
            len => {
                self.bytes.push(0xf0);
                self.bytes.extend((len as u32).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(text);
    }

    /// The whole.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let total = self.bytes.len() as u32;
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        // More elements than fit are said by the greatest number, and counted by who reads.
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        self.bytes[4..6].copy_from_slice(&count.to_le_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn elements(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
        let mut all = Vec::new();
        read(bytes, |value| {
            all.push(value.to_vec());
            Ok(())
        })?;
        Ok(all)
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(texts in proptest::collection::vec(prop_oneof![
            any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
            (-5000i64..5000).prop_map(|integer| integer.to_string().into_bytes()),
            (-9_000_000i64..9_000_000).prop_map(|integer| integer.to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::collection::vec(any::<u8>(), 4090..4100),
            proptest::collection::vec(any::<u8>(), 16_370..16_390),
        ], 0..12)) {
            let mut listpack = Listpack::new(0);
            texts.iter().for_each(|text| listpack.push(Value::Text(text)));
            prop_assert_eq!(elements(&listpack.finish()), Ok(texts));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = elements(&bytes);
            let total = bytes.len() as u32;
            if let Some(to) = bytes.first_chunk_mut() {
                *to = total.to_le_bytes();
            }
            if let Some(last) = bytes.last_mut() {
                *last = END;
            }
            let _ = elements(&bytes);
        }
    }
}
