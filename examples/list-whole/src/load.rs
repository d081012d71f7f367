//! The forms in which Redis has saved lists, as a list again.
//!
//! ```text
//!  1 LIST              count, then so many strings
//! 10 LIST_ZIPLIST      one string that holds a ziplist
//! 14 LIST_QUICKLIST    count, then so many ziplists
//! 18 LIST_QUICKLIST_2  count, then for each a kind (1 an element, 2 a listpack) and a string
//!
//! ziplist   total u32 | tail u32 | count u16 | entries | FF
//!   entry   length of the one before (1 byte, or FE and 4) | kind and length | content
//! listpack  total u32 | count u16 | entries | FF
//!   entry   kind and length | content | length of both, to be read backwards (1 to 5 bytes)
//! ```
//!
//! Numbers are little-endian, but for the long lengths of a ziplist. Format:
//! <https://rdb.fnordig.de/file_format.html>. All of it may come from a client: each length is held
//! against what is left, and nothing is allocated before the bytes are there.

use crate::list::{End, List};
use plinth_module::codec::Loader;
use plinth_module::error::{Error, Result};

/// A plain list, the form that is written.
pub(crate) const LIST: u8 = 1;
const ZIPLIST: u8 = 10;
const QUICKLIST: u8 = 14;
const QUICKLIST_2: u8 = 18;
/// All that is read.
pub(crate) const TAGS: &[u8] = &[LIST, ZIPLIST, QUICKLIST, QUICKLIST_2];

/// Kinds of a node in the youngest form.
const NODE_ELEMENT: u64 = 1;
const NODE_PACKED: u64 = 2;
const END_BYTE: u8 = 0xff;
/// A count of entries that does not fit in its field, and has to be found out by counting.
const MANY: usize = 0xffff;

/// Reads a list. Fails with `BadData`, also for an empty one, which no server keeps.
pub(crate) fn load(from: &mut Loader<'_>, tag: u8) -> Result<List> {
    let mut list = List::default();
    if tag == ZIPLIST {
        ziplist(from.bytes()?, &mut list)?;
    } else {
        for _ in 0..from.u64()? {
            match tag {
                LIST => list.push(End::Right, from.bytes()?),
                QUICKLIST => ziplist(from.bytes()?, &mut list)?,
                QUICKLIST_2 => match from.u64()? {
                    NODE_ELEMENT => list.push(End::Right, from.bytes()?),
                    NODE_PACKED => listpack(from.bytes()?, &mut list)?,
                    _ => return Err(Error::BadData),
                },
                _ => return Err(Error::BadData),
            }
        }
    }
    if list.is_empty() { Err(Error::BadData) } else { Ok(list) }
}

/// What is left of some bytes.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Error::BadData)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned number, its low byte first.
    fn number(&mut self, bytes: usize) -> Result<usize> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
    }

    /// A signed number, its low byte first, as its digits.
    fn push_integer(&mut self, bytes: usize, list: &mut List) -> Result {
        let raw = self.take(bytes)?.iter().rev().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
        let unused = 64 - 8 * bytes as u32;
        push_digits((raw << unused) as i64 >> unused, list);
        Ok(())
    }

    fn push_text(&mut self, bytes: usize, list: &mut List) -> Result {
        list.push(End::Right, self.take(bytes)?);
        Ok(())
    }
}

fn push_digits(number: i64, list: &mut List) {
    list.push(End::Right, number.to_string().as_bytes());
}

/// What stands between the head, which is read already, and the end byte.
fn entries<'b>(rest: &Rest<'b>, total: usize, whole: usize) -> Result<Rest<'b>> {
    match rest.0.split_last() {
        Some((&END_BYTE, entries)) if total == whole => Ok(Rest(entries)),
        _ => Err(Error::BadData),
    }
}

fn check_count(count: usize, found: usize) -> Result {
    if count == found || count == MANY { Ok(()) } else { Err(Error::BadData) }
}

/// Appends what a ziplist holds.
fn ziplist(bytes: &[u8], list: &mut List) -> Result {
    let mut rest = Rest(bytes);
    let (total, tail, count) = (rest.number(4)?, rest.number(4)?, rest.number(2)?);
    if tail >= bytes.len() {
        return Err(Error::BadData);
    }
    let (mut rest, before) = (entries(&rest, total, bytes.len())?, list.len());
    let mut previous = 0;
    while !rest.0.is_empty() {
        let from = rest.0.len();
        let said = match rest.byte()? {
            0xfe => rest.number(4)?,
            END_BYTE => return Err(Error::BadData),
            short => usize::from(short),
        };
        if said != previous {
            return Err(Error::BadData);
        }
        ziplist_entry(&mut rest, list)?;
        previous = from - rest.0.len();
    }
    check_count(count, list.len() - before)
}

fn ziplist_entry(rest: &mut Rest<'_>, list: &mut List) -> Result {
    let kind = rest.byte()?;
    match kind {
        0x00..=0x3f => rest.push_text(usize::from(kind), list),
        0x40..=0x7f => {
            let len = usize::from(kind & 0x3f) << 8 | usize::from(rest.byte()?);
            rest.push_text(len, list)
        }
        0x80..=0xbf => {
            let len = rest.take(4)?.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
            rest.push_text(len, list)
        }
        0xc0 => rest.push_integer(2, list),
        0xd0 => rest.push_integer(4, list),
        0xe0 => rest.push_integer(8, list),
        0xf0 => rest.push_integer(3, list),
        0xfe => rest.push_integer(1, list),
        0xf1..=0xfd => {
            push_digits(i64::from(kind & 0x0f) - 1, list);
            Ok(())
        }
        _ => Err(Error::BadData),
    }
}

