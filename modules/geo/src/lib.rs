//! Places on a map: the GEO commands, on sorted sets that another module keeps.
//!
//! There is no type here. A place is a member of a sorted set, and its score says where it is: the
//! number of a cell of the map ([`cell`]), with 52 bits, the same that Redis computes. So payloads
//! move between the servers, and ZREM removes a place. Sorted sets are reached through `plinth.zset/1`
//! alone, whichever module provides it.
//!
//! ```text
//!   GEOSEARCH ──> area ──> up to two rectangles of the map       what may be in it
//!                 area ──> cover ──> ranges of scores            where those are in the sorted set
//!                          visit_scores ──> members              candidates
//!                 rectangle ──> two comparisons of bits          most that are outside go here
//!                 area ──> sphere ──> distance                   the rest
//! ```
//!
//! Reading order: [`cell`], [`sphere`], [`area`], [`cover`], [`hits`], [`text`], then the commands.
//!
//! *What is deliberately absent*: anything that a command keeps. Whatever the sorted set is replaced
//! by, the next command finds it.

#![deny(unsafe_code)]

pub mod area;
pub mod cell;
mod commands;
pub mod cover;
mod hits;
pub mod sphere;
pub mod text;

use plinth_module::prelude::*;
use plinth_module::zset::{ZSET_SERVICE, Zsets};

/// The sorted sets that are loaded.
static ZSETS: Zsets = Zsets::new();

fn start(call: &mut Call<'_>) -> Result {
    ZSETS.resolve(call)
}

export!(Module {
    name: "geo",
    version: env!("CARGO_PKG_VERSION"),
    requires: &[ZSET_SERVICE],
    commands: &commands::ALL,
    start: Some(start),
    ..Module::NEW
});
