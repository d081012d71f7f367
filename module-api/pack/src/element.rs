//! Single elements: those of lists and sets.
//!
//! ```text
//!   head                                    what follows
//!   0xxxxxxx   text of 0 to 127 bytes       the text
//!   10xxxxxx   integer 0 to 63              nothing
//!   11000000   text of up to 65,535 bytes   length u16, the text
//!   11000001   longer text                  length u32, the text
//!   11000010   i8     11000011   i16        the integer, little-endian
//!   11000100   i32    11000101   i64
//! ```
//!
//! A text that spells an integer is kept as the shortest of the integer forms that holds it; all
//! else is a text under the shortest of the three heads.

use crate::{Malformed, Value, parse_integer};

const INTEGER_SMALL: u8 = 0x80;
const SMALL_MAX: i64 = 63;
const TEXT_SMALL_MAX: usize = 127;
const TEXT_16: u8 = 0xc0;
const TEXT_32: u8 = 0xc1;
const INTEGER_8: u8 = 0xc2;
const INTEGER_16: u8 = 0xc3;
const INTEGER_32: u8 = 0xc4;
const INTEGER_64: u8 = 0xc5;

/// Longest head, an integer's bytes counted in.
pub const HEAD_MAX: usize = 9;

/// An element as it is going to be packed, or looked for: its head, and the text behind it.
#[derive(Clone, Copy)]
pub struct Encoded<'t> {
    head: [u8; HEAD_MAX],
    head_len: u8,
    text: &'t [u8],
}

