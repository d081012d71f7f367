//! Pairs: a field and its value, a member and its score.
//!
//! ```text
//!   [ ffff ssss ][ length of the first ][ length of the second ][ first ][ second ]
//!
//!   half     what the part is          its length takes      its bytes
//!   0..=11   text of so many bytes     nothing               the text
//!   12       text of 12 to 267 bytes   1 byte (minus 12)     the text
//!   13       longer text               4 bytes               the text
//!   14       i32                       nothing               4, little-endian
//!   15       i64                       nothing               8, little-endian
//! ```
//!
//! Two short texts share one byte of overhead. A text that spells an integer is kept as one when
//! that is shorter: from five digits on. A part may also be packed as it is ([`Part::raw`]), for
//! bytes that the collection interprets, such as a score.

use crate::{Malformed, Value, parse_integer};

const SHORT_MAX: usize = 11;
const TEXT_8: u8 = 12;
const TEXT_8_MAX: usize = 12 + 255;
const TEXT_32: u8 = 13;
const INTEGER_32: u8 = 14;
const INTEGER_64: u8 = 15;

/// One half of a pair, as it is going to be packed, or looked for.
#[derive(Clone, Copy)]
pub struct Part<'t> {
    half: u8,
    integer: [u8; 8],
    text: &'t [u8],
}

impl<'t> Part<'t> {
    /// A text, which is kept as an integer if it spells one and that is shorter.
    ///
    /// # Panics
    /// For a text of 4 GiB and more.
    #[inline]
    pub fn of(text: &'t [u8]) -> Part<'t> {
        if text.len() > size_of::<i32>()
            && let Some(integer) = parse_integer(text)
        {
            let half = if i32::try_from(integer).is_ok() { INTEGER_32 } else { INTEGER_64 };
            return Part { half, integer: integer.to_le_bytes(), text: &[] };
        }
        Part::raw(text)
    }

    /// A text that is kept as it is.
    ///
    /// # Panics
    /// For a text of 4 GiB and more.
    #[inline]
    pub fn raw(text: &'t [u8]) -> Part<'t> {
        let half = match text.len() {
            0..=SHORT_MAX => text.len() as u8,
            12..=TEXT_8_MAX => TEXT_8,
            _ => TEXT_32,
        };
        assert!(u32::try_from(text.len()).is_ok(), "a part of 4 GiB");
        Part { half, integer: [0; 8], text }
    }

    /// The bytes behind the heads: the text, or the integer.
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self.half {
            INTEGER_32 => &self.integer[..4],
            INTEGER_64 => &self.integer,
            _ => self.text,
        }
    }

    #[inline]
    fn length(&self) -> ([u8; 4], usize) {
        match self.half {
            TEXT_8 => ([(self.text.len() - 12) as u8, 0, 0, 0], 1),
            TEXT_32 => ((self.text.len() as u32).to_le_bytes(), 4),
            _ => ([0; 4], 0),
        }
    }
}

/// Bytes that a pair takes.
#[inline]
pub fn len_of(first: &Part<'_>, second: &Part<'_>) -> usize {
    1 + first.length().1 + second.length().1 + first.bytes().len() + second.bytes().len()
}

/// Write a pair to the beginning of `to`, which has room for [`len_of`] bytes.
///
/// # Panics
/// When there is less room.
#[inline]
pub fn write(first: &Part<'_>, second: &Part<'_>, to: &mut [u8]) {
    to[0] = first.half << 4 | second.half;
    let mut at = 1;
    let mut put = |bytes: &[u8]| {
        to[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    for part in [first, second] {
        let (length, bytes) = part.length();
        put(&length[..bytes]);
    }
    put(first.bytes());
    put(second.bytes());
}

/// Append a pair.
pub fn push(first: &Part<'_>, second: &Part<'_>, to: &mut Vec<u8>) {
    let at = to.len();
    to.resize(at + len_of(first, second), 0);
    write(first, second, &mut to[at..]);
}

/// Where the parts of the pair at the beginning of a pack are.
#[derive(Clone, Copy)]
struct Span {
    halves: u8,
    first: usize,
    second: usize,
    end: usize,
}

#[inline]
fn span(pack: &[u8]) -> Option<Span> {
    let &halves = pack.first()?;
    let mut at = 1;
    let mut length = |half: u8| {
        Some(match half {
            0..=11 => half as usize,
            TEXT_8 => {
                at += 1;
                12 + *pack.get(at - 1)? as usize
            }
            TEXT_32 => {
                at += 4;
                u32::from_le_bytes(*pack.get(at - 4..at)?.first_chunk()?) as usize
            }
            INTEGER_32 => 4,
            _ => 8,
        })
    };
    let (first_len, second_len) = (length(halves >> 4)?, length(halves & 15)?);
    let (first, second) = (at, at + first_len);
    let end = second + second_len;
    (end <= pack.len()).then_some(Span { halves, first, second, end })
}

#[inline]
fn value(half: u8, bytes: &[u8]) -> Value<'_> {
    match (half, bytes) {
        (INTEGER_32, &[a, b, c, d]) => Value::Integer(i64::from(i32::from_le_bytes([a, b, c, d]))),
        (INTEGER_64, bytes) => {
            bytes.first_chunk().map_or(Value::Text(bytes), |b| Value::Integer(i64::from_le_bytes(*b)))
        }
        _ => Value::Text(bytes),
    }
}

/// A pair that was read.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'p> {
    /// The first part.
    pub first: Value<'p>,
    /// The second part.
    pub second: Value<'p>,
    /// Bytes that the pair takes.
    pub len: usize,
}

/// The pair at the beginning of a pack; `None` at its end and for no pair.
#[inline]
pub fn read(pack: &[u8]) -> Option<Pair<'_>> {
    let span = span(pack)?;
    let first = value(span.halves >> 4, &pack[span.first..span.second]);
    let second = value(span.halves & 15, &pack[span.second..span.end]);
    Some(Pair { first, second, len: span.end })
}

