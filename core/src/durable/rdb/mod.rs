//! The RDB file: a snapshot of all databases, and the container that values are in.
//!
//! ```text
//!   file    = magic, item*, END, checksum (8 bytes, l. endian; from version 5 on, 0 for none)
//!   magic   = "REDIS" and four digits of version | "VALKEY" and three
//!   item    = AUX name value            what wrote it, when, and the like
//!           | FUNCTION text             a library of functions
//!           | MODULE_AUX id when fields end     what a module keeps beside its values
//!           | SELECT database | RESIZE keys expiries | SLOT number keys expiries
//!           | attribute* type key value
//!   attribute = EXPIRE_MS 8 bytes | EXPIRE_S 4 bytes | IDLE seconds | FREQUENCY 1 byte
//! ```
//!
//! Attributes come before the key that they belong to, all else counts until it is said anew. What a value
//! is made of, its type knows; [`shape`](crate::durable::shape) knows only where it ends.
//!
//! Redis and Valkey number types and opcodes apart since their version 80: what a number means is
//! decided by the magic.
//!
//! Source: <https://rdb.fnordig.de/file_format.html>, and files of redis-server 7.0.15, redis 8.2.3 and
//! valkey 9.1.2.

mod reader;
mod writer;

pub use crate::durable::rdb::reader::{Attributes, Item, RdbError, RdbReader, Section};
pub use crate::durable::rdb::writer::RdbWriter;

use crate::durable::version::{NEWEST, VALKEY, may_hold, needed};

/// The versions that can be written; the first three are those of Redis 5.0, 7.0 and 7.2.
pub const VERSIONS: std::ops::RangeInclusive<u16> = 9..=NEWEST;

const SLOT_IMPORT: u8 = 243;
const SLOT: u8 = 244;
const FUNCTION: u8 = 245;
const FUNCTION_BEFORE_RELEASE: u8 = 246;
const MODULE_AUX: u8 = 247;
const IDLE: u8 = 248;
const FREQUENCY: u8 = 249;
const AUX: u8 = 250;
const RESIZE: u8 = 251;
const EXPIRE_MS: u8 = 252;
const EXPIRE_S: u8 = 253;
const SELECT: u8 = 254;
const END: u8 = 255;
/// Bytes of magic and version.
pub const MAGIC_BYTES: usize = 9;
/// Files of versions from this one on end with a checksum.
const CHECKED_SINCE: u16 = 5;

/// Whose numbers types and opcodes have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Redis, all versions, and Valkey before 9.
    Redis,
    /// Valkey from 9 on.
    Valkey,
}

impl Family {
    /// The version by which it is known what a number means, given that of a file.
    fn numbers(self, version: u16) -> u16 {
        match self {
            Family::Redis => version.min(NEWEST),
            Family::Valkey => version.max(VALKEY),
        }
    }

    /// Whether a type number stands for a value in files of this family.
    #[must_use]
    pub fn has_type(self, tag: u8) -> bool {
        needed(tag).is_some() && may_hold(self.numbers(NEWEST), tag)
    }
}

/// Whether a file begins as such files do, given its first bytes.
#[must_use]
pub fn begins_as_rdb(head: &[u8]) -> bool {
    head.starts_with(b"REDIS") || head.starts_with(b"VALKEY")
}

/// Family and version out of the first bytes of a file.
fn parse_magic(magic: &[u8]) -> Option<(Family, u16)> {
    let (family, digits) = if let Some(digits) = magic.strip_prefix(b"REDIS") {
        (Family::Redis, digits)
    } else {
        (Family::Valkey, magic.strip_prefix(b"VALKEY")?)
    };
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((family, text.parse().ok()?))
}

#[cfg(test)]
mod tests;
