//! The extended float: numbers of 64 significant bits and 15 bits of exponent, as INCRBYFLOAT and
//! HINCRBYFLOAT add them.
//!
//! Redis counts in C's `long double`, which on x86-64 is the 80-bit format of the x87, and prints
//! with 17 digits behind the point. A client sees that format in every answer: `10.5 + 0.1` is
//! `10.6` there, where doubles would show `10.59999999999999964`. No type of Rust has it, so it is
//! computed here, with integers, bit for bit: read to nearest, add to nearest, print exactly.
//!
//! ```text
//!   value = ± mantissa · 2^exponent      mantissa in [2^63, 2^64), or less for subnormal numbers
//! ```
//!
//! Texts of everyday size are read by one division of 128 bits, and values below 2^64 print
//! without a [`Natural`]; only numbers with very many digits or large exponents need one.
//!
//! Source: `strtold` and `printf("%.17Lf")` of the C standard, sections 7.24.1.5 and 7.23.6.1.

use crate::natural::Natural;

/// Exponent of the least bit of the least subnormal number.
const EXPONENT_MIN: i32 = -16445;
/// Largest exponent of a whole mantissa.
const EXPONENT_MAX: i32 = 16384 - 64;
/// Digits behind the point.
const DIGITS_SHOWN: u32 = 17;
/// Longest text that is read, in bytes.
pub const TEXT_MAX: usize = 5 * 1024 - 1;
/// Powers of five up to this one fit 63 bits.
const FIVE_SMALL_MAX: u32 = 27;

/// A finite number. See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// What a text says: a number, or more than the format can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A number.
    Finite(Extended),
    /// `inf` in one of its spellings.
    Infinite,
}

impl Extended {
    /// Nothing.
    pub const ZERO: Extended = Extended { negative: false, mantissa: 0, exponent: EXPONENT_MIN };

    /// An integer, exactly.
    pub fn from_integer(number: i64) -> Extended {
        let magnitude = u128::from(number.unsigned_abs());
        Extended::round(number < 0, magnitude, 0, false).unwrap_or(Extended::ZERO)
    }

    /// The number nearest to `± bits · 2^exponent`, to the even one of two; `more` says that the
    /// true value lies a little above `bits`, of which there are at least 65 then. `None` when it
    /// is too large.
    fn round(negative: bool, bits: u128, exponent: i32, more: bool) -> Option<Extended> {
        if bits == 0 {
            return Some(Extended { negative, ..Extended::ZERO });
        }
        let width = 128 - bits.leading_zeros() as i32;
        // Bits that go: all beyond 64, and those below the least exponent.
        let dropped = (width - 64).max(EXPONENT_MIN - exponent);
        let (mut mantissa, mut exponent) = if dropped <= 0 {
            // A whole mantissa has its first bit set, unless the exponent ends before.
            (bits << -dropped, exponent + dropped)
        } else if dropped > 128 {
            (0, EXPONENT_MIN)
        } else {
            let kept = bits.checked_shr(dropped as u32).unwrap_or(0);
            let half = 1u128 << (dropped - 1);
            let rest = bits & (half | (half - 1));
            let up = rest > half || rest == half && (more || kept & 1 == 1);
            (kept + u128::from(up), exponent + dropped)
        };
        if mantissa >> 64 != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
        (exponent <= EXPONENT_MAX).then_some(Extended { negative, mantissa: mantissa as u64, exponent })
    }

    /// The sum, rounded; `None` when it is too large.
    pub fn checked_add(self, other: Extended) -> Option<Extended> {
        // Beyond this distance the lesser number only tells which way to round.
        const GUARD_BITS: u32 = 62;
        let self_is_larger = (self.exponent, self.mantissa) >= (other.exponent, other.mantissa);
        let (large, small) = if self_is_larger { (self, other) } else { (other, self) };
        let distance = large.exponent.abs_diff(small.exponent);
        let wide = u128::from(small.mantissa) << GUARD_BITS;
        let (aligned, lost) = match distance {
            0..=127 => (wide >> distance, wide & ((1 << distance) - 1) != 0),
            _ => (0, small.mantissa != 0),
        };
        // The lost bits as one below all others keep the sum off a tie.
        let aligned = aligned | u128::from(lost);
        let whole = u128::from(large.mantissa) << GUARD_BITS;
        let exponent = large.exponent - GUARD_BITS as i32;
        if large.negative == small.negative {
            Extended::round(large.negative, whole + aligned, exponent, false)
        } else if whole >= aligned {
            Extended::round(large.negative && whole > aligned, whole - aligned, exponent, false)
        } else {
            Extended::round(small.negative, aligned - whole, exponent, false)
        }
    }

    /// Writes the number in positional notation, rounded to 17 digits behind the point, without
    /// trailing zeros; `out` may get nearly five thousand digits.
    pub fn write(self, out: &mut Vec<u8>) {
        const UNITS: u128 = 10u128.pow(DIGITS_SHOWN);
        if self.exponent > 0 {
            if self.negative {
                out.push(b'-');
            }
            Natural::from(self.mantissa).shifted(self.exponent as u32).write(out);
            return;
        }
        // Below 2^64, so that it fits 128 bits in units of 10^-17.
        let units = u128::from(self.mantissa) * UNITS;
        let dropped = self.exponent.unsigned_abs();
        let units = match dropped {
            0 => units,
            1..=127 => {
                let (kept, rest, half) = (units >> dropped, units & ((1 << dropped) - 1), 1 << (dropped - 1));
                kept + u128::from(rest > half || rest == half && kept & 1 == 1)
            }
            _ => 0,
        };
        let (whole, fraction) = ((units / UNITS) as u64, (units % UNITS) as u64);
        if self.negative && units != 0 {
            out.push(b'-');
        }
        let mut digits = itoa::Buffer::new();
        out.extend_from_slice(digits.format(whole).as_bytes());
        if fraction != 0 {
            // A leading one keeps the zeros behind the point.
            let padded = digits.format(fraction + UNITS as u64);
            out.push(b'.');
            out.extend_from_slice(padded[1..].trim_end_matches('0').as_bytes());
        }
    }
}

