//! All registers, a byte each: what several values are merged in, and what a dense value is made from.

use crate::dense::{self, Dense, REGISTER_MAX};
use crate::estimate::Histogram;
use crate::hash::{Observation, REGISTERS};
use crate::sparse::{self, Corrupt};
use crate::vector;

/// A number for each register, up to [`REGISTER_MAX`].
pub struct Registers([u8; REGISTERS]);

impl Registers {
    /// Registers that are all 0.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Registers {
        Registers([0; REGISTERS])
    }

    /// Raises each register to that of a dense value.
    pub fn merge_dense(&mut self, from: &Dense) {
        if !vector::merge(&mut self.0, from) {
            self.merge_dense_portably(from);
        }
    }

    fn merge_dense_portably(&mut self, from: &Dense) {
        for (to, from) in self.0.as_chunks_mut::<4>().0.iter_mut().zip(from.as_chunks::<3>().0) {
            for (to, from) in to.iter_mut().zip(dense::unpack(*from)) {
                *to = from.max(*to);
            }
        }
    }

    /// Raises each register to that of a sparse value. Fails with [`Corrupt`], some of them raised.
    pub fn merge_sparse(&mut self, runs: &[u8]) -> Result<(), Corrupt> {
        sparse::visit(runs, |at, run| {
            for to in &mut self.0[at..at + run.len] {
                *to = run.value.max(*to);
            }
        })
    }

    /// Raises one register; whether it was lower.
    pub fn raise(&mut self, seen: Observation) -> bool {
        let register = &mut self.0[seen.index];
        let is_lower = *register < seen.rank;
        *register = (*register).max(seen.rank);
        is_lower
    }

    /// Writes them in the dense form.
    pub fn write(&self, to: &mut Dense) {
        if !vector::pack(&self.0, to) {
            self.write_portably(to);
        }
    }

    fn write_portably(&self, to: &mut Dense) {
        for (to, from) in to.as_chunks_mut::<3>().0.iter_mut().zip(self.0.as_chunks::<4>().0) {
            *to = dense::pack(*from);
        }
    }

    /// How many of them hold each number.
    pub fn histogram(&self) -> Histogram {
        count(self.0.as_chunks::<4>().0.iter().copied())
    }

    /// The registers that are not 0, in their order.
    pub fn raised(&self) -> impl Iterator<Item = Observation> {
        let seen = |(index, rank): (usize, &u8)| Observation { index, rank: *rank };
        self.0.iter().enumerate().filter(|(_, rank)| **rank > 0).map(seen)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u8> {
        self.0.iter().copied()
    }
}

/// How many registers of a dense value hold each number.
pub fn histogram(registers: &Dense) -> Histogram {
    count(registers.as_chunks::<3>().0.iter().map(|bytes| dense::unpack(*bytes)))
}

/// How many registers of a sparse value hold each number. Fails with [`Corrupt`].
pub fn sparse_histogram(runs: &[u8]) -> Result<Histogram, Corrupt> {
    let (mut histogram, mut raised) = ([0; REGISTER_MAX as usize + 1], 0);
    sparse::visit(runs, |_, run| {
        histogram[usize::from(run.value & REGISTER_MAX)] += run.len as u32;
        raised += run.len;
    })?;
    histogram[0] = (REGISTERS - raised) as u32;
    Ok(histogram)
}

/// Counts registers in four tables in turn: neighbours are often equal, and adding twice to one place
/// has the second wait for the first.
#[inline]
fn count(registers: impl Iterator<Item = [u8; 4]>) -> Histogram {
    let mut tables = [[0; REGISTER_MAX as usize + 1]; 4];
    for four in registers {
        for (table, register) in tables.iter_mut().zip(four) {
            table[usize::from(register & REGISTER_MAX)] += 1;
        }
    }
    std::array::from_fn(|at| tables.iter().map(|table| table[at]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::DENSE_BYTES;
    use crate::sparse::Raiser;
    use proptest::prelude::*;

    fn any_dense() -> impl Strategy<Value = Box<Dense>> {
        any::<u64>().prop_map(|seed| {
            let mut state = seed | 1;
            let mut bytes = Box::new([0; DENSE_BYTES]);
            for byte in bytes.iter_mut() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
            bytes
        })
    }

    fn all(dense: &Dense) -> Vec<u8> {
        (0..REGISTERS).map(|index| dense::get(dense, index)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_merge_is_the_maximum_of_each_register(first in any_dense(), second in any_dense()) {
            let model: Vec<u8> = all(&first).into_iter().zip(all(&second)).map(|(one, two)| one.max(two)).collect();
            let mut registers = Registers::new();
            registers.merge_dense(&first);
            registers.merge_dense(&second);
            prop_assert_eq!(registers.iter().collect::<Vec<_>>(), model.clone());
            let mut written = [0; DENSE_BYTES];
            registers.write(&mut written);
            prop_assert_eq!(all(&written), model);
        }

        #[test]
        fn the_processor_and_the_portable_loops_agree(first in any_dense(), second in any_dense()) {
            let (mut fast, mut slow) = (Registers::new(), Registers::new());
            for dense in [&first, &second] {
                fast.merge_dense(dense);
                slow.merge_dense_portably(dense);
                prop_assert!(fast.0 == slow.0);
                let (mut one, mut two) = ([1; DENSE_BYTES], [2; DENSE_BYTES]);
                fast.write(&mut one);
                slow.write_portably(&mut two);
                prop_assert!(one == two);
            }
        }

        #[test]
        fn every_form_has_the_same_histogram(seen in prop::collection::vec((0..REGISTERS, 1u8..=32), 0..2000)) {
            let mut registers = Registers::new();
            let mut raiser = Raiser::new(&sparse::EMPTY, usize::MAX);
            for (index, rank) in seen {
                registers.raise(Observation { index, rank });
                raiser.raise(Observation { index, rank }).expect("whole");
            }
            let mut dense = [0; DENSE_BYTES];
            registers.write(&mut dense);
            prop_assert_eq!(registers.histogram(), histogram(&dense));
            prop_assert_eq!(registers.histogram(), sparse_histogram(raiser.bytes()).expect("whole"));
            let mut merged = Registers::new();
            merged.merge_sparse(raiser.bytes()).expect("whole");
            prop_assert!(merged.0 == registers.0);
        }
    }
}
