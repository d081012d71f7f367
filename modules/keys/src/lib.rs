//! The commands on keys of any type: removing, finding, renaming, expiring, dumping, moving, counting.
//!
//! The module knows no data type (SORT asks the types' services), and its only state are transfers
//! that MIGRATE makes and the connections that it keeps. What a key is,
//! when it is gone, in which order a scan goes, how a value becomes a payload: all that is the
//! host's, behind `plinth.keys/1`. What is left for a command is the reading of its options, the
//! order in which errors are looked for, the shape of its reply, and saying what happened:
//!
//! | a command that | says it by |
//! |---|---|
//! | removes a key or changes its expiry | `modified`, with the event's name |
//! | renames, moves, copies | `notify`: the host has told the watchers already |
//! | depends on the clock or on what was there | `propagate`, with a command that does not |
//!
//! ```text
//! commands/remove.rs    DEL UNLINK
//! commands/presence.rs  EXISTS TOUCH TYPE
//! commands/expire.rs    EXPIRE PEXPIRE EXPIREAT PEXPIREAT PERSIST
//! commands/ttl.rs       TTL PTTL EXPIRETIME PEXPIRETIME
//! commands/scan.rs      KEYS SCAN RANDOMKEY
//! commands/rename.rs    RENAME RENAMENX MOVE COPY
//! commands/object.rs    OBJECT
//! commands/dump.rs      DUMP RESTORE RESTORE-ASKING
//! commands/migrate.rs   MIGRATE
//! commands/database.rs  DBSIZE FLUSHDB FLUSHALL SWAPDB
//! commands/sort.rs      SORT SORT_RO
//! migrate/              what MIGRATE is made of: connections, and the threads that use them
//! sort/                 what SORT is made of: patterns, weights, order; the types' services
//! ```
//!
//! Invariants:
//!
//! - A command that only looks (EXISTS, TYPE, TTL, OBJECT, MEMORY) leaves a key's access clock
//!   alone; TOUCH and DUMP renew it.
//! - Errors come in Redis's order: options first, then the key, then what is done to it.
//! - What is propagated does the same at any time: deadlines are absolute, a deadline in the past
//!   is a removal.

#![deny(unsafe_code)]

mod commands;
mod migrate;
mod sort;

use plinth_module::prelude::*;

export!(Module {
    name: "keys",
    version: env!("CARGO_PKG_VERSION"),
    commands: commands::ALL,
    infos: &[commands::FIELDS],
    start: Some(|call| call.set_data(commands::State::default())),
    stop: Some(|call| {
        if let Some(state) = call.data::<commands::State>() {
            state.stop();
        }
    }),
    ..Module::NEW
});
