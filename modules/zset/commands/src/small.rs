//! The small form: the elements in their order, packed into the key's entry.
//!
//! ```text
//!   [ count ]           [ pair ][ pair ] ...      up to 254 elements
//!   [ 255 ][ count, 4 ] [ pair ][ pair ] ...      more, where the thresholds allow it
//!
//!   pair    member as it is or as an integer, score in as few bytes as it needs
//! ```
//!
//! Pairs are those of [`plinth_module::pack::pair`], scores those of [`crate::score`]. Ten elements
//! of six bytes under a key of sixteen make an entry of 112 bytes.
//!
//! *Invariants*: pairs are in order, no member is there twice, and the count is theirs.

use crate::score::{Packed, unpack};
use crate::storage::Cut;
use plinth_module::pack::pair::{self, Pair, Part};
use plinth_module::pack::{Digits, Value};
use std::ops::Range;

/// What stands in the place of a count that does not fit into a byte.
const LONG: u8 = 255;

/// A sorted set in its small form.
#[derive(Clone, Copy)]
pub struct Small<'p> {
    count: usize,
    pairs: &'p [u8],
}

/// Bytes before the pairs of so many elements.
pub(crate) fn head_bytes(count: usize) -> usize {
    if count < usize::from(LONG) { 1 } else { 5 }
}

/// Writes the count into as many bytes as it needs.
pub(crate) fn write_head(count: usize, to: &mut [u8]) {
    if count < usize::from(LONG) {
        to[0] = count as u8;
    } else {
        to[0] = LONG;
        to[1..5].copy_from_slice(&(count as u32).to_le_bytes());
    }
}

/// An element that is going to be packed.
pub(crate) struct Element<'m> {
    member: Part<'m>,
    score: Packed,
}

impl<'m> Element<'m> {
    pub(crate) fn new(member: &'m [u8], score: f64) -> Element<'m> {
        Element { member: Part::of(member), score: Packed::of(score) }
    }

    pub(crate) fn len(&self) -> usize {
        pair::len_of(&self.member, &Part::raw(self.score.bytes()))
    }

    pub(crate) fn write(&self, to: &mut [u8]) {
        pair::write(&self.member, &Part::raw(self.score.bytes()), to);
    }

    pub(crate) fn push(&self, to: &mut Vec<u8>) {
        pair::push(&self.member, &Part::raw(self.score.bytes()), to);
    }
}

/// Where an element is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Place {
    /// Its rank.
    pub(crate) rank: usize,
    /// Where it begins, in bytes from the first pair.
    pub(crate) at: usize,
    /// Bytes that it takes.
    pub(crate) len: usize,
    /// Its score.
    pub(crate) score: f64,
}

/// The score of a pair.
#[inline]
fn score_of(pair: &Pair<'_>) -> f64 {
    match pair.second {
        Value::Text(bytes) => unpack(bytes),
        // Nobody packs a score like that; a pack from outside never gets here.
        Value::Integer(integer) => integer as f64,
    }
}

/// How two elements are ordered, the first of which is a pair.
#[inline]
fn is_less(pair: &Pair<'_>, member: &[u8], score: f64) -> bool {
    let own = score_of(pair);
    own < score || own == score && pair.first.text(&mut Digits::new()) < member
}

impl<'p> Small<'p> {
    /// The value of an entry.
    #[inline]
    pub fn new(bytes: &'p [u8]) -> Small<'p> {
        match bytes {
            [LONG, a, b, c, d, pairs @ ..] => Small { count: u32::from_le_bytes([*a, *b, *c, *d]) as usize, pairs },
            [count, pairs @ ..] => Small { count: usize::from(*count), pairs },
            [] => Small { count: 0, pairs: &[] },
        }
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the pairs.
    pub(crate) fn pairs_bytes(&self) -> usize {
        self.pairs.len()
    }

    /// Where a member is.
    pub(crate) fn find(&self, member: &[u8]) -> Option<Place> {
        let (at, pair) = pair::find(self.pairs, &Part::of(member))?;
        Some(Place { rank: 0, at, len: pair.len, score: score_of(&pair) })
    }

    /// A member's score.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|place| place.score)
    }

    /// A member's rank and score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let place = self.find(member)?;
        Some((pair::iter(&self.pairs[..place.at]).count(), place.score))
    }

