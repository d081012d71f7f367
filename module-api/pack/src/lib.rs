//! The compact form of small collections: elements one behind the other in one run of bytes.
//!
//! A small list, hash, set or sorted set is kept in its key's entry as a *pack*. Looking for an
//! element means walking over all of them, which for a few dozen is faster than any structure with
//! pointers, and takes a fraction of the memory.
//!
//! ```text
//!   element   [ head ][ text ] [ head ][ text ] ...            lists and sets
//!   pair      [ two heads in a byte ][ first ][ second ] ...   hashes; sorted sets
//! ```
//!
//! Both spell an element in exactly one way, integers shorter than their digits. So two elements
//! are equal if their bytes are, and a search compares bytes without decoding any.
//!
//! What is packed is only ever read with bounds checked: a pack that came from outside and was not
//! looked at with `check` yields nonsense, never a panic.
//!
//! [`listpack`] and [`ziplist`] are the forms that files and payloads carry, which Redis gave them:
//! whoever loads one copies its elements into a pack, or into something larger.
//!
//! *What is deliberately absent*: a count and a total length (the collection's own, in the form that
//! it needs), lengths to walk backwards by (one byte for each element), and memory of its own.

pub mod element;
mod frame;
pub mod listpack;
pub mod pair;
pub mod ziplist;

pub use frame::Reader;

/// The integer that a text is the one spelling of: `0`, or an optional `-` and digits that do not
/// begin with a zero, within `i64`.
#[inline]
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() < 20 => {}
        _ => return None,
    }
    // At most 19 digits: below 10^19, which a u64 holds.
    let mut value = 0u64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// Room for the digits of an integer.
pub struct Digits(itoa::Buffer);

impl Digits {
    /// Room.
    #[inline]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Digits {
        Digits(itoa::Buffer::new())
    }

    /// The digits of an integer.
    #[inline]
    pub fn text_of(&mut self, integer: i64) -> &[u8] {
        self.0.format(integer).as_bytes()
    }
}

/// What an element is: a text, or the integer that a text spells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'p> {
    /// Bytes that spell no integer (in pairs: or a short one).
    Text(&'p [u8]),
    /// An integer.
    Integer(i64),
}

impl<'p> Value<'p> {
    /// The bytes of the element, or its digits in `digits`.
    #[inline]
    pub fn text<'t>(self, digits: &'t mut Digits) -> &'t [u8]
    where
        'p: 't,
    {
        match self {
            Value::Text(text) => text,
            Value::Integer(integer) => digits.text_of(integer),
        }
    }

    /// The integer that the element spells.
    #[inline]
    pub fn integer(self) -> Option<i64> {
        match self {
            Value::Text(text) => parse_integer(text),
            Value::Integer(integer) => Some(integer),
        }
    }

    /// The element's bytes, owned.
    pub fn to_vec(self) -> Vec<u8> {
        self.text(&mut Digits::new()).to_vec()
    }

    /// Length of the element's text.
    #[inline]
    pub fn len(self) -> usize {
        self.text(&mut Digits::new()).len()
    }

    /// Whether its text is empty.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What a pack from outside is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a pack")
    }
}

impl std::error::Error for Malformed {}
