//! Latency events: the worst of each second in which something took as long as `latency-monitor-threshold` or
//! longer, by what it was.

use std::collections::BTreeMap;
use std::collections::VecDeque;

/// Seconds of which each event keeps the worst.
pub const SAMPLES_MAX: usize = 160;

/// The worst of a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Unix time in seconds.
    pub at_s: i64,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// What is known of an event.
#[derive(Default)]
pub struct Series {
    samples: VecDeque<Sample>,
    worst_ms: u64,
}

impl Series {
    fn add(&mut self, now_s: i64, ms: u64) {
        self.worst_ms = self.worst_ms.max(ms);
        if let Some(last) = self.samples.back_mut().filter(|last| last.at_s == now_s) {
            last.ms = last.ms.max(ms);
            return;
        }
        if self.samples.len() == SAMPLES_MAX {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { at_s: now_s, ms });
    }

    /// The oldest first.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = Sample> + '_ {
        self.samples.iter().copied()
    }

    /// The last, if there is any.
    pub fn last(&self) -> Option<Sample> {
        self.samples.back().copied()
    }

    /// The longest there ever was, in milliseconds.
    pub fn worst_ms(&self) -> u64 {
        self.worst_ms
    }
}

/// All events. Their names are those of places in the server, so there are few.
#[derive(Default)]
pub struct Latency {
    events: BTreeMap<&'static str, Series>,
}

impl Latency {
    /// Something took so long.
    pub fn add(&mut self, event: &'static str, now_s: i64, ms: u64) {
        self.events.entry(event).or_default().add(now_s, ms);
    }

    /// What is known of an event.
    pub fn get(&self, event: &str) -> Option<&Series> {
        self.events.get(event)
    }

    /// All events by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, &Series)> {
        self.events.iter().map(|(name, series)| (*name, series))
    }

    /// Forget an event, or with none all; how many there were.
    pub fn reset(&mut self, event: Option<&str>) -> usize {
        match event {
            Some(event) => usize::from(self.events.remove(event).is_some()),
            None => std::mem::take(&mut self.events).len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_each_second_is_kept_and_the_oldest_go() {
        let mut latency = Latency::default();
        for (at_s, ms) in [(1, 5), (1, 9), (1, 7), (2, 3)] {
            latency.add("command", at_s, ms);
        }
        let series = latency.get("command").unwrap();
        assert_eq!(series.samples().collect::<Vec<_>>(), [Sample { at_s: 1, ms: 9 }, Sample { at_s: 2, ms: 3 }]);
        assert_eq!((series.worst_ms(), series.last()), (9, Some(Sample { at_s: 2, ms: 3 })));
        (3..300).for_each(|at_s| latency.add("command", at_s, 1));
        let series = latency.get("command").unwrap();
        assert_eq!((series.samples().len(), series.worst_ms()), (SAMPLES_MAX, 9));
        latency.add("fork", 1, 1);
        assert_eq!((latency.reset(Some("none")), latency.reset(Some("fork")), latency.reset(None)), (0, 1, 1));
        assert!(latency.get("command").is_none());
    }
}
