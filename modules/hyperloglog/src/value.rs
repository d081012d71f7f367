//! The value: a string with a header in front of its registers, as Redis keeps it.
//!
//! ```text
//!   0     4   5      8                  16
//!   HYLL │ e │ 0 0 0 │ count, 64 bits LE │ registers
//!          │           └ the estimate for these registers, unless the highest bit is set
//!          └ 0 dense: 12,288 bytes (`dense`)   1 sparse: runs (`sparse`)
//! ```
//!
//! A string that does not begin so, or is not of the dense form's length, is no HyperLogLog; one of
//! the sparse form whose runs are no value is a corrupt one, which shows when they are gone through.

use crate::dense::{DENSE_BYTES, Dense};
use crate::estimate::{Histogram, cardinality};
use crate::registers::{Registers, histogram, sparse_histogram};
use crate::sparse::{Corrupt, EMPTY, SPARSE_BYTES_MAX};

/// Bytes in front of the registers.
pub const HEADER_BYTES: usize = 16;
/// Bytes of a dense value.
pub const DENSE_VALUE_BYTES: usize = HEADER_BYTES + DENSE_BYTES;

const MAGIC: [u8; 4] = *b"HYLL";
const ENCODING_AT: usize = 4;
const COUNT_AT: usize = 8;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
/// Of the count: the registers have changed since.
const STALE: u64 = 1 << 63;

/// Why a string cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It is no HyperLogLog.
    Other,
    /// It is a damaged one.
    Corrupt,
}

impl From<Corrupt> for Refusal {
    fn from(_: Corrupt) -> Refusal {
        Refusal::Corrupt
    }
}

/// What comes of going through a string.
pub type Checked<T = ()> = Result<T, Refusal>;

/// The first bytes of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header([u8; HEADER_BYTES]);

impl Header {
    /// That of a new sparse value.
    pub const NEW: Header = {
        let mut bytes = [0; HEADER_BYTES];
        let mut at = 0;
        while at < MAGIC.len() {
            bytes[at] = MAGIC[at];
            at += 1;
        }
        bytes[ENCODING_AT] = SPARSE;
        Header(bytes)
    };

    /// The bytes.
    pub fn bytes(&self) -> &[u8; HEADER_BYTES] {
        &self.0
    }

    /// The same with the dense encoding.
    pub fn dense(mut self) -> Header {
        self.0[ENCODING_AT] = DENSE;
        self
    }

    /// The same, where the registers have changed.
    pub fn changed(self) -> Header {
        let count = self.count() | STALE;
        self.with_count(count)
    }

    /// The same with the estimate for the registers.
    pub fn with_count(mut self, count: u64) -> Header {
        self.0[COUNT_AT..].copy_from_slice(&count.to_le_bytes());
        self
    }

    /// The estimate, when it is that of the registers.
    pub fn known(&self) -> Option<u64> {
        Some(self.count()).filter(|count| count & STALE == 0)
    }

