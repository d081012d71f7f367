//! The primitives of RDB values, read back.
//!
//! The inverse of `write.rs`, where the forms are drawn, over a slice that may be
//! anything: a file cut off by a crash, a payload that a client made up. Whatever
//! is not sound is refused with the offset at which it is not.
//!
//! ```text
//!     bytes  ┌───────────────┬────────────────────────────┐
//!            │ read          │ remaining                  │
//!            └───────────────┴────────────────────────────┘
//!            0               offset                       end
//! ```
//!
//! A raw string is lent from the slice; only integers and LZF make new bytes.
//! Forms longer than necessary (a length of 3 in 64 bits) are read, as Redis does.
//!
//! Invariants:
//!
//! * A call that fails leaves the reader where it was.
//! * No size that is read is believed: raw bytes must be there, LZF must be able
//!   to expand so far, a count of items must have room in what remains. So a call
//!   allocates at most [`EXPANSION_MAX`](crate::durable::lzf::EXPANSION_MAX) times what it
//!   reads, and never more for one string than the limit the caller gave.

use std::borrow::Cow;

use thiserror::Error;

use crate::durable::container::FieldKind;
use crate::durable::lzf;
use crate::durable::lzf::LzfError;
use crate::durable::write::{
    ASCII_INFINITY, ASCII_MINUS_INFINITY, ASCII_NAN, LENGTH_14_BITS, LENGTH_32_BITS, LENGTH_64_BITS, STRING_INT_8,
    STRING_INT_16, STRING_INT_32, STRING_LZF,
};

