//! Positions of bits, and the ranges that clients give.
//!
//! Bit 0 of a string is the highest of its first byte:
//!
//! ```text
//!   byte      0                         1
//!   bit       0  1  2  3  4  5  6  7    8  9 ...
//!   weight  128 64 32 16  8  4  2  1  128 64 ...
//! ```

use std::ops::Range;

/// What the positions of a range count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Byte,
    /// Bits.
    Bit,
}

/// A range as BITCOUNT and BITPOS are given it: both ends belong to it, and negative ones count from
/// the end of the string.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The first position.
    pub start: i64,
    /// The last position.
    pub end: i64,
    /// What they count.
    pub unit: Unit,
}

impl Span {
    /// The whole of a string.
    pub const WHOLE: Span = Span { start: 0, end: -1, unit: Unit::Byte };

    /// The bits of a string of `len` bytes that lie in the range; empty when there are none.
    pub fn bits(self, len: usize) -> Range<u64> {
        let per_unit = if self.unit == Unit::Byte { 8 } else { 1 };
        let units = len as u64 * 8 / per_unit;
        let from_end = |at: i64| if at < 0 { at.saturating_add_unsigned(units).max(0) } else { at } as u64;
        let (start, end) = (from_end(self.start), from_end(self.end).min(units.saturating_sub(1)));
        if units == 0 || start > end { 0..0 } else { start * per_unit..(end + 1) * per_unit }
    }

    /// Whether both ends count from the end of the string, and the wrong way round. BITCOUNT takes
    /// such a range for an empty one however short the string is; BITPOS does not.
    pub fn is_crossed(self) -> bool {
        self.start < 0 && self.end < 0 && self.start > self.end
    }
}

/// The bytes that hold some bits.
pub fn bytes_of(bits: &Range<u64>) -> Range<usize> {
    (bits.start / 8) as usize..bits.end.div_ceil(8) as usize
}

/// The bits of a byte that are at `first` or behind it, where `first` is 0 to 7.
pub fn from_bit(first: u64) -> u8 {
    0xff >> (first % 8)
}

/// The bits of a byte that are before `end`, where `end` is 1 to 8.
pub fn before_bit(end: u64) -> u8 {
    !(0x7f >> ((end + 7) % 8))
}

/// The bit at a position, counted from the string's first; 0 behind its end.
#[inline]
pub fn get(bytes: &[u8], position: u64) -> bool {
    let byte = usize::try_from(position / 8).ok().and_then(|at| bytes.get(at));
    byte.is_some_and(|byte| byte & (0x80 >> (position % 8)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn masks_split_a_byte() {
        assert_eq!((from_bit(0), from_bit(3), from_bit(7)), (0xff, 0x1f, 0x01));
        assert_eq!((before_bit(1), before_bit(3), before_bit(8)), (0x80, 0xe0, 0xff));
        for cut in 1..8 {
            assert_eq!(from_bit(cut) ^ before_bit(cut), 0xff);
        }
    }

    #[test]
    fn the_ends_of_the_integers_are_positions_too() {
        let bits = |start, end, unit, len| Span { start, end, unit }.bits(len);
        assert_eq!(bits(i64::MIN, i64::MAX, Unit::Bit, 3), 0..24);
        assert_eq!(bits(i64::MAX, i64::MAX, Unit::Byte, 3), 0..0);
        assert_eq!(bits(i64::MIN, i64::MIN, Unit::Byte, 3), 0..8);
        assert_eq!(bits(0, -1, Unit::Byte, 0), 0..0);
        assert_eq!(bits(0, -1, Unit::Byte, 512 << 20), 0..4 << 30);
    }

    proptest! {
        #[test]
        fn a_range_is_what_a_filter_of_positions_gives(len in 0usize..6, start in -60i64..60, end in -60i64..60, of_bits: bool) {
            let unit = if of_bits { Unit::Bit } else { Unit::Byte };
            let (units, width) = if of_bits { (len as i64 * 8, 1) } else { (len as i64, 8) };
            let from_end = |at: i64| if at < 0 { (at + units).max(0) } else { at };
            let model: Vec<u64> = (0..len as u64 * 8).filter(|&bit| {
                (from_end(start)..=from_end(end)).contains(&(bit as i64 / width))
            }).collect();
            prop_assert_eq!(Span { start, end, unit }.bits(len).collect::<Vec<_>>(), model);
        }
    }
}
