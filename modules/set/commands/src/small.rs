//! The pack of a small set: members in the order in which they came.
//!
//! ```text
//!   [ count, 255: to be counted ][ element ][ element ] ...
//! ```
//!
//! Elements are those of [`plinth_module::pack::element`]. The byte in front saves SCARD and the
//! commands that look at a limit a walk over all of them.

use plinth_module::pack::Value;
use plinth_module::pack::element::{self, Encoded};

const UNCOUNTED: u8 = 255;

/// A pack, to be read.
#[derive(Clone, Copy)]
pub struct Pack<'b> {
    count: u8,
    elements: &'b [u8],
}

/// What is searched for and added.
#[inline]
pub fn encoded(member: Value<'_>) -> Encoded<'_> {
    Encoded::of_value(member)
}

impl<'b> Pack<'b> {
    /// The pack in these bytes.
    #[inline]
    pub fn new(bytes: &'b [u8]) -> Pack<'b> {
        match bytes.split_first() {
            Some((&count, elements)) => Pack { count, elements },
            None => Pack { count: 0, elements: &[] },
        }
    }

    /// How many members there are. O(members) above 254.
    #[inline]
    pub fn len(&self) -> usize {
        if self.count == UNCOUNTED { self.iter().count() } else { self.count as usize }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Where a member is: offset and length in the whole.
    #[inline]
    pub fn find(&self, member: Value<'_>) -> Option<(usize, usize)> {
        let wanted = encoded(member);
        element::find(self.elements, &wanted).map(|at| (1 + at, wanted.len()))
    }

    /// The member at `index`, with its offset and length in the whole.
    pub fn get(&self, index: usize) -> Option<(Value<'b>, usize, usize)> {
        let at = element::offset(self.elements, index)?;
        let (value, len) = element::read(&self.elements[at..])?;
        Some((value, 1 + at, len))
    }

    /// The members in the order in which they came.
    #[inline]
    pub fn iter(&self) -> element::Iter<'b> {
        element::iter(self.elements)
    }
}

/// The byte in front for a number of members.
#[inline]
pub fn count_byte(count: usize) -> u8 {
    count.min(UNCOUNTED as usize) as u8
}
