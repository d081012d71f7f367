//! Bitmaps: commands on the bits of strings, whoever keeps the strings.
//!
//! There is no type here. A bitmap is a string, and this module reaches it through
//! `plinth.string/1`, so that it works with whichever module has strings, also while one takes the
//! place of another.
//!
//! ```text
//!   commands ──> range   which bits are meant            ──> STRINGS (plinth.string/1)
//!            ──> count, search, logic, field   the work
//!                   └─> vector   where the processor has wide registers
//! ```
//!
//! Reading order: [`range`] (bits, bytes and what clients call them), [`count`], [`search`],
//! [`logic`] (BITOP), [`field`] (BITFIELD's integers), [`commands`] (one file per family, each
//! command's spec beside its function), [`limit`] (how far bits reach).
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
pub mod search;
#[allow(unsafe_code, reason = "vector instructions are intrinsics")]
mod vector;

use plinth_module::prelude::*;
use plinth_module::string::{STRING_SERVICE, Strings};

/// The strings of whoever has them.
pub(crate) static STRINGS: Strings = Strings::new();

export!(Module {
    name: "bitmap",
    version: env!("CARGO_PKG_VERSION"),
    requires: &[STRING_SERVICE],
    commands: &commands::ALL,
    start: Some(start),
    ..Module::NEW
});

fn start(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)?;
    limit::follow(call)
}
