//! Strings: the type that SET makes, its commands, and the service that lends it to other modules.
//!
//! A string is bytes in its key's entry, so that reading one is one look-up and writing
//! one is no allocation of its own. A tag beside the bytes says how they are meant:
//!
//! ```text
//!   tag      bytes in the entry                  made by                     OBJECT ENCODING
//!   TEXT     the string                          SET and its kin             embstr, above 44 raw
//!   INTEGER  i64, little-endian, 8 bytes         the same, and counting      int
//!   RAW      the string                          APPEND, SETRANGE, edit      raw
//! ```
//!
//! Reading order: [`value`] (which form a string takes), [`codec`] (the type, saving and loading),
//! [`commands`] (one file per family, each command's spec beside its function), [`service`]
//! (`plinth.string/1`, through which bitmaps, HyperLogLogs and SORT reach strings). INCRBYFLOAT
//! counts in the floats of [`plinth_module::extended`]; LCS finds a longest common [`subsequence`].
//!
//! Invariants:
//! - A value tagged INTEGER has exactly 8 bytes. Whoever writes anything else into an entry sets
//!   another tag with the same call.
//! - No string is longer than `proto-max-bulk-len` by way of a command that makes one grow; what is
//!   set as a whole has passed that limit in the request parser.
//! - Every change is announced once per key, after the value is in place.
//! - GET, SET and the counters look a key up once and allocate nothing.
//!
//! *What is deliberately absent*: a shared pool of small integers, since a number takes 8 bytes
//! inside an entry that is there anyway; and bit operations, which are the bitmap module's.

#![deny(unsafe_code)]

pub mod codec;
pub mod commands;
pub mod service;
pub mod subsequence;
pub mod value;

use plinth_module::prelude::*;

export!(Module {
    name: "string",
    version: env!("CARGO_PKG_VERSION"),
    types: &[codec::TYPE],
    commands: &commands::ALL,
    provides: &[service::PROVIDED],
    ..Module::NEW
});
