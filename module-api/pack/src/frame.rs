//! The frame that Redis's listpacks and ziplists have in common, and the walk over what is in it.
//!
//! ```text
//!   [ bytes u32 ] ... [ elements u16 ] [ element ] ... [ element ] [ ff ]       little-endian
//! ```
//!
//! The bytes come from files and payloads, so from anybody: whatever they are, they are read or
//! refused, within their bounds and without memory of the reader's own. 65,535 elements mean "not
//! counted".

use crate::{Malformed, Value, parse_integer};

pub(crate) const END: u8 = 0xff;
pub(crate) const UNCOUNTED: u16 = u16::MAX;

/// Reads the element that the bytes begin with, given how many bytes the one before takes: it and
/// how many it takes itself.
type Read = for<'b> fn(&'b [u8], usize) -> Option<(Value<'b>, usize)>;

/// The elements of a listpack or ziplist from outside, one after the other; an error is the last.
///
/// A text that spells an integer comes as that integer.
#[derive(Debug)]
pub struct Reader<'b> {
    rest: &'b [u8],
    /// Elements that are to come, if they are counted.
    left: Option<usize>,
    before: usize,
    read: Read,
}

impl<'b> Reader<'b> {
    /// Looks at a header of `HEADER_BYTES`, whose last two are the count, and that the end is where
    /// it says.
    pub(crate) fn new<const HEADER_BYTES: usize>(bytes: &'b [u8], read: Read) -> Result<Reader<'b>, Malformed> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Malformed)?;
        let (&[a, b, c, d], &[low, high]) = header.first_chunk().zip(header.last_chunk()).ok_or(Malformed)?;
        let (&END, rest) = rest.split_last().ok_or(Malformed)? else { return Err(Malformed) };
        if u32::from_le_bytes([a, b, c, d]) as usize != bytes.len() {
            return Err(Malformed);
        }
        let count = u16::from_le_bytes([low, high]);
        Ok(Reader { rest, left: (count != UNCOUNTED).then_some(count as usize), before: 0, read })
    }

    fn element(&mut self) -> Option<Value<'b>> {
        let (value, len) = (self.read)(self.rest, self.before)?;
        self.rest = self.rest.get(len..)?;
        self.before = len;
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        Some(match value {
            Value::Text(text) => parse_integer(text).map_or(value, Value::Integer),
            Value::Integer(_) => value,
        })
    }
}

impl<'b> Iterator for Reader<'b> {
    type Item = Result<Value<'b>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            // Fewer than the header says are an error, and that once.
            return (self.left.take().unwrap_or(0) != 0).then_some(Err(Malformed));
        }
        let element = self.element();
        if element.is_none() {
            (self.rest, self.left) = (&[], None);
        }
        Some(element.ok_or(Malformed))
    }
}

/// The text of `len` bytes at `start`, and where it ends.
pub(crate) fn text(bytes: &[u8], start: usize, len: usize) -> Option<(Value<'_>, usize)> {
    let end = start.checked_add(len)?;
    Some((Value::Text(bytes.get(start..end)?), end))
}

/// The integer of `width` bytes, at most eight, behind one byte of head, and where it ends.
pub(crate) fn integer(bytes: &[u8], width: usize) -> Option<(Value<'_>, usize)> {
    let mut wide = [0; 8];
    wide[8 - width..].copy_from_slice(bytes.get(1..1 + width)?);
    Some((Value::Integer(i64::from_le_bytes(wide) >> (64 - 8 * width)), 1 + width))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The texts of all elements.
    pub(crate) fn texts(reader: Result<Reader<'_>, Malformed>) -> Result<Vec<Vec<u8>>, Malformed> {
        reader?.map(|value| Ok(value?.to_vec())).collect()
    }

    /// Elements in a header of so many bytes.
    pub(crate) fn framed(header_bytes: usize, count: u16, elements: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; header_bytes];
        bytes[..4].copy_from_slice(&((header_bytes + elements.len() + 1) as u32).to_le_bytes());
        bytes[header_bytes - 2..].copy_from_slice(&count.to_le_bytes());
        bytes.extend(elements);
        bytes.push(END);
        bytes
    }

    #[test]
    fn an_error_is_the_last_that_is_read() {
        for bytes in [framed(6, 2, b"\x05\x01"), framed(6, 2, b"\x05\x01\xfe\x01")] {
            let mut reader = crate::listpack::read(&bytes).unwrap();
            assert_eq!(reader.next(), Some(Ok(Value::Integer(5))));
            assert_eq!(reader.next(), Some(Err(Malformed)));
            assert_eq!(reader.next(), None);
        }
    }

    #[test]
    fn a_frame_of_another_length_or_without_its_end_is_refused() {
        let whole = framed(6, 1, b"\x05\x01");
        assert_eq!(texts(crate::listpack::read(&whole)), Ok(vec![b"5".to_vec()]));
        for cut in 0..whole.len() {
            assert_eq!(texts(crate::listpack::read(&whole[..cut])), Err(Malformed));
        }
        let mut endless = whole;
        *endless.last_mut().unwrap() = 0;
        assert_eq!(texts(crate::listpack::read(&endless)), Err(Malformed));
    }
}
