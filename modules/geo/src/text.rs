//! How numbers and places are written: distances with four digits behind the point, coordinates with
//! seventeen, both rounded exactly; and geohashes in the base of 32.
//!
//! A double is a whole number of up to 53 bits times a power of two, so that its decimal digits behind
//! the point come out of one multiplication in 128 bits. It gives what C's `%.17f` does, without its
//! arithmetic on long numbers.

use crate::cell;

/// Room for a number with a sign, digits before the point, and seventeen behind.
pub const ROOM_BYTES: usize = 64;

/// Digits behind the point of a distance.
const DISTANCE_DIGITS: u32 = 4;
/// Digits behind the point of a coordinate.
const COORDINATE_DIGITS: u32 = 17;

/// A value times ten to the power of `digits`, rounded to an integer, halves to the even one. `None` if
/// that does not fit.
fn scaled(value: f64, digits: u32) -> Option<u64> {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, exponent) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    // 53 bits and, for 17 digits, 57.
    let product = u128::from(mantissa) * 10_u128.pow(digits);
    if exponent >= 0 {
        return u64::try_from(product.checked_shl(exponent as u32).filter(|shifted| shifted >> exponent == product)?)
            .ok();
    }
    let shift = exponent.unsigned_abs();
    if shift > 112 {
        return Some(0);
    }
    let (whole, rest, half) = (product >> shift, product & ((1 << shift) - 1), 1_u128 << (shift - 1));
    let up = rest > half || rest == half && whole & 1 == 1;
    u64::try_from(whole + u128::from(up)).ok()
}

/// Writes a number with so many digits behind the point; returns how many bytes that took.
fn write_fixed(value: f64, digits: u32, room: &mut [u8; ROOM_BYTES]) -> usize {
    let Some(scaled) = scaled(value.abs(), digits) else { return write_long(value, digits, room) };
    let mut len = 0;
    if value.is_sign_negative() {
        room[0] = b'-';
        len = 1;
    }
    let power = 10_u64.pow(digits);
    let mut buffer = itoa::Buffer::new();
    let whole = buffer.format(scaled / power).as_bytes();
    room[len..len + whole.len()].copy_from_slice(whole);
    len += whole.len();
    room[len] = b'.';
    len += 1;
    let mut rest = scaled % power;
    for at in (0..digits as usize).rev() {
        room[len + at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    len + digits as usize
}

/// Numbers that no place and no distance on Earth has; what does not fit is cut off.
#[cold]
fn write_long(value: f64, digits: u32, room: &mut [u8; ROOM_BYTES]) -> usize {
    let text = format!("{value:.*}", digits as usize);
    let len = text.len().min(room.len());
    room[..len].copy_from_slice(&text.as_bytes()[..len]);
    len
}

/// A distance as replies show it.
pub fn distance(value: f64, room: &mut [u8; ROOM_BYTES]) -> &[u8] {
    let len = write_fixed(value, DISTANCE_DIGITS, room);
    &room[..len]
}

/// A longitude or latitude as replies show it: without zeros at the end.
pub fn coordinate(value: f64, room: &mut [u8; ROOM_BYTES]) -> &[u8] {
    let mut len = write_fixed(value, COORDINATE_DIGITS, room);
    while room[len - 1] == b'0' {
        len -= 1;
    }
    if room[len - 1] == b'.' {
        len -= 1;
    }
    if &room[..len] == b"-0" { b"0" } else { &room[..len] }
}

/// Characters of a geohash.
pub const GEOHASH_CHARS: usize = 11;

/// The geohash of a cell's middle, as other systems write it: there, latitudes reach from pole to pole.
/// Of its 55 bits there are 52; the last character is always `0`.
///
/// <https://en.wikipedia.org/wiki/Geohash>
pub fn geohash(number: u64) -> [u8; GEOHASH_CHARS] {
    const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let (lon, lat) = cell::decode(number);
    let steps = |value: f64, max: f64| ((value + max) / (max + max) * f64::from(1 << cell::BITS)) as u32;
    let bits = cell::number_of(steps(lon, 180.0), steps(lat, 90.0));
    let mut text = [b'0'; GEOHASH_CHARS];
    for (at, letter) in text[..GEOHASH_CHARS - 1].iter_mut().enumerate() {
        *letter = ALPHABET[(bits >> (2 * cell::BITS as usize - 5 * (at + 1)) & 31) as usize];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn coordinate_text(value: f64) -> String {
        String::from_utf8_lossy(coordinate(value, &mut [0; ROOM_BYTES])).into_owned()
    }

    fn distance_text(value: f64) -> String {
        String::from_utf8_lossy(distance(value, &mut [0; ROOM_BYTES])).into_owned()
    }

    #[test]
    fn coordinates_are_written_as_redis_7_writes_them() {
        for (score, lon, lat) in [
            (3_479_099_956_230_698, "13.36138933897018433", "38.11555639549629859"),
            (3_479_447_370_796_909, "15.08726745843887329", "37.50266842333162032"),
            (3_377_699_720_527_872, "0.00000268220901489", "0.00000126736058093"),
            (0, "-179.99999731779098511", "-85.05112751263942528"),
            (9_007_199_254_740_992, "180", "-85.05112751263942528"),
            (6_755_399_441_055_744, "0.00000268220901489", "85.0511287799999991"),
        ] {
            let (x, y) = cell::decode(score);
            assert_eq!((coordinate_text(x), coordinate_text(y)), (lon.to_owned(), lat.to_owned()));
        }
    }

    #[test]
    fn geohashes_are_those_of_other_systems() {
        for (number, text) in [
            (3_479_099_956_230_698, "sqc8b49rny0"),
            (3_479_447_370_796_909, "sqdtr74hyu0"),
            (0, "00bh0hbj200"),
            (10_133_099_161_583_616, "80000000000"),
        ] {
            assert_eq!(geohash(number), text.as_bytes());
        }
    }

    #[test]
    fn numbers_that_are_no_distances_are_written_too() {
        for value in [f64::INFINITY, 1e300, -1e300, 5e-324, f64::MAX] {
            distance_text(value);
            coordinate_text(value);
        }
        assert_eq!(distance_text(5e-324), "0.0000");
        assert_eq!(distance_text(9.0e15), "9000000000000000.0000");
        assert_eq!(coordinate_text(0.0), "0");
    }

    proptest! {
        #[test]
        fn distances_are_rounded_exactly(value in prop_oneof![0.0..1e8, 0.0..1.0, (0..1_000_000_u32).prop_map(|n| f64::from(n) / 32768.0)]) {
            prop_assert_eq!(distance_text(value), format!("{value:.4}"));
        }

        #[test]
        fn coordinates_are_rounded_exactly(value in prop_oneof![-180.0..180.0, -1e-3..1e-3, -1e-15..1e-15]) {
            let exact = format!("{value:.17}");
            let trimmed = exact.trim_end_matches('0').trim_end_matches('.');
            prop_assert_eq!(coordinate_text(value), if trimmed == "-0" { "0" } else { trimmed });
        }
    }
}
