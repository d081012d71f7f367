//! How long runs of a command took, as a histogram.
//!
//! Runs are counted in steps that are told apart by six bits behind the leading one, since finding the step is part
//! of every run (a dozen instructions; the crate `hdrhistogram` takes 63). The crate answers what is asked of them.

use hdrhistogram::Histogram;
use std::cell::{Cell, RefCell};

/// Longest duration that is told from longer ones, in nanoseconds.
const LONGEST_NS: u64 = (1 << 30) - 1;
/// Digits that count.
const DIGITS: u8 = 2;
/// Bits of a duration that count, without the leading one.
const STEP_BITS: u32 = 6;
/// Steps there are: up to [`LONGEST_NS`].
const STEPS: usize = step_of(LONGEST_NS) + 1;
/// Width of the first step of [`steps`](Durations::steps), in nanoseconds; each is twice as wide.
const FIRST_STEP_NS: u64 = 1024;

/// Durations of a command: how many runs there were in each step, in 6 KiB that are there from the first run on.
#[derive(Default, Clone)]
pub struct Durations(RefCell<Option<Box<[Cell<u32>; STEPS]>>>);

/// The step of a duration.
#[inline(always)]
const fn step_of(ns: u64) -> usize {
    let shift = (ns >> STEP_BITS | 1).ilog2();
    (((shift as u64) << STEP_BITS) + (ns >> shift)) as usize
}

/// The shortest duration of a step, and how many there are in it.
const fn of_step(step: usize) -> (u64, u64) {
    let shift = (step >> STEP_BITS).saturating_sub(1) as u32;
    ((step as u64 - ((shift as u64) << STEP_BITS)) << shift, 1 << shift)
}

impl Durations {
    /// A run took so many nanoseconds.
    #[inline]
    pub fn record(&self, ns: u64) {
        let step = step_of(ns.min(LONGEST_NS));
        if let Some(counts) = &*self.0.borrow() {
            return add(&counts[step], 1);
        }
        self.first(step);
    }

    #[cold]
    fn first(&self, step: usize) {
        let counts = Box::new([const { Cell::new(0) }; STEPS]);
        counts[step].set(1);
        *self.0.borrow_mut() = Some(counts);
    }

    /// What was recorded, to be asked.
    fn histogram(&self) -> Option<Histogram<u64>> {
        let counts = self.0.borrow();
        // The bounds are those that the crate allows.
        let mut histogram = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).ok()?;
        for (step, count) in counts.as_ref()?.iter().enumerate().filter(|(_, count)| count.get() > 0) {
            let (from, width) = of_step(step);
            histogram.saturating_record_n((from + width / 2).max(1), u64::from(count.get()));
        }
        Some(histogram)
    }

    /// Take in what another has recorded, which begins anew.
    pub fn take(&self, other: &Durations) {
        let Some(taken) = other.0.take() else { return };
        let mut counts = self.0.borrow_mut();
        match &*counts {
            Some(own) => own.iter().zip(taken.iter()).for_each(|(own, taken)| add(own, taken.get())),
            None => *counts = Some(taken),
        }
    }

    /// How many runs there were.
    pub fn count(&self) -> u64 {
        self.0.borrow().as_ref().map_or(0, |counts| counts.iter().map(|count| u64::from(count.get())).sum())
    }

    /// Microseconds that so many percent of the runs did not exceed, for each of some.
    pub fn percentiles_us(&self, percents: &[f64]) -> Vec<f64> {
        let histogram = self.histogram();
        let of = |percent: &f64| histogram.as_ref().map_or(0.0, |of| of.value_at_percentile(*percent) as f64 / 1000.0);
        percents.iter().map(of).collect()
    }

    /// Steps that hold a run: microseconds up to which they reach, and how many runs took as long or less.
    pub fn steps(&self) -> Vec<(u64, u64)> {
        let Some(histogram) = self.histogram() else { return Vec::new() };
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

/// Count some more, up to the most that there is room for.
#[inline(always)]
fn add(count: &Cell<u32>, more: u32) {
    count.set(count.get().saturating_add(more));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_percentiles_and_steps() {
        let durations = Durations::default();
        assert_eq!(
            (durations.count(), durations.percentiles_us(&[50.0]), durations.steps()),
            (0, vec![0.0], Vec::new())
        );
        for us in [1, 1, 1, 3, 5000] {
            durations.record(us * 1000);
        }
        assert_eq!(durations.count(), 5);
        let found = durations.percentiles_us(&[50.0, 100.0]);
        assert!((found[0] - 1.0).abs() < 0.02 && (found[1] - 5000.0).abs() < 100.0, "{found:?}");
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

    #[test]
    fn every_duration_is_in_its_step() {
        let mut last = 0;
        for ns in (0..5000).chain((13..30).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1])) {
            let step = step_of(ns);
            let (from, width) = of_step(step);
            assert!((from..from + width).contains(&ns), "{ns} in {step}: {from} + {width}");
            assert!(width == 1 || from >= width << STEP_BITS, "{ns}: {width} of {from}");
            assert!(step >= last && (step - last <= 1 || ns > 5000), "{ns}: {last} to {step}");
            last = step;
        }
        assert_eq!(of_step(STEPS - 1).0 + of_step(STEPS - 1).1, LONGEST_NS + 1);
    }
}
