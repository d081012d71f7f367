//! The estimate: how many different elements a set of registers has seen.
//!
//! This is the improved raw estimator of Otmar Ertl, "New cardinality estimation algorithms for
//! HyperLogLog sketches" (2017, arXiv:1702.01284), algorithm 6. It needs how often each number stands
//! in a register and no table of measured biases, and is right from one element to 2^60 of them; the
//! standard error is 1.04 / sqrt(16,384), 0.81 percent. Redis has it since version 5, so the
//! counts agree to the last digit.

use crate::dense::REGISTER_MAX;
use crate::hash::{RANK_MAX, REGISTERS};

/// How many registers hold each number.
pub type Histogram = [u32; REGISTER_MAX as usize + 1];

/// The limit of the constant alpha for many registers, 1 / (2 ln 2).
const ALPHA: f64 = 0.5 / std::f64::consts::LN_2;

/// The estimated number of different elements.
pub fn cardinality(histogram: &Histogram) -> u64 {
    let count = REGISTERS as f64;
    let at = |rank: u8| f64::from(histogram[usize::from(rank)]);
    let mut sum = count * tau((count - at(RANK_MAX)) / count);
    for rank in (1..RANK_MAX).rev() {
        sum = 0.5 * (sum + at(rank));
    }
    sum += count * sigma(at(0) / count);
    let estimate = (ALPHA * count * count / sum).round();
    // Only registers above every rank, which no element makes, have an infinite estimate. Redis then
    // shows the number that its processor makes of it.
    if estimate < i64::MAX as f64 { estimate as u64 } else { i64::MIN as u64 }
}

/// The sum of x^(2^k) 2^(k-1) over k from 1 on, and x: what registers at 0 count for.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// A third of 1 - x - the sum of (1 - x^(2^-k))^2 2^-k over k from 1 on: what registers at the
/// greatest rank count for.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(registers: &[(u8, u32)]) -> Histogram {
        let mut histogram = [0; 64];
        registers.iter().for_each(|(rank, count)| histogram[usize::from(*rank)] = *count);
        histogram
    }

    #[test]
    fn few_elements_are_counted_exactly() {
        assert_eq!(cardinality(&histogram(&[(0, 16_384)])), 0);
        assert_eq!(cardinality(&histogram(&[(0, 16_383), (1, 1)])), 1);
        assert_eq!(cardinality(&histogram(&[(0, 16_374), (1, 6), (2, 3), (3, 1)])), 10);
    }

    #[test]
    fn registers_that_no_element_makes_have_an_estimate_too() {
        // Redis 7.0 answers the same.
        assert_eq!(cardinality(&histogram(&[(63, 16_384)])), 1 << 63);
        assert_eq!(cardinality(&histogram(&[(51, 16_384)])), 1 << 63);
    }
}