/// Reads a number: decimal or, after `0x`, hexadecimal, with optional sign, point and exponent; or
/// `inf` or `infinity`. Letters in any case. `None` for any other text, for NaN, for numbers too
/// large, for those too small to differ from zero, and for more than [`TEXT_MAX`] bytes.
pub fn parse(text: &[u8]) -> Option<Parsed> {
    if text.len() > TEXT_MAX {
        return None;
    }
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
        return Some(Parsed::Infinite);
    }
    let number = match text {
        [b'0', b'x' | b'X', rest @ ..] => Scanned::read(rest, 16)?.hexadecimal(negative),
        _ => Scanned::read(text, 10)?.decimal(negative),
    }?;
    Some(Parsed::Finite(number))
}

/// A number's text, taken apart: `digits` in `base`, whose last counts `base^-behind_point`,
/// times ten (or two) to the `exponent`.
struct Scanned<'t> {
    whole: &'t [u8],
    fraction: &'t [u8],
    exponent: i64,
}

impl<'t> Scanned<'t> {
    fn read(text: &'t [u8], base: u32) -> Option<Scanned<'t>> {
        let count = |text: &[u8]| text.iter().take_while(|&&byte| (byte as char).is_digit(base)).count();
        let (whole, rest) = text.split_at(count(text));
        let (fraction, rest) = match rest {
            [b'.', rest @ ..] => rest.split_at(count(rest)),
            _ => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mark = if base == 16 { b'p' } else { b'e' };
        let exponent = match rest {
            [] => 0,
            [letter, rest @ ..] if letter.to_ascii_lowercase() == mark => exponent(rest)?,
            _ => return None,
        };
        Some(Scanned { whole, fraction, exponent })
    }

    /// The digits without leading and trailing zeros, and how many places the last of them
    /// stands before the point.
    fn significant(&self) -> (impl Iterator<Item = u8> + Clone + use<'t>, usize, i64) {
        let total = self.whole.len() + self.fraction.len();
        let zero = |digit: &&u8| **digit == b'0';
        let leading = self.whole.iter().chain(self.fraction).take_while(zero).count();
        let trailing = self.fraction.iter().rev().chain(self.whole.iter().rev()).take_while(zero).count();
        let kept = total - (leading + trailing).min(total);
        let digits = self.whole.iter().chain(self.fraction).skip(leading).take(kept).copied();
        (digits, kept, trailing as i64 - self.fraction.len() as i64)
    }

    fn decimal(&self, negative: bool) -> Option<Extended> {
        let (digits, count, place) = self.significant();
        if count == 0 {
            return Some(Extended { negative, ..Extended::ZERO });
        }
        let power = self.exponent.saturating_add(place);
        // The first digit's place decides roughly: all beyond 10^±5000 is out of range.
        let magnitude = power.saturating_add(count as i64);
        if !(-5000..=5000).contains(&magnitude) {
            return None;
        }
        let number = if power >= 0 {
            let whole = Natural::from_digits(digits, 10).times_power(5, power as u32);
            whole.round(power as i32, |bits, exponent, more| Extended::round(negative, bits, exponent, more))
        } else if count <= 19 && -power <= i64::from(FIVE_SMALL_MAX) {
            let digits = digits.fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
            small_quotient(negative, digits, power.unsigned_abs() as u32)
        } else {
            let divisor = Natural::from(1).times_power(5, power.unsigned_abs() as u32);
            let (bits, exponent, more) = Natural::from_digits(digits, 10).quotient(&divisor);
            Extended::round(negative, bits, exponent + power as i32, more)
        };
        number.filter(|number| number.mantissa != 0)
    }

    fn hexadecimal(&self, negative: bool) -> Option<Extended> {
        let (digits, count, place) = self.significant();
        if count == 0 {
            return Some(Extended { negative, ..Extended::ZERO });
        }
        let power = self.exponent.saturating_add(place * 4);
        if !(-100_000..=100_000).contains(&power) {
            return None;
        }
        let whole = Natural::from_digits(digits, 16);
        let number = whole.round(power as i32, |bits, exponent, more| Extended::round(negative, bits, exponent, more));
        number.filter(|number| number.mantissa != 0)
    }
}

/// The exponent behind its letter, cut off at a billion either way.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: i64, digit: &u8| (sum * 10 + i64::from(digit - b'0')).min(1_000_000_000);
    let magnitude = digits.iter().fold(0, add);
    Some(if negative { -magnitude } else { magnitude })
}

/// `digits / 10^places`, for what one division of 128 bits can do.
fn small_quotient(negative: bool, digits: u64, places: u32) -> Option<Extended> {
    let shift = digits.leading_zeros() + 64;
    let divisor = 5u128.pow(places);
    let shifted = u128::from(digits) << shift;
    // At least 2^127 / 2^63, so that the quotient has 65 bits or more.
    let (quotient, left) = (shifted / divisor, shifted % divisor);
    Extended::round(negative, quotient, -(shift as i32) - places as i32, left != 0)
}

#[cfg(test)]
#[path = "extended_tests.rs"]
mod tests;