/// What was refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{fault} (at byte {offset})")]
pub struct ReadError {
    /// Offset in the reader's slice of the part that is at fault.
    pub offset: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with the bytes at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// The bytes end before the value does.
    #[error("{needed} bytes are needed where {left} are left")]
    Truncated {
        /// Bytes that the value takes.
        needed: u64,
        /// Bytes that there are.
        left: usize,
    },
    /// A length was expected, and this byte begins none.
    #[error("0x{0:02x} does not begin a length")]
    NotALength(u8),
    /// A string was expected, and this byte begins none.
    #[error("0x{0:02x} does not begin a string")]
    NotAString(u8),
    /// A string is longer than the caller allows.
    #[error("a string of {bytes} bytes passes the limit of {bytes_max}")]
    StringTooLong {
        /// Size of the string.
        bytes: u64,
        /// The caller's limit.
        bytes_max: usize,
    },
    /// A compressed string does not expand to what it should.
    #[error("a compressed string is damaged: {0}")]
    Lzf(#[from] LzfError),
    /// More items are announced than the remaining bytes can hold.
    #[error("{count} items of {item_bytes_min} bytes or more cannot be in {left} bytes")]
    CountTooLarge {
        /// Items announced.
        count: u64,
        /// Size of the smallest item, as the caller says.
        item_bytes_min: usize,
        /// Bytes that there are.
        left: usize,
    },
    /// The text of an ASCII double is no number.
    #[error("the text is not a number")]
    NotANumber,
    /// A tagged field begins with an opcode that is not defined.
    #[error("{0} is no field opcode")]
    NotAField(u64),
    /// A tagged field is of another kind than the caller asked for.
    #[error("a field of kind {expected} was expected, and {found} is there")]
    OtherField {
        /// The kind asked for.
        expected: FieldKind,
        /// The kind that is there.
        found: FieldKind,
    },
}

/// A string in the form in which it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodedString<'a> {
    /// The bytes themselves.
    Raw(&'a [u8]),
    /// The decimal text of this number.
    Integer(i32),
    /// LZF data that expands to `bytes` bytes, a size known to be plausible and
    /// within the reader's limit; the data has not been looked at.
    Compressed {
        /// The LZF data.
        packed: &'a [u8],
        /// Size after expansion.
        bytes: usize,
    },
}

/// Reads primitives off the front of a slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    string_bytes_max: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`, without a limit on strings other than
    /// what `bytes` can hold.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, string_bytes_max: usize::MAX }
    }

    /// The same reader, refusing strings of more than `bytes_max` bytes.
    #[must_use]
    pub fn with_string_limit(self, bytes_max: usize) -> Self {
        Self { string_bytes_max: bytes_max, ..self }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The bytes not yet read.
    #[must_use]
    pub fn remaining(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// Whether all is read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.remaining().is_empty()
    }

    /// The last bytes that were read, so many.
    pub(crate) fn last(&self, len: usize) -> &'a [u8] {
        self.since(self.offset.saturating_sub(len))
    }

    /// The bytes from `from`, an earlier offset, up to where the reader is.
    pub(super) fn since(&self, from: usize) -> &'a [u8] {
        self.bytes.get(from..self.offset).unwrap_or_default()
    }

    /// The next `bytes` bytes as they are.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn raw(&mut self, bytes: usize) -> Result<&'a [u8], ReadError> {
        self.take(bytes as u64)
    }

    /// One byte.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`], as for the other fixed widths.
    pub fn u8(&mut self) -> Result<u8, ReadError> {
        self.chunk::<1>().map(u8::from_le_bytes)
    }

    /// 2 bytes, little endian.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn u16(&mut self) -> Result<u16, ReadError> {
        self.chunk().map(u16::from_le_bytes)
    }

    /// 4 bytes, little endian.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn u32(&mut self) -> Result<u32, ReadError> {
        self.chunk().map(u32::from_le_bytes)
    }

    /// 8 bytes, little endian.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn u64(&mut self) -> Result<u64, ReadError> {
        self.chunk().map(u64::from_le_bytes)
    }

    /// IEEE 754 binary32, 4 bytes, little endian. NaN is not refused.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn f32(&mut self) -> Result<f32, ReadError> {
        self.chunk().map(f32::from_le_bytes)
    }

    /// IEEE 754 binary64, 8 bytes, little endian. NaN is not refused: a type for
    /// which it makes no sense has to look.
    ///
    /// # Errors
    ///
    /// [`Fault::Truncated`].
    pub fn f64(&mut self) -> Result<f64, ReadError> {
        self.chunk().map(f64::from_le_bytes)
    }

    /// A length in any of its four forms. It is a number that somebody wrote, not
    /// a promise: use [`count`](Self::count) where memory depends on it.
    ///
    /// # Errors
    ///
    /// [`Fault::NotALength`], [`Fault::Truncated`].
    pub fn length(&mut self) -> Result<u64, ReadError> {
        let start = self.offset;
        match self.prefix()? {
            Prefix::Length(length) => Ok(length),
            Prefix::Other(byte) => Err(self.refuse(start, Fault::NotALength(byte))),
        }
    }

    /// A length that announces so many items, each of at least `item_bytes_min`
    /// bytes (0 counts as 1). The answer is safe to reserve memory by, in
    /// proportion to the input.
    ///
    /// # Errors
    ///
    /// [`Fault::CountTooLarge`] if what remains cannot hold them, and those of
    /// [`length`](Self::length).
    pub fn count(&mut self, item_bytes_min: usize) -> Result<usize, ReadError> {
        let start = self.offset;
        let count = self.length()?;
        let left = self.remaining().len();
        match usize::try_from(count) {
            Ok(count) if count <= left / item_bytes_min.max(1) => Ok(count),
            _ => Err(self.refuse(start, Fault::CountTooLarge { count, item_bytes_min, left })),
        }
    }

    /// A string in whichever form it is stored.
    ///
    /// # Errors
    ///
    /// [`Fault::Lzf`], and those of [`encoded_string`](Self::encoded_string).
    pub fn string(&mut self) -> Result<Cow<'a, [u8]>, ReadError> {
        let start = self.offset;
        match self.encoded_string()? {
            EncodedString::Raw(bytes) => Ok(Cow::Borrowed(bytes)),
            EncodedString::Integer(value) => {
                let mut text = itoa::Buffer::new();
                Ok(Cow::Owned(text.format(value).as_bytes().to_vec()))
            }
            EncodedString::Compressed { packed, bytes } => {
                lzf::decompress(packed, bytes).map(Cow::Owned).map_err(|error| self.refuse(start, Fault::Lzf(error)))
            }
        }
    }

    /// A string, left in the form in which it is stored.
    ///
    /// # Errors
    ///
    /// [`Fault::NotAString`], [`Fault::Truncated`], [`Fault::StringTooLong`], and
    /// [`Fault::Lzf`] for a size that the compressed bytes cannot reach.
    pub fn encoded_string(&mut self) -> Result<EncodedString<'a>, ReadError> {
        let start = self.offset;
        let string = self.encoded_string_from(start);
        if string.is_err() {
            self.offset = start;
        }
        string
    }

    /// Passes over a string without making its bytes; compressed data is not
    /// checked beyond its sizes.
    ///
    /// # Errors
    ///
    /// Those of [`encoded_string`](Self::encoded_string).
    pub fn skip_string(&mut self) -> Result<(), ReadError> {
        self.encoded_string().map(|_| ())
    }

    /// A double as text after a length byte, the form of old RDB versions.
    ///
    /// # Errors
    ///
    /// [`Fault::NotANumber`], [`Fault::Truncated`].
    pub fn ascii_double(&mut self) -> Result<f64, ReadError> {
        let start = self.offset;
        match self.u8()? {
            ASCII_NAN => Ok(f64::NAN),
            ASCII_INFINITY => Ok(f64::INFINITY),
            ASCII_MINUS_INFINITY => Ok(f64::NEG_INFINITY),
            length => {
                let text = self.raw(length.into()).inspect_err(|_| self.offset = start)?;
                fast_float2::parse(text).map_err(|_| self.refuse(start, Fault::NotANumber))
            }
        }
    }

    /// An error at `start`, with the reader put back to it.
    pub(super) fn refuse(&mut self, start: usize, fault: Fault) -> ReadError {
        self.offset = start;
        ReadError { offset: start, fault }
    }

    /// Goes back to an earlier offset.
    pub(super) fn rewind(&mut self, offset: usize) {
        self.offset = offset;
    }

    /// [`encoded_string`](Self::encoded_string) that leaves the offset anywhere
    /// when it fails.
    fn encoded_string_from(&mut self, start: usize) -> Result<EncodedString<'a>, ReadError> {
        match self.prefix()? {
            Prefix::Length(bytes) => {
                self.check_string_size(start, bytes)?;
                Ok(EncodedString::Raw(self.take(bytes)?))
            }
            Prefix::Other(STRING_INT_8) => Ok(EncodedString::Integer(i8::from_le_bytes(self.chunk()?).into())),
            Prefix::Other(STRING_INT_16) => Ok(EncodedString::Integer(i16::from_le_bytes(self.chunk()?).into())),
            Prefix::Other(STRING_INT_32) => Ok(EncodedString::Integer(i32::from_le_bytes(self.chunk()?))),
            Prefix::Other(STRING_LZF) => {
                let packed = self.length()?;
                let bytes = self.length()?;
                let bytes = self.check_string_size(start, bytes)?;
                let packed = self.take(packed)?;
                if bytes > packed.len().saturating_mul(lzf::EXPANSION_MAX) {
                    let compressed = packed.len();
                    let error = LzfError::Implausible { compressed, declared: bytes };
                    return Err(self.refuse(start, Fault::Lzf(error)));
                }
                Ok(EncodedString::Compressed { packed, bytes })
            }
            Prefix::Other(byte) => Err(self.refuse(start, Fault::NotAString(byte))),
        }
    }

    fn check_string_size(&mut self, start: usize, bytes: u64) -> Result<usize, ReadError> {
        let bytes_max = self.string_bytes_max;
        match usize::try_from(bytes) {
            Ok(bytes) if bytes <= bytes_max => Ok(bytes),
            _ => Err(self.refuse(start, Fault::StringTooLong { bytes, bytes_max })),
        }
    }

    /// A length, or the byte that begins something else.
    fn prefix(&mut self) -> Result<Prefix, ReadError> {
        let start = self.offset;
        let first = self.u8()?;
        let length = match first {
            0..LENGTH_14_BITS => Ok(u64::from(first)),
            LENGTH_14_BITS..LENGTH_32_BITS => self.u8().map(|low| u64::from(first & 0x3f) << 8 | u64::from(low)),
            LENGTH_32_BITS => self.chunk().map(|bytes| u64::from(u32::from_be_bytes(bytes))),
            LENGTH_64_BITS => self.chunk().map(u64::from_be_bytes),
            _ => return Ok(Prefix::Other(first)),
        };
        length.map(Prefix::Length).inspect_err(|_| self.offset = start)
    }

    fn chunk<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], ReadError> {
        let left = self.remaining();
        let Some(chunk) = left.first_chunk::<BYTES>() else {
            let fault = Fault::Truncated { needed: BYTES as u64, left: left.len() };
            return Err(ReadError { offset: self.offset, fault });
        };
        self.offset += BYTES;
        Ok(*chunk)
    }

    fn take(&mut self, bytes: u64) -> Result<&'a [u8], ReadError> {
        let left = self.remaining();
        let taken = usize::try_from(bytes).ok().and_then(|bytes| left.get(..bytes));
        let Some(taken) = taken else {
            let fault = Fault::Truncated { needed: bytes, left: left.len() };
            return Err(ReadError { offset: self.offset, fault });
        };
        self.offset += taken.len();
        Ok(taken)
    }
}

