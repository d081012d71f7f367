//! BITOP's operations: strings combined bit by bit.
//!
//! Strings of different lengths are combined as if zero bytes followed the shorter ones. The work is
//! done in blocks that stay in the first-level cache: a block of the result is begun with the first
//! string's, and those of the others are folded in, one after the other.
//!
//! ```text
//!   AND, OR, XOR   all strings, folded
//!   NOT            one string
//!   DIFF           first and not (any of the others)
//!   DIFF1          (any of the others) and not first
//!   ANDOR          first and (any of the others)
//!   ONE            bits that are set in exactly one string
//! ```

use crate::vector;
use std::ops::Range;

/// What is done with the strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Set in all.
    And,
    /// Set in any.
    Or,
    /// Set in an odd number of them.
    Xor,
    /// Not set in the only one.
    Not,
    /// Set in the first and in no other.
    Diff,
    /// Set in another and not in the first.
    Diff1,
    /// Set in the first and in another.
    AndOr,
    /// Set in exactly one.
    One,
}

impl Operation {
    /// Every operation, with the word for it.
    pub const ALL: [(&'static str, Operation); 8] = [
        ("AND", Operation::And),
        ("OR", Operation::Or),
        ("XOR", Operation::Xor),
        ("NOT", Operation::Not),
        ("DIFF", Operation::Diff),
        ("DIFF1", Operation::Diff1),
        ("ANDOR", Operation::AndOr),
        ("ONE", Operation::One),
    ];

    /// The operation that a word means, in whatever case.
    pub fn read(word: &[u8]) -> Option<Operation> {
        let known = Operation::ALL.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        known.map(|(_, operation)| *operation)
    }
}

/// Bytes of a block: the result's, and beside it the one that ONE keeps, lie in 32 KiB of cache
/// with room for what is read.
const BLOCK_BYTES: usize = 8192;

/// Writes the bytes `range` of the result to `out`, which has as many. There is at least one source.
pub fn combine(operation: Operation, sources: &[&[u8]], range: Range<usize>, out: &mut [u8]) {
    let Some((first, others)) = sources.split_first() else { return };
    for (index, block) in out.chunks_mut(BLOCK_BYTES).enumerate() {
        let at = range.start + index * BLOCK_BYTES;
        vector::combine_block(operation, first, others, at, block);
    }
}

/// The bytes of a string from `at` on, as many as the block has or fewer.
#[inline(always)]
fn part<'s>(source: &'s [u8], at: usize, block: &[u8]) -> &'s [u8] {
    let rest = source.get(at..).unwrap_or_default();
    &rest[..rest.len().min(block.len())]
}

/// Makes the bytes of the result from `at` on, of which `block` has no more than [`BLOCK_BYTES`].
#[inline(always)]
pub(crate) fn combine_block(operation: Operation, first: &[u8], others: &[&[u8]], at: usize, block: &mut [u8]) {
    match operation {
        Operation::And => {
            begin(block, part(first, at, block));
            for other in others {
                let other = part(other, at, block);
                block[other.len()..].fill(0);
                fold(block, other, |a, b| a & b);
            }
        }
        Operation::Or => {
            begin(block, part(first, at, block));
            others.iter().for_each(|other| fold(block, part(other, at, block), |a, b| a | b));
        }
        Operation::Xor => {
            begin(block, part(first, at, block));
            others.iter().for_each(|other| fold(block, part(other, at, block), |a, b| a ^ b));
        }
        Operation::Not => {
            begin(block, part(first, at, block));
            block.iter_mut().for_each(|byte| *byte = !*byte);
        }
        Operation::Diff | Operation::Diff1 | Operation::AndOr => {
            block.fill(0);
            others.iter().for_each(|other| fold(block, part(other, at, block), |a, b| a | b));
            let first = part(first, at, block);
            match operation {
                Operation::Diff1 => fold(block, first, |any, first| any & !first),
                Operation::Diff => {
                    block[first.len()..].fill(0);
                    fold(block, first, |any, first| first & !any);
                }
                _ => {
                    block[first.len()..].fill(0);
                    fold(block, first, |any, first| any & first);
                }
            }
        }
        Operation::One => combine_one(first, others, at, block),
    }
}

