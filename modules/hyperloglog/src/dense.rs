//! The dense form: 16,384 registers of six bits, one behind the other, from the low end of each byte.
//!
//! ```text
//!   byte      0         1         2
//!          11000000  22221111  33333322      four registers in three bytes
//! ```
//!
//! As a number of 24 bits, little-endian, three bytes have their registers at bits 0, 6, 12 and 18.

use crate::hash::{Observation, REGISTERS};

/// Bytes of all registers.
pub const DENSE_BYTES: usize = REGISTERS * 6 / 8;

/// The greatest number that a register can hold. Of an element it is
/// [`RANK_MAX`](crate::hash::RANK_MAX) at most.
pub const REGISTER_MAX: u8 = 63;

/// Registers in the dense form.
pub type Dense = [u8; DENSE_BYTES];

/// Where a register lies: the byte that has its low end, and the bit there.
#[inline]
fn place(index: usize) -> (usize, u32) {
    (index * 6 / 8, (index * 6 % 8) as u32)
}

/// A register; 0 behind the last.
#[inline]
pub fn get(registers: &Dense, index: usize) -> u8 {
    let (at, shift) = place(index);
    let byte = |at: usize| registers.get(at).map_or(0, |byte| u16::from(*byte));
    // The last register ends with the last byte: what is behind it is not looked at.
    ((byte(at) | byte(at + 1) << 8) >> shift) as u8 & REGISTER_MAX
}

/// Raises a register to a rank. Returns whether it was lower.
#[inline]
pub fn raise(registers: &mut Dense, seen: Observation) -> bool {
    if get(registers, seen.index) >= seen.rank {
        return false;
    }
    let (at, shift) = place(seen.index);
    let (mask, bits) = (u16::from(REGISTER_MAX) << shift, u16::from(seen.rank) << shift);
    for (at, mask, bits) in [(at, mask as u8, bits as u8), (at + 1, (mask >> 8) as u8, (bits >> 8) as u8)] {
        if let Some(byte) = registers.get_mut(at) {
            *byte = *byte & !mask | bits;
        }
    }
    true
}

/// The four registers of three bytes.
#[inline(always)]
pub fn unpack(bytes: [u8; 3]) -> [u8; 4] {
    let all = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    [0, 6, 12, 18].map(|shift| (all >> shift) as u8 & REGISTER_MAX)
}

/// Three bytes of four registers.
#[inline(always)]
pub fn pack(registers: [u8; 4]) -> [u8; 3] {
    let [first, second, third, fourth] = registers.map(u32::from);
    let [low, middle, high, _] = (first | second << 6 | third << 12 | fourth << 18).to_le_bytes();
    [low, middle, high]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_register_lies_where_redis_has_it() {
        let mut registers = [0; DENSE_BYTES];
        assert!(raise(&mut registers, Observation { index: 1, rank: 0b11_0101 }));
        assert_eq!(registers[..3], [0b0100_0000, 0b0000_1101, 0]);
        assert!(raise(&mut registers, Observation { index: REGISTERS - 1, rank: 1 }));
        assert_eq!(registers[DENSE_BYTES - 1], 0b0000_0100);
    }

    proptest! {
        #[test]
        fn raising_keeps_the_maximum_and_leaves_the_others(
            seen in prop::collection::vec((0..REGISTERS, 1u8..=51), 0..300)
        ) {
            let (mut registers, mut model) = ([0; DENSE_BYTES], vec![0; REGISTERS]);
            for (index, rank) in seen {
                // Neighbours share bytes: they are what a fault would show in.
                for index in [index, (index + 1) % REGISTERS] {
                    let raised = raise(&mut registers, Observation { index, rank });
                    prop_assert_eq!(raised, model[index] < rank);
                    model[index] = model[index].max(rank);
                }
            }
            for (index, rank) in model.iter().enumerate() {
                prop_assert_eq!(get(&registers, index), *rank);
            }
        }

        #[test]
        fn what_is_packed_unpacks(registers: [u8; 4]) {
            let registers = registers.map(|register| register & REGISTER_MAX);
            prop_assert_eq!(unpack(pack(registers)), registers);
        }
    }
}
