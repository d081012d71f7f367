//! Hits: the places that a search has found, as far as they have to be kept.
//!
//! They are kept to be sorted or stored; a search whose hits go straight into the reply keeps none.
//! Members lie one behind the other in one piece of memory, so that a hit costs no allocation. Of a
//! search that wants the nearest or farthest *n*, at most 2 *n* are kept at a time: then the worse half is
//! dropped, and from then on what is worse than the worst of those left is not taken at all.

use std::cmp::Ordering;

/// Which hits come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The nearest.
    Nearest,
    /// The farthest.
    Farthest,
}

/// Hits that are kept before the first are dropped, if the limit is lower.
const KEPT_MIN: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Hit {
    distance: f64,
    score: f64,
    /// Where the member begins. Hits that came first begin first, also after some were dropped.
    at: usize,
    len: usize,
}

impl Hit {
    /// The order of hits: of two at the same distance the one that came first comes first.
    fn compare(&self, other: &Hit, order: Option<Order>) -> Ordering {
        let by_distance = match order {
            None => Ordering::Equal,
            Some(Order::Nearest) => self.distance.total_cmp(&other.distance),
            Some(Order::Farthest) => other.distance.total_cmp(&self.distance),
        };
        by_distance.then_with(|| (self.at, self.len).cmp(&(other.at, other.len)))
    }
}

/// A hit as others see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Found<'m> {
    pub(crate) member: &'m [u8],
    pub(crate) score: f64,
    pub(crate) distance_m: f64,
}

/// Hits that are kept. See the [module](self).
#[derive(Debug)]
pub(crate) struct Hits {
    hits: Vec<Hit>,
    members: Vec<u8>,
    order: Option<Order>,
    limit: usize,
    /// The worst distance that was kept when hits were dropped.
    worst: Option<f64>,
}

impl Hits {
    /// None yet. `limit`, at least 1, is how many will be wanted.
    pub(crate) fn new(order: Option<Order>, limit: usize) -> Hits {
        Hits { hits: Vec::new(), members: Vec::new(), order, limit, worst: None }
    }

    /// Keeps a hit, unless so many better ones are known that it is not wanted. Those that come without
    /// an order are wanted in the order in which they come; returns false when there are enough.
    pub(crate) fn push(&mut self, found: Found<'_>) -> bool {
        let Found { member, score, distance_m: distance } = found;
        let is_worse = self.worst.is_some_and(|worst| match self.order {
            None => false,
            Some(Order::Nearest) => distance >= worst,
            Some(Order::Farthest) => distance <= worst,
        });
        if is_worse {
            return true;
        }
        self.hits.push(Hit { distance, score, at: self.members.len(), len: member.len() });
        self.members.extend_from_slice(member);
        if self.order.is_none() {
            return self.hits.len() < self.limit;
        }
        if self.hits.len() >= self.limit.saturating_mul(2).max(KEPT_MIN) {
            self.drop_worse();
        }
        true
    }

    /// Keeps the best, as many as are wanted.
    fn drop_worse(&mut self) {
        let order = self.order;
        let (_, worst, _) = self.hits.select_nth_unstable_by(self.limit - 1, |one, other| one.compare(other, order));
        self.worst = Some(worst.distance);
        self.hits.truncate(self.limit);
        self.hits.sort_unstable_by_key(|hit| (hit.at, hit.len));
        let mut to = 0;
        for hit in &mut self.hits {
            self.members.copy_within(hit.at..hit.at + hit.len, to);
            hit.at = to;
            to += hit.len;
        }
        self.members.truncate(to);
    }

    /// Brings the hits into their order, and drops those that are too many.
    pub(crate) fn finish(&mut self) {
        let order = self.order;
        if self.hits.len() > self.limit && order.is_some() {
            self.hits.select_nth_unstable_by(self.limit - 1, |one, other| one.compare(other, order));
        }
        self.hits.truncate(self.limit);
        if order.is_some() {
            self.hits.sort_unstable_by(|one, other| one.compare(other, order));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.hits.len()
    }

    /// The hits, in order once they were [finished](Hits::finish).
    pub(crate) fn iter(&self) -> impl Iterator<Item = Found<'_>> {
        self.hits.iter().map(|hit| Found {
            member: &self.members[hit.at..hit.at + hit.len],
            score: hit.score,
            distance_m: hit.distance,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_best_of_all_are_kept(
            distances in proptest::collection::vec(0..50_u32, 0..600), limit in 1..100_usize, order in 0..3,
        ) {
            let order = [None, Some(Order::Nearest), Some(Order::Farthest)][order as usize];
            let mut model: Vec<(String, f64)> = Vec::new();
            let mut hits = Hits::new(order, limit);
            for (number, distance) in distances.iter().enumerate() {
                let member = if number == 3 { String::new() } else { number.to_string() };
                let distance = f64::from(*distance);
                let goes_on = hits.push(Found { member: member.as_bytes(), score: distance + 1.0, distance_m: distance });
                model.push((member, distance));
                if !goes_on {
                    break;
                }
            }
            hits.finish();
            match order {
                None => {}
                Some(Order::Nearest) => model.sort_by(|a, b| a.1.total_cmp(&b.1)),
                Some(Order::Farthest) => model.sort_by(|a, b| b.1.total_cmp(&a.1)),
            }
            model.truncate(limit);
            prop_assert_eq!(hits.len(), model.len());
            for (found, (member, distance)) in hits.iter().zip(&model) {
                let expected = Found { member: member.as_bytes(), score: distance + 1.0, distance_m: *distance };
                prop_assert_eq!(found, expected);
            }
        }
    }
}