/// Where the pair with this first part is in the pack, in bytes, and the pair.
#[inline]
pub fn find<'p>(pack: &'p [u8], first: &Part<'_>) -> Option<(usize, Pair<'p>)> {
    let mut at = 0;
    while let Some(span) = span(&pack[at..]) {
        let here = &pack[at..];
        if span.halves >> 4 == first.half && here[span.first..span.second] == *first.bytes() {
            return Some((at, read(here)?));
        }
        at += span.end;
    }
    None
}

/// Where pair number `index` begins, in bytes; `None` when there are fewer.
#[inline]
pub fn offset(pack: &[u8], index: usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..index {
        at += span(&pack[at..])?.end;
    }
    (at < pack.len()).then_some(at)
}

/// The pairs of a pack.
#[inline]
pub fn iter(pack: &[u8]) -> Iter<'_> {
    Iter { pack, at: 0 }
}

/// The pairs of a pack, see [`iter`].
#[derive(Clone)]
pub struct Iter<'p> {
    pack: &'p [u8],
    at: usize,
}

impl Iter<'_> {
    /// Where the next pair begins, in bytes.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl<'p> Iterator for Iter<'p> {
    type Item = Pair<'p>;

    #[inline]
    fn next(&mut self) -> Option<Pair<'p>> {
        let pair = read(&self.pack[self.at..])?;
        self.at += pair.len;
        Some(pair)
    }
}

/// How many pairs a pack from outside has.
///
/// # Errors
/// When the bytes are not whole pairs, or a head is longer than its part needs. That a raw part
/// makes sense, and that a text which spells an integer is kept as one, is the collection's to check.
pub fn check(pack: &[u8]) -> Result<usize, Malformed> {
    let (mut at, mut count) = (0, 0);
    while at < pack.len() {
        let span = span(&pack[at..]).ok_or(Malformed)?;
        for (half, len) in [(span.halves >> 4, span.second - span.first), (span.halves & 15, span.end - span.second)] {
            if half == TEXT_32 && len <= TEXT_8_MAX {
                return Err(Malformed);
            }
        }
        at += span.end;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Texts = Vec<(Vec<u8>, Vec<u8>)>;

    fn packed(pairs: &Texts) -> Vec<u8> {
        let mut pack = Vec::new();
        pairs.iter().for_each(|(first, second)| push(&Part::of(first), &Part::of(second), &mut pack));
        pack
    }

    fn pairs() -> impl Strategy<Value = Texts> {
        let text = prop_oneof![
            any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
            (-99_999i64..99_999).prop_map(|integer| integer.to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..20),
            proptest::collection::vec(any::<u8>(), 0..300),
        ];
        proptest::collection::vec((text.clone(), text), 0..20)
    }

    #[test]
    fn two_short_texts_share_a_byte_of_overhead() {
        let cases: [(&[u8], &[u8], usize); 7] = [
            (b"field0", b"value0", 13),
            (b"", b"", 1),
            (b"1234", b"12345", 9),
            (b"4294967296", b"x", 10),
            (b"01234", b"x", 7),
            (&[b'x'; 12], b"y", 15),
            (&[b'x'; 268], b"y", 274),
        ];
        for (first, second, expected) in cases {
            assert_eq!(len_of(&Part::of(first), &Part::of(second)), expected, "{}", String::from_utf8_lossy(first));
        }
    }

    #[test]
    fn a_raw_part_is_kept_as_it_is() {
        let mut pack = Vec::new();
        push(&Part::of(b"123456"), &Part::raw(b"123456"), &mut pack);
        let pair = read(&pack).unwrap();
        assert_eq!((pair.first, pair.second), (Value::Integer(123_456), Value::Text(b"123456")));
    }

    proptest! {
        #[test]
        fn what_is_packed_reads_back(pairs in pairs()) {
            let pack = packed(&pairs);
            let read: Texts = iter(&pack).map(|pair| (pair.first.to_vec(), pair.second.to_vec())).collect();
            prop_assert_eq!(&read, &pairs);
            prop_assert_eq!(check(&pack), Ok(pairs.len()));
            for (index, (first, _)) in pairs.iter().enumerate() {
                let expected = pairs.iter().position(|(other, _)| other == first).unwrap();
                let (at, pair) = find(&pack, &Part::of(first)).unwrap();
                prop_assert_eq!(Some(at), offset(&pack, expected));
                prop_assert_eq!(pair.second.to_vec(), pairs[expected].1.clone());
                prop_assert!(offset(&pack, index).is_some());
            }
            prop_assert_eq!(offset(&pack, pairs.len()), None);
        }

        #[test]
        fn what_is_absent_is_not_found(pairs in pairs(), other in proptest::collection::vec(any::<u8>(), 0..12)) {
            prop_assume!(!pairs.iter().any(|(first, _)| *first == other));
            prop_assert!(find(&packed(&pairs), &Part::of(&other)).is_none());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(pack in proptest::collection::vec(any::<u8>(), 0..80)) {
            let count = iter(&pack).count();
            if let Ok(checked) = check(&pack) {
                prop_assert_eq!(checked, count);
            }
            let _ = find(&pack, &Part::of(b"x"));
        }
    }
}
