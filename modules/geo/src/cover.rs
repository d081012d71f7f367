//! The cover: a few ranges of scores in which all cells of a rectangle lie.
//!
//! A square of 2^n by 2^n cells, at a multiple of its side, is one range of numbers. A rectangle is
//! covered by such squares of one size, as small as [`SQUARES_MAX`] allows:
//!
//! ```text
//!      . . . . . . . .        rectangle of 5 × 4, squares of 2 × 2
//!      . . # # # # # .        six squares, 24 cells for 20
//!      . . # # # # # .
//!      . . # # # # # .        squares whose ranges touch are one range
//!      . . # # # # # .
//! ```
//!
//! Smaller squares mean fewer cells around the rectangle, whose members are looked at for nothing, and
//! more ranges, each of which is looked for in the sorted set. Five by five is where both cost about the
//! same when a search finds a hundred places.

use crate::cell::{self, Rectangle};
use plinth_module::zset::{ScoreRange, ZSET_RANGE_MAX_EXCLUDED};

/// Most squares of a cover.
pub const SQUARES_MAX: usize = 25;

/// The greatest number up to which each is exact as a score. Beyond, scores are even.
const EXACT_MAX: u64 = 1 << 53;

/// Ranges of scores, in ascending order at first. No score is in two. See the [module](self).
#[derive(Clone, Copy)]
pub struct Cover {
    ranges: [ScoreRange; SQUARES_MAX],
    len: usize,
}

impl Cover {
    /// The cover of a rectangle.
    pub fn of(rectangle: &Rectangle) -> Cover {
        let side = side_of(rectangle);
        let count = |(first, last): (u32, u32)| (first >> side)..=(last >> side);
        let mut squares = [0_u64; SQUARES_MAX];
        let mut len = 0;
        for row in count(rectangle.rows) {
            for column in count(rectangle.columns) {
                squares[len] = cell::number_of(column, row);
                len += 1;
            }
        }
        let squares = &mut squares[..len];
        squares.sort_unstable();
        let mut cover = Cover { ranges: [ScoreRange::new(0.0, 0.0, 0); SQUARES_MAX], len: 0 };
        let mut at = 0;
        while at < squares.len() {
            let first = squares[at];
            let mut next = first;
            while at < squares.len() && squares[at] == next {
                (at, next) = (at + 1, next + 1);
            }
            cover.push(first << (2 * side), next << (2 * side));
        }
        cover
    }

    /// Puts the range that holds a cell before the others: places near it are found first.
    #[must_use]
    pub fn beginning_at(mut self, number: u64) -> Cover {
        let score = number as f64;
        let ranges = &mut self.ranges[..self.len];
        if let Some(at) = ranges.iter().position(|range| range.min <= score && score < range.max) {
            ranges[..=at].rotate_right(1);
        }
        self
    }

    /// Adds the range from a number up to another, which is excluded.
    fn push(&mut self, from: u64, to: u64) {
        // Beyond, the last bit of a cell's number is one of its row, and where it is set, the score is the
        // number below: the bits of the column behind it are 0, so that of two equally near ones this is it.
        let from = if from > EXACT_MAX { from & !1 } else { from };
        let to = if to > EXACT_MAX { to.next_multiple_of(2) } else { to };
        self.ranges[self.len] = ScoreRange::new(from as f64, to as f64, ZSET_RANGE_MAX_EXCLUDED);
        self.len += 1;
    }

    /// The ranges.
    pub fn ranges(&self) -> &[ScoreRange] {
        &self.ranges[..self.len]
    }
}

