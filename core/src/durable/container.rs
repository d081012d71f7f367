//! Tagged values: what a module's own type is stored as.
//!
//! The servers' built-in types have layouts that only they know. A module's type
//! carries the RDB type byte [`TYPE_BYTE`] and after it says who wrote it and,
//! before each field, what kind the field is, so that a server without the module
//! can find the end of the value, keep its bytes and pass them on:
//!
//! ```text
//!   0x07 │ id │ opcode field │ opcode field │ ... │ 0x00
//!
//!   id       a length, nearly always in its 64-bit form:
//!            bit 63 ........................................ 10 9 .......... 0
//!            nine characters of 6 bits, the first one on top   encoding version
//!            A-Z a-z 0-9 - _   are 0 to 63
//!
//!   opcode   a length         field
//!     0      end              -
//!     1      signed           length (reserved: no server writes it)
//!     2      unsigned         length
//!     3      float            binary32, little endian
//!     4      double           binary64, little endian
//!     5      string           string
//! ```
//!
//! A signed number is written as the unsigned one with the same 64 bits, opcode 2:
//! that is what the servers' own module API writes, and the only opcode its reader
//! of signed numbers accepts. Both opcodes are read as signed here.
//!
//! What a module leaves beside the keys of an RDB file is an id followed by such
//! fields as well (the first one says when it was saved), so it is passed over in
//! the same way.
//!
//! Invariants: [`Reader::skip_container`] stops where reading every field stops;
//! an id that [`ContainerId::new`] makes gives its name and version back.
//!
//! Source: <https://redis.io/docs/latest/develop/reference/modules/modules-native-types/>,
//! and DUMP of a module type in the three servers that `observed.rs` names.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

use crate::durable::{Fault, ReadError, Reader, Writer};

/// The RDB type byte of a tagged value ("module, version 2"). The older untagged
/// form, 6, cannot be passed over and is read by no current server.
pub const TYPE_BYTE: u8 = 7;

/// Characters in a module type's name.
pub const NAME_BYTES: usize = 9;

/// The largest encoding version.
pub const ENCODING_VERSION_MAX: u16 = (1 << ENCODING_BITS) - 1;

const ENCODING_BITS: u32 = 10;
const CHARACTER_BITS: u32 = 6;
const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// All bits zero, which Redis keeps for "no id".
const RESERVED_NAME: &[u8; NAME_BYTES] = b"AAAAAAAAA";

/// The identity of a module type on disk: its nine-character name and the version
/// of its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerId(u64);

/// Why a name and version make no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContainerIdError {
    /// The name is not nine characters long.
    #[error("a type name has {NAME_BYTES} characters, not {0}")]
    NameLength(usize),
    /// A byte is outside the 64 characters.
    #[error("0x{0:02x} is not among the characters of a type name (A-Z a-z 0-9 - _)")]
    NameCharacter(u8),
    /// The name is the one that stands for no name.
    #[error("the type name AAAAAAAAA is reserved")]
    NameReserved,
    /// The encoding version does not fit in its bits.
    #[error("the encoding version {0} is above {ENCODING_VERSION_MAX}")]
    Encoding(u16),
}

impl ContainerId {
    /// The id of `name` with encoding version `encoding`.
    ///
    /// # Errors
    ///
    /// [`ContainerIdError`] for what Redis would not register either.
    pub fn new(name: &[u8], encoding: u16) -> Result<Self, ContainerIdError> {
        if name.len() != NAME_BYTES {
            return Err(ContainerIdError::NameLength(name.len()));
        }
        if encoding > ENCODING_VERSION_MAX {
            return Err(ContainerIdError::Encoding(encoding));
        }
        if name == RESERVED_NAME {
            return Err(ContainerIdError::NameReserved);
        }
        let mut id = 0u64;
        for byte in name {
            let Some(value) = CHARACTERS.iter().position(|character| character == byte) else {
                return Err(ContainerIdError::NameCharacter(*byte));
            };
            id = id << CHARACTER_BITS | value as u64;
        }
        Ok(Self(id << ENCODING_BITS | u64::from(encoding)))
    }

    /// The id as read from a file; every number is some name and version.
    #[must_use]
    pub fn from_raw(id: u64) -> Self {
        Self(id)
    }

    /// The id as written to a file.
    #[must_use]
    pub fn raw(self) -> u64 {
        self.0
    }

