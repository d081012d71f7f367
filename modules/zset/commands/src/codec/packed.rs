//! Reads listpacks and ziplists: the runs of bytes in which Redis keeps small collections, and which
//! it writes to files as they are.
//!
//! ```text
//!   listpack   [ bytes, u32 ][ count, u16 ]             [ entry ] ... [ 255 ]
//!   entry      [ kind and length ][ text or integer ][ bytes before, backwards ]
//!
//!   ziplist    [ bytes, u32 ][ tail, u32 ][ count, u16 ][ entry ] ... [ 255 ]
//!   entry      [ bytes of the entry before ][ kind and length ][ text or integer ]
//! ```
//!
//! The bytes may come from anybody: what is not whole is [`Error::BadData`]. Counts and the lengths
//! to walk backwards by are not believed, and not needed.
//!
//! Sources: the listpack specification, <https://github.com/antirez/listpack/blob/master/listpack.md>;
//! ziplists in the RDB file format, <https://rdb.fnordig.de/file_format.html#ziplist-encoding>.

use plinth_module::pack::Value;
use plinth_module::prelude::*;

/// The byte behind the last entry.
const END: u8 = 255;

/// Entries that are read one after the other.
pub struct Packed<'p> {
    rest: &'p [u8],
    is_listpack: bool,
}

impl<'p> Packed<'p> {
    /// The entries of a listpack.
    pub fn listpack(bytes: &'p [u8]) -> Result<Packed<'p>> {
        Packed::behind(bytes, 6, true)
    }

    /// The entries of a ziplist.
    pub fn ziplist(bytes: &'p [u8]) -> Result<Packed<'p>> {
        Packed::behind(bytes, 10, false)
    }

    fn behind(bytes: &'p [u8], head: usize, is_listpack: bool) -> Result<Packed<'p>> {
        let len = bytes.first_chunk().map(|len| u32::from_le_bytes(*len));
        if len.is_none_or(|len| len as usize != bytes.len()) || bytes.last() != Some(&END) {
            return Err(Error::BadData);
        }
        Ok(Packed { rest: bytes.get(head..).ok_or(Error::BadData)?, is_listpack })
    }

    /// The next entry, or `None` behind the last. Fails with `BadData`.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Value<'p>>> {
        if self.rest == [END] {
            return Ok(None);
        }
        let value = if self.is_listpack { self.listpack_entry() } else { self.ziplist_entry() };
        value.map(Some).ok_or(Error::BadData)
    }

    fn take(&mut self, len: usize) -> Option<&'p [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    /// A little-endian integer with its sign.
    fn integer(&mut self, len: usize) -> Option<Value<'p>> {
        let mut word = [0; 8];
        word[8 - len..].copy_from_slice(self.take(len)?);
        Some(Value::Integer(i64::from_le_bytes(word) >> (64 - 8 * len)))
    }

    fn text(&mut self, len: usize) -> Option<Value<'p>> {
        self.take(len).map(Value::Text)
    }

