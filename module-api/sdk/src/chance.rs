//! Chance: numbers for commands that pick at random. SplitMix64 (Steele, Lea and Flood, OOPSLA
//! 2014), begun from the system's randomness; good enough to be fair, and not for secrets.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static STATE: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(RandomState::new().hash_one(0u64)));

/// A number of 64 bits. Two threads that ask at once may get the same.
#[inline]
pub fn number() -> u64 {
    let state = STATE.load(Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
    STATE.store(state, Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number below `end`, which is not 0; each with the same chance but for one in 2^64 / `end`.
#[inline]
pub fn below(end: usize) -> usize {
    ((u128::from(number()) * end as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_the_end_comes_up_about_as_often() {
        let mut times = [0; 7];
        (0..7000).for_each(|_| times[below(7)] += 1);
        assert!(times.iter().all(|times| (800..1200).contains(times)), "{times:?}");
    }
}
