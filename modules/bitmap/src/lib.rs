//! Bitmaps: commands on the bits of strings, whoever keeps the strings.
//!
//! There is no type here. A bitmap is a string, and this module reaches it through
//! `plinth.string/1`, so that it works with whichever module has strings, also while one takes the
//! place of another.
//!
//! ```text
//!   commands ──> range   which bits are meant            ──> STRINGS (plinth.string/1)
//!            ──> scan    long strings in slices, while other clients are served
//!                   └─> work    how far a command has got
//!                          └─> count, search, logic   what is done with the bytes
//!                                 └─> vector   where the processor has wide registers
//!            ──> field   BITFIELD's integers
//! ```
//!
//! Reading order: [`range`] (bits, bytes and what clients call them), [`count`], [`search`],
//! [`logic`] (BITOP), [`field`] (BITFIELD's integers), [`commands`] (one file per family, each
//! command's spec beside its function), [`limit`] (how far bits reach), `work` and `scan` (strings
//! that take longer than a turn of the loop may).
//!
//! Invariants:
//! - Arguments are checked before any key is looked at.
//! - A change is announced once per key, and only when the string's bytes or length changed.
//! - No position reaches behind `proto-max-bulk-len`, and so none overflows.

#![deny(unsafe_code)]

pub mod commands;
pub mod count;
pub mod field;
pub mod limit;
pub mod logic;
pub mod range;
mod scan;
pub mod search;
#[allow(unsafe_code, reason = "vector instructions are intrinsics")]
mod vector;
mod work;

use plinth_module::prelude::*;
use plinth_module::string::{STRING_SERVICE, Strings};

/// The strings of whoever has them.
pub(crate) static STRINGS: Strings = Strings::new();

export!(Module {
    name: "bitmap",
    version: env!("CARGO_PKG_VERSION"),
    requires: &[STRING_SERVICE],
    commands: &commands::ALL,
    infos: &[scan::SECTION],
    start: Some(start),
    ..Module::NEW
});

fn start(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    scan::prepare(call)?;
    limit::follow(call)
}
