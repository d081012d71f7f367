//! The small form: a short list as bytes in its key's entry.
//!
//! ```text
//!   [ count u16 ][ element ][ element ] ...      elements as in `plinth_module::pack::element`
//! ```
//!
//! The count is there because every push answers with it; two bytes are what ten elements of six
//! bytes behind a key of sixteen leave in an entry of 96.
//!
//! The form ends at [`BYTES_MAX`] or [`COUNT_MAX`], well before `list-max-listpack-size` does with
//! its default: every push may move the entry, and taking from behind walks over all of it. So
//! what OBJECT ENCODING answers is the tag's business and not the form's.
//!
//! All functions hold for any bytes; what is no list reads as some list.

use plinth_module::pack::Value;
use plinth_module::pack::element::{self, Encoded};

/// Tag of a list that shows itself as `listpack`.
pub const LISTPACK: u32 = 0;
/// Tag of a list that shows itself as `quicklist`, though it is as small as this.
pub const QUICKLIST: u32 = 1;

/// Bytes before the elements.
pub const HEAD_BYTES: usize = 2;
/// Most bytes of elements in the small form.
pub const BYTES_MAX: usize = 1024;
/// Most elements in the small form.
pub const COUNT_MAX: usize = 256;
/// Most bytes of elements with which a long list becomes small again.
pub const BYTES_AGAIN: usize = BYTES_MAX / 2;
/// Most elements with which a long list becomes small again.
pub const COUNT_AGAIN: usize = COUNT_MAX / 4;

/// Number of elements.
#[inline]
pub fn count(bytes: &[u8]) -> usize {
    bytes.first_chunk().map_or(0, |count| u16::from_le_bytes(*count) as usize)
}

/// The count as the form begins with.
#[inline]
pub fn head(count: usize) -> [u8; HEAD_BYTES] {
    (count as u16).to_le_bytes()
}

/// The elements.
#[inline]
pub fn pack(bytes: &[u8]) -> &[u8] {
    bytes.get(HEAD_BYTES..).unwrap_or_default()
}

/// Whether so many elements of so many bytes can be small.
#[inline]
pub fn fits(bytes: usize, count: usize) -> bool {
    bytes <= BYTES_MAX && count <= COUNT_MAX
}

/// The bytes of the element number `at`, from the beginning of the pack, and of how many follow:
/// `count` of them, or as many as there are.
pub fn span(pack: &[u8], at: usize, count: usize) -> std::ops::Range<usize> {
    let from = element::offset(pack, at).unwrap_or(pack.len());
    let mut to = from;
    for _ in 0..count {
        to += element::len(&pack[to..]).unwrap_or(0);
    }
    from..to
}

/// The elements before number `end`, the last one first.
pub fn back(pack: &[u8], end: usize) -> impl Iterator<Item = Value<'_>> {
    let mut offsets = [0u16; COUNT_MAX];
    let (mut at, mut count) = (0, 0);
    while count < end.min(COUNT_MAX)
        && let Some(len) = element::len(&pack[at..])
    {
        offsets[count] = at as u16;
        at += len;
        count += 1;
    }
    (0..count).rev().filter_map(move |index| element::read(&pack[offsets[index] as usize..])).map(|(value, _)| value)
}

/// A list in the small form, for a value that is made or changed as a whole.
#[derive(Clone, Debug)]
pub struct Builder {
    bytes: Vec<u8>,
    count: usize,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder { bytes: vec![0; HEAD_BYTES], count: 0 }
    }
}

impl Builder {
    /// Adds an element behind; false, with nothing changed, when the form cannot hold it.
    pub fn push(&mut self, element: &Encoded<'_>) -> bool {
        let fits = fits(self.bytes.len() - HEAD_BYTES + element.len(), self.count + 1);
        if fits {
            element.push(&mut self.bytes);
            self.count += 1;
        }
        fits
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The list so far.
    pub fn bytes(&mut self) -> &[u8] {
        self.bytes[..HEAD_BYTES].copy_from_slice(&head(self.count));
        &self.bytes
    }

    /// The list.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes();
        self.bytes
    }
}
