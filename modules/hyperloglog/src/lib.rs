//! HyperLogLogs: how many different elements a key has seen, in at most 12 KiB and to 0.81 percent.
//!
//! There is no type here. A HyperLogLog is a string, and which module has strings does not matter:
//! everything goes through `plinth.string/1`, and every value is, byte for byte, what Redis would
//! have made of the same commands. So GET, SET, DUMP and MIGRATE carry it to and from other servers.
//!
//! Reading order: [`hash`] (what an element comes to), [`dense`] and [`sparse`] (the two forms of the
//! registers), [`registers`] (a byte each, for merging) with [`vector`], [`estimate`] (from registers
//! to a number), [`value`] (the header, and which form follows), [`limit`] (the parameter),
//! [`commands`].
//!
//! Invariants:
//! - Nothing that is in a string is believed. What is no HyperLogLog is refused as the wrong type. Damage
//!   that a command meets is refused as corrupt, before anything is written. PFADD goes through the runs
//!   only as far as its elements need, and leaves damage behind them as it is.
//! - A command goes through at most 16,384 registers for each key, whatever a string's length is.
//! - A value is written once per command, after all of it is known.
//! - PFADD of elements that change nothing looks its key up once and allocates nothing.
//!
//! Sources: Flajolet, Fusy, Gandouet and Meunier, "HyperLogLog: the analysis of a near-optimal
//! cardinality estimation algorithm" (2007); Ertl, "New cardinality estimation algorithms for
//! HyperLogLog sketches" (2017).
//!
//! *What is deliberately absent*: a table of bias corrections, which the estimator does without.

#![deny(unsafe_code)]

pub mod commands;
pub mod dense;
pub mod estimate;
pub mod hash;
pub mod limit;
pub mod registers;
pub mod sparse;
pub mod value;
pub mod vector;

use plinth_module::prelude::*;
use plinth_module::string::{STRING_SERVICE, Strings};

/// The strings of whichever module has them.
static STRINGS: Strings = Strings::new();

fn start(call: &mut Call<'_>) -> Result {
    STRINGS.resolve(call)
}

export!(Module {
    name: "hyperloglog",
    version: env!("CARGO_PKG_VERSION"),
    requires: &[STRING_SERVICE],
    commands: &commands::ALL,
    configs: &limit::PARAMETERS,
    start: Some(start),
    ..Module::NEW
});
