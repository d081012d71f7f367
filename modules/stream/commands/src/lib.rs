//! The commands of streams, over any storage.
//!
//! ```text
//!   commands   one file per family, each command's spec beside its function
//!      │
//!      ├── value       a stream in its key's entry
//!      ├── lag         how far a group is, counted without counting
//!      ├── references  what taking entries away does to groups
//!      └── propagate   commands for replicas
//!   stream     the value: a log, its counters, and the groups that read it
//!      ├── storage   what is asked of a log
//!      ├── waste     what was taken off and is still to be freed
//!      └── group     a group: consumers, and what they have not acknowledged
//!             └── nack      what is known of a pending entry, in twelve bytes
//!                    └── pending   an ordered map of ids, in chunks
//!   codec      the type `stream`, and its values in files
//!   rewrite    a stream as the commands that make it, and as what it is
//!   convert    a stream handed over to another module, a slice at a time
//!   service    `plinth.stream/1`, for other modules
//! ```
//!
//! The module `stream` puts these commands over a tree of packs; another module puts them over its
//! own structure with
//!
//! ```text
//! export!(Module { name: "stream", version: "1.0.0", ..Streams::<Mine>::MODULE });
//! ```

#![deny(unsafe_code)]

pub mod codec;
pub mod commands;
pub mod convert;
pub mod group;
pub mod id;
pub mod lag;
pub mod layout;
pub mod nack;
pub mod pending;
pub mod propagate;
pub mod references;
mod rewrite;
pub mod service;
pub mod storage;
pub mod stream;
pub mod value;
mod waste;

pub use crate::storage::Storage;

use plinth_module::prelude::*;
use plinth_module::service::Provided;
use plinth_module::stream::{StreamService, table};
use std::marker::PhantomData;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time that streams go by, in Unix ms. While a file is replayed the server shows 0, so that nothing expires
/// before its removal is read; in streams nothing expires, and a delivery has its own time then as ever.
pub(crate) fn now_ms(call: &Call<'_>) -> i64 {
    match call.now_ms() {
        0 => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64),
        now_ms => now_ms,
    }
}

/// Streams over a storage: what a module of them consists of.
pub struct Streams<S>(PhantomData<S>);

impl<S: Storage> Streams<S> {
    const TYPES: &'static [Type] = &[Type::mixed::<codec::StreamType<S>>()];
    const COMMANDS: &'static [Command] = &commands::all::<S>();
    const TABLE: &'static StreamService = &table::<service::Provider<S>>();
    const PROVIDES: &'static [Provided] = &[provided(Self::TABLE)];

    /// The module, to be given a name and a version.
    pub const MODULE: Module = Module {
        types: Self::TYPES,
        commands: Self::COMMANDS,
        configs: &layout::CONFIGS,
        provides: Self::PROVIDES,
        ..Module::NEW
    };
}