/// ONE: besides the bits that any string has, those are kept that several have.
#[inline(always)]
fn combine_one(first: &[u8], others: &[&[u8]], at: usize, block: &mut [u8]) {
    let mut several = [0; BLOCK_BYTES];
    begin(block, part(first, at, block));
    for other in others {
        let other = part(other, at, block);
        for ((any, several), byte) in block.iter_mut().zip(&mut several).zip(other) {
            *several |= *any & byte;
            *any |= byte;
        }
    }
    fold(block, &several, |any, several| any & !several);
}

/// Begins a block with the bytes of a string, and zero bytes behind its end.
#[inline(always)]
fn begin(block: &mut [u8], source: &[u8]) {
    let (head, tail) = block.split_at_mut(source.len());
    head.copy_from_slice(source);
    tail.fill(0);
}

/// Folds the bytes of a string into a block, up to the end of the shorter.
#[inline(always)]
fn fold(block: &mut [u8], source: &[u8], operation: impl Fn(u8, u8) -> u8) {
    block.iter_mut().zip(source).for_each(|(byte, other)| *byte = operation(*byte, *other));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn model(operation: Operation, bits: &[bool]) -> bool {
        let any = bits[1..].contains(&true);
        match operation {
            Operation::And => !bits.contains(&false),
            Operation::Or => bits.contains(&true),
            Operation::Xor => bits.iter().filter(|bit| **bit).count() % 2 == 1,
            Operation::Not => !bits[0],
            Operation::Diff => bits[0] && !any,
            Operation::Diff1 => !bits[0] && any,
            Operation::AndOr => bits[0] && any,
            Operation::One => bits.iter().filter(|bit| **bit).count() == 1,
        }
    }

    fn result(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
        let mut out = vec![0xa5; sources.iter().map(|source| source.len()).max().unwrap_or(0)];
        let len = out.len();
        combine(operation, sources, 0..len, &mut out);
        out
    }

    proptest! {
        #[test]
        fn every_operation_is_its_table_bit_by_bit(
            sources in vec(vec(any::<u8>(), 0..70), 1..6),
            operation in (0..Operation::ALL.len()).prop_map(|at| Operation::ALL[at].1),
        ) {
            let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
            let out = result(operation, &sources);
            for bit in 0..out.len() as u64 * 8 {
                let bits: Vec<bool> = sources.iter().map(|source| crate::range::get(source, bit)).collect();
                prop_assert_eq!(crate::range::get(&out, bit), model(operation, &bits), "bit {}", bit);
            }
        }
    }

    #[test]
    fn parts_of_a_result_are_those_of_the_whole() {
        let sources: Vec<Vec<u8>> = (1..4)
            .map(|salt: usize| (0..BLOCK_BYTES * salt + 77).map(|at| (at * at * salt / 7) as u8).collect())
            .collect();
        let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
        for (word, operation) in Operation::ALL {
            let whole = result(operation, &sources);
            for range in [0..1, 1..BLOCK_BYTES + 3, 5000..whole.len(), whole.len()..whole.len()] {
                let mut part = vec![0; range.len()];
                combine(operation, &sources, range.clone(), &mut part);
                assert_eq!(part, whole[range.clone()], "{word} {range:?}");
            }
        }
    }

    #[test]
    fn a_word_is_read_in_any_case() {
        assert_eq!(Operation::read(b"andor"), Some(Operation::AndOr));
        assert_eq!(Operation::read(b"Diff1"), Some(Operation::Diff1));
        assert_eq!(Operation::read(b"NAND"), None);
    }
}
