//! Zipmaps: the compact form in which Redis up to 2.4 saved small hashes. They are only read.
//!
//! ```text
//!   [ pairs ] { [ length ][ field ][ length ][ free ][ value ][ free bytes ] } [ ff ]
//! ```
//!
//! A length is one byte, or fe and a u32, little-endian. The number of pairs is not needed. Source:
//! <https://rdb.fnordig.de/file_format.html#zipmap-encoding>.

use plinth_module::pack::{Malformed, Value};

/// The byte behind the last value.
const END: u8 = 0xff;
/// The length, of one byte, that says that four more bytes are it.
const LONG: u8 = 0xfe;

/// The fields and values of a zipmap from outside, in turn; an error is the last.
pub(super) fn read(bytes: &[u8]) -> Zipmap<'_> {
    Zipmap { rest: bytes.get(1..).unwrap_or_default(), is_value: false }
}

/// See [`read`].
pub(super) struct Zipmap<'b> {
    /// With the end; empty when it was read.
    rest: &'b [u8],
    is_value: bool,
}

impl<'b> Zipmap<'b> {
    fn text(&mut self) -> Option<&'b [u8]> {
        let (len, head) = match *self.rest {
            [LONG, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 5),
            [len, ..] if len < LONG => (usize::from(len), 1),
            _ => return None,
        };
        let free = if self.is_value { Some(usize::from(*self.rest.get(head)?)) } else { None };
        let start = head + usize::from(free.is_some());
        let end = start.checked_add(len)?;
        let text = self.rest.get(start..end)?;
        // The end stands behind the last, so that nothing is left only after an error.
        self.rest = self.rest.get(end + free.unwrap_or(0)..).filter(|rest| !rest.is_empty())?;
        self.is_value = !self.is_value;
        Some(text)
    }
}

impl<'b> Iterator for Zipmap<'b> {
    type Item = Result<Value<'b>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || self.rest == [END] && !self.is_value {
            return None;
        }
        let text = self.text();
        if text.is_none() {
            self.rest = &[];
        }
        Some(text.map(Value::Text).ok_or(Malformed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(bytes: &[u8]) -> Result<Vec<String>, Malformed> {
        read(bytes).map(|value| Ok(String::from_utf8_lossy(&value?.to_vec()).into_owned())).collect()
    }

    #[test]
    fn a_zipmap_is_read_with_its_free_bytes() {
        let bytes = [2, 3, b'f', b'o', b'o', 3, 2, b'b', b'a', b'r', 0, 0, 1, b'x', 1, 0, b'y', END];
        assert_eq!(texts(&bytes).unwrap(), ["foo", "bar", "x", "y"]);
        for cut in 2..bytes.len() {
            assert_eq!(texts(&bytes[..cut]), Err(Malformed), "{cut}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = texts(&bytes);
            if let Some(last) = bytes.last_mut() {
                *last = END;
            }
            let _ = texts(&bytes);
        }
    }
}