    /// The name, in ASCII.
    #[must_use]
    pub fn name(self) -> [u8; NAME_BYTES] {
        let mut rest = self.0 >> ENCODING_BITS;
        let mut name = *RESERVED_NAME;
        for character in name.iter_mut().rev() {
            *character = CHARACTERS[(rest & 0x3f) as usize];
            rest >>= CHARACTER_BITS;
        }
        name
    }

    /// The version of the encoding.
    #[must_use]
    pub fn encoding(self) -> u16 {
        (self.0 & u64::from(ENCODING_VERSION_MAX)) as u16
    }
}

impl fmt::Display for ContainerId {
    /// As `name version 3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.name() {
            write!(f, "{}", char::from(character))?;
        }
        write!(f, " version {}", self.encoding())
    }
}

/// The kind of a tagged field; the discriminant is its opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FieldKind {
    /// No more fields follow.
    End = 0,
    /// A signed 64-bit integer; defined, but written by no server.
    Signed = 1,
    /// An unsigned 64-bit integer.
    Unsigned = 2,
    /// A binary32 number.
    Float = 3,
    /// A binary64 number.
    Double = 4,
    /// A byte string.
    String = 5,
}

impl FieldKind {
    const ALL: [Self; 6] = [Self::End, Self::Signed, Self::Unsigned, Self::Float, Self::Double, Self::String];

    fn from_opcode(opcode: u64) -> Option<Self> {
        usize::try_from(opcode).ok().and_then(|opcode| Self::ALL.get(opcode).copied())
    }

    fn serves_as(self, expected: Self) -> bool {
        self == expected || (self, expected) == (Self::Unsigned, Self::Signed)
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::End => "end",
            Self::Signed => "signed",
            Self::Unsigned => "unsigned",
            Self::Float => "float",
            Self::Double => "double",
            Self::String => "string",
        })
    }
}

/// One tagged field.
#[derive(Debug, Clone, PartialEq)]
pub enum Field<'a> {
    /// No more fields follow.
    End,
    /// A signed 64-bit integer; defined, but written by no server.
    Signed(i64),
    /// A 64-bit integer, which the type itself may mean as signed.
    Unsigned(u64),
    /// A binary32 number.
    Float(f32),
    /// A binary64 number.
    Double(f64),
    /// A byte string.
    String(Cow<'a, [u8]>),
}

impl Writer {
    /// The id that precedes the fields; [`TYPE_BYTE`] goes before it.
    pub fn put_module_id(&mut self, id: ContainerId) {
        self.put_length(id.raw());
    }

    /// A tagged signed integer: 2 bytes if it is small, 10 if it is negative. It
    /// is tagged as unsigned, for the reason at the top of the page.
    pub fn put_signed_field(&mut self, value: i64) {
        self.put_unsigned_field(value as u64);
    }

    /// A tagged unsigned integer.
    pub fn put_unsigned_field(&mut self, value: u64) {
        self.put_opcode(FieldKind::Unsigned);
        self.put_length(value);
    }

    /// A tagged binary32 number.
    pub fn put_float_field(&mut self, value: f32) {
        self.put_opcode(FieldKind::Float);
        self.put_f32(value);
    }

    /// A tagged binary64 number.
    pub fn put_double_field(&mut self, value: f64) {
        self.put_opcode(FieldKind::Double);
        self.put_f64(value);
    }

    /// A tagged string, stored by the rule of [`put_string`](Self::put_string).
    pub fn put_string_field(&mut self, bytes: &[u8]) {
        self.put_opcode(FieldKind::String);
        self.put_string(bytes);
    }

    /// The end of the fields, without which a value cannot be passed over.
    pub fn put_end(&mut self) {
        self.put_opcode(FieldKind::End);
    }

    fn put_opcode(&mut self, kind: FieldKind) {
        self.put_length(kind as u64);
    }
}

impl<'a> Reader<'a> {
    /// The id that precedes the fields.
    ///
    /// # Errors
    ///
    /// Those of [`length`](Self::length).
    pub fn module_id(&mut self) -> Result<ContainerId, ReadError> {
        self.length().map(ContainerId::from_raw)
    }