    /// Where the element of a rank is.
    pub(crate) fn at(&self, rank: usize) -> Option<Place> {
        let at = pair::offset(self.pairs, rank)?;
        let pair = pair::read(&self.pairs[at..])?;
        Some(Place { rank, at, len: pair.len, score: score_of(&pair) })
    }

    /// Where an element belongs, in bytes from the first pair.
    pub(crate) fn place_for(&self, member: &[u8], score: f64) -> usize {
        let mut iter = pair::iter(self.pairs);
        let mut at = 0;
        while let Some(pair) = iter.next() {
            if !is_less(&pair, member, score) {
                break;
            }
            at = iter.offset();
        }
        at
    }

    /// How many elements come before a cut.
    pub fn count_before(&self, cut: Cut<'_>) -> usize {
        let before = |pair: &Pair<'_>| cut.is_behind(pair.first.text(&mut Digits::new()), score_of(pair));
        pair::iter(self.pairs).take_while(before).count()
    }

    /// Visits the elements of a range of ranks, forwards or backwards.
    pub fn visit(&self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&[u8], f64)) {
        let count = ranks.len();
        let mut digits = Digits::new();
        let pairs = pair::iter(self.pairs).skip(ranks.start).take(count);
        if !reverse {
            return pairs.for_each(|pair| visit(pair.first.text(&mut digits), score_of(&pair)));
        }
        // A pack is read forwards only: remember where things begin, a few at a time.
        let mut starts = [0_usize; 128];
        let mut left = count;
        while left > 0 {
            let chunk = left.min(starts.len());
            let first = ranks.start + left - chunk;
            let mut iter = pair::iter(self.pairs);
            iter.by_ref().take(first).for_each(drop);
            for start in &mut starts[..chunk] {
                *start = iter.offset();
                iter.next();
            }
            for start in starts[..chunk].iter().rev() {
                let Some(pair) = pair::read(&self.pairs[*start..]) else { break };
                visit(pair.first.text(&mut digits), score_of(&pair));
            }
            left -= chunk;
        }
    }
}

/// The small form of elements that are in order.
pub(crate) fn build<'e>(elements: impl Iterator<Item = (&'e [u8], f64)> + Clone) -> Vec<u8> {
    let count = elements.clone().count();
    let mut bytes = vec![0; head_bytes(count)];
    write_head(count, &mut bytes);
    elements.for_each(|(member, score)| Element::new(member, score).push(&mut bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn sorted(map: &BTreeMap<Vec<u8>, i32>) -> Vec<(&[u8], f64)> {
        let mut all: Vec<_> = map.iter().map(|(member, score)| (&member[..], f64::from(*score))).collect();
        all.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(b.0)));
        all
    }

    #[test]
    fn ten_elements_of_six_bytes_take_eighty() {
        let elements = (0..10_u8).map(|number| (vec![b'm', b'e', b'm', b'b', b':', b'0' + number], f64::from(number)));
        let elements: Vec<_> = elements.collect();
        let bytes = build(elements.iter().map(|(member, score)| (&member[..], *score)));
        assert_eq!(bytes.len(), 80);
    }

    proptest! {
        #[test]
        fn what_is_built_is_found(map in proptest::collection::btree_map(
            prop_oneof![
                any::<i32>().prop_map(|number| number.to_string().into_bytes()),
                proptest::collection::vec(any::<u8>(), 0..30),
            ],
            -300..300_i32,
            0..300,
        )) {
            let all = sorted(&map);
            let bytes = build(all.iter().copied());
            let small = Small::new(&bytes);
            prop_assert_eq!(small.len(), all.len());
            for reverse in [false, true] {
                let mut seen = Vec::new();
                small.visit(0..all.len(), reverse, &mut |member, score| seen.push((member.to_vec(), score)));
                if reverse {
                    seen.reverse();
                }
                prop_assert!(seen.iter().map(|(member, score)| (&member[..], *score)).eq(all.iter().copied()));
            }
            for (rank, (member, score)) in all.iter().enumerate() {
                prop_assert_eq!(small.rank(member), Some((rank, *score)));
                prop_assert_eq!(small.place_for(member, *score), small.at(rank).unwrap().at);
                let cut = Cut::Score { score: *score, behind: true };
                prop_assert_eq!(small.count_before(cut), all.partition_point(|(_, other)| other <= score));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let small = Small::new(&bytes);
            small.find(b"a");
            small.at(3);
            small.visit(1..small.len().min(500), true, &mut |_, _| {});
            small.visit(0..small.len(), false, &mut |_, _| {});
        }
    }
}
