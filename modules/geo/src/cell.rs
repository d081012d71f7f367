//! The cell: a piece of the map, numbered so that cells with near numbers are mostly near each other.
//!
//! Longitude and latitude are each cut into 2^26 columns and rows, and their bits are interleaved, the
//! longitude's above the latitude's: a geohash (Niemeyer, 2008) in binary, along Morton's curve.
//!
//! ```text
//!   number   x25 y25 x24 y24 ... x1 y1 x0 y0        52 bits: exact as a double
//!
//!   row 1    1 | 3
//!   row 0    0 | 2        the four cells of two bits
//! ```
//!
//! Latitudes end at ±85.05112878 degrees, where the square map of Mercator's projection does, and not
//! at the poles: that is how Redis does it, and scores must be the same.
//!
//! *The edge*: longitude 180 and latitude 85.05112878 are allowed, and lie in column or row 2^26, one
//! past the last. Numbers of such cells have 53 or 54 bits, and with 54 the last one may be lost in the
//! score. They decode to the edge itself.

/// Columns and rows, as a power of two.
pub const BITS: u32 = 26;
/// The greatest longitude in degrees; the least is its negative.
pub const LON_MAX: f64 = 180.0;
/// The greatest latitude in degrees; the least is its negative.
pub const LAT_MAX: f64 = 85.051_128_78;

/// Bits of the latitude in a number.
const LAT_BITS: u64 = 0x5555_5555_5555_5555;
/// Bits of the longitude in a number.
const LON_BITS: u64 = !LAT_BITS;

/// Whether a place is on the map. Not for NaN.
pub fn is_on_map(lon: f64, lat: f64) -> bool {
    (-LON_MAX..=LON_MAX).contains(&lon) && (-LAT_MAX..=LAT_MAX).contains(&lat)
}

/// Spreads 32 bits over every second of 64.
#[inline]
fn spread(value: u32) -> u64 {
    let mut bits = u64::from(value);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, LAT_BITS),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Gathers every second of 64 bits.
#[inline]
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LAT_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// The number of the cell in a column and a row.
#[inline]
pub fn number_of(column: u32, row: u32) -> u64 {
    spread(column) << 1 | spread(row)
}

/// The column and the row of a cell.
#[inline]
pub fn column_and_row(number: u64) -> (u32, u32) {
    (gather(number >> 1), gather(number))
}

/// How far along from `-max` to `max`, in columns or rows.
#[inline]
fn steps(value: f64, max: f64) -> u32 {
    ((value + max) / (max + max) * f64::from(1 << BITS)) as u32
}

/// The column of a longitude, which is cut off at the edges of the map.
#[inline]
pub fn column(lon: f64) -> u32 {
    steps(lon.clamp(-LON_MAX, LON_MAX), LON_MAX)
}

/// The row of a latitude, which is cut off at the edges of the map.
#[inline]
pub fn row(lat: f64) -> u32 {
    steps(lat.clamp(-LAT_MAX, LAT_MAX), LAT_MAX)
}

/// The number of the cell in which a place on the map is.
#[inline]
pub fn encode(lon: f64, lat: f64) -> u64 {
    number_of(column(lon), row(lat))
}

/// The middle of a column or row, in degrees.
#[inline]
fn middle(step: u32, max: f64) -> f64 {
    let edge = |step: f64| step / f64::from(1 << BITS) * (max + max) - max;
    let step = f64::from(step);
    ((edge(step) + edge(step + 1.0)) / 2.0).min(max)
}

/// The longitude and latitude of a cell's middle.
#[inline]
pub fn decode(number: u64) -> (f64, f64) {
    let (column, row) = column_and_row(number);
    (middle(column, LON_MAX), middle(row, LAT_MAX))
}

/// The number of the cell that a score means. Scores that no place has, such as negative ones, mean
/// what they mean to Redis on common processors.
#[inline]
pub fn of_score(score: f64) -> u64 {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    if (0.0..TWO_TO_63).contains(&score) {
        score as u64
    } else if score > 0.0 {
        if score < TWO_TO_63 * 2.0 { score as u64 } else { 0 }
    } else if score >= -TWO_TO_63 {
        score as i64 as u64
    } else {
        1 << 63
    }
}

/// Columns and rows of the map, all four ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// The first and the last column.
    pub columns: (u32, u32),
    /// The first and the last row.
    pub rows: (u32, u32),
}

