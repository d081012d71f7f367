//! The order of elements: by score, then by member; and places in it.
//!
//! A score is compared as a *key*: 64 bits in the order of the scores, with both zeros the same. Two
//! keys are compared in one instruction, and a part of a key is a rougher key, which is what leaves
//! keep beside each address.

use plinth_zset_commands::storage::Cut;

/// The score as bits that are in the scores' order.
#[inline]
pub(crate) fn key_of(score: f64) -> u64 {
    // Makes a zero of minus zero.
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// A place between two elements.
#[derive(Clone, Copy)]
pub(crate) enum Goal<'a> {
    /// Before an element, or behind it.
    Element { key: u64, member: &'a [u8], behind: bool },
    /// Before all elements of a score, or behind them.
    Score { key: u64, behind: bool },
    /// Before a member, or behind it, where all scores are the same.
    Member { member: &'a [u8], behind: bool },
}

impl<'a> Goal<'a> {
    /// The place that a cut means.
    pub(crate) fn of(cut: Cut<'a>) -> Goal<'a> {
        match cut {
            Cut::Score { score, behind } => Goal::Score { key: key_of(score), behind },
            Cut::Member { member, behind } => Goal::Member { member, behind },
        }
    }

    /// The key that elements around the place have; `None` when it is not known.
    #[inline]
    pub(crate) fn key(&self) -> Option<u64> {
        match self {
            Goal::Element { key, .. } | Goal::Score { key, .. } => Some(*key),
            Goal::Member { .. } => None,
        }
    }

    /// Whether an element lies before the place.
    #[inline]
    pub(crate) fn is_behind<'m>(&self, key: u64, member: impl FnOnce() -> &'m [u8]) -> bool {
        match *self {
            Goal::Element { key: goal, member: wanted, behind } => {
                key < goal || key == goal && before(member(), wanted, behind)
            }
            Goal::Score { key: goal, behind } => key < goal || behind && key == goal,
            Goal::Member { member: wanted, behind } => before(member(), wanted, behind),
        }
    }
}

#[inline]
fn before(member: &[u8], wanted: &[u8], or_same: bool) -> bool {
    if or_same { member <= wanted } else { member < wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_scores() {
        let scores = [f64::NEG_INFINITY, f64::MIN, -1.5, -1.0, -5e-324, 0.0, 5e-324, 1.0, 1.5, f64::MAX, f64::INFINITY];
        assert!(scores.windows(2).all(|pair| key_of(pair[0]) < key_of(pair[1])));
        assert_eq!(key_of(-0.0), key_of(0.0));
    }
}