/// Appends what a listpack holds.
fn listpack(bytes: &[u8], list: &mut List) -> Result {
    let mut rest = Rest(bytes);
    let (total, count) = (rest.number(4)?, rest.number(2)?);
    let (mut rest, before) = (entries(&rest, total, bytes.len())?, list.len());
    while !rest.0.is_empty() {
        let from = rest.0.len();
        listpack_entry(&mut rest, list)?;
        back_length(&mut rest, from)?;
    }
    check_count(count, list.len() - before)
}

fn listpack_entry(rest: &mut Rest<'_>, list: &mut List) -> Result {
    let kind = rest.byte()?;
    match kind {
        0x00..=0x7f => {
            push_digits(i64::from(kind), list);
            Ok(())
        }
        0x80..=0xbf => rest.push_text(usize::from(kind & 0x3f), list),
        0xc0..=0xdf => {
            let raw = i64::from(kind & 0x1f) << 8 | i64::from(rest.byte()?);
            push_digits(if raw < 1 << 12 { raw } else { raw - (1 << 13) }, list);
            Ok(())
        }
        0xe0..=0xef => {
            let len = usize::from(kind & 0x0f) << 8 | usize::from(rest.byte()?);
            rest.push_text(len, list)
        }
        0xf0 => {
            let len = rest.number(4)?;
            rest.push_text(len, list)
        }
        0xf1 => rest.push_integer(2, list),
        0xf2 => rest.push_integer(3, list),
        0xf3 => rest.push_integer(4, list),
        0xf4 => rest.push_integer(8, list),
        _ => Err(Error::BadData),
    }
}

/// Takes an entry's length as it stands behind the entry: seven bits a byte, the high ones first,
/// and a high bit in all bytes but the first.
fn back_length(rest: &mut Rest<'_>, from: usize) -> Result {
    let len = from - rest.0.len();
    let bytes = match len {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        0x20_0000..=0xfff_ffff => 4,
        _ => 5,
    };
    let said = rest.take(bytes)?;
    let agrees = said.iter().enumerate().all(|(place, &byte)| {
        let bits = (len >> (7 * (bytes - 1 - place))) as u8 & 0x7f;
        byte == if place == 0 { bits } else { bits | 0x80 }
    });
    if agrees { Ok(()) } else { Err(Error::BadData) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(list: &List) -> Vec<String> {
        list.iter().map(|element| String::from_utf8_lossy(element).into_owned()).collect()
    }

    fn framed(head: usize, count: u16, entries: &[u8]) -> Vec<u8> {
        let total = (head + entries.len() + 1) as u32;
        let mut bytes = total.to_le_bytes().to_vec();
        if head == 10 {
            bytes.extend_from_slice(&10u32.to_le_bytes());
        }
        bytes.extend_from_slice(&count.to_le_bytes());
        bytes.extend_from_slice(entries);
        bytes.push(END_BYTE);
        bytes
    }

    #[test]
    fn each_kind_of_a_listpacks_entries_is_read() {
        let mut entries = vec![5, 1];
        entries.extend_from_slice(&[0x83, b'a', b'b', b'c', 4]);
        entries.extend_from_slice(&[0xdf, 0xff, 2]);
        entries.extend_from_slice(&[0xf1, 0x18, 0xfc, 3]);
        entries.extend_from_slice(&[0xf2, 0, 0, 0x80, 4]);
        entries.extend_from_slice(&[0xf3, 1, 0, 0, 0x80, 5]);
        entries.extend_from_slice(&[0xf4, 1, 0, 0, 0, 0, 0, 0, 0x80, 9]);
        let mut list = List::default();
        listpack(&framed(6, 7, &entries), &mut list).unwrap();
        let expected = ["5", "abc", "-1", "-1000", "-8388608", "-2147483647", "-9223372036854775807"];
        assert_eq!(texts(&list), expected);
        assert!(listpack(&framed(6, 6, &entries), &mut List::default()).is_err());
    }

    #[test]
    fn each_kind_of_a_ziplists_entries_is_read() {
        let mut entries = vec![0, 0xf1];
        entries.extend_from_slice(&[2, 0x02, b'h', b'i']);
        entries.extend_from_slice(&[4, 0xfe, 0x80]);
        entries.extend_from_slice(&[3, 0xc0, 0xff, 0x7f]);
        entries.extend_from_slice(&[4, 0x40, 0x01, b'x']);
        entries.extend_from_slice(&[4, 0x80, 0, 0, 0, 1, b'y']);
        let mut list = List::default();
        ziplist(&framed(10, 6, &entries), &mut list).unwrap();
        assert_eq!(texts(&list), ["0", "hi", "-128", "32767", "x", "y"]);
        entries[2] = 3;
        assert!(ziplist(&framed(10, 6, &entries), &mut List::default()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(entries in prop::collection::vec(any::<u8>(), 0..200), count: u16) {
            for head in [6, 10] {
                let bytes = framed(head, count, &entries);
                let _ = listpack(&bytes, &mut List::default());
                let _ = ziplist(&bytes, &mut List::default());
            }
            let _ = listpack(&entries, &mut List::default());
            let _ = ziplist(&entries, &mut List::default());
        }
    }
}