    fn count(&self) -> u64 {
        self.0.last_chunk().map_or(STALE, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// The registers of a value, as they are kept.
#[derive(Clone, Copy, Debug)]
pub enum Form<'v> {
    /// Six bits each.
    Dense(&'v Dense),
    /// Runs, which may be those of no value.
    Sparse(&'v [u8]),
}

/// A value that is read.
#[derive(Clone, Copy, Debug)]
pub struct Sketch<'v> {
    /// What is in front of the registers.
    pub header: Header,
    /// The registers.
    pub form: Form<'v>,
}

impl<'v> Sketch<'v> {
    /// The value that a missing key stands for.
    pub const NEW: Sketch<'static> = Sketch { header: Header::NEW, form: Form::Sparse(&EMPTY) };

    /// Reads a string.
    #[inline]
    pub fn read(string: &'v [u8]) -> Checked<Sketch<'v>> {
        let (header, registers) = string.split_first_chunk::<HEADER_BYTES>().ok_or(Refusal::Other)?;
        if !header.starts_with(&MAGIC) {
            return Err(Refusal::Other);
        }
        let form = match header[ENCODING_AT] {
            DENSE => Form::Dense(registers.try_into().map_err(|_| Refusal::Other)?),
            // So long that it cannot be one. It is not to be gone through or copied.
            SPARSE if registers.len() > SPARSE_BYTES_MAX => return Err(Refusal::Corrupt),
            SPARSE => Form::Sparse(registers),
            _ => return Err(Refusal::Other),
        };
        Ok(Sketch { header: Header(*header), form })
    }

    /// Whether the registers are in the dense form.
    pub fn is_dense(&self) -> bool {
        matches!(self.form, Form::Dense(_))
    }

    /// Raises registers to those of this value.
    pub fn merge_into(&self, registers: &mut Registers) -> Checked {
        match self.form {
            Form::Dense(dense) => registers.merge_dense(dense),
            Form::Sparse(runs) => registers.merge_sparse(runs)?,
        }
        Ok(())
    }

    /// The registers.
    pub fn registers(&self) -> Checked<Registers> {
        let mut registers = Registers::new();
        self.merge_into(&mut registers)?;
        Ok(registers)
    }

    /// The estimated number of different elements, counted anew.
    pub fn cardinality(&self) -> Checked<u64> {
        let histogram: Histogram = match self.form {
            Form::Dense(dense) => histogram(dense),
            Form::Sparse(runs) => sparse_histogram(runs)?,
        };
        Ok(cardinality(&histogram))
    }
}

/// Keeps the estimate for the registers of a value that was read.
pub fn note_count(value: &mut [u8], count: u64) {
    if let Some(head) = value.first_chunk_mut::<HEADER_BYTES>() {
        *head = *Header(*head).with_count(count).bytes();
    }
}

/// The registers of a dense value, to be changed: the count is no longer theirs.
pub fn change_dense(value: &mut [u8]) -> Option<&mut Dense> {
    let (head, registers) = value.split_first_chunk_mut::<HEADER_BYTES>()?;
    *head = *Header(*head).changed().bytes();
    registers.first_chunk_mut()
}

/// A dense value's bytes.
pub fn write_dense(header: Header, registers: &Registers, value: &mut [u8; DENSE_VALUE_BYTES]) {
    if let Some((head, dense)) = value.split_first_chunk_mut::<HEADER_BYTES>() {
        *head = *header.dense().bytes();
        if let Some(dense) = dense.first_chunk_mut() {
            registers.write(dense);
        }
    }
}

/// A sparse value's bytes; `value` is as long as they are.
pub fn write_sparse(header: Header, runs: &[u8], value: &mut [u8]) {
    if let Some((head, rest)) = value.split_first_chunk_mut::<HEADER_BYTES>() {
        *head = *header.bytes();
        rest.copy_from_slice(runs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(encoding: u8, registers: &[u8]) -> Vec<u8> {
        let mut value = Header::NEW.bytes().to_vec();
        value[ENCODING_AT] = encoding;
        value.extend_from_slice(registers);
        value
    }

    #[test]
    fn only_what_begins_like_one_and_has_the_length_is_read() {
        for (string, expected) in [
            (vec![], Refusal::Other),
            (b"HYLL".to_vec(), Refusal::Other),
            (Header::NEW.bytes()[..15].to_vec(), Refusal::Other),
            (value(2, &EMPTY), Refusal::Other),
            (value(255, &EMPTY), Refusal::Other),
            (value(DENSE, &[0; DENSE_BYTES - 1]), Refusal::Other),
            (value(DENSE, &[0; DENSE_BYTES + 1]), Refusal::Other),
            (value(SPARSE, &[0; SPARSE_BYTES_MAX + 1]), Refusal::Corrupt),
        ] {
            assert_eq!(Sketch::read(&string).err(), Some(expected), "{}", string.len());
        }
        assert!(Sketch::read(&value(DENSE, &[0; DENSE_BYTES])).is_ok_and(|sketch| sketch.is_dense()));
        assert!(Sketch::read(&value(SPARSE, &EMPTY)).is_ok_and(|sketch| !sketch.is_dense()));
        let cut = value(SPARSE, &EMPTY[..1]);
        assert_eq!(Sketch::read(&cut).and_then(|sketch| sketch.cardinality()), Err(Refusal::Corrupt));
    }

    #[test]
    fn a_count_is_known_until_the_registers_change() {
        let header = Header::NEW;
        assert_eq!(header.known(), Some(0));
        assert_eq!(header.with_count(300).known(), Some(300));
        assert_eq!(header.with_count(300).changed().known(), None);
        assert_eq!(header.with_count(300).changed().bytes()[8..], [44, 1, 0, 0, 0, 0, 0, 128]);
    }
}