/// The side of the squares, as a power of two.
fn side_of(rectangle: &Rectangle) -> u32 {
    let count = |(first, last): (u32, u32), side: u32| ((last >> side) - (first >> side) + 1) as usize;
    let squares = |side: u32| count(rectangle.columns, side).saturating_mul(count(rectangle.rows, side));
    // Five squares beside each other reach over at least three times their side.
    let span = (rectangle.columns.1 - rectangle.columns.0).max(rectangle.rows.1 - rectangle.rows.0);
    let mut side = (u32::BITS - span.leading_zeros()).saturating_sub(5);
    while squares(side) > SQUARES_MAX {
        side += 1;
    }
    side
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether the score of a cell is in a range, and in no other.
    fn holds(cover: &Cover, number: u64) -> bool {
        let score = number as f64;
        let is_in = |range: &&ScoreRange| {
            range.min <= score && if range.flags == 0 { score <= range.max } else { score < range.max }
        };
        cover.ranges().iter().filter(is_in).count() == 1
    }

    #[test]
    fn a_cell_is_covered_by_its_number() {
        let number = cell::encode(13.361389, 38.115556);
        let (column, row) = cell::column_and_row(number);
        let cover = Cover::of(&Rectangle { columns: (column, column), rows: (row, row) });
        assert_eq!(cover.ranges().len(), 1);
        assert_eq!((cover.ranges()[0].min, cover.ranges()[0].max), (number as f64, (number + 1) as f64));
    }

    #[test]
    fn the_range_of_a_cell_may_come_first() {
        let map = Rectangle::around((-180.0, 180.0), (20.0, 90.0)).unwrap();
        let (cover, number) = (Cover::of(&map), cell::encode(45.0, 65.0));
        let first = cover.beginning_at(number).ranges()[0];
        assert!(first.min <= number as f64 && (number as f64) < first.max);
        assert_eq!(cover.beginning_at(number).ranges().len(), cover.ranges().len());
        assert!(cover.ranges()[0].min < first.min);
    }

    #[test]
    fn the_map_is_covered() {
        let map = Rectangle::around((-180.0, 180.0), (-90.0, 90.0)).unwrap();
        let cover = Cover::of(&map);
        for number in [0, 1 << 51, (1 << 52) - 1, 1 << 52, 1 << 53, cell::encode(180.0, 85.05112878)] {
            assert!(holds(&cover, number), "{number}");
        }
    }

    /// The ends of an interval of columns or rows: anywhere, of any length.
    fn interval() -> impl Strategy<Value = (u32, u32)> {
        (0..=26_u32, any::<u32>(), any::<u32>()).prop_map(|(bits, at, len)| {
            // Often at the end, where numbers are not exact as scores.
            let first = if at % 4 == 0 { (1 << cell::BITS) - at % 64 } else { at % ((1 << cell::BITS) + 1) };
            let last = first.saturating_add(len % (1 << bits)).min(1 << cell::BITS);
            (first, last)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn every_cell_of_a_rectangle_is_covered(
            columns in interval(), rows in interval(), picks in proptest::collection::vec((0.0..=1.0, 0.0..=1.0), 8),
        ) {
            let cover = Cover::of(&Rectangle { columns, rows });
            prop_assert!(!cover.ranges().is_empty());
            prop_assert!(cover.ranges().iter().all(|range| range.flags == ZSET_RANGE_MAX_EXCLUDED));
            prop_assert!(cover.ranges().windows(2).all(|pair| pair[0].max <= pair[1].min));
            let pick = |(first, last): (u32, u32), part: f64| first + (f64::from(last - first) * part) as u32;
            let corners = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)];
            for (along, up) in picks.into_iter().chain(corners) {
                prop_assert!(holds(&cover, cell::number_of(pick(columns, along), pick(rows, up))));
            }
        }

        #[test]
        fn a_square_is_covered_by_at_most_four_times_its_cells(at in (0..1_u32 << 24, 0..1_u32 << 24), side in 8..1_u32 << 22) {
            let cover = Cover::of(&Rectangle { columns: (at.0, at.0 + side - 1), rows: (at.1, at.1 + side - 1) });
            let cells: f64 = cover.ranges().iter().map(|range| range.max - range.min).sum();
            prop_assert!(cells <= 4.0 * f64::from(side) * f64::from(side));
        }
    }
}
