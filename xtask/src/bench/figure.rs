//! Figures out of samples: medians with their spread, percentiles.

/// The middle of several runs and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Figure {
    /// The figure of at least one sample.
    pub(crate) fn of(samples: &[f64]) -> Option<Figure> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&low, &high) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median =
            if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) };
        Some(Figure { median, low, high })
    }

    /// Half the distance between the extremes, as a share of the median.
    pub(crate) fn spread(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { (self.high - self.low) / 2.0 / self.median.abs() }
    }
}

/// Latencies of one run, sorted once.
pub(crate) struct Latencies {
    sorted_ns: Vec<u64>,
}

impl Latencies {
    pub(crate) fn new(mut samples_ns: Vec<u64>) -> Latencies {
        samples_ns.sort_unstable();
        Latencies { sorted_ns: samples_ns }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.sorted_ns.len()
    }

    /// The smallest latency that at least `share` of all do not exceed; 0 when there are none.
    pub(crate) fn quantile_ns(&self, share: f64) -> u64 {
        let rank = (share * self.sorted_ns.len() as f64).ceil() as usize;
        self.sorted_ns.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }

    /// The worst; 0 when there are none.
    pub(crate) fn max_ns(&self) -> u64 {
        self.sorted_ns.last().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        let figure = Figure::of(&[4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!(figure, Figure { median: 2.5, low: 1.0, high: 4.0 });
        assert_eq!(Figure::of(&[]), None);
    }

    #[test]
    fn a_quantile_is_one_of_the_samples() {
        let latencies = Latencies::new((1..=1000).rev().collect());
        assert_eq!(latencies.quantile_ns(0.5), 500);
        assert_eq!(latencies.quantile_ns(0.999), 999);
        assert_eq!(latencies.max_ns(), 1000);
        assert_eq!(Latencies::new(Vec::new()).quantile_ns(0.5), 0);
    }
}