/// What the first bytes of a length or a string say.
enum Prefix {
    /// A length.
    Length(u64),
    /// No length; this is the byte, and it has been read.
    Other(u8),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::Writer;
    use proptest::prelude::*;

    fn refusal(bytes: &[u8]) -> (usize, Fault) {
        let error = Reader::new(bytes).string().unwrap_err();
        (error.offset, error.fault)
    }

    #[test]
    fn forms_longer_than_necessary_are_read() {
        // redis-server 7.0.15, 8.2.3 and valkey 9.1.2 restore all three as "abc".
        for bytes in [&b"\x40\x03abc"[..], b"\x80\x00\x00\x00\x03abc", b"\x81\x00\x00\x00\x00\x00\x00\x00\x03abc"] {
            assert_eq!(Reader::new(bytes).string().unwrap(), &b"abc"[..]);
        }
    }

    #[test]
    fn each_kind_of_damage_to_a_string_has_its_fault_and_offset() {
        let lzf = |compressed, declared| Fault::Lzf(LzfError::Implausible { compressed, declared });
        let cases: [(&[u8], usize, Fault); 10] = [
            (b"", 0, Fault::Truncated { needed: 1, left: 0 }),
            (b"\x03ab", 1, Fault::Truncated { needed: 3, left: 2 }),
            (b"\x40", 1, Fault::Truncated { needed: 1, left: 0 }),
            (b"\x81\xff", 1, Fault::Truncated { needed: 8, left: 1 }),
            (b"\x80\xff\xff\xff\xff", 5, Fault::Truncated { needed: 0xffff_ffff, left: 0 }),
            // All three servers refuse these first bytes.
            (b"\x82\0\0\0\x03abc", 0, Fault::NotAString(0x82)),
            (b"\xbf\0\0\0\x03abc", 0, Fault::NotAString(0xbf)),
            (b"\xc4", 0, Fault::NotAString(0xc4)),
            (b"\xc1\x01", 1, Fault::Truncated { needed: 2, left: 1 }),
            (b"\xc3\x02\x80\x7f\xff\xff\xff\x00a", 0, lzf(2, 0x7fff_ffff)),
        ];
        for (bytes, offset, fault) in cases {
            assert_eq!(refusal(bytes), (offset, fault), "{bytes:02x?}");
        }
    }

