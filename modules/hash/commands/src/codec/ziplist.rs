//! Ziplists and zipmaps: the compact forms in which Redis up to 6.2, and up to 2.4, saved small hashes.
//!
//! ```text
//!   ziplist   [ bytes, u32 ][ tail, u32 ][ elements, u16 ] { [ length before ][ head ][ data ] } [ ff ]
//!
//!   00xxxxxx            a text of up to 63 bytes      c0 d0 e0   an integer of 2, 4, 8 bytes
//!   01xxxxxx xxxxxxxx   one of up to 16,383           f0 fe      one of 3, 1
//!   80 and 4 bytes      one of any length             f1 .. fd   0 to 12
//!
//!   zipmap    [ pairs ] { [ length ][ field ][ length ][ free ][ value ][ free bytes ] } [ ff ]
//! ```
//!
//! Lengths in heads are big-endian, all else little-endian. They are only read. Source:
//! <https://rdb.fnordig.de/file_format.html#ziplist-encoding>.

use plinth_module::pack::{Malformed, Value};

/// The byte behind the last element.
const END: u8 = 0xff;
/// Bytes before the elements of a ziplist.
const HEADER_BYTES: usize = 10;
/// The length, of one byte, that says that four more bytes are it.
const LONG: u8 = 0xfe;

/// Hands every element of a ziplist to `visit`.
///
/// # Errors
/// When the bytes are not one whole ziplist, or `visit` says so.
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
        let before = if rest.first() == Some(&LONG) { 5 } else { 1 };
        rest = rest.get(before..).ok_or(Malformed)?;
        let (value, len) = element(rest).ok_or(Malformed)?;
        rest = &rest[len..];
        visit(value)?;
    }
    Ok(())
}

/// The element at the beginning, behind the length of the one before, and the bytes it takes.
fn element(bytes: &[u8]) -> Option<(Value<'_>, usize)> {
    let text = |head: usize, len: usize| Some((Value::Text(bytes.get(head..head.checked_add(len)?)?), head + len));
    let integer = |len: usize| {
        let data = bytes.get(1..1 + len)?;
        let mut wide = [if data[len - 1] & 0x80 != 0 { 0xff } else { 0 }; 8];
        wide[..len].copy_from_slice(data);
        Some((Value::Integer(i64::from_le_bytes(wide)), 1 + len))
    };
    let &head = bytes.first()?;
    match head {
        0..=0x3f => text(1, usize::from(head)),
        0x40..=0x7f => text(2, usize::from(head & 0x3f) << 8 | usize::from(*bytes.get(1)?)),
        0x80..=0xbf => text(5, u32::from_be_bytes(*bytes.get(1..5)?.first_chunk()?) as usize),
        0xc0 => integer(2),
        0xd0 => integer(4),
        0xe0 => integer(8),
        0xf0 => integer(3),
        0xfe => integer(1),
        0xf1..=0xfd => Some((Value::Integer(i64::from(head & 0x0f) - 1), 1)),
        _ => None,
    }
}

/// Hands every field and value of a zipmap to `visit`, in turn.
///
/// # Errors
/// When the bytes are not one whole zipmap, or `visit` says so.
pub(super) fn read_map<'l>(
    bytes: &'l [u8],
    mut visit: impl FnMut(Value<'l>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut rest = bytes.get(1..).ok_or(Malformed)?;
    let mut is_field = true;
    while rest != [END] || !is_field {
        let (len, head) = match *rest {
            [LONG, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 5),
            [len, ..] if len < LONG => (usize::from(len), 1),
            _ => return Err(Malformed),
        };
        let free = if is_field { None } else { Some(usize::from(*rest.get(head).ok_or(Malformed)?)) };
        let start = head + usize::from(free.is_some());
        let end = start.checked_add(len).ok_or(Malformed)?;
        visit(Value::Text(rest.get(start..end).ok_or(Malformed)?))?;
        rest = rest.get(end + free.unwrap_or(0)..).ok_or(Malformed)?;
        is_field = !is_field;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(
        read: impl Fn(&[u8], &mut dyn FnMut(Value<'_>) -> Result<(), Malformed>) -> Result<(), Malformed>,
        bytes: &[u8],
    ) -> Result<Vec<String>, Malformed> {
        let mut all = Vec::new();
        read(bytes, &mut |value: Value<'_>| {
            all.push(String::from_utf8_lossy(&value.to_vec()).into_owned());
            Ok(())
        })?;
        Ok(all)
    }

    fn list(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
        texts(|bytes, visit| read(bytes, visit), bytes)
    }

    fn map(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
        texts(|bytes, visit| read_map(bytes, visit), bytes)
    }

    #[test]
    fn every_kind_of_element_of_a_ziplist_is_read() {
        let mut bytes = vec![0; 10];
        bytes.extend([0, 3, b'a', b'b', b'c']);
        bytes.extend([5, 0x40, 2, b'x', b'y']);
        bytes.extend([0xfe, 5, 0, 0, 0, 0x80, 0, 0, 0, 1, b'z']);
        bytes.extend([11, 0xc0, 0xff, 0xff]);
        bytes.extend([4, 0xd0, 0, 0, 1, 0]);
        bytes.extend([6, 0xe0, 1, 0, 0, 0, 0, 0, 0, 0x80]);
        bytes.extend([10, 0xf0, 0, 0, 0x80]);
        bytes.extend([5, 0xfe, 0x80]);
        bytes.extend([3, 0xf1, 2, 0xfd, END]);
        let total = bytes.len() as u32;
        bytes[..4].copy_from_slice(&total.to_le_bytes());
        let expected = ["abc", "xy", "z", "-1", "65536", "-9223372036854775807", "-8388608", "-128", "0", "12"];
        assert_eq!(list(&bytes).unwrap(), expected);
    }

    #[test]
    fn a_zipmap_is_read_with_its_free_bytes() {
        let bytes = [2, 3, b'f', b'o', b'o', 3, 2, b'b', b'a', b'r', 0, 0, 1, b'x', 1, 0, b'y', END];
        assert_eq!(map(&bytes).unwrap(), ["foo", "bar", "x", "y"]);
        assert_eq!(map(&bytes[..bytes.len() - 1]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = (list(&bytes), map(&bytes));
            let total = bytes.len() as u32;
            if let Some(to) = bytes.first_chunk_mut() {
                *to = total.to_le_bytes();
            }
            if let Some(last) = bytes.last_mut() {
                *last = END;
            }
            let _ = (list(&bytes), map(&bytes));
        }
    }
}
