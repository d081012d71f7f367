//! The commands of strings, over any storage.
//!
//! ```text
//! storage.rs       the trait that says how strings are kept
//! codec.rs         saving and loading, in the one form that files have
//! range.rs         a part of a string between two positions; pure
//! subsequence.rs   the longest common subsequence; pure
//! commands/        one file per family, each command's spec beside its function
//! service.rs       `plinth.string/1`, strings for other modules
//! ```
//!
//! A module with the commands of strings over a storage of its own is
//!
//! ```text
//! export!(Module { name: "string", version: "1.0.0", ..Strings::<MyStorage>::MODULE });
//! ```
//!
//! Invariants:
//! - No string is longer than `proto-max-bulk-len` by way of a command that makes one grow; what is
//!   set as a whole has passed that limit in the request parser.
//! - Every change is announced once per key, after the value is in place.
//! - GET, SET, the counters and the functions of the service look a key up once.
//!
//! *What is deliberately absent*: bit operations, which are the bitmap module's.

#![deny(unsafe_code)]

pub mod codec;
pub mod commands;
pub mod range;
pub mod service;
pub mod storage;
pub mod subsequence;

pub use storage::Storage;

use plinth_module::prelude::*;
use std::marker::PhantomData;

/// All that a module of strings over a storage consists of.
pub struct Strings<S>(PhantomData<S>);

impl<S: Storage> Strings<S> {
    /// The module but for its name and version.
    pub const MODULE: Module = Module {
        types: &[S::TYPE],
        commands: &commands::Commands::<S>::ALL,
        provides: &[provided(service::Provider::<S>::TABLE)],
        ..Module::NEW
    };
}
