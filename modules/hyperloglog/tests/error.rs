//! The error of estimates: 0.81 percent is its standard deviation, and it has no bias.

#![deny(unsafe_code)]

use plinth_hyperloglog::estimate::cardinality;
use plinth_hyperloglog::hash::Observation;
use plinth_hyperloglog::registers::Registers;

/// 1.04 / sqrt(16,384), the standard error of the algorithm.
const STANDARD_ERROR: f64 = 1.04 / 128.0;
const SEEDS: u64 = 100;
/// Where estimates are looked at. Below some thousands the error is smaller than the standard one.
const CARDINALITIES: [u64; 6] = [10, 100, 1_000, 10_000, 50_000, 200_000];

/// The relative errors of a seed's elements at each cardinality.
fn errors(seed: u64) -> [f64; CARDINALITIES.len()] {
    let mut registers = Registers::new();
    let mut added = 0;
    CARDINALITIES.map(|cardinality_true| {
        while added < cardinality_true {
            // The hash is what spreads elements: they are plain numbers.
            registers.raise(Observation::of(&[seed.to_le_bytes(), added.to_le_bytes()].concat()));
            added += 1;
        }
        cardinality(&registers.histogram()) as f64 / cardinality_true as f64 - 1.0
    })
}

#[test]
fn estimates_of_a_hundred_seeds_are_within_the_bound() {
    let all: Vec<_> = (0..SEEDS).map(errors).collect();
    for (at, elements) in CARDINALITIES.iter().enumerate() {
        let errors = || all.iter().map(|errors| errors[at]);
        let mean = errors().sum::<f64>() / SEEDS as f64;
        let deviation = (errors().map(|error| error * error).sum::<f64>() / SEEDS as f64).sqrt();
        let worst = errors().fold(0.0, |worst: f64, error| worst.max(error.abs()));
        println!("{elements}: mean {mean:.5}, deviation {deviation:.5}, worst {worst:.5}");
        // The elements are always the same, so these do not fail by chance. Few elements are off by
        // the rounding to a whole number too.
        let rounding = 0.5 / *elements as f64;
        assert!(worst < 4.0 * STANDARD_ERROR + rounding, "{elements}: an estimate is off by {worst}");
        assert!(deviation < 1.2 * STANDARD_ERROR + rounding, "{elements}: the deviation is {deviation}");
        assert!(mean.abs() < 0.3 * STANDARD_ERROR + rounding, "{elements}: off by {mean} on average");
    }
}