    #[test]
    fn an_error_says_what_and_where() {
        let error = Reader::new(b"\x03ab").string().unwrap_err();
        assert_eq!(error.to_string(), "3 bytes are needed where 2 are left (at byte 1)");
    }

    #[test]
    fn a_call_that_fails_leaves_the_reader_where_it_was() {
        let bad: [&[u8]; 5] = [b"\x05ab", b"\xc2\x01", b"\xc3\x02\x05\x00a", b"\x81\x01", b"\xc3\x02\x02\x20a"];
        for bytes in bad {
            let mut from = Reader::new(bytes);
            assert!(from.string().is_err());
            assert_eq!(from.offset(), 0, "{bytes:02x?}");
            assert!(from.ascii_double().is_err());
            assert_eq!(from.offset(), 0, "{bytes:02x?}");
        }
    }

    #[test]
    fn a_string_form_is_not_a_length() {
        let error = Reader::new(b"\xc0\x01").length().unwrap_err();
        assert_eq!(error, ReadError { offset: 0, fault: Fault::NotALength(0xc0) });
    }

    #[test]
    fn raw_strings_are_lent_and_others_are_made() {
        let bytes = b"\x02ab\xc0\xff\xc3\x06\x15\x01aa\xe0\x0a\x00";
        let mut from = Reader::new(bytes);
        assert!(matches!(from.string(), Ok(Cow::Borrowed(b"ab"))));
        assert!(matches!(from.string(), Ok(Cow::Owned(text)) if text == b"-1"));
        assert!(matches!(from.string(), Ok(Cow::Owned(text)) if text == b"a".repeat(21)));
        assert!(from.is_at_end());
    }

