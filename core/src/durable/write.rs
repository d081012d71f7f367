//! The primitives of RDB values, written.
//!
//! Numbers of a fixed width are little endian. Only lengths, which came first in
//! the format's history, are big endian:
//!
//! ```text
//!   length   00nnnnnn                        up to 63
//!            01nnnnnn nnnnnnnn               up to 16383
//!            10000000 4 bytes, big endian    up to 2^32 - 1
//!            10000001 8 bytes, big endian    the rest
//!
//!   string   length, bytes                   as it is
//!            11000000 1 byte                 a decimal integer of 8,
//!            11000001 2 bytes                of 16,
//!            11000010 4 bytes                of 32 bits, signed
//!            11000011 length, length, LZF    compressed size, then true size
//! ```
//!
//! A string is written by the first rule that holds: as an integer if its text is
//! exactly what that integer prints as; as LZF if that is asked for, the string is
//! longer than 20 bytes and shrinks by 4 or more; else as it is. Redis, Valkey and
//! Plinth decide alike, so a string that is not compressed has the same bytes in
//! the dumps of all three.
//!
//! Invariants: a value is written in the shortest form; nothing written before is
//! changed; no call fails.
//!
//! Source: <https://rdb.fnordig.de/file_format.html>, and DUMP of redis-server
//! 7.0.15, redis 8.2.3 and valkey 9.1.2 where that page is silent.

use crate::durable::lzf;
use crate::durable::sink::{Sink, Sunk};
use std::io;

pub(super) const LENGTH_14_BITS: u8 = 0b0100_0000;
pub(super) const LENGTH_32_BITS: u8 = 0b1000_0000;
pub(super) const LENGTH_64_BITS: u8 = 0b1000_0001;
/// The two bits that say a string is not preceded by its length.
pub(super) const STRING_FORM: u8 = 0b1100_0000;
pub(super) const STRING_INT_8: u8 = STRING_FORM;
pub(super) const STRING_INT_16: u8 = STRING_FORM | 1;
pub(super) const STRING_INT_32: u8 = STRING_FORM | 2;
pub(super) const STRING_LZF: u8 = STRING_FORM | 3;

/// In place of the length of an ASCII double.
pub(super) const ASCII_NAN: u8 = 253;
pub(super) const ASCII_INFINITY: u8 = 254;
pub(super) const ASCII_MINUS_INFINITY: u8 = 255;

/// Strings up to this size are not compressed.
const UNCOMPRESSED_BYTES_MAX: usize = 20;
/// What compression must save to be worth it.
const SAVED_BYTES_MIN: usize = 4;
/// The longest text of a 32-bit integer, "-2147483648".
const INTEGER_TEXT_BYTES_MAX: usize = 11;

/// Bytes that wait in a writer before its sink gets them.
const WAITING_BYTES_MAX: usize = 64 << 10;

/// Appends primitives to a byte vector that it owns, or to a file through one of limited size.
///
/// ```
/// use plinth::durable::{Reader, Writer};
///
/// let mut out = Writer::new(true);
/// out.put_length(2);
/// out.put_string(b"300");
/// assert_eq!(out.bytes(), [2, 0xc1, 0x2c, 0x01]);
/// let bytes = out.into_bytes();
/// let mut from = Reader::new(&bytes);
/// assert_eq!(from.length(), Ok(2));
/// assert_eq!(from.string().as_deref(), Ok(&b"300"[..]));
/// ```
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    /// Compressed bytes wait here until their size, which precedes them, is known.
    packed: Vec<u8>,
    compress: bool,
    /// Where bytes go that are more than `waiting_max`.
    sink: Option<Sink>,
    waiting_max: usize,
}

impl Writer {
    /// A writer of its own; `compress` says whether long strings are tried with
    /// LZF (the parameter `rdbcompression`).
    #[must_use]
    pub fn new(compress: bool) -> Self {
        Self::append_to(Vec::new(), compress)
    }

