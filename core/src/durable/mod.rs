//! The durable format: how a value becomes bytes that Redis can read back.
//!
//! A module saves its values through this folder and loads them through it, so
//! that a dump made by Plinth opens in Redis and the other way round. The folder
//! knows the *container* of the RDB format only: lengths, strings, numbers,
//! tagged fields, checksums. What a value is made of is its module's business,
//! and no data type is named here.
//!
//! ```text
//!   payload  = type byte, value bytes, footer        footer.rs
//!   value    = primitives in the type's own order    write.rs, read.rs
//!   tagged   = (opcode, primitive)*, end             container.rs
//!   string   = raw | small integer | LZF             write.rs, read.rs, the crate lzf
//!   footer   = version, CRC-64                       footer.rs, crc64.rs
//!   version  = which types a reader knows            version.rs
//!   commands = text between remarks                  aof_text.rs, aof_manifest.rs
//! ```
//!
//! Files are written through a [`Disk`](disk::Disk), so that tests see every write and sync.
//!
//! Reading order: `write.rs` for the forms, `read.rs` for their inverse and what
//! it refuses, `container.rs` for values that can be passed over unread,
//! `footer.rs` for what DUMP and RESTORE exchange. `observed.rs` holds bytes
//! that real servers gave; `fuzz.rs` feeds the readers with damaged input.
//!
//! Invariants:
//!
//! * Nothing but `disk.rs` does I/O, nothing keeps state between calls or uses `unsafe`.
//! * Every byte string is either read or refused with a typed error that names
//!   the offset. No input panics, and no input makes a reader allocate more than
//!   [`EXPANSION_MAX`](lzf::EXPANSION_MAX) times its own size.
//! * Whatever [`Writer`] writes, [`Reader`] reads back to the same value.
#![forbid(unsafe_code)]

pub mod aof_manifest;
pub mod aof_text;
pub mod container;
pub mod crc64;
pub mod disk;
pub mod footer;
pub mod rdb;
pub mod read;
pub mod shape;
pub mod sink;
pub mod version;
pub mod window;
pub mod write;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod observed;

pub use crate::durable::container::{ContainerId, ContainerIdError, Field, FieldKind};
pub use crate::durable::footer::{Payload, PayloadError};
pub use crate::durable::read::{EncodedString, Fault, ReadError, Reader};
pub use crate::durable::write::Writer;
pub use plinth_lzf as lzf;