impl<'t> Encoded<'t> {
    /// A text, which is kept as an integer if it spells one.
    ///
    /// # Panics
    /// For a text of 4 GiB and more.
    #[inline]
    pub fn of(text: &'t [u8]) -> Encoded<'t> {
        match parse_integer(text) {
            Some(integer) => Encoded::integer(integer),
            None => Encoded::plain(text),
        }
    }

    fn plain(text: &'t [u8]) -> Encoded<'t> {
        let len = text.len();
        if len <= TEXT_SMALL_MAX {
            Encoded::with(&[len as u8], &[], text)
        } else if let Ok(len) = u16::try_from(len) {
            Encoded::with(&[TEXT_16], &len.to_le_bytes(), text)
        } else {
            assert!(u32::try_from(len).is_ok(), "an element of 4 GiB");
            Encoded::with(&[TEXT_32], &(len as u32).to_le_bytes(), text)
        }
    }

    /// An integer.
    #[inline]
    pub fn integer(integer: i64) -> Encoded<'t> {
        if (0..=SMALL_MAX).contains(&integer) {
            Encoded::with(&[INTEGER_SMALL | integer as u8], &[], &[])
        } else if let Ok(integer) = i8::try_from(integer) {
            Encoded::with(&[INTEGER_8], &integer.to_le_bytes(), &[])
        } else if let Ok(integer) = i16::try_from(integer) {
            Encoded::with(&[INTEGER_16], &integer.to_le_bytes(), &[])
        } else if let Ok(integer) = i32::try_from(integer) {
            Encoded::with(&[INTEGER_32], &integer.to_le_bytes(), &[])
        } else {
            Encoded::with(&[INTEGER_64], &integer.to_le_bytes(), &[])
        }
    }

    /// An element that was read.
    #[inline]
    pub fn of_value(value: Value<'t>) -> Encoded<'t> {
        match value {
            Value::Text(text) => Encoded::of(text),
            Value::Integer(integer) => Encoded::integer(integer),
        }
    }

    #[inline]
    fn with(tag: &[u8; 1], rest: &[u8], text: &'t [u8]) -> Encoded<'t> {
        let mut head = [0; HEAD_MAX];
        head[0] = tag[0];
        head[1..1 + rest.len()].copy_from_slice(rest);
        Encoded { head, head_len: 1 + rest.len() as u8, text }
    }

    #[inline]
    fn head(&self) -> &[u8] {
        &self.head[..self.head_len as usize]
    }

    /// Bytes that it takes.
    #[inline]
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.head_len as usize + self.text.len()
    }

    /// Write it to the beginning of `to`, which has room for [`Encoded::len`] bytes.
    ///
    /// # Panics
    /// When there is less room.
    #[inline]
    pub fn write(&self, to: &mut [u8]) {
        let (head, rest) = to.split_at_mut(self.head_len as usize);
        head.copy_from_slice(self.head());
        rest[..self.text.len()].copy_from_slice(self.text);
    }

    /// Append it.
    #[inline]
    pub fn push(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.head());
        to.extend_from_slice(self.text);
    }

    /// Whether the pack begins with it.
    #[inline]
    pub fn begins(&self, pack: &[u8]) -> bool {
        // The first byte settles most: it holds the length of a short text.
        pack.first() == Some(&self.head[0])
            && pack.strip_prefix(self.head()).is_some_and(|rest| rest.starts_with(self.text))
    }
}

/// Bytes that the element at the beginning of a pack takes; `None` at its end and for no element.
#[inline]
pub fn len(pack: &[u8]) -> Option<usize> {
    let &head = pack.first()?;
    let len = match head {
        0..=0x7f => 1 + head as usize,
        INTEGER_SMALL..=0xbf => 1,
        TEXT_16 => 3 + u16::from_le_bytes([*pack.get(1)?, *pack.get(2)?]) as usize,
        TEXT_32 => 5 + u32::from_le_bytes(*pack.get(1..5)?.first_chunk()?) as usize,
        INTEGER_8 => 2,
        INTEGER_16 => 3,
        INTEGER_32 => 5,
        INTEGER_64 => 9,
        _ => return None,
    };
    (len <= pack.len()).then_some(len)
}

/// The element at the beginning of a pack, and the bytes that it takes.
#[inline]
pub fn read(pack: &[u8]) -> Option<(Value<'_>, usize)> {
    let len = len(pack)?;
    let (head, rest) = pack[..len].split_first()?;
    let value = match *head {
        0..=0x7f => Value::Text(rest),
        INTEGER_SMALL..=0xbf => Value::Integer(i64::from(head & 0x3f)),
        TEXT_16 => Value::Text(&rest[2..]),
        TEXT_32 => Value::Text(&rest[4..]),
        INTEGER_8 => Value::Integer(i64::from(i8::from_le_bytes(*rest.first_chunk()?))),
        INTEGER_16 => Value::Integer(i64::from(i16::from_le_bytes(*rest.first_chunk()?))),
        INTEGER_32 => Value::Integer(i64::from(i32::from_le_bytes(*rest.first_chunk()?))),
        _ => Value::Integer(i64::from_le_bytes(*rest.first_chunk()?)),
    };
    Some((value, len))
}

/// Where the element is in the pack, in bytes from its beginning.
#[inline]
pub fn find(pack: &[u8], wanted: &Encoded<'_>) -> Option<usize> {
    let mut at = 0;
    while let Some(len) = len(&pack[at..]) {
        if wanted.begins(&pack[at..]) {
            return Some(at);
        }
        at += len;
    }
    None
}

/// Where element number `index` begins, in bytes; `None` when there are fewer.
#[inline]
pub fn offset(pack: &[u8], index: usize) -> Option<usize> {
    let mut at = 0;
    for _ in 0..index {
        at += len(&pack[at..])?;
    }
    (at < pack.len()).then_some(at)
}

/// The elements of a pack.
#[inline]
pub fn iter(pack: &[u8]) -> Iter<'_> {
    Iter { pack, at: 0 }
}

/// The elements of a pack, see [`iter`].
#[derive(Clone)]
pub struct Iter<'p> {
    pack: &'p [u8],
    at: usize,
}

impl Iter<'_> {
    /// Where the next element begins, in bytes.
    #[inline]
    pub fn offset(&self) -> usize {
        self.at
    }
}

impl<'p> Iterator for Iter<'p> {
    type Item = Value<'p>;

