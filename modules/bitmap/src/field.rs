//! BITFIELD's integers: of 1 to 64 bits, at any bit of a string.
//!
//! ```text
//!   i5 at bit 6:   byte 0            byte 1
//!                  . . . . . . s 8   4 2 1 . . . . .
//! ```
//!
//! The highest bit comes first. Reading takes what lies behind the string's end for zero. Arithmetic
//! is done in 128 bits, where nothing that has 64 overflows; what does not fit an integer's own bits
//! is dealt with as [`Overflow`] says.

use std::ops::RangeInclusive;

/// Most bits of a signed integer; an unsigned one has one less, because replies are signed.
const SIGNED_BITS_MAX: u32 = 64;
const UNSIGNED_BITS_MAX: u32 = 63;

/// The kind of an integer, such as `i16` or `u8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    is_signed: bool,
    bits: u32,
}

/// What happens to a result that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Its lowest bits are kept.
    Wrap,
    /// The nearest integer that fits is taken.
    Saturate,
    /// Nothing is written.
    Fail,
}

impl Overflow {
    /// The way that a word means, in whatever case.
    pub fn read(word: &[u8]) -> Option<Overflow> {
        let words: [(&[u8], Overflow); 3] =
            [(b"WRAP", Overflow::Wrap), (b"SAT", Overflow::Saturate), (b"FAIL", Overflow::Fail)];
        words.into_iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, overflow)| overflow)
    }
}

impl Kind {
    /// The kind that a word names.
    pub fn read(word: &[u8]) -> Option<Kind> {
        let (sign, digits) = word.split_first()?;
        let (is_signed, max) = match sign {
            b'i' => (true, SIGNED_BITS_MAX),
            b'u' => (false, UNSIGNED_BITS_MAX),
            _ => return None,
        };
        let bits = match digits {
            [ones @ b'1'..=b'9'] => u32::from(ones - b'0'),
            [tens @ b'1'..=b'9', ones @ b'0'..=b'9'] => u32::from(tens - b'0') * 10 + u32::from(ones - b'0'),
            _ => return None,
        };
        (bits <= max).then_some(Kind { is_signed, bits })
    }

    /// Number of bits.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// The integers of the kind.
    fn values(self) -> RangeInclusive<i128> {
        if self.is_signed {
            let half = 1i128 << (self.bits - 1);
            -half..=half - 1
        } else {
            0..=(1i128 << self.bits) - 1
        }
    }

    /// The integer whose bits are the lowest of `raw`.
    fn of_bits(self, raw: u64) -> i64 {
        let unused = 64 - self.bits;
        if self.is_signed { (raw << unused) as i64 >> unused } else { (raw << unused >> unused) as i64 }
    }

    /// What becomes of a number that may not fit; `None` when nothing is to be written.
    fn fit(self, number: i128, overflow: Overflow) -> Option<i64> {
        let values = self.values();
        match overflow {
            _ if values.contains(&number) => Some(number as i64),
            Overflow::Wrap => Some(self.of_bits(number as u64)),
            Overflow::Saturate => Some(number.clamp(*values.start(), *values.end()) as i64),
            Overflow::Fail => None,
        }
    }

    /// What is written for a value that was given. To an unsigned integer a negative value is the
    /// large one with the same 64 bits.
    pub fn assign(self, value: i64, overflow: Overflow) -> Option<i64> {
        let number = if self.is_signed { i128::from(value) } else { i128::from(value as u64) };
        self.fit(number, overflow)
    }

    /// What is written when `increment` is added to `old`, an integer of the kind.
    pub fn add(self, old: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        self.fit(i128::from(old) + i128::from(increment), overflow)
    }

    /// The integer at a bit of a string.
    pub fn get(self, bytes: &[u8], position: u64) -> i64 {
        let (at, shift) = self.place(position);
        self.of_bits((load(bytes, at) >> shift) as u64)
    }

    /// Writes an integer, whose highest bits are left out when it has more than the kind, at a bit of
    /// a string that reaches as far.
    pub fn put(self, bytes: &mut [u8], position: u64, value: i64) {
        let (at, shift) = self.place(position);
        let mask = (u128::MAX >> (128 - self.bits)) << shift;
        let window = (load(bytes, at) & !mask) | ((value as u64 as u128) << shift & mask);
        let end = bytes.len().min(at.saturating_add(WINDOW_BYTES));
        if let Some(bytes) = bytes.get_mut(at..end) {
            bytes.copy_from_slice(&window.to_be_bytes()[LEADING_BYTES..][..bytes.len()]);
        }
    }

    /// Where an integer lies in a window of [`WINDOW_BYTES`]: the window's first byte, and the
    /// number of bits behind the integer.
    fn place(self, position: u64) -> (usize, u32) {
        let first = (position % 8) as u32;
        (usize::try_from(position / 8).unwrap_or(usize::MAX), WINDOW_BYTES as u32 * 8 - first - self.bits)
    }
}

/// Bytes that hold any integer, wherever its first bit lies in the first of them.
pub const WINDOW_BYTES: usize = 9;
/// Bytes of an `u128` before a window's.
const LEADING_BYTES: usize = 16 - WINDOW_BYTES;

/// A window of a string, with zero for what lies behind the end.
fn load(bytes: &[u8], at: usize) -> u128 {
    let rest = bytes.get(at..).unwrap_or_default();
    let rest = &rest[..rest.len().min(WINDOW_BYTES)];
    let mut window = [0; 16];
    window[LEADING_BYTES..][..rest.len()].copy_from_slice(rest);
    u128::from_be_bytes(window)
}

#[cfg(test)]
mod tests;
