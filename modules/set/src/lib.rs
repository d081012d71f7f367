//! Sets: the module, which joins the commands with a storage.
//!
//! ```text
//!   plinth-set-commands    commands, small forms, saving and loading, over any storage
//!   store                  the storage of this module: a hash table
//! ```
//!
//! A set begins in its key's entry, as integers in order or as a pack of members, and moves to a
//! [`store::HashSet`] when it outgrows `set-max-intset-entries`, `set-max-listpack-entries` or
//! `set-max-listpack-value`. OBJECT ENCODING answers `intset`, `listpack` or `hashtable`, changing
//! where Redis 7.2 changes it.
//!
//! Reading order: `plinth_set_commands` ([`storage`](plinth_set_commands::storage), then
//! [`value`](plinth_set_commands::value), then its commands), then [`store`].
//!
//! Invariants:
//! - No set is kept that has no members.
//! - Every change is announced once per key, after it is in place.
//! - Nothing but the command's own reply grows with the set: a set in a table grows, shrinks and is
//!   scanned a bucket at a time.

pub mod store;

use plinth_module::prelude::*;
use plinth_set_commands::SetModule;

export!(Module { name: "set", version: env!("CARGO_PKG_VERSION"), ..SetModule::<store::HashSet>::MODULE });