    #[test]
    fn the_limit_holds_for_raw_and_compressed_strings() {
        let too_long = |bytes| Fault::StringTooLong { bytes, bytes_max: 20 };
        for bytes in [&b"\x15aaaaaaaaaaaaaaaaaaaaa"[..], b"\xc3\x06\x15\x01aa\xe0\x0a\x00"] {
            let error = Reader::new(bytes).with_string_limit(20).string().unwrap_err();
            assert_eq!(error.fault, too_long(21));
            assert_eq!(Reader::new(bytes).with_string_limit(21).string().unwrap().len(), 21);
        }
    }

    #[test]
    fn a_count_must_have_room_in_what_remains() {
        assert_eq!(Reader::new(b"\x03abc").count(1), Ok(3));
        assert_eq!(Reader::new(b"\x03abc").count(0), Ok(3));
        assert_eq!(Reader::new(b"\x03abcdef").count(2), Ok(3));
        let fault = Fault::CountTooLarge { count: 3, item_bytes_min: 2, left: 5 };
        let error = Reader::new(b"\x03abcde").count(2).unwrap_err();
        assert_eq!(error, ReadError { offset: 0, fault });
        assert!(Reader::new(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff").count(0).is_err());
    }

    #[test]
    fn ascii_doubles_are_read_as_servers_of_old_wrote_them() {
        for (bytes, value) in [
            (&b"\x0417.0"[..], 17.0),
            (b"\x02-0", -0.0),
            (b"\x130.10000000000000001", 0.1),
            (b"\x061e+300", 1e300),
            (b"\xfe", f64::INFINITY),
            (b"\xff", f64::NEG_INFINITY),
        ] {
            let got = Reader::new(bytes).ascii_double().unwrap();
            assert_eq!(got.to_bits(), value.to_bits(), "{bytes:?}");
        }
        assert!(Reader::new(b"\xfd").ascii_double().unwrap().is_nan());
        for bytes in [&b"\x00"[..], b"\x01x", b"\x031.x"] {
            assert_eq!(Reader::new(bytes).ascii_double().unwrap_err().fault, Fault::NotANumber);
        }
    }

    proptest! {
        #[test]
        fn lengths_come_back(wide in any::<u64>(), shift in 0u32..64) {
            let length = wide >> shift;
            let mut out = Writer::new(false);
            out.put_length(length);
            let mut from = Reader::new(out.bytes());
            prop_assert_eq!(from.length(), Ok(length));
            prop_assert!(from.is_at_end());
        }

        #[test]
        fn strings_come_back(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            few in proptest::collection::vec(0u8..3, 0..300),
            number in any::<i64>(),
            compress in any::<bool>(),
        ) {
            let number = number.to_string().into_bytes();
            let mut out = Writer::new(compress);
            for string in [&bytes, &few, &number] {
                out.put_string(string);
            }
            let mut from = Reader::new(out.bytes());
            let mut skipping = from.clone();
            for string in [&bytes, &few, &number] {
                prop_assert_eq!(&from.string().unwrap().into_owned(), string);
                skipping.skip_string().unwrap();
                prop_assert_eq!(skipping.offset(), from.offset());
            }
            prop_assert!(from.is_at_end());
        }

        #[test]
        fn doubles_come_back_bit_for_bit(bits in any::<u64>(), whole in any::<i64>()) {
            for value in [f64::from_bits(bits), whole as f64, -(whole as f64 / 1e9)] {
                let mut out = Writer::new(false);
                out.put_f64(value);
                out.put_ascii_double(value);
                let mut from = Reader::new(out.bytes());
                prop_assert_eq!(from.f64().unwrap().to_bits(), value.to_bits());
                let text = from.ascii_double().unwrap();
                prop_assert!(text.to_bits() == value.to_bits() || text.is_nan() && value.is_nan());
                prop_assert!(from.is_at_end());
            }
        }

        #[test]
        fn fixed_widths_come_back(
            (a, b, c, d) in any::<(u8, u16, u32, u64)>(),
            bits in any::<u32>(),
            raw in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut out = Writer::new(false);
            out.put_u8(a);
            out.put_u16(b);
            out.put_u32(c);
            out.put_u64(d);
            out.put_f32(f32::from_bits(bits));
            out.put_raw(&raw);
            let mut from = Reader::new(out.bytes());
            prop_assert_eq!((from.u8(), from.u16()), (Ok(a), Ok(b)));
            prop_assert_eq!((from.u32(), from.u64()), (Ok(c), Ok(d)));
            prop_assert_eq!(from.f32().unwrap().to_bits(), bits);
            prop_assert_eq!(from.raw(raw.len()), Ok(&raw[..]));
            prop_assert!(from.u8().is_err());
        }
    }
}
