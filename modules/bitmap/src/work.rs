//! What a command does to the bytes of strings, in one go or in parts.
//!
//! ```text
//!   strings   ############################################
//!             \_ done ________/\_ a slice _/\_ to be done /
//! ```
//!
//! A [`Work`] knows how far it has got and nothing of keys: [`scan`](crate::scan) sees to it that the
//! strings are the same from the first slice to the last, or that the work is told of each change.

use crate::count::count_in;
use crate::field::WINDOW_BYTES;
use crate::logic::{Operation, combine};
use crate::search::first;
use plinth_module::prelude::{Error, Result};
use std::ops::Range;

/// One command's work on strings.
#[derive(Debug)]
pub(crate) enum Work {
    /// Counts set bits in the first string.
    Count {
        /// The first of them.
        from: u64,
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
            Work::Count { bits, counted, .. } => *counted += count_in(string, next(bits, bytes_max)),
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

    /// Brings what was done up to date after a change of the first string, or of any of those that
    /// are combined. False when that cannot be done, and the work must be begun anew.
    pub(crate) fn follow(&mut self, change: &Change, strings: &[&[u8]]) -> bool {
        match self {
            Work::Count { from, bits, counted } => {
                *counted = counted.saturating_add_signed(change.gain(*from..bits.start));
                true
            }
            Work::Find { bits, is_set, found } => {
                let seen = found.map_or(bits.start, |position| position + 1);
                let is_before = (change.at as u64 * 8) < seen;
                let is_of_found = found.is_some_and(|position| change.bytes().contains(&((position / 8) as usize)));
                !(is_of_found || is_before && change.brings(*is_set))
            }
            Work::Combine { operation, made, .. } => {
                let bytes = change.at.min(made.len())..change.bytes().end.min(made.len());
                combine(*operation, strings, bytes.clone(), &mut made[bytes]);
                true
            }
        }
    }
}

/// A few bytes of a string that were overwritten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    at: usize,
    len: usize,
    before: [u8; WINDOW_BYTES],
    after: [u8; WINDOW_BYTES],
}

impl Change {
    /// The bytes that were at `at`, and those that are there now. No more than an integer has.
    pub(crate) fn new(at: usize, before: &[u8], after: &[u8]) -> Change {
        let len = before.len().min(after.len()).min(WINDOW_BYTES);
        let mut change = Change { at, len, before: [0; WINDOW_BYTES], after: [0; WINDOW_BYTES] };
        change.before[..len].copy_from_slice(&before[..len]);
        change.after[..len].copy_from_slice(&after[..len]);
        change
    }

    /// Where the bytes are.
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.at..self.at + self.len
    }

    /// By how much more bits among `bits` of the string are set than were.
    fn gain(&self, bits: Range<u64>) -> i64 {
        let origin = self.at as u64 * 8;
        let (start, end) = (bits.start.max(origin), bits.end.min(origin + self.len as u64 * 8));
        if start >= end {
            return 0;
        }
        let own = start - origin..end - origin;
        count_in(&self.after, own.clone()) as i64 - count_in(&self.before, own) as i64
    }

    /// Whether a bit is set now that was not, or is not that was.
    fn brings(&self, is_set: bool) -> bool {
        let pairs = || self.before[..self.len].iter().zip(&self.after[..self.len]);
        if is_set { pairs().any(|(old, new)| new & !old != 0) } else { pairs().any(|(old, new)| old & !new != 0) }
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
                &|| Work::Count { from: bits.start, bits: bits.clone(), counted: 0 },
                &|| Work::Find { bits: bits.clone(), is_set, found: None },
                &|| Work::Combine { operation, made: Vec::new(), len },
            ];
            for make in makers {
                prop_assert_eq!(answer(in_slices(make(), &strings, bytes_max)), answer(whole(make(), &strings)));
            }
        }

        #[test]
        fn work_that_follows_changes_ends_as_work_on_what_is_there(
            strings in vec(vec(prop_oneof![Just(0u8), Just(0xff), any::<u8>()], 40), 1..3),
            (a, b) in (0u64..320, 0u64..320),
            is_set: bool,
            changes in vec((any::<bool>(), 0usize..40, any::<u8>()), 0..6),
            bytes_max in 1usize..20,
            operation in (0..Operation::ALL.len()).prop_map(|at| Operation::ALL[at].1),
        ) {
            let bits = a.min(b)..a.max(b);
            let makers: [&dyn Fn() -> Work; 3] = [
                &|| Work::Count { from: bits.start, bits: bits.clone(), counted: 0 },
                &|| Work::Find { bits: bits.clone(), is_set, found: None },
                &|| Work::Combine { operation, made: Vec::new(), len: 40 },
            ];
            for make in makers {
                let (mut strings, mut work) = (strings.clone(), make());
                let mut follows = true;
                for (advances, at, byte) in &changes {
                    let slices: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
                    if *advances && !work.is_done() {
                        work.advance(&slices, bytes_max).unwrap();
                    }
                    let before = std::mem::replace(&mut strings[0][*at], *byte);
                    let slices: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
                    follows &= work.follow(&Change::new(*at, &[before], &[*byte]), &slices);
                }
                let slices: Vec<&[u8]> = strings.iter().map(Vec::as_slice).collect();
                if follows {
                    prop_assert_eq!(answer(in_slices(work, &slices, bytes_max)), answer(whole(make(), &slices)));
                }
            }
        }
    }
}
