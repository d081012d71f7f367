//! Chance: numbers for commands that pick at random, and how such commands say how many picks they
//! want.
//!
//! The numbers are those of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), begun from the system's
//! randomness; good enough to be fair, and not for secrets.

use crate::call::Call;
use crate::error::{Error, Result};
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

/// What is answered to a number of picks that has no positive counterpart.
pub const COUNT_RANGE: &str =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";

/// Most picks of one reply that may repeat elements: what one client can make the server hold.
pub const REPEAT_MAX: u64 = 1 << 27;

/// Reads `count [word]` from the third argument on, as HRANDFIELD and ZRANDMEMBER have it: the count,
/// which is negative if an element may be picked repeatedly, and whether the word is there, which
/// doubles the reply.
///
/// Fails with `NotInteger`, `Syntax`, or the reply that is written.
pub fn picks(call: &mut Call<'_>, word: &str) -> Result<(i64, bool)> {
    let count = call.args.integer(2)?;
    if count == i64::MIN {
        return Err(call.reply.error(COUNT_RANGE));
    }
    let is_double = call.args.len() > 3;
    if call.args.len() > 4 || is_double && !call.args.word(3, word) {
        return Err(Error::Syntax);
    }
    if is_double && !(-(i64::MAX / 2)..=i64::MAX / 2).contains(&count) {
        return Err(call.reply.error("ERR value is out of range"));
    }
    Ok((count, is_double))
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