    /// The next field, whichever kind it is of.
    ///
    /// # Errors
    ///
    /// [`Fault::NotAField`], and those of the primitive inside.
    pub fn field(&mut self) -> Result<Field<'a>, ReadError> {
        let start = self.offset();
        let kind = self.field_kind()?;
        let field = match kind {
            FieldKind::End => Ok(Field::End),
            FieldKind::Signed => self.length().map(|value| Field::Signed(value as i64)),
            FieldKind::Unsigned => self.length().map(Field::Unsigned),
            FieldKind::Float => self.f32().map(Field::Float),
            FieldKind::Double => self.f64().map(Field::Double),
            FieldKind::String => self.string().map(Field::String),
        };
        field.inspect_err(|_| self.rewind(start))
    }

    /// A field that must be an integer, under either opcode, taken as signed.
    ///
    /// # Errors
    ///
    /// [`Fault::OtherField`] if it is of another kind, and those of
    /// [`field`](Self::field); the same holds for the other kinds.
    pub fn signed_field(&mut self) -> Result<i64, ReadError> {
        self.field_of(FieldKind::Signed, Self::length).map(|value| value as i64)
    }

    /// A field that must be an unsigned integer.
    ///
    /// # Errors
    ///
    /// Those of [`signed_field`](Self::signed_field).
    pub fn unsigned_field(&mut self) -> Result<u64, ReadError> {
        self.field_of(FieldKind::Unsigned, Self::length)
    }

    /// A field that must be a binary32 number.
    ///
    /// # Errors
    ///
    /// Those of [`signed_field`](Self::signed_field).
    pub fn float_field(&mut self) -> Result<f32, ReadError> {
        self.field_of(FieldKind::Float, Self::f32)
    }

    /// A field that must be a binary64 number.
    ///
    /// # Errors
    ///
    /// Those of [`signed_field`](Self::signed_field).
    pub fn double_field(&mut self) -> Result<f64, ReadError> {
        self.field_of(FieldKind::Double, Self::f64)
    }

    /// A field that must be a string.
    ///
    /// # Errors
    ///
    /// Those of [`signed_field`](Self::signed_field).
    pub fn string_field(&mut self) -> Result<Cow<'a, [u8]>, ReadError> {
        self.field_of(FieldKind::String, Self::string)
    }

    /// The end of the fields, and nothing else.
    ///
    /// # Errors
    ///
    /// Those of [`signed_field`](Self::signed_field).
    pub fn end(&mut self) -> Result<(), ReadError> {
        self.field_of(FieldKind::End, |_| Ok(()))
    }

    /// Passes over all fields up to and including the end, and answers their bytes:
    /// what to keep of a value whose module is not there, and to write again with
    /// [`Writer::put_raw`] after the id.
    ///
    /// Call it where the first field begins, after the id. Sizes and opcodes are
    /// checked; compressed strings are not expanded.
    ///
    /// # Errors
    ///
    /// Those of [`field`](Self::field), with the reader left at the first field.
    pub fn skip_container(&mut self) -> Result<&'a [u8], ReadError> {
        let start = self.offset();
        loop {
            match self.skip_field() {
                Ok(FieldKind::End) => return Ok(self.since(start)),
                Ok(_) => {}
                Err(error) => {
                    self.rewind(start);
                    return Err(error);
                }
            }
        }
    }

    /// Passes over a field; its kind.
    pub(super) fn skip_field(&mut self) -> Result<FieldKind, ReadError> {
        let kind = self.field_kind()?;
        match kind {
            FieldKind::End => {}
            FieldKind::Signed | FieldKind::Unsigned => drop(self.length()?),
            FieldKind::Float => drop(self.f32()?),
            FieldKind::Double => drop(self.f64()?),
            FieldKind::String => self.skip_string()?,
        }
        Ok(kind)
    }

    fn field_kind(&mut self) -> Result<FieldKind, ReadError> {
        let start = self.offset();
        let opcode = self.length()?;
        FieldKind::from_opcode(opcode).ok_or_else(|| self.refuse(start, Fault::NotAField(opcode)))
    }

    fn field_of<T>(
        &mut self,
        expected: FieldKind,
        read: impl FnOnce(&mut Self) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let start = self.offset();
        let found = self.field_kind()?;
        if !found.serves_as(expected) {
            return Err(self.refuse(start, Fault::OtherField { expected, found }));
        }
        read(self).inspect_err(|_| self.rewind(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_field() -> impl Strategy<Value = Field<'static>> {
        prop_oneof![
            any::<i64>().prop_map(Field::Signed),
            any::<u64>().prop_map(Field::Unsigned),
            (-1e9f32..1e9).prop_map(Field::Float),
            (-1e18..1e18).prop_map(Field::Double),
            proptest::collection::vec(0u8..9, 0..60).prop_map(|text| Field::String(text.into())),
            any::<i32>().prop_map(|n| Field::String(n.to_string().into_bytes().into())),
        ]
    }

    fn put(out: &mut Writer, field: &Field<'_>) {
        match field {
            Field::End => out.put_end(),
            Field::Signed(value) => {
                out.put_opcode(FieldKind::Signed);
                out.put_length(*value as u64);
            }
            Field::Unsigned(value) => out.put_unsigned_field(*value),
            Field::Float(value) => out.put_float_field(*value),
            Field::Double(value) => out.put_double_field(*value),
            Field::String(bytes) => out.put_string_field(bytes),
        }
    }

    #[test]
    fn an_id_is_nine_characters_and_a_version() {
        let id = ContainerId::new(b"pl-probe_", 1023).unwrap();
        assert_eq!(id.raw(), 0xa65f_a9ae_86de_ffff);
        assert_eq!(id.to_string(), "pl-probe_ version 1023");
        let least = ContainerId::new(b"AAAAAAAAB", 0).unwrap();
        assert_eq!(least.raw(), 1 << 10);
        assert_eq!(ContainerId::from_raw(0).name(), *b"AAAAAAAAA");
    }

    #[test]
    fn names_that_redis_does_not_register_are_refused() {
        for (name, encoding, error) in [
            (&b"short"[..], 0, ContainerIdError::NameLength(5)),
            (b"ten-letter", 0, ContainerIdError::NameLength(10)),
            (b"no spaces", 0, ContainerIdError::NameCharacter(b' ')),
            (b"ninechars", 1024, ContainerIdError::Encoding(1024)),
            (b"AAAAAAAAA", 0, ContainerIdError::NameReserved),
            (b"AAAAAAAAA", 5, ContainerIdError::NameReserved),
        ] {
            assert_eq!(ContainerId::new(name, encoding), Err(error));
        }
    }

    #[test]
    fn a_field_of_another_kind_is_refused_and_can_be_read_as_what_it_is() {
        let mut from = Reader::new(b"\x01\x05\x00");
        let fault = Fault::OtherField { expected: FieldKind::String, found: FieldKind::Signed };
        let error = from.string_field().unwrap_err();
        assert_eq!(error, ReadError { offset: 0, fault });
        assert_eq!(from.signed_field(), Ok(5));
        let error = from.unsigned_field().unwrap_err();
        assert_eq!(error.to_string(), "a field of kind unsigned was expected, and end is there (at byte 2)");
        assert_eq!(from.end(), Ok(()));
    }

    #[test]
    fn a_container_without_end_or_with_an_unknown_opcode_is_refused() {
        for (bytes, offset, fault) in [
            (&b"\x01\x05"[..], 2, Fault::Truncated { needed: 1, left: 0 }),
            (b"\x01\x05\x06\x00", 2, Fault::NotAField(6)),
            (b"\x01\x05\x05\x09abc\x00", 4, Fault::Truncated { needed: 9, left: 4 }),
            (b"\x04\x00\x00\x00", 1, Fault::Truncated { needed: 8, left: 3 }),
        ] {
            let mut from = Reader::new(bytes);
            assert_eq!(from.skip_container(), Err(ReadError { offset, fault }));
            assert_eq!(from.offset(), 0);
        }
    }

    proptest! {
        #[test]
        fn an_id_gives_its_name_and_version_back(
            name in "[A-Za-z0-9_-]{8}[B-Z]",
            encoding in 0u16..=ENCODING_VERSION_MAX,
        ) {
            let id = ContainerId::new(name.as_bytes(), encoding).unwrap();
            prop_assert_eq!(&id.name()[..], name.as_bytes());
            prop_assert_eq!(id.encoding(), encoding);
            let mut out = Writer::new(false);
            out.put_module_id(id);
            prop_assert_eq!(Reader::new(out.bytes()).module_id(), Ok(id));
        }

        #[test]
        fn fields_come_back_and_are_passed_over_to_the_same_end(
            fields in proptest::collection::vec(any_field(), 0..12),
        ) {
            let mut out = Writer::new(true);
            fields.iter().for_each(|field| put(&mut out, field));
            out.put_end();
            let end = out.bytes().len();
            out.put_raw(b"after");
            let mut from = Reader::new(out.bytes());
            let mut skipping = from.clone();
            for field in &fields {
                prop_assert_eq!(&from.field().unwrap(), field);
            }
            prop_assert_eq!(from.field(), Ok(Field::End));
            prop_assert_eq!(skipping.skip_container().unwrap(), &out.bytes()[..end]);
            prop_assert_eq!(from.remaining(), b"after");
            prop_assert_eq!(skipping.remaining(), b"after");
        }
    }
}
