//! The sparse form: runs of equal registers, each in one or two bytes, in the order of the registers.
//!
//! ```text
//!   00nnnnnn             n+1 registers are 0, up to 64                       z in PFDEBUG DECODE
//!   01nnnnnn nnnnnnnn    n+1 registers are 0, up to 16,384, high bits first  Z
//!   1vvvvvnn             n+1 registers are v+1, up to 4 of up to 32          v
//! ```
//!
//! The runs of a whole value cover each register once. A value comes from whoever may write strings,
//! so nothing here believes that: [`Runs`] ends before a run that is cut off, [`visit`] refuses runs
//! that cover more or fewer registers, and [`Raiser`] a register that no run covers.
//!
//! *Invariant*: a run covers at least one register, so no loop over runs is longer than the bytes,
//! and none that stops at the last register is longer than there are registers.

mod edit;

pub use edit::{Raised, Raiser};

use crate::hash::REGISTERS;

/// The greatest number that a run can hold.
pub const VALUE_MAX: u8 = 32;
/// Most registers in a run of numbers.
const VALUE_LEN_MAX: usize = 4;
/// Most registers in a run of zeros of one byte.
const SHORT_LEN_MAX: usize = 64;
/// Most bytes of the runs of a whole value: two for each register.
pub const SPARSE_BYTES_MAX: usize = 2 * REGISTERS;

/// Registers that are all 0: the value that a new key begins with.
pub const EMPTY: [u8; 2] = [0b0111_1111, 0b1111_1111];

/// The runs are not a value: they are cut off, or cover more or fewer registers than there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrupt;

/// Equal registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// What they hold.
    pub value: u8,
    /// How many they are, at least one.
    pub len: usize,
    /// Bytes that the run takes, 1 or 2.
    pub width: usize,
}

impl Run {
    /// The run at the beginning of `bytes`; `None` when it is not whole, or there is none.
    #[inline]
    pub fn first(bytes: &[u8]) -> Option<Run> {
        let first = *bytes.first()?;
        let low = usize::from(first & 0x3f);
        Some(match first >> 6 {
            0 => Run { value: 0, len: low + 1, width: 1 },
            1 => Run { value: 0, len: (low << 8 | usize::from(*bytes.get(1)?)) + 1, width: 2 },
            _ => Run { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1, width: 1 },
        })
    }

    /// The byte of a run of numbers.
    fn of_value(value: u8, len: usize) -> u8 {
        0x80 | (value - 1) << 2 | (len - 1) as u8
    }
}

/// The runs of some bytes, up to the first that is cut off.
#[derive(Clone)]
pub struct Runs<'r> {
    bytes: &'r [u8],
}

impl<'r> Runs<'r> {
    /// The runs of these bytes.
    pub fn of(bytes: &'r [u8]) -> Runs<'r> {
        Runs { bytes }
    }

    /// Bytes that are left: after the last run, those of one that is cut off.
    pub fn rest(&self) -> &'r [u8] {
        self.bytes
    }
}

impl Iterator for Runs<'_> {
    type Item = Run;

    #[inline]
    fn next(&mut self) -> Option<Run> {
        let run = Run::first(self.bytes)?;
        self.bytes = &self.bytes[run.width..];
        Some(run)
    }
}

/// Hands over each run that is not 0, with its first register. Fails with [`Corrupt`] unless the
/// runs cover each register once; some may have been handed over by then.
pub fn visit(bytes: &[u8], mut take: impl FnMut(usize, Run)) -> Result<(), Corrupt> {
    let (mut runs, mut at) = (Runs::of(bytes), 0);
    for run in &mut runs {
        if at + run.len > REGISTERS {
            return Err(Corrupt);
        }
        if run.value > 0 {
            take(at, run);
        }
        at += run.len;
    }
    if at == REGISTERS && runs.rest().is_empty() { Ok(()) } else { Err(Corrupt) }
}

/// The run that covers a register.
#[derive(Clone, Copy)]
struct Spot {
    /// The run.
    run: Run,
    /// Its first register.
    first: usize,
    /// Where its bytes begin.
    at: usize,
    /// Where those of the run before it begin; 0 when it is the first.
    before: usize,
    /// Where those of the run before that one begin; 0 when there is none.
    earlier: usize,
}

/// Bytes that [`locate_from`] takes in one step.
const STRIDE: usize = 32;

impl Spot {
    /// In front of the first run.
    const START: Spot = Spot { run: Run { value: 0, len: 1, width: 1 }, first: 0, at: 0, before: 0, earlier: 0 };
}

/// Finds the run that covers a register, if that is the run at `spot` or one behind it. Fails with
/// [`Corrupt`] when none does.
fn locate_from(bytes: &[u8], index: usize, spot: Spot) -> Result<Spot, Corrupt> {
    let Spot { mut first, mut at, mut before, mut earlier, .. } = spot;
    // The end of the bytes that have to be gone through run by run.
    let mut slow_end = at;
    loop {
        if at >= slow_end
            && let Some((stride, _)) = bytes[at..].split_first_chunk::<STRIDE>()
        {
            match registers_of(stride) {
                Some(len) if first + len <= index => {
                    (first, earlier, before, at) = (first + len, at + STRIDE - 2, at + STRIDE - 1, at + STRIDE);
                    slow_end = at;
                    continue;
                }
                _ => slow_end = at + STRIDE,
            }
        }
        let run = Run::first(&bytes[at..]).ok_or(Corrupt)?;
        if index < first + run.len {
            return Ok(Spot { run, first, at, before, earlier });
        }
        (first, earlier, before, at) = (first + run.len, before, at, at + run.width);
    }
}

/// How many registers these bytes cover when each is a run; `None` when one begins a run of two
/// bytes. A loop without branches, which the compiler makes vector instructions of.
#[inline]
fn registers_of(bytes: &[u8; STRIDE]) -> Option<usize> {
    let (mut len, mut long) = (STRIDE as u16, 0);
    for byte in bytes {
        len += u16::from(byte & if *byte >= 0x80 { 3 } else { 0x3f });
        long |= u8::from(byte & 0xc0 == 0x40);
    }
    (long == 0).then_some(usize::from(len))
}

#[cfg(test)]
mod tests;
