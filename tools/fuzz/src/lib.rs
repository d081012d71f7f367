//! The loop of the workspace's fuzzers, and the numbers that they choose by.
//!
//! A fuzzer is a function of one case, which chooses all that it does by the numbers it is given.
//! It runs for a fraction of a second under `cargo test`, always on the same cases. For longer, or
//! for one case again:
//!
//! ```text
//!   PLINTH_FUZZ_SECONDS=600   runs for so long, on cases that differ from run to run
//!   PLINTH_FUZZ_SEED=123      begins with that case; a failure prints the seed of its case
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// For how long a fuzzer runs under `cargo test`.
const SHORT_RUN: Duration = Duration::from_millis(300);

/// Numbers that look random and are the same for the same seed.
pub struct Random(fastrand::Rng);

impl Random {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Random {
        Random(fastrand::Rng::with_seed(seed))
    }

    /// Any 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// An integer of any magnitude.
    pub fn number(&mut self) -> u64 {
        let shift = self.below(64);
        self.word() >> shift
    }

    /// A number below a bound; 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.usize(..bound.max(1))
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of some things, of which there is at least one.
    pub fn one<'t, T: ?Sized>(&mut self, things: &[&'t T]) -> &'t T {
        things[self.below(things.len())]
    }

    /// Turns, overwrites, cuts, doubles, inserts and takes out bytes, up to three times. `telling`
    /// are bytes that the format gives a meaning.
    pub fn damage(&mut self, bytes: &mut Vec<u8>, telling: &[u8]) {
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            let byte = telling[self.below(telling.len())];
            match self.below(7) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 => bytes.extend_from_within(at..),
                3 => drop(bytes.drain(at..bytes.len().min(at + 3))),
                _ if bytes.is_empty() => {}
                4 => bytes[at] ^= 1 << self.below(8),
                5 => bytes[at] = self.word() as u8,
                _ => bytes[at] = byte,
            }
        }
    }
}

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// How long to run, and the seed to begin with, as the environment says.
pub fn budget() -> (Duration, u64) {
    let seconds: Option<f64> = variable("PLINTH_FUZZ_SECONDS");
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
    let seed = variable("PLINTH_FUZZ_SEED").unwrap_or_else(|| if seconds.is_some() { clock() } else { 1 });
    (seconds.map_or(SHORT_RUN, Duration::from_secs_f64), seed)
}

/// Runs cases until the time is up, and says how many they were.
///
/// # Panics
/// As a case does, after the seed of it was printed.
pub fn run(mut case: impl FnMut(&mut Random)) {
    let (time, first) = budget();
    let (begun, mut cases) = (Instant::now(), 0u64);
    while begun.elapsed() < time {
        let seed = first.wrapping_add(cases);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case(&mut Random::new(seed)))) {
            eprintln!("the case with PLINTH_FUZZ_SEED={seed} fails");
            resume_unwind(panic);
        }
        cases += 1;
    }
    println!("{cases} cases from PLINTH_FUZZ_SEED={first}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_case_again_and_another_seed_another() {
        let case = |seed| {
            let (mut random, mut bytes) = (Random::new(seed), vec![7; 100]);
            (0..20).for_each(|_| random.damage(&mut bytes, &[0, 255]));
            (bytes, random.word())
        };
        assert_eq!(case(5), case(5));
        assert_ne!(case(5), case(6));
    }

    #[test]
    fn a_case_that_panics_ends_the_run() {
        let mut cases = 0;
        let run = catch_unwind(AssertUnwindSafe(|| {
            run(|_| {
                cases += 1;
                assert!(cases < 3, "the third case");
            });
        }));
        assert!(run.is_err());
        assert_eq!(cases, 3);
    }

    #[test]
    fn damage_takes_bytes_of_any_length() {
        let mut random = Random::new(1);
        for len in 0..50 {
            let mut bytes = vec![0; len];
            (0..50).for_each(|_| random.damage(&mut bytes, &[1]));
        }
    }
}