    fn listpack_entry(&mut self) -> Option<Value<'p>> {
        let before = self.rest.len();
        let kind = self.byte()?;
        let low = |bits: u32| usize::from(kind & ((1 << bits) - 1));
        let value = match kind {
            0..=0x7f => Some(Value::Integer(i64::from(kind))),
            0x80..=0xbf => self.text(low(6)),
            0xc0..=0xdf => {
                let bits = low(5) << 8 | usize::from(self.byte()?);
                // Thirteen bits with their sign.
                Some(Value::Integer((bits as i64) << 51 >> 51))
            }
            0xe0..=0xef => {
                let len = low(4) << 8 | usize::from(self.byte()?);
                self.text(len)
            }
            0xf0 => {
                let len = u32::from_le_bytes(*self.take(4)?.first_chunk()?);
                self.text(len as usize)
            }
            0xf1 => self.integer(2),
            0xf2 => self.integer(3),
            0xf3 => self.integer(4),
            0xf4 => self.integer(8),
            _ => None,
        }?;
        // How many bytes it takes to say how long the entry is, seven bits in each.
        let mut len = (before - self.rest.len()) >> 7;
        let mut backwards = 1;
        while len > 0 {
            backwards += 1;
            len >>= 7;
        }
        self.take(backwards)?;
        Some(value)
    }

    fn ziplist_entry(&mut self) -> Option<Value<'p>> {
        match self.byte()? {
            254 => drop(self.take(4)?),
            255 => return None,
            _ => {}
        }
        let kind = self.byte()?;
        match kind {
            0..=0x3f => self.text(usize::from(kind)),
            0x40..=0x7f => {
                let len = usize::from(kind & 0x3f) << 8 | usize::from(self.byte()?);
                self.text(len)
            }
            0x80..=0xbf => {
                let len = u32::from_be_bytes(*self.take(4)?.first_chunk()?);
                self.text(len as usize)
            }
            0xc0 => self.integer(2),
            0xd0 => self.integer(4),
            0xe0 => self.integer(8),
            0xf0 => self.integer(3),
            0xfe => self.integer(1),
            0xf1..=0xfd => Some(Value::Integer(i64::from(kind & 0x0f) - 1)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(mut packed: Packed<'_>) -> Result<Vec<Vec<u8>>> {
        let mut values = Vec::new();
        while let Some(value) = packed.next()? {
            values.push(value.to_vec());
        }
        Ok(values)
    }

    fn framed(head: &[u8], entries: &[u8]) -> Vec<u8> {
        let len = 4 + head.len() + entries.len() + 1;
        [&(len as u32).to_le_bytes()[..], head, entries, &[END]].concat()
    }

    #[test]
    fn a_listpack_of_every_kind_is_read() {
        let long = vec![b'y'; 300];
        let mut entries = vec![
            5, 1, 0x81, b'a', 2, 0xdf, 0xff, 2, 0xc1, 0x00, 2, 0xf1, 0x00, 0x80, 3, 0xf2, 1, 0, 0x80, 4, 0xf3, 1, 0, 0,
            0x80, 5, 0xf4, 1, 0, 0, 0, 0, 0, 0, 0x80, 9, 0xe1, 0x2c,
        ];
        entries.extend(&long);
        entries.extend([0x02, 0xae, 0xf0, 2, 0, 0, 0, b'z', b'z', 7]);
        let bytes = framed(&[9, 0], &entries);
        let expected: Vec<Vec<u8>> = vec![
            b"5".to_vec(),
            b"a".to_vec(),
            b"-1".to_vec(),
            b"256".to_vec(),
            b"-32768".to_vec(),
            b"-8388607".to_vec(),
            b"-2147483647".to_vec(),
            b"-9223372036854775807".to_vec(),
            long,
            b"zz".to_vec(),
        ];
        assert_eq!(all(Packed::listpack(&bytes).unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_ziplist_of_every_kind_is_read() {
        let entries = [
            0, 1, b'a', 3, 0xf1, 2, 0xfd, 2, 0xfe, 0xff, 3, 0xc0, 0, 0x80, 4, 0xf0, 1, 0, 0x80, 5, 0xd0, 1, 0, 0, 0x80,
            254, 6, 0, 0, 0, 0xe0, 1, 0, 0, 0, 0, 0, 0, 0x80, 10, 0x40, 2, b'b', b'c', 5, 0x80, 0, 0, 0, 1, b'd',
        ];
        let bytes = framed(&[0, 0, 0, 0, 10, 0], &entries);
        let expected = ["a", "0", "12", "-1", "-32768", "-8388607", "-2147483647", "-9223372036854775807", "bc", "d"];
        let expected: Vec<Vec<u8>> = expected.iter().map(|text| text.as_bytes().to_vec()).collect();
        assert_eq!(all(Packed::ziplist(&bytes).unwrap()).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(head in any::<[u8; 6]>(), entries in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = all(Packed::listpack(&framed(&head[..2], &entries)).unwrap());
            let _ = all(Packed::ziplist(&framed(&head, &entries)).unwrap());
            let _ = Packed::listpack(&entries).and_then(all);
        }
    }
}
