//! What a command does to the bytes of strings, in one go or in parts.
//!
//! ```text
//!   strings   ############################################
//!             \_ done ________/\_ a slice _/\_ to be done /
//! ```
//!
//! A [`Work`] knows how far it has got and nothing of keys: [`scan`](crate::scan) sees to it that the
//! strings are the same from the first slice to the last.

use crate::count::count_in;
use crate::logic::{Operation, combine};
use crate::search::first;
use plinth_module::prelude::{Error, Result};
use std::ops::Range;

/// One command's work on strings.
#[derive(Debug)]
pub(crate) enum Work {
    /// Counts set bits in the first string.
    Count {
        /// Those that are to be counted yet.
        bits: Range<u64>,
        /// How many of the others are set.
        counted: u64,
    },
    /// Finds a bit in the first string.
    Find {
        /// Where it may be yet.
        bits: Range<u64>,
        /// What it is.
        is_set: bool,
        /// Where it is.
        found: Option<u64>,
    },
    /// Combines all strings.
    Combine {
        /// How.
        operation: Operation,
        /// The bytes that were made.
        made: Vec<u8>,
        /// How many there are to be.
        len: usize,
    },
}

impl Work {
    /// Whether nothing is left to do.
    pub(crate) fn is_done(&self) -> bool {
        match self {
            Work::Count { bits, .. } => bits.is_empty(),
            Work::Find { bits, found, .. } => found.is_some() || bits.is_empty(),
            Work::Combine { made, len, .. } => made.len() >= *len,
        }
    }

    /// Number of bytes that are to be read yet, at most, and written.
    pub(crate) fn bytes(&self, strings: usize) -> usize {
        match self {
            Work::Count { bits, .. } | Work::Find { bits, .. } => bytes_of(bits),
            Work::Combine { made, len, .. } => (len - made.len()).saturating_mul(strings + 1),
        }
    }

    /// Whether memory is held for what was done.
    pub(crate) fn holds_memory(&self) -> bool {
        matches!(self, Work::Combine { .. })
    }

    /// Does the next `bytes_max` bytes, counting those of all strings, or what is left. The strings
    /// are those that the work was made for. Fails with `OutOfMemory`.
    pub(crate) fn advance(&mut self, strings: &[&[u8]], bytes_max: usize) -> Result {
        let string = strings.first().copied().unwrap_or_default();
        match self {
            Work::Count { bits, counted } => *counted += count_in(string, next(bits, bytes_max)),
            Work::Find { bits, is_set, found } => *found = first(string, next(bits, bytes_max), *is_set),
            Work::Combine { operation, made, len } => {
                made.try_reserve_exact(*len - made.len()).map_err(|_| Error::OutOfMemory)?;
                let begin = made.len();
                let end = begin.saturating_add((bytes_max / (strings.len() + 1)).max(1)).min(*len);
                made.resize(end, 0);
                combine(*operation, strings, begin..end, &mut made[begin..]);
            }
        }
        Ok(())
    }
}

/// Number of bytes in which some bits lie.
fn bytes_of(bits: &Range<u64>) -> usize {
    crate::range::bytes_of(bits).len()
}

/// Takes the bits of the next `bytes_max` bytes off the front.
fn next(bits: &mut Range<u64>, bytes_max: usize) -> Range<u64> {
    // A whole number of bytes after the first, which then begins at a bit of its own no more.
    let end = (bits.start / 8).saturating_add(bytes_max.max(1) as u64).saturating_mul(8).min(bits.end);
    let taken = bits.start..end;
    bits.start = end;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn whole(mut work: Work, strings: &[&[u8]]) -> Work {
        work.advance(strings, usize::MAX).unwrap();
        assert!(work.is_done());
        work
    }

    fn in_slices(mut work: Work, strings: &[&[u8]], bytes_max: usize) -> Work {
        while !work.is_done() {
            let before = work.bytes(strings.len());
            work.advance(strings, bytes_max).unwrap();
            assert!(work.is_done() || work.bytes(strings.len()) < before);
        }
        work
    }

    fn answer(work: Work) -> (u64, Option<u64>, Vec<u8>) {
        match work {
            Work::Count { counted, .. } => (counted, None, Vec::new()),
            Work::Find { found, .. } => (0, found, Vec::new()),
            Work::Combine { made, .. } => (0, None, made),
        }
    }

    proptest! {
        #[test]
        fn slices_add_up_to_the_whole(
            strings in vec(vec(prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 0..60), 1..4),
            (a, b) in (0u64..480, 0u64..480),
            is_set: bool,
            bytes_max in 1usize..40,
            operation in (0..Operation::ALL.len()).prop_map(|at| Operation::ALL[at].1),
        ) {
            let strings: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
            let end = strings[0].len() as u64 * 8;
            let bits = a.min(b).min(end)..a.max(b).min(end);
            let len = strings.iter().map(|string| string.len()).max().unwrap_or(0);
            let makers: [&dyn Fn() -> Work; 3] = [
                &|| Work::Count { bits: bits.clone(), counted: 0 },
                &|| Work::Find { bits: bits.clone(), is_set, found: None },
                &|| Work::Combine { operation, made: Vec::new(), len },
            ];
            for make in makers {
                prop_assert_eq!(answer(in_slices(make(), &strings, bytes_max)), answer(whole(make(), &strings)));
            }
        }
    }
}