    /// A writer that goes on where `out` ends.
    #[must_use]
    pub fn append_to(out: Vec<u8>, compress: bool) -> Self {
        Self { out, packed: Vec::new(), compress, sink: None, waiting_max: usize::MAX }
    }

    /// A writer into a file, of which little is kept in memory. [`bytes`](Self::bytes) are those
    /// that wait, and [`finish`](Self::finish) has to end it.
    #[must_use]
    pub fn to_sink(sink: Sink, compress: bool) -> Self {
        let out = Vec::with_capacity(WAITING_BYTES_MAX);
        Self { out, packed: Vec::new(), compress, sink: Some(sink), waiting_max: WAITING_BYTES_MAX }
    }

    /// How many bytes were written, those that wait included.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.sink.as_ref().map_or(0, Sink::bytes) + self.out.len() as u64
    }

    /// Whether writing into the file has failed; what is written then goes nowhere.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.sink.as_ref().is_some_and(Sink::has_failed)
    }

    /// The checksum of all bytes so far, if the sink has one.
    pub fn checksum(&mut self) -> u64 {
        self.pass_on(&[]);
        self.sink.as_ref().map_or(0, Sink::checksum)
    }

    /// Pass on what waits, and give the file back.
    ///
    /// # Errors
    ///
    /// The first error of the file, and when there is none.
    pub fn finish(mut self) -> io::Result<Sunk> {
        self.pass_on(&[]);
        self.sink.ok_or(io::ErrorKind::NotConnected)?.finish()
    }

    /// Give the sink what waits, and then some bytes unless they may wait.
    #[cold]
    fn pass_on(&mut self, bytes: &[u8]) {
        let Some(sink) = &mut self.sink else { return self.out.extend_from_slice(bytes) };
        sink.take(&self.out);
        self.out.clear();
        if bytes.len() > self.waiting_max {
            sink.take(bytes);
        } else {
            self.out.extend_from_slice(bytes);
        }
    }

    /// All bytes so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// All bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Bytes as they are, without a length.
    #[inline]
    pub fn put_raw(&mut self, bytes: &[u8]) {
        if bytes.len() > self.waiting_max.saturating_sub(self.out.len()) {
            self.pass_on(bytes);
        } else {
            self.out.extend_from_slice(bytes);
        }
    }

    /// One byte.
    #[inline]
    pub fn put_u8(&mut self, value: u8) {
        self.out.push(value);
    }

    /// 2 bytes, little endian.
    pub fn put_u16(&mut self, value: u16) {
        self.put_raw(&value.to_le_bytes());
    }

    /// 4 bytes, little endian.
    pub fn put_u32(&mut self, value: u32) {
        self.put_raw(&value.to_le_bytes());
    }

    /// 8 bytes, little endian.
    pub fn put_u64(&mut self, value: u64) {
        self.put_raw(&value.to_le_bytes());
    }

    /// IEEE 754 binary32, 4 bytes, little endian.
    pub fn put_f32(&mut self, value: f32) {
        self.put_raw(&value.to_le_bytes());
    }

    /// IEEE 754 binary64, 8 bytes, little endian.
    pub fn put_f64(&mut self, value: f64) {
        self.put_raw(&value.to_le_bytes());
    }

    /// A length, or any unsigned number, in the shortest of 1, 2, 5 or 9 bytes.
    pub fn put_length(&mut self, length: u64) {
        if length < 1 << 6 {
            self.put_u8(length as u8);
        } else if length < 1 << 14 {
            self.put_raw(&[LENGTH_14_BITS | (length >> 8) as u8, length as u8]);
        } else if let Ok(length) = u32::try_from(length) {
            self.put_u8(LENGTH_32_BITS);
            self.put_raw(&length.to_be_bytes());
        } else {
            self.put_u8(LENGTH_64_BITS);
            self.put_raw(&length.to_be_bytes());
        }
    }

    /// A string in the form that the page above says.
    pub fn put_string(&mut self, bytes: &[u8]) {
        if let Some(value) = small_integer(bytes) {
            self.put_integer_form(value);
        } else if !self.put_compressed(bytes) {
            self.put_length(bytes.len() as u64);
            self.put_raw(bytes);
        }
    }

    /// The string that `value` prints as in decimal: the same bytes as
    /// [`put_string`](Self::put_string) of that text, without parsing it.
    pub fn put_integer_string(&mut self, value: i64) {
        if let Ok(value) = i32::try_from(value) {
            self.put_integer_form(value);
        } else {
            let mut text = itoa::Buffer::new();
            let text = text.format(value).as_bytes();
            self.put_length(text.len() as u64);
            self.put_raw(text);
        }
    }

    /// A double as text: a length byte, then decimal digits.
    ///
    /// The form of old RDB versions, which current servers still read. Integers
    /// print without a fraction, other numbers in the shortest text that reads
    /// back to the same bits. The sign of a NaN is not kept.
    pub fn put_ascii_double(&mut self, value: f64) {
        // Below this every integer is a double of its own.
        const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;
        if value.is_nan() {
            self.put_u8(ASCII_NAN);
        } else if value == f64::INFINITY {
            self.put_u8(ASCII_INFINITY);
        } else if value == f64::NEG_INFINITY {
            self.put_u8(ASCII_MINUS_INFINITY);
        } else if value.trunc() == value && value.abs() <= EXACT_INTEGER_MAX {
            let mut text = itoa::Buffer::new();
            let text = text.format(value.abs() as u64);
            let sign: &[u8] = if value.is_sign_negative() { b"-" } else { b"" };
            self.put_u8((sign.len() + text.len()) as u8);
            self.put_raw(sign);
            self.put_raw(text.as_bytes());
        } else {
            let mut text = zmij::Buffer::new();
            let text = text.format_finite(value);
            self.put_u8(text.len() as u8);
            self.put_raw(text.as_bytes());
        }
    }

    fn put_integer_form(&mut self, value: i32) {
        if let Ok(value) = i8::try_from(value) {
            self.put_u8(STRING_INT_8);
            self.put_raw(&value.to_le_bytes());
        } else if let Ok(value) = i16::try_from(value) {
            self.put_u8(STRING_INT_16);
            self.put_raw(&value.to_le_bytes());
        } else {
            self.put_u8(STRING_INT_32);
            self.put_raw(&value.to_le_bytes());
        }
    }

    /// Writes `bytes` as LZF and answers true, or writes nothing.
    fn put_compressed(&mut self, bytes: &[u8]) -> bool {
        if !self.compress || bytes.len() <= UNCOMPRESSED_BYTES_MAX {
            return false;
        }
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        let worth_it = lzf::compress(bytes, &mut packed, bytes.len() - SAVED_BYTES_MIN);
        if worth_it {
            self.put_u8(STRING_LZF);
            self.put_length(packed.len() as u64);
            self.put_length(bytes.len() as u64);
            self.put_raw(&packed);
        }
        self.packed = packed;
        worth_it
    }
}