impl Rectangle {
    /// The cells between two longitudes and two latitudes, in degrees; `None` if there are none.
    pub fn around(lons: (f64, f64), lats: (f64, f64)) -> Option<Rectangle> {
        if lons.0 > lons.1 || lats.0 > lats.1 || lons.0 > LON_MAX || lons.1 < -LON_MAX {
            return None;
        }
        if lats.0 > LAT_MAX || lats.1 < -LAT_MAX {
            return None;
        }
        Some(Rectangle { columns: (column(lons.0), column(lons.1)), rows: (row(lats.0), row(lats.1)) })
    }

    /// What tells whether a cell is in it.
    pub fn sieve(&self) -> Sieve {
        let corner = |column, row| number_of(column, row);
        let (first, last) = (corner(self.columns.0, self.rows.0), corner(self.columns.1, self.rows.1));
        Sieve { lon: (first & LON_BITS, last & LON_BITS), lat: (first & LAT_BITS, last & LAT_BITS) }
    }
}

/// A rectangle as the bits of its corners: bits that are spread are in the order of those that they
/// come from, so that a cell is told to be in or out without taking its number apart.
#[derive(Clone, Copy, Debug)]
pub struct Sieve {
    lon: (u64, u64),
    lat: (u64, u64),
}

impl Sieve {
    /// Whether a cell is in the rectangle.
    #[inline]
    pub fn holds(&self, number: u64) -> bool {
        let (lon, lat) = (number & LON_BITS, number & LAT_BITS);
        self.lon.0 <= lon && lon <= self.lon.1 && self.lat.0 <= lat && lat <= self.lat.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_have_the_numbers_that_they_have_in_redis() {
        for (lon, lat, number) in [
            (13.361389, 38.115556, 3_479_099_956_230_698),
            (15.087269, 37.502669, 3_479_447_370_796_909),
            (-180.0, -85.05112878, 0),
            (0.0, 0.0, 3_377_699_720_527_872),
            (-180.0, 0.0, 1_125_899_906_842_624),
            (0.0, 85.05112878, 6_755_399_441_055_744),
            (180.0, -85.05112878, 9_007_199_254_740_992),
        ] {
            assert_eq!(encode(lon, lat), number, "{lon} {lat}");
        }
    }

    #[test]
    fn the_edge_decodes_to_itself() {
        assert_eq!(decode(encode(180.0, 85.05112878)), (180.0, 85.05112878));
        assert_eq!(of_score(encode(180.0, 85.05112878) as f64), encode(180.0, 85.05112878));
    }

    #[test]
    fn any_score_means_some_cell() {
        for (score, number) in [
            (1.5, 1),
            (-1.0, u64::MAX),
            (f64::INFINITY, 0),
            (f64::NEG_INFINITY, 1 << 63),
            (1e300, 0),
            (18_446_744_073_709_551_616.0, 0),
            (9_223_372_036_854_775_808.0, 1 << 63),
        ] {
            assert_eq!(of_score(score), number, "{score}");
        }
    }

    proptest! {
        #[test]
        fn a_place_is_within_half_a_cell_of_its_cell_s_middle(lon in -180.0..=180.0, lat in -LAT_MAX..=LAT_MAX) {
            let number = encode(lon, lat);
            let (back_lon, back_lat) = decode(number);
            prop_assert!((lon - back_lon).abs() <= 180.0 / f64::from(1 << BITS) * 1.000_001);
            prop_assert!((lat - back_lat).abs() <= LAT_MAX / f64::from(1 << BITS) * 1.000_001);
            prop_assert_eq!(encode(back_lon, back_lat), number);
            prop_assert_eq!(of_score(number as f64), number);
        }

        #[test]
        fn what_was_spread_is_gathered(column in 0..=1_u32 << BITS, row in 0..=1_u32 << BITS) {
            prop_assert_eq!(column_and_row(number_of(column, row)), (column, row));
        }

        #[test]
        fn a_sieve_holds_what_its_rectangle_does(
            columns in (0..100_u32, 0..100_u32), rows in (0..100_u32, 0..100_u32), at in (0..100_u32, 0..100_u32),
        ) {
            let rectangle = Rectangle { columns, rows };
            let expected = (columns.0..=columns.1).contains(&at.0) && (rows.0..=rows.1).contains(&at.1);
            prop_assert_eq!(rectangle.sieve().holds(number_of(at.0, at.1)), expected);
        }
    }
}
