//! Numbers of one to ten bytes: seven bits a byte, the lowest first; the top bit says that more follow.
//!
//! A number may be written wider than it has to be, so that room can be left for one that is not
//! known yet.

/// Most bytes of a number.
pub(crate) const BYTES_MAX: usize = 10;

/// Appends a number.
#[inline]
pub(crate) fn push(to: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Bytes that a number takes.
#[inline]
pub(crate) fn width(number: u64) -> usize {
    (u64::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

/// Writes a number over as many bytes as `to` has, which are enough for it.
#[inline]
pub(crate) fn fill(to: &mut [u8], mut number: u64) {
    if let Some((last, more)) = to.split_last_mut() {
        for byte in more {
            *byte = number as u8 | 0x80;
            number >>= 7;
        }
        *last = number as u8;
    }
}

/// The number that the bytes begin with, and how many it takes. `None` at their end, and for a number
/// of more than 64 bits.
#[inline]
pub(crate) fn read(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    if first <= 0x7f {
        return Some((u64::from(first), 1));
    }
    read_long(bytes)
}

fn read_long(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(BYTES_MAX).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at == BYTES_MAX - 1 && bits > 1 {
            return None;
        }
        number |= bits << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_reads_as_it_was_written(number: u64, shift in 0..64_u32, more in 0..3_usize) {
            let number = number >> shift;
            let mut bytes = Vec::new();
            push(&mut bytes, number);
            prop_assert_eq!(bytes.len(), width(number));
            prop_assert_eq!(read(&bytes), Some((number, bytes.len())));
            prop_assert_eq!(read(&bytes[..bytes.len() - 1]), None);
            let mut wide = vec![0; (width(number) + more).min(BYTES_MAX)];
            fill(&mut wide, number);
            prop_assert_eq!(read(&wide), Some((number, wide.len())));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..14)) {
            prop_assert!(read(&bytes).is_none_or(|(_, len)| len <= bytes.len()));
        }
    }
}
