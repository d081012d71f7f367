//! The commands of sorted sets, over any storage.
//!
//! ```text
//!   commands   one file per family, each command's spec beside its function
//!      │
//!   value      one view of both forms, and the thresholds between them
//!      ├── small    the pack in the key's entry
//!      └── large    a storage in a box: whatever implements `storage::Storage`
//!   codec      the type `zset`, and its values in files
//!   service    `plinth.zset/1`, for other modules
//! ```
//!
//! A module is a storage and one line, because what is exported may exist once in a library only:
//!
//! ```
//! # #![allow(missing_docs)]
//! use plinth_module::prelude::*;
//! use plinth_zset_commands::storage::Storage;
//!
//! const fn mine<S: Storage>() -> Module {
//!     plinth_zset_commands::module::<S>("zset", "0.1.0")
//! }
//! ```
//!
//! Everything is compiled for the one storage that a module brings: there is no indirect call
//! between a command and its storage.

#![deny(unsafe_code)]

pub mod codec;
pub mod commands;
pub mod large;
mod score;
pub mod service;
pub mod small;
pub mod storage;
pub mod value;

use plinth_module::prelude::*;
use storage::Storage;

/// The module of sorted sets over a storage, for `export!`.
pub const fn module<S: Storage>(name: &'static str, version: &'static str) -> Module {
    Module {
        name,
        version,
        types: const { &[Type::mixed::<codec::Zset<S>>()] },
        commands: &commands::Commands::<S>::ALL,
        configs: &value::PARAMETERS,
        provides: const { &[service::provided_by::<S>()] },
        ..Module::NEW
    }
}