    #[inline]
    fn next(&mut self) -> Option<Value<'p>> {
        let (value, len) = read(&self.pack[self.at..])?;
        self.at += len;
        Some(value)
    }
}

/// How many elements a pack from outside has.
///
/// # Errors
/// When the bytes are not whole elements, each spelled in its one way.
pub fn check(pack: &[u8]) -> Result<usize, Malformed> {
    let (mut at, mut count) = (0, 0);
    while at < pack.len() {
        let (value, len) = read(&pack[at..]).ok_or(Malformed)?;
        let encoded = Encoded::of_value(value);
        if encoded.len() != len || !encoded.begins(&pack[at..]) {
            return Err(Malformed);
        }
        at += len;
        count += 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digits;
    use proptest::prelude::*;

    fn packed(texts: &[Vec<u8>]) -> Vec<u8> {
        let mut pack = Vec::new();
        texts.iter().for_each(|text| Encoded::of(text).push(&mut pack));
        pack
    }

    fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let text = prop_oneof![
            any::<i64>().prop_map(|integer| integer.to_string().into_bytes()),
            (-300i64..300).prop_map(|integer| integer.to_string().into_bytes()),
            proptest::collection::vec(any::<u8>(), 0..300),
            "-?[0-9]{0,22}".prop_map(String::into_bytes),
        ];
        proptest::collection::vec(text, 0..20)
    }

    #[test]
    fn each_head_has_its_size() {
        let cases: [(&[u8], usize); 12] = [
            (b"", 1),
            (b"0", 1),
            (b"63", 1),
            (b"64", 2),
            (b"-1", 2),
            (b"-128", 2),
            (b"128", 3),
            (b"32768", 5),
            (b"2147483648", 9),
            (b"01", 3),
            (&[b'x'; 127], 128),
            (&[b'x'; 128], 131),
        ];
        for (text, expected) in cases {
            assert_eq!(Encoded::of(text).len(), expected, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(Encoded::of(&vec![b'x'; 70_000]).len(), 70_005);
    }

    #[test]
    fn an_integer_under_a_longer_head_is_refused() {
        assert_eq!(check(&[INTEGER_8, 7]), Err(Malformed));
        assert_eq!(check(&[1, b'7']), Err(Malformed));
        assert_eq!(check(&[TEXT_16, 1, 0, b'x']), Err(Malformed));
        assert_eq!(check(&[INTEGER_8, 64]), Ok(1));
    }

    proptest! {
        #[test]
        fn what_is_packed_reads_back(texts in texts()) {
            let pack = packed(&texts);
            let read: Vec<Vec<u8>> = iter(&pack).map(Value::to_vec).collect();
            prop_assert_eq!(&read, &texts);
            prop_assert_eq!(check(&pack), Ok(texts.len()));
            for (index, text) in texts.iter().enumerate() {
                let at = offset(&pack, index).unwrap();
                let value = super::read(&pack[at..]).unwrap().0;
                let mut digits = Digits::new();
                prop_assert_eq!(value.text(&mut digits), text.as_slice());
                let first = texts.iter().position(|other| other == text).unwrap();
                prop_assert_eq!(find(&pack, &Encoded::of(text)), offset(&pack, first));
            }
            prop_assert_eq!(offset(&pack, texts.len()), None);
        }

        #[test]
        fn what_is_absent_is_not_found(texts in texts(), other in proptest::collection::vec(any::<u8>(), 0..12)) {
            prop_assume!(!texts.contains(&other));
            prop_assert_eq!(find(&packed(&texts), &Encoded::of(&other)), None);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(pack in proptest::collection::vec(any::<u8>(), 0..80)) {
            let count = iter(&pack).count();
            if let Ok(checked) = check(&pack) {
                prop_assert_eq!(checked, count);
                let texts: Vec<Vec<u8>> = iter(&pack).map(Value::to_vec).collect();
                prop_assert_eq!(packed(&texts), pack);
            }
        }
    }
}
