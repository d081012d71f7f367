//! How long runs of a command took, as a histogram.
//!
//! The crate `hdrhistogram` keeps values of nanoseconds to a second with two significant digits, in 12 KiB, which
//! are there from the first run on.

use hdrhistogram::Histogram;
use std::cell::RefCell;

/// Longest duration that is told from longer ones, in nanoseconds.
const LONGEST_NS: u64 = 1_000_000_000;
/// Digits that count.
const DIGITS: u8 = 2;
/// Width of the first step of [`steps`](Durations::steps), in nanoseconds; each is twice as wide.
const FIRST_STEP_NS: u64 = 1024;

/// Durations of a command.
#[derive(Default, Clone)]
pub struct Durations(RefCell<Option<Box<Histogram<u32>>>>);

impl Durations {
    /// A run took so many nanoseconds.
    #[inline]
    pub fn record(&self, ns: u64) {
        match &mut *self.0.borrow_mut() {
            Some(histogram) => histogram.saturating_record(ns.max(1)),
            none => *none = first(ns),
        }
    }

    /// Take in what another has recorded, which begins anew.
    pub fn take(&self, other: &Durations) {
        let Some(taken) = other.0.take() else { return };
        match &mut *self.0.borrow_mut() {
            // Both have the same bounds, so it fits.
            Some(own) => drop(own.add(&*taken)),
            none => *none = Some(taken),
        }
    }

    /// How many runs there were.
    pub fn count(&self) -> u64 {
        self.0.borrow().as_ref().map_or(0, |histogram| histogram.len())
    }

    /// Microseconds that so many percent of the runs did not exceed.
    pub fn percentile_us(&self, percent: f64) -> f64 {
        self.0.borrow().as_ref().map_or(0.0, |histogram| histogram.value_at_percentile(percent) as f64 / 1000.0)
    }

    /// Steps that hold a run: microseconds up to which they reach, and how many runs took as long or less.
    pub fn steps(&self) -> Vec<(u64, u64)> {
        let Some(histogram) = &*self.0.borrow() else { return Vec::new() };
        let mut sum = 0;
        let mut steps = Vec::new();
        for step in histogram.iter_log(FIRST_STEP_NS, 2.0) {
            let more = step.count_since_last_iteration();
            sum += more;
            if more > 0 {
                steps.push((histogram.highest_equivalent(step.value_iterated_to()) / 1000, sum));
            }
        }
        steps
    }
}

#[cold]
fn first(ns: u64) -> Option<Box<Histogram<u32>>> {
    // The bounds are those that the crate allows.
    let mut histogram = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).ok()?;
    histogram.saturating_record(ns.max(1));
    Some(Box::new(histogram))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_percentiles_and_steps() {
        let durations = Durations::default();
        assert_eq!((durations.count(), durations.percentile_us(50.0), durations.steps()), (0, 0.0, Vec::new()));
        for us in [1, 1, 1, 3, 5000] {
            durations.record(us * 1000);
        }
        assert_eq!(durations.count(), 5);
        assert!((durations.percentile_us(50.0) - 1.0).abs() < 0.02);
        assert!((durations.percentile_us(100.0) - 5000.0).abs() < 50.0);
        let steps = durations.steps();
        assert_eq!(steps.iter().map(|step| step.1).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(steps[0].0 == 1 && steps[1].0 == 4 && (8192..8500).contains(&steps[2].0), "{steps:?}");
        durations.record(u64::MAX);
        durations.record(0);
        let other = Durations::default();
        other.record(7);
        other.take(&durations);
        assert_eq!((durations.count(), other.count()), (0, 8));
    }
}