/// The 32-bit integer that prints as exactly `text`, if there is one.
fn small_integer(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if text.len() > INTEGER_TEXT_BYTES_MAX {
        return None;
    }
    match digits {
        [] => return None,
        [b'0', ..] if negative || digits.len() > 1 => return None,
        _ => {}
    }
    let mut magnitude = 0i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        magnitude = magnitude * 10 + i64::from(digit - b'0');
    }
    i32::try_from(if negative { -magnitude } else { magnitude }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(put: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut out = Writer::new(true);
        put(&mut out);
        out.into_bytes()
    }

    #[test]
    fn lengths_take_the_shortest_form() {
        let cases: [(u64, &[u8]); 9] = [
            (0, b"\x00"),
            (63, b"\x3f"),
            (64, b"\x40\x40"),
            (16_383, b"\x7f\xff"),
            (16_384, b"\x80\x00\x00\x40\x00"),
            (u32::MAX as u64 - 1, b"\x80\xff\xff\xff\xfe"),
            (u32::MAX as u64, b"\x80\xff\xff\xff\xff"),
            (u32::MAX as u64 + 1, b"\x81\x00\x00\x00\x01\x00\x00\x00\x00"),
            (u64::MAX, b"\x81\xff\xff\xff\xff\xff\xff\xff\xff"),
        ];
        for (length, bytes) in cases {
            assert_eq!(written(|out| out.put_length(length)), bytes, "{length}");
        }
    }

    #[test]
    fn fixed_widths_are_little_endian() {
        let bytes = written(|out| {
            out.put_u8(1);
            out.put_u16(0x0302);
            out.put_u32(0x0706_0504);
            out.put_u64(0x0f0e_0d0c_0b0a_0908);
            out.put_f32(1.0);
            out.put_f64(-2.0);
        });
        assert_eq!(bytes[..15], (1..=15).collect::<Vec<u8>>());
        assert_eq!(bytes[15..], *b"\x00\x00\x80\x3f\x00\x00\x00\x00\x00\x00\x00\xc0");
    }

    #[test]
    fn only_canonical_text_becomes_an_integer() {
        let not: [&[u8]; 14] = [
            b"",
            b"-",
            b"-0",
            b"+1",
            b"01",
            b"-01",
            b"00",
            b" 1",
            b"1 ",
            b"1a",
            b"--1",
            b"2147483648",
            b"-2147483649",
            b"99999999999",
        ];
        for text in not {
            assert_eq!(small_integer(text), None, "{text:?}");
        }
        for value in [0, 9, -1, 10, i32::MIN, i32::MAX, 100_000, -100_000] {
            assert_eq!(small_integer(value.to_string().as_bytes()), Some(value));
        }
    }

    #[test]
    fn strings_are_compressed_from_21_bytes_on_and_only_when_asked() {
        assert_eq!(written(|out| out.put_string(&[b'a'; 20]))[0], 20);
        assert_eq!(written(|out| out.put_string(&[b'a'; 21]))[0], STRING_LZF);
        let mut plain = Writer::new(false);
        plain.put_string(&[b'a'; 21]);
        assert_eq!(plain.bytes()[0], 21);
    }

    #[test]
    fn a_string_that_shrinks_by_less_than_four_bytes_stays_as_it_is() {
        // 26 different bytes, a repetition of `again`, which costs 2 bytes.
        let text = |again: usize| {
            let mut text: Vec<u8> = (b'a'..=b'z').collect();
            text.extend_from_within(..again);
            text
        };
        // Literal 27 bytes and match 2 bytes: 29.
        assert_eq!(written(|out| out.put_string(&text(6)))[0], 32);
        assert_eq!(written(|out| out.put_string(&text(7)))[0], STRING_LZF);
    }

    #[test]
    fn ascii_doubles_are_short_text() {
        let cases: [(f64, &[u8]); 10] = [
            (0.0, b"\x010"),
            (-0.0, b"\x02-0"),
            (-17.0, b"\x03-17"),
            (3.25, b"\x043.25"),
            (0.1, b"\x030.1"),
            (9_007_199_254_740_992.0, b"\x109007199254740992"),
            (1e300, b"\x061e+300"),
            (f64::NAN, b"\xfd"),
            (f64::INFINITY, b"\xfe"),
            (f64::NEG_INFINITY, b"\xff"),
        ];
        for (value, bytes) in cases {
            let got = written(|out| out.put_ascii_double(value));
            assert_eq!(got, bytes, "{value}: {:?}", String::from_utf8_lossy(&got));
        }
    }

    #[test]
    fn a_writer_goes_on_where_its_vector_ends() {
        let mut out = Writer::append_to(vec![7], false);
        out.put_string(b"x");
        assert_eq!(out.into_bytes(), b"\x07\x01x");
    }

    proptest! {
        #[test]
        fn an_integer_and_its_text_are_written_alike(wide in any::<i64>(), shift in 0u32..64) {
            let value = wide >> shift;
            prop_assert_eq!(
                written(|out| out.put_integer_string(value)),
                written(|out| out.put_string(value.to_string().as_bytes()))
            );
        }
    }
}
