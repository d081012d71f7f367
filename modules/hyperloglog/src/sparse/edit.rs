//! Raising a register in the sparse form.
//!
//! The run that covers the register becomes up to three: what is left of it in front, the register,
//! what is left behind. Then runs of the same number that have come to lie side by side become one.
//! Which of several equal spellings comes out is part of the format, since values are compared and
//! replicated as bytes; so is where the joining stops: five steps from the run in front of the
//! change.
//!
//! ```text
//!   Z:16384              raise 100 to 3      Z:100 v:3,1 Z:16283
//!   v:3,1 v:3,1 ...      joined              v:3,2 ...               up to four registers
//! ```

use super::{Corrupt, Run, SHORT_LEN_MAX, Spot, VALUE_LEN_MAX, VALUE_MAX, locate_from};
use crate::hash::Observation;
use std::borrow::Cow;

/// Steps of the joining.
const JOIN_STEPS: usize = 5;
/// Most bytes that a run becomes: two for the zeros on each side, one between them.
const PARTS_MAX: usize = 5;

/// What raising a register came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Raised {
    /// It is as high already.
    No,
    /// It was raised.
    Yes,
    /// The sparse form cannot hold it, or not within the limit; nothing has changed.
    Outgrown,
}

/// Raises registers of one value, one after the other.
pub struct Raiser<'v> {
    /// The runs: those of the value, until one of them changes.
    bytes: Cow<'v, [u8]>,
    len_max: usize,
    /// Where the search for the next register begins, if that is not below `lowest`.
    resume: Spot,
    lowest: usize,
}

impl<'v> Raiser<'v> {
    /// For these runs, which may become `len_max` bytes long.
    pub fn new(bytes: &'v [u8], len_max: usize) -> Raiser<'v> {
        Raiser { bytes: Cow::Borrowed(bytes), len_max, resume: Spot::START, lowest: 0 }
    }

    /// Raises a register to a rank. Fails with [`Corrupt`] when no run covers it. Registers in
    /// ascending order are found without beginning anew.
    pub fn raise(&mut self, seen: Observation) -> Result<Raised, Corrupt> {
        if seen.rank > VALUE_MAX {
            return Ok(Raised::Outgrown);
        }
        let spot = self.find(seen.index)?;
        if spot.run.value >= seen.rank {
            return Ok(Raised::No);
        }
        let parts = Parts::of(&spot, seen);
        let grown = self.bytes.len() + parts.len - spot.run.width;
        if parts.len > spot.run.width && grown > self.len_max {
            return Ok(Raised::Outgrown);
        }
        let bytes = self.bytes_mut();
        bytes.splice(spot.at..spot.at + spot.run.width, parts.bytes[..parts.len].iter().copied());
        join(bytes, spot.before);
        if spot.at <= self.resume.at {
            // It is the very run where the search began, and may have been joined to the one in front.
            self.resume = Spot::START;
        }
        Ok(Raised::Yes)
    }

    /// The runs as they are now.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The runs, if one has changed.
    pub fn into_changed(self) -> Option<Vec<u8>> {
        match self.bytes {
            Cow::Owned(bytes) => Some(bytes),
            Cow::Borrowed(_) => None,
        }
    }

    /// The run of a register. What is kept for the next is the run in front of it: a change of this
    /// one may join it to that, and leaves alone all that is further ahead.
    fn find(&mut self, index: usize) -> Result<Spot, Corrupt> {
        if index < self.lowest {
            self.resume = Spot::START;
        }
        let spot = locate_from(&self.bytes, index, self.resume)?;
        if spot.at > self.resume.at {
            let run = Run::first(&self.bytes[spot.before..]).ok_or(Corrupt)?;
            let (first, at, before) = (spot.first - run.len, spot.before, spot.earlier);
            self.resume = Spot { run, first, at, before, earlier: before };
        }
        self.lowest = index;
        Ok(spot)
    }

    fn bytes_mut(&mut self) -> &mut Vec<u8> {
        if let Cow::Borrowed(bytes) = self.bytes {
            let mut copy = Vec::with_capacity(bytes.len() + 16 * PARTS_MAX);
            copy.extend_from_slice(bytes);
            self.bytes = Cow::Owned(copy);
        }
        self.bytes.to_mut()
    }
}

/// The bytes that a run becomes.
struct Parts {
    bytes: [u8; PARTS_MAX],
    len: usize,
}

impl Parts {
    fn of(spot: &Spot, seen: Observation) -> Parts {
        let mut parts = Parts { bytes: [0; PARTS_MAX], len: 0 };
        let in_front = seen.index - spot.first;
        parts.push(spot.run.value, in_front);
        parts.push(seen.rank, 1);
        parts.push(spot.run.value, spot.run.len - in_front - 1);
        parts
    }

    fn push(&mut self, value: u8, len: usize) {
        let long = (len.wrapping_sub(1) as u16).to_be_bytes();
        let bytes: &[u8] = match value {
            _ if len == 0 => &[],
            0 if len > SHORT_LEN_MAX => &[0x40 | long[0], long[1]],
            0 => &[long[1]],
            _ => &[Run::of_value(value, len)],
        };
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// Joins runs of the same number that lie side by side, from the run at `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_STEPS {
        let Some(run) = bytes.get(at..).and_then(Run::first) else { return };
        if let Some(next) = bytes.get(at + run.width..).and_then(Run::first)
            && run.value > 0
            && next.value == run.value
            && run.len + next.len <= VALUE_LEN_MAX
        {
            bytes[at + 1] = Run::of_value(run.value, run.len + next.len);
            bytes.remove(at);
            // The same place again: what is behind it now may be joined too.
            continue;
        }
        at += run.width;
    }
}
