//! CRC-64 "Jones", the checksum of RDB files and DUMP payloads.
//!
//! The polynomial is 0xad93d23594c935a9, bits reflected in and out, starting at
//! zero and not inverted at the end. Two things follow from the last two: an
//! empty input has checksum 0, and leading zero bytes do not change a checksum.
//! It finds damage; it proves nothing about who wrote the bytes.
//!
//! The tables take 16 bytes per step (32 KiB, computed at compile time): a dump
//! of a large value is checksummed on the thread that serves commands.
//!
//! Source: the `crc` crate's catalogue entry `CRC_64_REDIS`, whose check value
//! for "123456789" is asserted below.

use crc::{Crc, Table};

static JONES: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&crc::CRC_64_REDIS);

/// The checksum of `bytes`.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    JONES.checksum(bytes)
}

/// A checksum over bytes that come in pieces, as a file's do.
#[derive(Clone)]
pub struct Digest(crc::Digest<'static, u64, Table<16>>);

impl Digest {
    /// A digest that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(JONES.digest())
    }

    /// Takes the next piece in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all pieces so far; more may follow.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.clone().finalize()
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_value_is_the_one_redis_documents() {
        assert_eq!(checksum(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(checksum(b""), 0);
    }

    proptest! {
        #[test]
        fn pieces_give_the_checksum_of_the_whole(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            cut in 0usize..300,
        ) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            let mut digest = Digest::new();
            digest.update(left);
            prop_assert_eq!(digest.value(), checksum(left));
            digest.update(right);
            prop_assert_eq!(digest.value(), checksum(&bytes));
        }

        #[test]
        fn the_table_agrees_with_one_bit_at_a_time(
            bytes in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            // The polynomial with its bits in reflected order.
            const REFLECTED: u64 = 0x95ac_9329_ac4b_c9b5;
            let mut register = 0u64;
            for byte in &bytes {
                register ^= u64::from(*byte);
                for _ in 0..8 {
                    let carry = register & 1;
                    register >>= 1;
                    if carry == 1 {
                        register ^= REFLECTED;
                    }
                }
            }
            prop_assert_eq!(checksum(&bytes), register);
        }
    }
}
